//! Where prompts are written, sent and stopped.

use leptos::prelude::*;
use web_sys::KeyboardEvent;

use super::handle::App;
use crate::state::chat::Chat;

#[component]
pub(super) fn Composer() -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let draft = RwSignal::new(String::new());
    let busy = Memo::new(move |_| app.chat.with(Chat::is_busy));
    let no_model = move || app.loaded.with(|loaded| loaded.models.is_empty());
    let cannot = move || no_model() || busy.get() || draft.with(|draft| draft.trim().is_empty());
    let send = move || {
        if !cannot() && app.ask(&draft.get_untracked()) {
            draft.set(String::new());
        }
    };
    let key = move |event: KeyboardEvent| match event.key().as_str() {
        // An input method ends its own work with Enter.
        "Enter" if !event.shift_key() && !event.is_composing() => {
            event.prevent_default();
            untrack(send);
        }
        "Escape" => app.stop(),
        _ => {}
    };
    view! {
        <form
            class="composer"
            on:submit=move |event| {
                event.prevent_default();
                untrack(send);
            }
        >
            <label class="unseen" for="prompt">{move || texts().prompt}</label>
            <textarea
                id="prompt"
                data-testid="prompt"
                rows="2"
                placeholder=move || texts().prompt
                aria-describedby="prompt-hint"
                prop:value=move || draft.get()
                on:input=move |event| draft.set(event_target_value(&event))
                on:keydown=key
            />
            <div class="composer-buttons">
                <Show
                    when=move || busy.get()
                    fallback=move || view! {
                        <button
                            type="submit"
                            class="main"
                            data-testid="send"
                            disabled=cannot
                        >
                            {move || texts().send}
                        </button>
                    }
                >
                    <button
                        type="button"
                        class="main"
                        data-testid="stop"
                        on:click=move |_| app.stop()
                    >
                        {move || texts().stop}
                    </button>
                </Show>
            </div>
            <p id="prompt-hint" class="hint">{move || texts().prompt_hint}</p>
        </form>
    }
}
