//! Repairs that need no guessing, each one counted.
//!
//! Repaired: the byte order mark, other encodings and CRLF (the result is UTF-8 with `\n`), role
//! names that can only mean one role, control characters. Dropped: records without text or
//! without answer, and exact duplicates. Left as they are: records with any other fault. Left out,
//! and listed: what is no record at all (broken JSON, rows of another width).
//! Not touched: spelling, white space, Unicode composition, order.

use std::{
    collections::{BTreeMap, HashSet},
    io::Read,
};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    DatasetError, Encoding, Mapping, Problem, ProblemKind, Problems, ReadOptions, Reader, Severity,
    Source, columns::field_named, fingerprint::fingerprint, messages::role_meant,
    validate::is_stray_control,
};
use crate::text::Role;

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    ByteOrderMark,
    Encoding,
    LineEndings,
    Role,
    ControlCharacter,
    EmptyDropped,
    DuplicateDropped,
}

impl Change {
    pub fn title(self) -> &'static str {
        match self {
            Self::ByteOrderMark => "byte order mark taken off",
            Self::Encoding => "file written as UTF-8",
            Self::LineEndings => "CRLF line endings written as LF",
            Self::Role => "roles renamed",
            Self::ControlCharacter => "texts freed of control characters",
            Self::EmptyDropped => "empty records dropped",
            Self::DuplicateDropped => "exact duplicates dropped",
        }
    }
}

/// A repaired dataset.
#[derive(Debug)]
pub struct Fixed {
    /// Records in the words of the file, to be written by [`super::write_rows`].
    pub rows: Vec<Map<String, Value>>,
    pub source: Source,
    pub changes: BTreeMap<Change, u64>,
    /// What could not be taken over because it is no record.
    pub left_out: Problems,
    /// Problems that remain in what was taken over; lines are those of the original.
    pub remaining: Problems,
}

/// Read a dataset and repair it.
///
/// # Errors
/// If the dataset as a whole cannot be read.
pub fn fix(source: impl Read, options: &ReadOptions) -> Result<Fixed, DatasetError> {
    let options = ReadOptions {
        keep_raw: true,
        repair: true,
        ..options.clone()
    };
    let mut reader = Reader::new(source, options.clone())?;
    let mut fixed = Fixed {
        rows: Vec::new(),
        source: reader.source(),
        changes: BTreeMap::new(),
        left_out: Problems::keeping(options.kept_problems),
        remaining: Problems::keeping(options.kept_problems),
    };
    let mut seen = HashSet::new();
    for item in reader.by_ref() {
        let item = item?;
        for (change, n) in item.repairs {
            fixed.count(change, n);
        }
        let Some(raw) = item.raw else {
            let of_file = |problem: &Problem| problem.severity == Severity::Warning;
            let (of_file, of_row): (Vec<_>, Vec<_>) = item.problems.into_iter().partition(of_file);
            fixed.remaining.extend(of_file);
            fixed.left_out.extend(of_row);
            continue;
        };
        if item.problems.iter().any(is_empty_record) {
            fixed.count(Change::EmptyDropped, 1);
            continue;
        }
        if item
            .record
            .as_ref()
            .is_some_and(|record| !seen.insert(fingerprint(record).whole))
        {
            fixed.count(Change::DuplicateDropped, 1);
            continue;
        }
        fixed.rows.push(raw);
        fixed.remaining.extend(item.problems);
    }
    fixed.remaining.extend(reader.leftovers());
    fixed.source = reader.source();
    let source = &fixed.source;
    let of_file = [
        (source.bom, Change::ByteOrderMark),
        (source.encoding != Encoding::UTF_8, Change::Encoding),
        (source.crlf, Change::LineEndings),
    ];
    for (_, change) in of_file.into_iter().filter(|(changed, _)| *changed) {
        fixed.count(change, 1);
    }
    Ok(fixed)
}

impl Fixed {
    fn count(&mut self, change: Change, n: u64) {
        if n > 0 {
            *self.changes.entry(change).or_insert(0) += n;
        }
    }

    pub fn has_errors(&self) -> bool {
        self.remaining
            .first(1)
            .iter()
            .any(|problem| problem.severity == Severity::Error)
    }
}

fn is_empty_record(problem: &Problem) -> bool {
    matches!(
        problem.kind,
        ProblemKind::EmptyRecord | ProblemKind::EmptyAnswer
    )
}

/// Repair a record in place; returns what was done how often.
pub(crate) fn repair(object: &mut Map<String, Value>, mapping: &Mapping) -> Vec<(Change, u64)> {
    let (mut n_roles, mut n_texts) = (0, 0);
    for (key, value) in object.iter_mut() {
        if let Value::Array(messages) = value
            && holds_messages(key, mapping)
        {
            n_roles += messages
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .map(rename_role)
                .sum::<u64>();
        }
        n_texts += strip_controls(value);
    }
    vec![(Change::Role, n_roles), (Change::ControlCharacter, n_texts)]
}

