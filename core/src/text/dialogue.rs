//! A conversation given as JSON, in the form that transformers' `apply_chat_template` takes, to
//! text, ids and mask.
//!
//! Unlike a dataset's record nothing is checked beyond what the template itself asks for: roles,
//! further keys and contents in parts go to the template as they are.

use std::ops::Range;

use serde_json::{Map, Value};

use super::chat_values::ChatValues;
use super::jinja::is_space;
use super::mask::mark;
use super::spans::assistant_text;
use super::{DateTime, ModelText, RenderOptions, Role, TextError, TokenSpan};

/// Messages with the tools they may call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dialogue {
    pub messages: Vec<Map<String, Value>>,
    /// `None` where none are named; an empty list is passed on as one.
    pub tools: Option<Vec<Value>>,
    /// Further template variables.
    pub variables: Map<String, Value>,
}

/// How a dialogue is rendered.
#[derive(Debug, Clone, Copy, Default)]
pub struct DialogueOptions {
    /// Ends the text where the assistant's next turn begins.
    pub add_generation_prompt: bool,
    /// Leaves the last message open: the text ends with its content.
    pub continue_final_message: bool,
    /// What `strftime_now` tells templates.
    pub now: Option<DateTime>,
}

/// A dialogue as the model sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DialogueTokens {
    pub text: String,
    pub spans: Vec<TokenSpan>,
    /// Messages of the assistant whose text the template does not show; none of it is trained.
    pub not_found: Vec<usize>,
}

impl Dialogue {
    /// Reads a list of messages, or an object with `messages`, and perhaps `tools` and
    /// `chat_template_kwargs`; the second file is a list of tools and goes before those.
    ///
    /// # Errors
    /// Names the file's fault.
    pub fn from_json(messages: &[u8], tools: Option<&[u8]>) -> Result<Self, TextError> {
        let (list, own_tools, variables) = match json("messages", messages)? {
            Value::Array(list) => (list, None, Map::new()),
            Value::Object(mut fields) => (
                array("messages", fields.remove("messages"))?.ok_or_else(no_messages)?,
                array("tools", fields.remove("tools"))?,
                match fields.remove("chat_template_kwargs") {
                    Some(Value::Object(variables)) => variables,
                    _ => Map::new(),
                },
            ),
            _ => return Err(no_messages()),
        };
        let object = |(index, message): (usize, Value)| match message {
            Value::Object(fields) => Ok(fields),
            other => Err(TextError::Dialogue {
                detail: format!(
                    "message {index} is {}, expected an object with `role` and `content`",
                    kind_of(&other)
                ),
            }),
        };
        let tools = match tools {
            Some(bytes) => array("tools", Some(json("tools", bytes)?))?,
            None => own_tools,
        };
        if list.is_empty() {
            return Err(TextError::Dialogue {
                detail: "there is no message".into(),
            });
        }
        Ok(Self {
            messages: list
                .into_iter()
                .enumerate()
                .map(object)
                .collect::<Result<_, _>>()?,
            tools,
            variables,
        })
    }
}

/// Renders a dialogue and tells of every token whether the assistant wrote it.
///
/// # Errors
/// When the model lacks tokenizer or template, the template rejects the dialogue, or its last
/// message cannot be continued.
pub fn encode_dialogue(
    dialogue: &Dialogue,
    model: &ModelText,
    options: &DialogueOptions,
) -> Result<DialogueTokens, TextError> {
    if options.continue_final_message && options.add_generation_prompt {
        return Err(cannot_continue(
            "a generation prompt would begin another message; ask for one of the two",
        ));
    }
    let (template, tokenizer) = (model.template()?, model.tokenizer()?);
    let chat = ChatValues::from_json(dialogue.messages.clone(), dialogue.tools.as_deref());
    let render_options = RenderOptions {
        add_generation_prompt: options.add_generation_prompt,
        variables: dialogue.variables.clone(),
        now: options.now,
    };
    let continued = match options.continue_final_message {
        true => Some(continued(&chat, |chat| {
            let rendered = template.render_chat(chat, &render_options)?;
            Ok(rendered.text)
        })?),
        false => None,
    };
    let mut wanted = chat.said_by(Role::Assistant);
    let mut not_found = Vec::new();
    let found = loop {
        let found = assistant_text(
            template,
            tokenizer,
            &model.end_token_ids,
            &chat,
            &render_options,
            &wanted,
        );
        match found {
            Err(TextError::NoAssistantSpan { message_index }) => {
                wanted.retain(|&index| index != message_index);
                not_found.push(message_index);
            }
            other => break other?,
        }
    };
    let mut turns: Vec<Range<usize>> = found.turns.into_iter().map(|(_, bytes)| bytes).collect();
    let mut text = found.text;
    if let Some(open) = continued {
        turns.retain_mut(|turn| {
            turn.end = turn.end.min(open.len());
            turn.start < turn.end && text.starts_with(&open)
        });
        text = open;
    }
    let spans = mark(tokenizer.encode(&text, false)?, tokenizer, &turns);
    Ok(DialogueTokens {
        text,
        spans,
        not_found,
    })
}

