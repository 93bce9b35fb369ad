//! What can be filtered by, with counts of the records outside the trash, or of those in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::Connection;
use serde_json::{Map, Value};

use super::{
    Project, ProjectError,
    body::role_bit,
    columns::{Columns, IN_TRASH, RecordColumns, THERE},
    filter::side_of,
    sides::values::beside,
};
use crate::protocol::studio::{Facets, TurnRole};

/// Texts whose columns are looked into, of each set of columns and altogether.
const LOOKED_INTO: (u32, usize) = (4, 64);

/// Keys inside columns that are named, and how deep the last of them lies.
const MOST_NESTED: usize = 50;
const DEEPEST: usize = 4;

impl Project {
    /// Records outside the trash with a better and a worse answer.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn n_pairs(&self) -> Result<u64, ProjectError> {
        let mut lists = self.lists.borrow_mut();
        let columns = lists.caught_up(&self.store)?;
        let there = columns.records.iter();
        let there = there.filter(|record| record.state == THERE);
        let sets = count(there.map(|record| columns.body_of(record).fields));
        let is_pair = |set: &i64| {
            let has = |name: &str| columns.set(*set).iter().any(|other| other == name);
            has("chosen") && has("rejected")
        };
        let pairs = sets.iter().filter(|(set, _)| is_pair(set));
        Ok(pairs.map(|(_, n)| n).sum())
    }

    /// Of the records outside the trash.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn facets(&self) -> Result<Facets, ProjectError> {
        self.facets_of(THERE)
    }

    /// Of the records in the trash.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn trash_facets(&self) -> Result<Facets, ProjectError> {
        self.facets_of(IN_TRASH)
    }

    fn facets_of(&self, state: u8) -> Result<Facets, ProjectError> {
        let mut lists = self.lists.borrow_mut();
        let columns = lists.caught_up(&self.store)?;
        let there = || {
            columns
                .records
                .iter()
                .filter(|record| record.state == state)
        };
        let tags = count(there().map(|record| record.tags));
        let fields = count(there().map(|record| columns.body_of(record).fields));
        Ok(Facets {
            tags: most_first(count_names(columns, &tags).into_iter().collect()),
            sides: count(there().map(|record| record.side))
                .into_iter()
                .map(|(side, n)| (side_of(side), n))
                .collect(),
            languages: languages(columns, there()),
            sources: count(there().map(|record| record.source))
                .into_iter()
                .map(|(source, n)| (u32::try_from(source).unwrap_or(u32::MAX), n))
                .collect(),
            reviewers: reviewers(columns, there()),
            roles: roles(columns, there()),
            fields: count_names(columns, &fields).into_keys().collect(),
            nested_fields: nested_fields(self.store.raw(), columns, there())?,
            lengths: lengths(there().map(|record| columns.body_of(record).n_chars)),
        })
    }
}

fn count<T: Ord>(values: impl Iterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

/// Counts of sets to counts of the names in them.
fn count_names(columns: &Columns, sets: &BTreeMap<i64, u64>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (set, n) in sets {
        for name in columns.set(*set) {
            *counts.entry(name.clone()).or_default() += n;
        }
    }
    counts
}

/// Keys with texts inside columns, as far as some records of every kind have them.
fn nested_fields<'a>(
    db: &Connection,
    columns: &Columns,
    there: impl Iterator<Item = &'a RecordColumns>,
) -> Result<Vec<String>, ProjectError> {
    let (of_set, altogether) = LOOKED_INTO;
    let mut n_of_set: HashMap<i64, u32> = HashMap::new();
    let some = there.map(|record| columns.body_of(record)).filter(|body| {
        let n = n_of_set.entry(body.fields).or_default();
        *n += 1;
        body.fields != 0 && *n <= of_set
    });
    let mut names = BTreeSet::new();
    let mut statement = db.prepare_cached("SELECT json FROM content WHERE body = ?1")?;
    for body in some.take(altogether) {
        let mut rows = statement.query([body.id])?;
        let Some(row) = rows.next()? else { continue };
        let json = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        let mut columns = beside(json)?;
        // Answers of a pair, not facts about the record.
        columns.retain(|name, _| !["chosen", "rejected"].contains(&name.as_str()));
        add_nested(&mut names, "", &columns, 1);
    }
    Ok(names.into_iter().take(MOST_NESTED).collect())
}

fn add_nested(
    names: &mut BTreeSet<String>,
    before: &str,
    fields: &Map<String, Value>,
    depth: usize,
) {
    // A dot in a key would be taken for the way inside.
    for (key, value) in fields.iter().filter(|(key, _)| !key.contains('.')) {
        match value {
            Value::String(_) if depth > 1 && names.len() < 4 * MOST_NESTED => {
                names.insert(format!("{before}{key}"));
            }
            Value::Object(inner) if depth < DEEPEST => {
                add_nested(names, &format!("{before}{key}."), inner, depth + 1);
            }
            _ => {}
        }
    }
}

