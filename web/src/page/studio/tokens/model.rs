//! The model that a project is written for: its tokenizer, its template, the limit.

use leptos::prelude::*;
use veneer_core::protocol::studio::{StudioRequest, TextModelView, TextOptions};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement};

use crate::{
    page::{
        handle::{first_model, remote_files},
        picked::{self, Picked},
        studio::{handle::Studio, stored_field::StoredField},
    },
    state::{
        numbers,
        studio::text_model::{self, TRAIN_WHAT, train_name},
    },
    texts::fill,
};

/// Id of what is said of a limit that is none.
const WRONG_LENGTH: &str = "tokens-max-length-wrong";

#[component]
pub(super) fn ModelChoice() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().tokens;
    let has_model = Memo::new(move |_| studio.text_model.with(Option::is_some));
    let other = RwSignal::new(false);
    Effect::new(move || {
        studio.text_model.track();
        other.set(false);
    });
    view! {
        <Show when=move || has_model.get()>
            <Chosen other=other />
        </Show>
        <Show when=move || !has_model.get() || other.get()>
            <div class="model-choice" data-testid="tokens-choose">
                <p class="hint">{move || texts().about}</p>
                <Sources />
            </div>
        </Show>
    }
}

/// Where a tokenizer can come from.
#[component]
fn Sources() -> impl IntoView {
    let studio = Studio::get();
    let app = studio.app;
    let texts = move || &app.language.get().studio().tokens;
    let wrong = RwSignal::new(false);
    let take = move |event: Event| {
        let input = event
            .target()
            .and_then(|it| it.dyn_into::<HtmlInputElement>().ok());
        if let Some(input) = input {
            let picked = picked::of_input(&input);
            wrong.set(!use_files(studio, &picked));
        }
    };
    let offer = Memo::new(move |_| first_model(&app.offer.get()));
    let use_offer = move |_| {
        if let Some(model) = offer.get_untracked() {
            let names: Vec<String> = model.files.iter().map(|file| file.path.clone()).collect();
            let wanted = text_model::wanted(&names);
            let files: Vec<_> = wanted.iter().map(|at| model.files[*at].clone()).collect();
            let request = StudioRequest::UseTextModelAt {
                name: model.name,
                files: remote_files(&files),
            };
            studio.ask(request, &[], |_| {});
        }
    };
    view! {
        <div class="actions">
            <label class="button">
                {move || texts().files}
                <input type="file" multiple data-testid="tokens-files" on:change=take />
            </label>
            <label class="button">
                {move || texts().folder}
                <input type="file" prop:webkitdirectory=true data-testid="tokens-folder" on:change=take />
            </label>
            {move || offer.get().map(|model| view! {
                <button type="button" data-testid="tokens-demo" on:click=use_offer>
                    {move || fill(texts().demo, &[("name", &model.name)])}
                </button>
            })}
        </div>
        {move || wrong.get().then(|| view! {
            <p class="wrong" role="alert" data-testid="tokens-wrong-files">{texts().wrong_files}</p>
        })}
    }
}

/// Sends what is needed of the picked files. Says whether there was anything.
fn use_files(studio: Studio, picked: &Picked) -> bool {
    let wanted = text_model::wanted(&picked.names);
    if picked.names.is_empty() {
        return true;
    }
    if wanted.is_empty() {
        return false;
    }
    let names = wanted.iter().map(|at| picked.names[*at].clone()).collect();
    let files: Vec<_> = wanted.iter().map(|at| picked.files[*at].clone()).collect();
    studio.ask(StudioRequest::UseTextModel { names }, &files, |_| {});
    true
}

