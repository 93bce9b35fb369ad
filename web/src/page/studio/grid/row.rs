//! One record in the list.

use std::sync::Arc;

use leptos::prelude::*;
use veneer_core::protocol::studio::{Row, Side, SourceView};

use super::handle::{Grid, NARROW_ROW_PX, ROW_PX};
use crate::{
    state::{
        numbers,
        studio::{
            columns::{Column, Layout},
            highlight::{Highlighter, Part},
        },
    },
    texts::{Language, studio::StudioTexts},
};

/// Letters of a text that fit a line, more or less.
const LINE_CHARS: usize = 48;

/// Tags that fit a cell.
const TAGS: usize = 3;

/// What all rows look at, computed once.
#[derive(Clone, Copy)]
pub(super) struct Outlook {
    grid: Grid,
    pub(super) columns: Memo<Vec<Column>>,
    pub(super) template: Memo<String>,
    shift_px: Memo<f64>,
    sources: Memo<Vec<SourceView>>,
}

impl Outlook {
    pub(super) fn provide(grid: Grid) -> Self {
        Self {
            grid,
            columns: Memo::new(move |_| grid.layout.with(Layout::shown)),
            template: Memo::new(move |_| grid.layout.with(Layout::template)),
            shift_px: Memo::new(move |_| grid.view.with(|view| view.shift_px())),
            sources: Memo::new(move |_| {
                let project = grid.studio.project;
                project
                    .with(|open| open.as_ref().map(|open| open.sources.clone()))
                    .unwrap_or_default()
            }),
        }
    }
}

#[component]
pub(super) fn Line(at: u64, outlook: Outlook) -> impl IntoView {
    let grid = outlook.grid;
    let row = Memo::new_with_compare(
        move |_| grid.rows.with(|rows| rows.get(at).cloned()),
        |before: Option<&Option<Arc<Row>>>, now| before != now,
    );
    let selected = Memo::new(move |_| {
        let record = row.with(|row| row.as_ref().map(|row| row.record));
        record.is_some_and(|record| grid.selection.with(|all| all.contains(record)))
    });
    let is_cursor = Memo::new(move |_| grid.cursor.get() == Some(at));
    let transform = move || {
        let height = if grid.narrow.get() {
            NARROW_ROW_PX
        } else {
            ROW_PX
        };
        let top = at as f64 * height + outlook.shift_px.get();
        format!("translateY({top}px)")
    };
    let record = move || row.with(|row| row.as_ref().map(|row| row.record.0.to_string()));
    let in_reach = move || match (is_cursor.get(), grid.cursor.with(Option::is_none), at) {
        (true, _, _) | (false, true, 0) => "0",
        _ => "-1",
    };
    let cells = move || {
        let Some(row) = row.get() else {
            return view! { <div class="grid-waiting" role="gridcell">"…"</div> }.into_any();
        };
        let drawing = Drawing {
            row: &row,
            language: grid.app.language.get(),
            sources: &outlook.sources.get(),
            highlighter: grid.highlighter.get(),
        };
        match grid.narrow.get() {
            true => drawing.card().into_any(),
            false => outlook
                .columns
                .with(|columns| drawing.cells(columns))
                .into_any(),
        }
    };
    view! {
        <div
            class="grid-row"
            class:cursor=is_cursor
            class:selected=selected
            role="row"
            id=format!("grid-row-{at}")
            data-testid="grid-row"
            data-row=at.to_string()
            data-record=record
            aria-rowindex=(at + 2).to_string()
            aria-selected=move || selected.get().to_string()
            tabindex=in_reach
            style:transform=transform
        >
            <div class="grid-box" role="gridcell" data-box="row"><span aria-hidden="true"></span></div>
            {cells}
        </div>
    }
}

/// A row and what it takes to write it out.
struct Drawing<'a> {
    row: &'a Row,
    language: Language,
    sources: &'a [SourceView],
    highlighter: Option<Highlighter>,
}

