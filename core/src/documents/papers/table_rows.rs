//! A table to texts, one for each row: `column: value` lines, or the row's own name before its values.
//!
//! A row with nothing but a name is the heading of those below, and stands before each of them. Where
//! nothing names the cells of a row, they stand side by side.

use super::{
    Names,
    table_names::{Naming, naming},
};
use crate::documents::table::joined;

/// Headings that stand before a row at most, the last ones.
const MAX_HEADINGS: usize = 2;

/// A row as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowText {
    /// From 1, below the names of the columns.
    pub(super) row: usize,
    pub(super) text: String,
}

pub(super) fn row_texts(rows: &[Vec<String>], said: Option<Names>) -> Vec<RowText> {
    let n_titles = match said {
        Some(_) => 0,
        None => rows
            .iter()
            .take_while(|row| n_filled(row) == 0 || title(row).is_some())
            .count(),
    };
    let (titles, rows) = rows.split_at(n_titles);
    let naming = naming(rows, said);
    let n_header = match naming {
        Naming::Columns(n_rows) => n_rows.min(rows.len()),
        Naming::Rows | Naming::Nothing => 0,
    };
    let (head, body) = rows.split_at(n_header);
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut writer = Writer {
        naming,
        names: joined(head, width),
        ..Writer::default()
    };
    for title in titles.iter().filter_map(|row| title(row)) {
        writer.add_heading(0, title);
    }
    // Long tables repeat their names on every page.
    let is_repeated = |row: &Vec<String>| head.contains(row);
    for (at, row) in without_wraps(body).iter().enumerate() {
        if !is_repeated(row) {
            writer.row(at + 1, row);
        }
    }
    writer.end_headings();
    writer.texts
}

/// Rows, of which those that only go on with a name above them are empty.
fn without_wraps(rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let mut whole: Vec<Vec<String>> = Vec::new();
    let mut last_full = None;
    for row in rows {
        let wrapped = heading(row).filter(|text| is_wrapped(text));
        let above = last_full.and_then(|at| whole.get_mut::<usize>(at)?.first_mut());
        match (wrapped, above) {
            (Some(text), Some(name)) if !name.trim().is_empty() => {
                name.push(' ');
                name.push_str(text);
                whole.push(Vec::new());
            }
            _ => {
                last_full = (n_filled(row) > 1).then_some(whole.len()).or(last_full);
                whole.push(row.clone());
            }
        }
    }
    whole
}

fn is_wrapped(text: &str) -> bool {
    text.starts_with(char::is_lowercase) && !text.ends_with([':', '：'])
}

#[derive(Debug)]
struct Writer {
    naming: Naming,
    names: Vec<String>,
    headings: Vec<String>,
    /// Where the headings stand that no row has had yet.
    unused_from: Option<usize>,
    texts: Vec<RowText>,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            naming: Naming::Nothing,
            names: Vec::new(),
            headings: Vec::new(),
            unused_from: None,
            texts: Vec::new(),
        }
    }
}

impl Writer {
    fn row(&mut self, row_number: usize, row: &[String]) {
        if let Some(heading) = heading(row) {
            self.add_heading(row_number, heading);
            return;
        }
        let text = match self.naming {
            Naming::Columns(_) => self.named(row),
            Naming::Rows => pair(row),
            Naming::Nothing => side_by_side(row),
        };
        if text.is_empty() {
            return;
        }
        self.unused_from = None;
        let lines: Vec<&str> = self
            .headings
            .iter()
            .map(String::as_str)
            .chain([text.as_str()])
            .collect();
        self.texts.push(RowText {
            row: row_number,
            text: lines.join("\n"),
        });
    }

    fn named(&self, row: &[String]) -> String {
        let lines = self
            .names
            .iter()
            .zip(row)
            .map(|(name, value)| match name.trim() {
                "" => value.trim().to_owned(),
                _ if value.trim().is_empty() => String::new(),
                name => format!("{name}: {}", value.trim()),
            });
        let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
        lines.join("\n")
    }

