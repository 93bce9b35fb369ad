//! Looks through the texts that are kept in memory, many records at a time.

use std::ops::Range;

use regex::Regex;

use super::{Finder, Pattern, literals::Literals, needle::Needle};
use crate::project::texts::TextRun;

/// What is looked for first; only where it is a record is looked at closely.
pub(super) enum Scan {
    /// What is searched for, as it is.
    Itself(Needle),
    /// What every match has.
    Part(Needle),
    /// What every match has, more slowly.
    Sign(Regex),
    /// Nothing is known: every record is looked at.
    All,
}

impl Scan {
    pub(super) fn of_literals(literals: Literals) -> Self {
        match literals.needle() {
            Some(needle) => Self::Part(needle),
            None => literals.regex().map_or(Self::All, Self::Sign),
        }
    }

    fn find(&self, text: &str) -> Option<Range<usize>> {
        match self {
            Self::Itself(needle) | Self::Part(needle) => needle.find(text),
            Self::Sign(regex) => regex.find(text).map(|found| found.range()),
            Self::All => Some(0..0),
        }
    }
}

impl Finder {
    /// Hands out the bodies of a run, from one place to before another, that say it.
    pub(super) fn find_in(
        &self,
        run: &TextRun,
        mut places: Range<u32>,
        found: &mut dyn FnMut(u32),
    ) {
        while !places.is_empty() {
            let span = run.span(&places);
            let Some(sign) = self.scan.find(&run.text()[span.clone()]) else {
                return;
            };
            let sign = span.start + sign.start..span.start + sign.end;
            let place = match self.scan {
                Scan::All => places.start,
                // What reaches into the next record begins in this one.
                _ => run.body_at(sign.start),
            };
            if self.is_said_at(run, place, &sign) {
                found(place);
            }
            places.start = place + 1;
        }
    }

    fn is_said_at(&self, run: &TextRun, place: u32, sign: &Range<usize>) -> bool {
        if matches!(self.scan, Scan::Itself(_)) && run.is_within(sign, self.role) {
            return true;
        }
        let text = &run.text()[run.span(&(place..place + 1))];
        let has_all = match &self.pattern {
            Pattern::Words { .. } => self.stored.iter().all(|word| word.is_match(text)),
            Pattern::Text(_) => true,
        };
        has_all && self.is_said_in(run.texts(place, self.role))
    }
}
