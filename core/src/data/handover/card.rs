//! The card of a dataset: a README.md that people and the Hugging Face Hub read.
//!
//! Everything in it comes from the project: nothing is claimed that was not counted. Texts of files
//! are escaped, so that no name of a source can become markup.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{Contents, WrittenFile, side_name, yaml::Yaml};
use crate::{
    data::Format,
    protocol::studio::{ActionKind, ActionView, Share, SourceView, SplitPlan, SplitView},
};

/// The facts of a card.
#[derive(Debug, Clone, Copy)]
pub struct Card<'a> {
    pub title: &'a str,
    /// An SPDX name such as `cc-by-4.0`, any other text, or empty.
    pub licence: &'a str,
    /// ISO date of the export.
    pub today: &'a str,
    pub format: Format,
    pub files: &'a [WrittenFile],
    pub contents: &'a Contents,
    /// Three-letter codes, as [`crate::data::Stats`] counts them.
    pub languages: &'a [(String, u64)],
    pub sources: &'a [SourceView],
    /// In the order in which they were done.
    pub actions: &'a [ActionView],
    pub split: Option<&'a SplitView>,
    /// Columns beside the text, with the records that have them.
    pub columns: &'a [(String, u64)],
    /// What the format could not hold, with the number of records.
    pub losses: &'a [(String, u64)],
    /// What to run to train with it.
    pub commands: &'a [String],
}

/// The whole README.md.
pub fn card(card: &Card<'_>) -> String {
    let mut text = front_matter(card);
    let n: u64 = card.files.iter().map(|file| file.n_records).sum();
    push(&mut text, &format!("\n# {}\n\n", escaped(card.title)));
    let exported = format!(
        "{} in the format `{}`, exported from Veneer on {}.\n",
        count(n, "record"),
        card.format,
        escaped(card.today)
    );
    push(&mut text, &exported);
    files(&mut text, card);
    contents(&mut text, card);
    sources(&mut text, card.sources);
    steps(&mut text, card.actions);
    split(&mut text, card.split);
    columns(&mut text, card);
    training(&mut text, card.commands);
    text
}

fn push(text: &mut String, more: &str) {
    text.push_str(more);
}

/// What the Hub reads: between two lines of dashes, as YAML.
fn front_matter(card: &Card<'_>) -> String {
    let mut yaml = Yaml::default();
    licence(&mut yaml, card.licence);
    let mut languages: Vec<&str> = Vec::new();
    for (code, _) in card.languages {
        if let Some(code) = two_letters(code)
            && !languages.contains(&code)
        {
            languages.push(code);
        }
    }
    if !languages.is_empty() {
        yaml.entry("language", json!(languages));
    }
    let n: u64 = card.files.iter().map(|file| file.n_records).sum();
    yaml.entry("pretty_name", card.title)
        .entry("size_categories", json!([size_category(n)]))
        .entry("task_categories", json!(["text-generation"]))
        .entry("tags", json!(["veneer"]));
    // `datasets.load_dataset` has no reader for spreadsheets.
    let is_read = |file: &WrittenFile| !file.path.ends_with(".xlsx");
    if card.files.iter().all(is_read) {
        configs(&mut yaml, card.files);
    }
    format!("---\n{}---\n", yaml.into_text())
}

/// Which file is which split.
fn configs(yaml: &mut Yaml, files: &[WrittenFile]) {
    let files: Vec<Value> = files
        .iter()
        .map(|file| {
            let mut entry = Map::new();
            let split = file.side.map_or("train", side_name);
            entry.insert("split".into(), split.into());
            entry.insert("path".into(), file.path.as_str().into());
            Value::Object(entry)
        })
        .collect();
    yaml.entry(
        "configs",
        json!([{"config_name": "default", "data_files": files}]),
    );
}

