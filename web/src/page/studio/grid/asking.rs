//! What the list asks the worker for, beside rows.

use std::{cell::Cell, rc::Rc};

use leptos::prelude::*;
use veneer_core::protocol::{
    studio::{Query, StudioOutcome, StudioRequest},
    tab::{Fault, FaultKind, RequestId},
};

use super::handle::Grid;
use crate::state::{
    message::sentence,
    studio::columns::{self, Layout},
};

impl Grid {
    /// Changes the query and has the list made anew.
    pub(super) fn ask(self, change: impl FnOnce(&mut Query)) {
        let mut query = self.studio.query.get_untracked();
        change(&mut query);
        self.studio.query.set(query.clone());
        if let Some(earlier) = self.pending.get_untracked() {
            self.studio.cancel(earlier);
        }
        let is_search = query.search.is_some();
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
            if is_latest() {
                self.pending.set(None);
            }
            match fault.kind {
                FaultKind::Cancelled => {}
                FaultKind::CannotDo if is_search => {
                    self.search_fault.set(Some(sentence(&fault.detail)));
                }
                _ => self.app.complain(fault.clone()),
            }
        };
        let request = StudioRequest::Query { query };
        let asked = self.studio.ask_or(request, &[], done, failed);
        id.set(asked);
        self.pending.set(asked);
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
        self.studio.ask(StudioRequest::Facets, &[], move |outcome| {
            if let StudioOutcome::Facets(facets) = outcome {
                self.facets.set(facets.clone());
            }
        });
        self.studio
            .ask(StudioRequest::Findings, &[], move |outcome| {
                if let StudioOutcome::Findings(findings) = outcome {
                    self.findings.set(findings.clone());
                }
            });
    }
}
