//! From files to records: drop, look, decide how each part is read, import.

mod incoming;
mod part_card;
mod part_preview;
mod reading_form;

use leptos::prelude::*;
use veneer_core::protocol::studio::{ImportNote, ImportSummary, Rejected};
use web_sys::HtmlInputElement;

use super::handle::{Step, Studio};
use crate::{
    page::{focus, handle::App, picked},
    state::{message::sentence, numbers},
    texts::{
        fill,
        studio::{row_problem, said},
    },
};
pub(super) use incoming::Incoming;
use part_card::PartCard;

#[component]
pub(super) fn ImportStep() -> impl IntoView {
    let app = App::get();
    let incoming = Incoming::get();
    let texts = move || &app.language.get().studio().import;
    let any = move || incoming.parts.with(|parts| !parts.choices.is_empty());
    view! {
        <section class="import" aria-labelledby="import-title">
            <h2 id="import-title">{move || texts().title}</h2>
            <Show when=move || incoming.summary.with(Option::is_some)>
                {move || incoming.summary.get().map(|summary| view! { <Summary summary=summary /> })}
            </Show>
            <DropArea />
            <Show when=move || incoming.looking.get()>
                <p role="status" data-testid="import-looking">{move || texts().looking}</p>
            </Show>
            <Show when=any>
                <h3>{move || texts().parts}</h3>
                <ul class="parts">
                    <For
                        each=move || incoming.keys()
                        key=|key| *key
                        let:key
                    >
                        <PartCard part=key />
                    </For>
                </ul>
                <Buttons />
            </Show>
            <Sources />
        </section>
    }
}

/// Files by choosing, dropping or pasting.
#[component]
fn DropArea() -> impl IntoView {
    let app = App::get();
    let incoming = Incoming::get();
    let texts = move || &app.language.get().studio().import;
    let Incoming {
        pasting, pasted, ..
    } = incoming;
    let unfold = move |_| {
        pasting.update(|open| *open = !*open);
        if pasting.get_untracked() {
            request_animation_frame(|| focus::on(&["[data-testid=import-pasted]"]));
        }
    };
    let choose = move |event| {
        let input: HtmlInputElement = event_target(&event);
        incoming.inspect(picked::of_input(&input));
    };
    let use_pasted = move |_| {
        incoming.inspect_text(&pasted.get_untracked());
        pasted.set(String::new());
        pasting.set(false);
        focus::keep(&["[data-testid=import-paste]"]);
    };
    view! {
        <div class="card drop-area">
            <p>{move || texts().about}</p>
            <p class="hint">{move || texts().kinds}</p>
            <div class="actions">
                <label class="button">
                    {move || texts().choose}
                    <input type="file" multiple data-testid="import-files" on:change=choose />
                </label>
                <label class="button">
                    {move || texts().choose_folder}
                    <input type="file" prop:webkitdirectory=true data-testid="import-folder" on:change=choose />
                </label>
                <button
                    type="button"
                    data-testid="import-paste"
                    aria-expanded=move || pasting.get().to_string()
                    on:click=unfold
                >
                    {move || texts().paste}
                </button>
            </div>
            <Show when=move || pasting.get()>
                <textarea
                    rows="6"
                    data-testid="import-pasted"
                    aria-label=move || texts().paste_here
                    prop:value=move || pasted.get()
                    on:input=move |event| pasted.set(event_target_value(&event))
                ></textarea>
                <button type="button" data-testid="import-use-pasted" on:click=use_pasted>
                    {move || texts().paste_use}
                </button>
            </Show>
        </div>
    }
}

#[component]
fn Buttons() -> impl IntoView {
    let app = App::get();
    let incoming = Incoming::get();
    let texts = move || &app.language.get().studio().import;
    let n = Memo::new(move |_| incoming.parts.with(|parts| parts.included().len()));
    let label = move || match n.get() {
        1 => texts().import_one.to_owned(),
        n => fill(texts().import_n, &[("n", &n.to_string())]),
    };
    view! {
        <div class="actions">
            <button
                type="button"
                class="main"
                data-testid="import-go"
                disabled=move || n.get() == 0
                aria-disabled=move || incoming.importing.get().to_string()
                on:click=move |_| incoming.import()
            >
                {label}
            </button>
            <button type="button" data-testid="import-forget" on:click=move |_| incoming.forget()>
                {move || texts().forget}
            </button>
        </div>
    }
}

