//! Cells over several columns or rows to rows of texts.
//!
//! The text of such a cell stands in every column and row that it covers, as it does in sheets
//! (`sheet.rs`): a group above its columns, or beside its rows, is found at each. A title over the
//! whole width stays in the first column. Several rows of a header become one, in which groups stand
//! before their members.

use std::collections::BTreeMap;

use super::{Block, Names};
use crate::documents::table::joined;

/// Columns that one cell covers at most.
const MAX_SPAN: usize = 64;

/// Bytes that spans may add to a table: a few letters can claim any number of cells.
const MAX_FILLED: usize = 64 << 20;

const MAX_HEADER_ROWS: usize = 8;

/// A cell as its file has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Cell {
    pub(super) text: String,
    /// 0 is 1.
    pub(super) n_columns: usize,
    /// 0 is 1.
    pub(super) n_rows: usize,
    /// Goes on with the cell above it, whose text it has.
    pub(super) continues: bool,
}

/// A table behind its titles. `n_marked` rows are said to be its header; 0 where nothing says so, and
/// then `said` of its rows may be.
pub(super) fn blocks(rows: Vec<Vec<Cell>>, n_marked: usize, said: Option<Names>) -> Vec<Block> {
    let widths = rows.iter().map(|row| row.iter().map(Cell::width).sum());
    let width: usize = widths.max().unwrap_or(0);
    let n_header = header_rows(&rows, n_marked, width);
    let n_most_marked = rows.len().saturating_sub(1);
    let mut filler = Filler::default();
    let mut blocks = Vec::new();
    let mut head = Vec::new();
    let mut body = Vec::new();
    for (at, cells) in rows.into_iter().enumerate() {
        let title = title(&cells, width).map(str::to_owned);
        let is_kept = cells.iter().any(|cell| !cell.text.is_empty());
        let row = filler.row(cells, width);
        match title {
            Some(title) if at + 1 < n_header => blocks.push(Block::Paragraph(title)),
            _ if !is_kept => {}
            _ if at < n_header => head.push(row),
            _ => body.push(row),
        }
    }
    let has_header = n_header > 1 || (1..=n_most_marked).contains(&n_marked);
    let said = match has_header && !head.is_empty() {
        true => Some(Names::Columns),
        false => said,
    };
    let n_columns = head.iter().chain(&body).map(Vec::len).max().unwrap_or(0);
    let mut table = match head.len() {
        0 | 1 => head,
        _ => vec![joined(&head, n_columns)],
    };
    table.append(&mut body);
    if let Some(header) = table.first_mut() {
        header.resize(n_columns, String::new());
        blocks.push(match said {
            Some(names) => Block::NamedTable(names, table),
            None => Block::Table(table),
        });
    }
    blocks
}

impl Cell {
    fn width(&self) -> usize {
        self.n_columns.clamp(1, MAX_SPAN)
    }

    fn is_title(&self, width: usize) -> bool {
        self.width() * 5 > width * 4
    }
}

/// The text of a row that is nothing but a title.
fn title(cells: &[Cell], width: usize) -> Option<&str> {
    match cells {
        [cell] if width > 1 && cell.is_title(width) && !cell.text.is_empty() => Some(&cell.text),
        _ => None,
    }
}

/// A group of columns in the first row has its members below it, as deep as other cells of that row
/// reach down.
fn header_rows(rows: &[Vec<Cell>], n_marked: usize, width: usize) -> usize {
    let Some((first, below)) = rows.split_first() else {
        return 0;
    };
    let has_groups = first
        .iter()
        .any(|cell| cell.width() > 1 && !cell.is_title(width));
    let deepest = first.iter().map(|cell| cell.n_rows).max().unwrap_or(1);
    let n_continued = below
        .iter()
        .take_while(|row| row.iter().any(|cell| cell.continues))
        .count();
    let n_grouped = match has_groups {
        true => deepest.max(n_continued + 1),
        false => 1,
    };
    // A table that is header from top to bottom says nothing about its header.
    let n_marked = if n_marked < rows.len() { n_marked } else { 0 };
    let n_most = below.len().clamp(1, MAX_HEADER_ROWS);
    n_marked.max(n_grouped).clamp(1, n_most)
}

#[derive(Default)]
struct Filler {
    above: Vec<String>,
    /// By column: the text that goes on, and in how many rows.
    open: BTreeMap<usize, (String, usize)>,
    n_filled: usize,
}

impl Filler {
    fn row(&mut self, cells: Vec<Cell>, width: usize) -> Vec<String> {
        let mut row = Vec::new();
        let mut covered = std::mem::take(&mut self.open);
        for cell in cells {
            while let Some((text, n_rows)) = covered.remove(&row.len()) {
                self.go_on(&mut row, text, n_rows);
            }
            self.place(&mut row, cell, width);
        }
        for (column, (text, n_rows)) in covered {
            // Behind a cell that lies over it, it has no place.
            let n_missing = column.checked_sub(row.len());
            if n_missing.is_some_and(|n| self.affords(n * size_of::<String>())) {
                row.resize(column, String::new());
                self.go_on(&mut row, text, n_rows);
            }
        }
        self.above.clone_from(&row);
        row
    }

