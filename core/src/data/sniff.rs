//! What a file is, by its first bytes: table or JSON, a list of datasets, or no text at all.

use std::io::Read as _;

use serde_json::{Map, Value};

use super::{Container, Encoding, columns::list, encoding::Utf8Reader};

/// LLaMA-Factory's `dataset_info.json`: names of datasets, each with the place of its file.
pub(crate) fn registry_files(object: &Map<String, Value>) -> Option<String> {
    const PLACES: [&str; 6] = [
        "file_name",
        "hf_hub_url",
        "ms_hub_url",
        "om_hub_url",
        "script_url",
        "cloud_file_name",
    ];
    let is_entry = |entry: &Value| PLACES.iter().any(|key| entry.get(key).is_some());
    let n_entries = object.values().filter(|entry| is_entry(entry)).count();
    let file = |entry: &Value| entry.get("file_name")?.as_str().map(String::from);
    let files: Vec<String> = object.values().filter_map(file).collect();
    (n_entries > 0 && n_entries * 2 >= object.len()).then(|| list(&files))
}

/// Files that people hand over and that are no text.
pub(crate) fn binary_kind(sample: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 7] = [
        (b"PAR1", "a Parquet file"),
        (b"ARROW1", "an Arrow file"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"PK\x03\x04", "a ZIP archive or spreadsheet"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"%PDF-", "a PDF document"),
    ];
    MAGIC
        .iter()
        .find(|(magic, _)| sample.starts_with(magic))
        .map(|(_, kind)| *kind)
}

/// Whether the start of a file can be text in some encoding: few control characters.
#[cfg(feature = "studio")]
pub(crate) fn holds_text(sample: &[u8]) -> bool {
    let text = decoded_sample(sample, super::encoding::detect(sample, false).encoding);
    let is_control =
        |c: &char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{85}');
    let n_controls = text.chars().filter(is_control).count();
    let n_chars = text.chars().count();
    // A stray one is no reason to refuse a short file.
    n_controls * 50 <= n_chars || n_controls <= 2 && n_controls * 8 <= n_chars
}

pub(crate) fn decoded_sample(sample: &[u8], encoding: Encoding) -> String {
    let mut bytes = Vec::new();
    // Reading from memory cannot fail; malformed bytes become replacement characters below.
    let read = Utf8Reader::new(sample, encoding).read_to_end(&mut bytes);
    debug_assert!(read.is_ok());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// JSON starts with a bracket; a table may, too, in theory, if its name says that it is one.
pub(crate) fn holds_json(text: &str, container: Option<Container>) -> bool {
    match text.trim_start().chars().next() {
        Some('{') => true,
        Some('[') if container.is_none() => true,
        _ => container == Some(Container::Json),
    }
}
