//! A checkpoint folder with an adapter folded in, written whole or not at all.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use tempfile::TempDir;
use veneer_core::{
    arch::{Arch, untied_config},
    quant::{Drift, Format},
    weights::{
        Dtype, WeightSource,
        merge::{MergedSource, Rounding, merged_arch},
        shards::{INDEX_FILE, ShardError, ShardPlan, ShardTensor},
    },
};

use crate::{
    dataset::shell_word,
    export_check::{CheckArgs, Expected, drift_text},
    files::{MadeFolders, write_atomic},
    interrupt::{Unfinished, undisturbed},
    model_run::{Checkpoint, open_adapter},
    progress,
};

/// What goes along with the weights: everything that says how the model is run.
const COMPANIONS: [&str; 13] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "spiece.model",
    "chat_template.jinja",
    "chat_template.json",
    "LICENSE",
];

/// What to write, and where.
pub(crate) struct MergeRequest<'a> {
    pub(crate) model: &'a str,
    pub(crate) adapter: Option<&'a Path>,
    pub(crate) out: &'a Path,
    pub(crate) max_shard_bytes: u64,
    pub(crate) check: &'a CheckArgs,
}

/// A finished folder.
pub(crate) struct MergedFolder {
    path: PathBuf,
    n_bytes: u64,
    shards: Vec<String>,
    dtype: Dtype,
    drift: Drift,
}

impl MergeRequest<'_> {
    /// Merges, writes, reads back, compares, and only then gives the folder its name.
    pub(crate) fn write(&self) -> Result<MergedFolder> {
        refuse_occupied(self.out)?;
        let checkpoint = Checkpoint::open(self.model)?;
        let base = checkpoint.weights_by_reading()?;
        let adapter = self.adapter.map(open_adapter).transpose()?;
        let merged = adapter
            .as_ref()
            .map(|adapter| MergedSource::new(&checkpoint.arch, &base, adapter, Rounding::ToBase))
            .transpose()?;
        let arch = match &adapter {
            Some(adapter) => merged_arch(&checkpoint.arch, adapter),
            None => checkpoint.arch.clone(),
        };
        let weights: &dyn WeightSource = match &merged {
            Some(merged) => merged,
            None => &base,
        };
        let context_length = checkpoint.arch.max_positions;
        let expected = Expected::new(&checkpoint, self.adapter, context_length, self.check)?;

        let plan = self.plan(&arch, weights)?;
        let beside = FolderBeside::new(self.out)?;
        let written = write_shards(&plan, weights, beside.path())
            .and_then(|()| copy_companions(checkpoint.dir.path(), beside.path()));
        explain_full_disk(written, plan.n_bytes())?;
        if checkpoint.arch.tie_embeddings && !arch.tie_embeddings {
            untie(beside.path())?;
        }

        let written = Checkpoint::open(&beside.path().to_string_lossy())?;
        let dtype = widest_loss(&base, &checkpoint)?;
        let drift = expected
            .compare(
                &written.arch,
                &written.weights_by_reading()?,
                format_of(dtype),
            )
            .context("the merged model is not kept")?;
        drop(written);
        beside.publish(self.out)?;
        Ok(MergedFolder {
            path: self.out.to_owned(),
            n_bytes: plan.n_bytes(),
            shards: plan
                .shards
                .into_iter()
                .map(|shard| shard.file_name)
                .collect(),
            dtype,
            drift,
        })
    }

    /// The tensors of the architecture; what else lies in the files (old rotary tables) is left.
    fn plan(&self, arch: &Arch, weights: &dyn WeightSource) -> Result<ShardPlan> {
        let tensors = arch.tensors();
        let tensors = tensors
            .iter()
            .map(|tensor| ShardTensor::of(weights, &tensor.name))
            .collect::<Result<_, _>>()
            .with_context(|| format!("reading model `{}`", self.model))?;
        Ok(ShardPlan::new(tensors, self.max_shard_bytes))
    }
}

impl MergedFolder {
    pub(crate) fn print(&self, as_json: bool) {
        if as_json {
            println!(
                "{}",
                json!({
                    "path": self.path,
                    "files": self.shards,
                    "bytes": self.n_bytes,
                    "dtype": format_of(self.dtype).name(),
                    "check": self.drift,
                })
            );
            return;
        }
        println!(
            "{}: {} in {} file(s) of {} weights",
            self.path.display(),
            size_text(self.n_bytes),
            self.shards.len(),
            format_of(self.dtype).name()
        );
        println!("{}", drift_text(&self.drift));
        println!(
            "next: veneer generate --model {} --prompt …",
            shell_word(&self.path)
        );
    }
}

/// Bytes for people.
pub(crate) fn size_text(n_bytes: u64) -> String {
    let n_bytes = n_bytes as f64;
    match n_bytes {
        n if n >= 1e9 => format!("{:.2} GB", n / 1e9),
        n if n >= 1e6 => format!("{:.1} MB", n / 1e6),
        n => format!("{:.1} kB", n / 1e3),
    }
}

