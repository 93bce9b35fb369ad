//! The directory of a run: its job, its events, its checkpoints, its adapter.
//!
//! ```text
//! DIR/run.json                 what was asked for, with hashes of the data
//! DIR/trained.txt              fingerprints of the records that are trained on
//! DIR/events.jsonl             one event a line
//! DIR/checkpoint-120/          state.safetensors (all that resuming needs) and the adapter
//! DIR/best/                    the best adapter so far, with early stopping
//! DIR/adapter_config.json      the adapter, as PEFT writes it
//! DIR/adapter_model.safetensors
//! DIR/report.html
//! DIR/.lock                    held by the process that trains
//! ```
//! Invariant: everything but `events.jsonl` appears under its name only when it is whole.

pub(crate) mod trained;

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use veneer_core::{
    protocol::{Event, TrainJob},
    train::TrainState,
    weights::adapter::{Adapter, CONFIG_FILE, WEIGHTS_FILE, write_adapter},
};

use crate::{dataset::ReadSpec, files::write_atomic};

/// What was asked for: enough to start the same run again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunSpec {
    pub(crate) veneer_version: String,
    pub(crate) model: String,
    pub(crate) data: PathBuf,
    /// SHA-256 of the training examples as token ids and labels.
    pub(crate) data_sha256: String,
    pub(crate) eval_data: Option<PathBuf>,
    pub(crate) init_adapter: Option<PathBuf>,
    pub(crate) limit: Option<usize>,
    pub(crate) read: ReadSpec,
    pub(crate) train_on: String,
    pub(crate) template: Option<String>,
    pub(crate) job: TrainJob,
}

/// Beside the tensors: where evaluation stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) step: u64,
    pub(crate) best_eval_loss: Option<f64>,
    pub(crate) evaluations_without_improvement: u64,
    /// Seconds of training before this checkpoint.
    pub(crate) seconds: f64,
}

const LOCK: &str = ".lock";
const SPEC: &str = "run.json";
const EVENTS: &str = "events.jsonl";
const STATE: &str = "state.safetensors";
const PROGRESS: &str = "progress.json";
const CHECKPOINT: &str = "checkpoint-";

#[derive(Debug)]
pub(crate) struct RunDir {
    path: PathBuf,
    events: File,
    /// Held, so that no other process writes here.
    _lock: File,
}

impl RunDir {
    /// A new run. A directory that holds another run's files is refused.
    pub(crate) fn create(path: &Path, spec: &RunSpec) -> Result<Self> {
        fs::create_dir_all(path)
            .with_context(|| format!("making run directory `{}`", path.display()))?;
        if path.join(SPEC).exists() {
            bail!(
                "`{0}` already holds a run; resume it with `veneer train --resume {0}`, \
                 or choose another --out",
                path.display()
            );
        }
        let spec = serde_json::to_vec_pretty(spec)?;
        write_atomic(&path.join(SPEC), |file| file.write_all(&spec))?;
        Self::open_events(path)
    }

    /// An earlier run.
    pub(crate) fn open(path: &Path) -> Result<(Self, RunSpec)> {
        let spec = Self::read_spec(path)?;
        Ok((Self::open_events(path)?, spec))
    }

    /// What an earlier run was asked for.
    pub(crate) fn read_spec(path: &Path) -> Result<RunSpec> {
        let file = path.join(SPEC);
        let bytes = fs::read(&file).with_context(|| {
            format!(
                "`{}` is not a run directory of `veneer train`: it has no {SPEC}",
                path.display()
            )
        })?;
        serde_json::from_slice(&bytes).with_context(|| format!("reading `{}`", file.display()))
    }

