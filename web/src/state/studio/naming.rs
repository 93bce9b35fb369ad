//! What things are called that outlive a visit: files for the user, readings, models.

use sha2::{Digest as _, Sha256};

use crate::state::{files::file_name, manifest::hex};

/// What project files end with.
const ENDING: &str = "veneer";

/// The file of a project, under a name that every file system takes.
pub fn project_file(name: &str) -> String {
    let is_refused = |c: char| c.is_control() || r#"<>:"/\|?*"#.contains(c);
    let name: String = name
        .chars()
        .map(|c| if is_refused(c) { '-' } else { c })
        .collect();
    match name.trim().trim_matches('.') {
        "" => format!("project.{ENDING}"),
        name => format!("{name}.{ENDING}"),
    }
}

/// Under which the reading of a table is remembered: its columns, whatever its file is called.
pub fn reading_key(columns: &[String]) -> String {
    let mut hash = Sha256::new();
    for column in columns {
        hash.update((column.len() as u64).to_le_bytes());
        hash.update(column);
    }
    format!("reading {}", hex(&hash.finalize()))
}

/// What a model of the user is called, by one of its files: its folder, or the GGUF file.
pub fn model_title(path: &str) -> String {
    if let Some(name) = file_name(path).strip_suffix(".gguf") {
        return name.to_owned();
    }
    match path.rsplit_once('/') {
        Some((folder, _)) => file_name(folder).to_owned(),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_s_file_can_be_saved_anywhere() {
        assert_eq!(project_file("Bank 2024"), "Bank 2024.veneer");
        assert_eq!(project_file("../a:b\n"), "-a-b-.veneer");
        assert_eq!(project_file("国勢調査"), "国勢調査.veneer");
        assert_eq!(project_file(" . "), "project.veneer");
    }

    #[test]
    fn columns_in_another_order_or_cut_elsewhere_are_other_columns() {
        let key =
            |columns: &[&str]| reading_key(&columns.iter().map(|&c| c.into()).collect::<Vec<_>>());
        assert_eq!(key(&["ab", "c"]), key(&["ab", "c"]));
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_ne!(key(&["ab", "c"]), key(&["c", "ab"]));
    }

    #[test]
    fn models_are_called_after_their_folder_or_file() {
        assert_eq!(model_title("models/qwen/tokenizer.json"), "qwen");
        assert_eq!(model_title("models/small.Q8_0.gguf"), "small.Q8_0");
        assert_eq!(model_title("tokenizer.json"), "tokenizer.json");
    }
}
