//! `veneer data check` of a project.

use std::{io::Write as _, path::Path};

use anyhow::{Result, bail};
use serde_json::json;

use super::{history::report, layout::labelled};
use crate::{
    dataset::{count, shell_word, thousands},
    project_file,
};

/// Bring every check up to date and say what they found. Fails if a record cannot be trained on.
pub(super) fn run(path: &Path, model: Option<&str>, as_json: bool) -> Result<()> {
    let mut project = project_file::open_and_verify(path)?;
    if let Some(model) = model {
        project_file::use_model(&mut project, model)?;
    }
    let check = project.check();
    let findings = project_file::run(&mut project, check)?;
    let view = project.view()?;
    let text_model = project.text_model()?;
    if as_json {
        let report = json!({
            "file": path.display().to_string(),
            "project": view,
            "n_records": view.n_records,
            "text_model": text_model,
            "findings": findings,
            "n_records_with_errors": findings.n_records_with_errors,
        });
        writeln!(std::io::stdout(), "{report:#}")?;
    } else {
        let mut text = format!("{}\n", path.display());
        text += &labelled("project", &view.name);
        let trash = match view.n_trash {
            0 => String::new(),
            n => format!(", {} in the trash", thousands(n)),
        };
        text += &labelled("records", &format!("{}{trash}", thousands(view.n_records)));
        for source in &view.sources {
            let from = format!("{}, {}", source.name, count(source.n_records, "record"));
            text += &labelled("from", &from);
        }
        let under = match &text_model {
            Some(model) => format!(
                "{}, at most {} tokens",
                model.name, model.options.max_length
            ),
            None => "none chosen: --model MODEL checks what training would refuse".into(),
        };
        text += &labelled("model", &under);
        text += &report(&findings, path);
        if findings.kinds.iter().all(|found| found.n_records == 0) {
            text += "\nNo problems.\n";
        }
        write!(std::io::stdout(), "{text}")?;
    }
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
