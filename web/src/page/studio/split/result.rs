//! The sides as figures, and their freezing.

use leptos::prelude::*;
use veneer_core::protocol::studio::{Filter, FindingKind, SplitPlan, SplitView};

use super::Splitting;
use crate::{
    page::studio::{checks::open_list, confirm::Confirm, copying::CopyButton, handle::Studio},
    state::{numbers, studio::split_form::shares},
    texts::fill,
};

/// Names of the four parts for the sheet and for tools.
const PARTS: [&str; 4] = ["train", "validation", "test", "none"];

/// Bars, strata, groups and leaks of a split.
#[component]
pub(super) fn Sides(
    view: Signal<Option<SplitView>>,
    title: Signal<&'static str>,
    testid: &'static str,
    /// Whether records are on these sides by now.
    is_drawn: bool,
) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().split;
    let number = move |n| numbers::whole(n, studio.app.language.get());
    let facts = move |view: &SplitView| {
        (view.n_groups > 0).then(|| {
            let values = [
                ("n", number(view.n_groups)),
                ("largest", number(view.largest_group)),
            ];
            let values = values
                .each_ref()
                .map(|(name, value)| (*name, value.as_str()));
            fill(texts().n_groups, &values)
        })
    };
    // Whole groups may not fill what was asked for.
    let asked = move |view: &SplitView| {
        let asked = view.n_asked?;
        let [validation, test] = asked.map(number);
        let values = [("validation", &*validation), ("test", &*test)];
        (asked != [view.n_validation, view.n_test]).then(|| fill(texts().asked, &values))
    };
    move || {
        let view = view.get()?;
        let leaks = view.n_leaking;
        let apart = view.n_groups_apart;
        let is_split = view.n_train + view.n_validation + view.n_test > 0;
        let plan = view.plan.as_ref();
        let are_languages =
            plan.is_some_and(|plan| plan.stratify_by.as_deref() == Some(SplitPlan::LANGUAGE));
        Some(view! {
            <section class="card sides" data-testid=testid>
                <h3>{move || title.get()}</h3>
                <Bars view=view.clone() />
                {facts(&view).map(|said| view! { <p class="hint">{said}</p> })}
                {asked(&view).map(|said| view! { <p class="hint" data-testid="split-asked">{said}</p> })}
                {(leaks > 0).then(|| view! {
                    <p class="leak" role="alert" data-testid="split-leaks" data-leaks=leaks.to_string()>
                        {fill(texts().leaks, &[("n", &number(leaks))])}
                        {is_drawn.then(|| view! { " " <LeakLink /> })}
                    </p>
                })}
                {(apart > 0).then(|| view! {
                    <p class="leak" role="alert" data-testid="split-apart">
                        {fill(texts().apart, &[("n", &number(apart))])}
                    </p>
                })}
                {(leaks == 0 && is_split).then(|| view! {
                    <p class="hint" data-testid="split-no-leaks">{texts().no_leaks}</p>
                })}
                <Strata strata=view.strata are_languages=are_languages />
            </section>
        })
    }
}

#[component]
fn Bars(view: SplitView) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().split;
    let language = move || studio.app.language.get();
    let counts = [view.n_train, view.n_validation, view.n_test, view.n_without];
    let parts = shares(&view);
    let title = move |part: usize| match part {
        0 => texts().train,
        1 => texts().validation,
        2 => texts().test,
        _ => texts().without,
    };
    let bar = (0..4).filter(|part| counts[*part] > 0).map(|part| {
        view! {
            <span class="part" data-part=PARTS[part] style=format!("flex-grow: {:.4}", parts[part])></span>
        }
    });
    let list = (0..4)
        .filter(|part| *part < 3 || counts[3] > 0)
        .map(|part| {
            view! {
                <div data-testid=format!("split-n-{}", PARTS[part]) data-value=counts[part].to_string()>
                    <dt><span class="swatch" data-part=PARTS[part] aria-hidden="true"></span>{move || title(part)}</dt>
                    <dd>{move || numbers::whole(counts[part], language())}</dd>
                    <dd class="hint">{move || numbers::percent(parts[part], language())}</dd>
                </div>
            }
        });
    view! {
        <div class="bar" aria-hidden="true">{bar.collect_view()}</div>
        <dl class="side-counts">{list.collect_view()}</dl>
    }
}

