//! System prompt and sampling.

use leptos::prelude::*;
use veneer_core::protocol::tab::DeviceChoice;

use super::{focus, handle::App, kept};
use crate::{
    state::settings::{DEVICES, Setting, WrongSetting, device_named},
    texts::{Texts, fill},
};

#[component]
pub(super) fn SettingsPanel() -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let set_system = move |event| {
        let system = event_target_value(&event);
        app.chat.update(|chat| chat.system = system);
    };
    view! {
        <details class="card" data-testid="settings">
            <summary><h2>{move || texts().settings}</h2></summary>
            <ComputeOn />
            <label for="system">{move || texts().system_prompt}</label>
            <textarea
                id="system"
                data-testid="system"
                rows="3"
                prop:value=move || app.chat.with(|chat| chat.system.clone())
                on:input=set_system
            />
            <div class="numbers">
                {Setting::ALL.map(|setting| view! { <NumberField setting=setting /> })}
            </div>
        </details>
    }
}

/// Opens the settings at a field, with the keyboard in it.
pub(super) fn show(app: App, setting: Setting) {
    app.panel_folded.set(false);
    let settings = document().query_selector("[data-testid=settings]");
    if let Ok(Some(settings)) = settings {
        // An attribute with a valid name can always be set.
        settings.set_attribute("open", "").ok();
    }
    request_animation_frame(move || focus::on(&[&format!("#{}", setting.id())]));
}

#[component]
fn ComputeOn() -> impl IntoView {
    let app = App::get();
    let name = move |choice| {
        let texts = app.texts();
        match choice {
            DeviceChoice::Auto => texts.compute_auto,
            DeviceChoice::WebGpu => texts.compute_webgpu,
            DeviceChoice::Processor => texts.compute_processor,
        }
    };
    let choose = move |event| {
        if let Some(choice) = device_named(&event_target_value(&event)) {
            app.compute_on(choice);
        }
    };
    view! {
        <div class="field">
            <label for="compute-on">{move || app.texts().compute_on}</label>
            <select id="compute-on" data-testid="compute-on" on:change=choose>
                {DEVICES.map(|(tag, choice)| view! {
                    <option value=tag prop:selected=move || app.device_choice.get() == choice>
                        {move || name(choice)}
                    </option>
                })}
            </select>
        </div>
    }
}

#[component]
fn NumberField(setting: Setting) -> impl IntoView {
    let app = App::get();
    let wrong = Memo::new(move |_| app.settings.with(|form| form.wrong(setting).cloned()));
    let name = move || name_of(setting, app.texts());
    let set = move |event| {
        let typed = event_target_value(&event);
        app.settings.update(|form| form.type_in(setting, &typed));
        app.settings.with_untracked(kept::keep_settings);
    };
    let off = setting.off();
    let hint = move || {
        let texts = app.texts();
        match wrong.get() {
            Some(WrongSetting { found, expected }) => {
                let found = format!("\u{201c}{found}\u{201d}");
                let values = [("name", name()), ("found", &found), ("expected", &expected)];
                Some(fill(texts.setting_wrong, &values))
            }
            None => {
                let off = off.map(|off| fill(texts.off_at, &[("n", &off.to_string())]));
                let said = about(setting, texts).map(str::to_owned).into_iter();
                let said: Vec<String> = said.chain(off).collect();
                (!said.is_empty()).then(|| said.join(" · "))
            }
        }
    };
    let id = setting.id();
    view! {
        <div class="field">
            <label for=id>{name}</label>
            <input
                id=id
                data-testid=id
                type="text"
                inputmode="decimal"
                autocomplete="off"
                aria-describedby=format!("{id}-hint")
                aria-invalid=move || wrong.with(Option::is_some).to_string()
                prop:value=app.settings.with_untracked(|form| form.shown(setting))
                on:input=set
            />
            <p id=format!("{id}-hint") class="hint" class:wrong=move || wrong.with(Option::is_some)>
                {hint}
            </p>
        </div>
    }
}

/// What is not said by its name.
fn about(setting: Setting, texts: &Texts) -> Option<&'static str> {
    (setting == Setting::TopP).then_some(texts.top_p_about)
}

fn name_of(setting: Setting, texts: &Texts) -> &'static str {
    match setting {
        Setting::Temperature => texts.temperature,
        Setting::TopK => texts.top_k,
        Setting::TopP => texts.top_p,
        Setting::MinP => texts.min_p,
        Setting::RepetitionPenalty => texts.repetition_penalty,
        Setting::FrequencyPenalty => texts.frequency_penalty,
        Setting::MaxNewTokens => texts.max_new_tokens,
        Setting::Seed => texts.seed,
    }
}
