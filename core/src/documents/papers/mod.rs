//! Documents to pieces of text: plain text, Markdown, HTML, DOCX, PDF.
//!
//! bytes → [`Paper`]: pages of headings, paragraphs, code and tables → [`chunk::chunks`] → records. A
//! document is read as a person reads it: what is markup is gone, what is a table stays one.
//!
//! A page number is kept where the document has pages of its own (PDF, page breaks of DOCX).

mod chunk;
mod docx;
mod docx_body;
mod docx_lists;
mod docx_math;
mod docx_parts;
mod docx_relations;
mod docx_styles;
mod docx_symbols;
#[cfg(test)]
mod fixture_tests;
mod formulas;
mod html;
mod html_math;
mod html_tables;
mod html_tags;
mod markdown;
mod numerals;
mod paper_encoding;
mod paper_text;
mod pdf;
mod pdf_bidi;
mod pdf_budget;
mod pdf_columns;
mod pdf_drawn;
mod pdf_fonts;
mod pdf_forms;
mod pdf_layout;
mod pdf_letters;
mod pdf_pages;
mod pdf_runs;
mod pdf_tables;
mod pdf_unpacked;
mod plain;
mod scripts;
mod sentences;
mod spans;
mod table_names;
mod table_rows;
mod unread;

use super::DocumentError;
use crate::{data::Encoding, protocol::studio::Phrase};

pub(crate) use chunk::{Piece, pieces};
pub(crate) use paper_text::PaperText;
use unread::Unread;

/// Largest document that is read, as it lies in its file.
pub(crate) const MAX_BYTES: u64 = 512 << 20;

/// What a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PaperKind {
    /// Prose without markup.
    Plain,
    /// Code and other text of which every character counts.
    Verbatim,
    Markdown,
    Html,
    Docx,
    Pdf,
}

impl PaperKind {
    /// What a document is by its first bytes, else by its name; `None` for what is no document.
    pub(crate) fn of(name: &str, start: &[u8]) -> Option<Self> {
        let by_content = Self::of_content(start);
        let is_zip = start.starts_with(b"PK");
        let by_name = Self::of_name(name).filter(|kind| (*kind == Self::Docx) == is_zip);
        // A PDF that is none is damaged, and read as one to say so.
        by_content.or(by_name)
    }

    /// By the ending of a file's name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "txt" | "text" | "log" | "rst" => Some(Self::Plain),
            "md" | "markdown" => Some(Self::Markdown),
            "html" | "htm" | "xhtml" => Some(Self::Html),
            "docx" => Some(Self::Docx),
            "pdf" => Some(Self::Pdf),
            _ => None,
        }
    }

    /// By its first bytes, where they are unmistakable.
    pub(crate) fn of_content(start: &[u8]) -> Option<Self> {
        let text = start.trim_ascii_start();
        let lower: Vec<u8> = text.iter().take(15).map(u8::to_ascii_lowercase).collect();
        if start.windows(5).take(1024).any(|bytes| bytes == b"%PDF-") {
            Some(Self::Pdf)
        } else if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
            Some(Self::Html)
        } else {
            None
        }
    }

    /// What a text is of which nothing else is known: prose, unless its name has an ending that says
    /// something else.
    pub(crate) fn of_text(name: &str) -> Self {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let has_ending = file.trim_start_matches('.').contains('.');
        let otherwise = match has_ending {
            true => Self::Verbatim,
            false => Self::Plain,
        };
        Self::of_name(file).unwrap_or(otherwise)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain | Self::Verbatim => "plain text",
            Self::Markdown => "Markdown",
            Self::Html => "HTML",
            Self::Docx => "DOCX",
            Self::Pdf => "PDF",
        }
    }
}

/// A document, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Paper {
    pub(crate) pages: Vec<Page>,
    /// Pages of it that have something else than text.
    pub(crate) unread: Unread,
}

/// A page, or the whole of a document without pages.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Page {
    /// From 1; `None` where the document has no pages.
    pub(crate) number: Option<u32>,
    pub(crate) blocks: Vec<Block>,
}

