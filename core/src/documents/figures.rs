//! What is done with the numbers of a table, column by column, told by its first rows.

use super::{
    note_units::{Meant, Note, is_share, may_count, names_a_year, names_values, names_years},
    numbers::{Number, Separators, Writing, is_cross, is_missing, narrow},
    table_language::TableLanguage,
    units::Unit,
};
use crate::protocol::studio::Numbers;

/// How the cells of a table are rewritten.
#[derive(Debug, Default)]
pub(super) struct Figures {
    writing: Writing,
    language: TableLanguage,
    columns: Vec<Column>,
    /// The column that names each row's unit, where it is clear for which figures.
    unit_column: Option<usize>,
    with_units: bool,
}

#[derive(Debug, Clone, Default)]
struct Column {
    name: String,
    is_numeric: bool,
    /// Whether figures in brackets are negative.
    brackets_negate: bool,
    /// Told by its name, or by the notes above.
    unit: Option<Unit>,
    /// Whether the unit that its row names is meant for it.
    by_row: bool,
    /// What all of its cells count, so that the name can say it.
    counted: Option<String>,
    /// A note of units above the table that may be meant for it: the name says it, and the cells stay.
    noted: Option<String>,
}

/// What the first rows show.
pub(super) struct Sample<'a> {
    pub(super) notes: &'a [Vec<String>],
    pub(super) names: &'a [String],
    pub(super) rows: Vec<&'a [String]>,
    /// Whether its cells are kept apart by semicolons.
    pub(super) by_semicolons: bool,
}

impl Sample<'_> {
    fn column(&self, at: usize) -> impl Iterator<Item = &str> + Clone {
        let cells = self.rows.iter().filter_map(move |row| row.get(at));
        cells
            .map(|cell| cell.trim())
            .filter(|cell| !cell.is_empty())
    }

    fn separators(&self, at: usize) -> Separators {
        Separators::of(self.column(at))
    }

    fn language(&self) -> TableLanguage {
        let notes = self.notes.iter().flatten().map(String::as_str);
        TableLanguage::of(self.names.iter().map(String::as_str).chain(notes))
    }

    /// Columns that contradict themselves say nothing of the others.
    fn writing(&self) -> Writing {
        let is_clear = |at: &usize| {
            let said = self.separators(*at);
            !said.contradict_each_other(self.by_semicolons)
        };
        let columns = (0..self.names.len()).filter(is_clear);
        Writing::of(columns.flat_map(|at| self.column(at)), self.by_semicolons)
    }
}

impl Figures {
    pub(super) fn new(sample: &Sample<'_>, with_units: bool) -> Self {
        let (writing, language) = (sample.writing(), sample.language());
        let columns = sample.names.iter().enumerate().map(|(at, name)| {
            let brackets_negate = brackets_negate(sample.column(at), writing);
            Column {
                name: name.clone(),
                is_numeric: is_numeric(sample, at, writing, brackets_negate),
                brackets_negate,
                unit: Unit::of_name_in(name, language).map(|(unit, _)| unit),
                ..Column::default()
            }
        });
        let mut figures = Self {
            writing,
            language,
            columns: columns.collect(),
            unit_column: None,
            with_units,
        };
        match unit_column(sample) {
            Some(at) => figures.take_row_units(sample, at),
            None => figures.take_note(sample),
        }
        figures.name_what_is_counted(sample);
        figures
    }

    /// The reading that this table seems to need.
    pub(super) fn suggested(&self, sample: &Sample<'_>) -> Numbers {
        let numeric = || {
            self.columns
                .iter()
                .enumerate()
                .filter(|(_, column)| column.is_numeric)
        };
        let has_power = |unit: &Unit| unit.power > 0;
        let in_cells = |at: usize| {
            sample
                .column(at)
                .any(|cell| self.unit_of(cell).is_some_and(|u| has_power(&u)))
        };
        if self.unit_column.is_some()
            || numeric().any(|(_, column)| column.noted.is_some())
            || numeric()
                .any(|(at, column)| column.unit.as_ref().is_some_and(has_power) || in_cells(at))
        {
            return Numbers::WithUnits;
        }
        let is_plain = |cell: &str, column: &Column| {
            !is_missing(cell)
                && self
                    .read(cell, column)
                    .is_none_or(|(number, behind)| !behind.is_empty() || number.plain() == cell)
        };
        if numeric().any(|(at, column)| !sample.column(at).all(|cell| is_plain(cell, column))) {
            Numbers::Plain
        } else {
            Numbers::AsTheyStand
        }
    }