    fn open_events(path: &Path) -> Result<Self> {
        let lock = lock(path)?;
        let file = path.join(EVENTS);
        let events = OpenOptions::new().create(true).append(true).open(&file);
        let events = events.with_context(|| format!("opening `{}`", file.display()))?;
        Ok(Self {
            path: path.to_path_buf(),
            events,
            _lock: lock,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one event. A line cut by a crash is skipped by [`Self::read_events`].
    pub(crate) fn record(&mut self, event: &Event) -> Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.events
            .write_all(&line)
            .with_context(|| format!("writing `{}`", self.path.join(EVENTS).display()))
    }

    /// The events so far. After a crash and resume a step may have been written twice: the later wins.
    pub(crate) fn read_events(path: &Path) -> Vec<Event> {
        let text = fs::read_to_string(path.join(EVENTS)).unwrap_or_default();
        let all: Vec<Event> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let mut last_of_step = BTreeMap::new();
        for (index, event) in all.iter().enumerate() {
            if let Event::Step { step, .. } = event {
                last_of_step.insert(*step, index);
            }
        }
        all.into_iter()
            .enumerate()
            .filter(|(index, event)| match event {
                Event::Step { step, .. } => last_of_step.get(step) == Some(index),
                _ => true,
            })
            .map(|(_, event)| event)
            .collect()
    }

    /// Writes a checkpoint beside and renames it; then removes those over the limit, oldest first.
    pub(crate) fn save_checkpoint(
        &self,
        state: &TrainState,
        adapter: Option<&Adapter>,
        progress: &Progress,
        limit: Option<usize>,
    ) -> Result<PathBuf> {
        let target = self.path.join(format!("{CHECKPOINT}{}", state.step));
        let beside = self
            .path
            .join(format!(".{CHECKPOINT}{}.partial", state.step));
        let doing = || format!("writing checkpoint `{}`", target.display());
        let write = || -> Result<()> {
            if beside.exists() {
                fs::remove_dir_all(&beside)?;
            }
            fs::create_dir_all(&beside)?;
            let tensors = state_bytes(state)?;
            write_atomic(&beside.join(STATE), |file| file.write_all(&tensors))?;
            let progress = serde_json::to_vec_pretty(progress)?;
            write_atomic(&beside.join(PROGRESS), |file| file.write_all(&progress))?;
            if let Some(adapter) = adapter {
                save_adapter(&beside, adapter)?;
            }
            if target.exists() {
                fs::remove_dir_all(&target)?;
            }
            fs::rename(&beside, &target)?;
            Ok(())
        };
        if let Err(error) = write() {
            // The half-written one is of no use; the error that counts is the first.
            fs::remove_dir_all(&beside).ok();
            return Err(error).with_context(doing);
        }
        if let Some(limit) = limit {
            let checkpoints = checkpoints(&self.path)?;
            for (_, old) in checkpoints.iter().rev().skip(limit.max(1)) {
                fs::remove_dir_all(old).with_context(|| format!("removing `{}`", old.display()))?;
            }
        }
        Ok(target)
    }

    /// The newest whole checkpoint.
    pub(crate) fn latest_checkpoint(&self) -> Result<Option<(TrainState, Progress)>> {
        let Some((step, dir)) = checkpoints(&self.path)?.pop() else {
            return Ok(None);
        };
        let doing = || {
            format!(
                "checkpoint `{}` cannot be read; delete that folder to go on from the one before it",
                dir.display()
            )
        };
        let tensors = fs::read(dir.join(STATE)).with_context(doing)?;
        let state = read_state(&tensors, step).with_context(doing)?;
        let progress = fs::read(dir.join(PROGRESS)).with_context(doing)?;
        Ok(Some((
            state,
            serde_json::from_slice(&progress).with_context(doing)?,
        )))
    }

    /// Keeps the best adapter so far.
    pub(crate) fn save_best(&self, adapter: &Adapter) -> Result<()> {
        let best = self.best();
        fs::create_dir_all(&best).with_context(|| format!("making `{}`", best.display()))?;
        save_adapter(&best, adapter)
    }

    pub(crate) fn best(&self) -> PathBuf {
        self.path.join("best")
    }
}

/// # Errors
/// If another process is at work in the directory. A file system without locks has none.
fn lock(path: &Path) -> Result<File> {
    let file = path.join(LOCK);
    let lock = File::create(&file).with_context(|| format!("opening `{}`", file.display()))?;
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => bail!(
            "another `veneer train` is at work in `{}`; wait for it, or stop it first",
            path.display()
        ),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(lock),
    }
}

/// Writes an adapter's two files, weights first: a reader that finds the settings finds both.
pub(crate) fn save_adapter(dir: &Path, adapter: &Adapter) -> Result<()> {
    let files = write_adapter(adapter).context("writing the adapter")?;
    write_atomic(&dir.join(WEIGHTS_FILE), |file| {
        file.write_all(&files.safetensors)
    })?;
    write_atomic(&dir.join(CONFIG_FILE), |file| {
        file.write_all(&files.config_json)
    })
}

/// Checkpoints by step, oldest first.
fn checkpoints(path: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("listing `{}`", path.display()))? {
        let entry = entry.with_context(|| format!("listing `{}`", path.display()))?;
        let name = entry.file_name();
        let step = name
            .to_str()
            .and_then(|name| name.strip_prefix(CHECKPOINT)?.parse().ok());
        found.extend(step.map(|step| (step, entry.path())));
    }
    found.sort();
    Ok(found)
}

