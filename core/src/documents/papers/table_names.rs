//! Which cells of a table name the others.
//!
//! A document may say so ([`Names`]). Where it does not, the cells tell: names stand above values of
//! another kind, as `ROE` does above `8,3`, while a table that begins with values goes on with one
//! before it, or has no names. Of two columns the first names the second, unless the first row names
//! both. A pair that may be false is worse than none, so in doubt nothing is a name.

use std::collections::BTreeSet;

use super::Names;
use crate::documents::{numbers::is_missing, statistics::guess_header, table::SAMPLE_ROWS};

/// Characters that names have on average at most.
const MAX_NAME_CHARS: usize = 60;

const MAX_HEADER_ROWS: usize = 4;

/// Names of columns that tables of two have, which tell them from a name and its value.
const HEADER_WORDS: [&str; 60] = [
    "amount",
    "answer",
    "code",
    "concept",
    "country",
    "date",
    "definition",
    "description",
    "detail",
    "effect",
    "item",
    "key",
    "meaning",
    "name",
    "number",
    "percentage",
    "price",
    "quantity",
    "rate",
    "term",
    "total",
    "type",
    "unit",
    "value",
    "year",
    "cantidad",
    "clave",
    "concepto",
    "código",
    "definición",
    "descripción",
    "detalle",
    "dosis",
    "efecto",
    "fecha",
    "importe",
    "nombre",
    "número",
    "país",
    "porcentaje",
    "precio",
    "respuesta",
    "significado",
    "tasa",
    "tipo",
    "término",
    "unidad",
    "valor",
    "año",
    "項目",
    "内容",
    "金額",
    "説明",
    "名称",
    "値",
    "数値",
    "備考",
    "区分",
    "用語",
    "意味",
];

/// How a table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// So many rows at the top name the columns.
    Columns(usize),
    /// The first cell of each row names those behind it.
    Rows,
    Nothing,
}

pub(super) fn naming(rows: &[Vec<String>], said: Option<Names>) -> Naming {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let names_columns = || names_columns(rows, width).then(|| Naming::Columns(n_header_rows(rows)));
    match said {
        Some(Names::Columns) => Naming::Columns(1),
        // Each row has its name, and a first row may name the columns all the same.
        Some(Names::Rows) if width > 2 => match signs(rows) {
            signs if signs.n_for > 0 => names_columns().unwrap_or(Naming::Rows),
            _ => Naming::Rows,
        },
        Some(Names::Rows) => Naming::Rows,
        None if width == 2 && are_pairs(rows) => Naming::Rows,
        None => names_columns().unwrap_or(Naming::Nothing),
    }
}

/// What a cell holds, as far as it tells names from values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing, or a sign for it.
    Empty,
    /// A year or a date, which names columns as often as it fills them.
    Moment,
    Figure,
    Text,
}

fn kind(cell: &str) -> Kind {
    let cell = cell.trim();
    let n_letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    if cell.is_empty() || is_missing(cell) {
        Kind::Empty
    } else if !cell.contains(char::is_numeric) {
        Kind::Text
    } else if is_moment(cell) {
        Kind::Moment
    } else if n_letters == 0 || n_letters <= 3 && begins_with_figure(cell) {
        Kind::Figure
    } else {
        Kind::Text
    }
}

/// `2023`, `31/12/2023`, `2022-23`, `平成25年`, `1Q`
fn is_moment(cell: &str) -> bool {
    let groups: Vec<&str> = cell
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .collect();
    let is_year = |group: &&&str| {
        let year = group.parse::<u32>();
        group.len() == 4 && year.is_ok_and(|year| (1900..=2100).contains(&year))
    };
    let n_years = groups.iter().filter(is_year).count();
    let n_short = groups.iter().filter(|group| group.len() <= 2).count();
    let is_decimal = groups.len() == 2 && cell.contains(['.', ',']);
    let are_apart = n_years > 1 && cell.contains(char::is_whitespace);
    let has_sign = cell.contains(['%', '€', '$', '£', '¥']);
    let is_dated = n_years > 0 && n_years + n_short == groups.len();
    let is_quarter = {
        let mut chars = cell.chars();
        let digit = chars.next().is_some_and(|c| matches!(c, '1'..='4'));
        digit
            && chars
                .next()
                .is_some_and(|c| matches!(c, 'Q' | 'T' | 'H' | 'S'))
    };
    let is_japanese = cell.contains(['年', '月']) && !cell.contains('歳');
    !has_sign && !is_decimal && !are_apart && (is_dated || is_quarter || is_japanese)
}

