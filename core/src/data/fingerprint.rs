//! When two records are the same: by question and answer, after normalising what the eye does not see,
//! and by what else training takes from them: tools, reasoning, how much an answer is trained, labels of
//! tokens, a worse answer, a mark.
//!
//! Unicode is brought to NFC and every run of white space becomes one space. Letter case stays: in
//! code, names and tickers it means something; so does how far a line is indented.
//!
//! Projects keep these prints; what changes them needs `project/earlier_form.rs`.

use std::collections::HashMap;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::{
    Body, Record,
    messages::REASONING,
    supervision::{Mark, mark},
};
use crate::text::{Conversation, Encoded, IGNORE_INDEX, Message, Role};

/// What a record asks, and what it asks and answers. Records that ask nothing have no common question:
/// what they ask is the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    pub prompt: u128,
    pub whole: u128,
}

/// The first 128 bits of SHA-256 over the normalised texts and what stands beside them.
pub fn fingerprint(record: &Record) -> Fingerprint {
    let mut hash = Sha256::new();
    let asked = match &record.body {
        Body::Chat(chat) => add_chat(&mut hash, &chat.messages),
        Body::Text { prompt, completion } => {
            add_text(&mut hash, prompt);
            let asked = (!prompt.trim().is_empty()).then(|| short(&hash));
            add_text(&mut hash, completion);
            asked
        }
        Body::Tokens(encoded) => add_tokens(&mut hash, encoded),
    };
    add_terms(&mut hash, record);
    let whole = short(&hash);
    Fingerprint {
        prompt: asked.unwrap_or(whole),
        whole,
    }
}

/// Returns the print of what stands before the last answer, if that asks anything.
fn add_chat(hash: &mut Sha256, messages: &[Message]) -> Option<u128> {
    let last = messages
        .iter()
        .rposition(|message| message.role == Role::Assistant);
    let (prompt, answer) = messages.split_at(last.unwrap_or(messages.len()));
    let mut add = |messages: &[Message]| {
        for message in messages {
            hash.update(message.role.name());
            add_text(hash, message.text());
            for call in &message.tool_calls {
                add_text(hash, &call.to_string());
            }
        }
        short(hash)
    };
    let asked = add(prompt);
    add(answer);
    prompt.iter().any(asks).then_some(asked)
}

/// Instructions by themselves ask nothing, nor does an empty message.
fn asks(message: &Message) -> bool {
    let says = !message.text().trim().is_empty() || !message.tool_calls.is_empty();
    says && !matches!(message.role, Role::System | Role::Developer)
}

fn add_tokens(hash: &mut Sha256, encoded: &Encoded) -> Option<u128> {
    let first = encoded
        .labels
        .iter()
        .skip(1)
        .position(|&label| label != IGNORE_INDEX);
    let n_prompt = first.map_or(0, |first| first + 1);
    let mut add = |ids: &[u32]| {
        ids.iter().for_each(|id| hash.update(id.to_le_bytes()));
        short(hash)
    };
    let (prompt, rest) = encoded.input_ids.split_at(n_prompt.min(encoded.len()));
    let asked = add(prompt);
    add(rest);
    (n_prompt > 1).then_some(asked)
}

/// What makes records with the same texts different ones. Nothing is added where there is nothing of it.
fn add_terms(hash: &mut Sha256, record: &Record) {
    match &record.body {
        Body::Chat(chat) => add_terms_of_chat(hash, chat),
        Body::Tokens(encoded) => add_labels(hash, encoded),
        Body::Text { .. } => {}
    }
    if let Some(Mark { is_good, .. }) = mark(record) {
        hash.update("\0marked\0");
        hash.update([u8::from(is_good)]);
    }
    if !record.extra.contains_key("chosen") {
        return;
    }
    match record.extra.get("rejected") {
        None | Some(Value::Null) => {}
        Some(worse) => {
            hash.update("\0rejected\0");
            match worse {
                Value::String(text) => add_text(hash, text),
                other => hash.update(in_order(other).to_string()),
            }
        }
    }
}

/// Tools, and of answers how much they are trained, and what led to them.
fn add_terms_of_chat(hash: &mut Sha256, chat: &Conversation) {
    for tool in &chat.tools {
        hash.update("\0tool\0");
        hash.update(in_order(tool).to_string());
    }
    for (i, message) in chat.messages.iter().enumerate() {
        if message.role != Role::Assistant {
            continue;
        }
        let at = (i as u64).to_le_bytes();
        match message.weight {
            None | Some(1.0) => {}
            Some(0.0) => {
                hash.update("\0untrained\0");
                hash.update(at);
            }
            Some(weight) => {
                hash.update("\0weight\0");
                hash.update(at);
                hash.update(weight.to_le_bytes());
            }
        }
        if let Some(Value::String(reasoning)) = message.extra.get(REASONING)
            && !reasoning.trim().is_empty()
        {
            hash.update("\0reasoning\0");
            hash.update(at);
            add_text(hash, reasoning);
        }
    }
}

