//! Tables with one row of names: rows as objects of text.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    io::Read,
};

use serde_json::{Map, Value};

use super::{DatasetError, Place, Problem, ProblemKind, cells::Cells, columns::list};
use crate::protocol::studio::Phrase;

/// Column in which an export says which cells of the row it guarded (see [`super::write`]).
pub(crate) const GUARD_COLUMN: &str = "veneer_guarded";

/// Stands there before the name of a column that the row does not have.
pub(crate) const LACKING: char = '!';

/// Rows of a table, one object each.
pub(crate) struct Table<R> {
    rows: Cells<R>,
    pub(crate) header: Vec<String>,
    /// Which columns were given a name here: where they are empty, a row does not have them.
    is_named_here: Vec<bool>,
    short: ShortRows,
}

/// Rows without their last cells, as spreadsheets write them where these are empty.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ShortRows {
    n: u64,
    line: u64,
}

/// One record as it stands, or what is wrong with it.
#[derive(Debug)]
pub enum Row {
    Object {
        line: u64,
        object: Map<String, Value>,
    },
    Broken(Problem),
}

impl<R: Read> Table<R> {
    /// `sample` is the start of the same text, for telling the separator.
    pub(crate) fn new(
        source: R,
        sample: &str,
        separator: Option<u8>,
        cap: usize,
    ) -> Result<Self, DatasetError> {
        let mut rows = Cells::new(source, sample, separator, cap)?;
        let names = rows.header()?;
        let first = names.iter().position(String::is_empty);
        let is_named_here: Vec<bool> = names
            .iter()
            .enumerate()
            .map(|(at, name)| name.is_empty() && first != Some(at))
            .collect();
        let named = names.into_iter().zip(&is_named_here).enumerate();
        let named = named.map(|(at, (name, here))| if *here { unnamed(at) } else { name });
        Ok(Self {
            rows,
            header: distinct(named.collect()),
            is_named_here,
            short: ShortRows::default(),
        })
    }

    pub(crate) fn separator(&self) -> char {
        char::from(self.rows.separator)
    }

    pub(crate) fn next_row(&mut self) -> Result<Option<Row>, DatasetError> {
        Ok(match self.rows.next_row()? {
            Some(Ok(place)) => Some(self.object(place)),
            Some(Err(problem)) => Some(Row::Broken(*problem)),
            None => self.short.problem(self.header.len()).map(Row::Broken),
        })
    }

    fn object(&mut self, place: Place) -> Row {
        let cells = self.rows.cells();
        let width = self.header.len();
        let n_filled = cells.iter().filter(|cell| !cell.trim().is_empty()).count();
        let is_short = cells.len() < width;
        if cells.len() > width || is_short && is_note(n_filled, width) {
            return Row::Broken(wrong_width(place, cells.len(), width));
        }
        if is_short {
            self.short.count(place.line);
        }
        let mut object = Map::new();
        let names = self.header.iter().zip(&self.is_named_here);
        let cells = cells.iter().chain(std::iter::repeat(""));
        for ((name, is_named_here), cell) in names.zip(cells) {
            if !(*is_named_here && cell.is_empty()) {
                object.insert(name.clone(), Value::String(cell.to_owned()));
            }
        }
        unguard(&mut object);
        Row::Object {
            line: place.line,
            object,
        }
    }
}

/// What a column without a name is called.
pub(crate) fn unnamed(at: usize) -> String {
    format!("column {}", at + 1)
}

/// Names that stand twice are numbered, so that no column is lost.
pub(crate) fn distinct(names: Vec<String>) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let taken: HashSet<String> = names.iter().cloned().collect();
    let number = |name: String| {
        let n = seen.entry(name.clone()).or_insert(0);
        *n += 1;
        if *n == 1 {
            return name;
        }
        let mut numbered = format!("{name} ({n})");
        while taken.contains(&numbered) {
            *n += 1;
            numbered = format!("{name} ({n})");
        }
        numbered
    };
    names.into_iter().map(number).collect()
}

impl ShortRows {
    pub(crate) fn count(&mut self, line: u64) {
        if self.n == 0 {
            self.line = line;
        }
        self.n += 1;
    }

