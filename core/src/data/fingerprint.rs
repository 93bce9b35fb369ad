//! When two records are the same: by question and answer, after normalising what the eye does not see.
//!
//! Unicode is brought to NFC and every run of white space becomes one space. Letter case stays: in
//! code, names and tickers it means something; so does how far a line is indented.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::{Body, Record};
use crate::text::{IGNORE_INDEX, Role};

/// What a record asks, and what it asks and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint {
    pub(crate) prompt: u128,
    pub(crate) whole: u128,
}

pub(crate) fn fingerprint(record: &Record) -> Fingerprint {
    let mut hash = Sha256::new();
    match &record.body {
        Body::Chat(chat) => {
            let last = chat
                .messages
                .iter()
                .rposition(|message| message.role == Role::Assistant);
            let (prompt, answer) = chat.messages.split_at(last.unwrap_or(chat.messages.len()));
            let mut add = |messages: &[crate::text::Message]| {
                for message in messages {
                    hash.update(message.role.name());
                    add_text(&mut hash, message.text());
                    for call in &message.tool_calls {
                        add_text(&mut hash, &call.to_string());
                    }
                }
                short(&hash)
            };
            Fingerprint {
                prompt: add(prompt),
                whole: add(answer),
            }
        }
        Body::Text { prompt, completion } => {
            add_text(&mut hash, prompt);
            let asked = short(&hash);
            add_text(&mut hash, completion);
            let whole = short(&hash);
            // Texts without a prompt do not ask the same question.
            Fingerprint {
                prompt: if prompt.is_empty() { whole } else { asked },
                whole,
            }
        }
        Body::Tokens(encoded) => {
            let first = encoded
                .labels
                .iter()
                .skip(1)
                .position(|&label| label != IGNORE_INDEX);
            let n_prompt = first.map_or(0, |first| first + 1);
            let mut add = |ids: &[u32]| {
                ids.iter().for_each(|id| hash.update(id.to_le_bytes()));
                short(&hash)
            };
            let (prompt, rest) = encoded.input_ids.split_at(n_prompt.min(encoded.len()));
            let (asked, whole) = (add(prompt), add(rest));
            Fingerprint {
                prompt: if n_prompt <= 1 { whole } else { asked },
                whole,
            }
        }
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
    if text.contains("\n ") || text.contains("\n\t") {
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
}
