//! What comes into a project and what does not: standard input, exports of Veneer, what was killed.

use std::{
    fs,
    process::Stdio,
    time::{Duration, SystemTime},
};

use serde_json::Value;

use crate::{
    binary::{done, outcome, veneer},
    studio::{Studio, large, settle_errors},
};

#[test]
fn what_a_killed_import_left_is_cleared_by_a_later_one() {
    let studio = Studio::new();
    let file = studio.path("large.jsonl");
    large(&file);
    let import = ["data", "import", &file, "--into"];
    let mut child = veneer()
        .args([&import[..], &[&studio.path("fresh.veneer")]].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    studio.wait_for_records();
    let hidden = || {
        let mut names = studio.names();
        names.retain(|name| name.starts_with('.'));
        names
    };
    let small = studio.path("preguntas.csv");
    let of_small = |into: &str| {
        for name in hidden() {
            let hour = Duration::from_secs(3600);
            let file = fs::File::options().append(true).open(studio.path(&name));
            let aged = file.and_then(|file| file.set_modified(SystemTime::now() - hour));
            aged.unwrap();
        }
        done(&["data", "import", &small, "--into", &studio.path(into)]);
    };
    of_small("beside.veneer");
    assert!(!hidden().is_empty(), "what is in use stays");
    child.kill().unwrap();
    child.wait().unwrap();
    of_small("after.veneer");
    assert_eq!(hidden(), Vec::<String>::new());
}

#[test]
fn standard_input_is_imported_in_the_format_that_is_said() {
    let studio = Studio::new();
    let rows = "{\"query\": \"a\", \"response\": \"b\"}\n{\"query\": \"c\", \"response\": \"d\"}\n";
    fs::write(studio.path("rows"), rows).unwrap();
    let import = |arguments: &[&str]| {
        let into = studio.path("p.veneer");
        let command = ["data", "import", "-", "--into", &into];
        let input = fs::File::open(studio.path("rows")).unwrap();
        outcome(veneer().args(command).args(arguments).stdin(input))
    };
    let unsaid = import(&[]);
    assert_eq!(unsaid.code, Some(1), "{unsaid:#?}");
    assert!(
        unsaid.stderr.contains("say it with --format"),
        "{unsaid:#?}"
    );
    let said = import(&["--format", "query-response", "--json"]);
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(report["n_records"], 2, "{report}");
}

#[test]
fn an_exported_folder_comes_back_without_its_card_and_settings() {
    let studio = Studio::with_project();
    let (project, out) = (studio.path("p.veneer"), studio.path("out"));
    settle_errors(&project);
    let export = ["data", "export", &project, "--to", "llama-factory", "--out"];
    done(&[&export[..], &[&out]].concat());
    let zip = studio.path("out.zip");
    done(&[&export[..], &[&zip]].concat());
    for exported in [&out, &zip] {
        let into = format!("{exported}.veneer");
        let report = studio.json(&["data", "import", exported, "--into", &into]);
        assert_eq!(report["n_records"], 10, "{report}");
        let left_out = report["left_out"].as_array().unwrap().iter();
        let mut names: Vec<&str> = left_out
            .map(|part| part[0].as_str().unwrap())
            .map(|name| name.rsplit(['/', ' ']).next().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["README.md", "dataset_info.json", "llama_factory.yaml"]
        );
    }
    let report = studio.json(&["data", "check", &zip]);
    assert_eq!(report["n_records"], 10, "{report}");
}
