//! One part of a file: what it is, whether it is taken, how it is read, what comes of it.

use leptos::prelude::*;
use veneer_core::protocol::studio::{PartKey, PartKind};

use super::{incoming::Incoming, part_preview::PartPreview, reading_form::ReadingForm};
use crate::{
    page::handle::App,
    state::numbers,
    texts::{fill, studio::said},
};

#[component]
pub(super) fn PartCard(part: PartKey) -> impl IntoView {
    let app = App::get();
    let incoming = Incoming::get();
    let texts = move || &app.language.get().studio().import;
    let choice = Memo::new(move |_| incoming.parts.with(|parts| parts.choice(part).cloned()));
    let view_of = move || choice.get().map(|choice| choice.view);
    let name = move || view_of().map(|view| view.name);
    let readable = move || view_of().is_some_and(|view| view.kind != PartKind::Unreadable);
    let about = move || {
        let view = view_of()?;
        let language = app.language.get();
        let whole = |n| numbers::whole(n, language);
        let kind = match &view.kind {
            PartKind::Table { columns } => {
                fill(texts().is_table, &[("n", &whole(columns.len() as u64))])
            }
            PartKind::Document { n_pages, n_chars } => fill(
                texts().is_document,
                &[
                    ("pages", &whole(u64::from(*n_pages))),
                    ("chars", &whole(*n_chars)),
                ],
            ),
            PartKind::Unreadable => texts().unreadable.to_owned(),
        };
        Some(format!("{}, {kind}", numbers::bytes(view.bytes, language)))
    };
    let reason = move || {
        let view = view_of()?;
        let reason = said(&view.reason, app.language.get());
        match (&view.kind, view.remembered, view.reason.is_empty()) {
            (PartKind::Unreadable, ..) => Some(reason),
            _ if view.beside => Some(texts().beside.to_owned()),
            (_, true, _) => Some(texts().remembered.to_owned()),
            (_, _, true) => None,
            _ => Some(fill(texts().because, &[("reason", &reason)])),
        }
    };
    let include = move |event| {
        let included = event_target_checked(&event);
        incoming.parts.update(|parts| {
            if let Some(choice) = parts.choice_mut(part) {
                choice.included = included;
            }
        });
    };
    let included = move || choice.with(|choice| choice.as_ref().is_some_and(|c| c.included));
    view! {
        <li class="card part" data-testid="import-part" class:unreadable=move || !readable()>
            <div class="part-head">
                <label class="check">
                    <input
                        type="checkbox"
                        data-testid="import-include"
                        disabled=move || !readable()
                        prop:checked=included
                        on:change=include
                    />
                    <strong>{name}</strong>
                </label>
                <span class="hint">{about}</span>
            </div>
            <p class="hint" data-testid="import-reason">{reason}</p>
            <Show when=move || readable() && included()>
                <details class="reading" data-testid="import-how">
                    <summary>{move || texts().how}</summary>
                    <ReadingForm part=part />
                </details>
                <PartPreview part=part />
            </Show>
        </li>
    }
}
