//! `veneer generate`

mod engine;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use veneer_core::{
    model::{Decoder, GenerateOptions, Generated, generate, last_logits},
    text::{Message, ModelText, RenderOptions, Role},
};

use crate::{
    device::{DeviceArgs, DeviceChoice, DtypeChoice},
    engine_args::{AnswerDevice, EngineArgs, EngineSamplingArgs},
    interrupt,
    model_run::{Checkpoint, attach, is_gguf},
    text_files,
};

pub(crate) use engine::{Answer, Answered};

/// Answer one prompt, with the base or with adapters
///
/// A GGUF file, and anything with --device gpu or --quant, runs on the inference engine, whose
/// kernels are those of the browser. A model folder runs on the training code otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct GenerateArgs {
    /// GGUF file, folder with config.json, tokenizer.json and *.safetensors, a Hub name, or `demo`
    #[arg(long, value_name = "MODEL")]
    model: String,

    /// Adapter folder, as `veneer train` or PEFT writes it; the engine takes several and answers
    /// with each
    #[arg(long, value_name = "DIR")]
    adapter: Vec<PathBuf>,

    /// What the user says; the model's chat template is applied
    #[arg(long, value_name = "TEXT", required_unless_present = "ids")]
    prompt: Option<String>,

    /// What the system message says
    #[arg(long, value_name = "TEXT", requires = "prompt")]
    system: Option<String>,

    /// Give the prompt to the model as it is, without a chat template
    #[arg(long, requires = "prompt")]
    raw: bool,

    /// Token ids to continue, instead of a prompt; no tokenizer is needed
    #[arg(
        long,
        value_name = "1,2,3",
        value_delimiter = ',',
        conflicts_with = "prompt"
    )]
    ids: Option<Vec<u32>>,

    /// Built-in chat template to use instead of the model's own
    #[arg(long, value_name = "NAME", visible_alias = "chat-template")]
    template: Option<String>,

    /// Print ids and log-probabilities as one JSON object (one a line with several adapters)
    #[arg(long)]
    json: bool,

    /// Add the logits of the prompt's last position to the JSON
    #[arg(long, requires = "json")]
    logits: bool,

    /// Where the model runs
    #[arg(long, value_enum, default_value_t)]
    device: AnswerDevice,

    /// Type of weights and activations in the training code
    #[arg(long, value_enum)]
    dtype: Option<DtypeChoice>,

    #[command(flatten)]
    sampling: SamplingArgs,
    #[command(flatten)]
    engine_sampling: EngineSamplingArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

/// How answers are drawn, on every command that writes some.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Sampling")]
pub(crate) struct SamplingArgs {
    /// Longest answer in tokens
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub(crate) max_new_tokens: usize,

    /// 0 always takes the most likely token; higher is more varied
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    pub(crate) temperature: f64,

    /// Draw among the N most likely tokens only; 0 is all
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) top_k: usize,

    /// Draw among the likeliest tokens that together have this probability
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    pub(crate) top_p: f64,

    /// Same seed, same answer
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub(crate) sampling_seed: u64,

    /// Go on after the token that ends the answer
    #[arg(long)]
    pub(crate) ignore_eos: bool,
}

impl SamplingArgs {
    pub(crate) fn options(&self, end_token_ids: &[u32]) -> Result<GenerateOptions> {
        if !(self.temperature >= 0.0 && self.temperature.is_finite()) {
            bail!("--temperature is {}, expected 0 or more", self.temperature);
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            bail!("--top-p is {}, expected above 0 and at most 1", self.top_p);
        }
        if self.max_new_tokens == 0 {
            bail!("--max-new-tokens is 0, expected at least 1");
        }
        Ok(GenerateOptions {
            max_new_tokens: self.max_new_tokens,
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            seed: self.sampling_seed,
            end_token_ids: if self.ignore_eos {
                Vec::new()
            } else {
                end_token_ids.to_vec()
            },
        })
    }
}

impl GenerateArgs {
    fn uses_engine(&self) -> bool {
        is_gguf(&self.model) || self.device == AnswerDevice::Gpu || self.engine.quant.is_some()
    }