/// The text up to the end of the last message's content. A mark behind it, and a space that a
/// template may trim, show where that is.
pub(super) fn continued(
    chat: &ChatValues,
    render: impl Fn(&ChatValues) -> Result<String, TextError>,
) -> Result<String, TextError> {
    let last = chat.len().checked_sub(1);
    let last = last.ok_or_else(|| cannot_continue("there is no message"))?;
    let [_, _, mark] = chat.unused_chars();
    let content = chat.text(last);
    if content.is_empty() {
        return Err(cannot_continue("the last message has no text"));
    }
    let rendered = render(&chat.replaced(last, &format!("{content}{mark} ")))?;
    let at = rendered.rfind(mark);
    let at = at.filter(|_| rendered.contains(content.trim_matches(is_space)));
    let at = at.ok_or_else(|| {
        cannot_continue("the template does not write the whole text of the last message")
    })?;
    let keeps_space = rendered[at + mark.len_utf8()..].starts_with(' ');
    let text = &rendered[..at];
    Ok(match keeps_space {
        true => text.to_owned(),
        false => text.trim_end_matches(is_space).to_owned(),
    })
}

fn json(what: &'static str, bytes: &[u8]) -> Result<Value, TextError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(|error| TextError::Dialogue {
        detail: format!("the {what} are no JSON: {error}"),
    })
}

fn array(what: &'static str, value: Option<Value>) -> Result<Option<Vec<Value>>, TextError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) => Ok(Some(list)),
        Some(other) => Err(TextError::Dialogue {
            detail: format!("`{what}` is {}, expected a list", kind_of(&other)),
        }),
    }
}

fn no_messages() -> TextError {
    TextError::Dialogue {
        detail: "expected a list of messages, or an object with such a list in `messages`".into(),
    }
}

fn cannot_continue(detail: &str) -> TextError {
    TextError::CannotContinue {
        detail: detail.to_owned(),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::super::TextFiles;
    use super::super::test_tokenizer::byte_level_json;
    use super::*;

    const CHATML: &str = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    fn model(template: &str) -> ModelText {
        let tokenizer = byte_level_json();
        let config = serde_json::json!({"eos_token": "<|im_end|>"}).to_string();
        let files = TextFiles {
            tokenizer_json: Some(&tokenizer),
            tokenizer_config: Some(config.as_bytes()),
            chat_template_jinja: Some(template.as_bytes()),
            ..TextFiles::default()
        };
        ModelText::from_files(files, None).unwrap()
    }

    fn encode(json: &str, options: DialogueOptions) -> Result<(String, String), TextError> {
        let dialogue = Dialogue::from_json(json.as_bytes(), None)?;
        let tokens = encode_dialogue(&dialogue, &model(CHATML), &options)?;
        let trained = tokens.spans.iter().filter(|span| span.trained);
        let trained = trained.map(|span| &tokens.text[span.bytes.clone()]);
        Ok((tokens.text.clone(), trained.collect()))
    }

    const CHAT: &str =
        r#"[{"role": "user", "content": "q"}, {"role": "assistant", "content": " so "}]"#;
    const OPEN: DialogueOptions = DialogueOptions {
        add_generation_prompt: false,
        continue_final_message: true,
        now: None,
    };

    #[test]
    fn the_assistants_text_and_its_end_are_trained() {
        let (text, trained) = encode(CHAT, DialogueOptions::default()).unwrap();
        assert!(text.ends_with("so<|im_end|>\n"), "{text}");
        assert_eq!(trained, "so<|im_end|>");
    }

    #[test]
    fn a_continued_message_stays_open_and_loses_trimmed_space() {
        let (text, trained) = encode(CHAT, OPEN).unwrap();
        assert!(text.ends_with("<|im_start|>assistant\nso"), "{text}");
        assert_eq!(trained, "so");
    }

    #[test]
    fn unknown_roles_and_objects_are_taken() {
        let chat = r#"{"messages": [{"role": "ipython", "content": "q"}], "tools": []}"#;
        let (text, trained) = encode(chat, DialogueOptions::default()).unwrap();
        assert_eq!(text, "<|im_start|>ipython\nq<|im_end|>\n");
        assert_eq!(trained, "");
    }

    #[test]
    fn faults_are_named() {
        let fault = |json: &str, options| encode(json, options).unwrap_err().to_string();
        let none = DialogueOptions::default();
        assert!(fault("{", none).contains("no JSON"));
        assert!(fault("3", none).contains("expected a list of messages"));
        assert!(fault(r#"["x"]"#, none).contains("message 0 is text"));
        assert!(fault("[]", none).contains("there is no message"));
        let both = DialogueOptions {
            add_generation_prompt: true,
            ..OPEN
        };
        assert!(fault(CHAT, both).contains("one of the two"));
    }
}
