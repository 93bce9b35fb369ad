//! What was done, and snapshots.

use leptos::prelude::*;

#[component]
pub(super) fn HistoryPanel() -> impl IntoView {
    view! { <section></section> }
}
