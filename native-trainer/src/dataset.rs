//! Dataset files for the commands that use them.

use std::{
    fmt::Write as _,
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use veneer_core::{
    data::{
        Container, DatasetError, Encoding, Format, Loaded, Mapping, ReadOptions, Record, Severity,
        handover::side_name,
    },
    documents::{self, Part},
    protocol::studio::{PartKind, Reading, Side},
};

use crate::{
    input::{self, Input},
    output::tell,
    project_file,
};

mod sides;

pub(crate) use sides::{Sides, refuse_side, side_to_measure, side_to_train, split_of};

/// Problems named when a dataset is refused.
const SHOWN_PROBLEMS: usize = 5;

/// How to read a dataset, on any command line.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ReadArgs {
    /// Format of the file, if it should not be guessed: alpaca, sharegpt, openai,
    /// prompt-completion, query-response, text or tokenized
    #[arg(long, value_name = "FORMAT", value_parser = Format::from_name)]
    pub(crate) format: Option<Format>,

    /// Which column plays which part, for example `instruction=Question,output=Answer`
    #[arg(long, value_name = "FIELD=COLUMN,…", value_parser = Mapping::parse)]
    pub(crate) map: Option<Mapping>,

    /// Encoding of the file, if it should not be guessed: utf-8, utf-16le, shift_jis, latin1, …
    #[arg(long, value_name = "NAME", value_parser = Encoding::from_name)]
    pub(crate) encoding: Option<Encoding>,

    /// Of preference data, use the chosen answers as examples
    #[arg(long)]
    pub(crate) take_chosen: bool,

    /// Of a project, only the records on this side: train, validation or test; or all of them
    #[arg(long, value_name = "SIDE", value_parser = Sides::from_name)]
    pub(crate) side: Option<Sides>,
}

/// A side by its name.
pub(crate) fn parse_side(name: &str) -> Result<Side, String> {
    let known = Side::ALL.into_iter().find(|side| side_name(*side) == name);
    known.ok_or_else(|| "expected train, validation or test".into())
}

/// [`ReadArgs`] as a run remembers them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReadSpec {
    format: Option<String>,
    map: Option<String>,
    encoding: Option<String>,
    take_chosen: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) side: Option<Sides>,
}

impl ReadSpec {
    /// # Errors
    /// Names that this version does not know.
    pub(crate) fn args(&self) -> Result<ReadArgs> {
        let (format, map, encoding) = (&self.format, &self.map, &self.encoding);
        Ok(ReadArgs {
            format: format.as_deref().map(Format::from_name).transpose()?,
            map: map.as_deref().map(Mapping::parse).transpose()?,
            encoding: encoding.as_deref().map(Encoding::from_name).transpose()?,
            take_chosen: self.take_chosen,
            side: self.side,
        })
    }
}

impl ReadArgs {
    pub(crate) fn spec(&self) -> ReadSpec {
        let assignments = |map: &Mapping| {
            let parts = map
                .0
                .iter()
                .map(|part| format!("{}={}", part.field, part.column));
            parts.collect::<Vec<_>>().join(",")
        };
        ReadSpec {
            format: self.format.map(|format| format.name().into()),
            map: self.map.as_ref().map(assignments),
            encoding: self.encoding.map(|encoding| encoding.name().into()),
            take_chosen: self.take_chosen,
            side: self.side,
        }
    }

    /// A reading that was guessed, with what the command line says instead.
    pub(crate) fn over(&self, reading: Reading) -> Reading {
        over(&self.options(), reading)
    }

    pub(crate) fn options(&self) -> ReadOptions {
        ReadOptions {
            format: self.format,
            mapping: self.map.clone().unwrap_or_default(),
            encoding: self.encoding,
            take_chosen: self.take_chosen,
            ..ReadOptions::default()
        }
    }
}

