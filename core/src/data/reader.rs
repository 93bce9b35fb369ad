//! Any supported file to records, one at a time.
//!
//! bytes → encoding ([`super::encoding`]) → rows ([`super::rows`], or brought from elsewhere) → format
//! ([`super::format`]) → [`Record`] ([`super::parse`]) with its problems ([`super::validate`]).
//! Nothing but the first records, which tell the format, is held in memory.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    io::Read,
};

use serde_json::{Map, Value};

use super::{
    DatasetError, Format, Mapping, Place, Problem, ProblemKind, ReadOptions, Record, Rows, Source,
    Supervision,
    columns::{Aliases, Known, Ordinary, OtherName, list, near_miss, other_name_of, put_back},
    fix::{Change, repair},
    format::{Recognised, recognise, recognise_without, tells},
    parse::parse,
    sniff::registry_files,
    table::{Row, describe_header},
    validate::validate,
};
use crate::protocol::studio::{Phrase, Said};

/// Records looked at to tell the format.
const LOOKAHEAD: usize = 20;

/// One record of the file: read, or broken, with what is wrong with it.
#[derive(Debug)]
pub struct Item {
    pub place: Place,
    /// The file's, or the record's own where it has another.
    pub format: Format,
    pub record: Option<Record>,
    pub supervision: Supervision,
    /// The record as it stood in the file, if asked for.
    pub raw: Option<Map<String, Value>>,
    pub problems: Vec<Problem>,
    /// What was repaired, if asked for.
    pub(crate) repairs: Vec<(Change, u64)>,
}

/// Iterates over the records of a file.
pub struct Reader<R> {
    rows: Rows<R>,
    /// Read ahead to tell the format.
    waiting: VecDeque<(Place, Row)>,
    source: Source,
    options: ReadOptions,
    spelling: Spelling,
    ordinary: Ordinary,
    aliases: Aliases,
    n_taken: usize,
    failed: bool,
}

impl<R: Read> Reader<R> {
    /// Look at the start of `source` and tell encoding, shape and format.
    ///
    /// # Errors
    /// If the file is empty, binary, of no known format, or cannot be read.
    pub fn new(source: R, options: ReadOptions) -> Result<Self, DatasetError> {
        Self::of_rows(Rows::open(source, &options)?, options)
    }

    /// Look at the first rows and tell their format.
    ///
    /// # Errors
    /// If there is none, they are of no known format, or cannot be read.
    pub fn of_rows(rows: Rows<R>, options: ReadOptions) -> Result<Self, DatasetError> {
        let mut reader = Self {
            source: Source {
                format: Format::Text,
                reason: Said::Text(String::new()),
                mapping: Mapping::default(),
                encoding: rows.facts.detected.encoding,
                encoding_reason: rows.facts.detected.reason,
                bom: rows.facts.detected.bom,
                crlf: rows.facts.crlf,
                shape: rows.shape(),
            },
            rows,
            waiting: VecDeque::new(),
            options,
            spelling: Spelling::default(),
            ordinary: Ordinary::default(),
            aliases: Aliases::default(),
            n_taken: 0,
            failed: false,
        };
        reader.look_ahead()?;
        reader.learn_ahead();
        Ok(reader)
    }

    /// What was found out; the layout of JSON and the names are final only after the last record.
    pub fn source(&self) -> Source {
        let mut source = self.source.clone();
        source.shape = self.rows.shape();
        for assignment in &self.aliases.found.0 {
            if !source.mapping.has(assignment.field) {
                source.mapping.0.push(assignment.clone());
            }
        }
        source
    }

    /// Keep the records as they stood in the file from now on, or no longer.
    pub fn keep_raw(&mut self, keep: bool) {
        self.options.keep_raw = keep;
    }

    /// Parts of the file that hold no records of this dataset, after the last record.
    pub(crate) fn leftovers(&self) -> Vec<Problem> {
        self.rows.leftovers()
    }

