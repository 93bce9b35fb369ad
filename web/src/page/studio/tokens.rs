//! A record as the model sees it: every token, what of it is trained, where it is cut.

mod model;
mod spans;

use std::time::Duration;

use leptos::prelude::*;
use veneer_core::protocol::{
    studio::{
        Content, FindingKind, FixName, FixTarget, Phrase, RecordKey, RefusalView, Said,
        StudioOutcome, StudioRequest, TextOptions, TokensView,
    },
    tab::Fault,
};

use super::handle::Studio;
use crate::{
    page::{errors::Message, focus},
    state::{message::sentence, numbers, studio::token_rows::share_of_limit},
    texts::{
        fill,
        studio::{ChecksTexts, said},
    },
};
use model::ModelChoice;
use spans::Spans;

/// How long nothing is typed before tokens are asked for.
const PAUSE: Duration = Duration::from_millis(250);

/// What the panel knows of the record at hand.
#[derive(Debug, Clone, PartialEq)]
enum Seen {
    Nothing,
    Tokens(TokensView),
    Failed(Fault),
}

#[component]
pub(super) fn TokenPanel() -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().tokens;
    let seen = RwSignal::new(Seen::Nothing);
    let has_model = Memo::new(move |_| studio.text_model.with(Option::is_some));
    let has_record = Memo::new(move |_| studio.draft.with(Option::is_some));
    Asker::follow(studio, seen);
    let body = move || {
        match seen.get() {
        Seen::Nothing => ().into_any(),
        Seen::Failed(fault) => view! {
            <div role="alert" data-testid="tokens-failed"><Message fault=fault><span></span></Message></div>
        }
        .into_any(),
        Seen::Tokens(view) => view! { <Record view=view /> }.into_any(),
    }
    };
    view! {
        <section class="token-panel" data-testid="tokens" aria-label=move || texts().title>
            <h2>{move || texts().title}</h2>
            <ModelChoice />
            <Show when=move || has_model.get()>
                <Show when=move || has_record.get() fallback=move || view! {
                    <p class="hint">{move || texts().choose}</p>
                }>
                    {body}
                </Show>
            </Show>
        </section>
    }
}

/// Asks for the tokens of what is shown: once things are quiet, and never twice at once.
#[derive(Clone, Copy)]
struct Asker {
    studio: Studio,
    seen: RwSignal<Seen>,
    /// Counts what was wanted; what was asked for before the latest is of no use.
    wanted: StoredValue<u64>,
    is_asking: StoredValue<bool>,
    shown: StoredValue<Option<RecordKey>>,
}

impl Asker {
    fn follow(studio: Studio, seen: RwSignal<Seen>) {
        let asker = Self {
            studio,
            seen,
            wanted: StoredValue::new(0),
            is_asking: StoredValue::new(false),
            shown: StoredValue::new(None),
        };
        let what = Memo::new(move |_| {
            studio.draft.with(|draft| {
                let draft = draft.as_ref()?;
                Some((draft.record(), draft.content.clone()))
            })
        });
        Effect::new(move || {
            let options = studio.text_model.get();
            let what = what.get();
            match (what, options) {
                (Some((record, _)), Some(_)) => asker.want(record),
                _ => seen.set(Seen::Nothing),
            }
        });
    }

    fn want(self, record: RecordKey) {
        self.wanted.update_value(|wanted| *wanted += 1);
        let mine = self.wanted.get_value();
        // Another record is shown at once; what is being written waits for a pause.
        let is_other = self.shown.get_value() != Some(record);
        self.shown.set_value(Some(record));
        if is_other {
            self.ask();
            return;
        }
        set_timeout(
            move || {
                if self.wanted.try_get_value() == Some(mine) {
                    self.ask();
                }
            },
            PAUSE,
        );
    }

    fn ask(self) {
        if self.is_asking.get_value() {
            return;
        }
        let what: Option<(RecordKey, Option<Content>)> =
            self.studio.draft.with_untracked(|draft| {
                let draft = draft.as_ref()?;
                let unsaved = (!draft.is_saved()).then(|| draft.content.clone());
                Some((draft.record(), unsaved))
            });
        let Some((record, draft)) = what else { return };
        let mine = self.wanted.get_value();
        self.is_asking.set_value(true);
        let asked = self.studio.ask_or(
            StudioRequest::Tokens { record, draft },
            &[],
            move |outcome| {
                if let StudioOutcome::Tokens(view) = outcome {
                    self.take(mine, Seen::Tokens(view.clone()));
                }
            },
            move |fault| self.take(mine, Seen::Failed(fault.clone())),
        );
        if asked.is_none() {
            self.is_asking.set_value(false);
        }
    }

    fn take(self, mine: u64, answer: Seen) {
        // The panel may be gone by now.
        if self.is_asking.try_set_value(false).is_some() {
            return;
        }
        if self.wanted.get_value() == mine {
            self.seen.set(answer);
        } else {
            self.ask();
        }
    }
}

