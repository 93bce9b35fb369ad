//! Where the header of a table lies that has notes above it, as those of statistics offices do.
//!
//! notes | groups | names | units | rows. What is a row is told by its numbers; a table without
//! numbers begins below the first row that names nearly every column.

use super::numbers::{Number, Writing, is_missing};
use crate::protocol::studio::Header;

/// Rows that a header has at most.
const MAX_HEADER_ROWS: usize = 4;

/// Notes and rows of the header; `None` where the first row names the columns, as usual.
pub(super) fn guess_header(rows: &[Vec<String>]) -> Option<Header> {
    let width = rows.iter().map(|row| extent(row)).max()?;
    if width < 2 {
        return None;
    }
    let first_data = first_data_row(rows, width)?;
    let is_header = |row: &&Vec<String>| extent(row) * 2 > width && !is_note(row);
    let above = rows.get(..first_data)?.iter().rev();
    let n_rows = above.take(MAX_HEADER_ROWS).take_while(is_header).count();
    let header = Header {
        skipped_rows: u32::try_from(first_data - n_rows).ok()?,
        header_rows: u32::try_from(n_rows).ok()?,
    };
    (header.header_rows > 0 && (header.skipped_rows > 0 || header.header_rows > 1))
        .then_some(header)
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
    let is_data =
        |row: &Vec<String>| extent(row) * 5 >= width * 3 && n_filled(row) > 1 && has_number(row);
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
        number.is_some_and(|(number, _)| !number.is_year())
    };
    let n_numbers = row.iter().filter(|cell| is_number(cell)).count();
    let n_missing = row.iter().filter(|cell| is_missing(cell)).count();
    n_numbers > 0 && (n_numbers + n_missing) * 4 >= n_filled(row)
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
    let is_label = first.ends_with([':', '：']) && n_filled(row) < 4;
    n_filled(row) == 1
        || is_label
        || is_missing(first)
        || STARTS.iter().any(|start| first.starts_with(start))
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