    /// Read the first records and let the most of them decide.
    fn look_ahead(&mut self) -> Result<(), DatasetError> {
        let mut votes: BTreeMap<Format, (usize, Recognised)> = BTreeMap::new();
        let (mut n_objects, mut unknown) = (0, None);
        while n_objects < LOOKAHEAD
            && let Some(row) = self.rows.next_row()?
        {
            n_objects += usize::from(matches!(row.1, Row::Object { .. }));
            self.waiting.push_back(row);
        }
        if n_objects == 0 {
            return Err(self.nothing_readable());
        }
        self.check_given_columns()?;
        self.ordinary = Ordinary::of(self.waiting.iter().filter_map(|(_, row)| match row {
            Row::Object { object, .. } => Some(object),
            Row::Broken(_) => None,
        }));
        for (place, row) in &self.waiting {
            let Row::Object { object, .. } = row else {
                continue;
            };
            let given = self.options.mapping.of_record(object);
            match recognise_without(object, &given, &self.ordinary)? {
                Some(found) => votes.entry(found.format).or_insert((0, found)).0 += 1,
                None => unknown = unknown.or(Some((*place, object))),
            }
        }
        if let Some(format) = self.options.format {
            self.source.format = format;
            self.source.reason = Said::new(Phrase::AsGiven, []);
            let most = |votes: BTreeMap<_, (usize, Recognised)>| {
                let best = votes.into_values().max_by_key(|(n, _)| *n);
                best.map(|(_, recognised)| recognised.mapping)
            };
            let own = votes.remove(&format).map(|(_, own)| own.mapping);
            let mapping = own.or_else(|| most(votes));
            let mapping = mapping.unwrap_or_else(|| self.options.mapping.clone());
            self.source.mapping = mapping.for_format(format);
            return Ok(());
        }
        // The earlier format wins a tie: `max_by_key` keeps the last, hence the reversal.
        let Some((n, best)) = votes.into_values().rev().max_by_key(|(n, _)| *n) else {
            let nothing = Map::new();
            let (place, object) = unknown.unwrap_or((Place { line: 1, record: 1 }, &nothing));
            return Err(self.unknown_format(place, object));
        };
        self.source.reason = match (n, n_objects) {
            _ if self.rows.columns().is_some() => Said::new(Phrase::HeaderHas, [best.reason]),
            (1, 1) => Said::new(Phrase::OnlyRecordHas, [best.reason]),
            (n, all) if n == all => {
                let whose = match all < LOOKAHEAD {
                    true => Phrase::AllRecordsHave,
                    false => Phrase::FirstRecordsHave,
                };
                Said::new(whose, [n.to_string(), best.reason])
            }
            (n, all) => {
                let values = [all.to_string(), n.to_string(), best.reason];
                Said::new(Phrase::OfFirstRecordsHave, values)
            }
        };
        self.source.format = best.format;
        self.source.mapping = best.mapping;
        Ok(())
    }

    /// Learn the other names in the first records, whatever their order.
    fn learn_ahead(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let objects = || {
            waiting.iter().filter_map(|(place, row)| match row {
                Row::Object { object, .. } => Some((*place, object)),
                Row::Broken(_) => None,
            })
        };
        for (place, object) in objects() {
            let (_, others) = self.spelling.look_at(object, place);
            let known = Known {
                format: self.source.format,
                mapping: &self.source.mapping,
                given: &self.options.mapping,
            };
            self.aliases.note_beside(&others, object, &known);
        }
        for (place, object) in objects() {
            let (_, others) = self.spelling.look_at(object, place);
            self.learn(others, object);
        }
        self.waiting = waiting;
    }

    /// Learn the other names of a record, if it is one of the file's format.
    fn learn(&mut self, mut others: Vec<OtherName<'_>>, object: &Map<String, Value>) {
        let known = Known {
            format: self.source.format,
            mapping: &self.source.mapping,
            given: &self.options.mapping,
        };
        others.retain(|other| self.aliases.may_be_new(other, &known));
        let is_of_file = || self.options.format.is_some() || self.fits(object);
        if !others.is_empty() && is_of_file() {
            self.aliases.learn(others, object, &known);
        }
    }

    fn nothing_readable(&self) -> DatasetError {
        let first = self.waiting.iter().find_map(|row| match row {
            (_, Row::Broken(problem)) if problem.kind != ProblemKind::OddRows => {
                Some(problem.to_string())
            }
            _ => None,
        });
        match (first, self.rows.columns()) {
            (Some(first), _) => DatasetError::NothingReadable { first },
            (None, Some(columns)) if !columns.is_empty() => DatasetError::OnlyHeader {
                found: list(&columns.iter().map(|name| cut(name)).collect::<Vec<_>>()),
            },
            (None, _) => DatasetError::Empty,
        }
    }

    fn unknown_format(&self, place: Place, object: &Map<String, Value>) -> DatasetError {
        if let Some(files) = registry_files(object) {
            return DatasetError::Registry { files };
        }
        let names: Vec<String> = object.keys().cloned().collect();
        let near = names.iter();
        let near: Vec<_> = near
            .filter_map(|name| Some((near_miss(name)?, name)))
            .collect();
        let hint = match near.as_slice() {
            [] => String::new(),
            [(field, name)] => Phrase::DidYouMean.with([field, name]),
            [(field, name), (other, its_name), ..] => {
                Phrase::DidYouMeanBoth.with([field, name, other, its_name])
            }
        };
        match self.rows.columns() {
            None => DatasetError::UnknownFormat {
                line: place.line,
                found: list(&names),
                hint,
            },
            Some(columns) => DatasetError::UnknownColumns {
                found: describe_header(columns),
                hint,
            },
        }
    }

    /// A column that a given mapping names must be in one of the first records at least.
    fn check_given_columns(&self) -> Result<(), DatasetError> {
        if self.options.mapping.0.is_empty() {
            return Ok(());
        }
        let mut names: Vec<String> = Vec::new();
        let mut known: HashSet<&str> = HashSet::new();
        for (_, row) in &self.waiting {
            if let Row::Object { object, .. } = row {
                let new = object.keys().filter(|key| known.insert(key.as_str()));
                names.extend(new.cloned());
            }
        }
        Mapping::guess(&names, &self.options.mapping).map(|_| ())
    }

