//! Settings of a run on the command line, under PEFT's and TRL's names.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context as _, Result, bail};
use veneer_core::protocol::{EvalStrategy, LoadIn, LoraBias, LrScheduler, TargetModules, TrainJob};

/// Each setting that is given replaces the job's.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Settings (names and meaning as in PEFT and TRL)")]
pub(crate) struct JobArgs {
    /// JSON file with settings; options on the command line win over it
    #[arg(long, value_name = "FILE")]
    job: Option<PathBuf>,

    /// Rank of the adapter: how much it can learn [default: 16]
    #[arg(long, value_name = "N")]
    lora_r: Option<usize>,
    /// Strength of the adapter; the update is scaled by alpha / r [default: 32]
    #[arg(long, value_name = "X")]
    lora_alpha: Option<f64>,
    /// Share of the adapter's inputs dropped while training [default: 0]
    #[arg(long, value_name = "SHARE")]
    lora_dropout: Option<f64>,
    /// Layers that are adapted: a list, a regular expression, or all-linear
    /// [default: q_proj,k_proj,v_proj,o_proj]
    #[arg(long, value_name = "LIST", alias = "lora-target-modules")]
    target_modules: Option<String>,
    /// Scale by alpha / sqrt(r), for high ranks
    #[arg(long)]
    use_rslora: bool,
    /// Learn a length for every row of the adapted weights too (DoRA)
    #[arg(long)]
    use_dora: bool,
    /// Biases that are trained: none, lora_only (those of adapted layers) or all [default: none]
    #[arg(long, value_name = "NAME", value_parser = parse_name::<LoraBias>)]
    bias: Option<LoraBias>,
    /// Other ranks for some layers, as in v_proj=8,down_proj=32
    #[arg(long, value_name = "LIST", value_parser = parse_pattern::<usize>)]
    rank_pattern: Option<Pattern<usize>>,
    /// Other alphas for some layers, as in v_proj=16
    #[arg(long, value_name = "LIST", value_parser = parse_pattern::<f64>)]
    alpha_pattern: Option<Pattern<f64>>,
    /// Blocks that are adapted, counted from 0 [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    layers_to_transform: Option<Vec<usize>>,
    /// Modules that are trained and saved whole, such as lm_head
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    modules_to_save: Option<Vec<String>>,
    /// Keep the frozen linear layers packed: 8bit (Q8_0) or 4bit (NF4, as QLoRA does); turns on
    /// --gradient-checkpointing. The adapter is put on the full base afterwards
    #[arg(long, value_name = "BITS", value_parser = parse_name::<LoadIn>)]
    load_in: Option<LoadIn>,

    /// How often to go through the data [default: 3]
    #[arg(long, value_name = "N", visible_alias = "epochs")]
    num_train_epochs: Option<f64>,
    /// Stop after this many optimizer steps
    #[arg(long, value_name = "N")]
    max_steps: Option<u64>,
    /// Examples in one forward pass [default: 4]
    #[arg(long, value_name = "N", visible_alias = "batch-size")]
    per_device_train_batch_size: Option<usize>,
    /// Forward passes in one optimizer step [default: 1]
    #[arg(long, value_name = "N")]
    gradient_accumulation_steps: Option<usize>,
    /// [default: 2e-4]
    #[arg(long, value_name = "X", visible_alias = "lr")]
    learning_rate: Option<f64>,
    /// linear, cosine, constant or constant_with_warmup [default: cosine]
    #[arg(long, value_name = "NAME", value_parser = parse_name::<LrScheduler>)]
    lr_scheduler_type: Option<LrScheduler>,
    /// Share of the steps over which the rate rises from 0 [default: 0.1]
    #[arg(long, value_name = "SHARE")]
    warmup_ratio: Option<f64>,
    /// Steps over which the rate rises; wins over the share
    #[arg(long, value_name = "N")]
    warmup_steps: Option<u64>,
    /// [default: 0]
    #[arg(long, value_name = "X")]
    weight_decay: Option<f64>,
    /// [default: 0.9]
    #[arg(long, value_name = "X")]
    adam_beta1: Option<f64>,
    /// [default: 0.999]
    #[arg(long, value_name = "X")]
    adam_beta2: Option<f64>,
    /// [default: 1e-8]
    #[arg(long, value_name = "X")]
    adam_epsilon: Option<f64>,
    /// Gradients are scaled down to this norm; 0 leaves them [default: 1]
    #[arg(long, value_name = "X")]
    max_grad_norm: Option<f64>,
    /// Longest example in tokens; the rest is cut off [default: 2048, or what a project says]
    #[arg(long, value_name = "N")]
    max_length: Option<usize>,
    /// Put several short examples into one row; losses stay the same
    #[arg(long)]
    packing: bool,
    /// Compute each block twice instead of keeping its activations: less memory, slower
    #[arg(long)]
    gradient_checkpointing: bool,
    /// [default: 42]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Keep the order of the file
    #[arg(long)]
    no_shuffle: bool,

