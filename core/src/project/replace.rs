//! Search and replace in the texts of messages: what it would do, and doing it.
//!
//! Invariant: a preview and the change go by the same [`Replacer`], so that they cannot differ.

use regex::{Captures, Regex};
use rusqlite::{Connection, OptionalExtension as _};

use super::{Project, ProjectError, Step, Task, Work, search::Finder, spoken::Spoken};
use crate::{
    protocol::studio::{
        Phrase, RecordKey, Replace, Replacement, Replacements, SearchMode, StudioProgress,
        StudioStage, Target, TurnRole,
    },
    text::{Body, Record},
};

/// Records that a step of a preview looks at.
const RECORDS_A_STEP: usize = 500;

const MOST_EXAMPLES: usize = 50;

/// Characters around a match that an example shows on either side.
const AROUND_CHARS: usize = 40;

impl Project {
    /// What [`Change::Replace`](crate::protocol::studio::Change) would do; nothing is changed.
    pub fn preview_replace(&self, target: Target, replace: Replace) -> Task<Replacements> {
        Box::new(PreviewWork::New(Some((target, replace))))
    }
}

/// A replacement made ready for many texts.
pub(super) struct Replacer {
    finder: Finder,
    regex: Regex,
    pieces: Vec<Piece>,
}

enum Piece {
    Text(String),
    Group(usize),
}

impl Replacer {
    /// # Errors
    /// If there is nothing to look for, the regular expression is none, or what it is replaced with
    /// names a group that it does not have.
    pub(super) fn new(replace: &Replace) -> Result<Self, ProjectError> {
        let (finder, regex) = Finder::to_replace(&replace.search)?;
        let pieces = match replace.search.mode {
            SearchMode::Regex => pieces(&replace.with, &regex)?,
            SearchMode::Words | SearchMode::Text => vec![Piece::Text(replace.with.clone())],
        };
        Ok(Self {
            finder,
            regex,
            pieces,
        })
    }

    /// Whether there is anything to replace in a stored text; quicker than to try.
    pub(super) fn finds(&self, db: &Connection, body: i64) -> Result<bool, ProjectError> {
        let mut statement = db.prepare_cached("SELECT json FROM content WHERE body = ?1")?;
        let mut rows = statement.query([body])?;
        let Some(row) = rows.next()? else {
            return Ok(false);
        };
        let json = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        self.finder.finds(json)
    }

    pub(super) fn apply(&self, record: &mut Record) {
        match &mut record.body {
            Body::Chat(chat) => {
                for message in &mut chat.messages {
                    let role = super::content::turn_role(message.role);
                    if let Some(text) = message.content.as_mut().filter(|_| self.goes_to(role)) {
                        self.replace(text);
                    }
                }
            }
            Body::Text { prompt, completion } => {
                // Where there is no prompt, the whole text is the completion.
                let prompt = Some(prompt).filter(|prompt| !prompt.is_empty());
                if let Some(prompt) = prompt.filter(|_| self.goes_to(TurnRole::User)) {
                    self.replace(prompt);
                }
                if self.goes_to(TurnRole::Assistant) {
                    self.replace(completion);
                }
            }
            Body::Tokens(_) => {}
        }
    }

    fn goes_to(&self, role: TurnRole) -> bool {
        self.finder.role().is_none_or(|only| only == role)
    }

    fn replace(&self, text: &mut String) {
        let replaced = self
            .regex
            .replace_all(text, |found: &Captures<'_>| self.instead_of(found));
        if let std::borrow::Cow::Owned(replaced) = replaced {
            *text = replaced;
        }
    }

    fn instead_of(&self, found: &Captures<'_>) -> String {
        let group = |group: &usize| found.get(*group).map_or("", |found| found.as_str());
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Group(number) => group(number),
        });
        pieces.collect()
    }

    /// Adds what would become of a stored text.
    fn preview(&self, record: u64, json: &str, to: &mut Replacements) -> Result<(), ProjectError> {
        let spoken = Spoken::read(json)?;
        let mut is_changed = false;
        for message in spoken
            .messages()
            .filter(|message| self.goes_to(message.role))
        {
            for found in self.regex.captures_iter(&message.text) {
                let (Some(place), instead) = (found.get(0), self.instead_of(&found)) else {
                    continue;
                };
                if instead == place.as_str() {
                    continue;
                }
                is_changed = true;
                to.n_matches += 1;
                if to.examples.len() < MOST_EXAMPLES {
                    let (before, after) = around(&message.text, place.range());
                    to.examples.push(Replacement {
                        record: RecordKey(record),
                        message: message.number,
                        before: format!("{before}{}{after}", place.as_str()),
                        after: format!("{before}{instead}{after}"),
                    });
                }
            }
        }
        to.n_records += u64::from(is_changed);
        Ok(())
    }
}

