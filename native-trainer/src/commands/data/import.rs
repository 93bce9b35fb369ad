//! `veneer data import`

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use serde_json::json;
use veneer_core::{
    data::{Encoding, ProblemKind},
    documents::Part,
    project::Project,
    protocol::studio::{
        Filter, Header, ImportSummary, Numbers, PartKind, Query, Reading, RecordReading, Rejected,
        Side, Terms,
    },
};

use super::layout::{labelled, wrapped};
use crate::{
    dataset::{ReadArgs, count, refuse_side, shell_word, thousands},
    input, leftovers,
    project_file::{self, Unborn},
};

/// Reasons for rows that were left out that are shown.
const SHOWN: usize = 10;

/// Put files into a project: one file that keeps records, their history and their checks
///
/// Reads datasets and tables (JSON, CSV, TSV, Parquet, XLSX, ODS), documents (PDF, DOCX, HTML,
/// Markdown, text: cut into pieces) and zipped folders. Files and rows that cannot be read are left
/// out, each with its reason; all the others come in, or none: Ctrl-C leaves the project as it was.
/// Records of a spreadsheet that `veneer data export` wrote come on their sides again (its column
/// `veneer_side`), unless the split of the project is frozen.
/// The same file opens in the studio of the web app.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// Files, or folders with files; `-` is standard input, with --format
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// The project, made if it is not there yet
    #[arg(long, value_name = "PROJECT")]
    into: PathBuf,

    /// Name of a project that is made [default: the file's]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Only sheets or members of archives whose name contains this
    #[arg(long, value_name = "TEXT")]
    part: Option<String>,

    /// Documents: largest piece, in tokens with --model, otherwise in characters [default: 512]
    #[arg(long, value_name = "N", help_heading = "Documents")]
    chunk_size: Option<u32>,

    /// Documents: what a piece repeats of the one before it [default: 64]
    #[arg(long, value_name = "N", help_heading = "Documents")]
    chunk_overlap: Option<u32>,

    /// Documents: tables become text, not records of their own
    #[arg(long, help_heading = "Documents")]
    tables_as_text: bool,

    /// Licence under which these files may be used, for the dataset's card: such as CC-BY-4.0
    #[arg(long, value_name = "LICENCE")]
    licence: Option<String>,

    /// Where these files can be had, for the dataset's card
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// Take this model's tokenizer and template into the project: a folder, a GGUF file, a Hub name,
    /// or `demo`
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,

    /// Built-in chat template to use in place of the model's own, for a model without one too; `own`
    /// takes back to the model's
    #[arg(long, value_name = "NAME")]
    chat_template: Option<String>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    rows: RowArgs,

    #[command(flatten)]
    read: ReadArgs,
}

/// How rows of tables become records.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Tables")]
pub(crate) struct RowArgs {
    /// Makes a field of columns, for tables without questions and answers; give it once a field:
    /// --template 'instruction=Population of {town} in {year}?' --template 'output={count} people'
    #[arg(long, value_name = "FIELD=TEXT", value_parser = field_and_text)]
    template: Vec<(String, String)>,

    /// Between the cells of a CSV, if it should not be guessed
    #[arg(long, value_name = "CHARACTER")]
    separator: Option<String>,

    /// Rows above the header that are notes, empty ones not counted [default: guessed]
    #[arg(long, value_name = "N")]
    skip_rows: Option<u32>,

    /// Rows of the header itself, 0 for none; their names are joined [default: guessed]
    #[arg(long, value_name = "N")]
    header_rows: Option<u32>,

    /// Numbers in cells, such as 1,234 or 6,000千円: as-they-stand, plain (digits without
    /// separators, currencies stay; signs for missing values become empty) or with-units (also
    /// multiplied by the unit)
    #[arg(long, value_name = "HOW", value_parser = numbers)]
    numbers: Option<Numbers>,
}

fn field_and_text(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((field, template)) if !field.trim().is_empty() => {
            Ok((field.trim().to_owned(), template.to_owned()))
        }
        _ => Err("expected FIELD=TEXT, such as output={answer}".into()),
    }
}

