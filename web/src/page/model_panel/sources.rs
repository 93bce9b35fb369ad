//! Ways to open a model: the demo, files, a folder, an address.

use leptos::prelude::*;
use veneer_core::protocol::tab::{Origin, QuantizeTo};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement, SubmitEvent};

use crate::{
    page::{
        handle::{App, Offer, Part, first_model},
        picked::{self, Picked},
    },
    state::numbers,
    texts::fill,
};

#[component]
pub(super) fn Sources() -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let quantize = RwSignal::new(QuantizeTo::Q8_0);
    let open = Callback::new(move |picked: Picked| {
        app.open_picked(picked, quantize.get_untracked());
    });
    let keep = move |event: Event| {
        app.keep_models.set(event_target_checked(&event));
    };
    let any = move || app.loaded.with(|loaded| !loaded.models.is_empty());
    view! {
        <Demo />
        <div class="actions">
            <FileButton id="model-file" label=Signal::derive(move || texts().open_file) on_pick=open />
            <FileButton
                id="model-folder"
                label=Signal::derive(move || texts().open_folder)
                on_pick=open
                folder=true
            />
        </div>
        <p class="hint">{move || texts().drop_here}</p>
        <Address quantize=quantize />
        <label class="row" for="quantize">
            <span>{move || texts().weights_format}</span>
            <select
                id="quantize"
                data-testid="quantize"
                on:change=move |event| quantize.set(format_of(&event_target_value(&event)))
            >
                <option value="q8_0">"Q8_0"</option>
                <option value="q4_0">"Q4_0"</option>
                <option value="as_stored">{move || texts().as_stored}</option>
            </select>
        </label>
        <Show when=any>
            <label class="check">
                <input
                    type="checkbox"
                    data-testid="keep-models"
                    prop:checked=move || app.keep_models.get()
                    on:change=keep
                />
                <span>{move || texts().keep_models}</span>
            </label>
        </Show>
    }
}

fn format_of(value: &str) -> QuantizeTo {
    match value {
        "q8_0" => QuantizeTo::Q8_0,
        "q4_0" => QuantizeTo::Q4_0,
        _ => QuantizeTo::AsStored,
    }
}

/// The model that the site has beside the page.
#[component]
fn Demo() -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let about = move || match app.offer.get() {
        Offer::Looking => texts().demo_looking.to_owned(),
        Offer::Missing(None) => texts().demo_missing.to_owned(),
        Offer::Missing(Some(why)) => format!("{} ({why})", texts().demo_missing),
        offer @ Offer::Found(_) => first_model(&offer).map_or_else(String::new, |model| {
            let bytes = model.all_files().map(|file| file.bytes).sum();
            let bytes = numbers::bytes(bytes, app.language.get());
            let n = model.adapters.len().to_string();
            let values = [("name", model.name.as_str()), ("bytes", &bytes), ("n", &n)];
            let text = fill(texts().demo_about, &values);
            [text, model.about]
                .join(". ")
                .trim_end_matches(". ")
                .to_owned()
        }),
    };
    let open = move |_| {
        if let Some(model) = first_model(&app.offer.get_untracked()) {
            app.open_offer(&model);
        }
    };
    let found = move || app.offer.with(|offer| matches!(offer, Offer::Found(_)));
    let ready = move || app.device.with(Option::is_some);
    view! {
        <div class="demo">
            <Show when=found>
                <button
                    type="button"
                    class="main"
                    data-testid="demo"
                    disabled=move || !ready()
                    on:click=open
                >
                    {move || texts().demo_open}
                </button>
            </Show>
            <p class="hint" data-testid="demo-about">{about}</p>
        </div>
    }
}

/// A file input that looks like a button and keeps its keyboard.
#[component]
pub(super) fn FileButton(
    /// Also its test id.
    id: &'static str,
    label: Signal<&'static str>,
    on_pick: Callback<Picked>,
    #[prop(optional)] folder: bool,
) -> impl IntoView {
    let change = move |event: Event| {
        let input = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        if let Some(input) = input {
            on_pick.run(picked::of_input(&input));
        }
    };
    view! {
        <label class="button" for=id>
            <input
                type="file"
                id=id
                data-testid=id
                multiple=true
                prop:webkitdirectory=folder
                on:change=change
            />
            <span>{move || label.get()}</span>
        </label>
    }
}

/// The address of a file or folder. Only here the page asks another origin.
#[component]
fn Address(quantize: RwSignal<QuantizeTo>) -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let url = RwSignal::new(String::new());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let url = url.get_untracked().trim().to_owned();
        if !url.is_empty() {
            app.open_address(Part::of(Origin::Address { url }), quantize.get_untracked());
        }
    };
    view! {
        <form class="address" on:submit=submit>
            <label for="address">{move || texts().address}</label>
            <div class="row">
                <input
                    id="address"
                    data-testid="address"
                    type="text"
                    inputmode="url"
                    autocomplete="off"
                    spellcheck="false"
                    placeholder="https://"
                    aria-describedby="address-hint"
                    prop:value=move || url.get()
                    on:input=move |event| url.set(event_target_value(&event))
                />
                <button type="submit" data-testid="open-address">{move || texts().open}</button>
            </div>
            <p id="address-hint" class="hint">{move || texts().address_hint}</p>
        </form>
    }
}
