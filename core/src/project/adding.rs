//! Records into the project: all of an import, or nothing of it.
//!
//! Rows come in as "not there", a chunk at a time, and one last transaction makes them all appear as
//! one action. What is cut off before that is never seen, and removed at the next opening.

mod hashing;
mod incoming;
mod notes;
mod rejections;

use std::{collections::VecDeque, rc::Rc};

use rusqlite::{CachedStatement, Connection, params};

use super::{
    Pace, Project, ProjectError, Step, Task, Work,
    body::{BodyWriter, NewBody},
    content::Origin,
    edit::side_number,
    file::SPLIT_FROZEN,
    journal::{Field, fact},
    leftovers::{Working, note_leftovers, settle_leftovers},
    order,
    sources::forget_terms_of_nobody,
};
use crate::{
    cores,
    data::{
        Format, Problem,
        handover::{SIDE_COLUMN, side_named},
        n_chars,
    },
    documents::{Arrival, Arrivals, DocumentError, InputFile, Part},
    protocol::studio::{
        ActionKind, ImportNote, ImportSummary, Phrase, Reading, Said, Sample, Side, StudioProgress,
        StudioStage, Terms,
    },
    text::Record,
};
use hashing::{Hashing, Piece};
pub(super) use incoming::Incoming;
use notes::imported_before;
use rejections::Rejections;

/// Rows that are read at once, and characters after which they end anyway.
const BATCH: (usize, usize) = (2048, 1 << 19);

/// Batches of a step, which is one transaction: enough that its cost does not show, few enough to
/// wait for.
fn n_batches(pace: Pace) -> usize {
    match pace {
        Pace::Answering => 1,
        Pace::Alone => 16,
    }
}

impl Project {
    pub fn import(&self, parts: Vec<(Part, Reading)>, now_ms: i64) -> Task<ImportSummary> {
        self.import_under(parts, Terms::default(), now_ms)
    }

    /// The same, with what is stated of all that comes in.
    pub fn import_under(
        &self,
        parts: Vec<(Part, Reading)>,
        terms: Terms,
        now_ms: i64,
    ) -> Task<ImportSummary> {
        let incoming = parts.into_iter();
        let incoming = incoming.map(|(part, reading)| Incoming::part(part, reading));
        self.adding_under(incoming.collect(), terms, now_ms)
    }

    /// Records that one of the product's own recipes makes.
    pub fn import_sample(&self, sample: Sample, now_ms: i64) -> Task<ImportSummary> {
        self.adding([Incoming::sample(sample)].into(), now_ms)
    }

    pub(super) fn adding(&self, waiting: VecDeque<Incoming>, now_ms: i64) -> Task<ImportSummary> {
        self.adding_under(waiting, Terms::default(), now_ms)
    }

    pub(super) fn adding_under(
        &self,
        waiting: VecDeque<Incoming>,
        terms: Terms,
        now_ms: i64,
    ) -> Task<ImportSummary> {
        let n_bytes = waiting.iter().map(|incoming| incoming.n_bytes).sum();
        let names: Vec<&str> = waiting
            .iter()
            .map(|incoming| incoming.name.as_str())
            .collect();
        Box::new(Adding {
            detail: names.join(", "),
            terms,
            sources: Vec::new(),
            waiting,
            stage: Stage::Next,
            hashing: Hashing::default(),
            n_bytes,
            n_bytes_done: 0,
            ranges: Vec::new(),
            n_records: 0,
            rejections: Rejections::default(),
            notes: Vec::new(),
            now_ms,
            working: Rc::clone(&self.working),
            started: false,
            is_finished: false,
        })
    }
}

struct Adding {
    detail: String,
    terms: Terms,
    /// Those that records came from.
    sources: Vec<i64>,
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
    notes: Vec<ImportNote>,
    now_ms: i64,
    working: Working,
    started: bool,
    is_finished: bool,
}

enum Stage {
    Next,
    Reading(Box<Source>),
    /// There are no rows left, and the file's hash is still being made.
    Hashing(Box<Source>),
    Over,
}

/// A part that is being read.
struct Source {
    file: Option<Rc<dyn InputFile>>,
    arrivals: Arrivals,
    n_bytes: u64,
    progress: f64,
    /// What was read last; records are made of it while the next is read and those before are written.
    rows: Rows,
    ready: Vec<NewRecord>,
    row: SourceRow,
}

