//! Train, validation and test sets that do not leak into each other.
//!
//! Records that belong together stay together: those with the same value of a field (a customer, a
//! document), those that ask the same (whatever they answer), and so exact duplicates. Whole
//! groups are drawn, in an order that depends on the seed alone.

use std::collections::HashMap;

use serde_json::Value;

use super::{DatasetError, Record, fingerprint::fingerprint};
use crate::rng::Rng;

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
    /// Records with the same value in this column stay on one side.
    pub group: Option<String>,
}

/// Indices of records, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    pub train: Vec<usize>,
    pub val: Vec<usize>,
    pub test: Vec<usize>,
    /// Groups of records that belong together; a record on its own is a group of one.
    pub n_groups: usize,
    pub largest_group: usize,
}

/// Draw a split.
///
/// # Errors
/// If the portions leave nothing to train on, the group field is missing, or the groups are too
/// large to be divided as asked.
pub fn split(records: &[Record], options: &SplitOptions) -> Result<Split, DatasetError> {
    let n = records.len();
    let n_val = size("--val", options.val, n)?;
    let n_test = size("--test", options.test, n)?;
    let refuse = |reason: String| Err(DatasetError::Split { reason });
    if n_val + n_test == 0 {
        return refuse(
            "nothing to set aside; say how much with `--val 0.1` or `--val-count 20`".into(),
        );
    }
    if n_val + n_test >= n {
        return refuse(format!(
            "{n_val} for validation and {n_test} for test leave none of {n} records to train on"
        ));
    }
    let mut groups = groups(records, options.group.as_deref())?;
    let n_groups = groups.len();
    let largest_group = groups.iter().map(Vec::len).max().unwrap_or(0);
    Rng::new(options.seed, 0).shuffle(&mut groups);
    let mut taken = |wanted: usize, name: &str| {
        let side = take(&mut groups, wanted);
        if side.is_empty() && wanted > 0 {
            return refuse(format!(
                "no group of records that belong together is small enough for a {name} set of \
                 {wanted}; there are {n_groups} groups, the largest of {largest_group}"
            ))
            .map(|_: Split| side);
        }
        Ok(side)
    };
    let (val, test) = (taken(n_val, "validation")?, taken(n_test, "test")?);
    let mut train: Vec<usize> = groups.into_iter().flatten().collect();
    train.sort_unstable();
    Ok(Split {
        train,
        val,
        test,
        n_groups,
        largest_group,
    })
}

fn size(flag: &str, portion: Portion, n: usize) -> Result<usize, DatasetError> {
    match portion {
        Portion::None => Ok(0),
        Portion::Count(count) => Ok(count),
        Portion::Share(share) if share > 0.0 && share < 1.0 => {
            Ok(((share * n as f64).round() as usize).max(1))
        }
        Portion::Share(share) => Err(DatasetError::Split {
            reason: format!("{flag} is {share}, expected a share above 0 and below 1"),
        }),
    }
}

/// Take groups that still fit, in their order, up to `wanted` records.
fn take(groups: &mut Vec<Vec<usize>>, wanted: usize) -> Vec<usize> {
    let mut side = Vec::new();
    groups.retain(|group| {
        let fits = side.len() + group.len() <= wanted;
        if fits {
            side.extend_from_slice(group);
        }
        !fits
    });
    side.sort_unstable();
    side
}

/// Records joined by a common group value or a common question, in the order of their first record.
fn groups(records: &[Record], field: Option<&str>) -> Result<Vec<Vec<usize>>, DatasetError> {
    let mut parents: Vec<usize> = (0..records.len()).collect();
    let mut by_prompt: HashMap<u128, usize> = HashMap::new();
    let mut by_field: HashMap<String, usize> = HashMap::new();
    for (i, record) in records.iter().enumerate() {
        let first = *by_prompt.entry(fingerprint(record).prompt).or_insert(i);
        join(&mut parents, i, first);
        if let Some(field) = field {
            let first = *by_field.entry(group_key(record, field)?).or_insert(i);
            join(&mut parents, i, first);
        }
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut place: HashMap<usize, usize> = HashMap::new();
    for i in 0..records.len() {
        let root = root(&mut parents, i);
        let at = *place.entry(root).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[at].push(i);
    }
    Ok(groups)
}

/// A column, or a key inside one: `metadata.source`.
fn group_key(record: &Record, field: &str) -> Result<String, DatasetError> {
    let mut parts = field.split('.');
    let first = parts.next().and_then(|part| record.extra.get(part));
    let nested = parts.try_fold(first, |value, part| value.map(|value| value.get(part)));
    let value = record.extra.get(field).or(nested.flatten());
    match value {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Null) | None => {
            let names: Vec<String> = record.extra.keys().cloned().collect();
            let found = if names.is_empty() {
                "no such columns".into()
            } else {
                super::columns::list(&names)
            };
            Err(DatasetError::Split {
                reason: format!(
                    "the record at line {} has no `{field}` to group by; it has {found}",
                    record.line
                ),
            })
        }
        Some(other) => Ok(other.to_string()),
    }
}

fn root(parents: &mut [usize], mut i: usize) -> usize {
    while parents[i] != i {
        parents[i] = parents[parents[i]];
        i = parents[i];
    }
    i
}

fn join(parents: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parents, a), root(parents, b));
    parents[a.max(b)] = a.min(b);
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
                        .contains("1 groups, the largest of 120")
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
        assert!(reason(&options(Portion::Share(1.5), 1)).contains("--val is 1.5"));
        assert!(reason(&options(Portion::None, 1)).contains("nothing to set aside"));
        let grouped = SplitOptions {
            group: Some("banco".into()),
            ..options(Portion::Count(1), 1)
        };
        assert!(
            reason(&grouped).contains("line 1 has no `banco` to group by; it has `bank`, `meta`")
        );
    }
}
