//! What the checks found, by kind: how many, what to do, and doing it.

mod groups;

use std::collections::BTreeSet;

use leptos::prelude::*;
use veneer_core::protocol::{
    studio::{
        Filter, FindingKind, FindingSummary, FindingsView, FixName, FixTarget, Query,
        StudioOutcome, StudioRequest, TextSetting,
    },
    tab::{Fault, RequestId},
};

use super::{
    confirm::Confirm,
    grid::Grid,
    handle::{Step, Studio},
};
use crate::{
    page::focus,
    state::{message::sentence, numbers, studio::standing::Standing},
    texts::{fill, studio::ChecksTexts},
};
use groups::GroupList;

/// The button that runs the checks.
const RUN: &str = "[data-testid=checks-run]";

/// What the step knows. Copies are the same.
#[derive(Clone, Copy)]
struct Checks {
    studio: Studio,
    findings: RwSignal<Option<FindingsView>>,
    running: RwSignal<Option<RequestId>>,
    /// Kinds whose groups are shown.
    open: RwSignal<BTreeSet<String>>,
}

impl Checks {
    fn new() -> Self {
        let checks = Self {
            studio: Studio::get(),
            findings: RwSignal::new(None),
            running: RwSignal::new(None),
            open: RwSignal::default(),
        };
        Effect::new(move || {
            checks.studio.version.track();
            checks.look();
        });
        checks
    }

    /// What is known already.
    fn look(self) {
        self.studio
            .ask(StudioRequest::Findings, &[], move |outcome| {
                self.take(outcome);
            });
    }

    fn run(self) {
        if self.running.with_untracked(Option::is_some) {
            return;
        }
        let ended = move || {
            // The step may be gone by now.
            self.running.try_set(None);
            focus::keep(&[RUN]);
        };
        let asked = self.studio.ask_or(
            StudioRequest::Check,
            &[],
            move |outcome| {
                ended();
                self.take(outcome);
                if let StudioOutcome::Findings(findings) = outcome {
                    let app = self.studio.app;
                    app.say(Standing::of(Some(findings), app.language.get_untracked()).told());
                }
            },
            move |fault: &Fault| {
                ended();
                self.studio.app.complain(fault.clone());
            },
        );
        self.running.set(asked);
    }

    fn take(self, outcome: &StudioOutcome) {
        if let StudioOutcome::Findings(findings) = outcome {
            let card = document().active_element();
            let card = card.and_then(|at| at.closest("[data-testid=checks-kind]").ok().flatten());
            self.findings.try_set(Some(findings.clone()));
            // A card is drawn anew with its counts.
            if let Some(kind) = card.and_then(|card| card.get_attribute("data-kind")) {
                let same = format!("[data-testid=checks-kind][data-kind=\"{kind}\"] button");
                focus::keep_in(same, &[RUN]);
            }
        }
    }
}

#[component]
pub(super) fn CheckStep() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().checks;
    let checks = Checks::new();
    let is_empty = Memo::new(move |_| {
        studio
            .project
            .with(|open| open.as_ref().is_none_or(|open| open.n_records == 0))
    });
    let kinds = move || {
        checks
            .findings
            .with(|findings| findings.as_ref().map(|view| view.kinds.clone()))
            .unwrap_or_default()
    };
    let busy = move || checks.running.with(Option::is_some);
    view! {
        <section
            class="step checks"
            data-testid="checks"
            aria-label=move || texts().title
            aria-busy=move || busy().to_string()
        >
            <div class="step-head">
                <h2>{move || texts().title}</h2>
                <p class="hint">{move || texts().about}</p>
            </div>
            <Show when=move || !is_empty.get() fallback=move || view! {
                <p class="empty" data-testid="checks-no-records">{move || texts().no_records}</p>
            }>
                <Overview checks=checks />
                <ul class="finding-kinds">
                    <For each=kinds key=|summary| format!("{summary:?}") let:summary>
                        <Kind checks=checks summary=summary />
                    </For>
                </ul>
            </Show>
        </section>
    }
}

/// The button, and whether what is shown is still true.
#[component]
fn Overview(checks: Checks) -> impl IntoView {
    let studio = checks.studio;
    let texts = move || &studio.app.language.get().studio().checks;
    let running = checks.running;
    let label = move || match (
        running.get().is_some(),
        checks.findings.with(Option::is_some),
    ) {
        (true, _) => texts().running,
        (false, true) => texts().run_again,
        (false, false) => texts().run,
    };
    let standing = Memo::new(move |_| {
        let language = studio.app.language.get();
        checks
            .findings
            .with(|findings| Standing::of(findings.as_ref(), language))
    });
    view! {
        <div class="card overview">
            <div class="actions">
                <button
                    type="button"
                    class="main"
                    data-testid="checks-run"
                    aria-disabled=move || running.get().is_some().to_string()
                    on:click=move |_| checks.run()
                >
                    {label}
                </button>
            </div>
            <p data-testid="checks-state" data-state=move || standing.get().state>
                {move || standing.get().said}
            </p>
            {move || standing.get().errors.map(|said| view! {
                <p class="wrong" data-testid="checks-errors">{said}</p>
            })}
        </div>
    }
}

