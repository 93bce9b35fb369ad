//! Runs on the sides of a project, and what an evaluation says of records that were trained on.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    binary::{Outcome, done, fixture, refused, veneer},
    interrupted::arguments,
    studio::Studio,
};

fn text(path: &Path) -> String {
    path.to_str().expect("test paths are UTF-8").to_owned()
}

fn data() -> String {
    text(&fixture("train/lora/data.jsonl"))
}

/// Twenty records: 13 to train on, 3 for validation, 4 for the test.
fn with_sides(studio: &Studio) -> String {
    let project = studio.path("p.veneer");
    done(&["data", "import", &data(), "--into", &project]);
    done(&["data", "split", &project, "--val-count=3", "--test-count=4"]);
    project
}

fn training(data: &str, out: &str) -> Vec<String> {
    let model = text(&fixture("models/llama32"));
    let words = ["train", "--model", &model, "--data", data, "--out", out];
    let settings = ["--max-steps=1", "--device=cpu"];
    words
        .into_iter()
        .chain(settings)
        .map(String::from)
        .collect()
}

fn eval(more: &[&str]) -> Outcome {
    let model = text(&fixture("models/llama32"));
    let words = ["eval", "--device=cpu", "--json", "--model", &model];
    done(&[&words[..], more].concat())
}

fn said(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).expect("one JSON object")
}

#[test]
fn a_project_is_measured_on_what_was_not_trained() {
    let studio = Studio::new();
    let (project, run) = (with_sides(&studio), studio.path("run"));
    let trained = done(&training(&project, &run));
    let next = format!("--with-base --data {project} --side test");
    assert!(trained.stderr.contains(&next), "{trained:#?}");
    let report = || fs::read_to_string(format!("{run}/report.html")).unwrap();

    let tested = eval(&["--adapter", &run, "--with-base", "--data", &project]);
    let numbers = said(&tested);
    let of =
        |numbers: &Value| ["n_examples", "side", "n_trained_on"].map(|key| numbers[key].clone());
    assert_eq!(of(&numbers), [json!(4), json!("test"), json!(0)]);
    assert!(
        tested.stderr.contains("the side `test` is measured"),
        "{tested:#?}"
    );
    assert!(report().contains("On 4 held-out records"), "{}", report());

    let every = [
        "--adapter",
        &run,
        "--with-base",
        "--side=all",
        "--data",
        &project,
    ];
    let measured = eval(&every);
    assert_eq!(of(&said(&measured)), [json!(20), json!("all"), json!(13)]);
    let warned = "was trained on 13 of these 20 records";
    assert!(measured.stderr.contains(warned), "{measured:#?}");
    assert!(report().contains("On 20 records") && report().contains(warned));
    assert!(!report().contains("held-out"));

    let file = said(&eval(&["--adapter", &run, "--data", &data()]));
    assert_eq!(file["n_trained_on"], 13, "the same records in a file");
    let elsewhere = text(&fixture("merge/llama32"));
    let file = said(&eval(&["--adapter", &elsewhere, "--data", &data()]));
    assert_eq!(file["n_trained_on"], Value::Null, "nothing is known of it");
}

