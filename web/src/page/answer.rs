//! One answer: its words, what it took, and what can be done with it.

use leptos::prelude::*;
use veneer_core::protocol::tab::{AnswerSummary, Fault, Finish};
use wasm_bindgen_futures::JsFuture;

use super::{columns_bar::title, errors::Message, handle::App, tokens_view::TokensView};
use crate::{
    state::{
        chat::{Answer, AnswerState},
        diff, numbers,
    },
    texts::fill,
};

/// What of an answer's state decides how it looks.
#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Waiting,
    Writing,
    Done,
    Failed(Fault),
}

#[component]
pub(super) fn AnswerView(
    turn: u64,
    column: usize,
    /// The last turn carries the test ids.
    is_last: Signal<bool>,
) -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let speaker = with_answer(app, turn, column, |answer| answer.speaker.clone());
    let slug = speaker
        .as_ref()
        .map(|speaker| speaker.slug.clone())
        .unwrap_or_default();
    let slug = StoredValue::new(slug);
    let name = move || speaker.as_ref().map(|speaker| title(speaker, texts()));
    let text = Memo::new(move |_| with_answer(app, turn, column, |answer| answer.text.clone()));
    let phase = Memo::new(move |_| with_answer(app, turn, column, phase_of));
    let summary = Memo::new(move |_| {
        with_answer(app, turn, column, |answer| match &answer.state {
            AnswerState::Done(summary) => Some(summary.clone()),
            _ => None,
        })
        .flatten()
    });
    let id = move |of: &'static str| is_last.get().then(|| format!("{of}-{}", slug.get_value()));
    let busy = move || !matches!(phase.get(), Some(Phase::Done | Phase::Failed(_)));
    let shows_tokens = RwSignal::new(false);
    let waiting = move || (phase.get() == Some(Phase::Waiting)).then(|| texts().waiting);
    let fault = move || match phase.get() {
        Some(Phase::Failed(fault)) => Some(view! { <Message fault=fault><span></span></Message> }),
        _ => None,
    };
    view! {
        <section class="answer" aria-busy=move || busy().to_string()>
            <h3 class="who">{name}</h3>
            <div class="words" class:writing=busy data-testid=move || id("answer")>
                <Words turn=turn column=column text=text is_over=Signal::derive(move || !busy()) />
            </div>
            <p class="hint">{waiting}</p>
            <Remarks turn=turn column=column text=text summary=summary />
            {fault}
            {move || summary.get().filter(|summary| !summary.ids.is_empty()).map(|summary| view! {
                <Figures summary=summary is_last=is_last />
            })}
            <Tools text=text shows_tokens=shows_tokens />
            <Show when=move || shows_tokens.get()>
                <TokensView turn=turn column=column />
            </Show>
        </section>
    }
}

/// The answer's text; what the first column does not have is marked.
#[component]
fn Words(
    turn: u64,
    column: usize,
    text: Memo<Option<String>>,
    is_over: Signal<bool>,
) -> impl IntoView {
    let app = App::get();
    let stretches = Memo::new(move |_| {
        if column == 0 || !is_over.get() || !app.mark_differences.get() {
            return None;
        }
        let reference = with_answer(app, turn, 0, |first| {
            first.is_over().then(|| first.text.clone())
        });
        Some(diff::compare(&reference.flatten()?, &text.get()?))
    });
    move || match stretches.get() {
        None => text.get().unwrap_or_default().into_any(),
        Some(stretches) => stretches
            .into_iter()
            .map(|stretch| match stretch.differs {
                true => view! { <mark>{stretch.text}</mark> }.into_any(),
                false => stretch.text.into_any(),
            })
            .collect_view()
            .into_any(),
    }
}

