//! Tables of a page: runs that stand side by side in several rows, in the same columns and with little
//! text.
//!
//! A row with a single cell between such rows belongs to the table: it goes on with the cell above it
//! where it stands in a column of its own and close below, else it is a row (`Cooperative banks`).

use super::{
    pdf_layout::{MAX_MEAN_CELL_CHARS, NEW_PARAGRAPH, append},
    pdf_runs::{Run, SAME_LINE},
};

/// White between columns, in sizes of the font; where rows have more cells than that makes, less will do.
const COLUMN_GAP: f64 = 0.5;
const NARROW_COLUMN_GAP: f64 = 0.1;
/// The same between rows with several cells, and beside a row with one.
const MAX_ROW_GAP: f64 = 4.0;
const MAX_SINGLE_GAP: f64 = 2.2;
/// A row with one cell is as near as the rows of the table are to each other.
const USUAL_GAPS: f64 = 1.5;
const MAX_SINGLES: usize = 2;
const MAX_SINGLE_CHARS: usize = 120;
/// A cell that may be a line of prose has as many.
const MIN_LINE_CHARS: usize = 20;
/// Rows with several cells that a table with single ones has.
const MIN_ROWS_BESIDE_SINGLES: usize = 3;

pub(super) struct Table {
    pub(super) rows: Vec<Vec<String>>,
    /// Indices of the runs in it.
    pub(super) members: Vec<usize>,
    pub(super) columns: Columns,
}

/// From left to right, where columns begin and end.
pub(super) type Columns = Vec<(f64, f64)>;

/// Indices of runs that stand on one line.
type Row = Vec<usize>;

/// Runs that stand on one line, top to bottom, without those that are left out.
pub(super) fn rows(runs: &[Run], left_out: &[bool]) -> Vec<Row> {
    let mut order: Vec<usize> = (0..runs.len()).filter(|&at| !left_out[at]).collect();
    order.sort_by(|&a, &b| runs[a].y.total_cmp(&runs[b].y));
    let mut rows: Vec<Row> = Vec::new();
    for at in order {
        let joins = rows.last().and_then(|row| row.first()).is_some_and(|&top| {
            let size = runs[top].size.max(runs[at].size);
            (runs[at].y - runs[top].y).abs() < SAME_LINE * size
        });
        match rows.last_mut() {
            Some(row) if joins => row.push(at),
            _ => rows.push(vec![at]),
        }
    }
    rows
}

/// Stretches of rows, top to bottom, in which several runs stand side by side.
pub(super) fn tables(runs: &[Run], left_out: &[bool]) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut open = Stretch::new(runs);
    for row in rows(runs, left_out) {
        match row.len() {
            1 if open.may_hold(&row) => open.waiting.push(row),
            1 => tables.extend(open.finish()),
            _ => {
                if !open.goes_on(&row) {
                    tables.extend(open.finish());
                }
                open.rows.append(&mut open.waiting);
                open.rows.push(row);
            }
        }
    }
    tables.extend(open.finish());
    tables
}

/// Rows that may be a table, and rows with one cell behind them, which belong to it if it goes on.
struct Stretch<'a> {
    runs: &'a [Run],
    rows: Vec<Row>,
    waiting: Vec<Row>,
}

impl<'a> Stretch<'a> {
    fn new(runs: &'a [Run]) -> Self {
        Self {
            runs,
            rows: Vec::new(),
            waiting: Vec::new(),
        }
    }

