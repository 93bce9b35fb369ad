//! Reading and checking the terms of bonds, from JSON or CSV.
//!
//! Fields: `isin`, `coupon` (per cent a year), `frequency` (1, 2, 4 or 12), `day_count`, `maturity`,
//! `settlement`, and one of `clean_price` (per 100) or `yield` (per cent a year). Optional: `name`,
//! `currency`, `issue`, `face` (100). Dates are `2031-05-15`. CSV has the same names in its first line;
//! letter case does not matter.

use std::{collections::BTreeSet, fmt};

use serde_json::{Map, Value};
use thiserror::Error;

use super::{Bond, Date, DayCount, Quote, isin};

const KNOWN_KEYS: [&str; 14] = [
    "isin",
    "name",
    "currency",
    "coupon",
    "frequency",
    "day_count",
    "issue",
    "maturity",
    "settlement",
    "face",
    "clean_price",
    "yield",
    "note",
    "source",
];
const FREQUENCIES: [u64; 4] = [1, 2, 4, 12];

/// Bonds in the order of the input, and what looked odd but could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Bonds {
    pub bonds: Vec<Bond>,
    pub warnings: Vec<String>,
}

/// One thing that is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BondProblem {
    /// From 1.
    pub record: usize,
    pub field: &'static str,
    pub expected: String,
    pub found: String,
}

impl fmt::Display for BondProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            record,
            field,
            expected,
            found,
        } = self;
        write!(
            f,
            "bond {record}, `{field}`: expected {expected}, found {found}"
        )
    }
}

/// Why bonds were refused.
#[derive(Debug, Error)]
pub enum BondReadError {
    #[error("the bonds are neither JSON nor CSV: {detail}")]
    Unreadable { detail: String },
    #[error("bond {record} is {found}; expected an object with its terms")]
    NotAnObject { record: usize, found: String },
    #[error("there are no bonds in the input; expected at least one")]
    Empty,
    #[error("problems with the bonds:\n{}", lines(problems, unknown))]
    Rejected {
        problems: Vec<BondProblem>,
        /// Fields of the input that mean nothing here, one of which may be what is missing.
        unknown: BTreeSet<String>,
    },
}

fn lines(problems: &[BondProblem], unknown: &BTreeSet<String>) -> String {
    let mut lines: Vec<String> = problems.iter().map(|p| format!("  {p}")).collect();
    if !unknown.is_empty() {
        let unknown: Vec<&str> = unknown.iter().map(String::as_str).collect();
        lines.push(format!(
            "  fields that mean nothing here: {}; known are {}",
            unknown.join(", "),
            KNOWN_KEYS.join(", ")
        ));
    }
    lines.join("\n")
}

/// Read bonds from JSON (an object or a list) or, when the first sign is another, from CSV.
///
/// # Errors
/// All problems at once: what is missing, not a number or date, impossible, or there twice.
pub fn read_bonds(bytes: &[u8]) -> Result<Bonds, BondReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    let records = match first {
        None => return Err(BondReadError::Empty),
        Some(b'[' | b'{') => json_records(bytes)?,
        Some(_) => csv_records(bytes)?,
    };
    if records.is_empty() {
        return Err(BondReadError::Empty);
    }
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let mut bonds = Vec::new();
    let mut isins = BTreeSet::new();
    for (index, fields) in records.iter().enumerate() {
        let mut reader = FieldReader {
            record: index + 1,
            fields,
            problems: &mut problems,
        };
        let Some(bond) = reader.bond() else { continue };
        warn(index + 1, fields, &bond, &mut warnings);
        if !isins.insert(bond.isin.clone()) {
            reader.problem("isin", "each bond once", format!("{} again", bond.isin));
        }
        bonds.push(bond);
    }
    if problems.is_empty() {
        Ok(Bonds { bonds, warnings })
    } else {
        let keys = records.iter().flat_map(Map::keys);
        let unknown = keys.filter(|key| !KNOWN_KEYS.contains(&key.as_str()));
        Err(BondReadError::Rejected {
            problems,
            unknown: unknown.cloned().collect(),
        })
    }
}

fn warn(record: usize, fields: &Map<String, Value>, bond: &Bond, warnings: &mut Vec<String>) {
    if !isin::is_valid(&bond.isin) {
        warnings.push(format!(
            "bond {record}: the check digit of ISIN {} is wrong",
            bond.isin
        ));
    }
    if bond.coupon > 0.0 && bond.coupon < 0.2 {
        let coupon = bond.coupon;
        warnings.push(format!(
            "bond {record}: a coupon of {coupon} is read as {coupon} %, not as a fraction"
        ));
    }
    for key in fields
        .keys()
        .filter(|key| !KNOWN_KEYS.contains(&key.as_str()))
    {
        warnings.push(format!(
            "bond {record}: `{key}` means nothing here and is passed over"
        ));
    }
}

