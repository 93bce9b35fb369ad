//! One record, turn by turn.

mod about;
mod card;
mod cards;
mod changes;
mod columns;
mod commands;
mod findings;
mod head;
mod json_field;
mod plain;
mod rendered;
mod session;

use leptos::prelude::*;
use veneer_core::protocol::{studio::ContentBody, tab::Fault};
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::handle::Studio;
use crate::{
    page::errors::Message,
    state::studio::draft::{Draft, Entry, TurnId},
};
use about::About;
use cards::Cards;
use changes::Changes;
use columns::Columns;
use commands::Commands;
use findings::Findings;
use head::Head;
use plain::{PlainText, Tokenized};

/// Where the keyboard goes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FocusAt {
    Text(Entry),
    Handle(TurnId),
    Role(TurnId),
}

/// What the parts of the editor share. Copies are the same editor.
#[derive(Clone, Copy)]
struct Shared {
    /// Whether texts are shown as Markdown.
    rendered: RwSignal<bool>,
    focus: RwSignal<Option<FocusAt>>,
    /// The turn that is dragged, and where it would land.
    dragged: RwSignal<Option<(TurnId, usize)>>,
    /// The turn that was worked on last.
    at: RwSignal<Option<TurnId>>,
}

impl Shared {
    fn get() -> Self {
        expect_context()
    }
}

/// What kind of record is shown; another one means other components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    Waiting,
    Chat,
    Text,
    Tokens,
}

#[component]
pub(super) fn Editor() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().editor;
    let missing = RwSignal::new(None::<Fault>);
    provide_context(Shared {
        rendered: RwSignal::new(false),
        focus: RwSignal::new(None),
        dragged: RwSignal::new(None),
        at: RwSignal::new(None),
    });
    Commands::provide().enter_when_there();
    follow(studio, missing);
    let kind = Memo::new(move |_| kind_of(studio));
    let body = move || match kind.get() {
        Kind::Nothing | Kind::Waiting => ().into_any(),
        Kind::Chat => view! { <Cards /> }.into_any(),
        Kind::Text => view! { <PlainText /> }.into_any(),
        Kind::Tokens => view! { <Tokenized /> }.into_any(),
    };
    let is_there = Memo::new(move |_| !matches!(kind.get(), Kind::Nothing | Kind::Waiting));
    view! {
        <div
            class="editor"
            data-testid="editor"
            aria-busy=move || (kind.get() == Kind::Waiting).to_string()
        >
            <Head />
            {move || missing.get().map(|fault| view! {
                <div role="alert" data-testid="editor-missing">
                    <Message fault=fault><span></span></Message>
                </div>
            })}
            <Show when=move || kind.get() == Kind::Nothing && missing.get().is_none()>
                <p class="empty" data-testid="editor-empty">{move || texts().choose}</p>
            </Show>
            <Show when=move || is_there.get()>
                <Findings />
                {body}
                <About />
                <Columns />
                <Changes />
            </Show>
        </div>
    }
}

fn kind_of(studio: Studio) -> Kind {
    let is_wanted = studio.current.get().is_some();
    studio.draft.with(|draft| match draft {
        None if is_wanted => Kind::Waiting,
        None => Kind::Nothing,
        Some(draft) => match draft.content.body {
            ContentBody::Chat { .. } => Kind::Chat,
            ContentBody::Text { .. } => Kind::Text,
            ContentBody::Tokens { .. } => Kind::Tokens,
        },
    })
}

/// Follows the cursor and what changes records.
fn follow(studio: Studio, missing: RwSignal<Option<Fault>>) {
    // There may be room for it by now.
    studio.save_waiting();
    let project = Memo::new(move |_| {
        studio
            .project
            .with(|open| open.as_ref().map(|open| open.id.clone()))
    });
    Effect::new(move || {
        project.read();
        studio.open_record(studio.current.get(), missing);
    });
    Effect::new(move |before: Option<u64>| {
        let version = studio.version.get();
        if before.is_some_and(|before| before != version) {
            studio.refresh_record();
        }
        version
    });
    on_cleanup(move || studio.leave_draft());
}

/// A part of the draft that is shown; nothing where there is none.
fn of_draft<T: Default>(studio: Studio, read: impl FnOnce(&Draft) -> T) -> T {
    studio
        .draft
        .with(|draft| draft.as_ref().map(read).unwrap_or_default())
}

/// Whether the `<details>` that an event comes from is open now.
fn is_open(event: &web_sys::Event) -> bool {
    let it = event.target().and_then(|it| it.dyn_into::<Element>().ok());
    it.is_some_and(|it| it.has_attribute("open"))
}
