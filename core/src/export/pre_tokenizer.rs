//! Which of llama.cpp's ways to split text a `tokenizer.json` means.
//!
//! The file's `tokenizer.ggml.pre` names a list of regular expressions built into llama.cpp
//! (`src/llama-vocab.cpp`). A wrong name changes no weight and raises no error, only the tokens:
//! so a pattern that is not known is refused, not guessed.

use serde_json::Value as Json;

use super::ExportError;

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// Patterns of `tokenizer.json` files, and llama.cpp's name for the same split.
const PATTERNS: [(&str, &str); 6] = [
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        "qwen2",
    ),
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        "llama-bpe",
    ),
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        "qwen35",
    ),
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        "tekken",
    ),
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        "gpt-4o",
    ),
    (GPT2, "gpt-2"),
];

/// Digits one by one, then GPT-2's pattern.
const SINGLE_DIGITS: &str = "smollm";

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
                Some(r"\p{N}" | "[0-9]") => digits = true,
                Some(found) => pattern = Some(found),
                None => return Err(unknown(pre_tokenizer)),
            },
            Some("ByteLevel") if step["add_prefix_space"] != true => {
                // `use_regex` is true where it is not given.
                if step["use_regex"] != false {
                    if pattern.is_some() {
                        return Err(unknown(pre_tokenizer));
                    }
                    pattern = Some(GPT2);
                }
            }
            _ => return Err(unknown(pre_tokenizer)),
        }
    }
    let name = pattern.and_then(|found| {
        let mut patterns = PATTERNS.iter();
        patterns
            .find(|(known, _)| *known == found)
            .map(|(_, name)| *name)
    });
    match (digits, name) {
        (false, Some(name)) => Ok(name),
        (true, Some("gpt-2")) => Ok(SINGLE_DIGITS),
        _ => Err(unknown(pre_tokenizer)),
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

/// The regular expression, with the two spellings of the English contractions made one.
fn split_pattern(step: &Json) -> Option<&str> {
    step["pattern"]["Regex"].as_str()
}

fn unknown(pre_tokenizer: &Json) -> ExportError {
    let mut known: Vec<&str> = PATTERNS.iter().map(|(_, name)| *name).collect();
    known.push(SINGLE_DIGITS);
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
        for (pattern, name) in PATTERNS {
            assert_eq!(name_of(&then_bytes(&[split(pattern)])).unwrap(), name);
        }
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
            then_bytes(&[split(r"\p{N}"), split(PATTERNS[0].0)]),
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
