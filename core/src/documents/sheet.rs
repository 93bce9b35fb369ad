//! A sheet of a workbook in memory: its filled cells, row by row.

use super::DocumentError;
use crate::{
    data::{CellRow, Place, Problem, ProblemKind},
    protocol::studio::Phrase,
};

/// Text of a sheet that is held at most; a shared text may stand in many cells.
const MAX_TEXT_BYTES: u64 = 512 << 20;

/// Filled cells of a sheet that are held at most.
const MAX_CELLS: u64 = 20_000_000;

/// Cells that the rows of a sheet may have with the blank ones before and between the filled.
const MAX_PLACES: u64 = 5 * MAX_CELLS;

/// What a blank cell takes.
const PLACE_BYTES: u64 = 24;

/// Rows at the top whose columns every row below has; some more than are looked at.
const HEAD_ROWS: usize = 300;

/// Bytes that cells may take which a file stores once and shows many times.
const MAX_COPIED_BYTES: u64 = 32 << 20;

/// Filled cells, by row and column. Rows without any are not there.
#[derive(Debug, Clone, Default)]
pub(super) struct Sheet {
    rows: Vec<SheetRow>,
    n_bytes: u64,
    n_cells: u64,
    n_copied_bytes: u64,
    formulas: Formulas,
}

/// Formulas that hold no result: whatever wrote them did not calculate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Formulas {
    pub(super) n: u64,
    /// Row of the first, from 0.
    pub(super) row: u32,
}

#[derive(Debug, Clone)]
struct SheetRow {
    /// From 0.
    row: u32,
    /// Columns from 0, ascending.
    cells: Vec<(u32, String)>,
}

/// Cells that are shown as one; the first holds the text. Both corners from 0 and inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Merge {
    pub(super) top: u32,
    pub(super) left: u32,
    pub(super) bottom: u32,
    pub(super) right: u32,
}

