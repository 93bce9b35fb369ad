//! A record while it is edited: what is stored, what was changed, what is on its way.
//!
//! Invariant: what was typed is dropped only when the worker has said that it is stored.

mod turns;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use veneer_core::protocol::{
    studio::{Content, ContentBody, RecordKey, RecordView, Turn, TurnRole},
    tab::Fault,
};

pub use turns::{Entry, TurnId, following, place_for, turn_of_field};

/// Where the changes of a record are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saving {
    Saved,
    Unsaved,
    UnderWay,
    Failed,
}

/// Changes of a record that could not be stored, kept until it is opened again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unsaved {
    pub project: String,
    pub record: RecordKey,
    pub content: Content,
    /// What the changes began with, so that what became of the record meanwhile stays.
    #[serde(default)]
    pub before: Option<Content>,
}

impl Unsaved {
    /// Whether both are changes of the same record.
    pub fn is_of(&self, other: &Self) -> bool {
        self.record == other.record && self.project == other.project
    }

    /// Two changes of one record as one, where the one grew from the other; else the later one.
    pub fn joined(self, later: Self) -> Self {
        if later.before.as_ref() == Some(&self.content) {
            let before = self.before;
            Self { before, ..later }
        } else if self.before.as_ref() == Some(&later.content) {
            let before = later.before;
            Self { before, ..self }
        } else {
            later
        }
    }

    /// Adds a change to a list that has one for each record.
    pub fn join_into(self, list: &mut Vec<Self>) {
        let known = list.iter().position(|other| other.is_of(&self));
        let joined = match known.map(|index| list.remove(index)) {
            Some(known) => known.joined(self),
            None => self,
        };
        list.push(joined);
    }
}

/// A record and its unsaved changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Id of the project that it belongs to.
    pub project: String,
    /// As the worker told it last.
    pub view: RecordView,
    pub content: Content,
    /// One for each turn, for as long as the turn exists.
    pub ids: Vec<TurnId>,
    /// Goes up with every change, so that a timer knows whether it is the latest.
    pub revision: u64,
    pub fault: Option<Fault>,
    last_id: u32,
    /// What the content grew from: what the worker was sent last, or has.
    base: Content,
    /// What the worker was sent last and has not answered yet.
    sent: Option<Content>,
}

impl Draft {
    pub fn new(project: &str, view: RecordView) -> Self {
        let content = view.content.clone();
        let mut draft = Self {
            project: project.to_owned(),
            base: content.clone(),
            view,
            content,
            ids: Vec::new(),
            revision: 0,
            fault: None,
            last_id: 0,
            sent: None,
        };
        draft.follow_ids(&[]);
        draft
    }

    /// The record with changes that could not be stored before.
    pub fn restored(unsaved: Unsaved, view: RecordView) -> Self {
        let mut draft = Self::new(&unsaved.project, view);
        draft.change(|now| *now = unsaved.content);
        if let Some(before) = unsaved.before {
            draft.base = before;
        }
        draft
    }

    /// The record with changes that were sent before it was left, and are not answered yet.
    pub fn under_way(sent: Unsaved, view: RecordView) -> Self {
        let mut draft = Self::restored(sent, view);
        draft.send();
        draft
    }

    /// What has to be kept where the draft has to go.
    pub fn unsaved(&self) -> Option<Unsaved> {
        (!self.is_saved()).then(|| Unsaved {
            project: self.project.clone(),
            record: self.record(),
            content: self.content.clone(),
            before: Some(self.base.clone()),
        })
    }

    pub fn record(&self) -> RecordKey {
        self.view.record
    }

    pub fn saving(&self) -> Saving {
        if self.is_saved() {
            Saving::Saved
        } else if self.fault.is_some() {
            Saving::Failed
        } else if self.sent.as_ref() == Some(&self.content) {
            Saving::UnderWay
        } else {
            Saving::Unsaved
        }
    }

    /// Whether the worker has it, and nothing on its way to the worker changes that.
    pub fn is_saved(&self) -> bool {
        self.sent.is_none() && self.content == self.view.content
    }

    /// What has to be sent now, if anything; it counts as on its way then.
    pub fn send(&mut self) -> Option<Content> {
        if !matches!(self.saving(), Saving::Unsaved | Saving::Failed) {
            return None;
        }
        self.fault = None;
        self.base = self.content.clone();
        self.sent = Some(self.content.clone());
        self.sent.clone()
    }

