//! Text of our own for pretraining a small base: short chats in Spanish, English and Japanese.
//!
//! The corpus teaches general skills and no fact of the real world: to answer in short fixed forms, to
//! copy a name, number or unit out of the question or a given text, to look a value up in a small table,
//! to recall figures of a small invented world, and to say that it does not know. Names and figures are
//! drawn anew for every record, so that only the skill is left to learn.
//!
//! Record `i` depends on `(seed, i)` alone: any part of the corpus can be made again by itself.

mod banking;
mod bonds;
mod insurance;
mod invent;
mod japanese;
mod skills;
mod sql;
mod world;

use serde_json::Map;

use crate::{
    data::{Body, Record},
    rng::Rng,
    text::{Conversation, Message, Role},
};

/// One kind of chat and its share of what is not Japanese, in per cent.
type Source = (u64, fn(&mut Rng) -> Chat);

const SOURCES: [Source; 13] = [
    (20, banking::with_context),
    (6, banking::not_in_context),
    (4, banking::follow_up),
    (4, banking::compared),
    (26, world::recalled),
    (4, banking::unknown_bank),
    (8, skills::copied),
    (7, skills::extracted),
    (4, skills::reckoned),
    (4, skills::small_talk),
    (5, insurance::designed),
    (4, bonds::asked),
    (4, sql::reviewed),
];

/// Share of the corpus; drawn first, because Japanese chooses among kinds of its own.
const JAPANESE_PER_CENT: usize = 10;

/// The first `n_records` records of the corpus of `seed`, in the form of chats.
pub fn pretraining_corpus(seed: u64, n_records: u64) -> impl Iterator<Item = Record> + Send {
    (0..n_records).map(move |index| record(seed, index))
}

/// What a tokenizer should learn from a record: roles and contents, without the template's markup.
pub fn tokenizer_text(record: &Record) -> String {
    match &record.body {
        Body::Chat(chat) => chat
            .messages
            .iter()
            .map(|message| format!("{}\n{}\n", message.role.name(), message.text()))
            .collect(),
        Body::Text { prompt, completion } => format!("{prompt}{completion}"),
        Body::Tokens(_) => String::new(),
    }
}

fn record(seed: u64, index: u64) -> Record {
    let mut rng = Rng::new(seed, index);
    let chat = source(&mut rng)(&mut rng);
    Record {
        body: Body::Chat(Conversation {
            messages: chat.0,
            tools: Vec::new(),
        }),
        extra: Map::new(),
        line: index + 1,
    }
}

fn source(rng: &mut Rng) -> fn(&mut Rng) -> Chat {
    if rng.below(100) < JAPANESE_PER_CENT {
        return japanese::spoken;
    }
    let total: u64 = SOURCES.iter().map(|(share, _)| share).sum();
    let mut draw = rng.below(total as usize) as u64;
    for (share, write) in SOURCES {
        if draw < share {
            return write;
        }
        draw -= share;
    }
    banking::with_context
}

/// Messages in the making.
struct Chat(Vec<Message>);

impl Chat {
    /// A question and its answer.
    fn new(question: impl Into<String>, answer: impl Into<String>) -> Self {
        Self(Vec::new()).then(question, answer)
    }

    fn with_system(text: impl Into<String>) -> Self {
        Self(vec![Message::new(Role::System, text)])
    }

    fn then(mut self, question: impl Into<String>, answer: impl Into<String>) -> Self {
        self.0.push(Message::new(Role::User, question));
        self.0.push(Message::new(Role::Assistant, answer));
        self
    }
}

/// Replace each `{key}` of a pattern; values are not searched again.
fn fill(pattern: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(pattern.len() + 32);
    let mut rest = pattern;
    while let Some(open) = rest.find('{') {
        text.push_str(&rest[..open]);
        let tail = &rest[open + 1..];
        let Some(close) = tail.find('}') else { break };
        match values.iter().find(|(key, _)| *key == &tail[..close]) {
            Some((_, value)) => text.push_str(value),
            None => text.push_str(&rest[open..open + close + 2]),
        }
        rest = &tail[close + 1..];
    }
    text.push_str(rest);
    text
}

/// First letter in upper case, for the start of a sentence.
fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + chars.as_str())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMO_BANKS: [&str; 5] = ["Santander", "CaixaBank", "BBVA", "Sabadell", "Kutxabank"];

    #[test]
    fn no_demo_bank_is_ever_named() {
        for record in pretraining_corpus(0, 20_000) {
            let text = tokenizer_text(&record).to_lowercase();
            for bank in DEMO_BANKS {
                assert!(!text.contains(&bank.to_lowercase()), "{bank} in {text}");
            }
        }
    }

    #[test]
    fn every_pattern_is_filled_and_every_chat_ends_with_an_answer() {
        for record in pretraining_corpus(1, 20_000) {
            let Body::Chat(chat) = &record.body else {
                panic!("not a chat")
            };
            assert_eq!(
                chat.messages.last().map(|message| message.role),
                Some(Role::Assistant)
            );
            for message in &chat.messages {
                let text = message.text();
                assert!(!text.trim().is_empty(), "an empty message in {chat:?}");
                assert!(!text.contains('{') && !text.contains('}'), "{text}");
                assert!(!text.contains("  ") && !text.contains("<|"), "{text}");
                assert!(text.chars().count() < 700, "{text}");
            }
        }
    }

    #[test]
    fn a_record_depends_on_seed_and_index_alone() {
        let long: Vec<Record> = pretraining_corpus(5, 50).collect();
        assert_eq!(long[40], record(5, 40));
        assert_ne!(long[40].body, record(6, 40).body);
    }

    #[test]
    fn fill_leaves_unknown_keys_and_does_not_search_values() {
        assert_eq!(
            fill("{a} and {b}", &[("a", "{b}"), ("b", "2")]),
            "{b} and 2"
        );
        assert_eq!(fill("{c", &[("c", "1")]), "{c");
    }
}
