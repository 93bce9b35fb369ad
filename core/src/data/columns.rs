//! Which column or key of a file plays which part: guessed from names, overridable with `--map`.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{DatasetError, Format};

mod aliases;
mod ordinary;

pub(crate) use aliases::{Aliases, Known, OtherName, other_name_of};
#[cfg(feature = "studio")]
pub(crate) use ordinary::set_aside;
pub(crate) use ordinary::{Ordinary, may_be_list, put_back};

/// The fields that records are made of, and other names under which files have them.
/// The order decides where two names of one row are in the same file.
const FIELDS: [(&str, &[&str]); 25] = [
    (
        "instruction",
        &[
            "instruct",
            "instrucción",
            "instruccion",
            "指示",
            "命令",
            "指令",
        ],
    ),
    (
        "input",
        &["context", "contexto", "entrada", "入力", "文脈", "输入"],
    ),
    ("output", &["salida", "出力", "输出"]),
    (
        "query",
        &[
            "question", "q", "pregunta", "consulta", "質問", "問い", "問題", "问题", "提问",
            "user", "human",
        ],
    ),
    (
        "response",
        &[
            "answer",
            "a",
            "reply",
            "respuesta",
            "contestación",
            "contestacion",
            "回答",
            "答え",
            "応答",
            "答案",
            "assistant",
            "gpt",
            "bot",
        ],
    ),
    ("prompt", &[]),
    ("completion", &[]),
    ("text", &["texto", "テキスト", "本文", "文本"]),
    (
        "system",
        &["system_prompt", "system_message", "sistema", "システム"],
    ),
    ("history", &[]),
    ("messages", &[]),
    ("conversations", &["conversation"]),
    ("tools", &["functions"]),
    ("input_ids", &[]),
    ("labels", &[]),
    ("attention_mask", &[]),
    ("completion_mask", &[]),
    ("assistant_masks", &[]),
    ("chosen", &[]),
    ("rejected", &[]),
    ("label", &["kto_tag"]),
    ("images", &["image"]),
    ("videos", &["video"]),
    ("audios", &["audio"]),
    ("weight", &["loss_weight"]),
];

/// Which column plays which field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Mapping(pub Vec<Assignment>);

/// One field and the column it is read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assignment {
    pub field: &'static str,
    pub column: String,
}

