//! `veneer data split`

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};
use veneer_core::{
    data::{
        self, Loaded, Portion, Shape, Split, SplitOptions,
        handover::{SIDE_COLUMN, side_named},
    },
    protocol::studio::SplitPlan,
};

use super::{
    layout::{about, labelled},
    project_split,
};
use crate::{
    dataset::{self, ReadArgs, beside, count, shell_word, thousands},
    files::{Prepared, fill_folder, prepare, publish_all, refuse_existing},
    input, spooled,
};

/// Values of the stratifying column that are listed; `--json` has all.
const MAX_SHOWN_STRATA: usize = 20;

/// Set records aside for validation and test, without leaks
///
/// The same seed draws the same split. Records that ask the same, exact duplicates among them, and
/// records of one --group stay on one side. All files are written, or none. In a project the sides
/// are kept with the records instead, and `veneer data undo` takes a split back; without a share or
/// a count they are shown as they are.
#[derive(Debug, clap::Args)]
pub(crate) struct SplitArgs {
    /// Dataset, spreadsheet or project
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,

    /// Share of the records for validation, for example 0.1
    #[arg(
        long,
        value_name = "SHARE",
        conflicts_with = "val_count",
        allow_negative_numbers = true
    )]
    pub(super) val: Option<f64>,

    /// Number of records for validation
    #[arg(long, value_name = "N")]
    pub(super) val_count: Option<usize>,

    /// Share of the records for a test set
    #[arg(
        long,
        value_name = "SHARE",
        conflicts_with = "test_count",
        allow_negative_numbers = true
    )]
    pub(super) test: Option<f64>,

    /// Number of records for a test set
    #[arg(long, value_name = "N")]
    pub(super) test_count: Option<usize>,

    /// Keep records with the same value of this column on one side; a dot goes inside:
    /// metadata.source. In a project `source:` is the file that a record came from
    #[arg(long, value_name = "FIELD")]
    pub(super) group: Option<String>,

    /// Give each value of this column the same share on every side; `language:` is told from the
    /// text, and `language` too where no column has that name
    #[arg(long, value_name = "FIELD")]
    pub(super) stratify: Option<String>,

    /// Number that decides the draw [default: 42]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,

    /// In a project: draw only for records that are on no side. The others stay, and a new record
    /// that belongs to one of them joins it. Shares are those of the new records; what is not given
    /// is as it was drawn last
    #[arg(long)]
    pub(super) new_only: bool,

    /// In a project: freeze the sides with a hash, so that nothing moves them
    #[arg(long)]
    pub(super) freeze: bool,

    /// In a project: give frozen sides free, to draw them again or to take in new records
    #[arg(long, conflicts_with = "freeze")]
    pub(super) thaw: bool,

    /// Folder for the files, if not that of FILE. They are called FILE.train.EXT, FILE.val.EXT
    /// and FILE.test.EXT
    #[arg(long, value_name = "DIR")]
    pub(super) out_dir: Option<PathBuf>,

    /// Replace files that are there already
    #[arg(long)]
    force: bool,

    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) read: ReadArgs,
}

