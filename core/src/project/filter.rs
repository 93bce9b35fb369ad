//! Which records pass a filter.
//!
//! Narrow columns are compared in memory ([`Columns`]). What is kept elsewhere (findings, groups,
//! columns beside the text) is asked of the database, with every value bound, and becomes a set of
//! bodies.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::{
    ProjectError,
    body::role_bit,
    checks::{
        length::{self, TOO_LONG},
        live::LiveRecords,
        repeats,
        same_texts::Print,
        table::{self, Grouping},
        template,
    },
    columns::{BodyColumns, Columns, IN_TRASH, NO_SIDE, RecordColumns, THERE},
    fields::FieldColumn,
};
use crate::protocol::studio::{CheckName, Filter, FindingKind, LengthUnit, Side};

/// A filter made ready for many records.
pub(super) struct Sieve {
    state: u8,
    /// Ids of the sets of tags of which a record must have one, and of those it must not have.
    tags: Option<Vec<i64>>,
    without_tags: Vec<i64>,
    /// A bit a side; all of them where any will do.
    sides: u8,
    languages: Option<Vec<u32>>,
    sources: Option<Vec<i64>>,
    reviewers: Option<Vec<u32>>,
    roles: u32,
    findings: Option<Vec<Finding>>,
    field: Option<Places>,
    lengths: (LengthUnit, i64, i64),
    group: Option<Places>,
}

/// What has a kind of finding, and the sets of kinds that settle it.
struct Finding {
    having: Having,
    accepted: Vec<i64>,
}

enum Having {
    Bodies(Places),
    /// Whether a text says the same as another is a matter of records: the first of them is well.
    Records(HashSet<i64>),
}

impl Having {
    fn has(&self, record: &RecordColumns) -> bool {
        match self {
            Self::Bodies(places) => places.has(record.body),
            Self::Records(ids) => ids.contains(&record.id),
        }
    }
}

impl Sieve {
    pub(super) fn new(
        filter: &Filter,
        db: &Connection,
        columns: &Columns,
        field: Option<&FieldColumn>,
    ) -> Result<Self, ProjectError> {
        let list = |empty: bool| (!empty).then_some(());
        let languages = filter.languages.iter();
        let reviewers = filter.reviewers.iter();
        let reviewer =
            |name: &Option<String>| columns.reviewers.find(name.as_deref().unwrap_or_default());
        let value = filter.field.as_ref().map(|(_, value)| value);
        let n_chars = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        Ok(Self {
            state: if filter.trash { IN_TRASH } else { THERE },
            tags: list(filter.tags.is_empty()).map(|()| columns.sets_with(&filter.tags)),
            without_tags: columns.sets_with(&filter.without_tags),
            sides: sides(&filter.sides),
            languages: list(filter.languages.is_empty()).map(|()| {
                languages
                    .filter_map(|name| columns.languages.find(name))
                    .collect()
            }),
            sources: list(filter.sources.is_empty()).map(|()| {
                filter
                    .sources
                    .iter()
                    .map(|source| i64::from(*source))
                    .collect()
            }),
            reviewers: list(filter.reviewers.is_empty())
                .map(|()| reviewers.filter_map(reviewer).collect()),
            roles: filter
                .roles
                .iter()
                .fold(0, |bits, role| bits | role_bit(*role)),
            findings: list(filter.findings.is_empty())
                .map(|()| findings(&filter.findings, db, columns))
                .transpose()?,
            field: field.map(|column| valued(column, value, columns)),
            lengths: (
                filter.length_in,
                filter.min_length.map_or(i64::MIN, n_chars),
                filter.max_length.map_or(i64::MAX, n_chars),
            ),
            group: match &filter.group {
                Some((check, group)) => Some(members(check, *group, db, columns)?),
                None => None,
            },
        })
    }

    /// Places of the records that pass, in the order of their ids.
    pub(super) fn pass(&self, columns: &Columns) -> Vec<u32> {
        let records = columns.records.iter().enumerate();
        let passing = records.filter(|(_, record)| self.passes(record, columns));
        passing.map(|(place, _)| place as u32).collect()
    }

    pub(super) fn passes(&self, record: &RecordColumns, columns: &Columns) -> bool {
        record.state == self.state
            && self.sides & 1 << record.side != 0
            && among(&self.tags, &record.tags)
            && !self.without_tags.contains(&record.tags)
            && among(&self.sources, &record.source)
            && among(&self.reviewers, &record.reviewer)
            && self.body_passes(record, columns.body_of(record))
    }

    fn body_passes(&self, record: &RecordColumns, body: &BodyColumns) -> bool {
        u32::from(body.roles) & self.roles == self.roles
            && among(&self.languages, &body.language)
            && self.length_passes(body)
            && self
                .group
                .as_ref()
                .is_none_or(|group| group.has(record.body))
            && self
                .field
                .as_ref()
                .is_none_or(|field| field.has(record.body))
            && self.findings.as_ref().is_none_or(|findings| {
                findings.iter().any(|finding| {
                    finding.having.has(record) && !finding.accepted.contains(&record.accepted)
                })
            })
    }

    fn length_passes(&self, body: &BodyColumns) -> bool {
        let (unit, min, max) = self.lengths;
        if min == i64::MIN && max == i64::MAX {
            return true;
        }
        let length = match unit {
            LengthUnit::Characters => body.n_chars,
            LengthUnit::Tokens if body.n_tokens < 0 => return false,
            LengthUnit::Tokens => body.n_tokens,
        };
        (min..=max).contains(&length)
    }
}

