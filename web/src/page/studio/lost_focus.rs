//! The keyboard does not fall out of the studio.
//!
//! What has the focus may go, be disabled or be hidden: a panel is closed, the last record taken back, a
//! step left. The browser then gives the focus to the page as a whole, where nothing is read out. This
//! notices and hands it to what is nearest. Who knows better where it goes sets it at once, which comes
//! before this.

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement};

use super::{
    grid::Grid,
    handle::{Step, Studio},
    keys::Keys,
};

/// What may take the focus.
const CONTROLS: &str = "button, input, select, textarea, summary, a[href], [tabindex=\"0\"]";

/// Copies are the same.
#[derive(Clone, Copy)]
struct Keeper {
    studio: Studio,
    grid: Grid,
    keys: Keys,
    /// What had the focus last, and all that it lay in, from inside out.
    last: StoredValue<Vec<Element>, LocalStorage>,
    is_looking: StoredValue<bool>,
}

/// Looks after the focus for as long as the caller's component is there.
pub(super) fn watch() {
    let keeper = Keeper {
        studio: Studio::get(),
        grid: Grid::get(),
        keys: Keys::get(),
        last: StoredValue::new_local(Vec::new()),
        is_looking: StoredValue::new(false),
    };
    let taken = window_event_listener_untyped("focusin", move |_| keeper.remember());
    // A click on nothing in particular gives the focus up on purpose.
    let clicked = window_event_listener_untyped("mouseup", move |_| keeper.remember());
    on_cleanup(move || {
        taken.remove();
        clicked.remove();
    });
    Effect::new(move || {
        keeper.track();
        keeper.look_soon();
    });
}

impl Keeper {
    /// Everything that makes parts of the studio come and go.
    fn track(self) {
        let studio = self.studio;
        studio.step.track();
        studio.project.track();
        studio.list.track();
        studio.draft.track();
        studio.is_written_next.track();
        studio.unsaved.track();
        studio.toasts.track();
        studio.work.track();
        studio.taken_over.track();
        self.keys.shortcuts.track();
        self.grid.track();
    }

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
        // The studio may be gone by now.
        let Some(trail) = self.last.try_get_value() else {
            return;
        };
        self.is_looking.set_value(false);
        let is_elsewhere = focused().is_some() || !document().has_focus().unwrap_or(true);
        // The record that is being opened takes it.
        if is_elsewhere || self.studio.is_written_next.get_untracked() {
            return;
        }
        let mut trail = trail.iter();
        // It may only have been moved.
        if trail.next().is_none_or(take) {
            return;
        }
        for place in trail {
            if self.go_on(place) {
                break;
            }
        }
    }

    /// Hands the focus on to where something lay; false where nothing there can take it.
    fn go_on(self, place: &Element) -> bool {
        if !place.is_connected() {
            return opener_of(place).is_some_and(|opener| take(&opener));
        }
        let is_one = |selector| place.matches(selector).unwrap_or_default();
        if is_one(".grid-pane") {
            return self.grid.take_focus();
        }
        let is_step = is_one("#studio-main, .studio");
        (is_step && self.begin_step()) || take_first(place)
    }

    /// The list of the edit step, the heading of others.
    fn begin_step(self) -> bool {
        if self.studio.project.with_untracked(Option::is_none) {
            return false;
        }
        if self.studio.step.get_untracked() == Step::Edit {
            return self.grid.take_focus();
        }
        let heading = query("#studio-main h2").or_else(|| query("#studio-main"));
        heading.is_some_and(|heading| {
            // An attribute with a valid name can always be set.
            heading.set_attribute("tabindex", "-1").ok();
            take(&heading)
        })
    }
}

/// What has the focus, unless it is the page as a whole.
fn focused() -> Option<Element> {
    let active = document().active_element()?;
    (active.tag_name() != "BODY").then_some(active)
}

/// The button that opened a panel which is gone.
fn opener_of(panel: &Element) -> Option<Element> {
    let opener = match panel.get_attribute("data-testid")?.as_str() {
        "grid-filter-panel" => "[data-testid=grid-filters]",
        "grid-columns-panel" => "[data-testid=grid-columns]",
        "grid-replace-panel" => "[data-testid=grid-replace]",
        _ => return None,
    };
    query(opener)
}

fn query(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}

/// Whether an element took the focus: one that is gone, hidden or disabled does not.
fn take(element: &Element) -> bool {
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        // What cannot take the focus leaves it where it is.
        element.focus().ok();
    }
    focused().as_ref() == Some(element)
}

fn take_first(place: &Element) -> bool {
    let Ok(found) = place.query_selector_all(CONTROLS) else {
        return false;
    };
    (0..found.length())
        .filter_map(|at| found.item(at)?.dyn_into::<Element>().ok())
        .any(|control| take(&control))
}