impl Drawing<'_> {
    fn texts(&self) -> &'static StudioTexts {
        self.language.studio()
    }

    fn cells(&self, columns: &[Column]) -> Vec<AnyView> {
        let cells = columns.iter().map(|column| {
            let class = match column.is_number() {
                true => "grid-cell number",
                false => "grid-cell",
            };
            let name = test_name(*column);
            view! { <div class=class role="gridcell" data-column=name>{self.cell(*column)}</div> }
                .into_any()
        });
        cells.collect()
    }

    /// Two lines of text and one of marks, where there is no room for columns.
    fn card(&self) -> impl IntoView + use<> {
        let row = self.row;
        let length = numbers::whole(row.n_chars, self.language);
        view! {
            <div class="grid-card" role="gridcell">
                <p class="grid-card-prompt">{self.text(&row.prompt)}</p>
                <p class="grid-card-answer">{self.text(&row.answer)}</p>
                <p class="grid-card-marks">
                    {self.findings()}{self.side()}{self.tags()}
                    <span class="hint">{length}</span>
                </p>
            </div>
        }
    }

    fn cell(&self, column: Column) -> AnyView {
        let row = self.row;
        let number = |n: Option<u64>| n.map(|n| numbers::whole(n, self.language)).into_any();
        match column {
            Column::Prompt => self.text(&row.prompt).into_any(),
            Column::Answer => self.text(&row.answer).into_any(),
            Column::System => self.text(&row.system).into_any(),
            Column::Findings => self.findings().into_any(),
            Column::Tags => self.tags().into_any(),
            Column::Side => self.side().into_any(),
            Column::Characters => number(Some(row.n_chars)),
            Column::Tokens => number(row.n_tokens),
            Column::Trained => number(row.n_trained),
            Column::Turns => number(Some(u64::from(row.n_turns))),
            Column::Page => number(row.page.map(u64::from)),
            Column::Language => self.language.name_of(&row.language).to_owned().into_any(),
            Column::Reviewer => row.reviewer.clone().into_any(),
            Column::Source => self.source().into_any(),
            Column::Changed => row.changed.then(|| self.texts().grid.changed).into_any(),
        }
    }

    fn text(&self, text: &str) -> Vec<AnyView> {
        let parts = match &self.highlighter {
            Some(highlighter) => highlighter.parts_in_line(text, LINE_CHARS),
            None => vec![Part {
                text: text.to_owned(),
                is_match: false,
            }],
        };
        let parts = parts.into_iter().map(|part| match part.is_match {
            true => view! { <mark>{part.text}</mark> }.into_any(),
            false => part.text.into_any(),
        });
        parts.collect()
    }

    fn findings(&self) -> impl IntoView + use<> {
        let texts = &self.texts().grid;
        let mark = |n: u32, class: &'static str, sign: &'static str, what: &'static str| {
            let n_shown = numbers::whole(u64::from(n), self.language);
            let label = format!("{n_shown} {what}");
            (n > 0).then(|| {
                view! {
                    <span class=class title=label.clone()>
                        <span aria-hidden="true">{sign}</span>{n_shown}
                        <span class="unseen">{what}</span>
                    </span>
                }
            })
        };
        (
            mark(self.row.n_errors, "grid-mark error", "✕ ", texts.errors),
            mark(
                self.row.n_warnings,
                "grid-mark warning",
                "△ ",
                texts.warnings,
            ),
        )
    }

    fn tags(&self) -> impl IntoView + use<> {
        let tags = &self.row.tags;
        let more = tags.len().saturating_sub(TAGS);
        let shown: Vec<_> = tags
            .iter()
            .take(TAGS)
            .map(|tag| view! { <span class="grid-tag" title=tag.clone()>{tag.clone()}</span> })
            .collect();
        (shown, (more > 0).then(|| format!("+{more}")))
    }

    fn side(&self) -> impl IntoView + use<> {
        let texts = &self.texts().grid;
        self.row.side.map(|side| {
            let class = match side {
                Side::Train => "grid-side train",
                Side::Validation => "grid-side validation",
                Side::Test => "grid-side test",
            };
            view! { <span class=class>{texts.side(Some(side))}</span> }
        })
    }

    fn source(&self) -> String {
        let found = self
            .sources
            .iter()
            .find(|source| source.source == self.row.source);
        found.map(|source| source.name.clone()).unwrap_or_default()
    }
}

/// Stable names of columns for tests and styles.
pub(super) fn test_name(column: Column) -> &'static str {
    match column {
        Column::Prompt => "prompt",
        Column::Answer => "answer",
        Column::System => "system",
        Column::Findings => "findings",
        Column::Tags => "tags",
        Column::Side => "side",
        Column::Characters => "characters",
        Column::Tokens => "tokens",
        Column::Trained => "trained",
        Column::Turns => "turns",
        Column::Language => "language",
        Column::Reviewer => "reviewer",
        Column::Source => "source",
        Column::Page => "page",
        Column::Changed => "changed",
    }
}
