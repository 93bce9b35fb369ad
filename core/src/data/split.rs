//! Train, validation and test sets that do not leak into each other.
//!
//! Records that belong together stay together: those with the same value of a field (a customer, a
//! document), those that ask the same (whatever they answer), and so exact duplicates. Whole
//! groups are drawn, in an order that depends on the seed alone; with a field to stratify by, each of
//! its values has the same share on every side, as far as the groups allow ([`draw`]).

mod draw;

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{DatasetError, Record, fingerprint::fingerprint, stats::language};
use crate::protocol::studio::SplitPlan;
pub(crate) use draw::{Facts, draw};

/// How much goes to one side.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Portion {
    #[default]
    None,
    /// A share of all records, above 0 and below 1.
    Share(f64),
    Count(usize),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct SplitOptions {
    pub val: Portion,
    pub test: Portion,
    pub seed: u64,
    /// Records with the same value in this column stay on one side; those without a value stand alone.
    pub group: Option<String>,
    /// Values of this column have the same shares on every side; `language` is told from the text
    /// where no column has that name, and [`SplitPlan::LANGUAGE`] always is.
    pub stratify: Option<String>,
    /// Draw records that ask the same one by one, as if they had nothing to do with each other.
    pub duplicates_apart: bool,
}

/// Indices of records, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    pub train: Vec<usize>,
    pub val: Vec<usize>,
    pub test: Vec<usize>,
    /// Sizes that validation and test were to have; whole groups may not fill them.
    pub asked: [usize; 2],
    /// Groups of records that belong together; a record on its own is a group of one.
    pub n_groups: usize,
    pub largest_group: usize,
    /// Records without a value to group by.
    pub n_ungrouped: usize,
    /// Values of the stratifying column in their order, with the records on each side.
    pub strata: Vec<(String, [u64; 3])>,
}

/// Draw a split.
///
/// # Errors
/// If the portions leave nothing to train on, a field is missing, or the groups are too large to be
/// divided as asked.
pub fn split(records: &[Record], options: &SplitOptions) -> Result<Split, DatasetError> {
    let mut facts = Facts::new(records.len());
    if !options.duplicates_apart {
        let prompts = records
            .iter()
            .map(|record| Some(fingerprint(record).prompt));
        facts.keep_together(prompts);
    }
    if let Some(field) = &options.group {
        facts.group_by(field, column(records, field), &|| column_names(records))?;
    }
    if let Some(field) = &options.stratify {
        let is_free = || column(records, field).all(|value| value.is_none());
        let told = field == SplitPlan::LANGUAGE || field == "language" && is_free();
        if told {
            facts.stratify_by(
                field,
                records
                    .iter()
                    .map(|record| language(record).map(str::to_owned)),
                &Vec::new,
            )?;
        } else {
            facts.stratify_by(field, column(records, field), &|| column_names(records))?;
        }
    }
    draw(facts, options)
}

fn column<'a>(records: &'a [Record], field: &'a str) -> impl Iterator<Item = Option<String>> + 'a {
    records
        .iter()
        .map(move |record| column_text(&record.extra, field))
}

