//! What stands beside the text: tags, side, reviewer, where it came from.

use leptos::prelude::*;
use veneer_core::protocol::studio::{
    Change, Facets, RecordView, Side, SourceView, StudioOutcome, StudioRequest, Target,
};
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlSelectElement, KeyboardEvent};

use super::of_draft;
use crate::{
    page::studio::{handle::Studio, keys::key_of},
    state::{numbers, studio::draft::Draft},
    texts::{fill, studio::EditorTexts},
};

/// What is stored of the record at hand. A field that loses the keyboard as it goes may ask too, when
/// nothing that belonged to it can be read any more.
fn stored<T: Default>(studio: Studio, read: impl FnOnce(&RecordView) -> T) -> T {
    studio.draft.with_untracked(|draft| {
        let view = draft.as_ref().map(|draft| &draft.view);
        view.map(read).unwrap_or_default()
    })
}

/// Changes the record at hand.
fn change(studio: Studio, change: Change) {
    let record = studio
        .draft
        .with_untracked(|draft| draft.as_ref().map(Draft::record));
    if let Some(record) = record {
        studio.change(Target::Records(vec![record]), change);
    }
}

#[component]
pub(super) fn About() -> impl IntoView {
    let studio = Studio::get();
    let facets = RwSignal::new(None::<Facets>);
    // Asked for when someone begins to type; not for every record that is looked at.
    let ask = move || {
        studio.ask_or(
            StudioRequest::Facets,
            &[],
            move |outcome| {
                if let StudioOutcome::Facets(found) = outcome {
                    facets.set(Some(found.clone()));
                }
            },
            |_| {},
        );
    };
    view! {
        <div class="about-record" data-testid="editor-about" on:focusin=move |_| ask()>
            <Tags facets=facets />
            <SideChoice />
            <Reviewer facets=facets />
            <Origin />
        </div>
    }
}

#[component]
fn Tags(facets: RwSignal<Option<Facets>>) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let tags = Memo::new(move |_| of_draft(studio, |draft| draft.view.tags.clone()));
    let typed = RwSignal::new(String::new());
    let add = move |text: String| {
        let tag = text.trim().to_owned();
        typed.set(String::new());
        if !tag.is_empty() && !stored(studio, |view| view.tags.contains(&tag)) {
            change(studio, Change::AddTag(tag));
        }
    };
    let key = move |event: KeyboardEvent| match key_of(&event).as_str() {
        // With more keys it is a shortcut, such as the one that goes on to the next record.
        "Enter" | "," if !is_shortcut(&event) => {
            event.prevent_default();
            add(typed.get_untracked());
        }
        "Backspace" if typed.with_untracked(String::is_empty) => {
            if let Some(last) = tags.with_untracked(|tags| tags.last().cloned()) {
                change(studio, Change::RemoveTag(last));
            }
        }
        _ => {}
    };
    let known = move || {
        let known = facets.with(|facets| facets.as_ref().map(|facets| facets.tags.clone()));
        let known = known.unwrap_or_default().into_iter().map(|(tag, _)| tag);
        let known = known.filter(|tag| tags.with(|tags| !tags.contains(tag)));
        known
            .map(|tag| view! { <option value=tag></option> })
            .collect_view()
    };
    view! {
        <div class="tags" role="group" aria-label=move || texts().tags>
            <span class="hint" aria-hidden="true">{move || texts().tags}</span>
            <For each=move || tags.get() key=Clone::clone let:tag>
                <Tag tag=tag />
            </For>
            <input
                type="text"
                list="editor-known-tags"
                data-testid="editor-tag-input"
                placeholder=move || texts().add_tag
                aria-label=move || texts().add_tag
                prop:value=move || typed.get()
                on:input=move |event| typed.set(event_target_value(&event))
                on:keydown=key
                on:change=move |event| add(event_target_value(&event))
            />
            <datalist id="editor-known-tags">{known}</datalist>
        </div>
    }
}

