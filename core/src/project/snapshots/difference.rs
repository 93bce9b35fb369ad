//! What differs between two states of a project, record by record.

use std::collections::HashSet;

use rusqlite::Row;
use serde_json::Value;

use super::says_other;
use crate::{
    project::{
        Project, ProjectError,
        columns::THERE,
        content::{content_of, read_body},
        edit::side_of,
        names::names_of,
    },
    protocol::studio::{
        Beside, Content, ContentBody, Difference, DifferenceKind, FindingKind, RecordDifference,
        RecordKey, SnapshotKey, Turn,
    },
};

/// Records of a difference that are shown.
const SHOWN: usize = 200;

impl Project {
    /// `None` is the project as it is now.
    ///
    /// # Errors
    /// If there is no such snapshot.
    pub fn compare(
        &self,
        before: Option<SnapshotKey>,
        after: Option<SnapshotKey>,
    ) -> Result<Difference, ProjectError> {
        for snapshot in [before, after].into_iter().flatten() {
            self.check_snapshot(snapshot)?;
        }
        let says_other = says_other("a.body", "b.body");
        let sql = format!(
            "SELECT coalesce(b.record, a.record) AS record, b.body, a.body,
                CASE WHEN b.record IS NULL THEN 1 WHEN a.record IS NULL THEN 2
                    WHEN {says_other} THEN 0 ELSE 3 END AS kind,
                b.side, a.side, b.tags, a.tags, b.reviewer, a.reviewer, a.position <> b.position,
                b.accepted, a.accepted
             FROM ({}) b FULL JOIN ({}) a ON a.record = b.record
             WHERE b.record IS NULL OR a.record IS NULL OR a.position <> b.position
                OR a.side IS NOT b.side OR a.tags <> b.tags OR a.reviewer <> b.reviewer
                OR a.accepted <> b.accepted OR {says_other}
             ORDER BY kind, coalesce(a.position, b.position), record",
            state_of(before),
            state_of(after)
        );
        let mut statement = self.store.settled()?.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut difference = Difference::default();
        while let Some(row) = rows.next()? {
            let kind = kind_of(row.get(3)?);
            *counter(&mut difference, kind) += 1;
            difference.n_accepted += u64::from(accepted(row)?.is_some());
            if difference.records.len() < SHOWN {
                difference.records.push(self.record_difference(row, kind)?);
            }
        }
        self.find_places(&mut difference.records)?;
        Ok(difference)
    }

    fn record_difference(
        &self,
        row: &Row<'_>,
        kind: DifferenceKind,
    ) -> Result<RecordDifference, ProjectError> {
        let content = |body: Option<i64>| match body {
            Some(body) => {
                read_body(self.store.settled()?, body).map(|(it, _)| Some(content_of(it)))
            }
            None => Ok(None),
        };
        let (before, after) = match (content(row.get(1)?)?, content(row.get(2)?)?) {
            (Some(before), Some(after)) => told_apart(&before, &after),
            (before, after) => (
                before.as_ref().map(plain).unwrap_or_default(),
                after.as_ref().map(plain).unwrap_or_default(),
            ),
        };
        let beside = match kind {
            DifferenceKind::Edited | DifferenceKind::Moved => self.beside(row)?,
            DifferenceKind::Added | DifferenceKind::Removed => Vec::new(),
        };
        Ok(RecordDifference {
            record: RecordKey(row.get(0)?),
            place: None,
            kind,
            before,
            after,
            beside,
        })
    }

    /// What differs beside the text, of a record that both states have.
    fn beside(&self, row: &Row<'_>) -> Result<Vec<Beside>, ProjectError> {
        let mut beside = Vec::new();
        let side =
            |column| Ok::<_, ProjectError>(row.get::<_, Option<i64>>(column)?.and_then(side_of));
        let sides = (side(4)?, side(5)?);
        if sides.0 != sides.1 {
            beside.push(Beside::Side(sides.0, sides.1));
        }
        let tags: (i64, i64) = (row.get(6)?, row.get(7)?);
        if tags.0 != tags.1 {
            let db = self.store.settled()?;
            beside.push(Beside::Tags(names_of(db, tags.0)?, names_of(db, tags.1)?));
        }
        let reviewers: (String, String) = (row.get(8)?, row.get(9)?);
        if reviewers.0 != reviewers.1 {
            beside.push(Beside::Reviewer(reviewers.0, reviewers.1));
        }
        if let Some((before, after)) = accepted(row)? {
            let db = self.store.settled()?;
            let kinds = |set| -> Result<Vec<FindingKind>, ProjectError> {
                Ok(names_of(db, set)?.into_iter().map(FindingKind).collect())
            };
            beside.push(Beside::Accepted(kinds(before)?, kinds(after)?));
        }
        if row.get(10)? {
            beside.push(Beside::Place);
        }
        Ok(beside)
    }

