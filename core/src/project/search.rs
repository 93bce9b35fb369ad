//! What people look for, and whether a record says it.
//!
//! Words come from the index as far as it reaches; behind it, and for a text or a regular expression,
//! the texts are looked at one by one. Both go by [`super::words`] and find the same.

mod glance;
mod hits;
mod literals;
mod needle;
mod scan;

use regex::{Regex, RegexBuilder};

pub(super) use hits::{Hits, indexed_up_to};

use super::{
    ProjectError,
    spoken::Spoken,
    words::{self, Case, Phrase},
};
use crate::protocol::studio::{self, Search, SearchMode, TurnRole};
use literals::Literals;
use needle::Needle;
use scan::Scan;

/// A search made ready for many records.
pub(super) struct Finder {
    role: Option<TurnRole>,
    pattern: Pattern,
    /// What a stored record must hold as JSON, all of them, quick to look for.
    stored: Vec<Regex>,
    /// What texts in memory are looked through for.
    scan: Scan,
    /// What is shown of a match: the first of these places.
    shown: Vec<Regex>,
}

enum Pattern {
    Words {
        phrases: Vec<Phrase>,
        case: Case,
        /// For the index, which knows no case.
        folded: Vec<Phrase>,
    },
    Text(Regex),
}

/// More words than this are not looked up in the index one by one.
const MOST_WORDS: usize = 100;

impl Finder {
    /// `None` where nothing is looked for.
    ///
    /// # Errors
    /// If the regular expression is none.
    pub(super) fn new(search: &Search) -> Result<Option<Self>, ProjectError> {
        if search.text.is_empty() {
            return Ok(None);
        }
        match search.mode {
            SearchMode::Words => Self::words(search),
            SearchMode::Text => Self::literal(search, &search.text).map(Some),
            SearchMode::Regex => {
                let regex = regex(&search.text, search.case_sensitive)?;
                let literals = Literals::of_regex(&search.text, search.case_sensitive);
                let stored = literals.as_ref().and_then(Literals::regex);
                let scan = literals.map_or(Scan::All, Scan::of_literals);
                let stored = stored.into_iter().collect();
                Ok(Some(Self::text(search, regex, stored, scan)))
            }
        }
    }

    /// Punctuation alone is looked for as it stands; spaces alone are nothing.
    fn words(search: &Search) -> Result<Option<Self>, ProjectError> {
        let case = if search.case_sensitive {
            Case::Kept
        } else {
            Case::Folded
        };
        let phrases = words::phrases(&search.text, case);
        if phrases.is_empty() {
            let text = search.text.trim();
            return (!text.is_empty())
                .then(|| Self::literal(search, text))
                .transpose();
        }
        let folded = words::phrases(&search.text, Case::Folded);
        let longest = |phrase: &Phrase| {
            let words = phrase.words.iter();
            words.max_by_key(|word| word.len()).cloned()
        };
        let longest = folded.iter().filter_map(longest);
        let first = folded.iter().filter_map(|phrase| phrase.words.first());
        let stored: Vec<Regex> = longest.filter_map(|word| glance::of_word(&word)).collect();
        Ok(Some(Self {
            role: search.role,
            scan: stored.first().cloned().map_or(Scan::All, Scan::Sign),
            stored,
            shown: first.filter_map(|word| glance::spelled(word)).collect(),
            pattern: Pattern::Words {
                phrases,
                case,
                folded,
            },
        }))
    }

    fn literal(search: &Search, text: &str) -> Result<Self, ProjectError> {
        let stored = serde_json::Value::from(text).to_string();
        let stored = stored.strip_prefix('"').unwrap_or(&stored);
        let stored = stored.strip_suffix('"').unwrap_or(stored);
        let exactly = |text: &str| regex(&regex::escape(text), search.case_sensitive);
        let regex = exactly(text)?;
        let needle = Needle::new(text, search.case_sensitive);
        let scan = needle.map_or_else(|| Scan::Sign(regex.clone()), Scan::Itself);
        Ok(Self::text(search, regex, vec![exactly(stored)?], scan))
    }

