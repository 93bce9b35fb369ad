//! Objects as JSON text or as rows of a table.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use serde_json::{Map, Value};

use crate::data::{
    DatasetError, Layout,
    table::{GUARD_COLUMN, LACKING, guard_names, guarded_name, is_formula},
};

#[derive(Debug, Clone, Copy)]
pub(super) struct TableStyle {
    pub(super) separator: u8,
    pub(super) guard: bool,
    /// With `guard`: name fields that a row lacks too, so that they do not come back empty.
    pub(super) name_lacking: bool,
    pub(super) bom: bool,
}

pub(super) fn write_json<'a>(
    rows: impl Iterator<Item = &'a Map<String, Value>>,
    layout: Layout,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut json = JsonWriter::open(layout, out)?;
    for row in rows {
        json.row(row)?;
    }
    json.close()
}

pub(super) fn write_json_owned(
    rows: impl Iterator<Item = Map<String, Value>>,
    layout: Layout,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut json = JsonWriter::open(layout, out)?;
    for row in rows {
        json.row(&row)?;
    }
    json.close()
}

struct JsonWriter<'a> {
    out: &'a mut dyn Write,
    layout: Layout,
    first: bool,
}

impl<'a> JsonWriter<'a> {
    fn open(layout: Layout, out: &'a mut dyn Write) -> io::Result<Self> {
        match layout {
            Layout::Array => out.write_all(b"[")?,
            Layout::Wrapped(key) => write!(out, "{{\n\"{key}\": [")?,
            Layout::Lines | Layout::Concatenated => {}
        }
        Ok(Self {
            out,
            layout,
            first: true,
        })
    }

    fn row(&mut self, row: &Map<String, Value>) -> io::Result<()> {
        if matches!(self.layout, Layout::Lines | Layout::Concatenated) {
            serde_json::to_writer(&mut *self.out, row)?;
            return self.out.write_all(b"\n");
        }
        let comma = if std::mem::take(&mut self.first) {
            ""
        } else {
            ","
        };
        // JSON text has no line breaks inside strings, so that indenting cannot change one.
        let text = serde_json::to_string_pretty(row)?.replace('\n', "\n  ");
        write!(self.out, "{comma}\n  {text}")
    }

    fn close(self) -> io::Result<()> {
        let before = if self.first { "" } else { "\n" };
        match self.layout {
            Layout::Array => writeln!(self.out, "{before}]"),
            Layout::Wrapped(_) => writeln!(self.out, "{before}]\n}}"),
            Layout::Lines | Layout::Concatenated => Ok(()),
        }
    }
}

/// A table with these columns; with `guard`, a further column names the cells of each row that are
/// not what they look like, if any: guarded text, and whatever is no text, so that both come back. It
/// stands there too where a name of the header is guarded, or has blanks that reading else takes away.
pub(super) fn write_table(
    header: &[String],
    rows: &[&Map<String, Value>],
    style: TableStyle,
    out: &mut dyn Write,
) -> Result<(), DatasetError> {
    if style.bom {
        out.write_all(b"\xef\xbb\xbf")
            .map_err(DatasetError::Write)?;
    }
    let columns: Vec<&String> = header.iter().filter(|name| *name != GUARD_COLUMN).collect();
    let cells: Vec<Vec<Cow<'_, str>>> = rows
        .iter()
        .map(|row| columns.iter().map(|name| cell(row.get(*name))).collect())
        .collect();
    let row_guards = |row: &Map<String, Value>, cells: &[Cow<'_, str>]| -> Vec<String> {
        let guard = |(name, text): (&&String, &Cow<'_, str>)| match row.get(*name) {
            None if style.name_lacking => Some(format!("{LACKING}{name}")),
            value if is_typed(value) || is_formula(text) => Some((*name).clone()),
            _ => None,
        };
        match style.guard {
            true => columns.iter().zip(cells).filter_map(guard).collect(),
            false => Vec::new(),
        }
    };
    let guards: Vec<Vec<String>> = rows
        .iter()
        .zip(&cells)
        .map(|(row, cells)| row_guards(row, cells))
        .collect();
    let (mut names, mut any_guarded) = names(&columns, style.guard);
    any_guarded |= guards.iter().any(|names| !names.is_empty());
    let mut writer = csv::WriterBuilder::new()
        .delimiter(style.separator)
        .from_writer(out);
    names.extend(any_guarded.then_some(Cow::Borrowed(GUARD_COLUMN)));
    let names = names.iter().map(|name| name.as_bytes());
    writer
        .write_record(names)
        .map_err(DatasetError::WriteTable)?;
    for ((row, cells), guarded) in rows.iter().zip(&cells).zip(&guards) {
        for (name, text) in columns.iter().zip(cells) {
            let is_named = guarded.contains(name);
            let mark = if is_named && !is_typed(row.get(*name)) {
                "'"
            } else {
                ""
            };
            writer
                .write_field(format!("{mark}{text}"))
                .map_err(DatasetError::WriteTable)?;
        }
        if any_guarded {
            writer
                .write_field(guard_names(guarded))
                .map_err(DatasetError::WriteTable)?;
        }
        writer
            .write_record(None::<&[u8]>)
            .map_err(DatasetError::WriteTable)?;
    }
    writer.flush().map_err(DatasetError::Write)
}

/// The header, and whether it comes back only from a table that is known as ours.
fn names<'a>(columns: &[&'a String], guard: bool) -> (Vec<Cow<'a, str>>, bool) {
    if !guard {
        let plain = columns.iter().map(|name| Cow::Borrowed(name.as_str()));
        return (plain.collect(), false);
    }
    let guarded = columns.iter().map(|name| guarded_name(name));
    let (names, needs_mark): (Vec<_>, Vec<bool>) = guarded.unzip();
    (names, needs_mark.contains(&true))
}

/// What a cell cannot tell from text; a number is no formula, whatever its sign.
fn is_typed(value: Option<&Value>) -> bool {
    value.is_some_and(|value| !value.is_string())
}

/// Text as it is; anything else as JSON.
fn cell(value: Option<&Value>) -> Cow<'_, str> {
    match value {
        None | Some(Value::Null) => Cow::Borrowed(""),
        Some(Value::String(text)) => Cow::Borrowed(text),
        Some(other) => Cow::Owned(other.to_string()),
    }
}
