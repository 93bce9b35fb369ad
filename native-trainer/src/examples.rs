//! From a dataset file to token ids, through the checks that stop a silently broken run.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::Value;
use veneer_core::{
    data::Record,
    protocol::studio::{TextOptions, TrainWhat},
    text::{EncodeOptions, Encoded, ModelText, Refusal, RefusalKind, TrainOn, prepare},
};

use crate::{
    dataset::{self, ReadArgs},
    input,
    model_run::Checkpoint,
    progress, project_file,
};

mod held_out;

pub(crate) use held_out::{refuse_held_out, refuse_leaks, warn_of_flattery, warn_of_other_leaks};

/// How records become text and targets, on every command that reads a dataset with a model.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Text")]
pub(crate) struct TextArgs {
    /// What is learned: all, assistant (its turns with their end token) or last (its last turn)
    /// [default: assistant, or what a project says]
    #[arg(long, value_name = "WHAT", value_parser = ["all", "assistant", "last"])]
    pub(crate) train_on: Option<String>,

    /// Built-in chat template to use instead of the model's own [default: what a project says]
    #[arg(long, value_name = "NAME", visible_alias = "chat-template")]
    pub(crate) template: Option<String>,

    /// Checks that may fail without stopping the run, by the name in the refusal; of training also
    /// leak (held-out records ask what is trained on) and held_out (records of a file that are
    /// marked as validation or test are trained on)
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub(crate) allow: Vec<String>,

    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

impl TextArgs {
    /// Takes over what was chosen for a project where the command line says nothing, and says so.
    ///
    /// # Errors
    /// If the project cannot be opened.
    pub(crate) fn take_of(&mut self, data: &Path) -> Result<()> {
        let is_said = self.train_on.is_some() && self.template.is_some();
        if is_said || !input::is_project(data) {
            return Ok(());
        }
        let chosen = project_file::open(data)?.text_options()?;
        say_taken(data, &self.take(chosen));
        Ok(())
    }

    /// The same with the most tokens of a record, for whoever cuts longer ones: returned is what the
    /// command line says, or else the project; `None` where neither says any.
    ///
    /// # Errors
    /// If the project cannot be opened.
    pub(crate) fn take_with_limit(
        &mut self,
        data: &Path,
        max_length: Option<usize>,
    ) -> Result<Option<usize>> {
        let is_said = self.train_on.is_some() && self.template.is_some() && max_length.is_some();
        if is_said || !input::is_project(data) {
            return Ok(max_length);
        }
        let chosen = project_file::open(data)?.text_options()?;
        let limit = chosen.max_length;
        let mut taken = self.take(chosen);
        if max_length.is_none() && limit != TextOptions::default().max_length {
            taken += &format!(" --max-length {limit}");
        }
        say_taken(data, &taken);
        let is_chosen = limit != TextOptions::default().max_length;
        let chosen = usize::try_from(limit).ok().filter(|_| is_chosen);
        Ok(max_length.or(chosen))
    }

    /// What is not said, of what was chosen; returned are the options that say the same.
    fn take(&mut self, chosen: TextOptions) -> String {
        let mut taken = String::new();
        if self.train_on.is_none() && chosen.train_on != TrainWhat::default() {
            let what = chosen.train_on.name();
            taken += &format!(" --train-on {what}");
            self.train_on = Some(what.to_owned());
        }
        if self.template.is_none()
            && let Some(template) = chosen.template
        {
            taken += &format!(" --template {template}");
            self.template = Some(template);
        }
        taken
    }

    /// What is learned, by its name.
    pub(crate) fn what(&self) -> &str {
        self.train_on.as_deref().unwrap_or("assistant")
    }

    pub(crate) fn train_on(&self) -> TrainOn {
        match self.what() {
            "all" => TrainOn::All,
            "last" => TrainOn::Last,
            _ => TrainOn::Assistant,
        }
    }