#[component]
fn Tag(tag: String) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let (shown, named) = (tag.clone(), tag.clone());
    let label = move || fill(texts().remove_tag, &[("tag", &named)]);
    view! {
        <span class="tag" data-testid="editor-tag">
            {shown}
            <button
                type="button"
                class="quiet"
                data-testid="editor-remove-tag"
                aria-label=label
                on:click=move |_| change(studio, Change::RemoveTag(tag.clone()))
            >
                "×"
            </button>
        </span>
    }
}

#[component]
fn SideChoice() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let side = Memo::new(move |_| of_draft(studio, |draft| draft.view.side));
    let choose = move |event: web_sys::Event| {
        let name = event_target_value(&event);
        let chosen = Side::ALL.into_iter().find(|side| side_name(*side) == name);
        // It shows what is stored: a frozen split refuses the change.
        let select = event
            .target()
            .and_then(|it| it.dyn_into::<HtmlSelectElement>().ok());
        if let Some(select) = select {
            select.set_value(side.get_untracked().map_or("", side_name));
        }
        change(studio, Change::SetSide(chosen));
    };
    view! {
        <label>
            <span>{move || texts().side}</span>
            <select
                data-testid="editor-side"
                prop:value=move || side.get().map_or("", side_name)
                on:change=choose
            >
                <option value="" selected=move || side.get().is_none()>{move || texts().no_side}</option>
                {Side::ALL.map(|one| view! {
                    <option value=side_name(one) selected=move || side.get() == Some(one)>
                        {move || side_title(texts(), one)}
                    </option>
                })}
            </select>
        </label>
    }
}

#[component]
fn Reviewer(facets: RwSignal<Option<Facets>>) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let reviewer = Memo::new(move |_| of_draft(studio, |draft| draft.view.reviewer.clone()));
    let known = move || {
        let known = facets.with(|facets| facets.as_ref().map(|facets| facets.reviewers.clone()));
        let known = known.unwrap_or_default().into_iter();
        known
            .filter_map(|(name, _)| name)
            .map(|name| view! { <option value=name></option> })
            .collect_view()
    };
    let write = move |event| {
        let name = event_target_value(&event).trim().to_owned();
        if name != stored(studio, |view| view.reviewer.clone()) {
            change(studio, Change::SetReviewer(name));
        }
    };
    view! {
        <label>
            <span>{move || texts().reviewer}</span>
            <input
                type="text"
                list="editor-known-reviewers"
                data-testid="editor-reviewer"
                placeholder=move || texts().nobody
                prop:value=move || reviewer.get()
                on:change=write
            />
            <datalist id="editor-known-reviewers">{known}</datalist>
        </label>
    }
}

/// The file, the line in it, the page of the document.
#[component]
fn Origin() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let origin = Memo::new(move |_| {
        of_draft(studio, |draft| {
            let view = &draft.view;
            Some((
                view.source.clone(),
                view.line,
                view.page,
                view.language.clone(),
            ))
        })
    });
    let shown = move || {
        let (source, line, page, language) = origin.get()?;
        let number = |n| numbers::whole(n, studio.app.language.get());
        let texts = texts();
        let mut parts = vec![match &source {
            Some(source) => source.name.clone(),
            None => texts.written_here.to_owned(),
        }];
        if let Some(page) = page {
            parts.push(fill(texts.page_n, &[("n", &number(u64::from(page)))]));
        }
        if line > 0 && source.is_some() {
            parts.push(fill(texts.line_n, &[("n", &number(line))]));
        }
        if !language.is_empty() {
            parts.push(studio.app.language.get().name_of(&language).to_owned());
        }
        Some(view! {
            <p class="origin" data-testid="editor-source-file" title=source.map(hash_of)>
                {parts.join(" · ")}
            </p>
        })
    };
    view! { {shown} }
}

fn is_shortcut(event: &KeyboardEvent) -> bool {
    event.ctrl_key() || event.meta_key() || event.alt_key()
}

fn hash_of(source: SourceView) -> String {
    format!("SHA-256 {}", source.sha256)
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Train => "train",
        Side::Validation => "validation",
        Side::Test => "test",
    }
}

fn side_title(texts: &EditorTexts, side: Side) -> &'static str {
    match side {
        Side::Train => texts.side_train,
        Side::Validation => texts.side_validation,
        Side::Test => texts.side_test,
    }
}
