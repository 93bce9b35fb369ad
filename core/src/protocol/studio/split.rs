//! Train, validation and test.

use serde::{Deserialize, Serialize};

use super::ProjectView;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Train,
    Validation,
    Test,
}

impl Side {
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];
}

/// How to draw the sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SplitPlan {
    pub validation: Share,
    pub test: Share,
    pub seed: u64,
    /// A column whose values should have the same shares on every side, or [`Self::SOURCE_FILE`] or
    /// [`Self::LANGUAGE`]; a key inside a column behind a dot. Where no record has a column `source` or
    /// `language`, the same is meant without the colon.
    pub stratify_by: Option<String>,
    /// A column whose equal values stay on one side; the same names.
    pub group_by: Option<String>,
    /// Records that ask the same stay on one side.
    pub keep_duplicates_together: bool,
    /// Draw only for records that are on no side: the others stay where they are, and shares and
    /// counts are those of the new ones. A new record that belongs to one on a side joins it there.
    pub only_new: bool,
}

impl SplitPlan {
    /// The file that a record came from, whatever columns there are.
    pub const SOURCE_FILE: &str = "source:";
    /// The language that a text was told to be, whatever columns there are.
    pub const LANGUAGE: &str = "language:";
}

impl Default for SplitPlan {
    fn default() -> Self {
        Self {
            validation: Share::Fraction(0.1),
            test: Share::Fraction(0.1),
            seed: 42,
            stratify_by: None,
            group_by: None,
            keep_duplicates_together: true,
            only_new: false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// 0 to below 1; 0 draws none.
    Fraction(f64),
    Count(u64),
}

/// The sides as they are, or as a plan would make them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SplitView {
    pub plan: Option<SplitPlan>,
    pub n_train: u64,
    pub n_validation: u64,
    pub n_test: u64,
    /// Records on no side.
    pub n_without: u64,
    /// Values of the stratifying column with their counts: train, validation, test.
    pub strata: Vec<(String, [u64; 3])>,
    pub n_groups: u64,
    pub largest_group: u64,
    /// Records of validation and test that ask what a record of train asks.
    pub n_leaking: u64,
    /// Values of the grouping column whose records are on more than one side.
    #[serde(default)]
    pub n_groups_apart: u64,
    /// Sizes that validation and test were to have, of a draw; whole groups may not fill them.
    #[serde(default)]
    pub n_asked: Option<[u64; 2]>,
    /// SHA-256 over the fingerprints of each side, where frozen.
    pub frozen: Option<String>,
    /// Whether the records still are those that were frozen.
    pub frozen_holds: bool,
    pub project: Option<ProjectView>,
}
