//! What the virtual display shows.

use std::path::Path;

use anyhow::Context;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt, ImageFormat};

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
