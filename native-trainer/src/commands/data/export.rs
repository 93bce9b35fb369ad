//! `veneer data export`

use std::{
    io::{Cursor, Read as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use veneer_core::{
    data::{Format, handover::day},
    documents::xlsx_out,
    project::{ExportFile, Project},
    protocol::studio::{DataFile, Export, ExportKind, ExportPlan, Said, Side},
};

use super::{
    import::is_doubt,
    layout::{labelled, wrapped},
    project_check::refuse_reading,
    project_split::is_model,
};
use crate::{
    dataset::{ReadArgs, count, parse_side, refuse_side, shell_word, thousands},
    files::{Prepared, fill_folder, prepare, publish_all, refuse_existing, refuse_own_source},
    input, interrupt,
    model_dir::DEMO,
    output::tell,
    project_file,
};

/// Write a dataset for another tool, for a spreadsheet, or for `veneer train`
///
/// Takes a project, or any file that `veneer data import` reads. Nothing is dropped in silence: what
/// the target cannot hold is named and counted, and nothing is written unless --lossy says that it
/// may go. Into a folder, the sides of a project become a file each, with a card (README.md).
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Project, or a file
    #[arg(value_name = "PROJECT|FILE")]
    data: PathBuf,

    /// llama-factory, axolotl, openai-fine-tuning or train-job (for `veneer train --job`); xlsx, csv
    /// or tsv (every text, column and side comes back); parquet; or a format: openai, sharegpt, alpaca,
    /// prompt-completion, query-response, text, or tokenized of records that are token ids
    #[arg(long, value_name = "TARGET", value_parser = To::from_name)]
    to: To,

    /// Folder, or one file: .jsonl, .json, .csv, .tsv, .xlsx, .parquet, or .zip for everything
    #[arg(long, value_name = "DIR|FILE")]
    out: PathBuf,

    /// Only records on these sides: train, validation, test
    #[arg(long = "only", value_name = "SIDES", value_delimiter = ',', value_parser = parse_side)]
    sides: Vec<Side>,

    /// One file for all sides
    #[arg(long)]
    one_file: bool,

    /// Write although something is lost
    #[arg(long)]
    lossy: bool,

    /// Write although records have errors, sides leak, or limits of the target are not kept
    #[arg(long)]
    anyway: bool,

    /// No README.md beside the data
    #[arg(long)]
    no_card: bool,

    /// Replace files that are there already
    #[arg(long)]
    force: bool,

    /// Title of the card [default: the project's name]
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    title: String,

    /// Licence on the card, such as cc-by-4.0
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    licence: String,

    /// Base model for configurations and the job: a Hub name, or a folder, which is named in full
    #[arg(
        long,
        value_name = "MODEL",
        default_value = "",
        hide_default_value = true
    )]
    model: String,

    /// Print one JSON object about the export
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    read: ReadArgs,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum To {
    LlamaFactory,
    Axolotl,
    OpenAi,
    TrainJob,
    Table(DataFile),
    Format(Format),
}

impl To {
    fn from_name(name: &str) -> Result<Self, String> {
        Ok(match name {
            "llama-factory" => Self::LlamaFactory,
            "axolotl" => Self::Axolotl,
            "openai-fine-tuning" => Self::OpenAi,
            "train-job" => Self::TrainJob,
            "xlsx" => Self::Table(DataFile::Xlsx),
            "csv" => Self::Table(DataFile::Csv),
            "tsv" => Self::Table(DataFile::Tsv),
            "parquet" => Self::Table(DataFile::Parquet),
            name => Self::Format(Format::from_name(name).map_err(|_| {
                "expected llama-factory, axolotl, openai-fine-tuning, train-job, xlsx, csv, tsv, \
                 parquet, or a format such as openai"
                    .to_owned()
            })?),
        })
    }
}

/// Where an export goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Out {
    Folder,
    Zip,
    File(DataFile),
}

impl Out {
    fn of(path: &Path) -> Self {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.unwrap_or_default().to_ascii_lowercase().as_str() {
            _ if path.is_dir() => Self::Folder,
            "jsonl" | "ndjson" => Self::File(DataFile::JsonLines),
            "json" => Self::File(DataFile::Json),
            "csv" => Self::File(DataFile::Csv),
            "tsv" => Self::File(DataFile::Tsv),
            "xlsx" => Self::File(DataFile::Xlsx),
            "parquet" => Self::File(DataFile::Parquet),
            "zip" => Self::Zip,
            _ => Self::Folder,
        }
    }
}

