//! Where the keyboard goes when what had it is gone.

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement};

/// Puts the keyboard on the first of these places that there is.
pub(super) fn on(places: &[&str]) {
    let found = |place: &&str| document().query_selector(place).ok().flatten();
    take(places.iter().find_map(found));
}

/// The same once what changed is drawn, where the keyboard is nowhere by then.
pub(super) fn keep(places: &'static [&'static str]) {
    keep_in(String::new(), places);
}

/// The same; `first` comes before the others, where it is a place.
pub(super) fn keep_in(first: String, places: &'static [&'static str]) {
    request_animation_frame(move || {
        let focused = document().active_element();
        let is_lost = focused.is_none_or(|at| {
            // A button that can no longer be pressed gives the keyboard up a moment later.
            at.tag_name() == "BODY" || at.matches(":disabled").unwrap_or_default()
        });
        if is_lost {
            let all: Vec<&str> = [first.as_str()]
                .into_iter()
                .filter(|first| !first.is_empty())
                .chain(places.iter().copied())
                .collect();
            on(&all);
        }
    });
}

/// What may take the focus.
const CONTROLS: &str = "button, input, select, textarea, summary, a[href], [tabindex=\"0\"]";

/// What has the focus, unless it is the page as a whole.
pub(super) fn focused() -> Option<Element> {
    let active = document().active_element()?;
    (active.tag_name() != "BODY").then_some(active)
}

/// Whether an element took the focus: one that is gone, hidden or disabled does not.
pub(super) fn is_taken_by(element: &Element) -> bool {
    take(Some(element.clone()));
    focused().as_ref() == Some(element)
}

/// The same for the first control in a place.
pub(super) fn is_taken_in(place: &Element) -> bool {
    let Ok(found) = place.query_selector_all(CONTROLS) else {
        return false;
    };
    (0..found.length())
        .filter_map(|at| found.item(at)?.dyn_into::<Element>().ok())
        .any(|control| is_taken_by(&control))
}

pub(super) fn take(element: Option<Element>) {
    if let Some(element) = element.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
        // What cannot take the focus leaves it where it is.
        element.focus().ok();
    }
}
