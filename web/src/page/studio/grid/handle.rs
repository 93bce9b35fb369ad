//! What the parts of the list share: rows, cursor, selection, the query that is being made.

use leptos::{html, prelude::*};
use veneer_core::protocol::{
    studio::{Facets, FindingsView, Row, Search, Target},
    tab::{Fault, RequestId},
};

use super::table;
use crate::{
    page::{focus, handle::App, studio::handle::Studio},
    state::studio::{
        columns::{self, Layout},
        filters,
        highlight::Highlighter,
        rows::Rows,
        selection::Selection,
        viewport::Viewport,
    },
};

/// Height of a row beside the editor, and where the screen is narrow; as `grid.css` has them.
pub(super) const ROW_PX: f64 = 36.0;
pub(super) const NARROW_ROW_PX: f64 = 86.0;

/// What is unfolded below the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Panel {
    Filters,
    Columns,
    Replace,
}

/// What is asked before a change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Tag,
    Untag,
    Reviewer,
    System,
    Field,
    Move,
    EmptyTrash,
}

/// Everything that the list's components share. Copies are the same list.
#[derive(Clone, Copy)]
pub(in crate::page::studio) struct Grid {
    pub(super) studio: Studio,
    pub(super) app: App,
    pub(super) rows: RwSignal<Rows>,
    pub(super) scroll_px: RwSignal<f64>,
    pub(super) height_px: RwSignal<f64>,
    /// Whether the screen is narrow: list and editor one at a time.
    pub(super) narrow: RwSignal<bool>,
    /// Whether the editor is looked at, where the screen is narrow.
    pub(in crate::page::studio) opened: RwSignal<bool>,
    pub(super) view: Memo<Viewport>,
    /// Place of the list where the keyboard is.
    pub(super) cursor: RwSignal<Option<u64>>,
    pub(super) selection: RwSignal<Selection>,
    pub(super) layout: RwSignal<Layout>,
    pub(super) panel: RwSignal<Option<Panel>>,
    pub(super) question: RwSignal<Option<Question>>,
    pub(super) highlighter: Memo<Option<Highlighter>>,
    /// What is wrong with the search.
    pub(super) search_fault: RwSignal<Option<Fault>>,
    /// The query that the worker is busy with.
    pub(super) pending: RwSignal<Option<RequestId>>,
    pub(super) facets: RwSignal<Facets>,
    pub(super) findings: RwSignal<FindingsView>,
    /// Said for a moment beside the counts.
    pub(super) told: RwSignal<String>,
    pub(super) scroller: NodeRef<html::Div>,
    /// Whether rows were asked for and did not come yet.
    pub(super) asking: StoredValue<bool>,
    /// Whether the record at the cursor becomes the current one when its row is there.
    pub(super) follows: StoredValue<bool>,
    /// When the cursor moved last, and what waits until it rests.
    pub(super) moved_ms: StoredValue<f64>,
    pub(super) resting: StoredValue<Option<TimeoutHandle>>,
}

impl Grid {
    pub(in crate::page::studio) fn get() -> Self {
        expect_context()
    }

    /// A list for as long as the studio is looked at; it outlives the step that shows it.
    pub(in crate::page::studio) fn provide() -> Self {
        let studio = Studio::get();
        let scroll_px = RwSignal::new(0.0);
        let height_px = RwSignal::new(0.0);
        let narrow = RwSignal::new(false);
        let view = Memo::new(move |_| Viewport {
            n: studio.list.with(|list| list.n),
            row_px: row_px(narrow.get()),
            height_px: height_px.get(),
            scroll_px: scroll_px.get(),
        });
        let search = Memo::new(move |_| studio.query.with(|query| query.search.clone()));
        // A pattern that is wrong marks nothing; the worker says what is wrong with it.
        let highlighter = Memo::new_with_compare(
            move |_| search.with(|search| highlighter(search.as_ref())),
            |_, _| true,
        );
        let grid = Self {
            studio,
            app: App::get(),
            rows: RwSignal::default(),
            scroll_px,
            height_px,
            narrow,
            opened: RwSignal::new(false),
            view,
            cursor: RwSignal::default(),
            selection: RwSignal::default(),
            layout: RwSignal::default(),
            panel: RwSignal::default(),
            question: RwSignal::default(),
            highlighter,
            search_fault: RwSignal::default(),
            pending: RwSignal::default(),
            facets: RwSignal::default(),
            findings: RwSignal::default(),
            told: RwSignal::default(),
            scroller: NodeRef::new(),
            asking: StoredValue::new(false),
            follows: StoredValue::new(false),
            moved_ms: StoredValue::new(0.0),
            resting: StoredValue::new(None),
        };
        provide_context(grid);
        grid.start_over_with_each_project();
        grid.start_over_with_each_query();
        grid.keep_up();
        grid
    }