    /// Said once, behind the last row.
    pub(crate) fn problem(&mut self, width: usize) -> Option<Problem> {
        let Self { n, line } = std::mem::take(self);
        let found = match n {
            0 => return None,
            1 => Phrase::ShortRow,
            _ => Phrase::ShortRows,
        };
        let problem = Problem::new(ProblemKind::OddRows, Place { line, record: 0 }, "");
        let problem = problem.found(found.with([&n])).expected(columns(width));
        Some(problem.advice(
            "nothing is to be done if these cells are empty; otherwise look for a line break in the \
             middle of a row",
        ))
    }
}

/// Whether a row of so few filled cells is a remark below a table of this width.
pub(crate) fn is_note(n_filled: usize, width: usize) -> bool {
    n_filled == 1 && width > 2
}

fn columns(n: usize) -> String {
    format!("{n} column{}", if n == 1 { "" } else { "s" })
}

/// A row with more cells than the header has names, or with one of many.
pub(crate) fn wrong_width(place: Place, found: usize, expected: usize) -> Problem {
    let advice = match found > expected {
        true => {
            "put quotes (\") around a cell that holds a separator or a line break, \
             and write quotes inside it twice"
        }
        false => {
            "notes below a table are no records, and nothing is to be done; if it is a row, write its \
             other cells"
        }
    };
    Problem::new(ProblemKind::BrokenRow, place, "")
        .found(columns(found))
        .expected(columns(expected))
        .advice(advice)
}

/// What spreadsheets run instead of showing it (OWASP, "CSV Injection").
pub(crate) fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// Whether the name of a column bears one mark more in our own export.
fn is_marked_name(name: &str) -> bool {
    is_formula(name.trim_start_matches('\''))
}

/// The name of a column as our own export writes it, and whether it comes back only from there: what
/// others wrote loses its odd blanks.
pub(crate) fn guarded_name(name: &str) -> (Cow<'_, str>, bool) {
    if is_marked_name(name) {
        return (Cow::Owned(format!("'{name}")), true);
    }
    let is_odd = |blanks: &str| blanks.is_empty() || blanks.contains(char::is_whitespace);
    let has_odd_blanks = name.contains(char::is_whitespace) && name.split(' ').any(is_odd);
    (Cow::Borrowed(name), has_odd_blanks)
}

/// The name that our own export wrote so.
pub(crate) fn unguarded_name(name: &str) -> &str {
    let unmarked = name.strip_prefix('\'');
    unmarked.filter(|name| is_marked_name(name)).unwrap_or(name)
}

/// Take back what our own export did: the mark before cells that a spreadsheet would run as formulas,
/// and whatever is no text turned into text. Both are named in the row's cell of [`GUARD_COLUMN`].
pub(crate) fn unguard(object: &mut Map<String, Value>) {
    let Some(Value::String(names)) = object.shift_remove(GUARD_COLUMN) else {
        return;
    };
    let names = match serde_json::from_str(&names) {
        Ok(names) => names,
        Err(_) => names
            .split_whitespace()
            .map(String::from)
            .collect::<Vec<_>>(),
    };
    for name in names {
        let Some(value) = object.get_mut(&name) else {
            // What someone wrote into the cell since is there.
            if let Some(lacking) = name.strip_prefix(LACKING)
                && object.get(lacking).is_some_and(|value| value == "")
            {
                object.shift_remove(lacking);
            }
            continue;
        };
        let Value::String(cell) = value else { continue };
        if cell.starts_with('\'') {
            cell.remove(0);
        } else if let Some(typed) = typed(cell) {
            *value = typed;
        }
    }
}

/// How the row's cell of [`GUARD_COLUMN`] names columns: with spaces between them, or as JSON where a
/// name holds some.
pub(crate) fn guard_names(names: &[String]) -> String {
    let is_odd = |name: &String| {
        name.is_empty() || name.starts_with('[') || name.contains(char::is_whitespace)
    };
    match names.iter().any(is_odd) {
        true => Value::from(names.to_vec()).to_string(),
        false => names.join(" "),
    }
}

