//! Name, state of the app, device, language and colours.

use leptos::prelude::*;

use super::{
    handle::App,
    kept::{self},
};
use crate::{
    state::chat::Chat,
    texts::{Language, fill},
};

#[component]
pub(super) fn TopBar() -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let theme_label = move || match app.theme.get() {
        kept::Theme::Light => texts().theme_dark,
        kept::Theme::Dark => texts().theme_light,
    };
    let flip = move |_| {
        let theme = app.theme.get_untracked().other();
        theme.keep();
        app.theme.set(theme);
    };
    let choose = move |event| {
        let tag = event_target_value(&event);
        let language = Language::of_tags([tag.as_str()]);
        kept::keep_language(language);
        app.language.set(language);
    };
    view! {
        <header class="top">
            <h1 class="brand">"Veneer"</h1>
            <p class="tagline">{move || texts().tagline}</p>
            <Status />
            <label class="unseen" for="language">{move || texts().language}</label>
            <select id="language" data-testid="language" on:change=choose>
                {Language::ALL.map(|language| view! {
                    <option
                        value=language.tag()
                        lang=language.tag()
                        prop:selected=move || app.language.get() == language
                    >
                        {language.name()}
                    </option>
                })}
            </select>
            <button
                type="button"
                class="quiet"
                data-testid="theme"
                aria-label=theme_label
                title=theme_label
                on:click=flip
            >
                <span aria-hidden="true">"◐"</span>
            </button>
        </header>
    }
}

/// What the app is busy with, as a word and as `data-state`.
#[component]
fn Status() -> impl IntoView {
    let app = App::get();
    let state = Memo::new(move |_| {
        if app.lost.with(Option::is_some) {
            "failed"
        } else if app.chat.with(Chat::is_busy) {
            "answering"
        } else if app.work.with(|work| !work.is_empty()) {
            if app.device.with(Option::is_none) {
                "starting"
            } else {
                "loading"
            }
        } else if app.device.with(Option::is_none) {
            "starting"
        } else if app.loaded.with(|loaded| loaded.models.is_empty()) {
            "no-model"
        } else {
            "ready"
        }
    });
    let text = move || {
        let texts = app.texts();
        match state.get() {
            "failed" => texts.status_failed,
            "answering" => texts.status_answering,
            "starting" => texts.status_starting,
            "no-model" => texts.status_no_model,
            "ready" => texts.status_ready,
            _ => texts.stage_preparing,
        }
    };
    let device = move || {
        let device = app.device.get()?;
        let texts = app.texts();
        Some(match device.is_gpu {
            true => fill(texts.device_gpu, &[("name", &device.name)]),
            false => texts.device_processor.to_owned(),
        })
    };
    view! {
        <p class="status" data-testid="status" data-state=move || state.get() role="status">
            {text}
        </p>
        <p class="device" data-testid="device">{device}</p>
    }
}