/// Says so where the disk had no room, and for how much.
pub(crate) fn explain_full_disk<T>(result: Result<T>, n_bytes: u64) -> Result<T> {
    let is_full = |error: &anyhow::Error| {
        error
            .chain()
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|error| error.kind() == io::ErrorKind::StorageFull)
    };
    match result {
        Err(error) if is_full(&error) => Err(error.context(format!(
            "the disk is full: {} are needed; nothing was left behind",
            size_text(n_bytes)
        ))),
        result => result,
    }
}

/// A folder that holds something is not written over.
pub(crate) fn refuse_occupied(out: &Path) -> Result<()> {
    match fs::read_dir(out) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                bail!(
                    "folder `{}` is not empty; give --out a new folder, or empty this one",
                    out.display()
                );
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            Err(error).with_context(|| format!("--out `{}` cannot be a folder", out.display()))
        }
    }
}

/// Where a folder is made until it is whole.
pub(crate) struct FolderBeside {
    folder: TempDir,
    unfinished: Unfinished,
    /// Dropped after what lies in them.
    around: MadeFolders,
}

impl FolderBeside {
    pub(crate) fn new(out: &Path) -> Result<Self> {
        let parent = match out.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let failed = || format!("making a folder in `{}`", parent.display());
        let around = MadeFolders::new(parent).with_context(failed)?;
        let make = || TempDir::with_prefix_in(".veneer-", parent);
        let (folder, unfinished) = Unfinished::folder(make).with_context(failed)?;
        Ok(Self {
            folder,
            unfinished,
            around,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the finished folder its name.
    pub(crate) fn publish(self, out: &Path) -> Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(self.path(), fs::Permissions::from_mode(0o755))?;
        }
        // Where the renaming fails, the last of these goes first.
        let Self {
            around,
            unfinished,
            folder,
        } = self;
        undisturbed(|| fs::rename(folder.path(), out))
            .with_context(|| format!("naming `{}`", out.display()))?;
        drop(unfinished);
        around.keep();
        // The folder has another name now: nothing is left to remove under the old one.
        let _renamed: PathBuf = folder.keep();
        Ok(())
    }
}

fn write_shards(plan: &ShardPlan, weights: &dyn WeightSource, folder: &Path) -> Result<()> {
    let n_tensors: usize = plan.shards.iter().map(|shard| shard.n_tensors()).sum();
    let bar = progress::bar(n_tensors as u64, "writing tensors");
    for shard in &plan.shards {
        write_atomic(&folder.join(&shard.file_name), |sink| {
            shard
                .write(weights, sink, &mut |_| bar.inc(1))
                .map_err(|error| match error {
                    ShardError::Io(error) => error,
                    other => io::Error::other(other),
                })
        })?;
    }
    bar.finish_and_clear();
    if let Some(index) = &plan.index_json {
        write_atomic(&folder.join(INDEX_FILE), |sink| sink.write_all(index))?;
    }
    Ok(())
}

fn copy_companions(from: &Path, to: &Path) -> Result<()> {
    for name in COMPANIONS {
        let source = from.join(name);
        let bytes = match fs::read(&source) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(error).with_context(|| format!("reading `{}`", source.display()));
            }
        };
        write_atomic(&to.join(name), |sink| sink.write_all(&bytes))?;
    }
    Ok(())
}

/// Says in a folder's settings that the head is not the embedding.
fn untie(folder: &Path) -> Result<()> {
    let path = folder.join("config.json");
    let config = fs::read(&path).with_context(|| format!("reading `{}`", path.display()))?;
    let untied = untied_config(&config).context("reading config.json")?;
    write_atomic(&path, |sink| sink.write_all(&untied))?;
    Ok(())
}

/// The type with the fewest bits among the base's matrices: what the check must forgive.
fn widest_loss(base: &dyn WeightSource, checkpoint: &Checkpoint) -> Result<Dtype> {
    let mut worst = Dtype::F32;
    for tensor in checkpoint.arch.tensors() {
        let dtype = base.info(&tensor.name)?.dtype;
        let rank = |dtype| match dtype {
            Dtype::F32 => 0,
            Dtype::F16 => 1,
            Dtype::Bf16 => 2,
        };
        if rank(dtype) > rank(worst) {
            worst = dtype;
        }
    }
    Ok(worst)
}

fn format_of(dtype: Dtype) -> Format {
    match dtype {
        Dtype::F32 => Format::F32,
        Dtype::F16 => Format::F16,
        Dtype::Bf16 => Format::Bf16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_around_one_that_is_not_published_go_with_it() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("a/b/m");
        drop(FolderBeside::new(&out).unwrap());
        assert!(!place.path().join("a").exists());
        let beside = FolderBeside::new(&out).unwrap();
        fs::create_dir(&out).unwrap();
        fs::write(out.join("in-the-way"), "").unwrap();
        assert!(beside.publish(&out).is_err());
        fs::remove_dir_all(place.path().join("a")).unwrap();
        FolderBeside::new(&out).unwrap().publish(&out).unwrap();
        assert!(out.is_dir());
        assert_eq!(fs::read_dir(place.path().join("a/b")).unwrap().count(), 1);
    }
}
