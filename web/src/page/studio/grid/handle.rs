//! What the parts of the list share: rows, cursor, selection, the query that is being made.

use leptos::{html, prelude::*};
use veneer_core::protocol::{
    studio::{
        Facets, FindingsView, Query, RecordKey, Row, Search, StudioOutcome, StudioRequest, Target,
    },
    tab::{FaultKind, RequestId},
};

use crate::{
    page::{handle::App, studio::handle::Studio},
    state::{
        message::sentence,
        studio::{
            columns::{self, Layout},
            highlight::Highlighter,
            rows::Rows,
            selection::Selection,
            viewport::Viewport,
        },
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
    pub(super) opened: RwSignal<bool>,
    pub(super) view: Memo<Viewport>,
    /// Place of the list where the keyboard is.
    pub(super) cursor: RwSignal<Option<u64>>,
    pub(super) selection: RwSignal<Selection>,
    pub(super) layout: RwSignal<Layout>,
    pub(super) panel: RwSignal<Option<Panel>>,
    pub(super) question: RwSignal<Option<Question>>,
    pub(super) highlighter: Memo<Option<Highlighter>>,
    /// What is wrong with the search.
    pub(super) search_fault: RwSignal<Option<String>>,
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
            open.track();
            self.rows.update(Rows::clear);
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
            asked.track();
            self.selection.set(Selection::default());
            self.cursor.set(None);
            self.search_fault.set(None);
            self.scroll_to_px(0.0);
        });
    }

    /// Asks for rows whenever others are in sight or records have changed.
    fn keep_up(self) {
        Effect::new(move || {
            let version = self.studio.version.get();
            let n = self.studio.list.with_untracked(|list| list.n);
            let visible = self.view.with_untracked(Viewport::visible);
            self.rows.update(|rows| {
                rows.renew(version, &visible);
                rows.cut(n);
            });
            self.cursor.update(|cursor| {
                *cursor = cursor.and_then(|at| n.checked_sub(1).map(|last| at.min(last)));
            });
            self.feed();
        });
        let rendered = Memo::new(move |_| self.view.with(Viewport::rendered));
        Effect::new(move || {
            rendered.track();
            self.feed();
        });
    }

    /// Asks for rows that are lacking, unless an answer is on its way: then with that.
    fn feed(self) {
        if self.asking.get_value() || self.height_px.get_untracked() == 0.0 {
            return;
        }
        let view = self.view.get_untracked();
        let rows = self.rows;
        let wanted =
            rows.with_untracked(|rows| rows.wanted(&view.visible(), &view.rendered(), view.n));
        let Some(wanted) = wanted else { return };
        let version = rows.with_untracked(Rows::version);
        let request = StudioRequest::Window {
            from: wanted.from,
            n: wanted.n,
        };
        self.asking.set_value(true);
        let take = move |outcome: &StudioOutcome| {
            self.asking.set_value(false);
            if let StudioOutcome::Window(window) = outcome {
                let visible = self.view.with_untracked(Viewport::visible);
                rows.update(|rows| rows.put(window, version, &visible));
                if self.studio.list.with_untracked(|list| list.n) != window.n {
                    self.studio.list.update(|list| list.n = window.n);
                }
                self.settle();
                self.feed();
            }
        };
        let fail = move |fault: &veneer_core::protocol::tab::Fault| {
            self.asking.set_value(false);
            self.app.complain(fault.clone());
        };
        if self.studio.ask_or(request, &[], take, fail).is_none() {
            self.asking.set_value(false);
        }
    }

    /// Rows came: the record at the cursor is shown, or the one that is shown is found again.
    fn settle(self) {
        let current = self.studio.current.get_untracked();
        let Some(at) = self.cursor.get_untracked() else {
            let n = self.studio.list.with_untracked(|list| list.n);
            let found = current.and_then(|record| {
                let places = self.view.with_untracked(Viewport::rendered);
                self.rows.with_untracked(|rows| rows.find(record, places))
            });
            match found {
                Some(at) => self.cursor.set(Some(at)),
                // A list that nobody has touched begins at its first record.
                None if current.is_none() && n > 0 => {
                    self.follows.set_value(true);
                    self.cursor.set(Some(0));
                    self.settle();
                }
                None => {}
            }
            return;
        };
        let here = self
            .rows
            .with_untracked(|rows| rows.fresh(at).map(|row| row.record));
        if self.follows.get_value() {
            if here.is_some() {
                self.follows.set_value(false);
                self.show(here);
            }
        } else if let Some(record) = current.filter(|current| here != Some(*current)) {
            let places = self.view.with_untracked(Viewport::rendered);
            let found = self.rows.with_untracked(|rows| rows.find(record, places));
            if found.is_some() {
                self.cursor.set(found);
            }
        }
    }

    fn show(self, record: Option<RecordKey>) {
        if self.studio.current.get_untracked() != record {
            self.studio.current.set(record);
        }
    }

    /// The cursor goes to a place; its record is shown when the cursor rests.
    pub(super) fn go_to(self, at: u64) {
        let n = self.studio.list.with_untracked(|list| list.n);
        let Some(last) = n.checked_sub(1) else { return };
        let at = at.min(last);
        self.cursor.set(Some(at));
        if let Some(px) = self.view.with_untracked(|view| view.scroll_to(at)) {
            self.scroll_to_px(px);
        }
        self.follows.set_value(true);
        let now = window().performance().map_or(0.0, |clock| clock.now());
        let is_held = now - self.moved_ms.get_value() < 120.0;
        self.moved_ms.set_value(now);
        if let Some(waiting) = self.resting.get_value() {
            waiting.clear();
            self.resting.set_value(None);
        }
        // A key that is held down runs through records that nobody reads.
        match is_held {
            false => self.settle(),
            true => {
                let wait = std::time::Duration::from_millis(90);
                let rest = set_timeout_with_handle(move || self.settle(), wait);
                self.resting.set_value(rest.ok());
            }
        }
    }

    /// Records go from the list: the one that comes to the cursor's place is shown next.
    pub(super) fn follow(self) {
        self.follows.set_value(true);
    }

    pub(super) fn scroll_to_px(self, px: f64) {
        if let Some(scroller) = self.scroller.get_untracked() {
            scroller.set_scroll_top(px.round() as i32);
        }
        self.scroll_px.set(px);
    }

    /// The row at the cursor, if it is there.
    pub(super) fn row_at_cursor(self) -> Option<std::sync::Arc<Row>> {
        let at = self.cursor.get_untracked()?;
        self.rows.with_untracked(|rows| rows.get(at).cloned())
    }

    /// What a change goes to: the selection, else the record at the cursor; and how many that is.
    pub(super) fn target(self) -> Option<(Target, u64)> {
        let n = self.studio.list.with_untracked(|list| list.n);
        let selected = self
            .selection
            .with_untracked(|selection| Some((selection.target(n)?, selection.len(n))));
        selected.or_else(|| {
            let row = self.row_at_cursor()?;
            Some((Target::Records(vec![row.record]), 1))
        })
    }

    /// Says something for a moment.
    pub(super) fn tell(self, text: String) {
        self.told.set(text.clone());
        let forget = move || {
            if self.told.get_untracked() == text {
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

    /// Changes the query and has the list made anew.
    pub(super) fn ask(self, change: impl FnOnce(&mut Query)) {
        let mut query = self.studio.query.get_untracked();
        change(&mut query);
        self.studio.query.set(query.clone());
        if let Some(earlier) = self.pending.get_untracked() {
            self.studio.cancel(earlier);
        }
        let is_search = query.search.is_some();
        let id = StoredValue::new(None::<RequestId>);
        let is_latest = move || self.pending.get_untracked() == id.get_value();
        let done = move |_: &StudioOutcome| {
            if is_latest() {
                self.pending.set(None);
                self.search_fault.set(None);
            }
        };
        let failed = move |fault: &veneer_core::protocol::tab::Fault| {
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
        id.set_value(asked);
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

fn row_px(narrow: bool) -> f64 {
    match narrow {
        true => NARROW_ROW_PX,
        false => ROW_PX,
    }
}

fn highlighter(search: Option<&Search>) -> Option<Highlighter> {
    search.and_then(|search| Highlighter::new(search).ok().flatten())
}