/// What stands on its own in a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Block {
    Heading(String),
    Paragraph(String),
    Code(String),
    /// Lines of plain text with the blank ones behind them, which part them from the next block.
    Lines(String),
    /// The same of a text that is kept to the last character.
    Verbatim(String),
    /// Rows of cells; what names them is for their reader to tell.
    Table(Vec<Vec<String>>),
    /// Rows of cells that the document says are named.
    NamedTable(Names, Vec<Vec<String>>),
}

/// What a document says of the names in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// The first row names the columns.
    Columns,
    /// The first cell of each row names it.
    Rows,
}

impl Paper {
    /// Read a document. `name` is for errors; `encoding` is the user's choice, where the format does
    /// not say its own.
    ///
    /// # Errors
    /// If it is damaged, locked, or has no text.
    pub(crate) fn read(
        kind: PaperKind,
        name: &str,
        bytes: Vec<u8>,
        encoding: Option<Encoding>,
    ) -> Result<Self, DocumentError> {
        let paper = match kind {
            PaperKind::Plain => plain::read(&bytes, encoding),
            PaperKind::Verbatim => plain::read_verbatim(&bytes, encoding),
            PaperKind::Markdown => markdown::read(&bytes, encoding),
            PaperKind::Html => html::read(name, &bytes, encoding)?,
            PaperKind::Docx => docx::read(name, &bytes)?,
            PaperKind::Pdf => pdf::read(name, bytes)?,
        };
        if paper.n_chars() == 0 {
            return Err(DocumentError::NoText {
                name: name.to_owned(),
                reason: match kind {
                    PaperKind::Pdf => paper.unread.why_all(),
                    _ => Phrase::IsEmpty,
                }
                .english()
                .to_owned(),
            });
        }
        Ok(paper)
    }

    pub(crate) fn n_chars(&self) -> u64 {
        let blocks = self.pages.iter().flat_map(|page| &page.blocks);
        blocks.map(|block| block.n_chars() as u64).sum()
    }

    /// Pages that have numbers; 0 where the document has none.
    pub(crate) fn n_pages(&self) -> u32 {
        let last = self.pages.iter().filter_map(|page| page.number).max();
        last.unwrap_or(0)
    }
}

impl Block {
    fn n_chars(&self) -> usize {
        match self {
            Self::Heading(text)
            | Self::Paragraph(text)
            | Self::Code(text)
            | Self::Lines(text)
            | Self::Verbatim(text) => text.chars().count(),
            Self::Table(rows) | Self::NamedTable(_, rows) => {
                rows.iter().flatten().map(|cell| cell.chars().count()).sum()
            }
        }
    }

    /// The block as running text; rows of a table one a line.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Heading(text)
            | Self::Paragraph(text)
            | Self::Code(text)
            | Self::Lines(text)
            | Self::Verbatim(text) => text.clone(),
            Self::Table(rows) | Self::NamedTable(_, rows) => {
                let lines: Vec<String> = rows.iter().map(|row| row.join(" | ")).collect();
                lines.join("\n")
            }
        }
    }
}

/// Runs of white space as one space, none at the ends.
fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_says_more_than_names() {
        assert_eq!(PaperKind::of_content(b"\n%PDF-1.7"), Some(PaperKind::Pdf));
        assert_eq!(
            PaperKind::of_content(b"  <!DOCTYPE html><html>"),
            Some(PaperKind::Html)
        );
        assert_eq!(PaperKind::of_content(b"{\"a\":1}"), None);
        assert_eq!(PaperKind::of_name("a/b.MD"), Some(PaperKind::Markdown));
        assert_eq!(PaperKind::of_name("README"), None);
        for (name, kind) in [
            ("v1.2/README", PaperKind::Plain),
            ("a/.profile", PaperKind::Plain),
            ("a.log", PaperKind::Plain),
            ("a/b.rs", PaperKind::Verbatim),
        ] {
            assert_eq!(PaperKind::of_text(name), kind, "{name}");
        }
    }

    #[test]
    fn a_document_without_text_is_refused() {
        let error = Paper::read(PaperKind::Plain, "a.txt", b" \n ".to_vec(), None).unwrap_err();
        assert!(error.to_string().contains("`a.txt` has no text"), "{error}");
    }
}