    /// The worker stored `content`. More may have been changed and sent since: that stays. So does
    /// everything where something sent before it failed, which it was to be added to.
    pub fn stored(&mut self, content: &Content, view: RecordView) {
        let is_latest = self.sent.as_ref() == Some(content);
        if is_latest {
            self.sent = None;
            self.fault = None;
        }
        if is_latest && self.content == *content {
            self.replace(view);
            return;
        }
        if self.sent.is_none() && !is_latest {
            self.base = view.content.clone();
        }
        self.view = view;
    }

    pub fn failed(&mut self, fault: Fault) {
        self.sent = None;
        self.base = self.view.content.clone();
        self.fault = Some(fault);
    }

    /// The record was asked for again: an undo or a change of many may have touched it. Changes that
    /// are not stored yet stay.
    pub fn refresh(&mut self, view: RecordView) {
        if self.is_saved() {
            self.replace(view);
        } else {
            self.view = view;
        }
    }

    fn replace(&mut self, view: RecordView) {
        let before = std::mem::replace(&mut self.content, view.content.clone());
        self.base = view.content.clone();
        self.view = view;
        self.follow_ids(turns_of(&before));
    }

    /// Everything at once, such as what the record was before.
    pub fn replace_content(&mut self, new: Content) {
        self.change(|content| *content = new);
    }

    pub fn turns(&self) -> &[Turn] {
        turns_of(&self.content)
    }

    pub fn tools(&self) -> &[Value] {
        match &self.content.body {
            ContentBody::Chat { tools, .. } => tools,
            ContentBody::Text { .. } | ContentBody::Tokens { .. } => &[],
        }
    }

    pub fn set_tools(&mut self, new: Vec<Value>) {
        self.change(|content| {
            if let ContentBody::Chat { tools, .. } = &mut content.body {
                *tools = new;
            }
        });
    }

    pub fn set_prompt(&mut self, text: &str) {
        self.change(|content| {
            if let ContentBody::Text { prompt, .. } = &mut content.body {
                text.clone_into(prompt);
            }
        });
    }

    pub fn set_completion(&mut self, text: &str) {
        self.change(|content| {
            if let ContentBody::Text { completion, .. } = &mut content.body {
                text.clone_into(completion);
            }
        });
    }

    /// Sets a column beside the text. A new one comes last.
    pub fn set_column(&mut self, name: &str, value: Value) {
        self.change(|content| {
            content.extra.insert(name.to_owned(), value);
        });
    }

    pub fn remove_column(&mut self, name: &str) {
        self.change(|content| {
            content.extra.shift_remove(name);
        });
    }

    /// Gives a column another name in its place; false where the name is taken or empty.
    pub fn rename_column(&mut self, from: &str, to: &str) -> bool {
        let to = to.trim();
        if to.is_empty() || (to != from && self.content.extra.contains_key(to)) {
            return false;
        }
        self.change(|content| {
            let renamed = std::mem::take(&mut content.extra).into_iter();
            let renamed = renamed.map(|(name, value)| match name == from {
                true => (to.to_owned(), value),
                false => (name, value),
            });
            content.extra = renamed.collect();
        });
        true
    }

    fn change(&mut self, how: impl FnOnce(&mut Content)) {
        let before = turns_of(&self.content).to_vec();
        how(&mut self.content);
        self.revision += 1;
        self.fault = None;
        if turns_of(&self.content).len() != self.ids.len() {
            self.follow_ids(&before);
        }
    }
}

fn turns_of(content: &Content) -> &[Turn] {
    match &content.body {
        ContentBody::Chat { turns, .. } => turns,
        ContentBody::Text { .. } | ContentBody::Tokens { .. } => &[],
    }
}

/// What a new record begins with: the system message of the one at hand, a question, an answer.
pub fn new_content(like: Option<&Content>) -> Content {
    let system = like.and_then(|content| {
        let first = turns_of(content).first()?;
        matches!(first.role, TurnRole::System | TurnRole::Developer).then(|| first.clone())
    });
    let pair = [TurnRole::User, TurnRole::Assistant].map(|role| Turn::new(role, ""));
    Content {
        body: ContentBody::Chat {
            turns: system.into_iter().chain(pair).collect(),
            tools: Vec::new(),
        },
        extra: serde_json::Map::new(),
    }
}

#[cfg(test)]
mod tests;
