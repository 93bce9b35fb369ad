//! What is done about findings: one action each, undoable, for one record, some or all.
//!
//! A fix is a name of [`super::checks::table`]. It either changes what becomes of records (trash,
//! keep one of a group, accept), or repairs their texts ([`Repair`]), which makes new bodies first, in
//! steps, and one action at the end.

use std::{
    collections::{BTreeMap, HashSet},
    rc::Rc,
};

use super::{
    Project, ProjectError, Step, Task, Work,
    bulk::TextChange,
    checks::{
        length::{self, TOO_LONG},
        live::{Live, LiveRecords},
        repeats,
        table::{self, ACCEPT, Grouping, KEEP_FIRST, KEEP_LONGEST, TO_TRAIN, TRASH},
        template,
    },
    journal::Field,
    leftovers::Working,
    names::{names_of, set_of, sets_with},
    sides::refuse_if_frozen,
    text_edit::TextEdit,
};
use crate::{
    data::Repair,
    protocol::studio::{ActionKind, Changed, FindingKind, FixName, FixTarget, RecordKey, Side},
};

/// `record.state` of the trash.
const IN_TRASH: i64 = 1;

impl Project {
    /// Settles findings of one kind, of all records that have it, or of these.
    pub fn fix(
        &self,
        finding: FindingKind,
        target: FixTarget,
        fix: FixName,
        now_ms: i64,
    ) -> Task<Changed> {
        Box::new(Fixing {
            finding: finding.0,
            target,
            fix: fix.0,
            now_ms,
            texts: None,
            working: Rc::clone(&self.working),
        })
    }
}

struct Fixing {
    finding: String,
    target: FixTarget,
    fix: String,
    now_ms: i64,
    texts: Option<TextChange>,
    #[expect(
        dead_code,
        reason = "held, so that nobody removes the texts made so far"
    )]
    working: Working,
}

impl Work for Fixing {
    type Output = Changed;

    fn step(&mut self, project: &mut Project) -> Result<Step<Changed>, ProjectError> {
        if let Some(mut texts) = self.texts.take() {
            if texts.is_made() {
                return texts.put_in_place(project, self.now_ms).map(Step::Done);
            }
            texts.make(project)?;
            return Ok(Step::More(self.texts.insert(texts).progress()));
        }
        self.refuse_of_other_kinds()?;
        let live = project.live()?;
        if let Some(repair) = Repair::from_name(&self.fix) {
            let records = self.targeted(project, &live)?;
            let records = records.iter().map(|live| live.record).collect();
            let of_model = table::kind(&self.finding).is_some_and(|k| k.check == table::TEMPLATE);
            let model = if of_model {
                project.model_text()?
            } else {
                None
            };
            let edit = TextEdit::Repair(repair, model);
            let texts = TextChange::new(records, edit, ActionKind::Fix, self.detail());
            return Ok(Step::More(self.texts.insert(texts).progress()));
        }
        match self.fix.as_str() {
            ACCEPT => {
                let accepted = self.accepted(project, &live)?;
                self.act(project, ActionKind::Accept, Field::Accepted, accepted)
            }
            TRASH => {
                let records = self.targeted(project, &live)?;
                self.trash(project, records)
            }
            TO_TRAIN => {
                refuse_if_frozen(project.store.raw())?;
                let records = self.targeted(project, &live)?;
                let train = records.iter().map(|live| (live.record, Side::Train as i64));
                self.act(project, ActionKind::Fix, Field::Side, train.collect())
            }
            KEEP_FIRST | KEEP_LONGEST => {
                let records = self.not_kept(project, &live)?;
                self.trash(project, records)
            }
            unknown => Err(ProjectError::CannotDo {
                reason: format!("there is no fix `{unknown}`"),
            }),
        }
    }
}

impl Fixing {
    /// Kind of finding and fix, as the history shows them.
    fn detail(&self) -> String {
        format!("{} {}", self.finding, self.fix)
    }

    /// # Errors
    /// If this kind of finding is not settled by a word, or by what stays of a group.
    fn refuse_of_other_kinds(&self) -> Result<(), ProjectError> {
        let fix = self.fix.as_str();
        match table::kind(&self.finding) {
            Some(kind)
                if [ACCEPT, KEEP_FIRST, KEEP_LONGEST].contains(&fix)
                    && !kind.fixes.contains(&fix) =>
            {
                Err(ProjectError::CannotDo {
                    reason: format!("`{}` cannot be settled with `{fix}`", self.finding),
                })
            }
            _ => Ok(()),
        }
    }

    /// The records that it goes to: those named, or all that have the finding and where nobody has
    /// accepted it.
    fn targeted(&self, project: &Project, live: &LiveRecords) -> Result<Vec<Live>, ProjectError> {
        let check = self.check(project)?;
        if let FixTarget::Records(records) = &self.target {
            return self.named(project, live, &check, records);
        }
        let settled = sets_with(project.store.raw(), &self.finding)?;
        let mut records = self.having(project, live, &check)?;
        records.retain(|live| !settled.contains(&live.accepted));
        Ok(records)
    }

