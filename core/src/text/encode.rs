//! A dataset record to token ids and labels.
//!
//! - A conversation is rendered by the model's template and tokenized once, without adding special
//!   tokens: the template writes BOS itself. Trained are the tokens of the assistant's text
//!   ([`super::spans`]).
//! - A prompt with its completion is tokenized as TRL does: the completion gets the end token when
//!   it lacks it, the whole text is tokenized with the tokenizer's special tokens, and the prompt is
//!   what its own tokens and those of the whole have in common at the start.
//! - Tokenized records pass through, checked.
//!
//! Which tokens that makes is [`super::mask`]'s to say. Longer records are cut at `max_length` from
//! the start.

use std::ops::Range;

use serde_json::{Map, Value};

use super::chat_values::ChatValues;
use super::mask::mark;
use super::spans::assistant_text;
use super::{
    Body, Conversation, DateTime, Encoded, IGNORE_INDEX, ModelText, Record, RenderOptions, Role,
    TextError, Token, Tokenizer,
};

/// Which text is trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TrainOn {
    /// Every token.
    All,
    /// What the assistant says, in every turn (and completions).
    #[default]
    Assistant,
    /// What the assistant says last.
    Last,
}

/// How records become tokens.
#[derive(Debug, Clone, Default)]
pub struct EncodeOptions {
    pub train_on: TrainOn,
    /// Tokens kept of a record, from its start; `None` keeps all.
    pub max_length: Option<usize>,
    /// Ends conversations with the header of the assistant's next turn.
    pub add_generation_prompt: bool,
    /// Further template variables, such as `enable_thinking`; a record's `chat_template_kwargs`
    /// override them.
    pub template_variables: Map<String, Value>,
    /// What `strftime_now` tells templates.
    pub now: Option<DateTime>,
    /// Entries of the model's vocabulary, to check the ids of tokenized records.
    pub n_vocab: Option<usize>,
}

/// A token of a prepared record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSpan {
    pub id: u32,
    /// Bytes of [`Prepared::text`]; empty for tokens without text of their own.
    pub bytes: Range<usize>,
    pub trained: bool,
}

/// A record as tokens, with the text they came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prepared {
    /// What the model sees, cut at the length limit.
    pub encoded: Encoded,
    /// The whole text; for tokenized records the tokens decoded one by one, or their numbers.
    pub text: String,
    /// Every token of the whole text, those behind the cut too.
    pub spans: Vec<TokenSpan>,
    /// Whether tokens were cut off.
    pub truncated: bool,
}

/// What a model is asked with, and what a dataset says it should answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    pub input_ids: Vec<u32>,
    pub text: String,
    /// The answer of the record, without markup.
    pub reference: String,
}

/// Turns a record into token ids and labels.
///
/// # Errors
/// When the model lacks what the record needs, the template rejects it, or tokenized data is wrong.
pub fn encode_record(
    record: &Record,
    model: &ModelText,
    options: &EncodeOptions,
) -> Result<Prepared, TextError> {
    let mut prepared = match &record.body {
        Body::Chat(chat) => encode_chat(record, chat, model, options)?,
        Body::Text { prompt, completion } => {
            encode_text(prompt, completion, model, options.train_on)?
        }
        Body::Tokens(tokens) => encode_tokens(tokens, model, options)?,
    };
    if let Some(first) = prepared.spans.first_mut() {
        first.trained = false;
    }
    let n_kept = options
        .max_length
        .unwrap_or(usize::MAX)
        .min(prepared.spans.len());
    prepared.truncated = n_kept < prepared.spans.len();
    let kept = &prepared.spans[..n_kept];
    prepared.encoded = Encoded {
        input_ids: kept.iter().map(|token| token.id).collect(),
        labels: kept
            .iter()
            .map(|token| {
                if token.trained {
                    token.id as i32
                } else {
                    IGNORE_INDEX
                }
            })
            .collect(),
    };
    Ok(prepared)
}

