//! Text out of token ids while they come: whole characters only, stop strings never.
//!
//! A token may be a part of a character, and decoders look at neighbours (they drop the space
//! before a text, and read runs of byte tokens as one). So a window of tokens is decoded together,
//! and what goes beyond the text that was given out of it is new. Characters that are unfinished at
//! its end wait for more tokens, as does text that may be the beginning of a stop string.

use crate::text::{TextError, Tokenizer};

/// What an unfinished character decodes to.
const UNFINISHED: char = '\u{fffd}';

/// Tokens of the text before, so that the decoder knows what the first new token follows.
const CONTEXT: usize = 8;

/// Decodes tokens one by one.
pub struct TextStream<'a> {
    tokenizer: &'a Tokenizer,
    skip_special_tokens: bool,
    stops: Vec<String>,
    ids: Vec<u32>,
    /// Where the decoded window begins.
    window: usize,
    /// Where the text of the ids so far was last a whole number of characters.
    settled: usize,
    /// Text of the window that was taken out.
    taken: String,
    /// Text that is whole, and may yet turn out to be a stop string.
    held: String,
    stopped: bool,
    /// The first ids are a prompt's.
    continues: bool,
}

/// What a token added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    /// Text to show; empty while a character or a stop string is unfinished.
    pub text: String,
    /// A stop string came; it and what follows belong to no piece.
    pub stopped: bool,
}

impl<'a> TextStream<'a> {
    /// A text of its own. It ends before any of `stops`; empty ones count for nothing.
    pub fn new(tokenizer: &'a Tokenizer, stops: &[String]) -> Self {
        Self {
            tokenizer,
            skip_special_tokens: true,
            stops: stops.iter().filter(|s| !s.is_empty()).cloned().collect(),
            ids: Vec::new(),
            window: 0,
            settled: 0,
            taken: String::new(),
            held: String::new(),
            stopped: false,
            continues: false,
        }
    }

    /// A text that goes on after `prompt_ids`, whose own text is not given out: the space before
    /// its first word stays.
    ///
    /// # Errors
    /// When the tokenizer's decoder fails.
    pub fn after(mut self, prompt_ids: &[u32]) -> Result<Self, TextError> {
        let from = prompt_ids.len().saturating_sub(CONTEXT);
        self.ids = prompt_ids[from..].to_vec();
        self.settled = self.ids.len();
        self.continues = !self.ids.is_empty();
        self.taken = self.decode(0)?;
        Ok(self)
    }

    /// Shows special tokens by their text.
    pub fn with_special_tokens(mut self) -> Self {
        self.skip_special_tokens = false;
        self
    }

    /// Takes a token and gives what is certain now. After a stop string every piece is empty.
    ///
    /// # Errors
    /// When the tokenizer's decoder fails.
    pub fn push(&mut self, id: u32) -> Result<Piece, TextError> {
        if self.stopped {
            return Ok(self.piece(String::new()));
        }
        self.ids.push(id);
        let whole = self.decode(self.window)?;
        let finished = whole.trim_end_matches(UNFINISHED);
        if let Some(added) = finished.strip_prefix(self.taken.as_str()) {
            self.held.push_str(added);
            self.taken = finished.to_owned();
        } else if finished == whole {
            // Bytes that are no text make a decoder change its mind about those before them.
            let added = self.decode(self.settled)?;
            self.held.push_str(&added);
        }
        if finished == whole {
            self.window = self.settled;
            self.settled = self.ids.len();
            self.taken = self.decode(self.window)?;
        }
        Ok(self.release())
    }

    /// What was held back, once no token follows. An unfinished character is dropped.
    pub fn finish(&mut self) -> Piece {
        let text = std::mem::take(&mut self.held);
        self.piece(text)
    }

    fn decode(&self, from: usize) -> Result<String, TextError> {
        let at_start = from == 0 && !self.continues;
        self.tokenizer
            .decode_part(&self.ids[from..], self.skip_special_tokens, at_start)
    }

