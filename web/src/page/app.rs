//! The frame of the page: the top bar, what went wrong, and the part of the app that is looked at.

use leptos::prelude::*;

use super::{
    bridge,
    chat_frame::ChatFrame,
    errors::Errors,
    focus,
    handle::App as Handle,
    studio::{self, StudioFrame},
    top_bar::TopBar,
};
use crate::state::place::Place;

/// Everything below `#app`.
#[component]
pub(super) fn App() -> impl IntoView {
    let app = Handle::start();
    studio::provide();
    bridge::expose(app);
    let texts = move || app.texts();
    Effect::new(move || {
        if let Some(root) = document().document_element() {
            // An attribute with a valid name can always be set.
            root.set_attribute("lang", app.language.get().tag()).ok();
        }
    });
    let skip = move || match app.place.get() {
        Some(Place::Data) => ("#studio-main", app.language.get().studio().frame.skip),
        _ => ("#prompt", texts().skip_to_chat),
    };
    view! {
        <div class="app">
            // Not a link to follow: the address says which part of the app is looked at.
            <button
                type="button"
                class="skip"
                on:click=move |_| {
                    let found = document().query_selector(skip().0).ok().flatten();
                    skip_to(found);
                }
            >
                {move || skip().1}
            </button>
            <TopBar />
            <Errors />
            {move || app.place.get().map(|place| match place {
                Place::Data => view! { <StudioFrame /> }.into_any(),
                Place::Chat => view! { <ChatFrame /> }.into_any(),
            })}
            <div class="unseen" aria-live="polite">{move || app.spoken.get()}</div>
        </div>
    }
}

fn skip_to(element: Option<web_sys::Element>) {
    let main = element
        .as_ref()
        .filter(|it| !it.has_attribute("tabindex") && it.tag_name() == "MAIN");
    if let Some(main) = main {
        // An attribute with a valid name can always be set.
        main.set_attribute("tabindex", "-1").ok();
    }
    focus::take(element);
}
