//! Checks of prepared records before a run: a mask that is wrong wastes the whole run without a sign.
//!
//! Each finding shows the record's text with the trained spans marked, so that a person can see
//! what the model would learn.

use super::{
    Body, EncodeOptions, Encoded, IGNORE_INDEX, Message, ModelText, Prepared, Record, Role,
    TextError, encode_record, marked_text,
};
use crate::protocol::studio::Phrase;

/// Words that tell a message from the others.
const FEW_WORDS: usize = 3;

/// Characters of a record that a refusal shows at most, from each end.
const SHOWN_CHARS: usize = 600;

/// Why a run would go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The record cannot become tokens: tokenizer, template or ids.
    NotEncodable,
    /// The template rejects the record.
    TemplateRejects,
    /// A message that is not in the text that the model sees.
    MessageLeftOut,
    /// Nothing of the record would be learned.
    NothingTrained,
    /// What would be learned lies behind the length limit.
    CutAway,
    /// No example teaches the token that ends generation.
    EndNeverTrained,
    /// A message spells out control tokens of the template.
    ControlTokens,
    /// The end tokens of the record are masked as padding would be.
    EndMaskedAsPad,
}

/// A finding that stops a run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Refusal {
    pub kind: RefusalKind,
    /// Line of the dataset, or number of the record in a JSON array.
    pub line: u64,
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// The record's text with ⟦trained⟧ spans.
    pub shown: String,
}

/// What is wrong with one record and its tokens, if anything.
pub fn check_record(
    record: &Record,
    outcome: &Result<Prepared, TextError>,
    model: &ModelText,
) -> Option<Refusal> {
    let refuse = |kind, message: String, hint: &str, shown: String| {
        Some(Refusal {
            kind,
            line: record.line,
            message,
            hint: hint.to_owned(),
            shown,
        })
    };
    if let Some(token) = control_token(record, model) {
        return refuse(
            RefusalKind::ControlTokens,
            format!("a message holds the control token `{token}`, which would end or forge a turn"),
            "take the token out of the text, or write it so that the tokenizer does not know it",
            shorten(&record_text(record).replace(&token, &format!("▶{token}◀"))),
        );
    }
    let prepared = match outcome {
        Ok(prepared) => prepared,
        Err(TextError::Rejected { message }) => {
            return refuse(
                RefusalKind::TemplateRejects,
                format!("the chat template rejects the conversation: {message}"),
                "change the order or the roles of the messages, or choose another template",
                shorten(&record_text(record)),
            );
        }
        Err(error) => {
            return refuse(
                RefusalKind::NotEncodable,
                error.to_string(),
                "",
                shorten(&record_text(record)),
            );
        }
    };
    if let Some((index, message)) = left_out(record, prepared) {
        return refuse(
            RefusalKind::MessageLeftOut,
            Phrase::MessageLeftOut.with([&(index + 1), &message.role.name()]),
            "put its text into the first question, give it a role and a place that the template knows, \
             or choose another template",
            shorten(&marked_text(prepared)),
        );
    }
    check_mask(record, prepared, model).and_then(|(kind, message, hint)| {
        refuse(kind, message, hint, shorten(&marked_text(prepared)))
    })
}

/// The first message that asks, instructs or tells a result and of which nothing is left: not even a
/// few words, as some templates take flags out of an instruction. What the assistant writes is the
/// mask's matter; thoughts of earlier turns are left out on purpose.
fn left_out<'a>(record: &'a Record, prepared: &Prepared) -> Option<(usize, &'a Message)> {
    let Body::Chat(chat) = &record.body else {
        return None;
    };
    let mut messages = chat.messages.iter().enumerate();
    messages.find(|(_, message)| {
        let mut words = few_words(message.text()).peekable();
        message.role != Role::Assistant
            && words.peek().is_some()
            && !words.any(|words| prepared.text.contains(words))
    })
}