    fn first(&self, row: &[usize]) -> Option<&'a Run> {
        row.first().and_then(|&at| self.runs.get(at))
    }

    /// From the baseline of a row to that of another.
    fn gap(&self, above: &[usize], below: &[usize]) -> Option<f64> {
        Some(self.first(below)?.y - self.first(above)?.y)
    }

    /// Between neighbouring rows with several cells, where there are any.
    fn usual_gap(&self) -> Option<f64> {
        let several = |pair: &&[Row]| pair.iter().all(|row| row.len() > 1);
        let pairs = self.rows.windows(2).filter(several);
        let mut gaps: Vec<f64> = pairs
            .filter_map(|pair| match pair {
                [above, below] => self.gap(above, below),
                _ => None,
            })
            .collect();
        gaps.sort_by(f64::total_cmp);
        gaps.get(gaps.len() / 2).copied()
    }

    /// Whether a row follows the last one as closely as the rows of a table do.
    fn is_close(&self, row: &[usize]) -> bool {
        let last = self.waiting.last().or(self.rows.last());
        let gap = last.and_then(|last| self.gap(last, row));
        let size = self.first(row).map_or(0.0, |run| run.size);
        let usual = self.usual_gap().unwrap_or(0.0);
        gap.is_some_and(|gap| gap < (USUAL_GAPS * usual).max(MAX_SINGLE_GAP * size))
    }

    fn may_hold(&self, single: &[usize]) -> bool {
        let n_chars = self.first(single).map_or(0, |run| run.text.chars().count());
        !self.rows.is_empty()
            && self.waiting.len() < MAX_SINGLES
            && n_chars <= MAX_SINGLE_CHARS
            && self.is_close(single)
    }

    fn goes_on(&self, row: &[usize]) -> bool {
        let Some(last) = self.rows.last() else {
            return true;
        };
        if self.waiting.is_empty() {
            return match (self.first(last), self.first(row)) {
                (Some(above), Some(here)) => {
                    here.y - above.y < MAX_ROW_GAP * here.size.max(above.size)
                }
                _ => true,
            };
        }
        self.is_close(row) && self.has_columns_of(row) && !self.is_header(row)
    }

    fn several(&self) -> impl Iterator<Item = &[usize]> {
        several(&self.rows)
    }

    /// Whether a row stands in the columns of the others.
    fn has_columns_of(&self, row: &[usize]) -> bool {
        let own: Vec<&[usize]> = self.several().collect();
        let all: Vec<&[usize]> = own.iter().copied().chain([row]).collect();
        let n_own = columns(self.runs, &own).len();
        let n_all = columns(self.runs, &all).len();
        n_all >= 2 && n_all == n_own.max(row.len())
    }

    /// Whether a row behind rows with one cell begins another table: it repeats the first row, or is
    /// words where the others have numbers.
    fn is_header(&self, row: &[usize]) -> bool {
        let texts = |row: &[usize]| -> Vec<&str> {
            let runs = self.sorted(row).into_iter();
            runs.map(|run| run.text.trim()).collect()
        };
        let has_number = |row: &[usize]| {
            let texts = texts(row);
            texts
                .iter()
                .skip(1)
                .any(|text| text.contains(char::is_numeric))
        };
        let mut data = self.several().skip(1).peekable();
        let are_numbers = data.peek().is_some() && data.all(has_number);
        self.rows
            .first()
            .is_some_and(|first| texts(first) == texts(row))
            || (are_numbers && !has_number(row))
    }

    fn sorted(&self, row: &[usize]) -> Vec<&'a Run> {
        let mut row: Vec<&Run> = row.iter().filter_map(|&at| self.runs.get(at)).collect();
        row.sort_by(|a, b| a.left.total_cmp(&b.left));
        row
    }

    /// The table that the rows are; without enough of them, what is between the single ones.
    fn finish(&mut self) -> Vec<Table> {
        let (rows, waiting) = (
            std::mem::take(&mut self.rows),
            std::mem::take(&mut self.waiting),
        );
        let n_several = several(&rows).count();
        if n_several < MIN_ROWS_BESIDE_SINGLES || self.runs_on(&rows) {
            let stretches = rows.split(|row| row.len() == 1);
            return stretches.filter_map(|rows| self.table(rows, &[])).collect();
        }
        self.table(&rows, &waiting).into_iter().collect()
    }

    /// Whether most rows go on with sentences of those above, as the lines of columns of prose do.
    fn runs_on(&self, rows: &[Row]) -> bool {
        let several: Vec<&[usize]> = several(rows).collect();
        let goes_on = |pair: &&[&[usize]]| match pair {
            [above, below] => self.goes_on_with_sentence(above, below),
            _ => false,
        };
        let n = several.windows(2).filter(goes_on).count();
        n * 2 > several.len().saturating_sub(1)
    }

    fn goes_on_with_sentence(&self, above: &[usize], below: &[usize]) -> bool {
        let (above, below) = (self.sorted(above), self.sorted(below));
        let is_long = |run: &Run| run.text.chars().count() >= MIN_LINE_CHARS;
        let goes_on = |above: &Run, below: &Run| {
            let overlaps = above.left < below.right && below.left < above.right;
            let ends = above
                .text
                .trim_end()
                .ends_with(['.', ':', ';', '!', '?', '。']);
            let begins = below.text.trim_start().starts_with(char::is_lowercase);
            overlaps && is_long(above) && !ends && begins
        };
        above
            .iter()
            .any(|above| below.iter().any(|below| goes_on(above, below)))
    }

    /// `behind` are rows with one cell, of which those count that go on with a cell of the last row.
    fn table(&self, rows: &[Row], behind: &[Row]) -> Option<Table> {
        let several: Vec<&[usize]> = several(rows).collect();
        if several.len() < 2 {
            return None;
        }
        let columns = columns(self.runs, &several);
        if columns.len() < 2 {
            return None;
        }
        let mut members: Vec<usize> = rows.iter().flatten().copied().collect();
        let mut cells: Vec<Vec<String>> = Vec::new();
        let mut above: Option<&Row> = None;
        for row in rows {
            let continued = above.and_then(|above| self.continued(above, row, &columns));
            match continued.and_then(|column| cells.last_mut()?.get_mut(column)) {
                Some(cell) if !cell.is_empty() => self.go_on(cell, row),
                _ => cells.push(self.cells(row, &columns)),
            }
            above = Some(row);
        }
        for row in behind {
            let continued = above.and_then(|above| self.continued(above, row, &columns));
            let column = continued.filter(|column| *column > 0);
            match column.and_then(|column| cells.last_mut()?.get_mut(column)) {
                Some(cell) if !cell.is_empty() => self.go_on(cell, row),
                _ => break,
            }
            members.extend(row);
            above = Some(row);
        }
        let is_short = |column: usize| {
            let texts = cells.iter().filter_map(|row| row.get(column));
            let n_chars: usize = texts.map(|text| text.chars().count()).sum();
            n_chars / cells.len() <= MAX_MEAN_CELL_CHARS
        };
        (0..columns.len()).any(is_short).then_some(Table {
            rows: cells,
            members,
            columns,
        })
    }

    fn cells(&self, row: &[usize], columns: &[(f64, f64)]) -> Vec<String> {
        let mut texts = vec![String::new(); columns.len()];
        for run in self.sorted(row) {
            let middle = (run.left + run.right) / 2.0;
            let column = match row.len() {
                1 => column_of(run, columns),
                _ => columns.iter().position(|&(_, right)| middle <= right),
            };
            let last = if row.len() == 1 { 0 } else { columns.len() - 1 };
            if let Some(cell) = texts.get_mut(column.unwrap_or(last)) {
                if !cell.is_empty() {
                    cell.push(' ');
                }
                cell.push_str(run.text.trim());
            }
        }
        texts
    }

    /// The column in which a row with one cell goes on with the row above: with a line close below
    /// it, in the first column only in the middle of a sentence.
    fn continued(&self, above: &[usize], row: &[usize], columns: &[(f64, f64)]) -> Option<usize> {
        let [at] = row else {
            return None;
        };
        let run = self.runs.get(*at)?;
        let column = column_of(run, columns)?;
        let text = run.text.trim();
        let is_near = self.gap(above, row)? < NEW_PARAGRAPH * run.size;
        let is_word = text.chars().take(2).all(char::is_lowercase);
        let is_text = text.contains(char::is_alphabetic);
        (is_near && if column > 0 { is_text } else { is_word }).then_some(column)
    }

    fn go_on(&self, cell: &mut String, row: &[usize]) {
        for run in self.sorted(row) {
            append(cell, run.text.trim(), true);
        }
    }
}