    fn place(&mut self, row: &mut Vec<String>, cell: Cell, width: usize) {
        let (n_columns, is_title) = (cell.width(), cell.is_title(width));
        let text = match cell.continues {
            true => self.text_above(row.len()),
            false => cell.text,
        };
        let n_below = cell.n_rows.saturating_sub(1);
        for at in 0..n_columns {
            let text = match at {
                0 => text.clone(),
                _ if !self.affords(size_of::<String>()) => break,
                _ if is_title || !self.affords(text.len()) => String::new(),
                _ => text.clone(),
            };
            if n_below > 0 && self.affords(text.len()) {
                self.open.insert(row.len(), (text.clone(), n_below));
            }
            row.push(text);
        }
    }

    fn go_on(&mut self, row: &mut Vec<String>, text: String, n_rows: usize) {
        if !self.affords(text.len() + size_of::<String>()) {
            return;
        }
        if n_rows > 1 {
            self.open.insert(row.len(), (text.clone(), n_rows - 1));
        }
        row.push(text);
    }

    fn text_above(&mut self, column: usize) -> String {
        let text = self.above.get(column).cloned().unwrap_or_default();
        if self.affords(text.len()) {
            text
        } else {
            String::new()
        }
    }

    fn affords(&mut self, n_bytes: usize) -> bool {
        self.n_filled = self.n_filled.saturating_add(n_bytes);
        self.n_filled <= MAX_FILLED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `text`, `text>2` over two columns, `text_2` over two rows, `^` goes on with the cell above.
    fn cell(text: &str) -> Cell {
        let spans = |mark: char| text.split_once(mark).map(|(text, n)| (text, n.parse()));
        let (n_columns, n_rows) = (spans('>'), spans('_'));
        let (text, _) = n_columns
            .clone()
            .or(n_rows.clone())
            .unwrap_or((text, Ok(1)));
        Cell {
            text: text.trim_start_matches('^').to_owned(),
            n_columns: n_columns.map_or(1, |(_, n)| n.unwrap()),
            n_rows: n_rows.map_or(1, |(_, n)| n.unwrap()),
            continues: text == "^",
        }
    }

    fn table(rows: &[&str], n_marked: usize) -> Vec<String> {
        let cells = |row: &&str| row.split_whitespace().map(cell).collect();
        let blocks = blocks(rows.iter().map(cells).collect(), n_marked, None);
        blocks.iter().map(Block::text).collect()
    }

    #[test]
    fn covered_rows_and_columns_have_the_text() {
        assert_eq!(
            table(&["Bank a b", "BBVA_2 1 2", "3 4", "Caixa 5>2"], 0),
            ["Bank | a | b\nBBVA | 1 | 2\nBBVA | 3 | 4\nCaixa | 5 | 5"]
        );
        assert_eq!(
            table(&["Bank a b", "x 1 y_3", "z 2", "^ 3"], 0),
            ["Bank | a | b\nx | 1 | y\nz | 2 | y\nz | 3 | y"]
        );
    }

    #[test]
    fn two_rows_of_a_header_are_one() {
        let rows = ["Bank_2 2020>2", "Assets Profit", "BBVA 736 1.3"];
        let expected = ["Bank | 2020 Assets | 2020 Profit\nBBVA | 736 | 1.3"];
        assert_eq!(table(&rows, 0), expected);
        assert_eq!(table(&rows, 2), expected);
        let rows = ["Bank 2020>2", "^ Assets Profit", "BBVA 736 1.3"];
        assert_eq!(table(&rows, 0), expected);
        // One that nothing marks has one row.
        assert_eq!(table(&["a_2 b", "c", "d e"], 0), ["a | b\na | c\nd | e"]);
    }

    #[test]
    fn titles_stand_before_the_table_or_in_one_column() {
        assert_eq!(
            table(&["Results>3", "a b c", "1 2 3", "Total>3"], 2),
            ["Results", "a | b | c\n1 | 2 | 3\nTotal |  | "]
        );
    }

    #[test]
    fn spans_without_end_are_bounded() {
        let mut wide = cell("x");
        (wide.n_columns, wide.n_rows) = (usize::MAX, usize::MAX);
        let far = vec![Cell::default(); 100_000];
        let rows: Vec<Vec<Cell>> = [far.into_iter().chain([wide.clone()]).collect()]
            .into_iter()
            .chain((0..10_000).map(|_| vec![cell("y")]))
            .collect();
        assert!(
            matches!(&blocks(rows, 0, None)[..], [Block::NamedTable(_, rows)] if rows.len() > 9_000)
        );
        wide.text = "x".repeat(1 << 20);
        let blocks = blocks(vec![vec![wide; 4]; 2], 0, None);
        let n_bytes: usize = blocks.iter().map(Block::n_chars).sum();
        assert!(n_bytes < 2 * MAX_FILLED, "{n_bytes}");
    }
}
