//! The config.json of a model that has got a head of its own.

use serde_json::Value;

use super::ArchError;

/// The same settings, and that the head is not the embedding.
///
/// # Errors
/// Where it is no config.json.
pub fn untied_config(config_json: &[u8]) -> Result<Vec<u8>, ArchError> {
    let Value::Object(mut settings) = serde_json::from_slice(config_json)? else {
        return Err(ArchError::NotAnObject);
    };
    settings.insert("tie_word_embeddings".to_owned(), Value::Bool(false));
    Ok(format!("{:#}\n", Value::Object(settings)).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_else_changes() {
        let config = br#"{"model_type": "llama", "tie_word_embeddings": true, "x": [1.5, null]}"#;
        let untied = String::from_utf8(untied_config(config).unwrap()).unwrap();
        let lines: Vec<&str> = untied.lines().map(str::trim).collect();
        assert_eq!(
            lines.concat(),
            r#"{"model_type": "llama","tie_word_embeddings": false,"x": [1.5,null]}"#
        );
    }

    #[test]
    fn a_family_that_is_tied_by_default_is_told() {
        let untied = untied_config(br#"{"model_type": "gemma"}"#).unwrap();
        assert!(untied.ends_with(b"\n  \"tie_word_embeddings\": false\n}\n"));
        assert!(untied_config(b"[]").is_err());
    }
}
