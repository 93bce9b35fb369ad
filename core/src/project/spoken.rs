//! The texts of a stored record, without the rest of it and mostly without copying.

use std::borrow::Cow;

use serde::Deserialize;

use super::ProjectError;
use crate::protocol::studio::TurnRole;

/// Texts in their order, each with the number of its message.
pub(super) struct Spoken<'a>(Vec<Message<'a>>);

pub(super) struct Message<'a> {
    pub(super) role: TurnRole,
    pub(super) number: u32,
    pub(super) text: Cow<'a, str>,
}

impl<'a> Spoken<'a> {
    /// # Errors
    /// If this is not a stored record.
    pub(super) fn read(json: &'a str) -> Result<Self, ProjectError> {
        let stored: Stored<'_> =
            serde_json::from_str(json).map_err(|error| ProjectError::Broken {
                detail: format!("a stored record cannot be read: {error}"),
            })?;
        let message = |role, number, Text(text)| Message { role, number, text };
        Ok(Self(match stored.body {
            Body::Chat { turns } => (0..)
                .zip(turns)
                .filter_map(|(number, turn)| Some(message(turn.role, number, turn.text?)))
                .collect(),
            Body::Text { prompt, completion } => {
                let prompt = Some(prompt).filter(|Text(prompt)| !prompt.is_empty());
                let prompt = prompt.map(|prompt| message(TurnRole::User, 0, prompt));
                let completion = message(TurnRole::Assistant, 1, completion);
                prompt.into_iter().chain([completion]).collect()
            }
            Body::Tokens {} => Vec::new(),
        }))
    }

    pub(super) fn messages(&self) -> impl DoubleEndedIterator<Item = &Message<'a>> {
        self.0.iter()
    }

    /// Texts of one role, or all.
    pub(super) fn by(&self, role: Option<TurnRole>) -> impl Iterator<Item = &str> {
        let messages = self.0.iter();
        let said = messages.filter(move |message| role.is_none_or(|role| message.role == role));
        said.map(|message| message.text.as_ref())
    }
}

/// What is needed of `content::Stored`; the rest is passed over.
#[derive(Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    body: Body<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Body<'a> {
    Chat {
        #[serde(borrow)]
        turns: Vec<Turn<'a>>,
    },
    Text {
        #[serde(borrow)]
        prompt: Text<'a>,
        #[serde(borrow)]
        completion: Text<'a>,
    },
    Tokens {},
}

#[derive(Deserialize)]
struct Turn<'a> {
    role: TurnRole,
    #[serde(borrow)]
    text: Option<Text<'a>>,
}

/// Borrows where nothing is escaped; serde alone copies a `Cow` inside an `Option`.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::studio::{Content, ContentBody, Turn};

    fn said(body: ContentBody) -> Vec<(TurnRole, u32, String)> {
        let extra = serde_json::Map::new();
        let json = serde_json::to_string(&Content { body, extra }).unwrap();
        let spoken = Spoken::read(&json).unwrap();
        let own = |message: &Message<'_>| (message.role, message.number, message.text.to_string());
        spoken.messages().map(own).collect()
    }

    #[test]
    fn texts_keep_their_messages() {
        let mut call = Turn::new(TurnRole::Assistant, "");
        call.text = None;
        let turns = vec![
            Turn::new(TurnRole::User, "a \"quoted\"\nline"),
            call,
            Turn::new(TurnRole::Tool, "東京"),
        ];
        let tools = vec![];
        let expected = vec![
            (TurnRole::User, 0, "a \"quoted\"\nline".to_owned()),
            (TurnRole::Tool, 2, "東京".to_owned()),
        ];
        assert_eq!(said(ContentBody::Chat { turns, tools }), expected);
        let text = said(ContentBody::Text {
            prompt: "p".into(),
            completion: "c".into(),
        });
        assert_eq!(text[1], (TurnRole::Assistant, 1, "c".to_owned()));
        let (input_ids, labels) = (vec![1], vec![1]);
        assert!(said(ContentBody::Tokens { input_ids, labels }).is_empty());
    }

    #[test]
    fn what_needs_no_copy_is_not_copied() {
        let json = r#"{"body":{"chat":{"turns":[{"role":"user","text":"plain"}],"tools":[]}}}"#;
        let spoken = Spoken::read(json).unwrap();
        assert!(matches!(spoken.0[0].text, Cow::Borrowed("plain")));
    }
}
