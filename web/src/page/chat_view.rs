//! The turns of the chat.

use leptos::{html, prelude::*};
use web_sys::KeyboardEvent;

use super::{answer::AnswerView, focus, handle::App};

/// What tells turns apart; a change renders the turn anew.
type TurnKey = (u64, u64, usize);

#[component]
pub(super) fn ChatView() -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let end = NodeRef::<html::Div>::new();
    let turns = Memo::new(move |_| -> Vec<TurnKey> {
        app.chat.with(|chat| {
            let turns = chat.turns.iter();
            turns
                .map(|turn| (turn.id, turn.attempt, turn.answers.len()))
                .collect()
        })
    });
    let is_empty = move || turns.with(Vec::is_empty);
    // A new turn is brought into sight; while it is written the reader scrolls as they like.
    Effect::new(move || {
        turns.read();
        if let Some(end) = end.get() {
            end.scroll_into_view_with_bool(false);
        }
    });
    view! {
        <div class="turns" data-testid="turns">
            <Show when=is_empty>
                <div class="empty">
                    <p>{move || texts().chat_empty}</p>
                    <Samples />
                </div>
            </Show>
            <For each=move || turns.get() key=|key| *key let:key>
                <TurnView turn=key.0 n_answers=key.2 />
            </For>
            <div node_ref=end></div>
        </div>
    }
}

/// Prompts to begin with.
#[component]
fn Samples() -> impl IntoView {
    let app = App::get();
    let any = move || app.samples.with(|samples| !samples.is_empty());
    view! {
        <Show when=any>
            <div class="samples" role="group" aria-label=move || app.texts().chat_samples>
                {move || app.samples.get().into_iter().map(|prompt| {
                    let asked = prompt.clone();
                    view! {
                        <button
                            type="button"
                            data-testid="sample"
                            on:click=move |_| {
                                app.ask(&asked);
                            }
                        >
                            {prompt}
                        </button>
                    }
                }).collect_view()}
            </div>
        </Show>
    }
}

#[component]
fn TurnView(turn: u64, n_answers: usize) -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let prompt = app.chat.with_untracked(|chat| {
        let found = chat.turns.iter().find(|other| other.id == turn);
        found.map(|turn| turn.prompt.clone()).unwrap_or_default()
    });
    let prompt = StoredValue::new(prompt);
    let draft = RwSignal::new(None::<String>);
    let is_last = Signal::derive(move || {
        app.chat
            .with(|chat| chat.turns.last().is_some_and(|last| last.id == turn))
    });
    let id = format!("turn-{turn}");
    // The keyboard follows: into the draft, and back to where it was begun, whoever took it meanwhile.
    let go_to = move |place: &str| {
        let place = format!("#turn-{turn} {place}");
        request_animation_frame(move || focus::on(&[&place, "#prompt"]));
    };
    let begin = move |_| {
        draft.set(Some(prompt.get_value()));
        go_to(".draft");
    };
    let discard = move || {
        draft.set(None);
        go_to("[data-testid=edit]");
    };
    let key = move |event: KeyboardEvent| {
        // An input method gives up its own work with Escape.
        if event.key() == "Escape" && !event.is_composing() {
            discard();
        }
    };
    let resend = move |_| {
        if let Some(text) = draft.get_untracked() {
            app.edit(turn, &text);
        }
    };
    let editor = move || {
        view! {
            <textarea
                class="draft"
                data-testid="draft"
                rows="3"
                aria-label=move || texts().edit
                prop:value=move || draft.get().unwrap_or_default()
                on:input=move |event| draft.set(Some(event_target_value(&event)))
                on:keydown=key
            />
            <div class="actions">
                <button type="button" class="main" data-testid="resend" on:click=resend>
                    {move || texts().resend}
                </button>
                <button type="button" data-testid="discard" on:click=move |_| discard()>
                    {move || texts().discard}
                </button>
            </div>
        }
    };
    view! {
        <article class="turn" id=id>
            <div class="said">
                <h3 class="who">{move || texts().you}</h3>
                <Show
                    when=move || draft.with(Option::is_some)
                    fallback=move || view! {
                        <p class="words">{prompt.get_value()}</p>
                        <div class="actions small">
                            <button
                                type="button"
                                class="quiet"
                                data-testid="edit"
                                on:click=begin
                            >
                                {move || texts().edit}
                            </button>
                            <button
                                type="button"
                                class="quiet"
                                data-testid="regenerate"
                                on:click=move |_| app.regenerate(turn)
                            >
                                {move || texts().regenerate}
                            </button>
                        </div>
                    }
                >
                    {editor}
                </Show>
            </div>
            <div class="answers" style=format!("--columns: {n_answers}")>
                {(0..n_answers)
                    .map(|column| view! {
                        <AnswerView turn=turn column=column is_last=is_last />
                    })
                    .collect_view()}
            </div>
        </article>
    }
}