/// Whether a key holds a conversation: a list under any other may speak of roles that are none of it.
fn holds_messages(key: &str, mapping: &Mapping) -> bool {
    const CONVERSATIONS: [&str; 6] = [
        "messages",
        "conversations",
        "prompt",
        "completion",
        "chosen",
        "rejected",
    ];
    let is_one = |field: &str| CONVERSATIONS.contains(&field);
    let mut mapped = mapping.0.iter();
    field_named(key).is_some_and(is_one) || mapped.any(|a| a.column == key && is_one(a.field))
}

fn rename_role(message: &mut Map<String, Value>) -> u64 {
    let (key, shared) = if message.contains_key("from") {
        ("from", true)
    } else {
        ("role", false)
    };
    let Some(Value::String(name)) = message.get_mut(key) else {
        return 0;
    };
    let Some(role) = role_meant(name) else {
        return 0;
    };
    *name = match (shared, role) {
        (true, Role::User) => "human",
        (true, Role::Assistant) => "gpt",
        (true, Role::Tool) => "observation",
        (_, role) => role.name(),
    }
    .to_owned();
    1
}

/// Take stray control characters out of every text inside; returns how many texts changed.
fn strip_controls(value: &mut Value) -> u64 {
    match value {
        Value::String(text) if text.contains(is_stray_control) => {
            text.retain(|c| !is_stray_control(c));
            1
        }
        Value::Array(items) => items.iter_mut().map(strip_controls).sum(),
        Value::Object(fields) => fields.values_mut().map(strip_controls).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{read, write_rows};

    fn fixed(text: &str) -> (String, Vec<(Change, u64)>, u64) {
        let fixed = fix(text.as_bytes(), &ReadOptions::default()).unwrap();
        let mut out = Vec::new();
        write_rows(fixed.rows.iter(), &fixed.source.shape, &mut out).unwrap();
        let n_left_out = fixed.left_out.total();
        (
            String::from_utf8(out).unwrap(),
            fixed.changes.into_iter().collect(),
            n_left_out,
        )
    }

    #[test]
    fn what_is_clear_is_repaired_and_counted() {
        let text = "\u{feff}{\"messages\":[{\"role\":\"User\",\"content\":\"a\\u0000b\"},{\"role\":\"bot\",\"content\":\"c\"}],\"id\":1}\r\n\
                    {\"messages\":[{\"role\":\"user\",\"content\":\"ab\"},{\"role\":\"assistant\",\"content\":\"c\"}],\"id\":2}\r\n\
                    {\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"\"}]}\r\n\
                    {\"messages\":[\r\n\
                    {\"messages\":[{\"role\":\"narrator\",\"content\":\"q\"}]}\r\n";
        let (out, changes, n_left_out) = fixed(text);
        assert_eq!(
            out,
            "{\"messages\":[{\"role\":\"user\",\"content\":\"ab\"},{\"role\":\"assistant\",\"content\":\"c\"}],\"id\":1}\n\
             {\"messages\":[{\"role\":\"narrator\",\"content\":\"q\"}]}\n"
        );
        assert_eq!(
            changes,
            [
                (Change::ByteOrderMark, 1),
                (Change::LineEndings, 1),
                (Change::Role, 2),
                (Change::ControlCharacter, 1),
                (Change::EmptyDropped, 1),
                (Change::DuplicateDropped, 1),
            ]
        );
        assert_eq!(n_left_out, 1);
    }

    #[test]
    fn roles_of_what_is_no_conversation_are_left_alone() {
        let (cast, edges) = ("[{\"role\":\"Model\"}]", "[{\"from\":\"User\"}]");
        let text =
            format!("{{\"question\":\"q\",\"answer\":\"a\",\"cast\":{cast},\"edges\":{edges}}}\n");
        assert_eq!(fixed(&text), (text, vec![], 0));
        let options = ReadOptions {
            mapping: Mapping::parse("messages=turns").unwrap(),
            ..ReadOptions::default()
        };
        let text = "{\"turns\":[{\"role\":\"User\",\"content\":\"q\"},{\"role\":\"Bot\",\"content\":\"a\"}]}";
        let changes = fix(text.as_bytes(), &options).unwrap().changes;
        assert_eq!(changes.into_iter().collect::<Vec<_>>(), [(Change::Role, 2)]);
    }

    #[test]
    fn a_good_file_is_not_changed() {
        let text = "Pregunta;Respuesta;Fuente\n\" a  \";\"é; \"\"x\"\"\";\nb;=c;d\n";
        let (out, changes, _) = fixed(text);
        assert_eq!(
            (out.replace("\" a  \"", " a  "), changes),
            (text.replace("\" a  \"", " a  "), vec![])
        );
        assert_eq!(
            read(out.as_bytes(), &ReadOptions::default())
                .unwrap()
                .records
                .len(),
            2
        );
    }
}
