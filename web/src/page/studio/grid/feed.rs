//! Rows for what is in sight, and the record at the cursor for the editor.

use leptos::prelude::*;
use veneer_core::protocol::{
    studio::{RecordKey, Row, StudioOutcome, StudioRequest},
    tab::Fault,
};

use super::{
    handle::{Grid, Question},
    table,
};
use crate::state::studio::{
    rows::{CHUNK, Rows},
    selection::{Listing, Selection},
    viewport::Viewport,
};

/// Moves that follow each other faster are those of a key that is held down.
const HELD_MS: f64 = 120.0;

/// How long the cursor rests before a record that was run through is shown.
const REST_MS: u64 = 90;

impl Grid {
    /// Asks for rows whenever others are in sight or records have changed.
    pub(super) fn keep_up(self) {
        Effect::new(move |before: Option<Listing>| {
            let version = self.studio.version.get();
            let n = self.studio.list.with_untracked(|list| list.n);
            let visible = self.view.with_untracked(Viewport::visible);
            self.rows.update(|rows| {
                rows.renew(version, &visible);
                rows.cut(n);
            });
            self.cursor.update(|cursor| {
                *cursor = cursor.and_then(|at| n.checked_sub(1).map(|last| at.min(last)));
            });
            let now = self.listing(n);
            if let Some(before) = before {
                self.go_on_in(&now, &before);
            }
            self.feed();
            now
        });
        // A short list is in the document as a whole before its height is known, so that the rows
        // alone would not tell when it is. (A memo that is only tracked, never read, tells nothing.)
        let in_sight = Memo::new(move |_| {
            let is_measured = self.height_px.get() > 0.0;
            is_measured.then(|| self.view.with(Viewport::rendered))
        });
        Effect::new(move || {
            in_sight.read();
            self.feed();
        });
        self.replace_lost();
    }

    fn listing(self, n: u64) -> Listing {
        let query = self.studio.listed.get_value();
        let project = self.studio.project;
        project.with_untracked(|project| Listing::new(query, n, project.as_ref()))
    }

    /// What was chosen in the list before, as far as it means the same records in the one that is there
    /// now. The cursor is lost until rows show where its record went.
    fn go_on_in(self, now: &Listing, before: &Listing) {
        if now.is_resorted(before) {
            self.follows.set_value(false);
            self.cursor.set(None);
        }
        let follow = |selection: &mut Selection| {
            let is_lost = selection.follow(now, before);
            (is_lost, is_lost)
        };
        let is_lost = self.selection.try_maybe_update(follow) == Some(true);
        let question = self.question.get_untracked();
        // What is asked about a selection is not meant for the record at the cursor.
        if is_lost && question.is_some_and(|question| question != Question::EmptyTrash) {
            self.question.set(None);
        }
    }

    /// The record that was shown is gone: the one that came to its place is shown next.
    fn replace_lost(self) {
        Effect::new(move |before: Option<Option<RecordKey>>| {
            let now = self.studio.current.get();
            if let (None, Some(lost @ Some(_))) = (now, before) {
                self.follow();
                // Rows from before still have it there; newer ones are on their way.
                if self.row_at_cursor().map(|row| row.record) != lost {
                    self.settle();
                }
            }
            now
        });
    }

    /// Asks for rows that are lacking, unless an answer is on its way: then with that.
    fn feed(self) {
        if self.asking.get_value() || self.height_px.get_untracked() == 0.0 {
            return;
        }
        let view = self.view.get_untracked();
        let rows = self.rows;
        let wanted =
            rows.with_untracked(|rows| rows.wanted(&view.visible(), &view.rendered(), view.n));
        let Some(wanted) = wanted else { return };
        let version = rows.with_untracked(Rows::version);
        let request = StudioRequest::Window {
            from: wanted.from,
            n: wanted.n,
        };
        self.asking.set_value(true);
        let take = move |outcome: &StudioOutcome| {
            if self.is_gone() {
                return;
            }
            self.asking.set_value(false);
            if let StudioOutcome::Window(window) = outcome {
                let visible = self.view.with_untracked(Viewport::visible);
                rows.update(|rows| rows.put(window, version, &visible));
                if self.studio.list.with_untracked(|list| list.n) != window.n {
                    self.studio.list.update(|list| list.n = window.n);
                }
                self.settle();
                self.feed();
            }
        };
        let fail = move |fault: &Fault| {
            self.asking.set_value(false);
            self.app.complain(fault.clone());
        };
        if self.studio.ask_or(request, &[], take, fail).is_none() {
            self.asking.set_value(false);
        }
    }

