//! What the list asks the worker for, beside rows.

use std::{cell::Cell, rc::Rc};

use leptos::prelude::*;
use veneer_core::protocol::{
    studio::{Query, StudioOutcome, StudioRequest},
    tab::{Fault, FaultKind, RequestId},
};

use super::{commands, handle::Grid};
use crate::state::studio::columns::{self, Layout};

impl Grid {
    /// Changes the query and has the list made anew.
    pub(super) fn ask(self, change: impl FnOnce(&mut Query)) {
        let mut query = self.studio.query.get_untracked();
        change(&mut query);
        self.studio.query.set(query.clone());
        if let Some(earlier) = self.pending.get_untracked() {
            self.studio.cancel(earlier);
        }
        let asked = query.clone();
        // Not a reactive value: what asked, a chip perhaps, may be gone when the answer comes.
        let id = Rc::new(Cell::new(None::<RequestId>));
        let latest = Rc::clone(&id);
        let is_latest = move || self.pending.try_get_untracked() == Some(latest.get());
        let is_still = is_latest.clone();
        let done = move |_: &StudioOutcome| {
            if is_still() {
                self.pending.set(None);
                self.search_fault.set(None);
            }
        };
        let failed = move |fault: &Fault| {
            let is_latest = is_latest();
            if is_latest {
                self.pending.set(None);
            }
            let is_shown = is_latest && self.studio.query.with_untracked(|now| *now == asked);
            match fault.kind {
                FaultKind::CannotDo if asked.search.is_some() => {
                    if is_shown {
                        self.list_nothing(fault);
                    }
                }
                kind => {
                    if is_shown {
                        self.show_what_is_listed();
                    }
                    if kind != FaultKind::Cancelled {
                        self.app.complain(fault.clone());
                    }
                }
            }
        };
        let request = StudioRequest::Query { query };
        let asked = self.studio.ask_or(request, &[], done, failed);
        id.set(asked);
        self.pending.set(asked);
    }

    /// A search that cannot be understood has no records, here as in the worker: those of the query
    /// before would be shown, and changed, under filters that do not describe them.
    fn list_nothing(self, why: &Fault) {
        self.selection.update(|selection| selection.clear());
        self.studio.list.update(|list| list.n = 0);
        self.studio.is_list_void.set_value(true);
        self.studio.version.update(|version| *version += 1);
        self.search_fault.set(Some(why.clone()));
    }

    /// A query that came to nothing, cancelled perhaps: the one whose records are listed is shown again.
    /// Where none are, since a search could not be understood, the one before that is asked again.
    fn show_what_is_listed(self) {
        let listed = self.studio.listed.get_value();
        if self.studio.is_list_void.get_value() {
            return self.ask(move |query| *query = listed);
        }
        self.studio.is_list_old.set_value(true);
        self.studio.query.set(listed);
    }

    /// Has the list made again where records may have left it since, so that whatever goes to all of it
    /// goes to what matches. What is asked next waits for it.
    pub(super) fn list_again(self) {
        if self.studio.is_list_old.get_value() {
            self.ask(|_| {});
        }
    }

    /// Selects all that match.
    pub(super) fn select_all(self) {
        self.list_again();
        self.selection.update(|selection| selection.select_all());
    }

    /// Changes the columns and has them remembered with the project.
    pub(super) fn arrange(self, change: impl FnOnce(&mut Layout)) {
        self.layout.update(change);
        let value = self.layout.with_untracked(Layout::to_text);
        let key = columns::REMEMBERED.to_owned();
        self.studio.project.update(|open| {
            let Some(open) = open else { return };
            open.remembered.retain(|(other, _)| *other != key);
            open.remembered.push((key.clone(), value.clone()));
        });
        self.studio
            .ask(StudioRequest::Remember { key, value }, &[], |_| {});
    }

    /// Asks again what can be filtered by.
    pub(super) fn ask_facets(self) {
        let request = match commands::in_trash(self) {
            true => StudioRequest::TrashFacets,
            false => StudioRequest::Facets,
        };
        self.studio.ask(request, &[], move |outcome| {
            if let StudioOutcome::Facets(facets) = outcome {
                self.facets.try_set(facets.clone());
            }
        });
        self.studio
            .ask(StudioRequest::Findings, &[], move |outcome| {
                if let StudioOutcome::Findings(findings) = outcome {
                    self.findings.try_set(findings.clone());
                }
            });
    }
}
