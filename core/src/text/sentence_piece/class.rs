//! A `.model` file as transformers' classes use it: special tokens are cut out of the text first,
//! and what stands between them goes to SentencePiece piece by piece.
//!
//! Before `legacy` could be switched off, every stretch behind a special token got a space of its
//! own. Without it a mark for the space is put before the whole text only, and SentencePiece is
//! kept from swallowing it by the unknown token's text in front, whose pieces are taken off again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::super::jinja::is_space;
use super::super::{AddedToken, TextError, TokenizerConfig};
use super::model_file::ModelFile;
use super::normalizer::SPACE_MARK;
use super::processor::{Placed, Processor};

/// Whose rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Llama,
    /// Never adds spaces of its own.
    Gemma,
    /// Closes every text, and strips what it decodes.
    T5,
}

/// A tokenizer from a `.model` file.
#[derive(Debug, Clone)]
pub(crate) struct PieceTokenizer {
    processor: Processor,
    class: Class,
    legacy: bool,
    add_prefix_space: bool,
    /// Decoded text loses the mark of its first piece, before SentencePiece decodes it.
    strips_first: bool,
    unk: String,
    added: BTreeMap<u32, AddedToken>,
    /// Ids of added tokens by text, and by first byte, the longest first.
    added_ids: HashMap<String, u32>,
    added_by_byte: BTreeMap<u8, Vec<(String, u32)>>,
    special: BTreeSet<String>,
    /// Added tokens that are decoded apart from the text around them.
    apart: BTreeSet<String>,
    before: Vec<u32>,
    after: Vec<u32>,
}

/// A token with its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::text) struct PlacedToken {
    pub(in crate::text) id: u32,
    /// What it stands for; `None` where it was added around the text. Of a character's bytes only
    /// the last one stands for it.
    pub(in crate::text) bytes: Option<Range<usize>>,
    /// The whole character that it is a part of.
    pub(in crate::text) whole: Range<usize>,
}

/// The text that is cut, and where each of its bytes comes from.
struct Prepared {
    text: String,
    /// `None` where the text is the original.
    origin: Option<Vec<usize>>,
}

enum Stretch {
    Added(u32, Range<usize>),
    Text(Range<usize>),
}

impl PieceTokenizer {
    /// Reads a `.model` file; `config` is what stands beside it. Without a class there, a file
    /// named `spiece.model` is T5's, and any other Llama's.
    ///
    /// # Errors
    /// When the file is broken, or the class is not known.
    pub(in crate::text) fn new(
        file: &str,
        model: &ModelFile,
        config: &TokenizerConfig,
    ) -> Result<Self, TextError> {
        let class = class_of(file, config)?;
        let is_code = config
            .tokenizer_class
            .as_deref()
            .is_some_and(|class| class.starts_with("CodeLlama"));
        let legacy = config.legacy.unwrap_or(true) && !is_code || class == Class::Gemma;
        let unk = config.unk_token.clone();
        let unk = unk.unwrap_or_else(|| model.pieces[model.unk_id as usize].text.clone());
        let processor = Processor::new(file, model)?;
        let processor = match legacy {
            true => processor,
            false => processor.without_prefix(),
        };
        let add_prefix_space = config.add_prefix_space.unwrap_or(true);
        // Without a class the file alone counts; where its prefix was switched off, it is ours.
        let has_class = config.tokenizer_class.is_some() || !legacy;
        let mut tokenizer = Self {
            processor,
            class,
            legacy,
            add_prefix_space,
            strips_first: has_class && class != Class::Gemma && add_prefix_space,
            unk,
            added: BTreeMap::new(),
            added_ids: HashMap::new(),
            added_by_byte: BTreeMap::new(),
            special: BTreeSet::new(),
            apart: BTreeSet::new(),
            before: Vec::new(),
            after: Vec::new(),
        };
        tokenizer.add_tokens(model, config);
        tokenizer.surround(config);
        Ok(tokenizer)
    }

