//! The first rows of a part as they stand, and the first records that they become.

use leptos::prelude::*;
use veneer_core::protocol::studio::{Content, ContentBody, PartKey, Preview, TurnRole};

use super::incoming::Incoming;
use crate::{
    page::handle::App,
    texts::{
        fill,
        studio::{StudioTexts, row_problem, said},
    },
};

/// Records and rows shown.
const SHOWN: usize = 3;

#[component]
pub(super) fn PartPreview(part: PartKey) -> impl IntoView {
    let incoming = Incoming::get();
    let preview = Memo::new(move |_| {
        incoming
            .parts
            .with(|parts| parts.choice(part).and_then(|choice| choice.preview.clone()))
    });
    view! {
        <div class="preview" data-testid="import-preview">
            {move || preview.get().map(|preview| view! { <Shown preview=preview /> })}
        </div>
    }
}

#[component]
fn Shown(preview: Preview) -> impl IntoView {
    let app = App::get();
    let texts = move || &app.language.get().studio().import;
    let Preview {
        rows,
        columns,
        records,
        problems,
        failed,
        ..
    } = preview;
    let nothing = records.is_empty() && failed.is_none();
    let has_rows = !rows.is_empty();
    let has_records = !records.is_empty();
    let has_problems = !problems.is_empty();
    view! {
        {failed.map(|why| view! {
            <p class="wrong" role="alert" data-testid="import-failed">
                {move || said(&why, app.language.get())}
            </p>
        })}
        {nothing.then(|| view! { <p class="wrong">{move || texts().preview_none}</p> })}
        {has_records.then(|| view! {
            <h4>{move || texts().preview}</h4>
            <ol class="preview-records">
                {records.into_iter().take(SHOWN).map(|content| view! {
                    <li data-testid="import-record"><OneRecord content=content /></li>
                }).collect_view()}
            </ol>
        })}
        {has_problems.then(|| view! {
            <details data-testid="import-problems">
                <summary>{move || texts().problems}</summary>
                <ul>{problems.into_iter().map(|problem| {
                    let line = problem.line.to_string();
                    let line = move || fill(texts().at_line, &[("line", &line)]);
                    view! {
                        <li>
                            <span class="hint">{line}</span>
                            " "
                            {move || row_problem(&problem, app.language.get())}
                        </li>
                    }
                }).collect_view()}</ul>
            </details>
        })}
        {has_rows.then(|| view! {
            <details>
                <summary>{move || texts().preview_rows}</summary>
                <RawRows label=Signal::derive(move || texts().preview_rows) columns=columns rows=rows />
            </details>
        })}
    }
}

#[component]
fn RawRows(
    label: Signal<&'static str>,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
) -> impl IntoView {
    let head = columns
        .into_iter()
        .map(|name| view! { <th scope="col">{name}</th> })
        .collect_view();
    let body = rows
        .into_iter()
        .map(|row| {
            let cells = row.into_iter().map(|cell| view! { <td>{cell}</td> });
            view! { <tr>{cells.collect_view()}</tr> }
        })
        .collect_view();
    view! {
        <div class="scrolled" tabindex="0" role="group" aria-label=move || label.get()>
            <table class="raw">
                <thead><tr>{head}</tr></thead>
                <tbody>{body}</tbody>
            </table>
        </div>
    }
}

/// A record in a few lines.
#[component]
fn OneRecord(content: Content) -> impl IntoView {
    let app = App::get();
    let line = move |who: Option<TurnRole>, text: String| {
        let who = move || who.map(|role| role_name(app.language.get().studio(), role));
        view! {
            <p class="preview-turn">
                <span class="who">{who}</span>
                " "
                <span class="words">{text}</span>
            </p>
        }
    };
    match content.body {
        ContentBody::Chat { turns, .. } => turns
            .into_iter()
            .map(|turn| line(Some(turn.role), turn.text.unwrap_or_default()))
            .collect_view()
            .into_any(),
        // Apart, though nothing stands between them in training.
        ContentBody::Text { prompt, completion } => [prompt, completion]
            .into_iter()
            .filter(|text| !text.is_empty())
            .map(|text| line(None, text))
            .collect_view()
            .into_any(),
        ContentBody::Tokens { input_ids, .. } => line(None, format!("{input_ids:?}")).into_any(),
    }
}

/// A role in the words of the interface.
pub(in crate::page::studio) fn role_name(texts: &StudioTexts, role: TurnRole) -> &'static str {
    match role {
        TurnRole::System | TurnRole::Developer => texts.import.role_system,
        TurnRole::User => texts.import.role_user,
        TurnRole::Assistant => texts.import.role_assistant,
        TurnRole::Tool => texts.import.role_tool,
    }
}
