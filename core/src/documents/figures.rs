//! What is done with the numbers of a table, column by column, told by its first rows.

use super::{
    numbers::{Number, Writing, is_missing, narrow},
    units::Unit,
};
use crate::protocol::studio::Numbers;

/// How the cells of a table are rewritten.
#[derive(Debug, Default)]
pub(super) struct Figures {
    writing: Writing,
    columns: Vec<Column>,
    /// The column that names each row's unit.
    unit_column: Option<usize>,
    with_units: bool,
}

#[derive(Debug, Clone, Default)]
struct Column {
    name: String,
    is_numeric: bool,
    /// Told by its name, or by the notes above.
    unit: Option<Unit>,
    /// What all of its cells count, so that the name can say it.
    counted: Option<String>,
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
    fn column(&self, at: usize) -> impl Iterator<Item = &str> {
        let cells = self.rows.iter().filter_map(move |row| row.get(at));
        cells
            .map(|cell| cell.trim())
            .filter(|cell| !cell.is_empty())
    }
}

impl Figures {
    pub(super) fn new(sample: &Sample<'_>, with_units: bool) -> Self {
        let all = sample.rows.iter().flat_map(|row| row.iter());
        let writing = Writing::of(all.map(String::as_str), sample.by_semicolons);
        let columns: Vec<Column> = sample
            .names
            .iter()
            .enumerate()
            .map(|(at, name)| Column {
                name: name.clone(),
                is_numeric: is_numeric(sample, at, writing),
                unit: Unit::of_name(name).map(|(unit, _)| unit),
                counted: None,
            })
            .collect();
        let mut figures = Self {
            writing,
            columns,
            unit_column: unit_column(sample),
            with_units,
        };
        figures.take_note(sample);
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
            || numeric()
                .any(|(at, column)| column.unit.as_ref().is_some_and(has_power) || in_cells(at))
        {
            return Numbers::WithUnits;
        }
        let is_plain = |cell: &str| {
            !is_missing(cell)
                && Number::parse(cell, self.writing)
                    .is_none_or(|(number, behind)| !behind.is_empty() || number.plain() == cell)
        };
        if numeric().any(|(at, _)| !sample.column(at).all(is_plain)) {
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
            (None, None) => match &column.counted {
                Some(counted) => format!("{} ({counted})", column.name),
                None => column.name.clone(),
            },
            _ => column.name.clone(),
        }
    }

    /// Rewrite the cells of a row.
    pub(super) fn apply(&self, cells: &mut [String]) {
        let row_unit = self.unit_column.and_then(|at| Unit::parse(cells.get(at)?));
        let with_units = self.with_units;
        for (at, (cell, column)) in cells.iter_mut().zip(&self.columns).enumerate() {
            if Some(at) == self.unit_column {
                if let (true, Some(unit)) = (with_units, &row_unit) {
                    *cell = unit.rest.clone();
                }
            } else if column.is_numeric {
                let unit = column.unit.as_ref().or(row_unit.as_ref());
                if let Some(text) = self.rewritten(cell, column, unit) {
                    *cell = text;
                }
            }
        }
    }

    fn rewritten(&self, cell: &str, column: &Column, unit: Option<&Unit>) -> Option<String> {
        if is_missing(cell) {
            return Some(String::new());
        }
        let (number, behind) = Number::parse(cell, self.writing)?;
        if !self.with_units {
            let gap = if cell.contains(' ') && !behind.is_empty() {
                " "
            } else {
                ""
            };
            return Some(format!("{}{gap}{behind}", number.plain()));
        }
        if behind.is_empty() {
            return Some(number.shifted(unit.map_or(0, |unit| unit.power)).plain());
        }
        // What the cell itself says goes before what is said of its column.
        let own = Unit::parse(&behind)?;
        let said = column.unit.as_ref().map(|unit| unit.rest.as_str());
        let said = said.or(column.counted.as_deref());
        let rest = if said == Some(own.rest.as_str()) {
            ""
        } else {
            &own.rest
        };
        Some(format!("{}{rest}", number.shifted(own.power).plain()))
    }

    fn unit_of(&self, cell: &str) -> Option<Unit> {
        let (_, behind) = Number::parse(cell, self.writing)?;
        Unit::parse(&behind)
    }

    /// A unit for the whole table holds for columns without one of their own: where no column has
    /// one, or where the column's cells show that it does.
    fn take_note(&mut self, sample: &Sample<'_>) {
        let Some(note) = sample
            .notes
            .iter()
            .flatten()
            .find_map(|cell| Unit::of_note(cell))
        else {
            return;
        };
        let none_has_one = self.columns.iter().all(|column| column.unit.is_none());
        for at in 0..self.columns.len() {
            let column = &self.columns[at];
            let shows = sample
                .column(at)
                .any(|cell| self.unit_of(cell).as_ref() == Some(&note));
            let takes = column.is_numeric && column.unit.is_none() && counts(&column.name);
            if takes && (none_has_one || shows) {
                self.columns[at].unit = Some(note.clone());
            }
        }
    }

    fn name_what_is_counted(&mut self, sample: &Sample<'_>) {
        for at in 0..self.columns.len() {
            if !self.columns[at].is_numeric || self.columns[at].unit.is_some() {
                continue;
            }
            let mut cells = sample.column(at).filter(|cell| !is_missing(cell));
            let first = cells.next().and_then(|cell| self.unit_of(cell));
            let Some(first) = first.filter(|unit| !unit.rest.is_empty()) else {
                continue;
            };
            let same = |cell: &str| {
                self.unit_of(cell)
                    .is_some_and(|unit| unit.rest == first.rest)
            };
            if cells.all(same) {
                self.columns[at].counted = Some(first.rest);
            }
        }
    }
}

