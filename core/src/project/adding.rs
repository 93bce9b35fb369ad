//! Records into the project: all of an import, or nothing of it.
//!
//! Rows come in as "not there", a chunk at a time, and one last transaction makes them all appear as
//! one action. What is cut off before that is never seen, and removed at the next opening.

mod hashing;
mod incoming;
mod rejections;

use std::{collections::VecDeque, rc::Rc};

use rusqlite::{Connection, params};
use serde_json::{Map, Value};

use super::{
    Pace, Project, ProjectError, Step, Task, Work,
    body::insert_body,
    content::Origin,
    file::{note_leftovers, settle_leftovers},
    journal::Field,
    order,
};
use crate::{
    data::{Format, Problem, Record, n_chars},
    documents::{Arrival, Arrivals, Part},
    protocol::studio::{ActionKind, ImportSummary, Reading, Sample, StudioProgress, StudioStage},
};
use hashing::Hashing;
pub(super) use incoming::Incoming;
use rejections::Rejections;

/// Rows of a step and characters after which it ends anyway: enough that the cost of a transaction,
/// which writes much of the indexes anew, does not show; few enough to wait for.
fn limits(pace: Pace) -> (usize, usize) {
    match pace {
        Pace::Answering => (2048, 1 << 19),
        Pace::Alone => (1 << 14, 1 << 24),
    }
}

impl Project {
    pub fn import(&self, parts: Vec<(Part, Reading)>, now_ms: i64) -> Task<ImportSummary> {
        let incoming = parts.into_iter();
        let incoming = incoming.map(|(part, reading)| Incoming::part(part, reading));
        self.adding(incoming.collect(), now_ms)
    }

    /// Records that one of the product's own recipes makes.
    pub fn import_sample(&self, sample: Sample, now_ms: i64) -> Task<ImportSummary> {
        self.adding([Incoming::sample(sample)].into(), now_ms)
    }

    pub(super) fn adding(&self, waiting: VecDeque<Incoming>, now_ms: i64) -> Task<ImportSummary> {
        let n_bytes = waiting.iter().map(|incoming| incoming.n_bytes).sum();
        let names: Vec<&str> = waiting
            .iter()
            .map(|incoming| incoming.name.as_str())
            .collect();
        Box::new(Adding {
            detail: names.join(", "),
            waiting,
            stage: Stage::Next,
            hashing: Hashing::default(),
            n_bytes,
            n_bytes_done: 0,
            ranges: Vec::new(),
            n_records: 0,
            rejections: Rejections::default(),
            now_ms,
            working: Rc::clone(&self.working),
            started: false,
        })
    }
}

struct Adding {
    detail: String,
    waiting: VecDeque<Incoming>,
    stage: Stage,
    hashing: Hashing,
    /// Of all parts, and of those that are done.
    n_bytes: u64,
    n_bytes_done: u64,
    /// First and last id of records that are one behind the other.
    ranges: Vec<(i64, i64)>,
    n_records: u64,
    rejections: Rejections,
    now_ms: i64,
    working: Rc<()>,
    started: bool,
}

enum Stage {
    Next,
    /// The file's hash is being made.
    Hashing(Incoming),
    Reading(Box<Source>),
    Over,
}

/// A part that is being read.
struct Source {
    arrivals: Arrivals,
    name: String,
    n_bytes: u64,
    sha256: String,
    reading: String,
    /// Its row, once there is a record.
    id: Option<i64>,
    n_rejected: u64,
    progress: f64,
}

impl Work for Adding {
    type Output = ImportSummary;

    fn step(&mut self, project: &mut Project) -> Result<Step<ImportSummary>, ProjectError> {
        let step = self.advance(project);
        if step.is_err() {
            self.stage = Stage::Over;
            // The first error is the one to tell; what cannot be removed now is at the next opening.
            project.remove_leftovers_of_nobody_but(&self.working).ok();
        }
        step
    }
}