/// What the project says of a part.
struct SourceRow {
    name: String,
    reading: String,
    /// Its row, once there is a record.
    id: Option<i64>,
    n_rejected: u64,
    /// Whether it has what is known in the end.
    is_finished: bool,
    /// Whether records come on the sides that they name; what is frozen takes none.
    takes_sides: bool,
    /// Records that name one.
    n_naming_sides: u64,
}

/// Rows that were read one behind the other.
#[derive(Default)]
struct Rows {
    arrivals: Vec<Arrival>,
    rejected: Vec<(u64, Vec<Problem>)>,
    is_last: bool,
    n_naming_sides: u64,
}

impl Drop for Adding {
    fn drop(&mut self) {
        if self.started && !self.is_finished {
            self.working.set(true);
        }
    }
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
                Some(incoming) => {
                    self.stage = Stage::Reading(Box::new(open(project, incoming)?));
                }
                None => return self.finish(project).map(Step::Done),
            },
            Stage::Reading(mut source) => {
                self.stage = match self.chunk(project, &mut source)? {
                    true => Stage::Reading(source),
                    false => Stage::Hashing(source),
                };
            }
            Stage::Hashing(mut source) => match source.piece(&mut self.hashing)? {
                Some(piece) => {
                    piece.add();
                    self.stage = Stage::Hashing(source);
                }
                None => {
                    source.finish_if_hashed(project.store.raw(), &self.hashing)?;
                    self.n_bytes_done += source.n_bytes;
                    self.stage = Stage::Next;
                }
            },
            Stage::Over => return Err(ProjectError::Cancelled),
        }
        Ok(Step::More(self.progress()))
    }

    /// Reads, makes and writes the next rows; false when there are none left.
    fn chunk(&mut self, project: &mut Project, source: &mut Source) -> Result<bool, ProjectError> {
        if !self.started {
            project.remove_leftovers_of_nobody_but(&self.working)?;
            let tx = project.store.raw().unchecked_transaction()?;
            forget_terms_of_nobody(&tx)?;
            note_leftovers(&tx)?;
            tx.commit()?;
            self.started = true;
        }
        let n_batches = n_batches(project.pace);
        let db = project.store.settled_mut()?;
        let mut goes_on = Ok(true);
        for batch in 1..=n_batches {
            goes_on = self.batch(db, source, batch == n_batches);
            if !matches!(goes_on, Ok(true)) {
                break;
            }
        }
        // What SQLite has rolled back itself is no transaction any more.
        if goes_on.is_err() && !db.is_autocommit() {
            db.execute_batch("ROLLBACK").ok();
        }
        goes_on
    }

    /// `commits`: what is written is to stay, whatever comes after it.
    fn batch(
        &mut self,
        db: &mut Connection,
        source: &mut Source,
        commits: bool,
    ) -> Result<bool, ProjectError> {
        let piece = source.piece(&mut self.hashing)?;
        let Source {
            arrivals,
            progress,
            rows,
            ready,
            row,
            ..
        } = source;
        let (written, rows_before) = (std::mem::take(ready), std::mem::take(rows));
        let (mut added, mut made) = (Ok(Vec::new()), Ok(Vec::new()));
        let (now_ms, takes_sides) = (self.now_ms, row.takes_sides);
        // The connection goes to the other core as a whole: it must not be shared.
        let to_other = &mut *db;
        let read = cores::beside(
            || added = row.write(to_other, written, now_ms, commits),
            || {
                cores::beside(
                    || {
                        made = rows_before.into_records(takes_sides);
                        piece.into_iter().for_each(Piece::add);
                    },
                    || Rows::read(arrivals, progress),
                )
            },
        );
        self.added(added?);
        (*ready, *rows) = (made?, read?);
        row.n_naming_sides += std::mem::take(&mut rows.n_naming_sides);
        for (line, problems) in rows.rejected.drain(..) {
            let is_row = self.rejections.push(&row.name, line, &problems);
            row.n_rejected += u64::from(is_row);
        }
        if !rows.is_last {
            return Ok(true);
        }
        let mut rest = std::mem::take(ready);
        rest.extend(std::mem::take(rows).into_records(takes_sides)?);
        let added = row.write(db, rest, now_ms, false)?;
        self.added(added);
        self.sources.extend(source.row.id);
        self.notes.extend(source.row.sides_refused());
        // A small file is through by now, and there may be thousands in a folder.
        if let Some(piece) = source.piece(&mut self.hashing)? {
            piece.add();
        }
        source.finish_if_hashed(db, &self.hashing)?;
        db.execute_batch("COMMIT")?;
        Ok(false)
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
        let (sources, terms) = (&self.sources, &self.terms);
        project.act_quietly(ActionKind::Import, &self.detail, self.now_ms, |changes| {
            for (first, last) in ranges {
                changes.set_range(Field::State, (first as u64, last as u64), 0)?;
            }
            for source in sources {
                terms.state(changes, *source)?;
            }
            settle_leftovers(changes.db)
        })?;
        self.is_finished = true;
        let rejections = std::mem::take(&mut self.rejections);
        let project = project.view()?;
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(imported_before(&project.sources, &self.sources));
        Ok(ImportSummary {
            n_records: self.n_records,
            n_rejected: rejections.n,
            rejected: rejections.first,
            unread: rejections.unread,
            notes,
            project,
        })
    }

    fn progress(&self) -> StudioProgress {
        let n_bytes = self.n_bytes.max(1) as f64;
        let (what, n_read, n_bytes_read) = match &self.stage {
            Stage::Reading(source) | Stage::Hashing(source) => (
                source.row.name.clone(),
                // What was read and waits to be written.
                (source.rows.arrivals.len() + source.ready.len()) as u64,
                source.progress * source.n_bytes as f64,
            ),
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

fn open(project: &Project, incoming: Incoming) -> Result<Source, ProjectError> {
    let text = project.model_text()?;
    Ok(Source {
        file: incoming.file,
        arrivals: (incoming.open)(text)?,
        n_bytes: incoming.n_bytes,
        progress: 0.0,
        rows: Rows::default(),
        ready: Vec::new(),
        row: SourceRow {
            name: incoming.name,
            reading: incoming.reading,
            id: None,
            n_rejected: 0,
            is_finished: false,
            takes_sides: fact(project.store.raw(), SPLIT_FROZEN)?.is_none(),
            n_naming_sides: 0,
        },
    })
}

impl Source {
    /// Bytes of the file that its hash lacks.
    fn piece<'a>(&self, hashing: &'a mut Hashing) -> Result<Option<Piece<'a>>, DocumentError> {
        let piece = self.file.as_ref().map(|file| hashing.piece(file));
        Ok(piece.transpose()?.flatten())
    }

    /// Notes in its row, once, what is known when all of it was read.
    fn finish_if_hashed(&mut self, db: &Connection, hashing: &Hashing) -> Result<(), ProjectError> {
        let hash = match &self.file {
            Some(file) => hashing.known(file),
            None => Some(""),
        };
        let row = &mut self.row;
        if let (Some(sha256), Some(id), false) = (hash, row.id, row.is_finished) {
            db.prepare_cached("UPDATE source SET n_rejected = ?2, sha256 = ?3 WHERE id = ?1")?
                .execute(params![id, row.n_rejected, sha256])?;
            row.is_finished = true;
        }
        Ok(())
    }
}

