//! `veneer bench decode` and `veneer bench prefill`: the engine beside the floor that memory sets.

use std::{
    ops::ControlFlow,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use veneer_core::{
    gpu::GpuInfo,
    infer::{
        AdapterId, DecodeCost, Engine, EngineOptions, GenerateRequest, MemoryUse, NewToken, Place,
    },
    quant::Drift,
};

use super::compare::{drawn_ids, drift, engine_logits};
use crate::{
    engine_args::{AnswerDevice, EngineArgs},
    engine_model::{EngineModel, add_adapters},
    memory,
};

#[derive(Debug, clap::Args)]
pub(crate) struct AnswerBench {
    /// GGUF file, folder with config.json, tokenizer.json and *.safetensors, a Hub name, or `demo`
    #[arg(long, value_name = "MODEL")]
    model: String,

    /// Adapter folder to answer with, beside the base
    #[arg(long, value_name = "DIR")]
    adapter: Option<PathBuf>,

    /// Tokens of the prompt, drawn by chance
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u64).range(1..))]
    prompt_tokens: u64,

    /// Tokens of the answer
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u64).range(2..))]
    tokens: u64,

    /// Timed runs, after one that is not; the median counts
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,

    /// What the device's memory gives, in GB/s, to compare with
    #[arg(long, value_name = "X")]
    bandwidth: Option<f64>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    /// Where the model runs
    #[arg(long, value_enum, default_value_t)]
    device: AnswerDevice,

    #[command(flatten)]
    engine: EngineArgs,
}

/// What is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Decode,
    Prefill,
}

/// Positions whose logits are compared with the processor's before timing.
const CHECKED: usize = 8;

/// The GPU sums in another order and keeps the context in 16 bits; a mistake is beyond 0.5.
const LARGEST_ERROR: f64 = 0.02;

pub(crate) fn run(args: &AnswerBench, phase: Phase) -> Result<()> {
    if args
        .bandwidth
        .is_some_and(|gb| !(gb > 0.0 && gb.is_finite()))
    {
        bail!("--bandwidth must be above 0 GB/s");
    }
    let model = EngineModel::open(&args.model, args.engine.format(), None)?;
    let (place, device) = args.device.open_engine()?;
    let gpu = match &place {
        Place::Gpu(gpu) => Some(gpu.info().clone()),
        Place::Cpu => None,
    };
    let (n_prompt, n_new) = (args.prompt_tokens as usize, args.tokens as usize);
    let options = args.engine.options()?;
    if n_prompt + n_new > options.capacity.min(model.arch.max_positions) {
        bail!(
            "--prompt-tokens {n_prompt} and --tokens {n_new} do not fit into a context of {}; \
             give fewer, or a larger --context",
            options.capacity.min(model.arch.max_positions)
        );
    }
    let mut engine = model.load(place, &options)?;
    let adapters: Vec<PathBuf> = args.adapter.iter().cloned().collect();
    let adapter = add_adapters(&mut engine, &adapters)?.first().map(|a| a.id);
    let checked = check(&model, &engine, &options, gpu.is_some())?;

    let prompt = drawn_ids(n_prompt, model.arch.vocab_size);
    let n_new = if phase == Phase::Prefill { 1 } else { n_new };
    let mut runs = Vec::new();
    for index in 0..=args.runs {
        let run = timed(&engine, &prompt, n_new, adapter)?;
        if index > 0 {
            runs.push(run);
        }
    }
    let mut session = engine.new_session()?;
    let report = Report {
        phase,
        model: model.name(),
        device: &device,
        gpu,
        n_prompt,
        n_new,
        runs: &runs,
        cost: engine.decode_cost(&mut session, adapter)?,
        weight_bytes: weight_bytes(&model, args)?,
        memory: engine.memory(),
        bandwidth: args.bandwidth,
        checked,
    };
    if args.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.text());
    }
    Ok(())
}

