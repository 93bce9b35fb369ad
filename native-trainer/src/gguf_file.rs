//! A model as one GGUF file, compared with its source before it gets its name.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use veneer_core::{
    arch::Arch,
    export::{
        ExportError, GgufExport, GgufModel, GgufOptions, GoTemplate, Probe, TokenizerFiles,
        VocabularyFile, modelfile,
    },
    quant::{Drift, Format},
    text::{ChatTemplate, Message, ModelText, RenderOptions, Role},
    weights::{
        WeightSource,
        merge::{MergedSource, Rounding, merged_arch},
    },
};

use crate::{
    dataset::shell_word,
    export_check::{CheckArgs, Expected, drift_text},
    files::{self, write_atomic},
    merged_folder::{explain_full_disk, size_text},
    model_run::{Checkpoint, map, open_adapter},
    progress, text_files,
};

/// What to write.
pub(crate) struct GgufRequest<'a> {
    pub(crate) checkpoint: &'a Checkpoint,
    /// Folded into the weights.
    pub(crate) adapter: Option<&'a Path>,
    pub(crate) format: Format,
    /// Name of the model inside the file.
    pub(crate) name: &'a str,
    pub(crate) tokenizer: TokenizerChoice<'a>,
    pub(crate) check: &'a CheckArgs,
}

/// How the tokenizer goes into the file.
pub(crate) enum TokenizerChoice<'a> {
    Without,
    /// With llama.cpp's name for the way it splits text, where it is not recognised.
    With {
        pre: Option<&'a str>,
    },
}

/// A file that is written and checked, but does not have its name yet.
pub(crate) struct GgufFile {
    prepared: files::Prepared,
    export: GgufExport,
    text: ModelText,
    format: Format,
    drift: Drift,
}

impl GgufRequest<'_> {
    /// Writes beside `out`, reads back, compares.
    pub(crate) fn write(&self, out: &Path) -> Result<GgufFile> {
        let text = text_files::model_text(&self.checkpoint.dir, self.check.template())?;
        let base = self.checkpoint.weights_by_reading()?;
        let adapter = self.adapter.map(open_adapter).transpose()?;
        let arch = match &adapter {
            Some(adapter) => merged_arch(&self.checkpoint.arch, adapter),
            None => self.checkpoint.arch.clone(),
        };
        let export = self.plan(&arch, &text)?;
        let merged = adapter
            .as_ref()
            .map(|adapter| MergedSource::new(&self.checkpoint.arch, &base, adapter, Rounding::Keep))
            .transpose()?;
        let weights: &dyn WeightSource = match &merged {
            Some(merged) => merged,
            None => &base,
        };
        let context_length = export.context_length();
        let expected = Expected::new(self.checkpoint, self.adapter, context_length, self.check)?;
        let prepared = write(&export, weights, out)?;
        let drift = self
            .read_back(prepared.beside(), &export, weights, &expected)
            .with_context(|| format!("`{}` is not kept", out.display()))?;
        Ok(GgufFile {
            prepared,
            export,
            text,
            format: self.format,
            drift,
        })
    }

    fn plan(&self, arch: &Arch, text: &ModelText) -> Result<GgufExport> {
        let dir = &self.checkpoint.dir;
        let vocabulary = text_files::tokenizer_file(dir)?;
        let tokenizer_config = dir.read("tokenizer_config.json")?;
        let tokenizer = match (&vocabulary, &self.tokenizer) {
            (_, TokenizerChoice::Without) => None,
            (None, TokenizerChoice::With { .. }) => bail!(
                "model `{}` has no tokenizer.json and no SentencePiece `.model` file, so the file \
                 could only take token ids; add one of them, or say --without-tokenizer",
                dir.name()
            ),
            (Some((name, bytes)), TokenizerChoice::With { pre }) => Some(TokenizerFiles {
                vocabulary: match name.as_str() {
                    "tokenizer.json" => VocabularyFile::TokenizerJson(bytes),
                    name => VocabularyFile::SentencePiece {
                        name,
                        bytes,
                        config: &text.tokenizer_config,
                    },
                },
                tokenizer_config_json: tokenizer_config.as_deref(),
                chat_template: text.template.as_ref().map(ChatTemplate::source),
                end_ids: &text.end_token_ids,
                pre: *pre,
            }),
        };
        let options = GgufOptions {
            arch,
            name: self.name,
            format: self.format,
            tokenizer,
        };
        Ok(GgufExport::new(options)?)
    }

    fn read_back(
        &self,
        file: &Path,
        export: &GgufExport,
        weights: &dyn WeightSource,
        expected: &Expected,
    ) -> Result<Drift> {
        let bytes = map(file)?;
        let model = GgufModel::new(&bytes).context("reading the written file back")?;
        let bar = progress::bar(export.n_tensors() as u64, "comparing tensors");
        let same = export.verify(weights, &model, &mut |_| bar.inc(1));
        bar.finish_and_clear();
        same?;
        expected.compare(model.arch(), &model, self.format)
    }
}