pub(crate) fn run(args: SplitArgs) -> Result<()> {
    if input::is_project(&args.file) {
        return project_split::run(&args);
    }
    for (name, is_given) in [
        ("new-only", args.new_only),
        ("freeze", args.freeze),
        ("thaw", args.thaw),
    ] {
        if is_given {
            bail!(
                "`--{name}` is for projects; `{}` is a file",
                args.file.display()
            );
        }
    }
    if args.file == Path::new("-") || spooled::is_stream(&args.file) {
        bail!(
            "`split` names its files after the dataset; give a file, not standard input or a pipe"
        );
    }
    let mut options = args.read.options();
    options.keep_raw = true;
    let mut loaded = dataset::load(&args.file, &options, args.read.side)?;
    let n_unreadable = loaded.n_in_file - loaded.n_left_out - loaded.records.len() as u64;
    if n_unreadable > 0 {
        dataset::refuse_errors(&args.file, &loaded)?;
    }
    let split = data::split(&loaded.records, &args.options())
        .with_context(|| format!("splitting `{}`", args.file.display()))?;
    let drops_sides = drop_other_sides(&mut loaded);
    let sides: Vec<(&str, PathBuf, &[usize])> = [
        ("train", &split.train),
        ("val", &split.val),
        ("test", &split.test),
    ]
    .into_iter()
    .filter(|(name, side)| *name == "train" || !side.is_empty())
    .map(|(name, side)| (name, args.path(name, &loaded.source.shape), side.as_slice()))
    .collect();
    refuse_existing(sides.iter().map(|(_, path, _)| path.as_path()), args.force)?;
    let write_all = || {
        let prepared = sides.iter();
        let prepared = prepared.map(|(_, path, side)| write(path, &loaded, side));
        publish_all(prepared.collect::<Result<Vec<Prepared>>>()?)
    };
    match &args.out_dir {
        Some(folder) => fill_folder(folder, write_all)?,
        None => write_all()?,
    }
    let text = if args.json {
        let files: Vec<_> = sides
            .iter()
            .map(|(name, path, side)| json!({"side": name, "file": path.display().to_string(), "n_records": side.len()}))
            .collect();
        let strata: Vec<_> = split
            .strata
            .iter()
            .map(|(value, [train, val, test])| json!({"value": value, "train": train, "val": val, "test": test}))
            .collect();
        let report = json!({
            "seed": args.seed(), "files": files, "strata": strata,
            "n_asked": {"val": split.asked[0], "test": split.asked[1]},
            "n_groups": split.n_groups, "largest_group": split.largest_group,
            "n_ungrouped": split.n_ungrouped,
        });
        format!("{report:#}\n")
    } else {
        describe(&args, &loaded, &split, &sides)
    };
    if drops_sides {
        eprintln!("note: left out: the sides in the column `{SIDE_COLUMN}`, which are others now");
    }
    write!(std::io::stdout(), "{text}")?;
    Ok(())
}

impl SplitArgs {
    fn seed(&self) -> u64 {
        self.seed.unwrap_or(SplitPlan::default().seed)
    }

    fn options(&self) -> SplitOptions {
        let portion = |share: Option<f64>, count: Option<usize>| match (share, count) {
            (Some(share), _) => Portion::Share(share),
            (_, Some(count)) => Portion::Count(count),
            (None, None) => Portion::None,
        };
        SplitOptions {
            val: portion(self.val, self.val_count),
            test: portion(self.test, self.test_count),
            seed: self.seed(),
            group: self.group.clone(),
            stratify: self.stratify.clone(),
            duplicates_apart: false,
        }
    }

    fn path(&self, side: &str, shape: &Shape) -> PathBuf {
        // Of a spreadsheet only the rows can be written.
        let extension = matches!(shape, Shape::Given { .. }).then_some("jsonl");
        let path = beside(&self.file, side, extension);
        match (&self.out_dir, path.file_name()) {
            (Some(folder), Some(name)) => folder.join(name),
            _ => path,
        }
    }
}

/// Where sides are not as large as they were to be: that, and why.
pub(super) fn asked(wanted: [u64; 2], found: [u64; 2]) -> String {
    if wanted == found {
        return String::new();
    }
    let [val, test] = wanted.map(thousands);
    let asked = format!(
        "{val} for validation and {test} for test; records that belong together are not divided"
    );
    labelled("asked", &asked)
}

/// A value of the stratifying column; records without one have the empty one.
pub(super) fn value_name(value: &str) -> &str {
    if value.is_empty() {
        "(no value)"
    } else {
        value
    }
}

/// Takes sides of an earlier split out of the rows: a project would believe them. False where the rows
/// say none.
fn drop_other_sides(loaded: &mut Loaded) -> bool {
    let said = |row: &Map<String, Value>| row.get(SIDE_COLUMN)?.as_str().map(str::to_owned);
    let names_side = |said: String| side_named(&said).is_some();
    let rows = loaded.raw.iter();
    if !rows.filter_map(said).any(names_side) {
        return false;
    }
    for row in &mut loaded.raw {
        if said(row).is_some_and(|said| side_named(&said).is_some() || said.trim().is_empty()) {
            row.shift_remove(SIDE_COLUMN);
        }
    }
    let stays = loaded.raw.iter().any(|row| row.contains_key(SIDE_COLUMN));
    if let Shape::Table { header, .. } = &mut loaded.source.shape {
        header.retain(|name| stays || name != SIDE_COLUMN);
    }
    true
}

