//! Train, validation and test: how they are drawn, what that makes, keeping it as it is.

mod form;
mod result;

use std::time::Duration;

use leptos::prelude::*;
use veneer_core::protocol::{
    studio::{SplitPlan, SplitView, StudioOutcome, StudioRequest},
    tab::Fault,
};

use super::handle::Studio;
use crate::{
    page::errors::Message,
    state::studio::split_form::{FormFault, SplitForm, told},
};
use form::Form;
use result::{Frozen, Sides};

/// How long nothing is changed before a preview is asked for.
const PAUSE: Duration = Duration::from_millis(300);

/// What the step knows. Copies are the same.
#[derive(Clone, Copy)]
struct Splitting {
    studio: Studio,
    form: RwSignal<SplitForm>,
    /// The sides as they are.
    now: RwSignal<Option<SplitView>>,
    /// As the form would make them.
    preview: RwSignal<Option<SplitView>>,
    fault: RwSignal<Option<Fault>>,
    /// Counts previews; only the latest is shown.
    asked: StoredValue<u64>,
}

impl Splitting {
    fn new() -> Self {
        let splitting = Self {
            studio: Studio::get(),
            form: RwSignal::default(),
            now: RwSignal::default(),
            preview: RwSignal::default(),
            fault: RwSignal::default(),
            asked: StoredValue::new(0),
        };
        Effect::new(move || {
            splitting.studio.version.track();
            splitting.look();
        });
        Effect::new(move || {
            splitting.form.track();
            splitting.now.track();
            splitting.preview_soon();
        });
        splitting
    }

    fn n_records(self) -> u64 {
        self.studio
            .project
            .with(|open| open.as_ref().map_or(0, |open| open.n_records))
    }

    fn plan(self) -> Result<SplitPlan, FormFault> {
        let n_new = self.n_new();
        self.form.with(|form| {
            let only_new = form.only_new && n_new > 0;
            let n = if only_new { n_new } else { self.n_records() };
            let plan = form.plan(n)?;
            Ok(SplitPlan { only_new, ..plan })
        })
    }

    /// Records on no side, where others are on some.
    fn n_new(self) -> u64 {
        self.now.with(|now| match now {
            Some(now) if now.n_train + now.n_validation + now.n_test > 0 => now.n_without,
            _ => 0,
        })
    }

    fn is_frozen(self) -> bool {
        self.now
            .with(|now| now.as_ref().is_some_and(|now| now.frozen.is_some()))
    }

    fn look(self) {
        let is_first = self.now.with_untracked(Option::is_none);
        let before = self.form.get_untracked();
        self.studio.ask(StudioRequest::Split, &[], move |outcome| {
            let StudioOutcome::Split(view) = outcome else {
                return;
            };
            // What was typed in the meantime stays.
            let is_untouched = self.form.try_with_untracked(|form| *form == before);
            if is_first
                && is_untouched == Some(true)
                && let Some(plan) = &view.plan
            {
                self.form.try_set(SplitForm::of(plan));
            }
            self.now.try_set(Some(view.clone()));
        });
    }

    fn preview_soon(self) {
        self.asked.update_value(|asked| *asked += 1);
        let mine = self.asked.get_value();
        set_timeout(
            move || {
                if self.asked.try_get_value() == Some(mine) {
                    self.ask_preview(mine);
                }
            },
            PAUSE,
        );
    }

    fn ask_preview(self, mine: u64) {
        let options = match untrack(|| self.plan()) {
            Ok(plan) if untrack(|| self.n_records()) > 0 && !untrack(|| self.is_frozen()) => plan,
            _ => {
                self.preview.set(None);
                self.fault.set(None);
                return;
            }
        };
        let is_latest = move || self.asked.try_get_value() == Some(mine);
        self.studio.ask_or(
            StudioRequest::PreviewSplit { options },
            &[],
            move |outcome| {
                if let (StudioOutcome::Split(view), true) = (outcome, is_latest()) {
                    self.preview.set(Some(view.clone()));
                    self.fault.set(None);
                }
            },
            move |fault| {
                if is_latest() {
                    self.preview.set(None);
                    self.fault.set(Some(fault.clone()));
                }
            },
        );
    }

    fn apply(self) {
        if let Ok(options) = untrack(|| self.plan()) {
            self.change(StudioRequest::ApplySplit { options });
        }
    }

    fn freeze(self, frozen: bool) {
        self.change(StudioRequest::FreezeSplit { frozen });
    }

    fn change(self, request: StudioRequest) {
        let app = self.studio.app;
        let freezes = match &request {
            StudioRequest::FreezeSplit { frozen } => Some(*frozen),
            _ => None,
        };
        self.studio.ask_or(
            request,
            &[],
            move |outcome| {
                if let StudioOutcome::Split(view) = outcome {
                    self.now.try_set(Some(view.clone()));
                    self.fault.try_set(None);
                    let language = app.language.get_untracked();
                    let texts = &language.studio().split;
                    app.say(match freezes {
                        Some(true) => texts.frozen.to_owned(),
                        Some(false) => texts.thawed.to_owned(),
                        None => told(view, language),
                    });
                }
            },
            move |fault| {
                self.fault.try_set(Some(fault.clone()));
            },
        );
    }
}

#[component]
pub(super) fn SplitStep() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().split;
    let splitting = Splitting::new();
    let is_empty = Memo::new(move |_| splitting.n_records() == 0);
    let now = Signal::derive(move || splitting.now.get());
    let preview = Signal::derive(move || splitting.preview.get());
    let is_frozen = Memo::new(move |_| splitting.is_frozen());
    view! {
        <section class="step split" data-testid="split" aria-label=move || texts().title>
            <div class="step-head">
                <h2>{move || texts().title}</h2>
                <p class="hint">{move || texts().about}</p>
            </div>
            <Show when=move || !is_empty.get() fallback=move || view! {
                <p class="empty" data-testid="split-no-records">{move || texts().no_records}</p>
            }>
                <Frozen splitting=splitting />
                <Sides
                    view=now
                    title=Signal::derive(move || texts().as_it_is)
                    testid="split-now"
                    is_drawn=true
                />
                <Show when=move || !is_frozen.get()>
                    <Form splitting=splitting />
                    {move || splitting.fault.get().map(|fault| view! {
                        <div role="alert" data-testid="split-fault">
                            <Message fault=fault>
                                <span></span>
                            </Message>
                        </div>
                    })}
                    <Sides
                        view=preview
                        title=Signal::derive(move || texts().as_it_would_be)
                        testid="split-preview"
                        is_drawn=false
                    />
                </Show>
            </Show>
        </section>
    }
}
