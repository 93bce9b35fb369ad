//! A byte-level BPE tokenizer learned from texts, as the two files that transformers loads.
//!
//! Normalizer and pre-tokenizer are those of Qwen2 (NFC, its splitting pattern, then GPT-2's byte
//! alphabet): llama.cpp knows that pair by name, so an exported GGUF needs no new code there. The
//! pattern isolates every digit, which lets a small model copy and recall figures exactly instead
//! of guessing how a number was cut.
//!
//! Merges follow Sennrich et al. 2016 (<https://aclanthology.org/P16-1162>): join the most frequent
//! pair, ties by the smaller ids, until the vocabulary is full. The result depends on the texts alone.

use std::collections::HashSet;

use serde_json::{Value, json};
use thiserror::Error;
use tokenizers::{
    AddedToken, NormalizerWrapper, PreTokenizerWrapper, Tokenizer,
    models::bpe::{BPE, BpeTrainer},
    normalizers::NFC,
    pre_tokenizers::{
        byte_level::ByteLevel,
        sequence::Sequence,
        split::{Split, SplitPattern},
    },
    tokenizer::SplitDelimiterBehavior,
};

/// Separates texts and fills batches.
pub const PAD_TOKEN: &str = "<|endoftext|>";
/// Opens a message.
pub const START_TOKEN: &str = "<|im_start|>";
/// Closes a message; generation stops here.
pub const END_TOKEN: &str = "<|im_end|>";

/// Ids 0, 1 and 2, in this order.
const SPECIAL_TOKENS: [&str; 3] = [PAD_TOKEN, START_TOKEN, END_TOKEN];

/// The special tokens and the 256 byte symbols come first; less than this leaves no room for merges.
const MIN_VOCAB_SIZE: usize = 256 + SPECIAL_TOKENS.len();

/// Qwen2's split: contractions, words with one leading mark or space, single digits, punctuation runs,
/// line ends, spaces.
const SPLIT_PATTERN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// `<|im_start|>role\ncontent<|im_end|>\n` for each message.
const CHATML: &str = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/// A trained tokenizer, ready to be written next to a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenizerFiles {
    /// `tokenizer.json`
    pub tokenizer: Vec<u8>,
    /// `tokenizer_config.json`, with the ChatML template
    pub tokenizer_config: Vec<u8>,
    /// Ids in use; may be below what was asked for when the texts have too few pairs.
    pub vocab_size: usize,
}

/// Why no tokenizer came out.
#[derive(Debug, Error)]
pub enum TrainTokenizerError {
    #[error(
        "a vocabulary of {found} is too small: the bytes and special tokens alone take {MIN_VOCAB_SIZE}"
    )]
    VocabTooSmall { found: usize },
    #[error("there is no text to learn a vocabulary from")]
    NoText,
    #[error("the tokenizer could not be built while {step}: {source}")]
    Library {
        step: &'static str,
        source: tokenizers::Error,
    },
    #[error("the tokenizer could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Learn a vocabulary of at most `vocab_size` ids from `texts`, which must be free of chat markup.
///
/// # Errors
/// When `vocab_size` leaves no room for merges or the texts are empty.
pub fn train_tokenizer<I>(
    texts: I,
    vocab_size: usize,
    model_max_length: usize,
) -> Result<TokenizerFiles, TrainTokenizerError>
where
    I: IntoIterator<Item = String>,
    I::IntoIter: Send,
{
    if vocab_size <= MIN_VOCAB_SIZE {
        return Err(TrainTokenizerError::VocabTooSmall { found: vocab_size });
    }
    let mut texts = texts.into_iter().filter(|text| !text.is_empty()).peekable();
    if texts.peek().is_none() {
        return Err(TrainTokenizerError::NoText);
    }
    let special = SPECIAL_TOKENS
        .map(|token| AddedToken::from(token, true).normalized(false))
        .to_vec();
    let mut trainer = BpeTrainer::builder()
        .vocab_size(vocab_size)
        .min_frequency(2)
        .show_progress(false)
        .special_tokens(special)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect::<HashSet<char>>())
        .build();
    let mut builder = tokenizers::TokenizerImpl::<
        BPE,
        NormalizerWrapper,
        PreTokenizerWrapper,
        tokenizers::PostProcessorWrapper,
        tokenizers::DecoderWrapper,
    >::new(BPE::default());
    builder
        .with_normalizer(Some(NFC))
        .with_pre_tokenizer(Some(pre_tokenizer()?))
        .with_post_processor(Some(ByteLevel::new(false, false, false)))
        .with_decoder(Some(ByteLevel::new(false, false, false)));
    builder
        .train(&mut trainer, texts)
        .map_err(|source| TrainTokenizerError::Library {
            step: "learning merges",
            source,
        })?;
    files(builder.to_string(true), model_max_length)
}

