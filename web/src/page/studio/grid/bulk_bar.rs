//! What can be done to everything that is selected.

use js_sys::Function;
use leptos::prelude::*;
use veneer_core::protocol::studio::{Change, Side};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{HtmlSelectElement, KeyboardEvent};

use super::{
    clipboard, commands,
    handle::{Grid, Question},
};
use crate::{
    page::studio::keys::Keys,
    state::{numbers, studio::shortcuts::Command},
    texts::{fill, studio::GridTexts},
};

#[component]
pub(super) fn BulkBar() -> impl IntoView {
    let grid = Grid::get();
    let n = Memo::new(move |_| grid.n_selected());
    view! {
        <Show when=move || n.get() != 0>
            <Bar n=n />
        </Show>
    }
}

#[component]
fn Bar(n: Memo<u64>) -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let said = move |text: &'static str, n: u64| {
        let n = numbers::whole(n, grid.app.language.get());
        fill(text, &[("n", &n)])
    };
    let n_list = move || grid.studio.list.with(|list| list.n);
    let all = move || grid.selection.with(|selection| selection.is_all());
    let in_trash = Memo::new(move |_| grid.studio.query.with(|query| query.filter.trash));
    view! {
        <div
            class="grid-bulk small"
            role="toolbar"
            data-testid="grid-bulk"
            aria-label=move || said(texts().n_selected, n.get())
        >
            <strong data-testid="grid-bulk-count">{move || said(texts().n_selected, n.get())}</strong>
            <Show when=move || !all()>
                <button
                    type="button"
                    class="quiet"
                    data-testid="grid-bulk-all"
                    on:click=move |_| grid.select_all()
                >
                    {move || said(texts().select_all_n, n_list())}
                </button>
            </Show>
            <button
                type="button"
                class="quiet"
                data-testid="grid-bulk-clear"
                on:click=move |_| grid.selection.update(|selection| selection.clear())
            >
                {move || texts().deselect}
            </button>
            <Show when=move || !in_trash.get() fallback=move || view! { <TakeBack /> }>
                <Changes />
            </Show>
            <Copies />
        </div>
    }
}

#[component]
fn TakeBack() -> impl IntoView {
    let grid = Grid::get();
    view! {
        <button
            type="button"
            class="main"
            data-testid="grid-bulk-take-back"
            on:click=move |_| commands::change(grid, Change::TakeBack)
        >
            {move || grid.app.language.get().studio().grid.take_back}
        </button>
    }
}

#[component]
fn Changes() -> impl IntoView {
    let grid = Grid::get();
    let keys = Keys::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let set_side = move |event| {
        let choice: HtmlSelectElement = event_target(&event);
        let name = choice.value();
        // It says what it does, not what it did: the same side can be chosen again.
        choice.set_value("");
        let side = match name.as_str() {
            "train" => Some(Side::Train),
            "validation" => Some(Side::Validation),
            "test" => Some(Side::Test),
            "none" => None,
            _ => return,
        };
        commands::change(grid, Change::SetSide(side));
    };
    let questions = [
        (Question::Tag, "grid-bulk-tag"),
        (Question::Untag, "grid-bulk-untag"),
        (Question::Reviewer, "grid-bulk-reviewer"),
        (Question::System, "grid-bulk-system"),
        (Question::Field, "grid-bulk-field"),
        (Question::Move, "grid-bulk-move"),
    ];
    view! {
        {questions.map(|(question, test)| view! {
            <button
                type="button"
                data-testid=test
                on:click=move |_| commands::ask(grid, question)
            >
                {move || name(texts(), question)}
            </button>
        })}
        <select
            data-testid="grid-bulk-side"
            aria-label=move || texts().set_side
            on:change=set_side
            on:keydown=|event| unfold_for_arrows(&event)
        >
            <option value="">{move || texts().set_side}</option>
            <option value="train">{move || texts().train}</option>
            <option value="validation">{move || texts().validation}</option>
            <option value="test">{move || texts().test}</option>
            <option value="none">{move || texts().no_side}</option>
        </select>
        <button
            type="button"
            data-testid="grid-bulk-trash"
            title=move || keys.shown(Command::Trash)
            on:click=move |_| commands::change(grid, Change::Trash)
        >
            {move || texts().to_trash}
        </button>
    }
}

/// Opens the list of a choice where an arrow would choose on the way to what is wanted.
fn unfold_for_arrows(event: &KeyboardEvent) {
    if !matches!(event.key().as_str(), "ArrowUp" | "ArrowDown") || event.alt_key() {
        return;
    }
    let choice: HtmlSelectElement = event_target(event);
    let show = js_sys::Reflect::get(&choice, &JsValue::from_str("showPicker"));
    let show = show.ok().and_then(|show| show.dyn_into::<Function>().ok());
    // A browser that cannot do that goes on as it does with every choice.
    if show.is_some_and(|show| show.call0(&choice).is_ok()) {
        event.prevent_default();
    }
}

/// What is asked, in a word or two.
pub(super) fn name(texts: &GridTexts, question: Question) -> &'static str {
    match question {
        Question::Tag => texts.ask_tag,
        Question::Untag => texts.ask_untag,
        Question::Reviewer => texts.ask_reviewer,
        Question::System => texts.ask_system,
        Question::Field => texts.ask_field,
        Question::Move => texts.ask_move,
        Question::EmptyTrash => texts.empty_trash,
    }
}

#[component]
fn Copies() -> impl IntoView {
    let grid = Grid::get();
    let keys = Keys::get();
    let texts = move || &grid.app.language.get().studio().grid;
    view! {
        <button
            type="button"
            class="quiet"
            data-testid="grid-copy-table"
            title=move || keys.shown(Command::Copy)
            on:click=move |_| clipboard::copy_table(grid)
        >
            {move || texts().copy_table}
        </button>
        <button
            type="button"
            class="quiet"
            data-testid="grid-copy-json"
            title=move || keys.shown(Command::CopyJson)
            on:click=move |_| clipboard::copy_json(grid)
        >
            {move || texts().copy_json}
        </button>
    }
}
