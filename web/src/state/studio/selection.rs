//! Which records are selected: some, or all of the list but some, so that choosing 100 000 is a word.

use std::collections::BTreeSet;

use veneer_core::protocol::studio::{
    ActionKind, ActionView, ProjectView, Query, RecordKey, Target,
};

use super::filters;

/// What is known of a list, which tells it from the one before.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    query: Query,
    n: u64,
    /// What undo would take back, and redo do again.
    undo: Option<ActionView>,
    redo: Option<ActionView>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Chosen {
    Only(BTreeSet<RecordKey>),
    /// Of the current list.
    AllBut(BTreeSet<RecordKey>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    chosen: Chosen,
    /// Place of the list where a range began.
    anchor: Option<u64>,
    /// What the range under way has added, to be taken away where it shrinks.
    added: Vec<RecordKey>,
}

impl Listing {
    pub fn new(query: Query, n: u64, project: Option<&ProjectView>) -> Self {
        Self {
            query,
            n,
            undo: project.and_then(|project| project.undo.clone()),
            redo: project.and_then(|project| project.redo.clone()),
        }
    }

    /// Whether a place means another record because the list goes by something else.
    pub fn is_resorted(&self, before: &Self) -> bool {
        self.query.sort != before.query.sort
    }

    /// Whether records of the list before may not be in this one. That records only came is certain
    /// where nothing restricts the list.
    fn may_lack_some_of(&self, before: &Self) -> bool {
        let is_restricted =
            self.query.filter.trash || !filters::restrictions(&self.query).is_empty();
        let asks_for_others = (&self.query.search, &self.query.filter)
            != (&before.query.search, &before.query.filter);
        let is_other = self.n != before.n || self.is_turned(before);
        asks_for_others
            || self.n < before.n
            || (is_restricted && is_other)
            || self.is_restored(before)
    }

    /// Whether something was taken back since, or done again.
    fn is_turned(&self, before: &Self) -> bool {
        let same = |one: &Option<ActionView>, other: &Option<ActionView>| {
            let ids = (one.as_ref(), other.as_ref());
            matches!(ids, (Some(one), Some(other)) if one.action == other.action)
        };
        same(&self.redo, &before.undo) || same(&self.undo, &before.redo)
    }

    /// Whether a snapshot was gone back to since, or that was taken back: any records may have gone
    /// for as many others.
    fn is_restored(&self, before: &Self) -> bool {
        let restored = |listing: &Self| {
            let latest = listing.undo.as_ref();
            let restored = latest.filter(|action| action.what == ActionKind::Restore);
            restored.map(|action| action.action)
        };
        let now = restored(self);
        let is_undone = self.is_turned(before) && restored(before).is_some();
        is_undone || (now.is_some() && now != restored(before))
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            chosen: Chosen::Only(BTreeSet::new()),
            anchor: None,
            added: Vec::new(),
        }
    }
}

impl Selection {
    pub fn contains(&self, record: RecordKey) -> bool {
        match &self.chosen {
            Chosen::Only(keys) => keys.contains(&record),
            Chosen::AllBut(keys) => !keys.contains(&record),
        }
    }

    /// How many of a list of `n` records.
    pub fn len(&self, n: u64) -> u64 {
        match &self.chosen {
            Chosen::Only(keys) => keys.len() as u64,
            Chosen::AllBut(keys) => n.saturating_sub(keys.len() as u64),
        }
    }

    pub fn is_empty(&self, n: u64) -> bool {
        self.len(n) == 0
    }

    pub fn is_all(&self) -> bool {
        matches!(&self.chosen, Chosen::AllBut(keys) if keys.is_empty())
    }

    pub fn clear(&mut self) {
        *self = Self {
            anchor: self.anchor,
            ..Self::default()
        };
    }

    /// What is selected of a list that was made anew. Records that may not be in it any more would be
    /// changed unseen, and counted; all of it is all that it has now, unless others came unasked.
    /// True where something was selected and is not any more.
    pub fn follow(&mut self, now: &Listing, before: &Listing) -> bool {
        if now.is_resorted(before) || now.n != before.n {
            self.anchor = None;
            self.added.clear();
        }
        let stays_all = self.is_all() && !now.is_turned(before) && !now.is_restored(before);
        if stays_all || !now.may_lack_some_of(before) {
            return false;
        }
        let was_some = !self.is_empty(before.n);
        self.clear();
        was_some
    }

