//! Files that were looked into and are at hand for an import.

use std::{collections::BTreeMap, rc::Rc};

use veneer_core::{
    documents::{self, Part},
    protocol::{
        studio::{PartKey, PartKind, PartView, Reading},
        tab::{Fault, FaultKind},
    },
};

use super::input::UserFile;
use crate::state::studio::naming;

/// Parts by the keys that the page knows them by. Keys are never used twice.
#[derive(Default)]
pub(super) struct Inspected {
    parts: BTreeMap<PartKey, Part>,
    last: u32,
}

impl Inspected {
    /// Looks into a file and keeps what was found, as it was guessed. `remembered` knows how parts were
    /// read before.
    pub(super) fn look_into(
        &mut self,
        file: UserFile,
        language: &str,
        remembered: impl Fn(&Part) -> Option<Reading>,
    ) -> Vec<PartView> {
        let parts = documents::inspect(Rc::new(file));
        let mut views = Vec::with_capacity(parts.len());
        for mut part in parts {
            self.last += 1;
            part.view.part = PartKey(self.last);
            part.suggest_in(language);
            let mut view = part.view.clone();
            if let Some(reading) = remembered(&part) {
                view.reading = reading;
                view.remembered = true;
            }
            views.push(view);
            self.parts.insert(part.view.part, part);
        }
        views
    }

    /// Marks what only tells of data that was found with it, once all of it was looked into.
    pub(super) fn mark_companions(&mut self, views: &mut [PartView]) {
        let (Some(first), Some(last)) = (views.first(), views.last()) else {
            return;
        };
        let found = self.parts.range_mut(first.part..=last.part);
        documents::mark_companions(found.map(|(_, part)| part));
        for view in views {
            let part = self.parts.get(&view.part);
            view.beside = part.is_some_and(|part| part.view.beside);
        }
    }

    /// # Errors
    /// [`FaultKind::CannotDo`] where the part was forgotten, as after the worker was started anew.
    pub(super) fn part(&self, key: PartKey) -> Result<Part, Fault> {
        self.parts.get(&key).cloned().ok_or_else(|| {
            Fault::new(
                FaultKind::CannotDo,
                "the file is not at hand any more; choose it again",
            )
        })
    }

    /// The parts that an import names.
    pub(super) fn parts(
        &self,
        wanted: Vec<(PartKey, Reading)>,
    ) -> Result<Vec<(Part, Reading)>, Fault> {
        let find = |(key, reading)| Ok((self.part(key)?, reading));
        wanted.into_iter().map(find).collect()
    }

    pub(super) fn forget(&mut self) {
        self.parts.clear();
    }
}

/// Under which the reading of a part is remembered; `None` where it has no columns.
pub(super) fn reading_key(view: &PartView) -> Option<String> {
    match &view.kind {
        PartKind::Table { columns } => Some(naming::reading_key(columns)),
        _ => None,
    }
}
