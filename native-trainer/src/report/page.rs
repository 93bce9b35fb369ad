//! The page as a whole.

use std::path::Path;

use anyhow::Result;
use serde_json::Value;
use veneer_core::{
    eval::{Comparison, Interval, Metric},
    protocol::Event,
};

use super::{answers, curves, html::escape, scores};
use crate::files::write_atomic;

const STYLE: &str = include_str!("style.css");

/// Everything that a report shows; what is empty is left out.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) title: String,
    /// One line under the title: model, dataset.
    pub(crate) subtitle: String,
    /// Settings of the run by name.
    pub(crate) job: Value,
    /// What the dataset holds, as name and value.
    pub(crate) dataset: Vec<(String, String)>,
    pub(crate) events: Vec<Event>,
    /// Models that are not compared.
    pub(crate) models: Vec<ModelScores>,
    pub(crate) compared: Vec<Compared>,
    /// Whether no adapter was trained on any of the measured records.
    pub(crate) is_held_out: bool,
    pub(crate) answers: Vec<AnswerRow>,
    /// Warnings, one sentence each.
    pub(crate) notes: Vec<String>,
}

/// What one model scored.
#[derive(Debug)]
pub(crate) struct ModelScores {
    pub(crate) name: String,
    pub(crate) n_examples: usize,
    pub(crate) scores: Vec<ScoreRow>,
    /// On records whose facts were never trained.
    pub(crate) control: Vec<ScoreRow>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ScoreRow {
    pub(crate) metric: Metric,
    pub(crate) value: f64,
    pub(crate) interval: Interval,
    pub(crate) confidence_level: f64,
}

/// One model against another, which is called base in the comparisons.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) name: String,
    pub(crate) against: String,
    pub(crate) comparisons: Vec<Comparison>,
    pub(crate) control: Option<Control>,
}

/// Scores on records whose facts were never trained: recall must not help there.
#[derive(Debug)]
pub(crate) struct Control {
    /// What the control set is, in a sentence.
    pub(crate) description: String,
    pub(crate) comparisons: Vec<Comparison>,
}

/// One prompt and what came of it.
#[derive(Debug)]
pub(crate) struct AnswerRow {
    pub(crate) prompt: String,
    pub(crate) reference: String,
    /// Each model's name and what it answered.
    pub(crate) answers: Vec<(String, String)>,
}

/// Whether a file is a report in which models are compared.
pub(crate) fn holds_comparison(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|page| page.contains(scores::OF_COMPARISONS))
}

/// Writes the report as one HTML file.
pub(crate) fn write(path: &Path, report: &Report) -> Result<()> {
    write_atomic(path, |file| file.write_all(render(report).as_bytes()))
}

/// The whole file. The policy in its head keeps it from ever asking the network for anything.
fn render(report: &Report) -> String {
    let title = escape(&report.title);
    let body = [
        head(report),
        notes(&report.notes),
        report.models.iter().map(model_section).collect(),
        report.compared.iter().map(compared_section).collect(),
        if report.compared.is_empty() {
            String::new()
        } else {
            scores::METHOD.to_owned()
        },
        curves::section(&report.events),
        answers::section(&report.answers),
        list_section("Dataset", &report.dataset),
        list_section("Settings", &settings(&report.job)),
    ]
    .concat();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )
}

fn head(report: &Report) -> String {
    let subtitle = match report.subtitle.as_str() {
        "" => String::new(),
        subtitle => format!("<p class=\"muted\">{}</p>", escape(subtitle)),
    };
    let sentences = scores::summary(&report.compared, report.is_held_out);
    let lead = |sentence: &String| format!("<p class=\"lead\">{}</p>", escape(sentence));
    let summary: String = sentences.iter().map(lead).collect();
    format!(
        "<header><h1>{}</h1>{subtitle}{summary}</header>",
        escape(&report.title)
    )
}

fn notes(notes: &[String]) -> String {
    if notes.is_empty() {
        return String::new();
    }
    let items: String = notes
        .iter()
        .map(|note| format!("<li>{}</li>", escape(note)))
        .collect();
    format!("<aside><h2>Please note</h2><ul>{items}</ul></aside>")
}

fn model_section(model: &ModelScores) -> String {
    let control = match model.control.as_slice() {
        [] => String::new(),
        rows => format!("<h3>{CONTROL}</h3>{}", scores::table_of_one(rows)),
    };
    format!(
        "<section><h2>Scores of {}</h2><p>On {} records.</p>{}{control}</section>",
        escape(&model.name),
        model.n_examples,
        scores::table_of_one(&model.scores)
    )
}

const CONTROL: &str = "Control: facts never trained";

fn compared_section(compared: &Compared) -> String {
    let names = [compared.against.as_str(), compared.name.as_str()];
    let control = match &compared.control {
        None => String::new(),
        Some(control) => format!(
            "<h3>{CONTROL}</h3><p>{}</p>{}",
            escape(&control.description),
            scores::table(&control.comparisons, names)
        ),
    };
    format!(
        "<section><h2>{} against {}</h2>{}{control}</section>",
        escape(&compared.name),
        escape(&compared.against),
        scores::table(&compared.comparisons, names)
    )
}

fn list_section(title: &str, entries: &[(String, String)]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let entry = |(name, value): &(String, String)| {
        format!(
            "<div><dt>{}</dt><dd>{}</dd></div>",
            escape(name),
            escape(value)
        )
    };
    let entries: String = entries.iter().map(entry).collect();
    format!("<section><h2>{title}</h2><dl class=\"list\">{entries}</dl></section>")
}