    fn add_tokens(&mut self, model: &ModelFile, config: &TokenizerConfig) {
        let n_pieces = model.pieces.len() as u32;
        let mut known: HashMap<&str, u32> = HashMap::new();
        for (id, piece) in (0..).zip(&model.pieces) {
            known.insert(&piece.text, id);
        }
        self.added.extend(config.added_tokens.iter().cloned());
        let mut special = config.all_special_tokens.clone();
        let nameless = config.special_tokens.get("additional_special_tokens");
        let nameless = nameless.and_then(serde_json::Value::as_array);
        let nameless = nameless
            .into_iter()
            .flatten()
            .filter_map(|token| token.as_str());
        let mut nameless: BTreeSet<String> = nameless.map(str::to_owned).collect();
        let extra = config.extra_ids.unwrap_or(match &config.tokenizer_class {
            Some(_) if self.class == Class::T5 => 100,
            _ => 0,
        });
        // The last one comes first, as in T5's own vocabulary.
        for index in 0..extra.min(1000) {
            let token = AddedToken {
                lstrip: true,
                rstrip: true,
                ..AddedToken::special(&format!("<extra_id_{index}>"))
            };
            self.added
                .entry(n_pieces + extra - 1 - index)
                .or_insert(token.clone());
            nameless.insert(token.content.clone());
            special.push(token);
        }
        self.special = special.iter().map(|token| token.content.clone()).collect();
        let mut next = n_pieces + self.added.range(n_pieces..).count() as u32;
        for token in special {
            let is_added = self
                .added
                .values()
                .any(|added| added.content == token.content);
            if is_added || token.content.is_empty() {
                continue;
            }
            let id = known
                .get(token.content.as_str())
                .copied()
                .unwrap_or_else(|| {
                    next += 1;
                    next - 1
                });
            self.added.insert(id, token);
        }
        for (&id, token) in &self.added {
            let is_nameless = id >= n_pieces && nameless.contains(&token.content);
            if self.class == Class::Gemma || is_nameless || !self.special.contains(&token.content) {
                self.apart.insert(token.content.clone());
            }
            let Some(&first) = token.content.as_bytes().first() else {
                continue;
            };
            self.added_ids.insert(token.content.clone(), id);
            let begins = self.added_by_byte.entry(first).or_default();
            begins.push((token.content.clone(), id));
        }
        for tokens in self.added_by_byte.values_mut() {
            tokens.sort_by_key(|(token, _)| std::cmp::Reverse(token.len()));
        }
    }

    fn surround(&mut self, config: &TokenizerConfig) {
        let id = |token: &Option<String>, wanted: bool| -> Vec<u32> {
            let token = token.as_deref().filter(|_| wanted);
            token
                .and_then(|token| self.token_to_id(token))
                .into_iter()
                .collect()
        };
        let around = match self.class {
            Class::T5 => (Vec::new(), id(&config.eos_token, true)),
            Class::Llama | Class::Gemma => (
                id(&config.bos_token, config.add_bos_token.unwrap_or(true)),
                id(&config.eos_token, config.add_eos_token.unwrap_or(false)),
            ),
        };
        (self.before, self.after) = around;
    }

    /// The tokens of a text; with `add_special_tokens` also those that the class puts around it.
    pub(in crate::text) fn encode(&self, text: &str, add_special_tokens: bool) -> Vec<PlacedToken> {
        let prepared = self.prepare(text);
        let mut placed: Vec<Placed> = Vec::new();
        for stretch in self.stretches(&prepared.text) {
            match stretch {
                Stretch::Added(id, bytes) => placed.push(Placed {
                    id,
                    text: prepared.text[bytes.clone()].to_owned(),
                    whole: bytes.clone(),
                    bytes,
                }),
                Stretch::Text(bytes) => self.cut(&prepared.text, bytes, &mut placed),
            }
        }
        if !self.legacy
            && let [first, second, ..] = placed.as_slice()
            && first.text == SPACE_MARK
            && self.special.contains(&second.text)
        {
            placed.remove(0);
        }
        let at = |byte: usize| match &prepared.origin {
            Some(origin) => origin.get(byte).copied().unwrap_or(text.len()),
            None => byte,
        };
        let place = |bytes: &Range<usize>| at(bytes.start)..at(bytes.end);
        let mut out: Vec<_> = placed
            .into_iter()
            .map(|piece| PlacedToken {
                id: piece.id,
                bytes: Some(place(&piece.bytes)),
                whole: place(&piece.whole),
            })
            .collect();
        if add_special_tokens {
            let added = |ids: &[u32], at: usize| -> Vec<_> {
                let placed = |&id: &u32| PlacedToken {
                    id,
                    bytes: None,
                    whole: at..at,
                };
                ids.iter().map(placed).collect()
            };
            let is_closed = self.class == Class::T5
                && out.last().map(|last| last.id) == self.after.last().copied();
            out.splice(0..0, added(&self.before, 0));
            if !is_closed {
                out.extend(added(&self.after, text.len()));
            }
        }
        out
    }

