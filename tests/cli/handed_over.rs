//! What `veneer data export` writes for others: where, over what, and what is to be run with it.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    binary::{done, outcome, refused, veneer},
    studio::{Studio, settle_errors},
};

#[test]
fn what_is_there_already_is_somebodys() {
    let studio = Studio::with_project();
    let (project, out) = (studio.path("p.veneer"), studio.path("out"));
    fs::create_dir(&out).unwrap();
    let readme = Path::new(&out).join("README.md");
    fs::write(&readme, "mine").unwrap();
    let export = ["data", "export", &project, "--to", "alpaca", "--out", &out];
    refused(&export, &["README.md", "exists already", "--force"]);
    assert_eq!(fs::read_to_string(&readme).unwrap(), "mine");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1, "all or nothing");
    done(&[&export[..], &["--force"]].concat());
    assert_ne!(fs::read_to_string(&readme).unwrap(), "mine");

    let (csv, json) = (studio.path("preguntas.csv"), studio.path("a.json"));
    let convert = ["data", "convert", &csv, "--to", "alpaca", "--out", &json];
    done(&convert);
    refused(&convert, &["a.json", "--force"]);
    done(&[&convert[..], &["--force"]].concat());
    let split = ["data", "split", &csv, "--test-count", "2"];
    done(&split);
    refused(&split, &["preguntas.train.csv", "exist already", "--force"]);
    done(&[&split[..], &["--force"]].concat());
}

#[test]
fn a_name_says_what_kind_of_file_it_is() {
    let studio = Studio::with_project();
    let project = studio.path("p.veneer");
    for (to, name) in [
        ("csv", "m.jsonl"),
        ("parquet", "m.csv"),
        ("openai-fine-tuning", "m.csv"),
        ("alpaca", "m.txt"),
    ] {
        let out = studio.path(name);
        refused(
            &["data", "export", &project, "--to", to, "--out", &out],
            &[name, "another kind of file"],
        );
        assert!(!Path::new(&out).exists(), "{name}");
    }
}

#[test]
fn what_cannot_be_written_has_no_word_that_allows_it() {
    let studio = Studio::with_project();
    let project = studio.path("p.veneer");
    settle_errors(&project);
    done(&["data", "split", &project, "--val-count", "2"]);
    let (tokens, folder) = (studio.path("t.jsonl"), studio.path("a"));
    for (arguments, expected) in [
        (
            &["--to", "tokenized", "--out", &tokens][..],
            "veneer data convert",
        ),
        (
            &["--to", "axolotl", "--only", "validation", "--out", &folder][..],
            "choose it too",
        ),
    ] {
        let command = [&["data", "export", &project][..], arguments].concat();
        refused(&command, &[expected]);
        let said = outcome(veneer().args(&command)).stderr;
        assert!(
            !said.contains("--anyway") && !said.contains("--lossy"),
            "{said}"
        );
    }
}

#[test]
fn a_folder_of_a_model_is_named_in_full() {
    let studio = Studio::with_project();
    settle_errors(&studio.path("p.veneer"));
    fs::create_dir(studio.path("m")).unwrap();
    let folder = studio.path("");
    let written = outcome(veneer().current_dir(&folder).args([
        "data",
        "export",
        "p.veneer",
        "--to",
        "train-job",
        "--model",
        "m",
        "--out",
        "job",
    ]));
    assert_eq!(written.code, Some(0), "{written:#?}");
    let named = format!("veneer train --model {}", studio.path("m"));
    assert!(written.stdout.contains(&named), "{written:#?}");
}

/// A project without errors, with these options for its text.
fn with_options(studio: &Studio, options: &str) -> String {
    let project = studio.path("p.veneer");
    settle_errors(&project);
    let db = rusqlite::Connection::open(&project).unwrap();
    let sql = "INSERT INTO meta (key, value) VALUES ('text options', ?1)";
    db.execute(sql, [options]).unwrap();
    project
}

#[test]
fn a_project_says_what_of_it_is_trained() {
    let studio = Studio::with_project();
    let options = r#"{"max_length":64,"train_on":"last","template":"chatml"}"#;
    let project = with_options(&studio, options);
    let inspect = [
        "inspect",
        "--model",
        "demo",
        "--data",
        &project,
        "--no-tokens",
    ];
    let said = done(&inspect).stderr;
    assert!(
        said.contains(
            "as chosen in the project: --train-on last --template chatml --max-length 64"
        ),
        "{said}"
    );
    let other = ["--train-on", "assistant", "--template", "plain"];
    let said = done(&[&inspect[..], &other].concat()).stderr;
    assert!(
        said.contains("as chosen in the project: --max-length 64"),
        "{said}"
    );
    let all = [&other[..], &["--max-length", "9"]].concat();
    let said = done(&[&inspect[..], &all].concat()).stderr;
    assert!(!said.contains("as chosen"), "{said}");
}

