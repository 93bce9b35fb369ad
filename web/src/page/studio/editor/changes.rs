//! What an edit made of the record, compared with how it came in.

use leptos::prelude::*;

use super::{card::role_title, is_open, of_draft};
use crate::{
    page::studio::handle::Studio,
    state::{
        diff::{self, Stretch},
        studio::changes::{ChangedPart, PartChange, between},
    },
    texts::{fill, studio::EditorTexts},
};

#[component]
pub(super) fn Changes() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let has_original = Memo::new(move |_| of_draft(studio, |draft| draft.view.original.is_some()));
    let open = RwSignal::new(false);
    // Compared only while someone looks.
    let changes = Memo::new(move |_| {
        if !open.get() {
            return Vec::new();
        }
        of_draft(studio, |draft| {
            let original = draft.view.original.as_ref();
            original.map_or_else(Vec::new, |original| between(original, &draft.content))
        })
    });
    let restore = move |_| {
        studio.edit_at_once(|draft| {
            if let Some(original) = draft.view.original.clone() {
                draft.replace_content(original);
            }
        });
    };
    view! {
        <Show when=move || has_original.get()>
            <details
                class="changes"
                data-testid="editor-changes"
                on:toggle=move |event| open.set(is_open(&event))
            >
                <summary>{move || texts().changes}</summary>
                {move || changes.with(Vec::is_empty).then(|| view! {
                    <p class="hint">{texts().no_changes}</p>
                })}
                {move || changes.get().into_iter().map(|change| view! {
                    <Change change=change />
                }).collect_view()}
                <button type="button" data-testid="editor-restore" on:click=restore>
                    {move || texts().restore}
                </button>
            </details>
        </Show>
    }
}

#[component]
fn Change(change: PartChange) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let PartChange {
        part,
        before,
        after,
    } = change;
    let title = move || part_title(texts(), &part);
    let (old, new) = (
        before.as_deref().unwrap_or_default(),
        after.as_deref().unwrap_or_default(),
    );
    let removed = before.is_some().then(|| diff::compare(new, old));
    let added = after.is_some().then(|| diff::compare(old, new));
    view! {
        <div class="change" data-testid="editor-change">
            <h4>{title}</h4>
            {removed.map(|stretches| view! { <p class="words before">{marked(stretches, true)}</p> })}
            {added.map(|stretches| view! { <p class="words after">{marked(stretches, false)}</p> })}
        </div>
    }
}

/// Stretches with those that the other text lacks marked as gone or new.
pub(in crate::page::studio) fn marked(stretches: Vec<Stretch>, gone: bool) -> Vec<AnyView> {
    let views = stretches
        .into_iter()
        .map(|stretch| match (stretch.differs, gone) {
            (false, _) => stretch.text.into_any(),
            (true, true) => view! { <del>{stretch.text}</del> }.into_any(),
            (true, false) => view! { <ins>{stretch.text}</ins> }.into_any(),
        });
    views.collect()
}

fn part_title(texts: &EditorTexts, part: &ChangedPart) -> String {
    match part {
        ChangedPart::Turn(n, role) => format!("{n} · {}", role_title(texts, *role)),
        ChangedPart::Prompt => texts.prompt.to_owned(),
        ChangedPart::Completion => texts.completion.to_owned(),
        ChangedPart::Tokens => texts.tokens.to_owned(),
        ChangedPart::Tools => texts.tools_label.to_owned(),
        ChangedPart::Column(name) => fill(texts.column_named, &[("name", name)]),
    }
}
