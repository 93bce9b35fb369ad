//! Reading Hugging Face's config.json, in transformers 4's and 5's spelling.
//!
//! Every family has a function that says in what it differs from Llama, whose form is
//! [`draft::draft`]. Fields that are missing mean what they mean to transformers. A field that
//! would change results and that the family's function did not read is refused ([`significant`]).

mod draft;
mod families;
mod fields;
mod gemma;
mod layer_types;
mod older;
mod rope;
mod significant;
#[cfg(test)]
mod tests;
mod untied;

use serde_json::Value;

use super::{Arch, Family};
use fields::Fields;

pub use untied::untied_config;

/// Why a config.json does not describe a model that Veneer runs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchError {
    #[error("config.json is not valid JSON: {0}")]
    Json(#[from] serde_json::Error),

    #[error("config.json is no object with a model's settings")]
    NotAnObject,

    #[error("config.json has no `{field}`, without which no model of this kind is known")]
    Missing { field: String },

    #[error("model type `{found}` is not supported (supported: {supported})")]
    Family { found: String, supported: String },

    #[error("config.json field `{field}` is {found}, expected {expected}")]
    Field {
        field: String,
        found: String,
        expected: String,
    },
}

impl Arch {
    /// Reads `config.json`.
    ///
    /// # Errors
    /// Unknown families (the supported ones are listed), missing fields, values that cannot
    /// describe a model, and settings that change results in a way that is not supported.
    pub fn from_json(config_json: &[u8]) -> Result<Self, ArchError> {
        Self::from_settings(serde_json::from_slice(config_json)?)
    }

    /// Reads what a config.json holds.
    ///
    /// # Errors
    /// As [`Self::from_json`].
    pub fn from_settings(settings: Value) -> Result<Self, ArchError> {
        let Value::Object(mut object) = settings else {
            return Err(ArchError::NotAnObject);
        };
        older::rename(&mut object);
        let fields = Fields::new(&object);
        let family = family(&fields)?;
        if let Some(found) = fields.given("quantization_config").filter(|v| !v.is_null()) {
            let expected = "no quantization: train on the F16, BF16 or F32 checkpoint";
            return Err(fields.wrong("quantization_config", found, expected));
        }
        let arch = match family {
            Family::Llama => families::llama(&fields),
            Family::Mistral => families::mistral(&fields),
            Family::Qwen2 => families::qwen2(&fields),
            Family::Qwen3 => families::qwen3(&fields),
            Family::Phi3 => families::phi3(&fields),
            Family::SmolLm3 => families::smollm3(&fields),
            Family::Olmo2 => families::olmo2(&fields),
            Family::Granite => families::granite(&fields),
            Family::Gemma => gemma::gemma(&fields),
            Family::Gemma2 => gemma::gemma2(&fields),
            Family::Gemma3Text => gemma::gemma3(&fields),
            Family::GptNeox => older::gpt_neox(&fields),
            Family::Phi => older::phi(&fields),
            Family::StableLm => older::stablelm(&fields),
            Family::Falcon => older::falcon(&fields),
            Family::GptBigCode => older::gpt_bigcode(&fields),
            Family::Starcoder2 => older::starcoder2(&fields),
        }?;
        significant::refuse_unread(&fields, family)?;
        draft::validated(arch, &fields)
    }
}

fn family(fields: &Fields<'_>) -> Result<Family, ArchError> {
    let found = fields
        .text("model_type")?
        .ok_or_else(|| fields.missing("model_type"))?;
    Family::ALL
        .into_iter()
        .find(|family| family.model_type() == found)
        .ok_or_else(|| ArchError::Family {
            found: found.to_owned(),
            supported: Family::ALL.map(Family::model_type).join(", "),
        })
}
