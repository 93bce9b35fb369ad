//! What drawing a page takes, before it is drawn: streams unpack to far more than they are, forms draw
//! other forms, many times each, and what an instruction names may be unpacked each time. Nothing stops
//! drawing once it has begun.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use hayro_interpret::hayro_syntax::{
    object::{Array, Dict, Name, Object, ObjectIdentifier, Stream, dict::keys},
    page::{Page, Resources},
};

use super::{
    pdf_drawn::{Drawn, Kind, LETTER_BYTES, reached},
    pdf_fonts::Fonts,
    pdf_forms::undrawn_value,
    pdf_unpacked::{MAX_COUNTED, unpacked_length},
    unread::TooLarge,
};

/// Bytes of instructions by which a page may be drawn; those of a form count as often as it is drawn.
const MAX_DRAWN: u64 = MAX_COUNTED;

/// The same of all pages.
const MAX_IN_ALL: u64 = 1 << 30;

/// Bytes that what stays in memory may unpack to: fonts and colour profiles.
const MAX_KEPT: u64 = 1 << 30;

/// What drawing a form takes beside its instructions, in bytes of those.
const FORM_BYTES: u64 = 1 << 10;

/// So many bytes of what is known by all that it says take what one of those takes.
const DICT_BYTES: u64 = 64;

/// Forms inside each other that are drawn.
const MAX_NESTED: usize = 50;

/// Forms of a page that are looked at.
const MAX_FORMS: usize = 100_000;

/// What the pages of a document take.
#[derive(Default)]
pub(super) struct Budget {
    n_in_all: u64,
    lengths: Lengths,
    fonts: Fonts,
    forms: HashMap<ObjectIdentifier, Rc<Drawn>>,
}

/// Bytes that streams unpack to.
#[derive(Default)]
pub(super) struct Lengths {
    all: HashMap<ObjectIdentifier, u64>,
    kept: HashSet<ObjectIdentifier>,
    n_kept: u64,
}

/// More bytes of instructions than are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    OfPage(TooLarge),
    /// Of all pages so far.
    OfAll(TooLarge),
}

impl Lengths {
    pub(super) fn of(&mut self, stream: &Stream<'_>) -> u64 {
        let length = self.all.entry(stream.obj_id());
        *length.or_insert_with(|| unpacked_length(stream))
    }

    /// What is read once, and kept.
    pub(super) fn keep(&mut self, n_bytes: u64) {
        self.n_kept = self.n_kept.saturating_add(n_bytes);
    }

    pub(super) fn keep_stream(&mut self, stream: &Stream<'_>) {
        if self.kept.insert(stream.obj_id()) {
            let n_bytes = self.of(stream);
            self.keep(n_bytes);
        }
    }
}

impl Budget {
    /// # Errors
    /// If a page takes more than any page does, or all so far more than any document does.
    pub(super) fn take(&mut self, page: &Page<'_>) -> Result<(), Excess> {
        let mut n_drawn = self.contents(page);
        if n_drawn <= MAX_DRAWN {
            n_drawn = n_drawn.max(self.drawn_by(page));
        }
        // Of a page that is not drawn, looking at it.
        let n_taken = n_drawn.min(MAX_DRAWN);
        self.n_in_all = self.n_in_all.saturating_add(n_taken);
        within(self.n_in_all, MAX_IN_ALL).map_err(Excess::OfAll)?;
        within(self.lengths.n_kept, MAX_KEPT).map_err(Excess::OfAll)?;
        within(n_drawn, MAX_DRAWN).map_err(Excess::OfPage)
    }

