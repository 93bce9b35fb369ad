//! Reading and checking the figures of banks.
//!
//! A file holds one object or a list of objects:
//! `{"bank": "…", "year": 2023, "currency": "EUR", "unit": "millones", "total_assets": …, "net_profit": …,
//! "capital_ratio": …, "roe": …, "npl_ratio": …}`. Amounts are in `unit`, ratios in per cent. A figure
//! that a bank does not publish is `null`. `currency` and `unit` may be left out (EUR, millones);
//! `note` and `source` are free text.

use std::{collections::BTreeMap, fmt};

use serde_json::{Map, Value};
use thiserror::Error;

use super::Metric;

const YEARS: std::ops::RangeInclusive<u64> = 1900..=2100;
const KNOWN_KEYS: [&str; 11] = [
    "bank",
    "year",
    "currency",
    "unit",
    "total_assets",
    "net_profit",
    "capital_ratio",
    "roe",
    "npl_ratio",
    "note",
    "source",
];

/// What one bank published for one year.
#[derive(Debug, Clone, PartialEq)]
pub struct BankYear {
    pub bank: String,
    pub year: u16,
    pub currency: String,
    pub unit: String,
    /// In the order of [`Metric::ALL`]; `None` where the bank does not publish it.
    figures: [Option<f64>; 5],
}

impl BankYear {
    pub fn figure(&self, metric: Metric) -> Option<f64> {
        Metric::ALL
            .iter()
            .position(|&known| known == metric)
            .and_then(|index| self.figures[index])
    }
}

/// All figures, ordered by bank as first met and then by year, and keys that were passed over.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    pub rows: Vec<BankYear>,
    /// `file, record, key` of fields that mean nothing here.
    pub unknown_keys: Vec<String>,
}

/// One thing that is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    /// From 1.
    pub record: usize,
    pub field: &'static str,
    pub expected: String,
    pub found: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            record,
            field,
            expected,
            found,
        } = self;
        write!(
            f,
            "{file}, record {record}, `{field}`: expected {expected}, found {found}"
        )
    }
}

/// Why figures were refused.
#[derive(Debug, Error)]
pub enum FiguresError {
    #[error("{file} is not JSON: {source}")]
    NotJson {
        file: String,
        source: serde_json::Error,
    },
    #[error(
        "{file} holds {found}; expected an object with the figures of a bank, or a list of them"
    )]
    WrongShape { file: String, found: String },
    #[error("there are no figures in the input; expected at least one bank and year")]
    Empty,
    #[error("{} in the figures:\n{}", count(problems), lines(problems))]
    Rejected { problems: Vec<Problem> },
}

fn count(problems: &[Problem]) -> String {
    if problems.len() == 1 {
        "1 problem".to_owned()
    } else {
        format!("{} problems", problems.len())
    }
}

