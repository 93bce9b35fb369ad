//! A complete, validated training run. Names are PEFT's and TRL's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Which modules get a low-rank pair, by PEFT's matching rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TargetModules {
    /// Each entry matches a module whose path equals it or ends with `.` + it.
    List(Vec<String>),
    /// `all-linear`, or a regular expression that must match the whole path.
    Pattern(String),
}

/// Which biases are trained beside the pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoraBias {
    #[default]
    None,
    /// Those of the modules that have a pair.
    LoraOnly,
    /// Every bias of the model.
    All,
}

/// What the frozen linear layers of the blocks are packed into. The rest of the base keeps its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoadIn {
    /// Signed bytes with a scale for each 32: GGUF's Q8_0.
    #[serde(rename = "8bit")]
    EightBits,
    /// Codes of 4 bits with a scale for each 64: the NF4 of QLoRA and bitsandbytes.
    #[serde(rename = "4bit")]
    FourBits,
}

/// Learning-rate schedules, as transformers computes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LrScheduler {
    Linear,
    Cosine,
    Constant,
    ConstantWithWarmup,
}

/// When to evaluate or save.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvalStrategy {
    No,
    Epoch,
    Steps,
}

/// Everything that decides the numbers of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainJob {
    pub lora_r: usize,
    pub lora_alpha: f64,
    pub lora_dropout: f64,
    pub target_modules: TargetModules,
    pub use_rslora: bool,
    /// Rows of adapted layers get lengths of their own (DoRA).
    #[serde(default)]
    pub use_dora: bool,
    #[serde(default)]
    pub bias: LoraBias,
    /// Ranks of single modules: regular expression for the end of a module path, rank.
    #[serde(default)]
    pub rank_pattern: BTreeMap<String, usize>,
    /// Alphas of single modules, matched as `rank_pattern` is.
    #[serde(default)]
    pub alpha_pattern: BTreeMap<String, f64>,
    /// Blocks that get pairs; `None` is all. Not with a pattern in `target_modules`.
    #[serde(default)]
    pub layers_to_transform: Option<Vec<usize>>,
    /// Ends of paths of modules that are trained and saved whole, such as `lm_head`.
    #[serde(default)]
    pub modules_to_save: Vec<String>,
    /// Keeps the frozen base packed; `None` is full precision. Only with `gradient_checkpointing`.
    #[serde(default)]
    pub load_in: Option<LoadIn>,

    pub num_train_epochs: f64,
    /// Stops after this many optimizer steps, whatever the epochs say.
    pub max_steps: Option<u64>,
    pub per_device_train_batch_size: usize,
    pub gradient_accumulation_steps: usize,
    pub learning_rate: f64,
    pub lr_scheduler_type: LrScheduler,
    /// Share of the steps (rounded up) over which the rate rises from 0.
    pub warmup_ratio: f64,
    /// Overrides `warmup_ratio` when positive.
    pub warmup_steps: u64,
    pub weight_decay: f64,
    pub adam_beta1: f64,
    pub adam_beta2: f64,
    pub adam_epsilon: f64,
    /// 0 turns clipping off.
    pub max_grad_norm: f64,
    pub max_length: usize,
    pub packing: bool,
    pub gradient_checkpointing: bool,
    pub seed: u64,
    pub shuffle: bool,

    pub eval_strategy: EvalStrategy,
    pub eval_steps: u64,
    pub save_strategy: EvalStrategy,
    pub save_steps: u64,
    pub save_total_limit: Option<usize>,
    /// Evaluations without improvement after which the run ends.
    pub early_stopping_patience: Option<u64>,
}

/// A setting that cannot work.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("setting `{setting}` is {found}, expected {expected}")]
pub struct JobError {
    pub setting: &'static str,
    pub found: String,
    pub expected: &'static str,
}

