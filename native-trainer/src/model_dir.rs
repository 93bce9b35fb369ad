//! A model by the name a user gives it: a folder, a name on the Hugging Face Hub, or `demo`.
//!
//! Whatever the name, what comes out is a folder with the files of a `transformers` checkpoint.

mod embedded;
mod hub;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

pub(crate) use hub::Hub;

/// The base that is part of the binary.
pub(crate) const DEMO: &str = "demo";

const CONFIG: &str = "config.json";
/// Files by which a folder without a config is known to be about text.
const TEXT_FILES: [&str; 3] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
];
const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// True when [`DEMO`] can be resolved.
pub(crate) fn has_embedded_base() -> bool {
    embedded::is_there()
}

/// A folder that holds a model.
#[derive(Debug, Clone)]
pub(crate) struct ModelDir {
    name: String,
    path: PathBuf,
}

impl ModelDir {
    /// Find the model, downloading or unpacking it where it is not here yet.
    pub(crate) fn resolve(name: &str) -> Result<Self> {
        if name == DEMO {
            return Ok(Self {
                name: name.into(),
                path: embedded::unpack()?,
            });
        }
        let path = Path::new(name);
        if path.is_dir() {
            return Self::open(name, path);
        }
        if path.is_file() {
            bail!("model `{name}` is a file, expected {}", its_folder(path));
        }
        let Some(repository) = hub::Repository::parse(name) else {
            bail!(
                "there is no folder `{name}` (a model is a folder with {CONFIG}, a name on the \
                 Hugging Face Hub such as `Qwen/Qwen2.5-0.5B-Instruct`, or `{DEMO}`)"
            );
        };
        let path = Hub::from_env()?.fetch(&repository).with_context(|| {
            format!("there is no folder `{name}`, so it was looked up on the Hub")
        })?;
        Self::open(name, &path)
    }

    /// As [`resolve`](Self::resolve), where only text is dealt with: a folder needs no more than
    /// files of a tokenizer or a template.
    pub(crate) fn resolve_text(name: &str) -> Result<Self> {
        let path = Path::new(name);
        let is_about_text =
            |file: &String| TEXT_FILES.contains(&file.as_str()) || file.ends_with(".model");
        let holds_text = |files: BTreeSet<String>| files.iter().any(is_about_text);
        if path.is_dir() && file_names(path).is_ok_and(holds_text) {
            return Ok(Self {
                name: name.into(),
                path: path.into(),
            });
        }
        Self::resolve(name)
    }

    /// A folder that is known to be there.
    fn open(name: &str, path: &Path) -> Result<Self> {
        let files =
            file_names(path).with_context(|| format!("reading the folder of model `{name}`"))?;
        if !files.contains(CONFIG) {
            bail!(
                "model folder `{name}` has no {CONFIG}{}",
                what_it_is_instead(path, &files)
            );
        }
        Ok(Self {
            name: name.into(),
            path: path.into(),
        })
    }

    /// The name as it was given.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file_names(&self) -> Result<BTreeSet<String>> {
        file_names(&self.path)
            .with_context(|| format!("reading the folder of model `{}`", self.name))
    }

    /// The contents of a file of the model; `None` when the model has no such file.
    pub(crate) fn read(&self, file: &str) -> Result<Option<Vec<u8>>> {
        let path = self.path.join(file);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading `{}`", path.display())),
        }
    }

    /// The weight files: one, or the shards that the index lists.
    pub(crate) fn safetensors_files(&self) -> Result<Vec<PathBuf>> {
        let files = self.file_names()?;
        let index = if files.contains(SINGLE) {
            None
        } else {
            self.read(INDEX)?
        };
        let index = index.as_deref().map(shards_of).transpose();
        let index = index.with_context(|| format!("reading {INDEX} of model `{}`", self.name))?;
        let wanted = weight_files(&files, index);
        if wanted.is_empty() {
            bail!(
                "model `{}` has no *.safetensors{}",
                self.name,
                what_it_is_instead(&self.path, &files)
            );
        }
        let missing: Vec<&str> = wanted
            .iter()
            .filter(|file| !files.contains(*file))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            bail!(
                "model `{}` lacks {} of its {} weight files: {} (the copy or the download is not \
                 complete; fetch the model again)",
                self.name,
                missing.len(),
                wanted.len(),
                missing.join(", ")
            );
        }
        Ok(wanted
            .into_iter()
            .map(|file| self.path.join(file))
            .collect())
    }
}

