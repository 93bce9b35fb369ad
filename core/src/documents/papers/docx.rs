//! DOCX: paragraphs, headings, tables and page breaks of `word/document.xml` (ECMA-376, part 1,
//! chapter 17).
//!
//! Word stores no pages; it leaves a mark (`lastRenderedPageBreak`) where one ended when it was saved
//! last. With those and with explicit breaks pages are numbered; without any the document has none.

use std::io::{Cursor, Read as _};

use quick_xml::{Reader, events::BytesStart, events::Event};

use super::{Block, MAX_BYTES, Page, Paper};
use crate::documents::DocumentError;

/// Largest part that is unpacked.
const MAX_UNPACKED: u64 = 256 << 20;

const BODY: &str = "word/document.xml";

pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Paper, DocumentError> {
    let xml = unpacked(name, bytes)?;
    let broken = |detail: String| DocumentError::Broken {
        name: name.to_owned(),
        kind: "DOCX",
        detail,
    };
    let mut reader = Reader::from_reader(xml.as_slice());
    let mut body = Body::default();
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer) {
            Err(error) => return Err(broken(error.to_string())),
            Ok(Event::Eof) => break,
            Ok(Event::Start(tag)) => body.open(&tag),
            Ok(Event::Empty(tag)) => {
                body.open(&tag);
                body.close(tag.local_name().as_ref());
            }
            Ok(Event::End(tag)) => body.close(tag.local_name().as_ref()),
            Ok(Event::Text(text)) if body.in_text => {
                body.text.push_str(&text);
            }
            Ok(Event::GeneralRef(entity)) if body.in_text => {
                body.text.push_str(&resolved(&entity));
            }
            Ok(_) => {}
        }
        buffer.clear();
    }
    Ok(body.finish())
}

/// `&amp;`, `&#26085;`.
fn resolved(entity: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(c)) = entity.resolve_char_ref() {
        return c.to_string();
    }
    match entity.as_ref() {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
    .to_owned()
}

fn unpacked(name: &str, bytes: &[u8]) -> Result<Vec<u8>, DocumentError> {
    let broken = |detail: String| DocumentError::Broken {
        name: name.to_owned(),
        kind: "DOCX",
        detail,
    };
    if bytes.len() as u64 > MAX_BYTES {
        return Err(DocumentError::TooLarge {
            name: name.to_owned(),
            found: bytes.len() as u64,
            limit: MAX_BYTES,
        });
    }
    let mut archive =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(error.to_string()))?;
    let part = archive
        .by_name(BODY)
        .map_err(|_| broken(format!("`{BODY}` is missing")))?;
    let too_large = |found| DocumentError::TooLarge {
        name: name.to_owned(),
        found,
        limit: MAX_UNPACKED,
    };
    if part.size() > MAX_UNPACKED {
        return Err(too_large(part.size()));
    }
    let mut xml = Vec::new();
    // The size in the directory may lie.
    part.take(MAX_UNPACKED + 1)
        .read_to_end(&mut xml)
        .map_err(|error| broken(error.to_string()))?;
    if xml.len() as u64 > MAX_UNPACKED {
        return Err(too_large(xml.len() as u64));
    }
    Ok(xml)
}

/// The document as its elements come by.
#[derive(Default)]
struct Body {
    pages: Vec<Page>,
    blocks: Vec<Block>,
    n_breaks: u32,
    /// Inside `w:t`, whose text is the document's.
    in_text: bool,
    text: String,
    is_heading: bool,
    /// Text that was deleted with changes tracked, and other copies of what stands elsewhere.
    n_ignored: usize,
    /// Tables inside each other; only the outermost is one, the others are text in its cells.
    tables: Vec<Vec<Vec<String>>>,
    breaks_in_table: u32,
}

