//! `veneer eval --predictions`: score finished answers, no model needed.

use std::{
    fs::File,
    io::{BufRead, BufReader, IsTerminal as _, Read as _, Write as _},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use indicatif::ProgressBar;
use serde_json::Value;
use veneer_core::eval::{
    BleuTokenizer, Metric, Prediction, Resampling, ScoreOptions, Scores, advice, score,
};

use crate::score_text::{records_table, scores_table};

/// A longer line is no answer but a broken file.
const MAX_LINE_BYTES: u64 = 64 << 20;

// Which scores, and how they are computed. No doc comment: clap would make it the verb's.
#[derive(Debug, clap::Args)]
pub(crate) struct MetricArgs {
    /// Metrics, separated by commas: exact_match, f1, rouge1, rouge2, rougeL, rougeLsum, bleu,
    /// chrf, chrf++, accuracy
    ///
    /// exact_match, f1, accuracy and rouge* run from 0 to 1, bleu and chrf from 0 to 100.
    /// exact_match compares the texts as they are, apart from white space around them; f1 is
    /// SQuAD's (case, articles and punctuation do not count); rouge* are rouge_score's; bleu and
    /// chrf are sacrebleu's. The best of several references counts.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "exact_match,f1,rouge1,rouge2,rougeL,bleu,chrf"
    )]
    pub(crate) metrics: Vec<Metric>,

    /// Also print the scores of every record
    #[arg(long)]
    pub(crate) per_record: bool,

    /// How BLEU splits text: 13a (Western languages), intl, zh (Chinese), char, none
    #[arg(long, value_name = "NAME", default_value_t)]
    pub(crate) bleu_tokenize: BleuTokenizer,

    /// Let ROUGE compare word stems (English): "runs" equals "running"
    #[arg(long)]
    pub(crate) rouge_stemmer: bool,

    /// Share of resamples inside the confidence intervals
    #[arg(long, value_name = "SHARE", default_value_t = Resampling::default().confidence_level, value_parser = parse_share)]
    pub(crate) confidence: f64,

    /// Resamples of the records behind each confidence interval
    #[arg(long, value_name = "N", default_value_t = Resampling::default().n_resamples, value_parser = parse_count)]
    pub(crate) resamples: usize,

    /// Random swaps behind each p-value of a comparison
    #[arg(long, value_name = "N", default_value_t = Resampling::default().n_permutations, value_parser = parse_count)]
    pub(crate) permutations: usize,

    /// Seed of resamples and swaps
    #[arg(long, value_name = "N", default_value_t = Resampling::default().seed)]
    pub(crate) resampling_seed: u64,
}

impl MetricArgs {
    /// Each metric once, in the order given.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let mut metrics = Vec::new();
        for metric in &self.metrics {
            if !metrics.contains(metric) {
                metrics.push(*metric);
            }
        }
        metrics
    }

    pub(crate) fn options(&self) -> ScoreOptions {
        ScoreOptions {
            bleu_tokenize: self.bleu_tokenize,
            rouge_stemmer: self.rouge_stemmer,
            resampling: Resampling {
                confidence_level: self.confidence,
                n_resamples: self.resamples,
                n_permutations: self.permutations,
                seed: self.resampling_seed,
            },
        }
    }
}

