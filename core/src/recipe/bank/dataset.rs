//! Figures to questions and answers, split by phrasing and by fact.

use std::collections::BTreeSet;

use thiserror::Error;

use super::{
    Fact, Figures, Metric,
    comparison::comparisons,
    fact::facts,
    phrasing::{N_PHRASINGS, question},
};
use crate::{data::Record, rng::Rng};

/// Streams of the seed, so that more phrasings do not change which facts are control facts.
const PHRASING_STREAM: u64 = 0;
const CONTROL_STREAM: u64 = 1;

/// How many ways to ask, and what is kept out of training.
#[derive(Debug, Clone, PartialEq)]
pub struct BankSettings {
    pub seed: u64,
    /// Phrasings a metric in the training split.
    pub n_phrasings: usize,
    /// Other phrasings a metric, asked of the same facts in the held-out split.
    pub n_held_out: usize,
    /// Share of the facts that are never trained.
    pub control_fraction: f64,
}

impl Default for BankSettings {
    fn default() -> Self {
        Self {
            seed: 0,
            n_phrasings: 10,
            n_held_out: 4,
            control_fraction: 0.1,
        }
    }
}

/// Why settings make no dataset.
#[derive(Debug, Error, PartialEq)]
pub enum BankSettingsError {
    #[error("at least 1 phrasing is needed to train on, found {found}")]
    NoPhrasing { found: usize },
    #[error(
        "{n_phrasings} phrasings to train and {n_held_out} to hold out are more than the {N_PHRASINGS} \
         that there are; lower one of them"
    )]
    TooManyPhrasings {
        n_phrasings: usize,
        n_held_out: usize,
    },
    #[error("the share of control facts must be from 0 to below 1, found {found}")]
    ControlFraction { found: f64 },
    #[error("there is no fact left to train: {n_facts} facts, {n_control} of them kept as control")]
    NothingToTrain { n_facts: usize, n_control: usize },
}

/// The records of the recipe, grouped by fact in each split.
#[derive(Debug, Clone, PartialEq)]
pub struct BankDataset {
    pub facts: Vec<Fact>,
    /// Trained facts in trained phrasings.
    pub train: Vec<Record>,
    /// Trained facts in phrasings that training never shows.
    pub held_out: Vec<Record>,
    /// Facts that training never shows, in trained phrasings: what can only be guessed.
    pub control: Vec<Record>,
    /// Questions on two facts or more; in no split, because they would give control facts away.
    pub comparisons: Vec<Record>,
}

impl BankDataset {
    /// Ask every figure in many phrasings.
    ///
    /// # Errors
    /// When there are fewer phrasings than asked for, or nothing would be left to train.
    pub fn new(figures: &Figures, settings: &BankSettings) -> Result<Self, BankSettingsError> {
        let facts = facts(figures);
        let control = control_facts(&facts, settings)?;
        let mut dataset = Self {
            comparisons: comparisons(&facts),
            facts: Vec::new(),
            train: Vec::new(),
            held_out: Vec::new(),
            control: Vec::new(),
        };
        for (index, fact) in facts.iter().enumerate() {
            let order = phrasing_order(settings.seed, fact.metric);
            let (shown, rest) = order.split_at(settings.n_phrasings);
            if control.contains(&index) {
                dataset.control.extend(asked(fact, shown));
            } else {
                dataset.train.extend(asked(fact, shown));
                dataset
                    .held_out
                    .extend(asked(fact, &rest[..settings.n_held_out]));
            }
        }
        dataset.facts = facts;
        Ok(dataset)
    }

    /// Every record: facts in all their phrasings, then comparisons.
    pub fn all(&self) -> impl Iterator<Item = &Record> {
        self.train
            .iter()
            .chain(&self.held_out)
            .chain(&self.control)
            .chain(&self.comparisons)
    }
}

fn asked(fact: &Fact, phrasings: &[usize]) -> Vec<Record> {
    let record = |&phrasing: &usize| {
        let question = question(fact.metric, phrasing, &fact.bank, fact.year)?;
        Some(fact.record(question, phrasing))
    };
    phrasings.iter().filter_map(record).collect()
}

/// The phrasings of a metric in seeded order: the first are trained, the next held out.
fn phrasing_order(seed: u64, metric: Metric) -> Vec<usize> {
    let mut order: Vec<usize> = (0..N_PHRASINGS).collect();
    let stream = PHRASING_STREAM + ((metric as u64) << 8);
    Rng::new(seed, stream).shuffle(&mut order);
    order
}

