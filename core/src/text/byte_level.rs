//! Byte-level BPE the fast way, where a tokenizer cuts text by one of the usual rules.
//!
//! The `tokenizers` library carries a normalized copy of the text and the origin of each of its bytes
//! through all of its steps, and cuts with a regular expression that looks ahead. Here the same
//! expression cuts without that look, what it would have changed is put right behind it, and pieces
//! that were seen before are looked up. New ones are merged by the library's own model, so that ids
//! are its ids. Whatever is not surely the same goes the library's way: tokenizers with other rules,
//! and texts that the normalizer would change.

mod known;
mod singles;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use regex::Regex;
use regex_automata::{Anchored, Input, meta};
use serde_json::Value;
use tokenizers::{
    Model as _, ModelWrapper, Tokenizer as Engine, models::bpe::BPE,
    pre_tokenizers::byte_level::ByteLevel as Alphabet,
};
use unicode_normalization::{IsNormalized, char::canonical_combining_class, is_nfc_quick};

use super::SplitRule;
use known::Known;
use singles::Singles;

/// How the usual patterns end: of several spaces before a word, the last one belongs to the word.
const LOOKS_AHEAD: &str = r"|\s+(?!\S)|\s+";
const SPACES: &str = r"|\s+";
/// Spaces up to a line end are a piece of their own where this stands before [`LOOKS_AHEAD`].
const LINE_ENDS: &str = r"|\s*[\r\n]+";

/// A token and the bytes of the text it stands for, as the library tells them.
pub(super) type Placed = (u32, (usize, usize));

/// What of a tokenizer is needed to do without most of the library.
#[derive(Debug)]
pub(super) struct ByteLevel {
    cut: meta::Regex,
    singles: Singles,
    line_ends: bool,
    /// Text is composed first (NFC).
    composes: bool,
    trims: Trims,
    /// Added tokens, the longest first.
    added: Option<(Regex, HashMap<String, u32>)>,
    /// What stands for each byte in the vocabulary.
    chars: Vec<char>,
    /// Of threads that are not at work; each takes one for a text.
    memories: Mutex<Vec<Memory>>,
}

/// What one thread has learned of earlier texts.
#[derive(Debug)]
struct Memory {
    cut: meta::Cache,
    known: Known,
}

/// Whether spaces are taken out of the places of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trims {
    No,
    Yes,
    /// Except for the one space before a token that begins the text.
    ButOneAtStart,
}

/// A token of a piece: where it ends, and how many spaces it has at its ends.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    id: u32,
    end: u32,
    spaces: (u32, u32),
}

impl ByteLevel {
    /// `None` where the tokenizer does anything that is not done here.
    pub(super) fn of(engine: &Engine) -> Option<Self> {
        let ModelWrapper::BPE(model) = engine.get_model() else {
            return None;
        };
        let named = |name: &Option<String>| name.as_deref().is_some_and(|name| !name.is_empty());
        let plain = model.dropout.is_none()
            && !named(&model.continuing_subword_prefix)
            && !named(&model.end_of_word_suffix);
        if !plain || engine.get_truncation().is_some() || engine.get_padding().is_some() {
            return None;
        }
        let composes = match serde_json::to_value(engine.get_normalizer()).ok()? {
            Value::Null => false,
            normalizer if normalizer["type"] == "NFC" => true,
            _ => return None,
        };
        let pattern = pattern(&serde_json::to_value(engine.get_pre_tokenizer()).ok()?)?;
        let head = pattern.strip_suffix(LOOKS_AHEAD)?;
        let mut chars: Vec<char> = Alphabet::alphabet().into_iter().collect();
        chars.sort_unstable();
        let cut = format!("{head}{SPACES}");
        let mut rule = Self {
            cut: meta::Regex::new(&cut).ok()?,
            singles: Singles::default(),
            line_ends: head.ends_with(LINE_ENDS),
            composes,
            trims: trims(&serde_json::to_value(engine.get_post_processor()).ok()?)?,
            added: added(engine, composes)?,
            chars: in_order_of_bytes(&chars)?,
            memories: Mutex::default(),
        };
        rule.singles = Singles::of(&cut, |byte| {
            let piece = char::from(byte).to_string();
            match rule.merged(model, &piece)?.as_slice() {
                [part] => Some(*part),
                _ => None,
            }
        });
        Some(rule)
    }

    /// The tokens of a text, none of them put around it; `None` where the library has to look.
    pub(super) fn encode(&self, engine: &Engine, text: &str) -> Option<Vec<Placed>> {
        let ModelWrapper::BPE(model) = engine.get_model() else {
            return None;
        };
        // A memory is right even if a thread was stopped while it had the list.
        let memories = || self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = memories().pop();
        let mut cutting = Cutting {
            rule: self,
            model,
            memory: memory.unwrap_or_else(|| Memory {
                cut: self.cut.create_cache(),
                known: Known::default(),
            }),
            placed: Vec::with_capacity(text.len() / 4 + 8),
        };
        let done = cutting.text(text);
        let Cutting { memory, placed, .. } = cutting;
        memories().push(memory);
        done.map(|()| placed)
    }
}