fn licence(yaml: &mut Yaml, licence: &str) {
    const KNOWN: [&str; 22] = [
        "apache-2.0",
        "mit",
        "cc0-1.0",
        "cc-by-2.0",
        "cc-by-3.0",
        "cc-by-4.0",
        "cc-by-sa-3.0",
        "cc-by-sa-4.0",
        "cc-by-nc-4.0",
        "cc-by-nc-sa-4.0",
        "cc-by-nc-nd-4.0",
        "cc-by-nd-4.0",
        "odbl",
        "odc-by",
        "pddl",
        "gpl-3.0",
        "agpl-3.0",
        "lgpl-3.0",
        "bsd-3-clause",
        "mpl-2.0",
        "unlicense",
        "openrail",
    ];
    // People write `CC BY 4.0`.
    let lower = licence.to_ascii_lowercase();
    let name = lower.split_whitespace().collect::<Vec<_>>().join("-");
    if name.is_empty() {
        // No claim is better than a wrong one; the Hub shows it as unknown.
        yaml.entry("license", "unknown");
    } else if KNOWN.contains(&name.as_str()) {
        yaml.entry("license", name);
    } else {
        yaml.entry("license", "other")
            .entry("license_name", licence.trim());
    }
}

fn size_category(n: u64) -> &'static str {
    match n {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        1_000_000..10_000_000 => "1M<n<10M",
        _ => "n>10M",
    }
}

/// The Hub takes ISO 639-1; the languages that Veneer tells apart all have such a code.
fn two_letters(code: &str) -> Option<&'static str> {
    const CODES: [(&str, &str); 30] = [
        ("eng", "en"),
        ("spa", "es"),
        ("jpn", "ja"),
        ("cmn", "zh"),
        ("kor", "ko"),
        ("fra", "fr"),
        ("deu", "de"),
        ("ita", "it"),
        ("por", "pt"),
        ("cat", "ca"),
        ("nld", "nl"),
        ("rus", "ru"),
        ("ukr", "uk"),
        ("pol", "pl"),
        ("ces", "cs"),
        ("tur", "tr"),
        ("ara", "ar"),
        ("pes", "fa"),
        ("heb", "he"),
        ("hin", "hi"),
        ("ben", "bn"),
        ("vie", "vi"),
        ("tha", "th"),
        ("ind", "id"),
        ("swe", "sv"),
        ("dan", "da"),
        ("nob", "nb"),
        ("fin", "fi"),
        ("ron", "ro"),
        ("ell", "el"),
    ];
    let found = CODES
        .iter()
        .find(|(three, two)| code == *three || code == *two);
    found.map(|(_, two)| *two)
}

fn files(text: &mut String, card: &Card<'_>) {
    push(
        text,
        "\n| File | Split | Records | Bytes | SHA-256 |\n|---|---|---:|---:|---|\n",
    );
    for file in card.files {
        let split = file.side.map_or("all", side_name);
        let row = format!(
            "| {} | {split} | {} | {} | `{}` |\n",
            cell(&file.path),
            file.n_records,
            file.n_bytes,
            cell(&file.sha256)
        );
        push(text, &row);
    }
}

fn contents(text: &mut String, card: &Card<'_>) {
    let contents = card.contents;
    let counts = [
        ("Conversations", contents.n_chat),
        ("with a system prompt", contents.n_with_system),
        ("with several answers", contents.n_multi_turn),
        ("with tools", contents.n_with_tools),
        ("with a weight on an answer", contents.n_weighted),
        ("Prompts with completions", contents.n_prompted_text),
        ("Texts learned as a whole", contents.n_whole_text),
        ("Token ids", contents.n_tokens),
    ];
    push(text, "\n## Contents\n\n");
    for (what, n) in counts.iter().filter(|(_, n)| *n > 0) {
        push(text, &format!("- {what}: {n}\n"));
    }
    if !card.languages.is_empty() {
        let languages: Vec<String> = card
            .languages
            .iter()
            .map(|(code, n)| format!("{} {n}", escaped(two_letters(code).unwrap_or(code))))
            .collect();
        push(
            text,
            &format!(
                "- Languages, guessed from the texts: {}\n",
                languages.join(", ")
            ),
        );
    }
    for (what, n) in card.losses {
        let lost = format!(
            "- Not in these files: {} ({})\n",
            escaped(what),
            count(*n, "record")
        );
        push(text, &lost);
    }
}

