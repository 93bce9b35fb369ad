//! What is wrong with a dataset: where, what was found, what was expected, what to do.
//!
//! Reading never stops at the first fault. Every problem is counted by kind; the texts of the first
//! ones of each kind are kept, so that a file with a million faults still fits in memory.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

#[cfg(feature = "studio")]
use crate::protocol::studio::{FindingKind, RowProblem, Said};

/// Texts kept for each kind of problem unless the caller asks for more; counts are always complete.
pub const DEFAULT_KEPT_PER_KIND: usize = 50;

/// Whether a record can be used in spite of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The record cannot be trained on as it stands.
    Error,
    /// The record can be used; a person should look at it.
    Warning,
}

/// What sort of fault it is. The name is what `--json` says and what counts are kept under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    BrokenJson,
    InvalidEncoding,
    TooLarge,
    NotAnObject,
    BrokenRow,
    UnclosedArray,
    MissingField,
    WrongType,
    UnknownRole,
    UnsupportedContent,
    EmptyRecord,
    EmptyAnswer,
    NoAssistant,
    LabelsLength,
    BadTokens,
    MixedFormats,
    UnknownField,
    UnreadKey,
    OddRows,
    EmptyContent,
    LastNotAssistant,
    FirstNotUser,
    RepeatedRole,
    SystemNotFirst,
    NothingTrained,
    OddWeight,
    ShiftedLabels,
    ControlToken,
    Mojibake,
    NulCharacter,
    Duplicate,
    ConflictingAnswers,
    TooLong,
}

impl ProblemKind {
    pub const ALL: [Self; 33] = [
        Self::BrokenJson,
        Self::InvalidEncoding,
        Self::TooLarge,
        Self::NotAnObject,
        Self::BrokenRow,
        Self::UnclosedArray,
        Self::MissingField,
        Self::WrongType,
        Self::UnknownRole,
        Self::UnsupportedContent,
        Self::EmptyRecord,
        Self::EmptyAnswer,
        Self::NoAssistant,
        Self::LabelsLength,
        Self::BadTokens,
        Self::MixedFormats,
        Self::UnknownField,
        Self::UnreadKey,
        Self::OddRows,
        Self::EmptyContent,
        Self::LastNotAssistant,
        Self::FirstNotUser,
        Self::RepeatedRole,
        Self::SystemNotFirst,
        Self::NothingTrained,
        Self::OddWeight,
        Self::ShiftedLabels,
        Self::ControlToken,
        Self::Mojibake,
        Self::NulCharacter,
        Self::Duplicate,
        Self::ConflictingAnswers,
        Self::TooLong,
    ];

    /// The name that `--json` says.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BrokenJson => "broken_json",
            Self::InvalidEncoding => "invalid_encoding",
            Self::TooLarge => "too_large",
            Self::NotAnObject => "not_an_object",
            Self::BrokenRow => "broken_row",
            Self::UnclosedArray => "unclosed_array",
            Self::MissingField => "missing_field",
            Self::WrongType => "wrong_type",
            Self::UnknownRole => "unknown_role",
            Self::UnsupportedContent => "unsupported_content",
            Self::EmptyRecord => "empty_record",
            Self::EmptyAnswer => "empty_answer",
            Self::NoAssistant => "no_assistant",
            Self::LabelsLength => "labels_length",
            Self::BadTokens => "bad_tokens",
            Self::MixedFormats => "mixed_formats",
            Self::UnknownField => "unknown_field",
            Self::UnreadKey => "unread_key",
            Self::OddRows => "odd_rows",
            Self::EmptyContent => "empty_content",
            Self::LastNotAssistant => "last_not_assistant",
            Self::FirstNotUser => "first_not_user",
            Self::RepeatedRole => "repeated_role",
            Self::SystemNotFirst => "system_not_first",
            Self::NothingTrained => "nothing_trained",
            Self::OddWeight => "odd_weight",
            Self::ShiftedLabels => "shifted_labels",
            Self::ControlToken => "control_token",
            Self::Mojibake => "mojibake",
            Self::NulCharacter => "nul_character",
            Self::Duplicate => "duplicate",
            Self::ConflictingAnswers => "conflicting_answers",
            Self::TooLong => "too_long",
        }
    }

    pub fn severity(self) -> Severity {
        if self <= Self::BadTokens {
            Severity::Error
        } else {
            Severity::Warning
        }
    }

    /// A short heading for tables.
    pub const fn title(self) -> &'static str {
        match self {
            Self::BrokenJson => "broken JSON",
            Self::InvalidEncoding => "bytes that are not text",
            Self::TooLarge => "record over the size cap",
            Self::NotAnObject => "not an object",
            Self::BrokenRow => "row with a wrong number of columns",
            Self::UnclosedArray => "file ends inside an array",
            Self::MissingField => "missing field",
            Self::WrongType => "wrong type",
            Self::UnknownRole => "unknown role",
            Self::UnsupportedContent => "content that is not text",
            Self::EmptyRecord => "empty record",
            Self::EmptyAnswer => "empty answer",
            Self::NoAssistant => "no assistant message",
            Self::LabelsLength => "labels of another length",
            Self::BadTokens => "token ids that cannot be",
            Self::MixedFormats => "another format than the file's",
            Self::UnknownField => "field that looks misspelt",
            Self::UnreadKey => "part of the file not read",
            Self::OddRows => "rows that may be broken",
            Self::EmptyContent => "empty message",
            Self::LastNotAssistant => "last message not the assistant's",
            Self::FirstNotUser => "conversation not opened by the user",
            Self::RepeatedRole => "same role twice in a row",
            Self::SystemNotFirst => "system message not first",
            Self::NothingTrained => "nothing to train on",
            Self::OddWeight => "weight other than 0 or 1",
            Self::ShiftedLabels => "labels that differ from the ids",
            Self::ControlToken => "control token inside text",
            Self::Mojibake => "damaged characters",
            Self::NulCharacter => "NUL or control characters",
            Self::Duplicate => "exact duplicate",
            Self::ConflictingAnswers => "same prompt, other answer",
            Self::TooLong => "over-long record",
        }
    }
}