    /// When to evaluate: no, epoch or steps [default: epoch]
    #[arg(long, value_name = "WHEN", value_parser = parse_name::<EvalStrategy>)]
    eval_strategy: Option<EvalStrategy>,
    /// Steps between evaluations [default: 100]
    #[arg(long, value_name = "N")]
    eval_steps: Option<u64>,
    /// When to write a checkpoint: no, epoch or steps [default: epoch]
    #[arg(long, value_name = "WHEN", value_parser = parse_name::<EvalStrategy>)]
    save_strategy: Option<EvalStrategy>,
    /// Steps between checkpoints [default: 100]
    #[arg(long, value_name = "N")]
    save_steps: Option<u64>,
    /// Checkpoints that are kept [default: 3]
    #[arg(long, value_name = "N")]
    save_total_limit: Option<usize>,
    /// End after this many evaluations without improvement, and keep the best adapter
    #[arg(long, value_name = "N")]
    early_stopping_patience: Option<u64>,
}

/// A variant by the name that it has in JSON.
pub(crate) fn parse_name<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::String(text.into()))
        .map_err(|error| error.to_string().replace("unknown variant", "unknown name"))
}

impl JobArgs {
    /// The job: `base` with the file's and then the command line's settings.
    ///
    /// # Errors
    /// Every setting that cannot work, at once.
    pub(crate) fn job(self, base: TrainJob) -> Result<TrainJob> {
        self.given()?.job(base)
    }

    /// With the settings of the file, which is read once: it may be a pipe.
    ///
    /// # Errors
    /// If the file cannot be read, or holds no settings.
    pub(crate) fn given(self) -> Result<Given> {
        let file = match &self.job {
            None => Settings::new(),
            Some(path) => {
                let doing = || reading(path);
                let text = std::fs::read(path).with_context(doing)?;
                serde_json::from_slice(&text).with_context(doing)?
            }
        };
        Ok(Given { file, line: self })
    }

