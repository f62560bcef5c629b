//! The virtual display as a person meets it: what it shows, and its keyboard.

use std::path::Path;

use anyhow::Context;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt, ImageFormat, KEY_PRESS_EVENT, KEY_RELEASE_EVENT};
use x11rb::protocol::xtest::ConnectionExt as _;

/// Takes a picture of the whole display.
pub fn capture(display: &str, file: &Path) -> anyhow::Result<()> {
    let (connection, number) = x11rb::connect(Some(display)).context("the display is gone")?;
    let screen = &connection.setup().roots[number];
    let (width, height) = (screen.width_in_pixels, screen.height_in_pixels);
    let image = connection
        .get_image(ImageFormat::Z_PIXMAP, screen.root, 0, 0, width, height, !0)?
        .reply()?;
    // A 24-bit display sends blue, green, red and a byte of padding.
    let rgb: Vec<u8> =
        image.data.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
    let output = std::io::BufWriter::new(std::fs::File::create(file)?);
    let mut encoder = png::Encoder::new(output, u32::from(width), u32::from(height));
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(&rgb)?;
    Ok(())
}

/// The keysym of the Return key (X11 protocol, appendix A).
const RETURN: u32 = 0xff0d;

/// Types `text`, in small letters and spaces, and Return, into whatever has the keyboard.
pub fn type_line(display: &str, text: &str) -> anyhow::Result<()> {
    let (connection, number) = x11rb::connect(Some(display)).context("the display is gone")?;
    let setup = connection.setup();
    let root = setup.roots[number].root;
    let count = setup.max_keycode - setup.min_keycode + 1;
    let mapping = connection.get_keyboard_mapping(setup.min_keycode, count)?.reply()?;
    let per_code = usize::from(mapping.keysyms_per_keycode);
    // The keysym of a Latin-1 letter is its code.
    for keysym in text.bytes().map(u32::from).chain([RETURN]) {
        let index = mapping
            .keysyms
            .chunks(per_code)
            .position(|keysyms| keysyms.first() == Some(&keysym))
            .context("the keyboard has no such key")?;
        let code = setup.min_keycode + u8::try_from(index)?;
        for event in [KEY_PRESS_EVENT, KEY_RELEASE_EVENT] {
            connection.xtest_fake_input(event, code, 0, root, 0, 0, 0)?.check()?;
        }
    }
    Ok(())
}
