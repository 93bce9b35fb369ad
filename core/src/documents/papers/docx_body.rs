//! The body of a DOCX: paragraphs, headings, tables, notes and page breaks (ECMA-376, part 1,
//! chapter 17).
//!
//! Word stores no pages; it leaves a mark (`lastRenderedPageBreak`) where one ended when it was saved
//! last. With those and with explicit breaks pages are numbered; without any the document has none. An
//! explicit break and the mark behind it are one turn of the page.
//!
//! A cell over several columns or rows stands in each of them ([`super::spans`]). Notes stand behind
//! the paragraph or table that refers to them, as `[1]`. Text that is hidden, was deleted with changes
//! tracked, or says how ideographs are read, is left out. A text box stands behind the paragraph that it
//! hangs on.

use std::collections::BTreeMap;

use quick_xml::events::BytesStart;

use super::{
    Block, Page, Paper,
    docx::{Seen, attribute},
    docx_lists::{Item, Lists, Mark},
    docx_math::Formula,
    docx_styles::Styles,
    docx_symbols::sign,
    scripts::{lowered, raised},
    spans::{self, Cell},
};

/// What was deleted, what was before a change, and copies of what stands elsewhere: shapes come twice,
/// for old and new readers, and the old copy is left out.
const IGNORED: [&str; 11] = [
    "del",
    "Fallback",
    "instrText",
    "moveFrom",
    "rt",
    "pPrChange",
    "rPrChange",
    "sectPrChange",
    "tblPrChange",
    "trPrChange",
    "tcPrChange",
];

/// The document as its elements come by.
#[derive(Default)]
pub(super) struct Body {
    lists: Lists,
    styles: Styles,
    notes: Notes,
    pages: Vec<Page>,
    blocks: Vec<Block>,
    n_breaks: u32,
    /// An explicit break came last, and no text since.
    page_is_asked: bool,
    has_pictures: bool,
    /// Inside `w:t`, whose text is the document's.
    in_text: bool,
    /// Inside `w:pPr`, where `w:rPr` is that of the sign at the paragraph's end.
    in_properties: bool,
    text: String,
    is_heading: bool,
    item: Item,
    runs: Vec<Run>,
    n_ignored: usize,
    /// Tables inside each other; only the outermost is one, the others are text in its cells.
    tables: Vec<OpenTable>,
    breaks_in_table: u32,
    formula: Formula,
    /// Each on a line of its own.
    in_formulas: bool,
    breaks_in_formula: u32,
    /// Text boxes that hang on the paragraph at hand.
    boxed: Vec<Block>,
    /// What the open text boxes interrupt.
    aside: Vec<Aside>,
}

/// What a text box interrupts.
#[derive(Default)]
struct Aside {
    blocks: Vec<Block>,
    boxed: Vec<Block>,
    text: String,
    is_heading: bool,
    item: Item,
    runs: Vec<Run>,
    tables: Vec<OpenTable>,
    breaks_in_table: u32,
}

/// Why a page ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PageEnd {
    /// An explicit break.
    Asked,
    /// The mark where one ended when the document was saved.
    Rendered,
}

/// A stretch of text with one look.
#[derive(Default)]
struct Run {
    is_hidden: bool,
    height: Height,
    /// Where its text begins.
    start: usize,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Height {
    #[default]
    OnLine,
    Raised,
    Lowered,
}

#[derive(Default)]
struct OpenTable {
    rows: Vec<Vec<Cell>>,
    /// Rows at its top that are marked as header.
    n_header: usize,
    style: Option<String>,
    /// Drawn as its style has the first row.
    uses_first_row: bool,
}

/// Foot- and endnotes.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// By `footnote` or `endnote`, and id.
    texts: BTreeMap<(String, String), String>,
    numbers: BTreeMap<(String, String), usize>,
    /// Referred to since the last paragraph.
    due: Vec<String>,
}

impl Notes {
    pub(super) fn add(&mut self, kind: &str, id: String, text: String) {
        self.texts.insert((kind.to_owned(), id), text);
    }

    /// `[1]`, for a note that has text; the text comes once.
    fn refer(&mut self, kind: &str, id: String) -> Option<String> {
        let key = (kind.to_owned(), id);
        let text = self.texts.get(&key).filter(|text| !text.is_empty())?;
        let n_known = self.numbers.len();
        let n = *self.numbers.entry(key).or_insert(n_known + 1);
        if n > n_known {
            self.due.push(format!("[{n}] {text}"));
        }
        Some(format!("[{n}]"))
    }
}