#[component]
fn Record(view: TokensView) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().tokens;
    let n = view.tokens.len() as u64;
    let (n_trained, limit, n_kept) = (view.n_trained, view.limit, view.n_kept);
    let figures = move || {
        let number = |n| numbers::whole(n, studio.app.language.get());
        let values = [
            ("n", number(n)),
            ("limit", number(limit)),
            ("trained", number(n_trained)),
        ];
        let values = values
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        fill(texts().figures, &values)
    };
    let cut = n.saturating_sub(n_kept);
    let refusals = view.refusals.clone();
    view! {
        <p class="hint" data-testid="tokens-figures" data-tokens=n.to_string() data-trained=n_trained.to_string()>
            {figures}
        </p>
        <meter
            class="limit"
            min="0"
            max="1"
            value=share_of_limit(n, limit).to_string()
            aria-label=move || texts().of_limit
        ></meter>
        {(cut > 0).then(|| view! {
            <p class="badge bad" data-testid="tokens-cut">
                {move || fill(texts().n_cut, &[("n", &numbers::whole(cut, studio.app.language.get()))])}
            </p>
        })}
        {refusals.into_iter().map(|refusal| view! {
            <Refusal refusal=refusal n_tokens=n />
        }).collect_view()}
        <Spans view=view />
    }
}

#[component]
fn Refusal(refusal: RefusalView, n_tokens: u64) -> impl IntoView {
    let studio = Studio::get();
    let language = move || studio.app.language.get();
    let checks = move || &language().studio().checks;
    let RefusalView {
        kind,
        message,
        hint,
        fixes,
    } = refusal;
    let title = {
        let kind = kind.clone();
        move || {
            let known = checks().title(&kind.0, "");
            (!known.is_empty()).then(|| known.to_owned())
        }
    };
    let message = Said::read(&message);
    let needs_template = kind.0 == "template_rejects" || is_of_template(&message);
    let needs_length = kind.0 == "cut_away";
    let advice = {
        let kind = kind.clone();
        move || {
            let advice = ChecksTexts::advice(&kind.0, &hint, language());
            (!hint.is_empty()).then(|| sentence(advice))
        }
    };
    let name = kind.0.clone();
    view! {
        <div class="record-finding error" role="alert" data-testid="tokens-refusal" data-kind=name>
            <strong>{title}</strong>
            <span>{move || said(&message, language())}</span>
            <span class="hint">{advice}</span>
            <span class="actions small">
                {needs_template.then(|| view! {
                    <button
                        type="button"
                        data-testid="tokens-choose-template"
                        on:click=move |_| focus::on(&["[data-testid=tokens-template]"])
                    >
                        {move || checks().choose_template}
                    </button>
                })}
                {needs_length.then(|| view! {
                    <button
                        type="button"
                        data-testid="tokens-raise-limit"
                        on:click=move |_| raise_limit(studio, n_tokens)
                    >
                        {move || {
                            let n = numbers::whole(n_tokens, language());
                            fill(checks().raise_limit, &[("n", &n)])
                        }}
                    </button>
                })}
                {fixes.into_iter().map(|fix| {
                    let (sent, shown) = (fix.clone(), fix.clone());
                    let kind = kind.clone();
                    view! {
                        <button
                            type="button"
                            data-testid="tokens-fix"
                            data-fix=fix.0
                            on:click=move |_| settle(studio, &kind, &sent)
                        >
                            {move || checks().fix(&shown.0)}
                        </button>
                    }
                }).collect_view()}
            </span>
        </div>
    }
}

/// Whether another template, or one at all, would do.
fn is_of_template(message: &Said) -> bool {
    let of_template = [
        Phrase::NoTemplate,
        Phrase::TemplateFails,
        Phrase::TemplateHidesAnswers,
        Phrase::MessageLeftOut,
        Phrase::EndNeverTrained,
    ];
    matches!(message, Said::Phrase(phrase, _) if of_template.contains(phrase))
}

/// The record fits whole from now on.
fn raise_limit(studio: Studio, n_tokens: u64) {
    let options = studio
        .text_model
        .with_untracked(|model| model.as_ref().map(|model| model.options.clone()));
    if let (Some(options), Ok(max_length)) = (options, u32::try_from(n_tokens)) {
        focus::on(&["[data-testid=tokens-max-length]"]);
        let options = TextOptions {
            max_length,
            ..options
        };
        studio.ask(StudioRequest::SetTextOptions { options }, &[], |_| {});
    }
}

/// Settles what training would refuse, in this record; what is being written is stored first.
fn settle(studio: Studio, kind: &FindingKind, fix: &FixName) {
    studio.save_draft();
    let record = studio
        .draft
        .with_untracked(|draft| draft.as_ref().map(|draft| draft.record()));
    if let Some(record) = record {
        let request = StudioRequest::Fix {
            finding: kind.clone(),
            target: FixTarget::Records(vec![record]),
            fix: fix.clone(),
        };
        studio.ask(request, &[], |_| {});
    }
}
