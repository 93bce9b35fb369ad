//! What the checks found in this record, and what settles it.

use leptos::prelude::*;
use veneer_core::protocol::studio::{FindingView, FixName, FixTarget, StudioRequest};

use super::{FocusAt, commands::Commands, of_draft};
use crate::{
    page::studio::handle::Studio,
    state::{
        message::sentence,
        studio::draft::{Draft, Entry, turn_of_field},
    },
    texts::{
        Language, fill,
        studio::{ChecksTexts, found_and_expected},
    },
};

#[component]
pub(super) fn Findings() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let findings = Memo::new(move |_| of_draft(studio, |draft| draft.view.findings.clone()));
    let any = Memo::new(move |_| findings.with(|all| !all.is_empty()));
    view! {
        <Show when=move || any.get()>
            <ul class="record-findings" data-testid="editor-findings" aria-label=move || texts().findings>
                {move || findings.get().into_iter().map(|finding| view! {
                    <Finding finding=finding />
                }).collect_view()}
            </ul>
        </Show>
    }
}

#[component]
fn Finding(finding: FindingView) -> impl IntoView {
    let studio = Studio::get();
    let commands = Commands::get();
    let language = move || studio.app.language.get();
    let texts = move || &language().studio().editor;
    let checks = move || &language().studio().checks;
    let turn = turn_of_field(&finding.field);
    let (is_error, accepted) = (finding.is_error, finding.accepted);
    let (kind, fixes) = (finding.kind.clone(), finding.fixes.clone());
    let finding = StoredValue::new(finding);
    let title = move || finding.with_value(|it| checks().title(&it.kind.0, &it.title).to_owned());
    let detail = move || finding.with_value(|it| detail(it, language()));
    let go = move |at: usize| {
        let id = commands.draft(|draft| draft.ids.get(at).copied()).flatten();
        if let Some(id) = id {
            commands.focus(FocusAt::Text(Entry::Turn(id)));
        }
    };
    let fix = move |fix: FixName| {
        studio.save_draft();
        if let Some(record) = commands.draft(Draft::record) {
            let request = StudioRequest::Fix {
                finding: finding.with_value(|it| it.kind.clone()),
                target: FixTarget::Records(vec![record]),
                fix,
            };
            studio.ask(request, &[], |_| {});
        }
    };
    let severity = move || match (accepted, is_error) {
        (true, _) => checks().accepted,
        (false, true) => checks().error,
        (false, false) => checks().warning,
    };
    view! {
        <li
            class="record-finding"
            class:error=is_error && !accepted
            class:accepted=accepted
            data-testid="editor-finding"
            data-kind=kind.0
        >
            <span class="badge">{severity}</span>
            <strong>{title}</strong>
            {turn.map(|at| view! {
                <button type="button" class="quiet link" on:click=move |_| go(at)>
                    {move || fill(texts().turn_n, &[("n", &(at + 1).to_string())])}
                </button>
            })}
            <span class="hint">{detail}</span>
            <span class="actions small">
                {fixes.into_iter().map(|name| {
                    let (sent, shown) = (name.clone(), name.clone());
                    view! {
                        <button
                            type="button"
                            data-testid="editor-fix"
                            data-fix=name.0
                            on:click=move |_| fix(sent.clone())
                        >
                            {move || checks().fix(&shown.0)}
                        </button>
                    }
                }).collect_view()}
            </span>
        </li>
    }
}

/// What was found, what was expected, what to do; as far as there is something to say.
fn detail(finding: &FindingView, language: Language) -> String {
    let advice = ChecksTexts::advice(&finding.kind.0, &finding.advice, language);
    let mut parts = found_and_expected(&finding.found, &finding.expected, language);
    parts.extend((!advice.is_empty()).then(|| sentence(advice)));
    parts.join(" · ")
}
