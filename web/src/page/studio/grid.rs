//! The list of records, with search, filters and changes to many; beside it the record at the cursor.

use leptos::prelude::*;

use super::{editor::Editor, tokens::TokenPanel};

#[component]
pub(super) fn EditStep() -> impl IntoView {
    view! {
        <section></section>
        <div data-keys="editor">
            <Editor />
            <TokenPanel />
        </div>
    }
}