    fn text(search: &Search, regex: Regex, stored: Vec<Regex>, scan: Scan) -> Self {
        Self {
            role: search.role,
            stored,
            scan,
            shown: vec![regex.clone()],
            pattern: Pattern::Text(regex),
        }
    }

    /// For replacing, with the expression that finds each place: words are taken as they stand.
    ///
    /// # Errors
    /// If there is nothing to look for, or the regular expression is none.
    pub(super) fn to_replace(search: &Search) -> Result<(Self, Regex), ProjectError> {
        let mode = match search.mode {
            SearchMode::Words => SearchMode::Text,
            mode => mode,
        };
        let search = Search {
            mode,
            ..search.clone()
        };
        match Self::new(&search)? {
            Some(finder) => match &finder.pattern {
                Pattern::Text(regex) => {
                    let regex = regex.clone();
                    Ok((finder, regex))
                }
                Pattern::Words { .. } => Err(nothing_to_look_for()),
            },
            None => Err(nothing_to_look_for()),
        }
    }

    pub(super) fn role(&self) -> Option<TurnRole> {
        self.role
    }

    /// What to ask the index, where it can answer.
    pub(super) fn index_query(&self) -> Option<String> {
        match &self.pattern {
            Pattern::Words { folded, .. } => {
                let n_words: usize = folded.iter().map(|phrase| phrase.words.len()).sum();
                // The columns of the index are called as what they hold.
                let column = self.role.map(TurnRole::name);
                (n_words <= MOST_WORDS).then(|| words::index_query(folded, column))
            }
            Pattern::Text(_) => None,
        }
    }

    /// Whether what the index finds must be looked at.
    pub(super) fn doubts_index(&self) -> bool {
        matches!(
            &self.pattern,
            Pattern::Words {
                case: Case::Kept,
                ..
            }
        )
    }

    /// Whether a stored record may say it, at a glance.
    pub(super) fn may_find(&self, json: &str) -> bool {
        self.stored.iter().all(|regex| regex.is_match(json))
    }

    /// Whether a stored record says it.
    pub(super) fn finds(&self, json: &str) -> Result<bool, ProjectError> {
        if !self.may_find(json) {
            return Ok(false);
        }
        let spoken = Spoken::read(json)?;
        Ok(self.is_said_in(spoken.by(self.role)))
    }

    /// Whether the texts of a record say it.
    fn is_said_in<'a>(&self, mut texts: impl Iterator<Item = &'a str>) -> bool {
        match &self.pattern {
            Pattern::Words { phrases, case, .. } => words::hold(texts, phrases, *case),
            Pattern::Text(regex) => texts.any(|text| regex.is_match(text)),
        }
    }

    /// Where the first of it is in a text, in bytes; for words, the first one of them.
    pub(super) fn place_in(&self, text: &str) -> Option<usize> {
        let places = self.shown.iter().filter_map(|regex| regex.find(text));
        places.map(|found| found.start()).min()
    }
}

fn nothing_to_look_for() -> ProjectError {
    ProjectError::CannotDo {
        reason: studio::Phrase::NothingToReplace.with([]),
    }
}

fn regex(pattern: &str, case_sensitive: bool) -> Result<Regex, ProjectError> {
    let built = RegexBuilder::new(pattern)
        .case_insensitive(!case_sensitive)
        .build();
    built.map_err(|error| ProjectError::CannotDo {
        reason: told(pattern, &error),
    })
}

/// What is wrong with a regular expression, and where.
fn told(pattern: &str, error: &regex::Error) -> String {
    if let regex::Error::CompiledTooBig(_) = error {
        return studio::Phrase::RegexTooLarge.with([]);
    }
    // The library draws the pattern indented, with a caret below the place, and ends with the cause.
    let said = error.to_string();
    let cause = said
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("error: "));
    let cause = cause.unwrap_or("it cannot be read").to_owned();
    let caret = said.lines().find(|line| line.trim_start().starts_with('^'));
    match caret.and_then(|line| line.find('^')?.checked_sub(4)) {
        Some(before) if !pattern.contains('\n') => {
            let rest: String = pattern.chars().skip(before).take(20).collect();
            studio::Phrase::RegexWrongAt.with([&(before + 1), &rest, &cause])
        }
        _ => studio::Phrase::RegexWrong.with([&cause]),
    }
}
