//! Where the header of a table lies that has notes above it, as those of statistics offices do.
//!
//! notes | groups | names | units | rows. The header is the first row that names nearly every column,
//! with the groups above it, and what shows below that it goes on: names for columns without one,
//! members of groups, merged cells, units. Everything else below is a row, with numbers or without: a
//! record that was taken for a header would be lost without a word.

use super::{
    numbers::{Number, Writing, is_letters, is_missing},
    units::{Unit, bracketed},
};
use crate::protocol::studio::Header;

/// Rows that a header has at most.
const MAX_HEADER_ROWS: usize = 4;

/// Notes and rows of the header; `None` where the first row names the columns, as usual.
pub(super) fn guess_header(rows: &[Vec<String>]) -> Option<Header> {
    let width = rows.iter().map(|row| extent(row)).max()?;
    if width < 2 {
        return None;
    }
    let above = rows.get(..first_data_row(rows, width)?)?;
    let top = header_top(above, width)?;
    let header = Header {
        skipped_rows: u32::try_from(top).ok()?,
        header_rows: u32::try_from(n_header_rows(above.get(top..)?)).ok()?,
    };
    (header.skipped_rows > 0 || header.header_rows > 1).then_some(header)
}

/// Where the header begins, above the first row that is surely none.
fn header_top(above: &[Vec<String>], width: usize) -> Option<usize> {
    let may_name = |row: &&Vec<String>| extent(row) * 2 > width && !is_note(row);
    let start = |rows: &[Vec<String>]| {
        let n_rows = rows.iter().rev().take_while(may_name).count();
        rows.len() - n_rows
    };
    let last = start(above);
    let n_named = match &above[last..] {
        [] => width,
        rows => n_named(rows),
    };
    // Names and values fill a table of two columns; an empty row parts them from it.
    let ends_notes = |row: &Vec<String>| width == 2 && n_filled(row) == 0;
    let first = above.iter().rposition(ends_notes).unwrap_or(0);
    let names_all = |row: &Vec<String>| {
        // The names of rows often have none themselves.
        let n_filled = n_filled(row) + usize::from(cell(row, 0).is_empty());
        let is_wide = extent(row) >= width && n_filled * 2 > n_named;
        may_name(&row) && (is_wide || n_filled * 5 >= n_named * 4)
    };
    match (first..above.len()).find(|&i| names_all(&above[i])) {
        Some(names) => {
            (start(&above[..=names])..=names).find(|&top| is_one_header(&above[top..=names]))
        }
        None => (last..above.len().saturating_sub(1))
            .find(|&top| is_one_header(&above[top..]))
            .or((last < above.len()).then_some(last)),
    }
}

fn is_one_header(rows: &[Vec<String>]) -> bool {
    n_header_rows(rows) == rows.len()
}

/// The first row, and those below that go on with it.
fn n_header_rows(rows: &[Vec<String>]) -> usize {
    let n_rows = rows.len().min(MAX_HEADER_ROWS);
    let below = (1..n_rows).take_while(|&i| goes_on(&rows[..i], &rows[i]));
    1 + below.count()
}

/// Whether all that a row has belongs to the header above it; where it does not begin with a name of its
/// own, as rows of a table do, something is enough.
fn goes_on(head: &[Vec<String>], row: &[String]) -> bool {
    let above = |at: usize| head.iter().rev().find(|row| !cell(row, at).is_empty());
    let is_new = |at: usize| match above(at) {
        None => true,
        Some(upper) => at > 0 && is_unit(cell(row, at)) || is_member(upper, row, at),
    };
    let is_merged = |at: usize| above(at).is_some_and(|upper| cell(upper, at) == cell(row, at));
    let mut filled = (0..row.len()).filter(|&at| !cell(row, at).is_empty());
    let begins_no_row = cell(row, 0).is_empty() || is_merged(0);
    !is_note(row)
        && (filled.clone().all(|at| is_new(at) || is_merged(at))
            || begins_no_row && filled.any(is_new))
}

/// Whether a cell stands below the name of a group: one that is repeated, or has nothing beside it.
fn is_member(upper: &[String], row: &[String], at: usize) -> bool {
    let name = cell(upper, at);
    let before = at.checked_sub(1).map_or("", |left| cell(upper, left));
    let next = cell(upper, at + 1);
    name == before || name == next || next.is_empty() && !cell(row, at + 1).is_empty()
}

