//! Options of the engine, on every command that answers with it.

use anyhow::{Result, bail};
use veneer_core::{
    gpu::{Gpu, GpuOptions},
    infer::{EngineOptions, KvFormat, Place},
    quant::Format,
    sampling::Sampling,
};

use crate::{commands::generate::SamplingArgs, device::may_have_gpu};

/// `--device` of commands that answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum AnswerDevice {
    /// A GPU if there is one, else the processor
    #[default]
    Auto,
    Cpu,
    /// The inference engine, on Vulkan, Metal or DirectX 12: the same kernels as in the browser
    Gpu,
    /// The training code on Vulkan, for model folders
    Vulkan,
}

impl AnswerDevice {
    /// Where the engine runs, and its name for people.
    pub(crate) fn open_engine(self) -> Result<(Place, String)> {
        let opened = match self {
            Self::Cpu => None,
            Self::Auto if !may_have_gpu() => None,
            Self::Auto => {
                // A GPU that cannot be opened is none, where nobody asked for it.
                let gpu = pollster::block_on(Gpu::open(&GpuOptions::default())).ok();
                gpu.filter(|gpu| !gpu.info().is_software)
            }
            Self::Gpu => Some(pollster::block_on(Gpu::open(&GpuOptions::default()))?),
            Self::Vulkan => bail!(
                "--device vulkan runs model folders with the training code; the engine's GPU is \
                 --device gpu"
            ),
        };
        Ok(match opened {
            Some(gpu) => {
                let name = gpu.info().name.clone();
                (Place::Gpu(gpu), name)
            }
            None => (Place::Cpu, "cpu".to_owned()),
        })
    }
}

/// How the engine holds a model.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Engine")]
pub(crate) struct EngineArgs {
    /// Quantize a folder's weights while they are loaded [default: as they are stored]
    #[arg(long, value_enum)]
    pub(crate) quant: Option<LoadQuant>,

    /// Type of the context's keys and values on a GPU [default: f16]
    #[arg(long, value_enum)]
    kv: Option<KvChoice>,

    /// Tokens that prompt and answers may have together [default: 4096, or what the model was
    /// trained for where that is less]
    #[arg(long, value_name = "N")]
    context: Option<usize>,
}

/// `--quant` while loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LoadQuant {
    F32,
    F16,
    #[value(name = "q8_0")]
    Q8,
    #[value(name = "q4_0")]
    Q4,
}

impl LoadQuant {
    pub(crate) fn format(self) -> Format {
        match self {
            Self::F32 => Format::F32,
            Self::F16 => Format::F16,
            Self::Q8 => Format::Q8_0,
            Self::Q4 => Format::Q4_0,
        }
    }
}

/// `--kv`
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum KvChoice {
    F16,
    F32,
}

impl EngineArgs {
    pub(crate) fn is_empty(&self) -> bool {
        let Self { quant, kv, context } = self;
        quant.is_none() && kv.is_none() && context.is_none()
    }

    pub(crate) fn format(&self) -> Option<Format> {
        self.quant.map(LoadQuant::format)
    }

    pub(crate) fn options(&self) -> Result<EngineOptions> {
        let mut options = EngineOptions::default();
        if let Some(context) = self.context {
            if context == 0 {
                bail!("--context is 0, expected at least 1");
            }
            options.capacity = context;
        }
        options.kv = match self.kv {
            Some(KvChoice::F32) => KvFormat::F32,
            Some(KvChoice::F16) | None => KvFormat::F16,
        };
        Ok(options)
    }
}

/// What only the engine does while it draws.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Sampling")]
pub(crate) struct EngineSamplingArgs {
    /// Drop tokens less likely than this share of the likeliest; 0 keeps all
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    min_p: f64,

    /// Above 1, tokens of prompt and answer become less likely; 1 is off
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    repetition_penalty: f64,

    /// Taken off a token's logit for each time that the answer has it
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    frequency_penalty: f64,

    /// Taken off a token's logit where the answer has it
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    presence_penalty: f64,

    /// End the answer before this text; can be given several times
    #[arg(long, value_name = "TEXT")]
    pub(crate) stop: Vec<String>,
}

impl EngineSamplingArgs {
    /// Whether nothing is asked for that the training code cannot do.
    pub(crate) fn is_empty(&self) -> bool {
        let neutral = Sampling::default();
        self.stop.is_empty()
            && self.min_p == neutral.min_p
            && self.repetition_penalty == neutral.repetition_penalty
            && self.frequency_penalty == neutral.frequency_penalty
            && self.presence_penalty == neutral.presence_penalty
    }

    pub(crate) fn sampling(&self, shared: &SamplingArgs) -> Result<Sampling> {
        let sampling = Sampling {
            temperature: shared.temperature,
            top_k: shared.top_k,
            top_p: shared.top_p,
            seed: shared.sampling_seed,
            min_p: self.min_p,
            repetition_penalty: self.repetition_penalty,
            frequency_penalty: self.frequency_penalty,
            presence_penalty: self.presence_penalty,
        };
        sampling.check()?;
        Ok(sampling)
    }
}
