//! Conversations to tokens, and tokens to what the page shows of them.

use veneer_core::{
    infer::NewToken,
    protocol::tab::{Alternative, AnswerToken, ChatMessage, ChatRole, Fault},
    text::{DateTime, Message, ModelText, RenderOptions, Role},
};

use crate::worker::faults;

/// What stands for bytes that are no whole character.
const UNFINISHED: char = '\u{fffd}';

/// The tokens of a conversation, up to where the assistant's next turn begins. Without a template
/// the last prompt is continued as it is.
pub(super) fn ids(text: &ModelText, messages: &[ChatMessage]) -> Result<Vec<u32>, Fault> {
    let encoded = match &text.template {
        Some(template) => {
            let messages: Vec<Message> = messages.iter().map(message).collect();
            let options = RenderOptions {
                add_generation_prompt: true,
                now: Some(DateTime::from_unix((js_sys::Date::now() / 1000.0) as i64)),
                ..RenderOptions::default()
            };
            let rendered = template.render(&messages, &[], &options);
            rendered.and_then(|rendered| text.tokenizer()?.encode(&rendered, false))
        }
        None => {
            let prompt = messages.last().map_or("", |message| message.text.as_str());
            text.tokenizer()
                .and_then(|tokenizer| tokenizer.encode(prompt, true))
        }
    };
    let tokens = encoded.map_err(|error| faults::of_text(&error))?;
    Ok(tokens.iter().map(|token| token.id).collect())
}

fn message(message: &ChatMessage) -> Message {
    let role = match message.role {
        ChatRole::System => Role::System,
        ChatRole::User => Role::User,
        ChatRole::Assistant => Role::Assistant,
    };
    Message::new(role, message.text.as_str())
}

/// A token with its text and its alternatives.
pub(super) fn view(text: &ModelText, token: &NewToken) -> AnswerToken {
    let alternatives = token.alternatives.iter();
    AnswerToken {
        id: token.id,
        text: token_text(text, token.id),
        logprob: token.logprob,
        alternatives: alternatives
            .map(|&(id, logprob)| Alternative {
                id,
                text: token_text(text, id),
                logprob,
            })
            .collect(),
    }
}

/// The text of one token; its name in the vocabulary where it is no whole character.
fn token_text(text: &ModelText, id: u32) -> String {
    let Some(tokenizer) = &text.tokenizer else {
        return id.to_string();
    };
    let decoded = tokenizer.decode(&[id], false).unwrap_or_default();
    if !decoded.is_empty() && !decoded.contains(UNFINISHED) {
        return decoded;
    }
    tokenizer.id_to_token(id).unwrap_or_else(|| id.to_string())
}
