//! Which columns there are, in which order, and what the list is sorted by.

use leptos::prelude::*;
use veneer_core::protocol::studio::{Sort, SortBy};

use super::{handle::Grid, row};
use crate::state::studio::columns::{Column, Layout};

#[component]
pub(super) fn ColumnsPanel() -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let order = Memo::new(move |_| {
        let places = grid.layout.with(|layout| layout.places().to_vec());
        places
            .into_iter()
            .map(|place| place.column)
            .collect::<Vec<_>>()
    });
    view! {
        <section class="grid-panel" data-testid="grid-columns-panel" aria-label=move || texts().columns>
            <SortChoice />
            <ul class="grid-columns">
                <For each=move || order.get() key=|column| *column let:column>
                    <One column=column />
                </For>
            </ul>
            <button
                type="button"
                data-testid="grid-columns-reset"
                on:click=move |_| grid.arrange(|layout| *layout = Layout::default())
            >
                {move || texts().reset_columns}
            </button>
        </section>
    }
}

#[component]
fn One(column: Column) -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let name = move || texts().column(column);
    let shown = move || grid.layout.with(|layout| layout.shown().contains(&column));
    let turn = move |_| {
        let shown = grid
            .layout
            .with_untracked(|layout| layout.shown().contains(&column));
        grid.arrange(|layout| layout.show(column, !shown));
    };
    let label = move |text: &str| format!("{text} ({})", name());
    let test = row::test_name(column);
    view! {
        <li>
            <label class="check">
                <input
                    type="checkbox"
                    data-testid=format!("grid-column-{test}")
                    prop:checked=shown
                    on:change=turn
                />
                {name}
            </label>
            <span class="actions small">
                <button
                    type="button"
                    class="quiet"
                    data-testid=format!("grid-column-up-{test}")
                    aria-label=move || label(texts().forward)
                    on:click=move |_| grid.arrange(|layout| layout.shift(column, true))
                >
                    "↑"
                </button>
                <button
                    type="button"
                    class="quiet"
                    data-testid=format!("grid-column-down-{test}")
                    aria-label=move || label(texts().backward)
                    on:click=move |_| grid.arrange(|layout| layout.shift(column, false))
                >
                    "↓"
                </button>
            </span>
        </li>
    }
}

/// The same as the heads do, also where there are none.
#[component]
fn SortChoice() -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let sort = Memo::new(move |_| grid.studio.query.with(|query| query.sort));
    let columns = Column::ALL
        .into_iter()
        .filter(|column| column.sort().is_some());
    let choose = move |event| {
        let name = event_target_value(&event);
        let column = Column::ALL
            .into_iter()
            .find(|column| row::test_name(*column) == name);
        let by = column.and_then(Column::sort).unwrap_or_default();
        let descending = sort.get_untracked().descending;
        grid.ask(|query| query.sort = Sort { by, descending });
    };
    let turn = move |_| grid.ask(|query| query.sort.descending = !query.sort.descending);
    let options = columns.map(|column| {
        view! {
            <option
                value=row::test_name(column)
                selected=move || Some(sort.get().by) == column.sort()
            >
                {move || texts().column(column)}
            </option>
        }
    });
    view! {
        <div class="grid-sort">
            <label for="grid-sort">{move || texts().sort}</label>
            <select id="grid-sort" data-testid="grid-sort" on:change=choose>
                <option value="" selected=move || sort.get().by == SortBy::Position>
                    {move || texts().position}
                </option>
                {options.collect::<Vec<_>>()}
            </select>
            <button
                type="button"
                data-testid="grid-sort-direction"
                on:click=turn
            >
                {move || match sort.get().descending {
                    true => texts().descending,
                    false => texts().ascending,
                }}
            </button>
        </div>
    }
}
