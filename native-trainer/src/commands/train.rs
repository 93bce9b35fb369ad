//! `veneer train`

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};
use veneer_core::{
    arch::Arch,
    model::{Decoder, match_targets},
    protocol::{EvalStrategy, Event, TargetModules, TrainJob},
    text::Encoded,
    train::{PlanInput, Training},
    weights::adapter_config::{AdapterConfig, UnusedPattern},
};

use crate::{
    dataset::{Sides, shell_word, side_to_measure, side_to_train, split_of},
    device::{DeviceArgs, Place},
    examples::{self, Examples, TextArgs},
    files::is_same,
    forecast,
    job_args::JobArgs,
    model_run::{Checkpoint, open_adapter},
    run_dir::{Progress, RunDir, RunSpec, trained},
    run_printer::RunPrinter,
    run_report::{self, EvalPart},
    text_files,
    training_loop::{Ended, Loop},
};

/// What may be said beside `--resume`: where and how to run, nothing that decides its numbers.
const BESIDE_RESUME: [&str; 6] = [
    "--resume",
    "--device",
    "--dtype",
    "--allow",
    "--ignore-memory",
    "--json",
];

/// Fine-tune a model on a dataset and write a LoRA adapter
///
/// Before the first step the dataset is checked as the model will see it, and the run is refused
/// where it would learn nothing or the wrong thing. Ctrl-C saves and stops; --resume goes on.
#[derive(Debug, clap::Args)]
pub(crate) struct TrainArgs {
    /// Folder with config.json, tokenizer.json and *.safetensors, a Hub name, or `demo`
    #[arg(long, value_name = "MODEL", required_unless_present = "resume")]
    model: Option<String>,

    /// Dataset; the format is detected. Of a project with sides, the train side is trained on and
    /// the validation side held out, unless --side says otherwise
    #[arg(long, value_name = "FILE", required_unless_present = "resume")]
    data: Option<PathBuf>,

    /// Held-out records, for the validation loss; of a project with sides its validation side
    #[arg(long, value_name = "FILE")]
    eval_data: Option<PathBuf>,

    /// Folder for the adapter, its checkpoints and its report
    #[arg(long, value_name = "DIR", required_unless_present = "resume")]
    out: Option<PathBuf>,

    /// Go on with the run in this folder, to the same numbers
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,

    /// Adapter to start from; its rank, alpha and layers are kept
    #[arg(long, value_name = "DIR")]
    init_adapter: Option<PathBuf>,

    /// Use only the first N records, to try things out
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Print one event a line as JSON on standard output
    #[arg(long)]
    json: bool,

    /// Start even if the run seems to need more memory than there is
    #[arg(long)]
    ignore_memory: bool,

    #[command(flatten)]
    place: DeviceArgs,
    #[command(flatten)]
    text: TextArgs,
    #[command(flatten)]
    settings: JobArgs,
}

pub(crate) fn run(args: TrainArgs) -> Result<()> {
    let TrainArgs {
        place,
        json,
        ignore_memory,
        text,
        ..
    } = &args;
    let (place, json, ignore_memory) = (place.open()?, *json, *ignore_memory);
    let allow = text.allow.clone();
    let (spec, resumed) = match &args.resume {
        Some(dir) => {
            refuse_other_settings(std::env::args())?;
            let (run_dir, spec) = RunDir::open(dir)?;
            (spec, Some(run_dir))
        }
        None => (new_spec(&args)?, None),
    };
    let text = TextArgs {
        train_on: Some(spec.train_on.clone()),
        template: spec.template.clone(),
        allow,
        read: spec.read.args()?,
    };
    let mut run = Prepared::new(spec, &text, &place)?;
    let forecast = forecast::show(&run.plan_input(&place), &place, json);
    if !ignore_memory {
        forecast.refuse_if_too_large(&run.spec.job)?;
    }
    let (run_dir, state) = match resumed {
        Some(run_dir) => {
            let state = run_dir.latest_checkpoint()?;
            (run_dir, state)
        }
        None => {
            let out = args.out.as_deref().context("--out is missing")?;
            let run_dir = RunDir::create(out, &run.spec)?;
            trained::save(out, &run.prints)?;
            (run_dir, None)
        }
    };
    let mut progress = Progress::default();
    if let Some((state, saved)) = state {
        run.training.restore(&state)?;
        progress = saved;
    }
    if run.training.is_done() && progress.step > 0 {
        eprintln!("the run in `{}` is finished", run_dir.path().display());
        return Ok(());
    }
    go(run, run_dir, progress, &place, json)
}