impl Body {
    fn open(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "t" => self.in_text = self.n_ignored == 0,
            "tab" if self.n_ignored == 0 && !self.text.is_empty() => self.text.push('\t'),
            "br" if attribute(tag, "type").as_deref() == Some("page") => self.end_page(),
            "br" | "cr" => self.text.push('\n'),
            "lastRenderedPageBreak" => self.end_page(),
            "noBreakHyphen" => self.text.push('-'),
            "pStyle" => {
                let style = attribute(tag, "val").unwrap_or_default().to_lowercase();
                self.is_heading = style.starts_with("heading")
                    || style.starts_with("title")
                    || style.starts_with("titre")
                    || style.starts_with("ttulo")
                    || style.starts_with("título");
            }
            "outlineLvl" => self.is_heading = true,
            // Shapes come twice, for old and new readers; the old copy is left out.
            "del" | "Fallback" | "instrText" | "moveFrom" => self.n_ignored += 1,
            "tbl" => {
                self.end_paragraph();
                self.tables.push(Vec::new());
            }
            "tr" => {
                if let Some(table) = self.tables.last_mut() {
                    table.push(Vec::new());
                }
            }
            "tc" => {
                if let Some(row) = self.tables.last_mut().and_then(|table| table.last_mut()) {
                    row.push(String::new());
                }
            }
            "gridSpan" => self.span(tag),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "p" => self.end_paragraph(),
            "del" | "Fallback" | "instrText" | "moveFrom" => {
                self.n_ignored = self.n_ignored.saturating_sub(1);
            }
            "tbl" => self.end_table(),
            _ => {}
        }
    }

    /// A cell over several columns stands in each of them; its text comes later and goes to the last.
    fn span(&mut self, tag: &BytesStart<'_>) {
        const MAX_SPAN: usize = 64;
        let span = attribute(tag, "val").and_then(|span| span.parse().ok());
        let n_more = usize::clamp(span.unwrap_or(1), 1, MAX_SPAN) - 1;
        if let Some(row) = self.tables.last_mut().and_then(|table| table.last_mut()) {
            row.extend(std::iter::repeat_n(String::new(), n_more));
        }
    }

    fn end_paragraph(&mut self) {
        let text = std::mem::take(&mut self.text);
        let is_heading = std::mem::take(&mut self.is_heading);
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let cell = self
            .tables
            .last_mut()
            .and_then(|table| table.last_mut())
            .and_then(|row| row.last_mut());
        if let Some(cell) = cell {
            if !cell.is_empty() {
                cell.push('\n');
            }
            cell.push_str(text);
            return;
        }
        self.blocks.push(if is_heading {
            Block::Heading(text.to_owned())
        } else {
            Block::Paragraph(text.to_owned())
        });
    }

    fn end_table(&mut self) {
        let Some(mut rows) = self.tables.pop() else {
            return;
        };
        rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
        let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        for row in &mut rows {
            row.resize(n_columns, String::new());
        }
        let block = match rows.as_slice() {
            [] => return,
            // A frame around text is no table.
            [row] if row.len() == 1 => Block::Paragraph(row[0].clone()),
            _ => Block::Table(rows),
        };
        if self.tables.is_empty() {
            self.blocks.push(block);
            for _ in 0..std::mem::take(&mut self.breaks_in_table) {
                self.turn_page();
            }
        } else {
            self.text = block.text();
            self.end_paragraph();
        }
    }

    /// A page that ends inside a table ends behind it, so that the table stays whole.
    fn end_page(&mut self) {
        if self.tables.is_empty() {
            self.end_paragraph();
            self.turn_page();
        } else {
            self.breaks_in_table += 1;
        }
    }

    fn turn_page(&mut self) {
        self.n_breaks += 1;
        let blocks = std::mem::take(&mut self.blocks);
        if !blocks.is_empty() {
            self.pages.push(Page {
                number: Some(self.n_breaks),
                blocks,
            });
        }
    }

    fn finish(mut self) -> Paper {
        self.end_paragraph();
        while !self.tables.is_empty() {
            self.end_table();
        }
        let number = (self.n_breaks > 0).then_some(self.n_breaks + 1);
        let blocks = std::mem::take(&mut self.blocks);
        if !blocks.is_empty() {
            self.pages.push(Page { number, blocks });
        }
        Paper { pages: self.pages }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag
        .attributes()
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)?;
    Some(found.value.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn docx(body: &str) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(BODY, zip::write::SimpleFileOptions::default())
            .unwrap();
        let xml = format!(
            "<?xml version=\"1.0\"?><w:document xmlns:w=\"w\"><w:body>{body}</w:body></w:document>"
        );
        zip.write_all(xml.as_bytes()).unwrap();
        zip.finish().unwrap().into_inner()
    }

    fn p(text: &str) -> String {
        format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
    }

    #[test]
    fn headings_tables_and_pages() {
        let cell = |text: &str| format!("<w:tc>{}</w:tc>", p(text));
        let body = format!(
            "<w:p><w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr><w:r><w:t>Título</w:t></w:r></w:p>{}\
             <w:tbl><w:tr>{}{}</w:tr><w:tr>{}{}</w:tr></w:tbl>\
             <w:p><w:r><w:br w:type=\"page\"/><w:t>二ページ &amp; fin</w:t></w:r></w:p>",
            p("uno<w:tab/>"),
            cell("banco"),
            cell("ROE"),
            cell("Caixa"),
            cell("8,3"),
        );
        let paper = read("a.docx", &docx(&body)).unwrap();
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        assert_eq!(
            paper.pages[0],
            Page {
                number: Some(1),
                blocks: vec![
                    Block::Heading("Título".into()),
                    Block::Paragraph("uno".into()),
                    Block::Table(vec![row("banco", "ROE"), row("Caixa", "8,3")]),
                ]
            }
        );
        assert_eq!(
            paper.pages[1],
            Page {
                number: Some(2),
                blocks: vec![Block::Paragraph("二ページ & fin".into())]
            }
        );
    }

    #[test]
    fn deleted_text_stays_deleted() {
        let body = "<w:p><w:del><w:r><w:t>gone</w:t></w:r></w:del><w:r><w:t>here</w:t></w:r></w:p>";
        let paper = read("a.docx", &docx(body)).unwrap();
        assert_eq!(paper.pages[0].blocks, [Block::Paragraph("here".into())]);
        assert_eq!(paper.pages[0].number, None);
    }

    #[test]
    fn damaged_files_are_named() {
        for bytes in [&b"PK\x03\x04"[..], b"", b"no zip"] {
            let error = read("a.docx", bytes).unwrap_err().to_string();
            assert!(
                error.starts_with("`a.docx` is not a readable DOCX"),
                "{error}"
            );
        }
        let whole = docx(&p("texto"));
        for end in 0..whole.len() {
            // Whatever is cut off, the answer is an error or a document, never a panic.
            if let Ok(paper) = read("a.docx", &whole[..end]) {
                assert!(paper.pages.len() <= 1);
            }
        }
    }
}