    /// The names of the columns: a unit's power of ten goes into the cells.
    pub(super) fn names(&self) -> Vec<String> {
        self.columns
            .iter()
            .map(|column| self.name(column))
            .collect()
    }

    fn name(&self, column: &Column) -> String {
        if !self.with_units || !column.is_numeric {
            return column.name.clone();
        }
        let in_name = Unit::of_name(&column.name);
        match (&column.unit, in_name) {
            (Some(unit), Some((_, at))) if unit.power > 0 => {
                let open = column.name[at.clone()].chars().next().unwrap_or('(');
                let close = column.name[at.clone()].chars().next_back().unwrap_or(')');
                let stem = column.name[..at.start].trim_end();
                let between = if at.start > stem.len() { " " } else { "" };
                if unit.rest.is_empty() {
                    stem.to_owned()
                } else {
                    format!("{stem}{between}{open}{}{close}", unit.rest)
                }
            }
            (Some(unit), None) if !unit.rest.is_empty() => {
                format!("{} ({})", column.name, unit.rest)
            }
            (None, None) => match column.noted.as_ref().or(column.counted.as_ref()) {
                Some(counted) => format!("{} ({counted})", column.name),
                None => column.name.clone(),
            },
            _ => column.name.clone(),
        }
    }

    /// Rewrite the cells of a row.
    pub(super) fn apply(&self, cells: &mut [String]) {
        let row_unit = self.row_unit(cells);
        let with_units = self.with_units;
        for (at, (cell, column)) in cells.iter_mut().zip(&self.columns).enumerate() {
            if Some(at) == self.unit_column {
                if let (true, Some(unit)) = (with_units, &row_unit) {
                    *cell = unit.rest.clone();
                }
            } else if column.is_numeric {
                let row_unit = row_unit.as_ref().filter(|_| column.by_row);
                let unit = column.unit.as_ref().or(row_unit);
                if let Some(text) = self.rewritten(cell, column, unit) {
                    *cell = text;
                }
            }
        }
    }

    /// The unit that a row names. A figure that cannot be read keeps it beside itself as it stands.
    fn row_unit(&self, cells: &[String]) -> Option<Unit> {
        let unit = Unit::parse_in(cells.get(self.unit_column?)?, self.language)?;
        let is_read = |(cell, column): (&String, &Column)| {
            !column.by_row
                || cell.trim().is_empty()
                || self.rewritten(cell, column, Some(&unit)).is_some()
        };
        let are_read = cells.iter().zip(&self.columns).all(is_read);
        are_read.then_some(unit)
    }

    /// A number with what stands behind it. `(5)` in a column of other things is none.
    fn read(&self, cell: &str, column: &Column) -> Option<(Number, String)> {
        let read = Number::parse(cell, self.writing);
        read.filter(|(number, _)| column.brackets_negate || !number.is_bracketed())
    }

    fn rewritten(&self, cell: &str, column: &Column, unit: Option<&Unit>) -> Option<String> {
        if is_missing(cell) {
            return Some(String::new());
        }
        let (mut number, behind) = self.read(cell, column)?;
        if !self.with_units {
            let gap = if cell.contains(' ') && !behind.is_empty() {
                " "
            } else {
                ""
            };
            return Some(format!("{}{gap}{behind}", number.plain()));
        }
        let said = column.unit.as_ref().map(|unit| unit.rest.as_str());
        let said = said.or(column.counted.as_deref());
        if said == Some(number.currency()) {
            number = number.without_currency();
        }
        if behind.is_empty() {
            return Some(number.shifted(unit.map_or(0, |unit| unit.power)).plain());
        }
        // What the cell itself says goes before what is said of its column.
        let own = Unit::parse_in(&behind, self.language)?;
        let rest = if said == Some(own.rest.as_str()) {
            ""
        } else {
            &own.rest
        };
        Some(format!("{}{rest}", number.shifted(own.power).plain()))
    }