fn numbers(name: &str) -> Result<Numbers, String> {
    match name {
        "as-they-stand" => Ok(Numbers::AsTheyStand),
        "plain" => Ok(Numbers::Plain),
        "with-units" => Ok(Numbers::WithUnits),
        _ => Err("expected as-they-stand, plain or with-units".into()),
    }
}

pub(crate) fn run(args: &ImportArgs) -> Result<()> {
    if let (Some(size), Some(overlap)) = (args.chunk_size, args.chunk_overlap)
        && overlap > size / 2
    {
        bail!(
            "--chunk-overlap {overlap} is more than half of --chunk-size {size}; use at most {}",
            size / 2
        );
    }
    leftovers::clear(project_file::folder_of(&args.into));
    let (parts, unreadable) = args.parts()?;
    let mut has_sides = false;
    let summary = if args.into.exists() {
        let mut project = project_file::open(&args.into)?;
        let summary = args.import(&mut project, parts.clone())?;
        // What is only a hint is no reason to fail when everything is in.
        has_sides = is_split(&mut project).unwrap_or_default();
        summary
    } else {
        let unborn = Unborn::new(&args.into)?;
        let mut project = project_file::create(unborn.place(), &args.project_name())?;
        let summary = args.import(&mut project, parts.clone())?;
        drop(project);
        unborn.publish()?;
        summary
    };
    let text = if args.json {
        let parts = parts.iter().map(|(part, reading)| {
            json!({
                "name": part.view.name,
                "reason": part.view.reason.to_string(),
                "encoding": part.encoding(reading).map(Encoding::name),
                "reading": reading,
            })
        });
        let report = json!({
            "project": args.into.display().to_string(),
            "n_records": summary.n_records,
            "n_rejected": summary.n_rejected,
            "rejected": summary.rejected,
            "unread": summary.unread,
            "notes": summary.notes,
            "n_in_project": summary.project.n_records,
            "parts": parts.collect::<Vec<_>>(),
            "left_out": unreadable,
        });
        format!("{report:#}\n")
    } else {
        args.describe(&parts, &unreadable, &summary) + &args.next(has_sides)
    };
    write!(std::io::stdout(), "{text}")?;
    Ok(())
}

/// Names of what cannot be read, with the reasons.
type Unreadable = Vec<(String, String)>;

impl ImportArgs {
    fn project_name(&self) -> String {
        let stem = || self.into.file_stem().unwrap_or_default().to_string_lossy();
        self.name.clone().unwrap_or_else(|| stem().into_owned())
    }

    /// What is read and how, and what cannot be read with the reason.
    fn parts(&self) -> Result<(Vec<(Part, Reading)>, Unreadable)> {
        let mut parts = Vec::new();
        let mut unreadable = Vec::new();
        let is_input = |path: &&PathBuf| path.as_path() == Path::new("-");
        let (inputs, files): (Vec<&PathBuf>, Vec<&PathBuf>) = self.files.iter().partition(is_input);
        let files: Vec<PathBuf> = files.into_iter().cloned().collect();
        if !inputs.is_empty() && self.read.format.is_none() {
            bail!("standard input has no name to tell what it is; say it with --format");
        }
        for (path, _) in input::files(&files)? {
            if input::is_project(&path) {
                bail!(
                    "`{}` is a project; write its records to a file first, for example \
                     `veneer data export {} --to openai --out records.jsonl`",
                    path.display(),
                    shell_word(&path)
                );
            }
        }
        for path in &self.files {
            refuse_side(path, self.read.side)?;
        }
        let mut found = input::parts_of(&files)?;
        if !inputs.is_empty() {
            found.extend(input::standard_input()?);
        }
        for part in found {
            let wanted = self.part.as_ref();
            if wanted.is_some_and(|wanted| !part.view.name.contains(wanted.as_str())) {
                continue;
            }
            if part.view.beside && wanted.is_none() {
                let why = format!("{}; read it with --part", input::BESIDE);
                unreadable.push((part.view.name, why));
            } else if part.view.kind == PartKind::Unreadable && !self.says_how() {
                unreadable.push((part.view.name, part.view.reason.to_string()));
            } else {
                let reading = self.reading(&part);
                parts.push((part, reading));
            }
        }
        if parts.is_empty() && unreadable.is_empty() {
            bail!(self.nothing_found());
        }
        if parts.is_empty() {
            let reasons = unreadable
                .iter()
                .map(|(name, why)| format!("\n  `{name}`: {why}"));
            bail!("nothing here can be read:{}", reasons.collect::<String>());
        }
        Ok((parts, unreadable))
    }

