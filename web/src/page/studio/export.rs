//! Files out of the project: for what, in which form, what would be lost, what to run next.

mod form;
mod plan;
mod sources;

use std::time::Duration;

use leptos::prelude::*;
use veneer_core::protocol::{
    studio::{ExportPlan, StudioOutcome, StudioRequest},
    tab::{Fault, FaultKind, RequestId},
};

use super::handle::Studio;
use crate::state::studio::export_form::ExportForm;
use form::{Form, Purposes};
use plan::Plan;

/// How long nothing is changed before a plan is asked for.
const PAUSE: Duration = Duration::from_millis(200);

/// What the step knows. Copies are the same.
#[derive(Clone, Copy)]
struct Exporting {
    studio: Studio,
    form: RwSignal<ExportForm>,
    plan: RwSignal<Option<ExportPlan>>,
    fault: RwSignal<Option<Fault>>,
    /// Whether something else was chosen than the plan was made for.
    is_old: RwSignal<bool>,
    running: RwSignal<Option<RequestId>>,
    /// Counts plans; only the latest is shown.
    asked: StoredValue<u64>,
}

impl Exporting {
    fn new() -> Self {
        let exporting = Self {
            studio: Studio::get(),
            form: RwSignal::default(),
            plan: RwSignal::default(),
            fault: RwSignal::default(),
            is_old: RwSignal::default(),
            running: RwSignal::default(),
            asked: StoredValue::new(0),
        };
        let project = exporting.studio.project;
        // Files are called after it.
        let name =
            Memo::new(move |_| project.with(|open| open.as_ref().map(|open| open.name.clone())));
        Effect::new(move || {
            exporting.form.track();
            exporting.studio.version.track();
            name.track();
            exporting.plan_soon();
        });
        exporting
    }

    fn plan_soon(self) {
        self.asked.update_value(|asked| *asked += 1);
        self.is_old.set(true);
        let mine = self.asked.get_value();
        let is_latest = move || self.asked.try_get_value() == Some(mine);
        set_timeout(
            move || {
                if is_latest() {
                    self.ask_plan(is_latest);
                }
            },
            PAUSE,
        );
    }

    fn ask_plan(self, is_latest: impl Fn() -> bool + Copy + 'static) {
        let export = self.form.with_untracked(ExportForm::export);
        self.studio.ask_or(
            StudioRequest::PlanExport { export },
            &[],
            move |outcome| {
                if let (StudioOutcome::ExportPlan(plan), true) = (outcome, is_latest()) {
                    self.plan.set(Some(plan.clone()));
                    self.fault.set(None);
                    self.is_old.set(false);
                }
            },
            move |fault| {
                if is_latest() {
                    self.plan.set(None);
                    self.fault.set(Some(fault.clone()));
                    self.is_old.set(false);
                }
            },
        );
    }

    /// Writes the files; the browser saves them.
    fn run(self) {
        let export = self.form.with_untracked(ExportForm::export);
        let ended = move || {
            // The step may be gone by now.
            self.running.try_set(None);
        };
        let asked = self.studio.ask_or(
            StudioRequest::Export { export },
            &[],
            move |_| ended(),
            move |fault| {
                ended();
                // Where the step is left, it is said on the page.
                if fault.kind != FaultKind::Cancelled
                    && let Some(Some(fault)) = self.fault.try_set(Some(fault.clone()))
                {
                    self.studio.app.complain(fault);
                }
            },
        );
        self.running.set(asked);
    }
}

#[component]
pub(super) fn ExportStep() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().export;
    let exporting = Exporting::new();
    let is_empty = Memo::new(move |_| {
        studio
            .project
            .with(|open| open.as_ref().is_none_or(|open| open.n_records == 0))
    });
    view! {
        <section class="step export" data-testid="export" aria-label=move || texts().title>
            <div class="step-head">
                <h2>{move || texts().title}</h2>
                <p class="hint">{move || texts().about}</p>
            </div>
            <Show when=move || !is_empty.get() fallback=move || view! {
                <p class="empty" data-testid="export-no-records">{move || texts().no_records}</p>
            }>
                <Purposes exporting=exporting />
                <div class="export-columns">
                    <Form exporting=exporting />
                    <Plan exporting=exporting />
                </div>
            </Show>
        </section>
    }
}
