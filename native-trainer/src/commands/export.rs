//! `veneer export`

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use veneer_core::quant::Format;

use super::merge::parse_size;
use crate::{
    export_check::CheckArgs,
    files::refuse_existing,
    gguf_file::{GgufRequest, TokenizerChoice, gguf_path, model_name},
    merged_folder::MergeRequest,
    model_run::Checkpoint,
    site::{Offer, OfferText, SiteFolder},
};

/// Write a model for other programs: GGUF for llama.cpp and Ollama, merged safetensors, or a
/// static site that runs it in the browser
///
/// The tokenizer and the chat template go into the file; a Modelfile for Ollama is written beside
/// it. Before a file gets its name it is read back and its logits are compared with the source's.
/// A site holds the web app, the model as GGUF and the adapters beside it, and works on any host
/// of static files.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Folder with config.json, tokenizer.json and *.safetensors, a Hub name, or `demo`; for a
    /// site also a GGUF file
    #[arg(long, value_name = "MODEL")]
    model: String,

    /// Adapter folder, as `veneer train` or PEFT writes it: folded in, or beside the model of a
    /// site, which takes several
    #[arg(long, value_name = "DIR")]
    adapter: Vec<PathBuf>,

    /// Kind of file
    #[arg(long, value_enum)]
    to: Target,

    /// How GGUF stores the weights, also that of a site [default: q8_0]
    #[arg(long, value_enum)]
    quant: Option<Quant>,

    /// File ending in .gguf, or a folder to put it in; for safetensors and a site a new folder
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

    /// Replace a GGUF file that is there already; a folder that holds something never is
    #[arg(long)]
    force: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    offer: OfferText,

    /// Folder with the built web app, instead of the one in this binary
    #[arg(long, value_name = "DIR", help_heading = "Site")]
    app: Option<PathBuf>,

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
    /// A folder for any host of static files: the web app with the model and its adapters
    Site,
}

/// `--quant`
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Quant {
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
    pub(crate) fn format(self) -> Format {
        match self {
            Self::F16 => Format::F16,
            Self::Q8 => Format::Q8_0,
            Self::Q4 => Format::Q4_0,
        }
    }
}

pub(crate) fn run(args: ExportArgs) -> Result<()> {
    if args.to != Target::Site && (args.app.is_some() || !args.offer.is_empty()) {
        bail!("--title, --system, --prompt and --app are for --to site");
    }
    if args.to != Target::Gguf && args.force {
        bail!("--force replaces a GGUF file; a folder is not written over, so name a new one");
    }
    match args.to {
        Target::Gguf => gguf(&args),
        Target::Safetensors => safetensors(&args),
        Target::Site => site(&args),
    }
}

/// The adapter to fold in.
fn one_adapter(args: &ExportArgs) -> Result<Option<&Path>> {
    match args.adapter.as_slice() {
        [] => Ok(None),
        [adapter] => Ok(Some(adapter)),
        several => bail!(
            "--adapter is given {} times; one can be folded in, and only --to site takes several",
            several.len()
        ),
    }
}

fn gguf(args: &ExportArgs) -> Result<()> {
    let format = args.quant.unwrap_or(Quant::Q8).format();
    let adapter = one_adapter(args)?;
    let checkpoint = Checkpoint::open(&args.model)?;
    let name = args.name.clone();
    let name = name.unwrap_or_else(|| model_name(checkpoint.dir.name()));
    let request = GgufRequest {
        checkpoint: &checkpoint,
        adapter,
        format,
        name: &name,
        tokenizer: tokenizer(args),
        check: &args.check,
    };
    let out = gguf_path(&args.out, &name, format)?;
    refuse_existing([out.as_path()], args.force)?;
    request.write(&out)?.publish_with_modelfile(&out, args.json)
}

fn tokenizer(args: &ExportArgs) -> TokenizerChoice<'_> {
    if args.without_tokenizer {
        TokenizerChoice::Without
    } else {
        TokenizerChoice::With {
            pre: args.tokenizer_pre.as_deref(),
        }
    }
}

fn safetensors(args: &ExportArgs) -> Result<()> {
    if args.quant.is_some() {
        bail!(
            "--quant is for --to gguf and --to site; safetensors keep the type of the base, so \
             leave --quant out"
        );
    }
    let request = MergeRequest {
        model: &args.model,
        adapter: one_adapter(args)?,
        out: &args.out,
        max_shard_bytes: args.max_shard_size,
        check: &args.check,
    };
    request.write()?.print(args.json);
    Ok(())
}

fn site(args: &ExportArgs) -> Result<()> {
    if args.without_tokenizer {
        bail!(
            "--without-tokenizer makes a model that nobody can chat with; leave it out for a site"
        );
    }
    let offer = Offer {
        model: &args.model,
        adapters: &args.adapter,
        format: args.quant.map(Quant::format),
        name: args.name.as_deref(),
        tokenizer_pre: args.tokenizer_pre.as_deref(),
        text: &args.offer,
        check: &args.check,
    };
    SiteFolder::write(&offer, args.app.as_deref(), &args.out)?.print(args.json);
    Ok(())
}
