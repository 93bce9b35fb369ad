//! What the records of an export have, and what a format would lose of them.

use std::collections::BTreeMap;

use super::selection::Selection;
use crate::{
    data::{
        Format, Loss,
        handover::{Axolotl, Contents, LlamaFactory, OpenAiLimits, OpenAiReport, openai_row},
        to_fields,
    },
    project::{
        Project, ProjectError,
        content::{Origin, read_body},
    },
    protocol::studio::{DataFile, Export, ExportKind, Phrase, Said},
    text::Record,
};

/// Records that one step looks at: a few milliseconds of work.
pub(super) const STEP_RECORDS: usize = 128;

/// Texts of faults that are shown of each kind.
const SHOWN_LIMITS: u64 = 3;

/// Formats of a sheet, the most readable first.
const SHEETS: [Format; 6] = [
    Format::QueryResponse,
    Format::Alpaca,
    Format::PromptCompletion,
    Format::Text,
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
}

impl Walk {
    /// The next records, all of one piece; none at the end.
    pub(super) fn next(
        &mut self,
        project: &Project,
        selection: &Selection,
    ) -> Result<Vec<Outgoing>, ProjectError> {
        while let Some(piece) = selection.pieces.get(self.piece) {
            let bodies = piece.bodies.iter().skip(self.at).take(STEP_RECORDS);
            let mut outgoing = Vec::with_capacity(STEP_RECORDS);
            for &(body, line) in bodies {
                let (mut record, origin) = read_body(project.store.raw(), body)?;
                record.line = line;
                outgoing.push(Outgoing {
                    piece: self.piece,
                    record,
                    origin,
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

    pub(super) fn n_done(&self) -> u64 {
        self.n_done
    }
}

/// What is known once every record was looked at.
pub(super) struct Survey {
    pub(super) contents: Contents,
    /// Names beside the text, with the records that have them.
    pub(super) columns: BTreeMap<String, u64>,
    /// Formats of a sheet that lose nothing.
    sheets: Vec<Format>,
    is_sheet: bool,
}

impl Survey {
    pub(super) fn new(kind: &ExportKind) -> Self {
        Self {
            contents: Contents::default(),
            columns: BTreeMap::new(),
            sheets: SHEETS.to_vec(),
            is_sheet: matches!(kind, ExportKind::Spreadsheet { .. }),
        }
    }

    pub(super) fn add(&mut self, outgoing: &Outgoing) {
        let record = &outgoing.record;
        self.contents.add(record);
        for name in record.extra.keys() {
            match self.columns.get_mut(name) {
                Some(n) => *n += 1,
                None => {
                    self.columns.insert(name.clone(), 1);
                }
            }
        }
        if self.is_sheet {
            let keeps = |format: &Format| {
                let (fields, losses) = to_fields(record, None, *format, true);
                fields.is_some() && losses.is_empty()
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
            ExportKind::Spreadsheet { .. } => {
                Ok(self.sheets.first().copied().unwrap_or(Format::Openai))
            }
            ExportKind::TrainJob => Ok(match () {
                () if n > 0 && contents.n_tokens == n => Format::Tokenized,
                () if n > 0 && contents.n_whole_text == n => Format::Text,
                () if n > 0 && contents.n_whole_text + contents.n_prompted_text == n => {
                    Format::PromptCompletion
                }
                () => Format::Openai,
            }),
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

/// What a format cannot hold, and what a service refuses.
pub(super) struct Toll {
    format: Format,
    table: bool,
    losses: BTreeMap<Loss, u64>,
    left_out: BTreeMap<String, u64>,
    limits: Option<OpenAiLimits>,
}

impl Toll {
    pub(super) fn new(format: Format, export: &Export) -> Self {
        let is_openai = export.kind == ExportKind::OpenAiFineTuning;
        Self {
            format,
            table: is_table(container(&export.kind)),
            losses: BTreeMap::new(),
            left_out: BTreeMap::new(),
            limits: is_openai.then(|| OpenAiLimits::keeping(SHOWN_LIMITS)),
        }
    }

    /// The fields of a record as they are written; `None` where it cannot be.
    pub(super) fn fields(
        &mut self,
        outgoing: &Outgoing,
    ) -> Option<serde_json::Map<String, serde_json::Value>> {
        let record = &outgoing.record;
        if let Some(limits) = &mut self.limits {
            let Some(row) = openai_row(record) else {
                *self.losses.entry(Loss::Record).or_insert(0) += 1;
                return None;
            };
            for name in row.left_out {
                *self.left_out.entry(name).or_insert(0) += 1;
            }
            let n_bytes = serde_json::to_vec(&row.fields).map_or(0, |line| line.len() + 1);
            limits.add(&row.fields, n_bytes as u64);
            return Some(row.fields);
        }
        let raw = Some(&outgoing.origin.raw).filter(|raw| !raw.is_empty());
        let (fields, losses) = to_fields(record, raw, self.format, self.table);
        for loss in losses {
            *self.losses.entry(loss).or_insert(0) += 1;
        }
        fields
    }

    pub(super) fn is_lossy(&self) -> bool {
        self.losses.keys().any(|loss| loss.is_lossy())
    }

    /// In words, with the number of records.
    pub(super) fn losses(&self) -> Vec<(Said, u64)> {
        let lost = self
            .losses
            .iter()
            .map(|(loss, n)| (Said::new(loss.phrase(), []), *n));
        let left_out = self.left_out.iter().map(|(name, n)| {
            let said = Said::new(Phrase::OpenAiTakesNot, [name.clone()]);
            (said, *n)
        });
        lost.chain(left_out).collect()
    }

    pub(super) fn limits(self) -> OpenAiReport {
        self.limits.map(OpenAiLimits::finish).unwrap_or_default()
    }
}
