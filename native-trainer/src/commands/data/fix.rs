//! `veneer data fix`

use std::{io::Write as _, path::PathBuf};

use anyhow::{Result, anyhow, bail};
use serde_json::json;
use veneer_core::{
    project::{Project, ProjectError},
    protocol::studio::{FindingKind, FindingSummary, FindingsView, FixName, FixTarget, RecordKey},
};

use super::history::{action_line, report};
use crate::{
    dataset::{count, shell_word},
    project_file,
};

/// Settle what a check found in a project, undoably
///
/// Without --finding: what there is to settle, and how. `veneer data undo` takes a fix back.
#[derive(Debug, clap::Args)]
pub(crate) struct FixArgs {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: PathBuf,

    /// Kind of finding, as `veneer data check PROJECT` names it
    #[arg(long, value_name = "KIND")]
    finding: Option<String>,

    /// What is done about it, one of those that the check offers for this kind
    #[arg(long = "with", value_name = "FIX", requires = "finding")]
    fix: Option<String>,

    /// Only these records, by their id; `veneer data check PROJECT --finding KIND` lists them
    #[arg(long, value_name = "ID", value_delimiter = ',', requires = "fix")]
    record: Vec<u64>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &FixArgs) -> Result<()> {
    let mut project = project_file::open(&args.project)?;
    let check = project.check();
    let findings = project_file::run(&mut project, check)?;
    let (Some(kind), Some(fix)) = (&args.finding, &args.fix) else {
        return args.list(&findings);
    };
    let found = of_kind(&findings, kind)?;
    if !found.fixes.iter().any(|known| known.0 == *fix) {
        bail!(
            "`{kind}` cannot be settled with `{fix}`; expected one of: {}",
            names(&found.fixes)
        );
    }
    let changed = settle(&mut project, args, kind, fix)?;
    let after = project.findings()?;
    let left = after.kinds.iter().find(|other| other.kind.0 == *kind);
    let n_left = left.map_or(0, |left| left.n_records);
    if args.json {
        let report = json!({
            "finding": kind, "fix": fix, "n_records": changed.n_records, "action": changed.action,
            "n_left": n_left,
        });
        writeln!(std::io::stdout(), "{report:#}")?;
        return Ok(());
    }
    let mut text = format!("{}\n", args.project.display());
    text += &match &changed.action {
        Some(action) => action_line(action),
        None if n_left > 0 => "  this settles none of them; nothing was changed\n".to_owned(),
        None => "  nothing was left to settle\n".to_owned(),
    };
    if n_left > 0 {
        let have = if n_left == 1 { "has" } else { "have" };
        text += &format!("  {} still {have} `{kind}`\n", count(n_left, "record"));
    }
    if changed.action.is_some() {
        text += &format!("undo: veneer data undo {}\n", shell_word(&args.project));
    }
    write!(std::io::stdout(), "{text}")?;
    Ok(())
}

fn settle(
    project: &mut Project,
    args: &FixArgs,
    kind: &str,
    fix: &str,
) -> Result<veneer_core::protocol::studio::Changed> {
    let target = if args.record.is_empty() {
        FixTarget::All
    } else {
        FixTarget::Records(args.record.iter().copied().map(RecordKey).collect())
    };
    let (kind, fix) = (FindingKind(kind.into()), FixName(fix.into()));
    let task = project.fix(kind, target, fix, project_file::now_ms());
    project_file::run(project, task).map_err(|error| match error.downcast_ref() {
        Some(ProjectError::SplitIsFrozen) => anyhow!(
            "{error}: veneer data split {} --thaw",
            shell_word(&args.project)
        ),
        _ => error,
    })
}

/// # Errors
/// If nothing of the kind was found: what was.
pub(super) fn of_kind<'a>(findings: &'a FindingsView, kind: &str) -> Result<&'a FindingSummary> {
    let found = findings.kinds.iter().find(|found| found.kind.0 == kind);
    if let Some(found) = found {
        return Ok(found);
    }
    let there: Vec<&str> = findings
        .kinds
        .iter()
        .map(|found| found.kind.0.as_str())
        .collect();
    if there.is_empty() {
        bail!("nothing was found, so there is no `{kind}` to settle");
    }
    bail!(
        "no record has `{kind}`; what was found: {}",
        there.join(", ")
    )
}

fn names(fixes: &[FixName]) -> String {
    let names: Vec<&str> = fixes.iter().map(|fix| fix.0.as_str()).collect();
    names.join(", ")
}

impl FixArgs {
    /// What there is to settle.
    fn list(&self, findings: &FindingsView) -> Result<()> {
        if let Some(kind) = &self.finding {
            let found = of_kind(findings, kind)?;
            bail!(
                "say how `{kind}` is settled: --with {}",
                names(&found.fixes).replace(", ", ", --with ")
            );
        }
        let text = if self.json {
            format!("{:#}\n", json!(findings))
        } else {
            let mut text = format!("{}\n", self.project.display());
            text += &report(findings, &self.project);
            if findings.kinds.iter().all(|found| found.n_records == 0) {
                text += "\nNothing to settle.\n";
            }
            text
        };
        write!(std::io::stdout(), "{text}")?;
        Ok(())
    }
}
