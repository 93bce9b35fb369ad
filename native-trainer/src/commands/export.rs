//! `veneer export`

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use veneer_core::{
    export::{
        ExportError, GgufExport, GgufModel, GgufOptions, GoTemplate, Probe, TokenizerFiles,
        modelfile,
    },
    quant::{Drift, Format},
    text::{ChatTemplate, Message, ModelText, RenderOptions, Role},
    weights::{WeightSource, merge::Rounding},
};

use super::merge::parse_size;
use crate::{
    examples,
    export_check::{CheckArgs, Expected, drift_text},
    files::{self, write_atomic},
    merged_folder::{MergeRequest, explain_full_disk, merged, size_text},
    model_run::{Checkpoint, map, open_adapter},
    progress,
};

/// Write a model for other programs: GGUF for llama.cpp and Ollama, or merged safetensors
///
/// The tokenizer and the chat template go into the file; a Modelfile for Ollama is written beside
/// it. Before a file gets its name it is read back and its logits are compared with the source's.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Folder with config.json, tokenizer.json and *.safetensors, a Hub name, or `demo`
    #[arg(long, value_name = "MODEL")]
    model: String,

    /// Adapter folder to fold in, as `veneer train` or PEFT writes it
    #[arg(long, value_name = "DIR")]
    adapter: Option<PathBuf>,

    /// Kind of file
    #[arg(long, value_enum)]
    to: Target,

    /// How GGUF stores the weights [default: q8_0]
    #[arg(long, value_enum)]
    quant: Option<Quant>,

    /// File ending in .gguf, or a folder to put it in; for safetensors a new folder
    #[arg(long, value_name = "PATH")]
    out: PathBuf,

    /// Name of the model inside the file [default: the model's folder]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// llama.cpp's name for the way the tokenizer splits text, where it is not recognised
    #[arg(long, value_name = "NAME")]
    tokenizer_pre: Option<String>,

    /// Write a file without a tokenizer, which only takes token ids
    #[arg(long)]
    without_tokenizer: bool,

    /// Largest weight file of safetensors, such as 5GB or 200MB
    #[arg(long, value_name = "SIZE", default_value = "5GB", value_parser = parse_size)]
    max_shard_size: u64,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    check: CheckArgs,
}

/// `--to`
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Target {
    /// One file for llama.cpp and Ollama
    Gguf,
    /// A model folder for transformers, vLLM and Veneer
    Safetensors,
}

/// `--quant`
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Quant {
    /// 16 bits a weight: the model as it is
    F16,
    /// 8.5 bits a weight: hardly any difference
    #[value(name = "q8_0")]
    Q8,
    /// 4.5 bits a weight: a quarter of the size, and some loss
    #[value(name = "q4_0")]
    Q4,
}

impl Quant {
    fn format(self) -> Format {
        match self {
            Self::F16 => Format::F16,
            Self::Q8 => Format::Q8_0,
            Self::Q4 => Format::Q4_0,
        }
    }
}

pub(crate) fn run(args: ExportArgs) -> Result<()> {
    match args.to {
        Target::Gguf => gguf(&args),
        Target::Safetensors => {
            if args.quant.is_some() {
                bail!(
                    "--quant is for --to gguf; safetensors keep the type of the base, so leave \
                     --quant out"
                );
            }
            let request = MergeRequest {
                model: &args.model,
                adapter: args.adapter.as_deref(),
                out: &args.out,
                max_shard_bytes: args.max_shard_size,
                check: &args.check,
            };
            request.write()?.print(args.json);
            Ok(())
        }
    }
}

fn gguf(args: &ExportArgs) -> Result<()> {
    let format = args.quant.unwrap_or(Quant::Q8).format();
    let checkpoint = Checkpoint::open(&args.model)?;
    let name = args.name.clone().unwrap_or_else(|| model_name(&checkpoint));
    let text = examples::model_text(&checkpoint.dir, args.check.template())?;
    let export = plan(args, &checkpoint, &text, &name, format)?;
    let out = gguf_path(&args.out, &name, format)?;

    let base = checkpoint.weights()?;
    let adapter = args.adapter.as_deref().map(open_adapter).transpose()?;
    let merged = adapter
        .as_ref()
        .map(|adapter| merged(&base, adapter, Rounding::Keep))
        .transpose()?;
    let weights: &dyn WeightSource = match &merged {
        Some(merged) => merged,
        None => &base,
    };
    let expected = Expected::new(
        &checkpoint,
        args.adapter.as_deref(),
        export.context_length(),
        &args.check,
    )?;
    let prepared = write(&export, weights, &out)?;
    let drift = {
        let bytes = map(prepared.beside())?;
        let model = GgufModel::new(&bytes)
            .context("reading the written file back")?;
        let bar = progress::bar(export.n_tensors() as u64, "comparing tensors");
        let same = export.verify(weights, &model, &mut |_| bar.inc(1));
        bar.finish_and_clear();
        same.with_context(|| format!("`{}` is not kept", out.display()))?;
        expected
            .compare(model.arch(), &model, format)
            .with_context(|| format!("`{}` is not kept", out.display()))?
    };
    let modelfile = write_modelfile(&out, &export, &text)?;
    prepared.publish()?;
    let written = Written {
        out: &out,
        modelfile: &modelfile,
        format,
        export: &export,
        drift,
    };
    written.print(args.json);
    Ok(())
}

fn plan(
    args: &ExportArgs,
    checkpoint: &Checkpoint,
    text: &ModelText,
    name: &str,
    format: Format,
) -> Result<GgufExport> {
    let tokenizer_json = checkpoint.dir.read("tokenizer.json")?;
    let tokenizer_config = checkpoint.dir.read("tokenizer_config.json")?;
    let tokenizer = match (&tokenizer_json, args.without_tokenizer) {
        (_, true) => None,
        (None, false) => bail!(
            "model `{}` has no tokenizer.json, so the file could only take token ids; add the \
             file, or say --without-tokenizer",
            checkpoint.dir.name()
        ),
        (Some(tokenizer_json), false) => Some(TokenizerFiles {
            tokenizer_json,
            tokenizer_config_json: tokenizer_config.as_deref(),
            chat_template: text.template.as_ref().map(ChatTemplate::source),
            end_ids: &text.end_token_ids,
            pre: args.tokenizer_pre.as_deref(),
        }),
    };
    let options = GgufOptions {
        arch: &checkpoint.arch,
        name,
        format,
        tokenizer,
    };
    Ok(GgufExport::new(options)?)
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
fn model_name(checkpoint: &Checkpoint) -> String {
    let name = Path::new(checkpoint.dir.name());
    let whole = fs::canonicalize(name).unwrap_or_else(|_| name.to_owned());
    let last = whole.file_name().map(|last| last.to_string_lossy());
    last.map_or_else(|| "model".to_owned(), |last| last.into_owned())
}

/// A path that ends in `.gguf` is the file; anything else is the folder to put it in.
fn gguf_path(out: &Path, name: &str, format: Format) -> Result<PathBuf> {
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
            self.out.display(),
            self.modelfile.display()
        );
    }
}