/// Scores the answers of a JSONL file and prints them.
pub(crate) fn run(predictions: &Path, args: &MetricArgs, json: bool) -> Result<()> {
    let (line_numbers, records) = read_predictions(predictions)?;
    let (metrics, options) = (args.metrics(), args.options());
    let spinner = spinner(records.len());
    let scores = score(&records, &metrics, &options)
        .with_context(|| format!("{} has no answer to score", predictions.display()))?;
    spinner.finish_and_clear();

    for sentence in advice(&records, &metrics, &options) {
        eprintln!("note: {sentence}");
    }
    let text = if json {
        format!("{}\n", to_json(&scores, &line_numbers, args.per_record))
    } else {
        to_text(predictions, &scores, &line_numbers, args.per_record)
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

fn to_json(scores: &Scores, line_numbers: &[usize], per_record: bool) -> Value {
    let mut object = scores.to_json();
    if per_record {
        let record = |(record, line): (usize, &usize)| {
            let mut fields = scores.record_json(record);
            fields.shift_insert(0, "line".into(), (*line).into());
            Value::Object(fields)
        };
        object.insert(
            "records".into(),
            line_numbers.iter().enumerate().map(record).collect(),
        );
    }
    Value::Object(object)
}

fn to_text(path: &Path, scores: &Scores, line_numbers: &[usize], per_record: bool) -> String {
    let n_answers = match scores.n_examples {
        1 => "1 answer".to_owned(),
        n => format!("{n} answers"),
    };
    let records = if per_record {
        format!("{}\n", records_table(scores, line_numbers))
    } else {
        String::new()
    };
    format!(
        "{records}{n_answers} in {}\n\n{}",
        path.display(),
        scores_table(scores)
    )
}

/// The answers and the line each stands on. Empty lines are passed over.
fn read_predictions(path: &Path) -> Result<(Vec<usize>, Vec<Prediction>)> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut reader = BufReader::new(file);
    let (mut line_numbers, mut records) = (Vec::new(), Vec::new());
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let place = || format!("{} line {number}", path.display());
        let mut limited = reader.by_ref().take(MAX_LINE_BYTES);
        let n_bytes = limited.read_until(b'\n', &mut line).with_context(place)?;
        if n_bytes == 0 {
            break;
        }
        if n_bytes as u64 == MAX_LINE_BYTES && !line.ends_with(b"\n") {
            bail!(
                "{}: longer than {} MiB, expected one answer a line",
                place(),
                MAX_LINE_BYTES >> 20
            );
        }
        let Ok(text) = std::str::from_utf8(&line) else {
            bail!("{}: not UTF-8 text; save the file as UTF-8", place());
        };
        let text = if number == 1 {
            text.trim_start_matches('\u{feff}')
        } else {
            text
        };
        if text.trim().is_empty() {
            continue;
        }
        let record = Prediction::from_json(text);
        records.push(record.map_err(|error| anyhow!("{}: {error}", place()))?);
        line_numbers.push(number);
    }
    if records.is_empty() {
        bail!(
            "{} is empty, expected one JSON object a line",
            path.display()
        );
    }
    Ok((line_numbers, records))
}

/// Shown while many answers are scored.
fn spinner(n_answers: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner().with_message(format!("scoring {n_answers} answers"));
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if share > 0.0 && share < 1.0 {
        Ok(share)
    } else {
        Err("expected a number between 0 and 1, such as 0.95".into())
    }
}

fn parse_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected at least 1".into()),
        Ok(count) => Ok(count),
        Err(error) => Err(format!("{error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        file
    }

    #[test]
    fn empty_lines_keep_the_count_of_lines() {
        let file = file(b"\xef\xbb\xbf{\"prediction\":\"a\",\"reference\":\"b\"}\r\n\n{\"prediction\":\"c\",\"references\":[\"d\"]}");
        let (lines, records) = read_predictions(file.path()).unwrap();
        assert_eq!(lines, [1, 3]);
        assert_eq!(records[1].references, ["d"]);
    }

    #[test]
    fn a_broken_line_is_named() {
        let good = "{\"prediction\":\"a\",\"reference\":\"b\"}\n".repeat(70_000);
        let file = file(format!("{good}{{\"prediction\": \"a\"}}\n").as_bytes());
        let error = format!("{:#}", read_predictions(file.path()).unwrap_err());
        assert!(
            error.contains("line 70001: field `reference` is missing"),
            "{error}"
        );
    }

    #[test]
    fn bytes_that_are_no_text_and_empty_files_are_refused() {
        let error = format!(
            "{:#}",
            read_predictions(file(b"\xff\xfe\n").path()).unwrap_err()
        );
        assert!(error.contains("line 1: not UTF-8"), "{error}");
        let error = format!("{:#}", read_predictions(file(b"\n").path()).unwrap_err());
        assert!(error.contains("is empty"), "{error}");
    }

    #[test]
    fn json_names_every_score_and_its_record() {
        let record = |prediction: &str| Prediction {
            prediction: prediction.into(),
            references: vec!["Madrid".into()],
        };
        let metrics = [Metric::ExactMatch, Metric::Bleu];
        let options = ScoreOptions::default();
        let scores = score(&[record("Madrid"), record("Roma")], &metrics, &options).unwrap();
        let value = to_json(&scores, &[1, 4], true);
        assert_eq!(value["n_examples"], 2);
        assert_eq!(value["exact_match"], 0.5);
        assert_eq!(value["records"][1]["line"], 4);
        assert_eq!(value["records"][1]["exact_match"], 0.0);
        assert!(value["intervals"]["bleu"].is_array());
    }
}