fn write(path: &Path, loaded: &Loaded, side: &[usize]) -> Result<Prepared> {
    let rows = side.iter().filter_map(|&i| loaded.raw.get(i));
    prepare(path, |writer| {
        data::write_rows(rows, &loaded.source.shape, writer).map_err(std::io::Error::other)
    })
}

fn describe(
    args: &SplitArgs,
    loaded: &Loaded,
    split: &Split,
    sides: &[(&str, PathBuf, &[usize])],
) -> String {
    let mut text = format!("{}\n{}", args.file.display(), about(loaded));
    let together = match &args.group {
        Some(field) => format!("same question or same `{field}`"),
        None => "same question".to_owned(),
    };
    let groups = format!(
        "{} ({together}), the largest of {}",
        count(split.n_groups as u64, "group"),
        thousands(split.largest_group as u64)
    );
    text += &labelled("together", &groups);
    if split.n_ungrouped > 0 {
        let alone = format!(
            "{}, without a value",
            count(split.n_ungrouped as u64, "record")
        );
        text += &labelled("alone", &alone);
    }
    let sizes = [split.val.len(), split.test.len()];
    text += &asked(split.asked.map(|n| n as u64), sizes.map(|n| n as u64));
    for (value, sides) in split.strata.iter().take(MAX_SHOWN_STRATA) {
        let [train, val, test] = sides.map(thousands);
        let value = value_name(value);
        text += &labelled(
            "stratum",
            &format!("{value}: {train} train, {val} val, {test} test"),
        );
    }
    let n_more = split.strata.len().saturating_sub(MAX_SHOWN_STRATA);
    if n_more > 0 {
        let more = format!("and {} more; --json lists all", thousands(n_more as u64));
        text += &labelled("", &more);
    }
    text += &format!("\nWrote, with seed {}\n", args.seed());
    for (name, path, side) in sides {
        let share = 100.0 * side.len() as f64 / loaded.records.len() as f64;
        let n = thousands(side.len() as u64);
        text += &format!("  {name:<6} {n:>9}  {share:>5.1}%  {}\n", path.display());
    }
    text + &next(sides)
}

/// What trains and what measures: the test set takes no part in training, not even to stop it early.
fn next(sides: &[(&str, PathBuf, &[usize])]) -> String {
    let of = |wanted: &str| {
        let side = sides
            .iter()
            .find(|(name, _, side)| *name == wanted && !side.is_empty());
        side.map(|(_, path, _)| shell_word(path))
    };
    let Some(train) = of("train").filter(|_| sides.len() > 1) else {
        return String::new();
    };
    let mut text = format!("\nnext: veneer train --model demo --data {train} \\\n        ");
    if let Some(val) = of("val") {
        text += &format!("--eval-data {val} ");
    }
    text += "--out run\n";
    if let Some(test) = of("test") {
        text += &format!(
            "then: veneer eval --model demo --adapter run --with-base \\\n        --data {test}\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_set_is_measured_on_and_never_trained_with() {
        let side = |name| {
            (
                name,
                PathBuf::from(format!("f.{name}.jsonl")),
                [0].as_slice(),
            )
        };
        let two = next(&[side("train"), side("test")]);
        let (train, eval) = two.split_once("then:").unwrap();
        assert!(
            train.contains("--data f.train.jsonl") && !train.contains("test"),
            "{two}"
        );
        assert!(eval.contains("--data f.test.jsonl"), "{two}");
        let three = next(&[side("train"), side("val"), side("test")]);
        assert!(
            three.contains("--eval-data f.val.jsonl --out run"),
            "{three}"
        );
        let no_test = next(&[side("train"), side("val")]);
        assert!(!no_test.contains("then:"), "{no_test}");
        assert_eq!(next(&[side("train")]), "");
    }
}