/// A run that goes on has its settings; others would be passed over without a word.
fn refuse_other_settings(words: impl Iterator<Item = String>) -> Result<()> {
    let options = words.filter(|word| word.starts_with("--"));
    let names = options.map(|option| {
        let name = option.split('=').next();
        name.unwrap_or_default().to_owned()
    });
    let others: Vec<String> = names
        .filter(|name| !BESIDE_RESUME.contains(&name.as_str()))
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    bail!(
        "--resume goes on with the settings of the run, to the same numbers; leave out {}, or start \
         a new run with --init-adapter and other settings",
        others.join(", ")
    )
}

fn go(run: Prepared, run_dir: RunDir, progress: Progress, place: &Place, json: bool) -> Result<()> {
    let out = run_dir.path().to_path_buf();
    let start = run.start_event(place);
    let mut training_loop = Loop {
        training: run.training,
        run_dir,
        printer: RunPrinter::new(json),
        eval_examples: &run.eval_examples,
        adapter_config: Some(run.adapter_config),
        progress,
    };
    let ended = training_loop.run(start)?;
    let dir = out.display();
    if ended == Ended::Stopped {
        bail!(
            "stopped; go on with: veneer train --resume {}",
            shell_word(&out)
        );
    }
    run_report::write(&out.join("report.html"), Some(&out), EvalPart::default())?;
    eprintln!("adapter: {dir}");
    eprintln!("report: {dir}/report.html");
    if let Some((data, side)) = held_out(&run.spec) {
        let side = side.map_or_else(String::new, |side| format!(" --side {}", side.name()));
        eprintln!(
            "next: veneer eval --model {} --adapter {} --with-base --data {}{side}",
            shell_word(Path::new(&run.spec.model)),
            shell_word(&out),
            shell_word(data)
        );
    }
    Ok(())
}

/// The records that were not trained on, as far as the run was told of any: of its own project another
/// side, else the data that it was evaluated on.
fn held_out(spec: &RunSpec) -> Option<(&Path, Option<Sides>)> {
    let apart = |path: &&Path| !is_data(spec, path) || spec.read.side == Some(Sides::Train);
    let paths = [Some(&spec.data), spec.eval_data.as_ref()];
    let paths = paths.into_iter().flatten().map(PathBuf::as_path);
    paths.filter(apart).find_map(|path| match split_of(path) {
        Ok(Some(split)) => side_to_measure(&split).map(|side| (path, Some(side))),
        Ok(None) => Some((path, None)),
        // What is wrong with a project by now is said when it is read.
        Err(_) => None,
    })
}

fn new_spec(args: &TrainArgs) -> Result<RunSpec> {
    let (Some(model), Some(data)) = (args.model.clone(), args.data.clone()) else {
        bail!("--model and --data are needed");
    };
    let given = args.settings.clone().given()?;
    let mut text = args.text.clone();
    let mut base = TrainJob::default();
    if let Some(limit) = text.take_with_limit(&data, given.max_length())? {
        base.max_length = limit;
    }
    text.read.side = side_to_train(&data, text.read.side)?;
    let eval_data = match &args.eval_data {
        Some(path) => Some(path.clone()),
        None => validates(&data, text.read.side)?.then(|| data.clone()),
    };
    let mut job = given.job(base)?;
    if let Some(dir) = &args.init_adapter {
        let config = open_adapter(dir)?.config;
        job.lora_r = config.r;
        job.lora_alpha = config.lora_alpha;
        job.use_rslora = config.use_rslora;
        job.target_modules = config.target_modules;
    }
    Ok(RunSpec {
        veneer_version: env!("CARGO_PKG_VERSION").into(),
        model,
        data_sha256: String::new(),
        eval_data,
        data,
        init_adapter: args.init_adapter.clone(),
        limit: args.limit,
        read: text.read.spec(),
        train_on: text.what().to_owned(),
        template: text.template,
        job,
    })
}

