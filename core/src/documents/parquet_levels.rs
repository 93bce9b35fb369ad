//! What is missing and what is repeated in the columns of a Parquet file, checked before rows are
//! put together.
//!
//! A value comes with two levels (Dremel, Melnik et al. 2010): at which list it goes on (`rep`), and
//! how much of its path is there (`def`). Columns of one struct or list must tell the same story: the
//! library stops the program where one has a value that the other says is not there.

use parquet::{basic::Repetition, schema::types::Type};

/// The levels of a column in one row group, one of each a value.
#[derive(Debug, Default)]
pub(super) struct Levels {
    pub(super) rep: Vec<u8>,
    pub(super) def: Vec<u8>,
}

impl Levels {
    /// What is said down to levels `rep` and `def`; deeper entries are part of an earlier one.
    fn down_to(&self, rep: u8, def: u8) -> impl Iterator<Item = (u8, u8)> {
        let entries = self.rep.iter().copied().zip(self.def.iter().copied());
        let entries = entries.filter(move |(r, _)| *r <= rep);
        entries.map(move |(r, d)| (r, d.min(def)))
    }
}

/// Compare the columns of one field with each other; `columns` are its leaves in their order.
///
/// # Errors
/// What is wrong.
pub(super) fn check_levels(field: &Type, columns: &[Levels]) -> Result<(), &'static str> {
    let mut walk = Walk {
        columns,
        next: 0,
        lists: Vec::new(),
    };
    walk.node(field, 0).map(|_| ())
}

struct Walk<'a> {
    columns: &'a [Levels],
    /// The leaf that comes next.
    next: usize,
    /// Of every list around a node, the level from which it has an element.
    lists: Vec<u8>,
}

impl<'a> Walk<'a> {
    /// The first leaf below `field`.
    fn node(&mut self, field: &Type, def: u8) -> Result<&'a Levels, &'static str> {
        const UNKNOWN: &str = "its levels and its type do not fit together";
        let repetition = field.get_basic_info().repetition();
        let def = def + u8::from(repetition != Repetition::REQUIRED);
        let is_list = repetition == Repetition::REPEATED;
        if is_list {
            self.lists.push(def);
        }
        let first = if field.is_primitive() {
            let column = self.columns.get(self.next).ok_or(UNKNOWN)?;
            self.next += 1;
            self.leaf(column)?;
            column
        } else {
            let rep = self.lists.len() as u8;
            let (first, others) = field.get_fields().split_first().ok_or(UNKNOWN)?;
            let first = self.node(first, def)?;
            for other in others {
                let other = self.node(other, def)?;
                if !first.down_to(rep, def).eq(other.down_to(rep, def)) {
                    return Err("columns of one struct disagree about what is there");
                }
            }
            first
        };
        if is_list {
            self.lists.pop();
        }
        Ok(first)
    }

    /// A list goes on only where it had an element before, and has one then.
    fn leaf(&self, column: &Levels) -> Result<(), &'static str> {
        let mut before = None;
        for (rep, def) in column.down_to(u8::MAX, u8::MAX) {
            let least = match rep {
                0 => 0,
                _ => *self
                    .lists
                    .get(usize::from(rep) - 1)
                    .ok_or("a list in no list")?,
            };
            if rep > 0 && (def < least || before.is_none_or(|before| before < least)) {
                return Err("a list goes on that has no elements");
            }
            before = Some(def);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use parquet::schema::parser::parse_message_type;

    use super::*;

    const SCHEMA: &str = "message m { optional group turns (LIST) { repeated group list { \
        optional group element { optional binary role; required binary text; } } } }";

    #[track_caller]
    fn check(role: &[(u8, u8)], text: &[(u8, u8)]) -> Result<(), &'static str> {
        let levels = |entries: &[(u8, u8)]| Levels {
            rep: entries.iter().map(|entry| entry.0).collect(),
            def: entries.iter().map(|entry| entry.1).collect(),
        };
        let schema = parse_message_type(SCHEMA).unwrap();
        check_levels(&schema.get_fields()[0], &[levels(role), levels(text)])
    }

    #[test]
    fn columns_that_agree_pass() {
        // Two turns, the second without a role; no list; an empty list; a turn that is null.
        let role = [(0, 4), (1, 3), (0, 0), (0, 1), (0, 2)];
        let text = [(0, 3), (1, 3), (0, 0), (0, 1), (0, 2)];
        assert_eq!(check(&role, &text), Ok(()));
    }

    #[test]
    fn columns_that_disagree_are_named() {
        let disagree = Err("columns of one struct disagree about what is there");
        assert_eq!(check(&[(0, 4)], &[(0, 2)]), disagree);
        assert_eq!(check(&[(0, 4), (1, 4)], &[(0, 3), (0, 3)]), disagree);
        assert_eq!(check(&[(0, 4)], &[]), disagree);
        let no_elements = Err("a list goes on that has no elements");
        assert_eq!(check(&[(0, 1), (1, 4)], &[(0, 1), (1, 3)]), no_elements);
        assert_eq!(check(&[(0, 4), (1, 1)], &[(0, 3), (1, 1)]), no_elements);
        assert_eq!(check(&[(1, 4)], &[(1, 3)]), no_elements);
        assert_eq!(check(&[(2, 4)], &[(2, 3)]), Err("a list in no list"));
    }
}
