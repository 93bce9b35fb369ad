//! What instructions of a PDF draw, and how much of it they name.

use std::collections::BTreeMap;

use hayro_interpret::hayro_syntax::{
    content::{TypedIter, ops::TypedInstruction},
    object::{Array, Dict, Name, Object, Stream, String as Bytes, dict::keys},
};

use super::{pdf_budget::Lengths, pdf_unpacked::MAX_COUNTED};

/// What a byte of text takes, in bytes of instructions: a letter is kept until its line is drawn.
pub(super) const LETTER_BYTES: u64 = 32;

/// What an instruction takes that names something.
const NAMED_BYTES: u64 = 128;

/// Objects inside each other that are looked into, and how many of them.
const MAX_DEPTH: usize = 12;
const MAX_REACHED: usize = 10_000;

/// What instructions take.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Drawn {
    /// Without what they name.
    pub(super) n_bytes: u64,
    /// How often they name what.
    pub(super) named: BTreeMap<(Kind, Vec<u8>), u64>,
}

/// What is named; each kind has names of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Object,
    State,
    Shading,
    Pattern,
    Space,
    Property,
    Font,
}

impl Drawn {
    pub(super) fn by(instructions: &[u8]) -> Self {
        let mut drawn = Self::of_length(instructions.len() as u64);
        let mut all = TypedIter::new(instructions);
        while let Some(instruction) = all.next() {
            match instruction {
                TypedInstruction::XObject(it) => drawn.name(Kind::Object, it.0),
                TypedInstruction::SetGraphicsState(it) => drawn.name(Kind::State, it.0),
                TypedInstruction::Shading(it) => drawn.name(Kind::Shading, it.0),
                TypedInstruction::TextFont(it) => drawn.name(Kind::Font, it.0),
                TypedInstruction::ColorSpaceStroke(it) => drawn.name(Kind::Space, it.0),
                TypedInstruction::ColorSpaceNonStroke(it) => drawn.name(Kind::Space, it.0),
                TypedInstruction::StrokeColorNamed(it) => drawn.maybe(Kind::Pattern, it.1),
                TypedInstruction::NonStrokeColorNamed(it) => drawn.maybe(Kind::Pattern, it.1),
                TypedInstruction::BeginMarkedContentWithProperties(it) => {
                    drawn.maybe(Kind::Property, it.1.clone().into_name().as_ref());
                }
                TypedInstruction::InlineImage(it) => {
                    let dict = it.0.dict();
                    let space = dict.get::<Name<'_>>(keys::CS);
                    let space = space.or_else(|| dict.get::<Name<'_>>(keys::COLORSPACE));
                    drawn.maybe(Kind::Space, space.as_ref());
                }
                TypedInstruction::ShowText(it) => drawn.text(it.0),
                TypedInstruction::NextLineAndShowText(it) => drawn.text(it.0),
                TypedInstruction::ShowTextWithParameters(it) => drawn.text(it.2),
                TypedInstruction::ShowTexts(it) => drawn.texts(it.0),
                _ => {}
            }
        }
        drawn
    }

    pub(super) fn of_length(n_bytes: u64) -> Self {
        Self {
            n_bytes,
            ..Self::default()
        }
    }

    fn name(&mut self, kind: Kind, name: &Name<'_>) {
        self.n_bytes += NAMED_BYTES;
        *self.named.entry((kind, name.to_vec())).or_default() += 1;
    }

    fn maybe(&mut self, kind: Kind, name: Option<&Name<'_>>) {
        if let Some(name) = name {
            self.name(kind, name);
        }
    }

    fn text(&mut self, text: &Bytes<'_>) {
        self.n_bytes += text.as_bytes().len() as u64 * LETTER_BYTES;
    }

    fn texts(&mut self, texts: &Array<'_>) {
        for text in texts.iter::<Object<'_>>().filter_map(Object::into_string) {
            self.text(&text);
        }
    }
}

/// Bytes that are gone through whenever instructions name this.
pub(super) fn reached(object: &Object<'_>, lengths: &mut Lengths) -> u64 {
    let mut reach = Reach {
        lengths,
        n_objects: 0,
    };
    reach.of(object, 0)
}

struct Reach<'l> {
    lengths: &'l mut Lengths,
    n_objects: usize,
}

impl Reach<'_> {
    fn of(&mut self, object: &Object<'_>, depth: usize) -> u64 {
        self.n_objects += 1;
        if depth >= MAX_DEPTH || self.n_objects > MAX_REACHED {
            return u64::MAX;
        }
        match object {
            Object::Dict(dict) => self.of_dict(dict, depth),
            Object::Stream(stream) => {
                let n_bytes = self.lengths.of(stream);
                n_bytes.saturating_add(self.of_dict(stream.dict(), depth))
            }
            Object::Array(array) => self.of_array(array, depth),
            Object::String(text) => text.as_bytes().len() as u64,
            _ => 0,
        }
    }

    /// Of what colours and masks are made of; nothing else is looked at before it is painted.
    fn of_dict(&mut self, dict: &Dict<'_>, depth: usize) -> u64 {
        const FOLLOWED: [&[u8]; 11] = [
            keys::ALTERNATE,
            keys::COLORSPACE,
            keys::CS,
            keys::FUNCTION,
            keys::FUNCTIONS,
            keys::G,
            keys::GROUP,
            keys::SHADING,
            keys::SMASK,
            keys::TR,
            keys::TR2,
        ];
        let inner = FOLLOWED.into_iter().filter(|key| dict.contains_key(key));
        let inner = inner.filter_map(|key| dict.get::<Object<'_>>(key));
        inner.fold(dict.data().len() as u64, |n_bytes, object| {
            n_bytes.saturating_add(self.of(&object, depth + 1))
        })
    }

    fn of_array(&mut self, array: &Array<'_>, depth: usize) -> u64 {
        let n_bytes = array.data().len() as u64;
        if let Some(profile) = profile(array) {
            self.lengths.keep_stream(&profile);
            return match self.lengths.of(&profile) {
                n_profile if n_profile > MAX_COUNTED => n_profile,
                _ => n_bytes,
            };
        }
        let inner = array.iter::<Object<'_>>();
        inner.fold(n_bytes, |n_bytes, object| {
            n_bytes.saturating_add(self.of(&object, depth + 1))
        })
    }
}

/// The colour profile of a colour space, which is read once.
fn profile<'a>(array: &Array<'a>) -> Option<Stream<'a>> {
    let mut parts = array.flex_iter();
    let name = parts.next::<Name<'_>>()?;
    let is_profile = name.as_ref() == keys::ICC_BASED;
    is_profile.then(|| parts.next::<Stream<'a>>()).flatten()
}
