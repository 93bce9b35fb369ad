//! `veneer recipe`

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use veneer_core::recipe::{
    bank::{
        BankDataset, BankSettings, Figures, financials_csv, messages_jsonl, qa_csv, read_figures,
    },
    bond::{Analysis, BondDataset, BondSettings, read_bonds},
};

use crate::files::{prepare, publish_all, write_atomic};

/// Make a dataset from raw figures, with every answer computed
#[derive(Debug, clap::Args)]
pub(crate) struct RecipeArgs {
    #[command(subcommand)]
    recipe: Recipe,
}

#[derive(Debug, clap::Subcommand)]
enum Recipe {
    Bank(BankArgs),
    Bond(BondArgs),
}

/// Figures of banks by year to Spanish questions and answers
///
/// Writes train.jsonl, held_out.jsonl (the same facts in other words), control.jsonl (facts that
/// are never trained), banking_qa.jsonl and .csv (everything) and spanish_banks_financials.csv.
#[derive(Debug, clap::Args)]
struct BankArgs {
    /// JSON files, each a list or one object: bank, year, total_assets, net_profit,
    /// capital_ratio, roe, npl_ratio (null where not published), currency, unit
    #[arg(value_name = "FILE", required_unless_present = "figures")]
    files: Vec<PathBuf>,

    /// The same, by name
    #[arg(long, value_name = "FILE", num_args = 1..)]
    figures: Vec<PathBuf>,

    /// Folder for the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Ways to ask for each figure in the training file
    #[arg(long, value_name = "N", default_value_t = BankSettings::default().n_phrasings)]
    phrasings: usize,

    /// Other ways to ask, kept for the held-out file
    #[arg(long, value_name = "N", default_value_t = BankSettings::default().n_held_out)]
    held_out: usize,

    /// Share of the facts that is never trained
    #[arg(long, value_name = "F", default_value_t = BankSettings::default().control_fraction)]
    control: f64,

    /// Which phrasings and facts are kept out
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Print the summary as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// Bonds to questions and answers: yield, price, durations, cash flows
#[derive(Debug, clap::Args)]
struct BondArgs {
    /// JSON or CSV: isin, coupon (%), frequency, day_count (30/360, 30E/360, ACT/ACT ICMA,
    /// ACT/365F, ACT/360), maturity, settlement, and clean_price or yield (%); name, currency,
    /// issue and face may be left out
    #[arg(value_name = "FILE", required_unless_present = "bonds")]
    file: Option<PathBuf>,

    /// The same, by name
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    bonds: Option<PathBuf>,

    /// JSON file for the query and response pairs
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Ways to ask each question
    #[arg(long, value_name = "N", default_value_t = BondSettings::default().n_phrasings)]
    phrasings: usize,

    /// Pairs of bonds to compare at most
    #[arg(long, value_name = "N", default_value_t = BondSettings::default().max_comparisons)]
    max_comparisons: usize,

    /// Which pairs are compared when there are more
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Print what was computed for each bond as JSON on standard output
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: RecipeArgs) -> Result<()> {
    match args.recipe {
        Recipe::Bank(args) => bank(&args),
        Recipe::Bond(args) => bond(&args),
    }
}

fn bank(args: &BankArgs) -> Result<()> {
    let load = |path: &PathBuf| Ok((path.display().to_string(), read(path)?));
    let files: Vec<(String, Vec<u8>)> = args
        .files
        .iter()
        .chain(&args.figures)
        .map(load)
        .collect::<Result<_>>()?;
    let figures = read_figures(&files)?;
    for key in &figures.unknown_keys {
        eprintln!("note: {key} means nothing here and is passed over");
    }
    let data = BankDataset::new(&figures, &args.settings())?;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("making the folder `{}`", args.out.display()))?;
    let contents = bank_files(&figures, &data);
    let mut prepared = Vec::new();
    for (name, text) in &contents {
        prepared.push(prepare(&args.out.join(name), |out| {
            out.write_all(text.as_bytes())
        })?);
    }
    publish_all(prepared)?;
    report_bank(args, &data, &contents)
}

impl BankArgs {
    fn settings(&self) -> BankSettings {
        BankSettings {
            seed: self.seed,
            n_phrasings: self.phrasings,
            n_held_out: self.held_out,
            control_fraction: self.control,
        }
    }
}