/// What came of an import, with every row that did not become a record and every part that was not read.
#[component]
fn Summary(summary: ImportSummary) -> impl IntoView {
    let studio = Studio::get();
    let app = App::get();
    let texts = move || &app.language.get().studio().import;
    let whole = move |n| numbers::whole(n, app.language.get());
    let ImportSummary {
        n_records,
        n_rejected,
        rejected,
        unread,
        notes,
        ..
    } = summary;
    let n_unread = unread.len() as u64;
    let done = move || fill(texts().done, &[("n", &whole(n_records))]);
    let not_done = move || fill(texts().rejected, &[("n", &whole(n_rejected))]);
    let not_read = move || fill(texts().unread, &[("n", &whole(n_unread))]);
    let told = move |row: Rejected| {
        let line = row.line.to_string();
        let place = move || {
            let values = [("part", row.part.as_str()), ("line", line.as_str())];
            fill(texts().rejected_at, &values)
        };
        let why = move || match &row.problem {
            Some(problem) => row_problem(problem, app.language.get()),
            None => texts().no_record.to_owned(),
        };
        view! {
            <li>
                <span class="hint">{place}</span>
                " "
                {why}
            </li>
        }
    };
    let reasons = rejected.into_iter().map(told).collect_view();
    let unread = unread.into_iter().map(told).collect_view();
    let noted = move |note: ImportNote| {
        let text = move || sentence(&said(&note.said, app.language.get()));
        view! { <p class="note" data-testid="import-note">{note.part}": "{text}</p> }
    };
    let notes = notes.into_iter().map(noted).collect_view();
    view! {
        <div class="card summary" role="status" data-testid="import-summary">
            <p><strong data-testid="import-done">{done}</strong></p>
            {notes}
            {(n_rejected > 0).then(|| view! {
                <details data-testid="import-rejected">
                    <summary>{not_done}</summary>
                    <ul class="rejected">{reasons}</ul>
                </details>
            })}
            {(n_unread > 0).then(|| view! {
                <details data-testid="import-unread">
                    <summary>{not_read}</summary>
                    <ul class="rejected">{unread}</ul>
                </details>
            })}
            <div class="actions">
                <button
                    type="button"
                    class="main"
                    data-testid="import-go-check"
                    on:click=move |_| studio.step.set(Step::Check)
                >
                    {move || texts().go_check}
                </button>
                <button
                    type="button"
                    data-testid="import-go-edit"
                    on:click=move |_| studio.step.set(Step::Edit)
                >
                    {move || texts().go_edit}
                </button>
            </div>
        </div>
    }
}

/// What the project was made from.
#[component]
fn Sources() -> impl IntoView {
    let studio = Studio::get();
    let app = App::get();
    let texts = move || app.language.get().studio();
    let sources = Memo::new(move |_| {
        studio
            .project
            .with(|open| open.as_ref().map(|open| open.sources.clone()))
            .unwrap_or_default()
    });
    let n_records = move |n| {
        let n = numbers::whole(n, app.language.get());
        fill(texts().frame.n_records, &[("n", &n)])
    };
    view! {
        <Show when=move || sources.with(|all| !all.is_empty())>
            <div class="card">
                <h3>{move || texts().import.sources}</h3>
                <ul class="list">
                    <For each=move || sources.get() key=|s| (s.source, s.n_records) let:source>
                        <li>
                            <span class="list-name">{source.name.clone()}</span>
                            <span class="list-about">
                                {move || n_records(source.n_records)} ", " {source.format.clone()}
                            </span>
                        </li>
                    </For>
                </ul>
            </div>
        </Show>
    }
}
