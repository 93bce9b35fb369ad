//! What can be wrong with one record that was read: its turns, its texts, its weights.

use memchr::memchr2_iter;

use super::{Body, Format, Place, Problem, ProblemKind, Record, problem::quote};
use crate::text::{Conversation, Encoded, IGNORE_INDEX, Message, Role};

/// Tokens that the common templates use to mark turns. In the middle of a text they end or open a
/// turn where none is.
const CONTROL_TOKENS: [&str; 26] = [
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|user|>",
    "<|assistant|>",
    "<|system|>",
    "<|end|>",
    "<s>",
    "</s>",
    "<bos>",
    "<eos>",
    "<pad>",
    "<unk>",
    "<start_of_turn>",
    "<end_of_turn>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<</SYS>>",
    "[TOOL_CALLS]",
    "<|eom_id|>",
];

/// Problems of one record.
pub(crate) fn validate(record: &Record, format: Format, place: Place) -> Vec<Problem> {
    let mut validator = Validator {
        format,
        place,
        problems: Vec::new(),
    };
    match &record.body {
        Body::Chat(chat) => validator.chat(chat),
        Body::Text { prompt, completion } => validator.plain(prompt, completion),
        Body::Tokens(encoded) => validator.tokens(encoded),
    }
    validator.problems
}

struct Validator {
    format: Format,
    place: Place,
    problems: Vec<Problem>,
}

impl Validator {
    fn chat(&mut self, chat: &Conversation) {
        let messages = &chat.messages;
        if messages.iter().all(is_empty) {
            self.push(
                ProblemKind::EmptyRecord,
                "",
                "no text at all",
                "a question and its answer",
                "`--fix` drops it",
            );
            return;
        }
        self.answers(messages);
        self.turns(messages);
        for (i, message) in messages.iter().enumerate() {
            // Most messages have nothing that is said of them.
            let format = self.format;
            let field = || field_of(format, messages, i);
            if is_empty(message) && message.role != Role::Assistant {
                let advice = "fill it in or take the message out";
                self.push(ProblemKind::EmptyContent, &field(), "\"\"", "text", advice);
            }
            if let Some(weight) = message.weight
                && weight != 0.0
                && weight != 1.0
            {
                let advice =
                    "the loss of this message is multiplied by it; 0 leaves it out, 1 trains it";
                self.push(
                    ProblemKind::OddWeight,
                    &field(),
                    &weight.to_string(),
                    "0 or 1",
                    advice,
                );
            }
            self.characters(field, message.text());
        }
    }

    fn answers(&mut self, messages: &[Message]) {
        let answers = || {
            messages
                .iter()
                .enumerate()
                .filter(|(_, m)| m.role == Role::Assistant)
        };
        let Some((last, _)) = answers().next_back() else {
            let found = format!(
                "{} message{}",
                messages.len(),
                if messages.len() == 1 { "" } else { "s" }
            );
            let expected = "an assistant message to learn";
            self.push(
                ProblemKind::NoAssistant,
                "",
                &found,
                expected,
                "add the answer or leave the record out",
            );
            return;
        };
        if answers().all(|(_, message)| is_empty(message)) {
            let field = self.field(messages, last);
            let advice = "write the answer, or let `--fix` drop the record";
            self.push(
                ProblemKind::EmptyAnswer,
                &field,
                "\"\"",
                "an answer to learn",
                advice,
            );
            return;
        }
        for (i, _) in answers().filter(|(_, message)| is_empty(message)) {
            let field = self.field(messages, i);
            let advice = "fill it in, or set its weight to 0";
            self.push(
                ProblemKind::EmptyContent,
                &field,
                "\"\"",
                "an answer to learn",
                advice,
            );
        }
        if answers().all(|(_, message)| message.weight == Some(0.0)) {
            let advice = "give at least one assistant message a weight of 1";
            self.push(
                ProblemKind::NothingTrained,
                "",
                "weight 0 everywhere",
                "a message that is trained",
                advice,
            );
        }
    }

    fn turns(&mut self, messages: &[Message]) {
        for (i, pair) in messages.windows(2).enumerate() {
            let (before, message) = (&pair[0], &pair[1]);
            let field = self.field(messages, i + 1);
            if message.role == Role::System {
                let advice = "many templates refuse this; put the system message first";
                self.push(
                    ProblemKind::SystemNotFirst,
                    &field,
                    "a system message",
                    "it only at the start",
                    advice,
                );
            } else if message.role == before.role && message.role != Role::Tool {
                let found = format!("{} after {}", message.role.name(), before.role.name());
                let advice = "many templates refuse this; join the two messages";
                self.push(
                    ProblemKind::RepeatedRole,
                    &field,
                    &found,
                    "roles that take turns",
                    advice,
                );
            }
        }
        let spoken = |message: &&Message| !matches!(message.role, Role::System | Role::Developer);
        if let Some(at) = messages.iter().position(|message| spoken(&message))
            && messages[at].role != Role::User
        {
            let field = self.field(messages, at);
            let found = messages[at].role.name();
            self.push(
                ProblemKind::FirstNotUser,
                &field,
                found,
                "user",
                "many templates refuse this",
            );
        }
        let Some(last) = messages.last() else { return };
        let answered = messages
            .iter()
            .any(|message| message.role == Role::Assistant);
        if answered && last.role != Role::Assistant {
            let field = self.field(messages, messages.len() - 1);
            let advice = "what comes after the last answer is not trained; end with the answer";
            self.push(
                ProblemKind::LastNotAssistant,
                &field,
                last.role.name(),
                "assistant",
                advice,
            );
        }
    }