    /// Rows came: the record at the cursor is shown, or the one that is shown is found again.
    fn settle(self) {
        if self.is_gone() {
            return;
        }
        let current = self.studio.current.get_untracked();
        let Some(at) = self.cursor.get_untracked() else {
            let n = self.studio.list.with_untracked(|list| list.n);
            let found = current.and_then(|record| {
                let places = self.view.with_untracked(Viewport::rendered);
                self.rows.with_untracked(|rows| rows.find(record, places))
            });
            // A list that nobody has touched begins at its first record, and so does a new one that has
            // the keyboard already.
            let is_entered = self.pending.get_untracked().is_none() && table::has_focus();
            match found {
                Some(at) => {
                    self.cursor.set(Some(at));
                    table::follow_cursor(self);
                }
                None if (current.is_none() || is_entered) && n > 0 => {
                    self.follows.set_value(true);
                    self.cursor.set(Some(0));
                    table::follow_cursor(self);
                    self.settle();
                }
                None => {}
            }
            return;
        };
        let here = self
            .rows
            .with_untracked(|rows| rows.fresh(at).map(|row| row.record));
        if self.follows.get_value() {
            if here.is_some() {
                self.follows.set_value(false);
                self.show(here);
            }
        } else if let Some(record) = current.filter(|current| here != Some(*current)) {
            let places = self.view.with_untracked(Viewport::rendered);
            let near = at.saturating_sub(CHUNK)..at.saturating_add(CHUNK);
            let found = self.rows.with_untracked(|rows| {
                rows.find(record, places)
                    .or_else(|| rows.find(record, near))
            });
            if found.is_some() {
                self.cursor.set(found);
                table::follow_cursor(self);
            } else if table::has_focus() && self.is_behind(at) {
                self.show(here);
            }
        }
    }

    /// Whether the list has another record at the cursor than the editor shows, and none is being
    /// opened. Keys of the list would change what nobody sees.
    pub(super) fn is_behind(self, at: u64) -> bool {
        let here = self
            .rows
            .with_untracked(|rows| rows.fresh(at).map(|row| row.record));
        let is_at_cursor = self.cursor.get_untracked() == Some(at);
        let is_shown = here == self.studio.current.get_untracked();
        is_at_cursor && !self.is_opening() && here.is_some() && !is_shown
    }

    /// Whether keys that change the record of a row change what the editor shows, or is about to.
    pub(super) fn is_meant(self, row: &Row) -> bool {
        let current = self.studio.current.get_untracked();
        self.is_opening() || current.is_none_or(|current| current == row.record)
    }

    fn is_opening(self) -> bool {
        self.follows.get_value() || self.studio.is_written_next.get_untracked()
    }

    fn show(self, record: Option<RecordKey>) {
        if self.studio.current.get_untracked() != record {
            self.studio.current.set(record);
        }
    }

    /// The cursor goes to a place; its record is shown when the cursor rests.
    pub(super) fn go_to(self, at: u64) {
        let n = self.studio.list.with_untracked(|list| list.n);
        let Some(last) = n.checked_sub(1) else { return };
        let at = at.min(last);
        self.cursor.set(Some(at));
        if let Some(px) = self.view.with_untracked(|view| view.scroll_to(at)) {
            self.scroll_to_px(px);
        }
        self.follows.set_value(true);
        let now = window().performance().map_or(0.0, |clock| clock.now());
        let is_held = now - self.moved_ms.get_value() < HELD_MS;
        self.moved_ms.set_value(now);
        if let Some(waiting) = self.resting.get_value() {
            waiting.clear();
            self.resting.set_value(None);
        }
        // A key that is held down runs through records that nobody reads.
        match is_held {
            false => self.settle(),
            true => {
                let wait = std::time::Duration::from_millis(REST_MS);
                let rest = set_timeout_with_handle(move || self.settle(), wait);
                self.resting.set_value(rest.ok());
            }
        }
    }

    /// Records go from the list: the one that comes to the cursor's place is shown next.
    pub(super) fn follow(self) {
        self.follows.set_value(true);
    }

    pub(super) fn scroll_to_px(self, px: f64) {
        if let Some(scroller) = self.scroller.get_untracked() {
            scroller.set_scroll_top(px.round() as i32);
        }
        self.scroll_px.set(px);
    }
}