/// Bytes of weights that a token reads.
fn weight_bytes(model: &EngineModel, args: &AnswerBench) -> Result<u64> {
    let options = args.engine.options()?;
    model.with_source(|source| {
        let plan = Engine::plan(&model.arch, source, &options, None)?;
        Ok(plan.weight_bytes_per_token())
    })
}

/// A GPU's logits against those of the processor's twin, the processor's against the training
/// code's; `None` where that code has no such weights.
fn check(
    model: &EngineModel,
    engine: &Engine,
    options: &EngineOptions,
    on_gpu: bool,
) -> Result<Option<Drift>> {
    let ids = drawn_ids(CHECKED.min(engine.capacity()), model.arch.vocab_size);
    let expected = if on_gpu {
        let twin = model.load(Place::Cpu, options)?;
        Some(engine_logits(&twin, &ids, None)?)
    } else {
        model.decoder_logits(&ids)?
    };
    let Some(expected) = expected else {
        return Ok(None);
    };
    let drift = drift(&expected, &engine_logits(engine, &ids, None)?)?;
    if drift.relative_error > LARGEST_ERROR {
        bail!(
            "the engine does not compute what {} computes: the logits of {CHECKED} tokens differ \
             by {:.3}, at most {LARGEST_ERROR} is expected; nothing was timed",
            if on_gpu {
                "the processor"
            } else {
                "the training code"
            },
            drift.relative_error
        );
    }
    Ok(Some(drift))
}

/// One run on an empty context.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) first: Duration,
    /// From the first to the last token.
    pub(super) rest: Duration,
}

pub(super) fn timed(
    engine: &Engine,
    prompt: &[u32],
    n_new: usize,
    adapter: Option<AdapterId>,
) -> Result<Run> {
    let mut session = engine.new_session()?;
    let request = GenerateRequest {
        adapter,
        ..GenerateRequest::new(prompt.to_vec(), n_new)
    };
    let started = Instant::now();
    let mut first = None;
    let mut last = started;
    let mut on_token = |_: &NewToken| {
        last = Instant::now();
        first.get_or_insert(last);
        ControlFlow::Continue(())
    };
    let answered = engine.generate(&mut session, &request, &mut on_token);
    let answered = pollster::block_on(answered)?;
    if answered.ids.len() != n_new {
        bail!("{} tokens came, expected {n_new}", answered.ids.len());
    }
    let first = first.context("no token came")?;
    Ok(Run {
        first: first - started,
        rest: last - first,
    })
}

struct Report<'a> {
    phase: Phase,
    model: &'a str,
    device: &'a str,
    gpu: Option<GpuInfo>,
    n_prompt: usize,
    n_new: usize,
    runs: &'a [Run],
    cost: Option<DecodeCost>,
    weight_bytes: u64,
    memory: MemoryUse,
    bandwidth: Option<f64>,
    checked: Option<Drift>,
}

