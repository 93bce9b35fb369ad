//! The table at the end of the demo, from what `veneer eval --json` said.

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Share of exact answers, base and tuned, with its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Share {
    value: f64,
    low: f64,
    high: f64,
}

/// What base and tuned model scored on a part of the data.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    n_questions: u64,
    base: Share,
    tuned: Share,
}

/// The two parts that say whether the adapter learned the facts or the wording.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scores {
    held_out: Part,
    control: Part,
}

impl Scores {
    pub(super) fn new(held_out: &Value, control: &Value) -> Result<Self> {
        let held_out = Part::read(held_out).context("scores of the held-out questions")?;
        let control = Part::read(control).context("scores of the control questions")?;
        Ok(Self { held_out, control })
    }

    pub(super) fn table(&self) -> String {
        let mut lines = vec![format!(
            "{:<44} {:>9} {:>8} {:>8}",
            "Answered exactly", "questions", "base", "tuned"
        )];
        for (label, part) in [
            ("Learned facts, asked in new words", &self.held_out),
            ("Facts that were never trained (control)", &self.control),
        ] {
            lines.push(format!(
                "{label:<44} {:>9} {:>8} {:>8}",
                part.n_questions,
                percent(part.base.value),
                percent(part.tuned.value)
            ));
            lines.push(format!(
                "{:<44} {:>9} {:>8} {:>8}",
                "  95 % confidence",
                "",
                range(part.base),
                range(part.tuned)
            ));
        }
        lines.push(String::new());
        lines.push(
            "The first line shows what training is for. The second is the check on it: an adapter\n\
             recalls what it was taught; it does not know facts that nobody taught it."
                .into(),
        );
        lines.join("\n")
    }
}

impl Part {
    fn read(said: &Value) -> Result<Self> {
        let n_questions = said["n_examples"]
            .as_u64()
            .context("there is no `n_examples`")?;
        let models = said["models"]
            .as_array()
            .context("there is no list `models`")?;
        let [base, tuned] = models.as_slice() else {
            anyhow::bail!(
                "`models` has {} entries, expected base and tuned",
                models.len()
            );
        };
        Ok(Self {
            n_questions,
            base: share(base)?,
            tuned: share(tuned)?,
        })
    }
}

fn share(model: &Value) -> Result<Share> {
    let score = &model["scores"]["exact_match"];
    let number = |name: &str| {
        score[name]
            .as_f64()
            .with_context(|| format!("`exact_match` has no number `{name}`"))
    };
    Ok(Share {
        value: number("value")?,
        low: number("low")?,
        high: number("high")?,
    })
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn range(share: Share) -> String {
    format!("{:.0}–{:.0}", 100.0 * share.low, 100.0 * share.high)
}
