//! The frame of the studio: the project, the steps from left to right, what is under way, and the way
//! back.

mod project_bar;
mod projects;
mod under_way;

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::BeforeUnloadEvent;

use super::{
    checks::CheckStep,
    export::ExportStep,
    grid::{EditStep, Grid, HelpSheet, Palette},
    handle::{Step, Studio},
    history::HistoryPanel,
    import::{ImportStep, Incoming},
    keys::Keys,
    split::SplitStep,
};
use crate::{state::message::sentence, texts::fill};
use project_bar::ProjectBar;
use projects::Projects;
use under_way::{Toasts, UnderWay};

/// Everything below the top bar when data is looked at.
#[component]
pub(in crate::page) fn StudioFrame() -> impl IntoView {
    let studio = Studio::get();
    studio.wake();
    Keys::provide();
    Grid::provide();
    let incoming = Incoming::provide();
    let history = RwSignal::new(false);
    let is_open = Memo::new(move |_| studio.project.with(Option::is_some));
    let leave = move |event: BeforeUnloadEvent| {
        if studio.is_lost_with_the_page() {
            event.prevent_default();
        }
    };
    let leaving = window_event_listener(leptos::ev::beforeunload, leave);
    on_cleanup(move || leaving.remove());
    let dragging = RwSignal::new(false);
    let over = move |event: web_sys::DragEvent| {
        event.prevent_default();
        dragging.set(true);
    };
    view! {
        <div
            class="studio"
            class:dragging=move || dragging.get()
            data-testid="studio"
            on:dragover=over
            on:dragleave=move |_| dragging.set(false)
            on:drop=move |event| {
                event.prevent_default();
                dragging.set(false);
                incoming.take_dropped(&event);
            }
        >
            <Show when=move || is_open.get() fallback=move || view! { <Projects /> }>
                <ProjectBar history=history />
                <TakenOver />
                <NotKept />
                <main id="studio-main" class="studio-main">
                    {move || match studio.step.get() {
                        Step::Import => view! { <ImportStep /> }.into_any(),
                        Step::Check => view! { <CheckStep /> }.into_any(),
                        Step::Edit => view! { <EditStep /> }.into_any(),
                        Step::Split => view! { <SplitStep /> }.into_any(),
                        Step::Export => view! { <ExportStep /> }.into_any(),
                    }}
                </main>
                <Show when=move || history.get()>
                    <HistoryPanel on_close=move || close_history(history) />
                </Show>
            </Show>
            <UnderWay />
            <Toasts />
            <HelpSheet />
            <Palette />
        </div>
    }
}

/// The keyboard goes back to where it came from.
fn close_history(history: RwSignal<bool>) {
    history.set(false);
    let opener = document().query_selector("[data-testid=studio-history]");
    if let Ok(Some(button)) = opener
        && let Ok(button) = button.dyn_into::<web_sys::HtmlElement>()
    {
        button.focus().ok();
    }
}

/// Says that the browser keeps nothing, where it does not.
#[component]
fn NotKept() -> impl IntoView {
    let studio = Studio::get();
    let said = move || {
        let why = studio.projects.with(|all| all.unavailable.clone())?;
        let text = studio.app.language.get().studio().frame.not_kept;
        Some(fill(text, &[("why", &sentence(&why))]))
    };
    move || {
        said().map(|text| {
            view! { <p class="note" role="status" data-testid="studio-not-kept">{text}</p> }
        })
    }
}

/// Says that another tab has the project now, and offers it back.
#[component]
fn TakenOver() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().frame;
    let go_on = move |_| {
        let id = studio
            .project
            .with_untracked(|open| open.as_ref().map(|open| open.id.clone()));
        if let Some(id) = id {
            studio.open(id, true);
        }
    };
    view! {
        <Show when=move || studio.taken_over.get()>
            <div class="note" role="alert" data-testid="studio-taken-over">
                {move || texts().taken_over}
                " "
                <button type="button" class="main" data-testid="studio-go-on" on:click=go_on>
                    {move || texts().take_over}
                </button>
            </div>
        </Show>
    }
}