/// A text that is being cut.
struct Cutting<'a> {
    rule: &'a ByteLevel,
    model: &'a BPE,
    memory: Memory,
    placed: Vec<Placed>,
}

impl Cutting<'_> {
    fn text(&mut self, text: &str) -> Option<()> {
        let mut at = 0;
        if let Some((pattern, ids)) = &self.rule.added {
            for found in pattern.find_iter(text) {
                self.region(&text[at..found.start()], at)?;
                self.added(*ids.get(found.as_str())?, found.as_str(), found.start());
                at = found.end();
            }
        }
        self.region(&text[at..], at)
    }

    /// Cuts what lies between added tokens and begins at `offset` of the text.
    fn region(&mut self, region: &str, offset: usize) -> Option<()> {
        let rule = self.rule;
        let mut at = 0;
        while at < region.len() {
            if let Some([byte, next]) = region.as_bytes().get(at..at + 2)
                && let Some(part) = rule.singles.get(*byte, *next)
            {
                let whole = (offset + at, offset + at + 1);
                let place = rule.place(self.placed.is_empty(), whole, part.spaces);
                self.placed.push((part.id, place));
                at += 1;
                continue;
            }
            // Pieces nearly always follow each other; finding where one begins costs more.
            let here = Input::new(region).range(at..).anchored(Anchored::Yes);
            let here = rule.cut.search_half_with(&mut self.memory.cut, &here);
            let (start, end) = match here {
                Some(found) => (at, found.offset()),
                None => {
                    let later = Input::new(region).range(at..);
                    let later = rule.cut.search_with(&mut self.memory.cut, &later);
                    let (start, end) = match later {
                        Some(found) => (found.start(), found.end()),
                        None => (region.len(), region.len()),
                    };
                    self.piece(&region[at..start], offset + at)?;
                    (start, end)
                }
            };
            at = rule.end_of(region, start, end);
            if at > start {
                self.piece(&region[start..at], offset + start)?;
            }
        }
        Some(())
    }

    fn piece(&mut self, piece: &str, offset: usize) -> Option<()> {
        let known = &mut self.memory.known;
        let fresh;
        let parts = match known.get(piece) {
            Some(parts) => parts,
            None => {
                fresh = self.rule.merged(self.model, piece)?;
                known.keep(piece, &fresh);
                &fresh
            }
        };
        let mut start = 0;
        for part in parts {
            let end = part.end as usize;
            // A part of a character stands for all of it.
            let whole = (offset + floor(piece, start), offset + ceil(piece, end));
            let place = self.rule.place(self.placed.is_empty(), whole, part.spaces);
            self.placed.push((part.id, place));
            start = end;
        }
        Some(())
    }

    fn added(&mut self, id: u32, token: &str, start: usize) {
        let whole = (start, start + token.len());
        let spaces = |chars: &mut dyn Iterator<Item = char>| {
            chars.take_while(|c| c.is_whitespace()).count() as u32
        };
        let spaces = (spaces(&mut token.chars()), spaces(&mut token.chars().rev()));
        let place = self.rule.place(self.placed.is_empty(), whole, spaces);
        self.placed.push((id, place));
    }
}

impl ByteLevel {
    /// A token's place as the library takes spaces out of it.
    fn place(
        &self,
        is_first: bool,
        (mut start, mut end): (usize, usize),
        (leading, trailing): (u32, u32),
    ) -> (usize, usize) {
        if self.trims == Trims::No {
            return (start, end);
        }
        let keeps = self.trims == Trims::ButOneAtStart && leading == 1;
        if !(keeps && (is_first || start == 0)) {
            start = end.min(start + leading as usize);
        }
        if trailing > 0 && end >= trailing as usize {
            end = start.max(end - trailing as usize);
        }
        (start, end)
    }

    /// Where a piece ends that was found without looking ahead.
    fn end_of(&self, region: &str, start: usize, end: usize) -> usize {
        let last = region[start..end].chars().next_back();
        let Some(last) = last.filter(|last| last.is_whitespace() && end < region.len()) else {
            return end;
        };
        if self.line_ends && matches!(last, '\r' | '\n') {
            return end;
        }
        // Nothing but spaces: the last one is left to what follows, unless it is the only one.
        match end - last.len_utf8() {
            shorter if shorter > start => shorter,
            _ => end,
        }
    }

