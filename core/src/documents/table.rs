//! Rows of cells to rows of named fields.
//!
//! notes above | header, of one row or several | rows. CSV and sheets come here alike; a CSV with
//! one plain header row, whose numbers stay as they are, is read by [`crate::data`] itself.

use std::{cell::RefCell, rc::Rc};

use serde_json::{Map, Value};

use super::{
    figures::{Figures, Sample},
    units::Unit,
    xlsx_out::CELLS_COLUMN,
};
use crate::{
    data::{
        CellRow, DatasetError, GUARD_COLUMN, GivenRows, Place, Problem, ProblemKind, Row,
        ShortRows, distinct, is_note, unguard, unguarded_name, unnamed, wrong_width,
    },
    protocol::studio::{Header, Numbers},
};

/// Rows looked at before the first is given, to see which columns have names and cells.
pub(super) const SAMPLE_ROWS: usize = 200;

/// How cells that do not fit the header are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// A row has as many cells as the header, or lacks empty ones at its end (CSV).
    Fixed,
    /// Cells stand in columns of their own; a row ends where its last text is (sheets).
    Open,
}

/// A table with the names of its columns.
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) rows: GivenRows,
    /// What stands above the header.
    pub(super) notes: Vec<Vec<String>>,
    /// What its numbers seem to need.
    pub(super) suggested: Numbers,
}

pub(super) type CellRows = Box<dyn Iterator<Item = Result<CellRow, DatasetError>>>;

/// How a table is laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) header: Option<Header>,
    pub(super) width: Width,
    pub(super) numbers: Numbers,
    /// Whether cells are kept apart by semicolons.
    pub(super) by_semicolons: bool,
}

impl Table {
    /// # Errors
    /// If there is no row below the header, or a row cannot be read.
    pub(super) fn new(mut cells: CellRows, layout: Layout) -> Result<Self, DatasetError> {
        let header = layout.header.unwrap_or(Header {
            skipped_rows: 0,
            header_rows: 1,
        });
        let mut notes = Vec::new();
        for _ in 0..header.skipped_rows {
            notes.push(next_cells(&mut cells)?);
        }
        let mut head = Vec::new();
        for _ in 0..header.header_rows {
            head.push(next_cells(&mut cells)?);
        }
        let sample = cells.by_ref().take(SAMPLE_ROWS);
        let sample: Vec<CellRow> = sample.collect::<Result<_, _>>()?;
        let names = column_names(&head, &sample);
        let shown = Sample {
            notes: &notes,
            names: &names,
            rows: sample.iter().filter_map(cells_of).collect(),
            by_semicolons: layout.by_semicolons,
        };
        let figures = Figures::new(&shown, layout.numbers != Numbers::Plain);
        let suggested = figures.suggested(&shown);
        let columns = match layout.numbers {
            Numbers::AsTheyStand => names,
            Numbers::Plain | Numbers::WithUnits => distinct(figures.names()),
        };
        let naming = Naming {
            guarded: columns.iter().any(|name| name == GUARD_COLUMN),
            columns: columns.clone(),
            layout,
            figures,
            short: Rc::default(),
        };
        let (short, width) = (Rc::clone(&naming.short), columns.len());
        let rows = sample.into_iter().map(Ok).chain(cells);
        let rows = rows.enumerate().map(move |(i, row)| {
            let row = row?;
            Ok(naming.row(row, i as u64 + 1))
        });
        let at_end = std::iter::once_with(move || short.borrow_mut().problem(width));
        let rows = rows.chain(at_end.flatten().map(|problem| Ok(Row::Broken(problem))));
        Ok(Self {
            columns,
            rows: Box::new(rows),
            notes,
            suggested,
        })
    }
}

/// The next row for the header or above it.
fn next_cells(cells: &mut CellRows) -> Result<Vec<String>, DatasetError> {
    match cells.next().transpose()? {
        None => Err(DatasetError::Empty),
        Some(CellRow::Cells { cells, .. }) => Ok(cells),
        Some(CellRow::Broken(_)) => Ok(Vec::new()),
    }
}

fn cells_of(row: &CellRow) -> Option<&[String]> {
    match row {
        CellRow::Cells { cells, .. } => Some(cells),
        CellRow::Broken(_) => None,
    }
}

struct Naming {
    columns: Vec<String>,
    layout: Layout,
    figures: Figures,
    guarded: bool,
    short: Rc<RefCell<ShortRows>>,
}

