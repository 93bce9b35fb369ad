//! `veneer pretrain`

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use safetensors::{Dtype as StDtype, tensor::TensorView};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use veneer_core::{
    arch::Arch,
    data::{ReadOptions, Record},
    model::Decoder,
    protocol::{EvalStrategy, Event, LrScheduler, TrainJob},
    recipe::corpus::{pretraining_corpus, tokenizer_text},
    text::{
        EncodeOptions, Encoded, ModelText, TextFiles, TokenizerFiles, TrainOn, encode_record,
        train_tokenizer,
    },
    train::Training,
    weights::{Dtype, RandomSource},
};

use crate::{
    dataset::{self, ReadSpec},
    device::DeviceArgs,
    files::write_atomic,
    job_args::JobArgs,
    progress,
    run_dir::{Progress, RunDir, RunSpec},
    run_printer::RunPrinter,
    training_loop::{Ended, Loop},
};

/// Train a small base model and its tokenizer from scratch
///
/// Without --data it learns from text that Veneer writes itself (English, Spanish, Japanese).
#[derive(Debug, clap::Args)]
pub(crate) struct PretrainArgs {
    /// Folder for the model
    #[arg(long, value_name = "DIR", required_unless_present = "resume")]
    out: Option<PathBuf>,

    /// Go on with the run in this folder
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    resume: Option<PathBuf>,

    /// Dataset to learn from, instead of Veneer's own text
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// Records of Veneer's own text
    #[arg(long, value_name = "N", default_value_t = 60_000)]
    n_records: u64,

    /// Entries of the vocabulary at most
    #[arg(long, value_name = "N", default_value_t = 2048)]
    vocab_size: usize,

    /// Width of the model
    #[arg(long, value_name = "N", default_value_t = 256)]
    hidden_size: usize,
    /// Width of the feed-forward layers
    #[arg(long, value_name = "N", default_value_t = 704)]
    intermediate_size: usize,
    /// Blocks
    #[arg(long, value_name = "N", default_value_t = 4)]
    num_hidden_layers: usize,
    /// Query heads
    #[arg(long, value_name = "N", default_value_t = 4)]
    num_attention_heads: usize,
    /// Key and value heads
    #[arg(long, value_name = "N", default_value_t = 2)]
    num_key_value_heads: usize,

    /// Print one event a line as JSON on standard output
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: DeviceArgs,
    #[command(flatten)]
    settings: JobArgs,
}

/// Settings that suit a few million parameters.
fn default_job() -> TrainJob {
    TrainJob {
        num_train_epochs: 1.0,
        per_device_train_batch_size: 16,
        learning_rate: 2e-3,
        lr_scheduler_type: LrScheduler::Cosine,
        warmup_ratio: 0.05,
        weight_decay: 0.01,
        adam_beta2: 0.99,
        max_length: 256,
        packing: true,
        save_strategy: EvalStrategy::Steps,
        save_steps: 200,
        save_total_limit: Some(1),
        ..TrainJob::default()
    }
}

const SAMPLE_FOR_TOKENIZER: usize = 20_000;
const DATA_OF_OUR_OWN: &str = "veneer's own text";

pub(crate) fn run(args: PretrainArgs) -> Result<()> {
    let place = args.place.open()?;
    let resumed = args.resume.as_deref().map(RunDir::open).transpose()?;
    let job = match &resumed {
        Some((_, spec)) => spec.job.clone(),
        None => args.settings.clone().job(default_job())?,
    };
    let records = records(&args, job.seed)?;
    let sample = records
        .iter()
        .take(SAMPLE_FOR_TOKENIZER)
        .map(tokenizer_text)
        .collect::<Vec<_>>();
    let tokenizer = train_tokenizer(sample, args.vocab_size, job.max_length)?;
    let config = config_json(&args, tokenizer.vocab_size, job.max_length);
    let text = ModelText::from_files(
        TextFiles {
            tokenizer_json: Some(&tokenizer.tokenizer),
            tokenizer_config: Some(&tokenizer.tokenizer_config),
            config: Some(&config),
            ..TextFiles::default()
        },
        None,
    )?;
    let examples = encode(&records, &text, job.max_length)?;
    let spec = spec(&args, &job, &examples);

    let arch = Arch::from_json(&config)?;
    let weights = RandomSource::new(arch.clone(), job.seed);
    let mut model = Decoder::load(&arch, &weights, &place.device, place.dtype)?;
    model.train_all();
    let n_examples = examples.len();
    let mut training = Training::new(job, model, examples)?;
    let (run_dir, progress) = match resumed {
        None => (
            RunDir::create(args.out.as_deref().context("--out is missing")?, &spec)?,
            Progress::default(),
        ),
        Some((run_dir, earlier)) => {
            if earlier.data_sha256 != spec.data_sha256 {
                bail!(
                    "the text or the sizes differ from those this run began with; give the same options"
                );
            }
            let mut progress = Progress::default();
            if let Some((state, saved)) = run_dir.latest_checkpoint()? {
                training.restore(&state)?;
                progress = saved;
            }
            (run_dir, progress)
        }
    };
    let start = Event::Start {
        total_steps: training.total_steps(),
        first_step: training.steps_done(),
        n_examples,
        trainable_parameters: arch.n_parameters(),
        total_parameters: arch.n_parameters(),
        device: place.name.clone(),
    };
    let mut training_loop = Loop {
        training,
        run_dir,
        printer: RunPrinter::new(args.json),
        eval_examples: &[],
        adapter_config: None,
        progress,
    };
    let ended = training_loop.run(start)?;
    let out = training_loop.run_dir.path().to_path_buf();
    if ended == Ended::Stopped {
        bail!(
            "stopped; go on with the same options and --resume {}",
            out.display()
        );
    }
    save(&out, training_loop.training.model(), &config, &tokenizer)?;
    eprintln!("model: {}", out.display());
    Ok(())
}