/// `千円`, `(millones)`
fn is_unit(text: &str) -> bool {
    let inner = bracketed(text).filter(|(_, at)| at.start == 0);
    Unit::parse(inner.map_or(text, |(inner, _)| inner)).is_some()
}

/// What notes above a table call it: behind `表題`, or alone in the first row.
pub(super) fn title(notes: &[Vec<String>]) -> Option<String> {
    let text = |row: &Vec<String>, at: usize| {
        let filled = row
            .iter()
            .map(|cell| cell.trim())
            .filter(|cell| !cell.is_empty());
        filled.skip(at).map(str::to_owned).next()
    };
    const LABELS: [&str; 5] = ["表題", "Title", "Table", "Título", "Tabla"];
    let labelled = notes.iter().find(|row| {
        let first = text(row, 0).unwrap_or_default();
        LABELS
            .iter()
            .any(|label| first.trim_end_matches([':', '：']) == *label)
    });
    match labelled {
        Some(row) => text(row, 1),
        None => {
            let first = notes.first()?;
            let title = text(first, 0)?;
            (n_filled(first) == 1 && !title.ends_with([':', '：'])).then_some(title)
        }
    }
}

fn first_data_row(rows: &[Vec<String>], width: usize) -> Option<usize> {
    let is_data = |row: &Vec<String>| {
        let says_so = has_number(row) || lacks_a_value(row) && !is_note(row);
        extent(row) * 5 >= width * 3 && n_filled(row) > 1 && says_so
    };
    let with_numbers = (1..rows.len()).find(|&i| {
        let next = rows.get(i + 1);
        is_data(&rows[i]) && next.is_none_or(|next| is_data(next) || n_filled(next) == 1)
    });
    with_numbers.or_else(|| {
        let names_all = |row: &Vec<String>| n_filled(row) * 5 >= width * 4;
        let names = rows.iter().position(names_all)?;
        (names + 1 < rows.len()).then_some(names + 1)
    })
}

/// Years name columns as often as they fill them.
fn has_number(row: &[String]) -> bool {
    let is_number = |cell: &String| {
        let number = [Writing::Western, Writing::Continental]
            .into_iter()
            .find_map(|writing| Number::parse(cell, writing));
        number.is_some_and(|(number, behind)| {
            !number.is_year() && (behind.is_empty() || Unit::parse(&behind).is_some())
        })
    };
    let n_numbers = row.iter().filter(|cell| is_number(cell)).count();
    let n_missing = row.iter().filter(|cell| is_missing(cell)).count();
    n_numbers > 0 && (n_numbers + n_missing) * 4 >= n_filled(row)
}

/// A sign in place of a value; among units it stands for that of a column without one.
fn lacks_a_value(row: &[String]) -> bool {
    let is_sign = |cell: &&String| is_missing(cell) && !is_letters(cell);
    let mut others = row
        .iter()
        .filter(|cell| !cell.trim().is_empty() && !is_sign(cell));
    row.iter().any(|cell| is_sign(&cell)) && others.any(|cell| !is_unit(cell))
}

fn is_note(row: &[String]) -> bool {
    const STARTS: [&str; 9] = [
        "単位",
        "（単位",
        "(単位",
        "注",
        "（注",
        "資料",
        "Source",
        "Fuente",
        "Nota",
    ];
    let Some(first) = row
        .iter()
        .map(|cell| cell.trim())
        .find(|cell| !cell.is_empty())
    else {
        return true;
    };
    let n_said = row
        .iter()
        .filter(|cell| !cell.trim().is_empty() && !is_missing(cell))
        .count();
    let is_short = n_filled(row) < 3;
    let starts = || STARTS.iter().any(|start| first.starts_with(start));
    n_filled(row) == 1
        || first.ends_with([':', '：']) && n_said < 4
        || is_missing(first) && (is_short || !is_letters(first))
        || (is_short || first.contains([':', '：'])) && starts()
}

fn cell(row: &[String], at: usize) -> &str {
    row.get(at).map_or("", |cell| cell.trim())
}