    fn item(&mut self, place: Place, row: Row) -> Item {
        let mut object = match row {
            Row::Object { object, .. } => object,
            Row::Broken(problem) => {
                return Item {
                    place,
                    format: self.source.format,
                    record: None,
                    supervision: Supervision::Demonstration,
                    raw: None,
                    problems: vec![problem],
                    repairs: Vec::new(),
                };
            }
        };
        let repairs = if self.options.repair {
            repair(&mut object, &self.source.mapping)
        } else {
            Vec::new()
        };
        let mut kept = self.options.keep_raw.then(|| object.clone());
        kept.iter_mut().for_each(put_back);
        let (mut problems, others) = self.spelling.look_at(&object, place);
        self.learn(others, &object);
        let given = &self.options.mapping;
        self.ordinary
            .set_aside(&mut object, &self.source.mapping, given);
        if !self.aliases.found.0.is_empty() {
            self.ordinary
                .set_aside(&mut object, &self.aliases.found, given);
        }
        let format = self.format_of(&mut object, place, &mut problems);
        let parsed = parse(format, object, place, &mut problems);
        let supervision = parsed
            .as_ref()
            .map_or(Supervision::Demonstration, |parsed| parsed.1);
        let record = parsed.map(|(record, _)| record);
        problems.extend(
            record
                .iter()
                .flat_map(|record| validate(record, format, place)),
        );
        Item {
            place,
            format,
            record,
            supervision,
            raw: kept,
            problems,
            repairs,
        }
    }

    /// The file's format, or the record's own where it plainly has another. Renames mapped columns.
    fn format_of(
        &self,
        object: &mut Map<String, Value>,
        place: Place,
        problems: &mut Vec<Problem>,
    ) -> Format {
        let own = self.source.format;
        if self.options.format.is_none() && !self.fits(object) {
            // A given mapping was checked against the first records; others may lack its columns.
            if let Ok(Some(found)) = recognise(object, &Mapping::default())
                && found.format != own
            {
                problems.push(
                    Problem::new(ProblemKind::MixedFormats, place, "")
                        .found(format!("{} ({})", found.format, found.reason))
                        .expected(format!("{own}, as most of the file"))
                        .advice("it is read as what it is; `convert` makes the file one format"),
                );
                found.mapping.apply(object);
                return found.format;
            }
        }
        self.source.mapping.apply(object);
        self.aliases.apply(object);
        own
    }

    /// Whether a record has the fields that tell the file's format.
    fn fits(&self, object: &Map<String, Value>) -> bool {
        let mapped = self.source.mapping.0.iter();
        let mut told_by = mapped.filter(|assignment| tells(assignment.field));
        told_by.all(|assignment| object.contains_key(&assignment.column))
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Item, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed
            || self
                .options
                .limit
                .is_some_and(|limit| self.n_taken >= limit)
        {
            return None;
        }
        let (place, row) = match self.waiting.pop_front() {
            Some(row) => row,
            None => match self.rows.next_row() {
                Ok(row) => row?,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            },
        };
        self.n_taken += 1;
        Some(Ok(self.item(place, row)))
    }
}

/// The start of what should be a name, and may be all of a file.
fn cut(name: &str) -> String {
    const SHOWN: usize = 40;
    let mut short: String = name.chars().take(SHOWN).collect();
    if name.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}

/// What names of fields look like; comparing one with all known names takes far longer than reading
/// a record does, and most records have the names of the one before.
#[derive(Default)]
struct Spelling {
    known: HashMap<String, Name>,
}

#[derive(Clone, Copy)]
struct Name {
    near_miss: Option<&'static str>,
    other_name_of: Option<&'static str>,
}

impl Spelling {
    /// Names that are remembered: more than a sheet has columns. Keys may differ from record to
    /// record without end.
    const MOST: usize = 20_000;

    /// Fields that look like a known field's name, misspelt, where that field itself is missing; and
    /// those that may be a field under another name.
    fn look_at<'a>(
        &mut self,
        object: &'a Map<String, Value>,
        place: Place,
    ) -> (Vec<Problem>, Vec<OtherName<'a>>) {
        let (mut problems, mut others) = (Vec::new(), Vec::new());
        for key in object.keys() {
            let name = self.name(key);
            others.extend(name.other_name_of.map(|field| (field, key)));
            if let Some(field) = name.near_miss
                && !object.contains_key(field)
            {
                let problem = Problem::new(ProblemKind::UnknownField, place, key);
                problems.push(
                    problem
                        .found(format!("`{key}`"))
                        .expected(format!("`{field}`"))
                        .advice(format!(
                            "rename it, or say `--map {field}={key}` if all records have it"
                        )),
                );
            }
        }
        (problems, others)
    }

    fn name(&mut self, key: &str) -> Name {
        if let Some(known) = self.known.get(key) {
            return *known;
        }
        let name = Name {
            near_miss: near_miss(key),
            other_name_of: other_name_of(key),
        };
        if self.known.len() < Self::MOST {
            self.known.insert(key.to_owned(), name);
        }
        name
    }
}

#[cfg(test)]
mod tests;