/// Rows with several cells.
fn several(rows: &[Row]) -> impl Iterator<Item = &[usize]> {
    rows.iter().map(Vec::as_slice).filter(|row| row.len() > 1)
}

/// The column that a run lies in.
fn column_of(run: &Run, columns: &[(f64, f64)]) -> Option<usize> {
    let column = columns.iter().position(|&(_, right)| run.left < right)?;
    let &(left, _) = columns.get(column)?;
    let starts = run.left > left - COLUMN_GAP * run.size;
    let next = columns.get(column + 1).map_or(f64::MAX, |next| next.0);
    (starts && run.right < next).then_some(column)
}

/// Where the runs of a table leave gaps from top to bottom, columns part.
fn columns(runs: &[Run], rows: &[&[usize]]) -> Columns {
    let columns = parted(runs, rows, COLUMN_GAP);
    let n_fuller = rows.iter().filter(|row| row.len() > columns.len()).count();
    if columns.len() > 1 && n_fuller * 2 > rows.len() {
        parted(runs, rows, NARROW_COLUMN_GAP)
    } else {
        columns
    }
}

fn parted(runs: &[Run], rows: &[&[usize]], gap: f64) -> Columns {
    let members = rows.iter().flat_map(|row| row.iter());
    let mut spans: Vec<&Run> = members.filter_map(|&at| runs.get(at)).collect();
    spans.sort_by(|a, b| a.left.total_cmp(&b.left));
    let mut columns: Columns = Vec::new();
    for run in spans {
        match columns.last_mut() {
            Some(last) if run.left - last.1 < gap * run.size => last.1 = last.1.max(run.right),
            _ => columns.push((run.left, run.right)),
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows 15 points apart; cells at 70, 250 and 328, as wide as their letters.
    fn read(rows: &[[&str; 3]]) -> Vec<Vec<Vec<String>>> {
        let mut runs = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            for (text, left) in row.iter().zip([70.0, 250.0, 328.0]) {
                let right = left + 5.0 * text.chars().count() as f64;
                let (y, size) = (80.0 + 15.0 * at as f64, 10.0);
                let text = (*text).to_owned();
                let run = Run {
                    text,
                    left,
                    right,
                    y,
                    size,
                };
                runs.extend((left < right).then_some(run));
            }
        }
        let left_out = vec![false; runs.len()];
        let tables = tables(&runs, &left_out).into_iter();
        tables.map(|table| table.rows).collect()
    }

    const HEADER: [&str; 3] = ["Bank", "2022", "2023"];
    const DATA: [[&str; 3]; 4] = [
        ["Santander", "9605", "11076"],
        ["BBVA", "6420", "8019"],
        ["Cajamar", "92", "127"],
        ["Laboral", "110", "165"],
    ];

    #[test]
    fn a_row_with_one_cell_is_a_row_of_the_table() {
        let note = "Figures in millions of euros; source: annual reports of the banks";
        for between in ["Cooperative banks", note] {
            let rows = [
                HEADER,
                DATA[0],
                DATA[1],
                [between, "", ""],
                DATA[2],
                DATA[3],
            ];
            assert_eq!(
                read(&rows),
                [rows.map(|row| row.map(String::from).to_vec())]
            );
        }
        let rows = [HEADER, ["Large banks", "", ""], DATA[0], DATA[1]];
        assert_eq!(read(&rows).len(), 1);
    }

    #[test]
    fn text_between_tables_parts_them() {
        let title = ["Other banks", "", ""];
        let header = ["Bank", "income", "margin"];
        let two = [HEADER, DATA[0], DATA[1], title, header, DATA[2], DATA[3]];
        assert_eq!(read(&two).len(), 2);
        let again = [HEADER, DATA[0], DATA[1], title, HEADER, DATA[2], DATA[3]];
        assert_eq!(read(&again).len(), 2);
    }

    #[test]
    fn a_cell_of_several_lines_is_one() {
        let found = read(&[
            ["Product", "Premium", "Term"],
            ["Whole life insurance", "1200", "as long as"],
            ["", "", "life lasts"],
            ["with dividends", "", ""],
            ["Annuity", "2000", "20 years or"],
            ["", "", "Until death"],
        ]);
        let rows: Vec<String> = found.concat().iter().map(|row| row.join("|")).collect();
        assert_eq!(
            rows,
            [
                "Product|Premium|Term",
                "Whole life insurance with dividends|1200|as long as life lasts",
                "Annuity|2000|20 years or Until death",
            ]
        );
    }

    #[test]
    fn a_line_of_prose_holds_no_rows_together() {
        let prose = [
            ["The rate of the bond is", "1", ""],
            ["set by the central bank", "2", ""],
            ["and paid twice a year to", "", ""],
            ["whoever holds the bond on", "3", ""],
            ["the day of payment as the", "4", ""],
        ];
        let rows: Vec<usize> = read(&prose).iter().map(Vec::len).collect();
        assert_eq!(rows, [2, 2]);
    }

    #[test]
    fn columns_that_nearly_touch_stay_apart() {
        let company = "McGraw-Hill Edu";
        let rows = [
            ["Date", "Company", "City"],
            ["06/30", company, "Monterey"],
            DATA[0],
        ];
        assert_eq!(read(&rows)[0][1], ["06/30", company, "Monterey"]);
    }
}
