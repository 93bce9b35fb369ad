//! Text as the pieces know it: characters mapped, spaces marked, and for each byte its place in the
//! original.

use super::charsmap::CharsMap;
use super::model_file::NormalizerSettings;
use super::vocabulary::Vocabulary;

/// What SentencePiece writes for a space.
pub(crate) const SPACE_MARK: &str = "\u{2581}";

/// A text made ready to be cut.
#[derive(Debug, Default)]
pub(super) struct Normalized {
    pub(super) text: String,
    /// For every byte of `text`, and for its end, the byte of the original that it comes from.
    pub(super) origin: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Normalizer {
    pub(super) settings: NormalizerSettings,
    pub(super) map: CharsMap,
}

impl Normalizer {
    pub(super) fn run(&self, text: &str, vocabulary: &Vocabulary) -> Normalized {
        let removes = self.settings.remove_extra_whitespaces;
        let mut out = Normalized::default();
        let mut at = 0;
        while removes && at < text.len() {
            let (n_bytes, replacement) = self.prefix(&text[at..], vocabulary);
            if replacement != b" " {
                break;
            }
            at += n_bytes;
        }
        if at == text.len() {
            return out;
        }
        let mut bytes = Vec::with_capacity(text.len() + 8);
        let prefix = self.settings.add_dummy_prefix;
        if prefix && !self.settings.space_behind {
            self.push(b' ', at, &mut bytes, &mut out.origin);
        }
        let mut after_space = removes;
        while at < text.len() {
            let (n_bytes, mut replacement) = self.prefix(&text[at..], vocabulary);
            while after_space && let Some(rest) = replacement.strip_prefix(b" ") {
                replacement = rest;
            }
            for &byte in replacement {
                self.push(byte, at, &mut bytes, &mut out.origin);
            }
            if let Some(&last) = replacement.last() {
                after_space = removes && last == b' ';
            }
            at += n_bytes;
        }
        let space = if self.settings.escape_whitespaces {
            SPACE_MARK
        } else {
            " "
        };
        while removes && bytes.ends_with(space.as_bytes()) {
            bytes.truncate(bytes.len() - space.len());
            at = out.origin.get(bytes.len()).copied().unwrap_or(at);
            out.origin.truncate(bytes.len());
        }
        if prefix && self.settings.space_behind {
            self.push(b' ', at, &mut bytes, &mut out.origin);
        }
        out.origin.push(at);
        // A map may only be broken where its file is; what it writes then is not text.
        out.text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(_) => return Normalized::default(),
        };
        out
    }

    fn push(&self, byte: u8, at: usize, bytes: &mut Vec<u8>, origin: &mut Vec<usize>) {
        let single = [byte];
        let escapes = self.settings.escape_whitespaces && byte == b' ';
        let written: &[u8] = if escapes {
            SPACE_MARK.as_bytes()
        } else {
            &single
        };
        bytes.extend(written);
        origin.extend(written.iter().map(|_| at));
    }

    /// How many bytes of the text are replaced next, and by what.
    fn prefix<'a>(&'a self, text: &'a str, vocabulary: &Vocabulary) -> (usize, &'a [u8]) {
        if let Some(length) = vocabulary.user_defined(text) {
            return (length, &text.as_bytes()[..length]);
        }
        self.map.longest(text.as_bytes()).unwrap_or_else(|| {
            let length = text.chars().next().map_or(0, char::len_utf8);
            (length, &text.as_bytes()[..length])
        })
    }
}
