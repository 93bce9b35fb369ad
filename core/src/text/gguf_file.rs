//! What a GGUF file says about text, kept as a file of its own: where only text is dealt with, the
//! weights need not be there.

use serde::Deserialize;

use super::{GgufText, ModelText, TextError};

/// The name under which [`GgufText::to_json`] is kept.
pub const GGUF_TEXT_FILE: &str = "gguf_text.json";

impl GgufText<'_> {
    /// The file, to be read by [`ModelText::from_gguf_json`].
    pub fn to_json(&self) -> Vec<u8> {
        // Texts and numbers have no way not to be JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl ModelText {
    /// As [`ModelText::from_gguf`].
    ///
    /// # Errors
    /// As there, and where the file is broken.
    pub fn from_gguf_json(json: &[u8], template_name: Option<&str>) -> Result<Self, TextError> {
        let kept: Kept = serde_json::from_slice(json).map_err(|error| TextError::File {
            file: GGUF_TEXT_FILE,
            expected: "the text of a GGUF file",
            detail: error.to_string(),
        })?;
        Self::from_gguf(&kept.parts(), template_name)
    }
}

/// [`GgufText`], owning its texts.
#[derive(Deserialize)]
struct Kept {
    model: Option<String>,
    pre: Option<String>,
    tokens: Vec<String>,
    token_type: Vec<u64>,
    scores: Vec<f32>,
    merges: Vec<String>,
    bos_token_id: Option<u32>,
    eos_token_id: Option<u32>,
    padding_token_id: Option<u32>,
    unknown_token_id: Option<u32>,
    other_end_ids: Vec<u32>,
    add_bos_token: Option<bool>,
    add_eos_token: Option<bool>,
    add_space_prefix: Option<bool>,
    // Files that were kept before there was `t5` lack them.
    #[serde(default)]
    remove_extra_whitespaces: Option<bool>,
    #[serde(default)]
    precompiled_charsmap: Vec<u8>,
    chat_templates: Vec<(String, String)>,
}

impl Kept {
    fn parts(&self) -> GgufText<'_> {
        GgufText {
            model: self.model.as_deref(),
            pre: self.pre.as_deref(),
            tokens: self.tokens.iter().map(String::as_str).collect(),
            token_type: self.token_type.clone(),
            scores: self.scores.clone(),
            merges: self.merges.iter().map(String::as_str).collect(),
            bos_token_id: self.bos_token_id,
            eos_token_id: self.eos_token_id,
            padding_token_id: self.padding_token_id,
            unknown_token_id: self.unknown_token_id,
            other_end_ids: self.other_end_ids.clone(),
            add_bos_token: self.add_bos_token,
            add_eos_token: self.add_eos_token,
            add_space_prefix: self.add_space_prefix,
            remove_extra_whitespaces: self.remove_extra_whitespaces,
            precompiled_charsmap: self.precompiled_charsmap.clone(),
            chat_templates: self.chat_templates.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_on_the_way() {
        let parts = GgufText {
            model: Some("llama"),
            pre: Some("default"),
            tokens: vec!["<unk>", "<s>", "</s>", "\"\\\n", "é"],
            token_type: vec![2, 3, 3, 1, 1],
            scores: vec![0.0, 0.0, 0.0, -1.5, -2.25],
            merges: vec!["a b"],
            bos_token_id: Some(1),
            eos_token_id: Some(2),
            padding_token_id: None,
            unknown_token_id: Some(0),
            other_end_ids: vec![4],
            add_bos_token: Some(true),
            add_eos_token: Some(false),
            add_space_prefix: Some(false),
            remove_extra_whitespaces: Some(true),
            precompiled_charsmap: vec![4, 0, 255],
            chat_templates: vec![("default".into(), "{{ messages }}".into())],
        };
        let kept: Kept = serde_json::from_slice(&parts.to_json()).unwrap();
        assert_eq!(kept.parts(), parts);
        let broken = ModelText::from_gguf_json(b"{}", None).unwrap_err();
        assert!(
            broken
                .to_string()
                .contains("`gguf_text.json` cannot be read")
        );
    }
}
