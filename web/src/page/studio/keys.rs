//! Hears the keyboard and hands commands to whoever waits for them.
//!
//! The parts of the page are told apart by `data-keys`: `list` and `editor` on the elements that hold
//! them. What the keys mean is decided by [`crate::state::studio::shortcuts`].

use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

use super::handle::{Step, Studio};
use crate::{
    page::kept,
    state::studio::{
        shortcuts::{Command, Field, Meaning, Place, Scope, Shortcuts},
        stroke::{Held, Stroke},
    },
};

/// How long the second stroke of a chord is waited for.
const PATIENCE_MS: f64 = 1500.0;

/// The key that was pressed; none where it belongs to what is being composed: Enter and Escape there
/// mean the candidate.
pub(in crate::page) fn key_of(event: &KeyboardEvent) -> String {
    if event.is_composing() {
        return String::new();
    }
    event.key()
}

type Hearer = Rc<dyn Fn(Command)>;

/// The commands of the studio. Copies are the same.
#[derive(Clone, Copy)]
pub(in crate::page) struct Keys {
    pub(in crate::page) shortcuts: RwSignal<Shortcuts>,
    /// Whether the help sheet is shown.
    pub(in crate::page) help: RwSignal<bool>,
    /// Whether the list of commands to choose from is shown.
    pub(in crate::page) palette: RwSignal<bool>,
    hearers: StoredValue<Vec<(u64, Hearer)>, LocalStorage>,
    /// The first stroke of a chord, and when it came.
    begun: StoredValue<Option<(Stroke, f64)>>,
}

impl Keys {
    pub(in crate::page) fn get() -> Self {
        expect_context()
    }

    /// Listens for as long as the caller's component is there.
    pub(in crate::page) fn provide() -> Self {
        let kept = kept::shortcuts().unwrap_or_default();
        let keys = Self {
            shortcuts: RwSignal::new(Shortcuts::of_text(&kept)),
            help: RwSignal::new(false),
            palette: RwSignal::new(false),
            hearers: StoredValue::new_local(Vec::new()),
            begun: StoredValue::new(None),
        };
        provide_context(keys);
        let studio = Studio::get();
        let listener = window_event_listener(leptos::ev::keydown, move |event| {
            keys.press(studio, &event);
        });
        on_cleanup(move || listener.remove());
        keys.on(move |command| keys.go(studio, command));
        keys
    }

    /// Calls `hear` with every command for as long as the caller's component is there.
    pub(in crate::page) fn on(self, hear: impl Fn(Command) + 'static) {
        let hearer: Hearer = Rc::new(hear);
        let mut key = 0;
        self.hearers.update_value(|hearers| {
            key = hearers.last().map_or(1, |(last, _)| last + 1);
            hearers.push((key, hearer));
        });
        on_cleanup(move || {
            // The studio may be gone before its parts are.
            self.hearers
                .try_update_value(|hearers| hearers.retain(|(other, _)| *other != key));
        });
    }

    /// Starts a command, as its key does.
    pub(in crate::page) fn fire(self, command: Command) {
        // A hearer may add or remove hearers, so nothing is borrowed while they run.
        let hearers = self.hearers.get_value();
        for (_, hear) in hearers {
            hear(command);
        }
    }

    /// The keys of a command as text; empty where it has none.
    pub(in crate::page) fn shown(self, command: Command) -> String {
        self.shortcuts.with(|shortcuts| shortcuts.shown(command))
    }

    /// Changes shortcuts and keeps them.
    pub(in crate::page) fn change<T>(self, change: impl FnOnce(&mut Shortcuts) -> T) -> T {
        let mut shortcuts = self.shortcuts.get_untracked();
        let result = change(&mut shortcuts);
        kept::keep_shortcuts(&shortcuts.to_text());
        self.shortcuts.set(shortcuts);
        result
    }

    fn press(self, studio: Studio, event: &KeyboardEvent) {
        if event.default_prevented() || event.is_composing() || in_dialog(event) {
            return;
        }
        let Some(stroke) = stroke_of(event) else {
            return;
        };
        let place = place_of(event, studio.step.get_untracked());
        let begun = self.begun.get_value();
        self.begun.set_value(None);
        let begun = begun.filter(|(_, at)| event.time_stamp() - at < PATIENCE_MS);
        let begun = begun.map(|(stroke, _)| stroke);
        let meaning = self
            .shortcuts
            .with_untracked(|shortcuts| shortcuts.meaning(begun.as_ref(), &stroke, place));
        match meaning {
            Meaning::Nothing => {}
            Meaning::Begun(stroke) => {
                self.begun.set_value(Some((stroke, event.time_stamp())));
            }
            Meaning::Command(Command::Copy) if has_selected_text() => {}
            Meaning::Command(command) => {
                event.prevent_default();
                self.fire(command);
            }
        }
    }

    /// Commands that belong to no part of the page.
    fn go(self, studio: Studio, command: Command) {
        let is_open = studio.project.with_untracked(Option::is_some);
        match command {
            Command::Help => self.help.update(|help| *help = !*help),
            Command::Palette => self.palette.update(|palette| *palette = !*palette),
            Command::Undo if is_open => studio.undo(),
            Command::Redo if is_open => studio.redo(),
            Command::GoImport => studio.step.set(Step::Import),
            Command::GoCheck => studio.step.set(Step::Check),
            Command::GoEdit => studio.step.set(Step::Edit),
            Command::GoSplit => studio.step.set(Step::Split),
            Command::GoExport => studio.step.set(Step::Export),
            _ => {}
        }
    }
}

/// The stroke of a key press.
pub(super) fn stroke_of(event: &KeyboardEvent) -> Option<Stroke> {
    let held = Held {
        main: event.ctrl_key() || event.meta_key(),
        alt: event.alt_key(),
        shift: event.shift_key(),
    };
    Stroke::new(&event.key(), held)
}

/// A dialog has its own keys.
fn in_dialog(event: &KeyboardEvent) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let inside = target.and_then(|target| target.closest("dialog").ok().flatten());
    inside.is_some()
        || document()
            .query_selector("dialog[open]")
            .ok()
            .flatten()
            .is_some()
}

fn has_selected_text() -> bool {
    let selection = window().get_selection().ok().flatten();
    selection.is_some_and(|selection| !selection.is_collapsed())
}

fn place_of(event: &KeyboardEvent, step: Step) -> Place {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let part = target.as_ref().and_then(|target| {
        let part = target.closest("[data-keys]").ok().flatten()?;
        part.get_attribute("data-keys")
    });
    let scope = match part.as_deref() {
        Some("editor") => Scope::Editor,
        Some("list") => Scope::List,
        // Where nothing else wants the keys, the list of the step listens.
        _ if step == Step::Edit => Scope::List,
        _ => Scope::Everywhere,
    };
    let field = target.as_ref().map_or(Field::None, field_of);
    Place { scope, field }
}

fn field_of(target: &Element) -> Field {
    let is_editable = target
        .dyn_ref::<HtmlElement>()
        .is_some_and(HtmlElement::is_content_editable);
    let kind = target.get_attribute("type").unwrap_or_default();
    let presses = ["button", "checkbox", "radio", "range", "file", "submit"];
    match target.tag_name().as_str() {
        "INPUT" if presses.contains(&kind.as_str()) => Field::Control,
        "INPUT" | "TEXTAREA" => Field::Text,
        _ if is_editable => Field::Text,
        "BUTTON" | "SELECT" | "A" | "SUMMARY" | "OPTION" => Field::Control,
        _ if target.get_attribute("role").as_deref() == Some("separator") => Field::Control,
        _ => Field::None,
    }
}