impl Default for TrainJob {
    /// LoRA of PEFT's documentation and the use cases (r 16, alpha 32, attention projections).
    fn default() -> Self {
        Self {
            lora_r: 16,
            lora_alpha: 32.0,
            lora_dropout: 0.0,
            target_modules: TargetModules::List(
                ["q_proj", "k_proj", "v_proj", "o_proj"]
                    .map(String::from)
                    .to_vec(),
            ),
            use_rslora: false,
            use_dora: false,
            bias: LoraBias::None,
            rank_pattern: BTreeMap::new(),
            alpha_pattern: BTreeMap::new(),
            layers_to_transform: None,
            modules_to_save: Vec::new(),
            load_in: None,
            num_train_epochs: 3.0,
            max_steps: None,
            per_device_train_batch_size: 4,
            gradient_accumulation_steps: 1,
            learning_rate: 2e-4,
            lr_scheduler_type: LrScheduler::Cosine,
            warmup_ratio: 0.1,
            warmup_steps: 0,
            weight_decay: 0.0,
            adam_beta1: 0.9,
            adam_beta2: 0.999,
            adam_epsilon: 1e-8,
            max_grad_norm: 1.0,
            max_length: 2048,
            packing: false,
            gradient_checkpointing: false,
            seed: 42,
            shuffle: true,
            eval_strategy: EvalStrategy::Epoch,
            eval_steps: 100,
            save_strategy: EvalStrategy::Epoch,
            save_steps: 100,
            save_total_limit: Some(3),
            early_stopping_patience: None,
        }
    }
}

impl TrainJob {
    /// Every setting that cannot work, at once.
    pub fn problems(&self) -> Vec<JobError> {
        let mut problems = Vec::new();
        let mut require = |ok: bool, setting, found: String, expected| {
            if !ok {
                problems.push(JobError {
                    setting,
                    found,
                    expected,
                });
            }
        };
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let share = |x: f64| (0.0..1.0).contains(&x);
        let at_least_zero = |x: f64| x.is_finite() && x >= 0.0;

        require(
            self.lora_r > 0,
            "lora_r",
            self.lora_r.to_string(),
            "at least 1",
        );
        require(
            positive(self.lora_alpha),
            "lora_alpha",
            self.lora_alpha.to_string(),
            "a positive number",
        );
        require(
            share(self.lora_dropout),
            "lora_dropout",
            self.lora_dropout.to_string(),
            "from 0 to below 1",
        );
        require(
            self.rank_pattern.values().all(|&r| r > 0),
            "rank_pattern",
            "0".into(),
            "ranks of at least 1",
        );
        require(
            self.alpha_pattern.values().all(|&alpha| positive(alpha)),
            "alpha_pattern",
            "an alpha of 0 or below".into(),
            "positive numbers",
        );
        require(
            self.layers_to_transform.is_none()
                || matches!(self.target_modules, TargetModules::List(_)),
            "layers_to_transform",
            "given with a pattern in `target_modules`".into(),
            "a list of module names beside it",
        );
        require(
            self.load_in.is_none() || self.gradient_checkpointing,
            "gradient_checkpointing",
            "false with `load_in`".into(),
            "true: else the backward pass would hold every weight unpacked",
        );
        require(
            positive(self.num_train_epochs),
            "num_train_epochs",
            self.num_train_epochs.to_string(),
            "a positive number",
        );
        require(
            self.max_steps != Some(0),
            "max_steps",
            "0".into(),
            "at least 1",
        );
        require(
            self.per_device_train_batch_size > 0,
            "per_device_train_batch_size",
            self.per_device_train_batch_size.to_string(),
            "at least 1",
        );
        require(
            self.gradient_accumulation_steps > 0,
            "gradient_accumulation_steps",
            self.gradient_accumulation_steps.to_string(),
            "at least 1",
        );
        require(
            positive(self.learning_rate),
            "learning_rate",
            self.learning_rate.to_string(),
            "a positive number",
        );
        require(
            (0.0..=1.0).contains(&self.warmup_ratio),
            "warmup_ratio",
            self.warmup_ratio.to_string(),
            "from 0 to 1",
        );
        require(
            at_least_zero(self.weight_decay),
            "weight_decay",
            self.weight_decay.to_string(),
            "0 or more",
        );
        require(
            share(self.adam_beta1),
            "adam_beta1",
            self.adam_beta1.to_string(),
            "from 0 to below 1",
        );
        require(
            share(self.adam_beta2),
            "adam_beta2",
            self.adam_beta2.to_string(),
            "from 0 to below 1",
        );
        require(
            positive(self.adam_epsilon),
            "adam_epsilon",
            self.adam_epsilon.to_string(),
            "a positive number",
        );
        require(
            at_least_zero(self.max_grad_norm),
            "max_grad_norm",
            self.max_grad_norm.to_string(),
            "0 or more",
        );
        require(
            self.max_length > 1,
            "max_length",
            self.max_length.to_string(),
            "at least 2",
        );
        require(
            self.eval_steps > 0,
            "eval_steps",
            self.eval_steps.to_string(),
            "at least 1",
        );
        require(
            self.save_steps > 0,
            "save_steps",
            self.save_steps.to_string(),
            "at least 1",
        );
        problems
    }
}
