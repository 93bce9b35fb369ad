//! HTML: what a reader sees, without scripts, styles and navigation; tables stay tables.

use scraper::{ElementRef, Html, node::Node};

use super::{Block, Page, Paper, collapsed, decoded};
use crate::documents::DocumentError;

/// Elements whose text is not part of what is read.
const SKIPPED: [&str; 11] = [
    "script", "style", "noscript", "template", "head", "nav", "svg", "iframe", "object", "select",
    "button",
];

/// Elements that begin and end a paragraph.
const BLOCKS: [&str; 26] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "hr",
    "html",
    "li",
    "main",
    "ol",
    "p",
    "section",
    "summary",
    "ul",
    "caption",
];

/// Stands for `<br>` while white space is collapsed; from the private use area, so no text has it.
const BREAK: char = '\u{e000}';

/// Elements inside each other beyond which their text is not read.
const MAX_DEPTH: usize = 400;

/// Open elements beyond which a page is not parsed, because the parser looks through all of them at
/// every tag.
const MAX_OPEN: usize = 3000;

/// # Errors
/// If its elements are nested as no page's are: reading them would take time without end.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Paper, DocumentError> {
    let text = decoded(bytes);
    let depth = depth(&text);
    if depth > MAX_OPEN {
        return Err(DocumentError::Broken {
            name: name.to_owned(),
            kind: "HTML",
            detail: format!(
                "{depth} elements stand inside each other, expected at most {MAX_OPEN}"
            ),
        });
    }
    let document = Html::parse_document(&text);
    let mut reader = Reader::default();
    reader.element(document.root_element(), 0);
    reader.end_paragraph();
    Ok(Paper {
        pages: vec![Page {
            number: None,
            blocks: reader.blocks,
        }],
    })
}

/// How many elements are open at most, by counting tags. Those that need no end tag do not count.
fn depth(text: &str) -> usize {
    const WITHOUT_END: [&str; 24] = [
        "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "option",
        "br", "hr", "img", "meta", "link", "input", "col", "area", "base", "wbr", "source", "rt",
    ];
    let (mut open, mut deepest) = (0_usize, 0);
    for (at, _) in text.match_indices('<') {
        let rest = &text[at + 1..];
        let is_end = rest.starts_with('/');
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
        let name = rest[..end.unwrap_or(rest.len())].to_ascii_lowercase();
        if name.is_empty() || WITHOUT_END.contains(&name.as_str()) {
            continue;
        }
        open = if is_end {
            open.saturating_sub(1)
        } else {
            open + 1
        };
        deepest = deepest.max(open);
    }
    deepest
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    text: String,
}

impl Reader {
    fn element(&mut self, element: ElementRef<'_>, depth: usize) {
        let name = element.value().name();
        if depth > MAX_DEPTH || SKIPPED.contains(&name) || is_hidden(&element) {
            return;
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.end_paragraph();
                let text = text_of(element, depth);
                if !text.is_empty() {
                    self.blocks.push(Block::Heading(text));
                }
            }
            "pre" => {
                self.end_paragraph();
                let code: String = element.text().collect();
                if !code.trim().is_empty() {
                    self.blocks
                        .push(Block::Code(code.trim_matches('\n').to_owned()));
                }
            }
            "table" if is_data(element) => {
                self.end_paragraph();
                let rows = rows_of(element, depth);
                if !rows.is_empty() {
                    self.blocks.push(Block::Table(rows));
                }
            }
            "br" => self.text.push(BREAK),
            _ => {
                let is_block = BLOCKS.contains(&name);
                if is_block {
                    self.end_paragraph();
                }
                for child in element.children() {
                    match child.value() {
                        Node::Text(text) => self.text.push_str(text),
                        _ => {
                            if let Some(child) = ElementRef::wrap(child) {
                                self.element(child, depth + 1);
                            }
                        }
                    }
                }
                if is_block {
                    self.end_paragraph();
                }
            }
        }
    }

    /// Line breaks of the source are spaces; those of `<br>` stay.
    fn end_paragraph(&mut self) {
        let text = std::mem::take(&mut self.text);
        let lines: Vec<String> = text.split(BREAK).map(collapsed).collect();
        let text = lines.join("\n").trim().to_owned();
        if !text.is_empty() {
            self.blocks.push(Block::Paragraph(text));
        }
    }
}

