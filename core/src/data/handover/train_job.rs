//! Settings for `veneer train --job`, and the command line that uses them.

use super::Handover;
use crate::protocol::{TrainJob, studio::Side};

/// The whole job, so that whoever opens the file sees every setting that there is.
pub fn job_json(job: &TrainJob) -> String {
    // A job is numbers and names: it has no way not to be JSON.
    let text = serde_json::to_string_pretty(job).unwrap_or_default();
    text + "\n"
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
    command + &format!(" --job {} --out run", shell_word(job_path))
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
    use crate::data::{
        Format,
        handover::{Contents, tests::file},
    };

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
    fn the_command_names_the_sides() {
        let files = [
            file("train.jsonl", Some(Side::Train), 8),
            file("my validation.jsonl", Some(Side::Validation), 1),
        ];
        let (contents, job) = (Contents::default(), TrainJob::default());
        let handover = Handover {
            name: "d",
            files: &files,
            format: Format::Openai,
            contents: &contents,
            model: "Qwen/Qwen2.5-0.5B-Instruct",
            job: &job,
        };
        assert_eq!(
            train_command(&handover, "job.json"),
            "veneer train --model Qwen/Qwen2.5-0.5B-Instruct --data train.jsonl \
             --eval-data 'my validation.jsonl' --job job.json --out run"
        );
    }
}
