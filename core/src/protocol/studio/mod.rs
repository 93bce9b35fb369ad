//! What the page and the studio's worker say to each other.
//!
//! The same shape as [`super::tab`]: JSON text, a request has any number of replies, the last one
//! `done` or `failed`. Files travel beside a request, in the order in which it names them; a file
//! that the worker made travels beside its reply, as a browser object.
//! What is here is also what the project of core takes and gives: one definition for both.

mod checks;
mod export;
mod grid;
mod import;
mod project;
mod record;
mod said;
mod split;
mod tokens;

use serde::{Deserialize, Serialize};

pub use checks::{
    CheckName, FindingKind, FindingSummary, FindingView, FindingsView, FixName, FixTarget,
    GroupView, Groups, TextSetting,
};
pub use export::{DataFile, Export, ExportKind, ExportPlan};
pub use grid::{
    Change, Changed, Facets, Filter, LengthUnit, ListView, Query, Replace, Replacement,
    Replacements, Row, Search, SearchMode, Sort, SortBy, Target, Window,
};
pub use import::{
    ChunkReading, Header, ImportNote, ImportSummary, Numbers, PartKey, PartKind, PartView, Preview,
    Reading, RecordReading, Rejected, RowProblem,
};
pub use project::{
    ActionKind, ActionView, Beside, Difference, DifferenceKind, ProjectEntry, ProjectView,
    ProjectsView, RecordDifference, SnapshotKey, SnapshotView, SourceView, Terms,
};
pub use record::{Content, ContentBody, RecordKey, RecordTokens, RecordView, Turn, TurnRole};
pub use said::{Phrase, Said, filled};
pub use split::{Share, Side, SplitPlan, SplitView};
pub use tokens::{RefusalView, TextModelView, TextOptions, TokenView, TokensView, TrainWhat};

use super::tab::{Fault, RequestId};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToStudio {
    pub id: RequestId,
    pub request: StudioRequest,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FromStudio {
    pub id: RequestId,
    pub reply: StudioReply,
}

/// Everything that the page can ask for. Requests on records need an open project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(
    clippy::large_enum_variant,
    reason = "each lives for one message; how large it is depends on the target"
)]
pub enum StudioRequest {
    /// Opens the store; ends with [`StudioOutcome::Projects`].
    Start,
    ListProjects,
    /// Ends with [`StudioOutcome::Project`], as do the next four.
    CreateProject {
        name: String,
    },
    /// A project made of one of the product's own recipes, to look around in.
    CreateSample {
        sample: Sample,
    },
    OpenProject {
        id: String,
        /// Another tab that has it open gives it up.
        take_over: bool,
    },
    /// A project file of the user, beside the message, becomes a project of this browser.
    OpenProjectFile {
        name: String,
    },
    RenameProject {
        name: String,
    },
    /// Ends with [`StudioOutcome::Projects`]. A project whose files were deleted stays open, and is
    /// named as lost there.
    CloseProject,
    /// Ends with [`StudioOutcome::Projects`].
    DeleteProject {
        id: String,
    },
    /// The project as one SQLite file; ends with [`StudioOutcome::File`].
    DownloadProject,

    /// Looks into files beside the message and keeps them at hand; ends with [`StudioOutcome::Inspected`].
    Inspect {
        names: Vec<String>,
        /// Of the page (`en`, `es`, `ja`), for suggestions.
        language: String,
    },
    /// What one part would become under a reading; ends with [`StudioOutcome::Previewed`].
    Preview {
        part: PartKey,
        reading: Reading,
        /// The reading that its fields were guessed for, where it has other options now.
        before: Reading,
    },
    /// Adds parts to the project, all or nothing; ends with [`StudioOutcome::Imported`].
    Import {
        parts: Vec<(PartKey, Reading)>,
    },
    /// Forgets inspected files; ends with [`StudioOutcome::Nothing`].
    ForgetInspected,

    /// Makes the list that windows are cut from; ends with [`StudioOutcome::Listed`].
    Query {
        query: Query,
    },
    /// Rows of the current list; ends with [`StudioOutcome::Window`].
    Window {
        from: u64,
        n: u64,
    },
    /// What can be filtered by, with counts; ends with [`StudioOutcome::Facets`].
    Facets,
    /// The same of the records in the trash.
    TrashFacets,
    /// Ends with [`StudioOutcome::Changed`].
    Change {
        target: Target,
        change: Change,
    },
    /// What a replacement would do, nothing changed; ends with [`StudioOutcome::Replacements`].
    PreviewReplace {
        target: Target,
        replace: Replace,
    },
    /// Deletes what lies in the trash for good, with every trace in history and snapshots; ends with
    /// [`StudioOutcome::Changed`].
    EmptyTrash,

    /// One record whole; ends with [`StudioOutcome::Record`], as do the next two.
    Record {
        record: RecordKey,
    },
    /// A new version of a record's content.
    SaveRecord {
        record: RecordKey,
        content: Content,
        /// What the edit began with: where the record is another one by now, what became of it
        /// otherwise stays. `None` puts the content in place of whatever is there.
        before: Option<Content>,
    },
    /// Behind another record, or at the end.
    AddRecord {
        after: Option<RecordKey>,
        content: Content,
    },

