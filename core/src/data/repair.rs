//! Repairs of one record that need no guessing, each for one kind of fault.
//!
//! A repair that would have to guess (two messages of one role with different weights, a text that
//! is damaged in part) leaves the record as it is.

use serde_json::Value;

use super::{Body, Record, validate};
use crate::text::{Conversation, Message, ModelText, Role, control_token};

/// Between texts that become one.
const PARAGRAPH: &str = "\n\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Repair {
    /// Takes control characters out.
    StripControls,
    /// Takes tokens that act as markup out of texts.
    RemoveControlTokens,
    /// Takes away what comes after the last answer.
    DropLastTurns,
    /// Takes messages without text away, but not results of tools.
    DropEmptyMessages,
    /// Makes one message of neighbours of one role.
    JoinSameRoles,
    /// Makes one message of all system messages, at the start.
    MoveSystemFirst,
    /// Answers with a weight other than 0 or 1 get 1; so do all where none is trained.
    SetWeight,
    /// Texts whose UTF-8 was read in another encoding are read again, where all of a text agrees.
    Redecode,
}

impl Repair {
    pub const ALL: [Self; 8] = [
        Self::StripControls,
        Self::RemoveControlTokens,
        Self::DropLastTurns,
        Self::DropEmptyMessages,
        Self::JoinSameRoles,
        Self::MoveSystemFirst,
        Self::SetWeight,
        Self::Redecode,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::StripControls => "strip_controls",
            Self::RemoveControlTokens => "remove_control_tokens",
            Self::DropLastTurns => "drop_last_turns",
            Self::DropEmptyMessages => "drop_empty_messages",
            Self::JoinSameRoles => "join_same_roles",
            Self::MoveSystemFirst => "move_system_first",
            Self::SetWeight => "set_weight",
            Self::Redecode => "redecode",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|repair| repair.name() == name)
    }

    /// The record repaired; `None` where there is nothing to repair. Control tokens are those of
    /// `model`, or without one those that the common templates use.
    pub fn of(self, record: &Record, model: Option<&ModelText>) -> Option<Record> {
        let mut repaired = record.clone();
        match (self, &mut repaired.body) {
            (Self::StripControls, _) => each_text(&mut repaired, &mut |text| {
                text.retain(|c| !validate::is_stray_control(c));
            }),
            (Self::Redecode, _) => each_text(&mut repaired, &mut |text| {
                if let Some(read_again) = redecoded(text) {
                    *text = read_again;
                }
            }),
            (Self::RemoveControlTokens, _) => remove_control_tokens(&mut repaired, model),
            (Self::DropLastTurns, Body::Chat(chat)) => drop_last_turns(chat),
            (Self::DropEmptyMessages, Body::Chat(chat)) => drop_empty_messages(chat),
            (Self::JoinSameRoles, Body::Chat(chat)) => join_same_roles(chat),
            (Self::MoveSystemFirst, Body::Chat(chat)) => move_system_first(chat),
            (Self::SetWeight, Body::Chat(chat)) => set_weight(chat),
            _ => {}
        }
        (repaired != *record).then_some(repaired)
    }
}

/// Every text that is learned from, and those in further keys of messages.
fn each_text(record: &mut Record, change: &mut dyn FnMut(&mut String)) {
    match &mut record.body {
        Body::Chat(chat) => {
            for message in &mut chat.messages {
                if let Some(text) = &mut message.content {
                    change(text);
                }
                for value in message.extra.values_mut() {
                    each_text_of(value, change);
                }
            }
        }
        Body::Text { prompt, completion } => {
            change(prompt);
            change(completion);
        }
        Body::Tokens(_) => {}
    }
}

fn each_text_of(value: &mut Value, change: &mut dyn FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text_of(item, change)),
        Value::Object(fields) => {
            for value in fields.values_mut() {
                each_text_of(value, change);
            }
        }
        _ => {}
    }
}

/// One after the other: taking a token out can join the halves of another.
fn remove_control_tokens(record: &mut Record, model: Option<&ModelText>) {
    loop {
        let found = match model {
            Some(model) => control_token(record, model),
            None => common_control_token(record),
        };
        let Some(token) = found.filter(|token| !token.is_empty()) else {
            return;
        };
        let before = record.clone();
        each_text(record, &mut |text| {
            if text.contains(&token) {
                *text = text.replace(&token, "");
            }
        });
        if *record == before {
            return;
        }
    }
}

