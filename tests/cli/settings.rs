//! Settings that would do nothing, or the wrong thing: refused by name before a run begins.

use std::{fs, path::Path};

use crate::binary::{done, fixture, refused};

/// `veneer train` with a job of these settings.
fn with_job(folder: &Path, job: &str) -> Vec<String> {
    let path = folder.join("job.json");
    fs::write(&path, job).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let mut words = vec!["train".into(), "--model".into()];
    words.extend([text(&fixture("models/llama32")), "--data".into()]);
    words.extend([text(&fixture("train/lora/data.jsonl")), "--out".into()]);
    words.extend([text(&folder.join("run")), "--device=cpu".into()]);
    words.extend(["--job".into(), text(&path)]);
    words
}

#[test]
fn settings_that_would_be_without_effect_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (job, parts) in [
        (
            r#"{"rank_pattern": {"qproj": 4}}"#,
            ["rank_pattern", "`qproj`", "q_proj"],
        ),
        (
            r#"{"alpha_pattern": {"q_proj(": 4}}"#,
            ["alpha_pattern", "`q_proj(`", "regular expression"],
        ),
        (
            r#"{"target_modules": "q_proj"}"#,
            ["whole paths", "list", "q_proj"],
        ),
        (
            r#"{"target_modules": ["q_proj"], "modules_to_save": ["q_proj"]}"#,
            ["q_proj", "target_modules", "modules_to_save"],
        ),
        (
            r#"{"early_stopping_patience": 2}"#,
            ["early_stopping_patience", "--eval-data", ""],
        ),
    ] {
        refused(&with_job(folder.path(), job), &parts);
        assert!(!folder.path().join("run").exists(), "{job}");
    }
}

#[test]
fn an_empty_list_of_layers_is_all_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let job = r#"{"layers_to_transform": [], "max_steps": 1}"#;
    done(&with_job(folder.path(), job));
}

#[test]
fn a_run_that_goes_on_takes_no_other_settings() {
    for option in [
        "--learning-rate=1",
        "--max-steps=9",
        "--template=llama2",
        "--format=alpaca",
    ] {
        let name = option.split('=').next().unwrap();
        refused(&["train", "--resume", "run", option], &[name, "leave out"]);
    }
}
