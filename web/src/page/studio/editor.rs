//! One record, turn by turn.

use leptos::prelude::*;

#[component]
pub(super) fn Editor() -> impl IntoView {
    view! { <section></section> }
}
