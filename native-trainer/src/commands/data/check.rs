//! `veneer data check`

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Value, json};
use veneer_core::data::{self, CheckOptions, Fixed, Loaded, Problems, Shape};

use super::{
    layout::{about, labelled, problem_counts, problems, wrapped},
    lengths::LengthArgs,
    project_check,
};
use crate::{
    dataset::{self, ReadArgs, beside, count, shell_word, thousands},
    files::write_atomic,
    input::{self, Input},
    spooled,
};

/// Find everything that is wrong with a dataset, and repair what needs no guessing
///
/// Every problem is shown with its line, its field, what was found, what was expected and what to
/// do. Ends with exit code 1 if a record cannot be trained on as it stands.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// Dataset, spreadsheet, document or project; - is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,

    /// Write a repaired copy: FILE.fixed.EXT beside the file, or to OUT. The file itself is never
    /// changed. Repaired: encoding, byte order mark, line endings, role names that can mean only
    /// one role, control characters. Dropped: empty records, exact duplicates. All is counted
    #[arg(long, value_name = "OUT")]
    fix: Option<Option<PathBuf>>,

    /// How many problems to show; the counts are always complete
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(super) max_problems: usize,

    /// Of a project: list the records that have this finding, with their ids
    #[arg(long, value_name = "KIND")]
    pub(super) finding: Option<String>,

    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) length: LengthArgs,

    #[command(flatten)]
    pub(super) read: ReadArgs,
}

pub(crate) fn run(args: CheckArgs) -> Result<()> {
    let kind = input::kind(&args.file)?;
    if let Input::Project = kind {
        if args.fix.is_some() {
            bail!(
                "a project is repaired in place, undoably: veneer data fix {}",
                dataset::shell_word(&args.file)
            );
        }
        return project_check::run(&args);
    }
    if args.finding.is_some() {
        bail!(
            "`--finding` is for projects; of the file `{}` every problem is shown with its line",
            args.file.display()
        );
    }
    if let (Input::Parts(_), Some(_)) = (&kind, &args.fix) {
        return Err(no_fix(&args.file));
    }
    let mut options = args.read.options();
    options.kept_problems = args.max_problems;
    let loaded = dataset::load_as_imported(&args.file, &options, args.read.side)?;
    if is_imported(&loaded) && args.fix.is_some() {
        return Err(no_fix(&args.file));
    }
    let counter = args.length.counter(&args.file)?;
    let count_tokens = counter
        .as_ref()
        .map(|counter| |record: &_| counter.count(record));
    let found = data::check(
        &loaded,
        &CheckOptions {
            max_length: args.length.max_length(counter.as_ref()),
            n_tokens: count_tokens
                .as_ref()
                .map(|count| count as &dyn Fn(&_) -> usize),
            kept_problems: args.max_problems,
        },
    );
    let fixed = match &args.fix {
        Some(out) => Some(fix(&args.file, out.as_deref(), &args.read)?),
        None => None,
    };
    if args.json {
        let report = as_json(&args, &loaded, &found, fixed.as_ref());
        writeln!(std::io::stdout(), "{report:#}")?;
    } else {
        write!(
            std::io::stdout(),
            "{}",
            report(&args, &loaded, &found, fixed.as_ref())
        )?;
    }
    let left = fixed
        .as_ref()
        .map_or(found.n_errors(), |(_, fixed)| fixed.remaining.n_errors());
    if left > 0 {
        let (path, how) = match &fixed {
            Some((path, _)) => (path.as_path(), "settled by hand"),
            None => (args.file.as_path(), "settled first"),
        };
        bail!(
            "`{}` has {} that must be {how}",
            path.display(),
            count(left, "error")
        );
    }
    Ok(())
}

/// Whether records were made of a table as an import makes them.
fn is_imported(loaded: &Loaded) -> bool {
    matches!(loaded.source.shape, Shape::Given { .. })
}

fn no_fix(file: &Path) -> anyhow::Error {
    anyhow!(
        "`--fix` repairs text files of records; put `{0}` into a project, where every repair can be \
         undone: veneer data import {1} --into project.veneer",
        file.display(),
        shell_word(file)
    )
}

