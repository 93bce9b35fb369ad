//! Settings for `veneer train --job`, and the command line that uses them.

use super::{Contents, Handover, told};
use crate::{
    data::Format,
    protocol::{
        TrainJob,
        studio::{Phrase, Said, Side, TrainWhat},
    },
};

/// The whole job, so that whoever opens the file sees every setting that there is.
pub fn job_json(job: &TrainJob) -> String {
    // A job is numbers and names: it has no way not to be JSON.
    let text = serde_json::to_string_pretty(job).unwrap_or_default();
    text + "\n"
}

/// What `veneer train` does not do with these records, with their number.
pub fn train_losses(contents: &Contents) -> Vec<(Said, u64)> {
    let losses = [
        (Phrase::PairsAsExamples, contents.n_pairs),
        (Phrase::MarkedBad, contents.n_bad),
    ];
    told(&losses, None, contents)
}

/// What to run in the folder of the data.
pub fn train_command(handover: &Handover<'_>, job_path: &str) -> String {
    let data = handover.trained().map_or("train.jsonl", |file| &file.path);
    let mut command = format!(
        "veneer train --model {} --data {}",
        shell_word(handover.model()),
        shell_word(data)
    );
    if let Some(file) = handover.on(Side::Validation) {
        command += &format!(" --eval-data {}", shell_word(&file.path));
    }
    command += &format!(" --job {}", shell_word(job_path));
    let text = handover.text;
    if let Some(template) = &text.template {
        command += &format!(" --template {}", shell_word(template));
    }
    if text.train_on != TrainWhat::default() {
        command += &format!(" --train-on {}", text.train_on.name());
    }
    let is_whole = matches!(handover.format, Format::Text | Format::Tokenized);
    if handover.contents.n_pairs + handover.contents.n_marked > 0 && !is_whole {
        command += " --take-chosen";
    }
    command + " --out run"
}

/// A word as every shell takes it.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    let word = if word.starts_with('-') {
        format!("./{word}")
    } else {
        word.to_owned()
    };
    if !word.is_empty() && word.chars().all(plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{data::handover::tests::file, protocol::studio::TextOptions};

    #[test]
    fn the_job_comes_back_as_it_was() {
        let job = TrainJob {
            max_steps: Some(7),
            ..TrainJob::default()
        };
        let back: TrainJob = serde_json::from_str(&job_json(&job)).expect("a job");
        assert_eq!(back, job);
    }

    #[test]
    fn the_command_names_the_sides_and_what_is_trained() {
        let files = [
            file("train.jsonl", Some(Side::Train), 8),
            file("my validation.jsonl", Some(Side::Validation), 1),
        ];
        let (contents, job) = (Contents::default(), TrainJob::default());
        let text = TextOptions::default();
        let handover = Handover {
            name: "d",
            files: &files,
            format: Format::Openai,
            contents: &contents,
            model: "Qwen/Qwen2.5-0.5B-Instruct",
            text: &text,
            job: &job,
        };
        let command = "veneer train --model Qwen/Qwen2.5-0.5B-Instruct --data train.jsonl \
                       --eval-data 'my validation.jsonl' --job job.json";
        assert_eq!(
            train_command(&handover, "job.json"),
            format!("{command} --out run")
        );
        let pairs = Contents {
            n_pairs: 1,
            ..Contents::default()
        };
        let last = TextOptions {
            train_on: TrainWhat::Last,
            template: Some("qwen2.5".into()),
            ..TextOptions::default()
        };
        let handover = Handover {
            contents: &pairs,
            text: &last,
            ..handover
        };
        assert_eq!(
            train_command(&handover, "job.json"),
            format!("{command} --template qwen2.5 --train-on last --take-chosen --out run")
        );
        assert_eq!(train_losses(&pairs).len(), 1);
        let marked = Contents {
            n_marked: 3,
            n_bad: 2,
            ..Contents::default()
        };
        let left_out = (Said::new(Phrase::MarkedBad, []), 2);
        assert_eq!(train_losses(&marked), [left_out]);
    }
}
