//! `veneer inspect --messages`: one conversation as transformers' `apply_chat_template` renders it.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde_json::json;
use veneer_core::text::{
    Dialogue, DialogueOptions, DialogueTokens, Encoded, ModelText, Prepared, encode_dialogue,
    marked_text, token_table,
};

use super::{InspectArgs, TOKEN_HEAD, token_line, write_to};
use crate::text_files::{now, text_alone};

// No doc comment: clap would make it the verb's.
#[derive(Debug, clap::Args)]
pub(super) struct MessageArgs {
    /// JSON file with one conversation: a list of messages, or an object with `messages` and
    /// perhaps `tools` and `chat_template_kwargs`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "record", "max_length"])]
    pub(super) messages: Option<PathBuf>,

    /// JSON file with a list of tools that the model may call
    #[arg(long, value_name = "FILE", requires = "messages")]
    tools: Option<PathBuf>,

    /// End where the assistant's next turn begins
    #[arg(long, requires = "messages")]
    add_generation_prompt: bool,

    /// End with the last message, left open for the model to go on
    #[arg(long, requires = "messages", conflicts_with = "add_generation_prompt")]
    continue_final_message: bool,
}

pub(super) fn run(path: &Path, args: &InspectArgs) -> Result<()> {
    let model = text_alone(&args.model, args.text.template.as_deref())?;
    let read =
        |path: &Path| fs::read(path).with_context(|| format!("reading `{}`", path.display()));
    let messages = read(path)?;
    let tools = args.dialogue.tools.as_deref().map(read).transpose()?;
    let dialogue = Dialogue::from_json(&messages, tools.as_deref())
        .with_context(|| format!("messages `{}`", path.display()))?;
    let options = DialogueOptions {
        add_generation_prompt: args.dialogue.add_generation_prompt,
        continue_final_message: args.dialogue.continue_final_message,
        now: Some(now()),
    };
    let tokens = encode_dialogue(&dialogue, &model, &options)?;
    for index in &tokens.not_found {
        eprintln!(
            "warning: the template does not show which text is message {index}'s, so none of it is \
             marked as trained"
        );
    }
    let text = match args.json {
        true => format!("{}\n", to_json(&tokens)),
        false => to_text(path, tokens, &model, !args.no_tokens),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .context("writing to standard output")
}

fn to_json(tokens: &DialogueTokens) -> serde_json::Value {
    let ids: Vec<u32> = tokens.spans.iter().map(|span| span.id).collect();
    let trained: Vec<bool> = tokens.spans.iter().map(|span| span.trained).collect();
    json!({"text": tokens.text, "ids": ids, "trained": trained})
}

fn to_text(path: &Path, tokens: DialogueTokens, model: &ModelText, with_tokens: bool) -> String {
    let prepared = Prepared {
        encoded: Encoded {
            input_ids: tokens.spans.iter().map(|span| span.id).collect(),
            labels: Vec::new(),
        },
        text: tokens.text,
        spans: tokens.spans,
        truncated: false,
    };
    let n_trained = prepared.spans.iter().filter(|span| span.trained).count();
    let mut out = format!(
        "{}: {} tokens, {n_trained} trained; trained text stands in ⟦ ⟧\n\n{}\n",
        path.display(),
        prepared.spans.len(),
        marked_text(&prepared)
    );
    if with_tokens {
        write_to(&mut out, format_args!("{TOKEN_HEAD}"));
        let rows = token_table(&prepared, model.tokenizer.as_ref(), &model.end_token_ids);
        for row in &rows {
            token_line(row, prepared.spans.len(), &mut out);
        }
    }
    out
}
