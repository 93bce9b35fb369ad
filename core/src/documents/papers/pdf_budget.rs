//! What drawing a page takes, before it is drawn: streams unpack to far more than they are, and forms
//! draw other forms, many times each, which nothing stops once it has begun.

use std::{
    collections::{BTreeMap, HashMap},
    io::Read,
    rc::Rc,
};

use flate2::read::DeflateDecoder;
use hayro_interpret::hayro_syntax::{
    Filter,
    content::{TypedIter, ops::TypedInstruction},
    object::{Array, Dict, Name, Object, ObjectIdentifier, Stream, dict::keys},
    page::{Page, Resources},
};
use memchr::memmem;

/// Bytes of instructions by which a page may be drawn; those of a form count as often as it is drawn.
const MAX_DRAWN: u64 = 256 << 20;

/// The same of all pages without their forms: they stay in memory.
const MAX_IN_ALL: u64 = 2 << 30;

/// What drawing a form takes beside its instructions, in bytes of those.
const FORM_BYTES: u64 = 1 << 10;

/// Forms inside each other that are drawn.
const MAX_NESTED: usize = 50;

/// Forms of a page that are looked at.
const MAX_FORMS: usize = 100_000;

/// What the pages of a document take.
#[derive(Default)]
pub(super) struct Budget {
    n_in_all: u64,
    lengths: HashMap<ObjectIdentifier, u64>,
    forms: HashMap<ObjectIdentifier, Rc<Form>>,
}

/// More bytes of instructions than are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Excess {
    pub(super) found: u64,
    pub(super) limit: u64,
}

struct Form {
    n_bytes: u64,
    draws: Draws,
}

/// How often instructions draw what has a name.
type Draws = BTreeMap<Vec<u8>, u64>;

impl Budget {
    /// # Errors
    /// If a page takes more than any page does, or all so far more than any document does.
    pub(super) fn take(&mut self, page: &Page<'_>) -> Result<(), Excess> {
        let n_bytes = self.contents(page);
        self.n_in_all = self.n_in_all.saturating_add(n_bytes);
        within(self.n_in_all, MAX_IN_ALL)?;
        within(n_bytes, MAX_DRAWN)?;
        within(n_bytes.saturating_add(self.forms_of(page)), MAX_DRAWN)
    }

    /// The page's own instructions.
    fn contents(&mut self, page: &Page<'_>) -> u64 {
        if let Some(stream) = page.raw().get::<Stream<'_>>(keys::CONTENTS) {
            return self.length(&stream);
        }
        let Some(streams) = page.raw().get::<Array<'_>>(keys::CONTENTS) else {
            return 0;
        };
        let mut n_bytes = 0_u64;
        for stream in streams.iter::<Object<'_>>() {
            let n = stream
                .into_stream()
                .map_or(0, |stream| self.length(&stream));
            n_bytes = n_bytes.saturating_add(n);
            if n_bytes > MAX_DRAWN {
                break;
            }
        }
        n_bytes
    }

    /// What the forms take that a page and its annotations draw.
    fn forms_of(&mut self, page: &Page<'_>) -> u64 {
        let resources = page.resources();
        let draws = match may_have_forms(resources) {
            true => page.page_stream().map(draws).unwrap_or_default(),
            false => Draws::default(),
        };
        let mut walk = Walk {
            budget: self,
            known: HashMap::new(),
        };
        let mut n_drawn = walk.draws(&draws, resources, None, 0);
        let annotations = page.raw().get::<Array<'_>>(keys::ANNOTS);
        let annotations = annotations.iter().flat_map(|all| all.iter::<Dict<'_>>());
        for form in annotations.filter_map(|annotation| appearance(&annotation)) {
            n_drawn = n_drawn.saturating_add(walk.form(&form, resources, None, 0));
            if n_drawn > MAX_DRAWN {
                break;
            }
        }
        n_drawn
    }

    fn form(&mut self, stream: &Stream<'_>) -> Rc<Form> {
        let id = stream.obj_id();
        if let Some(form) = self.forms.get(&id) {
            return Rc::clone(form);
        }
        let n_bytes = self.length(stream);
        // What cannot be unpacked draws nothing.
        let data = (n_bytes <= MAX_DRAWN)
            .then(|| stream.decoded_data().ok())
            .flatten();
        let draws = data.map(|data| draws(&data)).unwrap_or_default();
        let form = Rc::new(Form { n_bytes, draws });
        self.forms.insert(id, Rc::clone(&form));
        form
    }

    fn length(&mut self, stream: &Stream<'_>) -> u64 {
        let length = self.lengths.entry(stream.obj_id());
        *length.or_insert_with(|| unpacked_length(stream))
    }
}