pub(crate) fn run(args: &ExportArgs) -> Result<()> {
    let mut project = args.project()?;
    let out = Out::of(&args.out);
    let export = args.export(out, &project)?;
    // What is lost is counted here, and refused here where it may not go.
    let planning = project.plan_export(Export {
        lossy: true,
        ..export.clone()
    });
    let plan = project_file::run(&mut project, planning)?;
    args.refuse(&plan)?;
    refuse_more_than_a_sheet(&export.kind, &plan)?;
    let targets = args.targets(out, &plan);
    let targets = || targets.iter().map(PathBuf::as_path);
    args.refuse_own_source(targets())?;
    refuse_existing(targets(), args.force)?;
    let task = project.export(export, &day(project_file::now_ms()));
    let file = project_file::run(&mut project, task)?;
    // All that is left is writing, and files that are not whole go with the process.
    interrupt::end_at_once()?;
    let written = args.write(out, &file)?;
    let report = if args.json {
        let counted = |said: &[(Said, u64)]| -> Vec<(String, u64)> {
            let counts = said.iter().map(|(what, n)| (what.to_string(), *n));
            counts.collect()
        };
        let report = json!({
            "data": args.data.display().to_string(),
            "out": args.out.display().to_string(),
            "files": written,
            "records": plan.files,
            "losses": counted(&plan.losses),
            "notes": counted(&plan.notes),
            "command": plan.command,
        });
        format!("{report:#}\n")
    } else {
        args.describe(&written, &plan)
    };
    write!(std::io::stdout(), "{report}")?;
    Ok(())
}

impl ExportArgs {
    /// The project, or one in memory that holds the file.
    fn project(&self) -> Result<Project> {
        if input::is_project(&self.data) {
            refuse_reading(&self.data, &self.read)?;
            return project_file::open(&self.data);
        }
        refuse_side(&self.data, self.read.side)?;
        let stem = self.data.file_stem().unwrap_or_default().to_string_lossy();
        let mut project = project_file::in_memory(&stem)?;
        let mut parts = Vec::new();
        for part in input::parts_of(std::slice::from_ref(&self.data))? {
            if part.view.beside {
                tell(&format!("left out: {}: {}", part.view.name, input::BESIDE));
                continue;
            }
            let reading = self.read.over(part.view.reading.clone());
            parts.push((part, reading));
        }
        let import = project.import(parts, project_file::now_ms());
        let summary = project_file::run(&mut project, import)?;
        if summary.n_records == 0 && self.data.is_dir() {
            bail!(
                "`{}` is a folder, and there is no record in its files; expected a project, or a file",
                self.data.display()
            );
        }
        let mut unread = summary.unread.iter().filter(|unread| !is_doubt(unread));
        if let Some(unread) = unread.next().filter(|_| !self.lossy) {
            bail!(
                "not all of `{}` is read: {unread}; `veneer data check` shows all, --lossy writes \
                 without it",
                self.data.display()
            );
        }
        if summary.n_rejected > 0 && !self.lossy {
            let first = summary.rejected.first();
            let first = first.map_or_else(String::new, |rejected| {
                format!(" (line {}: {})", rejected.line, rejected)
            });
            bail!(
                "{} of `{}` could not be read{first}; `veneer data check` shows all, --lossy \
                 writes without them",
                count(summary.n_rejected, "row"),
                self.data.display()
            );
        }
        Ok(project)
    }

    fn export(&self, out: Out, project: &Project) -> Result<Export> {
        if self.out.as_os_str() == "-" {
            bail!(
                "an export is files; `veneer data convert {} --to … --out -` writes records to \
                 standard output",
                shell_word(&self.data)
            );
        }
        self.refuse_ending(out)?;
        let one = matches!(out, Out::File(_));
        let kind = match (&self.to, out) {
            (To::LlamaFactory | To::Axolotl | To::TrainJob, Out::File(_)) => bail!(
                "this target is several files; give a folder or a .zip to --out, not `{}`",
                self.out.display()
            ),
            (To::LlamaFactory, _) => ExportKind::LlamaFactory,
            (To::Axolotl, _) => ExportKind::Axolotl,
            (To::TrainJob, _) => ExportKind::TrainJob,
            (To::OpenAi, _) => ExportKind::OpenAiFineTuning,
            (To::Table(DataFile::Parquet), _) => ExportKind::Data {
                format: Format::Openai.name().into(),
                container: DataFile::Parquet,
            },
            (To::Table(container), _) => ExportKind::Spreadsheet {
                container: *container,
            },
            (To::Format(format), out) => ExportKind::Data {
                format: format.name().into(),
                container: match out {
                    Out::File(container) => container,
                    Out::Folder | Out::Zip => DataFile::JsonLines,
                },
            },
        };
        Ok(Export {
            kind,
            by_side: !one && !self.one_file,
            sides: self.sides.clone(),
            list_only: false,
            lossy: self.lossy,
            card: !one && !self.no_card,
            title: self.title.clone(),
            licence: self.licence.clone(),
            model: self.base_model(project)?,
        })
    }

