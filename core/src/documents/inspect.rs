//! What a file is: by its content first, then by its name.

use std::rc::Rc;

use super::{
    DocumentError, InputFile, Part,
    archive::{Archive, open_zip},
    file::{head, open_buffered},
    mark_companions,
    papers::{PaperKind, PaperText},
    part::Inside,
    workbook::{Workbook, WorkbookKind},
};
use crate::{
    data::{Container, holds_text},
    protocol::studio::{
        ChunkReading, PartKey, PartKind, PartView, Phrase, Reading, RecordReading, Said,
    },
};

/// Bytes by which a file is told.
const HEAD_BYTES: u64 = 1 << 16;

/// What is in a file. A file of which nothing can be read is one part that says so.
pub fn inspect(file: Rc<dyn InputFile>) -> Vec<Part> {
    let found = parts(&file, Nesting::Outside);
    let mut found = found.unwrap_or_else(|error| vec![unreadable(&file, &error)]);
    mark_companions(&mut found);
    found
}

/// Where a file lies; archives in archives are not opened, however deep they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Outside,
    InArchive,
}

/// What the bytes at the start of a file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Zip,
    Parquet,
    Text,
    /// Known, and not read; with what to do instead.
    Refused(Phrase),
}

fn parts(file: &Rc<dyn InputFile>, nesting: Nesting) -> Result<Vec<Part>, DocumentError> {
    let head = head(&**file, HEAD_BYTES)?;
    if let Some(kind) = PaperKind::of(file.name(), &head) {
        return paper(file, kind);
    }
    let inside = match told_by(&head) {
        Content::Refused(reason) => return Err(unsupported(file, reason)),
        Content::Zip => return zipped(file, nesting),
        Content::Parquet => Inside::Parquet,
        Content::Text => match container(file.name()) {
            None => return paper(file, PaperKind::of_text(file.name())),
            container => Inside::Text { container },
        },
    };
    Ok(vec![guessed(file, inside)])
}

fn told_by(head: &[u8]) -> Content {
    const MAGIC: [(&[u8], Content); 8] = [
        (b"PK\x03\x04", Content::Zip),
        (b"PK\x05\x06", Content::Zip),
        (b"PAR1", Content::Parquet),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            Content::Refused(Phrase::OldOffice),
        ),
        (b"\x1f\x8b", Content::Refused(Phrase::GzipFile)),
        (b"\x28\xb5\x2f\xfd", Content::Refused(Phrase::ZstdFile)),
        (b"ARROW1", Content::Refused(Phrase::ArrowFile)),
        (b"SQLite format 3\0", Content::Refused(Phrase::DatabaseFile)),
    ];
    let found = MAGIC.iter().find(|(magic, _)| head.starts_with(magic));
    match found {
        Some((_, content)) => *content,
        None if holds_text(head) => Content::Text,
        None => Content::Refused(Phrase::NoKnownKind),
    }
}

/// A document; text that turns out to be records or a table is read as those.
fn paper(file: &Rc<dyn InputFile>, kind: PaperKind) -> Result<Vec<Part>, DocumentError> {
    if matches!(kind, PaperKind::Plain | PaperKind::Verbatim) {
        let mut rows = part(file, Inside::Text { container: None });
        rows.guess();
        let is_rows = match &rows.view.kind {
            PartKind::Table { columns } => columns.len() > 1 && is_recognised(&rows.view.reading),
            _ => false,
        };
        if is_rows {
            return Ok(vec![rows]);
        }
    }
    let text = PaperText::read(&**file, kind)?;
    let mut part = part(file, Inside::Nothing);
    part.view.kind = PartKind::Document {
        n_pages: text.n_pages(),
        n_chars: text.n_chars(),
    };
    part.view.reading = Reading::Chunks(ChunkReading::default());
    part.view.reason = text.told();
    part.inside = Inside::Paper(text);
    Ok(vec![part])
}