/// What to ask the model for a record: everything before the assistant's last answer.
/// `None` where there is nothing to ask (tokenized records, conversations without an answer).
///
/// # Errors
/// As [`encode_record`].
pub fn encode_prompt(
    record: &Record,
    model: &ModelText,
    options: &EncodeOptions,
) -> Result<Option<Prompt>, TextError> {
    let (text, reference, add_special_tokens) = match &record.body {
        Body::Chat(chat) => {
            let speaks = |message: &super::Message| message.role == Role::Assistant;
            let Some(last) = chat.messages.iter().rposition(speaks) else {
                return Ok(None);
            };
            let render_options = RenderOptions {
                add_generation_prompt: true,
                ..render_options(record, options)
            };
            let text =
                model
                    .template()?
                    .render(&chat.messages[..last], &chat.tools, &render_options)?;
            (text, chat.messages[last].text().to_owned(), false)
        }
        Body::Text { prompt, completion } => (prompt.clone(), completion.clone(), true),
        Body::Tokens(_) => return Ok(None),
    };
    let tokens = model.tokenizer()?.encode(&text, add_special_tokens)?;
    let mut input_ids: Vec<u32> = tokens.iter().map(|token| token.id).collect();
    // A tokenizer that closes every text would close the question too.
    if add_special_tokens {
        while input_ids.len() > 1
            && input_ids
                .last()
                .is_some_and(|id| model.end_token_ids.contains(id))
            && tokens[input_ids.len() - 1].bytes.is_empty()
        {
            input_ids.pop();
        }
    }
    Ok(Some(Prompt {
        input_ids,
        text,
        reference,
    }))
}

fn render_options(record: &Record, options: &EncodeOptions) -> RenderOptions {
    let mut variables = options.template_variables.clone();
    if let Some(Value::Object(own)) = record.extra.get("chat_template_kwargs") {
        variables.extend(own.clone());
    }
    RenderOptions {
        add_generation_prompt: options.add_generation_prompt,
        variables,
        now: options.now,
    }
}

fn encode_chat(
    record: &Record,
    chat: &Conversation,
    model: &ModelText,
    options: &EncodeOptions,
) -> Result<Prepared, TextError> {
    let (template, tokenizer) = (model.template()?, model.tokenizer()?);
    let render_options = render_options(record, options);
    let (text, trained) = if options.train_on == TrainOn::All {
        let text = template.render(&chat.messages, &chat.tools, &render_options)?;
        let all = 0..text.len();
        (text, vec![all])
    } else {
        let wanted = wanted_messages(chat, options.train_on);
        let values = ChatValues::new(&chat.messages, &chat.tools);
        let found = assistant_text(
            template,
            tokenizer,
            &model.end_token_ids,
            &values,
            &render_options,
            &wanted,
        )?;
        (
            found.text,
            found.turns.into_iter().map(|(_, bytes)| bytes).collect(),
        )
    };
    let tokens = tokenizer.encode(&text, false)?;
    let spans = mark(tokens, tokenizer, &trained);
    Ok(Prepared {
        text,
        spans,
        ..Prepared::default()
    })
}

/// Assistant messages to train: all or the last one, without those of weight 0.
fn wanted_messages(chat: &Conversation, train_on: TrainOn) -> Vec<usize> {
    let mut wanted: Vec<usize> = (0..chat.messages.len())
        .filter(|&index| chat.messages[index].role == Role::Assistant)
        .collect();
    if train_on == TrainOn::Last {
        wanted.drain(..wanted.len().saturating_sub(1));
    }
    wanted.retain(|&index| chat.messages[index].weight != Some(0.0));
    wanted
}

fn encode_text(
    prompt: &str,
    completion: &str,
    model: &ModelText,
    train_on: TrainOn,
) -> Result<Prepared, TextError> {
    let tokenizer = model.tokenizer()?;
    let end = model
        .end_text()
        .filter(|end| !completion.ends_with(end.as_str()))
        .unwrap_or_default();
    let text = format!("{prompt}{completion}{end}");
    let tokens = tokenizer.encode(&text, true)?;
    let n_prompt = if prompt.is_empty() || train_on == TrainOn::All {
        0
    } else {
        let of_prompt = tokenizer.encode(prompt, true)?;
        let shared = of_prompt
            .iter()
            .zip(&tokens)
            .take_while(|(a, b)| a.id == b.id);
        shared.count()
    };
    let spans = tokens
        .into_iter()
        .enumerate()
        .map(|(index, Token { id, bytes })| TokenSpan {
            id,
            bytes,
            trained: index >= n_prompt,
        })
        .collect();
    Ok(Prepared {
        text,
        spans,
        ..Prepared::default()
    })
}

