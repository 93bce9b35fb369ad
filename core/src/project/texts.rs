//! What is said in the records, in memory, so that a search need not read it from the database.
//!
//! It is read when nobody waits, in the order of bodies and as far as [`MOST_BYTES`] reach; behind its
//! end texts are looked up in the database, which finds the same.

use std::ops::Range;

use rusqlite::Connection;

use super::{ProjectError, columns::Columns, spoken::Spoken};
use crate::protocol::studio::TurnRole;

/// Text that is kept: that of about 150 000 records, and little beside what a browser's tab may take.
const MOST_BYTES: usize = 64 << 20;

/// Text that is read in one step, and then lies together.
const RUN_BYTES: usize = 512 << 10;

/// Rows without text that are read in one step.
const RUN_BODIES: usize = 4_000;

#[derive(Default)]
pub(super) struct Texts {
    /// Of the bodies that they belong to; see [`Columns::epoch`].
    epoch: u64,
    runs: Vec<TextRun>,
    n_bytes: usize,
    /// Whether nothing more is read: there is enough, or what follows cannot be read.
    is_closed: bool,
}

/// The texts of bodies that follow each other.
#[derive(Default)]
pub(super) struct TextRun {
    /// Place of the first body in the columns.
    first: u32,
    /// All of them, without anything between.
    text: String,
    parts: Vec<Part>,
    /// The first of the parts of each body, and behind the last.
    bodies: Vec<u32>,
}

struct Part {
    end: u32,
    role: TurnRole,
}

impl Texts {
    /// Reads some more; true once there is nothing left that would be kept.
    pub(super) fn read_some(
        &mut self,
        db: &Connection,
        columns: &Columns,
    ) -> Result<bool, ProjectError> {
        if self.epoch != columns.epoch {
            *self = Self {
                epoch: columns.epoch,
                ..Self::default()
            };
        }
        let from = self.n_places();
        if self.is_closed || from as usize >= columns.bodies.len() {
            return Ok(true);
        }
        let run = TextRun::read(db, columns, from)?;
        self.n_bytes += run.text.len();
        self.is_closed = run.is_empty() || self.n_bytes >= MOST_BYTES;
        if !run.is_empty() {
            self.runs.push(run);
        }
        Ok(false)
    }

    /// Bodies whose texts are known.
    fn n_places(&self) -> u32 {
        self.runs.last().map_or(0, TextRun::end)
    }

    /// Where the texts of a body are.
    pub(super) fn run_of(&self, place: u32, columns: &Columns) -> Option<&TextRun> {
        if self.epoch != columns.epoch {
            return None;
        }
        let behind = self.runs.partition_point(|run| run.end() <= place);
        self.runs.get(behind)
    }
}

impl TextRun {
    /// From a place on. What cannot be read ends it.
    fn read(db: &Connection, columns: &Columns, first: u32) -> Result<Self, ProjectError> {
        let mut run = Self {
            first,
            bodies: vec![0],
            ..Self::default()
        };
        let sql = "SELECT body, json FROM content WHERE body >= ?1 ORDER BY body";
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query([columns.body_at(first).id])?;
        while run.text.len() < RUN_BYTES && run.bodies.len() <= RUN_BODIES {
            let Some(row) = rows.next()? else {
                run.pass_to(columns.bodies.len() as u32);
                break;
            };
            let place = columns.body_place(row.get(0)?);
            if place < run.end() {
                continue;
            }
            let json = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            let Ok(spoken) = Spoken::read(json) else {
                break;
            };
            run.pass_to(place);
            run.push(&spoken);
        }
        run.text.shrink_to_fit();
        Ok(run)
    }

    /// Bodies that are not stored say nothing.
    fn pass_to(&mut self, place: u32) {
        let n_parts = self.parts.len() as u32;
        let n = place.saturating_sub(self.first) as usize;
        self.bodies.resize(self.bodies.len().max(n + 1), n_parts);
    }

    fn push(&mut self, spoken: &Spoken<'_>) {
        for message in spoken.messages() {
            self.text.push_str(&message.text);
            self.parts.push(Part {
                end: self.text.len() as u32,
                role: message.role,
            });
        }
        self.bodies.push(self.parts.len() as u32);
    }

    fn is_empty(&self) -> bool {
        self.bodies.len() < 2
    }

    /// The place behind its last body.
    pub(super) fn end(&self) -> u32 {
        self.first + (self.bodies.len() as u32).saturating_sub(1)
    }

    /// Where the texts of its bodies from one place to before another are.
    pub(super) fn span(&self, places: &Range<u32>) -> Range<usize> {
        let start_of = |place: u32| {
            let first = self.bodies[(place - self.first) as usize];
            self.start(first as usize)
        };
        start_of(places.start)..start_of(places.end)
    }

    /// All texts, one behind the other.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The body to which the text at a place belongs.
    pub(super) fn body_at(&self, at: usize) -> u32 {
        let part = self.part_at(at) as u32;
        let behind = self.bodies.partition_point(|first| *first <= part);
        self.first + (behind as u32).saturating_sub(1)
    }

    /// Whether a stretch lies within one text of that role, or any.
    pub(super) fn is_within(&self, stretch: &Range<usize>, role: Option<TurnRole>) -> bool {
        let part = self.parts.get(self.part_at(stretch.start));
        part.is_some_and(|part| {
            stretch.end <= part.end as usize && role.is_none_or(|role| part.role == role)
        })
    }

