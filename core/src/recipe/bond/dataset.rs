//! Bonds to query and response pairs.

use serde::Serialize;
use thiserror::Error;

use super::{
    Analysis, Bond, Kind, ValuationError, analyse, comparison::Comparison, question::N_PHRASINGS,
};
use crate::rng::Rng;

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BondSettings {
    pub seed: u64,
    /// Phrasings a question, 1 to 6.
    pub n_phrasings: usize,
    /// At most this many pairs of bonds are compared.
    pub max_comparisons: usize,
}

impl Default for BondSettings {
    fn default() -> Self {
        Self {
            seed: 0,
            n_phrasings: N_PHRASINGS,
            max_comparisons: 100,
        }
    }
}

/// Why no dataset was made.
#[derive(Debug, Error)]
pub enum BondSettingsError {
    #[error("there are 1 to {N_PHRASINGS} phrasings a question, found {found}")]
    Phrasings { found: usize },
    #[error("{isin} cannot be valued")]
    Valuation {
        isin: String,
        source: ValuationError,
    },
}

/// One pair, in the shape that query/response datasets have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BondRecord {
    pub query: String,
    pub response: String,
    /// What is asked: [`Kind::key`] or a comparison.
    pub kind: &'static str,
    /// The bonds, by ISIN.
    pub bonds: Vec<String>,
    /// From 1.
    pub phrasing: usize,
}

/// The pairs, and the numbers that they were written from.
#[derive(Debug, Clone, PartialEq)]
pub struct BondDataset {
    pub analyses: Vec<Analysis>,
    pub records: Vec<BondRecord>,
}

impl BondDataset {
    /// Value every bond and ask about it, then compare bonds by pairs.
    ///
    /// # Errors
    /// When a bond cannot be valued.
    pub fn new(bonds: &[Bond], settings: &BondSettings) -> Result<Self, BondSettingsError> {
        if !(1..=N_PHRASINGS).contains(&settings.n_phrasings) {
            return Err(BondSettingsError::Phrasings {
                found: settings.n_phrasings,
            });
        }
        let value = |bond: &Bond| {
            analyse(bond).map_err(|source| BondSettingsError::Valuation {
                isin: bond.isin.clone(),
                source,
            })
        };
        let analyses: Vec<Analysis> = bonds.iter().map(value).collect::<Result<_, _>>()?;
        let mut records: Vec<BondRecord> = analyses
            .iter()
            .flat_map(|found| asked(found, settings))
            .collect();
        for (first, second) in pairs(analyses.len(), settings) {
            records.extend(compared(
                &analyses[first],
                &analyses[second],
                settings.n_phrasings,
            ));
        }
        Ok(Self { analyses, records })
    }
}

fn asked(found: &Analysis, settings: &BondSettings) -> Vec<BondRecord> {
    let mut records = Vec::new();
    for kind in Kind::ALL {
        let response = kind.response(found);
        for phrasing in 0..settings.n_phrasings {
            records.extend(
                kind.query(phrasing, &found.bond.isin)
                    .map(|query| BondRecord {
                        query,
                        response: response.clone(),
                        kind: kind.key(),
                        bonds: vec![found.bond.isin.clone()],
                        phrasing: phrasing + 1,
                    }),
            );
        }
    }
    records
}

fn compared(first: &Analysis, second: &Analysis, n_phrasings: usize) -> Vec<BondRecord> {
    let mut records = Vec::new();
    for comparison in Comparison::ALL {
        let response = comparison.response(first, second);
        let queries = comparison.queries(&first.bond.isin, &second.bond.isin);
        for (index, query) in queries.into_iter().take(n_phrasings).enumerate() {
            records.push(BondRecord {
                query,
                response: response.clone(),
                kind: comparison.key(),
                bonds: vec![first.bond.isin.clone(), second.bond.isin.clone()],
                phrasing: index + 1,
            });
        }
    }
    records
}

/// All pairs when they are few; otherwise a seeded draw of different ones, in order.
fn pairs(n_bonds: usize, settings: &BondSettings) -> Vec<(usize, usize)> {
    let n_all = n_bonds * n_bonds.saturating_sub(1) / 2;
    let all =
        (0..n_bonds).flat_map(|first| (first + 1..n_bonds).map(move |second| (first, second)));
    if n_all <= settings.max_comparisons {
        return all.collect();
    }
    // Selection sampling (Knuth, The Art of Computer Programming 2, algorithm S): no list of all pairs.
    let mut rng = Rng::new(settings.seed, 0);
    let mut chosen = Vec::with_capacity(settings.max_comparisons);
    for (seen, pair) in all.enumerate() {
        let (wanted, left) = (settings.max_comparisons - chosen.len(), n_all - seen);
        if wanted == 0 {
            break;
        }
        if rng.below(left) < wanted {
            chosen.push(pair);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::recipe::bond::{BondVerdict, check_response, read_bonds};

    fn demo(settings: &BondSettings) -> BondDataset {
        let json = include_bytes!("../../../../native-trainer/demo/bonds.json");
        let bonds = read_bonds(json).unwrap();
        assert!(bonds.warnings.is_empty(), "{:?}", bonds.warnings);
        BondDataset::new(&bonds.bonds, settings).unwrap()
    }

    #[test]
    fn every_question_stands_once_and_every_answer_passes_its_check() {
        let data = demo(&BondSettings::default());
        let queries: BTreeSet<&str> = data.records.iter().map(|r| r.query.as_str()).collect();
        assert_eq!(queries.len(), data.records.len());
        for record in &data.records {
            let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.key() == record.kind) else {
                continue;
            };
            let found = data
                .analyses
                .iter()
                .find(|x| x.bond.isin == record.bonds[0])
                .unwrap();
            let verdict = check_response(kind, found, &record.response);
            assert_eq!(verdict, BondVerdict::Right, "{}", record.response);
        }
    }

    #[test]
    fn comparisons_are_capped_seeded_and_different() {
        let settings = BondSettings {
            max_comparisons: 4,
            ..BondSettings::default()
        };
        let of = |settings: &BondSettings| -> Vec<Vec<String>> {
            let records = demo(settings).records;
            records
                .into_iter()
                .filter(|r| r.kind == "compare_yield")
                .map(|r| r.bonds)
                .collect()
        };
        let chosen = of(&settings);
        assert_eq!(chosen, of(&settings));
        assert_eq!(chosen.iter().collect::<BTreeSet<_>>().len(), 4);
        assert_ne!(
            chosen,
            of(&BondSettings {
                seed: 1,
                ..settings
            })
        );
    }

    #[test]
    fn refuses_too_many_phrasings() {
        let settings = BondSettings {
            n_phrasings: 7,
            ..BondSettings::default()
        };
        let error = BondDataset::new(&[], &settings).unwrap_err();
        assert!(matches!(error, BondSettingsError::Phrasings { found: 7 }));
    }
}