    /// Gives records the numbers by which they are known in the dataset of now.
    fn find_places(&self, records: &mut [RecordDifference]) -> Result<(), ProjectError> {
        let mut lists = self.lists.borrow_mut();
        let columns = lists.caught_up(&self.store)?;
        let there = columns.records.iter();
        let there = there.filter(|record| record.state == THERE);
        let mut there: Vec<(i64, i64)> = there.map(|it| (it.position, it.id)).collect();
        there.sort_unstable();
        for record in records {
            let id = i64::try_from(record.record.0).ok();
            let known = id.and_then(|id| columns.record(id));
            let place = known.and_then(|it| there.binary_search(&(it.position, it.id)).ok());
            record.place = place.map(|before| before as u64 + 1);
        }
        Ok(())
    }
}

/// The records outside the trash at a time. The number comes from a type, not from text.
fn state_of(snapshot: Option<SnapshotKey>) -> String {
    let columns = "position, body, side, tags, reviewer, accepted";
    match snapshot {
        None => format!("SELECT id AS record, {columns} FROM record WHERE state = 0"),
        Some(SnapshotKey(id)) => format!(
            "SELECT record, {columns} FROM snapshot_record WHERE snapshot = {id} AND state = 0"
        ),
    }
}

/// The sets of findings that were accepted, where both states have the record and the sets differ.
fn accepted(row: &Row<'_>) -> Result<Option<(i64, i64)>, ProjectError> {
    let sets: (Option<i64>, Option<i64>) = (row.get(11)?, row.get(12)?);
    Ok(match sets {
        (Some(before), Some(after)) if before != after => Some((before, after)),
        _ => None,
    })
}

fn kind_of(number: i64) -> DifferenceKind {
    match number {
        0 => DifferenceKind::Edited,
        1 => DifferenceKind::Added,
        2 => DifferenceKind::Removed,
        _ => DifferenceKind::Moved,
    }
}

fn counter(difference: &mut Difference, kind: DifferenceKind) -> &mut u64 {
    match kind {
        DifferenceKind::Added => &mut difference.n_added,
        DifferenceKind::Removed => &mut difference.n_removed,
        DifferenceKind::Edited => &mut difference.n_edited,
        DifferenceKind::Moved => &mut difference.n_moved,
    }
}

/// Two versions of a record as text, each followed by lines for what else differs.
fn told_apart(before: &Content, after: &Content) -> (String, String) {
    let (facts_before, facts_after) = (facts(before), facts(after));
    let with_own = |text: String, own: &[String], other: &[String]| {
        let other: HashSet<&String> = other.iter().collect();
        let own = own.iter().filter(|line| !other.contains(line)).cloned();
        std::iter::once(text)
            .chain(own)
            .collect::<Vec<_>>()
            .join("\n")
    };
    (
        with_own(plain(before), &facts_before, &facts_after),
        with_own(plain(after), &facts_after, &facts_before),
    )
}

/// The texts, one message after the other.
fn plain(content: &Content) -> String {
    match &content.body {
        ContentBody::Chat { turns, .. } => {
            let lines: Vec<String> = turns.iter().map(plain_turn).collect();
            lines.join("\n")
        }
        ContentBody::Text { prompt, completion } => {
            let texts = [prompt.as_str(), completion].into_iter();
            let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
            texts.join("\n")
        }
        ContentBody::Tokens { input_ids, .. } => joined(input_ids),
    }
}

fn plain_turn(turn: &Turn) -> String {
    let calls: Vec<String> = turn.tool_calls.iter().map(Value::to_string).collect();
    let said = turn.text.iter().chain(&calls);
    let said: Vec<&str> = said
        .map(String::as_str)
        .filter(|it| !it.is_empty())
        .collect();
    format!("{}: {}", turn.role.name(), said.join("\n"))
}

/// What a record holds beside its texts, a line for each, by the names that files have for it;
/// messages count from 1.
fn facts(content: &Content) -> Vec<String> {
    let mut facts = match &content.body {
        ContentBody::Chat { turns, tools } => {
            let turns = turns.iter().enumerate();
            let mut facts: Vec<String> = turns
                .flat_map(|(i, turn)| turn_facts(i + 1, turn))
                .collect();
            facts.extend(tools.iter().map(|tool| format!("tools: {tool}")));
            facts
        }
        ContentBody::Text { .. } => Vec::new(),
        ContentBody::Tokens { labels, .. } => vec![format!("labels: {}", joined(labels))],
    };
    let columns = content.extra.iter();
    facts.extend(columns.map(|(name, value)| format!("{name}: {}", shown(value))));
    facts
}

fn turn_facts(number: usize, turn: &Turn) -> Vec<String> {
    let weight = turn.weight.map(|weight| weight.to_string());
    let named = [
        ("weight", weight),
        ("name", turn.name.clone()),
        ("tool_call_id", turn.tool_call_id.clone()),
    ];
    let named = named
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let extra = turn.extra.iter();
    let extra = extra.map(|(name, value)| (name.clone(), shown(value)));
    let all = named.chain(extra);
    all.map(|(name, value)| format!("#{number} {name}: {value}"))
        .collect()
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn joined(numbers: &[impl ToString]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    numbers.join(" ")
}
