//! `veneer data undo`, `redo`, `history` and `snapshot`: what was done to a project.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use serde_json::json;
use veneer_core::{
    data::handover::day,
    project::Project,
    protocol::studio::{
        ActionKind, ActionView, Changed, Difference, DifferenceKind, FindingsView, SnapshotView,
    },
};

use super::layout::{columns, labelled, wrapped};
use crate::{
    dataset::{count, shell_word, thousands},
    project_file,
};

/// Take back the latest change of a project, also one of days ago
#[derive(Debug, clap::Args)]
pub(crate) struct UndoArgs {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: PathBuf,

    /// How many changes
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    n: u64,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Show what was done to a project, newest first
#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: PathBuf,

    /// How many changes to show
    #[arg(short, long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    n: u64,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Keep the state of a project under a name, compare with it, go back to it
///
/// Without an option: the snapshots that there are.
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotArgs {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: PathBuf,

    /// Keep the state of now under this name
    #[arg(long, value_name = "NAME", group = "what")]
    take: Option<String>,

    /// Show what changed since this snapshot
    #[arg(long, value_name = "NAME", group = "what")]
    compare: Option<String>,

    /// Go back to this snapshot; `veneer data undo` takes that back
    #[arg(long, value_name = "NAME", group = "what")]
    restore: Option<String>,

    /// Forget this snapshot; the records stay as they are
    #[arg(long, value_name = "NAME", group = "what")]
    delete: Option<String>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn undo(args: &UndoArgs) -> Result<()> {
    step(args, "undone", "undo", Project::undo)
}

pub(crate) fn redo(args: &UndoArgs) -> Result<()> {
    step(args, "done again", "redo", Project::redo)
}

fn step(
    args: &UndoArgs,
    past: &str,
    verb: &str,
    once: impl Fn(&mut Project) -> Result<Changed, veneer_core::project::ProjectError>,
) -> Result<()> {
    let mut project = project_file::open(&args.project)?;
    let mut actions: Vec<ActionView> = Vec::new();
    for _ in 0..args.n {
        let view = project.view()?;
        let next = if verb == "undo" { view.undo } else { view.redo };
        let Some(action) = next else { break };
        once(&mut project)?;
        actions.push(action);
    }
    if actions.is_empty() {
        bail!("there is nothing to {verb} in `{}`", args.project.display());
    }
    let view = project.view()?;
    if args.json {
        let report = json!({
            "actions": actions, "n_records": view.n_records, "n_trash": view.n_trash,
        });
        writeln!(std::io::stdout(), "{report:#}")?;
        return Ok(());
    }
    let mut text = format!("{}\n", args.project.display());
    for action in &actions {
        text += &labelled(past, &action_words(action));
    }
    let records = format!(
        "{}, {} in the trash",
        thousands(view.n_records),
        thousands(view.n_trash)
    );
    text += &labelled("records", &records);
    write!(std::io::stdout(), "{text}")?;
    Ok(())
}

pub(crate) fn history(args: &HistoryArgs) -> Result<()> {
    let project = project_file::open(&args.project)?;
    let actions = project.history(args.n)?;
    if args.json {
        writeln!(std::io::stdout(), "{:#}", json!(actions))?;
        return Ok(());
    }
    let mut text = format!("{}\n", args.project.display());
    if actions.is_empty() {
        text += "  nothing was done yet\n";
    }
    for action in &actions {
        let undone = if action.undone { " (undone)" } else { "" };
        let line = format!("{}{undone}", action_words(action));
        text += &wrapped(&format!("  {}  ", day(action.at_ms)), &line);
    }
    write!(std::io::stdout(), "{text}")?;
    Ok(())
}

pub(crate) fn snapshot(args: &SnapshotArgs) -> Result<()> {
    let mut project = project_file::open(&args.project)?;
    let now = project_file::now_ms();
    let mut report = format!("{}\n", args.project.display());
    let mut changed = json!(null);
    if let Some(name) = &args.take {
        if project.snapshots()?.iter().any(|other| other.name == *name) {
            bail!("there is a snapshot `{name}` already; choose another name, or --delete it");
        }
        project.take_snapshot(name, now)?;
        report += &format!("  kept as `{name}`\n");
    } else if let Some(name) = &args.compare {
        let snapshot = named(&project, name)?;
        let difference = project.compare(Some(snapshot.snapshot), None)?;
        report += &difference_text(name, &difference);
        changed = json!(difference);
    } else if let Some(name) = &args.restore {
        let snapshot = named(&project, name)?;
        let done = project.restore(snapshot.snapshot, now)?;
        report += &done.action.as_ref().map_or_else(
            || "  the project is as it was then already\n".to_owned(),
            action_line,
        );
        changed = json!(done.action);
    } else if let Some(name) = &args.delete {
        let snapshot = named(&project, name)?;
        project.delete_snapshot(snapshot.snapshot)?;
        report += &format!("  forgot `{name}`\n");
    }
    let snapshots = project.snapshots()?;
    if args.json {
        let report = json!({"snapshots": snapshots, "changed": changed});
        writeln!(std::io::stdout(), "{report:#}")?;
        return Ok(());
    }
    if args.compare.is_none() {
        report += &list(&snapshots);
    }
    write!(std::io::stdout(), "{report}")?;
    Ok(())
}

fn named(project: &Project, name: &str) -> Result<SnapshotView> {
    let snapshots = project.snapshots()?;
    let names: Vec<String> = snapshots.iter().map(|s| format!("`{}`", s.name)).collect();
    let found = snapshots.into_iter().rev().find(|other| other.name == name);
    match found {
        Some(snapshot) => Ok(snapshot),
        None if names.is_empty() => bail!("the project has no snapshots; --take NAME makes one"),
        None => bail!("there is no snapshot `{name}`, only {}", names.join(", ")),
    }
}

fn list(snapshots: &[SnapshotView]) -> String {
    if snapshots.is_empty() {
        return "  no snapshots; --take NAME makes one\n".into();
    }
    let mut text = String::new();
    for snapshot in snapshots {
        let line = format!("{}, {}", snapshot.name, count(snapshot.n_records, "record"));
        text += &wrapped(&format!("  {}  ", day(snapshot.at_ms)), &line);
    }
    text
}

fn difference_text(name: &str, difference: &Difference) -> String {
    const SHOWN: usize = 20;
    let counts = format!(
        "{} added, {} removed, {} edited, {} with other side, tags, reviewer or place",
        thousands(difference.n_added),
        thousands(difference.n_removed),
        thousands(difference.n_edited),
        thousands(difference.n_moved)
    );
    let mut text = labelled("changed", &format!("since `{name}`: {counts}"));
    for record in difference.records.iter().take(SHOWN) {
        let what = match record.kind {
            DifferenceKind::Added => "added",
            DifferenceKind::Removed => "removed",
            DifferenceKind::Edited => "edited",
            DifferenceKind::Moved => "moved",
        };
        text += &format!("\n  {what} record {}\n", record.record.0);
        for (sign, side) in [("-", &record.before), ("+", &record.after)] {
            if !side.is_empty() && record.kind != DifferenceKind::Moved {
                text += &wrapped(&format!("    {sign} "), &short(side));
            }
        }
    }
    text
}

/// The start of a text, on one line.
pub(super) fn short(text: &str) -> String {
    const SHOWN: usize = 200;
    let one_line: Vec<&str> = text.split_whitespace().collect();
    let one_line = one_line.join(" ");
    match one_line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &one_line[..end]),
        None => one_line,
    }
}