impl Body {
    pub(super) fn new(lists: Lists, styles: Styles, notes: Notes) -> Self {
        Self {
            lists,
            styles,
            notes,
            ..Self::default()
        }
    }

    pub(super) fn see(&mut self, seen: &Seen<'_>) {
        match seen {
            Seen::Text(text) if self.in_text => self.write(text),
            Seen::Open(name, _) if IGNORED.contains(name) => self.n_ignored += 1,
            Seen::Close(name) if IGNORED.contains(name) => {
                self.n_ignored = self.n_ignored.saturating_sub(1);
            }
            _ if self.n_ignored > 0 => {}
            seen if self.formula.is_open() => self.calculate(seen),
            Seen::Text(_) => {}
            Seen::Open(name, tag) => self.open(name, tag),
            Seen::Close(name) => self.close(name),
        }
    }

    fn write(&mut self, text: &str) {
        self.page_is_asked &= text.trim().is_empty();
        self.text.push_str(text);
    }

    /// Inside a formula.
    fn calculate(&mut self, seen: &Seen<'_>) {
        if matches!(seen, Seen::Open("lastRenderedPageBreak", _)) {
            self.breaks_in_formula += 1;
        }
        let Some(text) = self.formula.see(seen) else {
            return;
        };
        self.write(&text);
        if self.in_formulas {
            self.text.push('\n');
        }
        for _ in 0..std::mem::take(&mut self.breaks_in_formula) {
            self.end_page(PageEnd::Rendered);
        }
    }

    fn open(&mut self, name: &str, tag: &BytesStart<'_>) {
        match name {
            "pPr" => self.in_properties = true,
            "pStyle" | "outlineLvl" | "numId" | "ilvl" => self.look(name, tag),
            "r" => self.runs.push(Run {
                is_hidden: self.is_hidden(),
                start: self.text.len(),
                ..Run::default()
            }),
            "vanish" | "vertAlign" if !self.in_properties => self.look_of_run(name, tag),
            "tbl" | "tr" | "tc" | "gridSpan" | "vMerge" | "gridBefore" | "tblHeader"
            | "tblStyle" | "tblLook" => {
                self.lay_out(name, tag);
            }
            "txbxContent" => self.open_box(),
            "blip" | "imagedata" => self.has_pictures = true,
            "lastRenderedPageBreak" => self.end_page(PageEnd::Rendered),
            "br" if attribute(tag, "type").as_deref() == Some("page") => {
                self.end_page(PageEnd::Asked);
            }
            _ if self.is_hidden() => {}
            "oMathPara" => {
                self.in_formulas = true;
                self.text.push('\n');
            }
            "oMath" => self.formula.begin(),
            "sym" => {
                let (font, code) = (attribute(tag, "font"), attribute(tag, "char"));
                let sign = sign(&font.unwrap_or_default(), &code.unwrap_or_default());
                self.write(&sign.map(String::from).unwrap_or_default());
            }
            "t" => self.in_text = true,
            "tab" if !self.in_properties && !self.text.is_empty() => self.text.push('\t'),
            "br" | "cr" => self.text.push('\n'),
            "noBreakHyphen" => self.text.push('-'),
            "footnoteReference" => self.refer("footnote", tag),
            "endnoteReference" => self.refer("endnote", tag),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "r" => self.end_run(),
            "pPr" => self.in_properties = false,
            "p" => self.end_paragraph(),
            "tbl" => self.end_table(),
            "oMathPara" => self.in_formulas = false,
            "txbxContent" => self.close_box(),
            _ => {}
        }
    }

    /// The paragraph on which a box hangs waits until the box is read.
    fn open_box(&mut self) {
        self.aside.push(Aside {
            blocks: std::mem::take(&mut self.blocks),
            boxed: std::mem::take(&mut self.boxed),
            text: std::mem::take(&mut self.text),
            is_heading: std::mem::take(&mut self.is_heading),
            item: std::mem::take(&mut self.item),
            runs: std::mem::take(&mut self.runs),
            tables: std::mem::take(&mut self.tables),
            breaks_in_table: std::mem::take(&mut self.breaks_in_table),
        });
    }