fn over(options: &ReadOptions, mut reading: Reading) -> Reading {
    let encoding = options.encoding.map(|encoding| encoding.name().to_owned());
    if let Reading::Chunks(chunks) = &mut reading {
        chunks.encoding = encoding.or(chunks.encoding.take());
    } else if let Reading::Records(records) = &mut reading {
        let format = options.format.map(|format| format.name().to_owned());
        records.format = format.or(records.format.take());
        records.encoding = encoding.or(records.encoding.take());
        records.take_chosen |= options.take_chosen;
        if !options.mapping.0.is_empty() {
            // The columns are named, so that a table without questions and answers has some.
            records.templates.clear();
            let pairs = options.mapping.0.iter();
            records.columns = pairs
                .map(|pair| (pair.field.to_owned(), pair.column.clone()))
                .collect();
        }
    }
    reading
}

/// Records that can be trained on or scored.
pub(crate) struct Dataset {
    pub(crate) records: Vec<Record>,
    /// What the file turned out to be, in one line.
    pub(crate) description: String,
    /// Problems that do not prevent its use, by kind; empty when there are none.
    pub(crate) warnings: String,
}

/// Read a dataset to use it. Fails if any record has a fault that would be trained on or lost.
pub(crate) fn read(path: &Path, options: &ReadOptions, side: Option<Sides>) -> Result<Dataset> {
    let loaded = load(path, options, side)?;
    refuse_errors(path, &loaded)?;
    if loaded.n_pairs + loaded.n_marked > 0 && !options.take_chosen {
        bail!(
            "`{}` is preference data ({}), and this version of Veneer learns from examples only; \
             `--take-chosen` uses the better answers as examples",
            path.display(),
            preference(&loaded),
        );
    }
    if loaded.records.is_empty() {
        bail!("`{}` has no record that can be used", path.display());
    }
    Ok(Dataset {
        description: describe(&loaded),
        warnings: warnings(&loaded),
        records: loaded.records,
    })
}

/// Read a dataset to look at it, faults included: a file of any kind, or a project.
pub(crate) fn load(path: &Path, options: &ReadOptions, side: Option<Sides>) -> Result<Loaded> {
    if path.is_dir() {
        bail!(
            "`{}` is a folder, expected a file or a project; `veneer data import {} --into P.veneer` \
             makes a project of the files in it",
            path.display(),
            shell_word(path)
        );
    }
    let kind = input::kind(path)?;
    if !matches!(kind, Input::Project) {
        refuse_side(path, side)?;
    }
    match kind {
        Input::Project => load_project(path, options, side),
        Input::Parts(parts) => load_parts(path, parts, options),
        Input::Text => load_text(path, options),
    }
}

/// The same for whoever only looks: a table is read as an import reads it where reading it as it stands
/// finds no questions and answers.
pub(crate) fn load_as_imported(
    path: &Path,
    options: &ReadOptions,
    side: Option<Sides>,
) -> Result<Loaded> {
    let error = match load(path, options, side) {
        Err(error) if options.mapping.0.is_empty() && path != Path::new("-") => error,
        other => return other,
    };
    let may_be_imported = match error.downcast_ref() {
        Some(DatasetError::UnknownColumns { hint, .. }) => hint.is_empty(),
        Some(DatasetError::NothingReadable { .. }) => !is_json(path),
        _ => false,
    };
    if !may_be_imported {
        return Err(error);
    }
    let parts = input::parts(path)?;
    let seen = parts.first().map(|part| {
        let reading = over(options, part.view.reading.clone());
        (part.view.reason.clone(), part.encoding(&reading))
    });
    let mut loaded = load_parts(path, parts, options)?;
    if let Some((reason, encoding)) = seen {
        loaded.source.reason = reason;
        if let Some(encoding) = encoding {
            loaded.source.encoding = encoding;
            loaded.source.encoding_reason = "as an import reads it";
        }
    }
    Ok(loaded)
}

fn is_json(path: &Path) -> bool {
    with_container(path, ReadOptions::default()).container == Some(Container::Json)
}

