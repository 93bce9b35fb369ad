//! The draw itself: which groups of records go to which side.
//!
//! 1. Records that share an entry of any labelling are one group, which is never divided.
//! 2. Each stratum gets its part of a side by the largest remainder: the parts differ from the exact
//!    share by less than one record, and their sum is the size asked for.
//! 3. Groups come in an order that the seed decides. A group is taken where every stratum in it still
//!    has room; what is then missing is filled with groups of the strata that are short.
//!
//! A side can stay smaller than asked where the groups do not fit, and is never larger.
//!
//! Records may be on a side before the draw ([`Facts::stay`]). They stay there, new records of their
//! groups join them, and the rest is drawn with the sizes of all that is new.

use std::collections::{BTreeMap, HashMap};

use super::{Labels, Portion, Split, SplitOptions};
use crate::{data::DatasetError, protocol::studio::Phrase, rng::Rng};

/// What a draw needs to know of records, in their order.
pub(crate) struct Facts {
    n: usize,
    /// Each record's parent in the forest of groups; a root is the first record of its group.
    parents: Vec<u32>,
    n_ungrouped: usize,
    /// The stratum of each record; empty where there is one alone.
    strata: Vec<u32>,
    names: Vec<String>,
    /// The side that each record stays on; empty where all are drawn.
    on_side: Vec<Option<usize>>,
}

impl Facts {
    pub(crate) fn new(n: usize) -> Self {
        Self {
            n,
            parents: (0..n as u32).collect(),
            n_ungrouped: 0,
            strata: Vec::new(),
            names: Vec::new(),
            on_side: Vec::new(),
        }
    }

    /// Records that have a side (0 train, 1 validation, 2 test) stay on it.
    #[cfg(feature = "studio")]
    pub(crate) fn stay(&mut self, sides: Vec<Option<usize>>) {
        let is_any = sides.iter().any(Option::is_some);
        self.on_side = if is_any { sides } else { Vec::new() };
    }

    /// Records with equal keys stay on one side; `None` binds to nothing.
    pub(crate) fn keep_together<K: std::hash::Hash + Eq>(
        &mut self,
        keys: impl Iterator<Item = Option<K>>,
    ) {
        let mut first_of = HashMap::with_capacity(self.n);
        for (i, key) in (0..self.n as u32).zip(keys) {
            if let Some(key) = key {
                let first = *first_of.entry(key).or_insert(i);
                self.join(i, first);
            }
        }
    }

    /// # Errors
    /// If no record has a value; `columns` says what there is instead.
    pub(crate) fn group_by(
        &mut self,
        field: &str,
        values: impl Iterator<Item = Option<String>>,
        columns: &dyn Fn() -> Vec<String>,
    ) -> Result<(), DatasetError> {
        let mut labels = Labels::default();
        let numbers: Vec<Option<u32>> = values
            .map(|value| value.map(|value| labels.number(value)))
            .collect();
        self.n_ungrouped = numbers.iter().filter(|number| number.is_none()).count();
        if self.n_ungrouped == self.n {
            let phrases = [Phrase::NothingToGroupBy, Phrase::NoColumnToGroupBy];
            return Err(missing(field, phrases, &columns()));
        }
        self.keep_together(numbers.into_iter());
        Ok(())
    }

    /// Records without a value are a stratum of their own.
    ///
    /// # Errors
    /// If no record has a value; `columns` says what there is instead.
    pub(crate) fn stratify_by(
        &mut self,
        field: &str,
        values: impl Iterator<Item = Option<String>>,
        columns: &dyn Fn() -> Vec<String>,
    ) -> Result<(), DatasetError> {
        let values: Vec<Option<String>> = values.collect();
        if values.iter().all(Option::is_none) {
            let phrases = [Phrase::NothingToStratifyBy, Phrase::NoColumnToStratifyBy];
            return Err(missing(field, phrases, &columns()));
        }
        // By name, so that the order of the records does not number them.
        let mut names: BTreeMap<&str, u32> = BTreeMap::new();
        for value in &values {
            names.insert(value.as_deref().unwrap_or_default(), 0);
        }
        for (number, at) in names.values_mut().zip(0..) {
            *number = at;
        }
        self.strata = values
            .iter()
            .map(|value| names[value.as_deref().unwrap_or_default()])
            .collect();
        self.names = names.into_keys().map(str::to_owned).collect();
        Ok(())
    }

