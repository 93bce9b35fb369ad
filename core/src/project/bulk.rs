//! Many records at once: one action each time, whatever it does and to however many.
//!
//! What changes a column is one transaction. What changes texts makes the new bodies first, a chunk
//! at a time, and puts them in place in one transaction at the end.

use std::rc::Rc;

use rusqlite::{Connection, OptionalExtension as _};

use super::{
    Project, ProjectError, Step, Task, Work,
    body::insert_body,
    content::{keep_pair, read_body},
    edit::side_number,
    journal::{Changes, Field},
    leftovers::{Working, note_leftovers, settle_leftovers},
    names::change_names,
    order,
    sides::refuse_if_frozen,
    text_edit::TextEdit,
};
use crate::protocol::studio::{
    ActionKind, Change, Changed, RecordKey, Side, StudioProgress, StudioStage, Target,
};

/// Texts that a step changes.
const TEXTS_A_STEP: usize = 256;

impl Project {
    pub fn change(&self, target: Target, change: Change, now_ms: i64) -> Task<Changed> {
        Box::new(ChangeWork {
            stage: Stage::New(Box::new((target, change))),
            now_ms,
            working: Rc::clone(&self.working),
        })
    }
}

struct ChangeWork {
    stage: Stage,
    now_ms: i64,
    #[expect(
        dead_code,
        reason = "held, so that nobody removes the texts made so far"
    )]
    working: Working,
}

enum Stage {
    New(Box<(Target, Change)>),
    Texts(TextChange),
    Over,
}

impl Work for ChangeWork {
    type Output = Changed;

    fn step(&mut self, project: &mut Project) -> Result<Step<Changed>, ProjectError> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::New(asked) => {
                let (target, change) = *asked;
                let records = project.target_ids(&target)?;
                let kind = kind(&change);
                let detail = detail(&change);
                let Some(edit) = TextEdit::of(&change)? else {
                    // Between which others there is room is asked of the table.
                    let is_moved = matches!(change, Change::Move { .. });
                    let act = |changes: &mut Changes<'_>| narrow(changes, &records, change);
                    let changed = match is_moved {
                        true => project.act(kind, &detail, self.now_ms, act),
                        false => project.act_at_once(kind, &detail, self.now_ms, act),
                    };
                    return changed.map(Step::Done);
                };
                let texts = TextChange::new(records, edit, kind, detail);
                let progress = texts.progress();
                self.stage = Stage::Texts(texts);
                Ok(Step::More(progress))
            }
            Stage::Texts(mut texts) => {
                if texts.is_made() {
                    return texts.put_in_place(project, self.now_ms).map(Step::Done);
                }
                texts.make(project)?;
                let progress = texts.progress();
                self.stage = Stage::Texts(texts);
                Ok(Step::More(progress))
            }
            Stage::Over => Err(ProjectError::Cancelled),
        }
    }
}

/// Changes that no text knows of.
fn narrow(changes: &mut Changes<'_>, records: &[u64], change: Change) -> Result<(), ProjectError> {
    match change {
        Change::AddTag(tag) => change_names(changes, Field::Tags, records, |mut tags| {
            tags.push(tag.clone());
            tags
        }),
        Change::RemoveTag(tag) => change_names(changes, Field::Tags, records, |mut tags| {
            tags.retain(|other| *other != tag);
            tags
        }),
        Change::SetSide(side) => {
            refuse_if_frozen(changes.db)?;
            changes.set_all(Field::Side, records, side.map(side_number))
        }
        Change::SetReviewer(name) => changes.set_all(Field::Reviewer, records, name),
        Change::Move { before } => {
            let records = order::in_order(changes.db, records)?;
            order::place(changes, &records, before.map(|RecordKey(record)| record))
        }
        Change::Trash => changes.set_all(Field::State, records, 1),
        Change::TakeBack => changes.set_all(Field::State, records, 0),
        // Texts; see `TextEdit::of`.
        Change::SetField(..) | Change::SetSystem(_) | Change::Replace(_) => Ok(()),
    }
}