fn load_project(path: &Path, options: &ReadOptions, side: Option<Sides>) -> Result<Loaded> {
    let project = project_file::open_and_verify(path)?;
    let sides: Vec<Side> = side.and_then(Sides::one).into_iter().collect();
    let loaded = project
        .loaded(&sides, options)
        .with_context(|| format!("reading project `{}`", path.display()))?;
    if let Some(side) = side.and_then(Sides::one)
        && loaded.n_in_file == 0
    {
        bail!(
            "`{0}` has no records on the side `{1}`; draw the sides with \
             `veneer data split {2} --val 0.1 --test 0.1`",
            path.display(),
            side_name(side),
            shell_word(path)
        );
    }
    Ok(loaded)
}

fn load_parts(path: &Path, parts: Vec<Part>, options: &ReadOptions) -> Result<Loaded> {
    let mut readings = Vec::new();
    let mut unreadable = Vec::new();
    for part in parts {
        if part.view.beside {
            unreadable.push(format!("{}: {}", part.view.name, input::BESIDE));
        } else if part.view.kind == PartKind::Unreadable && options.mapping.0.is_empty() {
            unreadable.push(format!("{}: {}", part.view.name, part.view.reason));
        } else {
            let reading = over(options, part.view.reading.clone());
            readings.push((part, reading));
        }
    }
    if readings.is_empty() {
        bail!("nothing can be read of {}", unreadable.join("\n  "));
    }
    for reason in unreadable {
        tell(&format!("left out: {reason}"));
    }
    documents::load(&readings, options, None)
        .with_context(|| format!("reading dataset `{}`", path.display()))
}

fn load_text(path: &Path, options: &ReadOptions) -> Result<Loaded> {
    let options = with_container(path, options.clone());
    let reading = || format!("reading dataset `{}`", path.display());
    let loaded = if path == Path::new("-") {
        veneer_core::data::read(std::io::stdin().lock(), &options)
    } else {
        let (file, n_bytes) = input::opened(path)?;
        let bar = reading_bar(n_bytes);
        let loaded = veneer_core::data::read(bar.wrap_read(file), &options);
        bar.finish_and_clear();
        loaded
    };
    loaded.with_context(reading)
}

/// Progress on a terminal, for files that take longer than a second to read.
fn reading_bar(n_bytes: u64) -> ProgressBar {
    const QUICK_BYTES: u64 = 32 << 20;
    if n_bytes < QUICK_BYTES || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(n_bytes);
    let style = "reading {bar:20} {bytes}/{total_bytes} ETA {eta}";
    match ProgressStyle::with_template(style) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// What the file's name says about its shape.
pub(crate) fn with_container(path: &Path, mut options: ReadOptions) -> ReadOptions {
    let extension = path.extension().and_then(|extension| extension.to_str());
    options.container = options
        .container
        .or(extension.and_then(Container::from_extension));
    options
}

/// Fails, with the first ones, if the dataset has errors.
pub(crate) fn refuse_errors(path: &Path, loaded: &Loaded) -> Result<()> {
    let n_errors = loaded.problems.n_errors();
    if n_errors == 0 {
        return Ok(());
    }
    let mut text = format!(
        "`{}` has {} that must be settled first:",
        path.display(),
        count(n_errors, "problem")
    );
    for problem in loaded.problems.first(SHOWN_PROBLEMS) {
        if problem.severity == Severity::Error {
            write!(text, "\n  {problem}")?;
        }
    }
    if n_errors > SHOWN_PROBLEMS as u64 {
        write!(text, "\n  and {} more", n_errors - SHOWN_PROBLEMS as u64)?;
    }
    let name = shell_word(path);
    let settling = match input::is_project(path) {
        true => format!("how to settle them:   veneer data fix {name}"),
        false => format!("settle the clear ones: veneer data check {name} --fix"),
    };
    write!(
        text,
        "\n  see all of them:      veneer data check {name}\n  {settling}"
    )?;
    bail!(text)
}

/// `alpaca, JSON array, UTF-8, 91 records`
pub(crate) fn describe(loaded: &Loaded) -> String {
    let source = &loaded.source;
    format!(
        "{}, {}, {}, {}",
        source.format,
        source.shape.describe(),
        source.encoding,
        count(loaded.records.len() as u64, "record"),
    )
}

/// `300 pairs of a chosen and a rejected answer`
pub(crate) fn preference(loaded: &Loaded) -> String {
    match (loaded.n_pairs, loaded.n_marked) {
        (pairs, 0) => format!("{} of a chosen and a rejected answer", count(pairs, "pair")),
        (0, marked) => format!("{} marked as good or bad", count(marked, "answer")),
        (pairs, marked) => format!(
            "{}, {} marked",
            count(pairs, "pair"),
            count(marked, "answer")
        ),
    }
}

fn warnings(loaded: &Loaded) -> String {
    let kinds = loaded.problems.counts().iter();
    let warned = kinds.filter(|(kind, _)| kind.severity() == Severity::Warning);
    let texts: Vec<String> = warned
        .map(|(kind, n)| format!("{} ({n})", kind.title()))
        .collect();
    texts.join(", ")
}

/// `1 record`, `2 records`, `12,345 records`
pub(crate) fn count(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(n), if n == 1 { "" } else { "s" })
}

