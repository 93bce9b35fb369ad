//! Sides of a project that were frozen.

use serde_json::{Value, json};

use crate::{
    binary::{done, refused},
    studio::{Studio, settle_errors},
};

#[test]
fn a_frozen_split_is_drawn_again_only_when_it_is_thawed() {
    let studio = Studio::with_project();
    let project = studio.path("p.veneer");
    settle_errors(&project);
    let split = |arguments: &[&str]| {
        let command = [&["data", "split", &project][..], arguments].concat();
        studio.json(&command)
    };
    let frozen = split(&["--val-count", "2", "--freeze"]);
    assert!(frozen["frozen"].is_string(), "{frozen}");
    refused(
        &["data", "split", &project, "--val-count", "3"],
        &["is frozen", "--thaw"],
    );
    let again = split(&["--freeze"]);
    assert_eq!(again["frozen"], frozen["frozen"], "nothing was drawn");
    let drawn = split(&["--val-count", "3", "--thaw"]);
    assert_eq!(
        (&drawn["n_validation"], &drawn["frozen"]),
        (&json!(3), &Value::Null)
    );
    // Drawing and thawing are two actions, and both go back.
    done(&["data", "undo", &project]);
    done(&["data", "undo", &project]);
    assert_eq!(split(&["--freeze"])["frozen"], frozen["frozen"]);
}

/// Sixty questions of ten authors, the first ones alone in the project.
fn by_authors(studio: &Studio, n: usize) -> String {
    let line = |i: usize| {
        let meta = json!({"author": format!("a{}", i % 10)});
        json!({"query": format!("question {i}"), "response": "answer", "meta": meta})
    };
    let lines: Vec<String> = (0..n).map(|i| line(i).to_string()).collect();
    let path = studio.path(&format!("{n}.jsonl"));
    std::fs::write(&path, lines.join("\n")).unwrap();
    path
}

