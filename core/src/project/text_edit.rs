//! Changes of texts that go to many records at once, on one record.

use std::rc::Rc;

use rusqlite::Connection;
use serde_json::Value;

use super::{ProjectError, replace::Replacer};
use crate::{
    data::Repair,
    protocol::studio::Change,
    text::{Body, Message, ModelText, Record, Role},
};

pub(super) enum TextEdit {
    Field(String, Option<Value>),
    System(Option<String>),
    /// Control tokens are those of the model, or without one the common ones.
    Repair(Repair, Option<Rc<ModelText>>),
    Replace(Box<Replacer>),
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
            Change::Replace(replace) => Some(Self::Replace(Box::new(Replacer::new(replace)?))),
            _ => None,
        })
    }

    /// Whether it may change a stored text; quicker than to try.
    pub(super) fn may_change(&self, db: &Connection, body: i64) -> Result<bool, ProjectError> {
        match self {
            Self::Replace(replacer) => replacer.finds(db, body),
            _ => Ok(true),
        }
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
            Self::Repair(repair, model) => {
                if let Some(repaired) = repair.of(record, model.as_deref()) {
                    *record = repaired;
                }
            }
            Self::Replace(replacer) => replacer.apply(record),
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
