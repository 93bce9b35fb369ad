//! What a model directory says about text, read once: tokenizer, template, end tokens.

use super::added_token::added_tokens;
use super::tokenizer_config::eos_token_ids;
use super::{ChatTemplate, TextError, Tokenizer, TokenizerConfig, builtin_template_names};

/// What the files are called in a model directory.
pub const TEXT_FILES: [&str; 10] = [
    "tokenizer.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer_config.json",
    "added_tokens.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "generation_config.json",
    "config.json",
];

/// Those of [`TEXT_FILES`] of which one is enough to make tokens.
pub const TOKENIZER_FILES: [&str; 4] = [
    "tokenizer.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
];

/// Files of a model directory, as far as they exist.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextFiles<'a> {
    pub tokenizer_json: Option<&'a [u8]>,
    /// A SentencePiece `.model` file and its name, for models without `tokenizer.json`.
    pub sentence_piece: Option<(&'a str, &'a [u8])>,
    pub tokenizer_config: Option<&'a [u8]>,
    /// Ids by token, beside old SentencePiece files; `tokenizer_config` overrules it.
    pub added_tokens: Option<&'a [u8]>,
    pub special_tokens_map: Option<&'a [u8]>,
    pub chat_template_jinja: Option<&'a [u8]>,
    /// Further templates by name, from `additional_chat_templates/`.
    pub more_templates: &'a [(String, Vec<u8>)],
    pub generation_config: Option<&'a [u8]>,
    pub config: Option<&'a [u8]>,
}

impl<'a> TextFiles<'a> {
    /// Those that `find` knows under their names in [`TEXT_FILES`].
    pub fn found(find: impl Fn(&str) -> Option<&'a [u8]>) -> Self {
        let [json, pieces @ ..] = TOKENIZER_FILES;
        let mut pieces = pieces.into_iter();
        Self {
            tokenizer_json: find(json),
            sentence_piece: pieces.find_map(|name| Some((name, find(name)?))),
            tokenizer_config: find("tokenizer_config.json"),
            added_tokens: find("added_tokens.json"),
            special_tokens_map: find("special_tokens_map.json"),
            chat_template_jinja: find("chat_template.jinja"),
            more_templates: &[],
            generation_config: find("generation_config.json"),
            config: find("config.json"),
        }
    }
}

/// Everything between text and token ids of one model.
#[derive(Debug, Clone, Default)]
pub struct ModelText {
    /// Absent in directories that only serve tokenized data.
    pub tokenizer: Option<Tokenizer>,
    pub template: Option<ChatTemplate>,
    pub tokenizer_config: TokenizerConfig,
    /// Ids after which generation stops.
    pub end_token_ids: Vec<u32>,
    pub bos_token_id: Option<u32>,
    pub pad_token_id: Option<u32>,
}

impl ModelText {
    /// Reads the files. `template_name` takes a built-in template instead of the model's own.
    ///
    /// # Errors
    /// When a file is broken or the built-in template does not exist.
    pub fn from_files(
        files: TextFiles<'_>,
        template_name: Option<&str>,
    ) -> Result<Self, TextError> {
        let mut config =
            TokenizerConfig::from_json(files.tokenizer_config, files.special_tokens_map)?;
        let tokenizer = match (files.tokenizer_json, files.sentence_piece) {
            (Some(json), _) => {
                let mut tokenizer = Tokenizer::from_json(json)?;
                // Without a config the file alone counts, as for the library that wrote it.
                if files.tokenizer_config.is_some() || files.special_tokens_map.is_some() {
                    tokenizer.configure(&config)?;
                }
                Some(tokenizer)
            }
            (None, Some((name, bytes))) => {
                if let (true, Some(added)) = (config.added_tokens.is_empty(), files.added_tokens) {
                    config.added_tokens = added_tokens(added, &config.all_special_tokens)?;
                }
                Some(Tokenizer::from_sentence_piece(name, bytes, &mut config)?)
            }
            (None, None) => None,
        };
        let id = |token: &Option<String>| tokenizer.as_ref()?.token_to_id(token.as_deref()?);

        let mut end_token_ids = eos_token_ids("generation_config.json", files.generation_config)?;
        end_token_ids.extend(eos_token_ids("config.json", files.config)?);
        end_token_ids.extend(id(&config.eos_token));
        end_token_ids.sort_unstable();
        end_token_ids.dedup();

        Ok(Self {
            template: read_template(&files, &config, template_name)?,
            end_token_ids,
            bos_token_id: id(&config.bos_token),
            pad_token_id: id(&config.pad_token),
            tokenizer,
            tokenizer_config: config,
        })
    }