    fn apply(self, job: &mut TrainJob) {
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        set(&mut job.lora_r, self.lora_r);
        set(&mut job.lora_alpha, self.lora_alpha);
        set(&mut job.lora_dropout, self.lora_dropout);
        set(
            &mut job.target_modules,
            self.target_modules.as_deref().map(targets),
        );
        set(&mut job.num_train_epochs, self.num_train_epochs);
        set(&mut job.max_steps, self.max_steps.map(Some));
        set(
            &mut job.per_device_train_batch_size,
            self.per_device_train_batch_size,
        );
        set(
            &mut job.gradient_accumulation_steps,
            self.gradient_accumulation_steps,
        );
        set(&mut job.learning_rate, self.learning_rate);
        set(&mut job.lr_scheduler_type, self.lr_scheduler_type);
        // Steps that are given, even none, are meant instead of the default share.
        let share = self.warmup_ratio.or(self.warmup_steps.map(|_| 0.0));
        set(&mut job.warmup_ratio, share);
        set(&mut job.warmup_steps, self.warmup_steps);
        set(&mut job.weight_decay, self.weight_decay);
        set(&mut job.adam_beta1, self.adam_beta1);
        set(&mut job.adam_beta2, self.adam_beta2);
        set(&mut job.adam_epsilon, self.adam_epsilon);
        set(&mut job.max_grad_norm, self.max_grad_norm);
        set(&mut job.max_length, self.max_length);
        set(&mut job.seed, self.seed);
        set(&mut job.eval_strategy, self.eval_strategy);
        set(&mut job.eval_steps, self.eval_steps);
        set(&mut job.save_strategy, self.save_strategy);
        set(&mut job.save_steps, self.save_steps);
        set(&mut job.save_total_limit, self.save_total_limit.map(Some));
        set(
            &mut job.early_stopping_patience,
            self.early_stopping_patience.map(Some),
        );
        set(&mut job.bias, self.bias);
        set(&mut job.rank_pattern, self.rank_pattern.clone());
        set(&mut job.alpha_pattern, self.alpha_pattern.clone());
        let layers = self.layers_to_transform.clone();
        set(&mut job.layers_to_transform, layers.map(Some));
        set(&mut job.modules_to_save, self.modules_to_save.clone());
        set(&mut job.load_in, self.load_in.map(Some));
        job.use_dora |= self.use_dora;
        job.use_rslora |= self.use_rslora;
        job.packing |= self.packing;
        job.gradient_checkpointing |= self.gradient_checkpointing || self.load_in.is_some();
        job.shuffle &= !self.no_shuffle;
    }
}

/// Settings as a JSON file has them.
type Settings = serde_json::Map<String, serde_json::Value>;

/// What was said about a run: in a file, and on the command line.
pub(crate) struct Given {
    file: Settings,
    line: JobArgs,
}

impl Given {
    /// The longest example in tokens, where it is said.
    pub(crate) fn max_length(&self) -> Option<usize> {
        let of_file = || usize::try_from(self.file.get("max_length")?.as_u64()?).ok();
        self.line.max_length.or_else(of_file)
    }

    /// See [`JobArgs::job`].
    ///
    /// # Errors
    /// The same.
    pub(crate) fn job(self, base: TrainJob) -> Result<TrainJob> {
        let mut job = match &self.line.job {
            None => base,
            Some(path) => over(&base, self.file).with_context(|| reading(path))?,
        };
        self.line.apply(&mut job);
        let problems = job.problems();
        if !problems.is_empty() {
            let lines: Vec<String> = problems
                .iter()
                .map(|problem| format!("  {problem}"))
                .collect();
            bail!("these settings cannot work:\n{}", lines.join("\n"));
        }
        Ok(job)
    }
}

/// Settings of a JSON file over `base`; unknown names are errors.
fn over(base: &TrainJob, given: Settings) -> serde_json::Result<TrainJob> {
    let mut merged = serde_json::to_value(base)?;
    if let Some(settings) = merged.as_object_mut() {
        if given
            .get("load_in")
            .is_some_and(|load_in| !load_in.is_null())
        {
            settings.insert("gradient_checkpointing".into(), true.into());
        }
        settings.extend(given);
    }
    serde_json::from_value(merged)
}

fn reading(path: &Path) -> String {
    format!("reading settings from `{}`", path.display())
}

/// Values by the end of a module's path.
type Pattern<T> = BTreeMap<String, T>;

/// `v_proj=8,down_proj=32`
fn parse_pattern<T: FromStr>(text: &str) -> Result<Pattern<T>, String> {
    let entry = |entry: &str| {
        let (module, value) = entry.rsplit_once('=')?;
        Some((module.trim().to_owned(), value.trim().parse().ok()?))
    };
    text.split(',')
        .map(|part| entry(part).ok_or_else(|| format!("`{part}` is not MODULE=NUMBER")))
        .collect()
}

