//! The frame of the studio: the project, the steps from left to right, what is under way, and the way
//! back.

mod project_bar;
mod projects;
mod under_way;

use leptos::prelude::*;

use super::{
    checks::CheckStep,
    export::ExportStep,
    field_undo,
    grid::{EditStep, Grid, HelpSheet, Palette},
    handle::{Step, Studio},
    history::HistoryPanel,
    import::{ImportStep, Incoming},
    keys::Keys,
    lost_focus,
    split::SplitStep,
};
use crate::{
    page::{errors::Message, focus},
    state::{message::reason, studio::draft::Unsaved},
    texts::fill,
};
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
    field_undo::keep_to_field();
    lost_focus::watch();
    let incoming = Incoming::get();
    let history = RwSignal::new(false);
    let is_open = Memo::new(move |_| studio.project.with(Option::is_some));
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
            <Show when=move || is_open.get() fallback=move || view! { <ProjectsOrNot /> }>
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

/// The projects, or why the worker that knows them does not start.
#[component]
fn ProjectsOrNot() -> impl IntoView {
    let studio = Studio::get();
    let again = move || studio.app.language.get().studio().frame.try_again;
    move || match studio.stopped.get() {
        None => view! { <Projects /> }.into_any(),
        Some(fault) => view! {
            <main id="studio-main" class="errors">
                <div role="alert" data-testid="studio-stopped">
                    <Message fault=fault>
                        <button
                            type="button"
                            class="main"
                            data-testid="studio-try-again"
                            on:click=move |_| studio.wake()
                        >
                            {again}
                        </button>
                    </Message>
                </div>
            </main>
        }
        .into_any(),
    }
}

/// The keyboard goes back to where it came from.
fn close_history(history: RwSignal<bool>) {
    history.set(false);
    focus::on(&["[data-testid=studio-history]"]);
}

/// Says that the browser does not keep the project, where it does not.
#[component]
fn NotKept() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().frame;
    let open = Memo::new(move |_| {
        studio
            .project
            .with(|open| open.as_ref().map(|open| open.id.clone()))
    });
    let said = move || {
        studio.projects.with(|all| {
            if all.lost.is_some() && all.lost == open.get() {
                return Some(texts().lost.to_owned());
            }
            let why = all.unavailable.as_ref()?;
            Some(fill(
                texts().not_kept,
                &[("why", &reason(why, studio.app.language.get()))],
            ))
        })
    };
    move || {
        said().map(|text| {
            view! {
                <div class="note" role="status" data-testid="studio-not-kept">
                    {text}
                    " "
                    <button type="button" on:click=move |_| studio.download()>
                        {texts().download}
                    </button>
                </div>
            }
        })
    }
}

/// Says that another tab has the project now, and offers it back.
#[component]
fn TakenOver() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().frame;
    let is_unsaved = Memo::new(move |_| {
        let open = studio
            .project
            .with(|open| open.as_ref().map(|open| open.id.clone()));
        let draft = studio
            .draft
            .with(|draft| draft.as_ref().is_some_and(|draft| !draft.is_saved()));
        let is_here = |unsaved: &Unsaved| Some(&unsaved.project) == open.as_ref();
        draft || studio.unsaved.with(|list| list.iter().any(is_here))
    });
    let said = move || match is_unsaved.get() {
        true => texts().taken_over_unsaved,
        false => texts().taken_over,
    };
    view! {
        <Show when=move || studio.taken_over.get()>
            <div class="note" role="alert" data-testid="studio-taken-over">
                {said}
                " "
                <button
                    type="button"
                    class="main"
                    data-testid="studio-go-on"
                    on:click=move |_| studio.go_on()
                >
                    {move || texts().take_over}
                </button>
            </div>
        </Show>
    }
}