    fn close_box(&mut self) {
        self.end_text();
        let Some(aside) = self.aside.pop() else {
            return;
        };
        self.boxed = aside.boxed;
        let mut blocks = std::mem::replace(&mut self.blocks, aside.blocks);
        self.boxed.append(&mut blocks);
        self.text = aside.text;
        self.is_heading = aside.is_heading;
        self.item = aside.item;
        self.runs = aside.runs;
        self.tables = aside.tables;
        self.breaks_in_table = aside.breaks_in_table;
    }

    /// A paragraph and tables that nothing closed.
    fn end_text(&mut self) {
        self.end_paragraph();
        while !self.tables.is_empty() {
            self.end_table();
        }
    }

    fn is_hidden(&self) -> bool {
        self.runs.last().is_some_and(|run| run.is_hidden)
    }

    /// Properties of a paragraph.
    fn look(&mut self, name: &str, tag: &BytesStart<'_>) {
        let value = attribute(tag, "val");
        match name {
            "pStyle" => {
                let style = value.as_deref().unwrap_or_default();
                self.is_heading = self.styles.is_heading(style);
                self.item.style = value;
            }
            // Level 9 is that of text.
            "outlineLvl" => self.is_heading |= value.as_deref() != Some("9"),
            _ => self.item.take(name, value),
        }
    }

    fn look_of_run(&mut self, name: &str, tag: &BytesStart<'_>) {
        let value = attribute(tag, "val");
        let Some(run) = self.runs.last_mut() else {
            return;
        };
        match (name, value.as_deref()) {
            ("vanish", value) => run.is_hidden |= !matches!(value, Some("0" | "false" | "off")),
            (_, Some("superscript")) => run.height = Height::Raised,
            (_, Some("subscript")) => run.height = Height::Lowered,
            _ => {}
        }
    }

    fn end_run(&mut self) {
        let Some(run) = self.runs.pop() else { return };
        if run.height == Height::OnLine || self.text.get(run.start..).is_none_or(str::is_empty) {
            return;
        }
        let text = self.text.split_off(run.start);
        let moved = match run.height {
            Height::Lowered => lowered(&text),
            _ => raised(&self.text, &text),
        };
        self.text.push_str(&moved);
    }

    fn refer(&mut self, kind: &str, tag: &BytesStart<'_>) {
        let mark = attribute(tag, "id").and_then(|id| self.notes.refer(kind, id));
        self.text.push_str(&mark.unwrap_or_default());
    }

    /// Tables, their rows and cells, and what cells cover.
    fn lay_out(&mut self, name: &str, tag: &BytesStart<'_>) {
        if name == "tbl" {
            self.end_paragraph();
            self.tables.push(OpenTable::default());
            return;
        }
        let Some(table) = self.tables.last_mut() else {
            return;
        };
        let value = attribute(tag, "val");
        let n = value.as_deref().and_then(|n| n.parse::<usize>().ok());
        let n_rows = table.rows.len();
        match (name, table.rows.last_mut()) {
            ("tblStyle", _) => table.style = value,
            ("tblLook", _) => table.uses_first_row = uses_first_row(tag),
            ("tr", _) => table.rows.push(Vec::new()),
            ("tblHeader", _) if table.n_header + 1 == n_rows => {
                table.n_header += usize::from(!matches!(value.as_deref(), Some("0" | "false")));
            }
            ("tc", Some(row)) => row.push(Cell::default()),
            ("gridBefore", Some(row)) if n.is_some_and(|n| n > 0) => row.push(Cell {
                n_columns: n.unwrap_or(1),
                ..Cell::default()
            }),
            ("gridSpan", Some(row)) => {
                if let Some(cell) = row.last_mut() {
                    cell.n_columns = n.unwrap_or(1);
                }
            }
            ("vMerge", Some(row)) => {
                if let Some(cell) = row.last_mut() {
                    cell.continues = value.as_deref() != Some("restart");
                }
            }
            _ => {}
        }
    }

    fn end_paragraph(&mut self) {
        let item = std::mem::take(&mut self.item);
        let mark = self.lists.mark(&item);
        self.flush(mark);
        self.is_heading = false;
        for block in std::mem::take(&mut self.boxed) {
            match self.cell() {
                Some(cell) => push_line(cell, "", &block.text()),
                None => self.blocks.push(block),
            }
        }
    }

