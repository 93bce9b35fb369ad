//! Which of llama.cpp's ways to split text a `tokenizer.json` means.
//!
//! [`SplitRule`] has the patterns and their names; one that is not there is refused, not guessed.

use serde_json::Value as Json;

use super::ExportError;
use crate::text::{SPLIT_RULES, SplitRule};

/// What `individual_digits` splits off.
const DIGIT: &str = r"\p{N}";

/// llama.cpp's name for the split of a byte-level `pre_tokenizer`.
pub(super) fn name_of(pre_tokenizer: &Json) -> Result<&'static str, ExportError> {
    let steps = steps(pre_tokenizer);
    let mut digits = false;
    let mut pattern = None;
    for step in &steps {
        match step["type"].as_str() {
            Some("Digits") if step["individual_digits"] == true && pattern.is_none() => {
                digits = true;
            }
            Some("Split") if pattern.is_none() && isolates(step) => match split_pattern(step) {
                Some(DIGIT | "[0-9]") => digits = true,
                Some(found) => pattern = Some(found),
                None => return Err(unknown(pre_tokenizer)),
            },
            Some("ByteLevel") if step["add_prefix_space"] != true => {
                // `use_regex` is true where it is not given.
                if step["use_regex"] != false {
                    if pattern.is_some() {
                        return Err(unknown(pre_tokenizer));
                    }
                    pattern = Some(SplitRule::GPT2);
                }
            }
            _ => return Err(unknown(pre_tokenizer)),
        }
    }
    let rule = pattern.and_then(|pattern| match digits {
        true => SplitRule::with_patterns(&[DIGIT, pattern]),
        false => SplitRule::with_patterns(&[pattern]),
    });
    let name = rule.and_then(|rule| rule.names.first());
    name.copied().ok_or_else(|| unknown(pre_tokenizer))
}

/// Whether text is turned into GPT-2's printable bytes at all.
pub(super) fn is_byte_level(pre_tokenizer: &Json) -> bool {
    steps(pre_tokenizer)
        .iter()
        .any(|step| step["type"] == "ByteLevel")
}

fn steps(pre_tokenizer: &Json) -> Vec<&Json> {
    match pre_tokenizer["pretokenizers"].as_array() {
        Some(steps) => steps.iter().collect(),
        None if pre_tokenizer.is_null() => Vec::new(),
        None => vec![pre_tokenizer],
    }
}

fn isolates(step: &Json) -> bool {
    step["behavior"] == "Isolated" && step["invert"] != true
}

/// The regular expression, with the two spellings of the English contractions made one.
fn split_pattern(step: &Json) -> Option<&str> {
    step["pattern"]["Regex"].as_str()
}

fn unknown(pre_tokenizer: &Json) -> ExportError {
    let known: Vec<&str> = SPLIT_RULES
        .iter()
        .filter_map(|rule| rule.names.first().copied())
        .collect();
    ExportError::PreTokenizer {
        found: pre_tokenizer.to_string(),
        known: known.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn split(pattern: &str) -> Json {
        json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated",
            "invert": false})
    }

    fn then_bytes(steps: &[Json]) -> Json {
        let mut steps = steps.to_vec();
        steps.push(json!({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}));
        json!({"type": "Sequence", "pretokenizers": steps})
    }

    #[test]
    fn every_pattern_leads_to_its_name() {
        let mut n_checked = 0;
        for rule in &SPLIT_RULES {
            if let [pattern] = rule.patterns {
                let name = name_of(&then_bytes(&[split(pattern)])).unwrap();
                assert_eq!(SplitRule::named(name).unwrap().patterns, rule.patterns);
                n_checked += 1;
            }
        }
        assert!(n_checked > 5);
    }

    #[test]
    fn byte_level_alone_is_gpt_2() {
        let step = json!({"type": "ByteLevel", "add_prefix_space": false});
        assert_eq!(name_of(&step).unwrap(), "gpt-2");
        assert!(is_byte_level(&step));
    }

    #[test]
    fn single_digits_before_gpt_2() {
        let steps = json!({"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": true},
            {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}]});
        assert_eq!(name_of(&steps).unwrap(), "smollm");
    }

    #[test]
    fn what_llama_cpp_would_split_otherwise_is_refused_with_its_pattern() {
        for unlike in [
            then_bytes(&[split(r"\w+|\s+")]),
            then_bytes(&[split(r"\p{N}"), split(SPLIT_RULES[0].patterns[0])]),
            json!({"type": "ByteLevel", "add_prefix_space": true}),
            json!({"type": "Whitespace"}),
            Json::Null,
        ] {
            let error = name_of(&unlike).unwrap_err().to_string();
            assert!(error.contains("--tokenizer-pre"), "{error}");
            assert!(error.contains(&unlike.to_string()));
        }
    }
}
