//! Snapshots on the command line: taken, compared, gone back to, named by number.

use serde_json::json;

use crate::{
    binary::{done, refused},
    studio::Studio,
};

#[test]
fn snapshots_are_compared_and_restored() {
    let studio = Studio::with_project();
    let project = studio.path("p.veneer");
    done(&["data", "snapshot", &project, "--take", "antes"]);
    done(&[
        "data",
        "fix",
        &project,
        "--finding",
        "duplicate",
        "--with",
        "keep_first",
    ]);
    let compared = done(&["data", "snapshot", &project, "--compare", "antes"]);
    let removed = compared.stdout.contains("removed record 10\n");
    assert!(removed, "{}", compared.stdout);
    done(&["data", "snapshot", &project, "--restore", "antes"]);
    assert_eq!(studio.n_records(), 11);
    refused(
        &["data", "snapshot", &project, "--restore", "después"],
        &["no snapshot `después`", "`antes`"],
    );
    for name in ["antes", " antes ", " "] {
        refused(&["data", "snapshot", &project, "--take", name], &["name"]);
    }
    let number = ["data", "snapshot", &project, "--take", "#1"];
    refused(&number, &["the number 1", "begins otherwise"]);
    for what in ["--take", "--restore", "--delete"] {
        let words = ["data", "snapshot", &project, what, "antes", "--with", "b"];
        refused(&words, &["--with", what]);
    }
    done(&["data", "snapshot", &project, "--take", "ahora"]);
    let between = done(&[
        "data",
        "snapshot",
        &project,
        "--compare",
        "#1",
        "--with",
        "ahora",
    ]);
    assert!(
        between.stdout.contains("from `antes` to `ahora`: 0 added"),
        "{}",
        between.stdout
    );
}

#[test]
fn one_of_several_snapshots_of_a_name_is_named_by_its_number() {
    let studio = Studio::with_project();
    let project = studio.path("p.veneer");
    for name in ["a", "b"] {
        done(&["data", "snapshot", &project, "--take", name]);
    }
    // Earlier versions kept two under one name.
    let file = rusqlite::Connection::open(&project).unwrap();
    file.execute("UPDATE snapshot SET name = 'a'", []).unwrap();
    drop(file);
    for what in ["--compare", "--restore", "--delete"] {
        refused(
            &["data", "snapshot", &project, what, "a"],
            &["2 snapshots are named `a`", "#1 of ", "#2 of ", "'#2'"],
        );
    }
    done(&["data", "snapshot", &project, "--delete", "#1"]);
    let left = studio.json(&["data", "snapshot", &project]);
    assert_eq!(left["snapshots"][0]["snapshot"], json!(2), "{left:#}");
    done(&["data", "snapshot", &project, "--restore", "a"]);
}