    fn nothing_found(&self) -> String {
        if let Some(wanted) = &self.part {
            return format!("no sheet or file here has a name that contains `{wanted}`");
        }
        let names = self.files.iter();
        let names: Vec<String> = names.map(|path| format!("`{}`", path.display())).collect();
        format!(
            "there is no file in {}; hidden ones and links are passed over",
            names.join(", ")
        )
    }

    /// Whether the command line says what a table holds that nothing could be guessed of.
    fn says_how(&self) -> bool {
        let rows = &self.rows;
        self.read.map.is_some()
            || !rows.template.is_empty()
            || self.read.format.is_some()
            || rows.header_rows.is_some()
    }

    /// What was guessed, with what the command line says instead.
    fn reading(&self, part: &Part) -> Reading {
        let mut reading = self.read.over(part.view.reading.clone());
        match &mut reading {
            Reading::Records(records) => {
                let rows = &self.rows;
                records.separator = rows.separator.clone().or(records.separator.take());
                records.numbers = rows.numbers.unwrap_or(records.numbers);
                if rows.skip_rows.is_some() || rows.header_rows.is_some() {
                    let guessed = records.header.unwrap_or(Header {
                        skipped_rows: 0,
                        header_rows: 1,
                    });
                    records.header = Some(Header {
                        skipped_rows: rows.skip_rows.unwrap_or(guessed.skipped_rows),
                        header_rows: rows.header_rows.unwrap_or(guessed.header_rows),
                    });
                }
                self.guess_again(part, records);
                if !rows.template.is_empty() {
                    records.templates.clone_from(&rows.template);
                    if self.read.map.is_none() {
                        records.columns.clear();
                    }
                }
            }
            Reading::Chunks(chunks) => {
                chunks.size = self.chunk_size.unwrap_or(chunks.size);
                let overlap = self.chunk_overlap.unwrap_or(chunks.overlap);
                chunks.overlap = overlap.min(chunks.size / 2);
                chunks.tables_as_rows &= !self.tables_as_text;
            }
        }
        reading
    }

    /// Columns and templates were guessed under other names where rows are read otherwise now.
    fn guess_again(&self, part: &Part, records: &mut RecordReading) {
        let Reading::Records(guess) = &part.view.reading else {
            return;
        };
        if self.read.map.is_some() || guess.has_columns_of(records) {
            return;
        }
        let rows = &self.rows;
        let is_other_text =
            (&guess.encoding, &guess.separator) != (&records.encoding, &records.separator);
        let mut numbers = Some(records.numbers);
        if is_other_text {
            // Header and numbers were told by another text.
            numbers = rows.numbers;
            if rows.skip_rows.is_none() && rows.header_rows.is_none() {
                records.header = None;
            }
        }
        *records = part.guessed(records, numbers);
    }

    fn import(&self, project: &mut Project, parts: Vec<(Part, Reading)>) -> Result<ImportSummary> {
        if let Some(model) = &self.model {
            project_file::use_model(project, model)?;
        }
        if let Some(name) = &self.chat_template {
            project_file::use_template(project, name)?;
        }
        let terms = Terms {
            licence: self.licence.clone(),
            url: self.url.clone(),
        };
        let task = project.import_under(parts, terms, project_file::now_ms());
        let summary = project_file::run(project, task)?;
        if summary.n_records == 0 {
            let not_in = summary.rejected.iter().chain(&summary.unread);
            let reasons = not_in.take(SHOWN).map(|rejected| {
                format!(
                    "\n  {}, line {}: {}",
                    rejected.part, rejected.line, rejected
                )
            });
            bail!("no record came in:{}", reasons.collect::<String>());
        }
        Ok(summary)
    }