    pub fn select_all(&mut self) {
        self.chosen = Chosen::AllBut(BTreeSet::new());
        self.added.clear();
    }

    /// Turns one record over; a range begins here.
    pub fn toggle(&mut self, at: u64, record: RecordKey) {
        let contained = self.contains(record);
        self.set(record, !contained);
        self.begin(at);
    }

    /// A range that comes next begins here.
    pub fn begin(&mut self, at: u64) {
        self.anchor = Some(at);
        self.added.clear();
    }

    pub fn anchor(&self) -> Option<u64> {
        self.anchor
    }

    /// All places from the anchor to `to`, both ends; without an anchor only `to`.
    pub fn range_to(&self, to: u64) -> std::ops::Range<u64> {
        let from = self.anchor.unwrap_or(to);
        from.min(to)..from.max(to) + 1
    }

    /// Selects the records from the anchor to somewhere in place of those of the range before.
    pub fn extend(&mut self, records: impl IntoIterator<Item = RecordKey>) {
        for record in std::mem::take(&mut self.added) {
            self.set(record, false);
        }
        for record in records {
            if !self.contains(record) {
                self.set(record, true);
                self.added.push(record);
            }
        }
    }

    fn set(&mut self, record: RecordKey, selected: bool) {
        let (keys, holds) = match &mut self.chosen {
            Chosen::Only(keys) => (keys, selected),
            Chosen::AllBut(keys) => (keys, !selected),
        };
        match holds {
            true => keys.insert(record),
            false => keys.remove(&record),
        };
    }