    /// The cell at hand.
    fn cell(&mut self) -> Option<&mut Cell> {
        let table = self.tables.last_mut()?;
        table.rows.last_mut()?.last_mut()
    }

    /// What there is of a paragraph, behind its mark.
    fn flush(&mut self, mark: Option<Mark>) {
        // A soft hyphen says where a word may be cut.
        let text = std::mem::take(&mut self.text).replace('\u{ad}', "");
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let mark = match mark {
            Some(Mark::Number(number)) => number + " ",
            Some(Mark::Bullet) if !self.is_heading => "- ".to_owned(),
            _ => String::new(),
        };
        if let Some(cell) = self.cell() {
            push_line(cell, &mark, text);
            return;
        }
        self.blocks.push(if self.is_heading {
            Block::Heading(mark + text)
        } else {
            Block::Paragraph(mark + text)
        });
        self.write_notes();
    }

    fn write_notes(&mut self) {
        let due = std::mem::take(&mut self.notes.due);
        self.blocks.extend(due.into_iter().map(Block::Paragraph));
    }

    fn end_table(&mut self) {
        let Some(mut table) = self.tables.pop() else {
            return;
        };
        let style = table.style.as_deref().unwrap_or_default();
        if table.uses_first_row && self.styles.has_first_row(style) {
            table.n_header = table.n_header.max(1);
        }
        let mut blocks = match table.rows.as_mut_slice() {
            // A frame around text is no table.
            [row] if row.len() == 1 => {
                let text = row.pop().map(|cell| cell.text).unwrap_or_default();
                vec![Block::Paragraph(text)]
            }
            _ => spans::blocks(table.rows, table.n_header, None),
        };
        blocks.retain(|block| block.n_chars() > 0);
        if self.tables.is_empty() {
            self.blocks.append(&mut blocks);
            self.write_notes();
            for _ in 0..std::mem::take(&mut self.breaks_in_table) {
                self.turn_page();
            }
        } else {
            let texts: Vec<String> = blocks.iter().map(Block::text).collect();
            self.text = texts.join("\n");
            self.end_paragraph();
        }
    }

    /// A page that ends inside a table ends behind it, so that the table stays whole.
    fn end_page(&mut self, end: PageEnd) {
        let was_asked = std::mem::replace(&mut self.page_is_asked, end == PageEnd::Asked);
        let is_same = was_asked && end == PageEnd::Rendered;
        if is_same || !self.aside.is_empty() {
            return;
        }
        if !self.tables.is_empty() {
            self.breaks_in_table += 1;
            return;
        }
        // A paragraph that only begins on the next page keeps its number and its look.
        if !self.text.trim().is_empty() {
            let item = std::mem::take(&mut self.item);
            let mark = self.lists.mark(&item);
            self.flush(mark);
        }
        self.turn_page();
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

    pub(super) fn has_pictures(&self) -> bool {
        self.has_pictures
    }

    pub(super) fn finish(mut self) -> Paper {
        while !self.aside.is_empty() {
            self.close_box();
        }
        self.end_text();
        let number = (self.n_breaks > 0).then_some(self.n_breaks + 1);
        let blocks = std::mem::take(&mut self.blocks);
        if !blocks.is_empty() {
            self.pages.push(Page { number, blocks });
        }
        Paper {
            pages: self.pages,
            ..Paper::default()
        }
    }
}

fn push_line(cell: &mut Cell, mark: &str, text: &str) {
    if !cell.text.is_empty() {
        cell.text.push('\n');
    }
    cell.text.push_str(mark);
    cell.text.push_str(text);
}

/// `w:tblLook`, as Word writes it today, or as a number (ECMA-376, part 1, 17.4.55; part 4, 14.3.7).
fn uses_first_row(tag: &BytesStart<'_>) -> bool {
    const FIRST_ROW: u32 = 0x20;
    match (attribute(tag, "firstRow"), attribute(tag, "val")) {
        (Some(says), _) => matches!(says.as_str(), "1" | "true" | "on"),
        (None, Some(number)) => {
            u32::from_str_radix(&number, 16).is_ok_and(|bits| bits & FIRST_ROW > 0)
        }
        (None, None) => false,
    }
}
