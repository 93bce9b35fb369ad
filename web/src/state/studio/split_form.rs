//! The split as it is typed: shares as percent or as counts.

use std::num::{IntErrorKind, ParseIntError};

use veneer_core::protocol::studio::{Share, SplitPlan, SplitView};

use crate::{state::numbers, texts::Language};

/// What the numbers of the form mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    #[default]
    Percent,
    Records,
}

/// The form, as it stands on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitForm {
    pub unit: Unit,
    pub validation: String,
    pub test: String,
    pub seed: String,
    /// Empty for none.
    pub stratify_by: String,
    pub group_by: String,
    pub keep_duplicates_together: bool,
    /// Where some records are on sides and others are not: whether those stay where they are.
    pub only_new: bool,
}

/// Why a form is no plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormFault {
    Validation,
    Test,
    Seed,
    /// A whole number, and beyond what a seed can be.
    SeedTooLarge,
    /// Nothing would be left to train on.
    NothingLeft,
    /// The same column would have to be on all sides and on one.
    SameColumn,
}

impl Default for SplitForm {
    fn default() -> Self {
        Self::of(&SplitPlan::default())
    }
}

impl SplitForm {
    /// A plan as the form shows it.
    pub fn of(plan: &SplitPlan) -> Self {
        let unit = match (plan.validation, plan.test) {
            (Share::Count(_), _) | (_, Share::Count(_)) => Unit::Records,
            _ => Unit::Percent,
        };
        let shown = |share| match share {
            Share::Count(n) => n.to_string(),
            // A fraction beside a count is 0 in every plan that this form made.
            Share::Fraction(_) if unit == Unit::Records => "0".to_owned(),
            Share::Fraction(fraction) => percent(fraction),
        };
        Self {
            unit,
            validation: shown(plan.validation),
            test: shown(plan.test),
            seed: plan.seed.to_string(),
            stratify_by: plan.stratify_by.clone().unwrap_or_default(),
            group_by: plan.group_by.clone().unwrap_or_default(),
            keep_duplicates_together: plan.keep_duplicates_together,
            only_new: true,
        }
    }

    /// # Errors
    /// What does not fit, the first of it.
    pub fn plan(&self, n_records: u64) -> Result<SplitPlan, FormFault> {
        let validation = self.share(&self.validation).ok_or(FormFault::Validation)?;
        let test = self.share(&self.test).ok_or(FormFault::Test)?;
        let seed = self.seed.trim().parse().map_err(wrong_seed)?;
        let left = match (validation, test) {
            (Share::Fraction(a), Share::Fraction(b)) => a + b < 1.0 - 1e-9,
            (Share::Count(a), Share::Count(b)) => a.saturating_add(b) < n_records,
            _ => true,
        };
        if !left {
            return Err(FormFault::NothingLeft);
        }
        if !self.stratify_by.is_empty() && self.stratify_by == self.group_by {
            return Err(FormFault::SameColumn);
        }
        let column = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Ok(SplitPlan {
            validation,
            test,
            seed,
            stratify_by: column(&self.stratify_by),
            group_by: column(&self.group_by),
            keep_duplicates_together: self.keep_duplicates_together,
            only_new: false,
        })
    }

    fn share(&self, text: &str) -> Option<Share> {
        let text = text.trim().trim_end_matches('%').trim();
        match self.unit {
            Unit::Records => text.parse().ok().map(Share::Count),
            Unit::Percent => {
                let percent: f64 = text.replace(',', ".").parse().ok()?;
                let is_share = (0.0..100.0).contains(&percent);
                is_share.then_some(Share::Fraction(percent / 100.0))
            }
        }
    }
}

fn wrong_seed(error: ParseIntError) -> FormFault {
    match error.kind() {
        IntErrorKind::PosOverflow => FormFault::SeedTooLarge,
        _ => FormFault::Seed,
    }
}

/// `10`, `12.5`: as few digits as say it.
fn percent(fraction: f64) -> String {
    let hundredths = (fraction * 10_000.0).round() / 100.0;
    hundredths.to_string()
}

