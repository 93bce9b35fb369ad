//! What other tools need beside a dataset: their configuration, a card, the limits that they set.
//!
//! Facts in, texts out; the data itself is written by [`super::write`]. Names of settings are those
//! of each tool's own documentation, their values those of a [`TrainJob`].

mod axolotl;
mod card;
mod columns;
mod contents;
mod fit;
mod llama_factory;
mod llama_templates;
mod openai_limits;
mod train_job;
mod yaml;

pub use axolotl::Axolotl;
pub use card::{Card, card, day};
pub use columns::Columns;
pub use contents::Contents;
pub use fit::Fit;
pub use llama_factory::LlamaFactory;
pub use openai_limits::{
    MIN_EXAMPLES, OpenAiFinding, OpenAiLimits, OpenAiReport, OpenAiRow, openai_row,
};
pub use train_job::{job_json, train_command, train_losses};

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use super::Format;
use crate::protocol::{
    TrainJob,
    studio::{Phrase, Said, Side, TextOptions},
};

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
    /// Template, and what of a record is trained.
    pub text: &'a TextOptions,
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

/// Column in which a spreadsheet says on which side a record is; importing puts it back there.
#[cfg(feature = "studio")]
pub const SIDE_COLUMN: &str = "veneer_side";

/// The side of that name, in large letters or small.
#[cfg(feature = "studio")]
pub fn side_named(name: &str) -> Option<Side> {
    let name = name.trim();
    let mut sides = Side::ALL.into_iter();
    sides.find(|side| side_name(*side).eq_ignore_ascii_case(name))
}

/// What a tool does not do with these records, as far as there are any, and a template that it has
/// nothing like.
fn told(
    losses: &[(Phrase, u64)],
    unknown_template: Option<&str>,
    contents: &Contents,
) -> Vec<(Said, u64)> {
    let losses = losses.iter().map(|(what, n)| (Said::new(*what, []), *n));
    let unknown = unknown_template.map(|name| {
        let what = Said::new(Phrase::TemplateNotCarried, [name.to_owned()]);
        (what, contents.n_chat)
    });
    losses.chain(unknown).filter(|(_, n)| *n > 0).collect()
}

/// Columns that are written as text, with the number of records that have them.
fn told_as_text(contents: &Contents) -> impl Iterator<Item = (Said, u64)> {
    let mixed = contents.columns.mixed();
    mixed.map(|(name, n)| (Said::new(Phrase::ColumnAsText, [name.to_owned()]), n))
}

/// A chosen template that the tool has, but that writes `n` records a little otherwise there.
fn told_as_different(template: &str, n: u64) -> Option<(Said, u64)> {
    let what = Said::new(Phrase::TemplateDiffers, [template.to_owned()]);
    (n > 0).then_some((what, n))
}

/// What a service that learns every answer as a good one does not do with these records.
pub fn service_losses(contents: &Contents) -> Vec<(Said, u64)> {
    told(&[(Phrase::MarkedBad, contents.n_bad)], None, contents)
}

/// Bytes of a [`slug`]; file systems take 255 with what is put around it.
const MAX_SLUG: usize = 120;

/// Names that Windows keeps for devices, whatever comes behind the dot.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// A name of letters of any script, digits and underscores, as tools and systems take for datasets,
/// files and folders.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.nfc().flat_map(char::to_lowercase) {
        if slug.len() + c.len_utf8() > MAX_SLUG {
            break;
        }
        let goes_on = is_combining_mark(c) && !slug.is_empty() && !slug.ends_with('_');
        if c.is_alphanumeric() || goes_on {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    let slug = slug.trim_end_matches('_');
    let is_port = |name: &str| {
        let number = name.strip_prefix("com").or(name.strip_prefix("lpt"));
        number.is_some_and(|number| {
            number.chars().count() == 1 && number.chars().all(char::is_numeric)
        })
    };
    if slug.is_empty() {
        "dataset".into()
    } else if DEVICES.contains(&slug) || is_port(slug) {
        format!("{slug}_dataset")
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
        assert_eq!(slug("保険（2024）"), "保険_2024");
        assert_eq!(slug("cre\u{301}dito"), "crédito");
        assert_eq!(slug("हिन्दी"), "हिन्दी");
        assert_eq!(slug("…"), "dataset");
        assert_eq!(slug("CON"), "con_dataset");
        let long = slug(&"¿Qué es un bono? ".repeat(40));
        assert!(long.len() <= MAX_SLUG && !long.ends_with('_'), "{long}");
    }

    #[test]
    fn the_train_side_is_trained_and_else_the_only_file() {
        let sides = [
            file("test.jsonl", Some(Side::Test), 1),
            file("train.jsonl", Some(Side::Train), 8),
        ];
        let whole = [file("data.jsonl", None, 9)];
        let (contents, job) = (Contents::default(), TrainJob::default());
        let text = TextOptions::default();
        let handover = |files| Handover {
            name: "d",
            files,
            format: Format::Openai,
            contents: &contents,
            model: "",
            text: &text,
            job: &job,
        };
        let trained = |files| handover(files).trained().map(|file| file.path.clone());
        assert_eq!(trained(&sides).as_deref(), Some("train.jsonl"));
        assert_eq!(trained(&whole).as_deref(), Some("data.jsonl"));
        assert_eq!(trained(&sides[..1]), None);
    }
}
