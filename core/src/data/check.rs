//! Faults that show only when records are seen side by side, or when their length is measured.

use super::{
    Loaded, Place, Problem, ProblemKind, Problems, Record,
    fingerprint::{fingerprint, first_before},
    measure::n_chars,
};

/// Characters from which a record is reported as over-long when no tokenizer is at hand: more than
/// the usual 2048 tokens in any language.
pub const DEFAULT_MAX_CHARS: usize = 20_000;

/// What to look for.
pub struct CheckOptions<'a> {
    /// Longest record, in tokens where `n_tokens` is given, otherwise in characters.
    pub max_length: usize,
    /// Counts the tokens of a record.
    pub n_tokens: Option<&'a dyn Fn(&Record) -> usize>,
    /// Problems of each kind whose text is kept.
    pub kept_problems: usize,
}

impl Default for CheckOptions<'_> {
    fn default() -> Self {
        Self {
            max_length: DEFAULT_MAX_CHARS,
            n_tokens: None,
            kept_problems: super::DEFAULT_KEPT_PER_KIND,
        }
    }
}

/// Every problem of a dataset: those found in reading, and those between records.
pub fn check(loaded: &Loaded, options: &CheckOptions<'_>) -> Problems {
    let mut problems = loaded.problems.clone();
    problems.keep(options.kept_problems);
    let place = |i: usize| Place {
        line: loaded.records[i].line,
        record: loaded.numbers[i],
    };
    let prints: Vec<_> = loaded.records.iter().map(fingerprint).collect();
    let wholes: Vec<u128> = prints.iter().map(|print| print.whole).collect();
    let prompts: Vec<u128> = prints.iter().map(|print| print.prompt).collect();
    let same_whole = first_before(&wholes);
    let same_prompt = first_before(&prompts);
    for (i, record) in loaded.records.iter().enumerate() {
        let like = |before: usize, what: &str| {
            format!(
                "{what} record {} (line {})",
                loaded.numbers[before], loaded.records[before].line
            )
        };
        if let Some(before) = same_whole[i] {
            let problem = Problem::new(ProblemKind::Duplicate, place(i), "");
            let advice = "it is trained twice; `--fix` drops it";
            problems.push(
                problem
                    .found(like(before, "the text of"))
                    .expected("each once")
                    .advice(advice),
            );
        } else if let Some(before) = same_prompt[i] {
            let problem = Problem::new(ProblemKind::ConflictingAnswers, place(i), "");
            let found = like(before, "the question of");
            let advice = "if both answers are right, nothing is wrong; otherwise keep one";
            problems.push(problem.found(found).expected("one answer").advice(advice));
        }
        problems.extend(over_long(record, place(i), options));
    }
    problems
}

fn over_long(record: &Record, place: Place, options: &CheckOptions<'_>) -> Option<Problem> {
    let (length, unit) = match options.n_tokens {
        Some(count) => (count(record), "tokens"),
        None => (n_chars(record), "characters"),
    };
    (length > options.max_length).then(|| {
        Problem::new(ProblemKind::TooLong, place, "")
            .found(format!("{length} {unit}"))
            .expected(format!("at most {}", options.max_length))
            .advice("training cuts it there; raise max_length or split the record")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ReadOptions, read};

    fn checked(text: &str, options: &CheckOptions<'_>) -> Vec<String> {
        let loaded = read(text.as_bytes(), &ReadOptions::default()).unwrap();
        check(&loaded, options)
            .first(20)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn duplicates_and_contradictions_name_their_first() {
        let text = "query,response\na,b\nc,d\na, b \na,e\n";
        assert_eq!(
            checked(text, &CheckOptions::default()),
            [
                "line 4, record 3: exact duplicate, found the text of record 1 (line 2), expected each once",
                "line 5, record 4: same prompt, other answer, found the question of record 1 (line 2), expected one answer",
            ]
        );
    }

    #[test]
    fn length_is_measured_in_characters_or_tokens() {
        let options = CheckOptions {
            max_length: 5,
            ..CheckOptions::default()
        };
        assert!(
            checked("query,response\n質問質,回答\nab,abcd\n", &options)[0]
                .contains("line 3, record 2: over-long record, found 6 characters")
        );
        let count = |_: &Record| 9;
        let options = CheckOptions {
            max_length: 8,
            n_tokens: Some(&count),
            ..CheckOptions::default()
        };
        assert!(
            checked("query,response\na,b\n", &options)[0]
                .contains("found 9 tokens, expected at most 8")
        );
    }
}