/// The chosen model and how records are written for it.
#[component]
fn Chosen(other: RwSignal<bool>) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().tokens;
    let model = Memo::new(move |_| studio.text_model.get().unwrap_or_default());
    let counted = move || {
        let number = |n| numbers::whole(n, studio.app.language.get());
        model.with(|model| {
            let is_behind = model.n_counted < model.n_records;
            is_behind.then(|| {
                let values = [
                    ("n", number(model.n_counted)),
                    ("of", number(model.n_records)),
                ];
                let values = values
                    .each_ref()
                    .map(|(name, value)| (*name, value.as_str()));
                fill(texts().counted, &values)
            })
        })
    };
    view! {
        <div class="row model-name">
            <strong data-testid="tokens-model">{move || model.with(|model| model.name.clone())}</strong>
            <button
                type="button"
                class="quiet"
                data-testid="tokens-other"
                aria-expanded=move || other.get().to_string()
                on:click=move |_| other.update(|on| *on = !*on)
            >
                {move || texts().other}
            </button>
        </div>
        <Options model=model />
        <p class="hint">{counted}</p>
        <p class="hint">{move || model.with(|model| {
            let tokens = model.end_tokens.join(" ");
            (!tokens.is_empty()).then(|| fill(texts().end_tokens, &[("tokens", &tokens)]))
        })}</p>
    }
}

#[component]
fn Options(model: Memo<TextModelView>) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().tokens;
    let set = move |how: &dyn Fn(&mut TextOptions)| {
        let mut options = model.with_untracked(|model| model.options.clone());
        how(&mut options);
        studio.ask(StudioRequest::SetTextOptions { options }, &[], |_| {});
    };
    let template = Memo::new(move |_| model.with(|model| model.options.template.clone()));
    let own_template = move || model.with(|model| model.has_own_template);
    let templates = move || model.with(|model| model.templates.clone());
    let train_on = Memo::new(move |_| model.with(|model| model.options.train_on));
    let max_length = Memo::new(move |_| model.with(|model| model.options.max_length));
    let wrong_length = RwSignal::new(false);
    let length_field = StoredField::new(move || max_length.get().to_string());
    let type_length = move |event| {
        let length = text_model::length(&length_field.hand_over(&event));
        wrong_length.set(length.is_none());
        if let Some(length) = length {
            set(&|options| options.max_length = length);
        }
    };
    let choose_template = move |event| {
        let name = event_target_value(&event);
        let name = (!name.is_empty()).then_some(name);
        set(&|options| options.template.clone_from(&name));
    };
    let choose_train = move |event| {
        let name = event_target_value(&event);
        if let Some(what) = TRAIN_WHAT
            .into_iter()
            .find(|what| train_name(*what) == name)
        {
            set(&|options| options.train_on = what);
        }
    };
    view! {
        <div class="fields">
            <label>
                <span>{move || texts().template}</span>
                <select data-testid="tokens-template" on:change=choose_template>
                    <option value="" selected=move || template.get().is_none()>
                        {move || if own_template() { texts().own_template } else { texts().no_template }}
                    </option>
                    {move || templates().into_iter().map(|name| {
                        let chosen = name.clone();
                        view! {
                            <option value=name.clone() selected=move || template.get().as_ref() == Some(&chosen)>
                                {name.clone()}
                            </option>
                        }
                    }).collect_view()}
                </select>
            </label>
            <div>
                <label>
                    <span>{move || texts().max_length}</span>
                    <input
                        type="text"
                        inputmode="numeric"
                        data-testid="tokens-max-length"
                        aria-invalid=move || wrong_length.get().to_string()
                        aria-describedby=move || wrong_length.get().then_some(WRONG_LENGTH)
                        prop:value=move || length_field.shown()
                        on:input=move |event| length_field.type_in(&event)
                        on:change=type_length
                    />
                </label>
                {move || wrong_length.get().then(|| view! {
                    <p class="wrong hint" role="alert" id=WRONG_LENGTH data-testid=WRONG_LENGTH>
                        {texts().length_wrong}
                    </p>
                })}
            </div>
            <label>
                <span>{move || texts().train_on}</span>
                <select data-testid="tokens-train-on" on:change=choose_train>
                    {TRAIN_WHAT.map(|what| view! {
                        <option value=train_name(what) selected=move || train_on.get() == what>
                            {move || match train_name(what) {
                                "all" => texts().train_all,
                                "last" => texts().train_last,
                                _ => texts().train_answers,
                            }}
                        </option>
                    })}
                </select>
            </label>
        </div>
    }
}
