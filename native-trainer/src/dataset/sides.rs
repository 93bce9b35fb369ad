//! Which records of a project a command takes: those on one side, or all.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use veneer_core::{
    data::handover::side_name,
    protocol::studio::{Side, SplitView},
};

use super::{count, shell_word};
use crate::{input, project_file};

/// The records on one side of a project, or all of them whether they are on a side or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sides {
    Train,
    Validation,
    Test,
    All,
}

impl Sides {
    pub(super) fn from_name(name: &str) -> Result<Self, String> {
        let known = [Self::Train, Self::Validation, Self::Test, Self::All];
        let named = known.into_iter().find(|sides| sides.name() == name);
        named.ok_or_else(|| "expected train, validation, test or all".into())
    }

    pub(crate) fn name(self) -> &'static str {
        self.one().map_or("all", side_name)
    }

    pub(super) fn one(self) -> Option<Side> {
        match self {
            Self::Train => Some(Side::Train),
            Self::Validation => Some(Side::Validation),
            Self::Test => Some(Side::Test),
            Self::All => None,
        }
    }
}

/// The sides of a project that has records on any.
///
/// # Errors
/// If the project cannot be opened.
pub(crate) fn split_of(path: &Path) -> Result<Option<SplitView>> {
    if !input::is_project(path) {
        return Ok(None);
    }
    let split = project_file::open(path)?.split();
    let split = split.with_context(|| format!("reading project `{}`", path.display()))?;
    let n_on_sides = split.n_train + split.n_validation + split.n_test;
    Ok((n_on_sides > 0).then_some(split))
}

/// `--side` is about projects; of a file it would choose nothing.
///
/// # Errors
/// If a side of a file is asked for.
pub(crate) fn refuse_side(path: &Path, side: Option<Sides>) -> Result<()> {
    if side.is_some_and(|side| side != Sides::All) {
        bail!(
            "`--side` chooses records of a project; `{}` is a {}",
            path.display(),
            if path.is_dir() { "folder" } else { "file" }
        );
    }
    Ok(())
}

/// Where a project keeps what no run has trained on: the test side, or validation where it is empty.
pub(crate) fn side_to_measure(split: &SplitView) -> Option<Sides> {
    match (split.n_test, split.n_validation) {
        (1.., _) => Some(Sides::Test),
        (0, 1..) => Some(Sides::Validation),
        (0, 0) => None,
    }
}

/// What a run trains on where nothing else is asked for: of a project with sides the train side. What
/// that leaves out is said.
///
/// # Errors
/// If the project has sides and no record to train on.
pub(crate) fn side_to_train(path: &Path, asked: Option<Sides>) -> Result<Option<Sides>> {
    if asked.is_some() {
        return Ok(asked);
    }
    let Some(split) = split_of(path)? else {
        return Ok(None);
    };
    let draw = format!(
        "`veneer data split {} {}`",
        shell_word(path),
        drawing(&split)
    );
    if split.n_train == 0 {
        bail!(
            "`{}` has no record on the side `train` ({} on validation, {} on test, {} on no side); \
             draw the sides with {draw}, or train on every record with `--side all`",
            path.display(),
            split.n_validation,
            split.n_test,
            split.n_without
        );
    }
    if split.n_without > 0 {
        eprintln!(
            "warning: {}: left out of training: {} on no side; {draw} puts them on sides",
            path.display(),
            count(split.n_without, "record")
        );
    }
    Ok(Some(Sides::Train))
}

/// The options that put records on sides which are on none; where there are none, all anew.
fn drawing(split: &SplitView) -> &'static str {
    match (split.n_without, &split.plan) {
        (1.., Some(_)) => "--new-only",
        (1.., None) => "--new-only --val 0.1 --test 0.1",
        (0, _) => "--val 0.1 --test 0.1",
    }
}
