//! The open project: its name, the steps, undo and redo, and what can be done with it as a whole.

use leptos::prelude::*;
use veneer_core::protocol::{
    studio::{ActionView, StudioOutcome, StudioRequest},
    tab::Fault,
};

use crate::{
    page::{
        handle::App,
        studio::{
            confirm::Confirm,
            handle::{Step, Studio},
            stored_field::StoredField,
        },
    },
    state::{numbers, studio::actions},
    texts::{fill, studio::StudioTexts},
};

#[component]
pub(super) fn ProjectBar(history: RwSignal<bool>) -> impl IntoView {
    let studio = Studio::get();
    let app = App::get();
    let texts = move || &app.language.get().studio().frame;
    let n_records = move || {
        let n = studio
            .project
            .with(|open| open.as_ref().map_or(0, |open| open.n_records));
        let n = numbers::whole(n, app.language.get());
        fill(texts().n_records, &[("n", &n)])
    };
    let asks = RwSignal::new(false);
    let close = move |_| {
        studio.ask(StudioRequest::CloseProject, &[], move |outcome| {
            let is_lost = matches!(outcome, StudioOutcome::Projects(all) if all.lost.is_some());
            let is_empty = studio
                .project
                .with_untracked(|open| open.as_ref().is_none_or(|open| open.n_records == 0));
            if !is_lost {
                studio.taken_over.set(false);
                studio.project.set(None);
            } else if is_empty {
                studio.give_up();
            } else {
                asks.set(true);
            }
        });
    };
    view! {
        <div class="project-bar" role="region" aria-label=move || texts().project>
            <div class="project-name">
                <button type="button" class="quiet" data-testid="studio-projects" on:click=close>
                    "‹ "{move || texts().back}
                </button>
                <Name />
                <span class="hint" data-testid="studio-n-records">{n_records}</span>
            </div>
            <Steps />
            <div class="actions project-actions">
                <UndoRedo />
                <button
                    type="button"
                    class="quiet"
                    data-testid="studio-history"
                    aria-expanded=move || history.get().to_string()
                    on:click=move |_| history.update(|open| *open = !*open)
                >
                    {move || app.language.get().studio().history.title}
                </button>
                <button
                    type="button"
                    class="quiet"
                    data-testid="studio-download"
                    on:click=move |_| studio.download()
                >
                    {move || texts().download}
                </button>
            </div>
            <Show when=move || asks.get()>
                <Confirm
                    question=Signal::derive(move || texts().lost_ask.to_owned())
                    yes=Signal::derive(move || texts().lost_give_up.to_owned())
                    no=Signal::derive(move || texts().keep.to_owned())
                    testid="studio-give-up"
                    on_yes=move || studio.give_up()
                    on_no=move || asks.set(false)
                />
            </Show>
        </div>
    }
}

/// The name, changed in place.
#[component]
fn Name() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().frame;
    let name = move || {
        studio
            .project
            .with(|open| open.as_ref().map(|open| open.name.clone()))
            .unwrap_or_default()
    };
    let field = StoredField::new(name);
    let rename = move |event: web_sys::Event| {
        let name = field.hand_over(&event).trim().to_owned();
        if name.is_empty() {
            // A project has a name: the one before.
            field.show_stored();
            return;
        }
        let refused = move |fault: &Fault| {
            field.show_stored();
            studio.app.complain(fault.clone());
        };
        let request = StudioRequest::RenameProject { name };
        studio.ask_or(request, &[], move |_| field.show_stored(), refused);
    };
    view! {
        <input
            type="text"
            class="name"
            data-testid="studio-name"
            aria-label=move || texts().name
            title=name
            readonly=move || studio.taken_over.get()
            prop:value=move || field.shown()
            on:input=move |event| field.type_in(&event)
            on:change=rename
        />
    }
}

/// Import → Check → Edit → Split → Export.
#[component]
fn Steps() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().frame;
    let step = move |step: Step| {
        let label = move || match step {
            Step::Import => texts().step_import,
            Step::Check => texts().step_check,
            Step::Edit => texts().step_edit,
            Step::Split => texts().step_split,
            Step::Export => texts().step_export,
        };
        let id = match step {
            Step::Import => "studio-step-import",
            Step::Check => "studio-step-check",
            Step::Edit => "studio-step-edit",
            Step::Split => "studio-step-split",
            Step::Export => "studio-step-export",
        };
        view! {
            <li>
                <button
                    type="button"
                    data-testid=id
                    aria-current=move || (studio.step.get() == step).then_some("step")
                    on:click=move |_| studio.step.set(step)
                >
                    {label}
                </button>
            </li>
        }
    };
    view! {
        <nav class="steps" aria-label=move || texts().steps>
            <ol>{Step::ALL.map(step)}</ol>
        </nav>
    }
}

#[component]
fn UndoRedo() -> impl IntoView {
    let studio = Studio::get();
    let app = App::get();
    let history = move || &app.language.get().studio().history;
    let undo = Memo::new(move |_| studio.project.get().and_then(|open| open.undo));
    let redo = Memo::new(move |_| studio.project.get().and_then(|open| open.redo));
    let label = move |action: Option<ActionView>, some: fn(&StudioTexts) -> (&str, &str)| {
        let language = app.language.get();
        let (what, nothing) = some(language.studio());
        match action {
            Some(action) => fill(what, &[("what", &actions::words(&action, language))]),
            None => nothing.to_owned(),
        }
    };
    let undo_label = move || {
        label(undo.get(), |texts| {
            (texts.history.undo_what, texts.history.nothing_to_undo)
        })
    };
    let redo_label = move || {
        label(redo.get(), |texts| {
            (texts.history.redo_what, texts.history.nothing_to_redo)
        })
    };
    // A button that is disabled loses the keyboard, and these two are when the last step is taken back.
    let run = move |action: Memo<Option<ActionView>>, how: fn(Studio)| {
        if action.with_untracked(Option::is_some) {
            how(studio);
        }
    };
    view! {
        <button
            type="button"
            data-testid="studio-undo"
            title=undo_label
            aria-disabled=move || undo.with(Option::is_none).to_string()
            on:click=move |_| run(undo, Studio::undo)
        >
            "↶ "{move || history().undo}
        </button>
        <button
            type="button"
            data-testid="studio-redo"
            title=redo_label
            aria-disabled=move || redo.with(Option::is_none).to_string()
            on:click=move |_| run(redo, Studio::redo)
        >
            "↷ "{move || history().redo}
        </button>
    }
}
