//! Rows that could not become records: all counted, the first told; and what is no row and was not read.

use crate::{
    data::{Problem, ProblemKind},
    protocol::studio::Rejected,
};

/// Reasons that are told, of rows and of what is none.
const TOLD: usize = 200;

#[derive(Default)]
pub(super) struct Rejections {
    /// Rows.
    pub(super) n: u64,
    pub(super) first: Vec<Rejected>,
    /// Lists, columns and the like; also what is to be said of the file as a whole.
    pub(super) unread: Vec<Rejected>,
}

impl Rejections {
    /// Whether it was a row.
    pub(super) fn push(&mut self, part: &str, line: u64, problems: &[Problem]) -> bool {
        // The first of the worst.
        let worst = problems.iter().min_by_key(|problem| problem.severity);
        let of_file = [ProblemKind::UnreadKey, ProblemKind::OddRows];
        let is_row = worst.is_none_or(|problem| !of_file.contains(&problem.kind));
        self.n += u64::from(is_row);
        let told = if is_row {
            &mut self.first
        } else {
            &mut self.unread
        };
        if told.len() < TOLD {
            told.push(Rejected {
                part: part.into(),
                line,
                problem: worst.map(Problem::of_row),
            });
        }
        is_row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Place;

    #[test]
    fn what_is_no_row_is_not_counted_as_one() {
        let mut rejections = Rejections::default();
        let place = Place { line: 1, record: 0 };
        let mut push = |kind| rejections.push("a", 1, &[Problem::new(kind, place, "test")]);
        assert!(push(ProblemKind::BrokenRow));
        assert!(!push(ProblemKind::UnreadKey));
        assert!(!push(ProblemKind::OddRows));
        assert!(rejections.push("a", 1, &[]));
        let Rejections { n, first, unread } = rejections;
        assert_eq!((n, first.len(), unread.len()), (2, 2, 2));
    }
}
