//! Values of form fields that the file does not draw (ISO 32000-1, 12.7.3.3: whoever opens it is asked
//! to), as letters where they would stand.

use hayro_interpret::{
    TransformExt as _,
    hayro_syntax::{
        object::{Array, Dict, Name, Rect, String as Bytes, dict::keys},
        page::Page,
    },
    kurbo::Point,
};

use super::{pdf::MAX_LETTERS, pdf_letters::Letter};

/// Of a field: hidden, and not for the eye.
const UNSEEN: u32 = 1 << 1 | 1 << 5;
const PASSWORD: u32 = 1 << 13;
const MAX_DEPTH: usize = 8;
const MAX_SIZE: f64 = 11.0;
/// Of a field's height: a line of text, and where its baseline is above the middle of the line.
const TEXT: f64 = 0.7;
const BASELINE: f64 = 0.35;

pub(super) fn undrawn_values(page: &Page<'_>) -> Vec<Letter> {
    let Some(fields) = page.raw().get::<Array<'_>>(keys::ANNOTS) else {
        return Vec::new();
    };
    let values = fields.iter::<Dict<'_>>().filter_map(|field| {
        let rect = field.get::<Rect>(keys::RECT)?;
        Some((rect, undrawn_value(&field)?))
    });
    values
        .flat_map(|(rect, value)| letters(page, &rect, &value))
        .take(MAX_LETTERS)
        .collect()
}

/// What a person wrote or chose in a field without an appearance.
pub(super) fn undrawn_value(field: &Dict<'_>) -> Option<String> {
    let is_field = field.get::<Name<'_>>(keys::SUBTYPE)?.as_ref() == b"Widget";
    let kind = inherited(field, |field| field.get::<Name<'_>>(keys::FT))?;
    let is_text = [&b"Tx"[..], b"Ch"].contains(&kind.as_ref());
    let is_drawn = field.get::<Dict<'_>>(keys::AP).is_some();
    let is_unseen = field.get::<u32>(keys::F).unwrap_or(0) & UNSEEN != 0;
    let flags = inherited(field, |field| field.get::<u32>(keys::FF)).unwrap_or(0);
    if !is_field || !is_text || is_drawn || is_unseen || flags & PASSWORD != 0 {
        return None;
    }
    let value = inherited(field, |field| field.get::<Bytes<'_>>(keys::V))?;
    Some(text(value.as_bytes()))
}

/// Of a field, or of the one that it is a part of.
fn inherited<'a, T>(field: &Dict<'a>, of: impl Fn(&Dict<'a>) -> Option<T>) -> Option<T> {
    let parent = |field: &Dict<'a>| field.get::<Dict<'a>>(keys::PARENT);
    std::iter::successors(Some(field.clone()), parent)
        .take(MAX_DEPTH)
        .find_map(|field| of(&field))
}

/// A text string (7.9.2.2); what is no Unicode is nearly Latin-1.
fn text(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, text @ ..] => encoding_rs::UTF_16BE.decode(text).0.into_owned(),
        [0xef, 0xbb, 0xbf, text @ ..] => String::from_utf8_lossy(text).into_owned(),
        _ => encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned(),
    }
}

/// Lines below each other from the top of the field, or one in its middle.
fn letters(page: &Page<'_>, rect: &Rect, value: &str) -> Vec<Letter> {
    let place = page.initial_transform(true).to_kurbo();
    let lines: Vec<&str> = value.lines().collect();
    let height = (rect.y1 - rect.y0) / lines.len().max(1) as f64;
    let size = (TEXT * height).min(MAX_SIZE);
    let mut letters = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let y = rect.y1 - (at as f64 + 0.5) * height - BASELINE * size;
        let width = (rect.x1 - rect.x0) / line.chars().count().max(1) as f64;
        let width = width.min(size / 2.0);
        for (i, c) in line.chars().enumerate() {
            let start = place * Point::new(rect.x0 + i as f64 * width, y);
            let end = place * Point::new(rect.x0 + (i + 1) as f64 * width, y);
            let is_real = [start.x, start.y, end.x, end.y]
                .iter()
                .all(|x| x.is_finite());
            letters.extend((is_real && size > 0.0).then(|| Letter {
                text: c.to_string(),
                x: start.x,
                y: start.y,
                width: (end - start).hypot(),
                width_is_known: true,
                size,
                angle: (end.y - start.y).atan2(end.x - start.x).to_degrees(),
            }));
        }
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_say_their_encoding() {
        assert_eq!(text(b"Jos\xe9"), "José");
        assert_eq!(text(b"\xfe\xff\x75\x30\x4e\x2d"), "田中");
        assert_eq!(text(b"\xef\xbb\xbfJos\xc3\xa9"), "José");
    }
}
