//! Above the record: which one it is, whether it is stored, how long it is, where to go from here.

use leptos::prelude::*;

use super::{Shared, commands::Commands, of_draft};
use crate::{
    page::{errors::Message, studio::handle::Studio},
    state::{
        numbers,
        studio::{draft::Saving, shortcuts::Command},
    },
    texts::fill,
};

#[component]
pub(super) fn Head() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let position = Memo::new(move |_| of_draft(studio, |draft| Some(draft.view.position)));
    let in_trash = Memo::new(move |_| of_draft(studio, |draft| draft.view.in_trash));
    let title = move || match position.get() {
        None => texts().title.to_owned(),
        Some(n) => {
            let n = numbers::whole(n, studio.app.language.get());
            fill(texts().record_n, &[("n", &n)])
        }
    };
    view! {
        <header class="editor-head">
            <h2 data-testid="editor-title">{title}</h2>
            <Show when=move || in_trash.get()>
                <span class="badge" data-testid="editor-in-trash">{move || texts().in_trash}</span>
            </Show>
            <Length />
            <SavedMark />
            <Buttons />
        </header>
        <Failed />
    }
}

/// Tokens against the limit, or characters where no model was chosen.
#[component]
fn Length() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let length = Memo::new(move |_| {
        of_draft(studio, |draft| {
            Some((draft.view.n_tokens.clone(), draft.view.n_chars))
        })
    });
    move || {
        let (tokens, n_chars) = length.get()?;
        let number = |n| numbers::whole(n, studio.app.language.get());
        let Some(tokens) = tokens else {
            let text = fill(texts().n_chars, &[("n", &number(n_chars))]);
            return Some(view! { <span class="hint">{text}</span> }.into_any());
        };
        let values = [
            ("n", number(tokens.whole)),
            ("limit", number(tokens.limit)),
            ("trained", number(tokens.trained)),
        ];
        let values = values
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let over = tokens.whole.saturating_sub(tokens.limit);
        Some(
            view! {
                <span class="hint" data-testid="editor-tokens">{fill(texts().of_limit, &values)}</span>
                {(over > 0).then(|| view! {
                    <span class="badge bad" data-testid="editor-over-limit">
                        {fill(texts().over_limit, &[("n", &number(over))])}
                    </span>
                })}
            }
            .into_any(),
        )
    }
}

#[component]
fn SavedMark() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let saving = Memo::new(move |_| of_draft(studio, |draft| Some(draft.saving())));
    let state = move || match saving.get()? {
        Saving::Saved => Some("saved"),
        Saving::Unsaved => Some("unsaved"),
        Saving::UnderWay => Some("saving"),
        Saving::Failed => Some("failed"),
    };
    let text = move || match saving.get()? {
        Saving::Saved => Some(texts().saved),
        Saving::Unsaved => Some(texts().unsaved),
        Saving::UnderWay => Some(texts().saving),
        Saving::Failed => Some(texts().not_saved),
    };
    view! {
        <span class="saved-mark" data-testid="editor-saved" data-state=state role="status">
            {text}
        </span>
    }
}

#[component]
fn Buttons() -> impl IntoView {
    let studio = Studio::get();
    let shared = Shared::get();
    let commands = Commands::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let none = move || studio.draft.with(Option::is_none);
    let with_keys = move |text: &str, command| match commands.keys_of(command) {
        keys if keys.is_empty() => text.to_owned(),
        keys => format!("{text} ({keys})"),
    };
    view! {
        <div class="actions small">
            <button type="button" data-testid="editor-previous"
                title=move || with_keys(texts().previous, Command::Previous)
                aria-label=move || texts().previous
                on:click=move |_| commands.fire(Command::Previous)>
                <span aria-hidden="true">"↑"</span>
            </button>
            <button type="button" data-testid="editor-next"
                title=move || with_keys(texts().next, Command::Next)
                aria-label=move || texts().next
                on:click=move |_| commands.fire(Command::Next)>
                <span aria-hidden="true">"↓"</span>
            </button>
            <button type="button" data-testid="editor-rendered-toggle"
                aria-pressed=move || shared.rendered.get().to_string()
                title=move || texts().rendered_about
                on:click=move |_| shared.rendered.update(|on| *on = !*on)>
                {move || texts().rendered}
            </button>
            <button type="button" data-testid="editor-duplicate" disabled=none
                on:click=move |_| commands.duplicate_record()>
                {move || texts().duplicate}
            </button>
            <button type="button" data-testid="editor-new"
                title=move || with_keys(texts().new_record, Command::NewRecord)
                on:click=move |_| commands.fire(Command::NewRecord)>
                {move || texts().new_record}
            </button>
        </div>
    }
}

/// Why the record is not stored, and what else waits.
#[component]
fn Failed() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let fault = Memo::new(move |_| of_draft(studio, |draft| draft.fault.clone()));
    let n_waiting = Memo::new(move |_| {
        let project = studio
            .project
            .with(|open| open.as_ref().map(|open| open.id.clone()));
        studio.unsaved.with(|list| {
            let here = list
                .iter()
                .filter(|one| Some(&one.project) == project.as_ref());
            here.count()
        })
    });
    let again = move |_| studio.save_again();
    let discard = move || {
        view! {
            <button type="button" data-testid="editor-discard" on:click=move |_| studio.discard_unsaved()>
                {move || texts().discard}
            </button>
        }
    };
    view! {
        {move || fault.get().map(|fault| view! {
            <div role="alert" data-testid="editor-not-saved">
                <Message fault=fault>
                    <button type="button" class="main" data-testid="editor-save-again" on:click=again>
                        {move || texts().save_again}
                    </button>
                    {discard()}
                </Message>
            </div>
        })}
        <Show when=move || n_waiting.get() != 0>
            <p class="note" role="status" data-testid="editor-waiting">
                {move || fill(texts().n_waiting, &[("n", &n_waiting.get().to_string())])}
                " "
                <button type="button" on:click=again>{move || texts().save_again}</button>
                " "
                {discard()}
            </p>
        </Show>
    }
}
