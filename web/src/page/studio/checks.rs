//! What the checks found, and the groups of duplicates.

use leptos::prelude::*;

#[component]
pub(super) fn CheckStep() -> impl IntoView {
    view! { <section></section> }
}