/// One fault at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub kind: ProblemKind,
    pub severity: Severity,
    /// Line of the file, from 1.
    pub line: u64,
    /// Column in that line, from 1, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// Number of the record in the file, from 1; 0 where no record is meant.
    pub record: u64,
    /// Path inside the record, such as `messages[2].role`; empty for the record as a whole.
    pub field: String,
    pub found: String,
    pub expected: String,
    pub advice: String,
}

impl Problem {
    pub fn new(kind: ProblemKind, place: Place, field: impl Into<String>) -> Self {
        Self {
            kind,
            severity: kind.severity(),
            line: place.line,
            column: None,
            record: place.record,
            field: field.into(),
            found: String::new(),
            expected: String::new(),
            advice: String::new(),
        }
    }

    /// The same for a screen.
    #[cfg(feature = "studio")]
    pub(crate) fn of_row(&self) -> RowProblem {
        RowProblem {
            line: self.line,
            kind: FindingKind(self.kind.name().to_owned()),
            title: self.kind.title().to_owned(),
            field: self.field.clone(),
            found: Said::read(&self.found),
            expected: Said::read(&self.expected),
        }
    }

    #[must_use]
    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = found.into();
        self
    }

    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }

    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }

    #[must_use]
    pub fn at_column(mut self, column: u64) -> Self {
        self.column = Some(column);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        if self.record > 0 {
            write!(f, ", record {}", self.record)?;
        }
        if !self.field.is_empty() {
            write!(f, ", field `{}`", self.field)?;
        }
        write!(f, ": {}", self.kind.title())?;
        if !self.found.is_empty() {
            write!(f, ", found {}", self.found)?;
        }
        if !self.expected.is_empty() {
            write!(f, ", expected {}", self.expected)?;
        }
        Ok(())
    }
}

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub line: u64,
    pub record: u64,
}

/// Problems of a file: complete counts, and the first texts of each kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Problems {
    counts: BTreeMap<ProblemKind, u64>,
    kept: Vec<Problem>,
    #[serde(skip)]
    kept_per_kind: usize,
}

impl Problems {
    pub fn keeping(kept_per_kind: usize) -> Self {
        Self {
            kept_per_kind,
            ..Self::default()
        }
    }

    /// Keep this many texts of each kind from now on.
    pub(crate) fn keep(&mut self, kept_per_kind: usize) {
        self.kept_per_kind = kept_per_kind;
    }

    pub fn push(&mut self, problem: Problem) {
        let count = self.counts.entry(problem.kind).or_insert(0);
        *count += 1;
        if *count <= self.kept_per_kind as u64 {
            self.kept.push(problem);
        }
    }

    pub fn extend(&mut self, problems: impl IntoIterator<Item = Problem>) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }

    /// How often each kind occurred, errors first.
    pub fn counts(&self) -> &BTreeMap<ProblemKind, u64> {
        &self.counts
    }

    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    pub fn n_errors(&self) -> u64 {
        self.n_of(Severity::Error)
    }

    pub fn n_warnings(&self) -> u64 {
        self.n_of(Severity::Warning)
    }

    fn n_of(&self, severity: Severity) -> u64 {
        let same = self
            .counts
            .iter()
            .filter(|(kind, _)| kind.severity() == severity);
        same.map(|(_, count)| count).sum()
    }

    /// The first `cap` problems: errors before warnings, then by line.
    pub fn first(&self, cap: usize) -> Vec<&Problem> {
        let mut sorted: Vec<&Problem> = self.kept.iter().collect();
        sorted.sort_by_key(|problem| (problem.severity, problem.line, problem.record));
        sorted.truncate(cap);
        sorted
    }
}