/// A list where there are commas or a plain name, else a pattern.
fn targets(text: &str) -> TargetModules {
    let is_name = |entry: &str| {
        !entry.is_empty()
            && entry
                .chars()
                .all(|c| c.is_alphanumeric() || "._-".contains(c))
    };
    let entries: Vec<&str> = text.split(',').map(str::trim).collect();
    if text != "all-linear" && entries.iter().all(|entry| is_name(entry)) {
        TargetModules::List(entries.into_iter().map(String::from).collect())
    } else {
        TargetModules::Pattern(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_modules_with_numbers() {
        let pattern = parse_pattern::<usize>("v_proj=8, mlp.down_proj = 32").unwrap();
        assert_eq!(pattern["v_proj"], 8);
        assert_eq!(pattern["mlp.down_proj"], 32);
        assert!(parse_pattern::<usize>("v_proj").is_err());
        assert!(parse_pattern::<usize>("v_proj=x").is_err());
    }

    #[test]
    fn lists_patterns_and_all_linear_are_told_apart() {
        let list =
            |names: &[&str]| TargetModules::List(names.iter().map(|n| n.to_string()).collect());
        assert_eq!(targets("q_proj, v_proj"), list(&["q_proj", "v_proj"]));
        assert_eq!(targets("q_proj"), list(&["q_proj"]));
        assert_eq!(
            targets("all-linear"),
            TargetModules::Pattern("all-linear".into())
        );
        assert_eq!(
            targets(r".*\.(q|v)_proj"),
            TargetModules::Pattern(r".*\.(q|v)_proj".into())
        );
    }

    #[test]
    fn no_warm_up_steps_means_no_warm_up() {
        let args = JobArgs {
            warmup_steps: Some(0),
            ..JobArgs::default()
        };
        let job = args.job(TrainJob::default()).unwrap();
        assert_eq!(veneer_core::train::warmup_steps(&job, 100), 0);
    }

    #[test]
    fn the_length_that_is_said_wins_over_the_base() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let of = |text: &str, max_length| {
            std::fs::write(file.path(), text).unwrap();
            let args = JobArgs {
                job: Some(file.path().into()),
                max_length,
                ..JobArgs::default()
            };
            let base = TrainJob {
                max_length: 77,
                ..TrainJob::default()
            };
            let given = args.given().unwrap();
            (given.max_length(), given.job(base).unwrap().max_length)
        };
        assert_eq!(of(r#"{"lora_r": 4}"#, None), (None, 77));
        assert_eq!(of(r#"{"max_length": 88}"#, None), (Some(88), 88));
        assert_eq!(of(r#"{"max_length": 88}"#, Some(99)), (Some(99), 99));
    }

    #[test]
    fn a_packed_base_is_recomputed_unless_the_file_says_otherwise() {
        let args = JobArgs {
            load_in: Some(LoadIn::FourBits),
            ..JobArgs::default()
        };
        let job = args.job(TrainJob::default()).unwrap();
        assert_eq!(job.load_in, Some(LoadIn::FourBits));
        assert!(job.gradient_checkpointing);

        let of_file = |text: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            let args = JobArgs {
                job: Some(file.path().into()),
                ..JobArgs::default()
            };
            args.job(TrainJob::default())
        };
        let job = of_file(r#"{"load_in": "8bit"}"#).unwrap();
        assert_eq!(job.load_in, Some(LoadIn::EightBits));
        assert!(job.gradient_checkpointing);
        let plain = of_file(r#"{"load_in": null}"#).unwrap();
        assert!(!plain.gradient_checkpointing);
        let both = r#"{"load_in": "8bit", "gradient_checkpointing": false}"#;
        let error = of_file(both).unwrap_err().to_string();
        assert!(
            error.contains("gradient_checkpointing") && error.contains("load_in"),
            "{error}"
        );
        let error = format!("{:#}", of_file(r#"{"load_in": "3bit"}"#).unwrap_err());
        assert!(error.contains("`8bit` or `4bit`"), "{error}");
    }

    #[test]
    fn every_impossible_setting_is_named() {
        let args = JobArgs {
            lora_r: Some(0),
            learning_rate: Some(-1.0),
            ..JobArgs::default()
        };
        let message = args.job(TrainJob::default()).unwrap_err().to_string();
        assert!(
            message.contains("lora_r") && message.contains("learning_rate"),
            "{message}"
        );
    }
}
