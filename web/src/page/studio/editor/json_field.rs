//! Tools and calls of tools: JSON that is taken over when it is whole.

use leptos::prelude::*;
use serde_json::Value;
use veneer_core::protocol::studio::{ProjectView, Turn, TurnRole};

use super::{is_open, of_draft};
use crate::{
    page::studio::handle::Studio,
    state::studio::{
        draft::{Draft, TurnId},
        field_text::for_height,
        json_text::{JsonField, ObjectsError, pretty, read_objects},
    },
    texts::{Language, fill},
};

/// The tools that a conversation may use.
#[component]
pub(super) fn Tools() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let tools = Memo::new(move |_| of_draft(studio, |draft| draft.tools().to_vec()));
    let shown = RwSignal::new(false);
    let field = Memo::new(move |_| field_at(studio, "tools".into()));
    // What could not be read there is to be seen again.
    Effect::new(move || {
        if field.with(|field| unread(studio, field).is_some()) {
            shown.set(true);
        }
    });
    let title = move || {
        let n = tools.with(Vec::len).to_string();
        fill(texts().tools_n, &[("n", &n)])
    };
    view! {
        <details
            class="tools"
            data-testid="editor-tools"
            prop:open=move || shown.get()
            on:toggle=move |event| shown.set(is_open(&event))
        >
            <summary>{title}</summary>
            <Show when=move || shown.get()>
                {move || {
                    let field = field.get();
                    view! {
                        <JsonList
                            field=field
                            value=tools
                            label=Signal::derive(move || texts().tools_label.to_owned())
                            testid="editor-tools-json"
                            on_change=move |list| {
                                studio.edit(|draft| draft.set_tools(list));
                            }
                        />
                    }
                }}
            </Show>
        </details>
    }
}

/// The calls of an answer, and keys of the message that have no field of their own.
#[component]
pub(super) fn ToolCalls(id: TurnId, turn: Memo<Option<Turn>>) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let calls = Memo::new(move |_| {
        turn.with(|turn| turn.as_ref().map(|turn| turn.tool_calls.clone()))
            .unwrap_or_default()
    });
    let is_answer = Memo::new(move |_| {
        turn.with(|turn| {
            turn.as_ref()
                .is_some_and(|turn| turn.role == TurnRole::Assistant)
        })
    });
    let field = untrack(|| {
        let place = of_draft(studio, |draft| draft.index_of(id));
        field_at(studio, format!("calls {}", place.unwrap_or_default()))
    });
    let begun = RwSignal::new(unread(studio, &field).is_some());
    let field = StoredValue::new(field);
    let is_shown = Memo::new(move |_| begun.get() || calls.with(|calls| !calls.is_empty()));
    let extra = Memo::new(move |_| turn.with(|turn| turn.as_ref().map(|turn| turn.extra.clone())));
    view! {
        <Show when=move || is_shown.get()>
            <JsonList
                field=field.get_value()
                value=calls
                label=Signal::derive(move || texts().calls_label.to_owned())
                testid="editor-calls-json"
                on_change=move |list| {
                    studio.edit(|draft| draft.set_tool_calls(id, list));
                }
            />
        </Show>
        <Show when=move || is_answer.get() && !is_shown.get()>
            <button
                type="button"
                class="quiet add-call"
                data-testid="editor-add-call"
                on:click=move |_| begun.set(true)
            >
                {move || texts().add_call}
            </button>
        </Show>
        {move || extra.get().filter(|extra| !extra.is_empty()).map(|extra| view! {
            <details class="turn-extra">
                <summary>{move || texts().further_keys}</summary>
                <pre tabindex="0">{pretty(&Value::Object(extra))}</pre>
            </details>
        })}
    }
}

/// A field of the record that is being edited.
fn field_at(studio: Studio, place: String) -> JsonField {
    let open = |open: &Option<ProjectView>| open.as_ref().map(|open| open.id.clone());
    let draft = |draft: &Option<Draft>| draft.as_ref().map(Draft::record);
    JsonField {
        project: studio.project.with(open),
        record: studio.draft.with(draft),
        place,
    }
}

/// What was typed there and could not be read.
fn unread(studio: Studio, field: &JsonField) -> Option<String> {
    studio.unread.with_value(|all| all.get(field).cloned())
}

/// A list of objects as text. What cannot be read stays in the field with what is wrong, also when
/// another record was looked at meanwhile.
#[component]
fn JsonList(
    field: JsonField,
    value: Memo<Vec<Value>>,
    label: Signal<String>,
    testid: &'static str,
    on_change: impl Fn(Vec<Value>) + Copy + 'static,
) -> impl IntoView {
    let studio = Studio::get();
    let left = unread(studio, &field);
    let fault = RwSignal::new(left.as_ref().and_then(|left| read_objects(left).err()));
    let text = RwSignal::new(left.unwrap_or_else(|| shown(&value.get_untracked())));
    // What comes from elsewhere replaces the text; what was typed here is that already.
    Effect::new(move || {
        let now = value.get();
        let typed = text.with_untracked(|text| read_objects(text));
        if typed.as_ref() != Ok(&now) && fault.with_untracked(Option::is_none) {
            text.set(shown(&now));
        }
    });
    let write = move |event| {
        let typed = event_target_value(&event);
        let read = read_objects(&typed);
        studio.unread.update_value(|all| match read {
            Ok(_) => {
                all.remove(&field);
            }
            Err(_) => {
                all.insert(field.clone(), typed.clone());
            }
        });
        text.set(typed);
        match read {
            Ok(list) => {
                fault.set(None);
                on_change(list);
            }
            Err(wrong) => fault.set(Some(wrong)),
        }
    };
    let said = move || {
        fault
            .get()
            .map(|fault| words(&fault, studio.app.language.get()))
    };
    view! {
        <div class="json-field">
            <span class="hint">{move || label.get()}</span>
            <div class="grow code" data-text=move || text.with(|text| for_height(text))>
                <textarea
                    rows="2"
                    spellcheck="false"
                    data-testid=testid
                    aria-label=move || label.get()
                    aria-invalid=move || fault.with(Option::is_some).to_string()
                    prop:value=move || text.get()
                    on:input=write
                    on:blur=move |_| studio.save_draft()
                ></textarea>
            </div>
            {move || said().map(|said| view! {
                <p class="wrong hint" role="alert" data-testid=format!("{testid}-fault")>{said}</p>
            })}
        </div>
    }
}

fn shown(list: &[Value]) -> String {
    match list {
        [] => String::new(),
        list => pretty(&Value::Array(list.to_vec())),
    }
}

fn words(fault: &ObjectsError, language: Language) -> String {
    let texts = &language.studio().editor;
    match fault {
        ObjectsError::NoList => texts.json_no_list.to_owned(),
        ObjectsError::Rounded => texts.rounded.to_owned(),
        ObjectsError::NoObject { number } => {
            fill(texts.json_no_object, &[("n", &number.to_string())])
        }
        ObjectsError::Json {
            line,
            column,
            detail,
        } => {
            let values = [
                ("line", line.to_string()),
                ("column", column.to_string()),
                ("why", detail.clone()),
            ];
            let values = values
                .each_ref()
                .map(|(name, value)| (*name, value.as_str()));
            fill(texts.json_wrong, &values)
        }
    }
}
