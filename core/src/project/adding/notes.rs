//! What is to be known of files that were imported, beside what could not be read.

use crate::protocol::studio::{ImportNote, Phrase, Said, SourceView};

/// What is said of `new` sources whose file has records in the project from another time.
pub(super) fn imported_before(all: &[SourceView], new: &[i64]) -> impl Iterator<Item = ImportNote> {
    let is_new = |source: &SourceView| new.contains(&i64::from(source.source));
    let is_same = |one: &SourceView, other: &SourceView| {
        !one.sha256.is_empty() && (&one.sha256, &one.name) == (&other.sha256, &other.name)
    };
    let was_before = move |one: &&SourceView| {
        let mut others = all.iter().filter(|other| !is_new(other));
        is_new(one) && others.any(|other| is_same(one, other))
    };
    let said = || Said::new(Phrase::SameFileBefore, []);
    all.iter().filter(was_before).map(move |source| ImportNote {
        part: source.name.clone(),
        said: said(),
    })
}