    /// The tokenizer.
    ///
    /// # Errors
    /// When the model has none.
    pub fn tokenizer(&self) -> Result<&Tokenizer, TextError> {
        self.tokenizer.as_ref().ok_or(TextError::NoTokenizer)
    }

    /// The chat template.
    ///
    /// # Errors
    /// When the model has none.
    pub fn template(&self) -> Result<&ChatTemplate, TextError> {
        self.template.as_ref().ok_or_else(|| TextError::NoTemplate {
            names: builtin_template_names().collect::<Vec<_>>().join(", "),
        })
    }

    /// The text of ids as transformers' `decode` gives it: where the config asks for it, without the
    /// spaces that word tokenizers leave before English punctuation.
    ///
    /// # Errors
    /// When the model has no tokenizer, or its decoder fails.
    pub fn decode_as_published(&self, ids: &[u32]) -> Result<String, TextError> {
        const CLEANED: [(&str, &str); 10] = [
            (" .", "."),
            (" ?", "?"),
            (" !", "!"),
            (" ,", ","),
            (" ' ", "'"),
            (" n't", "n't"),
            (" 'm", "'m"),
            (" 's", "'s"),
            (" 've", "'ve"),
            (" 're", "'re"),
        ];
        let text = self.tokenizer()?.decode(ids, false)?;
        if !self.tokenizer_config.cleans_up_spaces {
            return Ok(text);
        }
        let clean = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
        Ok(CLEANED.iter().fold(text, clean))
    }

    /// The text that ends a completion: the EOS token, else the first token that ends generation.
    pub fn end_text(&self) -> Option<String> {
        let first = || {
            self.tokenizer
                .as_ref()?
                .id_to_token(*self.end_token_ids.first()?)
        };
        self.tokenizer_config.eos_token.clone().or_else(first)
    }
}

fn read_template(
    files: &TextFiles<'_>,
    config: &TokenizerConfig,
    name: Option<&str>,
) -> Result<Option<ChatTemplate>, TextError> {
    let special_tokens = config.special_tokens.clone();
    if let Some(name) = name {
        return ChatTemplate::builtin(name, special_tokens).map(Some);
    }
    // Files take the place of everything that the config says.
    let main = files.chat_template_jinja.map(|bytes| ("default", bytes));
    let more = files.more_templates.iter();
    let more = more.map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let templates: Vec<(String, String)> = main
        .into_iter()
        .chain(more)
        .map(|(name, bytes)| Ok((name.to_owned(), source(bytes)?)))
        .collect::<Result<_, TextError>>()?;
    if !templates.is_empty() {
        return ChatTemplate::with_variants(&templates, special_tokens).map(Some);
    }
    if config.chat_template.is_empty() {
        return Ok(None);
    }
    ChatTemplate::with_variants(&config.chat_template, special_tokens).map(Some)
}

fn source(bytes: &[u8]) -> Result<String, TextError> {
    let text = std::str::from_utf8(bytes).map_err(|error| TextError::File {
        file: "chat_template.jinja",
        expected: "UTF-8 text",
        detail: error.to_string(),
    })?;
    Ok(text.to_owned())
}