impl GgufFile {
    /// Gives the file its name, with a Modelfile beside it, and says what came out.
    pub(crate) fn publish_with_modelfile(self, out: &Path, as_json: bool) -> Result<()> {
        let modelfile = write_modelfile(out, &self.export, &self.text)?;
        let Self {
            prepared,
            export,
            format,
            drift,
            ..
        } = self;
        prepared.publish()?;
        let written = Written {
            out,
            modelfile: &modelfile,
            format,
            export: &export,
            drift,
        };
        written.print(as_json);
        Ok(())
    }

    /// Gives the file its name; the check is told on standard error.
    pub(crate) fn publish(self, out: &Path) -> Result<()> {
        self.prepared.publish()?;
        for note in self.export.notes() {
            eprintln!("note: {note}");
        }
        let file = out.file_name().unwrap_or_default().to_string_lossy();
        eprintln!("{file}: {}", drift_text(&self.drift));
        Ok(())
    }
}

fn write(export: &GgufExport, weights: &dyn WeightSource, out: &Path) -> Result<files::Prepared> {
    let bar = progress::bar(export.n_tensors() as u64, "writing tensors");
    let prepared = files::prepare(out, |sink| {
        export
            .write(weights, sink, &mut |_| bar.inc(1))
            .map_err(|error| match error {
                ExportError::Io(error) => error,
                other => io::Error::other(other),
            })
    });
    bar.finish_and_clear();
    explain_full_disk(prepared, export.n_bytes())
}

/// The last part of the model's name.
pub(crate) fn model_name(model: &str) -> String {
    let name = Path::new(model);
    let whole = fs::canonicalize(name).unwrap_or_else(|_| name.to_owned());
    let last = whole.file_name().map(|last| last.to_string_lossy());
    last.map_or_else(|| "model".to_owned(), |last| last.into_owned())
}

/// A path that ends in `.gguf` is the file; anything else is the folder to put it in.
pub(crate) fn gguf_path(out: &Path, name: &str, format: Format) -> Result<PathBuf> {
    let is_file = out.extension().is_some_and(|extension| extension == "gguf");
    let (folder, path) = if is_file && !out.is_dir() {
        let folder = out.parent().unwrap_or(Path::new(""));
        (folder.to_owned(), out.to_owned())
    } else {
        let file = format!("{name}-{}.gguf", format.name().to_lowercase());
        (out.to_owned(), out.join(file))
    };
    if !folder.as_os_str().is_empty() {
        fs::create_dir_all(&folder)
            .with_context(|| format!("making folder `{}`", folder.display()))?;
    }
    Ok(path)
}

/// `Modelfile` beside the file, or `NAME.Modelfile` where that one belongs to another file.
fn write_modelfile(out: &Path, export: &GgufExport, text: &ModelText) -> Result<PathBuf> {
    let file_name = out.file_name().unwrap_or_default().to_string_lossy();
    let bos = text.tokenizer_config.bos_token.as_deref();
    let template = text.template.as_ref().and_then(|template| {
        let render = |probe: Probe<'_>, generate: bool| render_probe(template, probe, generate);
        GoTemplate::derive(&render, bos.filter(|_| export.adds_bos()))
    });
    let stops: Vec<String> = text
        .tokenizer
        .iter()
        .flat_map(|tokenizer| {
            let ids = text.end_token_ids.iter();
            ids.filter_map(|id| tokenizer.id_to_token(*id))
        })
        .collect();
    let content = modelfile(&file_name, template.as_ref(), &stops);
    let usual = out.with_file_name("Modelfile");
    let path = match fs::read_to_string(&usual) {
        Ok(found) if !found.starts_with(&format!("FROM ./{file_name}\n")) => {
            out.with_extension("Modelfile")
        }
        _ => usual,
    };
    write_atomic(&path, |sink| sink.write_all(content.as_bytes()))?;
    Ok(path)
}

fn render_probe(template: &ChatTemplate, probe: Probe<'_>, generate: bool) -> Option<String> {
    let messages: Vec<Message> = probe
        .iter()
        .map(|(role, content)| {
            let role = match *role {
                "system" => Role::System,
                "assistant" => Role::Assistant,
                _ => Role::User,
            };
            Message::new(role, *content)
        })
        .collect();
    let options = RenderOptions {
        add_generation_prompt: generate,
        ..RenderOptions::default()
    };
    // A template that refuses a probe has no regular form: the caller then writes none.
    template.render(&messages, &[], &options).ok()
}

struct Written<'a> {
    out: &'a Path,
    modelfile: &'a Path,
    format: Format,
    export: &'a GgufExport,
    drift: Drift,
}

impl Written<'_> {
    fn print(&self, as_json: bool) {
        if as_json {
            println!(
                "{}",
                json!({
                    "path": self.out,
                    "modelfile": self.modelfile,
                    "bytes": self.export.n_bytes(),
                    "quant": self.format.name(),
                    "notes": self.export.notes(),
                    "check": self.drift,
                })
            );
            return;
        }
        for note in self.export.notes() {
            eprintln!("note: {note}");
        }
        println!(
            "{}: {} of {} weights",
            self.out.display(),
            size_text(self.export.n_bytes()),
            self.format.name()
        );
        println!("{}", drift_text(&self.drift));
        println!(
            "next: llama-cli -m {}, or ollama create my-model -f {}",
            shell_word(self.out),
            shell_word(self.modelfile)
        );
    }
}