    /// The page's own instructions.
    fn contents(&mut self, page: &Page<'_>) -> u64 {
        if let Some(stream) = page.raw().get::<Stream<'_>>(keys::CONTENTS) {
            return self.lengths.of(&stream);
        }
        let Some(streams) = page.raw().get::<Array<'_>>(keys::CONTENTS) else {
            return 0;
        };
        let mut n_bytes = streams.data().len() as u64;
        for stream in streams.iter::<Object<'_>>() {
            let n = stream
                .into_stream()
                .map_or(0, |stream| self.lengths.of(&stream));
            n_bytes = n_bytes.saturating_add(n);
            if n_bytes > MAX_DRAWN {
                break;
            }
        }
        n_bytes
    }

    /// What a page and its annotations draw.
    fn drawn_by(&mut self, page: &Page<'_>) -> u64 {
        let resources = page.resources();
        let drawn = page.page_stream().map(Drawn::by).unwrap_or_default();
        let mut walk = Walk {
            budget: self,
            known: HashMap::new(),
        };
        let mut n_drawn = walk.drawn(&drawn, resources, None, 0);
        let annotations = page.raw().get::<Array<'_>>(keys::ANNOTS);
        let annotations = annotations.iter().flat_map(|all| all.iter::<Dict<'_>>());
        for annotation in annotations {
            let n_value = undrawn_value(&annotation).map_or(0, |value| value.len() as u64);
            let n_once = n_value * LETTER_BYTES + annotation.data().len() as u64;
            let form = appearance(&annotation);
            let n_form = form.map_or(0, |form| walk.form(&form, resources, None, 0));
            n_drawn = n_drawn.saturating_add(n_form).saturating_add(n_once);
            if n_drawn > MAX_DRAWN {
                break;
            }
        }
        n_drawn
    }

    fn form(&mut self, stream: &Stream<'_>) -> Rc<Drawn> {
        let id = stream.obj_id();
        if let Some(form) = self.forms.get(&id) {
            return Rc::clone(form);
        }
        let n_bytes = self.lengths.of(stream);
        // What cannot be unpacked draws nothing.
        let data = (n_bytes <= MAX_DRAWN)
            .then(|| stream.decoded_data().ok())
            .flatten();
        let form = match data {
            Some(data) => Drawn::by(&data),
            None => Drawn::of_length(n_bytes),
        };
        let form = Rc::new(form);
        self.forms.insert(id, Rc::clone(&form));
        form
    }
}

fn within(found: u64, limit: u64) -> Result<(), TooLarge> {
    match found > limit {
        true => Err(TooLarge { found, limit }),
        false => Ok(()),
    }
}

/// A walk through the forms of a page.
struct Walk<'b> {
    budget: &'b mut Budget,
    /// By form, whose names it draws by, and how deep it is drawn.
    known: HashMap<(ObjectIdentifier, Option<ObjectIdentifier>, usize), u64>,
}