    fn prepare(&self, text: &str) -> Prepared {
        if self.legacy || text.is_empty() {
            return Prepared {
                text: text.to_owned(),
                origin: None,
            };
        }
        let mut prepared = String::with_capacity(text.len() + SPACE_MARK.len());
        let mut origin = Vec::with_capacity(text.len() + SPACE_MARK.len());
        if self.add_prefix_space {
            prepared.push_str(SPACE_MARK);
            origin.extend([0; SPACE_MARK.len()]);
        }
        for (at, c) in text.char_indices() {
            if SPACE_MARK.starts_with(c) {
                prepared.push(' ');
                origin.push(at);
            } else {
                prepared.push(c);
                origin.extend(at..at + c.len_utf8());
            }
        }
        origin.push(text.len());
        Prepared {
            text: prepared,
            origin: Some(origin),
        }
    }

    /// Added tokens, and the text between them without the white space that they swallow.
    fn stretches(&self, text: &str) -> Vec<Stretch> {
        let mut out = Vec::new();
        let (mut start, mut at) = (0, 0);
        let mut swallows = false;
        while at < text.len() {
            let Some((id, length)) = self.added_at(&text[at..]) else {
                at += text[at..].chars().next().map_or(1, char::len_utf8);
                continue;
            };
            let added = &self.added[&id];
            self.push_text(text, start..at, (swallows, added.lstrip), &mut out);
            out.push(Stretch::Added(id, at..at + length));
            swallows = added.rstrip;
            at += length;
            start = at;
        }
        self.push_text(text, start..text.len(), (swallows, false), &mut out);
        out
    }

    fn push_text(
        &self,
        text: &str,
        bytes: Range<usize>,
        (from_left, from_right): (bool, bool),
        out: &mut Vec<Stretch>,
    ) {
        let mut kept = &text[bytes.clone()];
        let mut start = bytes.start;
        if from_left {
            let rest = kept.trim_start_matches(is_space);
            start += kept.len() - rest.len();
            kept = rest;
        }
        if from_right {
            kept = kept.trim_end_matches(is_space);
        }
        if !kept.is_empty() {
            out.push(Stretch::Text(start..start + kept.len()));
        }
    }

    fn added_at(&self, text: &str) -> Option<(u32, usize)> {
        let tokens = self.added_by_byte.get(text.as_bytes().first()?)?;
        let found = tokens
            .iter()
            .find(|(token, _)| text.starts_with(token.as_str()))?;
        Some((found.1, found.0.len()))
    }

    fn cut(&self, text: &str, bytes: Range<usize>, out: &mut Vec<Placed>) {
        let stretch = &text[bytes.clone()];
        let keeps_space = self.legacy || !stretch.starts_with([' ', '\u{2581}']);
        let (pieces, n_before, n_skipped) = match keeps_space {
            true => (self.processor.encode(stretch), 0, 0),
            false => {
                let n_skipped = self.processor.encode(&self.unk).len();
                let guarded = format!("{}{stretch}", self.unk);
                (self.processor.encode(&guarded), self.unk.len(), n_skipped)
            }
        };
        let n_skipped = if pieces.len() >= n_skipped {
            n_skipped
        } else {
            0
        };
        let place = |at: usize| bytes.start + at.saturating_sub(n_before);
        out.extend(pieces.into_iter().skip(n_skipped).map(|piece| Placed {
            bytes: place(piece.bytes.start)..place(piece.bytes.end),
            whole: place(piece.whole.start)..place(piece.whole.end),
            ..piece
        }));
    }

