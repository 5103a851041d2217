//! QR codes: decodes the code in an image, and draws the join code for another device.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ImageReader, Limits};

/// Memory limit of a decoded image, in bytes: a photo of 50 megapixels.
const LARGEST: u64 = 200 * 1024 * 1024;

/// Side length to which a larger image is reduced, in pixels: a code fills a good part of it, and detection takes less
/// time.
const SIDE: u32 = 1600;

/// Decodes the QR code in an image (PNG or JPEG, as base64).
///
/// # Errors
/// Returns a sentence that says why there is no code.
pub(super) fn read(picture: &str) -> Result<String, String> {
    // A web page passes a data URL, with the media type in front.
    let picture = picture.split_once("base64,").map_or(picture, |(_, picture)| picture);
    let bytes = STANDARD.decode(picture.trim()).map_err(|error| format!("the picture can't be read: {error}"))?;
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| format!("the picture can't be read: {error}"))?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(LARGEST);
    reader.limits(limits);
    let picture = reader.decode().map_err(|error| format!("the picture can't be read: {error}"))?;
    let picture = if picture.width().max(picture.height()) > SIDE { picture.thumbnail(SIDE, SIDE) } else { picture };
    let mut grey = picture.into_luma8();
    find(&grey)
        .or_else(|| {
            // A screen in a dark theme shows the code light on dark.
            image::imageops::invert(&mut grey);
            find(&grey)
        })
        .ok_or_else(|| "there is no QR code in the picture".to_owned())
}

fn find(grey: &image::GrayImage) -> Option<String> {
    let (width, height) = (usize::try_from(grey.width()).ok()?, usize::try_from(grey.height()).ok()?);
    let pixels = grey.as_raw();
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    prepared.detect_grids().iter().find_map(|grid| grid.decode().ok().map(|(_, text)| text))
}

/// Draws a QR code as SVG.
///
/// # Errors
/// Returns an error if the text is too long for a QR code.
pub(super) fn draw(text: &str) -> Result<String, String> {
    let code = qrcode::QrCode::new(text).map_err(|error| error.to_string())?;
    Ok(code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(240, 240).build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, ImageFormat, Luma};

    /// Returns an image of a code as a camera might see it.
    fn photo(text: &str, inverted: bool, format: ImageFormat) -> String {
        let code = qrcode::QrCode::new(text).unwrap();
        let (side, colours) = (u32::try_from(code.width()).unwrap(), code.to_colors());
        let mut picture = GrayImage::from_fn((side + 8) * 6, (side + 8) * 6, |x, y| {
            let (column, row) = ((x / 6).wrapping_sub(4), (y / 6).wrapping_sub(4));
            let inside = column < side && row < side;
            let dark = inside && colours[usize::try_from(row * side + column).unwrap()] == qrcode::Color::Dark;
            Luma([if dark { 20 } else { 235 }])
        });
        if inverted {
            image::imageops::invert(&mut picture);
        }
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        STANDARD.encode(bytes.into_inner())
    }

    #[test]
    fn a_code_is_read_from_png_and_jpeg_light_or_dark() {
        let link = "crewbell://join?server=http%3A%2F%2F10.0.0.2%3A8080&site=serenity";
        for (inverted, format) in [(false, ImageFormat::Png), (false, ImageFormat::Jpeg), (true, ImageFormat::Png)] {
            assert_eq!(read(&photo(link, inverted, format)).as_deref(), Ok(link), "{inverted} {format:?}");
        }
        let with_type = format!("data:image/png;base64,{}", photo(link, false, ImageFormat::Png));
        assert_eq!(read(&with_type).as_deref(), Ok(link));
    }

    #[test]
    fn a_picture_without_a_code_is_told_in_words() {
        let mut bytes = Cursor::new(Vec::new());
        GrayImage::new(64, 64).write_to(&mut bytes, ImageFormat::Png).unwrap();
        assert!(read(&STANDARD.encode(bytes.into_inner())).unwrap_err().contains("no QR code"));
        assert!(read("%%%").unwrap_err().contains("can't be read"));
        assert!(read(&STANDARD.encode(b"GIF89a")).unwrap_err().contains("can't be read"));
    }

    #[test]
    fn a_code_is_drawn_as_svg() {
        let svg = draw("crewbell://join?server=http://10.0.0.2:8080").unwrap();
        assert!(svg.contains("<svg") && svg.ends_with("</svg>"));
        assert!(draw(&"x".repeat(5000)).is_err());
    }
}
