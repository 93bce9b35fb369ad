//! The metadata of a GGUF file that concern text, as [`GgufText`] wants them.

use crate::{
    text::GgufText,
    weights::gguf::{GgufError, GgufSource, Value},
};

const TEMPLATE: &str = "tokenizer.chat_template";

pub(super) fn text_of<'f>(file: &'f GgufSource<'_>) -> Result<GgufText<'f>, GgufError> {
    let keys = Keys(file);
    Ok(GgufText {
        model: keys.text("model")?,
        pre: keys.text("pre")?,
        tokens: keys.each("tokens", "an array of strings", Value::as_str)?,
        token_type: keys.each("token_type", "an array of counts", Value::as_u64)?,
        scores: keys.each("scores", "an array of floats", |value| {
            value.as_f64().map(|score| score as f32)
        })?,
        merges: keys.each("merges", "an array of strings", Value::as_str)?,
        bos_token_id: keys.id("bos_token_id")?,
        eos_token_id: keys.id("eos_token_id")?,
        padding_token_id: keys.id("padding_token_id")?,
        unknown_token_id: keys.id("unknown_token_id")?,
        other_end_ids: [keys.id("eot_token_id")?, keys.id("eom_token_id")?]
            .into_iter()
            .flatten()
            .collect(),
        add_bos_token: keys.flag("add_bos_token")?,
        add_eos_token: keys.flag("add_eos_token")?,
        add_space_prefix: keys.flag("add_space_prefix")?,
        remove_extra_whitespaces: keys.flag("remove_extra_whitespaces")?,
        precompiled_charsmap: keys.each("precompiled_charsmap", "an array of bytes", |value| {
            match value {
                Value::I8(byte) => Some(byte.cast_unsigned()),
                other => u8::try_from(other.as_u64()?).ok(),
            }
        })?,
        chat_templates: templates(file),
    })
}

/// The keys under `tokenizer.ggml`; those that are missing are for the reader to judge.
struct Keys<'f, 'a>(&'f GgufSource<'a>);

impl<'f> Keys<'f, '_> {
    fn get<T>(
        &self,
        name: &str,
        expected: &'static str,
        read: impl Fn(&'f Value) -> Option<T>,
    ) -> Result<Option<T>, GgufError> {
        let key = format!("tokenizer.ggml.{name}");
        let Some(value) = self.0.metadata().get(&key) else {
            return Ok(None);
        };
        let wrong = || GgufError::WrongValue {
            key,
            found: format!("a {:?}", value.value_type()),
            expected,
        };
        read(value).map(Some).ok_or_else(wrong)
    }

    fn text(&self, name: &str) -> Result<Option<&'f str>, GgufError> {
        self.get(name, "a string", Value::as_str)
    }

    fn id(&self, name: &str) -> Result<Option<u32>, GgufError> {
        self.get(name, "the id of a token", |value| {
            u32::try_from(value.as_u64()?).ok()
        })
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, GgufError> {
        self.get(name, "true or false", |value| match value {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        })
    }

    /// Empty where the key is missing.
    fn each<T>(
        &self,
        name: &str,
        expected: &'static str,
        read: impl Fn(&'f Value) -> Option<T>,
    ) -> Result<Vec<T>, GgufError> {
        let all = self.get(name, expected, |value| {
            value.as_array()?.iter().map(&read).collect()
        })?;
        Ok(all.unwrap_or_default())
    }
}

/// `tokenizer.chat_template`, and variants under `tokenizer.chat_template.<name>`.
fn templates(file: &GgufSource<'_>) -> Vec<(String, String)> {
    let variant = |(key, value): (&String, &Value)| {
        let name = match key.strip_prefix(TEMPLATE)? {
            "" => "default",
            rest => rest.strip_prefix('.')?,
        };
        Some((name.to_owned(), value.as_str()?.to_owned()))
    };
    file.metadata().iter().filter_map(variant).collect()
}
