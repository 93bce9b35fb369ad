//! Records that belong together, side by side, with what differs between them.

use leptos::prelude::*;
use veneer_core::protocol::studio::{
    Change, CheckName, Filter, FindingKind, FixName, FixTarget, GroupView, RecordKey, Row,
    StudioOutcome, StudioRequest, Target,
};

use super::open_list;
use crate::{
    page::studio::handle::Studio,
    state::{
        diff::{self, Stretch},
        numbers,
    },
    texts::fill,
};

/// What can be done with one group, and how tests find it.
const GROUP_FIXES: [(&str, &str); 3] = [
    ("keep_first", "checks-group-keep-first"),
    ("to_train", "checks-group-to-train"),
    ("accept", "checks-group-accept"),
];

/// Groups that are asked for at once.
const PAGE: u64 = 10;

#[component]
pub(super) fn GroupList(
    check: CheckName,
    finding: StoredValue<String>,
    /// What can be done about the finding.
    fixes: StoredValue<Vec<FixName>>,
) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().checks;
    let check = StoredValue::new(check);
    let groups = RwSignal::new(Vec::<GroupView>::new());
    let total = RwSignal::new(0_u64);
    let ask = move |from: u64, n: u64| {
        let request = StudioRequest::Groups {
            check: check.get_value(),
            from,
            n,
        };
        studio.ask(request, &[], move |outcome| {
            if let StudioOutcome::Groups(page) = outcome {
                total.try_set(page.n);
                groups.try_update(|groups| {
                    groups.truncate(usize::try_from(page.from).unwrap_or(usize::MAX));
                    groups.extend(page.groups.iter().cloned());
                });
            }
        });
    };
    Effect::new(move || {
        studio.version.track();
        let n = groups.with_untracked(Vec::len) as u64;
        ask(0, n.max(PAGE));
    });
    let has_more = move || (groups.with(Vec::len) as u64) < total.get();
    view! {
        <ul class="groups" data-testid="checks-group-list">
            <For each=move || groups.get() key=|group| format!("{group:?}") let:group>
                <Group check=check finding=finding fixes=fixes group=group />
            </For>
        </ul>
        <Show when=has_more>
            <button
                type="button"
                data-testid="checks-more-groups"
                on:click=move |_| ask(groups.with_untracked(Vec::len) as u64, PAGE)
            >
                {move || texts().more_groups}
            </button>
        </Show>
    }
}

#[component]
fn Group(
    check: StoredValue<CheckName>,
    finding: StoredValue<String>,
    fixes: StoredValue<Vec<FixName>>,
    group: GroupView,
) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().checks;
    let number = move |n| numbers::whole(n, studio.app.language.get());
    let GroupView {
        group: key,
        n_records,
        records,
    } = group;
    let more = n_records.saturating_sub(records.len() as u64);
    let keys: Vec<RecordKey> = records.iter().map(|row| row.record).collect();
    let keys = StoredValue::new(keys);
    // Only what is seen is thrown away.
    let is_whole = more == 0;
    let show = move |_| {
        let filter = Filter {
            group: Some((check.get_value(), key)),
            ..Filter::default()
        };
        open_list(studio, filter);
    };
    let fix = move |name: &str| {
        let request = StudioRequest::Fix {
            finding: FindingKind(finding.get_value()),
            target: FixTarget::Records(keys.get_value()),
            fix: FixName(name.to_owned()),
        };
        studio.ask(request, &[], |_| {});
    };
    let has = move |name: &str| fixes.with_value(|fixes| fixes.iter().any(|fix| fix.0 == name));
    let shown = GROUP_FIXES
        .into_iter()
        .filter(|(name, _)| is_whole && has(name));
    let shown = shown.map(|(name, testid)| {
        view! {
            <button type="button" data-testid=testid on:click=move |_| fix(name)>
                {move || texts().fix(name)}
            </button>
        }
    });
    let can_keep = is_whole && has("keep_first");
    let first = records.first().cloned();
    view! {
        <li class="group" data-testid="checks-group">
            <div class="row">
                <strong>{move || fill(texts().group_n, &[("n", &number(n_records))])}</strong>
                <div class="actions small">
                    <button type="button" data-testid="checks-group-show" on:click=show>
                        {move || texts().show_one}
                    </button>
                    {shown.collect_view()}
                </div>
            </div>
            <div class="side-by-side">
                {records.into_iter().map(|row| view! {
                    <Member first=first.clone() row=row keys=keys can_keep=can_keep />
                }).collect_view()}
            </div>
            {(more > 0).then(|| view! {
                <p class="hint">{move || fill(texts().more_in_group, &[("n", &number(more))])}</p>
            })}
        </li>
    }
}

/// A record of a group; what the first one does not have is marked.
#[component]
fn Member(
    first: Option<Row>,
    row: Row,
    keys: StoredValue<Vec<RecordKey>>,
    can_keep: bool,
) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().checks;
    let own = row.record;
    let keep = move |_| {
        let mut others = keys.get_value();
        others.retain(|other| *other != own);
        studio.change(Target::Records(others), Change::Trash);
    };
    let is_first = first.as_ref().is_none_or(|first| first.record == own);
    let part = |of: fn(&Row) -> &String| match &first {
        Some(first) if !is_first => diff::compare(of(first), of(&row)),
        _ => vec![Stretch {
            text: of(&row).clone(),
            differs: false,
        }],
    };
    let parts = [
        ("system", part(|row| &row.system)),
        ("user", part(|row| &row.prompt)),
        ("assistant", part(|row| &row.answer)),
    ];
    let differs = parts
        .iter()
        .any(|(_, stretches)| stretches.iter().any(|stretch| stretch.differs));
    let shown = parts.into_iter().filter(|(_, stretches)| {
        let mut stretches = stretches.iter();
        stretches.any(|stretch| !stretch.text.is_empty())
    });
    let shown = shown.map(|(role, stretches)| {
        view! { <p class="words" data-role=role>{marked(stretches)}</p> }
    });
    let side = row.side.map(|side| {
        let name = move || studio.app.language.get().studio().grid.side(Some(side));
        view! { <p class="hint" data-testid="checks-member-side">{name}</p> }
    });
    view! {
        <div class="member" data-testid="checks-member">
            {side}
            {shown.collect_view()}
            {(!is_first && !differs).then(|| view! { <p class="hint">{move || texts().same_text}</p> })}
            {can_keep.then(|| view! {
                <button type="button" class="quiet" data-testid="checks-keep-this" on:click=keep>
                    {move || texts().keep_this}
                </button>
            })}
        </div>
    }
}

fn marked(stretches: Vec<Stretch>) -> Vec<AnyView> {
    let views = stretches.into_iter().map(|stretch| match stretch.differs {
        true => view! { <mark>{stretch.text}</mark> }.into_any(),
        false => stretch.text.into_any(),
    });
    views.collect()
}