    fn add_heading(&mut self, row_number: usize, heading: &str) {
        if self.unused_from.is_none() {
            self.headings.clear();
        }
        self.unused_from.get_or_insert(row_number);
        self.headings.push(heading.to_owned());
        if self.headings.len() > MAX_HEADINGS {
            let text = self.headings.remove(0);
            self.texts.push(RowText {
                row: row_number.saturating_sub(MAX_HEADINGS).max(1),
                text,
            });
        }
    }

    /// Those without rows below them stand for themselves.
    fn end_headings(&mut self) {
        if let Some(row) = self.unused_from.take() {
            self.texts.push(RowText {
                row: row.max(1),
                text: self.headings.join("\n"),
            });
        }
    }
}

fn pair(row: &[String]) -> String {
    let (label, values) = row
        .split_first()
        .map_or(("", row), |(label, values)| (label.trim(), values));
    let label = label.trim_end_matches([':', '：']).trim_end();
    match (label, side_by_side(values)) {
        (label, values) if values.is_empty() => label.to_owned(),
        ("", values) => values,
        (label, values) => format!("{label}: {values}"),
    }
}

fn side_by_side(cells: &[String]) -> String {
    let n_cells = cells
        .iter()
        .rposition(|cell| !cell.trim().is_empty())
        .map_or(0, |last| last + 1);
    let cells: Vec<&str> = cells.iter().take(n_cells).map(|cell| cell.trim()).collect();
    cells.join(" | ")
}

/// The only text of a row, where the table has more than a name and its value.
fn title(row: &[String]) -> Option<&str> {
    let mut filled = row
        .iter()
        .map(|cell| cell.trim())
        .filter(|cell| !cell.is_empty());
    let text = filled.next()?;
    (row.len() > 2 && filled.next().is_none()).then_some(text)
}

/// The same in the first column.
fn heading(row: &[String]) -> Option<&str> {
    title(row).filter(|text| row.first().is_some_and(|cell| cell.trim() == *text))
}

fn n_filled(row: &[String]) -> usize {
    row.iter().filter(|cell| !cell.trim().is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(usize, &str)]) {
        let cells = |line: &str| line.split(';').map(String::from).collect();
        let rows: Vec<Vec<String>> = text.lines().map(cells).collect();
        let found = row_texts(&rows, None);
        let found: Vec<_> = found
            .iter()
            .map(|row| (row.row, row.text.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn headings_stand_before_the_rows_below_them() {
        check(
            "Bank;2022;2023\nA;1;2\nCooperative banks;;\nSpain;;\nB;3;4\nC;5;\nOthers;;",
            &[
                (1, "Bank: A\n2022: 1\n2023: 2"),
                (4, "Cooperative banks\nSpain\nBank: B\n2022: 3\n2023: 4"),
                (5, "Cooperative banks\nSpain\nBank: C\n2022: 5"),
                (6, "Others"),
            ],
        );
        check(
            "Exposure;;\n;2022;2023\nA;9;8\n;2022;2023\nB;7;6",
            &[
                (1, "Exposure\nA\n2022: 9\n2023: 8"),
                (3, "Exposure\nB\n2022: 7\n2023: 6"),
            ],
        );
    }

    #[test]
    fn names_over_two_lines_are_one() {
        check(
            "Product;Premium;Term\nWhole life;1200;life\nwith dividends;;\nAnnuity;20;5",
            &[
                (
                    1,
                    "Product: Whole life with dividends\nPremium: 1200\nTerm: life",
                ),
                (3, "Product: Annuity\nPremium: 20\nTerm: 5"),
            ],
        );
    }

    #[test]
    fn cells_without_names_stand_side_by_side() {
        check(
            "A;3145;4816\nB;;1332",
            &[(1, "A | 3145 | 4816"), (2, "B |  | 1332")],
        );
        check("A:;x\nB:;\nC;z", &[(1, "A: x"), (2, "B"), (3, "C: z")]);
    }
}
