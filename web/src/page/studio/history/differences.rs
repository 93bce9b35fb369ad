//! What differs between two states of the project.

use leptos::prelude::*;
use veneer_core::protocol::studio::{
    Beside, Difference, DifferenceKind, FindingKind, RecordDifference,
};

use crate::{
    page::handle::App,
    state::{
        diff::{self, Stretch},
        numbers,
    },
    texts::{Language, fill},
};

/// From the state of one name to that of another; `None` is now.
#[component]
pub(super) fn Differences(
    difference: Difference,
    from: String,
    to: Option<String>,
) -> impl IntoView {
    let app = App::get();
    let Difference {
        n_added,
        n_removed,
        n_edited,
        n_moved,
        n_accepted,
        records,
    } = difference;
    let counts = [n_edited, n_added, n_removed, n_moved];
    let n_more = counts
        .iter()
        .sum::<u64>()
        .saturating_sub(records.len() as u64);
    let summary = move || told(counts, &from, to.as_deref(), app.language.get());
    let accepted = move || {
        let language = app.language.get();
        let n = numbers::whole(n_accepted, language);
        let text = language.studio().history.other_accepted;
        (n_accepted > 0).then(|| view! { <p>{fill(text, &[("n", &n)])}</p> })
    };
    let more = move || {
        let language = app.language.get();
        let n = numbers::whole(n_more, language);
        let text = language.studio().history.more_differ;
        (n_more > 0).then(|| fill(text, &[("n", &n)]))
    };
    let shown = records
        .into_iter()
        .map(|record| view! { <One record=record /> });
    view! {
        <div class="differences" data-testid="history-difference">
            <p>{summary}</p>
            {accepted}
            <ul>{shown.collect_view()}</ul>
            <p class="hint" data-testid="history-difference-more">{more}</p>
        </div>
    }
}

/// How much differs, from one name to another; `None` is now.
pub(super) fn summary(
    difference: &Difference,
    from: &str,
    to: Option<&str>,
    language: Language,
) -> String {
    let Difference {
        n_edited,
        n_added,
        n_removed,
        n_moved,
        ..
    } = *difference;
    told([n_edited, n_added, n_removed, n_moved], from, to, language)
}

/// Counts of what was edited, added, removed and otherwise changed, in words.
fn told(counts: [u64; 4], from: &str, to: Option<&str>, language: Language) -> String {
    let texts = &language.studio().history;
    let text = match (counts.iter().sum::<u64>(), to) {
        (0, None) => texts.no_difference,
        (0, Some(_)) => texts.no_difference_between,
        (_, None) => texts.difference,
        (_, Some(_)) => texts.difference_between,
    };
    let [edited, added, removed, moved] = counts.map(|n| numbers::whole(n, language));
    let values = [
        ("edited", &*edited),
        ("added", &added),
        ("removed", &removed),
        ("moved", &moved),
        ("name", from),
        ("other", to.unwrap_or_default()),
    ];
    fill(text, &values)
}

#[component]
fn One(record: RecordDifference) -> impl IntoView {
    let app = App::get();
    let RecordDifference {
        place,
        kind,
        before,
        after,
        beside,
        ..
    } = record;
    let label = move || head(place, kind, app.language.get());
    let beside = move || {
        let language = app.language.get();
        let lines = beside
            .iter()
            .map(|one| view! { <p>{words(one, language)}</p> });
        lines.collect::<Vec<_>>()
    };
    let texts = (kind != DifferenceKind::Moved).then(|| {
        let old = gone(diff::compare(&after, &before));
        let new = come(diff::compare(&before, &after));
        view! {
            <p class="words">{old}</p>
            <p class="words">{new}</p>
        }
    });
    view! {
        <li class="difference" data-testid="history-different">
            <span class="hint">{label}</span>
            {texts}
            {beside}
        </li>
    }
}

/// Which record, by the number that the editor has for it, and what became of it.
fn head(place: Option<u64>, kind: DifferenceKind, language: Language) -> String {
    let texts = &language.studio().history;
    let kind = match kind {
        DifferenceKind::Added => texts.was_added,
        DifferenceKind::Removed => texts.was_removed,
        DifferenceKind::Edited => texts.was_edited,
        DifferenceKind::Moved => texts.was_moved,
    };
    match place {
        None => kind.to_owned(),
        Some(place) => {
            let n = numbers::whole(place, language);
            let record = fill(language.studio().editor.record_n, &[("n", &n)]);
            format!("{record} · {kind}")
        }
    }
}

/// What differs beside the text, in words.
fn words(one: &Beside, language: Language) -> String {
    let texts = &language.studio().grid;
    let tags = |tags: &[String]| match tags {
        [] => "–".to_owned(),
        some => some.join(language.comma()),
    };
    let name = |name: &String| match name.is_empty() {
        true => texts.nobody.to_owned(),
        false => name.clone(),
    };
    let kinds = |kinds: &[FindingKind]| {
        let checks = &language.studio().checks;
        let english = |kind: &FindingKind| kind.0.replace('_', " ");
        let title = |kind: &FindingKind| checks.title(&kind.0, &english(kind)).to_owned();
        tags(&kinds.iter().map(title).collect::<Vec<_>>())
    };
    match one {
        Beside::Side(from, to) => {
            let (from, to) = (texts.side(*from), texts.side(*to));
            format!("{}: {from} → {to}", texts.split)
        }
        Beside::Tags(from, to) => format!("{}: {} → {}", texts.tags, tags(from), tags(to)),
        Beside::Reviewer(from, to) => {
            format!("{}: {} → {}", texts.reviewer, name(from), name(to))
        }
        Beside::Accepted(from, to) => {
            let label = language.studio().history.accepted;
            format!("{label}: {} → {}", kinds(from), kinds(to))
        }
        Beside::Place => language.studio().history.other_place.to_owned(),
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