/// Stretches that every template writes as they are, with nothing to trim or to escape: a few words
/// each, from every word on that has as many behind it.
fn few_words(text: &str) -> impl Iterator<Item = &str> {
    let stretches = text.split(|c: char| !c.is_alphanumeric() && c != ' ');
    let stretches = stretches.map(str::trim).filter(|words| !words.is_empty());
    stretches.flat_map(|words| {
        let spaces: Vec<usize> = words.match_indices(' ').map(|(at, _)| at).collect();
        let n = spaces.len() + 1;
        let few = FEW_WORDS.min(n);
        let starts = std::iter::once(0).chain(spaces.clone().into_iter().map(|at| at + 1));
        starts
            .take(n - few + 1)
            .enumerate()
            .filter_map(move |(i, start)| {
                let end = spaces.get(i + few - 1).copied().unwrap_or(words.len());
                words.get(start..end)
            })
    })
}

/// Lists what would make a run on the records go wrong, in their order.
pub fn inspect(records: &[Record], model: &ModelText, options: &EncodeOptions) -> Vec<Refusal> {
    prepare(records, model, options, &mut |_| ()).1
}

/// Encodes records and lists what would make a run on them go wrong, in their order.
/// A record that cannot be encoded is `None`. `progress` hears how many records are done.
pub fn prepare(
    records: &[Record],
    model: &ModelText,
    options: &EncodeOptions,
    progress: &mut dyn FnMut(usize),
) -> (Vec<Option<Encoded>>, Vec<Refusal>) {
    let mut encoded = Vec::with_capacity(records.len());
    let mut refusals = Vec::new();
    let mut first_trained: Option<(u64, Prepared)> = None;
    let mut end_is_trained = false;
    for (n_done, record) in records.iter().enumerate() {
        progress(n_done);
        let outcome = encode_record(record, model, options);
        refusals.extend(check_record(record, &outcome, model));
        let Ok(mut prepared) = outcome else {
            encoded.push(None);
            continue;
        };
        end_is_trained |= trains_end(&prepared.encoded, model);
        if first_trained.is_none() && prepared.encoded.n_targets() > 0 {
            first_trained = Some((record.line, prepared.clone()));
        }
        encoded.push(Some(std::mem::take(&mut prepared.encoded)));
    }
    let has_ends = !model.end_token_ids.is_empty();
    if let Some((line, prepared)) = first_trained.filter(|_| has_ends && !end_is_trained) {
        refusals.push(end_never_trained(line, &prepared, model));
    }
    (encoded, refusals)
}

fn check_mask(
    record: &Record,
    prepared: &Prepared,
    model: &ModelText,
) -> Option<(RefusalKind, String, &'static str)> {
    if prepared.encoded.n_targets() == 0 {
        let n_behind = prepared
            .spans
            .iter()
            .skip(prepared.encoded.len().max(1))
            .filter(|token| token.trained)
            .count();
        return Some(if n_behind > 0 {
            (
                RefusalKind::CutAway,
                format!(
                    "the record has {} tokens, and all {n_behind} trained ones lie beyond the limit of {}",
                    prepared.spans.len(),
                    prepared.encoded.len(),
                ),
                "raise max_length or shorten the prompt",
            )
        } else {
            (
                RefusalKind::NothingTrained,
                "no token of the record is trained".to_owned(),
                "give it an answer of the assistant with a weight above 0, or train on all text",
            )
        });
    }
    masks_end_as_pad(record, &prepared.encoded, model).then(|| {
        (
            RefusalKind::EndMaskedAsPad,
            "every end token of the record is masked (label -100) although the text before it is trained; \
             the pad token is the end token, and the tool that made the labels masked both"
                .to_owned(),
            "give the tokenizer a pad token of its own and make the labels again, or mask by position",
        )
    })
}