fn encode_tokens(
    tokens: &Encoded,
    model: &ModelText,
    options: &EncodeOptions,
) -> Result<Prepared, TextError> {
    if tokens.labels.len() != tokens.input_ids.len() {
        return Err(TextError::LabelCount {
            n_ids: tokens.input_ids.len(),
            n_labels: tokens.labels.len(),
        });
    }
    // Labels index the vocabulary as 32-bit signed integers.
    let n_vocab = options
        .n_vocab
        .or(model.tokenizer.as_ref().map(Tokenizer::vocab_size));
    let n_vocab = n_vocab.unwrap_or(i32::MAX as usize);
    let mut text = String::new();
    let mut spans = Vec::with_capacity(tokens.len());
    for (index, (&id, &label)) in tokens.input_ids.iter().zip(&tokens.labels).enumerate() {
        if id as usize >= n_vocab {
            return Err(TextError::IdRange { index, id, n_vocab });
        }
        if label != IGNORE_INDEX && i64::from(label) != i64::from(id) {
            return Err(TextError::Label {
                index,
                found: label,
                expected: id,
            });
        }
        let start = text.len();
        text.push_str(&shown_token(id, model));
        spans.push(TokenSpan {
            id,
            bytes: start..text.len(),
            trained: options.train_on == TrainOn::All || label != IGNORE_INDEX,
        });
    }
    Ok(Prepared {
        text,
        spans,
        ..Prepared::default()
    })
}

/// How a token of tokenized data is shown: decoded alone, or as its number without a tokenizer.
fn shown_token(id: u32, model: &ModelText) -> String {
    let decoded = model
        .tokenizer
        .as_ref()
        .and_then(|tokenizer| tokenizer.decode(&[id], false).ok());
    decoded.unwrap_or_else(|| format!("{id} "))
}

#[cfg(test)]
mod tests {
    use std::slice;

    use serde_json::json;

    use super::super::test_tokenizer::byte_level_json;
    use super::super::{Message, TextFiles, marked_text};
    use super::*;