/// What is no text and a cell spells, just as it would be written again; nothing where it is empty.
fn typed(cell: &str) -> Option<Value> {
    if cell.is_empty() {
        return Some(Value::Null);
    }
    let value: Value = serde_json::from_str(cell).ok()?;
    let again = value.to_string();
    (!matches!(value, Value::String(_) | Value::Null) && again == cell).then_some(value)
}

/// The columns of a table as an error lists them.
pub(crate) fn describe_header(header: &[String]) -> String {
    list(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row with its line, or what is wrong with it.
    type Outcome = Result<(u64, Value), String>;

    fn rows(text: &str) -> (u8, Vec<Outcome>) {
        let mut table = Table::new(text.as_bytes(), text, None, 1 << 20).unwrap();
        let mut rows = Vec::new();
        while let Some(row) = table.next_row().unwrap() {
            rows.push(match row {
                Row::Object { line, object } => Ok((line, Value::Object(object))),
                Row::Broken(problem) => Err(problem.to_string()),
            });
        }
        (table.rows.separator, rows)
    }

    #[track_caller]
    fn check(text: &str, separator: u8, line: u64, answer: &str) {
        let (found, rows) = rows(text);
        let (row_line, object) = rows[0].as_ref().unwrap();
        assert_eq!(
            (found, *row_line, object["answer"].as_str()),
            (separator, line, Some(answer))
        );
    }

    #[test]
    fn separators_are_told_apart() {
        check("question,answer\na;b;c,\"d, e\"\n", b',', 2, "d, e");
        check(
            "question;answer\r\n¿A, b, c?;1.234,5\r\n",
            b';',
            2,
            "1.234,5",
        );
        check(
            "question\tanswer\nq, r\tone\ttwo\nq\tx\n"
                .replace("\ttwo", "")
                .as_str(),
            b'\t',
            2,
            "one",
        );
        check("sep=|\nquestion|answer\na|b\n", b'|', 3, "b");
    }

    #[test]
    fn lines_count_line_breaks_inside_cells() {
        let (_, rows) = rows("question,answer\n\"a\nb\",c\n\nd,e\n,\n");
        let lines: Vec<u64> = rows.iter().map(|row| row.as_ref().unwrap().0).collect();
        assert_eq!(lines, [2, 5]);
    }

    #[test]
    fn columns_with_the_same_name_or_none_are_kept() {
        let (_, rows) = rows("question,answer,note,note,,\na,b,c,d,e,f\na,b,c,d,,\n");
        let objects = rows.iter().map(|row| row.as_ref().unwrap().1.clone());
        let expected = serde_json::json!([
            {"question": "a", "answer": "b", "note": "c", "note (2)": "d", "": "e", "column 6": "f"},
            {"question": "a", "answer": "b", "note": "c", "note (2)": "d", "": ""},
        ]);
        assert_eq!(Value::Array(objects.collect()), expected);
    }

    #[test]
    fn a_row_of_another_width_is_named() {
        let (_, rows) = rows("question,answer\na,b,c\nd,e\n");
        let error = rows[0].as_ref().unwrap_err();
        assert!(
            error.contains("line 2") && error.contains("found 3 columns, expected 2"),
            "{error}"
        );
        assert!(rows[1].is_ok());
    }

    #[test]
    fn cells_that_lack_at_the_end_of_rows_are_empty_and_counted() {
        let (_, rows) = rows("q,a,note\na,b\nc,d\nSource: x\ne,f,g\n");
        assert_eq!(
            rows[0],
            Ok((2, serde_json::json!({"q": "a", "a": "b", "note": ""})))
        );
        assert!(
            rows[2]
                .as_ref()
                .unwrap_err()
                .contains("found 1 column, expected 3")
        );
        assert_eq!(
            rows[4].as_ref().unwrap_err(),
            "line 2: rows that may be broken, found 2 rows without their last cells, which are read \
             as empty, expected 3 columns"
        );
        assert_eq!(rows.len(), 5);
    }

    #[test]
    fn names_of_columns_stand_in_one_line() {
        let (_, rows) = rows("Name;\"Code of\r\n the unit\"\nAnn;3\n");
        let (_, row) = rows[0].as_ref().unwrap();
        assert_eq!(
            *row,
            serde_json::json!({"Name": "Ann", "Code of the unit": "3"})
        );
    }

    #[test]
    fn a_quote_that_never_closes_is_named() {
        let (_, rows) = rows("question,answer\na,b\nc,\"d\ne,f\ng,h\n");
        let error = rows.last().unwrap().as_ref().unwrap_err();
        assert!(
            error.contains("line 3") && error.contains("never closed"),
            "{error}"
        );
    }

    #[test]
    fn an_endless_cell_does_not_fill_the_memory() {
        let text = format!("question,answer\na,\"{}", "x".repeat(100_000));
        let mut table = Table::new(text.as_bytes(), &text, None, 50_000).unwrap();
        let error = table.next_row().expect_err("refused").to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn only_our_own_guards_are_taken_back() {
        let (_, found) = rows("question,answer,veneer_guarded\n'=1+1,'=2,question\n'a,'-b,\n");
        let cells: Vec<_> = found
            .iter()
            .map(|row| row.as_ref().unwrap().1.clone())
            .collect();
        assert_eq!(
            cells[0],
            serde_json::json!({"question": "=1+1", "answer": "'=2"})
        );
        assert_eq!(
            cells[1],
            serde_json::json!({"question": "'a", "answer": "'-b"})
        );
    }

    #[test]
    fn numbers_are_numbers_where_our_own_export_says_so() {
        let (_, found) = rows("question,n,veneer_guarded\na,007,n\nb,-7.5,n\nc,7,\nd,true,n\n");
        let n: Vec<Value> = found
            .iter()
            .map(|row| row.as_ref().unwrap().1["n"].clone())
            .collect();
        let expected = serde_json::json!(["007", -7.5, "7", true]);
        assert_eq!(Value::Array(n), expected);
    }

    #[test]
    fn nested_values_and_nothing_come_back_whatever_their_column_is_called() {
        let text = "q,my list,veneer_guarded\na,\"[1,{\"\"b\"\":null}]\",\"[\"\"my list\"\"]\"\n\
                    b,,\"[\"\"my list\"\"]\"\nc,,\n";
        let (_, found) = rows(text);
        let cells = found
            .iter()
            .map(|row| row.as_ref().unwrap().1["my list"].clone());
        let expected = serde_json::json!([[1, {"b": null}], null, ""]);
        assert_eq!(Value::Array(cells.collect()), expected);
        assert_eq!(guard_names(&["a".into(), "b".into()]), "a b");
        assert_eq!(guard_names(&["my list".into()]), "[\"my list\"]");
        let (_, found) = rows("q,x,y,veneer_guarded\na,,,!x\nb,new,,!x !y\n");
        let objects = found.iter().map(|row| row.as_ref().unwrap().1.clone());
        let expected = serde_json::json!([{"q": "a", "y": ""}, {"q": "b", "x": "new"}]);
        assert_eq!(Value::Array(objects.collect()), expected);
    }

    #[test]
    fn names_of_our_own_tables_are_kept() {
        for name in ["=1+1", "'=1+1", "a  b", "id ", " id", "a\nb", "\tx"] {
            let (written, needs_mark) = guarded_name(name);
            assert!(needs_mark && !is_formula(&written), "{name}");
            assert_eq!(unguarded_name(&written), name);
        }
        for name in ["", "a b", "'x", "año"] {
            assert_eq!(guarded_name(name), (Cow::Borrowed(name), false));
            assert_eq!(unguarded_name(name), name);
        }
        let (_, found) =
            rows("\"a  b\",\"id \",'=x,veneer_guarded\n1,2,'=3,\"[\"\"a  b\"\",\"\"=x\"\"]\"\n");
        let expected = serde_json::json!({"a  b": 1, "id ": "2", "=x": "=3"});
        assert_eq!(found, [Ok((2, expected))]);
        let (_, found) = rows("a  b,id ,'=x\n1,2,'=3\n");
        let expected = serde_json::json!({"a  b": "1", "id": "2", "'=x": "'=3"});
        assert_eq!(found, [Ok((2, expected))]);
    }
}
