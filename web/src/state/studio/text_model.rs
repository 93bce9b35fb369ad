//! Which files of a model say how text becomes tokens.

use veneer_core::{
    protocol::studio::TrainWhat,
    text::{TEXT_FILES, TOKENIZER_FILES},
};

use crate::state::numbers;

/// Places of the files that are needed among those that were picked: a GGUF file alone, or what
/// belongs to the tokenizer of a folder. Nothing where there is neither.
pub fn wanted(names: &[String]) -> Vec<usize> {
    let base = |name: &str| name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let gguf = names.iter().position(|name| base(name).ends_with(".gguf"));
    let known = |at: &usize| TEXT_FILES.contains(&base(&names[*at]).as_str());
    let folder: Vec<usize> = (0..names.len()).filter(known).collect();
    let has_tokenizer = folder
        .iter()
        .any(|at| TOKENIZER_FILES.contains(&base(&names[*at]).as_str()));
    match (has_tokenizer, gguf) {
        (true, _) => folder,
        (false, Some(gguf)) => vec![gguf],
        (false, None) => Vec::new(),
    }
}

/// A folder's name from the path of one of its files, else the name of the file.
pub fn name_of(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((folder, _)) => folder.rsplit('/').next().unwrap_or(folder),
        None => path,
    }
}

/// For values of options and for tools.
pub fn train_name(what: TrainWhat) -> &'static str {
    match what {
        TrainWhat::All => "all",
        TrainWhat::Assistant => "assistant",
        TrainWhat::Last => "last",
    }
}

pub const TRAIN_WHAT: [TrainWhat; 3] = [TrainWhat::Assistant, TrainWhat::Last, TrainWhat::All];

/// A length that was typed; nothing where it is none.
pub fn length(text: &str) -> Option<u32> {
    let length = numbers::typed_whole(text)?;
    u32::try_from(length).ok().filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], want: &[usize]) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(wanted(&names), want);
    }

    #[test]
    fn a_folder_gives_its_tokenizer_without_its_weights() {
        check(
            &[
                "qwen/model.safetensors",
                "qwen/tokenizer.json",
                "qwen/README.md",
                "qwen/chat_template.jinja",
            ],
            &[1, 3],
        );
    }

    #[test]
    fn a_gguf_file_has_everything() {
        check(&["README.md", "m.GGUF", "config.json"], &[1]);
        check(&["m.gguf", "tokenizer.json"], &[1]);
    }

    #[test]
    fn other_files_are_nothing() {
        check(&["data.jsonl", "config.json"], &[]);
        check(&[], &[]);
    }

    #[test]
    fn a_model_is_called_like_its_folder() {
        assert_eq!(name_of("models/qwen/tokenizer.json"), "qwen");
        assert_eq!(name_of("m.gguf"), "m.gguf");
    }

    #[test]
    fn a_length_is_a_number_above_nothing() {
        for text in [" 2048 ", "2,048", "2.048", "２０４８"] {
            assert_eq!(length(text), Some(2048), "{text}");
        }
        for text in ["", "0", "-1", "1.5", "x", "99999999999"] {
            assert_eq!(length(text), None, "{text}");
        }
    }
}
