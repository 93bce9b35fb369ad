//! `veneer data stats`

use std::{collections::BTreeMap, io::Write as _, path::PathBuf};

use anyhow::Result;
use serde_json::json;
use veneer_core::data::{self, Distribution, Stats, StatsOptions};

use super::{
    layout::{about, labelled},
    lengths::LengthArgs,
};
use crate::dataset::{self, ReadArgs, thousands};

/// Count records, roles, languages, lengths, duplicates
#[derive(Debug, clap::Args)]
pub(crate) struct StatsArgs {
    /// Dataset file, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    length: LengthArgs,

    #[command(flatten)]
    read: ReadArgs,
}

pub(crate) fn run(args: StatsArgs) -> Result<()> {
    let loaded = dataset::load_as_imported(&args.file, &args.read.options(), args.read.side)?;
    let counter = args.length.counter(&args.file)?;
    let count_tokens = counter
        .as_ref()
        .map(|counter| |record: &_| counter.count(record));
    let options = StatsOptions {
        max_length: args.length.max_length(counter.as_ref()),
        n_tokens: count_tokens
            .as_ref()
            .map(|count| count as &dyn Fn(&_) -> usize),
    };
    let stats = data::stats(&loaded, &options);
    if args.json {
        let mut report = serde_json::to_value(&stats)?;
        report["file"] = json!(args.file.display().to_string());
        report["format"] = json!(loaded.source.format);
        report["encoding"] = json!(loaded.source.encoding.name());
        writeln!(std::io::stdout(), "{report:#}")?;
        return Ok(());
    }
    let mut text = format!("{}\n{}", args.file.display(), about(&loaded));
    text += &counts(&stats, counter.is_some());
    let characters = "characters of each record's texts";
    match (&stats.tokens, &counter) {
        (Some(tokens), Some(counter)) => {
            text += &one_line("characters", &stats.characters);
            text += &one_line("tokens", tokens);
            text += &chart(&format!("tokens of each record, {}", counter.what), tokens);
        }
        _ => {
            text += &one_line("characters", &stats.characters);
            text += &chart(characters, &stats.characters);
            text += "\nfor lengths in tokens: --model MODEL or --tokenizer FILE\n";
        }
    }
    write!(std::io::stdout(), "{text}")?;
    Ok(())
}

fn counts(stats: &Stats, in_tokens: bool) -> String {
    let mut text = String::new();
    let listed = |counts: &BTreeMap<&str, u64>| {
        let mut sorted: Vec<_> = counts.iter().collect();
        sorted.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
        let parts: Vec<String> = sorted
            .iter()
            .map(|(name, n)| format!("{name} {}", thousands(**n)))
            .collect();
        parts.join(", ")
    };
    if !stats.messages_by_role.is_empty() {
        text += &labelled("messages", &listed(&stats.messages_by_role));
    }
    let chats = [
        (stats.n_multi_turn, "with several turns"),
        (stats.n_with_system, "with a system prompt"),
        (stats.n_with_tools, "with tools"),
    ];
    text += &some("of records", &chats);
    if !stats.languages.is_empty() {
        let languages = stats
            .languages
            .iter()
            .map(|(code, n)| (code.as_str(), *n))
            .collect();
        text += &labelled("languages", &listed(&languages));
    }
    let unit = if in_tokens { "tokens" } else { "characters" };
    let over_long = format!("longer than {} {unit}", thousands(stats.max_length as u64));
    let faults = [
        (stats.n_unreadable, "not readable"),
        (stats.n_empty, "empty"),
        (stats.n_duplicates, "exact duplicates"),
        (stats.n_conflicting, "same prompt, other answer"),
        (stats.n_over_long, over_long.as_str()),
    ];
    let none = "none empty, double or over-long";
    let found = some("to look at", &faults);
    text += &if found.is_empty() {
        labelled("to look at", none)
    } else {
        found
    };
    text
}

/// `label  3 of this, 2 of that`; nothing where all are 0.
fn some(label: &str, counts: &[(u64, &str)]) -> String {
    let present = counts.iter().filter(|(n, _)| *n > 0);
    let parts: Vec<String> = present
        .map(|(n, what)| format!("{} {what}", thousands(*n)))
        .collect();
    if parts.is_empty() {
        String::new()
    } else {
        labelled(label, &parts.join(", "))
    }
}

fn one_line(label: &str, d: &Distribution) -> String {
    let text = format!(
        "{} in all; mean {:.0}, median {}, 90% {}, 99% {}, longest {}",
        thousands(d.total),
        d.mean,
        thousands(d.p50),
        thousands(d.p90),
        thousands(d.p99),
        thousands(d.max),
    );
    labelled(label, &text)
}

/// Bars of `#`, at most 80 columns wide.
fn chart(title: &str, d: &Distribution) -> String {
    const BAR: u64 = 44;
    let most = d
        .histogram
        .iter()
        .map(|bin| bin.n)
        .max()
        .unwrap_or(0)
        .max(1);
    let mut text = format!("\n{title}\n");
    for bin in &d.histogram {
        // A bin with anything in it shows at least one mark.
        let length = (bin.n * BAR).div_ceil(most) as usize;
        let from = thousands(bin.from);
        let to = thousands(bin.to - 1);
        let n = thousands(bin.n);
        let line = format!("  {from:>8} - {to:<8} {n:>8}  {}", "#".repeat(length));
        text += line.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use veneer_core::data::Bin;

    use super::*;

    #[test]
    fn the_chart_fits_and_shows_small_bins() {
        let bin = |from, to, n| Bin { from, to, n };
        let histogram = vec![
            bin(0, 100, 1_000_000),
            bin(100, 200, 1),
            bin(200, 99_999_999, 0),
        ];
        let chart = chart(
            "t",
            &Distribution {
                histogram,
                ..Distribution::default()
            },
        );
        assert!(chart.lines().all(|line| line.len() < 80), "{chart}");
        let marks: Vec<usize> = chart
            .lines()
            .skip(2)
            .map(|line| line.matches('#').count())
            .collect();
        assert_eq!(marks, [44, 1, 0]);
    }
}