/// The text of a column, or of a key inside one: `metadata.source`.
pub(crate) fn column_text(extra: &Map<String, Value>, field: &str) -> Option<String> {
    let mut parts = field.split('.');
    let first = parts.next().and_then(|part| extra.get(part));
    let nested = parts.try_fold(first, |value, part| value.map(|value| value.get(part)));
    match extra.get(field).or(nested.flatten())? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// Columns of the first records, for a message.
fn column_names(records: &[Record]) -> Vec<String> {
    /// Enough to see what a dataset has.
    const LOOKED_AT: usize = 1000;
    let mut names: Vec<String> = Vec::new();
    for name in records
        .iter()
        .take(LOOKED_AT)
        .flat_map(|record| record.extra.keys())
    {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// Numbers for texts, in the order in which they come.
#[derive(Default)]
struct Labels(HashMap<String, u32>);

impl Labels {
    fn number(&mut self, text: String) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(text).or_insert(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ReadOptions, read};

    fn records(n: usize, question: impl Fn(usize) -> String) -> Vec<Record> {
        let line = |i| {
            format!(
                "{{\"query\":\"{}\",\"response\":\"a{i}\",\"bank\":{},\"meta\":{{\"k\":\"{}\"}}}}\n",
                question(i),
                i % 7,
                i % 5
            )
        };
        let text: String = (0..n).map(line).collect();
        read(text.as_bytes(), &ReadOptions::default())
            .unwrap()
            .records
    }

    fn options(val: Portion, seed: u64) -> SplitOptions {
        SplitOptions {
            val,
            seed,
            ..SplitOptions::default()
        }
    }

    #[test]
    fn sizes_are_exact_and_every_record_is_somewhere_once() {
        let records = records(100, |i| format!("q{i}"));
        let both = SplitOptions {
            test: Portion::Count(7),
            ..options(Portion::Share(0.1), 1)
        };
        let split = split(&records, &both).unwrap();
        assert_eq!(
            (split.train.len(), split.val.len(), split.test.len()),
            (83, 10, 7)
        );
        let mut all = [split.train, split.val, split.test].concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_seed_repeats_and_another_differs() {
        let records = records(100, |i| format!("q{i}"));
        let val = |seed| {
            split(&records, &options(Portion::Count(20), seed))
                .unwrap()
                .val
        };
        assert_eq!(val(1), val(1));
        assert_ne!(val(1), val(2));
    }

    #[test]
    fn equal_questions_and_groups_stay_on_one_side() {
        let records = records(120, |i| format!("q{}", i / 3));
        for field in [None, Some("bank"), Some("meta.k")] {
            let mut options = options(Portion::Share(0.3), 5);
            options.group = field.map(String::from);
            // Three neighbours share a question, so that each group field alone would join all.
            let found = split(&records, &options);
            if field.is_some() {
                assert!(
                    found
                        .unwrap_err()
                        .to_string()
                        .contains("all 120 records belong together")
                );
                continue;
            }
            let split = found.unwrap();
            assert_eq!((split.n_groups, split.val.len()), (40, 36));
            assert!(
                split
                    .val
                    .iter()
                    .all(|i| !split.train.iter().any(|j| i / 3 == j / 3))
            );
        }
    }

    #[test]
    fn a_group_field_alone_keeps_its_values_together() {
        let records = records(70, |i| format!("q{i}"));
        let options = SplitOptions {
            group: Some("bank".into()),
            ..options(Portion::Count(25), 5)
        };
        let split = split(&records, &options).unwrap();
        assert_eq!((split.n_groups, split.val.len()), (7, 20));
        assert_eq!(split.asked, [25, 0], "groups of ten do not fill it");
        assert!(
            split
                .val
                .iter()
                .all(|i| !split.train.iter().any(|j| i % 7 == j % 7))
        );
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let records = records(10, |i| format!("q{i}"));
        let reason = |options: &SplitOptions| split(&records, options).unwrap_err().to_string();
        assert!(reason(&options(Portion::Count(10), 1)).contains("leave none of 10 records"));
        assert!(reason(&options(Portion::Share(1.5), 1)).contains("validation is 1.5"));
        assert!(reason(&options(Portion::None, 1)).contains("nothing to set aside"));
        let grouped = SplitOptions {
            group: Some("banco".into()),
            ..options(Portion::Count(1), 1)
        };
        assert!(
            reason(&grouped)
                .contains("no record has `banco` to group by; columns are `bank`, `meta`")
        );
        let stratified = SplitOptions {
            stratify: Some("banco".into()),
            ..options(Portion::Count(1), 1)
        };
        assert!(reason(&stratified).contains("no record has `banco` to stratify by"));
    }

    #[test]
    fn values_of_a_column_have_their_share_on_every_side() {
        // Seven banks, 100 records of each.
        let records = records(700, |i| format!("q{i}"));
        let options = SplitOptions {
            test: Portion::Count(35),
            stratify: Some("bank".into()),
            ..options(Portion::Share(0.1), 3)
        };
        let split = split(&records, &options).unwrap();
        let shares: Vec<_> = split.strata.iter().map(|(_, sides)| *sides).collect();
        assert_eq!(shares, [[85, 10, 5]; 7]);
        assert_eq!(split.strata[2].0, "2");
    }

    #[test]
    fn languages_are_told_from_the_text() {
        let question = |i: usize| match i % 4 {
            0 => format!("¿Cuál fue el beneficio neto del banco en el ejercicio {i}?"),
            _ => format!("What was the net profit of the bank in the financial year {i}?"),
        };
        let options = SplitOptions {
            stratify: Some("language".into()),
            ..options(Portion::Count(20), 3)
        };
        let split = split(&records(80, question), &options).unwrap();
        let strata = [
            ("eng".to_owned(), [45, 15, 0]),
            ("spa".to_owned(), [15, 5, 0]),
        ];
        assert_eq!(split.strata, strata);
    }

    #[test]
    fn records_without_a_value_stand_alone() {
        let mut records = records(30, |i| format!("q{i}"));
        for record in &mut records[10..] {
            record.extra.remove("bank");
        }
        let options = SplitOptions {
            group: Some("bank".into()),
            ..options(Portion::Count(5), 1)
        };
        let split = split(&records, &options).unwrap();
        assert_eq!((split.n_groups, split.n_ungrouped), (27, 20));
    }

    #[test]
    fn duplicates_may_be_drawn_apart() {
        let records = records(100, |i| format!("q{}", i / 50));
        let options = SplitOptions {
            duplicates_apart: true,
            ..options(Portion::Count(10), 1)
        };
        let split = split(&records, &options).unwrap();
        assert_eq!((split.n_groups, split.val.len()), (100, 10));
    }
}
