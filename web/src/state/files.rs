//! Which of the files that a user chose make a model or an adapter.

use veneer_core::{
    protocol::tab::{Fault, FaultKind},
    text::TEXT_FILES,
};

use crate::texts::faults::Sentence;

/// What the files are, as indices into the list of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    Gguf(usize),
    /// A Hugging Face directory.
    Directory(Directory),
    /// PEFT's two files.
    Adapter {
        config: usize,
        weights: usize,
    },
}

/// The files of a model directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    pub config: usize,
    /// `*.safetensors`, in the order of their names.
    pub weights: Vec<usize>,
    /// Files about text, as far as they are there.
    pub text: Vec<usize>,
}

pub const ADAPTER_CONFIG: &str = "adapter_config.json";
pub const ADAPTER_WEIGHTS: &str = "adapter_model.safetensors";
pub const CONFIG: &str = "config.json";

impl Chosen {
    /// Sorts files by their names, which may have folders before them. Where several folders hold
    /// models or adapters (the checkpoints of a run), the uppermost one counts.
    ///
    /// # Errors
    /// When nothing among them is a model or an adapter, or something is missing.
    pub fn of(names: &[String]) -> Result<Self, Fault> {
        let find = |wanted: &str| {
            let found = names.iter().enumerate();
            found
                .filter(|(_, name)| file_name(name) == wanted)
                .min_by_key(|(_, name)| (depth(name), name.len()))
                .map(|(index, _)| index)
        };
        if let Some(gguf) = first_gguf(names)? {
            return Ok(Self::Gguf(gguf));
        }
        let adapter = (find(ADAPTER_CONFIG), find(ADAPTER_WEIGHTS));
        if let Some(config) = find(CONFIG) {
            let folder = folder(&names[config]);
            let is_upper = adapter
                .0
                .is_none_or(|at| depth(&names[at]) >= depth(&names[config]));
            let weights = weights_in(names, folder);
            if is_upper && !weights.is_empty() {
                let beside = TEXT_FILES.into_iter().filter(|name| *name != CONFIG);
                let text = beside.filter_map(|wanted| {
                    let name =
                        |name: &String| file_name(name) == wanted && self::folder(name) == folder;
                    names.iter().position(name)
                });
                return Ok(Self::Directory(Directory {
                    config,
                    weights,
                    text: text.collect(),
                }));
            }
        }
        match adapter {
            (Some(config), _) => {
                let same_folder = |name: &String| {
                    file_name(name) == ADAPTER_WEIGHTS && folder(name) == folder(&names[config])
                };
                match names.iter().position(same_folder) {
                    Some(weights) => Ok(Self::Adapter { config, weights }),
                    None => Err(missing(
                        Sentence::AdapterFileMissing,
                        ADAPTER_WEIGHTS,
                        names,
                    )),
                }
            }
            (None, Some(_)) => Err(missing(Sentence::AdapterFileMissing, ADAPTER_CONFIG, names)),
            (None, None) if find(CONFIG).is_some() => {
                Err(missing(Sentence::FileMissing, "*.safetensors", names))
            }
            (None, None) if !weights_in(names, "").is_empty() => {
                Err(missing(Sentence::FileMissing, CONFIG, names))
            }
            (None, None) => Err(found(Sentence::FilesFound, names)),
        }
    }

    /// The same where an adapter was asked for.
    ///
    /// # Errors
    /// Also when the files are a model.
    pub fn adapter_of(names: &[String]) -> Result<Self, Fault> {
        let is_of_adapter =
            |name: &String| [ADAPTER_CONFIG, ADAPTER_WEIGHTS].contains(&file_name(name));
        match Self::of(names) {
            Ok(chosen) if chosen.is_adapter() => Ok(chosen),
            Ok(_) => Err(found(Sentence::ModelForAdapter, names)),
            Err(fault) if names.iter().any(is_of_adapter) => Err(fault),
            Err(_) => Err(found(Sentence::NoAdapterFiles, names)),
        }
    }

    pub fn is_adapter(&self) -> bool {
        matches!(self, Self::Adapter { .. })
    }

    /// The files that are needed, in a fixed order.
    pub fn indices(&self) -> Vec<usize> {
        match self {
            Self::Gguf(index) => vec![*index],
            Self::Directory(directory) => {
                let mut all = vec![directory.config];
                all.extend(&directory.text);
                all.extend(&directory.weights);
                all
            }
            Self::Adapter { config, weights } => vec![*config, *weights],
        }
    }

    /// A name for people: the file without its ending, or the folder.
    pub fn title(&self, names: &[String]) -> String {
        let of_folder = |index: usize| {
            let folder = folder(&names[index]);
            file_name(folder.trim_end_matches('/')).to_owned()
        };
        match self {
            Self::Gguf(index) => file_name(&names[*index])
                .trim_end_matches(".gguf")
                .to_owned(),
            Self::Directory(directory) => of_folder(directory.config),
            Self::Adapter { config, .. } => of_folder(*config),
        }
    }
}

/// The part of a path behind the last slash.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn folder(path: &str) -> &str {
    &path[..path.len() - file_name(path).len()]
}

fn depth(path: &str) -> usize {
    path.matches('/').count()
}

