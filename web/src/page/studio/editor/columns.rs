//! Columns beside the text, as a table: name, kind, value.

use leptos::prelude::*;
use serde_json::Value;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlSelectElement;

use super::of_draft;
use crate::{
    page::studio::{handle::Studio, keys::key_of},
    state::studio::{
        field_text::{for_height, typed},
        json_text::{JsonKind, Unread, shown},
    },
    texts::{fill, studio::EditorTexts},
};

#[component]
pub(super) fn Columns() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let names = Memo::new(move |_| {
        of_draft(studio, |draft| {
            let record = draft.record();
            let names = draft.content.extra.keys();
            names.map(|name| (record, name.clone())).collect::<Vec<_>>()
        })
    });
    let title = move || {
        let n = names.with(Vec::len).to_string();
        fill(texts().columns_n, &[("n", &n)])
    };
    let new_name = RwSignal::new(String::new());
    let refused = RwSignal::new(false);
    let add = move || {
        let name = new_name.get_untracked().trim().to_owned();
        let is_taken = names.with_untracked(|all| all.iter().any(|(_, known)| *known == name));
        refused.set(name.is_empty() || is_taken);
        if refused.get_untracked() {
            return;
        }
        new_name.set(String::new());
        studio.edit_at_once(|draft| draft.set_column(&name, Value::String(String::new())));
    };
    view! {
        <details class="columns" data-testid="editor-columns">
            <summary>{title}</summary>
            <Show when=move || names.with(|names| !names.is_empty())>
                <div class="scrolled">
                    <table class="columns-table" aria-label=title>
                        <thead><tr>
                            <th scope="col">{move || texts().column}</th>
                            <th scope="col">{move || texts().kind}</th>
                            <th scope="col">{move || texts().value}</th>
                            <td></td>
                        </tr></thead>
                        <tbody>
                            <For each=move || names.get() key=Clone::clone let:key>
                                <Column name=key.1 />
                            </For>
                        </tbody>
                    </table>
                </div>
            </Show>
            <div class="row new-column">
                <input
                    type="text"
                    data-testid="editor-new-column"
                    placeholder=move || texts().new_column
                    aria-label=move || texts().new_column
                    aria-invalid=move || refused.get().to_string()
                    prop:value=move || new_name.get()
                    on:input=move |event| {
                        new_name.set(event_target_value(&event));
                        refused.set(false);
                    }
                    on:keydown=move |event| if key_of(&event) == "Enter" { add() }
                />
                <button type="button" data-testid="editor-add-column" on:click=move |_| add()>
                    {move || texts().add_column}
                </button>
            </div>
            {move || refused.get().then(|| view! {
                <p class="wrong hint" role="alert" data-testid="editor-column-refused">
                    {texts().name_taken}
                </p>
            })}
        </details>
    }
}

#[component]
fn Column(name: String) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let name = StoredValue::new(name);
    let value = Memo::new(move |_| {
        of_draft(studio, |draft| {
            name.with_value(|name| draft.content.extra.get(name).cloned())
        })
    });
    let kind =
        Memo::new(move |_| value.with(|value| value.as_ref().map_or(JsonKind::Null, JsonKind::of)));
    let set = move |value: Value| {
        let name = name.get_value();
        studio.edit(|draft| draft.set_column(&name, value));
    };
    let refused = RwSignal::new(None::<Refused>);
    // Whatever becomes of the value, it is not what was refused.
    Effect::new(move || {
        value.track();
        refused.set(None);
    });
    let convert = move |event: web_sys::Event| {
        let wanted = JsonKind::named(&event_target_value(&event));
        let typed = refused.get_untracked().map(|refused| refused.text.into());
        let now = typed.or_else(|| value.get_untracked()).unwrap_or_default();
        if let Some(value) = wanted.convert(&now) {
            set(value);
            return;
        }
        show_kind(&event, kind.get_untracked());
        let (text, why) = (shown(&now), Unread::Rounded);
        refused.set(Some(Refused { text, why }));
    };
    let taken = RwSignal::new(false);
    let from = name.get_value();
    // It may come while the column goes, when nothing that belongs to it can be read any more.
    let rename = move |event| {
        let to = event_target_value(&event);
        let done = studio.edit_at_once(|draft| draft.rename_column(&from, &to));
        taken.set(done == Some(false));
    };
    let remove = move |_| {
        let name = name.get_value();
        studio.edit_at_once(|draft| draft.remove_column(&name));
    };
    view! {
        <tr data-testid="editor-column">
            <td>
                <input
                    type="text"
                    aria-label=move || texts().column
                    aria-invalid=move || taken.get().to_string()
                    prop:value=name.get_value()
                    on:change=rename
                />
                {move || taken.get().then(|| view! {
                    <p class="wrong hint" role="alert">{texts().name_taken}</p>
                })}
            </td>
            <td>
                <select
                    data-testid="editor-column-kind"
                    aria-label=move || texts().kind
                    prop:value=move || kind.get().name()
                    on:change=convert
                >
                    {JsonKind::ALL.map(|one| view! {
                        <option value=one.name() selected=move || kind.get() == one>
                            {move || kind_title(texts(), one)}
                        </option>
                    })}
                </select>
            </td>
            <td><Cell value=value kind=kind refused=refused set=set /></td>
            <td>
                <button
                    type="button"
                    class="quiet"
                    data-testid="editor-remove-column"
                    aria-label=move || fill(texts().remove_column, &[("name", &name.get_value())])
                    on:click=remove
                >
                    "×"
                </button>
            </td>
        </tr>
    }
}