/// One kind of finding.
#[component]
fn Kind(checks: Checks, summary: FindingSummary) -> impl IntoView {
    let studio = checks.studio;
    let language = move || studio.app.language.get();
    let texts = move || &language().studio().checks;
    let FindingSummary {
        kind,
        check,
        is_error,
        title,
        advice,
        n_records,
        n_accepted,
        has_groups,
        fixes,
        n_by_fix,
    } = summary;
    let name = StoredValue::new(kind.0.clone());
    let heading = move || name.with_value(|name| texts().title(name, &title).to_owned());
    let advice =
        move || name.with_value(|name| sentence(ChecksTexts::advice(name, &advice, language())));
    let number = move |n| numbers::whole(n, language());
    let shows_groups =
        Memo::new(move |_| name.with_value(|name| checks.open.with(|open| open.contains(name))));
    let toggle_groups = move |_| {
        let name = name.get_value();
        checks.open.update(|open| {
            if !open.remove(&name) {
                open.insert(name);
            }
        });
    };
    let (filter, setting_of) = (kind.clone(), kind.clone());
    let show = move |_| {
        let filter = Filter {
            findings: vec![filter.clone()],
            ..Filter::default()
        };
        open_list(studio, filter);
    };
    let group_fixes = StoredValue::new(fixes.clone());
    let wanted = RwSignal::new(None::<FixName>);
    let n_by_fix: Vec<(FixName, u64)> = fixes.iter().cloned().zip(n_by_fix).collect();
    view! {
        <li
            class="card finding-kind"
            class:error=is_error
            data-testid="checks-kind"
            data-kind=kind.0
            data-records=n_records.to_string()
        >
            <div class="finding-head">
                <span class="badge" class:bad=is_error>
                    {move || if is_error { texts().error } else { texts().warning }}
                </span>
                <h3>{heading}</h3>
                <span class="count">{move || fill(texts().n_records, &[("n", &number(n_records))])}</span>
                {(n_accepted > 0).then(|| view! {
                    <span class="hint">
                        {move || fill(texts().n_accepted, &[("n", &number(n_accepted))])}
                    </span>
                })}
            </div>
            <p class="hint">{advice}</p>
            <div class="actions">
                <button type="button" data-testid="checks-show" on:click=show>
                    {move || texts().show}
                </button>
                {has_groups.then(|| view! {
                    <button
                        type="button"
                        data-testid="checks-groups"
                        aria-expanded=move || shows_groups.get().to_string()
                        on:click=toggle_groups
                    >
                        {move || if shows_groups.get() { texts().hide_groups } else { texts().groups }}
                    </button>
                })}
                {(n_records > 0).then(|| view! { <Setting kind=setting_of /> })}
                <Fixes fixes=fixes wanted=wanted disabled=n_records == 0 />
            </div>
            <FixAll studio=studio name=name n_by_fix=n_by_fix wanted=wanted />
            <Show when=move || shows_groups.get()>
                <GroupList check=check.clone() finding=name fixes=group_fixes />
            </Show>
        </li>
    }
}

/// Leads to the setting of the token view that may settle a kind.
#[component]
fn Setting(kind: FindingKind) -> impl IntoView {
    let studio = Studio::get();
    let grid = Grid::get();
    let Some(setting) = kind.setting() else {
        return ().into_any();
    };
    let label = move || {
        let texts = &studio.app.language.get().studio().checks;
        match setting {
            TextSetting::MaxLength => texts.choose_limit,
            TextSetting::Template => texts.choose_template,
        }
    };
    let go = move |_| {
        let findings = vec![kind.clone()];
        let filter = Filter {
            findings,
            ..Filter::default()
        };
        open_list(studio, filter);
        grid.opened.set(true);
        let place = match setting {
            TextSetting::MaxLength => "[data-testid=tokens-max-length]",
            TextSetting::Template => "[data-testid=tokens-template]",
        };
        request_animation_frame(move || focus::on(&[place]));
    };
    view! {
        <button type="button" data-testid="checks-setting" on:click=go>{label}</button>
    }
    .into_any()
}

/// What can be done with all records of a kind.
#[component]
fn Fixes(fixes: Vec<FixName>, wanted: RwSignal<Option<FixName>>, disabled: bool) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().checks;
    fixes
        .into_iter()
        .map(|fix| {
            let (asked, shown) = (fix.clone(), fix.clone());
            view! {
                <button
                    type="button"
                    data-testid="checks-fix"
                    data-fix=fix.0
                    disabled=disabled
                    on:click=move |_| wanted.set(Some(asked.clone()))
                >
                    {move || texts().fix(&shown.0)}
                </button>
            }
        })
        .collect_view()
}

/// Asks before many records change, and says how many.
#[component]
fn FixAll(
    studio: Studio,
    name: StoredValue<String>,
    n_by_fix: Vec<(FixName, u64)>,
    wanted: RwSignal<Option<FixName>>,
) -> impl IntoView {
    let texts = move || &studio.app.language.get().studio().checks;
    let question = Signal::derive(move || {
        let Some(fix) = wanted.get() else {
            return String::new();
        };
        let known = n_by_fix.iter().find(|(known, _)| *known == fix);
        let n = known.map_or(0, |(_, n)| *n);
        let n = numbers::whole(n, studio.app.language.get());
        let fix = texts().fix(&fix.0);
        let asked = fill(texts().fix_all, &[("fix", &fix), ("n", &n)]);
        format!("{asked} {}", texts().fix_all_undo)
    });
    let go = move || {
        if let Some(fix) = wanted.get_untracked() {
            let request = StudioRequest::Fix {
                finding: FindingKind(name.get_value()),
                target: FixTarget::All,
                fix,
            };
            studio.ask(request, &[], |_| {});
        }
        wanted.set(None);
    };
    view! {
        <Show when=move || wanted.with(Option::is_some)>
            <Confirm
                question=question
                yes=Signal::derive(move || texts().do_it.to_owned())
                testid="checks-confirm"
                on_yes=go
                on_no=move || wanted.set(None)
            />
        </Show>
    }
}

/// Shows the records of a filter in the list.
pub(super) fn open_list(studio: Studio, filter: Filter) {
    let query = Query {
        filter,
        ..Query::default()
    };
    studio.run_query(query);
    studio.step.set(Step::Edit);
}
