//! What transformers' tokenizer classes assume where `tokenizer_config.json` does not say.

/// The special token of a name that a class has by default.
pub(super) fn class_defaults(class: &str, name: &str) -> Option<&'static str> {
    Some(match (class.trim_end_matches("Fast"), name) {
        ("LlamaTokenizer" | "CodeLlamaTokenizer", "bos_token") => "<s>",
        ("LlamaTokenizer" | "CodeLlamaTokenizer" | "T5Tokenizer", "eos_token") => "</s>",
        (
            "LlamaTokenizer" | "CodeLlamaTokenizer" | "T5Tokenizer" | "GemmaTokenizer",
            "unk_token",
        ) => "<unk>",
        ("T5Tokenizer" | "GemmaTokenizer", "pad_token") => "<pad>",
        ("GemmaTokenizer", "bos_token") => "<bos>",
        ("GemmaTokenizer", "eos_token") => "<eos>",
        ("GPT2Tokenizer" | "GPTNeoXTokenizer", "bos_token" | "eos_token" | "unk_token") => {
            "<|endoftext|>"
        }
        ("Qwen2Tokenizer", "eos_token" | "pad_token" | "unk_token") => "<|endoftext|>",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_and_slow_classes_agree() {
        assert_eq!(
            class_defaults("LlamaTokenizerFast", "bos_token"),
            Some("<s>")
        );
        assert_eq!(class_defaults("T5Tokenizer", "bos_token"), None);
        assert_eq!(class_defaults("PreTrainedTokenizerFast", "eos_token"), None);
    }
}