fn common_control_token(record: &Record) -> Option<String> {
    let texts = super::measure::texts(record);
    let found = texts.into_iter().find_map(validate::control_token);
    found.map(str::to_owned)
}

fn drop_last_turns(chat: &mut Conversation) {
    let speaks = |message: &Message| message.role == Role::Assistant;
    if let Some(last) = chat.messages.iter().rposition(speaks) {
        chat.messages.truncate(last + 1);
    }
}

fn drop_empty_messages(chat: &mut Conversation) {
    let says = |message: &Message| message.role == Role::Tool || !validate::is_empty(message);
    if chat.messages.iter().any(says) {
        chat.messages.retain(says);
    }
}

fn join_same_roles(chat: &mut Conversation) {
    let mut joined: Vec<Message> = Vec::with_capacity(chat.messages.len());
    for message in chat.messages.drain(..) {
        match joined.last_mut() {
            Some(before) if can_join(before, &message) => join(before, message),
            _ => joined.push(message),
        }
    }
    chat.messages = joined;
}

/// Whether two messages differ in nothing but their text.
fn can_join(before: &Message, message: &Message) -> bool {
    before.role == message.role
        && message.role != Role::Tool
        && before.name == message.name
        && before.weight.unwrap_or(1.0) == message.weight.unwrap_or(1.0)
        // Results of the first one's calls could not stand between them any more.
        && before.tool_calls.is_empty()
        && before.extra == message.extra
}

fn join(before: &mut Message, message: Message) {
    before.tool_calls = message.tool_calls;
    before.content = match (before.content.take(), message.content) {
        (Some(first), Some(second)) if first.trim().is_empty() => Some(second),
        (Some(first), Some(second)) if second.trim().is_empty() => Some(first),
        (Some(first), Some(second)) => Some(first + PARAGRAPH + &second),
        (first, second) => first.or(second),
    };
}

fn move_system_first(chat: &mut Conversation) {
    let is_system = |message: &Message| message.role == Role::System;
    if !chat.messages.iter().skip(1).any(is_system) {
        return;
    }
    let (system, mut rest): (Vec<_>, Vec<_>) = chat.messages.drain(..).partition(is_system);
    let joined = system.into_iter().reduce(|mut first, message| {
        join(&mut first, message);
        first
    });
    rest.splice(..0, joined);
    chat.messages = rest;
}

fn set_weight(chat: &mut Conversation) {
    let answers = || {
        let answers = chat.messages.iter();
        answers.filter(|message| message.role == Role::Assistant)
    };
    let none_trained = answers().all(|message| message.weight == Some(0.0));
    for message in &mut chat.messages {
        let is_odd = message.weight.is_some_and(|w| w != 0.0 && w != 1.0);
        if message.role != Role::Assistant {
            message.weight = message.weight.filter(|_| !is_odd);
        } else if is_odd || none_trained {
            message.weight = Some(1.0);
        }
    }
}