    /// The library's tokens of a piece; `None` where the normalizer might change it.
    fn merged(&self, model: &BPE, piece: &str) -> Option<Vec<Part>> {
        if self.composes && !is_composed(piece) {
            return None;
        }
        let bytes = piece.as_bytes();
        let written: String = bytes
            .iter()
            .map(|byte| self.chars[usize::from(*byte)])
            .collect();
        let mut at = 0;
        let mut parts = Vec::new();
        for token in model.tokenize(&written).ok()? {
            let end = at + token.value.chars().count();
            let own = bytes.get(at..end)?;
            let spaces = |bytes: &mut dyn Iterator<Item = &u8>| {
                bytes.take_while(|byte| **byte == b' ').count() as u32
            };
            parts.push(Part {
                id: token.id,
                end: u32::try_from(end).ok()?,
                spaces: (spaces(&mut own.iter()), spaces(&mut own.iter().rev())),
            });
            at = end;
        }
        (at == bytes.len()).then_some(parts)
    }
}

/// Whether a piece is composed, whatever stands before it.
fn is_composed(piece: &str) -> bool {
    let begins = piece.chars().next();
    piece.is_ascii()
        || begins.is_none_or(|first| canonical_combining_class(first) == 0)
            && is_nfc_quick(piece.chars()) == IsNormalized::Yes
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// The one expression that a pre-tokenizer cuts with, if it is one of the usual.
fn pattern(pre_tokenizer: &Value) -> Option<&'static str> {
    let steps = match pre_tokenizer["pretokenizers"].as_array() {
        Some(steps) if pre_tokenizer["type"] == "Sequence" => steps.as_slice(),
        _ => std::slice::from_ref(pre_tokenizer),
    };
    let pattern = match steps {
        [to_bytes] if is_byte_level(to_bytes) && to_bytes["use_regex"] != false => SplitRule::GPT2,
        [split, to_bytes] if is_byte_level(to_bytes) && to_bytes["use_regex"] == false => {
            let isolates = split["type"] == "Split"
                && split["behavior"] == "Isolated"
                && split["invert"] != true;
            split["pattern"]["Regex"].as_str().filter(|_| isolates)?
        }
        _ => return None,
    };
    SplitRule::with_patterns(&[pattern])?
        .patterns
        .first()
        .copied()
}

fn is_byte_level(step: &Value) -> bool {
    step["type"] == "ByteLevel" && step["add_prefix_space"] == false
}

/// What a post-processor does to places; `None` where it is another than the usual.
fn trims(post_processor: &Value) -> Option<Trims> {
    match post_processor["type"].as_str() {
        None | Some("TemplateProcessing") => Some(Trims::No),
        Some("ByteLevel") => {
            let flag = |name: &str| post_processor[name].as_bool().unwrap_or(true);
            Some(match (flag("trim_offsets"), flag("add_prefix_space")) {
                (false, _) => Trims::No,
                (true, false) => Trims::Yes,
                (true, true) => Trims::ButOneAtStart,
            })
        }
        Some("Sequence") => {
            let steps = post_processor["processors"].as_array()?;
            let steps: Vec<Trims> = steps.iter().map(trims).collect::<Option<_>>()?;
            let mut trims = steps.into_iter().filter(|trims| *trims != Trims::No);
            let first = trims.next().unwrap_or(Trims::No);
            trims.next().is_none().then_some(first)
        }
        Some(_) => None,
    }
}

type AddedTokens = Option<(Regex, HashMap<String, u32>)>;

/// The added tokens, if they are found wherever they stand.
fn added(engine: &Engine, composes: bool) -> Option<AddedTokens> {
    let tokens = engine.get_added_tokens_decoder();
    let mut tokens: Vec<_> = tokens
        .into_iter()
        .filter(|(_, token)| !token.content.is_empty())
        .collect();
    let plain = tokens.iter().all(|(_, token)| {
        let in_words = token.lstrip || token.rstrip || token.single_word;
        let as_written = !token.normalized || !composes || is_composed(&token.content);
        !in_words && as_written
    });
    // One kind is looked for after the other; where there are both, longer ones would not come first.
    let n_normalized = tokens.iter().filter(|(_, token)| token.normalized).count();
    if !plain || n_normalized > 0 && n_normalized < tokens.len() {
        return None;
    }
    if tokens.is_empty() {
        return Some(None);
    }
    tokens.sort_by_key(|(id, token)| (std::cmp::Reverse(token.content.len()), *id));
    let alternatives: Vec<String> = tokens
        .iter()
        .map(|(_, token)| regex::escape(&token.content))
        .collect();
    let ids = tokens.into_iter().map(|(id, token)| (token.content, id));
    Some(Some((
        Regex::new(&alternatives.join("|")).ok()?,
        ids.collect(),
    )))
}

/// The stand-in of each byte: printable ones stand for themselves, the others follow in their order
/// from U+0100 on (GPT-2's `bytes_to_unicode`).
fn in_order_of_bytes(alphabet: &[char]) -> Option<Vec<char>> {
    let mut others = alphabet.iter().copied().filter(|c| u32::from(*c) > 0xff);
    (0..=u8::MAX)
        .map(|byte| match alphabet.binary_search(&char::from(byte)) {
            Ok(_) => Some(char::from(byte)),
            Err(_) => others.next(),
        })
        .collect()
}

#[cfg(test)]
#[path = "byte_level_tests.rs"]
mod tests;
