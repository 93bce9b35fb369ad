//! From files to records.

use leptos::prelude::*;

#[component]
pub(super) fn ImportStep() -> impl IntoView {
    view! { <section></section> }
}
