//! Where the keyboard goes when what had it is gone.

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition};

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

/// Looks after the focus for as long as the caller's component is there. The browser gives it to the page
/// as a whole, where nothing is read out, when what has it goes, is disabled or is hidden. Behind what
/// `changes` tracks, `go_on` is handed what had it last and all that it lay in, from inside out, where it
/// was lost that way. Who knows better where it goes sets it at once, which comes before this.
pub(super) fn watch(changes: impl Fn() + 'static, go_on: impl Fn(&[Element]) + 'static) {
    let keeper = Keeper {
        last: StoredValue::new_local(Vec::new()),
        is_looking: StoredValue::new(false),
        go_on: StoredValue::new_local(Box::new(go_on)),
    };
    let taken = window_event_listener_untyped("focusin", move |_| keeper.remember());
    // A click on nothing in particular gives the focus up on purpose.
    let clicked = window_event_listener_untyped("mouseup", move |_| keeper.remember());
    on_cleanup(move || {
        taken.remove();
        clicked.remove();
    });
    Effect::new(move || {
        changes();
        keeper.look_soon();
    });
}

/// Takes what had the focus last, and all that it lay in.
type GoOn = Box<dyn Fn(&[Element])>;

/// Copies are the same.
#[derive(Clone, Copy)]
struct Keeper {
    last: StoredValue<Vec<Element>, LocalStorage>,
    is_looking: StoredValue<bool>,
    go_on: StoredValue<GoOn, LocalStorage>,
}

impl Keeper {
    fn remember(self) {
        let mut trail = Vec::new();
        let mut at = focused();
        while let Some(element) = at {
            at = element.parent_element();
            trail.push(element);
        }
        self.last.set_value(trail);
    }

    /// Once what changed is drawn: only then is the focus taken from what is hidden or disabled.
    fn look_soon(self) {
        if self.is_looking.get_value() {
            return;
        }
        self.is_looking.set_value(true);
        request_animation_frame(move || request_animation_frame(move || self.look()));
    }

    fn look(self) {
        // The component may be gone by now.
        let Some(trail) = self.last.try_get_value() else {
            return;
        };
        self.is_looking.set_value(false);
        let is_elsewhere = focused().is_some() || !document().has_focus().unwrap_or(true);
        if !is_elsewhere && !trail.is_empty() {
            self.go_on.with_value(|go_on| go_on(&trail));
        }
    }
}

/// What may take the focus.
const CONTROLS: &str = "button, input, select, textarea, summary, a[href], [tabindex=\"0\"]";

/// What has the focus, unless it is the page as a whole.
fn focused() -> Option<Element> {
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

/// Scrolls to an element, no further than it takes to see it.
pub(super) fn bring_into_view(element: &Element) {
    let options = ScrollIntoViewOptions::new();
    options.set_block(ScrollLogicalPosition::Nearest);
    element.scroll_into_view_with_scroll_into_view_options(&options);
}

pub(super) fn take(element: Option<Element>) {
    if let Some(element) = element.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
        // What cannot take the focus leaves it where it is.
        element.focus().ok();
    }
}