/// Shares, years and codes are not counted in thousands.
fn counts(name: &str) -> bool {
    const NOT: [&str; 10] = [
        "率",
        "割合",
        "比",
        "%",
        "％",
        "コード",
        "code",
        "年",
        "year",
        "año",
    ];
    let name = name.to_lowercase();
    !NOT.iter().any(|word| name.contains(word))
}

fn is_numeric(sample: &Sample<'_>, at: usize, writing: Writing) -> bool {
    let (mut n, mut n_numbers) = (0, 0);
    for cell in sample.column(at).filter(|cell| !is_missing(cell)) {
        n += 1;
        match Number::parse(cell, writing) {
            Some((number, _)) if number.is_code() => return false,
            Some((_, behind)) => {
                n_numbers += usize::from(behind.is_empty() || Unit::parse(&behind).is_some())
            }
            None => {}
        }
    }
    n_numbers > 0 && n_numbers * 5 >= n * 3
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
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<String> {
        text.split(';').map(String::from).collect()
    }

    /// Names and rows under a reading, and the reading that is suggested.
    fn read(
        note: &str,
        names: &str,
        rows: &[&str],
        with_units: bool,
    ) -> (String, Vec<String>, Numbers) {
        let notes = [cells(note)];
        let names = cells(names);
        let rows: Vec<Vec<String>> = rows.iter().map(|row| cells(row)).collect();
        let sample = Sample {
            notes: &notes,
            names: &names,
            rows: rows.iter().map(Vec::as_slice).collect(),
            by_semicolons: false,
        };
        let figures = Figures::new(&sample, with_units);
        let rewritten = rows.iter().map(|row| {
            let mut row = row.clone();
            figures.apply(&mut row);
            row.join(";")
        });
        (
            figures.names().join(";"),
            rewritten.collect(),
            figures.suggested(&sample),
        )
    }

    #[test]
    fn plain_numbers_lose_separators_and_signs_of_nothing() {
        let rows = [
            "01000;北海道;5,224,614;X",
            "13362;利島村;３２７;-",
            "13000;東京都;14,047,594;5",
        ];
        let (names, rows, suggested) = read("", "コード;地域;人口;世帯", &rows, false);
        assert_eq!(names, "コード;地域;人口;世帯");
        assert_eq!(
            rows,
            [
                "01000;北海道;5224614;",
                "13362;利島村;327;",
                "13000;東京都;14047594;5"
            ]
        );
        assert_eq!(suggested, Numbers::Plain);
    }

    #[test]
    fn units_of_names_go_into_the_cells() {
        let rows = ["A;1.797.062,5;15,1;212.764", "B;607.167;n.d.;-"];
        let names = "Entidad;Activo (millones de euros);ROE (%);Empleados";
        let (names, rows, suggested) = read("(en miles de euros)", names, &rows, true);
        assert_eq!(names, "Entidad;Activo (euros);ROE (%);Empleados");
        assert_eq!(rows, ["A;1797062500000;15.1;212764", "B;607167000000;;"]);
        assert_eq!(suggested, Numbers::WithUnits);
    }

    #[test]
    fn a_note_holds_where_cells_show_it() {
        let rows = ["x;913;3,850", "y;1012;6,000千円"];
        let (names, rows, _) = read("（単位：千円）", "a;人口（千人）;所得", &rows, true);
        assert_eq!(names, "a;人口（人）;所得 (円)");
        assert_eq!(rows, ["x;913000;3850000", "y;1012000;6000000"]);
    }

    #[test]
    fn a_note_holds_for_a_table_without_other_units() {
        let (names, rows, _) = read("単位：千人", "a;人口;割合", &["x;10;5", "y;20;6"], true);
        assert_eq!(names, "a;人口 (人);割合");
        assert_eq!(rows, ["x;10000;5", "y;20000;6"]);
    }

    #[test]
    fn a_column_of_units_holds_for_its_row() {
        let rows = ["人口;千人;12", "面積;km2;5,000", "所得;百万円;1.5"];
        let (names, rows, suggested) = read("", "項目;単位;値", &rows, true);
        assert_eq!(names, "項目;単位;値");
        assert_eq!(rows, ["人口;人;12000", "面積;km2;5000", "所得;円;1500000"]);
        assert_eq!(suggested, Numbers::WithUnits);
    }

    #[test]
    fn what_all_cells_count_is_named_once() {
        let (names, rows, _) = read("", "a;age;n", &["x;45歳;1人", "y;30歳;2件"], true);
        assert_eq!(names, "a;age (歳);n");
        assert_eq!(rows, ["x;45;1人", "y;30;2件"]);
    }

    #[test]
    fn text_columns_are_left_alone() {
        let (_, rows, suggested) = read("", "a;b", &["X;-", "Y;1"], false);
        assert_eq!(rows[0], "X;");
        assert_eq!(suggested, Numbers::Plain);
        let (_, rows, suggested) = read("", "a;b", &["X;1", "Y;2"], true);
        assert_eq!(rows, ["X;1", "Y;2"]);
        assert_eq!(suggested, Numbers::AsTheyStand);
    }
}