/// The text that was meant, if all of it can be read as UTF-8 once it is bytes again.
fn redecoded(text: &str) -> Option<String> {
    if text.is_ascii() || text.contains('\u{fffd}') {
        return None;
    }
    [encoding_rs::WINDOWS_1252, encoding_rs::SHIFT_JIS]
        .into_iter()
        .find_map(|encoding| {
            let (bytes, _, unmappable) = encoding.encode(text);
            let meant = std::str::from_utf8(&bytes).ok().filter(|_| !unmappable)?;
            let clean = !meant.is_ascii() && !meant.contains(validate::is_stray_control);
            clean.then(|| meant.to_owned())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Role::{Assistant, System, Tool, User};

    fn record(turns: &[(Role, &str)]) -> Record {
        let messages = turns
            .iter()
            .map(|(role, text)| Message::new(*role, *text))
            .collect();
        Record {
            body: Body::Chat(Conversation {
                messages,
                tools: Vec::new(),
            }),
            extra: Default::default(),
            line: 1,
        }
    }

    fn messages(record: &Record) -> &[Message] {
        let Body::Chat(chat) = &record.body else {
            panic!("not a conversation")
        };
        &chat.messages
    }

    #[track_caller]
    fn check(repair: Repair, before: &[(Role, &str)], after: &[(Role, &str)]) {
        let repaired = repair.of(&record(before), None).unwrap();
        let found: Vec<_> = messages(&repaired)
            .iter()
            .map(|message| (message.role, message.text()))
            .collect();
        assert_eq!(found, after);
        assert_eq!(repair.of(&repaired, None), None, "once is enough");
    }

    #[track_caller]
    fn untouched(repair: Repair, turns: &[(Role, &str)]) {
        assert_eq!(repair.of(&record(turns), None), None);
    }

    const GOOD: [(Role, &str); 3] = [(System, "s"), (User, "ü\n"), (Assistant, "a\tb")];

    #[test]
    fn a_good_record_is_left_alone_and_names_lead_back() {
        for repair in Repair::ALL {
            untouched(repair, &GOOD);
            assert_eq!(Repair::from_name(repair.name()), Some(repair));
        }
    }

    #[test]
    fn characters_and_tokens() {
        let (u, a) = ((User, "q"), Assistant);
        check(
            Repair::StripControls,
            &[u, (a, "a\0b\u{7}\n")],
            &[u, (a, "ab\n")],
        );
        check(
            Repair::RemoveControlTokens,
            &[u, (a, "one <|im_<|im_end|>end|>two [INST]")],
            &[u, (a, "one two ")],
        );
    }

    #[test]
    fn turns() {
        let (u, a) = ((User, "q"), (Assistant, "a"));
        check(Repair::DropLastTurns, &[u, a, u, (Tool, "t")], &[u, a]);
        untouched(Repair::DropLastTurns, &[u, u]);
        check(
            Repair::DropEmptyMessages,
            &[(System, " "), u, a, (User, "")],
            &[u, a],
        );
        untouched(Repair::DropEmptyMessages, &[(User, ""), (Assistant, "")]);
        untouched(Repair::DropEmptyMessages, &[u, a, (Tool, ""), a]);
        check(
            Repair::JoinSameRoles,
            &[u, (User, "r"), (User, ""), a, (Assistant, "b")],
            &[(User, "q\n\nr"), (Assistant, "a\n\nb")],
        );
        untouched(Repair::JoinSameRoles, &[u, a, (Tool, "1"), (Tool, "2"), a]);
        check(
            Repair::MoveSystemFirst,
            &[u, (System, "s"), a, (System, "t")],
            &[(System, "s\n\nt"), u, a],
        );
    }

    #[test]
    fn messages_that_differ_in_more_than_text_stay_apart() {
        let mut apart = record(&[(User, "q"), (Assistant, "a"), (Assistant, "b")]);
        let Body::Chat(chat) = &mut apart.body else {
            unreachable!()
        };
        chat.messages[1].weight = Some(0.0);
        assert_eq!(Repair::JoinSameRoles.of(&apart, None), None);
    }

    #[test]
    fn weights() {
        let weighted = |weights: [Option<f32>; 3]| {
            let mut record = record(&[(User, "q"), (Assistant, "a"), (Assistant, "b")]);
            let Body::Chat(chat) = &mut record.body else {
                unreachable!()
            };
            for (message, weight) in chat.messages.iter_mut().zip(weights) {
                message.weight = weight;
            }
            record
        };
        let set = |weights| Repair::SetWeight.of(&weighted(weights), None);
        let one = Some(1.0);
        assert_eq!(
            set([Some(0.5), Some(0.5), Some(0.0)]),
            Some(weighted([None, one, Some(0.0)]))
        );
        assert_eq!(
            set([None, Some(0.0), Some(0.0)]),
            Some(weighted([None, one, one]))
        );
        assert_eq!(set([None, Some(0.0), None]), None);
    }

    #[test]
    fn damaged_text_is_read_again_where_all_of_it_agrees() {
        let (u, a) = ((User, "q"), Assistant);
        check(
            Repair::Redecode,
            &[u, (a, "aÃ±o itâ€™s")],
            &[u, (a, "año it’s")],
        );
        // "あいう" as UTF-8, read as Shift_JIS; not every text survives that.
        let (read, _, _) = encoding_rs::SHIFT_JIS.decode("ああ".as_bytes());
        check(Repair::Redecode, &[u, (a, &read)], &[u, (a, "ああ")]);
        untouched(Repair::Redecode, &[u, (a, "aÃ±o y año")]);
        untouched(Repair::Redecode, &[u, (a, "a\u{fffd}o Ã±")]);
    }
}