fn pre_tokenizer() -> Result<PreTokenizerWrapper, TrainTokenizerError> {
    let pattern = SplitPattern::Regex(SPLIT_PATTERN.to_owned());
    let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false).map_err(|source| {
        TrainTokenizerError::Library {
            step: "compiling the split pattern",
            source,
        }
    })?;
    Ok(Sequence::new(vec![
        split.into(),
        ByteLevel::new(false, false, false).into(),
    ])
    .into())
}

fn files(
    json: tokenizers::Result<String>,
    model_max_length: usize,
) -> Result<TokenizerFiles, TrainTokenizerError> {
    let json = json.map_err(|source| TrainTokenizerError::Library {
        step: "writing it",
        source,
    })?;
    let tokenizer =
        Tokenizer::from_bytes(json.as_bytes()).map_err(|source| TrainTokenizerError::Library {
            step: "reading it back",
            source,
        })?;
    let config = tokenizer_config(model_max_length);
    Ok(TokenizerFiles {
        vocab_size: tokenizer.get_vocab_size(true),
        tokenizer: json.into_bytes(),
        tokenizer_config: serde_json::to_vec_pretty(&config)?,
    })
}

fn tokenizer_config(model_max_length: usize) -> Value {
    let added: serde_json::Map<String, Value> = SPECIAL_TOKENS
        .iter()
        .enumerate()
        .map(|(id, content)| {
            let token = json!({
                "content": content, "lstrip": false, "normalized": false, "rstrip": false,
                "single_word": false, "special": true,
            });
            (id.to_string(), token)
        })
        .collect();
    json!({
        "add_bos_token": false,
        "add_prefix_space": false,
        "added_tokens_decoder": added,
        "additional_special_tokens": [START_TOKEN, END_TOKEN],
        "bos_token": null,
        "chat_template": CHATML,
        "clean_up_tokenization_spaces": false,
        "eos_token": END_TOKEN,
        "errors": "replace",
        "model_max_length": model_max_length,
        "pad_token": PAD_TOKEN,
        "split_special_tokens": false,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Vec<String> {
        (0..200)
            .map(|i| {
                format!(
                    "¿Cuánto ganó Banco Alba {i} en 2021? わかりません, the profit was {}.",
                    i * 37
                )
            })
            .collect()
    }

    fn trained() -> (TokenizerFiles, Tokenizer) {
        let files = train_tokenizer(texts(), 400, 256).unwrap();
        let tokenizer = Tokenizer::from_bytes(&files.tokenizer).unwrap();
        (files, tokenizer)
    }

    #[test]
    fn special_tokens_have_the_first_ids_and_survive_inside_text() {
        let (files, tokenizer) = trained();
        for (id, token) in SPECIAL_TOKENS.iter().enumerate() {
            assert_eq!(tokenizer.token_to_id(token), Some(id as u32));
        }
        let ids = tokenizer
            .encode("<|im_start|>user\n7<|im_end|>", false)
            .unwrap();
        assert_eq!((ids.get_ids()[0], ids.get_ids().last()), (1, Some(&2)));
        assert!(files.vocab_size <= 400 && files.vocab_size > MIN_VOCAB_SIZE);
    }

    #[test]
    fn every_digit_is_a_token_of_its_own_and_text_returns_unchanged() {
        let (_, tokenizer) = trained();
        let figure = tokenizer.encode("11.076", false).unwrap();
        assert_eq!(figure.get_tokens(), ["1", "1", ".", "0", "7", "6"]);
        let text = "Ünknown ☃ 银行 text\n\twith 3,5 %";
        let ids = tokenizer.encode(text, false).unwrap();
        assert_eq!(tokenizer.decode(ids.get_ids(), false).unwrap(), text);
    }

    #[test]
    fn same_texts_give_the_same_file() {
        let again = train_tokenizer(texts(), 400, 256).unwrap();
        assert!(
            trained().0 == again,
            "two trainings on the same texts differ"
        );
    }

    #[test]
    fn refuses_what_cannot_work() {
        let small = train_tokenizer(texts(), 200, 256);
        assert!(matches!(
            small,
            Err(TrainTokenizerError::VocabTooSmall { found: 200 })
        ));
        let empty = train_tokenizer(vec![String::new()], 400, 256);
        assert!(matches!(empty, Err(TrainTokenizerError::NoText)));
    }
}
