//! Turns of a draft: roles, texts, order.

use serde_json::Value;
use veneer_core::protocol::studio::{ContentBody, Turn, TurnRole};

use super::{Draft, turns_of};

/// A turn for as long as it is in the draft, wherever it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TurnId(pub u32);

/// A text of a record where writing may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    Turn(TurnId),
    Prompt,
    Completion,
}

impl Draft {
    pub fn index_of(&self, id: TurnId) -> Option<usize> {
        self.ids.iter().position(|known| *known == id)
    }

    pub fn turn(&self, id: TurnId) -> Option<&Turn> {
        self.turns().get(self.index_of(id)?)
    }

    pub fn set_role(&mut self, id: TurnId, role: TurnRole) {
        self.change_turn(id, |turn| turn.role = role);
    }

    pub fn set_text(&mut self, id: TurnId, text: &str) {
        self.change_turn(id, |turn| turn.set_text(text));
    }

    pub fn set_name(&mut self, id: TurnId, name: &str) {
        let name = (!name.is_empty()).then(|| name.to_owned());
        self.change_turn(id, |turn| turn.name = name);
    }

    pub fn set_call_id(&mut self, id: TurnId, call: &str) {
        let call = (!call.is_empty()).then(|| call.to_owned());
        self.change_turn(id, |turn| turn.tool_call_id = call);
    }

    pub fn set_tool_calls(&mut self, id: TurnId, calls: Vec<Value>) {
        self.change_turn(id, |turn| {
            // Without calls there has to be a text.
            if calls.is_empty() && turn.text.is_none() {
                turn.text = Some(String::new());
            }
            turn.tool_calls = calls;
        });
    }

    /// Takes an answer into the loss, or keeps it out.
    pub fn set_trained(&mut self, id: TurnId, trained: bool) {
        self.change_turn(id, |turn| {
            turn.weight = if trained { None } else { Some(0.0) };
        });
    }

    /// Adds an empty turn above or below another one, in the role that belongs there.
    pub fn add_beside(&mut self, id: TurnId, below: bool) -> Option<TurnId> {
        let at = self.index_of(id)? + usize::from(below);
        let before = at.checked_sub(1).and_then(|at| self.turns().get(at));
        let after = self.turns().get(at);
        let role = role_between(before, after);
        Some(self.insert(at, Turn::new(role, "")))
    }

    /// Adds an empty turn at the end.
    pub fn append(&mut self) -> TurnId {
        let at = self.turns().len();
        let role = role_between(self.turns().last(), None);
        self.insert(at, Turn::new(role, ""))
    }

    /// The same turn once more, below.
    pub fn duplicate(&mut self, id: TurnId) -> Option<TurnId> {
        let at = self.index_of(id)?;
        let turn = self.turns()[at].clone();
        Some(self.insert(at + 1, turn))
    }

    /// Where writing begins: the first empty text, else the last answer. Tokens are not written.
    pub fn entry(&self) -> Option<Entry> {
        match &self.content.body {
            ContentBody::Chat { .. } => self.entry_of_turns().map(Entry::Turn),
            ContentBody::Text { prompt, .. } if prompt.is_empty() => Some(Entry::Prompt),
            ContentBody::Text { .. } => Some(Entry::Completion),
            ContentBody::Tokens { .. } => None,
        }
    }

    fn entry_of_turns(&self) -> Option<TurnId> {
        let turns = self.turns();
        let is_empty = |turn: &Turn| turn.text.as_deref() == Some("");
        let first_empty = turns.iter().position(is_empty);
        let last_answer = || {
            turns
                .iter()
                .rposition(|turn| turn.role == TurnRole::Assistant)
        };
        let at = first_empty.or_else(last_answer)?;
        self.ids.get(at).copied()
    }

    /// Cuts a turn in two. `at` counts UTF-16 units of `text`, as the browser's cursor does; white
    /// space at the cut belongs to neither part. What follows a question becomes an answer, and the
    /// other way round.
    pub fn split(&mut self, id: TurnId, text: &str, at: usize) -> Option<TurnId> {
        let index = self.index_of(id)?;
        let (first, second) = text.split_at(byte_of_utf16(text, at));
        let role = following(self.turns()[index].role);
        let new = Turn::new(role, second.trim_start());
        self.set_text(id, first.trim_end());
        Some(self.insert(index + 1, new))
    }

    /// Puts the next turn behind this one; the role of this one stays. What must not be learned is not
    /// learned in the joined turn either.
    pub fn join_next(&mut self, id: TurnId) {
        let Some(index) = self.index_of(id) else {
            return;
        };
        if index + 1 >= self.turns().len() {
            return;
        }
        self.ids.remove(index + 1);
        self.change(|content| {
            let ContentBody::Chat { turns, .. } = &mut content.body else {
                return;
            };
            let next = turns.remove(index + 1);
            let turn = &mut turns[index];
            let (above, below) = (turn.text.take(), next.text);
            turn.text = match (above, below) {
                (Some(above), Some(below)) if above.is_empty() => Some(below),
                (Some(above), Some(below)) if below.is_empty() => Some(above),
                (Some(above), Some(below)) => Some(format!("{above}\n\n{below}")),
                (above, below) => above.or(below),
            };
            if next.weight == Some(0.0) {
                turn.weight = next.weight;
            }
            turn.tool_calls.extend(next.tool_calls);
            // Nobody else calls tools, and nothing but an answer to a call names one.
            if !turn.tool_calls.is_empty() {
                turn.role = TurnRole::Assistant;
            }
            turn.name = turn.name.take().or(next.name);
            let call_id = turn.tool_call_id.take().or(next.tool_call_id);
            turn.tool_call_id = call_id.filter(|_| turn.role == TurnRole::Tool);
            for (key, value) in next.extra {
                turn.extra.entry(key).or_insert(value);
            }
        });
    }