/// A little of the text on either side.
fn around(text: &str, range: std::ops::Range<usize>) -> (&str, &str) {
    let (before, after) = (&text[..range.start], &text[range.end..]);
    let start = before.char_indices().rev().take(AROUND_CHARS).last();
    let end = after.char_indices().nth(AROUND_CHARS);
    (
        &before[start.map_or(before.len(), |(at, _)| at)..],
        &after[..end.map_or(after.len(), |(at, _)| at)],
    )
}

/// `$1`, `$name`, `${name}` are groups, `$$` is a dollar sign; `\n` is a line break, `\t` a tab, `\\` a
/// backslash.
fn pieces(with: &str, regex: &Regex) -> Result<Vec<Piece>, ProjectError> {
    let mut pieces = Vec::new();
    let mut rest = with;
    while let Some(at) = rest.find(['$', '\\']) {
        let (text, sign) = rest.split_at(at);
        pieces.push(Piece::Text(text.to_owned()));
        let (piece, behind) = match sign.strip_prefix('$') {
            Some(behind) => of_dollar(behind, regex)?,
            None => of_backslash(sign),
        };
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}

/// What a dollar sign begins, and what is left behind it.
fn of_dollar<'a>(behind: &'a str, regex: &Regex) -> Result<(Piece, &'a str), ProjectError> {
    if let Some(behind) = behind.strip_prefix('$') {
        return Ok((Piece::Text("$".into()), behind));
    }
    let in_braces = behind.strip_prefix('{').and_then(|b| b.split_once('}'));
    let (name, behind) = in_braces.unwrap_or_else(|| {
        // A number ends with its digits, so that something may be written behind it.
        let is_number = behind.starts_with(|char: char| char.is_ascii_digit());
        let goes_on = |char: char| match is_number {
            true => char.is_ascii_digit(),
            false => char.is_ascii_alphanumeric() || char == '_',
        };
        let end = behind.find(|char| !goes_on(char)).unwrap_or(behind.len());
        behind.split_at(end)
    });
    let piece = match name {
        "" => Piece::Text("$".into()),
        name => Piece::Group(group(name, regex)?),
    };
    Ok((piece, behind))
}

/// What a backslash begins, and what is left behind it.
fn of_backslash(text: &str) -> (Piece, &str) {
    let signs = [("\\n", "\n"), ("\\t", "\t"), ("\\\\", "\\"), ("\\", "\\")];
    let mut known = signs.into_iter();
    let known = known.find_map(|(sign, meant)| Some((meant, text.strip_prefix(sign)?)));
    let (meant, behind) = known.unwrap_or((text, ""));
    (Piece::Text(meant.to_owned()), behind)
}

fn group(name: &str, regex: &Regex) -> Result<usize, ProjectError> {
    let number = match name.parse() {
        Ok(number) => Some(number).filter(|number| *number < regex.captures_len()),
        Err(_) => regex.capture_names().position(|known| known == Some(name)),
    };
    number.ok_or_else(|| ProjectError::CannotDo {
        reason: Phrase::NoSuchGroup.with([&name]),
    })
}

enum PreviewWork {
    New(Option<(Target, Replace)>),
    Going(Box<Going>),
}

struct Going {
    replacer: Replacer,
    records: Vec<u64>,
    n_seen: usize,
    found: Replacements,
}

impl Work for PreviewWork {
    type Output = Replacements;

    fn step(&mut self, project: &mut Project) -> Result<Step<Replacements>, ProjectError> {
        if let Self::New(asked) = self {
            let (target, replace) = asked.take().ok_or(ProjectError::Cancelled)?;
            *self = Self::Going(Box::new(Going {
                replacer: Replacer::new(&replace)?,
                records: project.target_ids(&target)?,
                n_seen: 0,
                found: Replacements::default(),
            }));
        }
        match self {
            Self::Going(going) => going.step(project.store.settled()?),
            Self::New(_) => Err(ProjectError::Cancelled),
        }
    }
}

impl Going {
    fn step(&mut self, db: &Connection) -> Result<Step<Replacements>, ProjectError> {
        let sql = "SELECT body FROM record WHERE id = ?1 AND state < 2";
        let mut body_of = db.prepare_cached(sql)?;
        let mut json_of = db.prepare_cached("SELECT json FROM content WHERE body = ?1")?;
        let end = self.records.len().min(self.n_seen + RECORDS_A_STEP);
        for &record in &self.records[self.n_seen..end] {
            let body = body_of
                .query_row([record], |row| row.get::<_, i64>(0))
                .optional()?;
            let Some(body) = body else { continue };
            let mut rows = json_of.query([body])?;
            if let Some(row) = rows.next()? {
                let json = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
                if self.replacer.finder.may_find(json) {
                    self.replacer.preview(record, json, &mut self.found)?;
                }
            }
        }
        self.n_seen = end;
        if end == self.records.len() {
            return Ok(Step::Done(std::mem::take(&mut self.found)));
        }
        Ok(Step::More(StudioProgress {
            stage: StudioStage::Searching,
            what: String::new(),
            done: end as u64,
            total: self.records.len() as u64,
        }))
    }
}

#[cfg(test)]
mod tests;
