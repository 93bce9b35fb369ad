//! What a split goes by: the values of columns, of files and of languages, record by record.

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::OptionalExtension as _;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Members;
use crate::{
    data::column_text,
    project::{Project, ProjectError},
    protocol::studio::SplitPlan,
};

/// The columns that a plan names, a value for each member; empty where it names none.
pub(super) struct Values {
    pub(super) groups: Vec<Option<String>>,
    pub(super) strata: Vec<Option<String>>,
}

impl Values {
    pub(super) fn read(
        project: &Project,
        plan: &SplitPlan,
        members: &Members,
    ) -> Result<Self, ProjectError> {
        let read = |field: &Option<String>| match field {
            Some(field) => values_of(project, field, members),
            None => Ok(Vec::new()),
        };
        Ok(Self {
            groups: read(&plan.group_by)?,
            strata: read(&plan.stratify_by)?,
        })
    }

    /// Counts on some sides, by the value of the stratifying column.
    pub(super) fn strata(&self, sides: &[Option<i64>]) -> Vec<(String, [u64; 3])> {
        let mut strata = BTreeMap::<&str, [u64; 3]>::new();
        for (value, side) in self.strata.iter().zip(sides) {
            let counts = strata.entry(value.as_deref().unwrap_or_default());
            let counts = counts.or_default();
            if let Some(count) = side.and_then(|side| counts.get_mut(side as usize)) {
                *count += 1;
            }
        }
        let named = strata.into_iter();
        named
            .map(|(value, counts)| (value.to_owned(), counts))
            .collect()
    }

    /// Values of the grouping column whose records are on more than one side.
    pub(super) fn n_apart(&self, sides: &[Option<i64>]) -> u64 {
        let mut first_side = HashMap::new();
        let mut apart = HashSet::new();
        for (value, side) in self.groups.iter().zip(sides) {
            let (Some(value), Some(side)) = (value, side) else {
                continue;
            };
            if *first_side.entry(value).or_insert(side) != side {
                apart.insert(value);
            }
        }
        apart.len() as u64
    }
}

/// The value of a column for each record. `source` and `language`, where no record has such a column,
/// are the file it came from and the language it was told to be; with a colon they always are.
fn values_of(
    project: &Project,
    field: &str,
    members: &Members,
) -> Result<Vec<Option<String>>, ProjectError> {
    match field {
        SplitPlan::SOURCE_FILE => return files_of(project, members),
        SplitPlan::LANGUAGE => return languages_of(project, members),
        _ => {}
    }
    let mut values = Vec::with_capacity(members.n());
    let db = project.store.settled()?;
    let mut read = db.prepare_cached("SELECT json FROM content WHERE body = ?1")?;
    for body in &members.bodies {
        let mut rows = read.query([body])?;
        let Some(row) = rows.next()? else {
            values.push(None);
            continue;
        };
        let json = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        values.push(column_text(&beside(json)?, field));
    }
    match field {
        _ if values.iter().any(Option::is_some) => Ok(values),
        "source" => files_of(project, members),
        "language" => languages_of(project, members),
        _ => Ok(values),
    }
}

fn files_of(project: &Project, members: &Members) -> Result<Vec<Option<String>>, ProjectError> {
    let mut name = project.store.settled()?.prepare_cached(
        "SELECT source.name FROM record JOIN source ON source.id = record.source
         WHERE record.id = ?1",
    )?;
    let name = |id: &u64| name.query_row([*id], |row| row.get(0)).optional();
    Ok(members.records.iter().map(name).collect::<Result<_, _>>()?)
}

fn languages_of(project: &Project, members: &Members) -> Result<Vec<Option<String>>, ProjectError> {
    let db = project.store.settled()?;
    let mut told = db.prepare_cached("SELECT language FROM body WHERE id = ?1")?;
    let told = |id: &i64| told.query_row([*id], |row| row.get(0)).optional();
    Ok(members.bodies.iter().map(told).collect::<Result<_, _>>()?)
}

/// The columns beside the text of a stored record; the text itself is skipped.
pub(in crate::project) fn beside(json: &str) -> Result<Map<String, Value>, ProjectError> {
    #[derive(Deserialize)]
    struct Beside {
        #[serde(default)]
        extra: Map<String, Value>,
    }
    let beside: Beside = serde_json::from_str(json).map_err(|error| ProjectError::Broken {
        detail: format!("a stored record cannot be read: {error}"),
    })?;
    Ok(beside.extra)
}
