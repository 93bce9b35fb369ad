//! Files that lie beside data and tell of it: a card, a licence, the settings of a training.
//!
//! In an archive or a folder that holds rows they are not data of their own, and are read only where
//! somebody asks for them. Where everything is documents, a README is one of them.

use std::io::Read as _;

use super::{Part, part::Inside};
use crate::protocol::{TrainJob, studio::PartKind};

/// Names of texts about a dataset, before an ending or a language.
const TEXTS: [&str; 7] = [
    "readme",
    "license",
    "licence",
    "copying",
    "notice",
    "changelog",
    "citation",
];

/// What `datasets` and LLaMA-Factory write beside their files.
const SETTINGS: [&str; 3] = [
    "dataset_info.json",
    "dataset_infos.json",
    "dataset_dict.json",
];

/// Bytes of a job at most.
const MAX_JOB: u64 = 1 << 16;

/// Mark the parts that only tell of data in the same archive or folder, as
/// [`beside`](crate::protocol::studio::PartView::beside).
///
/// A folder is known by the name of a file: what stands before its first `/`. A file that was given by
/// itself is what it is.
pub fn mark_companions<'a>(parts: impl IntoIterator<Item = &'a mut Part>) {
    let parts: Vec<&mut Part> = parts.into_iter().collect();
    let are_companions: Vec<bool> = parts.iter().map(|part| is_companion(part)).collect();
    let data: Vec<String> = parts
        .iter()
        .zip(&are_companions)
        .filter(|(part, is)| !**is && matches!(part.view.kind, PartKind::Table { .. }))
        .map(|(part, _)| part.file.name().to_owned())
        .collect();
    for (part, is_companion) in parts.into_iter().zip(are_companions) {
        let among = |folder: &str| data.iter().any(|name| name.starts_with(folder));
        part.view.beside |= is_companion && folder(part.file.name()).is_some_and(among);
    }
}

/// The archive or the folder that a file lies in.
fn folder(name: &str) -> Option<&str> {
    const IN_ARCHIVE: &str = " › ";
    let archive = name.find(IN_ARCHIVE).map(|at| at + IN_ARCHIVE.len());
    let end = archive.or_else(|| name.find('/').map(|at| at + 1));
    end.map(|end| &name[..end])
}

fn is_companion(part: &Part) -> bool {
    if matches!(part.inside, Inside::Sheet { .. } | Inside::Parquet) {
        return false;
    }
    let path = part.file.name();
    let name = path.rsplit(['/', '›']).next().unwrap_or(path).trim();
    let name = name.to_lowercase();
    let is_text = TEXTS.iter().any(|text| {
        let rest = name.strip_prefix(text);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '_', '-']))
    });
    let is_table = matches!(part.view.kind, PartKind::Table { .. });
    (is_text && !is_table)
        || SETTINGS.contains(&name.as_str())
        || name.ends_with(".yaml")
        || name.ends_with(".yml")
        || (name == "job.json" && is_job(part))
}

/// Whether it holds the settings of a run and not records of jobs.
fn is_job(part: &Part) -> bool {
    let mut bytes = Vec::new();
    let read = part.file.open();
    let read = read.and_then(|file| file.take(MAX_JOB).read_to_end(&mut bytes));
    read.is_ok() && serde_json::from_slice::<TrainJob>(&bytes).is_ok()
}
