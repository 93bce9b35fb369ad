//! What was done, and snapshots to compare with and go back to.

mod differences;
mod snapshots;

use leptos::prelude::*;
use veneer_core::protocol::studio::{ActionView, StudioOutcome, StudioRequest};

use super::{handle::Studio, keys::key_of};
use crate::{
    page::{focus, handle::App},
    state::studio::actions,
    texts::Language,
};
use snapshots::Snapshots;

/// Actions shown; undo reaches further back.
const SHOWN: u64 = 200;

#[component]
pub(super) fn HistoryPanel(#[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().history;
    let history = RwSignal::new(Vec::<ActionView>::new());
    Effect::new(move || {
        studio.version.track();
        studio.project.track();
        let request = StudioRequest::History { n: SHOWN };
        studio.ask(request, &[], move |outcome| {
            if let StudioOutcome::History(actions) = outcome {
                history.try_set(actions.clone());
            }
        });
    });
    let on_key = move |event: web_sys::KeyboardEvent| {
        if key_of(&event) == "Escape" {
            event.prevent_default();
            on_close.run(());
        }
    };
    // Whoever opens it goes on in it, however far down the page it stands.
    request_animation_frame(|| focus::on(&["[data-testid=history-close]"]));
    view! {
        <aside
            class="history card"
            data-testid="history"
            aria-label=move || texts().title
            on:keydown=on_key
        >
            <div class="row">
                <h2>{move || texts().title}</h2>
                <button
                    type="button"
                    class="quiet"
                    data-testid="history-close"
                    on:click=move |_| on_close.run(())
                >
                    {move || texts().close}
                </button>
            </div>
            <Snapshots />
            <p class="hint">{move || texts().about}</p>
            <Show when=move || history.with(Vec::is_empty)>
                <p>{move || texts().empty}</p>
            </Show>
            <ol class="list">
                <For
                    each=move || history.get()
                    key=|action| (action.action, action.undone, action.n_records)
                    let:action
                >
                    <Action action=action />
                </For>
            </ol>
        </aside>
    }
}

#[component]
fn Action(action: ActionView) -> impl IntoView {
    let app = App::get();
    let undone = action.undone;
    let at_ms = action.at_ms;
    let when = move || moment(at_ms, app.language.get());
    let said = move || actions::words(&action, app.language.get());
    view! {
        <li class:undone=undone data-testid="history-action">
            <span class="list-name">{said}</span>
            <span class="list-about">
                {when}
                {move || undone.then(|| format!(", {}", app.language.get().studio().history.undone))}
            </span>
        </li>
    }
}

/// A moment in the words of the interface's language and the clock of this machine.
pub(super) fn moment(at_ms: i64, language: Language) -> String {
    let date = js_sys::Date::new(&(at_ms as f64).into());
    String::from(date.to_locale_string(language.tag(), &js_sys::Object::new()))
}