    /// Number of groups, and records of the largest.
    #[cfg(feature = "studio")]
    pub(crate) fn group_sizes(mut self) -> (u64, u64) {
        let groups = self.groups();
        let largest = groups.iter().map(|group| group.members.len()).max();
        (groups.len() as u64, largest.unwrap_or(0) as u64)
    }

    fn side(&self, record: u32) -> Option<usize> {
        let side = self.on_side.get(record as usize).copied().flatten();
        side.filter(|side| *side < 3)
    }

    /// Records that are on a side before the draw.
    fn n_staying(&self, side: usize) -> usize {
        let sides = self.on_side.iter();
        sides.filter(|other| **other == Some(side)).count()
    }

    fn stratum(&self, record: u32) -> usize {
        self.strata.get(record as usize).copied().unwrap_or(0) as usize
    }

    /// Takes out the groups of which a record is on a side; what is new of them joins it, on the first
    /// one where there are several. Returns the records of each side.
    fn bind(&self, groups: &mut Vec<Group>) -> [Vec<u32>; 3] {
        let mut bound = [const { Vec::new() }; 3];
        groups.retain(|group| {
            let sides = group.members.iter().filter_map(|&i| self.side(i));
            let Some(first) = sides.min() else {
                return true;
            };
            for &i in &group.members {
                bound[self.side(i).unwrap_or(first)].push(i);
            }
            false
        });
        bound
    }

    fn root(&mut self, mut i: u32) -> u32 {
        while self.parents[i as usize] != i {
            let above = self.parents[self.parents[i as usize] as usize];
            self.parents[i as usize] = above;
            i = above;
        }
        i
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }

    /// In the order of their first records.
    fn groups(&mut self) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let mut place = vec![u32::MAX; self.n];
        for i in 0..self.n as u32 {
            let root = self.root(i) as usize;
            if place[root] == u32::MAX {
                place[root] = groups.len() as u32;
                groups.push(Group::default());
            }
            let stratum = self.stratum(i) as u32;
            groups[place[root] as usize].add(i, stratum);
        }
        groups
    }
}

/// `phrases`: where there are columns, and where there are none.
fn missing(field: &str, phrases: [Phrase; 2], columns: &[String]) -> DatasetError {
    let [among, alone] = phrases;
    let reason = match columns {
        [] => alone.with([&field]),
        names => among.with([&field, &crate::data::columns::list(names)]),
    };
    DatasetError::Split { reason }
}

/// Records that are drawn as one.
#[derive(Default)]
struct Group {
    members: Vec<u32>,
    /// How many of them are of which stratum; few, so that a list is enough.
    strata: Vec<(u32, u32)>,
}

impl Group {
    fn add(&mut self, record: u32, stratum: u32) {
        self.members.push(record);
        match self.strata.iter_mut().find(|(known, _)| *known == stratum) {
            Some((_, n)) => *n += 1,
            None => self.strata.push((stratum, 1)),
        }
    }
}

