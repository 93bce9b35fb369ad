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
                reason: reason(problems),
            });
        }
    }
}

/// The first problem, the worst before others; its line stands beside it.
fn reason(problems: &[Problem]) -> String {
    let Some(problem) = problems.iter().min_by_key(|problem| problem.severity) else {
        return "no record stands here".into();
    };
    let mut reason = problem.kind.title().to_owned();
    if !problem.field.is_empty() {
        reason = format!("{reason} in `{}`", problem.field);
    }
    for (what, text) in [("found", &problem.found), ("expected", &problem.expected)] {
        if !text.is_empty() {
            reason = format!("{reason}, {what} {text}");
        }
    }
    reason
}