fn among<T: PartialEq>(allowed: &Option<Vec<T>>, value: &T) -> bool {
    allowed
        .as_ref()
        .is_none_or(|allowed| allowed.contains(value))
}

fn sides(sides: &[Option<Side>]) -> u8 {
    if sides.is_empty() {
        return u8::MAX;
    }
    sides
        .iter()
        .fold(0, |bits, side| bits | 1 << side_number(*side))
}

/// As it is stored, with [`NO_SIDE`] for none.
pub(super) fn side_number(side: Option<Side>) -> u8 {
    let place = side.and_then(|side| Side::ALL.iter().position(|other| *other == side));
    place.map_or(NO_SIDE, |place| place as u8)
}

pub(super) fn side_of(number: u8) -> Option<Side> {
    Side::ALL.get(usize::from(number)).copied()
}

fn findings(
    kinds: &[FindingKind],
    db: &Connection,
    columns: &Columns,
) -> Result<Vec<Finding>, ProjectError> {
    let finding = |kind: &FindingKind| {
        Ok(Finding {
            having: having(&kind.0, db, columns)?,
            accepted: columns.sets_with(std::slice::from_ref(&kind.0)),
        })
    };
    kinds.iter().map(finding).collect()
}

/// The same records that the findings count; see `findings.rs`.
fn having(kind: &str, db: &Connection, columns: &Columns) -> Result<Having, ProjectError> {
    let check = table::kind(kind).map_or("", |kind| kind.check);
    if table::grouping(check) != Grouping::Members {
        let flagged = repeats::flagged(db, check, &LiveRecords::of(columns))?;
        let ids = flagged.into_iter().map(|live| live.record as i64);
        return Ok(Having::Records(ids.collect()));
    }
    if kind == TOO_LONG && length::limit(db)?.is_some() {
        let long = length::over_long(db, &LiveRecords::of(columns))?;
        let ids = long.into_iter().map(|live| live.record as i64);
        return Ok(Having::Records(ids.collect()));
    }
    if kind == table::END_NEVER_TRAINED {
        // Of all or of none: it is the run that never sees the token.
        if template::is_end_trained(db, &LiveRecords::of(columns))? {
            return Ok(Having::Bodies(Places::none(columns)));
        }
        let sql = "SELECT body FROM token_count WHERE n_trained > 0";
        let mut statement = db.prepare_cached(sql)?;
        return Ok(Having::Bodies(Places::of(statement.query([])?, columns)?));
    }
    let sql = "SELECT DISTINCT body FROM finding WHERE kind = ?1 ORDER BY body";
    let mut statement = db.prepare_cached(sql)?;
    Ok(Having::Bodies(Places::of(
        statement.query([kind])?,
        columns,
    )?))
}

/// Bodies with a value in a column beside the text.
fn valued(column: &FieldColumn, value: Option<&String>, columns: &Columns) -> Places {
    let mut places = Places::none(columns);
    if let Some(number) = value.and_then(|value| column.number(value)) {
        let all = 0..columns.bodies.len() as u32;
        all.filter(|place| column.value(*place) == Some(number))
            .for_each(|place| places.add(place));
    }
    places
}

/// Bodies of one group of a check.
fn members(
    check: &CheckName,
    group: u64,
    db: &Connection,
    columns: &Columns,
) -> Result<Places, ProjectError> {
    let by = match table::grouping(&check.0) {
        Grouping::Whole => Print::Whole,
        Grouping::Prompt | Grouping::Sides => Print::Prompt,
        Grouping::Members => {
            let sql = "SELECT body FROM member WHERE \"check\" = ?1 AND grp = ?2";
            let mut statement = db.prepare_cached(sql)?;
            return Places::of(statement.query(params![check.0, group as i64])?, columns);
        }
    };
    // These are named by one of their texts.
    let named = i64::try_from(group).map_or(0, |body| columns.body_place(body));
    let mut places = Places::none(columns);
    for place in columns.same_texts().with(columns, by, named) {
        places.add(*place);
    }
    Ok(places)
}

/// A set of bodies, by their places in the columns.
pub(super) struct Places(Vec<bool>);

impl Places {
    pub(super) fn none(columns: &Columns) -> Self {
        Self(vec![false; columns.bodies.len()])
    }

    pub(super) fn of(
        mut rows: rusqlite::Rows<'_>,
        columns: &Columns,
    ) -> Result<Self, ProjectError> {
        let mut places = Self::none(columns);
        // Mostly they come in order, and the next is near.
        let mut place = 0;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let ahead = columns
                .bodies
                .get(place + 1..)
                .unwrap_or_default()
                .iter()
                .take(16);
            place = match ahead.into_iter().position(|body| body.id == id) {
                Some(ahead) => place + 1 + ahead,
                None => columns.body_place(id) as usize,
            };
            places.add(place as u32);
        }
        Ok(places)
    }

    pub(super) fn add(&mut self, place: u32) {
        // The first stands for what is not there.
        if place > 0
            && let Some(is_in) = self.0.get_mut(place as usize)
        {
            *is_in = true;
        }
    }

    pub(super) fn has(&self, place: u32) -> bool {
        self.0.get(place as usize).is_some_and(|is_in| *is_in)
    }
}