    /// Gives out the held text up to a stop string, or to what may become one.
    fn release(&mut self) -> Piece {
        let found = self.stops.iter().filter_map(|stop| self.held.find(stop));
        if let Some(at) = found.min() {
            self.held.truncate(at);
            self.stopped = true;
            let text = std::mem::take(&mut self.held);
            return self.piece(text);
        }
        let n_waiting = self.stops.iter().map(|stop| overlap(&self.held, stop));
        let at = self.held.len() - n_waiting.max().unwrap_or(0);
        let waiting = self.held.split_off(at);
        let text = std::mem::replace(&mut self.held, waiting);
        self.piece(text)
    }

    fn piece(&self, text: String) -> Piece {
        Piece {
            text,
            stopped: self.stopped,
        }
    }
}

/// Bytes of the longest end of `text` that `stop` begins with.
fn overlap(text: &str, stop: &str) -> usize {
    let lengths = stop.char_indices().map(|(at, _)| at).rev();
    let mut lengths = lengths.into_iter();
    lengths
        .find(|length| text.ends_with(&stop[..*length]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 7] = [
        "Hello world, it's fine.",
        "東京は日本の首都です。利回りは３．２５％。",
        "emoji 😀👨‍👩‍👧❤️ and ½, ¿qué?",
        "  two spaces,\n\nnew lines\tand tabs ",
        "日本語とEnglishを混ぜる🍣🍺",
        "e\u{301}tude",
        "x",
    ];

    fn byte_level() -> Tokenizer {
        let json = include_bytes!("../../../tests/fixtures/tokenizers/byte_level/tokenizer.json");
        Tokenizer::from_json(json).unwrap()
    }

    fn byte_fallback() -> Tokenizer {
        let json = include_bytes!("../../../tests/fixtures/tokenizers/llama_bpe/tokenizer.json");
        Tokenizer::from_json(json).unwrap()
    }

    fn ids(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
        let tokens = tokenizer.encode(text, false).unwrap();
        tokens.into_iter().map(|token| token.id).collect()
    }

    fn stops(stops: &[&str]) -> Vec<String> {
        stops.iter().map(|stop| (*stop).to_owned()).collect()
    }

    /// The pieces of ids, the last from `finish`.
    fn pieces(stream: &mut TextStream, ids: &[u32]) -> Vec<String> {
        let mut pieces: Vec<String> = ids
            .iter()
            .map(|id| stream.push(*id).unwrap().text)
            .collect();
        pieces.push(stream.finish().text);
        pieces
    }

    #[test]
    fn pieces_are_whole_characters_and_make_up_the_text() {
        for tokenizer in [byte_level(), byte_fallback()] {
            for text in TEXTS {
                let ids = ids(&tokenizer, text);
                let pieces = pieces(&mut TextStream::new(&tokenizer, &[]), &ids);
                let want = tokenizer.decode(&ids, true).unwrap();
                assert_eq!(pieces.concat(), want);
                assert!(pieces.iter().all(|piece| !piece.contains(UNFINISHED)));
                assert_eq!(
                    pieces.last().map(String::as_str),
                    Some(""),
                    "nothing is held"
                );
            }
        }
    }

    #[test]
    fn a_character_comes_with_its_last_byte() {
        let tokenizer = byte_fallback();
        let ids = ids(&tokenizer, "a🍣🍺");
        let pieces = pieces(&mut TextStream::new(&tokenizer, &[]), &ids);
        let shown: Vec<&str> = pieces.iter().map(String::as_str).collect();
        // The word, then four bytes each.
        let want = ["a", "", "", "", "🍣", "", "", "", "🍺", ""];
        assert_eq!(shown[shown.len() - want.len()..], want);
    }

    #[test]
    fn an_unfinished_character_at_the_end_is_dropped() {
        for tokenizer in [byte_level(), byte_fallback()] {
            let whole = ids(&tokenizer, "ok 🍣");
            for n_missing in 1..4 {
                let cut = &whole[..whole.len() - n_missing];
                let pieces = pieces(&mut TextStream::new(&tokenizer, &[]), cut);
                assert_eq!(pieces.concat(), "ok ");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_do_not_stop_the_stream() {
        let tokenizer = byte_fallback();
        let mut broken = ids(&tokenizer, "🍣");
        let beer = ids(&tokenizer, "🍺");
        broken.extend(&beer[beer.len() - 4..][..2]);
        broken.extend(ids(&tokenizer, "Hello world"));
        let text = pieces(&mut TextStream::new(&tokenizer, &[]), &broken).concat();
        assert!(text.starts_with('🍣') && text.ends_with(" world"), "{text}");
    }

    #[test]
    fn a_continued_text_keeps_its_first_space() {
        let tokenizer = byte_fallback();
        let all = ids(&tokenizer, "Hello world again");
        let at = (1..all.len())
            .find(|at| tokenizer.decode(&all[..*at], true).unwrap() == "Hello world")
            .unwrap();
        let fresh = pieces(&mut TextStream::new(&tokenizer, &[]), &all[at..]).concat();
        let mut stream = TextStream::new(&tokenizer, &[]).after(&all[..at]).unwrap();
        let after = pieces(&mut stream, &all[at..]).concat();
        assert_eq!((fresh.as_str(), after.as_str()), ("again", " again"));
    }

    #[test]
    fn special_tokens_show_only_when_asked() {
        let tokenizer = byte_fallback();
        let mut with_end = ids(&tokenizer, "Hello");
        with_end.push(2);
        let hidden = pieces(&mut TextStream::new(&tokenizer, &[]), &with_end);
        assert_eq!(hidden.concat(), "Hello");
        let mut stream = TextStream::new(&tokenizer, &[]).with_special_tokens();
        assert_eq!(pieces(&mut stream, &with_end).concat(), "Hello</s>");
    }

    /// Pushes until a stop string came; the text and whether one did.
    fn until_stop(text: &str, stop: &[&str]) -> (String, bool) {
        let tokenizer = byte_level();
        let mut stream = TextStream::new(&tokenizer, &stops(stop));
        let mut shown = String::new();
        for id in ids(&tokenizer, text) {
            let piece = stream.push(id).unwrap();
            shown.push_str(&piece.text);
            if piece.stopped {
                return (shown, true);
            }
        }
        shown.push_str(&stream.finish().text);
        (shown, false)
    }

    #[test]
    fn text_ends_before_the_first_stop_string() {
        for (text, stop, shown) in [
            ("one two three", vec!["two"], "one "),
            ("one two three", vec!["three", "two"], "one "),
            ("aXaXaYb", vec!["XaY"], "aXa"),
            ("合計は１２円です。終わり", vec!["です。"], "合計は１２円"),
            ("🍣🍺🍣", vec!["🍺"], "🍣"),
        ] {
            assert_eq!(until_stop(text, &stop), (shown.to_owned(), true));
        }
    }

    #[test]
    fn beginnings_of_stop_strings_are_held_and_given_back() {
        let tokenizer = byte_level();
        let mut stream = TextStream::new(&tokenizer, &stops(&["\n\nUser:"]));
        let mut shown = String::new();
        for id in ids(&tokenizer, "yes\n\nUse") {
            shown.push_str(&stream.push(id).unwrap().text);
        }
        assert_eq!(shown, "yes");
        assert_eq!(stream.finish().text, "\n\nUse");
        assert_eq!(
            until_stop("yes\n\nUsed", &["\n\nUser:"]),
            ("yes\n\nUsed".into(), false)
        );
        assert_eq!(until_stop("text", &[""]), ("text".into(), false));
    }

    #[test]
    fn nothing_follows_a_stop() {
        let tokenizer = byte_level();
        let mut stream = TextStream::new(&tokenizer, &stops(&["b"]));
        let pieces = pieces(&mut stream, &ids(&tokenizer, "abc def"));
        assert_eq!(pieces.concat(), "a");
    }
}