fn lines(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| format!("  {problem}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Read files of figures, given as (name, bytes), and check every field of every record.
///
/// # Errors
/// All problems at once: what is missing, not a number, impossible, or there twice.
pub fn read_figures(files: &[(String, Vec<u8>)]) -> Result<Figures, FiguresError> {
    let mut reader = Reader::default();
    for (file, bytes) in files {
        reader.file(file, bytes)?;
    }
    if !reader.problems.is_empty() {
        return Err(FiguresError::Rejected {
            problems: reader.problems,
        });
    }
    if reader.rows.is_empty() {
        return Err(FiguresError::Empty);
    }
    Ok(Figures {
        rows: in_order(reader.rows),
        unknown_keys: reader.unknown_keys,
    })
}

/// Banks as first met, years rising.
fn in_order(mut rows: Vec<BankYear>) -> Vec<BankYear> {
    let mut banks: Vec<String> = Vec::new();
    for row in &rows {
        if !banks.contains(&row.bank) {
            banks.push(row.bank.clone());
        }
    }
    rows.sort_by_key(|row| (banks.iter().position(|bank| *bank == row.bank), row.year));
    rows
}

#[derive(Default)]
struct Reader {
    rows: Vec<BankYear>,
    problems: Vec<Problem>,
    unknown_keys: Vec<String>,
    /// Where each (bank, year) stands.
    seen: BTreeMap<(String, u16), String>,
}

impl Reader {
    fn file(&mut self, file: &str, bytes: &[u8]) -> Result<(), FiguresError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let value: Value =
            serde_json::from_slice(bytes).map_err(|source| FiguresError::NotJson {
                file: file.to_owned(),
                source,
            })?;
        let records = match value {
            Value::Array(records) => records,
            object @ Value::Object(_) => vec![object],
            other => {
                return Err(FiguresError::WrongShape {
                    file: file.to_owned(),
                    found: shown(&other),
                });
            }
        };
        for (index, record) in records.into_iter().enumerate() {
            match record {
                Value::Object(fields) => self.record(file, index + 1, &fields),
                other => {
                    let found = format!("{} as record {}", shown(&other), index + 1);
                    return Err(FiguresError::WrongShape {
                        file: file.to_owned(),
                        found,
                    });
                }
            }
        }
        Ok(())
    }

    fn record(&mut self, file: &str, record: usize, fields: &Map<String, Value>) {
        let before = self.problems.len();
        let mut check = FieldCheck {
            file,
            record,
            fields,
            problems: &mut self.problems,
        };
        let bank = check.text("bank", None);
        let year = check.year();
        let currency = check.text("currency", Some("EUR"));
        let unit = check.text("unit", Some("millones"));
        let figures = Metric::ALL.map(|metric| check.figure(metric));
        check.profit_below_assets(figures[0], figures[1]);
        for key in fields
            .keys()
            .filter(|key| !KNOWN_KEYS.contains(&key.as_str()))
        {
            self.unknown_keys
                .push(format!("{file}, record {record}, `{key}`"));
        }
        if self.problems.len() > before {
            return;
        }
        let place = format!("{file}, record {record}");
        if let Some(first) = self.seen.insert((bank.clone(), year), place) {
            self.problems.push(Problem {
                file: file.to_owned(),
                record,
                field: "year",
                expected: "each bank and year once".to_owned(),
                found: format!("{bank} {year} again, first in {first}"),
            });
            return;
        }
        self.rows.push(BankYear {
            bank,
            year,
            currency,
            unit,
            figures,
        });
    }
}

/// Reads the fields of one record and notes what is wrong with them.
struct FieldCheck<'a> {
    file: &'a str,
    record: usize,
    fields: &'a Map<String, Value>,
    problems: &'a mut Vec<Problem>,
}

impl FieldCheck<'_> {
    fn problem(&mut self, field: &'static str, expected: &str, found: String) {
        self.problems.push(Problem {
            file: self.file.to_owned(),
            record: self.record,
            field,
            expected: expected.to_owned(),
            found,
        });
    }

    fn text(&mut self, field: &'static str, default: Option<&str>) -> String {
        match (self.fields.get(field), default) {
            (Some(Value::String(text)), _) if is_name(text) => return text.trim().to_owned(),
            (None, Some(default)) => return default.to_owned(),
            (found, _) => {
                let found = found.map_or_else(|| "nothing".to_owned(), shown);
                self.problem(field, "a short text on one line", found);
            }
        }
        String::new()
    }

    fn year(&mut self) -> u16 {
        let found = self.fields.get("year");
        let year = found
            .and_then(Value::as_u64)
            .filter(|year| YEARS.contains(year));
        if year.is_none() {
            let found = found.map_or_else(|| "nothing".to_owned(), shown);
            self.problem("year", "a whole number from 1900 to 2100", found);
        }
        year.and_then(|year| u16::try_from(year).ok())
            .unwrap_or_default()
    }

    fn figure(&mut self, metric: Metric) -> Option<f64> {
        let field = metric.key();
        let value = match self.fields.get(field) {
            Some(Value::Null) => return None,
            Some(Value::Number(number)) => number.as_f64().unwrap_or(f64::NAN),
            Some(other) => {
                self.problem(
                    field,
                    "a JSON number such as 11076 or 12.3, or null",
                    shown(other),
                );
                return None;
            }
            None => {
                self.problem(
                    field,
                    "a number, or null where the bank does not publish it",
                    "nothing".into(),
                );
                return None;
            }
        };
        let (possible, expected) = match metric {
            Metric::TotalAssets => (value > 0.0, "an amount above 0"),
            Metric::NetProfit => (true, "an amount"),
            Metric::CapitalRatio | Metric::NplRatio => (
                (0.0..=100.0).contains(&value),
                "a per cent figure from 0 to 100",
            ),
            Metric::Roe => (
                (-100.0..=100.0).contains(&value),
                "a per cent figure from -100 to 100",
            ),
        };
        if !possible || !value.is_finite() {
            self.problem(field, expected, value.to_string());
            return None;
        }
        Some(value)
    }

    fn profit_below_assets(&mut self, assets: Option<f64>, profit: Option<f64>) {
        if let (Some(assets), Some(profit)) = (assets, profit)
            && profit.abs() > assets
        {
            let found = format!("{profit} with total assets of {assets}");
            self.problem(
                "net_profit",
                "no more than the total assets, in the same unit",
                found,
            );
        }
    }
}

