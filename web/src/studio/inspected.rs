//! Files that were looked into and are at hand for an import.

use std::{collections::BTreeMap, rc::Rc};

use veneer_core::{
    documents::{self, Part},
    protocol::{
        studio::{PartKey, PartView, Reading},
        tab::{Fault, FaultKind},
    },
};

use super::input::UserFile;

/// Parts by the keys that the page knows them by. Keys are never used twice.
#[derive(Default)]
pub(super) struct Inspected {
    parts: BTreeMap<PartKey, Part>,
    last: u32,
}

impl Inspected {
    /// Looks into a file and keeps what was found.
    pub(super) fn look_into(&mut self, file: UserFile) -> Vec<PartView> {
        let parts = documents::inspect(Rc::new(file));
        let mut views = Vec::with_capacity(parts.len());
        for mut part in parts {
            self.last += 1;
            part.view.part = PartKey(self.last);
            views.push(part.view.clone());
            self.parts.insert(part.view.part, part);
        }
        views
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
