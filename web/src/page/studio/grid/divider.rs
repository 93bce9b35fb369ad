//! The edge between list and editor, to be dragged or moved with the arrow keys.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent, PointerEvent};

use super::handle::Grid;
use crate::{
    page::kept,
    state::studio::divide::{Divide, STEP},
};

/// As it was left.
pub(super) fn kept() -> RwSignal<Divide> {
    let kept = kept::divide();
    RwSignal::new(kept.as_deref().map(Divide::of_text).unwrap_or_default())
}

#[component]
pub(super) fn Divider(divide: RwSignal<Divide>) -> impl IntoView {
    let grid = Grid::get();
    let dragging = RwSignal::new(false);
    let keep = move || kept::keep_divide(&divide.get_untracked().to_text());
    let down = move |event: PointerEvent| {
        event.prevent_default();
        let target = event
            .target()
            .and_then(|t| t.dyn_into::<HtmlElement>().ok());
        if let Some(target) = target {
            // Without it the pointer is lost where it leaves the edge; then nothing moves.
            target.set_pointer_capture(event.pointer_id()).ok();
            dragging.set(true);
        }
    };
    let moved = move |event: PointerEvent| {
        let target = event
            .target()
            .and_then(|t| t.dyn_into::<HtmlElement>().ok());
        let frame = target.and_then(|target| target.parent_element());
        if let Some(frame) = frame.filter(|_| dragging.get_untracked()) {
            let frame = frame.get_bounding_client_rect();
            divide.set(Divide::at(
                f64::from(event.client_x()) - frame.left(),
                frame.width(),
            ));
        }
    };
    let up = move |_: PointerEvent| {
        if dragging.get_untracked() {
            dragging.set(false);
            keep();
        }
    };
    let key = move |event: KeyboardEvent| {
        let moved = match event.key().as_str() {
            "ArrowLeft" => divide.get_untracked().moved(-STEP),
            "ArrowRight" => divide.get_untracked().moved(STEP),
            "Home" => Divide::default(),
            _ => return,
        };
        event.prevent_default();
        divide.set(moved);
        keep();
    };
    view! {
        <div
            class="edit-divide"
            class:dragging=move || dragging.get()
            role="separator"
            tabindex="0"
            aria-orientation="vertical"
            aria-label=move || grid.app.language.get().studio().grid.divide
            aria-valuenow=move || divide.get().percent().round().to_string()
            data-testid="grid-divide"
            on:pointerdown=down
            on:pointermove=moved
            on:pointerup=up
            on:pointercancel=up
            on:keydown=key
            on:dblclick=move |_| {
                divide.set(Divide::default());
                keep();
            }
        ></div>
    }
}
