//! One turn: who says it, what, and what can be done with it.

use leptos::{html, prelude::*};
use veneer_core::protocol::studio::{Turn, TurnRole};
use web_sys::KeyboardEvent;

use super::{
    FocusAt, Shared, cards::Drag, commands::Commands, json_field::ToolCalls, of_draft,
    rendered::Rendered,
};
use crate::{
    page::studio::handle::Studio,
    state::{
        numbers,
        studio::{
            draft::{Entry, TurnId, turn_of_field},
            field_text::{for_height, typed},
            shortcuts::Command,
        },
    },
    texts::{fill, studio::EditorTexts},
};

/// Id of the field that a turn's text is written in.
pub(super) fn text_id(id: TurnId) -> String {
    format!("editor-text-{}", id.0)
}

#[component]
pub(super) fn Card(id: TurnId, drag: Drag) -> impl IntoView {
    let studio = Studio::get();
    let shared = Shared::get();
    let turn = Memo::new(move |_| of_draft(studio, |draft| draft.turn(id).cloned()));
    let index = Memo::new(move |_| of_draft(studio, |draft| draft.index_of(id)).unwrap_or(0));
    let role = Memo::new(move |_| turn.with(|turn| turn.as_ref().map(|turn| turn.role)));
    let is_dragged = move || {
        shared
            .dragged
            .get()
            .is_some_and(|(dragged, _)| dragged == id)
    };
    // The line stands above the turn that would be pushed down.
    let drop = move || {
        let (dragged, to) = shared.dragged.get()?;
        let from = of_draft(studio, |draft| draft.index_of(dragged))?;
        let at = index.get();
        match (at == to, to < from) {
            (true, true) => Some("above"),
            (true, false) if to > from => Some("below"),
            _ => None,
        }
    };
    let has_fault = Memo::new(move |_| {
        of_draft(studio, |draft| {
            let faults = draft.view.findings.iter();
            let mut faults = faults.filter(|finding| finding.is_error && !finding.accepted);
            faults.any(|finding| turn_of_field(&finding.field) == Some(index.get()))
        })
    });
    view! {
        <li
            class="turn-card"
            class:dragged=is_dragged
            class:faulty=move || has_fault.get()
            data-drop=drop
            data-testid="editor-turn"
            data-role=move || role.get().map(TurnRole::name)
            on:focusin=move |_| shared.at.set(Some(id))
        >
            <CardHead id=id index=index turn=turn drag=drag />
            <CardText id=id index=index turn=turn />
            <ToolCalls id=id turn=turn />
            <CardTools id=id index=index turn=turn />
        </li>
    }
}

#[component]
fn CardHead(id: TurnId, index: Memo<usize>, turn: Memo<Option<Turn>>, drag: Drag) -> impl IntoView {
    let studio = Studio::get();
    let commands = Commands::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let handle = NodeRef::<html::Button>::new();
    let choice = NodeRef::<html::Select>::new();
    take_focus(id, handle, choice);
    let role = Memo::new(move |_| {
        turn.with(|turn| turn.as_ref().map_or(TurnRole::User, |turn| turn.role))
    });
    let numbered = move |text| fill(text, &[("n", &(index.get() + 1).to_string())]);
    let key = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowUp" => -1,
            "ArrowDown" => 1,
            // Of a drag it ends that alone; without one it leaves the editor.
            "Escape" if drag.cancel() => 0,
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        if by != 0 {
            commands.shift(id, by);
        }
    };
    let choose = move |event| {
        let name = event_target_value(&event);
        if let Some(role) = TurnRole::ALL.into_iter().find(|role| role.name() == name) {
            commands.set_role(id, role);
        }
    };
    view! {
        <div class="turn-head">
            <button
                type="button"
                class="quiet handle"
                node_ref=handle
                data-testid="editor-handle"
                aria-label=move || numbered(texts().handle)
                title=move || texts().handle_about
                on:pointerdown=move |event| drag.begin(id, &event)
                on:pointermove=move |event| drag.go_on(&event)
                on:pointerup=move |_| drag.end()
                on:pointercancel=move |_| {
                    drag.cancel();
                }
                on:keydown=key
            >
                <span aria-hidden="true">"⠿"</span>
            </button>
            <select
                node_ref=choice
                data-testid="editor-role"
                aria-label=move || numbered(texts().role)
                prop:value=move || role.get().name()
                on:change=choose
            >
                {TurnRole::ALL.map(|one| view! {
                    <option value=one.name() selected=move || role.get() == one>
                        {move || role_title(texts(), one)}
                    </option>
                })}
            </select>
            <Names id=id turn=turn />
            <TokenCount index=index />
            <TrainSwitch id=id turn=turn />
        </div>
    }
}