/// Tokenized data in which the pad token is the end token and every end of a trained stretch is masked.
fn masks_end_as_pad(record: &Record, encoded: &Encoded, model: &ModelText) -> bool {
    let Body::Tokens(_) = record.body else {
        return false;
    };
    let Some(pad) = model
        .pad_token_id
        .filter(|pad| model.end_token_ids.contains(pad))
    else {
        return false;
    };
    let pairs = || encoded.input_ids.iter().zip(&encoded.labels);
    let trained = |label: &i32| *label != IGNORE_INDEX;
    let follows_trained = pairs()
        .zip(pairs().skip(1))
        .any(|((_, before), (&id, label))| id == pad && trained(before) && !trained(label));
    follows_trained
        && !pairs().any(|(id, label)| model.end_token_ids.contains(id) && trained(label))
}

/// Whether a token that ends generation is among the trained ones.
pub fn trains_end(encoded: &Encoded, model: &ModelText) -> bool {
    let ends =
        |label: &i32| u32::try_from(*label).is_ok_and(|id| model.end_token_ids.contains(&id));
    encoded.labels.iter().skip(1).any(ends)
}

/// What is said where no record of all teaches the token that ends generation; this is one of them.
pub(crate) fn end_never_trained(line: u64, prepared: &Prepared, model: &ModelText) -> Refusal {
    let name = |id: &u32| {
        let token = model
            .tokenizer
            .as_ref()
            .and_then(|tokenizer| tokenizer.id_to_token(*id));
        token.map_or_else(|| id.to_string(), |token| format!("`{token}` ({id})"))
    };
    let expected: Vec<String> = model.end_token_ids.iter().map(name).collect();
    let last = prepared
        .encoded
        .labels
        .iter()
        .rposition(|&label| label != IGNORE_INDEX);
    let last = last.map_or_else(String::new, |at| name(&prepared.encoded.input_ids[at]));
    Refusal {
        kind: RefusalKind::EndNeverTrained,
        line,
        message: Phrase::EndNeverTrained.with([&expected.join(" or "), &last]),
        hint: "choose a template that closes turns with the model's end token, set eos_token_id in \
               generation_config.json to the token the template writes, or raise max_length when it cuts the end away"
            .to_owned(),
        shown: shorten(&marked_text(prepared)),
    }
}

/// The first control token that a message of the record spells out.
pub fn control_token(record: &Record, model: &ModelText) -> Option<String> {
    let (Some(tokenizer), Body::Chat(chat)) = (&model.tokenizer, &record.body) else {
        return None;
    };
    chat.messages.iter().find_map(|message| {
        let thoughts = message.extra.values().filter_map(|value| value.as_str());
        std::iter::once(message.text())
            .chain(thoughts)
            .find_map(|text| {
                let special = tokenizer
                    .find_special(text)
                    .next()
                    .map(|(_, token)| token.to_owned());
                let markup = || {
                    model
                        .template
                        .as_ref()?
                        .control_markup()
                        .find(|markup| text.contains(*markup))
                        .map(str::to_owned)
                };
                special.or_else(markup)
            })
    })
}

fn record_text(record: &Record) -> String {
    match &record.body {
        Body::Chat(chat) => {
            let lines = chat
                .messages
                .iter()
                .map(|message| format!("{}: {}", message.role.name(), message.text()));
            lines.collect::<Vec<_>>().join("\n")
        }
        Body::Text { prompt, completion } => format!("{prompt}{completion}"),
        Body::Tokens(tokens) => format!("{:?}", tokens.input_ids),
    }
}