/// `12,345`
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A path as a shell takes it.
pub(crate) fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// `data/a.json` with `fixed` → `data/a.fixed.json`.
pub(crate) fn beside(path: &Path, label: &str, extension: Option<&str>) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let own = path
        .extension()
        .map(|extension| extension.to_string_lossy().into_owned());
    match extension.map(String::from).or(own) {
        Some(extension) => path.with_file_name(format!("{stem}.{label}.{extension}")),
        None => path.with_file_name(format!("{stem}.{label}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_for_people() {
        assert_eq!(
            (thousands(999), thousands(1_234_567)),
            ("999".into(), "1,234,567".into())
        );
        assert_eq!(
            beside(Path::new("d/a.json"), "val", None),
            Path::new("d/a.val.json")
        );
        assert_eq!(shell_word(Path::new("my file.json")), "'my file.json'");
    }

    #[test]
    fn a_table_is_looked_at_as_it_is_imported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let options = ReadOptions::default();
        let look = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            load_as_imported(&path, &options, None)
        };
        let loaded = look(b"Bank figures 2024\n\nquestion,answer\nWhat is it?,A lamp\n").unwrap();
        assert_eq!((loaded.records.len(), loaded.problems.n_errors()), (1, 0));
        let loaded = look(b"country,energy\nAustria,30633\n").unwrap();
        assert_eq!(loaded.records.len(), 1);
        assert!(
            matches!(
                loaded.source.reason,
                veneer_core::protocol::studio::Said::Phrase(..)
            ),
            "templates made the record"
        );
        let loaded = look(b"town,people\nS\xe3o Paulo,12\nM\xfcnchen,1\n").unwrap();
        assert_eq!(loaded.source.encoding.name(), "windows-1252");
        assert!(load(&path, &options, None).is_err(), "nothing to train on");
        let error = look(b"instrction,outptu\na,b\n").unwrap_err();
        assert!(format!("{error:#}").contains("did you mean"), "{error:#}");
        let old = [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &[7; 600]].concat();
        let error = format!("{:#}", look(&old).unwrap_err());
        assert!(error.contains("XLSX") && error.len() < 400, "{error}");
    }

    #[test]
    fn a_folder_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let refused = load_as_imported(folder.path(), &ReadOptions::default(), None);
        let text = refused.unwrap_err().to_string();
        assert!(
            text.contains("is a folder") && text.contains("veneer data import"),
            "{text}"
        );
    }

    #[test]
    fn a_dataset_with_errors_is_refused_with_lines_and_a_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        std::fs::write(&path, "{\"query\":\"a\",\"response\":\"b\"}\n{\"query\":\n").unwrap();
        let Err(error) = read(&path, &ReadOptions::default(), None) else {
            panic!("refused")
        };
        let text = error.to_string();
        assert!(text.contains("line 2") && text.contains("--fix"), "{text}");
    }
}