fn is_hidden(element: &ElementRef<'_>) -> bool {
    let value = element.value();
    value.attr("hidden").is_some() || value.attr("aria-hidden") == Some("true")
}

/// Tables that only lay a page out hold other tables, or have one column.
fn is_data(table: ElementRef<'_>) -> bool {
    let tables = table
        .descendent_elements()
        .filter(|element| element.value().name() == "table");
    let widest = rows(table).map(|row| cells(row).count()).max();
    tables.count() == 1 && widest.unwrap_or(0) > 1
}

fn rows(table: ElementRef<'_>) -> impl Iterator<Item = ElementRef<'_>> {
    table
        .descendent_elements()
        .filter(|element| element.value().name() == "tr")
}

fn cells(row: ElementRef<'_>) -> impl Iterator<Item = ElementRef<'_>> {
    row.child_elements()
        .filter(|element| matches!(element.value().name(), "td" | "th"))
}

/// Cells that span several columns are repeated in each of them.
fn rows_of(table: ElementRef<'_>, depth: usize) -> Vec<Vec<String>> {
    const MAX_SPAN: usize = 64;
    let mut table_rows = Vec::new();
    for row in rows(table) {
        let mut texts = Vec::new();
        for cell in cells(row) {
            let span = cell.value().attr("colspan");
            let span = span.and_then(|span| span.trim().parse().ok()).unwrap_or(1);
            let text = text_of(cell, depth);
            texts.extend(std::iter::repeat_n(text, usize::clamp(span, 1, MAX_SPAN)));
        }
        if texts.iter().any(|text| !text.is_empty()) {
            table_rows.push(texts);
        }
    }
    let n_columns = table_rows.iter().map(Vec::len).max().unwrap_or(0);
    for row in &mut table_rows {
        row.resize(n_columns, String::new());
    }
    table_rows
}

fn text_of(element: ElementRef<'_>, depth: usize) -> String {
    let mut reader = Reader::default();
    for child in element.children() {
        match child.value() {
            Node::Text(text) => reader.text.push_str(text),
            _ => {
                if let Some(child) = ElementRef::wrap(child) {
                    reader.element(child, depth + 1);
                }
            }
        }
    }
    reader.end_paragraph();
    let texts: Vec<String> = reader.blocks.iter().map(Block::text).collect();
    texts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str) -> Vec<Block> {
        let mut paper = read("a.html", text.as_bytes()).unwrap();
        paper.pages.remove(0).blocks
    }

    #[test]
    fn what_a_reader_sees_is_kept() {
        let text = "<html><head><title>t</title><style>p{}</style></head><body>\
            <nav>menu</nav><h1>Informe <b>anual</b></h1><p>uno\n  dos<script>alert(1)</script></p>\
            <div>tres<br>y<p>cuatro</p></div><pre>a\n  b</pre>\
            <table><tr><th>banco</th><th>ROE</th></tr><tr><td>Caixa</td><td>8,3&nbsp;%</td></tr></table>\
            </body></html>";
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        assert_eq!(
            blocks(text),
            [
                Block::Heading("Informe anual".into()),
                Block::Paragraph("uno dos".into()),
                Block::Paragraph("tres\ny".into()),
                Block::Paragraph("cuatro".into()),
                Block::Code("a\n  b".into()),
                Block::Table(vec![row("banco", "ROE"), row("Caixa", "8,3 %")]),
            ]
        );
    }

    #[test]
    fn tables_for_layout_are_text() {
        let text = "<table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>";
        assert!(matches!(&blocks(text)[..], [Block::Table(rows)] if rows.len() == 1));
        assert_eq!(
            blocks("<table><tr><td>only</td></tr></table>"),
            [Block::Paragraph("only".into())]
        );
    }

    #[test]
    fn endless_nesting_ends() {
        let deep = "<div>".repeat(100_000) + "x";
        let error = read("a.html", deep.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("100000 elements"), "{error}");
        assert!(blocks(&("<div>".repeat(1_000) + "x")).is_empty());
        let flat = "<p>a<li>b<tr><td>c".repeat(2_000);
        assert_eq!(depth(&flat), 0);
    }
}