impl Rows {
    /// The next rows, as far as the limits let; `progress` becomes that of the last.
    fn read(arrivals: &mut Arrivals, progress: &mut f64) -> Result<Self, ProjectError> {
        let (most_rows, most_chars) = BATCH;
        let (mut rows, mut text) = (Self::default(), 0);
        while rows.arrivals.len() + rows.rejected.len() < most_rows && text < most_chars {
            let Some(arrival) = arrivals.next() else {
                rows.is_last = true;
                break;
            };
            let arrival = arrival?;
            *progress = arrival.progress;
            match &arrival.record {
                Some(record) => {
                    text += n_chars(record);
                    rows.n_naming_sides += u64::from(said_side(record).is_some());
                    rows.arrivals.push(arrival);
                }
                None => rows.rejected.push((arrival.line, arrival.problems)),
            }
        }
        Ok(rows)
    }

    fn into_records(self, takes_sides: bool) -> Result<Vec<NewRecord>, ProjectError> {
        let of = |arrival| NewRecord::of(arrival, takes_sides);
        let records = cores::map(self.arrivals, of);
        records.into_iter().flatten().collect()
    }
}

impl SourceRow {
    /// What is to be said where sides were named in vain.
    fn sides_refused(&self) -> Option<ImportNote> {
        let n = self.n_naming_sides;
        (!self.takes_sides && n > 0).then(|| ImportNote {
            part: self.name.clone(),
            said: Said::new(Phrase::SidesWhileFrozen, [n.to_string()]),
        })
    }

