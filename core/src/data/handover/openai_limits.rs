//! What OpenAI's fine-tuning accepts, checked before anything is uploaded.
//!
//! Codes are those of OpenAI's own data preparation script where it has one. The limits are of its
//! documentation: at least ten examples, files up to 512 MB, weights of 0 or 1.

use std::{collections::BTreeMap, fmt};

use serde_json::{Map, Value};

use crate::{
    data::{Format, write::to_fields},
    protocol::studio::{Phrase, Said},
    text::Record,
};

/// Fewest examples of a training file; one that only measures may have fewer.
pub const MIN_EXAMPLES: u64 = 10;

/// Largest file that can be uploaded.
const MAX_FILE_BYTES: u64 = 512 * 1_000_000;

/// Tokens of an example that are trained on; what lies behind is cut off. Texts have at least about
/// one token for every four characters.
const MAX_EXAMPLE_TOKENS: usize = 65_536;
const CHARS_A_TOKEN: usize = 4;

const MAX_NAME: usize = 64;

const TOP_KEYS: [&str; 5] = [
    "messages",
    "tools",
    "parallel_tool_calls",
    "functions",
    "function_call",
];
const MESSAGE_KEYS: [&str; 7] = [
    "role",
    "content",
    "name",
    "weight",
    "function_call",
    "tool_calls",
    "tool_call_id",
];

/// A record as it is written for OpenAI, and what of it is left out.
pub struct OpenAiRow {
    pub fields: Map<String, Value>,
    /// Names of columns and of keys of messages.
    pub left_out: Vec<String>,
}

/// Messages, tools and nothing else; `None` if the record cannot be a conversation.
pub fn openai_row(record: &Record) -> Option<OpenAiRow> {
    let (fields, _) = to_fields(record, None, Format::Openai, false);
    let mut fields = fields?;
    let mut left_out = Vec::new();
    fields.retain(|key, _| {
        let kept = TOP_KEYS.contains(&key.as_str());
        if !kept {
            left_out.push(key.clone());
        }
        kept
    });
    let messages = fields.get_mut("messages").and_then(Value::as_array_mut);
    for message in messages
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        message.retain(|key, _| {
            let kept = MESSAGE_KEYS.contains(&key.as_str());
            let name = format!("messages.{key}");
            if !kept && !left_out.contains(&name) {
                left_out.push(name);
            }
            kept
        });
    }
    Some(OpenAiRow { fields, left_out })
}

/// Something that OpenAI would refuse, or that would be trained otherwise than meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAiFinding {
    pub code: &'static str,
    pub is_error: bool,
    /// From 1; `None` for the file as a whole.
    pub record: Option<u64>,
    /// Such as `messages[2].content`; may be empty.
    pub field: String,
    pub found: String,
    pub expected: Phrase,
    pub advice: Phrase,
}

impl OpenAiFinding {
    /// The whole of it.
    pub fn said(&self) -> Said {
        let found = self.found.clone();
        let [expected, advice] = [self.expected, self.advice].map(|said| said.english().to_owned());
        match self.record {
            Some(record) => {
                let (record, field) = (record.to_string(), self.field.clone());
                Said::new(
                    Phrase::OpenAiRecord,
                    [record, field, found, expected, advice],
                )
            }
            None => Said::new(Phrase::OpenAiFile, [found, expected, advice]),
        }
    }

    /// The same where there are several files.
    pub fn said_of(&self, file: &str) -> Said {
        let (whole, file) = (self.said(), file.to_owned());
        match whole {
            Said::Phrase(Phrase::OpenAiRecord, mut values) => {
                values.insert(0, file);
                Said::Phrase(Phrase::OpenAiRecordOf, values)
            }
            Said::Phrase(Phrase::OpenAiFile, mut values) => {
                values.insert(0, file);
                Said::Phrase(Phrase::OpenAiFileOf, values)
            }
            other => other,
        }
    }
}

impl fmt::Display for OpenAiFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.said().fmt(f)
    }
}

/// The checks over a file, record after record.
pub struct OpenAiLimits {
    report: OpenAiReport,
    kept_per_code: u64,
    n: u64,
    n_bytes: u64,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenAiReport {
    /// The first ones of each code.
    pub findings: Vec<OpenAiFinding>,
    /// All of them.
    pub counts: BTreeMap<&'static str, u64>,
    pub n_errors: u64,
}

impl OpenAiLimits {
    pub fn keeping(kept_per_code: u64) -> Self {
        Self {
            report: OpenAiReport::default(),
            kept_per_code,
            n: 0,
            n_bytes: 0,
        }
    }

    /// A record as it is written, with the bytes of its line.
    pub fn add(&mut self, fields: &Map<String, Value>, n_bytes: u64) {
        self.n += 1;
        self.n_bytes += n_bytes;
        let mut at = At {
            limits: self,
            field: String::new(),
        };
        at.record(fields);
    }