/// Columns for which one of the rows has a name.
fn n_named(rows: &[Vec<String>]) -> usize {
    let width = rows.iter().map(|row| extent(row)).max().unwrap_or(0);
    let has_name = |at: &usize| rows.iter().any(|row| !cell(row, *at).is_empty());
    (0..width).filter(has_name).count()
}

/// Columns up to the last that is filled.
fn extent(row: &[String]) -> usize {
    let last = row.iter().rposition(|cell| !cell.trim().is_empty());
    last.map_or(0, |last| last + 1)
}

fn n_filled(row: &[String]) -> usize {
    row.iter().filter(|cell| !cell.trim().is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        let cells = |line: &str| line.split(';').map(String::from).collect();
        text.lines().map(cells).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: Option<(u32, u32)>) {
        let found = guess_header(&rows(text)).map(|h| (h.skipped_rows, h.header_rows));
        assert_eq!(found, expected);
    }

    #[test]
    fn one_row_of_names_is_the_usual() {
        check("name;value\na;1\nb;2\n", None);
        check("name;text\na;x\nb;y\n", None);
        check("a\nb\n", None);
    }

    #[test]
    fn notes_are_stepped_over() {
        check("A title;;\nname;x;y\na;1;2\nb;3;4\n", Some((1, 1)));
        check("表題：;人口;\n***;不明;\nname;x;y\na;1;-\n", Some((2, 1)));
        check("A title;;\nname;text;more\na;x;z\n", Some((1, 1)));
    }

    #[test]
    fn headers_of_several_rows() {
        let text = "t;;;;\narea;2015;;2020;\n;men;women;men;women\n;人;人;人;人\nx;1,000;2;3;4\ny;5;6;X;8\n";
        check(text, Some((1, 3)));
    }

    #[test]
    fn a_note_of_units_is_no_header() {
        check("t;;\n;;（単位：千円）\na;b;c\nx;1;2\ny;3;4\n", Some((2, 1)));
    }

    #[test]
    fn rows_without_numbers_are_no_header() {
        check("a;b;n\nx;text;\ny;text;\nz;text;5\n", None);
        check("t;;\na;b;n\nx;text;\ny;text;\nz;text;5\n", Some((1, 1)));
        check("Banco;Año;Total\nK;2023;n.d.\nS;2023;11\nB;2023;8\n", None);
        check("Banco;Año;Total\nK;2023;consultar\nS;2023;11\n", None);
        check("a;b;n\nx;y;-\nx;z;-\ny;z;1,234\n", None);
        check("a;b;n\nPart 1;;\nx;y;free\nz;y;5\n", None);
        check("a;b;c;d;e\nx;y;;;\nx;y;z;;\nx;y;1;2;3\n", None);
        check("t;;\nName;20代;30代\nx;free;free\ny;5;6\n", Some((1, 1)));
        check("a;;n\nb;c;free\nd;e;5\n", None);
        check(";name;city\na;b;c\nd;e;5\n", None);
    }

    #[test]
    fn names_and_values_above_a_table_of_two_columns() {
        check("Source;INE\nDate;2023\n;\nname;value\na;1\n", Some((3, 1)));
        check("name;value\na;\nb;free\nc;5\n", None);
    }

    #[test]
    fn groups_of_one_column_and_rows_of_units_go_on() {
        let text = "t;;;\narea;people;;homes\n;men;women;all\nx;1;2;3\n";
        check(text, Some((1, 2)));
        check("area;a;b\n;(millones);-\nx;1;2\n", Some((0, 2)));
        check("area;2020;2020\narea;men;women\nx;1;2\n", Some((0, 2)));
        check(
            "実施：;2020;-;-\narea;people;;homes\n;a;b;c\nx;1;2;3\n",
            Some((1, 2)),
        );
    }

    #[test]
    fn years_may_name_columns() {
        check("t;;\narea;2015;2020\nx;10;20\ny;30;40\n", Some((1, 1)));
    }

    #[test]
    fn titles_come_from_notes() {
        let of = |text| title(&rows(text));
        assert_eq!(
            of("統計名：;国勢調査\n表題：;男女別人口"),
            Some("男女別人口".into())
        );
        assert_eq!(of("A title;;\nb;c"), Some("A title".into()));
        assert_eq!(of("統計名：;国勢調査"), None);
    }
}
