//! What the store knows about a model or adapter: one JSON file an entry, beside files named after
//! their SHA-256.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use veneer_core::protocol::tab::{RemoteFile, StoredEntry};

/// The note of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub version: u32,
    pub name: String,
    pub is_adapter: bool,
    /// Where it came from, for people.
    pub source: String,
    pub files: Vec<StoredFile>,
}

/// A file of an entry; its bytes lie under its hash, so that two entries share them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    pub name: String,
    pub sha256: String,
    pub bytes: u64,
    /// Where it can be fetched again.
    #[serde(default)]
    pub url: Option<String>,
}

impl Manifest {
    pub const VERSION: u32 = 1;

    /// Reads a note; `None` where it is not one that this version writes.
    pub fn from_json(text: &str) -> Option<Self> {
        let manifest: Self = serde_json::from_str(text).ok()?;
        (manifest.version == Self::VERSION).then_some(manifest)
    }

    /// The name of the entry: a hash over names and hashes of its files, the same for the same files
    /// wherever they came from.
    pub fn entry(&self) -> String {
        let mut files: Vec<&StoredFile> = self.files.iter().collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let mut hash = Sha256::new();
        for file in files {
            hash.update(file.sha256.as_bytes());
            hash.update(file.name.as_bytes());
            hash.update([0]);
        }
        hex(&hash.finalize())
    }

    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The entry as the page shows it.
    pub fn view(&self) -> StoredEntry {
        StoredEntry {
            entry: self.entry(),
            name: self.name.clone(),
            is_adapter: self.is_adapter,
            bytes: self.bytes(),
            source: self.source.clone(),
            can_repair: self.files.iter().all(|file| file.url.is_some()),
        }
    }

    /// How to fetch a file again.
    pub fn remote(&self, name: &str) -> Option<RemoteFile> {
        let file = self.files.iter().find(|file| file.name == name)?;
        Some(RemoteFile {
            name: file.name.clone(),
            url: file.url.clone()?,
            bytes: Some(file.bytes),
            sha256: Some(file.sha256.clone()),
        })
    }
}

/// Hashes that only `gone` needs, when the notes of all entries are these.
pub fn no_longer_needed(gone: &Manifest, all: &[Manifest]) -> Vec<String> {
    let entry = gone.entry();
    let needed = |hash: &str| {
        let others = all.iter().filter(|other| other.entry() != entry);
        others
            .flat_map(|other| &other.files)
            .any(|file| file.sha256 == hash)
    };
    let mut hashes: Vec<String> = gone.files.iter().map(|file| file.sha256.clone()).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes.retain(|hash| !needed(hash));
    hashes
}

/// Where the part of a download lies: a hash of its address.
pub fn part_name(url: &str) -> String {
    hex(&Sha256::digest(url.as_bytes()))
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(files: &[(&str, &str)]) -> Manifest {
        Manifest {
            version: Manifest::VERSION,
            name: "m".into(),
            is_adapter: false,
            source: "here".into(),
            files: files
                .iter()
                .map(|(name, sha256)| StoredFile {
                    name: (*name).into(),
                    sha256: (*sha256).into(),
                    bytes: 10,
                    url: None,
                })
                .collect(),
        }
    }

    #[test]
    fn the_entry_follows_from_the_files_alone() {
        let one = manifest(&[("a", "11"), ("b", "22")]);
        let mut other = manifest(&[("b", "22"), ("a", "11")]);
        other.name = "other".into();
        assert_eq!(one.entry(), other.entry());
        assert_ne!(one.entry(), manifest(&[("a", "11"), ("b", "23")]).entry());
        assert_eq!(one.entry().len(), 64);
    }

    #[test]
    fn shared_files_stay() {
        let base = manifest(&[("model", "11"), ("tokenizer", "22")]);
        let other = manifest(&[("model", "33"), ("tokenizer", "22")]);
        let all = [base.clone(), other];
        assert_eq!(no_longer_needed(&base, &all), ["11"]);
    }

    #[test]
    fn a_note_survives_and_a_foreign_one_is_ignored() {
        let note = manifest(&[("a", "11")]);
        let text = serde_json::to_string(&note).unwrap();
        assert_eq!(Manifest::from_json(&text), Some(note));
        assert_eq!(
            Manifest::from_json(&text.replace("\"version\":1", "\"version\":9")),
            None
        );
        assert_eq!(Manifest::from_json("{"), None);
    }

    #[test]
    fn only_files_with_an_address_can_be_repaired() {
        let mut note = manifest(&[("a", "11")]);
        assert!(!note.view().can_repair);
        assert_eq!(note.remote("a"), None);
        note.files[0].url = Some("https://example.org/a".into());
        assert!(note.view().can_repair);
        assert_eq!(note.remote("a").unwrap().sha256.as_deref(), Some("11"));
    }
}