/// Behind signs, brackets and currencies.
fn begins_with_figure(cell: &str) -> bool {
    let rest = cell.trim_start_matches(|c: char| !c.is_alphanumeric());
    let currency = ["US$", "EUR", "USD", "JPY", "GBP"];
    let rest = currency
        .iter()
        .find_map(|sign| rest.strip_prefix(sign))
        .unwrap_or(rest);
    rest.trim_start().starts_with(char::is_numeric)
}

/// `mg` of `500 mg`.
fn unit(cell: &str) -> &str {
    cell.trim()
        .trim_start_matches(|c: char| !c.is_alphabetic() && c != '%')
}

fn cell(row: &[String], at: usize) -> &str {
    row.get(at).map_or("", |cell| cell.trim())
}

/// Cells of a column that hold something.
fn filled(rows: &[Vec<String>], at: usize) -> Vec<&str> {
    let cells = rows.iter().map(|row| cell(row, at));
    cells.filter(|cell| kind(cell) != Kind::Empty).collect()
}

fn are_mostly(cells: &[&str], expected: Kind) -> bool {
    let n = cells.iter().filter(|cell| kind(cell) == expected).count();
    n > 0 && n * 2 >= cells.len()
}

/// How many columns say that the first row names them, and how many that it does not.
#[derive(Debug, Default)]
struct Signs {
    n_for: usize,
    n_against: usize,
}

fn signs(rows: &[Vec<String>]) -> Signs {
    let mut signs = Signs::default();
    let Some((first, below)) = rows.split_first() else {
        return signs;
    };
    let are_units = names_by_unit(first, below);
    for (at, name) in first.iter().enumerate() {
        let below = filled(below, at);
        let figures = are_mostly(&below, Kind::Figure);
        let moments = are_mostly(&below, Kind::Moment);
        let is_range_of_its_own = is_range(name) && !below.iter().any(|cell| is_range(cell));
        let is_against = match kind(name) {
            Kind::Empty => continue,
            Kind::Figure => !are_units && !is_range_of_its_own,
            Kind::Moment => moments && !figures,
            Kind::Text => false,
        };
        signs.n_against += usize::from(is_against);
        signs.n_for += usize::from(!is_against && (figures || moments));
    }
    signs
}

/// `18–24`, `2008–09 to 2015–16`, `2022 a 2023`
fn is_range(cell: &str) -> bool {
    let parts = [" to ", " a ", " al ", "~", "〜", "～", "–", "—", "-"];
    let sides = parts.iter().find_map(|part| cell.trim().split_once(part));
    sides.is_some_and(|(from, to)| {
        let is_number = |side: &str| {
            let side = side.trim();
            side.starts_with(|c: char| c.is_ascii_digit()) && !side.contains(char::is_alphabetic)
        };
        is_number(from) && is_number(to)
    })
}

/// `20代`, `30代` above figures without a unit.
fn names_by_unit(first: &[String], below: &[Vec<String>]) -> bool {
    let figures: Vec<usize> = (0..first.len())
        .filter(|&at| kind(cell(first, at)) == Kind::Figure)
        .collect();
    let units: BTreeSet<&str> = figures.iter().map(|&at| unit(cell(first, at))).collect();
    let texts: BTreeSet<&str> = figures.iter().map(|&at| cell(first, at)).collect();
    let is_bare = |&at: &usize| filled(below, at).iter().all(|cell| unit(cell).is_empty());
    let is_one = units.len() == 1 && !units.contains("") && !units.contains("%");
    is_one && figures.len() > 1 && texts.len() == figures.len() && figures.iter().all(is_bare)
}

fn names_columns(rows: &[Vec<String>], width: usize) -> bool {
    let signs = signs(rows);
    match (signs.n_for, signs.n_against) {
        _ if rows.len() < 2 => false,
        (_, 1..) => false,
        (0, 0) => reads_as_names(rows, width),
        _ => true,
    }
}