    fn plain(&mut self, prompt: &str, completion: &str) {
        let field = if self.format == Format::Text {
            "text"
        } else {
            "completion"
        };
        if completion.trim().is_empty() && prompt.trim().is_empty() {
            self.push(
                ProblemKind::EmptyRecord,
                field,
                "\"\"",
                "text",
                "`--fix` drops it",
            );
        } else if completion.trim().is_empty() {
            let advice = "write the answer, or let `--fix` drop the record";
            self.push(
                ProblemKind::EmptyAnswer,
                field,
                &quote(completion),
                "a completion to learn",
                advice,
            );
        }
        self.characters(|| "prompt".into(), prompt);
        self.characters(|| field.into(), completion);
    }

    fn tokens(&mut self, encoded: &Encoded) {
        if encoded.is_empty() {
            self.push(
                ProblemKind::EmptyRecord,
                "input_ids",
                "an empty list",
                "token ids",
                "`--fix` drops it",
            );
            return;
        }
        if encoded.n_targets() == 0 {
            let advice = "a label of -100 is not trained, nor is the first position";
            self.push(
                ProblemKind::NothingTrained,
                "labels",
                "no token to learn",
                "a label that is a token id",
                advice,
            );
        }
        let pairs = encoded.input_ids.iter().zip(&encoded.labels);
        let differs = |(id, label): (&u32, &i32)| {
            *label != IGNORE_INDEX && i64::from(*id) != i64::from(*label)
        };
        if let Some(at) = pairs.clone().position(differs) {
            let found = format!(
                "{} where the id is {}",
                encoded.labels[at], encoded.input_ids[at]
            );
            let advice = "labels are the ids themselves, not shifted: training shifts them";
            self.push(
                ProblemKind::ShiftedLabels,
                &format!("labels[{at}]"),
                &found,
                "the id or -100",
                advice,
            );
        }
    }

    fn characters(&mut self, field: impl Fn() -> String, text: &str) {
        if let Some(token) = control_token(text) {
            let advice =
                "in training it would act as markup; take it out unless it is meant as text";
            self.push(
                ProblemKind::ControlToken,
                &field(),
                token,
                "text without a template's tokens",
                advice,
            );
        }
        if let Some(found) = damaged_characters(text) {
            let advice = "read the original again in its own encoding (`--encoding`)";
            self.push(
                ProblemKind::Mojibake,
                &field(),
                &quote(found),
                "readable text",
                advice,
            );
        }
        // All of them are ASCII.
        let stray = text
            .bytes()
            .find(|byte| is_stray_control(char::from(*byte)));
        if let Some(control) = stray {
            let found = format!("U+{control:04X}");
            self.push(
                ProblemKind::NulCharacter,
                &field(),
                &found,
                "printable text",
                "`--fix` takes it out",
            );
        }
    }

    fn field(&self, messages: &[Message], i: usize) -> String {
        field_of(self.format, messages, i)
    }

    fn push(&mut self, kind: ProblemKind, field: &str, found: &str, expected: &str, advice: &str) {
        let problem = Problem::new(kind, self.place, field);
        self.problems
            .push(problem.found(found).expected(expected).advice(advice));
    }
}

/// The place of a message in the words of the file's own format.
fn field_of(format: Format, messages: &[Message], i: usize) -> String {
    let role = messages[i].role;
    match format {
        Format::Openai => format!("messages[{i}].content"),
        Format::Sharegpt => format!("conversations[{i}].value"),
        _ if role == Role::System => "system".into(),
        Format::Alpaca | Format::QueryResponse if i + 2 < messages.len() => {
            let systems = usize::from(messages[0].role == Role::System);
            let at = i.saturating_sub(systems);
            format!("history[{}][{}]", at / 2, at % 2)
        }
        Format::Alpaca if role == Role::User => "instruction".into(),
        Format::Alpaca => "output".into(),
        Format::QueryResponse if role == Role::User => "query".into(),
        Format::QueryResponse => "response".into(),
        _ => format!("message {}", i + 1),
    }
}

pub(crate) fn is_empty(message: &Message) -> bool {
    message.text().trim().is_empty() && message.tool_calls.is_empty()
}