    fn describe(
        &self,
        parts: &[(Part, Reading)],
        unreadable: &[(String, String)],
        summary: &ImportSummary,
    ) -> String {
        let mut text = format!("{}\n", self.into.display());
        for (part, reading) in parts {
            let how = format!("{}; {}", part.view.name, how(part, reading));
            text += &labelled("from", &how);
        }
        for (name, reason) in unreadable {
            text += &labelled("left out", &format!("{name}: {reason}"));
        }
        let total = thousands(summary.project.n_records);
        let records = format!(
            "{} added, {total} in the project",
            thousands(summary.n_records)
        );
        text += &labelled("records", &records);
        if summary.n_rejected > 0 {
            let rejected = format!(
                "{} could not become records:",
                count(summary.n_rejected, "row")
            );
            text += &labelled("rejected", &rejected);
            for rejected in summary.rejected.iter().take(SHOWN) {
                let line = format!("{}, line {}: {}", rejected.part, rejected.line, rejected);
                text += &wrapped("              ", &line);
            }
        }
        for unread in summary.unread.iter().take(SHOWN) {
            let what = format!("{}, line {}: {unread}", unread.part, unread.line);
            let label = if is_doubt(unread) {
                "look at"
            } else {
                "left out"
            };
            text += &labelled(label, &what);
        }
        for note in &summary.notes {
            text += &labelled("note", &format!("{}: {}", note.part, note.said));
        }
        text
    }

    fn next(&self, has_sides: bool) -> String {
        let project = shell_word(&self.into);
        let mut text = format!("\nnext: veneer data check {project}\n");
        if has_sides {
            text += "The new records are on no side yet. To draw for them and move no other:\n";
            text += &format!("      veneer data split {project} --new-only\n");
        }
        text
    }
}

/// Whether any record of a project is on a side.
fn is_split(project: &mut Project) -> Result<bool> {
    let filter = Filter {
        sides: Side::ALL.map(Some).to_vec(),
        ..Filter::default()
    };
    let query = project.query(Query {
        filter,
        ..Query::default()
    });
    Ok(project_file::run(project, query)?.n > 0)
}

/// Whether it was read, and only looks as if something were wrong with it.
pub(super) fn is_doubt(unread: &Rejected) -> bool {
    let kind = unread.problem.as_ref().map(|problem| &problem.kind.0);
    kind.is_some_and(|kind| kind == ProblemKind::OddRows.name())
}

fn how(part: &Part, reading: &Reading) -> String {
    let mut how = recognised(part, reading);
    if let Reading::Records(records) = reading {
        how += numbers_read(records.numbers);
    }
    // What a format is recognised by may name the encoding already.
    let is_said = |encoding: &Encoding| how.contains(encoding.name());
    let encoding = part.encoding(reading);
    let encoding = encoding.filter(|encoding| *encoding != Encoding::UTF_8 && !is_said(encoding));
    if let Some(encoding) = encoding {
        how += &format!("; read in the encoding {encoding}");
    }
    how
}

/// What becomes of cells with numbers, where they do not stay what they are.
fn numbers_read(numbers: Numbers) -> &'static str {
    match numbers {
        Numbers::AsTheyStand => "",
        Numbers::Plain => {
            "; numbers without separators, signs for missing values empty \
             (--numbers as-they-stand keeps cells as they are)"
        }
        Numbers::WithUnits => {
            "; numbers without separators and times their unit, signs for missing values empty \
             (--numbers as-they-stand keeps cells as they are)"
        }
    }
}

fn recognised(part: &Part, reading: &Reading) -> String {
    match reading {
        Reading::Records(records) => {
            let is_guess = matches!(&part.view.reading, Reading::Records(guess)
                if (&guess.columns, &guess.templates) == (&records.columns, &records.templates));
            let mut how = if records.format.is_some() || part.view.reason.is_empty() || !is_guess {
                let format = records.format.as_deref();
                format!("read as {}", format.unwrap_or("rows"))
            } else {
                part.view.reason.to_string()
            };
            let columns = records.columns.iter().filter(|_| !is_guess);
            for (field, column) in columns {
                how += &format!("; {field} from `{column}`");
            }
            for (field, template) in &records.templates {
                how += &format!("; {field} = {template}");
            }
            how
        }
        Reading::Chunks(chunks) => format!(
            "{}; pieces of {} with {} repeated",
            part.view.reason, chunks.size, chunks.overlap
        ),
    }
}