    /// A folder by its full name, as what is written is used from elsewhere. A job takes the model
    /// of the project where no other is named.
    fn base_model(&self, project: &Project) -> Result<String> {
        let mut model = self.model.clone();
        if model.is_empty() && self.to == To::TrainJob {
            let chosen = project.text_model()?.map(|chosen| chosen.name);
            model = chosen.filter(|name| is_model(name)).unwrap_or_default();
        }
        let path = Path::new(&model);
        // `demo` is the one in the binary, whatever lies here.
        if model == DEMO || !path.exists() {
            return Ok(model);
        }
        let path =
            std::path::absolute(path).with_context(|| format!("finding the model `{model}`"))?;
        Ok(path.display().to_string())
    }

    /// A name that says another kind of file than the target is.
    fn refuse_ending(&self, out: Out) -> Result<()> {
        let expected = match (&self.to, out) {
            (To::Table(container), Out::File(file)) if file != *container => container.extension(),
            (To::OpenAi, Out::File(file)) if file != DataFile::JsonLines => "jsonl",
            (_, Out::Folder) if is_foreign_file(&self.out) => {
                "jsonl, .csv, .xlsx, .parquet or .zip"
            }
            _ => return Ok(()),
        };
        bail!(
            "`{}` has the ending of another kind of file; expected .{expected}, or a folder",
            self.out.display()
        )
    }

    /// The files that will be written.
    fn targets(&self, out: Out, plan: &ExportPlan) -> Vec<PathBuf> {
        match out {
            Out::Folder => {
                let names = plan.files.iter().map(|(name, _)| name);
                names.map(|name| self.out.join(name)).collect()
            }
            Out::Zip | Out::File(_) => vec![self.out.clone()],
        }
    }

    /// Of a folder every file that is read.
    fn refuse_own_source<'a>(&self, targets: impl Iterator<Item = &'a Path>) -> Result<()> {
        let read = input::files(std::slice::from_ref(&self.data))?;
        let read: Vec<&Path> = read.iter().map(|(path, _)| path.as_path()).collect();
        refuse_own_source(targets, &read)
    }

    fn refuse(&self, plan: &ExportPlan) -> Result<()> {
        let stands_in_the_way = plan.impossible || (!self.anyway && !plan.obstacles.is_empty());
        let loses = !self.lossy && !plan.losses.is_empty();
        if !stands_in_the_way && !loses {
            return Ok(());
        }
        let mut text = format!("`{}` cannot be exported like this:", self.data.display());
        for obstacle in &plan.obstacles {
            text += &format!("\n  {obstacle}");
        }
        for (what, n) in &plan.losses {
            text += &format!("\n  {}: {what}", count(*n, "record"));
        }
        text += "\nnothing was written";
        if plan.impossible {
            if self.to == To::Format(Format::Tokenized) {
                let data = shell_word(&self.data);
                text += &format!(
                    "; `veneer data convert {data} --to tokenized --model … --out …` makes token ids"
                );
            }
            bail!(text)
        }
        if !plan.obstacles.is_empty() && !self.anyway {
            text += "; --anyway writes all the same";
        }
        if loses {
            text += "; --lossy writes without what the target cannot hold";
        }
        bail!(text)
    }

    /// All files, or none; returns their paths.
    fn write(&self, out: Out, file: &ExportFile) -> Result<Vec<String>> {
        let is_zip = file.name.ends_with(".zip");
        match out {
            Out::Zip if is_zip => publish_all(vec![put(&self.out, &file.bytes)?])?,
            Out::File(_) if !is_zip => publish_all(vec![put(&self.out, &file.bytes)?])?,
            Out::File(_) | Out::Zip => bail!(
                "the export is {}; name it with --out, or give a folder",
                if is_zip { "several files" } else { "one file" }
            ),
            Out::Folder => {
                let files = if is_zip {
                    unpacked(&file.bytes)?
                } else {
                    vec![(file.name.clone(), file.bytes.clone())]
                };
                return into_folder(&self.out, &files);
            }
        }
        Ok(vec![self.out.display().to_string()])
    }

    fn describe(&self, written: &[String], plan: &ExportPlan) -> String {
        let mut text = format!("{}\n", self.data.display());
        for (name, n) in &plan.files {
            if *n > 0 {
                text += &labelled(&name.clone(), &count(*n, "record"));
            }
        }
        for (what, n) in &plan.losses {
            text += &labelled("lost", &format!("{}: {what}", count(*n, "record")));
        }
        for (what, n) in &plan.notes {
            text += &labelled("note", &format!("{}: {what}", count(*n, "record")));
        }
        text += "\nWrote\n";
        for path in written {
            text += &wrapped("  ", path);
        }
        if !plan.command.is_empty() {
            text += &format!("\nnext, there: {}\n", plan.command);
        }
        text
    }
}

