//! A text into the project, with everything that is derived from it and never changes again.

use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, params};

use super::{
    ProjectError,
    content::{Origin, to_stored, turn_role},
    names,
};
use crate::{
    data::{
        Body, Fingerprint, Place, Problem, Record, Severity, fingerprint, language, n_chars,
        validate,
    },
    protocol::studio::TurnRole,
    text::{Message, Role},
};

/// Characters of a text that lists show.
const START_CHARS: usize = 160;

/// Name of the check whose findings a body has from the start.
pub(super) const RECORD_CHECK: &str = "record";

/// Stores a new body and returns its id, which is larger than that of every body before.
///
/// # Errors
/// If the database refuses.
pub(super) fn insert_body(
    db: &Connection,
    record: Record,
    origin: Origin,
) -> Result<i64, ProjectError> {
    let place = Place { line: 0, record: 0 };
    let problems = validate(&record, origin.format, place);
    BodyWriter::new(db)?.insert(NewBody::of(record, origin, problems)?)
}

/// A text with everything that is derived from it, not yet in the project.
pub(super) struct NewBody {
    print: Fingerprint,
    n_chars: u64,
    n_turns: u64,
    roles: u32,
    language: &'static str,
    problems: Vec<Problem>,
    starts: Starts,
    /// Names of the columns beside the text.
    fields: Vec<String>,
    json: String,
}

impl NewBody {
    /// `problems` are those of the record.
    ///
    /// # Errors
    /// If the record cannot be written as JSON.
    pub(super) fn of(
        record: Record,
        origin: Origin,
        problems: Vec<Problem>,
    ) -> Result<Self, ProjectError> {
        let (n_turns, roles) = turns(&record);
        Ok(Self {
            print: fingerprint(&record),
            n_chars: n_chars(&record) as u64,
            n_turns,
            roles,
            language: language(&record).unwrap_or_default(),
            problems,
            starts: Starts::of(&record),
            fields: record.extra.keys().cloned().collect(),
            json: to_stored(record, origin)?,
        })
    }
}

/// Puts bodies into the project, one after the other in one transaction.
pub(super) struct BodyWriter<'db> {
    db: &'db Connection,
    body: CachedStatement<'db>,
    content: CachedStatement<'db>,
    /// Sets of names that were asked for; most texts of a file have the same.
    sets: HashMap<Vec<String>, i64>,
}

impl<'db> BodyWriter<'db> {
    /// # Errors
    /// If the database refuses.
    pub(super) fn new(db: &'db Connection) -> Result<Self, ProjectError> {
        Ok(Self {
            db,
            body: db.prepare_cached(
                "INSERT INTO body (prompt_print, whole_print, n_chars, n_turns, roles, language,
                    n_errors, n_warnings, system, prompt, answer, fields)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?,
            content: db.prepare_cached("INSERT INTO content (body, json) VALUES (?1, ?2)")?,
            sets: HashMap::new(),
        })
    }

    /// The body's id, which is larger than that of every body before.
    ///
    /// # Errors
    /// If the database refuses.
    pub(super) fn insert(&mut self, new: NewBody) -> Result<i64, ProjectError> {
        let n_errors = new.problems.iter().filter(|p| is_error(p)).count();
        let fields = match self.sets.get(&new.fields) {
            Some(set) => *set,
            None => {
                let set = names::set_of(self.db, new.fields.clone())?;
                *self.sets.entry(new.fields).or_insert(set)
            }
        };
        self.body.execute(params![
            new.print.prompt.to_be_bytes(),
            new.print.whole.to_be_bytes(),
            new.n_chars,
            new.n_turns,
            new.roles,
            new.language,
            n_errors as u64,
            (new.problems.len() - n_errors) as u64,
            new.starts.system,
            new.starts.prompt,
            new.starts.answer,
            fields,
        ])?;
        let body = self.db.last_insert_rowid();
        self.content.execute(params![body, new.json])?;
        for problem in &new.problems {
            insert_finding(self.db, body, problem)?;
        }
        Ok(body)
    }
}

fn is_error(problem: &Problem) -> bool {
    problem.severity == Severity::Error
}

fn insert_finding(db: &Connection, body: i64, problem: &Problem) -> Result<(), ProjectError> {
    let mut statement = db.prepare_cached(
        "INSERT INTO finding (body, \"check\", kind, is_error, field, found, expected, advice)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    statement.execute(params![
        body,
        RECORD_CHECK,
        problem.kind.name(),
        is_error(problem),
        problem.field,
        problem.found,
        problem.expected,
        problem.advice,
    ])?;
    Ok(())
}

/// Number of messages, and one bit a role in the order of [`TurnRole::ALL`].
fn turns(record: &Record) -> (u64, u32) {
    match &record.body {
        Body::Chat(chat) => {
            let bits = chat.messages.iter().map(|m| role_bit(turn_role(m.role)));
            (
                chat.messages.len() as u64,
                bits.fold(0, |all, bit| all | bit),
            )
        }
        Body::Text { prompt, .. } if !prompt.is_empty() => {
            (2, role_bit(TurnRole::User) | role_bit(TurnRole::Assistant))
        }
        Body::Text { .. } | Body::Tokens(_) => (1, role_bit(TurnRole::Assistant)),
    }
}

/// The bit of `body.roles` that stands for a role.
pub(super) fn role_bit(role: TurnRole) -> u32 {
    let place = TurnRole::ALL.iter().position(|other| *other == role);
    1 << place.unwrap_or_default()
}

/// What lists show of a record: the beginnings of its last question and answer.
struct Starts {
    system: String,
    prompt: String,
    answer: String,
}

impl Starts {
    fn of(record: &Record) -> Self {
        match &record.body {
            Body::Chat(chat) => {
                let last = |role: Role| {
                    let found = chat.messages.iter().rfind(|message| message.role == role);
                    found.map(shown).unwrap_or_default()
                };
                let first = chat.messages.first();
                let system = first.filter(|m| matches!(m.role, Role::System | Role::Developer));
                Self {
                    system: system.map(shown).unwrap_or_default(),
                    prompt: last(Role::User),
                    answer: last(Role::Assistant),
                }
            }
            Body::Text { prompt, completion } => Self {
                system: String::new(),
                prompt: start(prompt),
                answer: start(completion),
            },
            Body::Tokens(encoded) => {
                let ids = encoded.input_ids.iter().take(START_CHARS / 4);
                let ids: Vec<String> = ids.map(u32::to_string).collect();
                Self {
                    system: String::new(),
                    prompt: String::new(),
                    answer: ids.join(" "),
                }
            }
        }
    }
}

/// Its text, or the first call where there is none.
fn shown(message: &Message) -> String {
    match message.tool_calls.first() {
        Some(call) if message.text().is_empty() => start(&call.to_string()),
        _ => start(message.text()),
    }
}

/// The first characters on one line.
fn start(text: &str) -> String {
    let mut start = String::with_capacity(text.len().min(2 * START_CHARS));
    for c in text.trim_start().chars().take(START_CHARS) {
        start.push(if c.is_control() { ' ' } else { c });
    }
    start
}