fn records(args: &PretrainArgs, seed: u64) -> Result<Vec<Record>> {
    match &args.data {
        Some(path) => Ok(dataset::read(path, &ReadOptions::default(), None)?.records),
        None => {
            let bar = progress::bar(args.n_records, "writing text");
            let records = pretraining_corpus(seed, args.n_records)
                .inspect(|_| bar.inc(1))
                .collect();
            bar.finish_and_clear();
            Ok(records)
        }
    }
}

/// Every token is a target: a base learns the questions too.
fn encode(records: &[Record], text: &ModelText, max_length: usize) -> Result<Vec<Encoded>> {
    let options = EncodeOptions {
        train_on: TrainOn::All,
        max_length: Some(max_length),
        ..EncodeOptions::default()
    };
    let bar = progress::bar(records.len() as u64, "tokenizing");
    let mut examples = Vec::with_capacity(records.len());
    for record in records {
        examples.push(encode_record(record, text, &options)?.encoded);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(examples)
}

fn spec(args: &PretrainArgs, job: &TrainJob, examples: &[Encoded]) -> RunSpec {
    let mut hasher = Sha256::new();
    for example in examples {
        example
            .input_ids
            .iter()
            .for_each(|id| hasher.update(id.to_le_bytes()));
    }
    let hash: String = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    RunSpec {
        veneer_version: env!("CARGO_PKG_VERSION").into(),
        model: "none: trained from scratch".into(),
        data: args.data.clone().unwrap_or_else(|| DATA_OF_OUR_OWN.into()),
        data_sha256: hash,
        eval_data: None,
        init_adapter: None,
        limit: args.data.is_none().then_some(args.n_records as usize),
        read: ReadSpec::default(),
        train_on: "all".into(),
        template: None,
        job: job.clone(),
    }
}

/// A Llama in transformers' spelling. `<|endoftext|>` pads, `<|im_end|>` ends (their ids are in the tokenizer).
fn config_json(args: &PretrainArgs, vocab_size: usize, max_length: usize) -> Vec<u8> {
    let config = json!({
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": vocab_size,
        "hidden_size": args.hidden_size,
        "intermediate_size": args.intermediate_size,
        "num_hidden_layers": args.num_hidden_layers,
        "num_attention_heads": args.num_attention_heads,
        "num_key_value_heads": args.num_key_value_heads,
        "head_dim": args.hidden_size / args.num_attention_heads.max(1),
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "max_position_embeddings": max_length,
        "tie_word_embeddings": true,
        "attention_bias": false,
        "mlp_bias": false,
        "torch_dtype": "bfloat16",
    });
    format!("{config:#}\n").into_bytes()
}

fn save(
    out: &std::path::Path,
    model: &Decoder,
    config: &[u8],
    tokenizer: &TokenizerFiles,
) -> Result<()> {
    let tensors = model.checkpoint(Dtype::Bf16);
    let views = tensors
        .iter()
        .map(|(name, raw)| {
            Ok((
                name,
                TensorView::new(StDtype::BF16, raw.shape.clone(), &raw.bytes)?,
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    let metadata = std::collections::HashMap::from([("format".to_string(), "pt".to_string())]);
    let weights = safetensors::serialize(views, Some(metadata))?;
    let config = with_end_token(config, tokenizer)?;
    let put =
        |name: &str, bytes: &[u8]| write_atomic(&out.join(name), |file| file.write_all(bytes));
    put("tokenizer.json", &tokenizer.tokenizer)?;
    put("tokenizer_config.json", &tokenizer.tokenizer_config)?;
    put("model.safetensors", &weights)?;
    put("config.json", &config)
}

/// Adds the ids of the end and padding tokens, which only the tokenizer knows.
fn with_end_token(config: &[u8], tokenizer: &TokenizerFiles) -> Result<Vec<u8>> {
    let mut config: serde_json::Value = serde_json::from_slice(config)?;
    let text = veneer_core::text::Tokenizer::from_json(&tokenizer.tokenizer)?;
    config["eos_token_id"] = json!(text.token_to_id(veneer_core::text::END_TOKEN));
    config["pad_token_id"] = json!(text.token_to_id(veneer_core::text::PAD_TOKEN));
    Ok(format!("{config:#}\n").into_bytes())
}
