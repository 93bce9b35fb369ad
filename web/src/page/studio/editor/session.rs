//! The way of a draft: opened with the record at the cursor, changed, stored, kept where it cannot be.

use std::time::Duration;

use leptos::prelude::*;
use veneer_core::protocol::{
    studio::{RecordKey, RecordView, StudioOutcome, StudioRequest},
    tab::{Fault, FaultKind},
};
use wasm_bindgen::JsCast as _;
use web_sys::HtmlInputElement;

use crate::{
    page::studio::handle::Studio,
    state::studio::draft::{Draft, Saving, Unsaved},
};

/// How long nothing is typed before it is stored.
const PAUSE: Duration = Duration::from_millis(600);

impl Studio {
    /// The record that is opened next gets the keyboard; behind the last one there is none.
    pub(in crate::page) fn write_in_next(self) {
        self.is_written_next.set(true);
        set_timeout(
            move || self.is_written_next.set(false),
            Duration::from_secs(1),
        );
    }

    /// Changes the draft; it is stored when nothing more comes for a moment.
    pub(in crate::page) fn edit(self, how: impl FnOnce(&mut Draft)) {
        let revision = self.change_draft(|draft| {
            how(draft);
            draft.revision
        });
        let is_latest = move || {
            let now = self
                .draft
                .try_with_untracked(|draft| draft.as_ref().map(|draft| draft.revision));
            now.flatten() == revision
        };
        set_timeout(
            move || {
                if is_latest() {
                    self.save_draft();
                }
            },
            PAUSE,
        );
    }

    /// Changes the draft and stores it at once: a step of its own for undo.
    pub(in crate::page) fn edit_at_once<T>(self, how: impl FnOnce(&mut Draft) -> T) -> Option<T> {
        // What was typed before is another step.
        self.save_draft();
        let result = self.change_draft(how);
        self.save_draft();
        result
    }

    fn change_draft<T>(self, how: impl FnOnce(&mut Draft) -> T) -> Option<T> {
        self.draft
            .try_update(|draft| draft.as_mut().map(how))
            .flatten()
    }

    /// Stores what is not stored yet. While another tab has the project that waits.
    pub(in crate::page) fn save_draft(self) {
        let is_saved = self
            .draft
            .with_untracked(|draft| draft.as_ref().is_none_or(Draft::is_saved));
        if is_saved || self.taken_over.get_untracked() {
            return;
        }
        let sent = self.change_draft(|draft| {
            let unsaved = draft.unsaved();
            draft.send().and(unsaved)
        });
        if let Some(unsaved) = sent.flatten() {
            self.store(unsaved);
        }
    }

    /// Tries everything again that could not be stored.
    pub(in crate::page) fn save_again(self) {
        self.save_draft();
        self.save_waiting();
    }

    /// Gives up what could not be stored in this project; its record may be gone for good.
    pub(in crate::page) fn discard_unsaved(self) {
        self.unsaved
            .update(|list| list.retain(|unsaved| !self.is_open(&unsaved.project)));
        self.draft.set(None);
        self.leave_no_more();
        // The record at the cursor is asked for again.
        self.current.update(|_| {});
    }

    /// Another tab has the project: what could not be stored waits until it is back.
    pub(in crate::page) fn wait_to_save(self) {
        if self
            .draft
            .with_untracked(|draft| draft.as_ref().is_some_and(|it| it.fault.is_some()))
        {
            self.change_draft(|draft| draft.fault = None);
        }
    }

    /// Stores what waits for this project.
    pub(in crate::page) fn save_waiting(self) {
        if self.taken_over.get_untracked() {
            return;
        }
        let mut waiting = self.unsaved.get_untracked();
        waiting.retain(|unsaved| self.is_open(&unsaved.project));
        waiting.retain(|unsaved| self.on_way.with_value(|all| !all.contains(unsaved)));
        for unsaved in waiting {
            self.store(unsaved);
        }
    }

    fn store(self, unsaved: Unsaved) {
        if !self.is_open(&unsaved.project) {
            self.keep(unsaved, None);
            return;
        }
        let request = StudioRequest::SaveRecord {
            record: unsaved.record,
            content: unsaved.content.clone(),
            before: unsaved.before.clone(),
        };
        let (stored, failed) = (unsaved.clone(), unsaved.clone());
        self.on_way.update_value(|all| all.push(unsaved.clone()));
        let asked = self.ask_or(
            request,
            &[],
            move |outcome| {
                self.arrived(&stored);
                if let StudioOutcome::Record(view) = outcome {
                    self.take_stored(&stored, view);
                }
            },
            move |fault| {
                self.arrived(&failed);
                self.keep(failed.clone(), Some(fault.clone()));
            },
        );
        if asked.is_none() {
            self.arrived(&unsaved);
            let fault = Fault::new(FaultKind::Internal, "the studio's worker does not run");
            self.keep(unsaved, Some(fault));
        }
    }

    fn arrived(self, sent: &Unsaved) {
        self.on_way.update_value(|all| {
            if let Some(index) = all.iter().position(|other| other == sent) {
                all.remove(index);
            }
        });
    }

    fn take_stored(self, stored: &Unsaved, view: &RecordView) {
        if self.unsaved.with_untracked(|list| !list.is_empty()) {
            self.unsaved
                .update(|list| list.retain(|other| other != stored));
        }
        let is_shown = self.shows(stored.record);
        if is_shown {
            self.change_draft(|draft| draft.stored(&stored.content, view.clone()));
        }
        self.leave_no_more();
    }

