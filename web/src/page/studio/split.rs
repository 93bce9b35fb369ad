//! Train, validation and test.

use leptos::prelude::*;

#[component]
pub(super) fn SplitStep() -> impl IntoView {
    view! { <section></section> }
}
