//! What data commands say: what is missing, what was written, what comes next.

use std::fs;

use crate::{
    binary::{done, file, outcome, refused, veneer},
    studio::{Studio, settle_errors},
};

#[test]
fn what_is_missing_is_said_by_its_name() {
    let studio = Studio::new();
    let (empty, data) = (studio.path("empty"), studio.path("preguntas.csv"));
    fs::create_dir(&empty).unwrap();
    let project = studio.path("n.veneer");
    refused(
        &["data", "import", &empty, "--into", &project],
        &["there is no file in", "empty"],
    );
    refused(
        &["data", "check", &empty],
        &["is a folder", "veneer data import"],
    );
    let lost = [studio.path("none/n.veneer"), studio.path("none/n.jsonl")];
    for command in [
        ["data", "import", &data, "--into", &lost[0]].as_slice(),
        &[
            "data", "convert", &data, "--to", "openai", "--out", &lost[1],
        ],
    ] {
        let outcome = outcome(veneer().args(command));
        assert_eq!(outcome.code, Some(1), "{outcome:#?}");
        assert!(
            outcome.stderr.contains("there is no folder"),
            "{outcome:#?}"
        );
        assert!(!outcome.stderr.contains(".veneer-"), "{outcome:#?}");
    }
}

#[test]
fn a_table_is_called_what_was_asked_for() {
    let (folder, path) = file("s.jsonl", "{\"instruction\": \"a\", \"output\": \"b\"}\n");
    let out = folder.path().join("out.csv");
    let out = out.to_str().unwrap();
    let convert = ["data", "convert", &path, "--to", "csv", "--out", out];
    let said = done(&convert).stdout;
    assert!(said.contains("Wrote 1 record as csv"), "{said}");
    let said = done(&[&convert[..], &["--force", "--json"]].concat()).stdout;
    assert!(said.contains("\"to\": \"csv\""), "{said}");
}

#[test]
fn a_conversion_that_would_write_nothing_is_refused() {
    let tokens = "{\"input_ids\": [1, 2, 3], \"labels\": [1, 2, 3]}\n";
    let (folder, path) = file("t.jsonl", tokens);
    let out = folder.path().join("out.jsonl");
    let out = out.to_str().unwrap();
    refused(
        &[
            "data", "convert", &path, "--to", "openai", "--lossy", "--out", out,
        ],
        &["cannot hold anything", "nothing was written"],
    );
    assert!(!folder.path().join("out.jsonl").exists());
}

#[test]
fn a_project_says_what_there_is_to_do() {
    let studio = Studio::with_project();
    let project = studio.path("p.veneer");
    settle_errors(&project);
    for command in ["undo", "redo", "history"] {
        refused(&["data", command, &project, "-n", "0"], &["'0'", "--n"]);
    }
    let nothing = studio.path("nothing.veneer");
    let one = studio.path("one.jsonl");
    fs::write(
        &one,
        "{\"query\": \"¿a?\", \"response\": \"una respuesta\"}\n",
    )
    .unwrap();
    let imported = done(&["data", "import", &one, "--into", &nothing]).stdout;
    assert!(!imported.contains("--new-only"), "{imported}");
    let said = done(&["data", "fix", &nothing]).stdout;
    assert!(said.contains("Nothing to settle."), "{said}");

    done(&["data", "split", &project, "--val-count", "2", "--freeze"]);
    let said = done(&["data", "import", &one, "--into", &project]).stdout;
    assert!(said.contains("--new-only"), "{said}");
    let said = done(&["data", "split", &project]).stdout;
    let words: Vec<&str> = said.split_whitespace().collect();
    assert!(words.join(" ").contains("--new-only --thaw"), "{said}");
    assert!(said.contains("next: veneer train"), "{said}");
    let all = ["data", "split", &nothing, "--val-count", "1"];
    let said = outcome(veneer().args(all)).stdout;
    assert!(!said.contains("veneer train"), "{said}");
}