/// Shares of the four parts (train, validation, test, none) of all records, for bars.
pub fn shares(view: &SplitView) -> [f64; 4] {
    let counts = [view.n_train, view.n_validation, view.n_test, view.n_without];
    let total: u64 = counts.iter().sum();
    counts.map(|n| match total {
        0 => 0.0,
        total => n as f64 / total as f64,
    })
}

/// How many records are on each side, in a breath.
pub fn told(view: &SplitView, language: Language) -> String {
    let texts = &language.studio().split;
    let sides = [
        (texts.train, view.n_train),
        (texts.validation, view.n_validation),
        (texts.test, view.n_test),
        (texts.without, view.n_without),
    ];
    let filled = sides.into_iter().filter(|(_, n)| *n > 0);
    let said = filled.map(|(name, n)| format!("{name}: {}", numbers::whole(n, language)));
    said.collect::<Vec<_>>().join(language.comma())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_without_records_are_not_told() {
        let view = SplitView {
            n_train: 1200,
            n_test: 3,
            ..SplitView::default()
        };
        assert_eq!(told(&view, Language::English), "Training: 1,200, Test: 3");
    }

    fn form(validation: &str, test: &str) -> SplitForm {
        SplitForm {
            validation: validation.into(),
            test: test.into(),
            ..SplitForm::default()
        }
    }

    #[test]
    fn plans_come_back_as_they_were() {
        let fractions = SplitPlan {
            validation: Share::Fraction(0.125),
            test: Share::Fraction(0.0),
            seed: 7,
            stratify_by: Some("bank".into()),
            group_by: Some("source".into()),
            keep_duplicates_together: false,
            only_new: false,
        };
        let counts = SplitPlan {
            validation: Share::Count(50),
            test: Share::Count(0),
            ..SplitPlan::default()
        };
        for plan in [SplitPlan::default(), fractions, counts] {
            assert_eq!(SplitForm::of(&plan).plan(1000), Ok(plan));
        }
    }

    #[test]
    fn percent_is_typed_as_people_do() {
        let plan = form(" 12,5 % ", "0").plan(10).unwrap();
        assert_eq!(plan.validation, Share::Fraction(0.125));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert_eq!(form("x", "1").plan(10), Err(FormFault::Validation));
        assert_eq!(form("-1", "1").plan(10), Err(FormFault::Validation));
        assert_eq!(form("NaN", "1").plan(10), Err(FormFault::Validation));
        assert_eq!(form("1", "100").plan(10), Err(FormFault::Test));
        assert_eq!(form("60", "40").plan(10), Err(FormFault::NothingLeft));
        let mut counts = form("6", "4");
        counts.unit = Unit::Records;
        assert_eq!(counts.plan(10), Err(FormFault::NothingLeft));
        assert!(counts.plan(11).is_ok());
        counts.validation = "1.5".into();
        assert_eq!(counts.plan(11), Err(FormFault::Validation));
        let mut wrong = form("1", "1");
        wrong.seed = "-1".into();
        assert_eq!(wrong.plan(10), Err(FormFault::Seed));
        wrong.seed = "99999999999999999999".into();
        assert_eq!(wrong.plan(10), Err(FormFault::SeedTooLarge));
        wrong.seed = u64::MAX.to_string();
        assert_eq!(wrong.plan(10).unwrap().seed, u64::MAX);
        let mut same = form("1", "1");
        (same.stratify_by, same.group_by) = ("a".into(), "a".into());
        assert_eq!(same.plan(10), Err(FormFault::SameColumn));
    }

    #[test]
    fn shares_add_up() {
        let view = SplitView {
            n_train: 6,
            n_validation: 2,
            n_without: 2,
            ..SplitView::default()
        };
        assert_eq!(shares(&view), [0.6, 0.2, 0.0, 0.2]);
        assert_eq!(shares(&SplitView::default()), [0.0; 4]);
    }
}
