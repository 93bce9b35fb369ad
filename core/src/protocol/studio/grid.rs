//! The list of records: what is asked for, what a row shows, what is done to many at once.

use serde::{Deserialize, Serialize};

use super::{CheckName, FindingKind, RecordKey, Side, TurnRole};

/// Which records, in which order. Every condition must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Query {
    pub search: Option<Search>,
    pub filter: Filter,
    pub sort: Sort,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    pub text: String,
    pub mode: SearchMode,
    pub case_sensitive: bool,
    /// Only in messages of this role.
    pub role: Option<TurnRole>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    /// All words, anywhere; `"…"` is a phrase. From the index.
    #[default]
    Words,
    /// The text as it stands.
    Text,
    Regex,
}

/// Empty lists and `None` restrict nothing; several values of one list are alternatives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// In place of everything else that is not in the trash: the trash.
    pub trash: bool,
    pub tags: Vec<String>,
    pub without_tags: Vec<String>,
    /// `None` in the list: on no side.
    pub sides: Vec<Option<Side>>,
    pub languages: Vec<String>,
    pub sources: Vec<u32>,
    /// `None` in the list: nobody yet.
    pub reviewers: Vec<Option<String>>,
    /// Records with a message of every one of these roles.
    pub roles: Vec<TurnRole>,
    pub findings: Vec<FindingKind>,
    /// A column beside the text, and a value it must have; the value's text.
    pub field: Option<(String, String)>,
    pub min_length: Option<u64>,
    pub max_length: Option<u64>,
    pub length_in: LengthUnit,
    /// Records of one group of a check.
    pub group: Option<(CheckName, u64)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LengthUnit {
    #[default]
    Characters,
    /// Under the chosen model; records that were not counted yet do not match.
    Tokens,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sort {
    pub by: SortBy,
    pub descending: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// The order of the dataset, which moving changes.
    #[default]
    Position,
    Prompt,
    Answer,
    Characters,
    Tokens,
    Turns,
    Language,
    Side,
    Source,
    Findings,
    Changed,
}

/// The list that a query made. Windows are cut from it until the next query.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ListView {
    pub n: u64,
    /// Records that the filter was applied to.
    pub n_of: u64,
    /// Milliseconds the query took in the worker.
    pub took_ms: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Window {
    pub from: u64,
    pub rows: Vec<Row>,
    /// Length of the list, so that a page that lags behind notices.
    pub n: u64,
}

/// A record in the list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub record: RecordKey,
    /// Start of the last question, and of the last answer.
    pub prompt: String,
    pub answer: String,
    pub system: String,
    pub n_turns: u32,
    pub n_chars: u64,
    /// `None` until they were counted under the chosen model.
    pub n_tokens: Option<u64>,
    pub n_trained: Option<u64>,
    pub language: String,
    pub tags: Vec<String>,
    pub side: Option<Side>,
    pub reviewer: String,
    pub source: u32,
    /// Page of the document it came from.
    pub page: Option<u32>,
    pub n_errors: u32,
    pub n_warnings: u32,
    pub changed: bool,
    pub in_trash: bool,
}

/// What can be filtered by.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facets {
    pub tags: Vec<(String, u64)>,
    pub sides: Vec<(Option<Side>, u64)>,
    pub languages: Vec<(String, u64)>,
    pub sources: Vec<(u32, u64)>,
    pub reviewers: Vec<(Option<String>, u64)>,
    pub roles: Vec<(TurnRole, u64)>,
    /// Names of columns beside the text.
    pub fields: Vec<String>,
    /// Keys with texts inside these columns, such as `metadata.author`; not all of a large dataset.
    #[serde(default)]
    pub nested_fields: Vec<String>,
    /// Upper edge and count of each bin, in characters.
    pub lengths: Vec<(u64, u64)>,
}

/// Which records a change goes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Records(Vec<RecordKey>),
    /// All of the current list, but these.
    List {
        except: Vec<RecordKey>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    AddTag(String),
    RemoveTag(String),
    SetSide(Option<Side>),
    SetReviewer(String),
    /// Sets a column beside the text; `None` takes it away.
    SetField(String, Option<serde_json::Value>),
    /// Sets or takes away the system message.
    SetSystem(Option<String>),
    Replace(Replace),
    /// In their order, before a record, or to the end.
    Move {
        before: Option<RecordKey>,
    },
    Trash,
    TakeBack,
}

/// Search and replace in texts of messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replace {
    pub search: Search,
    /// With `$1`, `${name}`, `\n`, `\t` in regular expressions.
    pub with: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Replacements {
    pub n_records: u64,
    pub n_matches: u64,
    /// The first ones, up to 50.
    pub examples: Vec<Replacement>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Replacement {
    pub record: RecordKey,
    pub message: u32,
    /// With a little text around the match.
    pub before: String,
    pub after: String,
}

/// What a change did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    pub n_records: u64,
    pub action: Option<super::ActionView>,
    pub project: super::ProjectView,
    /// The current list, made again where the change touched what it is made of.
    pub list: ListView,
}