fn json_records(bytes: &[u8]) -> Result<Vec<Map<String, Value>>, BondReadError> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| BondReadError::Unreadable {
            detail: error.to_string(),
        })?;
    let items = match value {
        Value::Array(items) => items,
        object => vec![object],
    };
    let object = |(index, item)| match item {
        Value::Object(fields) => {
            let named = fields.into_iter().map(|(name, value)| (key(&name), value));
            Ok(named.collect())
        }
        other => Err(BondReadError::NotAnObject {
            record: index + 1,
            found: shown(&other),
        }),
    };
    items.into_iter().enumerate().map(object).collect()
}

/// A field's name, where it is known but for its letter case; any other as it stands.
fn key(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    match KNOWN_KEYS.contains(&lower.as_str()) {
        true => lower,
        false => name.to_owned(),
    }
}

/// CSV cells are texts; empty ones are left out, numbers become numbers.
fn csv_records(bytes: &[u8]) -> Result<Vec<Map<String, Value>>, BondReadError> {
    let unreadable = |error: csv::Error| BondReadError::Unreadable {
        detail: error.to_string(),
    };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let header: Vec<String> = reader
        .headers()
        .map_err(unreadable)?
        .iter()
        .map(key)
        .collect();
    let mut records = Vec::new();
    for row in reader.records() {
        let row = row.map_err(unreadable)?;
        let cell = |(key, text): (&String, &str)| {
            let number = || {
                serde_json::from_str::<serde_json::Number>(text)
                    .ok()
                    .map(Value::Number)
            };
            let is_text = matches!(key.as_str(), "isin" | "name" | "currency" | "day_count");
            let value = if is_text { None } else { number() };
            (
                key.clone(),
                value.unwrap_or_else(|| Value::String(text.to_owned())),
            )
        };
        records.push(
            header
                .iter()
                .zip(row.iter())
                .filter(|(_, text)| !text.is_empty())
                .map(cell)
                .collect(),
        );
    }
    Ok(records)
}

/// Reads the fields of one bond and notes what is wrong with them.
struct FieldReader<'a> {
    record: usize,
    fields: &'a Map<String, Value>,
    problems: &'a mut Vec<BondProblem>,
}

impl FieldReader<'_> {
    /// `None` when any field is wrong; every wrong field is noted first.
    fn bond(&mut self) -> Option<Bond> {
        let isin = self.isin();
        let name = self.text("name");
        let currency = self.text("currency");
        let coupon = self.number("coupon", "per cent a year from 0 to 100", |x| {
            (0.0..=100.0).contains(&x)
        });
        let frequency = self.frequency();
        let day_count = self.day_count();
        let issue = if self.has("issue") {
            self.date("issue").map(Some)
        } else {
            Some(None)
        };
        let maturity = self.date("maturity");
        let settlement = self.date("settlement");
        let face = if self.has("face") {
            self.number("face", "an amount above 0", |x| x > 0.0)
        } else {
            Some(100.0)
        };
        let quote = self.quote();
        if let (Some(maturity), Some(settlement)) = (maturity, settlement)
            && settlement >= maturity
        {
            self.problem(
                "settlement",
                &format!("a day before maturity {maturity}"),
                settlement.to_string(),
            );
            return None;
        }
        let isin = isin?;
        Some(Bond {
            name: name?.unwrap_or_else(|| isin.clone()),
            isin,
            currency: currency?.unwrap_or_default(),
            coupon: coupon?,
            frequency: frequency?,
            day_count: day_count?,
            issue: issue?,
            maturity: maturity?,
            settlement: settlement?,
            face: face?,
            quote: quote?,
        })
    }

    fn has(&self, field: &str) -> bool {
        !matches!(self.fields.get(field), None | Some(Value::Null))
    }

    fn problem(&mut self, field: &'static str, expected: &str, found: String) {
        let (record, expected) = (self.record, expected.to_owned());
        self.problems.push(BondProblem {
            record,
            field,
            expected,
            found,
        });
    }

    fn wrong<T>(&mut self, field: &'static str, expected: &str) -> Option<T> {
        let found = self
            .fields
            .get(field)
            .map_or_else(|| "nothing".to_owned(), shown);
        self.problem(field, expected, found);
        None
    }

    fn isin(&mut self) -> Option<String> {
        match self
            .fields
            .get("isin")
            .and_then(Value::as_str)
            .map(str::trim)
        {
            Some(isin) if isin.len() == 12 && isin.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                Some(isin.to_uppercase())
            }
            _ => self.wrong("isin", "12 letters and digits such as US0378331005"),
        }
    }

    /// `Some(None)` when the field is left out.
    fn text(&mut self, field: &'static str) -> Option<Option<String>> {
        match self.fields.get(field) {
            None | Some(Value::Null) => Some(None),
            Some(Value::String(text)) if is_short_line(text) => Some(Some(text.trim().to_owned())),
            _ => self.wrong(field, "a short text on one line"),
        }
    }

    fn number(
        &mut self,
        field: &'static str,
        expected: &str,
        possible: fn(f64) -> bool,
    ) -> Option<f64> {
        match self.fields.get(field).and_then(Value::as_f64) {
            Some(number) if number.is_finite() && possible(number) => Some(number),
            _ => self.wrong(field, expected),
        }
    }

    fn frequency(&mut self) -> Option<u32> {
        match self.fields.get("frequency").and_then(Value::as_u64) {
            Some(frequency) if FREQUENCIES.contains(&frequency) => u32::try_from(frequency).ok(),
            _ => self.wrong(
                "frequency",
                "1, 2, 4 or 12 coupons a year (a bond without any has coupon 0)",
            ),
        }
    }

    fn day_count(&mut self) -> Option<DayCount> {
        let text = self
            .fields
            .get("day_count")
            .and_then(Value::as_str)
            .unwrap_or_default();
        match text.parse() {
            Ok(day_count) => Some(day_count),
            Err(known) => self.wrong("day_count", &format!("one of {known}")),
        }
    }

    fn date(&mut self, field: &'static str) -> Option<Date> {
        let parsed = self
            .fields
            .get(field)
            .and_then(Value::as_str)
            .map(str::parse::<Date>);
        match parsed {
            Some(Ok(date)) => Some(date),
            _ => self.wrong(field, "a date of the calendar such as 2031-05-15"),
        }
    }

    fn quote(&mut self) -> Option<Quote> {
        match (self.has("clean_price"), self.has("yield")) {
            (true, false) => self
                .number("clean_price", "a price per 100 above 0", |x| x > 0.0)
                .map(Quote::CleanPrice),
            (false, true) => self
                .number("yield", "per cent a year from -50 to 500", |x| {
                    (-50.0..=500.0).contains(&x)
                })
                .map(Quote::Yield),
            (both, _) => {
                let found = if both { "both" } else { "neither" };
                self.problem("clean_price", "a clean price or a yield", found.to_owned());
                None
            }
        }
    }
}

