//! The heads of the columns: a click sorts, the edge resizes, dragging changes the order.

use leptos::prelude::*;
use veneer_core::protocol::studio::{Sort, SortBy};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent, PointerEvent};

use super::{handle::Grid, row};
use crate::state::studio::columns::{Column, Layout, NARROWEST_PX};

/// What an arrow key adds to a width.
const STEP_PX: f64 = 16.0;

#[component]
pub(super) fn Head() -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let columns = Memo::new(move |_| grid.layout.with(Layout::shown));
    let n = move || grid.studio.list.with(|list| list.n);
    let state = move || {
        let n = n();
        grid.selection.with(|selection| match selection.len(n) {
            0 => "false",
            some if some == n => "true",
            _ => "mixed",
        })
    };
    let turn = move |_| {
        let n = grid.studio.list.with_untracked(|list| list.n);
        let is_whole = grid
            .selection
            .with_untracked(|selection| selection.len(n) == n);
        match is_whole && n > 0 {
            true => grid.selection.update(|selection| selection.clear()),
            false => grid.select_all(),
        }
    };
    let dragged = RwSignal::new(None::<Column>);
    view! {
        <div class="grid-head" role="rowgroup">
            <div class="grid-line" role="row" aria-rowindex="1">
                <div class="grid-box" role="columnheader">
                    <button
                        type="button"
                        class="box"
                        role="checkbox"
                        data-testid="grid-select-all"
                        aria-checked=state
                        aria-label=move || texts().select_all
                        on:click=turn
                    >
                        <span aria-hidden="true"></span>
                    </button>
                </div>
                <For each=move || columns.get() key=|column| *column let:column>
                    <ColumnHead column=column dragged=dragged />
                </For>
            </div>
        </div>
    }
}

#[component]
fn ColumnHead(column: Column, dragged: RwSignal<Option<Column>>) -> impl IntoView {
    let grid = Grid::get();
    let name = move || grid.app.language.get().studio().grid.column(column);
    let sorted = Memo::new(move |_| {
        let sort = grid.studio.query.with(|query| query.sort);
        (Some(sort.by) == column.sort()).then_some(sort.descending)
    });
    let aria = move || match sorted.get() {
        Some(true) => Some("descending"),
        Some(false) => Some("ascending"),
        None => column.sort().map(|_| "none"),
    };
    let arrow = move || match sorted.get() {
        Some(true) => " ↓",
        Some(false) => " ↑",
        None => "",
    };
    let drop = move |event: web_sys::DragEvent| {
        event.prevent_default();
        event.stop_propagation();
        if let Some(moved) = dragged.get_untracked().filter(|moved| *moved != column) {
            grid.arrange(|layout| layout.put_at(moved, column));
        }
        dragged.set(None);
    };
    view! {
        <div
            class="grid-heading"
            class:number=column.is_number()
            role="columnheader"
            aria-sort=aria
            data-column=row::test_name(column)
            on:dragover=move |event| {
                if dragged.get_untracked().is_some() {
                    event.prevent_default();
                    event.stop_propagation();
                }
            }
            on:drop=drop
        >
            <button
                type="button"
                class="quiet"
                draggable="true"
                data-testid=format!("grid-sort-{}", row::test_name(column))
                disabled=column.sort().is_none()
                title=name
                on:dragstart=move |_| dragged.set(Some(column))
                on:dragend=move |_| dragged.set(None)
                on:click=move |_| {
                    if let Some(by) = column.sort() {
                        sort_by(grid, by);
                    }
                }
            >
                {name}<span aria-hidden="true">{arrow}</span>
            </button>
            <Edge column=column />
        </div>
    }
}

/// Up first, then down, then the order of the dataset again.
pub(super) fn sort_by(grid: Grid, by: SortBy) {
    grid.ask(|query| {
        query.sort = match query.sort {
            sort if sort.by != by => Sort {
                by,
                descending: false,
            },
            sort if !sort.descending => Sort {
                by,
                descending: true,
            },
            _ => Sort::default(),
        };
    });
}

/// The edge of a column, to be dragged or moved with the arrow keys.
#[component]
fn Edge(column: Column) -> impl IntoView {
    let grid = Grid::get();
    let px = move || grid.layout.with(|layout| layout.px(column));
    let from = StoredValue::new(None::<(f64, f64)>);
    let label = move || {
        let texts = &grid.app.language.get().studio().grid;
        crate::texts::fill(texts.resize, &[("column", texts.column(column))])
    };
    let down = move |event: PointerEvent| {
        event.prevent_default();
        let Some(edge) = event
            .target()
            .and_then(|t| t.dyn_into::<HtmlElement>().ok())
        else {
            return;
        };
        // Texts share what is left, so the width is read from what is seen.
        let seen = edge
            .parent_element()
            .map(|head| head.get_bounding_client_rect().width());
        edge.set_pointer_capture(event.pointer_id()).ok();
        let width = seen.unwrap_or_else(|| f64::from(grid.layout.with_untracked(|l| l.px(column))));
        from.set_value(Some((f64::from(event.client_x()), width)));
    };
    let moved = move |event: PointerEvent| {
        if let Some((x, width)) = from.get_value() {
            let px = width + f64::from(event.client_x()) - x;
            grid.layout.update(|layout| layout.resize(column, px));
        }
    };
    let up = move |_: PointerEvent| {
        if from.get_value().is_some() {
            from.set_value(None);
            grid.arrange(|_| {});
        }
    };
    let key = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowLeft" => -STEP_PX,
            "ArrowRight" => STEP_PX,
            _ => return,
        };
        event.prevent_default();
        grid.arrange(|layout| layout.resize(column, f64::from(layout.px(column)) + by));
    };
    view! {
        <span
            class="grid-edge"
            role="separator"
            tabindex="0"
            aria-orientation="vertical"
            aria-label=label
            aria-valuemin=NARROWEST_PX.to_string()
            aria-valuenow=move || px().to_string()
            data-testid=format!("grid-resize-{}", row::test_name(column))
            on:pointerdown=down
            on:pointermove=moved
            on:pointerup=up
            on:pointercancel=up
            on:keydown=key
        ></span>
    }
}
