//! How byte-level BPE cuts text before it merges, under the names that GGUF files use.
//!
//! `tokenizer.ggml.pre` names a list of regular expressions built into llama.cpp
//! (`src/llama-vocab.cpp`); `tokenizer.json` has them written out. A wrong rule changes no weight
//! and raises no error, only the tokens: so what is not known here is refused, not guessed.

use super::TextError;

/// One way to cut text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitRule {
    /// llama.cpp's names for it; the first is the one to write.
    pub names: &'static [&'static str],
    /// Applied one after the other, each to the pieces that the one before left; both what
    /// matches and what lies between is a piece.
    pub patterns: &'static [&'static str],
    /// A piece that is a token is not taken apart.
    pub ignore_merges: bool,
    /// Texts start with the BOS token unless the file says otherwise.
    pub adds_bos: bool,
    /// The models' own tokenizers compose characters first; llama.cpp does not.
    pub composes: bool,
    /// The models' own tokenizers take numbers apart; llama.cpp leaves that to vocabularies in which
    /// no token holds two digits.
    pub single_digits: bool,
}

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// Letters that have a case, perhaps behind a space. Those that normalizing would change are written by their numbers.
const DEEPSEEK_LETTERS: &str = "\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u{1F7D}ᾀ-ᾴᾶ-ᾼ\u{1FBE}ῂ-ῄῆ-ῌῐ-\u{1FD3}ῖ-\u{1FDB}ῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u{2126}ℨ\u{212A}-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+";

const PLAIN: SplitRule = SplitRule {
    names: &[],
    patterns: &[],
    ignore_merges: false,
    adds_bos: false,
    composes: false,
    single_digits: false,
};

/// Every rule that is known. Where two have the same patterns, the first is written.
pub const SPLIT_RULES: [SplitRule; 13] = [
    SplitRule {
        names: &["qwen2", "deepseek-r1-qwen", "kormo", "megrez"],
        patterns: &[QWEN2],
        composes: true,
        ..PLAIN
    },
    SplitRule {
        names: &["stablelm2", "hunyuan", "solar-open", "grok-2"],
        patterns: &[QWEN2],
        ..PLAIN
    },
    SplitRule {
        names: &[
            "llama-bpe",
            "llama3",
            "llama-v3",
            "falcon3",
            "falcon-h1",
            "pixtral",
            "midm-2.0",
            "lfm2",
        ],
        patterns: &[LLAMA3],
        ignore_merges: true,
        adds_bos: true,
        ..PLAIN
    },
    SplitRule {
        names: &["dbrx", "smaug-bpe", "glm4", "chatglm-bpe"],
        patterns: &[LLAMA3],
        ..PLAIN
    },
    SplitRule {
        names: &["qwen35"],
        patterns: &[
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ],
        composes: true,
        ..PLAIN
    },
    SplitRule {
        names: &["tekken"],
        patterns: &[
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ],
        ignore_merges: true,
        adds_bos: true,
        ..PLAIN
    },
    SplitRule {
        names: &["gpt-4o", "llama4"],
        patterns: &[
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ],
        ..PLAIN
    },
    SplitRule {
        names: &[
            "gpt-2",
            "phi-2",
            "jina-es",
            "jina-de",
            "gigachat",
            "jina-v2-es",
            "jina-v2-de",
            "a.x-4.0",
            "mellum",
            "mpt",
            "olmo",
            "jais",
            "trillion",
            "granite-docling",
            "exaone4",
        ],
        patterns: &[GPT2],
        ..PLAIN
    },
    SplitRule {
        names: &[
            "smollm",
            "starcoder",
            "refact",
            "command-r",
            "codeshell",
            "exaone",
            "minerva-7b",
        ],
        patterns: &[r"\p{N}", GPT2],
        ..PLAIN
    },
    SplitRule {
        names: &["deepseek-coder"],
        patterns: &[
            r"[\r\n]",
            r"\s?\p{L}+",
            r"\s?\p{P}+",
            r"[一-龥ࠀ-一가-퟿]+",
            r"\p{N}",
        ],
        ..PLAIN
    },
    SplitRule {
        names: &["deepseek-llm"],
        patterns: &[
            r"[\r\n]",
            DEEPSEEK_LETTERS,
            r"\s?[!-/:-~！-／：-～‘-‟　-。]+",
            r"\s+$",
            r"[一-龥ࠀ-一가-퟿]+",
            r"\p{N}+",
        ],
        single_digits: true,
        ..PLAIN
    },
    SplitRule {
        names: &["falcon"],
        patterns: &[
            r"[\p{P}\$\+<=>\^~\|`]+",
            r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)",
            r"[0-9][0-9][0-9]",
        ],
        ..PLAIN
    },
    // What llama.cpp takes for files of before 2024-05, which name none.
    SplitRule {
        names: &["default"],
        patterns: &[
            r"[\p{P}\$\+<=>\^~\|]+",
            r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)",
            r"\p{N}+",
            r"[0-9][0-9][0-9]",
        ],
        ..PLAIN
    },
];

impl SplitRule {
    /// GPT-2's own pattern, which `ByteLevel` has built in.
    pub const GPT2: &'static str = GPT2;

    /// The rule of a name.
    ///
    /// # Errors
    /// [`TextError::SplitRule`] lists the names that are known.
    pub fn named(name: &str) -> Result<&'static Self, TextError> {
        let found = SPLIT_RULES.iter().find(|rule| rule.names.contains(&name));
        found.ok_or_else(|| TextError::SplitRule {
            found: name.to_owned(),
            known: Self::names().join(", "),
        })
    }

    /// What takes numbers apart.
    pub const DIGIT: &'static str = r"\p{N}";

    /// The rule with these patterns, as the models' own tokenizers have them.
    pub fn with_patterns(patterns: &[&str]) -> Option<&'static Self> {
        SPLIT_RULES.iter().find(|rule| {
            let same = rule.patterns == patterns;
            match (rule.single_digits, rule.patterns, patterns) {
                (true, [cut @ .., _], [own @ .., Self::DIGIT]) => cut == own,
                (single_digits, ..) => same && !single_digits,
            }
        })
    }

    /// All names, in the order of the rules.
    pub fn names() -> Vec<&'static str> {
        SPLIT_RULES
            .iter()
            .flat_map(|rule| rule.names)
            .copied()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_leads_to_one_rule() {
        let names = SplitRule::names();
        let different: BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len());
        for name in names {
            assert!(SplitRule::named(name).unwrap().names.contains(&name));
        }
    }

    #[test]
    fn an_unknown_name_is_told_with_those_that_are_known() {
        let error = SplitRule::named("superbpe").unwrap_err().to_string();
        assert!(
            error.contains("superbpe") && error.contains("llama-bpe"),
            "{error}"
        );
    }
}
