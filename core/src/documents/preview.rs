//! What a reading makes of the first rows of a part.

use std::rc::Rc;

use super::{DocumentError, Part, content, template_fill::shown, workbook::FIRST_ROWS};
use crate::{
    data::{CellRow, Format, Problem, Row},
    protocol::studio::{Preview, Reading, RecordReading},
    text::ModelText,
};

/// Rows shown as they stand.
const SHOWN_ROWS: usize = 30;

/// Records shown.
const SHOWN_RECORDS: usize = 10;

pub(super) fn preview(part: &Part, reading: &Reading, text: Option<&Rc<ModelText>>) -> Preview {
    let mut preview = Preview::default();
    let read = match reading {
        Reading::Records(reading) => table(part, reading, &mut preview),
        Reading::Chunks(_) => pieces(part, reading, text, &mut preview),
    };
    preview.failed = read.err().map(|error| error.said());
    preview
}

fn pieces(
    part: &Part,
    reading: &Reading,
    text: Option<&Rc<ModelText>>,
    preview: &mut Preview,
) -> Result<(), DocumentError> {
    preview.format = Format::Text.name().into();
    let arrivals = part.records(reading, text.cloned())?;
    for arrival in arrivals.take(SHOWN_RECORDS) {
        preview.records.extend(arrival?.record.map(content));
    }
    Ok(())
}

fn table(part: &Part, reading: &RecordReading, preview: &mut Preview) -> Result<(), DocumentError> {
    (preview.columns, preview.rows) = part.first_rows(reading, SHOWN_ROWS)?;
    let mut records = part.table_records(reading, FIRST_ROWS)?;
    let source = records.reader().source();
    preview.format = source.format.name().into();
    for arrival in records.by_ref().take(SHOWN_RECORDS) {
        let arrival = arrival?;
        preview.records.extend(arrival.record.map(content));
        let problems = arrival.problems.iter().map(Problem::of_row);
        preview.problems.extend(problems);
    }
    Ok(())
}

impl Part {
    /// The names of the columns under a reading, and the first rows as they stand in the file.
    pub(super) fn first_rows(
        &self,
        reading: &RecordReading,
        n_rows: usize,
    ) -> Result<(Vec<String>, Vec<Vec<String>>), DocumentError> {
        let options = self.options(&RecordReading {
            columns: Vec::new(),
            ..reading.clone()
        })?;
        let (rows, _) = self.rows(reading, &options, FIRST_ROWS)?;
        match rows.columns().map(<[String]>::to_vec) {
            Some(columns) if self.has_cells() => {
                let cells = self.cells(&options, n_rows)?.rows;
                let rows = cells.take(n_rows).filter_map(|row| match row {
                    Ok(CellRow::Cells { cells, .. }) => Some(cells),
                    Ok(CellRow::Broken(_)) | Err(_) => None,
                });
                Ok((columns, rows.collect()))
            }
            columns => {
                let objects = rows.take(n_rows).filter_map(|row| match row {
                    Ok(Row::Object { object, .. }) => Some(object),
                    Ok(Row::Broken(_)) | Err(_) => None,
                });
                let objects: Vec<_> = objects.collect();
                let columns = columns.unwrap_or_else(|| {
                    let mut names: Vec<String> = Vec::new();
                    for key in objects.iter().flat_map(|object| object.keys()) {
                        if !names.contains(key) {
                            names.push(key.clone());
                        }
                    }
                    names
                });
                let row = |object: &serde_json::Map<String, serde_json::Value>| {
                    let cell = |name| object.get(name).map(shown).unwrap_or_default();
                    columns.iter().map(|name| cell(name).into_owned()).collect()
                };
                let rows = objects.iter().map(row).collect();
                Ok((columns, rows))
            }
        }
    }
}