fn state_bytes(state: &TrainState) -> Result<Vec<u8>> {
    let bytes: Vec<(&String, [usize; 2], Vec<u8>)> = state
        .tensors
        .iter()
        .map(|(name, (shape, values))| {
            (
                name,
                *shape,
                values.iter().flat_map(|x| x.to_le_bytes()).collect(),
            )
        })
        .collect();
    let views = bytes
        .iter()
        .map(|(name, shape, bytes)| {
            Ok((*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes)?))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(safetensors::serialize(views, None)?)
}

fn read_state(bytes: &[u8], step: u64) -> Result<TrainState> {
    let file = SafeTensors::deserialize(bytes).context("it is truncated or damaged")?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.tensors() {
        let [rows, columns] = view.shape()[..] else {
            bail!("tensor `{name}` is not a matrix")
        };
        let values = view
            .data()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&word| f32::from_le_bytes(word));
        tensors.insert(name, ([rows, columns], values.collect()));
    }
    Ok(TrainState { step, tensors })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> RunSpec {
        RunSpec {
            veneer_version: "0".into(),
            model: "demo".into(),
            data: "data.jsonl".into(),
            data_sha256: String::new(),
            eval_data: None,
            init_adapter: None,
            limit: None,
            read: ReadSpec::default(),
            train_on: "assistant".into(),
            template: None,
            job: TrainJob::default(),
        }
    }

    fn state(step: u64) -> TrainState {
        let tensors = BTreeMap::from([("x".to_string(), ([1, 2], vec![step as f32, -1.0]))]);
        TrainState { step, tensors }
    }

    #[test]
    fn the_newest_checkpoint_comes_back_and_old_ones_go() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path(), &spec()).unwrap();
        for step in [9, 10, 100] {
            run.save_checkpoint(&state(step), None, &Progress::default(), Some(2))
                .unwrap();
        }
        assert_eq!(run.latest_checkpoint().unwrap().unwrap().0, state(100));
        let left: Vec<u64> = checkpoints(dir.path())
            .unwrap()
            .into_iter()
            .map(|(step, _)| step)
            .collect();
        assert_eq!(left, [10, 100]);
    }

    #[test]
    fn a_half_written_checkpoint_is_not_one() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path(), &spec()).unwrap();
        run.save_checkpoint(&state(5), None, &Progress::default(), None)
            .unwrap();
        fs::create_dir(dir.path().join(".checkpoint-6.partial")).unwrap();
        assert_eq!(run.latest_checkpoint().unwrap().unwrap().0.step, 5);
    }

    #[test]
    fn a_second_run_does_not_overwrite_the_first() {
        let dir = tempfile::tempdir().unwrap();
        RunDir::create(dir.path(), &spec()).unwrap();
        assert!(
            RunDir::create(dir.path(), &spec())
                .unwrap_err()
                .to_string()
                .contains("--resume")
        );
        let (first, found) = RunDir::open(dir.path()).unwrap();
        assert_eq!(found, spec());
        let error = RunDir::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains("at work"), "{error}");
        drop(first);
        assert!(RunDir::open(dir.path()).is_ok());
    }
}
