//! The table at the end of the demo, from what `veneer eval --json` said.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// Share of exact answers, with its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Share {
    value: f64,
    low: f64,
    high: f64,
}

/// What base and tuned model scored on the same questions.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    n_questions: u64,
    base: Share,
    tuned: Share,
}

/// The two parts that say whether the adapter learned the facts, and what it does without them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scores {
    held_out: Part,
    control: Part,
}

impl Scores {
    /// Read `eval --with-base --adapter … --control … --answers --json`.
    pub(super) fn read(said: &Value) -> Result<Self> {
        let runs = said["runs"]
            .as_array()
            .context("`eval --json` gave no list `runs`")?;
        let [base, tuned] = runs.as_slice() else {
            bail!("`runs` has {} entries, expected base and tuned", runs.len());
        };
        let control = Part::read(&base["control"], &tuned["control"]);
        Ok(Self {
            held_out: Part::read(base, tuned).context("scores of the held-out questions")?,
            control: control.context("scores of the control questions")?,
        })
    }

    pub(super) fn table(&self) -> String {
        let row = |label: &str, cells: [&str; 3]| {
            format!(
                "{label:<42}{:>10}{:>12}{:>12}\n",
                cells[0], cells[1], cells[2]
            )
        };
        let mut table = row("Answered exactly right", ["questions", "base", "tuned"]);
        for (label, part) in [
            ("Learned facts, asked in new words", &self.held_out),
            ("Facts that were never trained (control)", &self.control),
        ] {
            let count = part.n_questions.to_string();
            table += &row(label, [&count, &percent(part.base), &percent(part.tuned)]);
            table += &row(
                "  95 % confidence",
                ["", &range(part.base), &range(part.tuned)],
            );
        }
        table
            + "\nThe first line is what training is for. The second is the check on it: an adapter \
               recalls\nwhat it was taught; it does not know facts that nobody taught it.\n"
    }
}

impl Part {
    fn read(base: &Value, tuned: &Value) -> Result<Self> {
        let n_questions = tuned["n_examples"]
            .as_u64()
            .context("there is no `n_examples`")?;
        Ok(Self {
            n_questions,
            base: share(base)?,
            tuned: share(tuned)?,
        })
    }
}

fn share(run: &Value) -> Result<Share> {
    const METRIC: &str = "exact_match";
    let interval = &run["intervals"][METRIC];
    let number = |value: &Value, what: &str| {
        value
            .as_f64()
            .with_context(|| format!("{METRIC} has no {what}"))
    };
    Ok(Share {
        value: number(&run[METRIC], "value")?,
        low: number(&interval["low"], "lower limit")?,
        high: number(&interval["high"], "upper limit")?,
    })
}

fn percent(share: Share) -> String {
    format!("{:.1} %", 100.0 * share.value)
}

fn range(share: Share) -> String {
    format!("{:.1}-{:.1}", 100.0 * share.low, 100.0 * share.high)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(value: f64, n: u64) -> Value {
        let interval = json!({"low": value - 0.01, "high": value + 0.01});
        json!({"n_examples": n, "exact_match": value, "intervals": {"exact_match": interval}})
    }

    #[test]
    fn reads_what_eval_says() {
        let (mut base, mut tuned) = (run(0.05, 48), run(0.875, 48));
        base["control"] = run(0.02, 12);
        tuned["control"] = run(0.03, 12);
        let table = Scores::read(&json!({"runs": [base, tuned]}))
            .unwrap()
            .table();
        let cells: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split("  ").filter(|cell| !cell.is_empty()).collect())
            .collect();
        assert_eq!(
            cells[1].iter().map(|cell| cell.trim()).collect::<Vec<_>>(),
            ["Learned facts, asked in new words", "48", "5.0 %", "87.5 %"]
        );
        assert!(cells[2].last().unwrap().contains("86.5-88.5"), "{table}");
        assert!(
            table.lines().all(|line| line.chars().count() <= 90),
            "{table}"
        );
    }

    #[test]
    fn says_what_is_missing() {
        let error = Scores::read(&json!({"loss": 1.0})).unwrap_err().to_string();
        assert!(error.contains("runs"), "{error}");
        let runs = json!({"runs": [run(0.1, 3), run(0.2, 3)]});
        let error = format!("{:#}", Scores::read(&runs).unwrap_err());
        assert!(error.contains("control"), "{error}");
    }
}