impl Naming {
    fn row(&self, row: CellRow, record: u64) -> Row {
        let (line, mut cells) = match row {
            CellRow::Broken(problem) => return Row::Broken(problem),
            CellRow::Cells { line, cells } => (line, cells),
        };
        if let Some(problem) = self.problem(&cells, Place { line, record }) {
            return Row::Broken(problem);
        }
        if self.layout.numbers != Numbers::AsTheyStand {
            self.figures.apply(&mut cells);
        }
        let mut object = Map::new();
        let mut cells = cells.into_iter();
        for name in &self.columns {
            let cell = cells.next().unwrap_or_default();
            object.insert(name.clone(), Value::String(cell));
        }
        // A remark far to the right, below the rows that named the columns.
        for (i, cell) in cells.enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let name = unnamed(self.columns.len() + i);
            object.insert(name, Value::String(cell));
        }
        if self.guarded {
            unguard(&mut object);
        }
        Row::Object { line, object }
    }

    fn problem(&self, cells: &[String], place: Place) -> Option<Problem> {
        let n_filled = cells.iter().filter(|cell| !cell.trim().is_empty()).count();
        let width = self.columns.len();
        let is_note = is_note(n_filled, width);
        if self.layout.header.is_some() && is_note {
            let note = cells.iter().find(|cell| !cell.trim().is_empty())?;
            let problem = Problem::new(ProblemKind::BrokenRow, place, "")
                .found(format!("a note: {}", short(note)))
                .expected(format!("{width} columns"));
            return Some(
                problem.advice("notes below a table are no records; nothing is to be done"),
            );
        }
        if self.layout.width == Width::Open {
            return None;
        }
        let is_short = cells.len() < width;
        let extra_is_empty = cells.iter().skip(width).all(|cell| cell.is_empty());
        if !extra_is_empty || is_short && is_note {
            return Some(wrong_width(place, cells.len(), width));
        }
        if is_short {
            self.short.borrow_mut().count(place.line);
        }
        None
    }
}

fn short(text: &str) -> String {
    let mut short: String = text.trim().chars().take(40).collect();
    if text.trim().chars().nth(40).is_some() {
        short.push('…');
    }
    format!("\"{short}\"")
}

/// One name for each column that has a name or, in the first rows, a cell.
fn column_names(head: &[Vec<String>], sample: &[CellRow]) -> Vec<String> {
    let last_filled = |cells: &[String]| {
        let last = cells.iter().rposition(|cell| !cell.trim().is_empty());
        last.map_or(0, |last| last + 1)
    };
    let widths = sample.iter().filter_map(cells_of).map(last_filled);
    let width = head.iter().map(|row| last_filled(row)).chain(widths).max();
    let width = width.unwrap_or(0);
    let names = own_names(head, width).unwrap_or_else(|| joined(head, width));
    let named = names.into_iter().enumerate().map(
        |(i, name)| {
            if name.is_empty() { unnamed(i) } else { name }
        },
    );
    distinct(named.collect())
}

/// The names of a table that we wrote, with all of their blanks.
fn own_names(head: &[Vec<String>], width: usize) -> Option<Vec<String>> {
    let [row] = head else { return None };
    let has = |column: &str| row.iter().any(|name| name == column);
    let is_guarded = has(GUARD_COLUMN);
    if !is_guarded && !has(CELLS_COLUMN) {
        return None;
    }
    let mut names = row.clone();
    names.resize(width, String::new());
    if is_guarded {
        for name in &mut names {
            *name = unguarded_name(name).to_owned();
        }
    }
    Some(names)
}

/// The rows of a header as one, group before member, a row of units in brackets.
pub(super) fn joined(head: &[Vec<String>], width: usize) -> Vec<String> {
    let (units, head) = match head.split_last() {
        Some((last, names)) if !names.is_empty() && is_units(last) => (Some(last), names),
        _ => (None, head),
    };
    let mut names = vec![String::new(); width];
    for (i, row) in head.iter().enumerate() {
        let is_last = i + 1 == head.len();
        let mut group = "";
        for (at, name) in names.iter_mut().enumerate() {
            let own = row.get(at).map_or("", |cell| cell.trim());
            if !own.is_empty() {
                group = own;
            }
            // A group's name stands over its first column only.
            let is_member = !is_last && head.last().is_some_and(|last| is_filled(last, at));
            append(
                name,
                if own.is_empty() && is_member {
                    group
                } else {
                    own
                },
            );
        }
    }
    for (name, unit) in names.iter_mut().zip(units.into_iter().flatten()) {
        if !unit.trim().is_empty() {
            *name = format!("{name} ({})", unit.trim());
        }
    }
    names
}

fn is_units(row: &[String]) -> bool {
    let mut filled = row.iter().filter(|cell| !cell.trim().is_empty()).peekable();
    filled.peek().is_some() && filled.all(|cell| Unit::parse(cell).is_some())
}

fn is_filled(row: &[String], at: usize) -> bool {
    row.get(at).is_some_and(|cell| !cell.trim().is_empty())
}

