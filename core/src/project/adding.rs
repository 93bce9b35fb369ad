//! Records into the project: all of an import, or nothing of it.
//!
//! Rows come in as "not there", a chunk at a time, and one last transaction makes them all appear as
//! one action. What is cut off before that is never seen, and removed at the next opening.

mod hashing;
mod incoming;
mod rejections;

use std::{collections::VecDeque, rc::Rc};

use rusqlite::{Connection, params};

use super::{
    Pace, Project, ProjectError, Step, Task, Work,
    body::NewBody,
    content::Origin,
    cores,
    file::{note_leftovers, settle_leftovers},
    journal::Field,
    order,
};
use crate::{
    data::{Format, Problem, n_chars},
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
    n_bytes: u64,
    progress: f64,
    /// What was read last; it is written while the next is read.
    ready: Batch,
    row: SourceRow,
}

/// What the project says of a part.
struct SourceRow {
    name: String,
    sha256: String,
    reading: String,
    /// Its row, once there is a record.
    id: Option<i64>,
    n_rejected: u64,
}

/// Rows that were read one behind the other.
#[derive(Default)]
struct Batch {
    records: Vec<NewRecord>,
    rejected: Vec<(u64, Vec<Problem>)>,
    is_last: bool,
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

    /// Reads the next rows while those before are written; false when there are none left.
    fn chunk(&mut self, project: &mut Project, source: &mut Source) -> Result<bool, ProjectError> {
        if !self.started {
            project.remove_leftovers_of_nobody_but(&self.working)?;
            note_leftovers(&project.db)?;
            self.started = true;
        }
        let limits = limits(project.pace);
        let Source {
            arrivals,
            progress,
            ready,
            row,
            ..
        } = source;
        let (before, db, now_ms) = (std::mem::take(ready), &mut project.db, self.now_ms);
        let mut added = Ok(Vec::new());
        let read = cores::beside(
            || added = row.write(db, before, now_ms),
            || Batch::read(arrivals, progress, limits),
        );
        self.added(added?);
        let mut read = read?;
        for (line, problems) in read.rejected.drain(..) {
            row.n_rejected += 1;
            self.rejections.push(&row.name, line, &problems);
        }
        if read.is_last {
            let added = row.write(&mut project.db, read, now_ms)?;
            self.added(added);
            return Ok(false);
        }
        *ready = read;
        Ok(true)
    }

    fn added(&mut self, records: Vec<i64>) {
        self.n_records += records.len() as u64;
        for record in records {
            self.add_to_ranges(record);
        }
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
        let n_bytes = self.n_bytes.max(1) as f64;
        let (what, n_read, n_bytes_read) = match &self.stage {
            Stage::Reading(source) => (
                source.row.name.clone(),
                // What was read and waits to be written.
                source.ready.records.len() as u64,
                source.progress * source.n_bytes as f64,
            ),
            Stage::Hashing(incoming) => (incoming.name.clone(), 0, 0.0),
            Stage::Next | Stage::Over => (String::new(), 0, 0.0),
        };
        let share = (self.n_bytes_done as f64 + n_bytes_read) / n_bytes;
        let expected = (self.n_records + n_read) as f64 / share.clamp(1e-6, 1.0);
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
        n_bytes: incoming.n_bytes,
        progress: 0.0,
        ready: Batch::default(),
        row: SourceRow {
            name: incoming.name,
            sha256,
            reading: incoming.reading,
            id: None,
            n_rejected: 0,
        },
    })
}

impl Batch {
    /// The next rows, as far as the limits let; `progress` becomes that of the last.
    fn read(
        arrivals: &mut Arrivals,
        progress: &mut f64,
        (most_rows, most_chars): (usize, usize),
    ) -> Result<Self, ProjectError> {
        let (mut rows, mut rejected, mut is_last) = (Vec::new(), Vec::new(), false);
        let mut text = 0;
        while !is_last && rows.len() + rejected.len() < most_rows && text < most_chars {
            let Some(arrival) = arrivals.next() else {
                is_last = true;
                continue;
            };
            let arrival = arrival?;
            *progress = arrival.progress;
            match &arrival.record {
                Some(record) => {
                    text += n_chars(record);
                    rows.push(arrival);
                }
                None => rejected.push((arrival.line, arrival.problems)),
            }
        }
        let records = cores::map(rows, NewRecord::of).into_iter().flatten();
        Ok(Self {
            records: records.collect::<Result<_, _>>()?,
            rejected,
            is_last,
        })
    }
}

impl SourceRow {
    /// Puts records behind all others, in one transaction, and returns their ids. Nobody sees them yet.
    fn write(
        &mut self,
        db: &mut Connection,
        batch: Batch,
        now_ms: i64,
    ) -> Result<Vec<i64>, ProjectError> {
        let tx = db.transaction()?;
        // Someone may have added a record since the last batch.
        let mut position = order::next_position(&tx)?;
        let mut added = Vec::with_capacity(batch.records.len());
        for record in batch.records {
            let source = self.id_in(&tx, record.format, now_ms)?;
            added.push(record.insert(&tx, source, position)?);
            position = position.saturating_add(order::STEP);
        }
        if batch.is_last
            && let Some(id) = self.id
        {
            tx.prepare_cached("UPDATE source SET n_rejected = ?2 WHERE id = ?1")?
                .execute(params![id, self.n_rejected])?;
        }
        tx.commit()?;
        Ok(added)
    }

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

/// A row that became a record, with all that the project keeps of it.
struct NewRecord {
    body: NewBody,
    format: Format,
    line: u64,
    page: Option<u32>,
}

impl NewRecord {
    /// `None` where the row became no record.
    fn of(arrival: Arrival) -> Option<Result<Self, ProjectError>> {
        let Arrival {
            record,
            format,
            raw,
            line,
            page,
            problems,
            progress: _,
        } = arrival;
        let origin = Origin::new(format, raw.as_ref());
        let body = NewBody::of(record?, origin, problems);
        Some(body.map(|body| Self {
            body,
            format,
            line,
            page,
        }))
    }

    /// Its id. Nobody sees it yet.
    fn insert(self, db: &Connection, source: i64, position: i64) -> Result<i64, ProjectError> {
        let body = self.body.insert(db)?;
        db.prepare_cached(
            "INSERT INTO record (state, position, body, first_body, source, line, page)
             VALUES (2, ?1, ?2, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![position, body, source, self.line, self.page])?;
        Ok(db.last_insert_rowid())
    }
}