    fn unit_of(&self, cell: &str) -> Option<Unit> {
        let (_, behind) = Number::parse(cell, self.writing)?;
        Unit::parse_in(&behind, self.language)
    }

    /// The unit of a row is meant for the column of values or, where none is called so, for the only one
    /// that counts, or for those of several years. Elsewhere figures stay, with their unit beside them.
    fn take_row_units(&mut self, sample: &Sample<'_>, unit_column: usize) {
        let is_without = |at: &usize| {
            let column = &self.columns[*at];
            column.is_numeric && column.unit.is_none() && !Unit::is_in_name(&column.name)
        };
        let name = |at: &usize| self.columns[*at].name.as_str();
        let columns: Vec<usize> = (0..self.columns.len()).filter(is_without).collect();
        let named = columns.iter().copied().filter(|at| names_values(name(at)));
        let mut values: Vec<usize> = named.collect();
        if values.is_empty() {
            let counts = |at: &usize| may_count(name(at)) && !self.have_units(sample, *at);
            values = columns.into_iter().filter(counts).collect();
            let is_clear = match values.as_slice() {
                [at] => names_a_year(name(at)) || !self.are_years(sample, *at),
                several => several.iter().all(|at| names_a_year(name(at))),
            };
            if !is_clear {
                return;
            }
        }
        self.unit_column = (!values.is_empty()).then_some(unit_column);
        for at in values {
            self.columns[at].by_row = true;
        }
    }

    /// A unit for the whole table holds for columns without one of their own, where it can be meant for
    /// them or their cells show that it is.
    fn take_note(&mut self, sample: &Sample<'_>) {
        let mut notes = sample.notes.iter().flat_map(|row| {
            let alone = row.iter().filter(|cell| !cell.trim().is_empty()).count() == 1;
            row.iter().map(move |cell| (cell, alone))
        });
        let Some(note) = notes.find_map(|(cell, alone)| Note::parse(cell, alone, self.language))
        else {
            return;
        };
        let has_shares = sample.names.iter().any(|name| is_share(name));
        for at in 0..self.columns.len() {
            let column = &self.columns[at];
            if !column.is_numeric || column.unit.is_some() || Unit::is_in_name(&column.name) {
                continue;
            }
            let meant = match self.shown(sample, at, &note) {
                Some(unit) => Meant::For(unit),
                None if self.is_told_by_cells(sample, at) => Meant::ForOthers,
                None => note.meaning(&column.name, has_shares),
            };
            let column = &mut self.columns[at];
            match meant {
                Meant::For(unit) => column.unit = Some(unit),
                Meant::ForOthers => {}
                Meant::Unclear => column.noted = Some(note.text.clone()),
            }
        }
    }

    /// The unit of a note that a cell of a column shows.
    fn shown(&self, sample: &Sample<'_>, at: usize, note: &Note) -> Option<Unit> {
        let mut units = sample.column(at).filter_map(|cell| self.unit_of(cell));
        units.find(|unit| unit.power > 0 && note.units.contains(unit))
    }

    /// Whether the cells need no unit: all of them have one, or they are years.
    fn is_told_by_cells(&self, sample: &Sample<'_>, at: usize) -> bool {
        let has_years = || names_years(&self.columns[at].name) && self.are_years(sample, at);
        self.have_units(sample, at) || has_years()
    }

    fn have_units(&self, sample: &Sample<'_>, at: usize) -> bool {
        let mut cells = sample.column(at).filter(|cell| !is_missing(cell));
        cells.all(|cell| self.unit_of(cell).is_some())
    }

