//! From the bytes of a file to a picture.
//!
//! In: bytes of a PNG, JPEG, BMP, GIF or WebP, known by what is in it and not by its name. Out: a `Picture` with
//! numbers from 0 to 255, turned as the camera noted. A size beyond the limit is refused before memory
//! is asked for. Sixteen bits become eight, palettes colours; opacity is left out unless it is asked for.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::picture::Picture;

/// The most pixels of a picture. At twelve bytes a pixel this is what a thread needs while it decodes one.
pub const MAX_PIXELS: usize = 64_000_000;

/// So much of a file holds its size, but for rare ones.
pub const HEAD: u64 = 64 << 10;

/// Why there is no picture.
#[derive(Debug)]
pub enum Failure {
    Damaged(String),
    TooLarge(usize, usize),
    /// A mask with a colour that is no grey, at a row and a column.
    Coloured([u8; 3], (usize, usize)),
}

/// Height and width, by the first bytes of a file. None when they do not suffice.
pub fn size_by_head(head: &[u8]) -> Option<(usize, usize)> {
    // Only a whole WebP file tells how it is turned.
    if image::guess_format(head).ok()? == ImageFormat::WebP {
        return None;
    }
    size(head).ok()
}

/// Height and width of a picture.
pub fn size(bytes: &[u8]) -> Result<(usize, usize), Failure> {
    let mut decoder = decoder(bytes)?;
    let (w, h) = decoder.dimensions();
    let (w, h) = (w as usize, h as usize);
    match decoder.orientation() {
        Ok(
            Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH,
        ) => Ok((w, h)),
        _ => Ok((h, w)),
    }
}

/// Decodes with 1, 3 or 4 channels.
pub fn decode(bytes: &[u8], channels: usize) -> Result<Picture, Failure> {
    let mut decoder = decoder(bytes)?;
    // What the camera noted is advice: a picture without is as it lies.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    if is_cut(bytes) {
        return Err(Failure::Damaged("it ends too early".to_owned()));
    }
    let mut image = DynamicImage::from_decoder(decoder).map_err(failure)?;
    image.apply_orientation(orientation);
    let (h, w) = (image.height() as usize, image.width() as usize);
    let bytes = match channels {
        1 => image.into_luma8().into_raw(),
        3 => image.into_rgb8().into_raw(),
        _ => image.into_rgba8().into_raw(),
    };
    Ok(Picture { h, w, channels, data: bytes.into_iter().map(f32::from).collect() })
}

/// Decodes numbers of one channel as the file has them: greys of any depth, or the places of a palette.
pub fn decode_mask(bytes: &[u8]) -> Result<Picture, Failure> {
    let mut decoder = decoder(bytes)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    if orientation == Orientation::NoTransforms
        && let Some(mask) = png_numbers(bytes)?
    {
        return Ok(mask);
    }
    let mut image = DynamicImage::from_decoder(decoder).map_err(failure)?;
    image.apply_orientation(orientation);
    let (h, w) = (image.height() as usize, image.width() as usize);
    let pixels = image.into_rgb8().into_raw();
    let mut data = Vec::with_capacity(h * w);
    for (at, pixel) in pixels.chunks_exact(3).enumerate() {
        if pixel[0] != pixel[1] || pixel[0] != pixel[2] {
            return Err(Failure::Coloured([pixel[0], pixel[1], pixel[2]], (at / w, at % w)));
        }
        data.push(f32::from(pixel[0]));
    }
    Ok(Picture { h, w, channels: 1, data })
}

/// The numbers of a PNG with greys or a palette, before they become colours; none of another file.
fn png_numbers(bytes: &[u8]) -> Result<Option<Picture>, Failure> {
    if !bytes.starts_with(b"\x89PNG") {
        return Ok(None);
    }
    let damaged = |error: png::DecodingError| Failure::Damaged(format!("it is damaged ({error})"));
    let mut png = png::Decoder::new(Cursor::new(bytes));
    png.set_transformations(png::Transformations::IDENTITY);
    let mut reader = png.read_info().map_err(damaged)?;
    let (color, depth) = (reader.info().color_type, reader.info().bit_depth);
    if !matches!(color, png::ColorType::Grayscale | png::ColorType::Indexed) {
        return Ok(None);
    }
    // Its size is within the limit, which the decoder around it has looked at.
    let mut packed = vec![0; reader.output_buffer_size().unwrap_or(0)];
    let frame = reader.next_frame(&mut packed).map_err(damaged)?;
    let (h, w) = (frame.height as usize, frame.width as usize);
    let mut data = Vec::with_capacity(h * w);
    for row in packed.chunks_exact(frame.line_size.max(1)).take(h) {
        match depth {
            png::BitDepth::Sixteen => {
                let number = |pair: &[u8]| f32::from(u16::from_be_bytes([pair[0], pair[1]]));
                data.extend(row.chunks_exact(2).take(w).map(number));
            }
            png::BitDepth::Eight => data.extend(row.iter().take(w).map(|byte| f32::from(*byte))),
            png::BitDepth::Four | png::BitDepth::Two | png::BitDepth::One => {
                let bits = depth as usize;
                let number = |at: usize| row[at * bits / 8] >> (8 - bits - at * bits % 8) & ((1 << bits) - 1);
                data.extend((0..w).map(|at| f32::from(number(at))));
            }
        }
    }
    Ok(Some(Picture { h, w, channels: 1, data }))
}

/// A decoder that knows the size, which is within the limit.
fn decoder(bytes: &[u8]) -> Result<impl ImageDecoder + '_, Failure> {
    let mut reader = ImageReader::new(Cursor::new(bytes));
    // Reading from memory does not fail; an unknown format is told when the decoder is asked for.
    reader = reader.with_guessed_format().map_err(|error| Failure::Damaged(error.to_string()))?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(16 * MAX_PIXELS as u64);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(failure)?;
    let (w, h) = decoder.dimensions();
    let (h, w) = (h as usize, w as usize);
    match h.checked_mul(w) {
        Some(0) => Err(Failure::Damaged("it has no pixels".to_owned())),
        Some(pixels) if pixels <= MAX_PIXELS => Ok(decoder),
        _ => Err(Failure::TooLarge(h, w)),
    }
}

fn failure(error: ImageError) -> Failure {
    Failure::Damaged(match error {
        ImageError::Unsupported(_) => "it is no PNG, JPEG, BMP, GIF or WebP".to_owned(),
        ImageError::Limits(_) => "it needs too much memory".to_owned(),
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "it ends too early".to_owned()
        }
        ImageError::Decoding(_) | ImageError::Encoding(_) | ImageError::Parameter(_) | ImageError::IoError(_) => {
            format!("it is damaged ({error})")
        }
    })
}

/// Whether the end of a JPEG is missing, which its decoder fills with grey.
fn is_cut(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(&[0xff, 0xd8]) else { return false };
    // Segments carry their length, until the pixels begin; in those, ff is followed by 00 or a restart.
    while let [0xff, marker, high, low, ..] = *rest {
        let length = match marker {
            0xff => 0,
            _ => 1 + usize::from(u16::from_be_bytes([high, low])),
        };
        if marker == 0xda {
            return !rest.windows(2).any(|pair| pair == [0xff, 0xd9]);
        }
        let Some(next) = rest.get(1 + length..) else { return true };
        rest = next;
    }
    // Not the way a JPEG is built: the decoder will say so.
    false
}