fn is_short_line(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty()
        && text.chars().count() <= 80
        && !text.contains(char::is_control)
        && !text.contains("<|")
}

/// A value as an error shows it.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match value {
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
        _ if text.chars().count() > 60 => format!("{}…", text.chars().take(60).collect::<String>()),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"isin": "US0378331005", "coupon": 5, "frequency": 2, "day_count": "30/360",
        "maturity": "2030-05-15", "settlement": "2024-01-10", "clean_price": 98.5}"#;

    #[test]
    fn json_and_csv_give_the_same_bond() {
        let json = read_bonds(GOOD.as_bytes()).unwrap();
        let csv = "ISIN, Coupon,frequency,day_count,issue,maturity,settlement,clean_price,yield\n\
            US0378331005,5,2,30/360,,2030-05-15,2024-01-10,98.5,\n";
        assert_eq!(read_bonds(csv.as_bytes()).unwrap(), json);
        assert_eq!(json.bonds[0].quote, Quote::CleanPrice(98.5));
        assert!(json.warnings.is_empty());
    }

    #[test]
    fn names_every_problem_of_every_bond() {
        let bad = r#"[{"isin": "X", "coupon": "5", "frequency": 3, "day_count": "BUS/252",
            "maturity": "2030-02-30", "clean_price": 98, "yield": 3, "face": 0},
            {"isin": "US0378331005", "coupon": 5, "frequency": 2, "day_count": "30/360",
            "maturity": "2024-01-10", "settlement": "2024-01-10", "clean_price": -1}]"#;
        let Err(BondReadError::Rejected { problems, .. }) = read_bonds(bad.as_bytes()) else {
            panic!("read")
        };
        let fields: Vec<(usize, &str)> = problems.iter().map(|p| (p.record, p.field)).collect();
        let expected = [
            (1, "isin"),
            (1, "coupon"),
            (1, "frequency"),
            (1, "day_count"),
            (1, "maturity"),
            (1, "settlement"),
            (1, "face"),
            (1, "clean_price"),
            (2, "clean_price"),
            (2, "settlement"),
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn odd_but_readable_things_are_warnings() {
        let odd = GOOD
            .replace("US0378331005", "US0378331009")
            .replace("\"coupon\": 5", "\"coupon\": 0.05");
        let odd = odd
            .replace("\"face\"", "\"par\"")
            .replace("98.5", "98.5, \"rating\": \"A\"");
        let warnings = read_bonds(odd.as_bytes()).unwrap().warnings;
        assert_eq!(warnings.len(), 3, "{warnings:?}");
    }

    #[test]
    fn refuses_nothing_twice_and_nonsense() {
        assert!(matches!(read_bonds(b" \n"), Err(BondReadError::Empty)));
        assert!(matches!(read_bonds(b"[]"), Err(BondReadError::Empty)));
        assert!(matches!(
            read_bonds(b"[1]"),
            Err(BondReadError::NotAnObject { .. })
        ));
        assert!(matches!(
            read_bonds(b"{\"a\":"),
            Err(BondReadError::Unreadable { .. })
        ));
        let twice = format!("[{GOOD}, {GOOD}]");
        let error = read_bonds(twice.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("US0378331005 again"), "{error}");
    }
}
