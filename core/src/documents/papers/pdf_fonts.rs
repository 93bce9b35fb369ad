//! What the fonts of a PDF unpack to: their programs, and which letters and glyphs their codes are.

use std::collections::HashMap;

use hayro_interpret::hayro_syntax::object::{Array, Dict, Stream, dict::keys};

use super::{pdf_budget::Lengths, pdf_unpacked::MAX_COUNTED};

/// The fonts of a document, by what their dictionaries say: those that say the same are read once.
#[derive(Default)]
pub(super) struct Fonts(HashMap<Vec<u8>, u64>);

impl Fonts {
    /// Of a font.
    pub(super) fn length(&mut self, font: &Dict<'_>, lengths: &mut Lengths) -> u64 {
        if let Some(n_bytes) = self.0.get(font.data()) {
            return *n_bytes;
        }
        let n_bytes = length(font, lengths);
        lengths.keep(n_bytes.min(MAX_COUNTED));
        self.0.insert(font.data().to_vec(), n_bytes);
        n_bytes
    }
}

fn length(font: &Dict<'_>, lengths: &mut Lengths) -> u64 {
    let inner = font.get::<Array<'_>>(keys::DESCENDANT_FONTS);
    let inner = inner.and_then(|fonts| fonts.flex_iter().next::<Dict<'_>>());
    let both = [Some(font), inner.as_ref()].into_iter().flatten();
    both.fold(0, |n_bytes, font| {
        n_bytes.saturating_add(own_length(font, lengths))
    })
}

fn own_length(font: &Dict<'_>, lengths: &mut Lengths) -> u64 {
    const OF_CODES: [&[u8]; 3] = [keys::TO_UNICODE, keys::ENCODING, keys::CID_TO_GID_MAP];
    const PROGRAMS: [&[u8]; 3] = [keys::FONT_FILE, keys::FONT_FILE2, keys::FONT_FILE3];
    let descriptor = font.get::<Dict<'_>>(keys::FONT_DESC);
    let descriptor = descriptor.unwrap_or_default();
    let of_codes = OF_CODES.into_iter().map(|key| font.get::<Stream<'_>>(key));
    let programs = PROGRAMS.into_iter().map(|key| descriptor.get(key));
    let streams = of_codes.chain(programs).flatten();
    streams.fold(0, |n_bytes, stream| {
        n_bytes.saturating_add(lengths.of(&stream))
    })
}