impl Sheet {
    pub(super) fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// Add a cell behind those that there are. Blank ones are passed over.
    pub(super) fn push(
        &mut self,
        (row, column): (u32, u32),
        text: String,
        name: &str,
    ) -> Result<(), DocumentError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        self.n_bytes += text.len() as u64;
        self.n_cells += 1;
        if self.n_bytes > MAX_TEXT_BYTES || self.n_cells > MAX_CELLS {
            return Err(DocumentError::TooLarge {
                name: name.into(),
                found: self.n_bytes.max(MAX_TEXT_BYTES + 1),
                limit: MAX_TEXT_BYTES,
            });
        }
        match self.rows.last_mut() {
            Some(last) if last.row == row => last.cells.push((column, text)),
            _ => self.rows.push(SheetRow {
                row,
                cells: vec![(column, text)],
            }),
        }
        Ok(())
    }

    pub(super) fn note_formula(&mut self, row: u32) {
        if self.formulas.n == 0 {
            self.formulas.row = row;
        }
        self.formulas.n += 1;
    }

    /// Say that formulas hold no result, if any.
    pub(super) fn problem(&self) -> Option<Problem> {
        let Formulas { n, row } = self.formulas;
        let found = match n {
            0 => return None,
            1 => Phrase::Formula,
            _ => Phrase::Formulas,
        };
        let place = Place {
            line: u64::from(row) + 1,
            record: 0,
        };
        let problem = Problem::new(ProblemKind::UnreadKey, place, "").found(found.with([&n]));
        let problem = problem.expected(Phrase::FormulaResults.english());
        Some(problem.advice("open the file in Excel or LibreOffice once and save it"))
    }

    /// Another text for a cell that has this one. Cells come in the order in which they were added;
    /// `from` is where the last one was found.
    pub(super) fn replace(
        &mut self,
        from: &mut usize,
        (row, column): (u32, u32),
        old: &str,
        new: String,
    ) {
        let mut rows = self.rows.iter().skip(*from);
        let Some(skipped) = rows.position(|found| found.row == row) else {
            return;
        };
        *from += skipped;
        let cells = self.rows.get_mut(*from).map(|row| &mut row.cells);
        let cell = cells.and_then(|cells| {
            let at = cells.binary_search_by_key(&column, |cell| cell.0).ok()?;
            cells.get_mut(at)
        });
        if let Some((_, text)) = cell
            && text == old
        {
            self.n_bytes += new.len() as u64;
            *text = new;
        }
    }

    /// A cell that the file stores once with others of the same text.
    pub(super) fn push_copy(
        &mut self,
        at: (u32, u32),
        text: &str,
        name: &str,
    ) -> Result<(), DocumentError> {
        self.n_copied_bytes += (text.len() + size_of::<(u32, String)>()) as u64;
        if self.n_copied_bytes > MAX_COPIED_BYTES {
            return Err(DocumentError::TooLarge {
                name: name.into(),
                found: self.n_copied_bytes,
                limit: MAX_COPIED_BYTES,
            });
        }
        self.push(at, text.to_owned(), name)
    }

    /// A row once more, `n` times: how spreadsheets store equal rows.
    pub(super) fn repeat_last(&mut self, n: u32, name: &str) -> Result<(), DocumentError> {
        let Some(last) = self.rows.last() else {
            return Ok(());
        };
        let (row, cells) = (last.row, last.cells.clone());
        for again in 1..=n {
            for (column, text) in &cells {
                self.push_copy((row.saturating_add(again), *column), text, name)?;
            }
        }
        Ok(())
    }

    /// Write the text of merged cells into all of them, so that a group above several columns, or
    /// beside several rows, is found at each. A title over the whole width stays where it is.
    pub(super) fn fill(&mut self, merges: &[Merge]) {
        const MAX_FILLED: u64 = 1_000_000;
        let mut n_filled = 0;
        let (first, end) = self.columns();
        let width = u64::from(end - first);
        for merge in merges {
            let n_columns = u64::from(merge.right.saturating_sub(merge.left)) + 1;
            let right = if n_columns * 5 > width * 4 {
                merge.left
            } else {
                merge.right
            };
            n_filled += (u64::from(merge.bottom.saturating_sub(merge.top)) + 1)
                .saturating_mul(u64::from(right.saturating_sub(merge.left)) + 1);
            if n_filled > MAX_FILLED {
                return;
            }
            self.fill_one(*merge, right);
        }
    }

    fn fill_one(&mut self, merge: Merge, right: u32) {
        let at = |rows: &[SheetRow], row: u32| rows.partition_point(|r| r.row < row);
        let (start, end) = (
            at(&self.rows, merge.top),
            at(&self.rows, merge.bottom.saturating_add(1)),
        );
        let text = match self.rows.get(start) {
            Some(row) if row.row == merge.top => row.text(merge.left).map(str::to_owned),
            _ => None,
        };
        let Some(text) = text else { return };
        for row in self.rows.get_mut(start..end).unwrap_or_default() {
            for column in merge.left..=right {
                if let Err(at) = row.cells.binary_search_by_key(&column, |cell| cell.0) {
                    row.cells.insert(at, (column, text.clone()));
                }
            }
        }
    }

    /// The first column with anything in it, and the one behind the last.
    fn columns(&self) -> (u32, u32) {
        let ends = self.rows.iter().filter_map(|row| {
            let first = row.cells.first()?.0;
            Some((first, row.cells.last()?.0.saturating_add(1)))
        });
        ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
            .unwrap_or((0, 0))
    }

    /// The rows, dense, from the first column that has anything.
    ///
    /// # Errors
    /// If cells stand so far apart that the blank ones between them are too many.
    pub(super) fn into_rows(
        mut self,
        name: &str,
    ) -> Result<impl ExactSizeIterator<Item = CellRow> + use<>, DocumentError> {
        let (first, _) = self.columns();
        // Files may write rows in any order; people see them in that of their numbers.
        self.rows.sort_by_key(|row| row.row);
        let n_places = self.n_places(first);
        if n_places > MAX_PLACES {
            return Err(DocumentError::TooLarge {
                name: name.into(),
                found: n_places.saturating_mul(PLACE_BYTES),
                limit: MAX_PLACES * PLACE_BYTES,
            });
        }
        Ok(self.rows.into_iter().map(move |row| CellRow::Cells {
            line: u64::from(row.row) + 1,
            cells: dense(row.cells, first),
        }))
    }

    /// Cells of all rows, each as wide as its own last cell and the first rows.
    fn n_places(&self, first: u32) -> u64 {
        let width = |row: &SheetRow| {
            let columns = row.cells.iter().map(|cell| cell.0);
            let last = columns.max().unwrap_or(first);
            u64::from(last.saturating_sub(first)) + 1
        };
        let head = self.rows.iter().take(HEAD_ROWS).map(width).max();
        let head = head.unwrap_or(0);
        self.rows.iter().map(|row| width(row).max(head)).sum()
    }
}

impl SheetRow {
    fn text(&self, column: u32) -> Option<&str> {
        let at = self.cells.binary_search_by_key(&column, |cell| cell.0);
        at.ok()
            .and_then(|at| self.cells.get(at))
            .map(|cell| cell.1.as_str())
    }
}