/// Settings in their order; those inside an object are named `outer.inner`.
fn settings(job: &Value) -> Vec<(String, String)> {
    let mut entries = Vec::new();
    if let Value::Object(fields) = job {
        for (name, value) in fields {
            add_setting(&mut entries, name.clone(), value);
        }
    }
    entries
}

fn add_setting(entries: &mut Vec<(String, String)>, name: String, value: &Value) {
    match value {
        Value::Object(fields) => {
            for (inner, value) in fields {
                add_setting(entries, format!("{name}.{inner}"), value);
            }
        }
        value => entries.push((name, setting_text(value))),
    }
}

fn setting_text(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::Bool(holds) => if *holds { "yes" } else { "no" }.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items
            .iter()
            .map(setting_text)
            .collect::<Vec<_>>()
            .join(", "),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use veneer_core::eval::{Metric, Prediction, ScoreOptions, compare, score};

    use super::*;

    const ATTACK: &str = "<script>alert('x')</script>\"&<img src=x>";

    fn comparisons() -> Vec<Comparison> {
        let scores = |answer: &str| {
            let record = Prediction {
                prediction: answer.into(),
                references: vec!["uno dos".into()],
            };
            score(
                &[record],
                &[Metric::F1, Metric::Bleu],
                &ScoreOptions::default(),
            )
            .unwrap()
        };
        compare(&scores("tres"), &scores("uno dos")).unwrap()
    }

    fn step(step: u64, loss: f64) -> Event {
        Event::Step {
            step,
            epoch: 0.1,
            loss,
            grad_norm: 1.0,
            learning_rate: 1e-4,
            n_tokens: 10,
            n_input_tokens: 20,
            tokens_per_second: 100.0,
            peak_memory_bytes: 1 << 30,
            eta_seconds: 0.0,
        }
    }

    fn scored() -> ModelScores {
        let row = |comparison: &Comparison| ScoreRow {
            metric: comparison.metric,
            value: comparison.tuned,
            interval: comparison.tuned_interval,
            confidence_level: comparison.confidence_level,
        };
        let scores: Vec<ScoreRow> = comparisons().iter().map(row).collect();
        ModelScores {
            name: ATTACK.into(),
            n_examples: 1,
            control: scores.clone(),
            scores,
        }
    }

    fn report() -> Report {
        let text = || ATTACK.to_owned();
        let answer = AnswerRow {
            prompt: text(),
            reference: text(),
            answers: vec![(text(), text() + "b"), (text(), text())],
        };
        let control = Control {
            description: text(),
            comparisons: comparisons(),
        };
        Report {
            title: text(),
            subtitle: text(),
            job: serde_json::json!({ "lora_r": 16, "nested": { (ATTACK): [ATTACK, null] } }),
            dataset: vec![(text(), text())],
            events: vec![step(1, 2.0), step(2, f64::NAN), step(3, 1.0)],
            models: vec![scored()],
            compared: vec![Compared {
                name: text(),
                against: "base".into(),
                comparisons: comparisons(),
                control: Some(control),
            }],
            is_held_out: true,
            answers: vec![answer],
            notes: vec![text()],
        }
    }

    #[test]
    fn nothing_from_outside_becomes_markup() {
        let html = render(&report());
        assert!(
            !html.contains("<script") && !html.contains("<img"),
            "{html}"
        );
        assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)"));
        assert!(!html.contains("NaN") && !html.contains("inf"));
    }

    #[test]
    fn the_page_asks_the_network_for_nothing() {
        let html = render(&report());
        for request in ["http://", "https://", "url(", "@import", "src="] {
            // The attack is escaped text, not an attribute.
            let n_found = html.replace("src=x", "").matches(request).count();
            assert_eq!(n_found, 0, "{request}");
        }
    }

    #[test]
    fn every_part_is_shown_when_it_has_content_and_only_then() {
        let headings = [
            "Please note",
            "Scores of &lt;script",
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;&lt;img src=x&gt; against base",
            "Training",
            "Answers",
            "Dataset",
            "Settings",
        ];
        let full = render(&report());
        let empty = render(&Report {
            title: "Empty".into(),
            ..Report::default()
        });
        for heading in headings {
            assert!(full.contains(&format!("<h2>{heading}")), "{heading}");
            assert!(!empty.contains(&format!("<h2>{heading}")), "{heading}");
        }
        assert!(full.contains("nested.&lt;script"));
        assert_eq!(full.matches("<h3>Control").count(), 2);
    }

    #[test]
    fn every_model_is_named_and_held_out_is_said_where_it_is_known() {
        let compared = |name: &str| Compared {
            name: name.into(),
            against: "base".into(),
            comparisons: comparisons(),
            control: None,
        };
        let mut report = Report {
            compared: vec![compared("run/a")],
            is_held_out: true,
            ..Report::default()
        };
        let html = render(&report);
        assert!(
            html.contains("On 1 held-out record the tuned model is better on"),
            "{html}"
        );
        report.compared.push(compared("run/b"));
        report.is_held_out = false;
        let html = render(&report);
        for name in ["run/a", "run/b"] {
            assert!(
                html.contains(&format!("<h2>{name} against base</h2>")),
                "{html}"
            );
            assert!(
                html.contains(&format!("On 1 record {name} is better than base on")),
                "{html}"
            );
        }
        assert!(!html.contains("held-out"), "{html}");
    }

    #[test]
    fn a_report_is_known_by_its_comparison() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        assert!(!holds_comparison(&path), "there is none");
        let mut report = report();
        write(&path, &report).unwrap();
        assert!(holds_comparison(&path));
        report.compared.clear();
        write(&path, &report).unwrap();
        assert!(!holds_comparison(&path));
    }

    #[test]
    fn the_file_is_written_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        write(&path, &report()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), render(&report()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