/// Draw sides as `options` ask for; its fields `group`, `stratify` and `duplicates_apart` are in
/// the facts already.
///
/// # Errors
/// If the portions leave nothing to train on, or the groups are too large for a side.
pub(crate) fn draw(mut facts: Facts, options: &SplitOptions) -> Result<Split, DatasetError> {
    let wanted = wanted(&facts, options)?;
    let mut groups = facts.groups();
    let n_groups = groups.len();
    let largest_group = groups.iter().map(|group| group.members.len()).max();
    let largest_group = largest_group.unwrap_or(0);
    let mut sides = facts.bind(&mut groups);
    let mut plan = Plan::new(&facts, &groups, &sides);
    let mut rng = Rng::new(options.seed, 0);
    rng.shuffle(&mut groups);
    let mut ties: Vec<usize> = (0..plan.sizes.len()).collect();
    rng.shuffle(&mut ties);
    let n_before = [1, 2].map(|side: usize| facts.n_staying(side));
    let phrases = [Phrase::NoGroupForValidation, Phrase::NoGroupForTest];
    for (side, (wanted, too_large)) in (1..).zip(wanted.into_iter().zip(phrases)) {
        let parts = plan.parts(side, wanted, &ties);
        let taken = take(&mut groups, &parts);
        if taken.is_empty() && wanted > 0 && facts.on_side.is_empty() {
            return refuse(match n_groups {
                1 => Phrase::AllTogether.with([&largest_group]),
                _ => too_large.with([&wanted, &n_groups, &largest_group]),
            });
        }
        for &(stratum, n) in taken.iter().flat_map(|group| &group.strata) {
            plan.room[stratum as usize] -= n as usize;
        }
        sides[side].extend(taken.iter().flat_map(|group| &group.members));
    }
    sides[0].extend(groups.iter().flat_map(|group| &group.members));
    let mut strata = vec![[0; 3]; facts.names.len()];
    for (side, records) in sides.iter().enumerate() {
        for &i in records {
            if let Some(stratum) = strata.get_mut(facts.stratum(i)) {
                stratum[side] += 1;
            }
        }
    }
    let [train, val, test] = sides.map(in_order);
    Ok(Split {
        train,
        val,
        test,
        asked: [n_before[0] + wanted[0], n_before[1] + wanted[1]],
        n_groups,
        largest_group,
        n_ungrouped: facts.n_ungrouped,
        strata: facts.names.into_iter().zip(strata).collect(),
    })
}

/// Sizes of validation and test among the records that are drawn.
fn wanted(facts: &Facts, options: &SplitOptions) -> Result<[usize; 2], DatasetError> {
    let is_all = facts.on_side.is_empty();
    let n = (0..facts.n as u32)
        .filter(|&i| facts.side(i).is_none())
        .count();
    if n == 0 && !is_all {
        return refuse(Phrase::AllOnSides.english().into());
    }
    let n_val = size("validation", options.val, n, is_all)?;
    let n_test = size("test", options.test, n, is_all)?;
    let n_aside = n_val.saturating_add(n_test);
    if is_all && n_aside == 0 {
        return refuse(Phrase::NothingToSetAside.english().into());
    }
    if is_all && n_aside >= n {
        return refuse(Phrase::NoneLeftToTrain.with([&n_val, &n_test, &n]));
    }
    if n_aside > n {
        return refuse(Phrase::MoreThanOnNoSide.with([&n_val, &n_test, &n]));
    }
    Ok([n_val, n_test])
}

/// Records of each stratum, among those that are drawn.
struct Plan {
    sizes: Vec<usize>,
    /// In groups that are on no side yet.
    room: Vec<usize>,
    /// On each side because their group is there.
    joined: Vec<[usize; 3]>,
}

impl Plan {
    fn new(facts: &Facts, groups: &[Group], bound: &[Vec<u32>; 3]) -> Self {
        let n_strata = facts.names.len().max(1);
        let mut room = vec![0; n_strata];
        for &(stratum, n) in groups.iter().flat_map(|group| &group.strata) {
            room[stratum as usize] += n as usize;
        }
        let (mut sizes, mut joined) = (room.clone(), vec![[0; 3]; n_strata]);
        for (side, records) in bound.iter().enumerate() {
            for &i in records.iter().filter(|&&i| facts.side(i).is_none()) {
                sizes[facts.stratum(i)] += 1;
                joined[facts.stratum(i)][side] += 1;
            }
        }
        Self {
            sizes,
            room,
            joined,
        }
    }