    fn are_years(&self, sample: &Sample<'_>, at: usize) -> bool {
        let mut cells = sample.column(at).filter(|cell| !is_missing(cell));
        cells.all(|cell| {
            let number = Number::parse(cell, self.writing);
            number.is_some_and(|(number, behind)| number.is_year() && behind.is_empty())
        })
    }

    fn name_what_is_counted(&mut self, sample: &Sample<'_>) {
        for at in 0..self.columns.len() {
            let column = &self.columns[at];
            if !column.is_numeric || column.unit.is_some() || column.noted.is_some() {
                continue;
            }
            let mut cells = sample.column(at).filter(|cell| !is_missing(cell));
            let first = cells.next().and_then(|cell| self.counted_by(cell));
            if first.is_some() && cells.all(|cell| self.counted_by(cell) == first) {
                self.columns[at].counted = first;
            }
        }
    }

    /// What a cell says that it counts, behind its number or, of money, in front of it.
    fn counted_by(&self, cell: &str) -> Option<String> {
        let (number, behind) = Number::parse(cell, self.writing)?;
        let unit = if behind.is_empty() {
            String::new()
        } else {
            Unit::parse_in(&behind, self.language)?.rest
        };
        let counted = match (number.currency(), unit) {
            ("", unit) => unit,
            (currency, unit) if unit.is_empty() => currency.to_owned(),
            _ => return None,
        };
        (!counted.is_empty()).then_some(counted)
    }
}

fn is_numeric(sample: &Sample<'_>, at: usize, writing: Writing, brackets_negate: bool) -> bool {
    let said = sample.separators(at);
    if said.contradict(writing) || said.contradict_each_other(sample.by_semicolons) {
        return false;
    }
    let (mut n, mut n_numbers) = (0, 0);
    for cell in sample.column(at).filter(|cell| !is_missing(cell)) {
        n += 1;
        match Number::parse(cell, writing) {
            Some((number, _)) if number.is_code() => return false,
            Some((number, _)) if number.is_bracketed() && !brackets_negate => {}
            Some((_, behind)) => {
                n_numbers += usize::from(behind.is_empty() || Unit::parse(&behind).is_some())
            }
            None => {}
        }
    }
    // A column of crosses has them for what is so.
    let n_crosses = sample.column(at).filter(|cell| is_cross(cell)).count();
    n_numbers > 0 && n_numbers * 5 >= n * 3 && n_numbers >= n_crosses
}

/// Whether figures in brackets are negative: several of them, or one with separators, as long as others
/// that have none. Short ones are the numbers of notes, and years in brackets are years.
fn brackets_negate<'a>(cells: impl Iterator<Item = &'a str>, writing: Writing) -> bool {
    let mut is_amount = false;
    let numbers = cells.filter_map(|cell| {
        let (number, _) = Number::parse(cell, writing)?;
        is_amount |= number.is_bracketed() && cell.contains([',', '.', '，', '．']);
        Some(number)
    });
    let (inside, outside): (Vec<Number>, Vec<Number>) = numbers.partition(Number::is_bracketed);
    let longest = |numbers: &[Number]| numbers.iter().map(Number::n_digits).max().unwrap_or(0);
    (inside.len() > 1 || is_amount)
        && !outside.is_empty()
        && longest(&inside) * 2 >= longest(&outside)
        && !inside.iter().all(Number::is_year)
}

fn unit_column(sample: &Sample<'_>) -> Option<usize> {
    const NAMES: [&str; 5] = ["単位", "unit", "units", "unidad", "unidades"];
    let is_named = |name: &String| {
        let name: String = name.trim().chars().map(narrow).collect();
        NAMES.contains(&name.to_lowercase().as_str())
    };
    let at = sample.names.iter().position(is_named)?;
    sample
        .column(at)
        .any(|cell| Unit::parse(cell).is_some())
        .then_some(at)
}

#[cfg(test)]
mod tests;
