//! The list of records, with search, filters and changes to many; beside it the record at the cursor.

mod asking;
mod bulk_bar;
mod chips;
mod clipboard;
mod columns_panel;
mod commands;
mod divider;
mod feed;
mod filter_panel;
mod handle;
mod head;
mod help_sheet;
mod lengths;
mod palette;
mod picking;
mod question;
mod replace_panel;
mod row;
mod search_box;
mod sheet;
mod table;
mod toolbar;

use leptos::prelude::*;
use wasm_bindgen::{JsCast, closure::Closure};

use super::{editor::Editor, handle::Step, keys::Keys, tokens::TokenPanel};
use crate::state::studio::filters;
use bulk_bar::BulkBar;
use chips::Chips;
use columns_panel::ColumnsPanel;
use divider::Divider;
use filter_panel::FilterPanel;
use handle::Panel;
use lengths::TokensAreCounted;
use question::QuestionSheet;
use replace_panel::ReplacePanel;
use table::Table;
use toolbar::Toolbar;

pub(super) use handle::Grid;
pub(super) use help_sheet::HelpSheet;
pub(super) use palette::Palette;

/// Screens on which list and editor stand one at a time; as `grid.css` has it.
const NARROW: &str = "(max-width: 820px)";

#[component]
pub(super) fn EditStep() -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let keys = Keys::get();
    keys.on(move |command| commands::act(grid, command));
    watch_width(grid);
    let divide = divider::kept();
    view! {
        <div
            class="edit"
            class:opened=move || grid.opened.get()
            style=("--list", move || format!("{}%", divide.get().percent()))
        >
            <section
                class="grid-pane"
                data-keys="list"
                aria-label=move || texts().title
                on:keydown=move |event| commands::press_in_panel(grid, &event)
            >
                <Toolbar />
                {move || grid.panel.get().map(|panel| match panel {
                    Panel::Filters => view! { <FilterPanel /> }.into_any(),
                    Panel::Columns => view! { <ColumnsPanel /> }.into_any(),
                    Panel::Replace => view! { <ReplacePanel /> }.into_any(),
                })}
                <Chips />
                <div class="grid-list">
                    <Table />
                    <Empty />
                </div>
                <BulkBar />
            </section>
            <Divider divide=divide />
            <section
                class="edit-record"
                data-keys="editor"
                data-testid="edit-record"
                aria-label=move || texts().record
            >
                <button
                    type="button"
                    class="quiet edit-back"
                    data-testid="grid-back"
                    on:click=move |_| commands::leave(grid)
                >
                    "‹ "{move || texts().back}
                </button>
                <Editor />
                <TokenPanel />
            </section>
        </div>
        <QuestionSheet />
    }
}

/// Knows from now on whether the screen is narrow.
fn watch_width(grid: Grid) {
    let Ok(Some(query)) = window().match_media(NARROW) else {
        return;
    };
    grid.narrow.set(query.matches());
    let asked = query.clone();
    let heard = Closure::<dyn FnMut()>::new(move || grid.narrow.set(asked.matches()));
    query.set_onchange(Some(heard.as_ref().unchecked_ref()));
    let kept = StoredValue::new_local(Some((query, heard)));
    on_cleanup(move || {
        kept.update_value(|kept| {
            if let Some((query, _)) = kept.take() {
                query.set_onchange(None);
            }
        });
    });
}

/// What to do where there is nothing to show.
#[component]
fn Empty() -> impl IntoView {
    let grid = Grid::get();
    let studio = grid.studio;
    let texts = move || &grid.app.language.get().studio().grid;
    let is_empty =
        Memo::new(move |_| studio.list.with(|list| list.n) == 0 && grid.pending.get().is_none());
    let has_records = Memo::new(move |_| {
        let project = studio.project;
        project.with(|open| open.as_ref().is_some_and(|open| open.n_records > 0))
    });
    let in_trash = Memo::new(move |_| studio.query.with(|query| query.filter.trash));
    let restricted = Memo::new(move |_| {
        studio
            .query
            .with(|query| !filters::restrictions(query).is_empty())
    });
    let inside = move || {
        let texts = texts();
        if restricted.get() {
            let clear = move |_| grid.ask(filters::clear);
            let is_understood = grid.search_fault.with(Option::is_none);
            let in_tokens = is_understood && studio.query.with(filters::limits_tokens);
            return view! {
                <p>{if is_understood { texts.none_match } else { texts.nothing_listed }}</p>
                {in_tokens.then(|| view! { <TokensAreCounted /> })}
                <button type="button" class="main" data-testid="grid-empty-clear" on:click=clear>
                    {texts.clear_filters}
                </button>
            }
            .into_any();
        }
        if in_trash.get() {
            let leave = move |_| grid.ask(|query| query.filter.trash = false);
            return view! {
                <p>{texts.trash_empty}</p>
                <button type="button" class="main" data-testid="grid-empty-leave" on:click=leave>
                    {texts.leave_trash}
                </button>
            }
            .into_any();
        }
        let import = move |_| studio.step.set(Step::Import);
        let begin = move |_| commands::new_record(grid);
        view! {
            <p>{if has_records.get() { texts.loading } else { texts.none_yet }}</p>
            <div class="actions">
                <button type="button" class="main" data-testid="grid-empty-import" on:click=import>
                    {texts.go_import}
                </button>
                <button type="button" data-testid="grid-empty-new" on:click=begin>
                    {texts.new_record}
                </button>
            </div>
        }
        .into_any()
    };
    view! {
        <Show when=move || is_empty.get()>
            <div class="grid-empty" data-testid="grid-empty">{inside}</div>
        </Show>
    }
}