impl Report<'_> {
    fn first_seconds(&self) -> f64 {
        median(self.runs.iter().map(|run| run.first.as_secs_f64()))
    }

    fn prefill_rate(&self) -> f64 {
        self.n_prompt as f64 / self.first_seconds()
    }

    fn decode_rate(&self) -> Option<f64> {
        let n = self.n_new.checked_sub(1).filter(|n| *n > 0)?;
        let seconds = median(self.runs.iter().map(|run| run.rest.as_secs_f64()));
        Some(n as f64 / seconds)
    }

    /// Bytes of weights and of the context in the middle of the answer.
    fn bytes_per_token(&self) -> u64 {
        let middle = (self.n_prompt + self.n_new / 2) as u64;
        let kv = self.cost.map_or(0, |cost| cost.kv_bytes_per_position);
        self.weight_bytes + kv * middle
    }

    /// Tokens a second that reading those bytes alone would allow.
    fn floor(&self) -> Option<f64> {
        Some(self.bandwidth? * 1e9 / self.bytes_per_token() as f64)
    }

    fn json(&self) -> Value {
        let seconds = |pick: fn(&Run) -> Duration| -> Vec<f64> {
            self.runs
                .iter()
                .map(|run| pick(run).as_secs_f64())
                .collect()
        };
        json!({
            "benchmark": match self.phase { Phase::Decode => "decode", Phase::Prefill => "prefill" },
            "model": self.model,
            "device": self.device,
            "backend": self.gpu.as_ref().map(|gpu| gpu.backend.as_str()),
            "software_adapter": self.gpu.as_ref().map(|gpu| gpu.is_software),
            "profile": self.gpu.as_ref().map(|gpu| gpu.profile.name()),
            "prompt_tokens": self.n_prompt,
            "new_tokens": self.n_new,
            "time_to_first_token_ms": self.first_seconds() * 1e3,
            "prefill_tokens_per_second": self.prefill_rate(),
            "decode_tokens_per_second": self.decode_rate(),
            "runs": { "first_seconds": seconds(|run| run.first), "rest_seconds": seconds(|run| run.rest) },
            "launches_per_token": self.cost.map(|cost| cost.n_launches),
            "weight_bytes_per_token": self.weight_bytes,
            "kv_bytes_per_position": self.cost.map(|cost| cost.kv_bytes_per_position),
            "bytes_per_token": self.bytes_per_token(),
            "read_bytes_per_second": self.decode_rate().map(|rate| rate * self.bytes_per_token() as f64),
            "bandwidth_bytes_per_second": self.bandwidth.map(|gb| gb * 1e9),
            "floor_tokens_per_second": self.floor(),
            "memory": {
                "weights": self.memory.weights, "adapters": self.memory.adapters,
                "activations": self.memory.activations, "session": self.memory.per_session,
            },
            "checked": self.checked,
        })
    }

    fn text(&self) -> String {
        let software = self.gpu.as_ref().is_some_and(|gpu| gpu.is_software);
        let note = if software {
            " (a software adapter: no GPU)"
        } else {
            ""
        };
        let mut lines = vec![format!("{} on {}{note}", self.model, self.device)];
        if let Some(checked) = &self.checked {
            lines.push(format!(
                "checked before timing: relative error {:.1e}, the same first token at {:.0} % of \
                 {} positions",
                checked.relative_error,
                100.0 * checked.top1_agreement,
                checked.n_positions
            ));
        }
        lines.push(format!(
            "prefill  {:.1} tokens/s, first token after {:.0} ms ({} prompt tokens)",
            self.prefill_rate(),
            1e3 * self.first_seconds(),
            self.n_prompt
        ));
        if let Some(rate) = self.decode_rate() {
            let bytes = self.bytes_per_token();
            lines.push(format!(
                "decode   {rate:.1} tokens/s ({} tokens), {} a token: {}/s are read",
                self.n_new,
                memory::human(bytes),
                memory::human((rate * bytes as f64) as u64)
            ));
            if let Some(floor) = self.floor() {
                lines.push(format!(
                    "floor    {floor:.1} tokens/s at {} GB/s: {:.0} % of it is reached",
                    self.bandwidth.unwrap_or_default(),
                    100.0 * rate / floor
                ));
            }
        }
        if let Some(cost) = self.cost {
            lines.push(format!("{} kernel launches a token", cost.n_launches));
        }
        let MemoryUse {
            weights,
            adapters,
            activations,
            per_session,
        } = self.memory;
        lines.push(format!(
            "memory   {} weights, {} adapters, {} scratch, {} context",
            memory::human(weights),
            memory::human(adapters),
            memory::human(activations),
            memory::human(per_session)
        ));
        lines.push(format!("median of {} runs", self.runs.len()));
        lines.join("\n") + "\n"
    }
}

/// The middle one; of an even number the lower of the two.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
        .get(values.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_run_does_not_count() {
        assert_eq!(median([3.0, 1.0, 100.0, 2.0, 2.5].into_iter()), 2.5);
        assert_eq!(median([2.0, 1.0].into_iter()), 1.0);
        assert_eq!(median([].into_iter()), 0.0);
    }
}