fn dense(cells: Vec<(u32, String)>, first: u32) -> Vec<String> {
    let mut row: Vec<String> = Vec::with_capacity(cells.len());
    for (column, text) in cells {
        let at = column.saturating_sub(first) as usize;
        if row.len() <= at {
            row.resize(at, String::new());
            row.push(text);
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(cells: &[(u32, u32, &str)]) -> Sheet {
        let mut sheet = Sheet::default();
        for (row, column, text) in cells {
            let pushed = sheet.push((*row, *column), (*text).into(), "a.xlsx");
            assert!(pushed.is_ok());
        }
        sheet
    }

    fn rows(sheet: Sheet) -> Vec<(u64, String)> {
        let row = |row| match row {
            CellRow::Cells { line, cells } => (line, cells.join("|")),
            CellRow::Broken(problem) => panic!("{problem}"),
        };
        sheet.into_rows("a.xlsx").unwrap().map(row).collect()
    }

    #[test]
    fn rows_start_at_the_first_used_column() {
        let sheet = sheet(&[(1, 2, "a"), (1, 4, "b"), (3, 3, " "), (4, 3, "c")]);
        assert_eq!(rows(sheet), [(2, "a||b".into()), (5, "|c".into())]);
    }

    #[test]
    fn merged_groups_are_filled_and_titles_are_not() {
        let mut sheet = sheet(&[
            (0, 0, "title"),
            (1, 0, "area"),
            (1, 1, "2020"),
            (1, 4, "note"),
            (2, 1, "men"),
            (2, 2, "women"),
            (3, 0, "x"),
            (3, 4, "y"),
        ]);
        let merge = |top, left, bottom, right| Merge {
            top,
            left,
            bottom,
            right,
        };
        sheet.fill(&[merge(0, 0, 0, 4), merge(1, 0, 2, 0), merge(1, 1, 1, 2)]);
        let found: Vec<String> = rows(sheet).into_iter().map(|row| row.1).collect();
        assert_eq!(
            found,
            ["title", "area|2020|2020||note", "area|men|women", "x||||y"]
        );
    }

    #[test]
    fn repeated_rows_are_counted() {
        let mut sheet = sheet(&[(0, 0, "a"), (2, 0, "b")]);
        assert!(sheet.repeat_last(2, "a.ods").is_ok());
        let lines: Vec<u64> = rows(sheet).into_iter().map(|row| row.0).collect();
        assert_eq!(lines, [1, 3, 4, 5]);
    }

    #[test]
    fn cells_are_replaced_in_their_order() {
        let mut sheet = sheet(&[(0, 0, "a"), (2, 1, "b"), (2, 3, "c"), (5, 0, "d")]);
        let mut from = 0;
        sheet.replace(&mut from, (2, 3), "c", "C".into());
        sheet.replace(&mut from, (2, 1), "x", "not there".into());
        sheet.replace(&mut from, (3, 0), "x", "not there".into());
        sheet.replace(&mut from, (5, 0), "d", "D".into());
        let found: Vec<String> = rows(sheet).into_iter().map(|row| row.1).collect();
        assert_eq!(found, ["a", "|b||C", "D"]);
    }

    #[test]
    fn formulas_without_a_result_are_counted() {
        let mut sheet = Sheet::default();
        assert_eq!(sheet.problem(), None);
        sheet.note_formula(1);
        let said = |sheet: &Sheet| sheet.problem().unwrap().to_string();
        assert!(
            said(&sheet)
                .starts_with("line 2: part of the file not read, found 1 formula without a result")
        );
        sheet.note_formula(2);
        assert!(said(&sheet).contains("found 2 formulas without a result, expected results"));
    }

    #[test]
    fn blank_cells_count_too() {
        let n_rows = 7000;
        let far = |sheet: &mut Sheet, row| sheet.push((row, 16_383), "x".into(), "a.xlsx");
        let mut wide = sheet(&[(0, 0, "a")]);
        assert!((0..n_rows).all(|row| far(&mut wide, row).is_ok()));
        let error = wide.into_rows("a.xlsx").err();
        assert!(matches!(error, Some(DocumentError::TooLarge { .. })));
        // One cell far away below the first rows is no column of the others.
        let mut stray = Sheet::default();
        let near = |sheet: &mut Sheet, row| sheet.push((row, 0), "x".into(), "a.xlsx");
        assert!((0..n_rows).all(|row| near(&mut stray, row).is_ok()));
        assert!(far(&mut stray, n_rows).is_ok());
        assert_eq!(stray.into_rows("a.xlsx").unwrap().len(), 7001);
    }

    #[test]
    fn a_sheet_that_swells_is_refused() {
        let mut sheet = sheet(&[(0, 0, "x")]);
        sheet.n_bytes = MAX_TEXT_BYTES - 1;
        let error = sheet.push((1, 0), "yy".into(), "a.xlsx").err();
        assert!(matches!(error, Some(DocumentError::TooLarge { .. })));
    }
}
