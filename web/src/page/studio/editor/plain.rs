//! Records that are no conversations: a text with what continues it, and tokens.

use leptos::{html, prelude::*};
use veneer_core::protocol::studio::ContentBody;

use super::{FocusAt, Shared, of_draft, rendered::Rendered};
use crate::{
    page::studio::handle::Studio,
    state::{
        numbers,
        studio::{
            draft::{Draft, Entry},
            field_text::{for_height, typed},
        },
    },
    texts::fill,
};

/// Ids shown of a tokenized record; nobody reads more.
const IDS_SHOWN: usize = 2_000;

#[component]
pub(super) fn PlainText() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let part = move |read: fn(&ContentBody) -> String| {
        Memo::new(move |_| of_draft(studio, |draft| read(&draft.content.body)))
    };
    let prompt = part(|body| match body {
        ContentBody::Text { prompt, .. } => prompt.clone(),
        _ => String::new(),
    });
    let completion = part(|body| match body {
        ContentBody::Text { completion, .. } => completion.clone(),
        _ => String::new(),
    });
    view! {
        <div class="turn-cards">
            <TextPart
                text=prompt
                label=Signal::derive(move || texts().prompt)
                about=Signal::derive(move || texts().prompt_about)
                testid="editor-prompt"
                entry=Entry::Prompt
                write=Draft::set_prompt
            />
            <TextPart
                text=completion
                label=Signal::derive(move || texts().completion)
                about=Signal::derive(move || texts().completion_about)
                testid="editor-completion"
                entry=Entry::Completion
                write=Draft::set_completion
            />
        </div>
    }
}

#[component]
fn TextPart(
    text: Memo<String>,
    label: Signal<&'static str>,
    about: Signal<&'static str>,
    testid: &'static str,
    entry: Entry,
    write: fn(&mut Draft, &str),
) -> impl IntoView {
    let studio = Studio::get();
    let shared = Shared::get();
    // Writing in one text shows its source, whatever the other shows.
    let in_source = RwSignal::new(false);
    Effect::new(move || {
        shared.rendered.track();
        in_source.set(false);
    });
    let area = NodeRef::<html::Textarea>::new();
    Effect::new(move || {
        if shared.focus.get() != Some(FocusAt::Text(entry)) {
            return;
        }
        in_source.set(true);
        if let Some(area) = area.get() {
            // Focusing an element of the page cannot fail.
            area.focus().ok();
            shared.focus.set(None);
        }
    });
    let is_rendered = Memo::new(move |_| shared.rendered.get() && !in_source.get());
    let leave = move |_| {
        studio.save_draft();
        in_source.set(false);
    };
    let field = move || match is_rendered.get() {
        true => view! { <Rendered text=text.get() /> }.into_any(),
        false => view! {
            <div class="grow" data-text=move || text.with(|text| for_height(text))>
                <textarea
                    node_ref=area
                    rows="2"
                    spellcheck="false"
                    dir="auto"
                    data-testid=testid
                    aria-label=move || label.get()
                    prop:value=move || text.get()
                    on:input=move |event| {
                        let shown = event_target_value(&event);
                        let text = text.with_untracked(|before| typed(before, &shown));
                        studio.edit(|draft| write(draft, &text));
                    }
                    on:blur=leave
                ></textarea>
            </div>
        }
        .into_any(),
    };
    view! {
        <div class="turn-card">
            <div class="turn-head"><h3>{move || label.get()}</h3></div>
            <p class="hint">{move || about.get()}</p>
            {field}
        </div>
    }
}

/// Tokens cannot be written by hand; they can be looked at.
#[component]
pub(super) fn Tokenized() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let tokens = Memo::new(move |_| {
        of_draft(studio, |draft| match &draft.content.body {
            ContentBody::Tokens { input_ids, labels } => {
                let n_trained = labels.iter().filter(|label| **label >= 0).count();
                let pairs = input_ids.iter().zip(labels).take(IDS_SHOWN);
                let shown: Vec<(u32, bool)> = pairs.map(|(id, label)| (*id, *label >= 0)).collect();
                Some((shown, input_ids.len(), n_trained))
            }
            _ => None,
        })
    });
    let figures = move || {
        let (_, n, n_trained) = tokens.get()?;
        let number = |n: usize| numbers::whole(n as u64, studio.app.language.get());
        let values = [("n", number(n)), ("trained", number(n_trained))];
        let values = values
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        Some(fill(texts().tokenized_about, &values))
    };
    let ids = move || {
        let (shown, n, _) = tokens.get()?;
        let more = n > shown.len();
        let ids = shown.into_iter().map(|(id, trained)| {
            view! { <span class="tok" class:trained=trained>{id.to_string()}</span>" " }
        });
        Some((ids.collect_view(), more.then_some("…")))
    };
    view! {
        <div class="turn-card" data-testid="editor-tokenized">
            <p class="hint">{figures}</p>
            <p class="ids" tabindex="0">{ids}</p>
        </div>
    }
}