/// Which files of a folder hold the weights. Folders may carry a second copy in another layout
/// (Mistral's `consolidated.safetensors`), so the standard names come first.
fn weight_files(files: &BTreeSet<String>, index: Option<Vec<String>>) -> Vec<String> {
    if files.contains(SINGLE) {
        return vec![SINGLE.into()];
    }
    if let Some(shards) = index {
        return shards;
    }
    let is_other = |file: &str| file.starts_with("consolidated") || file.starts_with("adapter_");
    files
        .iter()
        .filter(|file| file.ends_with(".safetensors") && !is_other(file))
        .cloned()
        .collect()
}

/// File names of an index, each once, sorted.
fn shards_of(index: &[u8]) -> Result<Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let index: Index = serde_json::from_slice(index)?;
    let shards: BTreeSet<String> = index.weight_map.into_values().collect();
    // An index may come from anywhere: it may not point out of its folder.
    if let Some(outside) = shards.iter().find(|file| !is_plain_name(file)) {
        bail!("`weight_map` names `{outside}`, expected file names of the same folder");
    }
    Ok(shards.into_iter().collect())
}

fn is_plain_name(file: &str) -> bool {
    !file.is_empty() && !file.contains(['/', '\\', '\0']) && file != "." && file != ".."
}

fn file_names(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        names.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

fn its_folder(file: &Path) -> String {
    match file.parent().filter(|folder| folder.join(CONFIG).is_file()) {
        Some(folder) => format!("its folder: `{}`", folder.display()),
        None => format!("a folder with {CONFIG}, the tokenizer and *.safetensors"),
    }
}

/// Why a folder is not a model: the end of an error's sentence.
fn what_it_is_instead(path: &Path, files: &BTreeSet<String>) -> String {
    let has = |end: &str| files.iter().any(|file| file.ends_with(end));
    if files.contains("adapter_config.json") {
        return ": it is a LoRA adapter; give it with `--adapter`, and its base with `--model`"
            .into();
    }
    if let Some(inner) = inner_model(path, files) {
        return format!(", but `{}` has one", inner.display());
    }
    if let Some(reason) = other_weights(has) {
        return format!(": {reason}");
    }
    const SHOWN: usize = 8;
    if files.is_empty() {
        return ": it is empty".into();
    }
    let shown: Vec<&str> = files.iter().take(SHOWN).map(String::as_str).collect();
    let more = if files.len() > SHOWN { ", …" } else { "" };
    format!(" (it holds {}{more})", shown.join(", "))
}

/// Weights that are there in a form that is not read.
fn other_weights(has: impl Fn(&str) -> bool) -> Option<&'static str> {
    if has(".gguf") {
        return Some(
            "its weights are GGUF, which is made for running; train on the safetensors model that \
             the GGUF file was made from",
        );
    }
    let pickled = [".bin", ".pt", ".pth", ".ckpt"].into_iter().any(has);
    pickled.then_some(
        "its weights are PyTorch pickles, which can run code when they are opened; save the model \
         with transformers' `save_pretrained(…, safe_serialization=True)` first",
    )
}

