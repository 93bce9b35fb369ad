//! What is to be known of files that were imported, beside what could not be read.

use std::collections::HashSet;

use crate::protocol::studio::{ImportNote, Phrase, Said, SourceView};

/// What is said of `new` sources whose file has records in the project from another time.
pub(super) fn imported_before(all: &[SourceView], new: &[i64]) -> Vec<ImportNote> {
    let new: HashSet<i64> = new.iter().copied().collect();
    let is_new = |source: &&SourceView| new.contains(&i64::from(source.source));
    let (new, before): (Vec<_>, Vec<_>) = all.iter().partition(is_new);
    let file = |source: &SourceView| (source.sha256.clone(), source.name.clone());
    let before: HashSet<_> = before.into_iter().map(file).collect();
    let was_before = |source: &&SourceView| {
        // Where there was no file there is no hash.
        !source.sha256.is_empty() && before.contains(&file(source))
    };
    let noted = |source: &SourceView| ImportNote {
        part: source.name.clone(),
        said: Said::new(Phrase::SameFileBefore, []),
    };
    new.into_iter().filter(was_before).map(noted).collect()
}
