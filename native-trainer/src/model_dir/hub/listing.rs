//! Which files a repository has, and which of them a model needs.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::{
    super::{CONFIG, INDEX, file_names, other_weights, shards_of, weight_files},
    download::{Error, Source},
};

/// Small files that say how a model reads and writes text; those that exist are taken.
const SMALL_FILES: [&str; 14] = [
    CONFIG,
    INDEX,
    "generation_config.json",
    "tokenizer.json",
    "tokenizer.model",
    "spiece.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    "adapter_config.json",
];

/// A revision of a repository.
#[derive(Debug, Deserialize)]
pub(super) struct Listing {
    #[serde(rename = "sha")]
    pub(super) commit: String,
    siblings: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(rename = "rfilename")]
    name: String,
    size: Option<u64>,
}

/// A file to download.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) size: Option<u64>,
}

impl Wanted {
    pub(super) fn is_weights(&self) -> bool {
        self.name.ends_with(".safetensors")
    }
}

impl Listing {
    pub(super) fn get(source: &Source) -> Result<Self, Error> {
        let remote = source.api.repo(source.repo.clone());
        let mut response = remote.info_request().query("blobs", "true").call()?;
        let text = response.body_mut().read_to_string()?;
        serde_json::from_str(&text).map_err(Error::Listing)
    }

    /// Everything but the weights.
    pub(super) fn small_files(&self) -> Result<Vec<Wanted>> {
        let has = |name: &str| self.siblings.iter().any(|entry| entry.name == name);
        let weights = |end: &str| self.siblings.iter().any(|entry| entry.name.ends_with(end));
        if !weights(".safetensors") {
            let reason = other_weights(weights).unwrap_or("it has no *.safetensors");
            bail!("the repository cannot be used: {reason}");
        }
        if !has(CONFIG) {
            if has("adapter_config.json") {
                bail!("the repository is a LoRA adapter, not a model; name its base instead");
            }
            bail!("the repository has no {CONFIG}");
        }
        if !is_commit(&self.commit) {
            bail!(
                "the Hub named the commit `{}`, expected 40 hexadecimal digits",
                self.commit
            );
        }
        let small = self
            .siblings
            .iter()
            .filter(|entry| SMALL_FILES.contains(&entry.name.as_str()));
        Ok(small.map(Entry::wanted).collect())
    }

    /// The weight files, known once the small files lie in `folder`.
    pub(super) fn weights(&self, folder: &Path) -> Result<Vec<Wanted>> {
        let mut names = file_names(folder).context("reading the downloaded files")?;
        let top = |entry: &&Entry| !entry.name.contains(['/', '\\']);
        names.extend(
            self.siblings
                .iter()
                .filter(top)
                .map(|entry| entry.name.clone()),
        );
        let index = match std::fs::read(folder.join(INDEX)) {
            Ok(bytes) => Some(shards_of(&bytes).with_context(|| format!("reading {INDEX}"))?),
            // A repository with one weight file has no index.
            Err(_) => None,
        };
        let files = weight_files(&names, index);
        let sibling = |name: &str| self.siblings.iter().find(|entry| entry.name == name);
        let missing: Vec<&str> = files
            .iter()
            .map(String::as_str)
            .filter(|name| sibling(name).is_none())
            .collect();
        if !missing.is_empty() {
            bail!(
                "the repository lacks weight files of its index: {}",
                missing.join(", ")
            );
        }
        Ok(files
            .iter()
            .filter_map(|name| sibling(name))
            .map(Entry::wanted)
            .collect())
    }
}

impl Entry {
    fn wanted(&self) -> Wanted {
        Wanted {
            name: self.name.clone(),
            size: self.size,
        }
    }
}

/// The commit becomes the name of a folder, so it may be nothing else.
fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.chars().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(names: &[&str]) -> Listing {
        let entry = |name: &&str| Entry {
            name: (*name).into(),
            size: Some(1),
        };
        Listing {
            commit: "a".repeat(40),
            siblings: names.iter().map(entry).collect(),
        }
    }

    fn names(files: Vec<Wanted>) -> Vec<String> {
        files.into_iter().map(|file| file.name).collect()
    }

    #[test]
    fn only_what_a_model_needs() {
        let listing = listing(&[
            "README.md",
            "config.json",
            "tokenizer.json",
            "model.safetensors",
            "onnx/model.onnx",
            "pytorch_model.bin",
            "consolidated.safetensors",
        ]);
        assert_eq!(
            names(listing.small_files().unwrap()),
            ["config.json", "tokenizer.json"]
        );
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            names(listing.weights(folder.path()).unwrap()),
            ["model.safetensors"]
        );
    }

    #[test]
    fn shards_of_the_index() {
        let listing = listing(&[
            "config.json",
            INDEX,
            "a.safetensors",
            "b.safetensors",
            "c.safetensors",
        ]);
        let folder = tempfile::tempdir().unwrap();
        let index = r#"{"weight_map": {"x": "b.safetensors", "y": "a.safetensors"}}"#;
        std::fs::write(folder.path().join(INDEX), index).unwrap();
        assert_eq!(
            names(listing.weights(folder.path()).unwrap()),
            ["a.safetensors", "b.safetensors"]
        );

        let index = r#"{"weight_map": {"x": "gone.safetensors"}}"#;
        std::fs::write(folder.path().join(INDEX), index).unwrap();
        let message = listing.weights(folder.path()).unwrap_err().to_string();
        assert!(message.contains("gone.safetensors"), "{message}");
    }

    #[test]
    fn what_is_no_model_says_why() {
        let check = |files: &[&str], expected: &str| {
            let message = listing(files).small_files().unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        };
        check(&["config.json", "model-q4_0.gguf"], "GGUF");
        check(&["config.json", "pytorch_model.bin"], "pickles");
        check(
            &["adapter_config.json", "adapter_model.safetensors"],
            "LoRA adapter",
        );
        check(&["model.safetensors"], "no config.json");
    }
}