#[test]
fn a_job_takes_the_model_of_the_project() {
    let studio = Studio::with_project();
    let project = studio.path("p.veneer");
    settle_errors(&project);
    outcome(veneer().args(["data", "check", &project, "--model", "demo"]));
    let job = studio.path("job");
    let export = [
        "data",
        "export",
        &project,
        "--to",
        "train-job",
        "--out",
        &job,
    ];
    let said = done(&[&export[..], &["--anyway"]].concat()).stdout;
    assert!(said.contains("train --model demo"), "{said}");
}

#[test]
fn nothing_is_written_over_what_it_is_made_from() {
    let studio = Studio::new();
    let (sheet, project) = (studio.path("s.csv"), studio.path("proj.json"));
    let rows = "query,response,veneer_side\nuno,1,train\ndos,2,test\n";
    fs::write(&sheet, rows).unwrap();
    done(&["data", "import", &sheet, "--into", &project]);
    let folder = studio.path("folder");
    fs::create_dir(&folder).unwrap();
    let inner = studio.path("folder/inner.csv");
    fs::write(&inner, rows).unwrap();
    for (source, format, out) in [
        (&sheet, "csv", &sheet),
        (&sheet, "csv", &studio.path("folder/../s.csv")),
        (&project, "openai", &project),
        (&folder, "csv", &inner),
    ] {
        let written = fs::read(out).unwrap();
        let words = ["data", "export", source, "--to", format, "--out", out];
        let more = ["--only=train", "--lossy", "--anyway", "--force"];
        refused(
            &[&words[..], &more].concat(),
            &["would take the place of the dataset that it is made from"],
        );
        assert!(fs::read(out).unwrap() == written, "{out}");
    }
}

/// In a shell of its own, as all tests share the umask of their process.
#[cfg(unix)]
#[test]
fn results_are_no_more_open_than_files_are_to_be() {
    use std::os::unix::fs::PermissionsExt as _;
    let studio = Studio::new();
    let sheet = studio.path("preguntas.csv");
    let [out, old, project] = ["new.jsonl", "old.jsonl", "p.veneer"].map(|name| studio.path(name));
    fs::write(&old, "old").unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o664)).unwrap();
    let convert = ["data", "convert", &sheet, "--lossy", "--force"];
    for words in [
        [&convert[..], &["--to=openai", "--out", &out]].concat(),
        [&convert[..], &["--to=openai", "--out", &old]].concat(),
        vec!["data", "import", &sheet, "--into", &project],
    ] {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "umask 077; exec \"$0\" \"$@\""]);
        command.arg(env!("CARGO_BIN_EXE_veneer")).args(&words);
        let outcome = outcome(&mut command);
        assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    }
    let mode = |path: &String| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        [&out, &old, &project].map(mode),
        [0o600, 0o664, 0o600],
        "what the umask leaves, and what the old file had"
    );
}

#[test]
fn sides_of_files_are_not_passed_over() {
    let studio = Studio::new();
    let sheet = studio.path("preguntas.csv");
    let (project, out) = (studio.path("p.veneer"), studio.path("o.jsonl"));
    for words in [
        ["data", "import", &sheet, "--into", &project].as_slice(),
        &["data", "export", &sheet, "--to", "openai", "--out", &out],
        &["data", "stats", &sheet],
    ] {
        let words = [words, &["--side=train"]].concat();
        refused(&words, &["`--side` chooses records of a project"]);
    }
}

#[test]
fn errors_of_a_project_name_the_commands_for_projects() {
    let studio = Studio::with_project();
    let project = studio.path("p.veneer");
    let command = ["inspect", "--model", "demo", "--data", &project];
    refused(&command, &["veneer data check", "veneer data fix"]);
    let said = outcome(veneer().args(command)).stderr;
    assert!(!said.contains("--fix"), "{said}");
}

#[test]
fn errors_that_a_repair_settles_are_not_said_to_need_a_hand() {
    let line = "{\"instruction\": \"a\", \"output\": \"\"}\n";
    let (_folder, path) = file("s.jsonl", line);
    refused(&["data", "check", &path], &["must be settled first"]);
}
