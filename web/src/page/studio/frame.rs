//! Projects, the steps from left to right, what is under way, and the way back.

use leptos::prelude::*;

use super::{
    checks::CheckStep,
    editor::Editor,
    export::ExportStep,
    grid::EditStep,
    handle::{Step, Studio},
    history::HistoryPanel,
    import::ImportStep,
    split::SplitStep,
    tokens::TokenPanel,
};

#[component]
pub(in crate::page) fn StudioFrame() -> impl IntoView {
    let studio = Studio::get();
    studio.wake();
    view! {
        <main class="studio">
            {move || match studio.step.get() {
                Step::Import => view! { <ImportStep /> }.into_any(),
                Step::Check => view! { <CheckStep /> }.into_any(),
                Step::Edit => view! { <EditStep /><Editor /><TokenPanel /> }.into_any(),
                Step::Split => view! { <SplitStep /> }.into_any(),
                Step::Export => view! { <ExportStep /> }.into_any(),
            }}
            <HistoryPanel />
        </main>
    }
}
