//! What this browser keeps, and what can be done about it.

use leptos::prelude::*;
use veneer_core::protocol::tab::{Origin, QuantizeTo, Request, StoredEntry};

use super::handle::{App, Part};
use crate::{
    state::{message::reason, numbers},
    texts::fill,
};

#[component]
pub(super) fn StoragePanel() -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let bytes = move |n| numbers::bytes(n, app.language.get());
    let used = move || {
        let store = app.store.get();
        match (store.unavailable, store.quota_bytes) {
            (Some(why), _) => fill(
                texts().storage_none,
                &[("why", &reason(&why, app.language.get()))],
            ),
            (None, 0) => fill(texts().storage_used, &[("used", &bytes(store.used_bytes))]),
            (None, quota) => {
                let values = [("used", bytes(store.used_bytes)), ("quota", bytes(quota))];
                let values = values
                    .each_ref()
                    .map(|(name, value)| (*name, value.as_str()));
                fill(texts().storage_used_of, &values)
            }
        }
    };
    let promise = move || {
        app.store
            .with(|store| match (&store.unavailable, store.persistent) {
                (Some(_), _) => None,
                (None, true) => Some(texts().storage_persistent),
                (None, false) => Some(texts().storage_not_persistent),
            })
    };
    let partial = move || {
        let partial = app.store.with(|store| store.partial_bytes);
        (partial > 0).then(|| fill(texts().storage_partial, &[("bytes", &bytes(partial))]))
    };
    let empty = move || {
        let is_empty = app
            .store
            .with(|s| s.entries.is_empty() && s.unavailable.is_none());
        is_empty.then(|| texts().storage_empty)
    };
    view! {
        <details class="card" data-testid="storage">
            <summary><h2>{move || texts().storage}</h2></summary>
            <p data-testid="storage-used">{used}</p>
            <p class="hint">{promise}</p>
            <p class="hint">{partial}</p>
            <p class="hint">{empty}</p>
            <ul class="list stored">
                <For
                    each=move || app.store.with(|store| store.entries.clone())
                    key=|entry| entry.entry.clone()
                    let:entry
                >
                    <Entry entry=entry />
                </For>
            </ul>
        </details>
    }
}

#[component]
fn Entry(entry: StoredEntry) -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let StoredEntry {
        entry: id,
        name,
        is_adapter,
        bytes,
        source,
        can_repair,
    } = entry;
    let id = StoredValue::new(id);
    let name = StoredValue::new(name);
    let checked = RwSignal::new(None::<Vec<String>>);
    let about = move || {
        let bytes = numbers::bytes(bytes, app.language.get());
        match is_adapter {
            true => format!("{bytes}, {}", texts().is_adapter),
            false => bytes,
        }
    };
    let open = move |_| {
        let part = Part::of(Origin::Stored {
            entry: id.get_value(),
        });
        match is_adapter {
            true => app.add_adapter(part),
            false => app.open_model(part, QuantizeTo::Q8_0),
        }
    };
    let open_text = move || match is_adapter {
        true => texts().use_adapter,
        false => texts().open,
    };
    let verify = move |_| {
        let request = Request::VerifyStored {
            entry: id.get_value(),
        };
        app.ask_store(request, move |damaged| checked.set(Some(damaged.to_vec())));
    };
    let repair = move |_| {
        checked.set(None);
        app.ask_store(
            Request::RepairStored {
                entry: id.get_value(),
            },
            |_| {},
        );
    };
    let delete = move |_| {
        app.ask_store(
            Request::DeleteStored {
                entry: id.get_value(),
            },
            |_| {},
        );
    };
    let result = move || {
        let files = checked.get()?;
        let name = name.get_value();
        Some(match files.is_empty() {
            true => fill(texts().verified, &[("name", &name)]),
            false => fill(
                texts().damaged,
                &[("name", &name), ("files", &files.join(", "))],
            ),
        })
    };
    let label = move |text: &str| format!("{text} ({})", name.get_value());
    view! {
        <li data-testid="stored" title=source>
            <span class="list-name">{name.get_value()}</span>
            <span class="list-about">{about}</span>
            <div class="actions">
                <button type="button" data-testid="stored-open" aria-label=move || label(open_text())
                    on:click=open>{open_text}</button>
                <button type="button" data-testid="stored-verify"
                    aria-label=move || label(texts().verify) on:click=verify>
                    {move || texts().verify}
                </button>
                <Show when=move || can_repair>
                    <button type="button" data-testid="stored-repair"
                        aria-label=move || label(texts().repair) on:click=repair>
                        {move || texts().repair}
                    </button>
                </Show>
                <button type="button" data-testid="stored-delete"
                    aria-label=move || label(texts().delete) on:click=delete>
                    {move || texts().delete}
                </button>
            </div>
            <p class="hint" role="status" data-testid="stored-result">{result}</p>
        </li>
    }
}
