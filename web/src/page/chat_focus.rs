//! The keyboard does not fall out of the chat.
//!
//! What has the focus may go, be disabled or be hidden: an answer is stopped, a column closed, a model
//! there. The browser then gives the focus to the page as a whole, where nothing is read out. This
//! notices and hands it to what comes next, else to what is nearest. Who knows better where it goes
//! sets it at once, which comes before this.

use leptos::prelude::*;
use web_sys::Element;

use super::{
    focus::{focused, is_taken_by, is_taken_in},
    handle::App,
};

/// Where one goes on when what was in a place is gone: what is nearest would lead back.
const NEXT: [(&str, &str); 6] = [
    (".samples", "#prompt"),
    (".note", "#prompt"),
    (".turn", "#prompt"),
    (".errors", "#prompt"),
    (".sources", "#prompt"),
    (
        "[data-testid=add-column]",
        ".columns-bar > .column-choice:last-of-type select",
    ),
];

/// Copies are the same.
#[derive(Clone, Copy)]
struct Keeper {
    app: App,
    /// What had the focus last, and all that it lay in, from inside out.
    last: StoredValue<Vec<Element>, LocalStorage>,
    is_looking: StoredValue<bool>,
}

/// Looks after the focus for as long as the caller's component is there.
pub(super) fn watch() {
    let keeper = Keeper {
        app: App::get(),
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
    /// Everything that makes parts of the chat come and go.
    fn track(self) {
        let app = self.app;
        app.chat.track();
        app.columns.track();
        app.loaded.track();
        app.samples.track();
        app.work.track();
        app.notices.track();
        app.lost.track();
        app.store.track();
        app.device.track();
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
        // The chat may be gone by now.
        let Some(trail) = self.last.try_get_value() else {
            return;
        };
        self.is_looking.set_value(false);
        let is_elsewhere = focused().is_some() || !document().has_focus().unwrap_or(true);
        let Some(lost) = trail.first().filter(|_| !is_elsewhere) else {
            return;
        };
        // It may only have been moved, or drawn anew.
        if is_taken_by(lost) || again(&trail).is_some_and(|anew| is_taken_by(&anew)) {
            return;
        }
        if next(&trail).is_some_and(|next| is_taken_by(&next)) {
            return;
        }
        let mut nearest = trail.iter().skip(1).filter(|place| place.is_connected());
        nearest.any(is_taken_in);
    }
}

/// The same control of the same turn, which is drawn anew when it is answered again.
fn again(trail: &[Element]) -> Option<Element> {
    let control = trail.first()?.get_attribute("data-testid")?;
    let turn = trail.iter().find(|place| is(place, ".turn"))?;
    query(&format!("#{} [data-testid={control}]", turn.id()))
}

fn next(trail: &[Element]) -> Option<Element> {
    let lies_in = |place: &str| trail.iter().any(|element| is(element, place));
    let (_, next) = NEXT.iter().find(|(place, _)| lies_in(place))?;
    query(next)
}

fn is(element: &Element, selector: &str) -> bool {
    element.matches(selector).unwrap_or_default()
}

fn query(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}
