//! Who answers side by side.

use leptos::prelude::*;

use super::handle::App;
use crate::{
    state::columns::Speaker,
    texts::{Texts, fill},
};

/// The name of a speaker for people.
pub(super) fn title(speaker: &Speaker, texts: &Texts) -> String {
    speaker
        .title
        .clone()
        .unwrap_or_else(|| texts.base.to_owned())
}

#[component]
pub(super) fn ColumnsBar() -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let chosen = move || -> Vec<(usize, String)> {
        let chosen = app.columns.with(|columns| columns.chosen.clone());
        chosen.into_iter().enumerate().collect()
    };
    let next = Memo::new(move |_| {
        let loaded = app.loaded.get();
        app.columns.with(|columns| columns.next(&loaded))
    });
    let add = move |_| {
        if let Some(speaker) = next.get_untracked() {
            app.columns.update(|columns| columns.add(speaker.slug));
        }
    };
    let several = move || app.columns.with(|columns| columns.chosen.len() > 1);
    let any = move || app.loaded.with(|loaded| !loaded.models.is_empty());
    view! {
        <Show when=any>
            <div class="columns-bar">
                <For
                    each=chosen
                    key=|pair| pair.clone()
                    let:pair
                >
                    <ColumnChoice index=pair.0 slug=pair.1 />
                </For>
                <Show when=move || next.get().is_some()>
                    <button type="button" data-testid="add-column" on:click=add>
                        {move || texts().add_column}
                    </button>
                </Show>
                <Show when=several>
                    <label class="check" title=move || texts().differences_about>
                        <input
                            type="checkbox"
                            data-testid="differences"
                            prop:checked=move || app.mark_differences.get()
                            on:change=move |event| {
                                app.mark_differences.set(event_target_checked(&event));
                            }
                        />
                        <span>{move || texts().differences}</span>
                    </label>
                </Show>
                <button
                    type="button"
                    class="quiet end"
                    data-testid="new-chat"
                    on:click=move |_| app.new_chat()
                >
                    {move || texts().new_chat}
                </button>
            </div>
        </Show>
    }
}

#[component]
fn ColumnChoice(index: usize, slug: String) -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let number = (index + 1).to_string();
    let remove_number = number.clone();
    let several = move || app.columns.with(|columns| columns.chosen.len() > 1);
    let choose = move |event| {
        let slug = event_target_value(&event);
        app.columns.update(|columns| columns.choose(index, &slug));
    };
    let remove_label = move || fill(texts().remove_column, &[("n", &remove_number)]);
    let speakers = move || app.loaded.with(|loaded| loaded.speakers());
    view! {
        <span class="column-choice">
            <label class="unseen" for=format!("column-{index}")>
                {move || fill(texts().column, &[("n", &number)])}
            </label>
            <select
                id=format!("column-{index}")
                data-testid=format!("column-{index}")
                on:change=choose
            >
                {move || speakers().into_iter().map(|speaker| {
                    let selected = speaker.slug == slug;
                    view! {
                        <option value=speaker.slug.clone() selected=selected>
                            {title(&speaker, texts())}
                        </option>
                    }
                }).collect_view()}
            </select>
            <Show when=several>
                <button
                    type="button"
                    class="quiet"
                    aria-label=remove_label.clone()
                    title=remove_label.clone()
                    on:click=move |_| app.columns.update(|columns| columns.remove(index))
                >
                    <span aria-hidden="true">"×"</span>
                </button>
            </Show>
        </span>
    }
}
