//! What the checks found: over all records, and at one.

use std::collections::HashSet;

use super::{
    Project, ProjectError,
    checks::{
        length::{self, TOO_LONG},
        live::{Live, LiveRecords},
        repeats::{self, Group},
        same_texts::Print,
        table::{self, CONFLICTS, DUPLICATES, KEEP_FIRST, KEEP_LONGEST, Kind, LEAK, LEAKS},
        template,
    },
    columns::{NO_SIDE, THERE},
    edit::RecordRow,
    filter::side_number,
    names::{names_of, sets_with},
    rows::Narrow,
};
use crate::protocol::studio::{
    CheckName, FindingKind, FindingSummary, FindingView, FindingsView, FixName, Phrase, Said, Side,
};

/// Checks that need no rows, and their kinds of findings.
const BY_PRINT: [(&str, &str); 3] = [
    (DUPLICATES, "duplicate"),
    (CONFLICTS, "conflicting_answers"),
    (LEAKS, LEAK),
];

impl Project {
    /// Everything that the checks found so far in records outside the trash.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn findings(&self) -> Result<FindingsView, ProjectError> {
        let live = self.live()?;
        let mut counts = Counts::new(self, &live);
        counts.of_texts()?;
        for (check, kind) in BY_PRINT {
            counts.of_groups(check, kind)?;
        }
        counts.of_lengths()?;
        counts.of_run()?;
        let with_errors = counts.with_errors.iter().filter(|has| **has).count();
        let mut kinds = counts.kinds;
        kinds.sort_by_key(|kind| {
            let (n, name) = (kind.n_records, kind.kind.clone());
            (!kind.is_error, std::cmp::Reverse(n), name)
        });
        Ok(FindingsView {
            kinds,
            outdated: self.outdated()?,
            n_records_with_errors: with_errors as u64,
        })
    }

    /// Records that cannot be trained on as they are, outside the trash.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub(super) fn records_with_errors(&self) -> Result<HashSet<u64>, ProjectError> {
        let live = self.live()?;
        let mut counts = Counts::new(self, &live);
        counts.of_texts()?;
        counts.of_run()?;
        let marked = live.all().iter().zip(&counts.with_errors);
        let with_errors = marked.filter(|(_, has)| **has);
        Ok(with_errors.map(|(live, _)| live.record).collect())
    }

    /// What was found at one record, errors first.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub(super) fn findings_at(
        &self,
        record: u64,
        row: &RecordRow,
    ) -> Result<Vec<FindingView>, ProjectError> {
        let accepted = names_of(self.store.raw(), row.accepted)?;
        let mut statement = self.store.raw().prepare_cached(
            "SELECT kind, is_error, field, found, expected, advice FROM finding
             WHERE body = ?1 ORDER BY is_error DESC, rowid",
        )?;
        let mut rows = statement.query([row.body])?;
        let mut findings = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let is_error: bool = row.get(1)?;
            let advice: String = row.get(5)?;
            findings.push(view(&name, &accepted, |view| {
                view.is_error = is_error;
                view.advice = advice;
            }));
            let Some(view) = findings.last_mut() else {
                continue;
            };
            let (found, expected): (String, String) = (row.get(3)?, row.get(4)?);
            view.field = row.get(2)?;
            (view.found, view.expected) = (Said::read(&found), Said::read(&expected));
        }
        findings.extend(self.length_at(row, &accepted)?);
        findings.extend(self.repeat_at(record, row, &accepted)?);
        findings.extend(self.leak_at(row, &accepted)?);
        findings.extend(self.end_at(row, &accepted)?);
        findings.sort_by_key(|found| !found.is_error);
        Ok(findings)
    }

    /// The record does not teach the token that ends generation, as no other does.
    fn end_at(
        &self,
        row: &RecordRow,
        accepted: &[String],
    ) -> Result<Option<FindingView>, ProjectError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM token_count
            WHERE body = ?1 AND n_trained > 0 AND ends = 0)";
        let mut statement = self.store.raw().prepare_cached(sql)?;
        let is_without: bool = statement.query_row([row.body], |row| row.get(0))?;
        let is_here = row.state == i64::from(THERE);
        if !is_without || !is_here || template::is_end_trained(self.store.raw(), &self.live()?)? {
            return Ok(None);
        }
        Ok(Some(view(table::END_NEVER_TRAINED, accepted, |view| {
            view.is_error = true;
        })))
    }

    /// The record is over-long, in characters.
    fn length_at(
        &self,
        row: &RecordRow,
        accepted: &[String],
    ) -> Result<Option<FindingView>, ProjectError> {
        let db = self.store.raw();
        let Some(limit) = length::limit(db)? else {
            return Ok(None);
        };
        let mut statement = db.prepare_cached("SELECT n_chars FROM body WHERE id = ?1")?;
        let n: i64 = statement.query_row([row.body], |row| row.get(0))?;
        Ok((n > limit).then(|| {
            view(TOO_LONG, accepted, |view| {
                view.found = Said::new(Phrase::Characters, [n.to_string()]);
                view.expected = Said::new(Phrase::AtMost, [limit.to_string()]);
            })
        }))
    }

    /// The record is not the first that says or asks this.
    fn repeat_at(
        &self,
        record: u64,
        row: &RecordRow,
        accepted: &[String],
    ) -> Result<Option<FindingView>, ProjectError> {
        const TEXT: [Phrase; 2] = [Phrase::TextOfOneBefore, Phrase::TextOfBefore];
        const QUESTION: [Phrase; 2] = [Phrase::QuestionOfOneBefore, Phrase::QuestionOfBefore];
        if row.state != i64::from(THERE) {
            return Ok(None);
        }
        for ((_, kind), print, [one, many]) in [
            (BY_PRINT[0], Print::Whole, TEXT),
            (BY_PRINT[1], Print::Prompt, QUESTION),
        ] {
            let is_before = |other: &Other| (other.position, other.id) < (row.position, record);
            let others = self.others(row, print)?;
            let n = others.iter().filter(|other| is_before(other)).count();
            if n > 0 {
                return Ok(Some(view(kind, accepted, |view| {
                    let phrase = if n == 1 { one } else { many };
                    view.found = Said::new(phrase, [n.to_string()]);
                })));
            }
        }
        Ok(None)
    }

    /// The record is held out, and one that is trained on asks the same.
    fn leak_at(
        &self,
        row: &RecordRow,
        accepted: &[String],
    ) -> Result<Option<FindingView>, ProjectError> {
        let held_out = [Side::Validation, Side::Test].map(|side| Some(side as i64));
        if row.state != i64::from(THERE) || !held_out.contains(&row.side) {
            return Ok(None);
        }
        let others = self.others(row, Print::Prompt)?;
        let train = side_number(Some(Side::Train));
        let n = others.iter().filter(|other| other.side == train).count();
        Ok((n > 0).then(|| {
            view(LEAK, accepted, |view| {
                view.found = Said::new(Phrase::AskedInTraining, [n.to_string()]);
            })
        }))
    }

    /// Records outside the trash with the fingerprint of this one, which is among them.
    fn others(&self, row: &RecordRow, print: Print) -> Result<Vec<Other>, ProjectError> {
        let mut lists = self.lists.borrow_mut();
        let columns = lists.caught_up(&self.store)?;
        let (same, own) = (columns.same_texts(), columns.body_place(row.body));
        let sql = "SELECT id, state, position, side FROM record WHERE body = ?1";
        let mut records = self.store.raw().prepare_cached(sql)?;
        let mut others = Vec::new();
        for place in same.with(columns, print, own) {
            let mut rows = records.query([columns.body_at(*place).id])?;
            while let Some(row) = rows.next()? {
                let id: u64 = row.get(0)?;
                let (state, position, side) = match Narrow::late(&self.store, columns, id) {
                    Some(late) => (late.state, late.position, late.side.unwrap_or(NO_SIDE)),
                    None => {
                        let side: Option<u8> = row.get(3)?;
                        (row.get(1)?, row.get(2)?, side.unwrap_or(NO_SIDE))
                    }
                };
                if state == THERE {
                    others.push(Other { id, position, side });
                }
            }
        }
        Ok(others)
    }

    /// Checks that have not seen every record as it is now.
    pub(super) fn outdated(&self) -> Result<Vec<CheckName>, ProjectError> {
        let is_behind = template::is_behind(self)?;
        let behind = is_behind.then(|| CheckName(table::TEMPLATE.into()));
        Ok(behind.into_iter().collect())
    }
}