fn first_gguf(names: &[String]) -> Result<Option<usize>, Fault> {
    let is_gguf = |name: &&String| name.to_ascii_lowercase().ends_with(".gguf");
    let found: Vec<&String> = names.iter().filter(is_gguf).collect();
    match found[..] {
        [] => Ok(None),
        [one] if is_part(one) => Err(Fault::new(
            FaultKind::Unsupported,
            Sentence::PartOfModel.with(&[("file", one)]),
        )),
        [one] => Ok(names.iter().position(|name| name == one)),
        _ => {
            let (n, found) = (found.len().to_string(), list(names));
            let detail = Sentence::SeveralModels.with(&[("n", &n), ("found", &found)]);
            Err(Fault::new(FaultKind::NotAModel, detail))
        }
    }
}

/// llama.cpp names parts `…-00001-of-00003.gguf`.
fn is_part(name: &str) -> bool {
    let stem = name.trim_end_matches(".gguf");
    stem.rsplit_once("-of-")
        .is_some_and(|(_, n)| n.len() == 5 && n.bytes().all(|b| b.is_ascii_digit()) && n != "00001")
}

fn weights_in(names: &[String], wanted: &str) -> Vec<usize> {
    let mut found: Vec<usize> = (0..names.len())
        .filter(|&index| {
            let name = &names[index];
            name.ends_with(".safetensors")
                && file_name(name) != ADAPTER_WEIGHTS
                && folder(name) == wanted
        })
        .collect();
    found.sort_by(|&a, &b| names[a].cmp(&names[b]));
    found
}

fn missing(sentence: Sentence, file: &str, names: &[String]) -> Fault {
    let detail = sentence.with(&[("file", file), ("found", &list(names))]);
    Fault::new(FaultKind::NotAModel, detail)
}

fn found(sentence: Sentence, names: &[String]) -> Fault {
    Fault::new(
        FaultKind::NotAModel,
        sentence.with(&[("found", &list(names))]),
    )
}

/// The first names, and how many more there are.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 5;
    if names.is_empty() {
        return Sentence::NoFiles.with(&[]);
    }
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => {
            let (list, n) = (shown.join(", "), more.to_string());
            Sentence::AndMore.with(&[("list", &list), ("n", &n)])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_gguf_file_is_a_model() {
        let names = names(&["notes.txt", "m/Qwen3-0.6B-Q8_0.gguf"]);
        let chosen = Chosen::of(&names).unwrap();
        assert_eq!(chosen, Chosen::Gguf(1));
        assert_eq!(chosen.title(&names), "Qwen3-0.6B-Q8_0");
    }

    #[test]
    fn a_folder_is_a_model_with_its_text_files() {
        let names = names(&[
            "llama/model-00002-of-00002.safetensors",
            "llama/model-00001-of-00002.safetensors",
            "llama/tokenizer.json",
            "llama/config.json",
            "llama/original/tokenizer.json",
        ]);
        let chosen = Chosen::of(&names).unwrap();
        assert_eq!(chosen.indices(), [3, 2, 1, 0]);
        assert_eq!(chosen.title(&names), "llama");
        assert!(!chosen.is_adapter());
    }

    #[test]
    fn two_files_are_an_adapter() {
        let names = names(&["adapter_model.safetensors", "adapter_config.json"]);
        let want = Chosen::Adapter {
            config: 1,
            weights: 0,
        };
        assert_eq!(Chosen::of(&names).unwrap(), want);
    }

    #[test]
    fn the_uppermost_adapter_of_a_run_counts() {
        let names = names(&[
            "run/checkpoints/step-10/adapter_config.json",
            "run/checkpoints/step-10/adapter_model.safetensors",
            "run/adapter_config.json",
            "run/adapter_model.safetensors",
        ]);
        let chosen = Chosen::of(&names).unwrap();
        assert_eq!(
            chosen,
            Chosen::Adapter {
                config: 2,
                weights: 3
            }
        );
        assert_eq!(chosen.title(&names), "run");
    }

    #[track_caller]
    fn refused(files: &[&str], kind: FaultKind, what: &str) {
        let fault = Chosen::of(&names(files)).unwrap_err();
        assert_eq!(fault.kind, kind);
        assert!(fault.detail.contains(what), "{}", fault.detail);
    }

    #[test]
    fn what_is_missing_is_named() {
        refused(&[], FaultKind::NotAModel, "no files");
        refused(&["photo.png"], FaultKind::NotAModel, "photo.png");
        refused(
            &["adapter_config.json"],
            FaultKind::NotAModel,
            "`adapter_model.safetensors` is missing",
        );
        refused(
            &["adapter_model.safetensors"],
            FaultKind::NotAModel,
            "`adapter_config.json` is missing",
        );
        refused(
            &["model.safetensors"],
            FaultKind::NotAModel,
            "`config.json` is missing",
        );
        refused(
            &["a/config.json"],
            FaultKind::NotAModel,
            "`*.safetensors` is missing",
        );
    }

    #[test]
    fn where_an_adapter_is_asked_for_nothing_else_will_do() {
        let both = names(&["a/adapter_model.safetensors", "a/adapter_config.json"]);
        assert!(Chosen::adapter_of(&both).unwrap().is_adapter());
        for (files, said) in [
            (&["notes.txt"][..], "neither of an adapter's two files"),
            (&["m.gguf"], "a model and no adapter"),
            (
                &["adapter_config.json"],
                "`adapter_model.safetensors` is missing",
            ),
        ] {
            let fault = Chosen::adapter_of(&names(files)).unwrap_err();
            assert!(fault.detail.contains(said), "{}", fault.detail);
        }
    }

    #[test]
    fn several_models_and_parts_are_refused() {
        refused(
            &["a.gguf", "b.gguf"],
            FaultKind::NotAModel,
            "found 2 GGUF files",
        );
        refused(&["a-00002-of-00003.gguf"], FaultKind::Unsupported, "split");
    }
}
