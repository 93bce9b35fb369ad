//! Projects, their history and their snapshots.

use serde::{Deserialize, Serialize};

/// Projects of this browser.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProjectsView {
    pub projects: Vec<ProjectEntry>,
    /// Why nothing can be kept beyond this visit, if so.
    pub unavailable: Option<String>,
    /// Whether nothing more can be written: projects can be opened, downloaded and deleted.
    pub is_full: bool,
    /// The open project, where its files were deleted meanwhile.
    pub lost: Option<String>,
    pub used_bytes: u64,
    /// 0 where the browser does not say.
    pub quota_bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectEntry {
    pub id: String,
    pub name: String,
    pub bytes: u64,
    /// Milliseconds since 1970.
    pub changed_ms: i64,
    /// Whether another tab has it open.
    pub open_elsewhere: bool,
}

/// An open project at a glance. Sent again with whatever changed it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProjectView {
    pub id: String,
    pub name: String,
    /// Records that are not in the trash.
    pub n_records: u64,
    pub n_trash: u64,
    pub sources: Vec<SourceView>,
    /// What undo would take back; `None` where there is nothing.
    pub undo: Option<ActionView>,
    pub redo: Option<ActionView>,
    /// Whether the checks have seen every record as it is now.
    pub checked: bool,
    pub split_frozen: bool,
    /// What the page asked to be remembered.
    pub remembered: Vec<(String, String)>,
}

/// Where records came from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceView {
    pub source: u32,
    /// Name of the file, with the part inside it behind ` › `.
    pub name: String,
    pub sha256: String,
    pub format: String,
    pub n_records: u64,
    /// Rows of the file that could not become records.
    pub n_rejected: u64,
    /// What the user says about it, for the card.
    pub licence: String,
    pub url: String,
}

/// What is stated of a source; `None` leaves what was stated before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    #[serde(default)]
    pub licence: Option<String>,
    #[serde(default)]
    pub url: Option<String>,
}

/// Something that was done, and can be undone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ActionView {
    pub action: u64,
    pub what: ActionKind,
    /// What it was done with: a tag, a file, a pattern; may be empty.
    pub detail: String,
    pub n_records: u64,
    pub at_ms: i64,
    pub undone: bool,
}

/// Kinds of actions; the page has words for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    Import,
    #[default]
    Edit,
    Add,
    Tag,
    Untag,
    Trash,
    TakeBack,
    Move,
    Replace,
    Assign,
    Fix,
    Accept,
    Split,
    Freeze,
    Restore,
    Settings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SnapshotKey(pub u32);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SnapshotView {
    pub snapshot: SnapshotKey,
    pub name: String,
    pub at_ms: i64,
    pub n_records: u64,
}

/// What differs between two states of a project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    pub n_added: u64,
    pub n_removed: u64,
    pub n_edited: u64,
    /// Other side of the split, tags, reviewer, accepted findings or place, with the text untouched.
    pub n_moved: u64,
    /// Of all records that both states have, those whose accepted findings differ.
    pub n_accepted: u64,
    /// The first ones, up to 200, edited before added before removed before moved.
    pub records: Vec<RecordDifference>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordDifference {
    pub record: super::RecordKey,
    /// Its place in the dataset of now, from 1, if it is there.
    pub place: Option<u64>,
    pub kind: DifferenceKind,
    /// The texts, one message after the other; empty where there is none. Where there are both, lines
    /// follow for what else differs, such as weights, tools and columns.
    pub before: String,
    pub after: String,
    /// What differs beside what the record says, where both states have it.
    pub beside: Vec<Beside>,
}

/// What differs between two states of a record beside what it says: before, and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beside {
    Side(Option<super::Side>, Option<super::Side>),
    Tags(Vec<String>, Vec<String>),
    /// Nobody is an empty name.
    Reviewer(String, String),
    /// Kinds of findings that somebody has accepted.
    Accepted(Vec<super::FindingKind>, Vec<super::FindingKind>),
    Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    Added,
    Removed,
    Edited,
    Moved,
}
