//! What was done, and snapshots to compare with and go back to.

use leptos::prelude::*;
use veneer_core::protocol::studio::{
    ActionView, Difference, DifferenceKind, SnapshotView, StudioOutcome, StudioRequest,
};

use super::{handle::Studio, keys::key_of};
use crate::{
    page::{focus, handle::App},
    state::{
        diff::{self, Stretch},
        numbers,
        studio::actions,
    },
    texts::{Language, fill},
};

/// Actions shown; undo reaches further back.
const SHOWN: u64 = 200;

#[component]
pub(super) fn HistoryPanel(#[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().history;
    let history = RwSignal::new(Vec::<ActionView>::new());
    Effect::new(move || {
        studio.version.track();
        studio.project.track();
        let request = StudioRequest::History { n: SHOWN };
        studio.ask(request, &[], move |outcome| {
            if let StudioOutcome::History(actions) = outcome {
                history.set(actions.clone());
            }
        });
    });
    let on_key = move |event: web_sys::KeyboardEvent| {
        if key_of(&event) == "Escape" {
            on_close.run(());
        }
    };
    view! {
        <aside
            class="history card"
            data-testid="history"
            aria-label=move || texts().title
            on:keydown=on_key
        >
            <div class="row">
                <h2>{move || texts().title}</h2>
                <button
                    type="button"
                    class="quiet"
                    data-testid="history-close"
                    on:click=move |_| on_close.run(())
                >
                    {move || texts().close}
                </button>
            </div>
            <Snapshots />
            <p class="hint">{move || texts().about}</p>
            <Show when=move || history.with(Vec::is_empty)>
                <p>{move || texts().empty}</p>
            </Show>
            <ol class="list">
                <For
                    each=move || history.get()
                    key=|action| (action.action, action.undone, action.n_records)
                    let:action
                >
                    <Action action=action />
                </For>
            </ol>
        </aside>
    }
}

#[component]
fn Action(action: ActionView) -> impl IntoView {
    let app = App::get();
    let undone = action.undone;
    let at_ms = action.at_ms;
    let when = move || moment(at_ms, app.language.get());
    let said = move || actions::words(&action, app.language.get());
    view! {
        <li class:undone=undone data-testid="history-action">
            <span class="list-name">{said}</span>
            <span class="list-about">
                {when}
                {move || undone.then(|| format!(", {}", app.language.get().studio().history.undone))}
            </span>
        </li>
    }
}

/// A moment in the words of the interface's language and the clock of this machine.
pub(super) fn moment(at_ms: i64, language: Language) -> String {
    let date = js_sys::Date::new(&(at_ms as f64).into());
    String::from(date.to_locale_string(language.tag(), &js_sys::Object::new()))
}

#[component]
fn Snapshots() -> impl IntoView {
    let studio = Studio::get();
    let app = App::get();
    let texts = move || &app.language.get().studio().history;
    let snapshots = RwSignal::new(Vec::<SnapshotView>::new());
    let name = RwSignal::new(String::new());
    let show = move |outcome: &StudioOutcome| {
        if let StudioOutcome::Snapshots(all) = outcome {
            snapshots.set(all.clone());
        }
    };
    studio.ask(StudioRequest::ListSnapshots, &[], show);
    let take = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let typed = name.get_untracked().trim().to_owned();
        if !typed.is_empty() {
            name.set(String::new());
            studio.ask(StudioRequest::TakeSnapshot { name: typed }, &[], show);
        }
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
                    <Snapshot snapshot=snapshot on_change=Callback::new(move |all| snapshots.set(all)) />
                </For>
            </ul>
        </section>
    }
}

#[component]
fn Snapshot(snapshot: SnapshotView, on_change: Callback<Vec<SnapshotView>>) -> impl IntoView {
    let studio = Studio::get();
    let app = App::get();
    let texts = move || &app.language.get().studio().history;
    let difference = RwSignal::new(None::<Difference>);
    let sure = RwSignal::new(false);
    // What differs is of the records as they were.
    Effect::new(move |before: Option<u64>| {
        let version = studio.version.get();
        if before.is_some_and(|before| before != version) {
            difference.set(None);
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
    let compare = move |_| {
        let request = StudioRequest::CompareSnapshots {
            before: Some(key),
            after: None,
        };
        studio.ask(request, &[], move |outcome| {
            if let StudioOutcome::Difference(found) = outcome {
                difference.set(Some(found.clone()));
            }
        });
    };
    let restore = move |_| {
        studio.ask(
            StudioRequest::RestoreSnapshot { snapshot: key },
            &[],
            |_| {},
        );
    };
    let delete = move |_| {
        let request = StudioRequest::DeleteSnapshot { snapshot: key };
        studio.ask(request, &[], move |outcome| {
            if let StudioOutcome::Snapshots(all) = outcome {
                on_change.run(all.clone());
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
                <button type="button" data-testid="history-compare" on:click=compare>
                    {move || texts().compare}
                </button>
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
            {move || difference.get().map(|found| view! {
                <Differences difference=found name=name.get_value() />
            })}
        </li>
    }
}

#[component]
fn Differences(difference: Difference, name: String) -> impl IntoView {
    let app = App::get();
    let Difference {
        n_added,
        n_removed,
        n_edited,
        n_moved,
        records,
    } = difference;
    let summary = move || {
        let language = app.language.get();
        let texts = &language.studio().history;
        if n_added + n_removed + n_edited + n_moved == 0 {
            return fill(texts.no_difference, &[("name", &name)]);
        }
        let [edited, added, removed, moved] =
            [n_edited, n_added, n_removed, n_moved].map(|n| numbers::whole(n, language));
        fill(
            texts.difference,
            &[
                ("edited", &edited),
                ("added", &added),
                ("removed", &removed),
                ("moved", &moved),
                ("name", &name),
            ],
        )
    };
    let shown = records
        .into_iter()
        .filter(|record| record.kind != DifferenceKind::Moved)
        .map(|record| {
            let id = record.record.0;
            let before = gone(diff::compare(&record.after, &record.before));
            let after = come(diff::compare(&record.before, &record.after));
            view! {
                <li class="difference">
                    <span class="hint">{format!("#{id}")}</span>
                    <p class="words">{before}</p>
                    <p class="words">{after}</p>
                </li>
            }
        })
        .collect_view();
    view! {
        <div class="differences" data-testid="history-difference">
            <p>{summary}</p>
            <ul>{shown}</ul>
        </div>
    }
}

/// A text whose own words went.
fn gone(stretches: Vec<Stretch>) -> impl IntoView {
    let piece = |stretch: Stretch| match stretch.differs {
        true => view! { <del>{stretch.text}</del> }.into_any(),
        false => view! { <span>{stretch.text}</span> }.into_any(),
    };
    stretches.into_iter().map(piece).collect_view()
}

/// A text whose own words came.
fn come(stretches: Vec<Stretch>) -> impl IntoView {
    let piece = |stretch: Stretch| match stretch.differs {
        true => view! { <ins>{stretch.text}</ins> }.into_any(),
        false => view! { <span>{stretch.text}</span> }.into_any(),
    };
    stretches.into_iter().map(piece).collect_view()
}