    /// What a change goes to; `None` where nothing is selected.
    pub fn target(&self, n: u64) -> Option<Target> {
        if self.is_empty(n) {
            return None;
        }
        Some(match &self.chosen {
            Chosen::Only(keys) => Target::Records(keys.iter().copied().collect()),
            Chosen::AllBut(keys) => Target::List {
                except: keys.iter().copied().collect(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: u64 = 100_000;

    fn key(n: u64) -> RecordKey {
        RecordKey(n)
    }

    fn keys(range: std::ops::Range<u64>) -> impl Iterator<Item = RecordKey> {
        range.map(RecordKey)
    }

    #[test]
    fn records_are_turned_over() {
        let mut selection = Selection::default();
        assert_eq!(selection.target(N), None);
        selection.toggle(4, key(5));
        selection.toggle(9, key(10));
        selection.toggle(4, key(5));
        assert_eq!(selection.target(N), Some(Target::Records(vec![key(10)])));
        assert_eq!(selection.len(N), 1);
    }

    #[test]
    fn all_but_some_is_said_without_naming_the_others() {
        let mut selection = Selection::default();
        selection.select_all();
        assert!(selection.is_all());
        assert_eq!(selection.len(N), N);
        selection.toggle(6, key(7));
        assert!(!selection.is_all());
        assert!(!selection.contains(key(7)) && selection.contains(key(8)));
        assert_eq!(selection.len(N), N - 1);
        assert_eq!(
            selection.target(N),
            Some(Target::List {
                except: vec![key(7)]
            })
        );
        selection.clear();
        assert_eq!(selection.target(N), None);
    }

    #[test]
    fn all_of_an_empty_list_is_nothing() {
        let mut selection = Selection::default();
        selection.select_all();
        assert_eq!(selection.target(0), None);
    }

    #[test]
    fn a_range_grows_and_shrinks_without_losing_what_was_there() {
        let mut selection = Selection::default();
        selection.toggle(20, key(21));
        selection.begin(10);
        assert_eq!(selection.range_to(14), 10..15);
        selection.extend(keys(11..31));
        assert_eq!(selection.len(N), 20);
        selection.extend(keys(11..13));
        assert_eq!(selection.len(N), 3);
        assert!(selection.contains(key(21)), "selected before the range");
        assert_eq!(selection.range_to(8), 8..11);
    }

    #[test]
    fn ranges_bring_exceptions_back() {
        let mut selection = Selection::default();
        selection.select_all();
        for n in 0..5 {
            selection.toggle(n, key(n));
        }
        selection.begin(1);
        selection.extend(keys(1..3));
        assert_eq!(selection.len(N), N - 3);
        selection.extend(keys(1..2));
        assert_eq!(selection.len(N), N - 4);
    }

    fn action(action: u64, what: ActionKind) -> Option<ActionView> {
        Some(ActionView {
            action,
            what,
            detail: String::new(),
            n_records: 1,
            at_ms: 0,
            undone: false,
        })
    }

    /// A list of `n` records by tag, behind an action.
    fn tagged(n: u64, undo: Option<ActionView>, redo: Option<ActionView>) -> Listing {
        let mut query = Query::default();
        query.filter.tags.push("x".to_owned());
        Listing {
            query,
            n,
            undo,
            redo,
        }
    }

    fn whole(n: u64, undo: Option<ActionView>, redo: Option<ActionView>) -> Listing {
        Listing {
            query: Query::default(),
            ..tagged(n, undo, redo)
        }
    }

    fn some() -> Selection {
        let mut selection = Selection::default();
        selection.toggle(0, key(1));
        selection.toggle(1, key(2));
        selection
    }

    fn all_but_one() -> Selection {
        let mut selection = Selection::default();
        selection.select_all();
        selection.toggle(0, key(1));
        selection
    }

    #[track_caller]
    fn check_left(selection: &Selection, before: &Listing, now: &Listing, n: u64) {
        let mut selection = selection.clone();
        let is_lost = selection.follow(now, before);
        assert_eq!(selection.len(now.n), n);
        assert_eq!(is_lost, n == 0);
    }

    #[test]
    fn what_an_undo_took_out_of_the_list_is_not_selected() {
        let tag = || action(1, ActionKind::Tag);
        let before = tagged(3, tag(), None);
        check_left(&some(), &before, &tagged(0, None, tag()), 0);
        // Neither counted nor excepted, where the exception may have gone.
        let before = tagged(4, action(2, ActionKind::Tag), None);
        let now = tagged(3, tag(), action(2, ActionKind::Tag));
        check_left(&all_but_one(), &before, &now, 0);
        // As many others may have come.
        let now = tagged(4, tag(), action(2, ActionKind::Tag));
        check_left(&some(), &before, &now, 0);
        check_left(&some(), &now, &before, 0);
        let mut all = Selection::default();
        all.select_all();
        check_left(&all, &before, &now, 0);
    }

    #[test]
    fn what_is_selected_stays_with_its_list() {
        let tag = || action(2, ActionKind::Tag);
        let before = whole(9, action(1, ActionKind::Edit), None);
        check_left(&some(), &before, &whole(9, tag(), None), 2);
        let undone = whole(9, action(1, ActionKind::Edit), tag());
        check_left(&some(), &whole(9, tag(), None), &undone, 2);
        check_left(&some(), &before, &whole(10, tag(), None), 2);
        check_left(&some(), &before, &whole(8, tag(), None), 0);
        let before = tagged(9, action(1, ActionKind::Edit), None);
        check_left(&some(), &before, &tagged(9, tag(), None), 2);
        check_left(&some(), &before, &whole(9, tag(), None), 0);
    }

    #[test]
    fn a_list_made_again_is_still_all_selected() {
        let edit = action(1, ActionKind::Edit);
        let (before, now) = (tagged(12, edit.clone(), None), tagged(11, edit, None));
        let mut all = Selection::default();
        all.select_all();
        check_left(&all, &before, &now, 11);
        check_left(&all_but_one(), &before, &now, 0);
        check_left(&some(), &before, &now, 0);
    }

    #[test]
    fn a_snapshot_brings_other_records() {
        let before = whole(9, action(1, ActionKind::Tag), None);
        let restored = whole(9, action(2, ActionKind::Restore), None);
        let undone = whole(
            9,
            action(1, ActionKind::Tag),
            action(2, ActionKind::Restore),
        );
        check_left(&some(), &before, &restored, 0);
        check_left(&some(), &restored, &undone, 0);
        check_left(&some(), &undone, &restored, 0);
        let later = whole(9, action(3, ActionKind::Tag), None);
        check_left(&some(), &restored, &later, 2);
    }

    #[test]
    fn a_range_ends_where_places_mean_other_records() {
        let before = whole(9, None, None);
        let mut now = before.clone();
        now.query.sort.descending = true;
        let mut selection = Selection::default();
        selection.begin(2);
        selection.extend(keys(3..6));
        assert!(!selection.follow(&before, &before));
        assert_eq!(selection.range_to(3), 2..4);
        assert!(!selection.follow(&now, &before));
        assert_eq!(selection.range_to(3), 3..4);
        selection.extend([key(8)]);
        assert_eq!(selection.len(9), 4, "what the range selected stays");
    }

    #[test]
    fn a_range_without_beginning_is_one_record() {
        assert_eq!(Selection::default().range_to(3), 3..4);
    }
}