    /// The texts of a body, those of one role or all.
    pub(super) fn texts(&self, place: u32, role: Option<TurnRole>) -> impl Iterator<Item = &str> {
        let body = (place - self.first) as usize;
        let parts = self.bodies[body] as usize..self.bodies[body + 1] as usize;
        let said = parts.filter(move |part| role.is_none_or(|role| self.parts[*part].role == role));
        said.map(|part| &self.text[self.start(part)..self.parts[part].end as usize])
    }

    fn part_at(&self, at: usize) -> usize {
        self.parts.partition_point(|part| part.end as usize <= at)
    }

    fn start(&self, part: usize) -> usize {
        part.checked_sub(1)
            .map_or(0, |before| self.parts[before].end as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        project::{
            Project,
            testing::{chat, project_of, question},
        },
        text::{Message, Record, Role},
    };

    /// Everything that is read, run by run.
    fn texts(project: &mut Project) -> usize {
        let lists = project.lists.get_mut();
        lists.caught_up(&project.store).unwrap();
        let db = project.store.raw();
        while !lists.read_texts(db).unwrap() {}
        lists.texts.runs.len()
    }

    /// What is kept of a body, role by role.
    fn kept(project: &mut Project, body: u32) -> Option<Vec<(TurnRole, String)>> {
        let lists = project.lists.get_mut();
        let run = lists.texts.run_of(body, &lists.columns)?;
        let mut said = Vec::new();
        for role in TurnRole::ALL {
            let texts = run.texts(body, Some(role));
            said.extend(texts.map(|text| (role, text.to_owned())));
        }
        let n_bytes: usize = said.iter().map(|(_, text)| text.len()).sum();
        assert_eq!(run.span(&(body..body + 1)).len(), n_bytes);
        assert_eq!(run.texts(body, None).count(), said.len());
        Some(said)
    }

    fn with_system(i: usize) -> Record {
        let mut record = question(i);
        if let crate::text::Body::Chat(chat) = &mut record.body {
            chat.messages
                .insert(0, Message::new(Role::System, format!("sé breve {i}")));
        }
        record
    }

    #[test]
    fn texts_are_kept_by_body_and_role() {
        let n = RUN_BODIES as u32 + 500;
        let records = (0..n as usize).map(|i| match i % 5 {
            0 => with_system(i),
            1 => chat("", "a"),
            _ => question(i),
        });
        let mut project = project_of(records);
        let db = project.store.raw();
        db.execute("DELETE FROM content WHERE body IN (7, 8, ?1)", [n])
            .unwrap();
        assert_eq!(texts(&mut project), 2);
        assert_eq!(kept(&mut project, 0), Some(Vec::new()));
        assert_eq!(kept(&mut project, 7), Some(Vec::new()));
        assert_eq!(kept(&mut project, n), Some(Vec::new()));
        assert_eq!(kept(&mut project, n + 1), None);
        for body in [1, 6, 9, RUN_BODIES as u32, RUN_BODIES as u32 + 1, n - 1] {
            let json: String = project
                .store
                .raw()
                .query_row("SELECT json FROM content WHERE body = ?1", [body], |row| {
                    row.get(0)
                })
                .unwrap();
            let spoken = Spoken::read(&json).unwrap();
            let mut said: Vec<_> = spoken
                .messages()
                .map(|it| (it.role, it.text.to_string()))
                .collect();
            said.sort_by_key(|(role, _)| TurnRole::ALL.iter().position(|other| other == role));
            assert_eq!(kept(&mut project, body), Some(said), "{body}");
        }
    }

    #[test]
    fn places_in_the_text_are_those_of_their_body() {
        let mut project = project_of([chat("ab", "c"), chat("", ""), chat("d", "ef")]);
        texts(&mut project);
        let lists = project.lists.get_mut();
        let run = lists.texts.run_of(1, &lists.columns).unwrap();
        assert_eq!(run.text(), "abcdef");
        let bodies: Vec<u32> = (0..6).map(|at| run.body_at(at)).collect();
        assert_eq!(bodies, [1, 1, 1, 3, 3, 3]);
        assert!(run.is_within(&(0..2), None) && run.is_within(&(2..3), Some(TurnRole::Assistant)));
        assert!(
            !run.is_within(&(1..3), None) && !run.is_within(&(0..2), Some(TurnRole::Assistant))
        );
    }

    #[test]
    fn what_cannot_be_read_ends_them() {
        let mut project = project_of((0..9).map(question));
        let db = project.store.raw();
        db.execute("UPDATE content SET json = '{' WHERE body = 5", [])
            .unwrap();
        texts(&mut project);
        assert!(kept(&mut project, 4).is_some() && kept(&mut project, 5).is_none());
    }

    #[test]
    fn texts_of_bodies_that_went_are_not_kept() {
        let mut project = project_of((0..9).map(question));
        texts(&mut project);
        let db = project.store.raw();
        let json = r#"{"body":{"chat":{"turns":[{"role":"user","text":"x"}],"tools":[]}}}"#;
        db.execute("UPDATE content SET json = ?1 WHERE body = 9", [json])
            .unwrap();
        db.execute("UPDATE body SET n_chars = 1 WHERE body.id = 9", [])
            .unwrap();
        project.lists.get_mut().caught_up(&project.store).unwrap();
        assert_eq!(kept(&mut project, 9), None);
        texts(&mut project);
        assert_eq!(
            kept(&mut project, 9),
            Some(vec![(TurnRole::User, "x".to_owned())])
        );
    }
}