/// Read by its own columns, not by templates that fit any table: prose has commas too.
fn is_recognised(reading: &Reading) -> bool {
    matches!(reading, Reading::Records(reading) if reading.templates.is_empty())
}

fn zipped(file: &Rc<dyn InputFile>, nesting: Nesting) -> Result<Vec<Part>, DocumentError> {
    let zip = open_zip(open_buffered(&**file)?, file.name(), file.n_bytes())?;
    let has = |name: &str| zip.index_for_name(name).is_some();
    let has_under = |folder: &str| {
        zip.file_names()
            .flatten()
            .any(|name| name.starts_with(folder))
    };
    let kind = if has("xl/workbook.xml") {
        WorkbookKind::Xlsx
    } else if has("mimetype") && has("content.xml") {
        WorkbookKind::Ods
    } else if has("word/document.xml") || has("[Content_Types].xml") && has_under("word/") {
        drop(zip);
        return paper(file, PaperKind::Docx);
    } else if nesting == Nesting::InArchive {
        return Err(unsupported(file, Phrase::ArchiveInArchive));
    } else {
        drop(zip);
        return members(file);
    };
    drop(zip);
    let book = Rc::new(Workbook::open(file, kind)?);
    let sheets: Vec<Part> = book
        .sheets()
        .map(|name| {
            let is_hidden = book.is_hidden(name);
            let (book, name) = (Rc::clone(&book), name.to_owned());
            let mut part = guessed(file, Inside::Sheet { book, name });
            if is_hidden {
                let reason = part.view.reason.to_string();
                part.view.reason = Said::new(Phrase::HiddenSheet, [reason]);
            }
            part
        })
        .collect();
    if sheets.is_empty() {
        return Err(DocumentError::NoText {
            name: file.name().into(),
            reason: Phrase::SheetsEmpty.english().into(),
        });
    }
    Ok(sheets)
}

fn members(file: &Rc<dyn InputFile>) -> Result<Vec<Part>, DocumentError> {
    let found = Archive::open(&**file)?.members();
    if found.is_empty() {
        return Err(DocumentError::NoText {
            name: file.name().into(),
            reason: Phrase::ArchiveEmpty.english().into(),
        });
    }
    let mut all = Vec::new();
    for member in found {
        match member.file {
            Ok(member) => match parts(&member, Nesting::InArchive) {
                Ok(parts) => all.extend(parts),
                Err(error) => all.push(unreadable(&member, &error)),
            },
            Err(error) => {
                let mut part = unreadable(file, &error);
                part.view.name = member.name;
                part.view.bytes = member.n_bytes;
                all.push(part);
            }
        }
    }
    Ok(all)
}

/// A part with the reading that seems right.
fn guessed(file: &Rc<dyn InputFile>, inside: Inside) -> Part {
    let mut part = part(file, inside);
    part.guess();
    part
}

fn container(name: &str) -> Option<Container> {
    Container::from_extension(extension(name))
}

fn extension(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// A part of which nothing is known yet.
fn part(file: &Rc<dyn InputFile>, inside: Inside) -> Part {
    let name = match &inside {
        Inside::Sheet { name, .. } => format!("{} › {name}", file.name()),
        _ => file.name().to_owned(),
    };
    Part {
        view: PartView {
            part: PartKey(0),
            name,
            bytes: file.n_bytes(),
            kind: PartKind::Unreadable,
            reading: Reading::Records(RecordReading::default()),
            reason: Said::Text(String::new()),
            remembered: false,
            beside: false,
        },
        file: Rc::clone(file),
        inside,
        language: String::new(),
    }
}

fn unreadable(file: &Rc<dyn InputFile>, error: &DocumentError) -> Part {
    let mut part = part(file, Inside::Nothing);
    part.view.reading = Reading::Chunks(ChunkReading::default());
    part.unreadable(error);
    part
}

fn unsupported(file: &Rc<dyn InputFile>, reason: Phrase) -> DocumentError {
    DocumentError::Unsupported {
        name: file.name().into(),
        reason: reason.english().into(),
    }
}
