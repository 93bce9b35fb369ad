//! The keyboard does not fall out of the chat.
//!
//! An answer is stopped, a column closed, a model there: the focus goes to what comes next, else to what
//! is nearest.

use leptos::prelude::*;
use web_sys::Element;

use super::{
    focus::{self, is_taken_by, is_taken_in},
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

/// Looks after the focus for as long as the caller's component is there.
pub(super) fn watch() {
    let app = App::get();
    focus::watch(move || track(app), go_on);
}

/// Everything that makes parts of the chat come and go.
fn track(app: App) {
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

fn go_on(trail: &[Element]) {
    // It may only have been moved, or drawn anew.
    let anew = || again(trail).is_some_and(|anew| is_taken_by(&anew));
    if trail.first().is_some_and(is_taken_by) || anew() {
        return;
    }
    if next(trail).is_some_and(|next| is_taken_by(&next)) {
        return;
    }
    let mut nearest = trail.iter().skip(1).filter(|place| place.is_connected());
    nearest.any(is_taken_in);
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
