//! `veneer data check` of a project.

use std::{io::Write as _, path::Path};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use veneer_core::{
    project::Project,
    protocol::studio::{
        Filter, FindingKind, FindingSummary, FindingsView, ProjectView, Query, Row, TextModelView,
        TextOptions,
    },
};

use super::{
    check::CheckArgs,
    fix::of_kind,
    history::{report, short},
    layout::{labelled, wrapped},
};
use crate::{
    dataset::{ReadArgs, count, shell_word, thousands},
    project_file,
};

/// Records of a kind of finding that `--json` names.
const MAX_NAMED: u64 = 1000;

/// Bring every check up to date and say what they found. Fails if a record cannot be trained on.
pub(super) fn run(args: &CheckArgs) -> Result<()> {
    let path = &args.file;
    refuse_reading(path, &args.read)?;
    if args.length.tokenizer.is_some() {
        bail!(
            "`--tokenizer` counts tokens of a file; `{}` is a project, which takes tokenizer and \
             template from --model",
            path.display()
        );
    }
    let mut project = project_file::open_and_verify(path)?;
    if let Some(model) = &args.length.model {
        project_file::use_model(&mut project, model)?;
    }
    if let Some(name) = &args.length.chat_template {
        project_file::use_template(&mut project, name)?;
    }
    if let Some(n) = args.length.max_length {
        set_max_length(&mut project, n)?;
    }
    let check = project.check();
    let findings = project_file::run(&mut project, check)?;
    let text = match (&args.finding, args.json) {
        (Some(kind), _) => one_kind(args, &mut project, of_kind(&findings, kind)?)?,
        (None, true) => as_json(args, &mut project, &findings)?,
        (None, false) => as_text(args, &project, &findings)?,
    };
    write!(std::io::stdout(), "{text}")?;
    if findings.n_records_with_errors > 0 {
        bail!(
            "`{}` has {} with errors; see `veneer data fix {}`",
            path.display(),
            count(findings.n_records_with_errors, "record"),
            shell_word(path)
        );
    }
    Ok(())
}

/// Options that say how a file is read mean nothing to a project.
pub(super) fn refuse_reading(path: &Path, read: &ReadArgs) -> Result<()> {
    let ReadArgs {
        format,
        map,
        encoding,
        take_chosen,
        side,
    } = read;
    let given = [
        ("--format", format.is_some()),
        ("--map", map.is_some()),
        ("--encoding", encoding.is_some()),
        ("--take-chosen", *take_chosen),
        ("--side", side.is_some()),
    ];
    for (name, is_given) in given {
        if is_given {
            bail!(
                "`{name}` does not apply here: `{}` is a project, and all of its records are looked at \
                 as they were read",
                path.display()
            );
        }
    }
    Ok(())
}

/// In tokens where a model is chosen, otherwise in characters.
fn set_max_length(project: &mut Project, n: usize) -> Result<()> {
    if project.text_model()?.is_none() {
        return Ok(project.set_max_characters(n)?);
    }
    let max_length = u32::try_from(n).context("`--max-length` is too large")?;
    let options = TextOptions {
        max_length,
        ..project.text_options()?
    };
    Ok(project.set_text_options(options)?)
}

fn as_json(args: &CheckArgs, project: &mut Project, findings: &FindingsView) -> Result<String> {
    let mut kinds = json!(findings);
    for (place, found) in findings.kinds.iter().enumerate() {
        kinds["kinds"][place]["records"] = ids(&having(project, &found.kind, MAX_NAMED)?);
    }
    let view = project.view()?;
    let report = json!({
        "file": args.file.display().to_string(),
        "project": view,
        "n_records": view.n_records,
        "n_pairs": project.n_pairs()?,
        "text_model": project.text_model()?,
        "findings": kinds,
        "n_records_with_errors": findings.n_records_with_errors,
    });
    Ok(format!("{report:#}\n"))
}

fn as_text(args: &CheckArgs, project: &Project, findings: &FindingsView) -> Result<String> {
    let path = &args.file;
    let mut text = format!("{}\n", path.display());
    text += &about(
        &project.view()?,
        project.text_model()?.as_ref(),
        project.n_pairs()?,
    );
    text += &report(findings, path);
    if findings.kinds.iter().all(|found| found.n_records == 0) {
        text += "\nNo problems.\n";
    }
    Ok(text)
}

fn about(view: &ProjectView, model: Option<&TextModelView>, n_pairs: u64) -> String {
    let mut text = labelled("project", &view.name);
    let trash = match view.n_trash {
        0 => String::new(),
        n => format!(", {} in the trash", thousands(n)),
    };
    text += &labelled("records", &format!("{}{trash}", thousands(view.n_records)));
    for source in &view.sources {
        let from = format!("{}, {}", source.name, count(source.n_records, "record"));
        text += &labelled("from", &from);
    }
    if n_pairs > 0 {
        let what = format!(
            "{} of a chosen and a rejected answer. This version trains on examples only: \
             `--take-chosen` uses the better answers; the columns stay in the data",
            count(n_pairs, "pair")
        );
        text += &labelled("preference", &what);
    }
    let under = match model {
        Some(model) => {
            let template = model.options.template.as_ref();
            let template = template.map(|name| format!(", template {name}"));
            format!(
                "{}{}, at most {} tokens",
                model.name,
                template.unwrap_or_default(),
                model.options.max_length
            )
        }
        None => "none chosen: --model MODEL checks what training would refuse".into(),
    };
    text + &labelled("model", &under)
}

/// The records that have a finding, a line for each.
fn one_kind(args: &CheckArgs, project: &mut Project, found: &FindingSummary) -> Result<String> {
    let n = if args.json {
        MAX_NAMED
    } else {
        args.max_problems as u64
    };
    let rows = having(project, &found.kind, n)?;
    if args.json {
        let mut report = json!(found);
        report["records"] = ids(&rows);
        return Ok(format!("{report:#}\n"));
    }
    let mut text = format!("{}\n", args.file.display());
    let head = format!("{} ({})", found.title, found.kind);
    text += &labelled(&count(found.n_records, "record"), &head);
    text.push('\n');
    for row in &rows {
        let said = if row.prompt.is_empty() {
            &row.answer
        } else {
            &row.prompt
        };
        text += &wrapped(&format!("  {:>9}  ", row.record.0), &short(said));
    }
    let n_more = found.n_records.saturating_sub(rows.len() as u64);
    if n_more > 0 {
        text += &format!(
            "  and {} more; --max-problems shows others\n",
            thousands(n_more)
        );
    }
    if let Some(fix) = found.fixes.first() {
        text += &format!(
            "\nsettle some: veneer data fix {} \\\n          --finding {} --with {} --record ID,ID\n",
            shell_word(&args.file),
            found.kind,
            fix.0
        );
    }
    Ok(text)
}

/// The first records with a finding that nobody has accepted, in their order.
fn having(project: &mut Project, kind: &FindingKind, n: u64) -> Result<Vec<Row>> {
    let filter = Filter {
        findings: vec![kind.clone()],
        ..Filter::default()
    };
    let query = project.query(Query {
        filter,
        ..Query::default()
    });
    project_file::run(project, query)?;
    Ok(project.window(0, n)?.rows)
}

fn ids(rows: &[Row]) -> Value {
    rows.iter().map(|row| row.record.0).collect()
}