fn control_facts(
    facts: &[Fact],
    settings: &BankSettings,
) -> Result<BTreeSet<usize>, BankSettingsError> {
    let &BankSettings {
        seed,
        n_phrasings,
        n_held_out,
        control_fraction,
    } = settings;
    if n_phrasings == 0 {
        return Err(BankSettingsError::NoPhrasing { found: n_phrasings });
    }
    if n_phrasings.saturating_add(n_held_out) > N_PHRASINGS {
        return Err(BankSettingsError::TooManyPhrasings {
            n_phrasings,
            n_held_out,
        });
    }
    if !(0.0..1.0).contains(&control_fraction) {
        return Err(BankSettingsError::ControlFraction {
            found: control_fraction,
        });
    }
    let n_facts = facts.len();
    let n_control = (n_facts as f64 * control_fraction).round() as usize;
    if n_control >= n_facts {
        return Err(BankSettingsError::NothingToTrain { n_facts, n_control });
    }
    let mut order: Vec<usize> = (0..n_facts).collect();
    Rng::new(seed, CONTROL_STREAM).shuffle(&mut order);
    // A figure that another year repeats could be got right from that year: the last to choose.
    order.sort_by_key(|&index| is_repeated(&facts[index], facts));
    Ok(order.into_iter().take(n_control).collect())
}

/// Whether the bank has the same figure in another year.
fn is_repeated(fact: &Fact, facts: &[Fact]) -> bool {
    facts.iter().any(|other| {
        (&other.bank, other.metric) == (&fact.bank, fact.metric)
            && other.year != fact.year
            && other.figure() == fact.figure()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        data::Body,
        recipe::bank::{Verdict, check_answer, read_figures},
    };

    fn demo(settings: &BankSettings) -> Result<BankDataset, BankSettingsError> {
        let json = include_bytes!("../../../../native-trainer/demo/banks.json");
        let figures = read_figures(&[("banks.json".to_owned(), json.to_vec())]).unwrap();
        BankDataset::new(&figures, settings)
    }

    fn column(records: &[Record], key: &str) -> BTreeSet<String> {
        records
            .iter()
            .map(|record| record.extra[key].to_string())
            .collect()
    }

    fn texts(record: &Record) -> (&str, &str) {
        let Body::Chat(chat) = &record.body else {
            panic!("not a chat")
        };
        (chat.messages[0].text(), chat.messages[1].text())
    }

    #[test]
    fn splits_share_facts_but_no_phrasing_and_control_shares_no_fact() {
        let data = demo(&BankSettings::default()).unwrap();
        assert_eq!(
            (data.train.len(), data.held_out.len(), data.control.len()),
            (450, 180, 50)
        );
        assert_eq!(column(&data.train, "fact"), column(&data.held_out, "fact"));
        assert!(column(&data.train, "phrasing").is_disjoint(&column(&data.held_out, "phrasing")));
        assert!(column(&data.train, "fact").is_disjoint(&column(&data.control, "fact")));
        assert!(column(&data.control, "phrasing").is_subset(&column(&data.train, "phrasing")));
    }

    #[test]
    fn no_question_stands_twice_and_every_answer_passes_its_check() {
        let data = demo(&BankSettings::default()).unwrap();
        let questions: BTreeSet<&str> = data.all().map(|record| texts(record).0).collect();
        assert_eq!(questions.len(), data.all().count());
        for record in data.train.iter().chain(&data.held_out).chain(&data.control) {
            let fact = data
                .facts
                .iter()
                .find(|fact| fact.id() == record.extra["fact"])
                .unwrap();
            assert_eq!(check_answer(fact, texts(record).1), Verdict::Right);
        }
    }

    #[test]
    fn no_control_figure_can_be_had_from_another_year() {
        for seed in 0..20 {
            let data = demo(&BankSettings {
                seed,
                ..BankSettings::default()
            })
            .unwrap();
            let is_control =
                |fact: &Fact| data.control.iter().any(|r| r.extra["fact"] == fact.id());
            let chosen: Vec<&Fact> = data.facts.iter().filter(|fact| is_control(fact)).collect();
            assert!(!chosen.is_empty());
            assert!(chosen.iter().all(|fact| !is_repeated(fact, &data.facts)));
        }
    }

    #[test]
    fn the_seed_alone_decides_and_control_does_not_move_with_phrasings() {
        let settings = BankSettings {
            seed: 3,
            ..BankSettings::default()
        };
        assert_eq!(demo(&settings), demo(&settings));
        let fewer = BankSettings {
            n_phrasings: 2,
            ..settings.clone()
        };
        let controls = |settings: &BankSettings| column(&demo(settings).unwrap().control, "fact");
        assert_eq!(controls(&settings), controls(&fewer));
        assert_ne!(controls(&settings), controls(&BankSettings::default()));
    }

    #[test]
    fn refuses_impossible_settings() {
        let with = |change: fn(&mut BankSettings)| {
            let mut settings = BankSettings::default();
            change(&mut settings);
            demo(&settings).unwrap_err()
        };
        assert_eq!(
            with(|s| s.n_phrasings = 0),
            BankSettingsError::NoPhrasing { found: 0 }
        );
        let many = BankSettingsError::TooManyPhrasings {
            n_phrasings: 11,
            n_held_out: 4,
        };
        assert_eq!(with(|s| s.n_phrasings = 11), many);
        let all = BankSettingsError::NothingToTrain {
            n_facts: 50,
            n_control: 50,
        };
        assert_eq!(with(|s| s.control_fraction = 0.999), all);
        assert!(matches!(
            with(|s| s.control_fraction = f64::NAN),
            BankSettingsError::ControlFraction { .. }
        ));
    }
}
