//! `veneer bench train`

use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::json;
use veneer_core::{
    arch::Arch,
    model::{Decoder, match_targets},
    protocol::{LoadIn, TrainJob},
    rng::Rng,
    text::Encoded,
    train::{PlanInput, Training, plan},
    weights::{RandomSource, adapter_config::AdapterConfig},
};

use crate::{
    device::{DeviceArgs, Place},
    forecast::gemm_rate,
    job_args::parse_name,
    memory,
};

#[derive(Debug, clap::Args)]
pub(crate) struct TrainBench {
    /// Measured steps, after one that is not
    #[arg(long, value_name = "N", default_value_t = 3)]
    steps: u64,

    /// Tokens in a row
    #[arg(long, value_name = "N", default_value_t = 512)]
    seq: usize,

    /// Rows in a step
    #[arg(long, value_name = "N", default_value_t = 1)]
    batch: usize,

    /// Rank of the adapter
    #[arg(long, value_name = "N", default_value_t = 16)]
    lora_r: usize,

    /// Blocks, to shrink the model
    #[arg(long, value_name = "N", default_value_t = 24)]
    layers: usize,

    /// Compute each block twice instead of keeping its activations
    #[arg(long)]
    gradient_checkpointing: bool,

    /// Keep the frozen linear layers packed: 8bit or 4bit; with recompute
    #[arg(long, value_name = "BITS", value_parser = parse_name::<LoadIn>)]
    load_in: Option<LoadIn>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: DeviceArgs,
}

/// config.json of Qwen2.5-0.5B, as far as it decides shapes.
fn shape(n_layers: usize) -> Result<Arch> {
    let config = json!({
        "model_type": "qwen2", "vocab_size": 151_936, "hidden_size": 896, "intermediate_size": 4864,
        "num_hidden_layers": n_layers, "num_attention_heads": 14, "num_key_value_heads": 2,
        "rope_theta": 1e6, "rms_norm_eps": 1e-6, "max_position_embeddings": 32_768,
        "tie_word_embeddings": true, "use_sliding_window": false,
    });
    Ok(Arch::from_json(config.to_string().as_bytes())?)
}

pub(super) fn run(args: &TrainBench) -> Result<()> {
    let place = args.place.open()?;
    let gemm = gemm_rate(&place);
    let arch = shape(args.layers)?;
    let job = TrainJob {
        lora_r: args.lora_r,
        per_device_train_batch_size: args.batch,
        max_steps: Some(args.steps + 1),
        gradient_checkpointing: args.gradient_checkpointing || args.load_in.is_some(),
        load_in: args.load_in,
        warmup_ratio: 0.0,
        shuffle: false,
        max_length: args.seq,
        ..TrainJob::default()
    };
    let mut training = training(&arch, &job, args, &place)?;
    let loaded_bytes = memory::peak_bytes();
    let first = training.step(&|| false).context("the first step")?;
    let started = Instant::now();
    let mut last = first;
    for _ in 0..args.steps {
        last = training.step(&|| false).context("a measured step")?;
    }
    let seconds = started.elapsed().as_secs_f64() / args.steps as f64;
    let tokens = (args.seq * args.batch) as f64;

    let trained = training.model().trained();
    let n_trained = trained
        .iter()
        .map(|(_, w)| w.dims().iter().product::<usize>() as u64)
        .sum();
    let lengths = vec![args.seq; args.batch];
    let one_step = plan(&PlanInput {
        arch: &arch,
        job: &job,
        n_trained,
        element_bytes: place.dtype.size() as u64,
        lengths: &lengths,
        n_targets: (args.batch * (args.seq - 1)) as u64,
        total_steps: 1,
    });
    let rate = one_step.flops / seconds;
    let report = json!({
        "benchmark": "LoRA on q, k, v, o of the shape of Qwen2.5-0.5B, random weights",
        "device": place.name,
        "n_threads": std::thread::available_parallelism().map_or(1, usize::from),
        "layers": args.layers, "sequence": args.seq, "batch": args.batch, "lora_r": args.lora_r,
        "gradient_checkpointing": job.gradient_checkpointing,
        "load_in": job.load_in, "weight_bytes": training.model().weight_bytes(),
        "seconds_per_step": seconds,
        "tokens_per_second": tokens / seconds,
        "peak_rss_bytes": memory::peak_bytes(),
        "peak_rss_bytes_before_training": loaded_bytes,
        "planned_bytes": one_step.total_bytes(),
        "flops_per_second": rate,
        "gemm_flops_per_second": gemm,
        "share_of_gemm": rate / gemm,
        "first_loss": first.loss, "last_loss": last.loss, "grad_norm": last.grad_norm,
    });
    if args.json {
        println!("{report}");
    } else {
        println!(
            "{:.1} tokens/s, {:.2} s a step, on {}",
            tokens / seconds,
            seconds,
            place.name
        );
        println!("peak memory {}", memory::human(memory::peak_bytes()));
        println!(
            "{:.1} GFLOP/s, {:.0} % of this machine's matrix products ({:.1} GFLOP/s)",
            rate / 1e9,
            100.0 * rate / gemm,
            gemm / 1e9
        );
        println!("loss {:.4}, gradient norm {:.4}", last.loss, last.grad_norm);
    }
    Ok(())
}

fn training(arch: &Arch, job: &TrainJob, args: &TrainBench, place: &Place) -> Result<Training> {
    let weights = RandomSource::new(arch.clone(), job.seed);
    let on = (&place.device, place.dtype);
    let mut model = Decoder::load_in(arch, &weights, on, job.load_in)?;
    let modules = match_targets(arch, &job.target_modules, None)?;
    let config = AdapterConfig::new(job.lora_r, job.lora_alpha, job.target_modules.clone());
    model.attach_fresh(&config, &modules, job.seed)?;
    let mut rng = Rng::new(job.seed, 0);
    let examples = (0..args.batch).map(|_| {
        let input_ids: Vec<u32> = (0..args.seq)
            .map(|_| rng.below(arch.vocab_size) as u32)
            .collect();
        let labels = input_ids.iter().map(|&id| id as i32).collect();
        Encoded { input_ids, labels }
    });
    Ok(Training::new(job.clone(), model, examples.collect())?)
}
