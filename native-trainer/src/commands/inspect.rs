//! `veneer inspect`: a record, or messages given as JSON, as the model sees them, with what is
//! trained marked.

mod messages;

use std::{
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use veneer_core::{
    arch::Arch,
    data::Record,
    text::{
        EncodeOptions, ModelText, Prepared, Refusal, TokenRow, check_record, encode_record,
        marked_text, token_table,
    },
};

use crate::{
    dataset,
    examples::TextArgs,
    model_dir::ModelDir,
    model_run::is_gguf,
    text_files::{model_text, text_of_gguf},
};

/// Show a record as the model sees it: its text with the trained part in ⟦ ⟧, and every token
///
/// With --messages it shows one conversation instead, as transformers' `apply_chat_template` renders
/// it; the model's folder then needs no more than its tokenizer and template. In --json, `trained`
/// tells of every token whether the assistant wrote it.
#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// Dataset file; the format is detected
    #[arg(long, value_name = "FILE", required_unless_present = "messages")]
    data: Option<PathBuf>,

    #[command(flatten)]
    dialogue: messages::MessageArgs,

    /// Model whose tokenizer and template are used: a folder, a GGUF file, a Hub name, or `demo`
    #[arg(long, value_name = "MODEL")]
    model: String,

    /// Which records to show, counted from 1
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1", value_parser = clap::value_parser!(u64).range(1..))]
    record: Vec<u64>,

    /// Tokens kept of a record, as in training; ✂ shows the cut [default: all, or what a project says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    max_length: Option<u64>,

    /// Leave out the table of tokens
    #[arg(long)]
    no_tokens: bool,

    #[command(flatten)]
    text: TextArgs,

    /// Print one JSON object a record
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(mut args: InspectArgs) -> Result<()> {
    if let Some(path) = &args.dialogue.messages {
        return messages::run(path, &args);
    }
    let data = args.data.clone().context("`--data` is missing")?;
    let max_length = args
        .max_length
        .and_then(|length| usize::try_from(length).ok());
    let max_length = args.text.take_with_limit(&data, max_length)?;
    let (model, n_vocab) = open(&args)?;
    let options = args.text.options(max_length, n_vocab);
    let records = dataset::read(&data, &args.text.read.options(), args.text.read.side)?.records;
    let mut out = std::io::stdout().lock();
    for &number in &args.record {
        let place = usize::try_from(number - 1).ok();
        let Some(record) = place.and_then(|place| records.get(place)) else {
            bail!(
                "dataset `{}` has {} records, there is no record {number}",
                data.display(),
                records.len()
            );
        };
        let view = View::new(number, record, &model, &options)?;
        let text = if args.json {
            format!("{}\n", view.json())
        } else {
            view.text(&data, !args.no_tokens)
        };
        out.write_all(text.as_bytes())
            .context("writing to standard output")?;
    }
    Ok(())
}

/// The model's text, and how many ids it takes.
fn open(args: &InspectArgs) -> Result<(ModelText, usize)> {
    let template = args.text.template.as_deref();
    if is_gguf(&args.model) {
        let model = text_of_gguf(&args.model, template)?;
        let n_vocab = model.tokenizer()?.vocab_size();
        return Ok((model, n_vocab));
    }
    let dir = ModelDir::resolve(&args.model)?;
    let model = model_text(&dir, template)?;
    let config = dir
        .read("config.json")?
        .context("the model has no config.json")?;
    let arch =
        Arch::from_json(&config).with_context(|| format!("reading model `{}`", dir.name()))?;
    if let Some(tokenizer) = &model.tokenizer {
        tokenizer.fits_vocab(arch.vocab_size)?;
    }
    Ok((model, arch.vocab_size))
}

const TOKEN_HEAD: &str = "\n index      id  trained  token\n";

/// One record, ready to be printed.
struct View {
    number: u64,
    line: u64,
    prepared: Prepared,
    tokens: Vec<TokenRow>,
    refusal: Option<Refusal>,
}

impl View {
    fn new(
        number: u64,
        record: &Record,
        model: &ModelText,
        options: &EncodeOptions,
    ) -> Result<Self> {
        let outcome = encode_record(record, model, options);
        let refusal = check_record(record, &outcome, model);
        let prepared =
            outcome.with_context(|| format!("record {number} (line {})", record.line))?;
        let tokens = token_table(&prepared, model.tokenizer.as_ref(), &model.end_token_ids);
        Ok(Self {
            number,
            line: record.line,
            prepared,
            tokens,
            refusal,
        })
    }

    /// The trained tokens that end generation.
    fn n_trained_ends(&self) -> usize {
        let counts = |row: &&TokenRow| row.ends_generation && row.trained && !row.cut;
        self.tokens.iter().filter(counts).count()
    }

    fn json(&self) -> Value {
        json!({
            "record": self.number,
            "line": self.line,
            "n_tokens": self.tokens.len(),
            "n_kept": self.prepared.encoded.len(),
            "n_targets": self.prepared.encoded.n_targets(),
            "n_trained_end_tokens": self.n_trained_ends(),
            "truncated": self.prepared.truncated,
            "text": self.prepared.text,
            "marked_text": marked_text(&self.prepared),
            "input_ids": self.prepared.encoded.input_ids,
            "labels": self.prepared.encoded.labels,
            "tokens": self.tokens,
            "refusal": self.refusal,
        })
    }

    fn text(&self, path: &Path, with_tokens: bool) -> String {
        let (n_kept, n_targets) = (
            self.prepared.encoded.len(),
            self.prepared.encoded.n_targets(),
        );
        let mut out = format!(
            "record {} ({}:{}): {} tokens, {n_targets} trained",
            self.number,
            path.display(),
            self.line,
            self.tokens.len(),
        );
        if self.prepared.truncated {
            write_to(&mut out, format_args!(", cut at {n_kept} (✂)"));
        }
        let end = match self.n_trained_ends() {
            0 => "no token that ends generation is trained".to_owned(),
            1 => "the end token is trained once".to_owned(),
            n => format!("the end token is trained {n} times"),
        };
        write_to(
            &mut out,
            format_args!(
                "\n{end}; trained text stands in ⟦ ⟧\n\n{}\n",
                marked_text(&self.prepared)
            ),
        );
        if let Some(refusal) = &self.refusal {
            write_to(
                &mut out,
                format_args!(
                    "\nwarning: {}\n  what to do: {}\n",
                    refusal.message, refusal.hint
                ),
            );
        }
        if with_tokens {
            out.push_str(TOKEN_HEAD);
            for row in &self.tokens {
                token_line(row, self.prepared.encoded.len(), &mut out);
            }
        }
        out.push('\n');
        out
    }
}

fn token_line(row: &TokenRow, n_kept: usize, out: &mut String) {
    if row.cut && row.index == n_kept {
        out.push_str("  ---- cut here ----\n");
    }
    let trained = if row.trained { "yes" } else { "" };
    let end = if row.ends_generation {
        "  ends generation"
    } else {
        ""
    };
    write_to(
        out,
        format_args!(
            "{:>6}  {:>6}  {trained:<7}  {:?}{end}\n",
            row.index, row.id, row.text
        ),
    );
}

fn write_to(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a String does not fail");
}
