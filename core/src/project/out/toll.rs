//! What a format takes of the records of an export: what is written, what is lost, what is refused.

use std::{collections::BTreeMap, rc::Rc};

use serde_json::{Map, Value};

use super::{
    selection::Selection,
    survey::{Outgoing, container, is_table},
};
use crate::{
    data::{
        Format, Loss,
        handover::{Contents, Fit, OpenAiLimits, OpenAiReport, openai_row},
        to_fields,
    },
    protocol::studio::{Export, ExportKind, Phrase, Said, Side},
    text::Record,
};

/// Texts of faults that are shown of each kind.
const SHOWN_LIMITS: u64 = 3;

/// What a format cannot hold, and what a service refuses.
pub(super) struct Toll {
    format: Format,
    fit: Rc<Fit>,
    table: bool,
    is_openai: bool,
    losses: BTreeMap<Loss, u64>,
    left_out: BTreeMap<String, u64>,
    /// Of each piece, which is a file of its own.
    limits: BTreeMap<usize, OpenAiLimits>,
    written: Written,
}

/// Counts of the records that are in the files.
#[derive(Default)]
pub(super) struct Written {
    pub(super) contents: Contents,
    /// Names beside the text, with the records that have them.
    pub(super) columns: BTreeMap<String, u64>,
    languages: BTreeMap<usize, u64>,
    pieces: BTreeMap<usize, u64>,
}

impl Written {
    fn add(&mut self, outgoing: &Outgoing, fields: &Map<String, Value>) {
        let record = &outgoing.record;
        self.contents.add(record);
        *self.languages.entry(outgoing.language).or_insert(0) += 1;
        *self.pieces.entry(outgoing.piece).or_insert(0) += 1;
        let beside = record.extra.iter();
        for (name, _) in beside.filter(|(name, value)| fields.get(*name) == Some(*value)) {
            match self.columns.get_mut(name) {
                Some(n) => *n += 1,
                None => {
                    self.columns.insert(name.clone(), 1);
                }
            }
        }
    }

    pub(super) fn n(&self) -> u64 {
        self.contents.n()
    }

    pub(super) fn n_of(&self, piece: usize) -> u64 {
        self.pieces.get(&piece).copied().unwrap_or_default()
    }

    /// The training side has records, and none of them is in its file.
    pub(super) fn lacks_training(&self, selection: &Selection) -> bool {
        let mut pieces = selection.pieces.iter().enumerate();
        pieces.any(|(place, piece)| piece.side == Some(Side::Train) && self.n_of(place) == 0)
    }

    /// The most frequent first.
    pub(super) fn languages(&self, selection: &Selection) -> Vec<(String, u64)> {
        let name = |place: &usize| selection.languages.get(*place).cloned().unwrap_or_default();
        let counts = self.languages.iter().map(|(place, n)| (name(place), *n));
        let mut counts: Vec<(String, u64)> = counts.filter(|(name, _)| !name.is_empty()).collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        counts
    }
}

impl Toll {
    pub(super) fn new(format: Format, fit: Fit, export: &Export) -> Self {
        Self {
            format,
            fit: Rc::new(fit),
            table: is_table(container(&export.kind)),
            is_openai: export.kind == ExportKind::OpenAiFineTuning,
            losses: BTreeMap::new(),
            left_out: BTreeMap::new(),
            limits: BTreeMap::new(),
            written: Written::default(),
        }
    }

    /// The fields of a record as they are written; `None` where it cannot be.
    pub(super) fn fields(&mut self, outgoing: &Outgoing) -> Option<Map<String, Value>> {
        let fit = Rc::clone(&self.fit);
        let record = fit.record(&outgoing.record)?;
        let mut fields = match self.is_openai {
            true => self.openai(&record, outgoing.piece),
            false => self.in_format(&record, outgoing.original()),
        }?;
        self.written.add(outgoing, &fields);
        fit.row(&mut fields);
        Some(fields)
    }

    fn openai(&mut self, record: &Record, piece: usize) -> Option<Map<String, Value>> {
        let Some(row) = openai_row(record) else {
            *self.losses.entry(Loss::Record).or_insert(0) += 1;
            return None;
        };
        for name in row.left_out {
            *self.left_out.entry(name).or_insert(0) += 1;
        }
        let n_bytes = serde_json::to_vec(&row.fields).map_or(0, |line| line.len() + 1);
        let limits = self.limits.entry(piece);
        let limits = limits.or_insert_with(|| OpenAiLimits::keeping(SHOWN_LIMITS));
        limits.add(&row.fields, n_bytes as u64);
        Some(row.fields)
    }

    fn in_format(
        &mut self,
        record: &Record,
        original: Option<&Map<String, Value>>,
    ) -> Option<Map<String, Value>> {
        let (fields, losses) = to_fields(record, original, self.format, self.table);
        for loss in losses {
            *self.losses.entry(loss).or_insert(0) += 1;
        }
        fields
    }

    pub(super) fn is_lossy(&self) -> bool {
        self.losses.keys().any(|loss| loss.is_lossy())
    }

    pub(super) fn written(&self) -> &Written {
        &self.written
    }

    /// In words, with the number of records.
    pub(super) fn losses(&self) -> Vec<(Said, u64)> {
        let left_out = self.left_out.iter().map(|(name, n)| {
            let said = Said::new(Phrase::OpenAiTakesNot, [name.clone()]);
            (said, *n)
        });
        self.said(true).chain(left_out).collect()
    }

    /// What is another thing there, but not lost.
    pub(super) fn changes(&self) -> Vec<(Said, u64)> {
        self.said(false).collect()
    }

    fn said(&self, lossy: bool) -> impl Iterator<Item = (Said, u64)> {
        let losses = self.losses.iter();
        losses
            .filter(move |(loss, _)| loss.is_lossy() == lossy)
            .map(|(loss, n)| (Said::new(loss.phrase(), []), *n))
    }

    /// What is wrong with each file, by its piece.
    pub(super) fn limits(self, selection: &Selection) -> Vec<(usize, OpenAiReport)> {
        let is_trained = |place: usize| {
            let piece = selection.pieces.get(place);
            piece.is_some_and(|piece| matches!(piece.side, None | Some(Side::Train)))
        };
        let limits = self.limits.into_iter();
        limits
            .map(|(place, limits)| (place, limits.finish(is_trained(place))))
            .collect()
    }
}
