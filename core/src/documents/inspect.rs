//! What a file is: by its content first, then by its name.

use std::rc::Rc;

use super::{
    DocumentError, InputFile, Part,
    archive::open_zip,
    file::{head, open_buffered},
    papers::{PaperKind, PaperText},
    part::Inside,
    workbook::{self, WorkbookKind},
};
use crate::{
    data::Container,
    protocol::studio::{ChunkReading, PartKey, PartKind, PartView, Reading, RecordReading},
};

/// Bytes by which a file is told.
const HEAD_BYTES: u64 = 1 << 16;

/// Rows of a sheet that are looked at to see whether it has any.
const FIRST_ROWS: usize = 1;

/// What is in a file. A file of which nothing can be read is one part that says so.
pub fn inspect(file: Rc<dyn InputFile>) -> Vec<Part> {
    match parts(&file) {
        Ok(parts) => parts,
        Err(error) => vec![unreadable(&file, &error)],
    }
}

/// What the bytes at the start of a file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Zip,
    Text,
    /// Known, and not read; with what to do instead.
    Refused(&'static str),
}

fn parts(file: &Rc<dyn InputFile>) -> Result<Vec<Part>, DocumentError> {
    let head = head(&**file, HEAD_BYTES)?;
    if let Some(kind) = PaperKind::of(file.name(), &head) {
        return paper(file, kind);
    }
    match told_by(&head) {
        Content::Refused(reason) => Err(unsupported(file, reason)),
        Content::Zip => zipped(file),
        Content::Text => {
            let mut part = part(
                file,
                Inside::Text {
                    container: container(file.name()),
                },
            );
            part.guess();
            Ok(vec![part])
        }
    }
}

fn told_by(head: &[u8]) -> Content {
    const MAGIC: [(&[u8], Content); 4] = [
        (b"PK\x03\x04", Content::Zip),
        (b"PK\x05\x06", Content::Zip),
        (
            b"\x1f\x8b",
            Content::Refused("is compressed with gzip; unpack it first"),
        ),
        (
            b"\x28\xb5\x2f\xfd",
            Content::Refused("is compressed with zstd; unpack it first"),
        ),
    ];
    let found = MAGIC.iter().find(|(magic, _)| head.starts_with(magic));
    found.map_or(Content::Text, |(_, content)| *content)
}

/// A document; text that turns out to be records or a table is read as those.
fn paper(file: &Rc<dyn InputFile>, kind: PaperKind) -> Result<Vec<Part>, DocumentError> {
    if kind == PaperKind::Plain {
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
    part.view.reason = kind.name().to_owned();
    part.inside = Inside::Paper(text);
    Ok(vec![part])
}

/// Read by its own columns, not by templates that fit any table: prose has commas too.
fn is_recognised(reading: &Reading) -> bool {
    matches!(reading, Reading::Records(reading) if reading.templates.is_empty())
}

fn zipped(file: &Rc<dyn InputFile>) -> Result<Vec<Part>, DocumentError> {
    let zip = open_zip(open_buffered(&**file)?, file.name(), file.n_bytes())?;
    let has = |name: &str| zip.index_for_name(name).is_some();
    let kind = if has("xl/workbook.xml") {
        WorkbookKind::Xlsx
    } else if has("mimetype") && has("content.xml") {
        WorkbookKind::Ods
    } else {
        return Err(unsupported(file, "archives are not read yet"));
    };
    drop(zip);
    let sheets = workbook::sheets(&**file, kind, FIRST_ROWS)?;
    if sheets.is_empty() {
        return Err(DocumentError::NoText {
            name: file.name().into(),
            reason: "all of its sheets are empty".into(),
        });
    }
    let parts = sheets.into_iter().map(|(sheet, _)| {
        let mut part = part(file, Inside::Sheet { kind, sheet });
        part.guess();
        part
    });
    Ok(parts.collect())
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
        Inside::Sheet { sheet, .. } => format!("{} › {sheet}", file.name()),
        _ => file.name().to_owned(),
    };
    Part {
        view: PartView {
            part: PartKey(0),
            name,
            bytes: file.n_bytes(),
            kind: PartKind::Unreadable,
            reading: Reading::Records(RecordReading::default()),
            reason: String::new(),
            remembered: false,
        },
        file: Rc::clone(file),
        inside,
    }
}

fn unreadable(file: &Rc<dyn InputFile>, error: &DocumentError) -> Part {
    let mut part = part(file, Inside::Nothing);
    part.view.reading = Reading::Chunks(ChunkReading::default());
    part.unreadable(error);
    part
}

fn unsupported(file: &Rc<dyn InputFile>, reason: &str) -> DocumentError {
    DocumentError::Unsupported {
        name: file.name().into(),
        reason: reason.into(),
    }
}
