//! What would be written, before it is: files, losses, obstacles, the command to run next.

use leptos::prelude::*;
use veneer_core::protocol::studio::{ExportPlan, Said};

use super::Exporting;
use crate::{
    page::{
        errors::Message,
        studio::{copying::CopyButton, handle::Studio},
    },
    state::{message::sentence, numbers},
    texts::{fill, studio::said},
};

#[component]
pub(super) fn Plan(exporting: Exporting) -> impl IntoView {
    let studio = exporting.studio;
    let texts = move || &studio.app.language.get().studio().export;
    let plan = exporting.plan;
    let (running, is_old) = (exporting.running, exporting.is_old);
    let is_stopped = Memo::new(move |_| {
        let lossy = exporting.form.with(|form| form.options.lossy);
        plan.with(|plan| {
            plan.as_ref().is_none_or(|plan| {
                !plan.obstacles.is_empty() || (!plan.losses.is_empty() && !lossy)
            })
        })
    });
    let command = Signal::derive(move || {
        plan.with(|plan| plan.as_ref().map(|plan| plan.command.clone()))
            .unwrap_or_default()
    });
    let label = move || match running.get().is_some() {
        true => texts().writing,
        false => texts().download,
    };
    view! {
        <section class="card plan" data-testid="export-plan" aria-label=move || texts().plan aria-busy=move || is_old.get().to_string()>
            <h3>{move || texts().plan}</h3>
            {move || exporting.fault.get().map(|fault| view! {
                <div role="alert" data-testid="export-fault"><Message fault=fault><span></span></Message></div>
            })}
            {move || plan.get().map(|plan| view! { <Contents plan=plan /> })}
            <div class="actions">
                <button
                    type="button"
                    class="main"
                    data-testid="export-download"
                    disabled=move || is_stopped.get() || is_old.get() || running.get().is_some()
                    on:click=move |_| exporting.run()
                >
                    {label}
                </button>
            </div>
            <Show when=move || !command.get().is_empty()>
                <div class="next-command">
                    <p class="hint">{move || texts().then_run}</p>
                    <pre tabindex="0" data-testid="export-command">{move || command.get()}</pre>
                    <CopyButton text=command testid="export-copy-command" />
                </div>
            </Show>
        </section>
    }
}

#[component]
fn Contents(plan: ExportPlan) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().export;
    let number = move |n| numbers::whole(n, studio.app.language.get());
    let ExportPlan {
        files,
        losses,
        notes,
        obstacles,
        ..
    } = plan;
    let n_files = files.len();
    let files = files.into_iter().map(|(name, n)| {
        view! {
            <li data-testid="export-file">
                <code class="list-name">{name}</code>
                {(n > 0).then(|| view! {
                    <span class="list-about">{fill(texts().n_records, &[("n", &number(n))])}</span>
                })}
            </li>
        }
    });
    let counted = move |(what, n): (Said, u64)| {
        let n = fill(texts().n_records, &[("n", &number(n))]);
        let what = said(&what, studio.app.language.get());
        format!("{} ({n})", sentence(&what).trim_end_matches(['.', '。']))
    };
    let losses: Vec<_> = losses
        .into_iter()
        .map(|loss| view! { <li data-testid="export-loss">{counted(loss)}</li> })
        .collect();
    let notes: Vec<_> = notes
        .into_iter()
        .map(|note| view! { <li data-testid="export-note">{counted(note)}</li> })
        .collect();
    let obstacles: Vec<_> = obstacles
        .into_iter()
        .map(|why| {
            let why = said(&why, studio.app.language.get());
            view! { <li data-testid="export-obstacle">{sentence(&why)}</li> }
        })
        .collect();
    view! {
        <ul class="list">{files.collect_view()}</ul>
        {(n_files > 1).then(|| view! { <p class="hint">{texts().zipped}</p> })}
        {(!losses.is_empty()).then(|| view! {
            <div class="losses" role="status">
                <p>{texts().losses}</p>
                <ul>{losses}</ul>
            </div>
        })}
        {(!notes.is_empty()).then(|| view! { <ul class="hint">{notes}</ul> })}
        {(!obstacles.is_empty()).then(|| view! {
            <div class="obstacles" role="alert">
                <p>{texts().obstacles}</p>
                <ul>{obstacles}</ul>
            </div>
        })}
    }
}