    /// The text of ids; special tokens are written out unless they are to be left away.
    pub(in crate::text) fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> String {
        let tokens = ids.iter().filter_map(|&id| self.id_to_token(id));
        let is_left = |token: &String| !(skip_special_tokens && self.special.contains(token));
        let tokens: Vec<String> = tokens.filter(is_left).collect();
        let is_apart = |token: &String| self.apart.contains(token);
        let mut parts: Vec<String> = Vec::new();
        let mut n_left = tokens.len();
        for run in tokens.chunk_by(|a, b| !is_apart(a) && !is_apart(b)) {
            n_left -= run.len();
            if run.first().is_some_and(is_apart) {
                parts.extend(run.iter().cloned());
                continue;
            }
            let text = self.join(run);
            // As in the reference, text at the end counts also where nothing is left of it.
            if !text.is_empty() || n_left == 0 {
                parts.push(text);
            }
        }
        match self.class {
            Class::Gemma => parts.concat().replace(SPACE_MARK, " "),
            Class::Llama | Class::T5 => parts.join(" "),
        }
    }

    /// The text of ids in the midst of others, or at the start: what is decoded piece by piece must
    /// not lose the spaces at the borders.
    pub(in crate::text) fn decode_part(
        &self,
        ids: &[u32],
        skip_special_tokens: bool,
        at_start: bool,
    ) -> String {
        let mut out = String::new();
        let mut run: Vec<String> = Vec::new();
        for token in ids.iter().filter_map(|&id| self.id_to_token(id)) {
            let is_special = self.special.contains(&token);
            if is_special || self.added_ids.contains_key(&token) {
                out.push_str(&self.processor.decode_inside(run.iter().map(String::as_str)));
                run.clear();
                out.push_str(if is_special && skip_special_tokens {
                    ""
                } else {
                    &token
                });
            } else {
                run.push(token);
            }
        }
        out.push_str(&self.processor.decode_inside(run.iter().map(String::as_str)));
        let drops = at_start && (self.strips_first || self.drops_prefix());
        match out.strip_prefix(' ').filter(|_| drops) {
            Some(rest) => rest.to_owned(),
            None => out,
        }
    }

    /// Whether SentencePiece itself put a space before the text.
    fn drops_prefix(&self) -> bool {
        self.class != Class::Gemma && self.processor.drops_space()
    }

    /// A run of tokens as text, by the class's own rule for spaces.
    fn join(&self, tokens: &[String]) -> String {
        let mut out = String::new();
        let mut run: Vec<&str> = Vec::new();
        let mut after_special = false;
        for (index, token) in tokens.iter().enumerate() {
            let is_first = index == 0 && self.strips_first;
            let token = match token.strip_prefix(SPACE_MARK) {
                Some(rest) if is_first => rest,
                _ => token,
            };
            if self.special.contains(token) {
                let spaced = match self.class {
                    Class::Llama => self.legacy && index > 0,
                    Class::T5 => true,
                    Class::Gemma => false,
                };
                if spaced && !after_special {
                    out.push(' ');
                }
                out.push_str(&self.processor.decode(run.drain(..)));
                out.push_str(token);
                after_special = true;
            } else {
                let begins = index == 1 && self.class == Class::Llama && self.add_prefix_space;
                if after_special && begins && !token.starts_with(SPACE_MARK) {
                    out.push(' ');
                }
                run.push(token);
                after_special = false;
            }
        }
        out.push_str(&self.processor.decode(run.into_iter()));
        match self.class {
            Class::T5 => out.trim_matches(is_space).to_owned(),
            Class::Llama | Class::Gemma => out,
        }
    }

    /// Tokens that are found in text first, by id.
    pub(crate) fn added(&self) -> &BTreeMap<u32, AddedToken> {
        &self.added
    }

    /// Ids put before and after a text.
    pub(crate) fn around(&self) -> (&[u32], &[u32]) {
        (&self.before, &self.after)
    }

    /// Whether the class puts its end token behind every text, whatever the config says.
    pub(crate) fn closes_every_text(&self) -> bool {
        self.class == Class::T5
    }

