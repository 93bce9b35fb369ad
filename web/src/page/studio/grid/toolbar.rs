//! Search, how many records there are, and what can be unfolded.

use leptos::prelude::*;

use super::{
    commands,
    handle::{Grid, Panel, Question},
    search_box::SearchBox,
    table,
};
use crate::{
    page::studio::keys::Keys,
    state::{
        numbers,
        studio::{filters, shortcuts::Command},
    },
    texts::fill,
};

#[component]
pub(super) fn Toolbar() -> impl IntoView {
    let grid = Grid::get();
    let keys = Keys::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let n_filters = move || {
        let query = grid.studio.query.get();
        let all = filters::restrictions(&query);
        match all.len() - usize::from(query.search.is_some()) {
            0 => String::new(),
            n => format!(" ({n})"),
        }
    };
    view! {
        <div class="grid-toolbar">
            <SearchBox />
            <div class="grid-bar">
                <Counts />
                <div class="actions small">
                    <Fold panel=Panel::Filters command=Command::Filters name="grid-filters"
                        text=Signal::derive(move || format!("{}{}", texts().filters, n_filters())) />
                    <Fold panel=Panel::Columns command=Command::Columns name="grid-columns"
                        text=Signal::derive(move || texts().columns.to_owned()) />
                    <Fold panel=Panel::Replace command=Command::Replace name="grid-replace"
                        text=Signal::derive(move || texts().replace.to_owned()) />
                    <TrashButtons />
                    <button
                        type="button"
                        data-testid="grid-new"
                        title=move || keys.shown(Command::NewRecord)
                        on:click=move |_| commands::new_record(grid)
                    >
                        {move || texts().new_record}
                    </button>
                    <button
                        type="button"
                        class="quiet"
                        data-testid="grid-help"
                        aria-label=move || grid.app.language.get().studio().shortcuts.title
                        on:click=move |_| keys.fire(Command::Help)
                    >
                        "?"
                    </button>
                </div>
            </div>
        </div>
    }
}

/// A button that unfolds something below.
#[component]
fn Fold(
    panel: Panel,
    command: Command,
    name: &'static str,
    #[prop(into)] text: Signal<String>,
) -> impl IntoView {
    let grid = Grid::get();
    let keys = Keys::get();
    view! {
        <button
            type="button"
            data-testid=name
            title=move || keys.shown(command)
            aria-expanded=move || (grid.panel.get() == Some(panel)).to_string()
            on:click=move |_| commands::unfold(grid, panel)
        >
            {text}
        </button>
    }
}

/// How many records are shown, of how many, and how many are selected.
#[component]
fn Counts() -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let selected = move || match grid.n_selected() {
        0 => None,
        n => {
            let n = numbers::whole(n, grid.app.language.get());
            Some(fill(texts().n_selected, &[("n", &n)]))
        }
    };
    // How many match is not known of a search that cannot be understood.
    let text = Memo::new(move |_| match grid.search_fault.with(Option::is_some) {
        true => "–".to_owned(),
        false => table::counted(grid),
    });
    let said = Memo::new(move |_| {
        let is_known = grid.pending.get().is_none() && grid.search_fault.with(Option::is_none);
        is_known.then(|| text.get())
    });
    Effect::new(move || {
        if let Some(text) = said.get() {
            grid.app.say(text);
        }
    });
    view! {
        <p class="grid-counts">
            <strong data-testid="grid-count">{text}</strong>
            <span data-testid="grid-selected">{selected}</span>
            <span class="hint" data-testid="grid-told">{move || grid.told.get()}</span>
            <Show when=move || grid.pending.get().is_some()>
                <span class="hint" data-testid="grid-busy">{move || texts().searching}</span>
            </Show>
        </p>
    }
}

/// The way into the trash, out of it, and emptying it.
#[component]
fn TrashButtons() -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let inside = Memo::new(move |_| grid.studio.query.with(|query| query.filter.trash));
    let n_trash = Memo::new(move |_| {
        let project = grid.studio.project;
        project.with(|open| open.as_ref().map_or(0, |open| open.n_trash))
    });
    let text = move || {
        let n = numbers::whole(n_trash.get(), grid.app.language.get());
        fill(texts().trash, &[("n", &n)])
    };
    view! {
        <button
            type="button"
            data-testid="grid-trash"
            aria-pressed=move || inside.get().to_string()
            on:click=move |_| grid.ask(|query| query.filter.trash = !query.filter.trash)
        >
            {text}
        </button>
        <Show when=move || inside.get() && n_trash.get() != 0>
            <button
                type="button"
                data-testid="grid-empty-trash"
                on:click=move |_| commands::ask(grid, Question::EmptyTrash)
            >
                {move || texts().empty_trash}
            </button>
        </Show>
    }
}