    pub(crate) fn options(&self, max_length: Option<usize>, n_vocab: usize) -> EncodeOptions {
        EncodeOptions {
            train_on: self.train_on(),
            max_length,
            n_vocab: Some(n_vocab),
            ..EncodeOptions::default()
        }
    }
}

fn say_taken(data: &Path, taken: &str) {
    if !taken.is_empty() {
        eprintln!("{}: as chosen in the project:{taken}", data.display());
    }
}

/// The records of a dataset that have targets, and the tokens that each becomes.
#[derive(Debug)]
pub(crate) struct Examples {
    pub(crate) records: Vec<Record>,
    pub(crate) encoded: Vec<Encoded>,
}

/// Reads, checks and encodes a dataset for training or evaluation.
///
/// # Errors
/// A file with errors, and everything that [`prepare`] refuses.
pub(crate) fn read(
    path: &Path,
    checkpoint: &Checkpoint,
    text: &ModelText,
    args: &TextArgs,
    max_length: Option<usize>,
    limit: Option<usize>,
) -> Result<Examples> {
    let dataset = dataset::read(path, &args.read.options(), args.read.side)?;
    let name = match args.read.side {
        Some(side) => format!("{} ({})", path.display(), side.name()),
        None => path.display().to_string(),
    };
    eprintln!("{name}: {}", dataset.description);
    if !dataset.warnings.is_empty() {
        eprintln!("warning: {name}: {}", dataset.warnings);
    }
    let mut records = dataset.records;
    records.truncate(limit.unwrap_or(usize::MAX));
    if let Some(tokenizer) = &text.tokenizer {
        tokenizer.fits_vocab(checkpoint.arch.vocab_size)?;
    }
    let options = args.options(max_length, checkpoint.arch.vocab_size);
    let bar = progress::bar(records.len() as u64, "checking and encoding");
    let (encoded, refusals) = prepare(&records, text, &options, &mut |n| {
        bar.set_position(n as u64)
    });
    bar.finish_and_clear();
    refuse(path, &refusals, text, args)?;
    let (records, encoded): (Vec<Record>, Vec<Encoded>) = records
        .into_iter()
        .zip(encoded)
        .filter_map(|(record, encoded)| Some((record, encoded?)))
        .filter(|(_, encoded)| encoded.n_targets() > 0)
        .unzip();
    if encoded.is_empty() {
        bail!("dataset `{}` has nothing to train on", path.display());
    }
    Ok(Examples { records, encoded })
}

/// Refusals that are printed in full.
const SHOWN: usize = 3;

/// Stops the run unless every refusal is allowed.
fn refuse(path: &Path, refusals: &[Refusal], text: &ModelText, args: &TextArgs) -> Result<()> {
    let (allowed, stopping): (Vec<_>, Vec<_>) = refusals
        .iter()
        .partition(|refusal| is_allowed(refusal, text, args));
    for refusal in allowed.iter().take(SHOWN) {
        eprintln!(
            "warning: {}:{}: {}",
            path.display(),
            refusal.line,
            refusal.message
        );
    }
    if stopping.is_empty() {
        return Ok(());
    }
    let mut message = format!(
        "{} of the dataset's records would make a silently broken run",
        stopping.len()
    );
    for refusal in stopping.iter().take(SHOWN) {
        let name = name_of(refusal.kind);
        message.push_str(&format!(
            "\n\n{}:{} [{name}] {}\n  what to do: {}\n  trained text stands in ⟦ ⟧:\n{}",
            path.display(),
            refusal.line,
            refusal.message,
            refusal.hint,
            indented(&refusal.shown),
        ));
    }
    if stopping.len() > SHOWN {
        message.push_str(&format!("\n\nand {} more", stopping.len() - SHOWN));
    }
    message.push_str(
        "\n\n`veneer inspect` shows any record like this; `--allow CHECK` goes on all the same",
    );
    bail!(message)
}

/// A model without a tokenizer cannot say which of its ids end an answer of tokenized data, so
/// there the missing end token is only a warning.
fn is_allowed(refusal: &Refusal, text: &ModelText, args: &TextArgs) -> bool {
    let bare = text.tokenizer.is_none() && refusal.kind == RefusalKind::EndNeverTrained;
    bare || args.allow.contains(&name_of(refusal.kind))
}

/// The name of a check as `--allow` takes it.
fn name_of(kind: RefusalKind) -> String {
    match serde_json::to_value(kind) {
        Ok(Value::String(name)) => name,
        _ => format!("{kind:?}"),
    }
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