    /// Whether a space is put before a text.
    pub(crate) fn adds_space(&self) -> bool {
        match self.legacy {
            true => self.processor.adds_prefix(),
            false => self.add_prefix_space,
        }
    }

    /// Whether that holds for the text behind every added token too.
    pub(crate) fn adds_space_everywhere(&self) -> bool {
        self.legacy
    }

    pub(crate) fn token_to_id(&self, token: &str) -> Option<u32> {
        let vocabulary = &self.processor.vocabulary;
        let own = || {
            let id = vocabulary.id(token);
            let text = vocabulary.texts.get(id as usize);
            (text.map(String::as_str) == Some(token)).then_some(id)
        };
        self.added_ids.get(token).copied().or_else(own)
    }

    pub(in crate::text) fn id_to_token(&self, id: u32) -> Option<String> {
        let added = self.added.get(&id).map(|token| token.content.clone());
        added.or_else(|| self.processor.vocabulary.texts.get(id as usize).cloned())
    }

    /// Added tokens that count as special, with their ids.
    pub(in crate::text) fn special_tokens(&self) -> impl Iterator<Item = (&str, u32)> {
        let special = self.added.iter().filter(|(_, token)| token.special);
        special.map(|(&id, token)| (token.content.as_str(), id))
    }

    /// How many tokens there are, and the highest id.
    pub(in crate::text) fn size(&self) -> (usize, u32) {
        let n_pieces = self.processor.vocabulary.texts.len() as u32;
        let behind = self.added.range(n_pieces..);
        let highest = behind.clone().next_back().map(|(&id, _)| id);
        let n_tokens = n_pieces as usize + behind.count();
        (n_tokens, highest.unwrap_or(n_pieces.saturating_sub(1)))
    }
}

fn class_of(file: &str, config: &TokenizerConfig) -> Result<Class, TextError> {
    let Some(class) = &config.tokenizer_class else {
        return Ok(if file == "spiece.model" {
            Class::T5
        } else {
            Class::Llama
        });
    };
    match class.trim_end_matches("Fast") {
        "LlamaTokenizer" | "CodeLlamaTokenizer" | "YiTokenizer" | "PreTrainedTokenizer" => {
            Ok(Class::Llama)
        }
        "GemmaTokenizer" => Ok(Class::Gemma),
        "T5Tokenizer" => Ok(Class::T5),
        _ => Err(TextError::SentencePieceClass {
            file: file.to_owned(),
            found: class.clone(),
        }),
    }
}

/// Reads a `.model` file; `config` is what stands beside it, and gets the special tokens that only
/// the file names.
///
/// # Errors
/// When the file is broken, or the class is not known.
pub(crate) fn open(
    file: &str,
    bytes: &[u8],
    config: &mut TokenizerConfig,
) -> Result<(ModelFile, PieceTokenizer), TextError> {
    let model = ModelFile::read(file, bytes)?;
    with_own_tokens(file, &model, config);
    let tokenizer = PieceTokenizer::new(file, &model, config)?;
    Ok((model, tokenizer))
}

/// Without a class beside it, a file's own names for the special tokens count.
fn with_own_tokens(file: &str, model: &ModelFile, config: &mut TokenizerConfig) {
    if config.tokenizer_class.is_some() {
        return;
    }
    let text = |id: Option<u32>| Some(model.pieces.get(id? as usize)?.text.clone());
    let is_t5 = class_of(file, config) == Ok(Class::T5);
    let own = [
        (
            "bos_token",
            &mut config.bos_token,
            text(model.bos_id.filter(|_| !is_t5)),
        ),
        ("eos_token", &mut config.eos_token, text(model.eos_id)),
        ("unk_token", &mut config.unk_token, text(Some(model.unk_id))),
        ("pad_token", &mut config.pad_token, text(model.pad_id)),
    ];
    for (name, known, token) in own {
        if let (None, Some(token)) = (&known, token) {
            config
                .special_tokens
                .insert(name.to_owned(), token.clone().into());
            config.all_special_tokens.push(AddedToken::special(&token));
            *known = Some(token);
        }
    }
}
