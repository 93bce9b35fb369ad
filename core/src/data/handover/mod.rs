//! What other tools need beside a dataset: their configuration, a card, the limits that they set.
//!
//! Facts in, texts out; the data itself is written by [`super::write`]. Names of settings are those
//! of each tool's own documentation, their values those of a [`TrainJob`].

mod axolotl;
mod card;
mod contents;
mod llama_factory;
mod openai_limits;
mod train_job;
mod yaml;

pub use axolotl::Axolotl;
pub use card::{Card, card, day};
pub use contents::Contents;
pub use llama_factory::LlamaFactory;
pub use openai_limits::{
    MIN_EXAMPLES, OpenAiFinding, OpenAiLimits, OpenAiReport, OpenAiRow, openai_row,
};
pub use train_job::{job_json, train_command};

use super::Format;
use crate::protocol::{TrainJob, studio::Side};

/// A file of the dataset as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFile {
    /// As seen from the folder that is handed over.
    pub path: String,
    /// `None` where the dataset is one file.
    pub side: Option<Side>,
    pub n_records: u64,
    pub n_bytes: u64,
    /// In hexadecimal digits.
    pub sha256: String,
}

/// A written dataset and what to train with it.
#[derive(Debug, Clone, Copy)]
pub struct Handover<'a> {
    pub name: &'a str,
    pub files: &'a [WrittenFile],
    pub format: Format,
    pub contents: &'a Contents,
    /// Name or folder of the base model; may be empty.
    pub model: &'a str,
    pub job: &'a TrainJob,
}

/// Stands where nobody has named a base model yet.
const NO_MODEL: &str = "PUT-THE-BASE-MODEL-HERE";

impl Handover<'_> {
    fn model(&self) -> &str {
        if self.model.is_empty() {
            NO_MODEL
        } else {
            self.model
        }
    }

    /// The file that is trained on: the train side, or the only file.
    fn trained(&self) -> Option<&WrittenFile> {
        let mut files = self.files.iter();
        files
            .clone()
            .find(|file| file.side == Some(Side::Train))
            .or_else(|| files.find(|file| file.side.is_none()))
    }

    fn on(&self, side: Side) -> Option<&WrittenFile> {
        self.files.iter().find(|file| file.side == Some(side))
    }
}

/// Name of a side in files, as Hugging Face names splits.
pub fn side_name(side: Side) -> &'static str {
    match side {
        Side::Train => "train",
        Side::Validation => "validation",
        Side::Test => "test",
    }
}

/// A name of letters, digits and underscores, as tools take for datasets and folders.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    let slug = slug.trim_end_matches('_');
    if slug.is_empty() {
        "dataset".into()
    } else {
        slug.into()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(super) fn file(path: &str, side: Option<Side>, n_records: u64) -> WrittenFile {
        WrittenFile {
            path: path.into(),
            side,
            n_records,
            n_bytes: 10 * n_records,
            sha256: "ab".repeat(32),
        }
    }

    #[test]
    fn names_become_plain() {
        assert_eq!(slug("Preguntas: banca (2024)!"), "preguntas_banca_2024");
        assert_eq!(slug("保険"), "dataset");
    }

    #[test]
    fn the_train_side_is_trained_and_else_the_only_file() {
        let sides = [
            file("test.jsonl", Some(Side::Test), 1),
            file("train.jsonl", Some(Side::Train), 8),
        ];
        let whole = [file("data.jsonl", None, 9)];
        let (contents, job) = (Contents::default(), TrainJob::default());
        let handover = |files| Handover {
            name: "d",
            files,
            format: Format::Openai,
            contents: &contents,
            model: "",
            job: &job,
        };
        let trained = |files| handover(files).trained().map(|file| file.path.clone());
        assert_eq!(trained(&sides).as_deref(), Some("train.jsonl"));
        assert_eq!(trained(&whole).as_deref(), Some("data.jsonl"));
        assert_eq!(trained(&sides[..1]), None);
    }
}
