//! `veneer bench adapters`: an adapter beside a quantized base, merged before quantizing, and
//! several on one base.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::json;
use veneer_core::{
    infer::{AdapterId, Engine, MemoryUse, Place},
    quant::{Drift, DriftMeter, Format},
    weights::{
        AsStored, Quantizing,
        adapter::Adapter,
        merge::{MergedSource, Rounding},
    },
};

use super::{
    answer::{Run, median, timed},
    compare::{drawn_ids, engine_logits},
};
use crate::{
    engine_args::{AnswerDevice, EngineArgs},
    engine_model::load_source,
    examples::{self, TextArgs},
    memory,
    model_run::{Checkpoint, open_adapter},
    text_files,
};

#[derive(Debug, clap::Args)]
pub(crate) struct AdapterBench {
    /// Folder with config.json and *.safetensors, a Hub name, or `demo`: unquantized weights are
    /// what everything is compared with
    #[arg(long, value_name = "MODEL")]
    model: String,

    /// Adapter folder, as `veneer train` or PEFT writes it
    #[arg(long, value_name = "DIR")]
    adapter: PathBuf,

    /// Records whose logits are compared [default: token ids drawn by chance]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// Compare the first N records only
    #[arg(long, value_name = "N", default_value_t = 16)]
    limit: usize,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    /// Where the model runs
    #[arg(long, value_enum, default_value_t)]
    device: AnswerDevice,

    // Without `--quant`: q4_0.
    #[command(flatten)]
    engine: EngineArgs,
}

/// Longest part of a record that is compared.
const MAX_LENGTH: usize = 256;
/// Without records: so many sequences of so many ids.
const DRAWN: (usize, usize) = (4, 32);
/// Tokens of prompt and answer that are timed, and how often.
const TIMED: (usize, usize, usize) = (16, 32, 5);

pub(crate) fn run(args: &AdapterBench) -> Result<()> {
    let format = args.engine.format().unwrap_or(Format::Q4_0);
    let checkpoint = Checkpoint::open(&args.model)?;
    let adapter = open_adapter(&args.adapter)?;
    let (place, device) = args.device.open_engine()?;
    let bench = Bench {
        sequences: sequences(&checkpoint, args)?,
        checkpoint: &checkpoint,
        adapter: &adapter,
        place,
        args,
    };
    let expected = bench.exact()?;
    let (beside, switched) = bench.beside(&expected, format)?;
    let merged = bench.merged(&expected, format)?;
    let ways = [beside, merged, switched];
    if args.json {
        let ways: Vec<_> = ways.iter().map(Way::json).collect();
        println!(
            "{}",
            json!({"benchmark": "adapters", "model": args.model, "device": device,
                   "quant": format.name(), "ways": ways})
        );
        return Ok(());
    }
    println!("{} with {} on {device}", args.model, format.name());
    println!(
        "{:<10}{:>8}{:>12}{:>12}{:>12}",
        "", "top-1", "mean KL", "tokens/s", "memory"
    );
    for way in &ways {
        println!("{}", way.row());
    }
    println!("\nCompared with the unquantized model with the adapter merged into it.");
    for way in &ways {
        println!("{:<10}{}", way.name, way.sentence);
    }
    Ok(())
}

struct Bench<'a> {
    checkpoint: &'a Checkpoint,
    adapter: &'a Adapter,
    sequences: Vec<Vec<u32>>,
    place: Place,
    args: &'a AdapterBench,
}

/// Logits of every sequence at every position.
type Logits = Vec<Vec<Vec<f32>>>;

/// What a way gives and costs.
struct Way {
    name: &'static str,
    sentence: &'static str,
    drift: Drift,
    tokens_per_second: f64,
    first_token_ms: f64,
    memory: MemoryUse,
}