#[test]
fn a_report_names_every_adapter_and_keeps_its_comparison() {
    let studio = Studio::new();
    let run = studio.path("run");
    let data = data();
    let trained = done(&training(&data, &run));
    assert!(!trained.stderr.contains("next:"), "nothing is held out");
    let checkpoint = format!("{run}/checkpoint-1");
    let (many, one) = (studio.path("many.html"), studio.path("one.html"));
    let both = ["--adapter", &run, "--adapter", &checkpoint, "--with-base"];
    eval(&[&both[..], &["--data", &data, "--report", &many]].concat());
    let page = fs::read_to_string(&many).unwrap();
    for name in [&run, &checkpoint] {
        assert!(
            page.contains(&format!("<h2>{name} against base</h2>")),
            "{page}"
        );
        assert!(
            page.contains(&format!("`{name}` was trained on 20 of")),
            "{page}"
        );
    }

    let report = format!("{run}/report.html");
    let alone = ["--adapter", &run, "--data", &data];
    eval(&alone);
    let heading = format!("<h2>Scores of {run}</h2>");
    assert!(fs::read_to_string(&report).unwrap().contains(&heading));
    eval(&[&alone[..], &["--with-base"]].concat());
    let compared = fs::read(&report).unwrap();
    let kept = eval(&alone);
    assert!(
        kept.stderr.contains("stays, as it holds a comparison"),
        "{kept:#?}"
    );
    assert!(fs::read(&report).unwrap() == compared);
    eval(&[&alone[..], &["--report", &one]].concat());
    assert!(fs::read_to_string(&one).unwrap().contains(&heading));
}

#[test]
fn records_beside_the_train_side_are_not_trained_in_silence() {
    let studio = Studio::new();
    let project = with_sides(&studio);
    let change = |sql: &str| {
        let db = rusqlite::Connection::open(&project).unwrap();
        db.execute(sql, []).unwrap();
    };
    change(
        "UPDATE record SET side = NULL WHERE id IN (SELECT id FROM record WHERE side = 0 LIMIT 5)",
    );
    let trained = done(&training(&project, &studio.path("some")));
    for expected in ["left out of training: 5 records on no side", "--new-only"] {
        assert!(trained.stderr.contains(expected), "{trained:#?}");
    }
    change("UPDATE record SET side = NULL WHERE side = 0");
    let all = training(&project, &studio.path("all"));
    refused(
        &all,
        &[
            "no record on the side `train` (3 on validation, 4 on test, 13 on no side)",
            "p.veneer --new-only",
            "--side all",
        ],
    );
    assert!(!Path::new(&studio.path("all")).exists());
    let trained = done(&[&all[..], &["--side=all".to_owned()]].concat());
    assert!(trained.stderr.contains("(all)"), "{trained:#?}");
    assert!(!trained.stderr.contains("next:"), "nothing is held out");
}

/// Two records to train on, one for validation, and two for the test, of which one leaks.
fn with_a_leak(studio: &Studio) -> String {
    let (sheet, project) = (studio.path("s.csv"), studio.path("p.veneer"));
    let sides = "uno,1,train\ndos,2,train\ntres,3,validation\nuno,4,test\ncuatro,5,test\n";
    fs::write(&sheet, format!("query,response,veneer_side\n{sides}")).unwrap();
    done(&["data", "import", &sheet, "--into", &project]);
    project
}

#[test]
fn leaks_are_told_of_the_side_that_is_measured() {
    let studio = Studio::new();
    let project = with_a_leak(&studio);
    let demo = ["--model=demo", "--device=cpu", "--data", &project];
    let evaluated = |side: Option<&str>| {
        let words = ["eval"].into_iter().chain(demo).chain(side);
        done(&words.collect::<Vec<&str>>()).stderr
    };
    let warned = "1 record that is held out asks what the side `train` asks";
    for (side, is_warned) in [
        (None, true),
        (Some("--side=test"), true),
        (Some("--side=validation"), false),
        (Some("--side=train"), false),
        (Some("--side=all"), false),
    ] {
        let said = evaluated(side);
        assert_eq!(said.contains(warned), is_warned, "{side:?}: {said}");
    }
    let run = |out: &str| {
        let out = studio.path(out);
        done(&[&["train", "--max-steps=1", "--out", &out][..], &demo].concat()).stderr
    };
    let said = run("run");
    for expected in ["of 2 held-out records", "1 asks what is trained on"] {
        assert!(said.contains(expected), "{said}");
    }
    assert!(!said.contains("--thaw"), "{said}");
    done(&["data", "split", &project, "--freeze"]);
    for said in [run("again"), evaluated(None)] {
        assert!(said.contains("--thaw`, then `veneer data fix"), "{said}");
    }
}

