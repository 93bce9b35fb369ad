//! What comes in: parts of files, and the records of the product's own recipes.

use std::{io, rc::Rc};

use serde_json::{Value, json};

use crate::{
    data::{Format, Place, validate},
    documents::{Arrival, Arrivals, DocumentError, InputFile, Part, ReadSeek},
    protocol::studio::{PartKind, Reading, Sample},
    recipe::{
        bank::{BankDataset, BankSettings, read_figures},
        bond::{BondDataset, BondSettings, read_bonds},
    },
    text::{Body, Conversation, Message, ModelText, Record, Role},
};

const BANKS: &[u8] = include_bytes!("../../../../native-trainer/demo/banks.json");
const BONDS: &[u8] = include_bytes!("../../../../native-trainer/demo/bonds.json");

type Open = Box<dyn FnOnce(Option<Rc<ModelText>>) -> Result<Arrivals, DocumentError>>;

/// Records that were not read yet.
pub(in super::super) struct Incoming {
    pub(in super::super) name: String,
    pub(in super::super) n_bytes: u64,
    /// How it is read, as JSON.
    pub(in super::super) reading: String,
    pub(in super::super) file: Option<Rc<dyn InputFile>>,
    pub(in super::super) open: Open,
}

impl Incoming {
    pub(super) fn part(part: Part, reading: Reading) -> Self {
        Self {
            name: part.view.name.clone(),
            n_bytes: part.view.bytes,
            reading: json!(reading).to_string(),
            file: (part.view.kind != PartKind::Unreadable).then(|| Rc::clone(part.file())),
            open: Box::new(move |text| part.records(&reading, text)),
        }
    }

    pub(super) fn sample(sample: Sample) -> Self {
        let (name, bytes) = match sample {
            Sample::Bank => ("banks.json", BANKS),
            Sample::Bond => ("bonds.json", BONDS),
        };
        let open = move || match sample {
            Sample::Bank => bank(),
            Sample::Bond => bond(),
        };
        Self {
            name: name.into(),
            n_bytes: bytes.len() as u64,
            reading: Value::Null.to_string(),
            file: Some(Rc::new(Brought { name, bytes })),
            open: Box::new(move |_| open()),
        }
    }
}

/// A file that is part of the product.
struct Brought {
    name: &'static str,
    bytes: &'static [u8],
}

impl InputFile for Brought {
    fn name(&self) -> &str {
        self.name
    }

    fn n_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(io::Cursor::new(self.bytes)))
    }
}

fn bank() -> Result<Arrivals, DocumentError> {
    let failed = |reason: String| DocumentError::Reading { reason };
    let figures = read_figures(&[("banks.json".into(), BANKS.to_vec())])
        .map_err(|error| failed(error.to_string()))?;
    let data = BankDataset::new(&figures, &BankSettings::default())
        .map_err(|error| failed(error.to_string()))?;
    let BankDataset {
        facts: _,
        train,
        held_out,
        control,
        comparisons,
    } = data;
    let groups = [
        ("train", train),
        ("held-out", held_out),
        ("control", control),
        ("comparison", comparisons),
    ];
    let mut records = Vec::new();
    for (group, members) in groups {
        for mut record in members {
            record.extra.insert("group".into(), group.into());
            records.push(record);
        }
    }
    Ok(arrivals(records, Format::Openai))
}

fn bond() -> Result<Arrivals, DocumentError> {
    let failed = |reason: String| DocumentError::Reading { reason };
    let bonds = read_bonds(BONDS).map_err(|error| failed(error.to_string()))?;
    let data = BondDataset::new(&bonds.bonds, &BondSettings::default())
        .map_err(|error| failed(error.to_string()))?;
    let records = data.records.into_iter().map(|pair| {
        let extra = [
            ("kind", json!(pair.kind)),
            ("bonds", json!(pair.bonds)),
            ("phrasing", json!(pair.phrasing)),
        ];
        Record {
            body: Body::Chat(Conversation {
                messages: vec![
                    Message::new(Role::User, pair.query),
                    Message::new(Role::Assistant, pair.response),
                ],
                tools: Vec::new(),
            }),
            extra: extra
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
            line: 0,
        }
    });
    Ok(arrivals(records.collect(), Format::QueryResponse))
}

fn arrivals(records: Vec<Record>, format: Format) -> Arrivals {
    let n = records.len().max(1) as f64;
    Box::new(
        (1..)
            .zip(records)
            .map(move |(line, record): (u64, Record)| {
                let place = Place { line, record: line };
                Ok(Arrival {
                    problems: validate(&record, format, place),
                    record: Some(record),
                    format,
                    raw: None,
                    line,
                    page: None,
                    progress: line as f64 / n,
                })
            }),
    )
}