/// One action on a line of its own.
pub(super) fn action_line(action: &ActionView) -> String {
    wrapped("  ", &action_words(action))
}

fn action_words(action: &ActionView) -> String {
    let what = match action.what {
        ActionKind::Import => "imported",
        ActionKind::Edit => "edited",
        ActionKind::Add => "written",
        ActionKind::Tag => "tagged",
        ActionKind::Untag => "untagged",
        ActionKind::Trash => "moved to the trash",
        ActionKind::TakeBack => "taken back from the trash",
        ActionKind::Move => "moved",
        ActionKind::Replace => "searched and replaced",
        ActionKind::Assign => "given a reviewer",
        ActionKind::Fix => "fixed",
        ActionKind::Accept => "accepted",
        ActionKind::Split => "split",
        ActionKind::Freeze => "split frozen or thawed",
        ActionKind::Restore => "restored",
        ActionKind::Settings => "settings",
    };
    let detail = if action.detail.is_empty() {
        String::new()
    } else {
        format!(" ({})", action.detail)
    };
    format!("{what}{detail}: {}", count(action.n_records, "record"))
}

/// What the checks found, each kind with what can be done about it.
pub(super) fn report(findings: &FindingsView, project: &Path) -> String {
    let mut text = String::new();
    for (is_error, heading) in [(true, "errors"), (false, "warnings")] {
        let kinds = || {
            findings
                .kinds
                .iter()
                .filter(|found| found.is_error == is_error)
        };
        if kinds().all(|found| found.n_records == 0) {
            continue;
        }
        text += &format!("\n{heading}\n");
        for found in kinds().filter(|found| found.n_records > 0) {
            let head = format!("  {:>9}  ", thousands(found.n_records));
            text += &wrapped(&head, &format!("{} ({})", found.title, found.kind.0));
            let indent = " ".repeat(columns(&head));
            if !found.advice.is_empty() {
                text += &wrapped(&format!("{indent}-> "), &found.advice);
            }
            if !found.fixes.is_empty() {
                let fixes: Vec<&str> = found.fixes.iter().map(|fix| fix.0.as_str()).collect();
                text += &wrapped(&format!("{indent}fixes: "), &fixes.join(", "));
            }
        }
    }
    let accepted: u64 = findings.kinds.iter().map(|found| found.n_accepted).sum();
    if accepted > 0 {
        text += &format!("\n{} accepted as they are\n", count(accepted, "finding"));
    }
    let first = findings
        .kinds
        .iter()
        .find(|found| found.n_records > 0 && !found.fixes.is_empty());
    if let Some(found) = first {
        text += &format!(
            "\nsettle: veneer data fix {} \\\n          --finding {} --with {}\n",
            shell_word(project),
            found.kind.0,
            found.fixes[0].0
        );
    }
    text
}