/// A model one or two folders down, as in a parent folder or in the Hub's cache.
fn inner_model(path: &Path, files: &BTreeSet<String>) -> Option<PathBuf> {
    let direct = files
        .iter()
        .map(|file| path.join(file))
        .find(|inner| inner.join(CONFIG).is_file());
    direct.or_else(|| {
        let snapshots = path.join("snapshots");
        let names = file_names(&snapshots).ok()?;
        names
            .iter()
            .map(|name| snapshots.join(name))
            .find(|inner| inner.join(CONFIG).is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn resolve(folder: &tempfile::TempDir) -> Result<ModelDir> {
        ModelDir::resolve(folder.path().to_str().unwrap())
    }

    fn refusal(files: &[(&str, &str)]) -> String {
        let folder = folder(files);
        resolve(&folder)
            .and_then(|model| model.safetensors_files())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_folder_is_a_model() {
        let folder = folder(&[
            (CONFIG, "{}"),
            (SINGLE, ""),
            ("consolidated.safetensors", ""),
        ]);
        let model = resolve(&folder).unwrap();
        assert_eq!(model.path(), folder.path());
        assert_eq!(
            model.safetensors_files().unwrap(),
            [folder.path().join(SINGLE)]
        );
        assert_eq!(model.read(CONFIG).unwrap().unwrap(), b"{}");
        assert_eq!(model.read("tokenizer.json").unwrap(), None);
    }

    #[test]
    fn shards_come_from_the_index_and_missing_ones_are_named_together() {
        let index = r#"{"weight_map": {"a": "2.safetensors", "b": "1.safetensors", "c": "3.safetensors", "d": "1.safetensors"}}"#;
        let whole = folder(&[
            (CONFIG, "{}"),
            (INDEX, index),
            ("1.safetensors", ""),
            ("2.safetensors", ""),
            ("3.safetensors", ""),
        ]);
        let files = resolve(&whole).unwrap().safetensors_files().unwrap();
        let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap()).collect();
        assert_eq!(names, ["1.safetensors", "2.safetensors", "3.safetensors"]);

        let message = refusal(&[(CONFIG, "{}"), (INDEX, index), ("2.safetensors", "")]);
        assert!(message.contains("lacks 2 of its 3"), "{message}");
        assert!(
            message.contains("1.safetensors, 3.safetensors"),
            "{message}"
        );
    }

    #[test]
    fn an_index_cannot_point_elsewhere() {
        let index = r#"{"weight_map": {"a": "../../etc/passwd"}}"#;
        let folder = folder(&[(CONFIG, "{}"), (INDEX, index)]);
        let error = resolve(&folder).unwrap().safetensors_files().unwrap_err();
        assert!(format!("{error:#}").contains("same folder"), "{error:#}");
    }

    #[test]
    fn near_misses_are_told_what_they_are() {
        let check = |files: &[(&str, &str)], expected: &str| {
            let message = refusal(files);
            assert!(message.contains(expected), "{message}");
        };
        check(&[("notes.txt", "")], "no config.json (it holds notes.txt)");
        check(&[], "it is empty");
        check(&[("adapter_config.json", "{}")], "give it with `--adapter`");
        check(&[("inner/config.json", "{}")], "inner` has one");
        check(
            &[("snapshots/abc/config.json", "{}")],
            "snapshots/abc` has one",
        );
        check(&[("model-q4.gguf", "")], "GGUF");
        check(&[(CONFIG, "{}"), ("pytorch_model.bin", "")], "pickles");
        check(&[(CONFIG, "{}")], "no *.safetensors");
        check(
            &[(CONFIG, "{}"), (INDEX, "{")],
            "reading model.safetensors.index.json",
        );
    }

    #[test]
    fn a_file_points_to_its_folder() {
        let folder = folder(&[(CONFIG, "{}"), (SINGLE, "")]);
        let file = folder.path().join(SINGLE);
        let message = ModelDir::resolve(file.to_str().unwrap())
            .unwrap_err()
            .to_string();
        assert!(message.contains("its folder"), "{message}");
        let message = ModelDir::resolve("/no/such/folder")
            .unwrap_err()
            .to_string();
        assert!(message.contains("a model is a folder"), "{message}");
    }
}
