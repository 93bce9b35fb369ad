//! States of the project with names: kept, compared, gone back to, forgotten.

use leptos::prelude::*;
use veneer_core::protocol::studio::{
    Difference, SnapshotKey, SnapshotView, StudioOutcome, StudioRequest,
};

use super::{
    differences::{Differences, summary},
    moment,
};
use crate::{
    page::{focus, handle::App, studio::handle::Studio},
    state::numbers,
    texts::fill,
};

#[component]
pub(super) fn Snapshots() -> impl IntoView {
    let studio = Studio::get();
    let app = App::get();
    let texts = move || &app.language.get().studio().history;
    let snapshots = RwSignal::new(Vec::<SnapshotView>::new());
    let name = RwSignal::new(String::new());
    let show = move |outcome: &StudioOutcome| {
        if let StudioOutcome::Snapshots(all) = outcome {
            snapshots.try_set(all.clone());
        }
    };
    studio.ask(StudioRequest::ListSnapshots, &[], show);
    let take = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let typed = name.get_untracked().trim().to_owned();
        if typed.is_empty() {
            return;
        }
        let request = StudioRequest::TakeSnapshot {
            name: typed.clone(),
        };
        // A name that is refused stays, to be changed.
        studio.ask(request, &[], move |outcome| {
            show(outcome);
            let said = app.language.get_untracked().studio().history.taken;
            app.say(fill(said, &[("name", &typed)]));
            // The panel may be closed by now.
            if name.try_with_untracked(|now| now.trim() == typed) == Some(true) {
                name.set(String::new());
            }
        });
    };
    view! {
        <section aria-labelledby="snapshots-title" class="snapshots">
            <h3 id="snapshots-title">{move || texts().snapshots}</h3>
            <p class="hint">{move || texts().snapshots_about}</p>
            <form class="row" on:submit=take>
                <input
                    type="text"
                    data-testid="history-snapshot-name"
                    aria-label=move || texts().snapshot_name
                    placeholder=move || texts().snapshot_name
                    prop:value=move || name.get()
                    on:input=move |event| name.set(event_target_value(&event))
                />
                <button type="submit" data-testid="history-take">{move || texts().take}</button>
            </form>
            <ul class="list">
                <For each=move || snapshots.get() key=|s| s.snapshot.0 let:snapshot>
                    <Snapshot snapshot=snapshot all=snapshots />
                </For>
            </ul>
        </section>
    }
}

/// What a comparison found, between the state of one name and that of another; `None` is now.
#[derive(Clone)]
struct Compared {
    difference: Difference,
    from: String,
    to: Option<String>,
}

#[component]
fn Snapshot(snapshot: SnapshotView, all: RwSignal<Vec<SnapshotView>>) -> impl IntoView {
    let studio = Studio::get();
    let app = App::get();
    let texts = move || &app.language.get().studio().history;
    let compared = RwSignal::new(None::<Compared>);
    let sure = RwSignal::new(false);
    // What differs is of the records as they were.
    Effect::new(move |before: Option<u64>| {
        let version = studio.version.get();
        if before.is_some_and(|before| before != version) {
            compared.set(None);
        }
        version
    });
    let key = snapshot.snapshot;
    let name = StoredValue::new(snapshot.name.clone());
    let about = move || {
        let language = app.language.get();
        let n = numbers::whole(snapshot.n_records, language);
        let n = fill(texts().n_records, &[("n", &n)]);
        format!("{n}, {}", moment(snapshot.at_ms, language))
    };
    let restore = move |_| {
        studio.ask(
            StudioRequest::RestoreSnapshot { snapshot: key },
            &[],
            |_| {},
        );
    };
    let delete = move |_| {
        let name = name.get_value();
        let request = StudioRequest::DeleteSnapshot { snapshot: key };
        studio.ask(request, &[], move |outcome| {
            if let StudioOutcome::Snapshots(left) = outcome {
                all.try_set(left.clone());
                let said = app.language.get_untracked().studio().history.deleted;
                app.say(fill(said, &[("name", &name)]));
                focus::keep(&["[data-testid=history-snapshot-name]"]);
            }
        });
    };
    let sure_text = move || fill(texts().delete_sure, &[("name", &name.get_value())]);
    view! {
        <li data-testid="history-snapshot">
            <span class="list-name">{name.get_value()}</span>
            <span class="list-about">{about}</span>
            <div class="actions small">
                <Compare key=key all=all compared=compared />
                <button type="button" data-testid="history-restore" on:click=restore>
                    {move || texts().restore}
                </button>
                <button
                    type="button"
                    data-testid="history-delete"
                    on:click=move |_| sure.update(|sure| *sure = !*sure)
                >
                    {move || texts().delete}
                </button>
            </div>
            <Show when=move || sure.get()>
                <div class="sure" role="alert">
                    <span>{sure_text}</span>
                    <button type="button" class="main" data-testid="history-delete-yes" on:click=delete>
                        {move || texts().delete}
                    </button>
                </div>
            </Show>
            {move || compared.get().map(|found| view! {
                <Differences difference=found.difference from=found.from to=found.to />
            })}
        </li>
    }
}

