//! Every command by its name.

use leptos::prelude::*;
use web_sys::KeyboardEvent;

use super::sheet::Sheet;
use crate::{
    page::{
        focus,
        handle::App,
        studio::{
            handle::{Step, Studio},
            keys::{Keys, key_of},
        },
    },
    state::studio::shortcuts::{Command, Scope, TABLE},
};

#[component]
pub(in crate::page::studio) fn Palette() -> impl IntoView {
    let app = App::get();
    let keys = Keys::get();
    let title = Signal::derive(move || app.language.get().studio().shortcuts.palette.to_owned());
    view! {
        <Sheet
            name="palette"
            title=title
            shown=Signal::derive(move || keys.palette.get())
            on_close=move |()| keys.palette.set(false)
        >
            <Choices />
        </Sheet>
    }
}

#[component]
fn Choices() -> impl IntoView {
    let app = App::get();
    let keys = Keys::get();
    let step = Studio::get().step.get_untracked();
    let texts = move || &app.language.get().studio().shortcuts;
    let typed = RwSignal::new(String::new());
    let chosen = RwSignal::new(0_usize);
    let found = Memo::new(move |_| {
        let typed = typed.get().to_lowercase();
        let here = |scope| scope == Scope::Everywhere || step == Step::Edit;
        TABLE
            .iter()
            .filter(|entry| here(entry.scope) && entry.command != Command::Palette)
            .map(|entry| entry.command)
            .filter(|command| {
                texts()
                    .command(*command)
                    .to_lowercase()
                    .contains(typed.trim())
            })
            .collect::<Vec<_>>()
    });
    Effect::new(move || {
        if let Some(line) = document().get_element_by_id(&id_of(chosen.get())) {
            focus::bring_into_view(&line);
        }
    });
    let is_none = Memo::new(move |_| found.with(Vec::is_empty));
    let run = move |command: Command| {
        keys.palette.set(false);
        // The focus is back where it was before the command looks where it is.
        request_animation_frame(move || {
            if !keys.palette.is_disposed() {
                keys.fire(command);
            }
        });
    };
    let key = move |event: KeyboardEvent| {
        let n = found.with_untracked(Vec::len).max(1);
        match key_of(&event).as_str() {
            "ArrowDown" => chosen.update(|at| *at = (*at + 1) % n),
            "ArrowUp" => chosen.update(|at| *at = (*at + n - 1) % n),
            "Enter" => {
                let at = chosen.get_untracked();
                if let Some(command) = found.with_untracked(|found| found.get(at).copied()) {
                    run(command);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let lines = move || {
        let line = |(at, command): (usize, Command)| {
            view! {
                <li role="presentation">
                    <button
                        type="button"
                        class="quiet"
                        class:chosen=move || chosen.get() == at
                        role="option"
                        tabindex="-1"
                        id=id_of(at)
                        data-testid="palette-command"
                        aria-selected=move || (chosen.get() == at).to_string()
                        on:click=move |_| run(command)
                    >
                        <span>{texts().command(command)}</span>
                        <kbd>{keys.shown(command)}</kbd>
                    </button>
                </li>
            }
        };
        found
            .get()
            .into_iter()
            .enumerate()
            .map(line)
            .collect::<Vec<_>>()
    };
    view! {
        <input
            type="text"
            data-testid="palette-search"
            role="combobox"
            aria-expanded=move || (!is_none.get()).to_string()
            aria-controls="palette-list"
            aria-activedescendant=move || (!is_none.get()).then(|| id_of(chosen.get()))
            aria-label=move || texts().palette_search
            placeholder=move || texts().palette_search
            autocomplete="off"
            autofocus
            on:input=move |event| {
                typed.set(event_target_value(&event));
                chosen.set(0);
            }
            on:keydown=key
        />
        <ul id="palette-list" class="palette" role="listbox">{lines}</ul>
        <div role="status">
            {move || is_none.get().then(|| view! { <p class="hint">{texts().palette_none}</p> })}
        </div>
    }
}

/// The name of a line in the document.
fn id_of(at: usize) -> String {
    format!("palette-{at}")
}