/// Of a table that is nothing but text: each column has a name of its own, which none of its cells
/// repeats, and which is not longer than they are.
fn reads_as_names(rows: &[Vec<String>], width: usize) -> bool {
    let Some((first, below)) = rows.split_first() else {
        return false;
    };
    let names: Vec<&str> = (0..width).map(|at| cell(first, at)).collect();
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    let is_named = |at: usize| {
        let (name, cells) = (cell(first, at), filled(below, at));
        let is_corner = at == 0 && name.is_empty();
        is_corner || cells.is_empty() || !name.is_empty() && !cells.contains(&name)
    };
    let cells = below.iter().flatten().map(String::as_str);
    let is_short =
        mean_chars(names.iter().copied()) <= MAX_NAME_CHARS.min(2 * mean_chars(cells) + 8);
    // The second of two columns may be the value of the first.
    let is_table = width > 2 || names.iter().any(|name| is_header_word(name));
    is_table && distinct.len() == names.len() && is_short && (0..width).all(is_named)
}

/// Rows at the top that name the columns, by the rule for sheets, and those below that go on with them.
fn n_header_rows(rows: &[Vec<String>]) -> usize {
    let top = rows.get(..SAMPLE_ROWS).unwrap_or(rows);
    let found = guess_header(top).filter(|header| header.skipped_rows == 0);
    let found = found.and_then(|header| usize::try_from(header.header_rows).ok());
    let mut n_rows = found
        .unwrap_or(1)
        .clamp(1, top.len().saturating_sub(1).max(1));
    while n_rows < MAX_HEADER_ROWS && goes_on(top, n_rows) {
        n_rows += 1;
    }
    n_rows
}

/// Whether the row below so many of the header is one of text above figures, and begins with no name of
/// its own, or with that of the column.
fn goes_on(rows: &[Vec<String>], n_header: usize) -> bool {
    let (head, rest) = rows.split_at(n_header.min(rows.len()));
    let Some((row, below)) = rest.split_first() else {
        return false;
    };
    let n_needed = match cell(row, 0) {
        "" => 1,
        _ if head.iter().all(|above| cell(above, 0).is_empty()) => 2,
        _ => return false,
    };
    let named: Vec<usize> = (1..row.len())
        .filter(|&at| kind(cell(row, at)) != Kind::Empty)
        .collect();
    let is_name = |&at: &usize| {
        kind(cell(row, at)) == Kind::Text && are_mostly(&filled(below, at), Kind::Figure)
    };
    named.len() >= n_needed && named.iter().all(is_name)
}

/// Whether each of two columns' rows is a name and its value: `Policyholder | Tanaka Hiroshi`.
fn are_pairs(rows: &[Vec<String>]) -> bool {
    let Some((first, below)) = rows.split_first() else {
        return false;
    };
    let labels: Vec<&str> = filled(rows, 0);
    let distinct: BTreeSet<&str> = labels.iter().copied().collect();
    let n_colons = labels
        .iter()
        .filter(|label| label.ends_with([':', '：']))
        .count();
    let are_labels = !cell(first, 0).is_empty()
        && distinct.len() == labels.len()
        && labels.iter().all(|label| kind(label) == Kind::Text)
        && mean_chars(labels.iter().copied()) <= MAX_NAME_CHARS;
    if !are_labels || n_colons * 2 >= labels.len() {
        return are_labels;
    }
    let (value, others) = (cell(first, 1), filled(below, 1));
    if is_header_word(cell(first, 0)) && kind(value) != Kind::Figure || is_header_word(value) {
        return false;
    }
    let of_kind = |expected: Kind| others.iter().filter(|cell| kind(cell) == expected).count();
    let units: BTreeSet<&str> = others.iter().map(|cell| unit(cell)).collect();
    let are_figures = !others.is_empty() && of_kind(Kind::Figure) == others.len();
    match kind(value) {
        Kind::Empty | Kind::Figure => true,
        Kind::Moment => !are_figures,
        // A name above figures of one kind.
        Kind::Text if are_figures => units.len() > 1,
        Kind::Text if of_kind(Kind::Text) < others.len() => true,
        Kind::Text => {
            let values = rows.iter().map(|row| cell(row, 1));
            mean_chars(values) * 2 >= mean_chars(labels.iter().copied()) * 3
        }
    }
}