impl Bench<'_> {
    fn engine(&self, source: &dyn veneer_core::weights::PackedSource) -> Result<Engine> {
        let options = self.args.engine.options()?;
        load_source(self.place.clone(), &self.checkpoint.arch, source, &options)
    }

    /// The adapter merged into the weights as they are.
    fn exact(&self) -> Result<Logits> {
        let base = self.checkpoint.weights()?;
        let merged = MergedSource::new(&self.checkpoint.arch, &base, self.adapter, Rounding::Keep)?;
        let engine = self.engine(&AsStored(merged))?;
        self.logits(&engine, None)
    }

    /// Beside the quantized base, and how it is to go from one to the other there.
    fn beside(&self, expected: &Logits, format: Format) -> Result<(Way, Way)> {
        let source = self.checkpoint.weights()?;
        let mut engine = self.engine(&Quantizing { source, format })?;
        let id = engine.add_adapter(self.adapter)?;
        let drift = self.drift(expected, &self.logits(&engine, Some(id))?)?;
        let beside = Way::new(
            "beside",
            "Exact: the adapter's own numbers are added to the quantized base's for every token; \
             the default.",
            drift,
            &self.timed(&engine, Some(id))?,
            engine.memory(),
        );
        // What the other adapters of a page cost: another pair of matrices, not another model.
        let other = engine.add_adapter(self.adapter)?;
        let alternating: Vec<Run> = [Some(id), None, Some(other)]
            .into_iter()
            .map(|who| self.timed(&engine, who))
            .collect::<Result<Vec<_>>>()?
            .concat();
        let switched = Way::new(
            "switched",
            "Base and two adapters on one copy of the base, answering in turn without loading \
             anything again; each answer is the same as beside.",
            self.drift(expected, &self.logits(&engine, Some(other))?)?,
            &alternating,
            engine.memory(),
        );
        Ok((beside, switched))
    }

    fn merged(&self, expected: &Logits, format: Format) -> Result<Way> {
        let base = self.checkpoint.weights()?;
        let source = MergedSource::new(&self.checkpoint.arch, &base, self.adapter, Rounding::Keep)?;
        let engine = self.engine(&Quantizing { source, format })?;
        Ok(Way::new(
            "merged",
            "Folded in before quantizing: nothing is added while answering, but what the adapter \
             learned is rounded too, and every adapter needs a model of its own.",
            self.drift(expected, &self.logits(&engine, None)?)?,
            &self.timed(&engine, None)?,
            engine.memory(),
        ))
    }

    fn logits(&self, engine: &Engine, adapter: Option<AdapterId>) -> Result<Logits> {
        let sequences = self.sequences.iter();
        sequences
            .map(|ids| engine_logits(engine, ids, adapter))
            .collect()
    }

    fn drift(&self, expected: &Logits, found: &Logits) -> Result<Drift> {
        let mut meter = DriftMeter::default();
        for (expected, found) in expected.iter().flatten().zip(found.iter().flatten()) {
            meter.add(expected, found)?;
        }
        meter.finish().context("comparing the logits")
    }

    fn timed(&self, engine: &Engine, adapter: Option<AdapterId>) -> Result<Vec<Run>> {
        let (n_prompt, n_new, n_runs) = TIMED;
        let prompt = drawn_ids(n_prompt, self.checkpoint.arch.vocab_size);
        let mut runs = Vec::new();
        for index in 0..=n_runs {
            let run = timed(engine, &prompt, n_new, adapter)?;
            if index > 0 {
                runs.push(run);
            }
        }
        Ok(runs)
    }
}

impl Way {
    fn new(
        name: &'static str,
        sentence: &'static str,
        drift: Drift,
        runs: &[Run],
        memory: MemoryUse,
    ) -> Self {
        let n_later = (TIMED.1 - 1) as f64;
        Self {
            name,
            sentence,
            drift,
            tokens_per_second: n_later / median(runs.iter().map(|run| run.rest.as_secs_f64())),
            first_token_ms: 1e3 * median(runs.iter().map(|run| run.first.as_secs_f64())),
            memory,
        }
    }

    fn n_bytes(&self) -> u64 {
        self.memory.weights + self.memory.adapters
    }

    fn row(&self) -> String {
        format!(
            "{:<10}{:>7.1}%{:>12.2e}{:>12.1}{:>12}",
            self.name,
            100.0 * self.drift.top1_agreement,
            self.drift.mean_kl,
            self.tokens_per_second,
            memory::human(self.n_bytes())
        )
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "way": self.name,
            "about": self.sentence,
            "drift": self.drift,
            "decode_tokens_per_second": self.tokens_per_second,
            "time_to_first_token_ms": self.first_token_ms,
            "weight_bytes": self.memory.weights,
            "adapter_bytes": self.memory.adapters,
        })
    }
}

fn sequences(checkpoint: &Checkpoint, args: &AdapterBench) -> Result<Vec<Vec<u32>>> {
    let longest = MAX_LENGTH.min(checkpoint.arch.max_positions);
    let longest = longest.min(args.engine.options()?.capacity);
    let Some(data) = &args.data else {
        let (n, length) = DRAWN;
        let vocab_size = checkpoint.arch.vocab_size;
        let ids = drawn_ids(n * length.min(longest), vocab_size);
        return Ok(ids
            .chunks(length.min(longest))
            .map(<[u32]>::to_vec)
            .collect());
    };
    let text = text_files::model_text(&checkpoint.dir, None)?;
    let limit = Some(args.limit);
    let read = examples::read(data, checkpoint, &text, &TextArgs::default(), None, limit)?;
    let ids = read.encoded.into_iter().map(|encoded| {
        let mut ids = encoded.input_ids;
        ids.truncate(longest);
        ids
    });
    Ok(ids.collect())
}
