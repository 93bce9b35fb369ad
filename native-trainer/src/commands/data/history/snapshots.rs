//! `veneer data snapshot`: states of a project with names.

use std::{io::Write as _, path::PathBuf};

use anyhow::{Result, bail};
use serde_json::json;
use veneer_core::{
    data::handover::day,
    project::Project,
    protocol::studio::{
        Beside, Difference, DifferenceKind, FindingKind, RecordDifference, Side, SnapshotKey,
        SnapshotView,
    },
};

use super::{action_line, cut, one_line, short};
use crate::{
    commands::data::layout::{labelled, wrapped},
    dataset::{count, thousands},
    project_file,
};

/// Keep the state of a project under a name, compare with it, go back to it
///
/// Without an option: the snapshots that there are. Where several have one name, `'#3'` is the one
/// with that number.
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

    /// With --compare: up to this snapshot, in place of now
    #[arg(
        long,
        value_name = "NAME",
        requires = "compare",
        conflicts_with_all = ["take", "restore", "delete"]
    )]
    with: Option<String>,

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

pub(crate) fn snapshot(args: &SnapshotArgs) -> Result<()> {
    let mut project = project_file::open(&args.project)?;
    let now = project_file::now_ms();
    let mut report = format!("{}\n", args.project.display());
    let mut changed = json!(null);
    if let Some(name) = &args.take {
        refuse_number(name)?;
        project.take_snapshot(name, now)?;
        report += &format!("  kept as `{}`\n", name.trim());
    } else if let Some(name) = &args.compare {
        let from = named(&project, name)?;
        let to = args.with.as_ref().map(|name| named(&project, name));
        let to = to.transpose()?;
        let until = to.as_ref().map(|to| to.snapshot);
        let difference = project.compare(Some(from.snapshot), until)?;
        report += &difference_text(&from.name, to.as_ref(), &difference);
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
        report += &format!("  forgot `{}`\n", one_line(&snapshot.name));
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

/// By a name such as `#3` the snapshot with that number is meant.
fn refuse_number(name: &str) -> Result<()> {
    let digits = name.trim().strip_prefix('#').unwrap_or_default();
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        bail!(
            "`{0}` is how the snapshot with the number {digits} is named; give --take a name that \
             begins otherwise, such as `v{digits}`",
            name.trim()
        );
    }
    Ok(())
}

/// The one snapshot of a name, or of a number such as `#3`.
fn named(project: &Project, name: &str) -> Result<SnapshotView> {
    let snapshots = project.snapshots()?;
    let of_name: Vec<&SnapshotView> = snapshots.iter().filter(|it| it.name == name).collect();
    match of_name.as_slice() {
        [one] => return Ok((*one).clone()),
        [newest, ..] => bail!(
            "{} snapshots are named `{name}`: {}; say which one by its number, such as \
             '#{}'",
            of_name.len(),
            of_name
                .iter()
                .map(|it| told(it))
                .collect::<Vec<_>>()
                .join(", "),
            newest.snapshot.0
        ),
        [] => {}
    }
    let number = name
        .strip_prefix('#')
        .and_then(|number| number.parse().ok());
    let of_number = |it: &&SnapshotView| number.map(SnapshotKey) == Some(it.snapshot);
    match snapshots.iter().find(of_number) {
        Some(one) => Ok(one.clone()),
        None if snapshots.is_empty() => {
            bail!("the project has no snapshots; --take NAME makes one")
        }
        None => {
            let names: Vec<String> = snapshots
                .iter()
                .map(|it| format!("`{}`", one_line(&it.name)))
                .collect();
            bail!("there is no snapshot `{name}`, only {}", names.join(", "))
        }
    }
}

/// By what snapshots of one name are told apart.
fn told(snapshot: &SnapshotView) -> String {
    let minutes = snapshot.at_ms.div_euclid(60_000).rem_euclid(24 * 60);
    format!(
        "#{} of {} {:02}:{:02} UTC with {}",
        snapshot.snapshot.0,
        day(snapshot.at_ms),
        minutes / 60,
        minutes % 60,
        count(snapshot.n_records, "record")
    )
}

fn list(snapshots: &[SnapshotView]) -> String {
    if snapshots.is_empty() {
        return "  no snapshots; --take NAME makes one\n".into();
    }
    let mut text = String::new();
    for snapshot in snapshots {
        let (name, number) = (one_line(&snapshot.name), snapshot.snapshot.0);
        let line = format!(
            "{name} (#{number}), {}",
            count(snapshot.n_records, "record")
        );
        text += &wrapped(&format!("  {}  ", day(snapshot.at_ms)), &line);
    }
    text
}

fn difference_text(from: &str, to: Option<&SnapshotView>, difference: &Difference) -> String {
    const SHOWN: usize = 20;
    let counts = format!(
        "{} added, {} removed, {} edited, {} with other side, tags, reviewer, accepted findings or \
         place",
        thousands(difference.n_added),
        thousands(difference.n_removed),
        thousands(difference.n_edited),
        thousands(difference.n_moved)
    );
    let time = match to {
        None => format!("since `{}`", one_line(from)),
        Some(to) => format!("from `{}` to `{}`", one_line(from), one_line(&to.name)),
    };
    let mut text = labelled("changed", &format!("{time}: {counts}"));
    if difference.n_accepted > 0 {
        let n = count(difference.n_accepted, "record");
        text += &labelled("accepted", &format!("other findings in {n}"));
    }
    let shown = difference.records.iter().take(SHOWN);
    text.extend(shown.map(record_text));
    let n = difference.n_added + difference.n_removed + difference.n_edited + difference.n_moved;
    let n_more = n.saturating_sub(SHOWN as u64);
    if n_more > 0 {
        text += &format!(
            "\n  and {} more; --json has the first {}\n",
            thousands(n_more),
            difference.records.len()
        );
    }
    text
}

fn record_text(record: &RecordDifference) -> String {
    let what = match record.kind {
        DifferenceKind::Added => "added",
        DifferenceKind::Removed => "removed",
        DifferenceKind::Edited => "edited",
        DifferenceKind::Moved => "changed",
    };
    let mut text = format!("\n  {what} record {}\n", record.record.0);
    if record.kind != DifferenceKind::Moved {
        let sides = around_difference(&record.before, &record.after);
        for (sign, side) in ["-", "+"].into_iter().zip(sides) {
            if !side.is_empty() {
                text += &wrapped(&format!("    {sign} "), &side);
            }
        }
    }
    let beside = record.beside.iter();
    text.extend(beside.map(|one| wrapped("    ", &beside_text(one))));
    text
}

/// Two versions of a text, each on one line, from a little before the first difference on.
fn around_difference(before: &str, after: &str) -> [String; 2] {
    const BEFORE_IT: usize = 40;
    if before.is_empty() || after.is_empty() {
        return [before, after].map(short);
    }
    let [before, after] = match one_line(before) == one_line(after) {
        false => [before, after].map(one_line),
        // White space is what differs.
        true => [before, after].map(|text| text.escape_debug().to_string()),
    };
    let both = before.chars().zip(after.chars());
    let n_same = both.take_while(|(a, b)| a == b).count();
    let from = match n_same > 3 * BEFORE_IT {
        true => n_same - BEFORE_IT,
        false => 0,
    };
    [before, after].map(|text| cut(&text, from))
}

fn beside_text(one: &Beside) -> String {
    let side = |side: &Option<Side>| match side {
        Some(Side::Train) => "train",
        Some(Side::Validation) => "validation",
        Some(Side::Test) => "test",
        None => "none",
    };
    let name = |name: &str| match name.is_empty() {
        true => "nobody".to_owned(),
        false => one_line(name),
    };
    let tags = |tags: &[String]| {
        if tags.is_empty() {
            "none".to_owned()
        } else {
            one_line(&tags.join(", "))
        }
    };
    let kinds = |kinds: &[FindingKind]| {
        let kinds: Vec<String> = kinds.iter().map(|kind| kind.0.clone()).collect();
        tags(&kinds)
    };
    match one {
        Beside::Side(from, to) => format!("side: {} -> {}", side(from), side(to)),
        Beside::Tags(from, to) => format!("tags: {} -> {}", tags(from), tags(to)),
        Beside::Reviewer(from, to) => format!("reviewer: {} -> {}", name(from), name(to)),
        Beside::Accepted(from, to) => {
            format!("accepted findings: {} -> {}", kinds(from), kinds(to))
        }
        Beside::Place => "another place in the order".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veneer_core::protocol::studio::RecordKey;

    #[test]
    fn a_number_is_no_name() {
        for name in ["#1", " #007 "] {
            assert!(refuse_number(name).is_err(), "{name}");
        }
        for name in ["#", "#1a", "1", "v#1", ""] {
            assert!(refuse_number(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_of_snapshots_stay_on_their_line() {
        let snapshot = SnapshotView {
            snapshot: SnapshotKey(3),
            name: "a\n  1970-01-01  b\u{202e}".into(),
            at_ms: 0,
            n_records: 1,
        };
        let text = list(&[snapshot]);
        assert_eq!(
            text,
            "  1970-01-01  a 1970-01-01 b\\u{202e} (#3), 1 record\n"
        );
    }

    #[test]
    fn accepted_findings_are_told() {
        let kind = FindingKind("conflicting_answers".into());
        let difference = Difference {
            n_moved: 1,
            n_accepted: 1,
            records: vec![RecordDifference {
                record: RecordKey(2),
                place: Some(2),
                kind: DifferenceKind::Moved,
                before: String::new(),
                after: String::new(),
                beside: vec![Beside::Accepted(Vec::new(), vec![kind])],
            }],
            ..Difference::default()
        };
        let text = difference_text("s0", None, &difference);
        for part in [
            "other findings in 1 record",
            "accepted findings: none -> conflicting_answers",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn what_differs_late_in_a_text_is_shown() {
        let long = "word ".repeat(100);
        let texts = around_difference(&format!("{long}old"), &format!("{long}new"));
        assert!(
            texts[0].starts_with('…') && texts[0].ends_with("old"),
            "{texts:?}"
        );
        assert!(texts[1].ends_with("new"), "{texts:?}");
        let texts = around_difference("a b", "a  b");
        assert_ne!(texts[0], texts[1], "white space");
        assert_eq!(around_difference("", "a\nb"), ["", "a b"]);
    }
}