/// One line, not empty, no chat markup, short enough for a sentence.
fn is_name(text: &str) -> bool {
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

    fn read(json: &str) -> Result<Figures, FiguresError> {
        read_figures(&[("f.json".to_owned(), json.as_bytes().to_vec())])
    }

    const GOOD: &str = r#"{"bank": "Banco Alba", "year": 2023, "total_assets": 9000, "net_profit": -12.5,
        "capital_ratio": 12.3, "roe": null, "npl_ratio": 3, "rating": "A"}"#;

    #[test]
    fn reads_one_object_or_a_list_with_defaults_and_null() {
        let figures = read(GOOD).unwrap();
        assert_eq!(figures, read(&format!("\u{feff}[{GOOD}]")).unwrap());
        let row = &figures.rows[0];
        assert_eq!(
            (row.currency.as_str(), row.unit.as_str()),
            ("EUR", "millones")
        );
        assert_eq!(
            (row.figure(Metric::NetProfit), row.figure(Metric::Roe)),
            (Some(-12.5), None)
        );
        assert_eq!(figures.unknown_keys, ["f.json, record 1, `rating`"]);
    }

    #[test]
    fn orders_by_bank_as_met_and_year() {
        let row = |bank: &str, year: u16| {
            GOOD.replace("Banco Alba", bank)
                .replace("2023", &year.to_string())
        };
        let list = [row("Z", 2023), row("A", 2022), row("Z", 2021)].join(",");
        let order: Vec<(String, u16)> = read(&format!("[{list}]"))
            .unwrap()
            .rows
            .into_iter()
            .map(|row| (row.bank, row.year))
            .collect();
        assert_eq!(
            order,
            [("Z".into(), 2021), ("Z".into(), 2023), ("A".into(), 2022)]
        );
    }

    #[test]
    fn names_every_problem_at_once() {
        let bad = r#"[{"bank": " ", "year": 20.5, "total_assets": 0, "net_profit": "11.076",
            "capital_ratio": 123, "roe": 1, "npl_ratio": 2}, {"bank": "B", "year": 2020,
            "total_assets": 10, "net_profit": 11, "capital_ratio": 1, "roe": 1}]"#;
        let Err(FiguresError::Rejected { problems }) = read(bad) else {
            panic!("accepted")
        };
        let fields: Vec<(usize, &str)> = problems.iter().map(|p| (p.record, p.field)).collect();
        let expected = [
            (1, "bank"),
            (1, "year"),
            (1, "total_assets"),
            (1, "net_profit"),
            (1, "capital_ratio"),
            (2, "npl_ratio"),
            (2, "net_profit"),
        ];
        assert_eq!(fields, expected);
        let text = FiguresError::Rejected { problems }.to_string();
        assert!(
            text.contains("`net_profit`: expected a JSON number such as 11076"),
            "{text}"
        );
    }

    #[test]
    fn a_bank_and_year_may_stand_once() {
        let error = read(&format!("[{GOOD}, {GOOD}]")).unwrap_err().to_string();
        assert!(
            error.contains("Banco Alba 2023 again, first in f.json, record 1"),
            "{error}"
        );
    }

    #[test]
    fn refuses_other_shapes() {
        assert!(matches!(read("{"), Err(FiguresError::NotJson { .. })));
        assert!(matches!(read("3"), Err(FiguresError::WrongShape { .. })));
        assert!(matches!(read("[[]]"), Err(FiguresError::WrongShape { .. })));
        assert!(matches!(read("[]"), Err(FiguresError::Empty)));
    }

    #[test]
    fn the_demo_figures_are_complete() {
        let demo = include_bytes!("../../../../native-trainer/demo/banks.json");
        let figures = read_figures(&[("banks.json".to_owned(), demo.to_vec())]).unwrap();
        let n_facts = figures
            .rows
            .iter()
            .flat_map(|row| row.figures)
            .flatten()
            .count();
        assert_eq!((figures.rows.len(), n_facts), (10, 50));
        assert!(figures.unknown_keys.is_empty());
    }
}