    /// Puts records behind all others and returns their ids, in a transaction that stays open unless
    /// it `commits`. Nobody sees them yet.
    fn write(
        &mut self,
        db: &mut Connection,
        records: Vec<NewRecord>,
        now_ms: i64,
        commits: bool,
    ) -> Result<Vec<i64>, ProjectError> {
        let db: &Connection = db;
        // A transaction of its own type could not go from core to core.
        if db.is_autocommit() {
            db.execute_batch("BEGIN IMMEDIATE")?;
        }
        let added = self.write_all(db, records, now_ms)?;
        if commits {
            db.execute_batch("COMMIT")?;
        }
        Ok(added)
    }

    fn write_all(
        &mut self,
        db: &Connection,
        records: Vec<NewRecord>,
        now_ms: i64,
    ) -> Result<Vec<i64>, ProjectError> {
        // Someone may have added a record since the last batch.
        let mut position = order::next_position(db)?;
        let mut added = Vec::with_capacity(records.len());
        let mut writer = RecordWriter::new(db)?;
        for record in records {
            let source = self.id_in(db, record.format, now_ms)?;
            added.push(writer.insert(record, source, position)?);
            position = position.saturating_add(order::STEP);
        }
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
             VALUES (?1, '', ?2, ?3, 0, ?4)",
        )?
        .execute(params![name, format.name(), reading, now_ms])?;
        Ok(*self.id.insert(db.last_insert_rowid()))
    }
}

/// A row that became a record, with all that the project keeps of it.
struct NewRecord {
    body: NewBody,
    format: Format,
    line: u64,
    page: Option<u32>,
    side: Option<Side>,
}

impl NewRecord {
    /// `None` where the row became no record.
    fn of(arrival: Arrival, takes_side: bool) -> Option<Result<Self, ProjectError>> {
        let Arrival {
            record,
            format,
            raw,
            line,
            page,
            problems,
            progress: _,
        } = arrival;
        let mut record = record?;
        let side = match takes_side {
            true => taken_side(&mut record),
            false => None,
        };
        let origin = Origin::new(format, raw.as_ref());
        let body = NewBody::of(record, origin, problems);
        Some(body.map(|body| Self {
            body,
            format,
            line,
            page,
            side,
        }))
    }
}

/// The side that a spreadsheet of ours says; other words there are a column like any other.
fn taken_side(record: &mut Record) -> Option<Side> {
    let said = record.extra.get(SIDE_COLUMN)?.as_str()?;
    let (side, is_empty) = (side_named(said), said.trim().is_empty());
    if side.is_some() || is_empty {
        record.extra.shift_remove(SIDE_COLUMN);
    }
    side
}

fn said_side(record: &Record) -> Option<Side> {
    side_named(record.extra.get(SIDE_COLUMN)?.as_str()?)
}

/// Puts records into the project that nobody sees yet.
struct RecordWriter<'db> {
    db: &'db Connection,
    bodies: BodyWriter<'db>,
    record: CachedStatement<'db>,
}

impl<'db> RecordWriter<'db> {
    fn new(db: &'db Connection) -> Result<Self, ProjectError> {
        Ok(Self {
            db,
            bodies: BodyWriter::new(db)?,
            record: db.prepare_cached(
                "INSERT INTO record (state, position, body, first_body, source, line, page, side)
                 VALUES (2, ?1, ?2, ?2, ?3, ?4, ?5, ?6)",
            )?,
        })
    }

    /// The record's id.
    fn insert(&mut self, new: NewRecord, source: i64, position: i64) -> Result<i64, ProjectError> {
        let (line, page, side) = (new.line, new.page, new.side.map(side_number));
        let body = self.bodies.insert(new.body)?;
        self.record
            .execute(params![position, body, source, line, page, side])?;
        Ok(self.db.last_insert_rowid())
    }
}