fn most_first<T: Ord>(mut counts: Vec<(T, u64)>) -> Vec<(T, u64)> {
    counts.sort_by(|(a, n_a), (b, n_b)| n_b.cmp(n_a).then_with(|| a.cmp(b)));
    counts
}

fn languages<'a>(
    columns: &Columns,
    there: impl Iterator<Item = &'a RecordColumns>,
) -> Vec<(String, u64)> {
    let counts = count(there.map(|record| columns.body_of(record).language));
    let name = |(number, n): (u32, u64)| (columns.languages.name(number).to_owned(), n);
    most_first(counts.into_iter().map(name).collect())
}

/// Nobody first.
fn reviewers<'a>(
    columns: &Columns,
    there: impl Iterator<Item = &'a RecordColumns>,
) -> Vec<(Option<String>, u64)> {
    let counts = count(there.map(|record| record.reviewer));
    let named = counts.into_iter().map(|(number, n)| {
        let name = columns.reviewers.name(number);
        ((!name.is_empty()).then(|| name.to_owned()), n)
    });
    let mut named: Vec<_> = named.collect();
    named.sort();
    named
}

fn roles<'a>(
    columns: &Columns,
    there: impl Iterator<Item = &'a RecordColumns>,
) -> Vec<(TurnRole, u64)> {
    let counts = count(there.map(|record| columns.body_of(record).roles));
    let of_role = |role: TurnRole| {
        let has = |bits: &u8| u32::from(*bits) & role_bit(role) != 0;
        let n = counts
            .iter()
            .filter(|(bits, _)| has(bits))
            .map(|(_, n)| n)
            .sum();
        (role, n)
    };
    let all = TurnRole::ALL.into_iter().map(of_role);
    all.filter(|(_, n)| *n > 0).collect()
}

/// Bins up to 10, 20, 50, 100, … characters, from the first to the last that has any.
fn lengths(n_chars: impl Iterator<Item = i64>) -> Vec<(u64, u64)> {
    let edges = (1..18).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let edges: Vec<u64> = edges.collect();
    let mut counts: HashMap<usize, u64> = HashMap::new();
    for n in n_chars {
        let n = u64::try_from(n).unwrap_or_default();
        *counts
            .entry(edges.partition_point(|edge| *edge < n))
            .or_default() += 1;
    }
    let (Some(first), Some(last)) = (counts.keys().min(), counts.keys().max()) else {
        return Vec::new();
    };
    let bin = |place: usize| {
        let edge = edges.get(place).copied().unwrap_or(u64::MAX);
        (edge, counts.get(&place).copied().unwrap_or_default())
    };
    (*first..=*last).map(bin).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        project::testing::{keys, project_of, question, run_all},
        protocol::studio::Change,
    };

    #[test]
    fn keys_inside_columns_are_named_as_far_as_they_hold_texts() {
        let records = (0..100).map(|i| {
            let mut record = question(i);
            let meta = json!({"bank": "b", "year": 2020, "at": {"page": {"of": "x", "in": {"y": "z"}}},
                "a.b": "c", "list": ["d"]});
            let (name, value) = match i {
                99 => ("other", json!({"own": "e"})),
                98 => ("chosen", json!({"content": "f"})),
                97 => ("plain", json!("g")),
                _ => ("meta", meta),
            };
            record.extra.insert(name.into(), value);
            record
        });
        let facets = project_of(records).facets().unwrap();
        assert_eq!(facets.fields, ["chosen", "meta", "other", "plain"]);
        assert_eq!(
            facets.nested_fields,
            ["meta.at.page.of", "meta.bank", "other.own"]
        );
    }

    #[test]
    fn the_trash_has_facets_of_its_own() {
        let mut project = project_of((0..3).map(question));
        for (records, change) in [
            (vec![1], Change::AddTag("gone".into())),
            (vec![2, 3], Change::AddTag("kept".into())),
            (vec![1], Change::Trash),
        ] {
            let work = project.change(keys(records), change, 1);
            run_all(&mut project, work).unwrap();
        }
        assert_eq!(project.facets().unwrap().tags, [("kept".to_owned(), 2)]);
        let trash = project.trash_facets().unwrap();
        assert_eq!(trash.tags, [("gone".to_owned(), 1)]);
        assert_eq!(trash.sides, [(None, 1)]);
    }

    #[test]
    fn pairs_have_a_better_and_a_worse_answer() {
        let records = (0..3).map(|i| {
            let mut record = question(i);
            record.extra.insert("chosen".into(), "a".into());
            if i > 0 {
                record.extra.insert("rejected".into(), "b".into());
            }
            record
        });
        assert_eq!(project_of(records).n_pairs().unwrap(), 2);
    }
}
