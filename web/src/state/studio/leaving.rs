//! What would be lost when the page goes, and what the browser keeps of it until the next visit.
//!
//! What was typed and is not stored has a key for each record of each project, so that tabs do not
//! take it from each other.
//!
//! Invariant: a tab removes only what it left itself or took back, and only as it was then.

use std::collections::BTreeMap;

use veneer_core::protocol::studio::{ProjectView, ProjectsView};

use super::draft::Unsaved;

/// What the keys of a project begin with.
pub fn keys_of(project: &str) -> String {
    format!("veneer-draft-{project}-")
}

/// Keys and texts.
pub type Entries = Vec<(String, String)>;

/// What this tab has with the browser.
#[derive(Debug, Clone, Default)]
pub struct Left(BTreeMap<String, String>);

impl Left {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Follows what is not stored now. What comes back has to be written, and what has to be removed
    /// where it is still the same.
    pub fn follow(&mut self, unsaved: &[Unsaved]) -> (Entries, Entries) {
        let entry = |one: &Unsaved| {
            let key = format!("{}{}", keys_of(&one.project), one.record.0);
            Some((key, serde_json::to_string(one).ok()?))
        };
        let now: BTreeMap<String, String> = unsaved.iter().filter_map(entry).collect();
        let before = std::mem::replace(&mut self.0, now.clone());
        let gone = before.into_iter().filter(|(key, _)| !now.contains_key(key));
        let gone = gone.collect();
        (now.into_iter().collect(), gone)
    }

    /// Takes back what was left under a key, where nothing else is known of that record.
    pub fn take(&mut self, key: String, text: String, known: &[Unsaved]) -> Option<Unsaved> {
        let left: Unsaved = serde_json::from_str(&text).ok()?;
        let is_this = |one: &Unsaved| one.record == left.record && one.project == left.project;
        if known.iter().any(is_this) {
            return None;
        }
        self.0.insert(key, text);
        Some(left)
    }
}

/// Whether a project is nowhere but in this tab. Of one that is not open it is not known whether
/// anything is in it.
pub fn is_only_here(all: &ProjectsView, open: Option<&ProjectView>) -> bool {
    let in_memory = all.unavailable.is_some();
    let is_open = |id: &String| open.is_some_and(|open| open.id == *id);
    let has_records = open.is_some_and(|open| open.n_records > 0);
    let is_lost = all.lost.as_ref().is_some_and(is_open);
    let others = || all.projects.iter().any(|entry| !is_open(&entry.id));
    (has_records && (in_memory || is_lost)) || (in_memory && others())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::studio::draft::new_content;
    use veneer_core::protocol::studio::{ProjectEntry, RecordKey};

    fn unsaved(project: &str, record: u64) -> Unsaved {
        Unsaved {
            project: project.to_owned(),
            record: RecordKey(record),
            content: new_content(None),
            before: None,
        }
    }

    /// A tab leaves what it has, as the page does with the storage of the browser.
    fn leave(storage: &mut BTreeMap<String, String>, tab: &mut Left, has: &[Unsaved]) {
        let (written, gone) = tab.follow(has);
        storage.extend(written);
        for (key, text) in gone {
            if storage.get(&key) == Some(&text) {
                storage.remove(&key);
            }
        }
    }

    #[test]
    fn a_tab_takes_nothing_from_another() {
        let mut storage = BTreeMap::new();
        let (mut first, mut second) = (Left::default(), Left::default());
        leave(&mut storage, &mut first, &[unsaved("p", 1)]);
        leave(&mut storage, &mut second, &[]);
        assert_eq!(storage.len(), 1, "an empty tab was left");
        leave(
            &mut storage,
            &mut second,
            &[unsaved("p", 2), unsaved("q", 1)],
        );
        assert_eq!(storage.len(), 3);
        leave(&mut storage, &mut second, &[]);
        assert_eq!(storage.len(), 1, "what the second stored goes");
        leave(&mut storage, &mut first, &[]);
        assert_eq!(storage.len(), 0);
    }

    #[test]
    fn what_was_left_stays_until_it_is_stored() {
        let mut storage = BTreeMap::new();
        let left = unsaved("p", 1);
        leave(
            &mut storage,
            &mut Left::default(),
            std::slice::from_ref(&left),
        );
        let (key, text) = storage.first_key_value().unwrap();
        assert!(key.starts_with(&keys_of("p")) && !key.starts_with(&keys_of("q")));
        let mut next = Left::default();
        let (key, text) = (key.clone(), text.clone());
        let known = next.take(key.clone(), text.clone(), std::slice::from_ref(&left));
        assert_eq!(known, None, "what this tab has is newer");
        assert!(next.is_empty());
        assert_eq!(next.take(key, text, &[]), Some(left));
        assert_eq!(storage.len(), 1);
        leave(&mut storage, &mut next, &[]);
        assert_eq!(storage.len(), 0);
    }

    #[test]
    fn another_version_of_a_text_is_not_removed() {
        let mut storage = BTreeMap::new();
        let mut first = Left::default();
        leave(&mut storage, &mut first, &[unsaved("p", 1)]);
        for text in storage.values_mut() {
            text.push(' ');
        }
        leave(&mut storage, &mut first, &[]);
        assert_eq!(storage.len(), 1);
    }

    #[test]
    fn what_lies_in_memory_is_lost_with_the_page() {
        let open = ProjectView {
            id: "p".into(),
            n_records: 1,
            ..ProjectView::default()
        };
        let empty = ProjectView {
            id: "p".into(),
            ..ProjectView::default()
        };
        let entry = |id: &str| ProjectEntry {
            id: id.into(),
            name: String::new(),
            bytes: 0,
            changed_ms: 0,
            open_elsewhere: false,
        };
        let kept = ProjectsView {
            projects: vec![entry("p"), entry("q")],
            ..ProjectsView::default()
        };
        assert!(!is_only_here(&kept, Some(&open)) && !is_only_here(&kept, None));
        let lost = ProjectsView {
            lost: Some("p".into()),
            ..kept.clone()
        };
        assert!(is_only_here(&lost, Some(&open)) && !is_only_here(&lost, None));
        let mut memory = ProjectsView {
            unavailable: Some(String::new()),
            ..kept
        };
        assert!(is_only_here(&memory, None), "it is in the list");
        memory.projects.pop();
        assert!(is_only_here(&memory, Some(&open)) && !is_only_here(&memory, Some(&empty)));
        memory.projects.clear();
        assert!(!is_only_here(&memory, None));
    }
}
