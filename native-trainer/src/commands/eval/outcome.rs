//! Everything that was measured, the others against the first.

use anyhow::Result;
use serde_json::{Value, json};
use veneer_core::eval::Comparison;

use super::Measured;
use crate::{
    dataset::{Sides, count},
    run_dir::trained::Seen,
};

#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) measured: Vec<Measured>,
    /// One for each but the first.
    pub(crate) against_first: Vec<Against>,
    /// What was taken of a project.
    side: Option<Sides>,
}

/// How one model differs from the first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Against {
    pub(crate) comparisons: Vec<Comparison>,
    pub(crate) control: Vec<Comparison>,
}

impl Against {
    fn new(first: &Measured, other: &Measured) -> Result<Self> {
        let control = match (&first.control, &other.control) {
            (Some(first), Some(other)) => first.compared(other)?,
            _ => Vec::new(),
        };
        Ok(Self {
            comparisons: first.data.compared(&other.data)?,
            control,
        })
    }
}

impl Outcome {
    pub(super) fn new(measured: Vec<Measured>, side: Option<Sides>) -> Result<Self> {
        let against_first = match measured.as_slice() {
            [first, others @ ..] => others
                .iter()
                .map(|other| Against::new(first, other))
                .collect::<Result<_>>()?,
            [] => Vec::new(),
        };
        Ok(Self {
            measured,
            against_first,
            side,
        })
    }

    /// Whether no adapter was trained on any of the records, as far as all of them are known.
    pub(super) fn is_held_out(&self) -> bool {
        let mut seen = self.measured.iter().filter_map(|measured| measured.seen);
        seen.all(|Seen { n, is_all }| n == 0 && is_all)
    }

    /// Adapters that were asked for what they were trained on, a sentence each.
    pub(super) fn warnings(&self) -> Vec<String> {
        let seen = |measured: &Measured| {
            let n = measured.seen.filter(|seen| seen.n > 0)?.n;
            Some(format!(
                "`{}` was trained on {n} of these {}; its scores do not show how it does on others",
                measured.name,
                count(measured.data.n_examples as u64, "record")
            ))
        };
        self.measured.iter().filter_map(seen).collect()
    }

    /// The last against the first.
    fn last(&self) -> Against {
        self.against_first.last().cloned().unwrap_or_default()
    }

    /// One model: its numbers. Several: `runs`, each with its comparison with the first, and the
    /// last model's numbers and comparison.
    pub(super) fn json(&self, per_record: bool) -> Value {
        let Some(last) = self.measured.last() else {
            return Value::Null;
        };
        let mut object = last.data.json(per_record && self.measured.len() == 1);
        if let Some(control) = &last.control {
            object.insert("control".into(), Value::Object(control.json(false)));
        }
        if let Some(side) = self.side {
            object.insert("side".into(), json!(side));
        }
        if let Some(seen) = last.seen.filter(|seen| seen.n > 0 || seen.is_all) {
            object.insert("n_trained_on".into(), json!(seen.n));
        }
        if self.measured.len() > 1 {
            let runs = (0..self.measured.len()).filter_map(|at| self.run_json(at, per_record));
            object.insert("runs".into(), runs.collect());
            let Against {
                comparisons,
                control,
            } = self.last();
            object.insert("comparisons".into(), json!(comparisons));
            object.insert("control_comparisons".into(), json!(control));
        }
        Value::Object(object)
    }

    fn run_json(&self, at: usize, per_record: bool) -> Option<Value> {
        let measured = self.measured.get(at)?;
        let first = self.measured.first().map(|measured| &measured.name);
        let mut run = measured.data.json(per_record);
        run.insert("name".into(), json!(measured.name));
        if let Some(seen) = measured.seen.filter(|seen| seen.n > 0 || seen.is_all) {
            run.insert("n_trained_on".into(), json!(seen.n));
        }
        let against = at.checked_sub(1).and_then(|at| self.against_first.get(at));
        if let Some(against) = against {
            run.insert("against".into(), json!(first));
            run.insert("comparisons".into(), json!(against.comparisons));
            run.insert("control_comparisons".into(), json!(against.control));
        }
        if let Some(control) = &measured.control {
            run.insert("control".into(), Value::Object(control.json(per_record)));
        }
        Some(Value::Object(run))
    }
}