/// Puts the keyboard on handle or role when it was sent there.
fn take_focus(id: TurnId, handle: NodeRef<html::Button>, choice: NodeRef<html::Select>) {
    let shared = Shared::get();
    Effect::new(move || {
        let wanted = shared.focus.get();
        // Focusing an element of the page cannot fail.
        if wanted == Some(FocusAt::Handle(id))
            && let Some(handle) = handle.get()
        {
            handle.focus().ok();
            shared.focus.set(None);
        } else if wanted == Some(FocusAt::Role(id))
            && let Some(choice) = choice.get()
        {
            choice.focus().ok();
            shared.focus.set(None);
        }
    });
}

/// The name of a speaker or tool, and the call that a tool answers; only where there is one or could be.
#[component]
fn Names(id: TurnId, turn: Memo<Option<Turn>>) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let name = Memo::new(move |_| turn.with(|turn| turn.as_ref()?.name.clone()));
    let call = Memo::new(move |_| turn.with(|turn| turn.as_ref()?.tool_call_id.clone()));
    let is_tool = Memo::new(move |_| {
        turn.with(|turn| {
            turn.as_ref()
                .is_some_and(|turn| turn.role == TurnRole::Tool)
        })
    });
    view! {
        <Show when=move || is_tool.get() || name.get().is_some()>
            <input
                type="text"
                class="small"
                data-testid="editor-name"
                placeholder=move || texts().name
                aria-label=move || texts().name
                prop:value=move || name.get().unwrap_or_default()
                on:input=move |event| {
                    let text = event_target_value(&event);
                    studio.edit(|draft| draft.set_name(id, &text));
                }
                on:blur=move |_| studio.save_draft()
            />
        </Show>
        <Show when=move || is_tool.get() || call.get().is_some()>
            <input
                type="text"
                class="small"
                data-testid="editor-call-id"
                placeholder=move || texts().call_id
                aria-label=move || texts().call_id
                prop:value=move || call.get().unwrap_or_default()
                on:input=move |event| {
                    let text = event_target_value(&event);
                    studio.edit(|draft| draft.set_call_id(id, &text));
                }
                on:blur=move |_| studio.save_draft()
            />
        </Show>
    }
}

/// Tokens of the text as it is stored.
#[component]
fn TokenCount(index: Memo<usize>) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let count = Memo::new(move |_| {
        of_draft(studio, |draft| {
            let counts = draft.view.n_tokens.as_ref()?;
            let n = counts.of_turns.get(index.get())?;
            Some((*n, draft.is_saved()))
        })
    });
    move || {
        count.get().map(|(n, is_current)| {
            let n = numbers::whole(n, studio.app.language.get());
            let n = if is_current { n } else { format!("~{n}") };
            view! {
                <span class="hint count" data-testid="editor-turn-tokens">
                    {fill(texts().n_tokens, &[("n", &n)])}
                </span>
            }
        })
    }
}

/// Whether an answer is learned.
#[component]
fn TrainSwitch(id: TurnId, turn: Memo<Option<Turn>>) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let weight = Memo::new(move |_| turn.with(|turn| turn.as_ref().and_then(|turn| turn.weight)));
    let is_answer = Memo::new(move |_| {
        turn.with(|turn| {
            let turn = turn.as_ref();
            turn.is_some_and(|turn| turn.role == TurnRole::Assistant || turn.weight.is_some())
        })
    });
    let trained = move || weight.get().is_none_or(|weight| weight != 0.0);
    let odd = move || {
        weight
            .get()
            .filter(|weight| *weight != 0.0 && *weight != 1.0)
    };
    view! {
        <Show when=move || is_answer.get()>
            <label class="check switch" title=move || texts().train_about>
                <input
                    type="checkbox"
                    data-testid="editor-train"
                    prop:checked=trained
                    on:change=move |event| {
                        let on = event_target_checked(&event);
                        studio.edit_at_once(|draft| draft.set_trained(id, on));
                    }
                />
                <span>{move || texts().train}</span>
                {move || odd().map(|weight| view! { <span class="wrong">{weight.to_string()}</span> })}
            </label>
        </Show>
    }
}

