//! The turns of a conversation, and dragging them.

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, PointerEvent};

use super::{Shared, card::Card, commands::Commands, json_field::Tools, of_draft};
use crate::{
    page::studio::handle::Studio,
    state::studio::draft::{TurnId, place_for},
};

#[component]
pub(super) fn Cards() -> impl IntoView {
    let studio = Studio::get();
    let commands = Commands::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let list = NodeRef::<html::Ol>::new();
    let drag = Drag {
        list,
        shared: Shared::get(),
        commands,
    };
    // The record is part of the key: cards of another record are other cards.
    let ids = Memo::new(move |_| {
        of_draft(studio, |draft| {
            let record = draft.record();
            let keys = draft.ids.iter().map(|id| (record, *id));
            keys.collect::<Vec<_>>()
        })
    });
    view! {
        <Tools />
        <ol class="turn-cards" node_ref=list data-testid="editor-turns">
            <For each=move || ids.get() key=|key| *key let:key>
                <Card id=key.1 drag=drag />
            </For>
        </ol>
        <button
            type="button"
            class="add-turn"
            data-testid="editor-add-turn"
            on:click=move |_| commands.add(None, true)
        >
            {move || texts().add_turn}
        </button>
    }
}

/// Dragging with a pointer: finger, pen or mouse.
#[derive(Clone, Copy)]
pub(super) struct Drag {
    list: NodeRef<html::Ol>,
    shared: Shared,
    commands: Commands,
}

impl Drag {
    pub(super) fn begin(self, id: TurnId, event: &PointerEvent) {
        if event.button() != 0 {
            return;
        }
        let handle = event
            .current_target()
            .and_then(|it| it.dyn_into::<HtmlElement>().ok());
        if let Some(handle) = handle {
            // Without it, a pointer that leaves the handle ends the drag.
            handle.set_pointer_capture(event.pointer_id()).ok();
            // Not every browser gives a pressed button the keyboard, which cancels the drag.
            handle.focus().ok();
        }
        if let Some(at) = self.place(id, f64::from(event.client_y())) {
            self.shared.dragged.set(Some((id, at)));
        }
    }

    pub(super) fn go_on(self, event: &PointerEvent) {
        let Some((id, before)) = self.shared.dragged.get_untracked() else {
            return;
        };
        event.prevent_default();
        if let Some(at) = self.place(id, f64::from(event.client_y()))
            && at != before
        {
            self.shared.dragged.set(Some((id, at)));
        }
    }

    pub(super) fn end(self) {
        let Some((id, at)) = self.shared.dragged.get_untracked() else {
            return;
        };
        self.shared.dragged.set(None);
        self.commands.move_to(id, at);
    }

    /// False where nothing is dragged.
    pub(super) fn cancel(self) -> bool {
        let is_dragging = self.shared.dragged.with_untracked(Option::is_some);
        if is_dragging {
            self.shared.dragged.set(None);
        }
        is_dragging
    }

    /// Where the turn would land that is held at a height of the window.
    fn place(self, id: TurnId, height: f64) -> Option<usize> {
        let cards = self.list.get_untracked()?.children();
        let middles = (0..cards.length()).filter_map(|at| {
            let place = cards.item(at)?.get_bounding_client_rect();
            Some(place.top() + place.height() / 2.0)
        });
        let middles: Vec<f64> = middles.collect();
        let from = self.commands.draft(|draft| draft.index_of(id)).flatten()?;
        Some(place_for(&middles, from, height))
    }
}