/// A record with the fingerprint of another.
struct Other {
    id: u64,
    position: i64,
    side: u8,
}

/// What is shown of a kind, whether or not this version knows it. The advice of a row is for the
/// command line too; where the table has its own, that one is better.
fn view(name: &str, accepted: &[String], of_row: impl FnOnce(&mut FindingView)) -> FindingView {
    let kind = table::kind(name);
    let mut view = FindingView {
        kind: FindingKind(name.to_owned()),
        is_error: kind.is_some_and(|kind| kind.is_error),
        title: title(name, kind),
        field: String::new(),
        found: Said::Text(String::new()),
        expected: Said::Text(String::new()),
        advice: String::new(),
        accepted: accepted.iter().any(|other| other == name),
        fixes: fixes(kind),
    };
    of_row(&mut view);
    if let Some(kind) = kind {
        view.advice = kind.advice.to_owned();
    }
    view
}

fn title(name: &str, kind: Option<Kind>) -> String {
    kind.map_or_else(|| name.replace('_', " "), |kind| kind.title.to_owned())
}

fn fixes(kind: Option<Kind>) -> Vec<FixName> {
    let fixes = kind.map_or(table::FIXES_OF_UNKNOWN, |kind| kind.fixes);
    fixes.iter().map(|fix| FixName((*fix).to_owned())).collect()
}