/// Labels that are not the tokens themselves. Nothing predicts the first token, whatever its label.
fn add_labels(hash: &mut Sha256, encoded: &Encoded) {
    let labels = encoded.labels.get(1..).unwrap_or_default();
    let ids = encoded.input_ids.get(1..).unwrap_or_default();
    let is_id = |(label, id): (&i32, &u32)| i64::from(*label) == i64::from(*id);
    if labels.iter().zip(ids).all(is_id) {
        return;
    }
    hash.update("\0labels\0");
    for label in labels {
        hash.update(label.to_le_bytes());
    }
}

/// The same with the keys of objects in order.
fn in_order(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(in_order).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key, in_order(value)));
            let mut fields: Vec<(&String, Value)> = fields.collect();
            fields.sort_by_key(|(key, _)| *key);
            let fields = fields.into_iter().map(|(key, value)| (key.clone(), value));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

fn add_text(hash: &mut Sha256, text: &str) {
    let composed: String;
    let text = if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        text
    } else {
        composed = text.nfc().collect();
        &composed
    };
    // All at once: the hash takes whole blocks far quicker than words.
    let mut words = String::with_capacity(text.len() + 2);
    let is_indented = || text.contains('\n') && (text.contains("\n ") || text.contains("\n\t"));
    if is_spaced_plainly(text) {
        words.push_str(text);
        words.push(' ');
    } else if is_indented() {
        for (line_idx, line) in text.lines().enumerate() {
            let rest = line.trim_start_matches([' ', '\t']);
            if line_idx > 0 && !rest.trim().is_empty() && rest.len() < line.len() {
                words.push('\n');
                words.push_str(&line[..line.len() - rest.len()]);
            }
            add_words(&mut words, line);
        }
    } else {
        add_words(&mut words, text);
    }
    words.push('\0');
    hash.update(words);
}

fn add_words(words: &mut String, text: &str) {
    for word in text.split_whitespace() {
        words.push_str(word);
        words.push(' ');
    }
}

/// Whether a text is nothing but its words with one space between each, as most are.
fn is_spaced_plainly(text: &str) -> bool {
    // Any white space but a single space, or the first bytes of a character that may be some: told of
    // three bytes at once without a branch, which takes a small part of what decoding does.
    let is_odd = |a: u8, b: u8, c: u8| {
        (a.wrapping_sub(b'\t') < 5)
            | (a == b' ') & (b == b' ')
            | (a == 0xc2) & ((b == 0x85) | (b == 0xa0))
            | (a == 0xe1) & (b == 0x9a)
            | (a == 0xe2) & ((b == 0x80) | (b == 0x81))
            | (a == 0xe3) & (b == 0x80) & (c == 0x80)
    };
    let bytes = text.as_bytes();
    let ends = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace());
    let tail = bytes
        .get(bytes.len().saturating_sub(2)..)
        .unwrap_or_default();
    ends(text.chars().next())
        && ends(text.chars().next_back())
        && !tail.iter().any(|byte| is_odd(*byte, 0, 0))
        && !bytes
            .windows(3)
            .fold(false, |odd, w| odd | is_odd(w[0], w[1], w[2]))
}

fn short(hash: &Sha256) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.clone().finalize()[..16]);
    u128::from_le_bytes(bytes)
}

