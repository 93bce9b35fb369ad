//! Rows that could not become records: all counted, the first told.

use crate::{data::Problem, protocol::studio::Rejected};

/// Reasons that are told.
const TOLD: usize = 200;

#[derive(Default)]
pub(super) struct Rejections {
    pub(super) n: u64,
    pub(super) first: Vec<Rejected>,
}

impl Rejections {
    pub(super) fn push(&mut self, part: &str, line: u64, problems: &[Problem]) {
        self.n += 1;
        if self.first.len() < TOLD {
            self.first.push(Rejected {
                part: part.into(),
                line,
                // The first of the worst.
                problem: problems
                    .iter()
                    .min_by_key(|problem| problem.severity)
                    .map(Problem::of_row),
            });
        }
    }
}
