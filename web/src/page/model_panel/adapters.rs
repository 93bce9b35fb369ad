//! The adapters beside the model.

use leptos::prelude::*;

use super::sources::FileButton;
use crate::{
    page::{handle::App, picked::Picked},
    state::{files::Chosen, numbers},
    texts::fill,
};

#[component]
pub(super) fn Adapters() -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let none = move || app.loaded.with(|loaded| loaded.adapters.is_empty());
    let no_model = move || app.loaded.with(|loaded| loaded.models.is_empty());
    let pick = Callback::new(move |picked: Picked| {
        if picked.files.is_empty() {
            return;
        }
        match Chosen::adapter_of(&picked.names) {
            Ok(_) => app.add_adapter(picked.into()),
            Err(fault) => app.complain(fault),
        }
    });
    view! {
        <section class="card" aria-labelledby="adapters-heading">
            <h2 id="adapters-heading">{move || texts().adapters}</h2>
            <Show
                when=none
                fallback=move || view! { <p class="hint">{move || texts().adapters_about}</p> }
            >
                <p class="hint">
                    {move || match no_model() {
                        true => texts().adapters_need_model,
                        false => texts().adapters_none,
                    }}
                </p>
            </Show>
            <ul class="list">
                <For
                    each=move || app.loaded.with(|loaded| loaded.adapters.clone())
                    key=|adapter| adapter.key
                    let:adapter
                >
                    <AdapterRow adapter=adapter />
                </For>
            </ul>
            <div class="actions">
                <FileButton
                    id="adapter-file"
                    label=Signal::derive(move || texts().add_adapter)
                    on_pick=pick
                />
                <FileButton
                    id="adapter-folder"
                    label=Signal::derive(move || texts().add_adapter_folder)
                    on_pick=pick
                    folder=true
                />
            </div>
        </section>
    }
}

#[component]
fn AdapterRow(adapter: veneer_core::protocol::tab::AdapterView) -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let (key, model) = (adapter.key, adapter.model);
    let rank = adapter.rank.to_string();
    let memory = adapter.memory_bytes;
    let about = move || {
        let rank = fill(texts().rank, &[("r", &rank)]);
        format!("{rank}, {}", numbers::bytes(memory, app.language.get()))
    };
    let label = {
        let name = adapter.name.clone();
        move || format!("{} ({name})", texts().remove)
    };
    view! {
        <li data-testid="adapter" title=adapter.source.clone()>
            <span class="list-name">{adapter.name.clone()}</span>
            <span class="list-about" title=move || texts().rank_about>{about}</span>
            <button
                type="button"
                class="quiet"
                aria-label=label.clone()
                title=label
                on:click=move |_| app.remove_adapter(model, key)
            >
                <span aria-hidden="true">"×"</span>
            </button>
        </li>
    }
}