/// Whether a project that is trained on its train side has records to validate on.
fn validates(data: &Path, side: Option<Sides>) -> Result<bool> {
    if side != Some(Sides::Train) {
        return Ok(false);
    }
    Ok(split_of(data)?.is_some_and(|split| split.n_validation > 0))
}

/// Where the validation records lie: of a project with sides on its validation side and nowhere else,
/// also where that is empty, which is refused when it is read. `--side` is about the training data.
fn side_to_validate(path: &Path) -> Result<Option<Sides>> {
    Ok(split_of(path)?.map(|_| Sides::Validation))
}

/// Whether this is the file that is trained on, however its name is spelled.
fn is_data(spec: &RunSpec, path: &Path) -> bool {
    *path == spec.data || is_same(path, &spec.data)
}

/// A run whose model is loaded and whose data has been checked.
struct Prepared {
    spec: RunSpec,
    arch: Arch,
    training: Training,
    adapter_config: AdapterConfig,
    eval_examples: Vec<Encoded>,
    /// Fingerprints of the records that are trained on.
    prints: Vec<u128>,
    lengths: Vec<usize>,
    n_targets: u64,
}

impl Prepared {
    fn new(mut spec: RunSpec, text_args: &TextArgs, place: &Place) -> Result<Self> {
        let checkpoint = Checkpoint::open(&spec.model)?;
        let text = text_files::model_text(&checkpoint.dir, spec.template.as_deref())?;
        let max_length = Some(spec.job.max_length);
        let read = |path: &Path, limit, side| {
            let mut args = text_args.clone();
            args.read.side = side;
            examples::read(path, &checkpoint, &text, &args, max_length, limit)
        };
        spec.read.side = side_to_train(&spec.data, spec.read.side)?;
        let Examples {
            records,
            encoded: train,
        } = read(&spec.data, spec.limit, spec.read.side)?;
        examples::refuse_held_out(&spec.data, &records, text_args)?;
        let mut evaluated = None;
        let eval_examples = match &spec.eval_data {
            Some(path) => {
                let side = side_to_validate(path)?;
                evaluated = side.filter(|_| is_data(&spec, path));
                let held_out = read(path, None, side)?;
                examples::refuse_leaks(&records, (path, &held_out.records), text_args)?;
                held_out.encoded
            }
            None => Vec::new(),
        };
        if spec.read.side == Some(Sides::Train) {
            examples::warn_of_other_leaks(&spec.data, &records, evaluated, &text_args.read)?;
        }
        refuse_idle_patience(&spec.job, &eval_examples)?;
        let hash = hash(&train);
        if !spec.data_sha256.is_empty() && spec.data_sha256 != hash {
            bail!(
                "`{}` (or the model's tokenizer or template) has changed since this run began; \
                 restore it, or start a new run",
                spec.data.display()
            );
        }
        spec.data_sha256 = hash;

        let arch = checkpoint.arch.clone();
        let mut model = checkpoint.decoder_in(place, spec.job.load_in)?;
        let adapter_config = give_adapter(&mut model, &spec)?;
        let lengths = train.iter().map(Encoded::len).collect();
        let n_targets = train.iter().map(|example| example.n_targets() as u64).sum();
        let training = Training::new(spec.job.clone(), model, train)?;
        Ok(Self {
            spec,
            arch,
            training,
            adapter_config,
            eval_examples,
            prints: trained::prints(&records),
            lengths,
            n_targets,
        })
    }

    fn n_trained(&self) -> u64 {
        let trained = self.training.model().trained();
        trained
            .iter()
            .map(|(_, value)| value.dims().iter().product::<usize>() as u64)
            .sum()
    }