/// Asks what differs from now, or from another snapshot where there is one.
#[component]
fn Compare(
    key: SnapshotKey,
    all: RwSignal<Vec<SnapshotView>>,
    compared: RwSignal<Option<Compared>>,
) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().history;
    let chosen = RwSignal::new(None::<SnapshotKey>);
    let others = Memo::new(move |_| {
        let others = all.get().into_iter();
        others
            .filter(|other| other.snapshot != key)
            .collect::<Vec<_>>()
    });
    // The other one may be gone by now.
    let other = Memo::new(move |_| {
        let chosen = chosen.get();
        let is_there = |other: &&SnapshotView| Some(other.snapshot) == chosen;
        others.with(|others| others.iter().find(is_there).map(|other| other.snapshot))
    });
    let compare = move |_| {
        // From the earlier one to the later one.
        let (from, to) = match other.get_untracked() {
            Some(other) if other.0 < key.0 => (other, Some(key)),
            other => (key, other),
        };
        let named = move |key: SnapshotKey| {
            all.try_with_untracked(|all| {
                let found = all.iter().find(|other| other.snapshot == key);
                found.map(|found| found.name.clone()).unwrap_or_default()
            })
        };
        let request = StudioRequest::CompareSnapshots {
            before: Some(from),
            after: to,
        };
        studio.ask(request, &[], move |outcome| {
            if let StudioOutcome::Difference(found) = outcome {
                // Nobody looks at it any more where its names are gone.
                let Some(from) = named(from) else { return };
                let to = to.and_then(named);
                let app = studio.app;
                let language = app.language.get_untracked();
                app.say(summary(found, &from, to.as_deref(), language));
                compared.try_set(Some(Compared {
                    difference: found.clone(),
                    from,
                    to,
                }));
            }
        });
    };
    let choose = move |event| {
        let typed = event_target_value(&event).parse().ok();
        chosen.set(typed.map(SnapshotKey));
    };
    let options = move || {
        let option = |one: SnapshotView| {
            let key = one.snapshot;
            view! {
                <option value=key.0.to_string() selected=move || other.get() == Some(key)>
                    {one.name}
                </option>
            }
        };
        others.get().into_iter().map(option).collect::<Vec<_>>()
    };
    let has_others = Memo::new(move |_| others.with(|others| !others.is_empty()));
    view! {
        <button type="button" data-testid="history-compare" on:click=compare>
            {move || match has_others.get() {
                true => texts().compare_with,
                false => texts().compare,
            }}
        </button>
        <Show when=move || has_others.get()>
            <select
                data-testid="history-compare-with"
                aria-label=move || texts().compare_with
                on:change=choose
            >
                <option value="" selected=move || other.get().is_none()>{move || texts().now}</option>
                {options}
            </select>
        </Show>
    }
}