    /// Keeps what could not be stored: in the draft where it still is there, else beside it. Where
    /// another tab has the project, that is why, and it is said already.
    fn keep(self, unsaved: Unsaved, fault: Option<Fault>) {
        let is_said = self.taken_over.get_untracked();
        if self.shows(unsaved.record)
            && let Some(fault) = fault
        {
            self.change_draft(|draft| draft.failed(fault));
            if is_said {
                self.wait_to_save();
            }
            return;
        }
        self.unsaved.update(|list| unsaved.join_into(list));
        if let Some(fault) = fault.filter(|_| !is_said) {
            self.app.complain(fault);
        }
    }

    fn shows(self, record: RecordKey) -> bool {
        self.draft
            .with_untracked(|draft| draft.as_ref().is_some_and(|draft| draft.record() == record))
    }

    fn is_open(self, project: &str) -> bool {
        self.project
            .with_untracked(|open| open.as_ref().is_some_and(|open| open.id == project))
    }

    /// Opens the record at the cursor; what was typed in the one before is stored first.
    pub(super) fn open_record(self, record: Option<RecordKey>, missing: RwSignal<Option<Fault>>) {
        missing.set(None);
        let is_here = self
            .draft
            .with_untracked(|draft| draft.as_ref().is_some_and(|it| self.is_open(&it.project)));
        if is_here && record.is_some_and(|record| self.shows(record)) {
            return;
        }
        self.leave_draft();
        let Some(record) = record else { return };
        self.ask_or(
            StudioRequest::Record { record },
            &[],
            move |outcome| {
                let is_wanted = self.current.get_untracked() == Some(record);
                if let (StudioOutcome::Record(view), true) = (outcome, is_wanted) {
                    self.take_record(view);
                }
            },
            move |fault| match fault.kind {
                FaultKind::CannotDo => self.lose(record),
                // Where another tab has the project, that is said already.
                _ if self.taken_over.get_untracked() => {}
                _ => missing.set(Some(fault.clone())),
            },
        );
    }

    /// Asks again for the record that is shown.
    pub(super) fn refresh_record(self) {
        let shown = self.draft.with_untracked(|draft| {
            let draft = draft.as_ref()?;
            Some((draft.record(), draft.view.in_trash))
        });
        let Some((record, was_in_trash)) = shown else {
            return;
        };
        self.ask_or(
            StudioRequest::Record { record },
            &[],
            move |outcome| {
                if let StudioOutcome::Record(view) = outcome
                    && self.shows(record)
                {
                    self.change_draft(|draft| draft.refresh(view.clone()));
                    let of_trash = self.query.with_untracked(|query| query.filter.trash);
                    if view.in_trash != was_in_trash && view.in_trash != of_trash {
                        self.lose(record);
                    }
                }
            },
            move |fault| {
                if fault.kind == FaultKind::CannotDo {
                    self.lose(record);
                }
            },
        );
    }

    /// A record that went from the project, or over to the other side of the trash, is not shown any
    /// more; the list shows what came to its place. What was typed in it last waits to be stored.
    fn lose(self, record: RecordKey) {
        if self.current.get_untracked() == Some(record) {
            self.current.set(None);
        }
    }

    fn take_record(self, view: &RecordView) {
        let project = self
            .project
            .with_untracked(|open| open.as_ref().map(|open| open.id.clone()))
            .unwrap_or_default();
        let is_this = |other: &&Unsaved| other.record == view.record && other.project == project;
        let kept = self
            .unsaved
            .with_untracked(|list| list.iter().find(is_this).cloned());
        let sent = self
            .on_way
            .with_value(|all| all.iter().rfind(is_this).cloned());
        let draft = match (kept, sent) {
            (None, None) => Draft::new(&project, view.clone()),
            (None, Some(sent)) => Draft::under_way(sent, view.clone()),
            (Some(kept), _) => {
                self.unsaved
                    .update(|list| list.retain(|other| *other != kept));
                Draft::restored(kept, view.clone())
            }
        };
        self.draft.set(Some(draft));
        self.save_draft();
    }

    /// The record goes out of sight.
    pub(super) fn leave_draft(self) {
        if self.draft.with_untracked(Option::is_none) {
            return;
        }
        hand_over();
        self.save_draft();
        let left = self.draft.try_update(Option::take).flatten();
        // What is on its way comes back to `keep` if it fails; anything else would be lost.
        if let Some(draft) = left.filter(|draft| draft.saving() != Saving::UnderWay)
            && let Some(unsaved) = draft.unsaved()
        {
            self.keep(unsaved, None);
        }
    }
}

/// Has the line that is written in tell what stands in it, as it does when it loses the keyboard: once
/// it is gone, the record that it is of is too. Texts of several lines tell at every key.
pub(super) fn hand_over() {
    let active = document().active_element();
    let line = active.and_then(|active| active.dyn_into::<HtmlInputElement>().ok());
    let is_inside = |line: &HtmlInputElement| matches!(line.closest(".editor"), Ok(Some(_)));
    if let Some(line) = line.filter(is_inside) {
        // Neither fails for an element of the page.
        line.blur().ok();
        line.focus().ok();
    }
}