fn within(found: u64, limit: u64) -> Result<(), Excess> {
    match found > limit {
        true => Err(Excess { found, limit }),
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
    fn draws<'a>(
        &mut self,
        draws: &Draws,
        resources: &Resources<'a>,
        owner: Option<ObjectIdentifier>,
        depth: usize,
    ) -> u64 {
        let mut n_drawn = 0_u64;
        for (name, n) in draws {
            let form = resources.x_objects.get::<Stream<'a>>(name);
            let n_once = match form.filter(is_form) {
                Some(form) => self.form(&form, resources, owner, depth),
                None => 0,
            };
            n_drawn = n_drawn.saturating_add(n.saturating_mul(n_once));
            if n_drawn > MAX_DRAWN {
                break;
            }
        }
        n_drawn
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
        let own = own.map(Resources::new);
        let resources = own.as_ref().unwrap_or(resources);
        let form = self.budget.form(form);
        let inner = self.draws(&form.draws, resources, owner, depth + 1);
        let n_drawn = inner
            .saturating_add(form.n_bytes)
            .saturating_add(FORM_BYTES);
        self.known.insert((id, owner, depth), n_drawn);
        n_drawn
    }
}

/// Where there are few, looking at them takes less than going through the instructions.
fn may_have_forms(resources: &Resources<'_>) -> bool {
    const FEW: usize = 32;
    let all = &resources.x_objects;
    if all.len() > FEW {
        return true;
    }
    all.keys()
        .filter_map(|name| all.get::<Stream<'_>>(name))
        .any(|stream| is_form(&stream))
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

fn draws(instructions: &[u8]) -> Draws {
    let mut draws = Draws::new();
    if memmem::find(instructions, b"Do").is_none() {
        return draws;
    }
    let mut instructions = TypedIter::new(instructions);
    while let Some(instruction) = instructions.next() {
        if let TypedInstruction::XObject(drawn) = instruction {
            *draws.entry(drawn.0.to_vec()).or_default() += 1;
        }
    }
    draws
}

/// Bytes that a stream unpacks to; where that is more than is read, at least as many as are.
fn unpacked_length(stream: &Stream<'_>) -> u64 {
    let (data, filters) = (stream.raw_data(), stream.filters());
    if let [Filter::FlateDecode] = filters.as_slice() {
        return inflated_length(&data);
    }
    let ratios = filters.iter().map(|filter| ratio(*filter, &data));
    let most = ratios.fold(data.len() as u64, u64::saturating_mul);
    match most <= MAX_DRAWN {
        true => stream.decoded_data().map_or(0, |data| data.len() as u64),
        false => most,
    }
}

/// The most bytes that one becomes.
fn ratio(filter: Filter, data: &[u8]) -> u64 {
    match filter {
        Filter::FlateDecode => 1032,
        Filter::LzwDecode => 1500,
        Filter::RunLengthDecode => 64,
        // One sign that stands for four zeros.
        Filter::Ascii85Decode if data.contains(&b'z') => 4,
        _ => 1,
    }
}

/// As far as it can be unpacked, and no further than is read.
fn inflated_length(data: &[u8]) -> u64 {
    let deflated = match data {
        [method, flags, rest @ ..]
            if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31) =>
        {
            rest
        }
        _ => data,
    };
    let mut inflated = DeflateDecoder::new(deflated).take(MAX_DRAWN + 1);
    let (mut buffer, mut n_bytes) = (vec![0; 1 << 16], 0);
    while let Ok(n @ 1..) = inflated.read(&mut buffer) {
        n_bytes += n as u64;
    }
    n_bytes
}
