//! The draw itself: which groups of records go to which side.
//!
//! 1. Records that share an entry of any labelling are one group, which is never divided.
//! 2. Each stratum gets its part of a side by the largest remainder: the parts differ from the exact
//!    share by less than one record, and their sum is the size asked for.
//! 3. Groups come in an order that the seed decides. A group is taken where every stratum in it still
//!    has room; what is then missing is filled with groups of the strata that are short.
//!
//! A side can stay smaller than asked where the groups do not fit, and is never larger.

use std::collections::{BTreeMap, HashMap};

use super::{Labels, Portion, Split, SplitOptions};
use crate::{data::DatasetError, rng::Rng};

/// What a draw needs to know of records, in their order.
pub(crate) struct Facts {
    n: usize,
    /// Each record's parent in the forest of groups; a root is the first record of its group.
    parents: Vec<u32>,
    n_ungrouped: usize,
    /// The stratum of each record; empty where there is one alone.
    strata: Vec<u32>,
    names: Vec<String>,
}

impl Facts {
    pub(crate) fn new(n: usize) -> Self {
        Self {
            n,
            parents: (0..n as u32).collect(),
            n_ungrouped: 0,
            strata: Vec::new(),
            names: Vec::new(),
        }
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
            return Err(missing(field, "group by", columns));
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
            return Err(missing(field, "stratify by", columns));
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
            let stratum = self.strata.get(i as usize).copied().unwrap_or(0);
            groups[place[root] as usize].add(i, stratum);
        }
        groups
    }
}

fn missing(field: &str, what: &str, columns: &dyn Fn() -> Vec<String>) -> DatasetError {
    let names = columns();
    let found = if names.is_empty() {
        "there are no columns beside the text".to_owned()
    } else {
        format!("columns are {}", crate::data::columns::list(&names))
    };
    DatasetError::Split {
        reason: format!("no record has `{field}` to {what}; {found}"),
    }
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
    let n = facts.n;
    let n_val = size("validation", options.val, n)?;
    let n_test = size("test", options.test, n)?;
    if n_val.saturating_add(n_test) == 0 {
        return refuse(
            "nothing to set aside; give validation or test a share (0.1) or a count (20)".into(),
        );
    }
    if n_val.saturating_add(n_test) >= n {
        return refuse(format!(
            "{n_val} for validation and {n_test} for test leave none of {n} records to train on"
        ));
    }
    let mut groups = facts.groups();
    let n_groups = groups.len();
    let largest_group = groups.iter().map(|group| group.members.len()).max();
    let largest_group = largest_group.unwrap_or(0);
    let mut n_of_stratum = vec![0; facts.names.len().max(1)];
    for &(stratum, n) in groups.iter().flat_map(|group| &group.strata) {
        n_of_stratum[stratum as usize] += n as usize;
    }
    let mut rng = Rng::new(options.seed, 0);
    rng.shuffle(&mut groups);
    let mut ties: Vec<usize> = (0..n_of_stratum.len()).collect();
    rng.shuffle(&mut ties);
    let mut sides = [Vec::new(), Vec::new(), Vec::new()];
    let mut strata = vec![[0; 3]; n_of_stratum.len()];
    let mut room = n_of_stratum.clone();
    for (side, wanted, name) in [(1, n_val, "validation"), (2, n_test, "test")] {
        let parts = parts(wanted, &n_of_stratum, &room, &ties);
        let taken = take(&mut groups, &parts);
        if taken.is_empty() && wanted > 0 {
            return refuse(format!(
                "no group of records that belong together is small enough for a {name} set of \
                 {wanted}; there are {n_groups} groups, the largest of {largest_group}"
            ));
        }
        for &(stratum, n) in taken.iter().flat_map(|group| &group.strata) {
            strata[stratum as usize][side] += u64::from(n);
            room[stratum as usize] -= n as usize;
        }
        sides[side] = members(&taken);
    }
    sides[0] = members(&groups);
    for (sides, left) in strata.iter_mut().zip(room) {
        sides[0] = left as u64;
    }
    let [train, val, test] = sides;
    Ok(Split {
        train,
        val,
        test,
        n_groups,
        largest_group,
        n_ungrouped: facts.n_ungrouped,
        strata: facts.names.into_iter().zip(strata).collect(),
    })
}

fn refuse<T>(reason: String) -> Result<T, DatasetError> {
    Err(DatasetError::Split { reason })
}

fn size(side: &str, portion: Portion, n: usize) -> Result<usize, DatasetError> {
    match portion {
        Portion::None => Ok(0),
        Portion::Count(count) => Ok(count),
        Portion::Share(share) if share > 0.0 && share < 1.0 => {
            Ok(((share * n as f64).round() as usize).max(1))
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

fn members(groups: &[Group]) -> Vec<usize> {
    let members = groups.iter().flat_map(|group| &group.members);
    let mut members: Vec<usize> = members.map(|&record| record as usize).collect();
    members.sort_unstable();
    members
}

#[cfg(test)]
mod tests;
