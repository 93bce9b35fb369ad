//! A document that was read, as a part of a file.

use std::rc::Rc;

use super::{MAX_BYTES, Paper, PaperKind, Piece, paper_encoding, pieces};
use crate::{
    data::{Encoding, Format},
    documents::{Arrival, DocumentError, InputFile, file::head},
    protocol::studio::{ChunkReading, Said},
    text::ModelText,
};

/// Copies share the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PaperText {
    kind: PaperKind,
    paper: Rc<Paper>,
    /// In which it was read, where the format does not say its own.
    encoding: Option<Encoding>,
}

impl Eq for PaperText {}

impl PaperText {
    /// # Errors
    /// If it is too large, damaged, locked, or has no text.
    pub(crate) fn read(file: &dyn InputFile, kind: PaperKind) -> Result<Self, DocumentError> {
        Self::read_in(file, kind, None)
    }

    /// The same in the encoding of a reading; PDF and DOCX know theirs.
    ///
    /// # Errors
    /// If there is no such encoding, or the file cannot be read again.
    pub(crate) fn under(
        &self,
        file: &dyn InputFile,
        reading: &ChunkReading,
    ) -> Result<Self, DocumentError> {
        let encoding = reading.encoding.as_deref().map(Encoding::from_name);
        match encoding.transpose()? {
            Some(encoding) if self.encoding.is_some() => {
                Self::read_in(file, self.kind, Some(encoding))
            }
            _ => Ok(self.clone()),
        }
    }

    /// The encoding in which it is read under a reading; `None` where the format says its own.
    pub(crate) fn encoding(&self, reading: &ChunkReading) -> Option<Encoding> {
        let chosen = reading.encoding.as_deref();
        let chosen = chosen.and_then(|name| Encoding::from_name(name).ok());
        self.encoding.map(|own| chosen.unwrap_or(own))
    }

    fn read_in(
        file: &dyn InputFile,
        kind: PaperKind,
        encoding: Option<Encoding>,
    ) -> Result<Self, DocumentError> {
        let n_bytes = file.n_bytes();
        if n_bytes > MAX_BYTES {
            return Err(DocumentError::TooLarge {
                name: file.name().to_owned(),
                found: n_bytes,
                limit: MAX_BYTES,
            });
        }
        let bytes = head(file, n_bytes)?;
        let own = match kind {
            PaperKind::Docx | PaperKind::Pdf => None,
            PaperKind::Html => Some(paper_encoding::encoding(&bytes, encoding, true)),
            PaperKind::Plain | PaperKind::Verbatim | PaperKind::Markdown => {
                Some(paper_encoding::encoding(&bytes, encoding, false))
            }
        };
        let paper = Paper::read(kind, file.name(), bytes, encoding)?;
        Ok(Self {
            kind,
            paper: Rc::new(paper),
            encoding: own,
        })
    }

    pub(crate) fn n_chars(&self) -> u64 {
        self.paper.n_chars()
    }

    pub(crate) fn n_pages(&self) -> u32 {
        self.paper.n_pages()
    }

    /// What it is, and which of its pages were not read.
    pub(crate) fn told(&self) -> Said {
        let kind = Said::Text(self.kind.name().to_owned());
        self.paper.unread.told_with(kind)
    }

    /// Its pieces as records.
    pub(crate) fn arrivals(
        &self,
        name: &str,
        reading: &ChunkReading,
        text: Option<Rc<ModelText>>,
    ) -> impl Iterator<Item = Result<Arrival, DocumentError>> + use<> {
        let pieces = pieces(&self.paper, name, reading, text);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        documents::{file::Bytes, inspect},
        protocol::studio::Reading,
    };

    #[test]
    fn the_encoding_of_a_reading_counts() {
        const TEXT: &str = "Страхование жизни";
        let file = Bytes::of("a.md", encoding_rs::WINDOWS_1251.encode(TEXT).0);
        let part = inspect(file).remove(0);
        let under = |name: &str| {
            let reading = Reading::Chunks(ChunkReading {
                encoding: Some(name.into()),
                ..ChunkReading::default()
            });
            let arrivals = part.records(&reading, None)?;
            let records = arrivals.filter_map(|arrival| arrival.ok()?.record);
            let texts = records.map(|record| format!("{:?}", record.body));
            Ok::<String, DocumentError>(texts.collect())
        };
        let said = |encoding: Option<&str>| {
            let reading = ChunkReading {
                encoding: encoding.map(String::from),
                ..ChunkReading::default()
            };
            let encoding = part.encoding(&Reading::Chunks(reading)).unwrap();
            encoding.name()
        };
        assert_eq!(said(Some("windows-1251")), "windows-1251");
        assert_eq!(said(Some("latin1")), "windows-1252");
        assert!(under("windows-1251").unwrap().contains(TEXT));
        assert!(!under("latin1").unwrap().contains(TEXT));
        assert!(under("klingon").is_err());
    }
}