    fn model(template: &str) -> ModelText {
        let tokenizer = byte_level_json();
        let config =
            json!({"bos_token": "<s>", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"});
        let config = serde_json::to_vec(&config).unwrap();
        let files = TextFiles {
            tokenizer_json: Some(&tokenizer),
            tokenizer_config: Some(&config),
            ..TextFiles::default()
        };
        ModelText::from_files(files, Some(template)).unwrap()
    }

    fn record(body: Body) -> Record {
        Record {
            body,
            extra: Map::new(),
            line: 1,
        }
    }

    fn chat() -> Conversation {
        let message = |role, content: &str| Message::new(role, content);
        Conversation {
            messages: vec![
                message(Role::User, "q"),
                message(Role::Assistant, "é1"),
                message(Role::User, "é1"),
                message(Role::Assistant, "😀"),
            ],
            tools: Vec::new(),
        }
    }

    #[track_caller]
    fn check(body: Body, options: &EncodeOptions, expected: &str) -> Prepared {
        let prepared = encode_record(&record(body), &model("chatml"), options).unwrap();
        assert_eq!(marked_text(&prepared), expected);
        for (&id, &label) in prepared
            .encoded
            .input_ids
            .iter()
            .zip(&prepared.encoded.labels)
        {
            assert!(label == IGNORE_INDEX || label == id as i32);
        }
        assert_eq!(prepared.encoded.labels.first(), Some(&IGNORE_INDEX));
        prepared
    }

    #[test]
    fn every_assistant_turn_is_trained_with_its_end_token() {
        let prepared = check(
            Body::Chat(chat()),
            &EncodeOptions::default(),
            "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n⟦é1<|im_end|>⟧\n\
             <|im_start|>user\né1<|im_end|>\n<|im_start|>assistant\n⟦😀<|im_end|>⟧\n",
        );
        // é is two tokens, the emoji four, and each end token one.
        assert_eq!(prepared.encoded.n_targets(), 3 + 1 + 4 + 1);
    }

    #[test]
    fn only_the_last_turn() {
        let options = EncodeOptions {
            train_on: TrainOn::Last,
            ..EncodeOptions::default()
        };
        check(
            Body::Chat(chat()),
            &options,
            "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\né1<|im_end|>\n\
             <|im_start|>user\né1<|im_end|>\n<|im_start|>assistant\n⟦😀<|im_end|>⟧\n",
        );
    }

    #[test]
    fn weight_zero_keeps_a_turn_out() {
        let mut chat = chat();
        chat.messages[3].weight = Some(0.0);
        check(
            Body::Chat(chat),
            &EncodeOptions::default(),
            "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n⟦é1<|im_end|>⟧\n\
             <|im_start|>user\né1<|im_end|>\n<|im_start|>assistant\n😀<|im_end|>\n",
        );
    }

    #[test]
    fn all_but_the_first_token() {
        let options = EncodeOptions {
            train_on: TrainOn::All,
            ..EncodeOptions::default()
        };
        let mut chat = chat();
        chat.messages.truncate(2);
        check(
            Body::Chat(chat),
            &options,
            "<|im_start|>⟦user\nq<|im_end|>\n<|im_start|>assistant\né1<|im_end|>\n⟧",
        );
    }

    #[test]
    fn a_limit_cuts_the_end() {
        let options = EncodeOptions {
            max_length: Some(20),
            ..EncodeOptions::default()
        };
        let mut chat = chat();
        chat.messages.truncate(2);
        let prepared = check(
            Body::Chat(chat),
            &options,
            "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n⟦✂é1<|im_end|>⟧\n"
                .replace("⟦✂", "✂⟦")
                .as_str(),
        );
        assert!(prepared.truncated);
        assert_eq!(
            (prepared.encoded.len(), prepared.encoded.n_targets()),
            (20, 0)
        );
    }

    #[test]
    fn completions_get_the_end_token_once() {
        for completion in ["yes", "yes<|im_end|>"] {
            let body = Body::Text {
                prompt: "ask: ".into(),
                completion: completion.into(),
            };
            check(body, &EncodeOptions::default(), "ask: ⟦yes<|im_end|>⟧");
        }
    }

    #[test]
    fn a_text_without_prompt_is_trained_whole() {
        let body = Body::Text {
            prompt: String::new(),
            completion: "abc".into(),
        };
        check(body, &EncodeOptions::default(), "a⟦bc<|im_end|>⟧");
    }

    #[test]
    fn tokenized_records_are_checked() {
        let encode = |ids: &[u32], labels: &[i32]| {
            let body = Body::Tokens(Encoded {
                input_ids: ids.to_vec(),
                labels: labels.to_vec(),
            });
            encode_record(
                &record(body),
                &ModelText::default(),
                &EncodeOptions {
                    n_vocab: Some(10),
                    ..EncodeOptions::default()
                },
            )
        };
        assert_eq!(
            encode(&[1, 2], &[-100]).unwrap_err(),
            TextError::LabelCount {
                n_ids: 2,
                n_labels: 1
            }
        );
        assert_eq!(
            encode(&[1, 10], &[-100, 10]).unwrap_err(),
            TextError::IdRange {
                index: 1,
                id: 10,
                n_vocab: 10
            }
        );
        assert_eq!(
            encode(&[1, 2], &[-100, 3]).unwrap_err(),
            TextError::Label {
                index: 1,
                found: 3,
                expected: 2
            }
        );
        let prepared = encode(&[1, 2, 3], &[1, -100, 3]).unwrap();
        assert_eq!(prepared.encoded.labels, [-100, -100, 3]);
        assert_eq!(marked_text(&prepared), "1 2 ⟦3 ⟧");
    }

    #[test]
    fn the_prompt_ends_where_the_answer_begins() {
        let options = EncodeOptions::default();
        let prompt = encode_prompt(&record(Body::Chat(chat())), &model("chatml"), &options)
            .unwrap()
            .unwrap();
        assert!(
            prompt
                .text
                .ends_with("é1<|im_end|>\n<|im_start|>assistant\n")
        );
        assert_eq!(prompt.reference, "😀");
        let prepared =
            encode_record(&record(Body::Chat(chat())), &model("chatml"), &options).unwrap();
        assert_eq!(
            prepared.encoded.input_ids[..prompt.input_ids.len()],
            prompt.input_ids
        );
    }

    #[test]
    fn special_tokens_that_swallow_space_are_not_trained_from_the_outside() {
        let tokenizer = Tokenizer::from_json(&byte_level_json()).unwrap();
        let header = tokenizer.token_to_id("<|assistant|>").unwrap();
        let tokens = vec![
            Token {
                id: header,
                bytes: 0..5,
            },
            Token {
                id: 65,
                bytes: 5..6,
            },
        ];
        let trained: Vec<bool> = mark(tokens, &tokenizer, slice::from_ref(&(3..6)))
            .iter()
            .map(|token| token.trained)
            .collect();
        assert_eq!(trained, [false, true]);
    }

    #[test]
    fn a_token_across_the_edge_of_a_span_is_trained() {
        let tokenizer = Tokenizer::from_json(&byte_level_json()).unwrap();
        let tokens = [0..2, 2..4, 4..6, 6..8]
            .map(|bytes| Token { id: 65, bytes })
            .to_vec();
        let trained: Vec<bool> = mark(tokens, &tokenizer, slice::from_ref(&(3..5)))
            .iter()
            .map(|token| token.trained)
            .collect();
        assert_eq!(trained, [false, true, true, false]);
    }
}