/// What a reader might wonder about.
#[component]
fn Remarks(
    turn: u64,
    column: usize,
    text: Memo<Option<String>>,
    summary: Memo<Option<AnswerSummary>>,
) -> impl IntoView {
    let app = App::get();
    let remark = move || {
        let (summary, text) = (summary.get()?, text.get()?);
        let texts = app.texts();
        if summary.finish == Finish::Cancelled {
            return Some(texts.cancelled);
        }
        if summary.finish == Finish::Length {
            return Some(texts.cut_off);
        }
        if text.trim().is_empty() {
            return Some(texts.empty_answer);
        }
        let first = with_answer(app, turn, 0, |first| first.text.clone());
        (column > 0 && app.mark_differences.get() && first == Some(text))
            .then_some(texts.same_answers)
    };
    view! { <p class="hint">{remark}</p> }
}

/// Time, rate and memory.
#[component]
fn Figures(summary: AnswerSummary, is_last: Signal<bool>) -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let language = move || app.language.get();
    let n_tokens = summary.ids.len().to_string();
    let reused = (summary.n_reused_tokens > 0).then(|| {
        let n = summary.n_reused_tokens.to_string();
        let total = summary.n_prompt_tokens.to_string();
        move || fill(texts().n_reused, &[("n", &n), ("total", &total)])
    });
    let rate = summary.decode_tokens_per_second;
    let id = move || is_last.get().then_some("tokens-per-second");
    view! {
        <dl class="figures">
            <div>
                <dt>{move || texts().first_token}</dt>
                <dd data-testid=move || is_last.get().then_some("first-token")>
                    {move || numbers::milliseconds(summary.time_to_first_token_ms, language())}
                </dd>
            </div>
            <div>
                <dt>{move || texts().rate}</dt>
                <dd data-testid=id data-value=rate.to_string()>
                    {move || numbers::rate(rate, language())}
                </dd>
            </div>
            <div>
                <dt>{move || texts().memory}</dt>
                <dd>{move || numbers::bytes(summary.memory_bytes, language())}</dd>
            </div>
            <div>
                <dt class="unseen">{move || texts().tokens}</dt>
                <dd title=reused>{move || fill(texts().n_tokens, &[("n", &n_tokens)])}</dd>
            </div>
        </dl>
    }
}

#[component]
fn Tools(text: Memo<Option<String>>, shows_tokens: RwSignal<bool>) -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let copied = RwSignal::new(false);
    let copy = move |_| {
        let text = text.get_untracked().unwrap_or_default();
        leptos::task::spawn_local(async move {
            let promise = window().navigator().clipboard().write_text(&text);
            if JsFuture::from(promise).await.is_ok() {
                copied.set(true);
                app.say(app.language.get_untracked().texts().copied);
                set_timeout(move || copied.set(false), std::time::Duration::from_secs(2));
            }
        });
    };
    let copy_text = move || match copied.get() {
        true => texts().copied,
        false => texts().copy,
    };
    let tokens_text = move || match shows_tokens.get() {
        true => texts().tokens_hide,
        false => texts().tokens,
    };
    view! {
        <div class="actions small">
            <button type="button" class="quiet" data-testid="copy" on:click=copy>{copy_text}</button>
            <button
                type="button"
                class="quiet"
                data-testid="tokens"
                aria-expanded=move || shows_tokens.get().to_string()
                on:click=move |_| shows_tokens.update(|shows| *shows = !*shows)
            >
                {tokens_text}
            </button>
        </div>
    }
}

fn phase_of(answer: &Answer) -> Phase {
    match &answer.state {
        AnswerState::Waiting => Phase::Waiting,
        AnswerState::Writing => Phase::Writing,
        AnswerState::Done(_) => Phase::Done,
        AnswerState::Failed(fault) => Phase::Failed(fault.clone()),
    }
}

/// Looks at an answer, if it is still there.
pub(super) fn with_answer<T>(
    app: App,
    turn: u64,
    column: usize,
    look: impl FnOnce(&Answer) -> T,
) -> Option<T> {
    app.chat.with(|chat| {
        let turn = chat.turns.iter().find(|other| other.id == turn)?;
        turn.answers.get(column).map(look)
    })
}
