//! Does the file that was written compute what its source computes?
//!
//! The source answers first (base and adapter apart, as trained), then the file is read back and
//! answers the same token ids; the distance of their logits decides whether the file is kept. Both
//! answer a block at a time: a model that is put into a file need not fit into memory.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use veneer_core::{
    arch::Arch,
    model::ByBlocks,
    quant::{Drift, DriftMeter, Format},
    rng::Rng,
    weights::WeightSource,
};

use crate::{
    device::{DeviceArgs, Place},
    examples::{self, TextArgs},
    model_run::{Checkpoint, open_adapter},
    progress, text_files,
};

/// Which records are compared.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Check of the written file")]
pub(crate) struct CheckArgs {
    /// Validation records whose logits are compared (default: token ids drawn by chance)
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// Compare the first N records only
    #[arg(long, value_name = "N", default_value_t = 16)]
    limit: usize,

    #[command(flatten)]
    text: TextArgs,
}

impl CheckArgs {
    /// Built-in template to use instead of the model's own.
    pub(crate) fn template(&self) -> Option<&str> {
        self.text.template.as_deref()
    }
}

/// Longest part of a record that is compared.
const MAX_LENGTH: usize = 512;
/// Logits kept in memory while the source makes room for the file: 256 MB of f32.
const MAX_LOGITS: usize = 64 << 20;
/// Without records: so many sequences of so many ids.
const DRAWN_SEQUENCES: usize = 4;
const DRAWN_LENGTH: usize = 32;

/// What the source answered.
pub(crate) struct Expected {
    sequences: Vec<Vec<u32>>,
    logits: Vec<Vec<Vec<f32>>>,
    place: Place,
}

impl Expected {
    /// Runs the source on the records, on at most `context_length` tokens of each.
    pub(crate) fn new(
        checkpoint: &Checkpoint,
        adapter: Option<&Path>,
        context_length: usize,
        args: &CheckArgs,
    ) -> Result<Self> {
        let sequences = sequences(checkpoint, context_length, args)?;
        let place = DeviceArgs::default().open()?;
        let weights = checkpoint.weights_by_reading()?;
        let adapter = adapter.map(open_adapter).transpose()?;
        let source = ByBlocks {
            arch: &checkpoint.arch,
            source: &weights,
            adapter: adapter.as_ref(),
            device: &place.device,
            dtype: place.dtype,
        };
        let logits = answers(&source, &sequences, "source")
            .with_context(|| format!("running model `{}`", checkpoint.dir.name()))?;
        Ok(Self {
            sequences,
            logits,
            place,
        })
    }

    /// Runs the file and measures how far it is from the source.
    ///
    /// # Errors
    /// Where the file cannot be loaded, or is farther than its format explains.
    pub(crate) fn compare(
        &self,
        arch: &Arch,
        weights: &dyn WeightSource,
        format: Format,
    ) -> Result<Drift> {
        let written = ByBlocks {
            arch,
            source: weights,
            adapter: None,
            device: &self.place.device,
            dtype: self.place.dtype,
        };
        let found = answers(&written, &self.sequences, "written file")
            .context("reading the written file back")?;
        let mut meter = DriftMeter::default();
        for (expected, found) in self.logits.iter().zip(&found) {
            for (expected, found) in expected.iter().zip(found) {
                meter.add(expected, found)?;
            }
        }
        let drift = meter.finish()?;
        drift.check(format)?;
        Ok(drift)
    }
}

/// The numbers for people.
pub(crate) fn drift_text(drift: &Drift) -> String {
    format!(
        "read back and compared at {} positions: the same first token at {:.1} %, mean KL {:.2e}, \
         relative error of the logits {:.2e}, largest difference {:.2e}",
        drift.n_positions,
        drift.top1_agreement * 100.0,
        drift.mean_kl,
        drift.relative_error,
        drift.max_abs_diff
    )
}

fn answers(model: &ByBlocks<'_>, sequences: &[Vec<u32>], who: &str) -> Result<Vec<Vec<Vec<f32>>>> {
    let bar = progress::bar(model.arch.n_layers as u64, &format!("{who}: blocks"));
    let answers = model.sequence_logits(sequences, &mut || bar.inc(1));
    bar.finish_and_clear();
    Ok(answers?)
}

fn sequences(
    checkpoint: &Checkpoint,
    context_length: usize,
    args: &CheckArgs,
) -> Result<Vec<Vec<u32>>> {
    let vocab_size = checkpoint.arch.vocab_size;
    let longest = context_length.min(MAX_LENGTH);
    let mut sequences = match &args.data {
        None => drawn(vocab_size, longest.min(DRAWN_LENGTH)),
        Some(data) => {
            let text = text_files::model_text(&checkpoint.dir, args.template())?;
            let limit = Some(args.limit);
            let read = examples::read(data, checkpoint, &text, &args.text, None, limit)?;
            let ids = read.encoded.into_iter().map(|encoded| encoded.input_ids);
            ids.collect()
        }
    };
    let mut n_left = (MAX_LOGITS / vocab_size).max(1);
    for ids in &mut sequences {
        ids.truncate(longest.min(n_left));
        n_left -= ids.len();
    }
    sequences.retain(|ids| !ids.is_empty());
    if sequences.is_empty() {
        bail!("--data holds no record with tokens, so nothing can be compared");
    }
    Ok(sequences)
}

/// The same ids every time.
fn drawn(vocab_size: usize, length: usize) -> Vec<Vec<u32>> {
    let mut rng = Rng::new(0, 0);
    let mut sequence = || (0..length).map(|_| rng.below(vocab_size) as u32).collect();
    (0..DRAWN_SEQUENCES).map(|_| sequence()).collect()
}
