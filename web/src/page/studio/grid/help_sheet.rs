//! Every shortcut of the studio, with a way to change each.

use leptos::prelude::*;
use web_sys::KeyboardEvent;

use super::sheet::Sheet;
use crate::{
    page::{
        handle::App,
        studio::keys::{Keys, stroke_of},
    },
    state::studio::{
        shortcuts::{Command, Refusal, Scope, TABLE},
        stroke::Chord,
    },
    texts::fill,
};

#[component]
pub(in crate::page::studio) fn HelpSheet() -> impl IntoView {
    let app = App::get();
    let keys = Keys::get();
    let texts = move || &app.language.get().studio().shortcuts;
    let changing = RwSignal::new(None::<Command>);
    let said = RwSignal::new(String::new());
    let close = move || {
        changing.set(None);
        said.set(String::new());
        keys.help.set(false);
    };
    view! {
        <Sheet
            name="grid-help-sheet"
            title=Signal::derive(move || texts().title.to_owned())
            shown=Signal::derive(move || keys.help.get())
            on_close=move |()| close()
        >
            <p class="hint">{move || texts().about}</p>
            <p role="status" data-testid="shortcuts-said">{move || said.get()}</p>
            <div class="shortcuts" on:keydown=move |event| hear(app, keys, changing, said, &event)>
                {Scope::ALL.map(|scope| view! { <Part scope=scope changing=changing said=said /> })}
            </div>
            <div class="actions">
                <button type="button" class="main" data-testid="shortcuts-close" on:click=move |_| close()>
                    {move || texts().close}
                </button>
                <Show when=move || keys.shortcuts.with(|shortcuts| shortcuts.any_changed())>
                    <button
                        type="button"
                        data-testid="shortcuts-reset"
                        on:click=move |_| {
                            said.set(String::new());
                            keys.change(|shortcuts| shortcuts.reset_all());
                        }
                    >
                        {move || texts().reset_all}
                    </button>
                </Show>
            </div>
        </Sheet>
    }
}

/// Takes a key press for the command that is being changed. Escape leaves it as it is, and so does Tab,
/// which goes on.
fn hear(
    app: App,
    keys: Keys,
    changing: RwSignal<Option<Command>>,
    said: RwSignal<String>,
    event: &KeyboardEvent,
) {
    let Some(command) = changing.get_untracked() else {
        return;
    };
    if matches!(event.key().as_str(), "Escape" | "Tab") {
        changing.set(None);
        said.set(String::new());
        if event.key() == "Escape" {
            // The sheet stays.
            event.prevent_default();
            event.stop_propagation();
        }
        return;
    }
    let Some(stroke) = stroke_of(event) else {
        return;
    };
    event.prevent_default();
    event.stop_propagation();
    let chord = Chord::single(stroke);
    let shown = chord.shown();
    let result = keys.change(|shortcuts| shortcuts.assign(command, chord));
    if result.is_ok() {
        changing.set(None);
    }
    said.set(outcome(app, command, &shown, result));
}

fn outcome(app: App, command: Command, key: &str, result: Result<(), Refusal>) -> String {
    let texts = &app.language.get_untracked().studio().shortcuts;
    let (text, command) = match result {
        Ok(()) => (texts.changed, texts.command(command)),
        Err(Refusal::Taken(other)) => (texts.taken, texts.command(other)),
        Err(Refusal::Reserved) => (texts.reserved, ""),
    };
    fill(text, &[("key", key), ("command", command)])
}

#[component]
fn Part(
    scope: Scope,
    changing: RwSignal<Option<Command>>,
    said: RwSignal<String>,
) -> impl IntoView {
    let app = App::get();
    let texts = move || &app.language.get().studio().shortcuts;
    let lines = TABLE.iter().filter(|entry| entry.scope == scope);
    view! {
        <section>
            <h3>{move || texts().scope(scope)}</h3>
            <ul>
                {lines.map(|entry| view! {
                    <Line command=entry.command changing=changing said=said />
                }).collect::<Vec<_>>()}
            </ul>
        </section>
    }
}

#[component]
fn Line(
    command: Command,
    changing: RwSignal<Option<Command>>,
    said: RwSignal<String>,
) -> impl IntoView {
    let app = App::get();
    let keys = Keys::get();
    let texts = move || &app.language.get().studio().shortcuts;
    let name = move || texts().command(command);
    let caps = move || {
        let chords = keys.shortcuts.with(|shortcuts| shortcuts.keys(command));
        chords
            .into_iter()
            .map(|chord| view! { <kbd>{chord.shown()}</kbd> })
            .collect::<Vec<_>>()
    };
    let is_changing = move || changing.get() == Some(command);
    let reset = move |_| {
        let (key, result) = match keys.change(|shortcuts| shortcuts.reset(command)) {
            Ok(()) => {
                let shortcuts = keys.shortcuts;
                let key = shortcuts.with_untracked(|shortcuts| shortcuts.shown(command));
                (key, Ok(()))
            }
            Err((chord, other)) => (chord.shown(), Err(Refusal::Taken(other))),
        };
        said.set(outcome(app, command, &key, result));
    };
    let label = move |text: &str| format!("{text} ({})", name());
    view! {
        <li data-testid="shortcut" data-command=format!("{command:?}")>
            <span>{name}</span>
            <span class="caps">
                {move || match is_changing() {
                    true => view! { <em>{texts().press}</em> }.into_any(),
                    false => caps().into_any(),
                }}
            </span>
            <span class="actions small">
                <button
                    type="button"
                    class="quiet"
                    data-testid="shortcut-change"
                    aria-pressed=move || is_changing().to_string()
                    aria-label=move || label(texts().change)
                    on:click=move |_| changing.update(|now| {
                        *now = (*now != Some(command)).then_some(command);
                    })
                >
                    {move || texts().change}
                </button>
                <Show when=move || keys.shortcuts.with(|shortcuts| shortcuts.is_changed(command))>
                    <button
                        type="button"
                        class="quiet"
                        data-testid="shortcut-reset"
                        aria-label=move || label(texts().reset)
                        on:click=reset
                    >
                        {move || texts().reset}
                    </button>
                </Show>
            </span>
        </li>
    }
}