    /// The device of the training code.
    fn place(&self) -> Result<DeviceArgs> {
        if !self.engine.is_empty() || !self.engine_sampling.is_empty() || self.adapter.len() > 1 {
            bail!(
                "--kv, --context, --min-p, penalties, --stop and several adapters are for the \
                 inference engine; add --device gpu, or --quant to run it on the processor"
            );
        }
        let device = match self.device {
            AnswerDevice::Auto | AnswerDevice::Gpu => DeviceChoice::Auto,
            AnswerDevice::Cpu => DeviceChoice::Cpu,
            AnswerDevice::Vulkan => DeviceChoice::Vulkan,
        };
        Ok(DeviceArgs::new(device, self.dtype.unwrap_or_default()))
    }
}

pub(crate) fn run(args: GenerateArgs) -> Result<()> {
    if args.uses_engine() {
        return engine::run(&args);
    }
    let place = args.place()?.open()?;
    let checkpoint = Checkpoint::open(&args.model)?;
    let text = text_files::model_text(&checkpoint.dir, args.template.as_deref())?;
    let ids = prompt_ids(&args, &text)?;
    let vocab_size = checkpoint.arch.vocab_size;
    if let Some(id) = ids.iter().find(|&&id| id as usize >= vocab_size) {
        bail!("token id {id} is outside of the model's vocabulary of {vocab_size}");
    }
    let options = args.sampling.options(&text.end_token_ids)?;
    let mut model = checkpoint.decoder(&place)?;
    if let Some(dir) = args.adapter.first() {
        attach(&mut model, dir)?;
    }
    interrupt::listen();
    let answer = generate(&model, &[&ids], &options, &interrupt::asked).remove(0);
    if args.json {
        print_json(&args, &model, &text, &ids, &answer)
    } else {
        println!(
            "{}",
            decode(&text, &answer)?.unwrap_or_else(|| format!("{:?}", answer.ids))
        );
        Ok(())
    }
}

fn prompt_ids(args: &GenerateArgs, text: &ModelText) -> Result<Vec<u32>> {
    let ids = match (&args.ids, &args.prompt) {
        (Some(ids), _) => ids.clone(),
        (None, Some(prompt)) if args.raw => text
            .tokenizer()?
            .encode(prompt, true)?
            .into_iter()
            .map(|token| token.id)
            .collect(),
        (None, Some(prompt)) => chat_ids(text, args.system.as_deref(), prompt)?,
        (None, None) => Vec::new(),
    };
    if ids.is_empty() {
        bail!("the prompt is empty: there is nothing to continue");
    }
    Ok(ids)
}

fn chat_ids(text: &ModelText, system: Option<&str>, prompt: &str) -> Result<Vec<u32>> {
    let system = system.map(|system| Message::new(Role::System, system));
    let messages: Vec<Message> = system
        .into_iter()
        .chain([Message::new(Role::User, prompt)])
        .collect();
    conversation_ids(text, &messages).map_err(|error| {
        error.context("the chat template gives no prompt (--raw goes without one)")
    })
}

/// A conversation whose next turn is the assistant's, by the model's chat template.
pub(crate) fn conversation_ids(text: &ModelText, messages: &[Message]) -> Result<Vec<u32>> {
    let options = RenderOptions {
        add_generation_prompt: true,
        ..RenderOptions::default()
    };
    let rendered = text.template()?.render(messages, &[], &options)?;
    Ok(text
        .tokenizer()?
        .encode(&rendered, false)?
        .into_iter()
        .map(|token| token.id)
        .collect())
}

/// The answer's text without its end token; `None` without a tokenizer.
pub(crate) fn decode(text: &ModelText, answer: &Generated) -> Result<Option<String>> {
    let Some(tokenizer) = &text.tokenizer else {
        return Ok(None);
    };
    let n_kept = answer.ids.len() - usize::from(answer.ended);
    Ok(Some(tokenizer.decode(&answer.ids[..n_kept], true)?))
}

fn print_json(
    args: &GenerateArgs,
    model: &Decoder,
    text: &ModelText,
    ids: &[u32],
    answer: &Generated,
) -> Result<()> {
    let mut object = json!({
        "ids": answer.ids,
        "logprobs": answer.logprobs,
        "ended": answer.ended,
        "n_prompt_tokens": ids.len(),
    });
    if let Some(decoded) = decode(text, answer)? {
        object["text"] = decoded.into();
    }
    if args.logits {
        let hidden = model.extend(&[ids], &mut model.new_cache());
        let logits = last_logits(model, hidden)
            .into_data()
            .try_into_vec_as::<f32>();
        object["logits"] = json!(logits.ok().context("reading the logits")?);
    }
    println!("{object}");
    Ok(())
}
