//! Which model is loaded, where it came from, what it takes, and how to open another one.

mod adapters;
mod facts;
mod sources;

use leptos::prelude::*;

use super::handle::App;
use crate::{state::numbers, texts::fill};
use adapters::Adapters;
use facts::ModelFacts;
use sources::Sources;
use veneer_core::protocol::tab::{Progress, Stage};

#[component]
pub(super) fn ModelPanel() -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let none = move || app.loaded.with(|loaded| loaded.models.is_empty());
    view! {
        <section class="card" aria-labelledby="model-heading">
            <h2 id="model-heading">{move || texts().model}</h2>
            <Show when=none>
                <p>{move || texts().model_none}</p>
            </Show>
            <For
                each=move || app.loaded.with(|loaded| loaded.models.clone())
                key=|model| model.key
                let:model
            >
                <ModelFacts model=model />
            </For>
            <Works />
            // Ways to open a model are all there is at first, and aside once one is loaded.
            <details class="sources" class:first=none prop:open=none>
                <summary>{move || texts().open_another}</summary>
                <Sources />
            </details>
        </section>
        <Adapters />
    }
}

/// What is under way, each with how far it is.
#[component]
fn Works() -> impl IntoView {
    let app = App::get();
    let ids = move || {
        app.work
            .with(|work| work.iter().map(|w| w.id).collect::<Vec<_>>())
    };
    view! {
        <For each=ids key=|id| *id let:id>
            {
                let progress = Memo::new(move |_| {
                    let found = |w: &&super::handle::Work| w.id == id;
                    app.work.with(|work| work.iter().find(found).and_then(|w| w.progress.clone()))
                });
                let text = move || progress.get().map(|progress| stage_text(app, &progress));
                let share = move || progress.get().and_then(|progress| share(&progress));
                view! {
                    <div class="work" data-testid="work">
                        <p id=format!("work-{}", id.0)>{text}</p>
                        <progress
                            aria-labelledby=format!("work-{}", id.0)
                            max="1"
                            value=move || share().map(|share| share.to_string())
                        />
                        <button
                            type="button"
                            data-testid="cancel"
                            on:click=move |_| app.cancel(id)
                        >
                            {move || app.texts().cancel}
                        </button>
                    </div>
                }
            }
        </For>
    }
}

fn share(progress: &Progress) -> Option<f64> {
    (progress.total > 0).then(|| progress.done as f64 / progress.total as f64)
}

fn stage_text(app: App, progress: &Progress) -> String {
    let texts = app.texts();
    let (text, counts_bytes) = match progress.stage {
        Stage::Waiting => (texts.stage_waiting, false),
        Stage::Downloading => (texts.stage_downloading, true),
        Stage::Copying => (texts.stage_copying, true),
        Stage::Verifying => (texts.stage_verifying, true),
        Stage::Loading => (texts.stage_loading, false),
        Stage::Preparing => (texts.stage_preparing, false),
        Stage::Reading => (texts.stage_reading, false),
    };
    let text = fill(text, &[("what", &progress.what)]);
    if !counts_bytes {
        return text;
    }
    let bytes = |n| numbers::bytes(n, app.language.get());
    match progress.total {
        0 => format!("{text}: {}", bytes(progress.done)),
        total => format!("{text}: {} / {}", bytes(progress.done), bytes(total)),
    }
}
