//! Where the parts of a DOCX lie (ECMA-376, part 2, 9.3).
//!
//! `_rels/.rels` names the part that is the document, `word/_rels/document.xml.rels` those that belong to
//! it. Most programs call them as Word does; some do not.

use super::docx::{Seen, attribute};

/// What a part refers to, by the end of its type's address: `styles`, `footnotes`.
#[derive(Debug, Default)]
pub(super) struct Relations {
    /// Against which targets stand.
    folder: String,
    targets: Vec<(String, String)>,
}

impl Relations {
    /// Of parts in `folder`, which ends with `/` or is empty.
    pub(super) fn of(folder: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            targets: Vec::new(),
        }
    }

    pub(super) fn see(&mut self, seen: Seen<'_>) {
        let Seen::Open("Relationship", tag) = seen else {
            return;
        };
        let (Some(kind), Some(target)) = (attribute(tag, "Type"), attribute(tag, "Target")) else {
            return;
        };
        let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
        let path = match target.strip_prefix('/') {
            Some(path) => path.to_owned(),
            None => format!("{}{target}", self.folder),
        };
        self.targets.push((kind, path));
    }

    pub(super) fn part(&self, kind: &str) -> Option<&str> {
        let found = self.targets.iter().find(|(known, _)| known == kind);
        found.map(|(_, path)| path.as_str())
    }
}