/// Counts records by kind of finding.
struct Counts<'a> {
    project: &'a Project,
    live: &'a LiveRecords,
    /// Beside the records.
    with_errors: Vec<bool>,
    kinds: Vec<FindingSummary>,
}

impl<'a> Counts<'a> {
    fn new(project: &'a Project, live: &'a LiveRecords) -> Self {
        Self {
            project,
            live,
            with_errors: vec![false; live.all().len()],
            kinds: Vec::new(),
        }
    }

    /// Findings of single texts, joined to the records that have them.
    fn of_texts(&mut self) -> Result<(), ProjectError> {
        let db = self.project.store.raw();
        // The index alone answers this.
        let mut statement = db.prepare_cached("SELECT DISTINCT kind FROM finding")?;
        let kinds = statement.query_map([], |row| row.get(0))?;
        let kinds: Vec<String> = kinds.collect::<Result<_, _>>()?;
        for kind in kinds {
            let (check, is_error): (String, bool) = db
                .prepare_cached("SELECT \"check\", is_error FROM finding WHERE kind = ?1 LIMIT 1")?
                .query_row([&kind], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let settled = sets_with(db, &kind)?;
            let mut statement = db.prepare_cached(
                "SELECT DISTINCT body FROM finding WHERE kind = ?1 ORDER BY body",
            )?;
            let mut rows = statement.query([&kind])?;
            let (mut n_records, mut n_accepted) = (0, 0);
            let (keeps_some, mut flagged) = (keeps_some(&kind), Vec::new());
            while let Some(row) = rows.next()? {
                let body: i64 = row.get(0)?;
                if keeps_some {
                    flagged.extend_from_slice(self.live.of_body(body).1);
                }
                let (n_open, n_settled) = self.mark(body, is_error, &settled);
                (n_records, n_accepted) = (n_records + n_open, n_accepted + n_settled);
            }
            let not_kept = keeps_some
                .then(|| repeats::groups(db, &check, self.live))
                .transpose()?
                .map(|groups| NotKept::of(&groups, &flagged, &settled));
            self.push(&kind, &check, is_error, (n_records, n_accepted), not_kept);
        }
        Ok(())
    }

    fn of_groups(&mut self, check: &str, kind: &str) -> Result<(), ProjectError> {
        let db = self.project.store.raw();
        let (groups, flagged) = repeats::found(db, check, self.live)?;
        let settled = sets_with(db, kind)?;
        let not_kept = NotKept::of(&groups, &flagged, &settled);
        let is_error = table::kind(kind).is_some_and(|kind| kind.is_error);
        self.push(
            kind,
            check,
            is_error,
            counted(&flagged, &settled),
            Some(not_kept),
        );
        Ok(())
    }

    fn of_lengths(&mut self) -> Result<(), ProjectError> {
        let db = self.project.store.raw();
        let long = length::over_long(db, self.live)?;
        let n = counted(&long, &sets_with(db, TOO_LONG)?);
        self.push(TOO_LONG, table::TEMPLATE, false, n, None);
        Ok(())
    }

    /// The end token that no record teaches, which is found at all that are trained on.
    fn of_run(&mut self) -> Result<(), ProjectError> {
        let db = self.project.store.raw();
        let kind = table::END_NEVER_TRAINED;
        let settled = sets_with(db, kind)?;
        let mut n = (0, 0);
        for body in template::without_end(db, self.live)? {
            let (n_open, n_accepted) = self.mark(body, true, &settled);
            n = (n.0 + n_open, n.1 + n_accepted);
        }
        self.push(kind, table::TEMPLATE, true, n, None);
        Ok(())
    }

    /// Records of a text that has a finding: those where nobody has accepted it, and the others.
    fn mark(&mut self, body: i64, is_error: bool, settled: &[i64]) -> (u64, u64) {
        let (start, records) = self.live.of_body(body);
        let (mut n_records, mut n_accepted) = (0, 0);
        for (with_error, live) in self.with_errors.iter_mut().skip(start).zip(records) {
            if settled.contains(&live.accepted) {
                n_accepted += 1;
            } else {
                n_records += 1;
                *with_error |= is_error;
            }
        }
        (n_records, n_accepted)
    }

    fn push(
        &mut self,
        name: &str,
        check: &str,
        is_error: bool,
        (n, n_accepted): (u64, u64),
        not_kept: Option<NotKept>,
    ) {
        if n + n_accepted == 0 {
            return;
        }
        let kind = table::kind(name);
        let not_kept = not_kept.unwrap_or_default();
        let fixes = fixes(kind);
        let n_by_fix = fixes.iter().map(|fix| match fix.0.as_str() {
            KEEP_FIRST => not_kept.first,
            KEEP_LONGEST => not_kept.longest,
            _ => n,
        });
        self.kinds.push(FindingSummary {
            kind: FindingKind(name.to_owned()),
            check: CheckName(check.to_owned()),
            is_error,
            title: title(name, kind),
            advice: kind.map_or_else(String::new, |kind| kind.advice.to_owned()),
            n_records: n,
            n_accepted,
            has_groups: self.has_groups(check),
            n_by_fix: n_by_fix.collect(),
            fixes,
        });
    }

    fn has_groups(&self, check: &str) -> bool {
        if table::grouping(check) != table::Grouping::Members {
            return true;
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM member WHERE \"check\" = ?1)";
        let statement = self.project.store.raw().prepare_cached(sql);
        // Without an answer there is a list, and no groups.
        statement
            .and_then(|mut statement| statement.query_row([check], |row| row.get(0)))
            .unwrap_or(false)
    }
}

/// Records that go where one of each group stays.
#[derive(Default)]
struct NotKept {
    first: u64,
    longest: u64,
}

impl NotKept {
    fn of(groups: &[Group], flagged: &[Live], settled: &[i64]) -> Self {
        let n = |by_length| repeats::not_kept(groups, flagged, settled, by_length).count() as u64;
        Self {
            first: n(false),
            longest: n(true),
        }
    }
}

fn keeps_some(kind: &str) -> bool {
    let fixes = table::kind(kind).map_or(&[][..], |kind| kind.fixes);
    fixes
        .iter()
        .any(|fix| [KEEP_FIRST, KEEP_LONGEST].contains(fix))
}

/// Records with a finding: those where nobody has accepted it, and the others.
fn counted(found: &[Live], settled: &[i64]) -> (u64, u64) {
    let accepted = found.iter().filter(|live| settled.contains(&live.accepted));
    let n_accepted = accepted.count() as u64;
    (found.len() as u64 - n_accepted, n_accepted)
}