fn kind(change: &Change) -> ActionKind {
    match change {
        Change::AddTag(_) => ActionKind::Tag,
        Change::RemoveTag(_) => ActionKind::Untag,
        Change::SetSide(_) | Change::SetReviewer(_) => ActionKind::Assign,
        Change::SetField(..) | Change::SetSystem(_) => ActionKind::Edit,
        Change::Replace(_) => ActionKind::Replace,
        Change::Move { .. } => ActionKind::Move,
        Change::Trash => ActionKind::Trash,
        Change::TakeBack => ActionKind::TakeBack,
    }
}

fn detail(change: &Change) -> String {
    match change {
        Change::AddTag(name) | Change::RemoveTag(name) | Change::SetReviewer(name) => name.clone(),
        Change::SetSide(side) => match side {
            Some(Side::Train) => "train".into(),
            Some(Side::Validation) => "validation".into(),
            Some(Side::Test) => "test".into(),
            None => "none".into(),
        },
        Change::SetField(name, _) => name.clone(),
        Change::SetSystem(_) => "system".into(),
        Change::Replace(replace) => replace.search.text.clone(),
        Change::Move { .. } | Change::Trash | Change::TakeBack => String::new(),
    }
}

/// New texts for records, made a chunk at a time and put in place together.
pub(super) struct TextChange {
    records: Vec<u64>,
    edit: TextEdit,
    kind: ActionKind,
    detail: String,
    n_seen: usize,
    made: Vec<NewText>,
}

struct NewText {
    record: u64,
    /// The body that it was made from.
    from: i64,
    body: i64,
}

impl TextChange {
    pub(super) fn new(records: Vec<u64>, edit: TextEdit, kind: ActionKind, detail: String) -> Self {
        Self {
            records,
            edit,
            kind,
            detail,
            n_seen: 0,
            made: Vec::new(),
        }
    }

    pub(super) fn is_made(&self) -> bool {
        self.n_seen == self.records.len()
    }

    pub(super) fn make(&mut self, project: &mut Project) -> Result<(), ProjectError> {
        let tx = project.store.settled_mut()?.transaction()?;
        if self.n_seen == 0 {
            note_leftovers(&tx)?;
        }
        let end = self.records.len().min(self.n_seen + TEXTS_A_STEP);
        for &record in &self.records[self.n_seen..end] {
            self.made.extend(new_text(&tx, &self.edit, record)?);
        }
        tx.commit()?;
        self.n_seen = end;
        Ok(())
    }

    /// What was edited in the meantime is changed as it is now.
    pub(super) fn put_in_place(
        self,
        project: &mut Project,
        now_ms: i64,
    ) -> Result<Changed, ProjectError> {
        let Self {
            edit, kind, made, ..
        } = self;
        project.act(kind, &self.detail, now_ms, |changes| {
            let mut values = Vec::with_capacity(made.len());
            for text in made {
                if body_of(changes.db, text.record)? == Some(text.from) {
                    values.push((text.record, text.body));
                } else if let Some(again) = new_text(changes.db, &edit, text.record)? {
                    values.push((again.record, again.body));
                }
            }
            changes.set_each(Field::Body, values)?;
            settle_leftovers(changes.db)
        })
    }

    pub(super) fn progress(&self) -> StudioProgress {
        StudioProgress {
            stage: StudioStage::Changing,
            what: self.detail.clone(),
            done: self.n_seen as u64,
            total: self.records.len() as u64,
        }
    }
}

/// `None` where the edit changes nothing, or the record is not there.
fn new_text(
    db: &Connection,
    edit: &TextEdit,
    record: u64,
) -> Result<Option<NewText>, ProjectError> {
    let Some(from) = body_of(db, record)? else {
        return Ok(None);
    };
    if !edit.may_change(db, from)? {
        return Ok(None);
    }
    let (before, origin) = read_body(db, from)?;
    let mut after = before.clone();
    edit.apply(&mut after);
    if after == before {
        return Ok(None);
    }
    keep_pair(&before, &mut after);
    let body = insert_body(db, after, origin)?;
    Ok(Some(NewText { record, from, body }))
}

fn body_of(db: &Connection, record: u64) -> Result<Option<i64>, ProjectError> {
    let mut statement = db.prepare_cached("SELECT body FROM record WHERE id = ?1 AND state < 2")?;
    Ok(statement.query_row([record], |row| row.get(0)).optional()?)
}