#[test]
fn a_run_is_evaluated_on_the_validation_side_or_not_at_all() {
    let studio = Studio::new();
    let (data, project) = (studio.path("d.csv"), studio.path("p.veneer"));
    let train = |evaluated: &str, out: &str| {
        let out = studio.path(out);
        let words = ["train", "--model=demo", "--device=cpu", "--max-steps=1"];
        let words = words.into_iter().chain(["--allow=leak", "--data", &data]);
        let words = words.chain(["--eval-data", evaluated, "--out", &out]);
        words.map(String::from).collect::<Vec<String>>()
    };
    fs::write(&data, "query,response\nuno,1\ndos,2\ntres,3\n").unwrap();
    done(&["data", "import", &data, "--into", &project]);
    let said = done(&train(&project, "all")).stderr;
    assert!(said.contains("p.veneer: query-response"), "{said}");
    done(&["data", "split", &project, "--test-count=1"]);
    let none = "has no records on the side `validation`";
    refused(&train(&project, "none"), &[none, "veneer data split"]);
    done(&["data", "split", &project, "--val-count=1"]);
    let said = done(&train(&project, "some")).stderr;
    assert!(
        said.contains("(validation): query-response") && said.contains("1 record"),
        "{said}"
    );
}

#[test]
fn a_project_is_itself_under_any_spelling_of_its_path() {
    let studio = Studio::new();
    let (sheet, project) = (studio.path("s.csv"), studio.path("p.veneer"));
    let rows = "uno,1,train\ndos,2,train\nuno,3,validation\n";
    fs::write(&sheet, format!("query,response,veneer_side\n{rows}")).unwrap();
    done(&["data", "import", &sheet, "--into", &project]);
    fs::create_dir(studio.path("sub")).unwrap();
    let (spelled, out) = (studio.path("sub/../p.veneer"), studio.path("run"));
    let demo = ["train", "--model=demo", "--device=cpu", "--max-steps=1"];
    let data = ["--allow=leak", "--data", &project, "--eval-data", &spelled];
    let said = done(&[&demo[..], &data, &["--out", &out]].concat()).stderr;
    assert!(said.contains("of 1 held-out record"), "{said}");
    assert!(!said.contains("does not evaluate on"), "{said}");
}

#[test]
fn a_folder_is_no_dataset() {
    let studio = Studio::new();
    let folder = studio.path("");
    refused(
        &training(&folder, &studio.path("run")),
        &["is a folder", "veneer data import"],
    );
}

#[test]
fn answers_go_back_in_with_their_references() {
    let studio = Studio::new();
    let (data, answers) = (studio.path("q.jsonl"), studio.path("answers.jsonl"));
    let lines = ["uno", "dos"].map(|word| json!({"query": word, "response": word}).to_string());
    fs::write(&data, lines.join("\n")).unwrap();
    let words = "eval --model demo --device cpu --answers --per-record --max-new-tokens 2 --json";
    let words: Vec<&str> = words.split(' ').chain(["--data", &data]).collect();
    let records = said(&done(&words))["records"].clone();
    let records = records.as_array().unwrap();
    assert_eq!(records[1]["reference"], "dos");
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    fs::write(&answers, lines.join("\n")).unwrap();
    let scored = said(&done(&["eval", "--json", "--predictions", &answers]));
    assert_eq!(scored["n_examples"], 2);
}

#[cfg(unix)]
#[test]
fn a_run_that_was_stopped_did_not_end_well() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut words = arguments(&out);
    words.retain(|word| word != "--max-steps=12");
    let mut child = veneer()
        .args(words)
        .arg("--max-steps=1000000")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is_step =
        |line: &std::io::Result<String>| line.as_ref().is_ok_and(|line| line.contains("\"step\""));
    assert!(lines.any(|line| is_step(&line)), "no step");
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(sent.success());
    lines.for_each(drop);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("stopped; go on with: veneer train --resume"),
        "{said}"
    );
}
