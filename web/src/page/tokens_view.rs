//! An answer token by token, with what else could have stood there.

use leptos::{html, prelude::*};
use veneer_core::protocol::tab::AnswerToken;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use super::{answer::with_answer, handle::App};
use crate::state::numbers;

#[component]
pub(super) fn TokensView(turn: u64, column: usize) -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let tokens = Memo::new(move |_| {
        with_answer(app, turn, column, |answer| answer.tokens.clone()).unwrap_or_default()
    });
    let chosen = RwSignal::new(0_usize);
    let list = NodeRef::<html::Div>::new();
    let key = move |event: KeyboardEvent| {
        let last = tokens.with_untracked(Vec::len).saturating_sub(1);
        let now = chosen.get_untracked();
        let next = match event.key().as_str() {
            "ArrowRight" => (now + 1).min(last),
            "ArrowLeft" => now.saturating_sub(1),
            "Home" => 0,
            "End" => last,
            _ => return,
        };
        event.prevent_default();
        chosen.set(next);
        let button = list
            .get_untracked()
            .and_then(|list| list.children().item(next as u32));
        if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
            // An element of the page can always be focused.
            button.focus().ok();
        }
    };
    let detail = move || tokens.with(|tokens| tokens.get(chosen.get()).cloned());
    view! {
        <div class="tokens" data-testid="token-view">
            <p class="hint">{move || texts().tokens_about}</p>
            <div class="token-list" role="group" node_ref=list on:keydown=key>
                {move || tokens.get().into_iter().enumerate().map(|(index, token)| view! {
                    <TokenButton index=index token=token chosen=chosen />
                }).collect_view()}
            </div>
            {move || detail().map(|token| view! { <Detail token=token /> })}
        </div>
    }
}

#[component]
fn TokenButton(index: usize, token: AnswerToken, chosen: RwSignal<usize>) -> impl IntoView {
    let app = App::get();
    let share = f64::from(token.logprob).exp();
    let label = {
        let text = token.text.clone();
        move || format!("{text} {}", numbers::percent(share, app.language.get()))
    };
    view! {
        <button
            type="button"
            class="token"
            class:chosen=move || chosen.get() == index
            style=format!("--surprise: {:.3}", 1.0 - share.clamp(0.0, 1.0))
            tabindex=move || if chosen.get() == index { "0" } else { "-1" }
            aria-label=label
            on:focus=move |_| chosen.set(index)
            on:mouseenter=move |_| chosen.set(index)
        >
            {visible(&token.text)}
        </button>
    }
}

#[component]
fn Detail(token: AnswerToken) -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let percent =
        move |logprob: f32| numbers::percent(f64::from(logprob).exp(), app.language.get());
    let id = token.id;
    view! {
        <dl class="token-detail" data-testid="token-detail">
            <div><dt>{move || texts().token_id}</dt><dd>{id.to_string()}</dd></div>
            <div>
                <dt>{move || texts().token_probability}</dt>
                <dd>{move || percent(token.logprob)}</dd>
            </div>
        </dl>
        <h4 class="alternatives-heading">{move || texts().token_alternatives}</h4>
        <ol class="alternatives">
            {token.alternatives.into_iter().map(|other| {
                let share = f64::from(other.logprob).exp();
                view! {
                    <li class:chosen=other.id == id style=format!("--share: {share:.4}")>
                        <code>{visible(&other.text)}</code>
                        <span class="hint">{other.id.to_string()}</span>
                        <span>{move || percent(other.logprob)}</span>
                    </li>
                }
            }).collect_view()}
        </ol>
    }
}

/// White space that can be seen.
fn visible(text: &str) -> String {
    let text = text.replace('\n', "↵").replace('\t', "⇥");
    match text.trim().is_empty() {
        true => text.replace(' ', "␣"),
        false => text,
    }
}
