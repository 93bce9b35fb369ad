//! Quotes that close a cell and have text behind them.
//!
//! The csv crate reads such a cell to the next separator. Where a quote was written once too often, that
//! is rows further down, and what lies between is one cell. So the bytes are followed as it follows them.

use crate::{
    data::{Place, Problem, ProblemKind},
    protocol::studio::Phrase,
};

/// Follows the quotes of a table.
#[derive(Debug)]
pub(super) struct Quotes {
    separator: u8,
    at: At,
    /// From 1.
    line: u64,
    opened_in: u64,
    n_loose: u64,
    /// Where the first cell opens that has text behind its quote, and where its quote closes; one that
    /// holds line breaks goes before others.
    first: Option<(u64, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Bare,
    Quoted,
    Closed,
    /// Blanks behind a closing quote.
    Blank,
}

impl Quotes {
    pub(super) fn new(separator: u8) -> Self {
        Self {
            separator,
            at: At::Start,
            line: 1,
            opened_in: 1,
            n_loose: 0,
            first: None,
        }
    }

    pub(super) fn follow(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.at = self.behind(byte);
            self.line += u64::from(byte == b'\n');
        }
    }

    fn behind(&mut self, byte: u8) -> At {
        let ends_cell = byte == self.separator || matches!(byte, b'\n' | b'\r');
        match (self.at, byte) {
            (At::Quoted, b'"') => At::Closed,
            (At::Quoted, _) | (At::Closed, b'"') => At::Quoted,
            _ if ends_cell => At::Start,
            (At::Start, b'"') => {
                self.opened_in = self.line;
                At::Quoted
            }
            (At::Start | At::Bare, _) => At::Bare,
            (At::Closed | At::Blank, b' ' | b'\t') => At::Blank,
            (At::Closed | At::Blank, _) => {
                self.note();
                At::Bare
            }
        }
    }

    fn note(&mut self) {
        self.n_loose += 1;
        let found = (self.opened_in, self.line);
        let has_break = |(opened, closed): (u64, u64)| closed > opened;
        match self.first {
            Some(first) if has_break(first) || !has_break(found) => {}
            _ => self.first = Some(found),
        }
    }

    pub(super) fn problem(&self) -> Option<Problem> {
        let (opened, closed) = self.first?;
        let n = self.n_loose;
        let found = match n {
            _ if closed > opened => Phrase::QuoteOverLines.with([&opened, &closed]),
            1 => Phrase::LooseQuote.with([&n]),
            _ => Phrase::LooseQuotes.with([&n]),
        };
        let place = Place {
            line: opened,
            record: 0,
        };
        let problem = Problem::new(ProblemKind::OddRows, place, "").found(found);
        let problem = problem.expected(Phrase::BehindQuote.english());
        Some(problem.advice(
            "look at this line: take out a stray quote, or write quotes inside a quoted cell twice",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<String> {
        let mut quotes = Quotes::new(b';');
        quotes.follow(text.as_bytes());
        quotes.problem().map(|problem| problem.to_string())
    }

    #[test]
    fn rows_that_a_stray_quote_swallows_are_named() {
        let text = "id;name;brand\n1;\"MEGA &C .;Q8\n2;\"F.LLI\";Agip\n3;ROSSI;Eni\n";
        let said = said(text).unwrap();
        assert!(
            said.starts_with("line 2: rows that may be broken"),
            "{said}"
        );
        assert!(
            said.contains("opens in line 2 and closes in line 3"),
            "{said}"
        );
    }

    #[test]
    fn text_behind_a_closing_quote_is_counted() {
        let said = said("a;b\n\"x \"y\" z\";1\n\"q\"r;\"s\nt\"\n").unwrap();
        assert!(
            said.contains("line 2") && said.contains("2 cells with text"),
            "{said}"
        );
    }

    #[test]
    fn quotes_that_are_closed_are_no_fault() {
        for text in [
            "a;b\n\"x;\ny\";\"say \"\"hi\"\"\"\r\n5\" disk;\"z\" \n;\"\"\n",
            "a\n\"never closed\n",
        ] {
            assert_eq!(said(text), None);
        }
    }
}
