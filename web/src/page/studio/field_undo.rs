//! The browser's own undo, kept to the field that is written in.
//!
//! Chromium has one undo for all fields of a page: Ctrl+Z in one message would take back what was typed in
//! another. What was typed in a field since it got the focus lies on top of that undo, so Ctrl+Z is let
//! through as long as some of it is left, and redo as long as it brings back what was taken back here.

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, Event, HtmlInputElement, HtmlTextAreaElement, InputEvent, KeyboardEvent};

/// The text field that had the focus last.
struct Typing {
    field: Element,
    /// Its text when it got the focus, and after the last typing.
    before: String,
    now: String,
    n_undone: u32,
}

type Kept = StoredValue<Option<Typing>, LocalStorage>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Back,
    Again,
}

/// Listens for as long as the caller's component is there.
pub(super) fn keep_to_field() {
    let typing: Kept = StoredValue::new_local(None);
    let entered = window_event_listener_untyped("focusin", move |event| enter(typing, &event));
    let typed = window_event_listener_untyped("input", move |event| follow(typing, &event));
    let pressed = window_event_listener(leptos::ev::keydown, move |event| {
        if let Some(way) = way_of_keys(&event) {
            hold_back(typing, way, &event);
        }
    });
    // The menu of a field has both too.
    let asked = window_event_listener_untyped("beforeinput", move |event| {
        if let Some(way) = way_of_input(&event) {
            hold_back(typing, way, &event);
        }
    });
    on_cleanup(move || {
        for listener in [entered, typed, pressed, asked] {
            listener.remove();
        }
    });
}

fn enter(kept: Kept, event: &Event) {
    let Some((field, text)) = field_of(event) else {
        return;
    };
    kept.update_value(|typing| {
        if typing.as_ref().is_none_or(|typing| typing.field != field) {
            *typing = Some(Typing {
                field,
                before: text.clone(),
                now: text,
                n_undone: 0,
            });
        }
    });
}

fn follow(kept: Kept, event: &Event) {
    let Some((field, text)) = field_of(event) else {
        return;
    };
    kept.update_value(|typing| {
        if let Some(typing) = typing.as_mut().filter(|typing| typing.field == field) {
            typing.now = text;
            typing.n_undone = match way_of_input(event) {
                Some(Way::Back) => typing.n_undone + 1,
                Some(Way::Again) => typing.n_undone.saturating_sub(1),
                None => 0,
            };
        }
    });
}

/// Lets only those through that stay in the field.
fn hold_back(kept: Kept, way: Way, event: &Event) {
    let Some((field, text)) = field_of(event) else {
        return;
    };
    // A text that was set from elsewhere is not what was typed.
    let stays = kept.with_value(|typing| {
        let typing = typing.as_ref();
        typing.is_some_and(|typing| {
            let is_left = match way {
                Way::Back => typing.now != typing.before,
                Way::Again => typing.n_undone > 0,
            };
            is_left && typing.field == field && typing.now == text
        })
    });
    if !stays {
        event.prevent_default();
    }
}

fn way_of_keys(event: &KeyboardEvent) -> Option<Way> {
    let is_held = (event.ctrl_key() || event.meta_key()) && !event.alt_key();
    match event.key().as_str() {
        _ if !is_held => None,
        "z" | "Z" if event.shift_key() => Some(Way::Again),
        "z" | "Z" => Some(Way::Back),
        "y" | "Y" => Some(Way::Again),
        _ => None,
    }
}

fn way_of_input(event: &Event) -> Option<Way> {
    match event.dyn_ref::<InputEvent>()?.input_type().as_str() {
        "historyUndo" => Some(Way::Back),
        "historyRedo" => Some(Way::Again),
        _ => None,
    }
}

/// The text field that an event is of, and its text.
fn field_of(event: &Event) -> Option<(Element, String)> {
    let field: Element = event.target()?.dyn_into().ok()?;
    let text = if let Some(area) = field.dyn_ref::<HtmlTextAreaElement>() {
        area.value()
    } else {
        let input = field.dyn_ref::<HtmlInputElement>()?;
        // Boxes to tick and the like have no cursor.
        input.selection_start().ok().flatten()?;
        input.value()
    };
    Some((field, text))
}
