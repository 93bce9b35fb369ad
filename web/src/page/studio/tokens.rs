//! The record as the model sees it.

use leptos::prelude::*;

#[component]
pub(super) fn TokenPanel() -> impl IntoView {
    view! { <section></section> }
}