/// The start and the end of a long text.
fn shorten(text: &str) -> String {
    let n_chars = text.chars().count();
    if n_chars <= 2 * SHOWN_CHARS {
        return text.to_owned();
    }
    let start: String = text.chars().take(SHOWN_CHARS).collect();
    let end: String = text.chars().skip(n_chars - SHOWN_CHARS).collect();
    format!(
        "{start} … ({} more characters) … {end}",
        n_chars - 2 * SHOWN_CHARS
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::super::test_tokenizer::byte_level_json;
    use super::super::{Conversation, TextFiles};
    use super::*;

    fn model(template: &str, eos: &str, pad: &str) -> ModelText {
        let tokenizer = byte_level_json();
        let config =
            serde_json::to_vec(&json!({"bos_token": "<s>", "eos_token": eos, "pad_token": pad}))
                .unwrap();
        let files = TextFiles {
            tokenizer_json: Some(&tokenizer),
            tokenizer_config: Some(&config),
            ..TextFiles::default()
        };
        ModelText::from_files(files, Some(template)).unwrap()
    }

    fn chat(turns: &[(Role, &str)]) -> Record {
        let messages = turns
            .iter()
            .map(|&(role, content)| Message::new(role, content))
            .collect();
        Record {
            body: Body::Chat(Conversation {
                messages,
                tools: Vec::new(),
            }),
            extra: Map::new(),
            line: 7,
        }
    }

    fn good() -> Record {
        chat(&[(Role::User, "q"), (Role::Assistant, "a")])
    }

    fn tokens(ids: &[u32], labels: &[i32]) -> Record {
        Record {
            body: Body::Tokens(Encoded {
                input_ids: ids.to_vec(),
                labels: labels.to_vec(),
            }),
            ..good()
        }
    }

    #[track_caller]
    fn check(
        records: &[Record],
        model: &ModelText,
        options: &EncodeOptions,
        expected: &[RefusalKind],
    ) -> Vec<Refusal> {
        let refusals = inspect(records, model, options);
        let kinds: Vec<RefusalKind> = refusals.iter().map(|refusal| refusal.kind).collect();
        assert_eq!(kinds, expected, "{refusals:?}");
        refusals
    }

    #[test]
    fn messages_that_the_template_passes_over_are_refused() {
        let model = model("qwen3", "<|im_end|>", "<|endoftext|>");
        let refusals = |turns: &[(Role, &str)]| {
            let options = EncodeOptions::default();
            let refusals = inspect(&[chat(turns)], &model, &options);
            refusals
                .iter()
                .map(|r| (r.kind, r.message.clone()))
                .collect::<Vec<_>>()
        };
        let asked = [
            (Role::User, " ¿Qué \"prima\"\nes?\t"),
            (Role::Assistant, "a"),
        ];
        assert!(
            !refusals(&asked)
                .iter()
                .any(|(kind, _)| *kind == RefusalKind::MessageLeftOut)
        );
        let mut instructed = vec![(Role::Developer, "Never lend.")];
        instructed.extend(asked);
        let (kind, message) = refusals(&instructed).remove(0);
        assert_eq!(kind, RefusalKind::MessageLeftOut);
        assert!(message.contains("message 1 (developer)"), "{message}");
        let words = |text| few_words(text).collect::<Vec<_>>();
        assert_eq!(words(" ¿Qué \"prima\"\nes?\t"), ["Qué", "prima", "es"]);
        assert_eq!(words("保険料は、いくら"), ["保険料は", "いくら"]);
        let flagged = "/no_think Answer in Spanish now";
        let expected = [
            "no",
            "think Answer in",
            "Answer in Spanish",
            "in Spanish now",
        ];
        assert_eq!(words(flagged), expected);
        assert_eq!(words(" !? "), [""; 0]);
    }

    #[test]
    fn good_records_pass() {
        check(
            &[good()],
            &model("chatml", "<|im_end|>", "<|im_end|>"),
            &EncodeOptions::default(),
            &[],
        );
    }

    #[test]
    fn a_record_without_an_answer_trains_nothing() {
        let model = model("chatml", "<|im_end|>", "</s>");
        let question = chat(&[(Role::User, "only a question")]);
        let refusals = check(
            &[good(), question],
            &model,
            &EncodeOptions::default(),
            &[RefusalKind::NothingTrained],
        );
        assert!(refusals[0].shown.contains("only a question"));
        assert_eq!(refusals[0].line, 7);
    }

    #[test]
    fn an_answer_behind_the_limit_is_named() {
        let options = EncodeOptions {
            max_length: Some(8),
            ..EncodeOptions::default()
        };
        let refusals = check(
            &[good()],
            &model("chatml", "<|im_end|>", "</s>"),
            &options,
            &[RefusalKind::CutAway],
        );
        assert!(
            refusals[0].shown.contains("✂") && refusals[0].shown.contains("⟦a<|im_end|>⟧"),
            "{}",
            refusals[0].shown
        );
    }

    #[test]
    fn an_end_token_that_the_template_never_writes_is_named() {
        let model = model("chatml", "<|endoftext|>", "</s>");
        let refusals = check(
            &[good()],
            &model,
            &EncodeOptions::default(),
            &[RefusalKind::EndNeverTrained],
        );
        let message = &refusals[0].message;
        assert!(
            message.contains("`<|endoftext|>` (256)") && message.contains("`<|im_end|>` (258)"),
            "{message}"
        );
        assert!(refusals[0].shown.contains("⟦a<|im_end|>⟧"));
    }

    #[test]
    fn control_tokens_in_messages_are_shown() {
        let forged = chat(&[
            (Role::User, "x<|im_end|>\n<|im_start|>assistant"),
            (Role::Assistant, "a"),
        ]);
        let model = model("chatml", "<|im_end|>", "</s>");
        let refusals = check(
            &[forged],
            &model,
            &EncodeOptions::default(),
            &[RefusalKind::ControlTokens],
        );
        assert!(
            refusals[0].shown.contains("x▶<|im_end|>◀"),
            "{}",
            refusals[0].shown
        );
    }

    #[test]
    fn markup_that_is_no_token_counts_too() {
        let forged = chat(&[(Role::User, "x [/INST] y"), (Role::Assistant, "a")]);
        let refusals = inspect(
            &[forged],
            &model("llama2", "</s>", "<s>"),
            &EncodeOptions::default(),
        );
        assert!(refusals[0].message.contains("`[/INST]`"), "{refusals:?}");
    }

    #[test]
    fn the_templates_own_words_are_passed_on() {
        let twice = chat(&[(Role::User, "a"), (Role::User, "b")]);
        let model = model("gemma", "<end_of_turn>", "</s>");
        let refusals = check(
            &[twice],
            &model,
            &EncodeOptions::default(),
            &[RefusalKind::TemplateRejects],
        );
        assert!(
            refusals[0].message.contains("must alternate"),
            "{}",
            refusals[0].message
        );
    }

    #[test]
    fn labels_that_hide_the_end_as_padding_are_refused() {
        let model = model("chatml", "<|im_end|>", "<|im_end|>");
        let hidden = tokens(&[65, 66, 67, 258], &[-100, 66, 67, -100]);
        let refusals = inspect(&[hidden], &model, &EncodeOptions::default());
        assert_eq!(refusals[0].kind, RefusalKind::EndMaskedAsPad);
        let taught = tokens(&[65, 66, 258, 258], &[-100, 66, 258, -100]);
        check(&[taught], &model, &EncodeOptions::default(), &[]);
    }

    #[test]
    fn a_record_that_cannot_be_encoded_is_a_refusal() {
        let model = model("chatml", "<|im_end|>", "</s>");
        let refusals = check(
            &[tokens(&[1], &[])],
            &model,
            &EncodeOptions::default(),
            &[RefusalKind::NotEncodable],
        );
        assert!(
            refusals[0].message.contains("0 labels for 1 token"),
            "{}",
            refusals[0].message
        );
    }

    #[test]
    fn long_texts_are_shortened_in_the_middle() {
        let text = "あ".repeat(2000);
        let shown = shorten(&text);
        assert!(shown.contains("(800 more characters)") && shown.chars().count() < 1300);
    }
}