fn is_header_word(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let text = text.split(['(', '（']).next().unwrap_or_default().trim();
    HEADER_WORDS.contains(&text)
}

fn mean_chars<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    let (mut n_texts, mut n_chars) = (0, 0);
    for text in texts.filter(|text| !text.trim().is_empty()) {
        n_texts += 1;
        n_chars += text.trim().chars().count();
    }
    n_chars / n_texts.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Naming) {
        let cells = |line: &str| line.split(';').map(String::from).collect();
        let rows: Vec<Vec<String>> = text.lines().map(cells).collect();
        assert_eq!(naming(&rows, None), expected, "{text}");
    }

    #[test]
    fn names_stand_above_values_of_another_kind() {
        check("Bank;ROE;NPL\nA;8,3;2.7 %\nB;15,1;-", Naming::Columns(1));
        check("Bank;ROE\nA;8,3", Naming::Columns(1));
        check("Bank;2022;2023\nA;9605;11076", Naming::Columns(1));
        check(";31/12/2023;31/12/2022\nA;5;6", Naming::Columns(1));
        check("Date;Rate\n2021;1.25\n2022;2.5", Naming::Columns(1));
        check(";20代;30代\na;5;6", Naming::Columns(1));
        check(
            "Region;18–24;25–34\nMaine;10.6;3.2\nOhio;5.1;9.0",
            Naming::Columns(1),
        );
        check(
            "State;2008–09 to 2015–16;2015–16 to 2021–22\nMaine;6.1;-10.6",
            Naming::Columns(1),
        );
        check("Drug;Effect;Use\nAspirin;bleeding;pain", Naming::Columns(1));
    }

    #[test]
    fn a_row_of_values_names_nothing() {
        check("Caixa;3145;4816\nSabadell;859;1332", Naming::Nothing);
        check("配当;;△525\n純利益;;1,269", Naming::Nothing);
        check("2021;1.25\n2022;2.5", Naming::Nothing);
        check("Maine;18–24;5\nOhio;25–34;6\nUtah;18–24;7", Naming::Nothing);
        check("a;u;v\nb;u;w", Naming::Nothing);
        check(
            "Dosis;500 mg;Vez;8 h\nPeso;70 kg;Altura;180 cm",
            Naming::Nothing,
        );
        check("Alice;Bob\nCarol;Dan", Naming::Nothing);
        check("Bank;ROE;NPL", Naming::Nothing);
        check(
            "Top left;Top right\nBottom left;Bottom right",
            Naming::Nothing,
        );
    }

    #[test]
    fn names_before_their_values() {
        check(
            "Policyholder;Tanaka Hiroshi\nPolicy number;A-12345\nSum insured;10,000,000",
            Naming::Rows,
        );
        check(
            "Medicamento;Paracetamol\nDosis;500 mg\nFrecuencia;8 h",
            Naming::Rows,
        );
        check("Caixa;3145\nSabadell;859", Naming::Rows);
        check("Nombre:;Ana\nEdad:;30", Naming::Rows);
        check("LTV;loan to value\nPD;probability of default", Naming::Rows);
        check(
            "Term;Definition\nPD;probability of default",
            Naming::Columns(1),
        );
    }

    #[test]
    fn two_rows_may_name_the_columns() {
        check(
            "Bank;Net;Net\n;income;margin\nA;9605;11.0\nB;6420;8.0",
            Naming::Columns(2),
        );
        check(
            ";At least;About\nSymptoms;weekly;monthly\nCough;5;6\nFever;7;8",
            Naming::Columns(2),
        );
        check(
            "Bank;2022;2023\nA;ask;ask\nB;5;6\nC;7;8",
            Naming::Columns(1),
        );
    }

    #[test]
    fn what_the_document_says_counts_more() {
        let rows = |text: &str| vec![text.split(' ').map(String::from).collect::<Vec<_>>(); 2];
        assert_eq!(
            naming(&rows("A 1"), Some(Names::Columns)),
            Naming::Columns(1)
        );
        assert_eq!(naming(&rows("A 1 2"), Some(Names::Rows)), Naming::Rows);
    }
}
