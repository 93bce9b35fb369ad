//! Which of llama.cpp's ways to split text a `tokenizer.json` means.
//!
//! [`SplitRule`] has the patterns and their names; one that is not there is refused, not guessed.

use serde_json::Value as Json;
use tokenizers::{Decoder as _, pre_tokenizers::byte_level::ByteLevel};

use super::ExportError;
use crate::text::{SPLIT_RULES, SplitRule};

/// The way llama.cpp splits what a byte-level `pre_tokenizer` splits.
pub(super) fn rule_of(pre_tokenizer: &Json) -> Result<&'static SplitRule, ExportError> {
    let mut patterns: Vec<String> = Vec::new();
    for step in steps(pre_tokenizer) {
        match step["type"].as_str() {
            Some("Digits") if step["individual_digits"] == true => {
                patterns.push(SplitRule::DIGIT.to_owned());
            }
            Some("Split") if isolates(step) => match split_pattern(step) {
                Some(pattern) => patterns.push(pattern),
                None => return Err(unknown(pre_tokenizer)),
            },
            Some("ByteLevel") if step["add_prefix_space"] != true => {
                // `use_regex` is true where it is not given.
                if step["use_regex"] != false {
                    patterns.push(SplitRule::GPT2.to_owned());
                }
            }
            _ => return Err(unknown(pre_tokenizer)),
        }
    }
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    SplitRule::with_patterns(&patterns).ok_or_else(|| unknown(pre_tokenizer))
}

/// llama.cpp's name for the split of a tokenizer with these tokens (in GPT-2's alphabet of bytes). A
/// rule that leaves numbers whole is only right where no token holds two digits.
pub(super) fn name_for<'t>(
    pre_tokenizer: &Json,
    tokens: impl Iterator<Item = &'t str>,
) -> Result<&'static str, ExportError> {
    let rule = rule_of(pre_tokenizer)?;
    let bytes = ByteLevel::default();
    let written = |token: &str| bytes.decode_chain(vec![token.to_owned()]).ok();
    let n_digits = |text: &str| text.chars().filter(|c| c.is_numeric()).count();
    let long = match rule.single_digits {
        true => tokens
            .filter_map(|token| Some(written(token)?.concat()))
            .find(|text| n_digits(text) > 1),
        false => None,
    };
    match long {
        None => Ok(rule.names[0]),
        Some(text) => Err(ExportError::Tokenizer {
            field: "`pre_tokenizer`".to_owned(),
            found: format!("one that takes numbers apart, with a token for `{text}`"),
            expected: format!(
                "no tokens of several digits: llama.cpp's split `{}` keeps numbers together",
                rule.names[0]
            ),
        }),
    }
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

/// The regular expression, with line ends and digits in the spelling of [`SplitRule`].
fn split_pattern(step: &Json) -> Option<String> {
    let pattern = step["pattern"]["Regex"].as_str()?;
    Some(match pattern {
        "[0-9]" => SplitRule::DIGIT.to_owned(),
        _ => pattern.replace('\r', r"\r").replace('\n', r"\n"),
    })
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
            let mut steps: Vec<Json> = rule.patterns.iter().map(|cut| split(cut)).collect();
            if rule.single_digits {
                steps.pop();
                steps.push(json!({"type": "Digits", "individual_digits": true}));
            }
            assert_eq!(
                rule_of(&then_bytes(&steps)).unwrap().patterns,
                rule.patterns
            );
            n_checked += 1;
        }
        assert_eq!(n_checked, SPLIT_RULES.len());
    }

    #[test]
    fn byte_level_alone_is_gpt_2() {
        let step = json!({"type": "ByteLevel", "add_prefix_space": false});
        assert_eq!(rule_of(&step).unwrap().names[0], "gpt-2");
        assert!(is_byte_level(&step));
    }

    #[test]
    fn single_digits_before_gpt_2() {
        let steps = json!({"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": true},
            {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}]});
        assert_eq!(rule_of(&steps).unwrap().names[0], "smollm");
    }

    /// As DeepSeek-LLM and DeepSeek-Coder publish them, with line ends as characters.
    #[test]
    fn deepseek_takes_numbers_apart() {
        let published = |name: &str, n_cuts: usize| {
            let cuts = SplitRule::named(name).unwrap().patterns.iter().take(n_cuts);
            let spelt = |cut: &&str| cut.replace(r"\r", "\r").replace(r"\n", "\n");
            let mut steps: Vec<Json> = cuts.map(|cut| split(&spelt(cut))).collect();
            steps.push(json!({"type": "Digits", "individual_digits": true}));
            then_bytes(&steps)
        };
        let name = |steps: &Json, token| name_for(steps, ["a", "7", token].into_iter());
        let llm = published("deepseek-llm", 5);
        // Bytes of Cyrillic letters, one of them written as `½`.
        assert_eq!(name(&llm, "Ð½Ð¾").unwrap(), "deepseek-llm");
        let error = name(&llm, "42").unwrap_err().to_string();
        assert!(error.contains("`42`"), "{error}");
        let coder = published("deepseek-coder", 4);
        assert_eq!(name(&coder, "42").unwrap(), "deepseek-coder");
        assert!(rule_of(&published("deepseek-llm", 4)).is_err());
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
            let error = rule_of(&unlike).unwrap_err().to_string();
            assert!(error.contains("--tokenizer-pre"), "{error}");
            assert!(error.contains(&unlike.to_string()));
        }
    }
}