    /// Ends with [`StudioOutcome::Changed`]; as do the next two.
    Undo,
    /// Takes an action back if nothing was done since.
    UndoAction {
        action: u64,
    },
    Redo,
    /// The latest actions, newest first; ends with [`StudioOutcome::History`].
    History {
        n: u64,
    },
    /// Ends with [`StudioOutcome::Snapshots`], as do the next two.
    TakeSnapshot {
        name: String,
    },
    ListSnapshots,
    DeleteSnapshot {
        snapshot: SnapshotKey,
    },
    /// Ends with [`StudioOutcome::Difference`]; `None` is the project as it is now.
    CompareSnapshots {
        before: Option<SnapshotKey>,
        after: Option<SnapshotKey>,
    },
    /// The project becomes what it was, undoably; ends with [`StudioOutcome::Changed`].
    RestoreSnapshot {
        snapshot: SnapshotKey,
    },

    /// Takes tokenizer and template from a model's files beside the message (`tokenizer.json`,
    /// `tokenizer_config.json`, … or a GGUF file); ends with [`StudioOutcome::TextModel`].
    UseTextModel {
        names: Vec<String>,
    },
    /// The same from the site's own model or one that the chat keeps in this browser, by addresses.
    UseTextModelAt {
        name: String,
        files: Vec<super::tab::RemoteFile>,
    },
    /// Ends with [`StudioOutcome::TextModel`].
    SetTextOptions {
        options: TextOptions,
    },
    /// Ends with [`StudioOutcome::TextModel`], without one where none was chosen.
    TextModel,
    /// The record as the model sees it; ends with [`StudioOutcome::Tokens`].
    Tokens {
        record: RecordKey,
        /// Content that is being edited, in place of what is stored.
        draft: Option<Content>,
    },

    /// Brings every check up to date; ends with [`StudioOutcome::Findings`].
    Check,
    /// Ends with [`StudioOutcome::Findings`], with what is known already.
    Findings,
    /// Groups of records that a check found to belong together; ends with [`StudioOutcome::Groups`].
    Groups {
        check: CheckName,
        from: u64,
        n: u64,
    },
    /// What belongs to a kind of finding is settled, undoably; ends with [`StudioOutcome::Changed`].
    Fix {
        finding: FindingKind,
        target: FixTarget,
        fix: FixName,
    },

    /// What a split would be, nothing changed; ends with [`StudioOutcome::Split`], as do the next two.
    PreviewSplit {
        options: SplitPlan,
    },
    ApplySplit {
        options: SplitPlan,
    },
    /// Ends with [`StudioOutcome::Changed`].
    DescribeSource {
        source: u32,
        terms: Terms,
    },
    /// Freezes the sides with a hash, or thaws them.
    FreezeSplit {
        frozen: bool,
    },
    /// Ends with [`StudioOutcome::Split`].
    Split,

    /// What would be written, and what is lost; ends with [`StudioOutcome::ExportPlan`].
    PlanExport {
        export: Export,
    },
    /// Ends with [`StudioOutcome::File`].
    Export {
        export: Export,
    },

    /// Facts that the page wants to find again with the project (columns, filters, remembered
    /// mappings); ends with [`StudioOutcome::Nothing`].
    Remember {
        key: String,
        value: String,
    },
    /// Ends another request after its current step; has no reply of its own.
    Cancel {
        request: RequestId,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sample {
    /// Questions and answers about figures of Spanish banks.
    Bank,
    /// Yield, price and duration of bonds.
    Bond,
}

/// Everything that the studio's worker can say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudioReply {
    Progress(StudioProgress),
    Done(Box<StudioOutcome>),
    Failed(Fault),
    /// Unasked: another tab took the project over.
    TakenOver,
}

impl StudioReply {
    /// Whether nothing follows for this request.
    pub fn ends(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_))
    }
}

/// How far a request is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudioProgress {
    pub stage: StudioStage,
    /// The file, part or check at hand.
    pub what: String,
    pub done: u64,
    /// In the unit of `done`; 0 where it is not known.
    pub total: u64,
}

/// What is being done; `done` and `total` count records unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudioStage {
    /// Bytes.
    Reading,
    /// Pages.
    ReadingPages,
    Adding,
    Indexing,
    Checking,
    Tokenizing,
    Searching,
    Changing,
    Writing,
    /// Bytes.
    Copying,
}

impl StudioStage {
    /// Whether the total is an estimate, which changes on the way.
    pub fn is_estimated(self) -> bool {
        self == Self::Adding
    }
}

/// An estimate as it is shown, without more than three digits before its zeros: 1009786 becomes
/// 1010000.
pub fn about(n: u64) -> u64 {
    let n_digits = n.checked_ilog10().map_or(1, |log| log + 1);
    let unit = 10_u64.pow(n_digits.saturating_sub(3));
    n.div_ceil(unit).saturating_mul(unit)
}

/// What a request ends with when it worked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(
    clippy::large_enum_variant,
    reason = "each lives for one message; how large it is depends on the target"
)]
pub enum StudioOutcome {
    Nothing,
    Projects(ProjectsView),
    Project(ProjectView),
    Inspected(Vec<PartView>),
    Previewed(Preview),
    Imported(ImportSummary),
    Listed(ListView),
    Window(Window),
    Facets(Facets),
    Changed(Changed),
    Replacements(Replacements),
    Record(RecordView),
    History(Vec<ActionView>),
    Snapshots(Vec<SnapshotView>),
    Difference(Difference),
    TextModel(Option<TextModelView>),
    Tokens(TokensView),
    Findings(FindingsView),
    Groups(Groups),
    Split(SplitView),
    ExportPlan(ExportPlan),
    /// The file itself travels beside the reply.
    File {
        name: String,
        bytes: u64,
    },
}