impl Adding {
    fn advance(&mut self, project: &mut Project) -> Result<Step<ImportSummary>, ProjectError> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Next => match self.waiting.pop_front() {
                Some(incoming) => self.stage = Stage::Hashing(incoming),
                None => return self.finish(project).map(Step::Done),
            },
            Stage::Hashing(incoming) => {
                self.stage = match self.hashing.advance(&incoming)? {
                    None => Stage::Hashing(incoming),
                    Some(sha256) => Stage::Reading(Box::new(open(project, incoming, sha256)?)),
                };
            }
            Stage::Reading(mut source) => {
                if self.chunk(project, &mut source)? {
                    self.stage = Stage::Reading(source);
                } else {
                    self.n_bytes_done += source.n_bytes;
                    self.stage = Stage::Next;
                }
            }
            Stage::Over => return Err(ProjectError::Cancelled),
        }
        Ok(Step::More(self.progress()))
    }

    /// Adds the next rows; false when there are none left.
    fn chunk(&mut self, project: &mut Project, source: &mut Source) -> Result<bool, ProjectError> {
        if !self.started {
            project.remove_leftovers_of_nobody_but(&self.working)?;
        }
        let (most_rows, most_chars) = limits(project.pace);
        let tx = project.db.transaction()?;
        if !self.started {
            note_leftovers(&tx)?;
        }
        // Someone may have added a record since the last chunk.
        let mut position = order::next_position(&tx)?;
        let (mut n_rows, mut text, mut more) = (0, 0, true);
        let mut added = Vec::new();
        while more && n_rows < most_rows && text < most_chars {
            let Some(arrival) = source.arrivals.next() else {
                more = false;
                continue;
            };
            let arrival = arrival?;
            n_rows += 1;
            source.progress = arrival.progress;
            let row = match NewRecord::of(arrival) {
                Ok(row) => row,
                Err((line, problems)) => {
                    source.n_rejected += 1;
                    self.rejections.push(&source.name, line, &problems);
                    continue;
                }
            };
            text += n_chars(&row.record);
            let id = source.id_in(&tx, row.format, self.now_ms)?;
            added.push(row.insert(&tx, id, position)?);
            position = position.saturating_add(order::STEP);
        }
        if !more && let Some(id) = source.id {
            tx.prepare_cached("UPDATE source SET n_rejected = ?2 WHERE id = ?1")?
                .execute(params![id, source.n_rejected])?;
        }
        tx.commit()?;
        self.started = true;
        self.n_records += added.len() as u64;
        added
            .into_iter()
            .for_each(|record| self.add_to_ranges(record));
        Ok(more)
    }

    fn add_to_ranges(&mut self, record: i64) {
        match self.ranges.last_mut() {
            Some((_, last)) if *last + 1 == record => *last = record,
            _ => self.ranges.push((record, record)),
        }
    }

    /// Makes everything appear.
    fn finish(&mut self, project: &mut Project) -> Result<ImportSummary, ProjectError> {
        let ranges = std::mem::take(&mut self.ranges);
        project.act_quietly(ActionKind::Import, &self.detail, self.now_ms, |changes| {
            for range in ranges {
                let select = "SELECT id, 0 FROM record WHERE id BETWEEN ?1 AND ?2";
                changes.set_selected(Field::State, select, range)?;
            }
            settle_leftovers(changes.db)
        })?;
        let rejections = std::mem::take(&mut self.rejections);
        Ok(ImportSummary {
            n_records: self.n_records,
            n_rejected: rejections.n,
            rejected: rejections.first,
            project: project.view()?,
        })
    }

    fn progress(&self) -> StudioProgress {
        let (what, share) = match &self.stage {
            Stage::Reading(source) => {
                let read = self.n_bytes_done as f64 + source.progress * source.n_bytes as f64;
                (source.name.clone(), read / (self.n_bytes.max(1) as f64))
            }
            Stage::Hashing(incoming) => {
                let done = self.n_bytes_done as f64 / self.n_bytes.max(1) as f64;
                (incoming.name.clone(), done)
            }
            Stage::Next | Stage::Over => (
                String::new(),
                self.n_bytes_done as f64 / self.n_bytes.max(1) as f64,
            ),
        };
        let expected = self.n_records as f64 / share.clamp(1e-6, 1.0);
        StudioProgress {
            stage: StudioStage::Adding,
            what,
            done: self.n_records,
            total: expected.round() as u64,
        }
    }
}

fn open(project: &Project, incoming: Incoming, sha256: String) -> Result<Source, ProjectError> {
    let text = project.model_text()?;
    Ok(Source {
        arrivals: (incoming.open)(text)?,
        name: incoming.name,
        n_bytes: incoming.n_bytes,
        sha256,
        reading: incoming.reading,
        id: None,
        n_rejected: 0,
        progress: 0.0,
    })
}

impl Source {
    /// Its row, which is made for its first record.
    fn id_in(&mut self, db: &Connection, format: Format, now_ms: i64) -> Result<i64, ProjectError> {
        if let Some(id) = self.id {
            return Ok(id);
        }
        let (name, reading) = (&self.name, &self.reading);
        db.prepare_cached(
            "INSERT INTO source (name, sha256, format, reading, n_rejected, at_ms)
             VALUES (?1, ?2, ?3, ?4, 0, ?5)",
        )?
        .execute(params![name, self.sha256, format.name(), reading, now_ms])?;
        Ok(*self.id.insert(db.last_insert_rowid()))
    }
}

/// A row that became a record.
struct NewRecord {
    record: Record,
    format: Format,
    raw: Option<Map<String, Value>>,
    problems: Vec<Problem>,
    line: u64,
    page: Option<u32>,
}

impl NewRecord {
    /// The line of a row that became none, and why.
    fn of(arrival: Arrival) -> Result<Self, (u64, Vec<Problem>)> {
        let Arrival {
            record,
            format,
            raw,
            line,
            page,
            problems,
            progress: _,
        } = arrival;
        match record {
            Some(record) => Ok(Self {
                record,
                format,
                raw,
                problems,
                line,
                page,
            }),
            None => Err((line, problems)),
        }
    }

    /// Its id. Nobody sees it yet.
    fn insert(self, db: &Connection, source: i64, position: i64) -> Result<i64, ProjectError> {
        let origin = Origin::new(self.format, self.raw.as_ref());
        let body = insert_body(db, self.record, origin, Some(&self.problems))?;
        db.prepare_cached(
            "INSERT INTO record (state, position, body, first_body, source, line, page)
             VALUES (2, ?1, ?2, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![position, body, source, self.line, self.page])?;
        Ok(db.last_insert_rowid())
    }
}
