//! The tokens themselves. A record may have tens of thousands, so none of them listens or remembers
//! anything: the list as a whole does.

use leptos::{html, prelude::*};
use veneer_core::protocol::studio::{TokenView, TokensView};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, KeyboardEvent};

use crate::{
    page::{focus, studio::handle::Studio},
    state::{
        numbers,
        studio::token_rows::{self, FIRST, MORE, classes, next_index, shown, visible},
    },
    texts::fill,
};

#[component]
pub(super) fn Spans(view: TokensView) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().tokens;
    let view = StoredValue::new(view);
    let wanted = RwSignal::new(FIRST);
    let chosen = RwSignal::new(None::<usize>);
    let list = NodeRef::<html::Div>::new();
    mark_chosen(list, chosen);
    let part = Memo::new(move |_| view.with_value(|view| shown(view, wanted.get())));
    let n = move || part.with(|part| part.n);
    let hover = move |event: Event| {
        if let Some(index) = index_at(&event) {
            chosen.set(Some(index));
        }
    };
    let key = move |event: KeyboardEvent| {
        if event.ctrl_key() || event.alt_key() || event.meta_key() {
            return;
        }
        if let Some(next) = next_index(&event.key(), chosen.get_untracked(), n()) {
            event.prevent_default();
            chosen.set(Some(next));
        }
    };
    let spans = move || {
        let part = part.get();
        view.with_value(|view| spans(&view.tokens[..part.n], part, texts().limit_here))
    };
    let hidden = move || part.with(|part| part.n_hidden);
    let more = move || {
        let n = numbers::whole(hidden() as u64, studio.app.language.get());
        fill(texts().n_more, &[("n", &n)])
    };
    view! {
        <Legend />
        <div
            class="token-text"
            role="group"
            tabindex="0"
            node_ref=list
            data-testid="tokens-text"
            aria-label=move || texts().text_label
            aria-describedby="tokens-detail"
            on:pointerover=move |event| hover(event.into())
            on:pointerdown=move |event| hover(event.into())
            on:keydown=key
        >
            {spans}
        </div>
        <Show when=move || hidden() != 0>
            <div class="actions small">
                <button type="button" data-testid="tokens-more"
                    on:click=move |_| wanted.update(|n| *n += MORE)>
                    {more}
                </button>
                <button type="button" data-testid="tokens-all"
                    on:click=move |_| wanted.set(usize::MAX / 2)>
                    {move || texts().show_all}
                </button>
            </div>
        </Show>
        <Detail view=view chosen=chosen />
    }
}

fn spans(tokens: &[TokenView], part: token_rows::Shown, limit: &'static str) -> Vec<AnyView> {
    let mut spans = Vec::with_capacity(tokens.len() + 1);
    for (index, token) in tokens.iter().enumerate() {
        if part.cut_at == Some(index) {
            spans.push(
                view! { <span class="cut-line" data-testid="tokens-limit">{limit}</span> }
                    .into_any(),
            );
        }
        spans.push(
            view! {
                <span class=classes(token) data-i=index.to_string() title=token.id.to_string()>
                    {visible(&token.text)}
                </span>
            }
            .into_any(),
        );
    }
    spans
}

/// Marks the token that is looked at, without drawing the others again.
fn mark_chosen(list: NodeRef<html::Div>, chosen: RwSignal<Option<usize>>) {
    Effect::new(move |before: Option<Option<Element>>| {
        if let Some(before) = before.flatten() {
            // A class with a valid name can always be taken away and set.
            before.class_list().remove_1("chosen").ok();
        }
        let (list, index) = (list.get()?, chosen.get()?);
        let found = list
            .query_selector(&format!("[data-i=\"{index}\"]"))
            .ok()??;
        found.class_list().add_1("chosen").ok();
        if document().active_element().as_ref() == Some(list.unchecked_ref()) {
            focus::bring_into_view(&found);
        }
        Some(found)
    });
}

fn index_at(event: &Event) -> Option<usize> {
    let element: Element = event.target()?.dyn_into().ok()?;
    element.get_attribute("data-i")?.parse().ok()
}

/// What the marks mean.
#[component]
fn Legend() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().tokens;
    view! {
        <p class="legend hint">
            <span class="tok trained">{move || texts().legend_trained}</span>
            <span class="tok">{move || texts().legend_read}</span>
            <span class="tok special">{move || texts().legend_special}</span>
            <span class="tok trained special end">{move || texts().legend_end}</span>
            <span class="tok cut">{move || texts().legend_cut}</span>
        </p>
    }
}

/// The token that is looked at.
#[component]
fn Detail(view: StoredValue<TokensView>, chosen: RwSignal<Option<usize>>) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().tokens;
    let token = move || {
        let index = chosen.get()?;
        let token = view.with_value(|view| view.tokens.get(index).cloned())?;
        Some((index, token))
    };
    let flags = move |token: &TokenView| {
        let texts = texts();
        let flags = [
            (token.trained && !token.cut, texts.is_trained),
            (!token.trained && !token.cut, texts.is_read),
            (token.cut, texts.is_cut),
            (token.special, texts.is_special),
            (token.ends_generation, texts.is_end),
        ];
        let set = flags.iter().filter(|(is_set, _)| *is_set);
        set.map(|(_, text)| *text).collect::<Vec<_>>().join(" · ")
    };
    view! {
        <p id="tokens-detail" class="token-facts" aria-live="polite" data-testid="tokens-detail">
            {move || match token() {
                None => view! { <span class="hint">{texts().detail_hint}</span> }.into_any(),
                Some((index, token)) => view! {
                    <code>{format!("{:?}", token.text)}</code>
                    <span>{fill(texts().id, &[("id", &token.id.to_string())])}</span>
                    <span>{fill(texts().place, &[("n", &(index + 1).to_string())])}</span>
                    <span class="hint">{flags(&token)}</span>
                }
                .into_any(),
            }}
        </p>
    }
}
