//! What went wrong, until it is dismissed, and what the user should know about the device.

use leptos::prelude::*;
use veneer_core::protocol::tab::Fault;

use super::handle::App;
use crate::{
    state::message::{UserMessage, sentence},
    texts::fill,
};

#[component]
pub(super) fn Errors() -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let slow = move || {
        let why = app.device.get()?.why_not_gpu?;
        Some(fill(texts().slow_why, &[("why", &sentence(&why))]))
    };
    let any = move || app.notices.with(|n| !n.is_empty()) || app.lost.with(Option::is_some);
    view! {
        <Show when=any>
            <div class="errors" data-testid="error" role="alert">
                {move || app.lost.get().map(|fault| view! {
                    <Message fault=fault>
                        <button
                            type="button"
                            class="main"
                            data-testid="reload"
                            on:click=move |_| app.reload()
                        >
                            {move || texts().reload_model}
                        </button>
                    </Message>
                })}
                <For each=move || app.notices.get() key=|notice| notice.id let:notice>
                    <Message fault=notice.fault>
                        <button
                            type="button"
                            data-testid="dismiss"
                            on:click=move |_| app.dismiss(notice.id)
                        >
                            {move || texts().dismiss}
                        </button>
                    </Message>
                </For>
            </div>
        </Show>
        {move || slow().map(|why| view! {
            <div class="note" data-testid="slow" role="note">
                <strong>{texts().slow_title}</strong>" "<span>{why}</span>
            </div>
        })}
    }
}

/// Title, what happened, what to do.
#[component]
pub(super) fn Message(
    fault: Fault,
    /// What the user can do at once.
    children: Children,
) -> impl IntoView {
    let app = App::get();
    let message = Memo::new(move |_| UserMessage::of(&fault, app.language.get()));
    view! {
        <div class="message">
            <strong class="message-title">{move || message.get().title}</strong>
            <p class="message-detail">{move || message.get().detail}</p>
            <p class="message-hint">{move || message.get().hint}</p>
            <div class="actions">{children()}</div>
        </div>
    }
}