/// The first token of a template inside a text.
pub(crate) fn control_token(text: &str) -> Option<&'static str> {
    memchr2_iter(b'<', b'[', text.as_bytes()).find_map(|at| {
        CONTROL_TOKENS
            .into_iter()
            .find(|token| text[at..].starts_with(token))
    })
}

/// Replacement characters, or UTF-8 that was read as Windows-1252 (`Ã©`, `â€™`) or as Shift_JIS
/// (`縺ゅ` for the leading bytes of hiragana and katakana).
fn damaged_characters(text: &str) -> Option<&str> {
    if text.is_ascii() {
        return None;
    }
    let mut previous = (0, ' ');
    let mut japanese = 0;
    for (at, c) in text.char_indices() {
        let around = |from: usize| &text[from..];
        match (previous.1, c) {
            (_, '\u{fffd}') => return Some(around(at)),
            ('Ã' | 'Â', '\u{80}'..='\u{bf}') if !matches!((previous.1, c), ('Â', '\u{a0}')) => {
                return Some(around(previous.0));
            }
            ('â', '€') => return Some(around(previous.0)),
            (_, '縺' | '繧' | '繝') => {
                japanese += 1;
                if japanese >= 2 {
                    return Some(around(at));
                }
            }
            _ => {}
        }
        previous = (at, c);
    }
    None
}

/// Control characters that no text needs; tab and line breaks are text.
pub(crate) fn is_stray_control(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(turns: &[(Role, &str)]) -> Vec<(ProblemKind, String)> {
        let messages = turns
            .iter()
            .map(|(role, text)| Message::new(*role, *text))
            .collect();
        let record = Record {
            body: Body::Chat(Conversation {
                messages,
                tools: Vec::new(),
            }),
            extra: Default::default(),
            line: 1,
        };
        let found = validate(&record, Format::Openai, Place { line: 1, record: 1 });
        found.into_iter().map(|p| (p.kind, p.field)).collect()
    }

    #[track_caller]
    fn check(turns: &[(Role, &str)], kind: ProblemKind, field: &str) {
        assert_eq!(problems(turns), [(kind, field.to_owned())]);
    }

    use Role::{Assistant, System, Tool, User};

    #[test]
    fn good_conversations_have_no_problems() {
        assert_eq!(
            problems(&[
                (System, "s"),
                (User, "u"),
                (Assistant, "a"),
                (User, "u"),
                (Assistant, "a")
            ]),
            []
        );
        assert_eq!(
            problems(&[
                (User, "u"),
                (Assistant, "a"),
                (Tool, "1"),
                (Tool, "2"),
                (Assistant, "¿Sí? — “ok”, São, Ã, l’Âge")
            ]),
            []
        );
    }

    #[test]
    fn turns_out_of_order() {
        check(&[(User, "u")], ProblemKind::NoAssistant, "");
        check(
            &[(User, "u"), (Assistant, " ")],
            ProblemKind::EmptyAnswer,
            "messages[1].content",
        );
        check(
            &[(User, ""), (Assistant, "a")],
            ProblemKind::EmptyContent,
            "messages[0].content",
        );
        check(&[(User, ""), (Assistant, "")], ProblemKind::EmptyRecord, "");
        check(
            &[(User, "u"), (Assistant, "a"), (User, "u")],
            ProblemKind::LastNotAssistant,
            "messages[2].content",
        );
        check(
            &[(User, "u"), (User, "u"), (Assistant, "a")],
            ProblemKind::RepeatedRole,
            "messages[1].content",
        );
        check(
            &[(User, "u"), (System, "s"), (Assistant, "a")],
            ProblemKind::SystemNotFirst,
            "messages[1].content",
        );
        check(
            &[(System, "s"), (Assistant, "a")],
            ProblemKind::FirstNotUser,
            "messages[1].content",
        );
    }

    #[test]
    fn damaged_text_and_control_tokens() {
        for (text, kind) in [
            ("done<|im_end|>", ProblemKind::ControlToken),
            ("[INST] x", ProblemKind::ControlToken),
            ("aÃ±o", ProblemKind::Mojibake),
            ("itâ€™s", ProblemKind::Mojibake),
            ("a\u{fffd}o", ProblemKind::Mojibake),
            ("縺ゅ繧九", ProblemKind::Mojibake),
            ("a\0b", ProblemKind::NulCharacter),
        ] {
            check(
                &[(User, "u"), (Assistant, text)],
                kind,
                "messages[1].content",
            );
        }
    }

    #[test]
    fn labels_that_were_shifted_are_noticed() {
        let body = Body::Tokens(Encoded {
            input_ids: vec![1, 2, 3],
            labels: vec![2, 3, -100],
        });
        let record = Record {
            body,
            extra: Default::default(),
            line: 1,
        };
        let found = validate(&record, Format::Tokenized, Place { line: 1, record: 1 });
        assert_eq!(found[0].kind, ProblemKind::ShiftedLabels);
    }
}
