//! A model with its adapters as a site offers them: files and the list that names them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};
use veneer_core::{
    protocol::{Site, SiteAdapter, SiteFile, SiteModel},
    quant::Format,
    weights::adapter::{CONFIG_FILE, WEIGHTS_FILE},
};

use super::{Content, Files};
use crate::{
    export_check::CheckArgs,
    gguf_file::{GgufRequest, TokenizerChoice, gguf_path, model_name},
    model_run::{Checkpoint, check_fits, is_gguf, map, open_adapter},
};

/// What the page says about the model.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Site")]
pub(crate) struct OfferText {
    /// Heading of the page [default: the model's name]
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// What a new chat begins with
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,

    /// Sample prompt, shown as a button; can be given several times
    #[arg(long, value_name = "TEXT")]
    prompt: Vec<String>,
}

impl OfferText {
    pub(crate) fn is_empty(&self) -> bool {
        self.title.is_none() && self.system.is_none() && self.prompt.is_empty()
    }
}

/// A model for the browser, with adapters beside it.
pub(crate) struct Offer<'a> {
    /// Folder, Hub name, `demo`, or a GGUF file, which is taken as it is.
    pub(crate) model: &'a str,
    pub(crate) adapters: &'a [PathBuf],
    /// How the weights of a folder are stored; 8 bits where nothing is said.
    pub(crate) format: Option<Format>,
    pub(crate) name: Option<&'a str>,
    pub(crate) tokenizer_pre: Option<&'a str>,
    pub(crate) text: &'a OfferText,
    pub(crate) check: &'a CheckArgs,
}

impl Offer<'_> {
    /// The files by address, with `demo/site.json` among them. A folder's weights are written to
    /// `scratch` as GGUF; everything else is left where it is.
    pub(crate) fn files(&self, scratch: &Path) -> Result<Files> {
        let mut listed = Listed::default();
        let name = self
            .name
            .map_or_else(|| model_name(self.model), str::to_owned);
        let name = name.trim_end_matches(".gguf").to_owned();
        let model = if is_gguf(self.model) {
            self.given_gguf()?
        } else {
            self.written_gguf(&name, scratch)?
        };
        let files = vec![listed.add("model", &model)?];
        let adapters = self
            .adapters
            .iter()
            .map(|dir| listed.add_adapter(dir))
            .collect::<Result<_>>()?;
        let text = self.text;
        let site = Site {
            version: Site::VERSION,
            title: text.title.clone().unwrap_or_else(|| name.clone()),
            models: vec![SiteModel {
                name,
                about: String::new(),
                files,
                adapters,
                system: text.system.clone(),
                prompts: text.prompt.clone(),
            }],
        };
        let json = serde_json::to_string_pretty(&site)?;
        // The page refuses what this refuses: a name that no address can have, for one.
        Site::from_json(&json).context("the list for the page")?;
        let mut files = listed.files;
        files.insert(
            Site::PATH.to_owned(),
            Content::Bytes(json.into_bytes().into()),
        );
        Ok(files)
    }

    fn given_gguf(&self) -> Result<PathBuf> {
        if let Some(format) = self.format {
            bail!(
                "--quant {} is for models that are not quantized yet; `{}` is taken as it is",
                format.name().to_lowercase(),
                self.model
            );
        }
        let path = PathBuf::from(self.model);
        let arch = crate::engine_model::gguf_arch(&path)?;
        self.check_adapters(&arch)?;
        Ok(path)
    }

    fn written_gguf(&self, name: &str, scratch: &Path) -> Result<PathBuf> {
        let checkpoint = Checkpoint::open(self.model)?;
        self.check_adapters(&checkpoint.arch)?;
        let format = self.format.unwrap_or(Format::Q8_0);
        let request = GgufRequest {
            checkpoint: &checkpoint,
            adapter: None,
            format,
            name,
            tokenizer: TokenizerChoice::With {
                pre: self.tokenizer_pre,
            },
            check: self.check,
        };
        let out = gguf_path(scratch, &in_address(name), format)?;
        request.write(&out)?.publish(&out)?;
        Ok(out)
    }

    /// Before anything large is written: a site with an adapter of another model helps nobody.
    fn check_adapters(&self, arch: &veneer_core::arch::Arch) -> Result<()> {
        for dir in self.adapters {
            check_fits(&open_adapter(dir)?, arch, dir)?;
        }
        Ok(())
    }
}

/// Files that have their address, in the folder of `site.json`.
#[derive(Default)]
struct Listed {
    files: Files,
    adapters: Vec<String>,
}

impl Listed {
    fn add(&mut self, folder: &str, file: &Path) -> Result<SiteFile> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let path = format!("{folder}/{}", in_address(&name));
        let (bytes, sha256) = measure(file)?;
        let root = Site::PATH.rsplit_once('/').map_or("", |(root, _)| root);
        self.files
            .insert(format!("{root}/{path}"), Content::File(file.to_owned()));
        Ok(SiteFile {
            path,
            bytes,
            sha256,
        })
    }

    fn add_adapter(&mut self, dir: &Path) -> Result<SiteAdapter> {
        let name = self.free_name(&in_address(&model_name(&dir.to_string_lossy())));
        let folder = format!("adapters/{name}");
        let files = [CONFIG_FILE, WEIGHTS_FILE]
            .iter()
            .map(|file| self.add(&folder, &dir.join(file)))
            .collect::<Result<_>>()?;
        Ok(SiteAdapter {
            name,
            about: String::new(),
            files,
        })
    }

    /// Two folders may have the same last part.
    fn free_name(&mut self, name: &str) -> String {
        let mut free = name.to_owned();
        let mut n = 1;
        while self.adapters.contains(&free) {
            n += 1;
            free = format!("{name}-{n}");
        }
        self.adapters.push(free.clone());
        free
    }
}

/// A name that every address can have.
fn in_address(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = name
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "model" } else { name }.to_owned()
}

/// Length and SHA-256 of a file.
fn measure(file: &Path) -> Result<(u64, String)> {
    let is_empty = fs::metadata(file).is_ok_and(|metadata| metadata.len() == 0);
    if is_empty {
        bail!("`{}` is empty", file.display());
    }
    let bytes = map(file)?;
    let digest = Sha256::digest(&bytes[..]);
    let hex = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((bytes.len() as u64, hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_addresses() {
        assert_eq!(in_address("Qwen2.5-0.5B"), "Qwen2.5-0.5B");
        assert_eq!(in_address("mi modelo ñ?#"), "mi-modelo----");
        assert_eq!(in_address(".."), "model");
    }

    #[test]
    fn adapters_of_one_name_are_told_apart() {
        let mut listed = Listed::default();
        let names = ["adapter", "adapter", "other", "adapter"].map(|name| listed.free_name(name));
        assert_eq!(names, ["adapter", "adapter-2", "other", "adapter-3"]);
    }

    #[test]
    fn files_are_measured() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        fs::write(&file, "abc").unwrap();
        let (bytes, sha256) = measure(&file).unwrap();
        assert_eq!(bytes, 3);
        assert!(
            sha256.starts_with("ba7816bf8f01cfea414140de5dae2223"),
            "{sha256}"
        );
    }
}
