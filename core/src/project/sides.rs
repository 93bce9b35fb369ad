//! Train, validation and test of a project: drawn, applied, frozen.
//!
//! The draw is that of `veneer data split` ([`crate::data::draw`]). A frozen split keeps a hash of
//! what is on each side; as long as it is frozen, no record changes its side.

pub(super) mod values;

use std::collections::HashSet;

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use super::{
    Project, ProjectError,
    file::SPLIT_FROZEN,
    hash::hex,
    journal::{Field, fact},
    trust::not_whole,
};
use crate::{
    data::{Facts, Portion, Split, SplitOptions, draw},
    protocol::studio::{ActionKind, Phrase, Share, Side, SplitPlan, SplitView},
};
use values::Values;

/// Key of the fact that holds the plan that was applied last.
const SPLIT_PLAN: &str = "split plan";

/// Values of the stratifying column that a view lists.
const SHOWN_STRATA: usize = 200;

impl Project {
    /// The sides as they are.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn split(&self) -> Result<SplitView, ProjectError> {
        let members = Members::read(self.store.settled()?)?;
        let plan = fact(self.store.settled()?, SPLIT_PLAN)?;
        // A plan of another version is as good as none.
        let plan: Option<SplitPlan> = plan.and_then(|plan| serde_json::from_str(&plan).ok());
        let mut view = members.view(&members.sides);
        if let Some(plan) = &plan {
            let values = Values::read(self, plan, &members)?;
            view.strata = shown(values.strata(&members.sides));
            view.n_groups_apart = values.n_apart(&members.sides);
            // The plan's column may be gone by now; then there are no groups to speak of.
            if let Ok(facts) = self.facts(plan, &members, &values) {
                (view.n_groups, view.largest_group) = facts.group_sizes();
            }
        }
        view.plan = plan;
        self.show_frozen(&members, &mut view)?;
        Ok(view)
    }

    /// What a plan would make; nothing is changed.
    ///
    /// # Errors
    /// If the plan cannot be carried out.
    pub fn preview_split(&self, plan: &SplitPlan) -> Result<SplitView, ProjectError> {
        let members = Members::read(self.store.settled()?)?;
        let values = Values::read(self, plan, &members)?;
        let split = self.draw(plan, &members, &values)?;
        let sides = sides_of(&split, members.n());
        let mut view = members.view(&sides);
        view.plan = Some(plan.clone());
        view.n_groups = split.n_groups as u64;
        view.largest_group = split.largest_group as u64;
        view.n_groups_apart = values.n_apart(&sides);
        view.n_asked = Some(split.asked.map(|n| n as u64));
        view.strata = shown(split.strata);
        self.show_frozen(&members, &mut view)?;
        Ok(view)
    }

    fn show_frozen(&self, members: &Members, view: &mut SplitView) -> Result<(), ProjectError> {
        view.frozen = fact(self.store.settled()?, SPLIT_FROZEN)?;
        view.frozen_holds = match &view.frozen {
            Some(frozen) => *frozen == members.hash(),
            None => false,
        };
        Ok(())
    }

    /// Puts every record that is not in the trash on its side.
    ///
    /// # Errors
    /// If the split is frozen, or the plan cannot be carried out.
    pub fn apply_split(
        &mut self,
        plan: &SplitPlan,
        now_ms: i64,
    ) -> Result<SplitView, ProjectError> {
        refuse_if_frozen(self.store.settled()?)?;
        let members = Members::read(self.store.settled()?)?;
        let values = Values::read(self, plan, &members)?;
        let split = self.draw(plan, &members, &values)?;
        let sides = sides_of(&split, members.n());
        let records = members.records.iter().copied().zip(&members.sides);
        // Those that stay are no part of the action.
        let drawn = records
            .zip(sides)
            .filter(|((_, before), _)| !plan.only_new || before.is_none())
            .map(|((record, _), side)| (record, side));
        let json = serde_json::json!(plan).to_string();
        let done = self.act_quietly_at_once(ActionKind::Split, "", now_ms, |changes| {
            changes.set_each(Field::Side, drawn)?;
            changes.fact(SPLIT_PLAN, Some(&json))
        })?;
        let mut view = self.split_after(done.as_ref())?;
        view.n_asked = Some(split.asked.map(|n| n as u64));
        Ok(view)
    }

    /// Freezes the sides, or thaws them.
    ///
    /// # Errors
    /// If there are no sides to freeze, or they are frozen and the records changed since.
    pub fn freeze_split(&mut self, frozen: bool, now_ms: i64) -> Result<SplitView, ProjectError> {
        let members = Members::read(self.store.settled()?)?;
        if frozen && members.sides.iter().all(Option::is_none) {
            return Err(ProjectError::CannotDo {
                reason: Phrase::NoSideToFreeze.with([]),
            });
        }
        let hash = frozen.then(|| members.hash());
        let before = fact(self.store.settled()?, SPLIT_FROZEN)?;
        if frozen && before.is_some() && before != hash {
            return Err(ProjectError::CannotDo {
                reason: Phrase::FrozenIsOld.with([]),
            });
        }
        let detail = if frozen { "frozen" } else { "thawed" };
        self.act_quietly(ActionKind::Freeze, detail, now_ms, |changes| {
            changes.fact(SPLIT_FROZEN, hash.as_deref())
        })
        .and_then(|done| self.split_after(done.as_ref()))
    }

    fn split_after(
        &mut self,
        done: Option<&super::journal::Done>,
    ) -> Result<SplitView, ProjectError> {
        let changed = self.changed(done)?;
        let mut view = self.split()?;
        view.project = Some(changed.project);
        Ok(view)
    }

    fn draw(
        &self,
        plan: &SplitPlan,
        members: &Members,
        values: &Values,
    ) -> Result<Split, ProjectError> {
        let options = SplitOptions {
            val: portion(plan.validation),
            test: portion(plan.test),
            seed: plan.seed,
            ..SplitOptions::default()
        };
        let mut facts = self.facts(plan, members, values)?;
        if plan.only_new {
            let side = |side: &Option<i64>| side.and_then(|side| usize::try_from(side).ok());
            facts.stay(members.sides.iter().map(side).collect());
        }
        Ok(draw(facts, &options)?)
    }

    fn facts(
        &self,
        plan: &SplitPlan,
        members: &Members,
        values: &Values,
    ) -> Result<Facts, ProjectError> {
        let mut facts = Facts::new(members.n());
        if plan.keep_duplicates_together {
            facts.keep_together(members.prompts.iter().map(Some));
        }
        let columns = || self.columns_beside_text(members);
        if let Some(field) = &plan.group_by {
            facts.group_by(field, values.groups.iter().cloned(), &columns)?;
        }
        if let Some(field) = &plan.stratify_by {
            facts.stratify_by(field, values.strata.iter().cloned(), &columns)?;
        }
        Ok(facts)
    }

    /// Names of columns of the first records, for a message.
    fn columns_beside_text(&self, members: &Members) -> Vec<String> {
        /// Enough to see what there is.
        const LOOKED_AT: usize = 1000;
        let mut names: Vec<String> = Vec::new();
        for body in members.bodies.iter().take(LOOKED_AT) {
            let Ok((record, _)) = super::content::read_body(self.store.raw(), *body) else {
                continue;
            };
            for name in record.extra.keys() {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        names
    }
}

/// # Errors
/// If the sides are frozen: with what to do about it.
pub(super) fn refuse_if_frozen(db: &Connection) -> Result<(), ProjectError> {
    if fact(db, SPLIT_FROZEN)?.is_none() {
        return Ok(());
    }
    Err(ProjectError::SplitIsFrozen)
}

fn portion(share: Share) -> Portion {
    match share {
        Share::Fraction(0.0) | Share::Count(0) => Portion::None,
        Share::Fraction(share) => Portion::Share(share),
        // More than fits is more than there are records.
        Share::Count(n) => Portion::Count(usize::try_from(n).unwrap_or(usize::MAX)),
    }
}

/// The side of each record of a split, as it is stored.
fn sides_of(split: &Split, n: usize) -> Vec<Option<i64>> {
    let mut sides = vec![None; n];
    for (side, members) in [&split.train, &split.val, &split.test]
        .into_iter()
        .enumerate()
    {
        for &i in members {
            sides[i] = Some(side as i64);
        }
    }
    sides
}

/// The largest strata, in their own order.
fn shown(mut strata: Vec<(String, [u64; 3])>) -> Vec<(String, [u64; 3])> {
    if strata.len() > SHOWN_STRATA {
        strata.sort_by_key(|(_, sides)| std::cmp::Reverse(sides.iter().sum::<u64>()));
        strata.truncate(SHOWN_STRATA);
        strata.sort();
    }
    strata
}

/// Whether the sides are frozen, and still what was frozen.
pub(super) fn frozen_holds(db: &Connection) -> Result<bool, ProjectError> {
    match fact(db, SPLIT_FROZEN)? {
        Some(frozen) => Ok(frozen == Members::read(db)?.hash()),
        None => Ok(false),
    }
}

/// The hash is taken again after fingerprints are made in another way; the sides are the same.
pub(super) fn hash_again(db: &Connection) -> Result<(), ProjectError> {
    db.prepare_cached("UPDATE fact SET value = ?2 WHERE key = ?1")?
        .execute([SPLIT_FROZEN, &Members::read(db)?.hash()])?;
    Ok(())
}

type Print = [u8; 16];

/// Records outside the trash, in their order, one value of each in every list.
struct Members {
    records: Vec<u64>,
    bodies: Vec<i64>,
    sides: Vec<Option<i64>>,
    prompts: Vec<Print>,
    wholes: Vec<Print>,
}

impl Members {
    fn read(db: &Connection) -> Result<Self, ProjectError> {
        let mut statement = db.prepare_cached(
            "SELECT record.id, body.id, side, prompt_print, whole_print,
                state IS 0 AND body.id IS NOT NULL
             FROM record LEFT JOIN body ON body.id = record.body
             WHERE state IS NOT 1 AND state IS NOT 2 ORDER BY position, record.id",
        )?;
        let mut rows = statement.query([])?;
        let mut members = Self {
            records: Vec::new(),
            bodies: Vec::new(),
            sides: Vec::new(),
            prompts: Vec::new(),
            wholes: Vec::new(),
        };
        while let Some(row) = rows.next()? {
            if !row.get::<_, bool>(5)? {
                return Err(not_whole(row.get(0)?));
            }
            members.records.push(row.get(0)?);
            members.bodies.push(row.get(1)?);
            members.sides.push(row.get(2)?);
            members.prompts.push(row.get(3)?);
            members.wholes.push(row.get(4)?);
        }
        Ok(members)
    }

    fn n(&self) -> usize {
        self.records.len()
    }

    /// Counts of sides, and what leaks between them.
    fn view(&self, sides: &[Option<i64>]) -> SplitView {
        let on = |side: Option<Side>| {
            let number = side.map(|side| side as i64);
            sides.iter().filter(|other| **other == number).count() as u64
        };
        let train = Some(Side::Train as i64);
        let asked = sides.iter().zip(&self.prompts);
        let trained: HashSet<&Print> = asked
            .clone()
            .filter(|(side, _)| **side == train)
            .map(|(_, prompt)| prompt)
            .collect();
        let leaks = |(side, prompt): &(&Option<i64>, &Print)| {
            side.is_some() && **side != train && trained.contains(prompt)
        };
        SplitView {
            n_train: on(Some(Side::Train)),
            n_validation: on(Some(Side::Validation)),
            n_test: on(Some(Side::Test)),
            n_without: on(None),
            n_leaking: asked.filter(leaks).count() as u64,
            ..SplitView::default()
        }
    }

    /// SHA-256 over the fingerprints of each side, in an order that does not depend on that of the
    /// records.
    fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for side in Side::ALL {
            let on_side = self.sides.iter().zip(&self.wholes);
            let mut prints: Vec<&Print> = on_side
                .filter(|(other, _)| **other == Some(side as i64))
                .map(|(_, print)| print)
                .collect();
            prints.sort_unstable();
            hash.update((prints.len() as u64).to_be_bytes());
            for print in prints {
                hash.update(print);
            }
        }
        hex(&hash.finalize())
    }
}

#[cfg(test)]
mod tests;