    fn plan_input(&self, place: &Place) -> PlanInput<'_> {
        PlanInput {
            arch: &self.arch,
            job: &self.spec.job,
            n_trained: self.n_trained(),
            element_bytes: place.dtype.size() as u64,
            lengths: &self.lengths,
            n_targets: self.n_targets,
            total_steps: self.training.total_steps(),
        }
    }

    fn start_event(&self, place: &Place) -> Event {
        Event::Start {
            total_steps: self.training.total_steps(),
            first_step: self.training.steps_done(),
            n_examples: self.lengths.len(),
            trainable_parameters: self.n_trained(),
            total_parameters: self.arch.n_parameters() + self.n_trained(),
            device: place.name.clone(),
        }
    }
}

/// Patience with evaluations that never come.
fn refuse_idle_patience(job: &TrainJob, eval_examples: &[Encoded]) -> Result<()> {
    if job.early_stopping_patience.is_none() {
        return Ok(());
    }
    if eval_examples.is_empty() {
        bail!("early_stopping_patience needs records to evaluate on: give --eval-data");
    }
    if job.eval_strategy == EvalStrategy::No {
        bail!("early_stopping_patience needs evaluations, but eval_strategy is `no`");
    }
    Ok(())
}

/// The adapter that training starts from, on the model.
fn give_adapter(model: &mut Decoder, spec: &RunSpec) -> Result<AdapterConfig> {
    let job = &spec.job;
    if let Some(dir) = &spec.init_adapter {
        let mut adapter = open_adapter(dir)?;
        adapter.config.lora_dropout = job.lora_dropout;
        model.attach(&adapter)?;
        return Ok(adapter.config);
    }
    let modules = match_targets(
        &model.arch,
        &job.target_modules,
        job.layers_to_transform.as_deref(),
    )?;
    // PEFT writes the layers that `all-linear` stood for.
    let targets = match &job.target_modules {
        TargetModules::Pattern(pattern) if pattern == "all-linear" => {
            TargetModules::List(last_names(&modules))
        }
        other => other.clone(),
    };
    let mut config = AdapterConfig::new(job.lora_r, job.lora_alpha, targets);
    config.use_rslora = job.use_rslora;
    config.use_dora = job.use_dora;
    config.bias = job.bias;
    config.modules_to_save = job.modules_to_save.clone();
    config.rank_pattern = job.rank_pattern.clone().into_iter().collect();
    config.alpha_pattern = job.alpha_pattern.clone().into_iter().collect();
    if let Some(module) = config.trained_twice(&modules) {
        bail!(
            "`{module}` is named in target_modules and in modules_to_save; a module that is \
             trained whole needs no pair, and PEFT does not read an adapter that has both"
        );
    }
    if let Some(unused) = config.unused_pattern(&modules) {
        let UnusedPattern {
            setting, pattern, ..
        } = &unused;
        match unused.is_regex {
            true => bail!(
                "{setting} entry `{pattern}` matches no module that gets a pair ({}); an entry \
                 matches the end of a module's path",
                last_names(&modules).join(", ")
            ),
            false => bail!("{setting} entry `{pattern}` is not a regular expression"),
        }
    }
    let layers = job.layers_to_transform.as_ref();
    if let Some(layers) = layers.filter(|layers| !layers.is_empty()) {
        let layers = serde_json::json!(layers);
        config.rest.insert("layers_to_transform".to_owned(), layers);
    }
    config.lora_dropout = job.lora_dropout;
    config.base_model_name_or_path = Some(spec.model.clone());
    model.attach_fresh(&config, &modules, job.seed)?;
    Ok(config)
}

fn last_names(modules: &[String]) -> Vec<String> {
    let mut names: Vec<String> = modules
        .iter()
        .filter_map(|path| path.rsplit('.').next())
        .map(String::from)
        .collect();
    names.sort();
    names.dedup();
    names
}

fn hash(examples: &[Encoded]) -> String {
    let mut hasher = Sha256::new();
    for example in examples {
        hasher.update((example.len() as u64).to_le_bytes());
        for (id, label) in example.input_ids.iter().zip(&example.labels) {
            hasher.update(id.to_le_bytes());
            hasher.update(label.to_le_bytes());
        }
    }
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
