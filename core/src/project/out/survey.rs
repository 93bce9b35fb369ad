//! What the records of an export have, and what a format would lose of them.

use serde_json::{Map, Value};

use super::selection::Selection;
use crate::{
    data::{
        Format,
        handover::{Axolotl, Contents, LlamaFactory},
        to_fields,
    },
    project::{
        Project, ProjectError,
        content::{Origin, read_body},
    },
    protocol::studio::{DataFile, ExportKind, Phrase, Said, Side, StudioProgress, StudioStage},
    text::{Body, Record},
};

/// Records that one step looks at: a few milliseconds of work.
pub(super) const STEP_RECORDS: usize = 128;

/// Formats of a sheet, the most readable first.
const SHEETS: [Format; 6] = [
    Format::QueryResponse,
    Format::Alpaca,
    Format::Text,
    Format::PromptCompletion,
    Format::Openai,
    Format::Tokenized,
];

/// Every record of a selection, a few at a time.
#[derive(Default)]
pub(super) struct Walk {
    piece: usize,
    at: usize,
    n_done: u64,
}

/// A record on its way out.
pub(super) struct Outgoing {
    pub(super) piece: usize,
    pub(super) record: Record,
    pub(super) origin: Origin,
    /// Among [`Selection::languages`].
    pub(super) language: usize,
    pub(super) side: Option<Side>,
}

impl Outgoing {
    /// How the record stood in its file, where that says more.
    pub(super) fn original(&self) -> Option<&Map<String, Value>> {
        Some(&self.origin.raw).filter(|raw| !raw.is_empty())
    }
}

impl Walk {
    /// The next records, all of one piece; none at the end.
    pub(super) fn next(
        &mut self,
        project: &Project,
        selection: &Selection,
    ) -> Result<Vec<Outgoing>, ProjectError> {
        while let Some(piece) = selection.pieces.get(self.piece) {
            let members = piece.members.iter().skip(self.at).take(STEP_RECORDS);
            let mut outgoing = Vec::with_capacity(STEP_RECORDS);
            for member in members {
                let (mut record, origin) = read_body(project.store.raw(), member.body)?;
                record.line = member.line;
                outgoing.push(Outgoing {
                    piece: self.piece,
                    record,
                    origin,
                    language: member.language,
                    side: member.side,
                });
            }
            self.at += outgoing.len();
            self.n_done += outgoing.len() as u64;
            if !outgoing.is_empty() {
                return Ok(outgoing);
            }
            (self.piece, self.at) = (self.piece + 1, 0);
        }
        Ok(Vec::new())
    }

    /// How far an export of `n` records is, which looks at each of them twice.
    pub(super) fn progress(&self, stage: StudioStage, is_second: bool, n: u64) -> StudioProgress {
        let before = if is_second { n } else { 0 };
        StudioProgress {
            stage,
            what: String::new(),
            done: (before + self.n_done) / 2,
            total: n,
        }
    }
}

/// What is known once every record was looked at.
pub(super) struct Survey {
    pub(super) contents: Contents,
    /// Formats of a sheet that lose nothing.
    sheets: Vec<Format>,
    is_sheet: bool,
    /// Alpaca's `input` would be joined to its `instruction` in any other format.
    has_input: bool,
}

impl Survey {
    pub(super) fn new(kind: &ExportKind) -> Self {
        Self {
            contents: Contents::default(),
            sheets: SHEETS.to_vec(),
            is_sheet: matches!(kind, ExportKind::Spreadsheet { .. }),
            has_input: false,
        }
    }

    pub(super) fn add(&mut self, outgoing: &Outgoing) {
        let record = &outgoing.record;
        self.contents.add(record);
        if self.is_sheet {
            if let Some(original) = outgoing.original() {
                let (fields, _) = to_fields(record, Some(original), Format::Alpaca, true);
                let is_apart = |fields: Map<String, Value>| {
                    fields.get("input").is_some_and(|input| input != "")
                };
                self.has_input |= fields.is_some_and(is_apart);
            }
            let keeps = |format: &Format| {
                let (fields, losses) = to_fields(record, None, *format, true);
                // In cells, these two are read as plain text.
                let becomes_text =
                    *format == Format::PromptCompletion && matches!(record.body, Body::Chat(_));
                fields.is_some() && losses.is_empty() && !becomes_text
            };
            self.sheets.retain(keeps);
        }
    }

    /// The format that the records are written in.
    ///
    /// # Errors
    /// If the format has no name, or nothing that the tool reads can hold them.
    pub(super) fn format(&self, kind: &ExportKind) -> Result<Format, ProjectError> {
        let contents = &self.contents;
        let n = contents.n();
        let whole = |tool: &str| ProjectError::CannotDo {
            reason: Said::new(
                Phrase::TokensUnreadable,
                [contents.n_tokens.to_string(), n.to_string(), tool.into()],
            )
            .to_string(),
        };
        match kind {
            ExportKind::Data { format, .. } => Ok(Format::from_name(format)?),
            ExportKind::LlamaFactory => {
                LlamaFactory::format(contents).ok_or_else(|| whole("LLaMA-Factory"))
            }
            ExportKind::Axolotl => Axolotl::format(contents).ok_or_else(|| whole("axolotl")),
            ExportKind::OpenAiFineTuning => Ok(Format::Openai),
            ExportKind::Spreadsheet { .. } if self.has_input => {
                let alpaca = self.sheets.iter().find(|sheet| **sheet == Format::Alpaca);
                Ok(*alpaca.unwrap_or(&self.sheet()))
            }
            ExportKind::Spreadsheet { .. } => Ok(self.sheet()),
            ExportKind::TrainJob => Ok(self.plainest()),
        }
    }

    fn sheet(&self) -> Format {
        let first = self.sheets.first().copied();
        first.unwrap_or_else(|| self.plainest())
    }

    /// The format that is made for what the records are.
    fn plainest(&self) -> Format {
        let contents = &self.contents;
        match contents.n() {
            0 => Format::Openai,
            n if contents.n_tokens == n => Format::Tokenized,
            n if contents.n_whole_text == n => Format::Text,
            n if contents.n_whole_text + contents.n_prompted_text == n => Format::PromptCompletion,
            _ => Format::Openai,
        }
    }
}

/// The kind of file that an export's data is in.
pub(super) fn container(kind: &ExportKind) -> DataFile {
    match kind {
        ExportKind::Data { container, .. } | ExportKind::Spreadsheet { container } => *container,
        _ => DataFile::JsonLines,
    }
}

/// Rows with a flat cell for each field.
pub(super) fn is_table(container: DataFile) -> bool {
    matches!(container, DataFile::Csv | DataFile::Tsv | DataFile::Xlsx)
}