impl Walk<'_> {
    fn drawn<'a>(
        &mut self,
        drawn: &Drawn,
        resources: &Resources<'a>,
        owner: Option<ObjectIdentifier>,
        depth: usize,
    ) -> u64 {
        let mut n_drawn = drawn.n_bytes;
        for ((kind, name), n) in &drawn.named {
            let n_once = match kind {
                Kind::Object => match resources.x_objects.get::<Stream<'a>>(name) {
                    Some(form) if is_form(&form) => self.form(&form, resources, owner, depth),
                    image => image.map_or(0, |image| self.image(&image, resources)),
                },
                Kind::State => self.state(resources.ext_g_states.get::<Dict<'a>>(name)),
                Kind::Shading => self.reached(resources.shadings.get::<Object<'a>>(name)),
                Kind::Pattern => match resources.patterns.get::<Object<'a>>(name) {
                    // Instructions, which are not followed here.
                    Some(Object::Stream(tile)) => tile.dict().data().len() as u64,
                    pattern => self.reached(pattern),
                },
                Kind::Font => self.font(resources.fonts.get::<Dict<'a>>(name)),
                Kind::Property => {
                    let properties = resources.properties.get::<Dict<'a>>(name);
                    properties.map_or(0, |dict| dict.data().len() as u64)
                }
                Kind::Space => {
                    // Made once, and found by what it says.
                    let n_bytes = self.reached(resources.color_spaces.get::<Object<'a>>(name));
                    n_drawn = n_drawn.saturating_add(n_bytes);
                    n_bytes / DICT_BYTES
                }
            };
            n_drawn = n_drawn.saturating_add(n.saturating_mul(n_once));
            if n_drawn > MAX_DRAWN {
                break;
            }
        }
        n_drawn
    }

    fn reached(&mut self, object: Option<Object<'_>>) -> u64 {
        object.map_or(0, |object| reached(&object, &mut self.budget.lengths))
    }

    /// Of an image its colours: nobody looks at it.
    fn image<'a>(&mut self, image: &Stream<'a>, resources: &Resources<'a>) -> u64 {
        let dict = image.dict();
        let space = dict.get::<Object<'a>>(keys::CS);
        let space = match space.or_else(|| dict.get::<Object<'a>>(keys::COLORSPACE)) {
            Some(Object::Name(name)) => resources.get_color_space(&name),
            space => space,
        };
        self.reached(space).saturating_add(dict.data().len() as u64)
    }

    fn state(&mut self, state: Option<Dict<'_>>) -> u64 {
        let font = state.as_ref().and_then(|state| {
            let font = state.get::<Array<'_>>(keys::FONT)?;
            font.flex_iter().next::<Dict<'_>>()
        });
        self.font(font)
            .saturating_add(self.reached(state.map(Object::Dict)))
    }

    /// Of choosing a font; one that is too large on its own is never read.
    fn font(&mut self, font: Option<Dict<'_>>) -> u64 {
        let Some(font) = font else {
            return 0;
        };
        let Budget { fonts, lengths, .. } = &mut *self.budget;
        match fonts.length(&font, lengths) {
            n_bytes if n_bytes > MAX_DRAWN => n_bytes,
            _ => font.data().len() as u64 / DICT_BYTES,
        }
    }

    fn form<'a>(
        &mut self,
        form: &Stream<'a>,
        resources: &Resources<'a>,
        owner: Option<ObjectIdentifier>,
        depth: usize,
    ) -> u64 {
        if depth >= MAX_NESTED {
            return FORM_BYTES;
        }
        let id = form.obj_id();
        let own = form.dict().get::<Dict<'a>>(keys::RESOURCES);
        let owner = own.as_ref().map_or(owner, |_| Some(id));
        if let Some(n_drawn) = self.known.get(&(id, owner, depth)) {
            return *n_drawn;
        }
        if self.known.len() >= MAX_FORMS {
            return u64::MAX;
        }
        let dicts = [Some(form.dict()), own.as_ref()].into_iter().flatten();
        let n_said: u64 = dicts.map(|dict| dict.data().len() as u64).sum();
        let own = own.map(Resources::new);
        let resources = own.as_ref().unwrap_or(resources);
        let form = self.budget.form(form);
        let inner = self.drawn(&form, resources, owner, depth + 1);
        let n_drawn = inner.saturating_add(n_said).saturating_add(FORM_BYTES);
        self.known.insert((id, owner, depth), n_drawn);
        n_drawn
    }
}

fn is_form(stream: &Stream<'_>) -> bool {
    let kind = stream.dict().get::<Name<'_>>(keys::SUBTYPE);
    kind.is_some_and(|kind| kind.as_ref() == b"Form")
}

/// The form by which an annotation is drawn (ISO 32000-1, 12.5.5).
fn appearance<'a>(annotation: &Dict<'a>) -> Option<Stream<'a>> {
    let drawn = annotation.get::<Dict<'a>>(keys::AP)?;
    match drawn.get::<Object<'a>>(keys::N)? {
        Object::Stream(stream) => Some(stream),
        Object::Dict(states) => {
            let state = annotation.get::<Name<'a>>(keys::AS);
            let stream = state.and_then(|state| states.get::<Stream<'a>>(state));
            stream.or_else(|| states.get::<Stream<'a>>(b"Off"))
        }
        _ => None,
    }
}