/// The text, to be written or as Markdown shows it.
#[component]
fn CardText(id: TurnId, index: Memo<usize>, turn: Memo<Option<Turn>>) -> impl IntoView {
    let studio = Studio::get();
    let shared = Shared::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let text = Memo::new(move |_| {
        turn.with(|turn| turn.as_ref().and_then(|turn| turn.text.clone()))
            .unwrap_or_default()
    });
    // Writing in one text shows its source, whatever the others show.
    let in_source = RwSignal::new(false);
    Effect::new(move || {
        shared.rendered.track();
        in_source.set(false);
    });
    let field = NodeRef::<html::Textarea>::new();
    Effect::new(move || {
        if shared.focus.get() != Some(FocusAt::Text(Entry::Turn(id))) {
            return;
        }
        in_source.set(true);
        if let Some(field) = field.get() {
            field.focus().ok();
            shared.focus.set(None);
        }
    });
    let is_rendered = Memo::new(move |_| shared.rendered.get() && !in_source.get());
    let label = move || fill(texts().text_of, &[("n", &(index.get() + 1).to_string())]);
    let write = move |event| {
        let text = text.with_untracked(|before| typed(before, &event_target_value(&event)));
        studio.edit(|draft| draft.set_text(id, &text));
    };
    let leave = move |_| {
        studio.save_draft();
        in_source.set(false);
    };
    move || match is_rendered.get() {
        true => view! {
            <Rendered text=text.get() />
            <button
                type="button"
                class="quiet small"
                data-testid="editor-source"
                on:click=move |_| shared.focus.set(Some(FocusAt::Text(Entry::Turn(id))))
            >
                {move || texts().edit_source}
            </button>
        }
        .into_any(),
        // The hidden copy in `data-text` gives the field its height.
        false => view! {
            <div class="grow" data-text=move || text.with(|text| for_height(text))>
                <textarea
                    id=text_id(id)
                    node_ref=field
                    rows="1"
                    spellcheck="false"
                    dir="auto"
                    data-testid="editor-text"
                    aria-label=label
                    prop:value=move || text.get()
                    on:input=write
                    on:blur=leave
                ></textarea>
            </div>
        }
        .into_any(),
    }
}

/// What can be done with a turn as a whole.
#[component]
fn CardTools(id: TurnId, index: Memo<usize>, turn: Memo<Option<Turn>>) -> impl IntoView {
    let studio = Studio::get();
    let commands = Commands::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let is_last = Memo::new(move |_| of_draft(studio, |draft| draft.ids.len() == index.get() + 1));
    let is_empty = Memo::new(move |_| {
        turn.with(|turn| {
            let text = turn.as_ref().and_then(|turn| turn.text.as_deref());
            text.unwrap_or_default().is_empty()
        })
    });
    // A button would take the cursor out of the text that it cuts.
    let keep_cursor = move |event: web_sys::PointerEvent| event.prevent_default();
    view! {
        <div class="turn-tools small actions">
            <button type="button" class="quiet" data-testid="editor-add-above"
                on:click=move |_| commands.add(Some(id), false)>
                {move || texts().add_above}
            </button>
            <button type="button" class="quiet" data-testid="editor-add-below"
                title=move || commands.keys_of(Command::AddTurn)
                on:click=move |_| commands.add(Some(id), true)>
                {move || texts().add_below}
            </button>
            <button type="button" class="quiet" data-testid="editor-split"
                title=move || commands.keys_of(Command::SplitTurn)
                disabled=move || is_empty.get()
                on:pointerdown=keep_cursor
                on:click=move |_| commands.split(id)>
                {move || texts().split}
            </button>
            <button type="button" class="quiet" data-testid="editor-join"
                disabled=move || is_last.get()
                on:click=move |_| commands.join(id)>
                {move || texts().join}
            </button>
            <button type="button" class="quiet" data-testid="editor-delete-turn"
                title=move || commands.keys_of(Command::DeleteTurn)
                on:click=move |_| commands.remove(id)>
                {move || texts().delete_turn}
            </button>
        </div>
    }
}

pub(super) fn role_title(texts: &EditorTexts, role: TurnRole) -> &'static str {
    match role {
        TurnRole::System => texts.role_system,
        TurnRole::Developer => texts.role_developer,
        TurnRole::User => texts.role_user,
        TurnRole::Assistant => texts.role_assistant,
        TurnRole::Tool => texts.role_tool,
    }
}