/// A value as an error message shows it: short, on one line, quoted when it is text.
pub(crate) fn show(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => format!("the boolean {value}"),
        Value::Number(_) => format!("the number {value}"),
        Value::String(text) => format!("the text {}", quote(text)),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(fields) => {
            let keys: Vec<&str> = fields.keys().take(4).map(String::as_str).collect();
            let more = if fields.len() > 4 { ", …" } else { "" };
            format!("an object with {{{}{more}}}", keys.join(", "))
        }
    }
}

/// Text in quotes, cut to 40 characters, line breaks and controls escaped.
pub(crate) fn quote(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut short: String = text.chars().take(SHOWN).flat_map(escape_control).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    format!("\"{short}\"")
}

/// A control character would act on the terminal that shows the message.
fn escape_control(c: char) -> Vec<char> {
    if c.is_control() {
        c.escape_default().collect()
    } else {
        vec![c]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{protocol::studio::Said, text::Role};

    #[test]
    fn counts_are_complete_and_texts_capped_per_kind() {
        let mut problems = Problems::keeping(2);
        for line in 1..=5 {
            let place = Place { line, record: line };
            problems.push(Problem::new(ProblemKind::Duplicate, place, ""));
        }
        let place = Place { line: 9, record: 9 };
        problems.push(Problem::new(ProblemKind::BrokenJson, place, ""));
        assert_eq!((problems.n_errors(), problems.n_warnings()), (1, 5));
        let lines: Vec<u64> = problems.first(9).iter().map(|p| p.line).collect();
        assert_eq!(lines, [9, 1, 2], "errors come first");
    }

    #[test]
    fn names_are_those_that_json_says() {
        for kind in ProblemKind::ALL {
            assert_eq!(serde_json::json!(kind), kind.name());
        }
    }

    /// What was expected is said in every language; what was found, where it is no quote.
    #[test]
    fn details_of_faults_are_phrases() {
        const LINES: [&str; 20] = [
            r#"{"messages": []}"#,
            r#"{"messages": [{"role": "user", "content": "q"}]}"#,
            r#"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": ""}]}"#,
            r#"{"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": "a"}]}"#,
            r#"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "weight": 0.5}]}"#,
            r#"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "weight": 0}]}"#,
            r#"{"messages": [{"role": "user", "content": "q"}, {"role": "user", "content": "r"}, {"role": "assistant", "content": "a"}]}"#,
            r#"{"messages": [{"role": "user", "content": "q"}, {"role": "system", "content": "s"}, {"role": "assistant", "content": "a"}]}"#,
            r#"{"messages": [{"role": "assistant", "content": "a"}]}"#,
            r#"{"messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "q"}]}"#,
            r#"{"messages": [{"role": "user", "content": "<|im_end|>"}, {"role": "assistant", "content": "a"}]}"#,
            r#"{"messages": [{"role": "user", "content": 5}, {"role": "assistant", "content": "a"}]}"#,
            r#"{"messages": [{"role": 5, "content": "q"}, {"role": "assistant", "content": "a"}]}"#,
            r#"{"messages": [{"role": "user", "content": [{"type": "image_url"}]}, {"role": "assistant", "content": "a"}]}"#,
            r#"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": true}]}"#,
            r#"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "weight": "x"}]}"#,
            r#"{"messages": {"a": 1}}"#,
            r#"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "tools": 5}"#,
            r#"{"messages": [{"role": "wizard", "content": "q"}, {"role": "assistant", "content": "a"}]}"#,
            r#"{"messages": [{"role": "user", "content": "q\u0000"}, {"role": "assistant", "content": "a"}]}"#,
        ];
        // Roles, quotes and characters are the same everywhere.
        let stays = |text: &str| {
            let is_role = Role::ALL.iter().any(|role| role.name() == text);
            is_role || text.starts_with(['"', '<', '0']) || text.starts_with("U+")
        };
        let options = crate::data::ReadOptions {
            format: Some(crate::data::Format::Openai),
            kept_problems: 99,
            ..crate::data::ReadOptions::default()
        };
        let loaded = crate::data::read(LINES.join("\n").as_bytes(), &options).unwrap();
        let problems = loaded.problems.first(99);
        for line in 1..=LINES.len() as u64 {
            let found = problems.iter().any(|problem| problem.line == line);
            assert!(found, "nothing is wrong with line {line}");
        }
        for problem in problems {
            for said in [&problem.found, &problem.expected] {
                let is_known = matches!(Said::read(said), Said::Phrase(..)) || stays(said);
                assert!(is_known, "{said} in {problem}");
            }
        }
    }

    #[test]
    fn shown_text_is_short_and_has_no_controls() {
        let shown = quote(&format!("a\n\u{1b}[31m{}", "é".repeat(60)));
        assert!(shown.starts_with("\"a\\n\\u{1b}[31m") && shown.ends_with("…\""));
        assert!(!shown.contains('\u{1b}'));
    }
}