    /// With what is wrong with the file as a whole.
    pub fn finish(mut self, is_trained: bool) -> OpenAiReport {
        if is_trained && self.n < MIN_EXAMPLES {
            self.note(OpenAiFinding {
                code: "too_few_examples",
                is_error: true,
                record: None,
                field: String::new(),
                found: format!("{} examples", self.n),
                expected: Phrase::AtLeastTen,
                advice: Phrase::AddExamples,
            });
        }
        if self.n_bytes > MAX_FILE_BYTES {
            self.note(OpenAiFinding {
                code: "file_too_large",
                is_error: true,
                record: None,
                field: String::new(),
                found: format!("{} bytes", self.n_bytes),
                expected: Phrase::AtMost512Mb,
                advice: Phrase::ExportFewer,
            });
        }
        self.report
    }

    fn note(&mut self, finding: OpenAiFinding) {
        self.report.n_errors += u64::from(finding.is_error);
        let count = self.report.counts.entry(finding.code).or_insert(0);
        *count += 1;
        if *count <= self.kept_per_code {
            self.report.findings.push(finding);
        }
    }
}

/// The place of a record that is looked at.
struct At<'a> {
    limits: &'a mut OpenAiLimits,
    field: String,
}

/// What a code says: whether it is refused, what was expected, what to do.
type Rule = (&'static str, bool, Phrase, Phrase);

const MISSING_MESSAGES: Rule = (
    "missing_messages_list",
    true,
    Phrase::MessagesNotEmpty,
    Phrase::GiveQuestionAndAnswer,
);
const DATA_TYPE: Rule = (
    "data_type",
    true,
    Phrase::RoleAndContent,
    Phrase::WriteAsObject,
);
const MISSING_KEY: Rule = (
    "message_missing_key",
    true,
    Phrase::KeysRoleContent,
    Phrase::AddMissing,
);
const UNRECOGNIZED_KEY: Rule = (
    "message_unrecognized_key",
    true,
    Phrase::OpenAiKeys,
    Phrase::TakeKeyAway,
);
const UNRECOGNIZED_ROLE: Rule = (
    "unrecognized_role",
    true,
    Phrase::KnownRole,
    Phrase::RenameRole,
);
const MISSING_CONTENT: Rule = (
    "missing_content",
    true,
    Phrase::TextNotEmpty,
    Phrase::WriteTextOrTakeAway,
);
const NO_ANSWER: Rule = (
    "example_missing_assistant_message",
    true,
    Phrase::OneOfAssistant,
    Phrase::AddAnswer,
);
const NO_QUESTION: Rule = (
    "missing_user",
    false,
    Phrase::OneOfUser,
    Phrase::AddQuestion,
);
const NOT_LAST: Rule = (
    "assistant_not_last",
    true,
    Phrase::AssistantAtEnd,
    Phrase::TakeAwayAfterAnswer,
);
const BAD_WEIGHT: Rule = (
    "bad_weight",
    true,
    Phrase::WeightOnAssistant,
    Phrase::SetWeight,
);
const NOTHING_TRAINED: Rule = (
    "nothing_trained",
    true,
    Phrase::WeightNotZero,
    Phrase::WeighOneAnswer,
);
const BAD_NAME: Rule = ("bad_name", true, Phrase::NameLetters, Phrase::RenameIt);
const BAD_TOOL: Rule = ("bad_tool", true, Phrase::ToolShape, Phrase::CorrectTool);
const BAD_CALL: Rule = (
    "bad_tool_call",
    true,
    Phrase::CallShape,
    Phrase::CorrectCall,
);
const UNCALLED: Rule = (
    "tool_result_without_call",
    true,
    Phrase::IdOfCall,
    Phrase::GiveIdOfCall,
);
const TOO_LONG: Rule = (
    "example_too_long",
    false,
    Phrase::AtMostTokens,
    Phrase::Shorten,
);

impl At<'_> {
    fn found(&mut self, rule: Rule, found: impl Into<String>) {
        let (code, is_error, expected, advice) = rule;
        let record = Some(self.limits.n);
        let field = self.field.clone();
        self.limits.note(OpenAiFinding {
            code,
            is_error,
            record,
            field,
            found: found.into(),
            expected,
            advice,
        });
    }

    fn record(&mut self, fields: &Map<String, Value>) {
        self.field = "messages".into();
        let Some(messages) = fields.get("messages").and_then(Value::as_array) else {
            return self.found(MISSING_MESSAGES, kind(fields.get("messages")));
        };
        if messages.is_empty() {
            return self.found(MISSING_MESSAGES, "an empty list");
        }
        let mut calls = Vec::new();
        for (i, message) in messages.iter().enumerate() {
            self.field = format!("messages[{i}]");
            match message.as_object() {
                Some(message) => self.message(i, message, &mut calls),
                None => self.found(DATA_TYPE, kind(Some(message))),
            }
        }
        self.field = "messages".into();
        self.whole(messages);
        for (i, tool) in array(fields, "tools").iter().enumerate() {
            self.field = format!("tools[{i}]");
            self.tool(tool);
        }
    }

    /// What only the conversation as a whole shows.
    fn whole(&mut self, messages: &[Value]) {
        let has = |role| messages.iter().any(|message| message["role"] == role);
        let last = messages.last().map_or("", |message| role(message));
        if !has("assistant") {
            self.found(NO_ANSWER, "none");
        } else if last != "assistant" {
            self.found(NOT_LAST, format!("`{last}`"));
        }
        if !has("user") {
            self.found(NO_QUESTION, "none");
        }
        let mut answers = messages
            .iter()
            .filter(|message| role(message) == "assistant");
        let untrained = |message: &Value| message["weight"].as_f64() == Some(0.0);
        if has("assistant") && answers.all(untrained) {
            self.found(NOTHING_TRAINED, "0 on every answer");
        }
        let texts = messages
            .iter()
            .filter_map(|message| message["content"].as_str());
        let n_chars: usize = texts.map(|text| text.chars().count()).sum();
        if n_chars > MAX_EXAMPLE_TOKENS * CHARS_A_TOKEN {
            self.found(TOO_LONG, format!("{n_chars} characters"));
        }
    }

    fn message(&mut self, i: usize, message: &Map<String, Value>, calls: &mut Vec<String>) {
        let has_calls = message
            .get("tool_calls")
            .is_some_and(|calls| !calls.is_null());
        for key in ["role", "content"] {
            let excused = key == "content" && has_calls;
            if !message.contains_key(key) && !excused {
                self.found(MISSING_KEY, format!("no `{key}`"));
            }
        }
        for key in message.keys() {
            if !MESSAGE_KEYS.contains(&key.as_str()) {
                self.found(UNRECOGNIZED_KEY, format!("`{key}`"));
            }
        }
        let role = message
            .get("role")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if message.contains_key("role")
            && !["system", "user", "assistant", "tool", "function"].contains(&role)
        {
            self.field = format!("messages[{i}].role");
            self.found(UNRECOGNIZED_ROLE, quoted(message.get("role")));
        }
        self.field = format!("messages[{i}].content");
        let content = message.get("content");
        let text = content.and_then(Value::as_str).unwrap_or_default();
        // Parts (text, images) are a list; what they hold is not looked at.
        let parts = content.is_some_and(|c| c.as_array().is_some_and(|parts| !parts.is_empty()));
        if message.contains_key("content") && text.trim().is_empty() && !parts && !has_calls {
            self.found(MISSING_CONTENT, quoted(content));
        }
        self.weight(i, role, message.get("weight"));
        if let Some(name) = message.get("name") {
            self.field = format!("messages[{i}].name");
            self.name(name);
        }
        self.calls(i, role, message, calls);
    }

    fn weight(&mut self, i: usize, role: &str, weight: Option<&Value>) {
        let Some(weight) = weight else { return };
        self.field = format!("messages[{i}].weight");
        let allowed = matches!(weight.as_f64(), Some(0.0 | 1.0));
        if !allowed || role != "assistant" {
            self.found(BAD_WEIGHT, format!("{weight} on a message of `{role}`"));
        }
    }

    fn calls(
        &mut self,
        i: usize,
        role: &str,
        message: &Map<String, Value>,
        calls: &mut Vec<String>,
    ) {
        for (k, call) in array(message, "tool_calls").iter().enumerate() {
            self.field = format!("messages[{i}].tool_calls[{k}]");
            let function = &call["function"];
            let id = call["id"].as_str().unwrap_or_default();
            calls.push(id.to_owned());
            let arguments = function["arguments"].as_str();
            let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
            if id.is_empty() || !arguments.is_some_and(is_json) {
                self.found(BAD_CALL, quoted(Some(call)));
            }
            self.field += ".function.name";
            self.name(&function["name"]);
        }
        if role == "tool" {
            self.field = format!("messages[{i}].tool_call_id");
            let id = message.get("tool_call_id").and_then(Value::as_str);
            if !id.is_some_and(|id| calls.iter().any(|call| call == id)) {
                self.found(UNCALLED, quoted(message.get("tool_call_id")));
            }
        }
    }

    fn tool(&mut self, tool: &Value) {
        if tool["type"] != "function" || !tool["function"].is_object() {
            return self.found(BAD_TOOL, quoted(Some(tool)));
        }
        self.field += ".function.name";
        self.name(&tool["function"]["name"]);
    }

    fn name(&mut self, name: &Value) {
        let text = name.as_str().unwrap_or_default();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if text.is_empty() || text.len() > MAX_NAME || !text.chars().all(plain) {
            self.found(BAD_NAME, quoted(Some(name)));
        }
    }
}

fn role(message: &Value) -> &str {
    message["role"].as_str().unwrap_or_default()
}

fn array<'a>(fields: &'a Map<String, Value>, key: &str) -> &'a [Value] {
    let list = fields.get(key).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn kind(value: Option<&Value>) -> &'static str {
    match value {
        None => "nothing",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "a truth value",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(_)) => "a text",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "an object",
    }
}

/// A value as it stands, short.
fn quoted(value: Option<&Value>) -> String {
    const SHOWN: usize = 60;
    let Some(value) = value else {
        return "nothing".into();
    };
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests;