/// Write the repaired copy beside the file, or where it was asked for.
fn fix(file: &Path, out: Option<&Path>, read: &ReadArgs) -> Result<(PathBuf, Fixed)> {
    if file == Path::new("-") {
        bail!("`--fix` needs a file, not standard input: it reads the dataset a second time");
    }
    if out.is_none() && spooled::is_stream(file) {
        bail!(
            "`--fix` names the copy after the file, and `{}` is a pipe; say where it goes: --fix OUT",
            file.display()
        );
    }
    let (source, _) = input::opened(file)?;
    let fixed = data::fix(source, &dataset::with_container(file, read.options()))
        .with_context(|| format!("repairing dataset `{}`", file.display()))?;
    let out = match out {
        // `--fix A B` could be meant either way round; what is there already is never replaced.
        Some(out) if out.exists() => {
            bail!(
                "`--fix {0}`: `{0}` exists; name a file that does not",
                out.display()
            )
        }
        Some(out) => out.to_owned(),
        None => beside(file, "fixed", None),
    };
    write_atomic(&out, |writer| {
        data::write_rows(fixed.rows.iter(), &fixed.source.shape, writer)
            .map_err(std::io::Error::other)
    })?;
    Ok((out, fixed))
}

fn report(
    args: &CheckArgs,
    loaded: &Loaded,
    found: &Problems,
    fixed: Option<&(PathBuf, Fixed)>,
) -> String {
    let mut text = format!("{}\n{}", args.file.display(), about(loaded));
    text += &problems(found, args.max_problems);
    if found.total() > 0 {
        text += &format!("\nall problems\n{}", problem_counts(found));
    }
    text.push('\n');
    text += &match fixed {
        Some((path, fixed)) => repairs(path, fixed),
        None => verdict(args, loaded, found),
    };
    text
}

fn verdict(args: &CheckArgs, loaded: &Loaded, found: &Problems) -> String {
    let file = shell_word(&args.file);
    if found.n_errors() == 0 && loaded.n_pairs + loaded.n_marked > 0 && !args.read.take_chosen {
        return "No errors. To train on the better answers: --take-chosen\n".into();
    }
    match (found.n_errors(), found.n_warnings()) {
        (0, 0) => format!("No problems: {} ready to train.\n", are(loaded)),
        (0, _) => format!(
            "No errors: {} ready to train. Warnings are for you to judge.\n",
            are(loaded)
        ),
        _ if is_imported(loaded) => wrapped(
            "",
            &format!(
                "Settle them in a project, undoably:  veneer data import {file} --into project.veneer"
            ),
        ),
        _ => wrapped(
            "",
            &format!("Settle the clear ones into a copy:  veneer data check {file} --fix"),
        ),
    }
}

fn are(loaded: &Loaded) -> String {
    let n = loaded.records.len() as u64;
    format!(
        "{} {}",
        count(n, "record"),
        if n == 1 { "is" } else { "are" }
    )
}

fn repairs(path: &Path, fixed: &Fixed) -> String {
    let mut text = format!("Wrote {}\n", path.display());
    for (change, n) in &fixed.changes {
        text += &labelled(&format!("{:>9}", thousands(*n)), change.title());
    }
    if fixed.changes.is_empty() {
        text += "  nothing to repair\n";
    }
    if matches!(fixed.source.shape, Shape::Json(data::Layout::Concatenated)) {
        text += "  one record a line now\n";
    }
    if fixed.left_out.total() > 0 {
        let n = fixed.left_out.total();
        let left_out = format!(
            "Left out, because no record could be read ({}):",
            thousands(n)
        );
        text += &wrapped("", &left_out);
        for problem in fixed.left_out.first(10) {
            text += &wrapped("  ", &problem.to_string());
        }
    }
    text += &format!("  {} in the copy", count(fixed.rows.len() as u64, "record"));
    text += &match fixed.remaining.n_errors() {
        0 => ", no errors left\n".to_owned(),
        n => format!(", {} left to settle by hand\n", count(n, "error")),
    };
    text
}

fn as_json(
    args: &CheckArgs,
    loaded: &Loaded,
    found: &Problems,
    fixed: Option<&(PathBuf, Fixed)>,
) -> Value {
    let source = &loaded.source;
    let mut report = json!({
        "file": args.file.display().to_string(),
        "format": source.format,
        "reason": source.reason.to_string(),
        "shape": source.shape.describe().to_string(),
        "encoding": source.encoding.name(),
        "encoding_reason": source.encoding_reason,
        "columns": source.mapping.renames().map(|a| (a.field, a.column.as_str()))
            .collect::<std::collections::BTreeMap<_, _>>(),
        "n_records": loaded.records.len(),
        "n_in_file": loaded.n_in_file,
        "n_pairs": loaded.n_pairs,
        "n_marked": loaded.n_marked,
        "n_errors": found.n_errors(),
        "n_warnings": found.n_warnings(),
        "counts": found.counts(),
        "problems": found.first(args.max_problems),
    });
    if let Some((path, fixed)) = fixed {
        report["fixed"] = json!({
            "file": path.display().to_string(),
            "n_records": fixed.rows.len(),
            "changes": fixed.changes,
            "left_out": fixed.left_out.first(args.max_problems),
            "n_left_out": fixed.left_out.total(),
            "n_errors": fixed.remaining.n_errors(),
        });
    }
    report
}