impl Mapping {
    /// `instruction=Question,output=Answer`.
    ///
    /// # Errors
    /// On an unknown field, a missing `=`, or a field given twice.
    pub fn parse(text: &str) -> Result<Self, DatasetError> {
        let mut mapping = Self::default();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (name, column) = part.split_once('=').ok_or_else(|| fault(part, "no `=`"))?;
            mapping.assign(name, column.trim())?;
        }
        Ok(mapping)
    }

    /// Fields with the columns that play them.
    ///
    /// # Errors
    /// On an unknown field, an empty column, or a field given twice.
    pub fn of_pairs(pairs: &[(String, String)]) -> Result<Self, DatasetError> {
        let mut mapping = Self::default();
        for (name, column) in pairs {
            mapping.assign(name, column)?;
        }
        Ok(mapping)
    }

    fn assign(&mut self, name: &str, column: &str) -> Result<(), DatasetError> {
        let fault = |reason: &str| fault(&format!("{name}={column}"), reason);
        let field = canonical(name.trim()).ok_or_else(|| fault("no such field"))?;
        if column.trim().is_empty() {
            return Err(fault("no column after `=`"));
        }
        if self.has(field) {
            return Err(fault("the field is given twice"));
        }
        self.0.push(Assignment {
            field,
            column: column.to_owned(),
        });
        Ok(())
    }

    /// The column that plays a field.
    pub fn column(&self, field: &str) -> Option<&str> {
        let found = self.0.iter().find(|assignment| assignment.field == field);
        found.map(|assignment| assignment.column.as_str())
    }

    /// Questions and answers under the names that a format has for them.
    pub(crate) fn for_format(mut self, format: Format) -> Self {
        let (question, answer) = match format {
            Format::Alpaca => ("instruction", "output"),
            Format::PromptCompletion => ("prompt", "completion"),
            Format::QueryResponse => ("query", "response"),
            Format::Sharegpt | Format::Openai | Format::Text | Format::Tokenized => return self,
        };
        for (field, others) in [
            (question, ["instruction", "query", "prompt"]),
            (answer, ["output", "response", "completion"]),
        ] {
            if self.has(field) {
                continue;
            }
            let played = |a: &&mut Assignment| others.contains(&a.field);
            if let Some(assignment) = self.0.iter_mut().find(played) {
                assignment.field = field;
            }
        }
        self
    }

    /// The assignments whose columns a record has.
    pub(crate) fn of_record(&self, record: &Map<String, Value>) -> Self {
        let there = self.0.iter().filter(|a| record.contains_key(&a.column));
        Self(there.cloned().collect())
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.column(field).is_some()
    }

    /// Guess from the names of the columns. What `given` assigns is taken as it is.
    ///
    /// # Errors
    /// If `given` names a column that is not there.
    pub(crate) fn guess(names: &[String], given: &Self) -> Result<Self, DatasetError> {
        for Assignment { field, column } in &given.0 {
            if !names.contains(column) {
                return Err(DatasetError::UnmappedColumn {
                    field: (*field).into(),
                    column: column.clone(),
                    found: list(names),
                });
            }
        }
        let mut mapping = given.clone();
        let free = |mapping: &Self, name: &String| mapping.0.iter().all(|a| a.column != *name);
        for exact in [true, false] {
            for (field, synonyms) in FIELDS {
                if mapping.has(field) {
                    continue;
                }
                let fits = |name: &&String| {
                    let lower = normal_name(name);
                    let same = if exact {
                        lower == field
                    } else {
                        synonyms.contains(&lower.as_str())
                    };
                    same && free(&mapping, name)
                };
                if let Some(column) = names.iter().find(fits).cloned() {
                    mapping.0.push(Assignment { field, column });
                }
            }
        }
        Ok(mapping)
    }

    /// Only the assignments that rename something.
    pub fn renames(&self) -> impl Iterator<Item = &Assignment> {
        self.0
            .iter()
            .filter(|assignment| assignment.field != assignment.column)
    }

    /// Rename the columns of a record to the fields that they play.
    pub(crate) fn apply(&self, record: &mut Map<String, Value>) {
        for Assignment { field, column } in self.renames() {
            if let Some(value) = record.shift_remove(column) {
                // A column of the field's own name that was mapped elsewhere keeps its value.
                if let Some(own) = record.insert((*field).to_owned(), value)
                    && !record.contains_key(column)
                {
                    record.insert(column.clone(), own);
                }
            }
        }
    }
}

fn fault(found: &str, reason: &str) -> DatasetError {
    DatasetError::Mapping {
        found: found.into(),
        reason: reason.into(),
        fields: FIELDS.map(|(name, _)| name).join(", "),
    }
}

/// The field of this name.
fn canonical(name: &str) -> Option<&'static str> {
    FIELDS
        .iter()
        .map(|(field, _)| *field)
        .find(|field| *field == name)
}

fn normal_name(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

/// Whether a column of this name may be read as a field.
pub(crate) fn names_a_field(name: &str) -> bool {
    field_named(name).is_some()
}

/// The field as which a column of this name may be read.
pub(crate) fn field_named(name: &str) -> Option<&'static str> {
    let lower = normal_name(name);
    let is_it =
        |(field, synonyms): &&(&str, &[&str])| *field == lower || synonyms.contains(&&*lower);
    FIELDS.iter().find(is_it).map(|(field, _)| *field)
}