/// Refused before anything is written, which takes its time.
fn refuse_more_than_a_sheet(kind: &ExportKind, plan: &ExportPlan) -> Result<()> {
    let is_sheet = |kind: &ExportKind| {
        matches!(
            kind,
            ExportKind::Spreadsheet {
                container: DataFile::Xlsx
            } | ExportKind::Data {
                container: DataFile::Xlsx,
                ..
            }
        )
    };
    const MOST: u64 = xlsx_out::MAX_ROWS as u64 - 1;
    let too_large = plan.files.iter().find(|(_, n)| *n > MOST);
    if let Some((name, n)) = too_large.filter(|_| is_sheet(kind)) {
        bail!(
            "`{name}` would have {}, and a sheet holds {} below its header; write csv, parquet or \
             jsonl, or only some with --only",
            count(*n, "record"),
            thousands(MOST)
        );
    }
    Ok(())
}

/// A file but for its name.
fn put(path: &Path, bytes: &[u8]) -> Result<Prepared> {
    prepare(path, |writer| writer.write_all(bytes))
}

/// All files into a folder, or none.
fn into_folder(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<Vec<String>> {
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| folder.join(name)).collect();
    fill_folder(folder, || {
        let prepared = paths.iter().zip(files);
        let prepared = prepared.map(|(path, (_, bytes))| put(path, bytes));
        publish_all(prepared.collect::<Result<_>>()?)
    })?;
    let shown = paths.iter().map(|path| path.display().to_string());
    Ok(shown.collect())
}

/// Whether a name is one of a file that an export is not, rather than a folder's.
fn is_foreign_file(path: &Path) -> bool {
    const ENDINGS: [&str; 12] = [
        "txt", "md", "html", "pdf", "docx", "ods", "xls", "gz", "yaml", "yml", "arrow", "veneer",
    ];
    let extension = path.extension().and_then(|extension| extension.to_str());
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    !path.is_dir() && ENDINGS.contains(&extension.as_str())
}

/// The members of an archive that we made ourselves.
fn unpacked(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).context("unpacking the export")?;
    let mut files = Vec::new();
    for i in 0..zip.len() {
        let mut member = zip.by_index(i).context("unpacking the export")?;
        let name = member.name().context("unpacking the export")?.into_owned();
        if member.enclosed_name().is_none() || name.contains(['/', '\\']) {
            bail!("the export holds a file `{name}` outside of its folder");
        }
        let mut content = Vec::new();
        member
            .read_to_end(&mut content)
            .context("unpacking the export")?;
        files.push((name, content));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_where_an_export_goes() {
        assert_eq!(
            Out::of(Path::new("x.jsonl")),
            Out::File(DataFile::JsonLines)
        );
        assert_eq!(Out::of(Path::new("x.XLSX")), Out::File(DataFile::Xlsx));
        assert_eq!(Out::of(Path::new("x.zip")), Out::Zip);
        assert_eq!(Out::of(Path::new("folder")), Out::Folder);
        assert_eq!(Out::of(Path::new("v1.2")), Out::Folder);
    }

    #[test]
    fn a_failed_export_leaves_no_folder() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("new/folder");
        let files = |name: &str| [("a".to_owned(), vec![1]), (name.to_owned(), vec![2])];
        assert!(into_folder(&folder, &files(&"x".repeat(300))).is_err());
        assert!(!place.path().join("new").exists());
        assert_eq!(into_folder(&folder, &files("b")).unwrap().len(), 2);
        assert!(into_folder(&folder, &files(&"x".repeat(300))).is_err());
        assert!(folder.join("b").exists());
    }

    #[test]
    fn more_records_than_a_sheet_has_rows_are_refused() {
        let of = |container| ExportKind::Spreadsheet { container };
        let plan = |n| ExportPlan {
            files: vec![("a.xlsx".into(), n), ("README.md".into(), 0)],
            ..ExportPlan::default()
        };
        assert!(refuse_more_than_a_sheet(&of(DataFile::Xlsx), &plan(1_048_575)).is_ok());
        assert!(refuse_more_than_a_sheet(&of(DataFile::Csv), &plan(1_048_576)).is_ok());
        let refused = refuse_more_than_a_sheet(&of(DataFile::Xlsx), &plan(1_048_576));
        let refused = refused.unwrap_err().to_string();
        assert!(
            refused.contains("1,048,576 records") && refused.contains("csv"),
            "{refused}"
        );
    }

    #[test]
    fn targets_have_names() {
        assert_eq!(To::from_name("llama-factory"), Ok(To::LlamaFactory));
        assert_eq!(To::from_name("alpaca"), Ok(To::Format(Format::Alpaca)));
        assert!(To::from_name("excel").is_err());
    }
}
