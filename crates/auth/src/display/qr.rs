//! A QR code as one SVG path, so that the window draws it without a picture and without a library.

use std::fmt::Write as _;

use fast_qr::qr::QRBuilder;
use fast_qr::{ECL, QRCode};
use luminous_wire::QrView;

/// `text` as a QR code; `None` when it is too long for any.
///
/// Level M takes the reflections on a screen, and keeps the modules of an address of ours large.
pub(super) fn qr(text: &str) -> Option<QrView> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    Some(QrView { size: u32::try_from(code.size).ok()?, path: path(&code) })
}

/// Each run of dark modules in a row is one rectangle.
fn path(code: &QRCode) -> String {
    let mut path = String::new();
    for y in 0..code.size {
        let mut x = 0;
        while x < code.size {
            let run = (x..code.size).take_while(|&x| code[y][x].value()).count();
            if run > 0 {
                // Writing to a string cannot fail.
                let _ = write!(path, "M{x} {y}h{run}v1h-{run}z");
            }
            x += run.max(1);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_rectangles_of_dark_modules() {
        let view = qr("https://luminous.example/link?qr=AAAAAAAAAAAAAAAAAAAAAA").unwrap();
        assert!(view.size >= 29, "{}", view.size);
        // The finder pattern in the corner: seven dark modules, then a light one.
        assert!(view.path.starts_with("M0 0h7v1h-7z"), "{}", view.path);
        assert!(
            view.path.chars().all(|symbol| "Mhvz- ".contains(symbol) || symbol.is_ascii_digit())
        );
    }

    #[test]
    fn what_fits_no_code_is_none() {
        assert_eq!(qr(&"x".repeat(5000)), None);
    }
}