    /// What each stratum still gives to a side.
    fn parts(&self, side: usize, wanted: usize, ties: &[usize]) -> Vec<usize> {
        let joined = || self.joined.iter().map(|sides| sides[side]);
        let room: Vec<usize> = self
            .room
            .iter()
            .zip(joined())
            .map(|(room, joined)| room + joined)
            .collect();
        let parts = parts(wanted, &self.sizes, &room, ties);
        let left = parts.into_iter().zip(joined());
        left.map(|(part, joined)| part.saturating_sub(joined))
            .collect()
    }
}

fn refuse<T>(reason: String) -> Result<T, DatasetError> {
    Err(DatasetError::Split { reason })
}

/// At least one record, where the whole dataset is drawn.
fn size(side: &str, portion: Portion, n: usize, is_all: bool) -> Result<usize, DatasetError> {
    match portion {
        Portion::None => Ok(0),
        Portion::Count(count) => Ok(count),
        Portion::Share(share) if share > 0.0 && share < 1.0 => {
            Ok(((share * n as f64).round() as usize).max(usize::from(is_all)))
        }
        Portion::Share(share) => refuse(format!(
            "the share of {side} is {share}, expected one above 0 and below 1"
        )),
    }
}

/// `wanted` over strata in proportion to their sizes, by the largest remainder, none above its
/// room. Equal remainders go in the order of `ties`.
fn parts(wanted: usize, sizes: &[usize], room: &[usize], ties: &[usize]) -> Vec<usize> {
    let total = sizes.iter().sum::<usize>().max(1) as u128;
    let share = |stratum: usize| wanted as u128 * sizes[stratum] as u128;
    let mut parts: Vec<usize> = (0..sizes.len())
        .map(|stratum| ((share(stratum) / total) as usize).min(room[stratum]))
        .collect();
    let mut missing = wanted - parts.iter().sum::<usize>();
    let mut order = ties.to_vec();
    order.sort_by_key(|&stratum| std::cmp::Reverse(share(stratum) % total));
    while missing > 0 {
        let before = missing;
        for &stratum in &order {
            if missing > 0 && parts[stratum] < room[stratum] {
                parts[stratum] += 1;
                missing -= 1;
            }
        }
        if missing == before {
            break;
        }
    }
    parts
}

/// Takes groups out, in their order: first those that no stratum is too full for, then those of
/// strata that are short.
fn take(groups: &mut Vec<Group>, parts: &[usize]) -> Vec<Group> {
    let mut lack = Lack {
        total: parts.iter().sum(),
        of_strata: parts.to_vec(),
    };
    let mut taken = Vec::new();
    for fits in [Lack::has_room, Lack::is_short] {
        taken.extend(groups.extract_if(.., |group| {
            let fits = fits(&lack, group);
            if fits {
                lack.fill(group);
            }
            fits
        }));
    }
    taken
}

/// What a side still lacks.
struct Lack {
    total: usize,
    of_strata: Vec<usize>,
}

impl Lack {
    fn has_room(&self, group: &Group) -> bool {
        let room = |&(stratum, n): &(u32, u32)| n as usize <= self.of_strata[stratum as usize];
        group.strata.iter().all(room)
    }

    fn is_short(&self, group: &Group) -> bool {
        let short = |&(stratum, _): &(u32, u32)| self.of_strata[stratum as usize] > 0;
        group.members.len() <= self.total && group.strata.iter().all(short)
    }

    fn fill(&mut self, group: &Group) {
        self.total -= group.members.len();
        for &(stratum, n) in &group.strata {
            let lack = &mut self.of_strata[stratum as usize];
            *lack = lack.saturating_sub(n as usize);
        }
    }
}

fn in_order(mut records: Vec<u32>) -> Vec<usize> {
    records.sort_unstable();
    records.into_iter().map(|record| record as usize).collect()
}

#[cfg(test)]
mod tests;