fn sources(text: &mut String, sources: &[SourceView]) {
    if sources.is_empty() {
        return;
    }
    push(text, "\n## Sources\n\n");
    push(
        text,
        "| Source | Format | Records | Rejected rows | Licence | SHA-256 |\n|---|---|---:|---:|---|---|\n",
    );
    for source in sources {
        let name = if source.url.is_empty() {
            cell(&source.name)
        } else {
            format!("{} ({})", cell(&source.name), cell(&source.url))
        };
        let licence = if source.licence.is_empty() {
            "not stated".into()
        } else {
            cell(&source.licence)
        };
        let row = format!(
            "| {name} | {} | {} | {} | {licence} | `{}` |\n",
            cell(&source.format),
            source.n_records,
            source.n_rejected,
            cell(&source.sha256)
        );
        push(text, &row);
    }
}

/// Equal steps are one line: hundreds of edits are not hundreds of lines.
fn steps(text: &mut String, actions: &[ActionView]) {
    struct Line<'a> {
        kind: ActionKind,
        detail: &'a str,
        n_actions: u64,
        n_records: u64,
        last_ms: i64,
    }
    let mut lines: Vec<Line<'_>> = Vec::new();
    // What is said of sources stands with them.
    let made = |action: &&ActionView| !action.undone && action.what != ActionKind::Settings;
    for action in actions.iter().filter(made) {
        let detail = if action.what == ActionKind::Edit {
            ""
        } else {
            &action.detail
        };
        let same = |line: &&mut Line<'_>| line.kind == action.what && line.detail == detail;
        match lines.iter_mut().find(same) {
            Some(line) => {
                line.n_actions += 1;
                line.n_records += action.n_records;
                line.last_ms = line.last_ms.max(action.at_ms);
            }
            None => lines.push(Line {
                kind: action.what,
                detail,
                n_actions: 1,
                n_records: action.n_records,
                last_ms: action.at_ms,
            }),
        }
    }
    if lines.is_empty() {
        return;
    }
    push(text, "\n## How it was made\n\n");
    for (i, line) in lines.iter().enumerate() {
        let detail = if line.detail.is_empty() {
            String::new()
        } else {
            format!(" ({})", escaped(line.detail))
        };
        let times = if line.n_actions > 1 {
            format!(", in {} steps", line.n_actions)
        } else {
            String::new()
        };
        let step = format!(
            "{}. {}{detail}: {}{times}, {}\n",
            i + 1,
            action_title(line.kind),
            count(line.n_records, "record"),
            day(line.last_ms)
        );
        push(text, &step);
    }
}

fn action_title(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Import => "Imported",
        ActionKind::Edit => "Edited by hand",
        ActionKind::Add => "Written by hand",
        ActionKind::Tag => "Tagged",
        ActionKind::Untag => "Untagged",
        ActionKind::Trash => "Removed",
        ActionKind::TakeBack => "Taken back",
        ActionKind::Move => "Put in another order",
        ActionKind::Replace => "Searched and replaced",
        ActionKind::Assign => "Given a reviewer",
        ActionKind::Fix => "Repaired what a check found",
        ActionKind::Accept => "Findings accepted as they are",
        ActionKind::Split => "Split into sides",
        ActionKind::Freeze => "Split frozen or thawed",
        ActionKind::Restore => "Restored an earlier state",
        ActionKind::Settings => "Settings changed",
    }
}

