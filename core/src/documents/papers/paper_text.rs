//! A document that was read, as a part of a file.

use std::rc::Rc;

use super::{MAX_BYTES, Paper, PaperKind, Piece, pieces};
use crate::{
    data::Format,
    documents::{Arrival, DocumentError, InputFile, file::head},
    protocol::studio::ChunkReading,
    text::ModelText,
};

/// Copies share the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PaperText(Rc<Paper>);

impl Eq for PaperText {}

impl PaperText {
    /// # Errors
    /// If it is too large, damaged, locked, or has no text.
    pub(crate) fn read(file: &dyn InputFile, kind: PaperKind) -> Result<Self, DocumentError> {
        let n_bytes = file.n_bytes();
        if n_bytes > MAX_BYTES {
            return Err(DocumentError::TooLarge {
                name: file.name().to_owned(),
                found: n_bytes,
                limit: MAX_BYTES,
            });
        }
        let bytes = head(file, n_bytes)?;
        Ok(Self(Rc::new(Paper::read(kind, file.name(), bytes)?)))
    }

    pub(crate) fn n_chars(&self) -> u64 {
        self.0.n_chars()
    }

    pub(crate) fn n_pages(&self) -> u32 {
        self.0.n_pages()
    }

    /// Its pieces as records.
    pub(crate) fn arrivals(
        &self,
        name: &str,
        reading: &ChunkReading,
        text: Option<Rc<ModelText>>,
    ) -> impl Iterator<Item = Result<Arrival, DocumentError>> + use<> {
        let pieces = pieces(&self.0, name, reading, text);
        let n_all = pieces.len().max(1);
        pieces
            .enumerate()
            .map(move |(at, piece)| Ok(arrival(piece, (at + 1) as f64 / n_all as f64)))
    }
}

fn arrival(piece: Piece, progress: f64) -> Arrival {
    Arrival {
        line: piece.record.line,
        record: Some(piece.record),
        format: Format::Text,
        raw: None,
        page: piece.page,
        problems: Vec::new(),
        progress,
    }
}
