//! A button that copies a text.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::handle::Studio;

#[component]
pub(super) fn CopyButton(text: Signal<String>, testid: &'static str) -> impl IntoView {
    let studio = Studio::get();
    let app = studio.app;
    let copied = RwSignal::new(false);
    let copy = move |_| {
        let text = text.get_untracked();
        leptos::task::spawn_local(async move {
            let promise = window().navigator().clipboard().write_text(&text);
            if JsFuture::from(promise).await.is_ok() {
                copied.try_set(true);
                app.say(app.language.get_untracked().texts().copied);
                let forget = move || {
                    // The button may be gone by now.
                    copied.try_set(false);
                };
                set_timeout(forget, Duration::from_secs(2));
            }
        });
    };
    let label = move || match copied.get() {
        true => app.texts().copied,
        false => app.texts().copy,
    };
    view! {
        <button type="button" data-testid=testid on:click=copy>{label}</button>
    }
}
