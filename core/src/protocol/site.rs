//! `demo/site.json`: what a static site offers next to the app.
//!
//! Written by `veneer export --to site` and by the web build; read by the page from its own origin.

use serde::{Deserialize, Serialize};

/// The list of models that a site serves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// [`Site::VERSION`] of the writer.
    pub version: u32,
    /// Heading of the site, in the words of who made it.
    pub title: String,
    /// In the order in which they are offered; the first one is what the one click opens.
    pub models: Vec<SiteModel>,
}

/// A model with what belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteModel {
    pub name: String,
    /// One sentence for people who never saw the model.
    #[serde(default)]
    pub about: String,
    /// One `*.gguf`, or the files of a Hugging Face directory.
    pub files: Vec<SiteFile>,
    #[serde(default)]
    pub adapters: Vec<SiteAdapter>,
    /// What a new chat begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Sample prompts, shown as buttons.
    #[serde(default)]
    pub prompts: Vec<String>,
}

/// An adapter of a model: its two files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteAdapter {
    /// Names its column and `answer-<name>`.
    pub name: String,
    #[serde(default)]
    pub about: String,
    pub files: Vec<SiteFile>,
}

/// A file of the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteFile {
    /// Relative to `site.json`, with `/`; the last part is the name of the file.
    pub path: String,
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal digits.
    pub sha256: String,
}

/// Why a `site.json` cannot be used.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SiteError {
    #[error("site.json is not a list of models: {detail}")]
    Format { detail: String },

    #[error("site.json has version {found}, expected {expected}; export the site again")]
    Version { found: u32, expected: u32 },

    #[error("site.json names no model")]
    Empty,

    #[error("site.json gives `{path}` the SHA-256 `{found}`, expected 64 hexadecimal digits")]
    Sha256 { path: String, found: String },

    #[error("site.json names the file `{path}`, expected a path inside the site")]
    Path { path: String },
}

impl Site {
    pub const VERSION: u32 = 1;

    /// Where the page looks for it.
    pub const PATH: &'static str = "demo/site.json";

    /// Reads and checks a list.
    ///
    /// # Errors
    /// Names the first thing that cannot be used.
    pub fn from_json(text: &str) -> Result<Self, SiteError> {
        let site: Self = serde_json::from_str(text).map_err(|error| SiteError::Format {
            detail: error.to_string(),
        })?;
        if site.version != Self::VERSION {
            return Err(SiteError::Version {
                found: site.version,
                expected: Self::VERSION,
            });
        }
        if site.models.is_empty() {
            return Err(SiteError::Empty);
        }
        for file in site.models.iter().flat_map(SiteModel::all_files) {
            file.check()?;
        }
        Ok(site)
    }
}

impl SiteModel {
    /// Its own files and those of its adapters.
    pub fn all_files(&self) -> impl Iterator<Item = &SiteFile> {
        let adapters = self.adapters.iter().flat_map(|adapter| &adapter.files);
        self.files.iter().chain(adapters)
    }
}

impl SiteFile {
    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    fn check(&self) -> Result<(), SiteError> {
        let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        if self.sha256.len() != 64 || !self.sha256.chars().all(is_digit) {
            return Err(SiteError::Sha256 {
                path: self.path.clone(),
                found: self.sha256.clone(),
            });
        }
        let leaves = |part: &str| part.is_empty() || part == "." || part == "..";
        if self.path.split('/').any(leaves) || self.path.contains([':', '\\', '?', '#']) {
            return Err(SiteError::Path {
                path: self.path.clone(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(path: &str, sha256: &str) -> String {
        format!(
            r#"{{"version":1,"title":"Bonds","models":[{{"name":"small","files":[
                {{"path":"{path}","bytes":10,"sha256":"{sha256}"}}]}}]}}"#
        )
    }

    #[test]
    fn a_list_is_read() {
        let read = Site::from_json(&site("base/model.gguf", &"0a".repeat(32))).unwrap();
        assert_eq!(read.models[0].files[0].name(), "model.gguf");
        assert!(read.models[0].adapters.is_empty() && read.models[0].prompts.is_empty());
    }

    #[test]
    fn a_hash_that_is_none_is_named() {
        let found = Site::from_json(&site("m.gguf", "0A")).unwrap_err();
        assert!(matches!(found, SiteError::Sha256 { ref path, .. } if path == "m.gguf"));
    }

    #[test]
    fn a_path_out_of_the_site_is_refused() {
        for path in [
            "../m.gguf",
            "https://elsewhere.example/m.gguf",
            "/m.gguf",
            "a//b",
            "",
        ] {
            let found = Site::from_json(&site(path, &"0a".repeat(32))).unwrap_err();
            assert!(matches!(found, SiteError::Path { .. }), "{path}: {found}");
        }
    }

    #[test]
    fn a_later_version_is_refused() {
        let text = site("m.gguf", &"0a".repeat(32)).replace("\"version\":1", "\"version\":2");
        assert_eq!(
            Site::from_json(&text).unwrap_err(),
            SiteError::Version {
                found: 2,
                expected: 1
            }
        );
    }
}