fn append(name: &mut String, part: &str) {
    let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
    // Merged cells repeat the same text in each row that they cover.
    if part.is_empty() || *name == part || name.ends_with(&format!(" {part}")) {
        return;
    }
    if !name.is_empty() {
        name.push(' ');
    }
    name.push_str(&part);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str, header: Option<(u32, u32)>, width: Width) -> (Vec<String>, Vec<String>) {
        let lines: Vec<String> = text.lines().map(String::from).collect();
        let cells = lines.into_iter().enumerate().map(|(i, line)| {
            Ok(CellRow::Cells {
                line: i as u64 + 1,
                cells: line.split(',').map(String::from).collect(),
            })
        });
        let header = header.map(|(skipped_rows, header_rows)| Header {
            skipped_rows,
            header_rows,
        });
        let table = Table::new(
            Box::new(cells),
            Layout {
                header,
                width,
                numbers: Numbers::AsTheyStand,
                by_semicolons: false,
            },
        )
        .unwrap();
        let rows = table.rows.map(|row| match row.unwrap() {
            Row::Object { line, object } => format!("{line} {}", Value::Object(object)),
            Row::Broken(problem) => problem.to_string(),
        });
        (table.columns, rows.collect())
    }

    #[test]
    fn one_header_row() {
        let (columns, rows) = table("a,b\n1,2\n", None, Width::Open);
        assert_eq!(columns, ["a", "b"]);
        assert_eq!(rows, [r#"2 {"a":"1","b":"2"}"#]);
    }

    #[test]
    fn groups_stand_before_their_members() {
        let text = "note\n,2015,,2020,\narea,men,women,men,women\nx,1,2,3,4\n";
        let (columns, rows) = table(text, Some((1, 2)), Width::Fixed);
        assert_eq!(
            columns,
            ["area", "2015 men", "2015 women", "2020 men", "2020 women"]
        );
        assert!(rows[0].starts_with("4 {\"area\":\"x\""), "{rows:?}");
    }

    #[test]
    fn a_merged_cell_names_once() {
        let (columns, _) = table(
            "area,2020,2020\narea,men,women\nx,1,2\n",
            Some((0, 2)),
            Width::Open,
        );
        assert_eq!(columns, ["area", "2020 men", "2020 women"]);
    }

    #[test]
    fn a_row_of_units_stands_in_brackets() {
        let text = "area,people,,\n,all,men,income\n,人,人,千円\nx,1,2,3\n";
        let (columns, _) = table(text, Some((0, 3)), Width::Fixed);
        assert_eq!(
            columns,
            [
                "area",
                "people all (人)",
                "people men (人)",
                "people income (千円)"
            ]
        );
    }

    #[test]
    fn names_that_we_wrote_keep_their_blanks() {
        let (columns, _) = table("a  b,id ,'=x,veneer_guarded\n1,2,3,\n", None, Width::Fixed);
        assert_eq!(columns, ["a  b", "id ", "=x", "veneer_guarded"]);
        let (columns, _) = table("a  b,id ,'=x,veneer_cells\n1,2,3,\n", None, Width::Open);
        assert_eq!(columns, ["a  b", "id ", "'=x", "veneer_cells"]);
        let (columns, _) = table("a  b,id ,'=x\n1,2,3\n", None, Width::Fixed);
        assert_eq!(columns, ["a b", "id", "'=x"]);
    }

    #[test]
    fn columns_without_or_with_the_same_name_are_kept() {
        let (columns, _) = table("a,,a\n1,2,3\n", None, Width::Open);
        assert_eq!(columns, ["a", "column 2", "a (2)"]);
    }

    #[test]
    fn short_rows_are_said_of_csv_and_not_of_sheets() {
        let text = "a,b,c\n1,2\n1,2,3,\n1,2,3,4\n";
        let (_, rows) = table("a,b,c\n1,2\n1\n1,2,3\n", None, Width::Fixed);
        assert_eq!(rows[0], r#"2 {"a":"1","b":"2","c":""}"#);
        assert!(rows[1].contains("found 1 column"), "{rows:?}");
        assert!(rows[3].contains("1 row without its last cells"), "{rows:?}");
        let (columns, rows) = table(text, None, Width::Open);
        assert_eq!(columns.len(), 4);
        assert_eq!(rows[0], r#"2 {"a":"1","b":"2","c":"","column 4":""}"#);
    }

    #[test]
    fn notes_below_the_table_are_said() {
        let (_, rows) = table("t\na,b,c\n1,2,3\n注) x\n", Some((1, 1)), Width::Fixed);
        assert!(rows[1].contains("a note: \"注) x\""), "{rows:?}");
    }

    #[test]
    fn a_header_without_rows_below_has_no_rows() {
        let cells = std::iter::empty();
        let layout = Layout {
            header: None,
            width: Width::Open,
            numbers: Numbers::AsTheyStand,
            by_semicolons: false,
        };
        assert!(Table::new(Box::new(cells), layout).is_err());
    }
}