#[test]
fn the_limit_of_a_project_holds_where_no_other_is_said() {
    let studio = Studio::with_project();
    let project = with_options(&studio, r#"{"max_length":30}"#);
    let chosen = "as chosen in the project: --max-length 30";
    let look = |command: &str, more: &[&str]| {
        let words = [command, "--model=demo", "--json", "--data", &project];
        let outcome = done(&[&words[..], more].concat());
        let said: Value = serde_json::from_str(&outcome.stdout).unwrap();
        (said, outcome.stderr.contains(chosen))
    };
    let (cut, is_said) = look("inspect", &[]);
    assert_eq!((&cut["n_kept"], is_said), (&json!(30), true));
    let (whole, is_said) = look("inspect", &["--max-length=99"]);
    assert_eq!((&whole["truncated"], is_said), (&json!(false), false));

    let (cut, is_said) = look("eval", &["--device=cpu"]);
    let (same, _) = look("eval", &["--device=cpu", "--max-length=30"]);
    let (whole, _) = look("eval", &["--device=cpu", "--max-length=99"]);
    assert!(is_said);
    assert_eq!(cut["n_tokens"], same["n_tokens"]);
    assert!(cut["n_tokens"].as_u64() < whole["n_tokens"].as_u64());
}

#[test]
fn a_run_takes_the_limit_of_its_project() {
    let studio = Studio::with_project();
    let project = with_options(&studio, r#"{"max_length":4096}"#);
    let job = studio.path("job.json");
    fs::write(&job, r#"{"max_length": 100}"#).unwrap();
    for (run, more, expected) in [
        ("a", &[][..], 4096),
        ("b", &["--job", &job][..], 100),
        ("c", &["--job", &job, "--max-length=200"][..], 200),
    ] {
        let out = studio.path(run);
        let words = ["train", "--model=demo", "--device=cpu", "--max-steps=1"];
        let words = [&words[..], &["--data", &project, "--out", &out], more].concat();
        let said = done(&words).stderr;
        let is_said = said.contains("as chosen in the project: --max-length 4096");
        assert_eq!(is_said, expected == 4096, "{said}");
        let spec = fs::read(format!("{out}/run.json")).unwrap();
        let spec: Value = serde_json::from_slice(&spec).unwrap();
        assert_eq!(spec["job"]["max_length"], expected, "{run}");
    }
}

#[test]
fn tokens_are_those_that_a_project_trains() {
    let studio = Studio::with_project();
    let project = with_options(&studio, r#"{"train_on":"all","template":"plain"}"#);
    let inspect = ["inspect", "--model=demo", "--json", "--data", &project];
    let convert = ["--to=tokenized", "--model=demo", "--force", "--out"];
    let out = studio.path("tokens.jsonl");
    let convert = [&["data", "convert", &project][..], &convert, &[&out]].concat();
    let mut found = Vec::new();
    for (more, is_chosen) in [
        (&[][..], true),
        (&["--train-on=assistant", "--template=chatml"][..], false),
    ] {
        let said = done(&[&convert[..], more].concat()).stderr;
        let chosen = "as chosen in the project: --train-on all --template plain";
        assert_eq!(said.contains(chosen), is_chosen, "{said}");
        let seen = done(&[&inspect[..], more].concat()).stdout;
        let seen: Value = serde_json::from_str(&seen).unwrap();
        let written = fs::read_to_string(&out).unwrap();
        let written: Value = serde_json::from_str(written.lines().next().unwrap()).unwrap();
        for key in ["input_ids", "labels"] {
            assert_eq!(written[key], seen[key], "{key}");
        }
        found.push(written);
    }
    assert_ne!(found[0], found[1]);
}

/// Axolotl would train an answer that is marked as bad like any other.
#[test]
fn bad_answers_do_not_go_out_as_good_ones() {
    let studio = Studio::with_project();
    let (marked, project) = (studio.path("marked.jsonl"), studio.path("marked.veneer"));
    let rows = [
        r#"{"prompt": "P1", "completion": "good", "label": true}"#,
        r#"{"prompt": "P2", "completion": "insult", "label": false}"#,
    ];
    fs::write(&marked, rows.join("\n")).unwrap();
    done(&["data", "import", &marked, "--into", &project]);
    let out = studio.path("handed");
    let export = ["data", "export", &project, "--to", "axolotl", "--out", &out];
    refused(&export, &["bad", "--lossy"]);
    refused(
        &[&export[..], &["--take-chosen"]].concat(),
        &["--take-chosen", "is a project"],
    );
    done(&[&export[..], &["--lossy"]].concat());
    let files = fs::read_dir(&out).unwrap().flatten();
    let rows: Vec<String> = files
        .filter(|file| {
            file.path()
                .extension()
                .is_some_and(|ending| ending == "jsonl")
        })
        .map(|file| fs::read_to_string(file.path()).unwrap())
        .collect();
    assert!(rows.concat().contains("good"), "{rows:?}");
    assert!(!rows.concat().contains("insult"), "{rows:?}");
}
