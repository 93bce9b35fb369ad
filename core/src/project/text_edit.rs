//! Changes of texts that go to many records at once, on one record.

use serde_json::Value;

use super::ProjectError;
use crate::{
    protocol::studio::Change,
    text::{Body, Message, Record, Role},
};

pub(super) enum TextEdit {
    Field(String, Option<Value>),
    System(Option<String>),
}

impl TextEdit {
    /// `None` for changes that no text knows of.
    ///
    /// # Errors
    /// If a pattern is none.
    pub(super) fn of(change: &Change) -> Result<Option<Self>, ProjectError> {
        Ok(match change {
            Change::SetField(name, value) => Some(Self::Field(name.clone(), value.clone())),
            Change::SetSystem(text) => Some(Self::System(text.clone())),
            Change::Replace(_) => {
                return Err(ProjectError::CannotDo {
                    reason: "replace".into(),
                });
            }
            _ => None,
        })
    }

    pub(super) fn apply(&self, record: &mut Record) {
        match self {
            Self::Field(name, Some(value)) => {
                record.extra.insert(name.clone(), value.clone());
            }
            Self::Field(name, None) => {
                record.extra.shift_remove(name);
            }
            Self::System(text) => set_system(record, text.as_deref()),
        }
    }
}

/// Only conversations have a system message.
fn set_system(record: &mut Record, text: Option<&str>) {
    let Body::Chat(chat) = &mut record.body else {
        return;
    };
    let is_system = |message: &Message| matches!(message.role, Role::System | Role::Developer);
    let first = chat
        .messages
        .first_mut()
        .filter(|message| is_system(message));
    match (first, text) {
        (Some(message), Some(text)) => message.content = Some(text.into()),
        (None, Some(text)) => chat.messages.insert(0, Message::new(Role::System, text)),
        (_, None) => {
            let n = chat
                .messages
                .iter()
                .take_while(|message| is_system(message))
                .count();
            chat.messages.drain(..n);
        }
    }
}