/// To the records that ask what is trained on.
#[component]
fn LeakLink() -> impl IntoView {
    let studio = Studio::get();
    let show = move |_| {
        let filter = Filter {
            findings: vec![FindingKind("leak".into())],
            ..Filter::default()
        };
        open_list(studio, filter);
    };
    view! {
        <button type="button" class="quiet" data-testid="split-leaks-show" on:click=show>
            {move || studio.app.language.get().studio().checks.show}
        </button>
    }
}

/// How the values of the stratifying column lie on the sides.
#[component]
fn Strata(strata: Vec<(String, [u64; 3])>, are_languages: bool) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().split;
    let number = move |n| numbers::whole(n, studio.app.language.get());
    if strata.is_empty() {
        return ().into_any();
    }
    let rows = strata.into_iter().map(move |(value, counts)| {
        let total: u64 = counts.iter().sum();
        view! {
            <tr>
                <th scope="row">{move || match value.as_str() {
                    "" => texts().no_value.to_owned(),
                    code if are_languages => studio.app.language.get().name_of(code).to_owned(),
                    value => value.to_owned(),
                }}</th>
                {counts.map(|n| view! { <td>{move || number(n)}</td> })}
                <td>{move || number(total)}</td>
            </tr>
        }
    });
    view! {
        <details class="strata" open>
            <summary>{move || texts().strata}</summary>
            <div class="scrolled">
                <table data-testid="split-strata">
                    <thead><tr>
                        <th scope="col">{move || texts().value}</th>
                        <th scope="col">{move || texts().train}</th>
                        <th scope="col">{move || texts().validation}</th>
                        <th scope="col">{move || texts().test}</th>
                        <th scope="col">{move || texts().together}</th>
                    </tr></thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        </details>
    }
    .into_any()
}

/// The hash of a frozen split and the way back, or the way there.
#[component]
pub(super) fn Frozen(splitting: Splitting) -> impl IntoView {
    let studio = splitting.studio;
    let texts = move || &studio.app.language.get().studio().split;
    let frozen = Memo::new(move |_| {
        splitting.now.with(|now| {
            let now = now.as_ref()?;
            Some((now.frozen.clone()?, now.frozen_holds))
        })
    });
    let is_split = Memo::new(move |_| {
        splitting.now.with(|now| {
            now.as_ref()
                .is_some_and(|now| now.n_train + now.n_validation + now.n_test > 0)
        })
    });
    let asks = RwSignal::new(false);
    let thaw = move || {
        asks.set(false);
        splitting.freeze(false);
    };
    let hash = Signal::derive(move || frozen.get().map(|(hash, _)| hash).unwrap_or_default());
    let holds = Memo::new(move |_| frozen.get().is_some_and(|(_, holds)| holds));
    view! {
        <Show when=move || frozen.get().is_some()>
            <section class="card frozen" data-testid="split-frozen" data-holds=move || holds.get().to_string()>
                <h3>{move || texts().frozen}</h3>
                <p class="hint">{move || texts().frozen_about}</p>
                <p class="hash"><code data-testid="split-hash">{move || hash.get()}</code></p>
                <Show when=move || !holds.get()>
                    <p class="wrong" role="alert" data-testid="split-broken">{move || texts().broken}</p>
                </Show>
                <div class="actions">
                    <CopyButton text=hash testid="split-copy-hash" />
                    <button type="button" data-testid="split-thaw" on:click=move |_| asks.set(true)>
                        {move || texts().thaw}
                    </button>
                </div>
                <Show when=move || asks.get()>
                    <Confirm
                        question=Signal::derive(move || texts().thaw_ask.to_owned())
                        yes=Signal::derive(move || texts().thaw.to_owned())
                        testid="split-thaw-confirm"
                        on_yes=thaw
                        on_no=move || asks.set(false)
                    />
                </Show>
            </section>
        </Show>
        <Show when=move || frozen.get().is_none() && is_split.get()>
            <div class="card row freeze">
                <p class="hint">{move || texts().freeze_about}</p>
                <button type="button" data-testid="split-freeze" on:click=move |_| splitting.freeze(true)>
                    {move || texts().freeze}
                </button>
            </div>
        </Show>
    }
}