    /// Records that have the finding, whether or not somebody has accepted it.
    fn having(
        &self,
        project: &Project,
        live: &LiveRecords,
        check: &str,
    ) -> Result<Vec<Live>, ProjectError> {
        let db = project.store.raw();
        if table::grouping(check) != Grouping::Members {
            return repeats::flagged(db, check, live);
        }
        if self.finding == TOO_LONG && length::limit(db)?.is_some() {
            return length::over_long(db, live);
        }
        let sql = "SELECT DISTINCT body FROM finding WHERE kind = ?1 ORDER BY body";
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query([&self.finding])?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            records.extend_from_slice(live.of_body(row.get(0)?).1);
        }
        Ok(records)
    }

    /// These records, if all of them have the finding, or belong to a group of its check.
    fn named(
        &self,
        project: &Project,
        live: &LiveRecords,
        check: &str,
        records: &[RecordKey],
    ) -> Result<Vec<Live>, ProjectError> {
        let wanted: HashSet<u64> = records.iter().map(|record| record.0).collect();
        let named = live
            .all()
            .iter()
            .filter(|live| wanted.contains(&live.record));
        let named: Vec<Live> = named.copied().collect();
        let there: HashSet<u64> = named.iter().map(|live| live.record).collect();
        if let Some(record) = wanted.difference(&there).min() {
            return Err(ProjectError::NoRecord { record: *record });
        }
        // What nobody has looked at yet may have it.
        if check == table::TEMPLATE && template::is_behind(project)? {
            return Ok(named);
        }
        let mut having = self.having(project, live, check)?;
        for group in repeats::groups(project.store.raw(), check, live)? {
            having.extend(group.records);
        }
        let having: HashSet<u64> = having.iter().map(|live| live.record).collect();
        match there.difference(&having).min() {
            Some(record) => Err(ProjectError::CannotDo {
                reason: format!("record {record} has no `{}` to settle", self.finding),
            }),
            None => Ok(named),
        }
    }

    /// Of the groups of the finding's check, the records that do not stay.
    fn not_kept(&self, project: &Project, live: &LiveRecords) -> Result<Vec<Live>, ProjectError> {
        let db = project.store.raw();
        let check = self.check(project)?;
        let groups = repeats::groups(db, &check, live)?;
        let by_length = self.fix == KEEP_LONGEST;
        let FixTarget::Records(records) = &self.target else {
            let flagged = self.having(project, live, &check)?;
            let settled = sets_with(db, &self.finding)?;
            let go = repeats::not_kept(&groups, &flagged, &settled, by_length);
            return Ok(go.copied().collect());
        };
        let named = self.named(project, live, &check, records)?;
        let named: HashSet<u64> = named.iter().map(|live| live.record).collect();
        let others = groups.iter().flat_map(|group| group.others(by_length));
        let go = others.filter(|live| named.contains(&live.record));
        Ok(go.copied().collect())
    }

    /// The check that the kind belongs to: by the table, or by its own rows.
    fn check(&self, project: &Project) -> Result<String, ProjectError> {
        use rusqlite::OptionalExtension as _;
        if let Some(kind) = table::kind(&self.finding) {
            return Ok(kind.check.to_owned());
        }
        let sql = "SELECT \"check\" FROM finding WHERE kind = ?1 LIMIT 1";
        let mut statement = project.store.raw().prepare_cached(sql)?;
        let check = statement.query_row([&self.finding], |row| row.get(0));
        Ok(check.optional()?.unwrap_or_default())
    }

    /// Records with the sets of kinds that are accepted from now on.
    fn accepted(
        &self,
        project: &Project,
        live: &LiveRecords,
    ) -> Result<Vec<(u64, i64)>, ProjectError> {
        let records = self.targeted(project, live)?;
        let mut with: BTreeMap<i64, i64> = BTreeMap::new();
        for live in &records {
            if let std::collections::btree_map::Entry::Vacant(e) = with.entry(live.accepted) {
                let mut names = names_of(project.store.raw(), live.accepted)?;
                names.push(self.finding.clone());
                e.insert(set_of(project.store.raw(), names)?);
            }
        }
        let set = |live: &Live| (live.record, with[&live.accepted]);
        Ok(records.iter().map(set).collect())
    }

    fn trash(
        &self,
        project: &mut Project,
        records: Vec<Live>,
    ) -> Result<Step<Changed>, ProjectError> {
        let values = records.into_iter().map(|live| (live.record, IN_TRASH));
        self.act(project, ActionKind::Fix, Field::State, values.collect())
    }

    fn act(
        &self,
        project: &mut Project,
        kind: ActionKind,
        field: Field,
        values: Vec<(u64, i64)>,
    ) -> Result<Step<Changed>, ProjectError> {
        let changed = project.act_at_once(kind, &self.detail(), self.now_ms, |changes| {
            changes.set_each(field, values)
        });
        changed.map(Step::Done)
    }
}

#[cfg(test)]
mod tests;