/// The known field that a name is a misspelling of: one or two letters off, and none itself.
pub(crate) fn near_miss(name: &str) -> Option<&'static str> {
    let lower = normal_name(name);
    // Short names are near to everything; plural forms of common columns are no misspellings.
    if lower.chars().count() < 5 || names_a_field(name) || ordinary::is_aside(name) {
        return None;
    }
    let near = |field: &&str| {
        let allowed = if field.len() >= 8 { 2 } else { 1 };
        field.len() >= 5 && edit_distance(&lower, field) <= allowed
    };
    FIELDS.iter().map(|(field, _)| *field).find(near)
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
pub(crate) fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let width = b.len() + 1;
    let mut cost = vec![0; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            cost[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = cost[(i - 1) * width + j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let shifted = cost[(i - 1) * width + j].min(cost[i * width + j - 1]) + 1;
                let swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                let swapped = if swap {
                    cost[(i - 2) * width + j - 2] + 1
                } else {
                    usize::MAX
                };
                replaced.min(shifted).min(swapped)
            };
        }
    }
    cost[cost.len() - 1]
}

/// Names in backticks, at most eight of them.
pub(crate) fn list(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    if names.len() > SHOWN {
        shown.push(format!("and {} more", names.len() - SHOWN));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split(',').map(String::from).collect()
    }

    fn guessed(text: &str, map: &str) -> Vec<(&'static str, String)> {
        let mapping = Mapping::guess(&names(text), &Mapping::parse(map).unwrap()).unwrap();
        mapping.0.into_iter().map(|a| (a.field, a.column)).collect()
    }

    #[test]
    fn guesses_names_in_several_languages() {
        assert_eq!(
            guessed("Pregunta,Respuesta", ""),
            [
                ("query", "Pregunta".into()),
                ("response", "Respuesta".into())
            ]
        );
        assert_eq!(
            guessed("質問,回答,備考", "")[1],
            ("response", "回答".into())
        );
    }

    #[test]
    fn an_exact_name_wins_over_a_synonym() {
        assert_eq!(
            guessed("context,input,instruction", ""),
            [
                ("instruction", "instruction".into()),
                ("input", "input".into())
            ]
        );
    }

    #[test]
    fn what_is_given_is_not_guessed_again() {
        let found = guessed("Question,Answer", "instruction=Question,output=Answer");
        assert_eq!(
            found,
            [
                ("instruction", "Question".into()),
                ("output", "Answer".into())
            ]
        );
    }

    #[test]
    fn faults_in_a_map_are_named() {
        for (map, reason) in [
            ("a=b", "no such field"),
            ("input", "no `=`"),
            ("input=a,input=b", "twice"),
            ("input=", "no column"),
        ] {
            let error = Mapping::parse(map).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        let given = Mapping::parse("output=Antwort").unwrap();
        let error = Mapping::guess(&names("Frage,Reply"), &given)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("no column `Antwort` (it has `Frage`, `Reply`)"),
            "{error}"
        );
    }

    #[test]
    fn swapping_two_columns_loses_neither() {
        let Value::Object(mut record) = serde_json::json!({"input": "i", "output": "o"}) else {
            panic!()
        };
        Mapping::parse("input=output,output=input")
            .unwrap()
            .apply(&mut record);
        assert_eq!(record.len(), 2);
    }

    #[test]
    fn a_format_has_its_own_names_for_question_and_answer() {
        let mapping = Mapping::parse("query=Pregunta,response=Respuesta,system=s").unwrap();
        let mapping = mapping.for_format(Format::Alpaca);
        let columns = ["instruction", "output", "system"].map(|field| mapping.column(field));
        assert_eq!(columns, [Some("Pregunta"), Some("Respuesta"), Some("s")]);
        let kept = Mapping::parse("prompt=a,query=b,completion=c").unwrap();
        assert_eq!(kept.clone().for_format(Format::PromptCompletion), kept);
    }

    #[test]
    fn misspellings_are_recognised_and_other_names_left_alone() {
        for (name, field) in [
            ("instrction", "instruction"),
            ("mesages", "messages"),
            ("ouptut", "output"),
            ("convresations", "conversations"),
        ] {
            assert_eq!(near_miss(name), Some(field));
        }
        for name in [
            "source", "title", "context", "id", "tags", "output", "category", "import",
        ] {
            assert_eq!(near_miss(name), None, "{name}");
        }
    }
}
