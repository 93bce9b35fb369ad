//! What takes a while, with the time that is left and a way to stop it; what was just done, with a way
//! back.

use leptos::prelude::*;
use veneer_core::protocol::studio::{StudioProgress, StudioStage, about};

use crate::{
    page::{
        handle::App,
        studio::handle::{Studio, StudioWork, Toast},
    },
    state::{
        numbers,
        studio::{actions, remaining},
    },
    texts::{Language, fill, studio::StudioTexts},
};

/// How long a toast stays.
const TOAST_MS: u64 = 8_000;

#[component]
pub(super) fn UnderWay() -> impl IntoView {
    let studio = Studio::get();
    view! {
        <div class="under-way" aria-live="polite">
            <For each=move || studio.work.get() key=|work| work.id.0 let:work>
                <One work=work />
            </For>
        </div>
    }
}

#[component]
fn One(work: StudioWork) -> impl IntoView {
    let studio = Studio::get();
    let app = App::get();
    let id = work.id;
    let since_ms = work.since_ms;
    let progress = Memo::new(move |_| {
        let found = studio.work.with(|all| {
            let found = all.iter().find(|work| work.id == id);
            found.map(|work| work.progress.clone())
        });
        found.unwrap_or_else(|| work.progress.clone())
    });
    let what = move || {
        let language = app.language.get();
        progress.with(|progress| describe(progress, language))
    };
    let figures = move || {
        let elapsed = window().performance().map_or(0.0, |clock| clock.now()) - since_ms;
        let language = app.language.get();
        progress.with(|progress| counted(progress, elapsed, language))
    };
    let share = move || {
        progress.with(|progress| match progress.total {
            0 => None,
            total => Some((progress.done as f64 / total as f64).to_string()),
        })
    };
    view! {
        <div class="work" data-testid="studio-work">
            <span>{what}</span>
            <progress max="1" value=share aria-label=what></progress>
            // Read out with every step, they would drown everything else.
            <span class="hint" aria-live="off">{figures}</span>
            <button
                type="button"
                data-testid="studio-cancel"
                on:click=move |_| studio.cancel(id)
            >
                {move || app.language.get().studio().frame.cancel}
            </button>
        </div>
    }
}

fn describe(progress: &StudioProgress, language: Language) -> String {
    let texts = &language.studio().frame;
    let text = match progress.stage {
        StudioStage::Reading => texts.stage_reading,
        StudioStage::ReadingPages => texts.stage_pages,
        StudioStage::Adding => texts.stage_adding,
        StudioStage::Indexing => texts.stage_indexing,
        StudioStage::Checking => texts.stage_checking,
        StudioStage::Tokenizing => texts.stage_tokenizing,
        StudioStage::Searching => texts.stage_searching,
        StudioStage::Changing => texts.stage_changing,
        StudioStage::Writing => texts.stage_writing,
        StudioStage::Copying => texts.stage_copying,
    };
    fill(text, &[("what", &progress.what)])
}

/// `12,000 of 100,000, about 8 s left`.
fn counted(progress: &StudioProgress, elapsed_ms: f64, language: Language) -> String {
    let texts: &StudioTexts = language.studio();
    let in_bytes = matches!(progress.stage, StudioStage::Reading | StudioStage::Copying);
    let number = |n| match in_bytes {
        true => numbers::bytes(n, language),
        false => numbers::whole(n, language),
    };
    let (of, total) = match progress.stage.is_estimated() {
        true => (texts.frame.done_of_about, about(progress.total)),
        false => (texts.frame.done_of, progress.total),
    };
    let mut text = match total {
        0 => number(progress.done),
        total => fill(
            of,
            &[("done", &number(progress.done)), ("total", &number(total))],
        ),
    };
    if let Some(left) = remaining::seconds(progress.done, progress.total, elapsed_ms) {
        let left = remaining::readable(left, language);
        text += language.comma();
        text += &fill(texts.frame.left, &[("time", &left)]);
    }
    text
}

#[component]
pub(super) fn Toasts() -> impl IntoView {
    let studio = Studio::get();
    view! {
        <div class="toasts" role="status">
            <For each=move || studio.toasts.get() key=|toast| toast.id let:toast>
                <OneToast toast=toast />
            </For>
        </div>
    }
}

#[component]
fn OneToast(toast: Toast) -> impl IntoView {
    let studio = Studio::get();
    let app = App::get();
    let (id, action) = (toast.id, toast.action.action);
    set_timeout(
        move || studio.dismiss_toast(id),
        std::time::Duration::from_millis(TOAST_MS),
    );
    let said = move || actions::words(&toast.action, app.language.get());
    let undo = move |_| {
        studio.dismiss_toast(id);
        studio.undo_action(action);
    };
    view! {
        <div class="toast" data-testid="studio-toast">
            <span>{said}</span>
            <button type="button" data-testid="studio-toast-undo" on:click=undo>
                {move || app.language.get().studio().history.undo}
            </button>
            <button
                type="button"
                class="quiet"
                aria-label=move || app.language.get().studio().frame.dismiss
                on:click=move |_| studio.dismiss_toast(id)
            >
                "×"
            </button>
        </div>
    }
}