    pub fn remove(&mut self, id: TurnId) {
        let Some(index) = self.index_of(id) else {
            return;
        };
        self.ids.remove(index);
        self.change(|content| {
            if let ContentBody::Chat { turns, .. } = &mut content.body {
                turns.remove(index);
            }
        });
    }

    /// Moves a turn so that it stands at `to` afterwards. Says whether anything moved.
    pub fn move_to(&mut self, id: TurnId, to: usize) -> bool {
        let Some(from) = self.index_of(id) else {
            return false;
        };
        let to = to.min(self.turns().len() - 1);
        if from == to {
            return false;
        }
        let id = self.ids.remove(from);
        self.ids.insert(to, id);
        self.change(|content| {
            if let ContentBody::Chat { turns, .. } = &mut content.body {
                let turn = turns.remove(from);
                turns.insert(to, turn);
            }
        });
        true
    }

    fn insert(&mut self, at: usize, turn: Turn) -> TurnId {
        let id = self.new_id();
        self.ids.insert(at, id);
        self.change(|content| {
            if let ContentBody::Chat { turns, .. } = &mut content.body {
                turns.insert(at, turn);
            }
        });
        id
    }

    fn change_turn(&mut self, id: TurnId, how: impl FnOnce(&mut Turn)) {
        let Some(index) = self.index_of(id) else {
            return;
        };
        self.change(|content| {
            if let ContentBody::Chat { turns, .. } = &mut content.body
                && let Some(turn) = turns.get_mut(index)
            {
                how(turn);
            }
        });
    }

    fn new_id(&mut self) -> TurnId {
        self.last_id += 1;
        TurnId(self.last_id)
    }

    /// Gives the turns of new content their ids. What stands unchanged at both ends keeps them, and
    /// so does everything where the number of turns is the same, so that a cursor stays where it is.
    pub(super) fn follow_ids(&mut self, before: &[Turn]) {
        let now = turns_of(&self.content);
        let (n_before, n_now) = (before.len(), now.len());
        if n_before == n_now && self.ids.len() == n_now {
            return;
        }
        let pairs = before.iter().zip(now);
        let n_start = pairs.take_while(|(old, new)| old == new).count();
        let shortest = n_before.min(n_now).min(self.ids.len());
        let n_start = n_start.min(shortest);
        let pairs = before.iter().rev().zip(now.iter().rev());
        let n_end = pairs.take_while(|(old, new)| old == new).count();
        let n_end = n_end.min(shortest - n_start);
        let end = self.ids.split_off(self.ids.len() - n_end);
        self.ids.truncate(n_start);
        while self.ids.len() + n_end < n_now {
            let id = self.new_id();
            self.ids.push(id);
        }
        self.ids.extend(end);
    }
}

/// Only what the editor needs of a turn, beside the protocol.
trait SetText {
    fn set_text(&mut self, text: &str);
}

impl SetText for Turn {
    fn set_text(&mut self, text: &str) {
        self.text = match text.is_empty() && !self.tool_calls.is_empty() {
            true => None,
            false => Some(text.to_owned()),
        };
    }
}

/// Who speaks after a role.
pub fn following(role: TurnRole) -> TurnRole {
    match role {
        TurnRole::User | TurnRole::Tool => TurnRole::Assistant,
        TurnRole::System | TurnRole::Developer | TurnRole::Assistant => TurnRole::User,
    }
}

fn role_between(before: Option<&Turn>, after: Option<&Turn>) -> TurnRole {
    match (before, after) {
        (Some(before), _)
            if before.role == TurnRole::Assistant && !before.tool_calls.is_empty() =>
        {
            TurnRole::Tool
        }
        (Some(before), _) => following(before.role),
        (None, Some(after)) if after.role == TurnRole::User => TurnRole::System,
        (None, _) => TurnRole::User,
    }
}

/// Where a turn lands that is dragged to a height: `middles` are those of the turns in their order,
/// `from` is the turn that is dragged.
pub fn place_for(middles: &[f64], from: usize, height: f64) -> usize {
    let others = middles.iter().enumerate().filter(|(at, _)| *at != from);
    others.filter(|(_, middle)| **middle < height).count()
}

/// The turn that a finding is about: `messages[2].content` is 2.
pub fn turn_of_field(field: &str) -> Option<usize> {
    let rest = ["messages[", "conversations[", "turns["]
        .into_iter()
        .find_map(|name| field.strip_prefix(name))?;
    rest.split_once(']')?.0.parse().ok()
}

/// The place in UTF-8 of a place in UTF-16; the end where the text is shorter.
fn byte_of_utf16(text: &str, at: usize) -> usize {
    let mut units = 0;
    for (byte, c) in text.char_indices() {
        if units >= at {
            return byte;
        }
        units += c.len_utf16();
    }
    text.len()
}
