//! `veneer tokenize`: a text as token ids, with their names and places.

use std::{fmt::Write as _, fs, io::Write as _, path::PathBuf};

use anyhow::{Context as _, Result};
use serde_json::json;
use veneer_core::text::Piece;

use crate::text_files::text_alone;

/// Show how a model's tokenizer cuts a text: ids, tokens, and which characters each stands for
///
/// The ids are those that the models' own Python libraries give, or llama.cpp with a GGUF file. The
/// folder needs no more than a tokenizer.json or a SentencePiece .model file.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("input").required(true))]
pub(crate) struct TokenizeArgs {
    /// Model whose tokenizer is used: a folder, a GGUF file, a Hub name, or `demo`
    #[arg(long, value_name = "MODEL")]
    model: String,

    /// The text
    #[arg(long, value_name = "TEXT", group = "input", allow_hyphen_values = true)]
    text: Option<String>,

    /// A file with the text, in UTF-8; nothing of it is left away
    #[arg(long, value_name = "FILE", group = "input")]
    file: Option<PathBuf>,

    /// Leave out the tokens that the tokenizer puts around every text
    #[arg(long)]
    no_special: bool,

    /// Print one JSON object: ids, tokens, offsets (in code points of the text) and decoded
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &TokenizeArgs) -> Result<()> {
    let text = text(args)?;
    // Any other template than the model's own: a fault in that one is none of a tokenizer's.
    let model = text_alone(&args.model, Some("plain"))?;
    let tokenizer = model.tokenizer()?;
    let pieces = tokenizer.pieces(&text, !args.no_special)?;
    let ids: Vec<u32> = pieces.iter().map(|piece| piece.id).collect();
    let decoded = model.decode_as_published(&ids)?;
    let out = match args.json {
        true => format!("{}\n", to_json(&ids, &pieces, &decoded)),
        false => to_text(&pieces, &decoded),
    };
    std::io::stdout()
        .lock()
        .write_all(out.as_bytes())
        .context("writing to standard output")
}

fn text(args: &TokenizeArgs) -> Result<String> {
    let Some(path) = &args.file else {
        return Ok(args.text.clone().unwrap_or_default());
    };
    let bytes = fs::read(path).with_context(|| format!("reading `{}`", path.display()))?;
    String::from_utf8(bytes).map_err(|error| {
        anyhow::anyhow!(
            "`{}` is not UTF-8: the byte at {} is no part of a character; save the file as UTF-8",
            path.display(),
            error.utf8_error().valid_up_to()
        )
    })
}

fn to_json(ids: &[u32], pieces: &[Piece], decoded: &str) -> serde_json::Value {
    let tokens: Vec<&str> = pieces.iter().map(|piece| piece.token.as_str()).collect();
    let offsets: Vec<(usize, usize)> = pieces.iter().map(|piece| piece.chars).collect();
    json!({"ids": ids, "tokens": tokens, "offsets": offsets, "decoded": decoded})
}

fn to_text(pieces: &[Piece], decoded: &str) -> String {
    let mut out = String::from(" index      id  characters  token\n");
    for (index, piece) in pieces.iter().enumerate() {
        let place = format!("{}–{}", piece.chars.0, piece.chars.1);
        writeln!(
            out,
            "{index:>6}  {:>6}  {place:<10}  {}",
            piece.id, piece.token
        )
        .expect("writing to a String does not fail");
    }
    out.push_str(&format!("\ndecoded: {decoded:?}\n"));
    out
}
