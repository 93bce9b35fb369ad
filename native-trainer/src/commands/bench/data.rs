//! `veneer bench data`: a dataset's way from a file to token ids, stage by stage.
//!
//! The stages are those of the studio: into a project, checked, its exact duplicates found, put into
//! the model's template, tokenized. `tests/peers/data_python.py` does the same with Python's libraries.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use veneer_core::{
    data::{Body, ReadOptions, Record},
    documents::Part,
    project::Project,
    protocol::studio::{CheckName, Reading},
    rng::Rng,
    text::{ModelText, RenderOptions},
};

use crate::{
    input, interrupt::Unfinished, memory, model_dir::ModelDir, project_file, text_files::model_text,
};

#[derive(Debug, clap::Args)]
pub(crate) struct DataBench {
    /// Dataset to measure with [default: made up, always the same]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// Records that are made up
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    records: usize,

    /// Keep what was made up as this file, for another program to read
    #[arg(long, value_name = "OUT", conflicts_with = "file")]
    write: Option<PathBuf>,

    /// Whose template and tokenizer: a folder, a Hub name, or `demo`
    #[arg(long, value_name = "MODEL", default_value = "demo")]
    model: String,

    /// Threads for template and tokenizer [default: all]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A stage with the time it took.
struct Stage {
    name: &'static str,
    seconds: f64,
}

pub(super) fn run(args: &DataBench) -> Result<()> {
    let folder = Unfinished::folder(tempfile::tempdir);
    let (folder, _unfinished) = folder.context("making a temporary folder")?;
    let file = match (&args.file, &args.write) {
        (Some(file), _) => file.clone(),
        (None, Some(out)) => make_up(out, args.records)?,
        (None, None) => make_up(&folder.path().join("made-up.jsonl"), args.records)?,
    };
    let dir = ModelDir::resolve(&args.model)?;
    let text = model_text(&dir, None)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = args.threads.unwrap_or(threads).max(1);

    let mut stages = Vec::new();
    let mut project = project_file::create(&folder.path().join("bench.veneer"), "bench")?;
    let n_rejected = timed(&mut stages, "import", || import(&mut project, &file))?;
    let n_findings = timed(&mut stages, "check", || check(&mut project))?;
    let n_groups = timed(&mut stages, "exact_duplicates", || {
        Ok(project.groups(&CheckName("duplicates".into()), 0, 20)?.n)
    })?;
    let records = project.loaded(&[], &ReadOptions::default())?.records;
    let rendered = timed(&mut stages, "template", || {
        in_threads(&records, threads, |record| render(record, &text))
    })?;
    let lengths = timed(&mut stages, "tokenize", || {
        let tokenizer = text.tokenizer()?;
        in_threads(&rendered, threads, |text| {
            Ok(tokenizer.encode(text, false)?.len())
        })
    })?;

    let n = records.len();
    let total: f64 = stages.iter().map(|stage| stage.seconds).sum();
    let rate = |seconds: f64| (n as f64 / seconds).round();
    let report = json!({
        "benchmark": "a dataset into a project, checked, put into a template, tokenized",
        "program": "veneer",
        "file": file.display().to_string(),
        "file_bytes": std::fs::metadata(&file).map_or(0, |metadata| metadata.len()),
        "model": dir.path().display().to_string(),
        "n_threads": threads,
        "n_records": n, "n_rejected": n_rejected,
        "n_records_with_errors": n_findings, "n_duplicate_groups": n_groups,
        "n_tokens": lengths.iter().sum::<usize>(),
        "seconds": stages.iter().map(|stage| (stage.name, json!(stage.seconds)))
            .collect::<std::collections::BTreeMap<_, Value>>(),
        "records_per_second": stages.iter().map(|stage| (stage.name, json!(rate(stage.seconds))))
            .collect::<std::collections::BTreeMap<_, Value>>(),
        "chain_seconds": total,
        "chain_records_per_second": rate(total),
        "peak_rss_bytes": memory::peak_bytes(),
    });
    if args.json {
        println!("{report}");
        return Ok(());
    }
    for stage in &stages {
        println!("{:<17} {:>9} records/s", stage.name, rate(stage.seconds));
    }
    println!(
        "{:<17} {:>9} records/s, {n} records in {total:.2} s",
        "whole chain",
        rate(total)
    );
    println!("peak memory {}", memory::human(memory::peak_bytes()));
    Ok(())
}

fn timed<T>(
    stages: &mut Vec<Stage>,
    name: &'static str,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let started = Instant::now();
    let value = work().with_context(|| format!("the stage `{name}`"))?;
    let seconds = started.elapsed().as_secs_f64();
    stages.push(Stage { name, seconds });
    Ok(value)
}

/// Rows that were left out.
fn import(project: &mut Project, file: &Path) -> Result<u64> {
    let parts: Vec<(Part, Reading)> = input::parts(file)?
        .into_iter()
        .filter(|part| !part.view.beside)
        .map(|part| (part.clone(), part.view.reading))
        .collect();
    let task = project.import(parts, 0);
    Ok(project_file::run(project, task)?.n_rejected)
}

/// Records with errors.
fn check(project: &mut Project) -> Result<u64> {
    let task = project.check();
    Ok(project_file::run(project, task)?.n_records_with_errors)
}

fn render(record: &Record, text: &ModelText) -> Result<String> {
    match &record.body {
        Body::Chat(chat) => {
            let options = RenderOptions::default();
            Ok(text
                .template()?
                .render(&chat.messages, &chat.tools, &options)?)
        }
        Body::Text { prompt, completion } => Ok(format!("{prompt}{completion}")),
        Body::Tokens(_) => bail!("token ids have no text to put into a template"),
    }
}

/// One result for each item, in order.
fn in_threads<A: Sync, B: Send>(
    items: &[A],
    threads: usize,
    work: impl Fn(&A) -> Result<B> + Sync,
) -> Result<Vec<B>> {
    let share = items.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let running: Vec<_> = items
            .chunks(share)
            .map(|items| scope.spawn(|| items.iter().map(&work).collect::<Result<Vec<B>>>()))
            .collect();
        let mut all = Vec::with_capacity(items.len());
        for thread in running {
            match thread.join() {
                Ok(part) => all.extend(part?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(all)
    })
}

/// Questions and answers in three languages, of the length that the use cases have; one in a hundred
/// is there twice.
fn make_up(path: &Path, n: usize) -> Result<PathBuf> {
    let writing = || format!("writing `{}`", path.display());
    let mut out = BufWriter::new(File::create(path).with_context(writing)?);
    let mut rng = Rng::new(42, 0);
    let mut last = String::new();
    for i in 0..n {
        if i == 0 || rng.below(100) > 0 {
            last = made_up(i, &mut rng).to_string();
        }
        writeln!(out, "{last}").with_context(writing)?;
    }
    out.flush().with_context(writing)?;
    Ok(path.to_owned())
}

fn made_up(i: usize, rng: &mut Rng) -> Value {
    const TOPICS: [(&str, &str); 6] = [
        (
            "¿Qué ratio de solvencia tenía la entidad en el ejercicio?",
            "La ratio de solvencia era del",
        ),
        (
            "How much did the portfolio lose in the stressed scenario?",
            "In the stressed scenario it lost",
        ),
        (
            "この保険の解約返戻金はいくらですか。",
            "解約返戻金は次のとおりです。",
        ),
        (
            "¿Cuál es la morosidad del segmento hipotecario?",
            "La morosidad del segmento era del",
        ),
        (
            "What is the modified duration of the bond?",
            "The modified duration is",
        ),
        (
            "契約者が亡くなった場合の給付金を説明してください。",
            "給付金は次のように計算します。",
        ),
    ];
    let (question, answer) = TOPICS[i % TOPICS.len()];
    let figures: Vec<String> = (0..8 + rng.below(24))
        .map(|_| format!("{}.{:02} %", rng.below(100), rng.below(100)))
        .collect();
    json!({
        "messages": [
            {"role": "system", "content": "Answer with the figure and where it comes from."},
            {"role": "user", "content": format!("{question} ({i})")},
            {"role": "assistant", "content": format!("{answer} {}", figures.join("; "))},
        ],
        "source": format!("report-{}", i % 50),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_order_whatever_the_threads() {
        let items: Vec<usize> = (0..10).collect();
        for threads in [1, 3, 16] {
            let doubled = in_threads(&items, threads, |i| Ok(i * 2)).expect("no item fails");
            assert_eq!(doubled, (0..10).map(|i| i * 2).collect::<Vec<_>>());
        }
        assert!(in_threads(&items, 3, |i| if *i == 7 { bail!("no") } else { Ok(*i) }).is_err());
    }

    #[test]
    fn what_is_made_up_is_always_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = |name: &str| {
            let path = make_up(&folder.path().join(name), 500).expect("written");
            std::fs::read_to_string(path).expect("readable")
        };
        let text = made("a");
        assert_eq!(text, made("b"));
        assert_eq!(text.lines().count(), 500);
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.dedup();
        assert!((485..500).contains(&lines.len()), "{}", lines.len());
    }
}
