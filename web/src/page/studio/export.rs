//! Files out of the project.

use leptos::prelude::*;

#[component]
pub(super) fn ExportStep() -> impl IntoView {
    view! { <section></section> }
}