fn split(text: &mut String, split: Option<&SplitView>) {
    let Some(split) = split else { return };
    let (Some(plan), true) = (
        &split.plan,
        split.n_train + split.n_validation + split.n_test > 0,
    ) else {
        return;
    };
    push(text, "\n## Split\n\n");
    let share = |share: Share| match share {
        Share::Fraction(fraction) => format!("{} %", (fraction * 1e4).round() / 100.0),
        Share::Count(n) => n.to_string(),
    };
    let what = if plan.only_new {
        "Records that were on no side drawn to the others, which stayed,"
    } else {
        "Drawn"
    };
    let drawn = format!(
        "- {what} with seed {}: validation {}, test {}\n",
        plan.seed,
        share(plan.validation),
        share(plan.test)
    );
    push(text, &drawn);
    if let Some(column) = &plan.stratify_by {
        push(text, &format!("- Equal shares by {}\n", named(column)));
    }
    if let Some(column) = &plan.group_by {
        let since = match split.n_groups_apart {
            0 => String::new(),
            n => format!(" when drawn; by now records of {n} of them are on several"),
        };
        push(
            text,
            &format!("- Equal values of {} on one side{since}\n", named(column)),
        );
    }
    if plan.keep_duplicates_together && split.n_leaking == 0 {
        push(text, "- Records that ask the same are on one side\n");
    }
    push(
        text,
        &format!(
            "- Train {}, validation {}, test {}, on no side {}\n",
            split.n_train, split.n_validation, split.n_test, split.n_without
        ),
    );
    push(
        text,
        &format!(
            "- Questions of validation and test that train asks too: {}\n",
            split.n_leaking
        ),
    );
    if let Some(hash) = &split.frozen {
        let state = if split.frozen_holds {
            "frozen"
        } else {
            "frozen, and changed since"
        };
        push(text, &format!("- {state}, SHA-256 `{}`\n", cell(hash)));
    }
}

/// A column that sides go by.
fn named(column: &str) -> String {
    match column {
        SplitPlan::SOURCE_FILE => "source file".to_owned(),
        SplitPlan::LANGUAGE => "language".to_owned(),
        column => escaped(column),
    }
}

fn columns(text: &mut String, card: &Card<'_>) {
    let own: &[(&str, &str)] = match card.format {
        Format::Openai => &[
            ("messages", "list of objects with `role` and `content`"),
            ("tools", "functions that the assistant may call"),
        ],
        Format::Sharegpt => &[
            ("conversations", "list of objects with `from` and `value`"),
            (
                "tools",
                "functions that the assistant may call, as JSON text",
            ),
        ],
        Format::Alpaca => &[
            ("instruction", "the question"),
            ("input", "what the question is about; may be empty"),
            ("output", "the answer"),
            ("system", "the system prompt"),
            ("history", "earlier questions and answers"),
        ],
        Format::PromptCompletion => &[("prompt", "what is given"), ("completion", "what follows")],
        Format::QueryResponse => &[("query", "the question"), ("response", "the answer")],
        Format::Text => &[("text", "learned as a whole")],
        Format::Tokenized => &[
            ("input_ids", "token ids"),
            ("labels", "ids that are trained, -100 elsewhere"),
        ],
    };
    let contents = card.contents;
    let is_there = |name: &str| match name {
        "tools" => contents.n_with_tools > 0,
        "system" => contents.n_with_system > 0,
        "history" => contents.n_multi_turn > 0,
        _ => true,
    };
    push(text, "\n## Columns\n\n");
    for (name, meaning) in own.iter().filter(|(name, _)| is_there(name)) {
        push(text, &format!("- `{name}`: {meaning}\n"));
    }
    for (name, n) in card.columns {
        push(
            text,
            &format!(
                "- {}: carried along, in {}\n",
                escaped(name),
                count(*n, "record")
            ),
        );
    }
}

fn training(text: &mut String, commands: &[String]) {
    if commands.is_empty() {
        return;
    }
    push(text, "\n## Training with it\n\n```sh\n");
    for command in commands {
        // One line each: nothing can end the block.
        push(text, &command.replace(['\n', '\r'], " "));
        push(text, "\n");
    }
    push(text, "```\n");
}

fn count(n: u64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// Text as text: every character that Markdown or HTML might take for markup is escaped, and line
/// breaks become spaces.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => {
                // A text has no other way to fail than memory.
                write!(out, "\\{c}").ok();
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// In a table, where a bar would end the cell.
fn cell(text: &str) -> String {
    escaped(text)
}

/// ISO date of milliseconds since 1970, in UTC (days to dates as in Hinnant's `civil_from_days`).
pub fn day(ms: i64) -> String {
    let days = ms.div_euclid(86_400_000) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests;