/// For each record the first one before it with the same key, if any.
pub(crate) fn first_before(keys: &[u128]) -> Vec<Option<usize>> {
    let mut seen: HashMap<u128, usize> = HashMap::with_capacity(keys.len());
    let mut first = |(i, key): (usize, &u128)| match seen.get(key) {
        Some(&before) => Some(before),
        None => {
            seen.insert(*key, i);
            None
        }
    };
    keys.iter().enumerate().map(&mut first).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Conversation, Encoded, Message};

    fn chat(question: &str, answer: &str) -> Fingerprint {
        let messages = vec![
            Message::new(Role::User, question),
            Message::new(Role::Assistant, answer),
        ];
        let body = Body::Chat(Conversation {
            messages,
            tools: Vec::new(),
        });
        fingerprint(&Record {
            body,
            extra: Default::default(),
            line: 1,
        })
    }

    /// What a text is made into, word by word.
    fn word_by_word(text: &str) -> String {
        let mut words = String::new();
        add_words(&mut words, text);
        words
    }

    #[test]
    fn a_text_that_is_spaced_plainly_is_its_words() {
        let mut spaces: Vec<char> = ('\0'..='\u{10ffff}')
            .filter(|c| c.is_whitespace())
            .collect();
        spaces.extend([
            'x', 'é', '保', '。', '…', '🙂', '\u{200b}', '\u{1680}', '\0',
        ]);
        let mut n_plain = 0;
        for one in &spaces {
            for other in &spaces {
                for text in [
                    format!("{one}{other}"),
                    format!("a{one}{other}b"),
                    format!("a{one}b{other}c"),
                    format!("añ{one}a b{other}"),
                ] {
                    let is_plain = is_spaced_plainly(&text);
                    assert!(
                        !is_plain || word_by_word(&text) == format!("{text} "),
                        "{text:?}"
                    );
                    n_plain += usize::from(is_plain);
                }
            }
        }
        assert!(n_plain > 100, "{n_plain}");
        for text in ["La prima es de 12 €.", "保険料はいくらですか。", "a b"] {
            assert!(is_spaced_plainly(text), "{text}");
        }
        for text in [
            "",
            " ",
            "a  b",
            " a",
            "a ",
            "a\tb",
            "a\u{3000}b",
            "a\u{a0}b",
        ] {
            assert!(!is_spaced_plainly(text), "{text:?}");
        }
    }

    #[test]
    fn white_space_and_composition_do_not_count_and_case_does() {
        let base = chat("¿Cuánto  ganó?", "más");
        assert_eq!(base, chat("¿Cua\u{301}nto\r\nganó? ", "ma\u{301}s"));
        assert_ne!(base, chat("¿cuánto ganó?", "más"));
        let code = chat("q", "if x:\n    a()\n    b()\n");
        assert_eq!(code, chat("q", "if x:\r\n    a()\n \n\n    b()"));
        assert_ne!(code, chat("q", "if x:\n    a()\nb()"));
        assert_eq!(chat("q", "a\nb"), chat("q", "  a b"));
        assert_eq!(base.prompt, chat("¿Cuánto ganó?", "menos").prompt);
    }

    #[test]
    fn text_does_not_wander_between_question_and_answer() {
        assert_ne!(chat("a b", "c").whole, chat("a", "b c").whole);
    }

    #[test]
    fn texts_without_a_prompt_have_no_common_question() {
        let text = |completion: &str| {
            let body = Body::Text {
                prompt: String::new(),
                completion: completion.into(),
            };
            fingerprint(&Record {
                body,
                extra: Default::default(),
                line: 1,
            })
        };
        assert_ne!(text("a").prompt, text("b").prompt);
        let tokens = |ids: Vec<u32>, labels| {
            let body = Body::Tokens(Encoded {
                input_ids: ids,
                labels,
            });
            fingerprint(&Record {
                body,
                extra: Default::default(),
                line: 1,
            })
        };
        assert_eq!(
            tokens(vec![1, 2, 3], vec![-100, -100, 3]).prompt,
            tokens(vec![1, 2, 4], vec![-100, -100, 4]).prompt
        );
        assert_ne!(
            tokens(vec![1, 2, 3], vec![-100, 2, 3]).prompt,
            tokens(vec![1, 2, 4], vec![-100, 2, 4]).prompt
        );
    }

    fn of_json(json: &str) -> Fingerprint {
        let loaded = crate::data::read(json.as_bytes(), &Default::default()).unwrap();
        fingerprint(&loaded.records[0])
    }

    #[test]
    fn conversations_without_a_question_have_no_common_one() {
        let of = |before: &str, answer: &str| {
            of_json(&format!(
                r#"{{"messages":[{before}{{"role":"assistant","content":"{answer}"}}]}}"#
            ))
        };
        let system = r#"{"role":"system","content":"be brief"},"#;
        let silent = r#"{"role":"system","content":"be brief"},{"role":"user","content":" "},"#;
        for before in ["", system, silent] {
            let (one, other) = (of(before, "a"), of(before, "b"));
            assert_ne!(one.prompt, other.prompt, "{before}");
            assert_eq!(one, of(before, "a"), "{before}");
        }
        let asked = r#"{"role":"user","content":"q"},"#;
        assert_eq!(of(asked, "a").prompt, of(asked, "b").prompt);
        let text =
            |completion: &str| of_json(&format!(r#"{{"prompt":" ","completion":"{completion}"}}"#));
        assert_ne!(text("a").prompt, text("b").prompt);
    }

    #[test]
    fn tools_trained_answers_and_worse_answers_make_another_record() {
        let with = |weights: [&str; 2], beside: &str| {
            of_json(&format!(
                r#"{{"messages":[{{"role":"user","content":"q"}},
                {{"role":"assistant","content":"a"{}}},{{"role":"user","content":"r"}},
                {{"role":"assistant","content":"b"{}}}]{beside}}}"#,
                weights[0], weights[1]
            ))
        };
        let plain = with(["", ""], "");
        assert_eq!(plain, with([r#","weight":1"#, r#","weight":1"#], ""));
        let first = with([r#","weight":1"#, r#","weight":0"#], "");
        let second = with([r#","weight":0"#, r#","weight":1"#], "");
        let tool = with(
            ["", ""],
            r#","tools":[{"type":"function","function":{"name":"f"}}]"#,
        );
        let turned = with(
            ["", ""],
            r#","tools":[{"function":{"name":"f"},"type":"function"}]"#,
        );
        let other = with(
            ["", ""],
            r#","tools":[{"type":"function","function":{"name":"g"}}]"#,
        );
        assert_eq!(tool, turned);
        let wholes = [plain, first, second, tool, other].map(|print| print.whole);
        let all: std::collections::HashSet<u128> = wholes.into_iter().collect();
        assert_eq!(all.len(), 5);
        assert_eq!(plain.prompt, tool.prompt, "the same question may not leak");
        let pair = |rejected: &str| {
            of_json(&format!(
                r#"{{"prompt":"q","chosen":"a","rejected":"{rejected}"}}"#
            ))
        };
        assert_ne!(pair("b").whole, pair("c").whole);
        assert_eq!(pair("b"), pair(" b "));
        assert_eq!(pair("b").prompt, pair("c").prompt);
    }

    #[test]
    fn reasoning_parts_of_weights_marks_and_labels_make_another_record() {
        let answer = |more: &str| {
            of_json(&format!(
                r#"{{"messages":[{{"role":"user","content":"q"}},
                {{"role":"assistant","content":"a"{more}}}]}}"#
            ))
        };
        let marked = |label: &str| {
            of_json(&format!(
                r#"{{"prompt":"q","completion":"a","label":{label}}}"#
            ))
        };
        let tokens =
            |labels: &str| of_json(&format!(r#"{{"input_ids":[1,2,3],"labels":{labels}}}"#));
        let thought = answer(r#","reasoning_content":"because""#);
        assert_ne!(thought, answer(r#","reasoning_content":"but""#));
        assert_eq!(thought.prompt, answer("").prompt);
        for nothing in [
            r#","reasoning_content":" ""#,
            r#","reasoning_content":null"#,
            r#","weight":1"#,
        ] {
            assert_eq!(answer(nothing), answer(""), "{nothing}");
        }
        let weights = ["0", "0.5", "1"].map(|weight| answer(&format!(r#","weight":{weight}"#)));
        assert_eq!(
            weights
                .iter()
                .collect::<std::collections::HashSet<_>>()
                .len(),
            3
        );
        assert_ne!(marked("true"), marked("false"));
        assert_eq!(marked("true"), marked("\"True\""));
        assert_eq!(marked("true").prompt, marked("false").prompt);
        assert_eq!(marked("\"sport\""), marked("\"music\""));
        assert_ne!(tokens("[-100,-100,3]"), tokens("[-100,2,3]"));
        assert_eq!(tokens("[1,2,3]"), tokens("[-100,2,3]"));
    }

    /// Projects keep prints: these may only change together with the form of their files.
    #[test]
    fn prints_of_tokens_that_are_learned_as_they_are_stay() {
        let mut hash = Sha256::new();
        for id in [1_u32, 2, 3] {
            hash.update(id.to_le_bytes());
        }
        let whole = short(&hash);
        let print = of_json(r#"{"input_ids":[1,2,3]}"#);
        assert_eq!(print.whole, whole);
    }

    /// Projects keep prints: these may only change together with the form of their files.
    #[test]
    fn prints_stay_what_they_are() {
        let json = r#"{"messages":[{"role":"system","content":"s"},
            {"role":"user","content":"q"},{"role":"assistant","content":"a"}]}"#;
        let mut hash = Sha256::new();
        hash.update("systems \0userq \0");
        let prompt = short(&hash);
        hash.update("assistanta \0");
        let whole = short(&hash);
        assert_eq!(of_json(json), Fingerprint { prompt, whole });
    }
}