fn bank_files(figures: &Figures, data: &BankDataset) -> [(&'static str, String); 6] {
    [
        ("train.jsonl", messages_jsonl(&data.train)),
        ("held_out.jsonl", messages_jsonl(&data.held_out)),
        ("control.jsonl", messages_jsonl(&data.control)),
        ("banking_qa.jsonl", messages_jsonl(data.all())),
        ("banking_qa.csv", qa_csv(data.all())),
        ("spanish_banks_financials.csv", financials_csv(figures)),
    ]
}

fn report_bank(args: &BankArgs, data: &BankDataset, contents: &[(&str, String)]) -> Result<()> {
    let names: Vec<&str> = contents.iter().map(|(name, _)| *name).collect();
    if args.json {
        let summary = json!({
            "out": args.out, "files": names, "n_facts": data.facts.len(), "n_train": data.train.len(),
            "n_held_out": data.held_out.len(), "n_control": data.control.len(),
            "n_comparisons": data.comparisons.len(), "n_records": data.all().count(),
        });
        return print(&summary);
    }
    eprintln!(
        "{} facts in {} records:",
        data.facts.len(),
        data.all().count()
    );
    eprintln!(
        "  train     {:>6}  facts in the words that are trained",
        data.train.len()
    );
    eprintln!(
        "  held out  {:>6}  the same facts in other words",
        data.held_out.len()
    );
    eprintln!(
        "  control   {:>6}  facts that are never trained",
        data.control.len()
    );
    eprintln!(
        "  compare   {:>6}  comparisons, in banking_qa only",
        data.comparisons.len()
    );
    eprintln!("written to {}: {}", args.out.display(), names.join(", "));
    Ok(())
}

fn bond(args: &BondArgs) -> Result<()> {
    let path = args
        .file
        .as_ref()
        .or(args.bonds.as_ref())
        .context("a file of bonds is missing")?;
    let bytes = read(path)?;
    let named = || format!("in `{}`", path.display());
    let bonds = read_bonds(&bytes).with_context(named)?;
    for warning in &bonds.warnings {
        eprintln!("note: {warning}");
    }
    let settings = BondSettings {
        seed: args.seed,
        n_phrasings: args.phrasings,
        max_comparisons: args.max_comparisons,
    };
    let data = BondDataset::new(&bonds.bonds, &settings).with_context(named)?;
    let text = serde_json::to_string_pretty(&data.records)?;
    write_atomic(&args.out, |out| writeln!(out, "{text}"))?;
    report_bond(args, &data)
}

fn report_bond(args: &BondArgs, data: &BondDataset) -> Result<()> {
    if args.json {
        let bonds: Vec<Value> = data.analyses.iter().map(computed).collect();
        return print(&json!({ "out": args.out, "n_records": data.records.len(), "bonds": bonds }));
    }
    eprintln!("ISIN            clean     dirty   accrued   YTM %  Macaulay  modified  convexity");
    for found in &data.analyses {
        eprintln!(
            "{}  {:8.4}  {:8.4}  {:8.4}  {:6.3}  {:8.4}  {:8.4}  {:9.4}",
            found.bond.isin,
            found.clean_price,
            found.dirty_price,
            found.accrued_interest,
            found.ytm,
            found.macaulay_duration,
            found.modified_duration,
            found.convexity
        );
    }
    eprintln!(
        "{} pairs written to {}",
        data.records.len(),
        args.out.display()
    );
    Ok(())
}

fn computed(found: &Analysis) -> Value {
    let flow = |flow: &veneer_core::recipe::bond::CashFlow| {
        json!({
            "date": flow.date.to_string(), "coupon": flow.coupon, "redemption": flow.redemption,
            "present_value": flow.present_value(),
        })
    };
    json!({
        "isin": found.bond.isin, "clean_price": found.clean_price, "dirty_price": found.dirty_price,
        "accrued_interest": found.accrued_interest, "yield": found.ytm,
        "macaulay_duration": found.macaulay_duration, "modified_duration": found.modified_duration,
        "convexity": found.convexity, "cash_flows": found.cash_flows.iter().map(flow).collect::<Vec<_>>(),
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("reading `{}`", path.display()))
}

fn print(value: &Value) -> Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{value}")?;
    Ok(())
}