    fn start_over_with_each_project(self) {
        let open = Memo::new(move |_| {
            let project = self.studio.project;
            project.with(|open| open.as_ref().map(|open| open.id.clone()))
        });
        Effect::new(move || {
            open.read();
            self.rows.update(Rows::clear);
            self.selection.set(Selection::default());
            self.cursor.set(None);
            self.facets.set(Facets::default());
            self.findings.set(FindingsView::default());
            self.panel.set(None);
            self.opened.set(false);
            let remembered = self.studio.project.with_untracked(|open| {
                let all = &open.as_ref()?.remembered;
                let found = all.iter().find(|(key, _)| key == columns::REMEMBERED)?;
                Some(Layout::of_text(&found.1))
            });
            self.layout.set(remembered.unwrap_or_default());
        });
    }

    /// Other records than before, also where another part of the studio asked for them.
    fn start_over_with_each_query(self) {
        let asked = Memo::new(move |_| {
            let query = self.studio.query;
            query.with(|query| (query.search.clone(), query.filter.clone()))
        });
        Effect::new(move || {
            asked.read();
            self.selection.set(Selection::default());
            self.cursor.set(None);
            self.search_fault.set(None);
            self.scroll_to_px(0.0);
        });
    }

    /// The row at the cursor, if it is there.
    pub(super) fn row_at_cursor(self) -> Option<std::sync::Arc<Row>> {
        let at = self.cursor.get_untracked()?;
        self.rows.with_untracked(|rows| rows.get(at).cloned())
    }

    /// Whether the studio was left: answers and timers that come later have nothing to show.
    pub(super) fn is_gone(self) -> bool {
        self.rows.is_disposed()
    }

    /// What a change goes to: the selection, else the record at the cursor, which is the one that the
    /// editor shows; and how many that is.
    pub(super) fn target(self) -> Option<(Target, u64)> {
        let n = self.studio.list.with_untracked(|list| list.n);
        let selected = self
            .selection
            .with_untracked(|selection| Some((selection.target(n)?, selection.len(n))));
        selected.or_else(|| {
            let row = self.row_at_cursor().filter(|row| self.is_meant(row))?;
            Some((Target::Records(vec![row.record]), 1))
        })
    }

    /// How many that is now; whoever calls this hears of every other number.
    pub(super) fn n_of_target(self) -> u64 {
        match self.n_selected() {
            0 => self.target().map_or(0, |(_, n)| n),
            n => n,
        }
    }

    /// Puts the focus on the row at the cursor, or on what an empty list offers. False where the list is
    /// out of sight; true also where its rows are still to come, to be tried again with them.
    pub(in crate::page::studio) fn take_focus(self) -> bool {
        if self.narrow.get_untracked() && self.opened.get_untracked() {
            return false;
        }
        let n = self.studio.list.with_untracked(|list| list.n);
        let has_first = self.rows.with_untracked(|rows| rows.fresh(0).is_some());
        match self.cursor.get_untracked() {
            _ if self.pending.get_untracked().is_some() || self.is_loading() => {}
            _ if n == 0 => focus::on(&[".grid-empty button", "#grid-search"]),
            Some(at) => table::focus_row(at),
            None if has_first => {
                self.go_to(0);
                table::focus_row(0);
            }
            None => {}
        }
        true
    }

    /// Whether there are records, and the list of all was not heard of yet.
    fn is_loading(self) -> bool {
        let has_records = self
            .studio
            .project
            .with_untracked(|open| open.as_ref().is_some_and(|open| open.n_records > 0));
        let is_whole = self
            .studio
            .query
            .with_untracked(|query| !query.filter.trash && filters::restrictions(query).is_empty());
        has_records && is_whole && self.studio.list.with_untracked(|list| list.n == 0)
    }

    /// Whoever calls this hears of everything that makes parts of the list come and go.
    pub(in crate::page::studio) fn track(self) {
        self.rows.track();
        self.cursor.track();
        self.selection.track();
        self.layout.track();
        self.panel.track();
        self.question.track();
        self.pending.track();
        self.opened.track();
        self.narrow.track();
    }

    /// Says something for a moment.
    pub(super) fn tell(self, text: String) {
        self.told.set(text.clone());
        let forget = move || {
            if !self.is_gone() && self.told.get_untracked() == text {
                self.told.set(String::new());
            }
        };
        set_timeout(forget, std::time::Duration::from_secs(4));
    }

    /// How many records are selected.
    pub(super) fn n_selected(self) -> u64 {
        let n = self.studio.list.with(|list| list.n);
        self.selection.with(|selection| selection.len(n))
    }
}

fn row_px(narrow: bool) -> f64 {
    match narrow {
        true => NARROW_ROW_PX,
        false => ROW_PX,
    }
}

fn highlighter(search: Option<&Search>) -> Option<Highlighter> {
    search.and_then(|search| Highlighter::new(search).ok().flatten())
}
