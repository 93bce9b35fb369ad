//! Which records an adapter was trained on, so that an evaluation knows whether it asks for anything new.
//!
//! A run keeps the fingerprint of each record, by which duplicates are told too, 32 hexadecimal digits a
//! line. A run that began with another run's adapter has learned that one's too.

use std::{collections::HashSet, fs, path::Path};

use anyhow::Result;
use veneer_core::data::{Record, fingerprint};

use super::{CHECKPOINT, RunDir, SPEC};
use crate::files::write_atomic;

const TRAINED: &str = "trained.txt";
const BEST: &str = "best";
/// Runs one after the other, each beginning with the adapter of the one before.
const MAX_RUNS: usize = 32;

/// The fingerprint of each record.
pub(crate) fn prints(records: &[Record]) -> Vec<u128> {
    let whole = |record| fingerprint(record).whole;
    records.iter().map(whole).collect()
}

/// # Errors
/// If the run's folder cannot be written to.
pub(crate) fn save(dir: &Path, prints: &[u128]) -> Result<()> {
    let lines: String = prints
        .iter()
        .map(|print| format!("{print:032x}\n"))
        .collect();
    write_atomic(&dir.join(TRAINED), |file| file.write_all(lines.as_bytes()))
}

/// What is known of the records behind an adapter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trained {
    prints: HashSet<u128>,
    /// False where some of it is not known: of adapters from elsewhere.
    is_all: bool,
}

/// How many of some records an adapter was trained on, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) n: u64,
    /// Whether it was trained on nothing else of them.
    pub(crate) is_all: bool,
}

impl Trained {
    /// Of the adapter of a run, or of one of its checkpoints.
    pub(crate) fn of_adapter(adapter: &Path) -> Self {
        let mut trained = Self::default();
        let mut next = Some(adapter.to_path_buf());
        for _ in 0..MAX_RUNS {
            let Some(adapter) = next.take() else {
                trained.is_all = true;
                break;
            };
            let Some(dir) = run_of(&adapter) else { break };
            let (Ok(spec), Some(prints)) = (RunDir::read_spec(dir), read(dir)) else {
                break;
            };
            trained.prints.extend(prints);
            next = spec.init_adapter;
        }
        trained
    }

    pub(crate) fn seen(&self, prints: &[u128]) -> Seen {
        let seen = prints.iter().filter(|print| self.prints.contains(print));
        Seen {
            n: seen.count() as u64,
            is_all: self.is_all,
        }
    }
}

fn run_of(adapter: &Path) -> Option<&Path> {
    let name = adapter.file_name().and_then(|name| name.to_str());
    let is_inside = name.is_some_and(|name| name == BEST || name.starts_with(CHECKPOINT));
    let outer = adapter.parent().filter(|_| is_inside);
    let mut places = [Some(adapter), outer].into_iter().flatten();
    places.find(|place| place.join(SPEC).is_file())
}

fn read(dir: &Path) -> Option<Vec<u128>> {
    // Runs of earlier versions have none.
    let text = fs::read_to_string(dir.join(TRAINED)).ok()?;
    let print = |line| u128::from_str_radix(line, 16).ok();
    text.lines().map(print).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Map;
    use veneer_core::{protocol::TrainJob, text::Body};

    use super::{super::RunSpec, *};
    use crate::dataset::ReadSpec;

    fn records(texts: &[&str]) -> Vec<u128> {
        let record = |text: &&str| Record {
            body: Body::Text {
                prompt: String::new(),
                completion: (*text).to_owned(),
            },
            extra: Map::new(),
            line: 1,
        };
        let records: Vec<Record> = texts.iter().map(record).collect();
        prints(&records)
    }

    fn run(dir: &Path, texts: &[&str], init_adapter: Option<&Path>) {
        let spec = RunSpec {
            veneer_version: "0".into(),
            model: "demo".into(),
            data: "data.jsonl".into(),
            data_sha256: String::new(),
            eval_data: None,
            init_adapter: init_adapter.map(Path::to_path_buf),
            limit: None,
            read: ReadSpec::default(),
            train_on: "assistant".into(),
            template: None,
            job: TrainJob::default(),
        };
        RunDir::create(dir, &spec).unwrap();
        save(dir, &records(texts)).unwrap();
    }

    #[test]
    fn a_run_knows_what_it_and_those_before_it_were_trained_on() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        run(&first, &["a", "b"], None);
        run(&second, &["c"], Some(&first.join("checkpoint-3")));
        let seen = |adapter: &Path| {
            let seen = Trained::of_adapter(adapter).seen(&records(&["b", "c", "d"]));
            (seen.n, seen.is_all)
        };
        assert_eq!(seen(&first), (1, true));
        assert_eq!(seen(&second.join("best")), (2, true));
        fs::remove_file(first.join(TRAINED)).unwrap();
        assert_eq!(seen(&second), (1, false), "what came before is not known");
        assert_eq!(seen(folder.path()), (0, false), "no run");
    }
}
