//! `veneer data convert`

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use veneer_core::{
    data::{self, Body, Format, Loaded, Losses, Style, Target},
    text::{EncodeOptions, encode_record},
};

use super::layout::{about, labelled, wrapped};
use crate::{
    dataset::{self, ReadArgs, count},
    examples::TextArgs,
    files::{prepare, publish_all, refuse_existing, refuse_own_source},
    model_dir::ModelDir,
    text_files::model_text,
};

/// Rewrite a dataset in another format
///
/// Nothing is dropped in silence: what the target cannot hold is named and counted, and nothing is
/// written unless --lossy says that it may go. Further columns travel along under their own names.
#[derive(Debug, clap::Args)]
pub(crate) struct ConvertArgs {
    /// Dataset file, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// alpaca, sharegpt, openai, prompt-completion, query-response, text, tokenized, csv or tsv
    #[arg(long, value_name = "FORMAT", value_parser = To::from_name)]
    to: To,

    /// File to write, or - for standard output. Its ending decides the layout: .json one array,
    /// .jsonl one record a line, .csv and .tsv a table
    #[arg(long, value_name = "OUT")]
    out: PathBuf,

    /// Write although something is lost
    #[arg(long)]
    lossy: bool,

    /// In a table, write cells that start with = + - @ as they are. Otherwise they get a ' in
    /// front, so that no spreadsheet runs them, and a column `veneer_guarded` by which Veneer
    /// takes it off again and knows numbers from text
    #[arg(long)]
    no_guard: bool,

    /// In a table, start with a byte order mark, by which Excel knows UTF-8
    #[arg(long)]
    bom: bool,

    /// For `tokenized`: whose tokenizer and template to use
    #[arg(long, value_name = "MODEL", required_if_eq("to", "tokenized"))]
    model: Option<String>,

    /// For `tokenized`: what is learned, all, assistant or last [default: assistant, or what a
    /// project says]
    #[arg(long, value_name = "WHAT", value_parser = ["all", "assistant", "last"])]
    train_on: Option<String>,

    /// For `tokenized`: built-in chat template to use instead of the model's own [default: what a
    /// project says]
    #[arg(long, value_name = "NAME", visible_alias = "chat-template")]
    template: Option<String>,

    /// Replace files that are there already
    #[arg(long)]
    force: bool,

    /// Print one JSON object about the conversion
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    read: ReadArgs,
}

/// A format, or a table of whatever format fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Format(Format),
    Csv,
    Tsv,
}

impl To {
    fn from_name(name: &str) -> Result<Self, data::DatasetError> {
        match name {
            "csv" => Ok(Self::Csv),
            "tsv" => Ok(Self::Tsv),
            name => Format::from_name(name).map(Self::Format),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Format(format) => format.name(),
            Self::Csv => "csv",
            Self::Tsv => "tsv",
        }
    }
}

pub(crate) fn run(args: ConvertArgs) -> Result<()> {
    refuse_own_source([args.out.as_path()], &[&args.file])?;
    refuse_existing([args.out.as_path()], args.force)?;
    let mut options = args.read.options();
    options.keep_raw = true;
    let mut loaded = dataset::load(&args.file, &options, args.read.side)?;
    let target = args.target(&loaded);
    if target.format == Format::Tokenized {
        tokenize(&mut loaded, &args)?;
    }
    let n_unreadable = loaded.n_in_file - loaded.n_left_out - loaded.records.len() as u64;
    let losses = write(&args, &loaded, target, n_unreadable)?;
    let report = if args.json {
        let report = json!({
            "from": loaded.source.format,
            "to": args.to.name(),
            "format": target.format,
            "out": args.out.display().to_string(),
            "n_written": losses.n_written,
            "n_unreadable": n_unreadable,
            "losses": losses.counts,
        });
        format!("{report:#}\n")
    } else {
        describe(&args, &loaded, target, &losses, n_unreadable)
    };
    if args.to_stdout() {
        write!(io::stderr(), "{report}")?;
    } else {
        write!(io::stdout(), "{report}")?;
    }
    Ok(())
}

impl ConvertArgs {
    fn to_stdout(&self) -> bool {
        self.out == Path::new("-")
    }