#[test]
fn sides_are_shown_as_they_are_and_new_records_join_them() {
    let studio = Studio::new();
    let project = studio.path("p.veneer");
    let import = |n: usize, wanted: usize| {
        let file = by_authors(&studio, n);
        let lines = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = lines.lines().skip(n - wanted).collect();
        std::fs::write(&file, lines.join("\n")).unwrap();
        done(&["data", "import", &file, "--into", &project]);
    };
    let split = |arguments: &[&str]| {
        let command = [&["data", "split", &project][..], arguments].concat();
        studio.json(&command)
    };
    import(40, 40);
    let said = done(&["data", "split", &project]).stdout;
    assert!(said.contains("--val 0.1 --test 0.1"), "{said}");
    refused(
        &["data", "split", &project, "--new-only"],
        &["no split was drawn before"],
    );
    let drawn = done(&[
        "data",
        "split",
        &project,
        "--val-count",
        "10",
        "--group",
        "meta.author",
    ]);
    assert!(
        drawn.stdout.contains("asked       10 for validation"),
        "{drawn:#?}"
    );
    let before = split(&[]);
    assert_eq!(
        (&before["n_validation"], &before["frozen"]),
        (&json!(8), &Value::Null)
    );
    assert_eq!(before["n_groups_apart"], json!(0));
    import(60, 20);
    let added = split(&["--new-only"]);
    assert_eq!(
        (&added["n_without"], &added["n_groups_apart"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(
        added["n_validation"],
        json!(12),
        "two of ten authors are there"
    );
    refused(
        &["data", "split", &project, "--new-only"],
        &["on a side already"],
    );
    done(&["data", "split", &project, "--freeze"]);
    // What is on no side is no part of what was frozen.
    done(&[
        "data",
        "import",
        &by_authors(&studio, 1),
        "--into",
        &project,
    ]);
    done(&[
        "data",
        "fix",
        &project,
        "--finding",
        "duplicate",
        "--with",
        "accept",
    ]);
    let shown = split(&[]);
    assert_eq!(shown["frozen_holds"], json!(true), "it is on no side");
    refused(
        &["data", "split", &project, "--out-dir", "x"],
        &["--out-dir", "veneer data export"],
    );
}

#[test]
fn a_frozen_split_that_changed_is_not_frozen_over() {
    let studio = Studio::with_project();
    let project = studio.path("p.veneer");
    settle_errors(&project);
    done(&["data", "split", &project, "--val-count", "2", "--freeze"]);
    done(&[
        "data",
        "fix",
        &project,
        "--finding",
        "duplicate",
        "--with",
        "keep_first",
    ]);
    refused(
        &["data", "split", &project, "--freeze"],
        &["changed since", "thaw it"],
    );
    let shown = done(&["data", "split", &project]).stdout;
    assert!(shown.contains("records were changed since"), "{shown}");
    done(&["data", "split", &project, "--thaw"]);
    let frozen = studio.json(&["data", "split", &project, "--freeze"]);
    assert_eq!(frozen["frozen_holds"], json!(true));
}

#[test]
fn a_leak_of_a_frozen_split_names_the_command_that_thaws() {
    let studio = Studio::new();
    let rows = [("Una deuda", "train"), ("Una promesa", "validation")];
    let rows = rows.map(|(answer, side)| {
        json!({"instruction": "¿Qué es un bono?", "output": answer, "veneer_side": side})
            .to_string()
    });
    std::fs::write(studio.path("sides.jsonl"), rows.join("\n")).unwrap();
    let project = studio.path("p.veneer");
    done(&[
        "data",
        "import",
        &studio.path("sides.jsonl"),
        "--into",
        &project,
    ]);
    done(&["data", "split", &project, "--freeze"]);
    let fix = [
        "data",
        "fix",
        &project,
        "--finding",
        "leak",
        "--with",
        "to_train",
    ];
    refused(&fix, &["frozen", "veneer data split", "--thaw"]);
    done(&["data", "split", &project, "--thaw"]);
    done(&fix);
}

#[test]
fn findings_of_a_project_name_their_records() {
    let studio = Studio::with_project();
    let project = studio.path("p.veneer");
    let report = studio.json(&["data", "check", &project]);
    let kinds = report["findings"]["kinds"].as_array().unwrap();
    let of = |name: &str| {
        let found = kinds.iter().find(|kind| kind["kind"] == name);
        found.unwrap()["records"].clone()
    };
    assert_eq!(
        (of("duplicate"), of("empty_answer")),
        (json!([10]), json!([11]))
    );
    refused(
        &["data", "check", &project, "--finding", "duplicate"],
        &["1 record", "       10  ¿Qué es el bono 0?", "--record ID"],
    );
    let fix = [
        "data",
        "fix",
        &project,
        "--finding",
        "duplicate",
        "--with",
        "keep_first",
    ];
    for (record, reason) in [
        ("3", "record 3 has no `duplicate`"),
        ("99", "record 99 is not"),
    ] {
        refused(&[&fix[..], &["--record", record]].concat(), &[reason]);
    }
    let long = ["data", "check", &project, "--max-length", "5", "--json"];
    let outcome = crate::binary::outcome(crate::binary::veneer().args(long));
    assert!(outcome.stdout.contains("\"too_long\""), "{outcome:#?}");
    for option in [
        ["--tokenizer", "t.json"],
        ["--format", "text"],
        ["--side", "train"],
    ] {
        let command = ["data", "check", &project];
        refused(
            &[&command[..], &option].concat(),
            &[option[0], "is a project"],
        );
    }
}

#[test]
fn a_sheet_that_says_sides_is_not_trained_on_as_a_whole() {
    let studio = Studio::new();
    let sheet = studio.path("t.csv");
    let rows = "query,response,veneer_side\nuno,1,train\ndos,2,test\ntres,3,\n";
    std::fs::write(&sheet, rows).unwrap();
    let out = studio.path("run");
    let train = ["train", "--model=demo", "--device=cpu", "--max-steps=1"];
    let train = [&train[..], &["--data", &sheet, "--out", &out]].concat();
    refused(
        &train,
        &["1 of 3 records", "is marked", "--into", "--allow held_out"],
    );
    assert!(!std::path::Path::new(&out).exists());
    let trained = done(&[&train[..], &["--allow=held_out"]].concat());
    assert!(trained.stderr.contains("and trained on"), "{trained:#?}");

    let split = done(&["data", "split", &sheet, "--val-count=1", "--test-count=1"]);
    assert!(
        split.stderr.contains("left out: the sides"),
        "{}",
        split.stderr
    );
    for side in ["train", "val", "test"] {
        let text = std::fs::read_to_string(studio.path(&format!("t.{side}.csv"))).unwrap();
        assert!(text.starts_with("query,response\n"), "{text}");
    }
}
