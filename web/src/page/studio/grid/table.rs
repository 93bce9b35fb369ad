//! The list itself: only the rows in sight, and some around them, are in the document.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{HtmlElement, ResizeObserver};

use super::{
    handle::Grid,
    head::Head,
    picking,
    row::{Line, Outlook},
};
use crate::state::{numbers, studio::viewport::Viewport};

/// Height of the line with the heads, as `grid.css` has it.
const HEAD_PX: f64 = 34.0;

#[component]
pub(super) fn Table() -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let outlook = Outlook::provide(grid);
    let n = move || grid.studio.list.with(|list| list.n);
    let rendered = Memo::new(move |_| grid.view.with(Viewport::rendered));
    // The row with the focus stays in the document wherever the list is scrolled to.
    let places = Memo::new(move |_| {
        let range = rendered.get();
        let n = grid.view.with(|view| view.n);
        let cursor = grid
            .cursor
            .get()
            .filter(|at| *at < n && !range.contains(at));
        let before = cursor.filter(|at| *at < range.start);
        let behind = cursor.filter(|at| *at >= range.end);
        before
            .into_iter()
            .chain(range)
            .chain(behind)
            .collect::<Vec<u64>>()
    });
    // The box and a card, where there is no room for more.
    let n_columns = move || match grid.narrow.get() {
        true => 2,
        false => outlook.columns.with(Vec::len) + 1,
    };
    let total = move || format!("{}px", grid.view.with(|view| view.total_px()));
    let on_scroll = move |_| {
        if let Some(scroller) = grid.scroller.get_untracked() {
            grid.scroll_px.set(f64::from(scroller.scroll_top()));
        }
    };
    measure(grid);
    let width = move || format!("{}px", grid.layout.with(|layout| layout.least_px()));
    view! {
        <div
            class="grid-scroller"
            class:narrow=move || grid.narrow.get()
            data-testid="grid-scroller"
            node_ref=grid.scroller
            style=("--grid-columns", move || outlook.template.get())
            on:scroll=on_scroll
        >
            <div
                class="grid-table"
                role="grid"
                data-testid="grid"
                aria-label=move || texts().title
                aria-multiselectable="true"
                aria-rowcount=move || (n() + 1).to_string()
                aria-colcount=move || n_columns().to_string()
                aria-busy=move || grid.pending.get().is_some().to_string()
                style:min-width=width
                on:click=move |event| picking::click(grid, &event)
                on:dblclick=move |event| picking::double_click(grid, &event)
                on:focusin=move |event| picking::enter(grid, &event)
            >
                <Head />
                <div class="grid-body" role="rowgroup" style:height=total>
                    <For each=move || places.get() key=|at| *at let:at>
                        <Line at=at outlook=outlook />
                    </For>
                </div>
            </div>
        </div>
    }
}

/// Keeps the height of the window on the list, and brings it to where it was when the step is entered.
fn measure(grid: Grid) {
    let observer = StoredValue::new_local(None::<(ResizeObserver, Closure<dyn FnMut()>)>);
    Effect::new(move || {
        let Some(scroller) = grid.scroller.get() else {
            return;
        };
        let element: HtmlElement = scroller.unchecked_into();
        let measured = element.clone();
        let read = move || {
            let height = f64::from(measured.client_height());
            let head = if grid.narrow.get_untracked() {
                0.0
            } else {
                HEAD_PX
            };
            let height = (height - head).max(0.0);
            if grid.height_px.get_untracked() != height {
                grid.height_px.set(height);
            }
        };
        read();
        element.set_scroll_top(grid.scroll_px.get_untracked() as i32);
        let heard = Closure::<dyn FnMut()>::new(read);
        // Every browser that runs the page can observe sizes.
        if let Ok(observed) = ResizeObserver::new(heard.as_ref().unchecked_ref()) {
            observed.observe(&element);
            observer.set_value(Some((observed, heard)));
        }
    });
    on_cleanup(move || {
        observer.update_value(|observer| {
            if let Some((observer, _)) = observer.take() {
                observer.disconnect();
            }
        });
        grid.height_px.set(0.0);
    });
}

/// Puts the focus on the row at the cursor, where the focus is in the list or nowhere.
pub(super) fn focus_cursor(grid: Grid) {
    request_animation_frame(move || {
        let Some(at) = grid.cursor.try_get_untracked().flatten() else {
            return;
        };
        let focused = document().active_element();
        let may = focused.is_none_or(|focused| {
            let in_list = focused.closest(".grid-table").ok().flatten().is_some();
            in_list || focused.tag_name() == "BODY"
        });
        if may {
            focus_row(at);
        }
    });
}

/// Keeps the focus on the row at the cursor, where it is on a row: keys act on what is seen to have it.
pub(super) fn follow_cursor(grid: Grid) {
    if !has_focus() {
        return;
    }
    request_animation_frame(move || {
        let cursor = grid.cursor.try_get_untracked().flatten();
        if let Some(at) = cursor.filter(|_| has_focus()) {
            focus_row(at);
        }
    });
}

/// Whether a row has the focus.
pub(super) fn has_focus() -> bool {
    let focused = document().active_element();
    focused.is_some_and(|focused| focused.class_list().contains("grid-row"))
}

pub(super) fn focus_row(at: u64) {
    let row = document().get_element_by_id(&format!("grid-row-{at}"));
    if let Some(row) = row.and_then(|row| row.dyn_into::<HtmlElement>().ok()) {
        // What cannot take the focus leaves it where it is.
        row.focus().ok();
    }
}

/// `12,345 of 100,000`.
pub(super) fn counted(grid: Grid) -> String {
    let language = grid.app.language.get();
    let texts = &language.studio().grid;
    let list = grid.studio.list.get();
    let n = numbers::whole(list.n, language);
    let text = match list.n == list.n_of {
        true => texts.n_records,
        false => texts.n_of_records,
    };
    let of = numbers::whole(list.n_of, language);
    crate::texts::fill(text, &[("n", &n), ("of", &of)])
}