/// What stands in a cell and is no value of its kind.
#[derive(Clone)]
struct Refused {
    text: String,
    why: Unread,
}

/// The choice of kinds shows what the value is again, where it could not become another.
fn show_kind(event: &web_sys::Event, kind: JsonKind) {
    let choice = event.target();
    if let Some(choice) = choice.and_then(|it| it.dyn_into::<HtmlSelectElement>().ok()) {
        choice.set_value(kind.name());
    }
}

/// A value to be changed as its kind allows.
#[component]
fn Cell(
    value: Memo<Option<Value>>,
    kind: Memo<JsonKind>,
    refused: RwSignal<Option<Refused>>,
    set: impl Fn(Value) + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let text =
        Memo::new(move |_| value.with(|value| value.as_ref().map(shown).unwrap_or_default()));
    let write = move |event| {
        let text = text.with_untracked(|before| typed(before, &event_target_value(&event)));
        match kind.get_untracked().read(&text) {
            Ok(value) => {
                refused.set(None);
                set(value);
            }
            Err(why) => refused.set(Some(Refused { text, why })),
        }
    };
    let is_true = move || value.with(|value| value.as_ref().and_then(Value::as_bool) == Some(true));
    let field = move || match kind.get() {
        JsonKind::Null => view! { <span class="hint">"null"</span> }.into_any(),
        JsonKind::Boolean => view! {
            <input
                type="checkbox"
                data-testid="editor-column-value"
                aria-label=move || texts().value
                prop:checked=is_true
                on:change=move |event| set(Value::Bool(event_target_checked(&event)))
            />
        }
        .into_any(),
        JsonKind::Text | JsonKind::Number | JsonKind::Json => view! {
            <div class="grow" data-text=move || text.with(|text| for_height(text))>
                <textarea
                    rows="1"
                    spellcheck="false"
                    data-testid="editor-column-value"
                    aria-label=move || texts().value
                    aria-invalid=move || refused.with(Option::is_some).to_string()
                    prop:value=move || text.get()
                    on:input=write
                    on:blur=move |_| studio.save_draft()
                ></textarea>
            </div>
        }
        .into_any(),
    };
    let said = move || {
        refused.get().map(|refused| match refused.why {
            Unread::NoNumber => texts().no_number.to_owned(),
            Unread::Rounded => texts().rounded.to_owned(),
            Unread::Json(why) => why,
        })
    };
    view! {
        {field}
        {move || said().map(|said| view! { <p class="wrong hint" role="alert">{said}</p> })}
    }
}

fn kind_title(texts: &EditorTexts, kind: JsonKind) -> &'static str {
    match kind {
        JsonKind::Text => texts.kind_text,
        JsonKind::Number => texts.kind_number,
        JsonKind::Boolean => texts.kind_boolean,
        JsonKind::Null => texts.kind_null,
        JsonKind::Json => "JSON",
    }
}
