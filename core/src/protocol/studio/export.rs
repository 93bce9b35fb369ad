//! Files out of a project.

use serde::{Deserialize, Serialize};

use super::{Said, Side};

/// What to write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Export {
    pub kind: ExportKind,
    /// One file for each side, where records have one; otherwise one for all.
    pub by_side: bool,
    /// Only these sides; empty is all records.
    pub sides: Vec<Side>,
    /// Only the current list.
    pub list_only: bool,
    /// Write although the format cannot hold everything.
    pub lossy: bool,
    /// A README.md beside the data: counts, sources, licences, cleaning steps, hashes.
    pub card: bool,
    /// Title and licence for the card; empty takes the project's name, and names no licence.
    pub title: String,
    pub licence: String,
    /// Name or folder of the base model, for configurations and the job.
    pub model: String,
}

impl Default for Export {
    fn default() -> Self {
        Self {
            kind: ExportKind::Data {
                format: "openai".into(),
                container: DataFile::JsonLines,
            },
            by_side: true,
            sides: Vec::new(),
            list_only: false,
            lossy: false,
            card: true,
            title: String::new(),
            licence: String::new(),
            model: String::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportKind {
    /// A format of `veneer data convert` in a file of some kind.
    Data { format: String, container: DataFile },
    /// Data, `dataset_info.json` and a YAML file for LLaMA-Factory.
    LlamaFactory,
    /// Data and a YAML file for axolotl.
    Axolotl,
    /// JSON Lines within the limits of OpenAI's fine-tuning.
    OpenAiFineTuning,
    /// A table from which every text and column comes back.
    Spreadsheet { container: DataFile },
    /// Data by side and the settings for `veneer train --job`.
    TrainJob,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataFile {
    JsonLines,
    Json,
    Csv,
    Tsv,
    Xlsx,
    Parquet,
}

impl DataFile {
    /// How its name ends.
    pub fn extension(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }
}

/// What an export would be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExportPlan {
    /// Names of the files and their records; zipped where there are several.
    pub files: Vec<(String, u64)>,
    /// What the format cannot hold, with the number of records.
    pub losses: Vec<(Said, u64)>,
    /// What else is not in the files or is another there, and stops nothing, with the number of
    /// records.
    pub notes: Vec<(Said, u64)>,
    /// Why it cannot be written, or must not be used: what, where, what to do.
    pub obstacles: Vec<Said>,
    /// There would be nothing in it, whatever is allowed.
    pub impossible: bool,
    /// What to run with it.
    pub command: String,
}
