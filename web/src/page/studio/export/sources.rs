//! Where the records came from: licence and address of each source, as the card tells them.

use leptos::prelude::*;
use veneer_core::protocol::studio::{SourceView, StudioRequest, Terms};

use crate::page::studio::{handle::Studio, stored_field::StoredField};

#[component]
pub(super) fn Sources() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().export;
    let sources = Memo::new(move |_| {
        studio.project.with(|open| {
            let open = open.as_ref();
            open.map_or_else(Vec::new, |open| open.sources.clone())
        })
    });
    view! {
        <Show when=move || !sources.read().is_empty()>
            <details class="export-sources" data-testid="export-sources">
                <summary>{move || texts().sources}</summary>
                <p class="hint">{move || texts().sources_hint}</p>
                <For each=move || sources.get() key=|source| source.source let:source>
                    <Source id=source.source sources=sources />
                </For>
            </details>
        </Show>
    }
}

#[component]
fn Source(id: u32, sources: Memo<Vec<SourceView>>) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().export;
    let now = Memo::new(move |_| {
        let all = sources.read();
        all.iter().find(|source| source.source == id).cloned()
    });
    let of = move |read: fn(&SourceView) -> &String| {
        now.with(|source| source.as_ref().map(|source| read(source).clone()))
            .unwrap_or_default()
    };
    let describe = move |terms: Terms, field: StoredField| {
        let request = StudioRequest::DescribeSource { source: id, terms };
        studio.ask(request, &[], move |_| field.show_stored());
    };
    let licence = StoredField::new(move || of(|source| &source.licence));
    let url = StoredField::new(move || of(|source| &source.url));
    view! {
        <fieldset class="export-source" data-testid="export-source">
            <legend>{move || of(|source| &source.name)}</legend>
            <label class="words-field">
                <span>{move || texts().licence}</span>
                <input
                    type="text"
                    data-testid="export-source-licence"
                    placeholder=move || texts().licence_hint
                    prop:value=move || licence.shown()
                    on:input=move |event| licence.type_in(&event)
                    on:change=move |event| {
                        let typed = Some(licence.hand_over(&event));
                        describe(Terms { licence: typed, ..Terms::default() }, licence);
                    }
                />
            </label>
            <label class="words-field">
                <span>{move || texts().source_url}</span>
                <input
                    type="text"
                    inputmode="url"
                    data-testid="export-source-url"
                    placeholder="https://"
                    prop:value=move || url.shown()
                    on:input=move |event| url.type_in(&event)
                    on:change=move |event| {
                        let typed = Some(url.hand_over(&event));
                        describe(Terms { url: typed, ..Terms::default() }, url);
                    }
                />
            </label>
        </fieldset>
    }
}
