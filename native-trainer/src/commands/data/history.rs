//! `veneer data undo`, `redo`, `history` and `snapshot`: what was done to a project.

mod snapshots;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use serde_json::json;
use veneer_core::{
    data::handover::day,
    project::Project,
    protocol::studio::{ActionKind, ActionView, Changed, FindingsView, TextSetting},
    text::builtin_template_names,
};

pub(crate) use snapshots::{SnapshotArgs, snapshot};

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

/// The start of a text, on one line.
pub(super) fn short(text: &str) -> String {
    cut(&one_line(text), 0)
}

/// On one line, and with nothing in it that turns what stands around it; it may come from a file.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut line = String::with_capacity(text.len());
    for c in words.join(" ").chars() {
        match c.is_control() || turns_text(c) {
            true => line.extend(c.escape_default()),
            false => line.push(c),
        }
    }
    line
}

/// Characters that say in which direction others run (Unicode UAX 9, section 2).
fn turns_text(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A stretch of a text from a character on.
fn cut(text: &str, from: usize) -> String {
    const SHOWN: usize = 200;
    let mut chars = text.chars().skip(from);
    let stretch: String = chars.by_ref().take(SHOWN).collect();
    let [before, behind] =
        [from > 0, chars.next().is_some()].map(|more| if more { "…" } else { "" });
    format!("{before}{stretch}{behind}")
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
        ActionKind::Settings => "licence or address stated",
    };
    let detail = if action.detail.is_empty() {
        String::new()
    } else {
        format!(" ({})", one_line(&action.detail))
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
            text += &wrapped(
                &head,
                &format!("{} ({})", one_line(&found.title), one_line(&found.kind.0)),
            );
            let indent = " ".repeat(columns(&head));
            if !found.advice.is_empty() {
                text += &wrapped(&format!("{indent}-> "), &found.advice);
            }
            if !found.fixes.is_empty() {
                let fixes: Vec<&str> = found.fixes.iter().map(|fix| fix.0.as_str()).collect();
                text += &wrapped(&format!("{indent}fixes: "), &fixes.join(", "));
            }
            if let Some(setting) = found.kind.setting() {
                let how = match setting {
                    TextSetting::MaxLength => option_of(setting).to_owned(),
                    TextSetting::Template => {
                        let names: Vec<&str> = builtin_template_names().collect();
                        format!("{} ({})", option_of(setting), names.join(", "))
                    }
                };
                text += &wrapped(&format!("{indent}or check with "), &how);
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
        let project = shell_word(project);
        text += &match (&found.fixes[0], found.kind.setting()) {
            // Nobody throws records away where another word on the command line may do.
            (fix, Some(setting)) if fix.0 == "trash" => {
                let setting = option_of(setting);
                format!("\nsettle: veneer data check {project} {setting}\n")
            }
            (fix, _) => format!(
                "\nsettle: veneer data fix {project} \\\n          --finding {} --with {}\n",
                shell_word(Path::new(&one_line(&found.kind.0))),
                fix.0
            ),
        };
    }
    text
}

/// How a setting is given.
fn option_of(setting: TextSetting) -> &'static str {
    match setting {
        TextSetting::Template => "--chat-template NAME",
        TextSetting::MaxLength => "--max-length N",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_stays_on_its_line() {
        assert_eq!(one_line(" a\n\tb\u{2028}c  保険 "), "a b c 保険");
        let action = ActionView {
            detail: "good\n  edited: 7 records".into(),
            n_records: 1,
            ..ActionView::default()
        };
        assert_eq!(action_line(&action).lines().count(), 1);
        assert_eq!(one_line("x\u{202e}y\u{1b}[2J"), "x\\u{202e}y\\u{1b}[2J");
    }
}