    fn target(&self, loaded: &Loaded) -> Target {
        let flat = |format| {
            matches!(
                format,
                Format::Alpaca
                    | Format::QueryResponse
                    | Format::PromptCompletion
                    | Format::Text
                    | Format::Tokenized
            )
        };
        let format = match self.to {
            To::Format(format) => format,
            _ if flat(loaded.source.format) => loaded.source.format,
            _ => Format::Alpaca,
        };
        let table = |separator| Style::Table {
            separator,
            guard: !self.no_guard,
            bom: self.bom,
        };
        let extension = self
            .out
            .extension()
            .map(|extension| extension.to_ascii_lowercase());
        let style = match (
            self.to,
            extension
                .as_deref()
                .and_then(|extension| extension.to_str()),
        ) {
            (To::Csv, _) | (_, Some("csv")) => table(b','),
            (To::Tsv, _) | (_, Some("tsv" | "tab")) => table(b'\t'),
            (_, Some("json")) => Style::JsonArray,
            _ => Style::JsonLines,
        };
        Target { format, style }
    }
}

/// Write to the side, look at what was lost, and only then give the file its name.
fn write(args: &ConvertArgs, loaded: &Loaded, target: Target, n_unreadable: u64) -> Result<Losses> {
    let mut losses = Losses::default();
    let mut convert = |writer: &mut dyn Write| {
        losses = data::convert(loaded, target, writer).map_err(io::Error::other)?;
        Ok(())
    };
    if args.to_stdout() {
        let mut buffer = Vec::new();
        convert(&mut buffer).context("converting")?;
        refuse_losses(args, target, &losses, n_unreadable)?;
        io::stdout().write_all(&buffer)?;
        return Ok(losses);
    }
    let file = prepare(&args.out, convert)?;
    refuse_losses(args, target, &losses, n_unreadable)?;
    publish_all(vec![file])?;
    Ok(losses)
}

fn refuse_losses(
    args: &ConvertArgs,
    target: Target,
    losses: &Losses,
    n_unreadable: u64,
) -> Result<()> {
    let is_nothing = losses.n_written == 0;
    if !(losses.is_lossy() || n_unreadable > 0) || (args.lossy && !is_nothing) {
        return Ok(());
    }
    let all = if is_nothing { "anything" } else { "all" };
    let mut text = format!(
        "`{}` cannot hold {all} of `{}`:",
        target.format,
        args.file.display()
    );
    for (loss, n) in losses.counts.iter().filter(|(loss, _)| loss.is_lossy()) {
        text += &format!("\n  {}: {}", count(*n, "record"), loss.title());
    }
    if n_unreadable > 0 {
        let n = count(n_unreadable, "record");
        text += &format!("\n  {n}: could not be read (veneer data check shows why)");
    }
    text += "\nnothing was written";
    if !is_nothing {
        text += "; --lossy writes without them";
    }
    bail!(text);
}

fn describe(
    args: &ConvertArgs,
    loaded: &Loaded,
    target: Target,
    losses: &Losses,
    n_unreadable: u64,
) -> String {
    let mut text = format!("{}\n{}", args.file.display(), about(loaded));
    let n = count(losses.n_written, "record");
    let columns = match args.to {
        To::Format(_) => String::new(),
        To::Csv | To::Tsv => format!(", with the columns of {},", target.format),
    };
    text += &format!(
        "\nWrote {n} as {}{columns} to {}\n",
        args.to.name(),
        args.out.display()
    );
    for (loss, n) in &losses.counts {
        let word = if loss.is_lossy() { "lost" } else { "note" };
        text += &labelled(word, &format!("{}: {}", count(*n, "record"), loss.title()));
    }
    if n_unreadable > 0 {
        let unread = format!("{}: could not be read", count(n_unreadable, "record"));
        text += &labelled("lost", &unread);
    }
    if loaded.source.format == Format::Alpaca
        && matches!(target.format, Format::Openai | Format::Sharegpt)
    {
        let how = "`input` follows `instruction` after a line break, as in LLaMA-Factory";
        text += &wrapped("  ", how);
    }
    text
}

/// Replace every record's text by its tokens and labels.
fn tokenize(loaded: &mut Loaded, args: &ConvertArgs) -> Result<()> {
    let Some(model) = &args.model else {
        return Ok(());
    };
    let mut chosen = TextArgs {
        train_on: args.train_on.clone(),
        template: args.template.clone(),
        ..TextArgs::default()
    };
    chosen.take_of(&args.file)?;
    let text = model_text(&ModelDir::resolve(model)?, chosen.template.as_deref())?;
    let options = EncodeOptions {
        train_on: chosen.train_on(),
        ..EncodeOptions::default()
    };
    for record in &mut loaded.records {
        let line = record.line;
        let prepared = encode_record(record, &text, &options)
            .with_context(|| format!("tokenizing the record at line {line}"))?;
        record.body = Body::Tokens(prepared.encoded);
    }
    Ok(())
}
