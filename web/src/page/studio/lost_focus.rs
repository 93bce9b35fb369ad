//! The keyboard does not fall out of the studio.
//!
//! A panel is closed, the last record taken back, a step left: the focus goes to what is nearest.

use leptos::prelude::*;
use web_sys::Element;

use super::{
    grid::Grid,
    handle::{Step, Studio},
    keys::Keys,
};
use crate::page::focus::{self, is_taken_by, is_taken_in};

/// Copies are the same.
#[derive(Clone, Copy)]
struct Keeper {
    studio: Studio,
    grid: Grid,
    keys: Keys,
}

/// Looks after the focus for as long as the caller's component is there.
pub(super) fn watch() {
    let keeper = Keeper {
        studio: Studio::get(),
        grid: Grid::get(),
        keys: Keys::get(),
    };
    focus::watch(move || keeper.track(), move |trail| keeper.look(trail));
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

    fn look(self, trail: &[Element]) {
        // The record that is being opened takes it.
        if self.studio.is_written_next.get_untracked() {
            return;
        }
        let mut trail = trail.iter();
        // It may only have been moved.
        if trail.next().is_none_or(is_taken_by) {
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
            return opener_of(place).is_some_and(|opener| is_taken_by(&opener));
        }
        let is_one = |selector| place.matches(selector).unwrap_or_default();
        if is_one(".grid-pane") {
            return self.grid.take_focus();
        }
        let is_step = is_one("#studio-main, .studio");
        (is_step && self.begin_step()) || is_taken_in(place)
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
            is_taken_by(&heading)
        })
    }
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
