//! The split as it is typed: shares as percent or as counts. A number with a percent sign is a share
//! beside counts too: a plan from the command line can have one of each.

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
            Share::Fraction(fraction) if unit == Unit::Records && fraction != 0.0 => {
                format!("{}%", percent(fraction))
            }
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
        if !is_some_left(validation, test, n_records) {
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
        let number = text.trim().trim_end_matches('%');
        let unit = match number.len() < text.trim().len() {
            true => Unit::Percent,
            false => self.unit,
        };
        let text = number.trim();
        match unit {
            Unit::Records => text.parse().ok().map(Share::Count),
            Unit::Percent => {
                let percent: f64 = text.replace(',', ".").parse().ok()?;
                let is_share = (0.0..100.0).contains(&percent);
                is_share.then_some(Share::Fraction(percent / 100.0))
            }
        }
    }
}

/// Whether there is something to train on beside them.
fn is_some_left(validation: Share, test: Share, n_records: u64) -> bool {
    let size = |share| match share {
        Share::Count(n) => n,
        Share::Fraction(fraction) => (fraction * n_records as f64).round() as u64,
    };
    match (validation, test) {
        (Share::Fraction(a), Share::Fraction(b)) => a + b < 1.0 - 1e-9,
        (a, b) => size(a).saturating_add(size(b)) < n_records,
    }
}

fn wrong_seed(error: ParseIntError) -> FormFault {
    match error.kind() {
        IntErrorKind::PosOverflow => FormFault::SeedTooLarge,
        _ => FormFault::Seed,
    }
}

/// `10`, `12.5`: as few digits as say it. What is read again is the same share, but for a part of it
/// that no number of records shows.
fn percent(fraction: f64) -> String {
    /// Behind the point; a share that is smaller still is said in full.
    const MOST_DIGITS: usize = 20;
    let percent = fraction * 100.0;
    let is_same = |text: &String| {
        let read = text.parse::<f64>();
        read.is_ok_and(|read| (read - percent).abs() <= percent * 1e-12)
    };
    let mut texts = (0..=MOST_DIGITS).map(|digits| format!("{percent:.digits$}"));
    texts.find(is_same).unwrap_or_else(|| percent.to_string())
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
    fn a_share_beside_a_count_is_shown_as_it_was_asked_for() {
        let plan = SplitPlan {
            validation: Share::Fraction(0.1),
            test: Share::Count(5),
            ..SplitPlan::default()
        };
        let form = SplitForm::of(&plan);
        let shown = (form.unit, form.validation.as_str(), form.test.as_str());
        assert_eq!(shown, (Unit::Records, "10%", "5"));
        assert_eq!(form.plan(60), Ok(plan.clone()));
        assert_eq!(form.plan(6), Err(FormFault::NothingLeft));
        let none = SplitPlan {
            validation: Share::Fraction(0.0),
            ..plan
        };
        assert_eq!(SplitForm::of(&none).validation, "0");
    }

    #[test]
    fn a_small_share_is_not_rounded_away() {
        let shares = [0.1, 0.07, 1.0 / 3.0, 0.123_456, 0.000_01, 1e-12, 1e-30];
        for fraction in shares {
            let plan = SplitPlan {
                validation: Share::Fraction(fraction),
                ..SplitPlan::default()
            };
            let read = SplitForm::of(&plan).plan(1000).unwrap();
            let Share::Fraction(read) = read.validation else {
                panic!("{read:?}");
            };
            assert!((read / fraction - 1.0).abs() < 1e-11, "{read} {fraction}");
        }
        let shown = [0.0, 0.1, 0.07, 0.125, 0.123_456, 0.000_01].map(percent);
        assert_eq!(shown, ["0", "10", "7", "12.5", "12.3456", "0.001"]);
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
