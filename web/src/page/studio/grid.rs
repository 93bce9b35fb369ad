//! The list of records, with search, filters and changes to many.

use leptos::prelude::*;

#[component]
pub(super) fn EditStep() -> impl IntoView {
    view! { <section></section> }
}
