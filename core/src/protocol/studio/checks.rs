//! What checks find, and what can be done about it.
//!
//! A check has a name; it leaves findings on records or groups of records. Near-duplicates and
//! personal data will be further names: nothing here knows which checks there are.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{RecordKey, Said};

/// Such as `record` (faults of single records), `duplicates`, `template`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CheckName(pub String);

/// A kind of finding, unique over all checks: `empty_answer`, `duplicate`, `control_tokens`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FindingKind(pub String);

/// Something that can be done about a kind of finding, such as `trash` or `keep_first`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FixName(pub String);

/// What a project says of its model beside the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextSetting {
    Template,
    MaxLength,
}

impl FindingKind {
    /// The setting under another value of which the finding may be gone, whatever the record.
    pub fn setting(&self) -> Option<TextSetting> {
        match self.0.as_str() {
            "not_encodable" | "template_rejects" | "message_left_out" | "end_never_trained" => {
                Some(TextSetting::Template)
            }
            "cut_away" | "too_long" => Some(TextSetting::MaxLength),
            _ => None,
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything that the checks found in records outside the trash.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FindingsView {
    /// Errors first, then by count.
    pub kinds: Vec<FindingSummary>,
    /// Checks that have not seen every record as it is now.
    pub outdated: Vec<CheckName>,
    pub n_records_with_errors: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingSummary {
    pub kind: FindingKind,
    pub check: CheckName,
    pub is_error: bool,
    /// In English; the page may have better words for kinds that it knows.
    pub title: String,
    pub advice: String,
    pub n_records: u64,
    /// Findings that someone looked at and accepted, not counted in `n_records`.
    pub n_accepted: u64,
    pub has_groups: bool,
    pub fixes: Vec<FixName>,
    /// Records that each of `fixes` changes, beside them: of a group more may go than were found.
    #[serde(default)]
    pub n_by_fix: Vec<u64>,
}

/// A finding at one record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingView {
    pub kind: FindingKind,
    pub is_error: bool,
    pub title: String,
    /// Such as `messages[2].content`; empty for the record as a whole.
    pub field: String,
    pub found: Said,
    pub expected: Said,
    pub advice: String,
    pub accepted: bool,
    pub fixes: Vec<FixName>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixTarget {
    All,
    Records(Vec<RecordKey>),
}

/// Groups of records, a page of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    pub n: u64,
    pub from: u64,
    pub groups: Vec<GroupView>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupView {
    pub group: u64,
    pub n_records: u64,
    /// Up to 20 of them, in the order of the dataset.
    pub records: Vec<super::Row>,
}
