//! Projects on the command line: files in, checks, repairs taken back, files out.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::binary::{done, outcome, refused, veneer};

/// A folder with a dataset of ten questions, of which one is there twice and one has no answer.
pub(crate) struct Studio {
    folder: tempfile::TempDir,
}

impl Studio {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut text = String::from("instruction,output,source\n");
        for i in 0..9 {
            text += &format!("\"¿Qué es el bono {i}?\nRespuesta breve\",Una deuda {i},informe\n");
        }
        text += "\"¿Qué es el bono 0?\nRespuesta breve\",Una deuda 0,informe\n";
        text += "sin respuesta,,informe\n";
        fs::write(folder.path().join("preguntas.csv"), text).unwrap();
        Self { folder }
    }

    /// The same with the dataset in a project.
    pub(crate) fn with_project() -> Self {
        let studio = Self::new();
        done(&[
            "data",
            "import",
            &studio.path("preguntas.csv"),
            "--into",
            &studio.path("p.veneer"),
        ]);
        studio
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// What a command says with `--json`, whether it ends well or not.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let outcome = outcome(veneer().args(arguments).arg("--json"));
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{outcome:#?}"))
    }

    /// Until an import has written a good part of its records, whatever file they go to.
    pub(crate) fn wait_for_records(&self) {
        let deadline = Instant::now() + Duration::from_secs(120);
        let written = || {
            let files = fs::read_dir(self.folder.path()).unwrap();
            let sizes = files.map(|file| match file.unwrap() {
                // The dataset itself does not grow.
                file if file.file_name() == "large.jsonl" => 0,
                file => file.metadata().map_or(0, |metadata| metadata.len()),
            });
            sizes.max().unwrap_or(0)
        };
        while written() < 4 << 20 {
            assert!(Instant::now() < deadline, "the import wrote nothing");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn n_records(&self) -> u64 {
        let report = self.json(&["data", "check", &self.path("p.veneer")]);
        report["n_records"].as_u64().unwrap()
    }

    /// Kinds of findings with their records.
    fn findings(&self) -> Vec<(String, u64)> {
        let report = self.json(&["data", "check", &self.path("p.veneer")]);
        let kinds = report["findings"]["kinds"].as_array().unwrap().clone();
        kinds
            .iter()
            .map(|kind| {
                let name = kind["kind"].as_str().unwrap().to_owned();
                (name, kind["n_records"].as_u64().unwrap())
            })
            .filter(|(_, n)| *n > 0)
            .collect()
    }
}

pub(crate) fn settle_errors(project: &str) {
    let fix = ["--finding", "empty_answer", "--with", "trash"];
    done(&[&["data", "fix", project], &fix[..]].concat());
}

fn lines(path: &str) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_project_has_the_findings_of_its_file() {
    let studio = Studio::with_project();
    let file = studio.json(&["data", "check", &studio.path("preguntas.csv")]);
    let counts = file["counts"].as_object().unwrap();
    let mut of_file: Vec<(String, u64)> = counts
        .iter()
        .map(|(kind, n)| (kind.clone(), n.as_u64().unwrap()))
        .collect();
    let mut of_project = studio.findings();
    of_file.sort();
    of_project.sort();
    assert_eq!(of_project, of_file);
    assert!(
        of_project
            .iter()
            .any(|(kind, n)| kind == "duplicate" && *n == 1),
        "{of_project:?}"
    );
    refused(
        &["data", "check", &studio.path("p.veneer")],
        &["1 record with errors", "veneer data fix"],
    );
    assert_eq!(studio.names(), ["p.veneer", "preguntas.csv"]);
}

#[test]
fn a_fix_is_undone_and_done_again() {
    let studio = Studio::with_project();
    let project = studio.path("p.veneer");
    assert_eq!(studio.n_records(), 11);
    let fixed = done(&[
        "data",
        "fix",
        &project,
        "--finding",
        "duplicate",
        "--with",
        "keep_first",
    ]);
    assert!(
        fixed.stdout.contains("veneer data undo"),
        "{}",
        fixed.stdout
    );
    assert_eq!(studio.n_records(), 10);
    assert!(
        studio
            .findings()
            .iter()
            .all(|(kind, _)| kind != "duplicate")
    );
    let undone = done(&["data", "undo", &project]);
    assert!(
        undone.stdout.contains("11, 0 in the trash"),
        "{}",
        undone.stdout
    );
    assert_eq!(studio.n_records(), 11);
    done(&["data", "redo", &project]);
    assert_eq!(studio.n_records(), 10);
    let history = done(&["data", "history", &project]);
    assert!(history.stdout.contains("imported"), "{}", history.stdout);
    refused(&["data", "redo", &project], &["nothing to redo"]);
    refused(
        &[
            "data",
            "fix",
            &project,
            "--finding",
            "nonsense",
            "--with",
            "trash",
        ],
        &["no record has `nonsense`"],
    );
    refused(
        &["data", "fix", &project, "--finding", "conflicting_answers"],
        &["conflicting_answers"],
    );
}

#[test]
fn a_spreadsheet_comes_back_as_the_same_records() {
    let studio = Studio::with_project();
    let (project, sheet) = (studio.path("p.veneer"), studio.path("tabla.xlsx"));
    done(&["data", "export", &project, "--to", "xlsx", "--out", &sheet]);
    let back = studio.path("back.veneer");
    done(&["data", "import", &sheet, "--into", &back]);
    let out = |from: &str, name: &str| {
        let path = studio.path(name);
        done(&["data", "export", from, "--to", "openai", "--out", &path]);
        lines(&path)
    };
    assert_eq!(out(&project, "a.jsonl"), out(&back, "b.jsonl"));
    // Every command reads the sheet itself.
    let of_sheet = studio.json(&["data", "stats", &sheet]);
    let of_file = studio.json(&["data", "stats", &studio.path("preguntas.csv")]);
    for key in ["n_records", "n_duplicates"] {
        assert_eq!(of_sheet[key], of_file[key], "{key}\n{of_sheet:#}");
    }
    done(&["data", "split", &sheet, "--test-count", "2"]);
    assert_eq!(lines(&studio.path("tabla.test.jsonl")).len(), 2);
    let parquet = studio.path("datos.parquet");
    done(&[
        "data", "export", &project, "--to", "parquet", "--out", &parquet,
    ]);
    assert!(fs::read(&parquet).unwrap().starts_with(b"PAR1"));
}

#[test]
fn sides_of_a_project_become_files_for_other_tools() {
    let studio = Studio::with_project();
    let project = studio.path("p.veneer");
    let out = studio.path("lf");
    refused(
        &[
            "data",
            "export",
            &project,
            "--to",
            "llama-factory",
            "--out",
            &out,
        ],
        &["records with errors", "1; settle them first", "--anyway"],
    );
    settle_errors(&project);
    let split = [
        "data",
        "split",
        &project,
        "--val-count",
        "2",
        "--test-count",
        "2",
    ];
    let sides = studio.json(&split);
    assert_eq!(
        (&sides["n_validation"], &sides["n_test"]),
        (&json!(2), &json!(2))
    );
    done(&[
        "data",
        "export",
        &project,
        "--to",
        "llama-factory",
        "--out",
        &out,
        "--model",
        "Qwen/Qwen2.5-0.5B-Instruct",
        "--licence",
        "cc-by-4.0",
    ]);
    let info = fs::read_to_string(Path::new(&out).join("dataset_info.json")).unwrap();
    let info: Value = serde_json::from_str(&info).unwrap();
    let mut n = 0;
    for entry in info.as_object().unwrap().values() {
        let file = entry["file_name"].as_str().unwrap();
        n += lines(Path::new(&out).join(file).to_str().unwrap()).len();
    }
    assert_eq!(n, 10);
    let card = fs::read_to_string(Path::new(&out).join("README.md")).unwrap();
    assert!(
        card.contains("license: \"cc-by-4.0\"") && card.contains("preguntas.csv"),
        "{card}"
    );
    let axolotl = studio.path("axolotl.zip");
    done(&[
        "data", "export", &project, "--to", "axolotl", "--out", &axolotl,
    ]);
    assert!(fs::read(&axolotl).unwrap().starts_with(b"PK"));
    let only = studio.path("test.jsonl");
    done(&[
        "data", "export", &project, "--to", "alpaca", "--only", "test", "--out", &only,
    ]);
    assert_eq!(lines(&only).len(), 2);
    refused(
        &[
            "data",
            "export",
            &project,
            "--to",
            "axolotl",
            "--out",
            &studio.path("x.jsonl"),
        ],
        &["several files"],
    );
}

#[test]
fn what_a_target_cannot_hold_is_refused_until_it_may_go() {
    let studio = Studio::new();
    let chats = json!([{"messages": [
        {"role": "system", "content": "sé breve"},
        {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}]);
    let file = studio.path("chats.json");
    fs::write(&file, chats.to_string()).unwrap();
    let out = studio.path("out.jsonl");
    let export = [
        "data",
        "export",
        &file,
        "--to",
        "query-response",
        "--out",
        &out,
    ];
    refused(&export, &["1 record: system prompts", "--lossy"]);
    assert!(!Path::new(&out).exists());
    done(&[&export[..], &["--lossy"]].concat());
    assert_eq!(lines(&out), [json!({"query": "q", "response": "a"})]);
    refused(
        &[
            "data",
            "export",
            &file,
            "--to",
            "openai-fine-tuning",
            "--out",
            &studio.path("o.jsonl"),
        ],
        &["1 examples", "at least 10"],
    );
}

#[test]
fn a_job_is_trained_from_the_project_alone() {
    let studio = Studio::with_project();
    let project = studio.path("p.veneer");
    settle_errors(&project);
    done(&["data", "split", &project, "--val-count", "2"]);
    let job = studio.path("job");
    done(&[
        "data",
        "export",
        &project,
        "--to",
        "train-job",
        "--out",
        &job,
        "--model",
        "demo",
    ]);
    let files: Vec<PathBuf> = fs::read_dir(&job)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let settings = files
        .iter()
        .find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .expect("the settings");
    let trained = done(&[
        "train",
        "--model",
        "demo",
        "--data",
        &project,
        "--job",
        settings.to_str().unwrap(),
        "--max-steps",
        "1",
        "--device",
        "cpu",
        "--json",
        "--out",
        &studio.path("run"),
    ]);
    assert!(
        trained.stdout.contains("\"n_examples\":8"),
        "{}",
        trained.stdout
    );
    assert!(trained.stderr.contains("report.html"), "{}", trained.stderr);
}

#[test]
fn tables_without_questions_become_records_by_templates() {
    let studio = Studio::new();
    let census = studio.path("censo.csv");
    fs::write(
        &census,
        "Nota: provisional,,\n,,\nciudad,año,habitantes\nSoria,2024,\"39,753\"\n",
    )
    .unwrap();
    let project = studio.path("c.veneer");
    done(&[
        "data",
        "import",
        &census,
        "--into",
        &project,
        "--skip-rows",
        "1",
        "--header-rows",
        "1",
        "--numbers",
        "plain",
        "--template",
        "instruction=¿Cuántos viven en {ciudad} ({año})?",
        "--template",
        "output={habitantes}",
    ]);
    let out = studio.path("c.jsonl");
    done(&["data", "export", &project, "--to", "alpaca", "--out", &out]);
    let record = lines(&out).remove(0);
    assert_eq!(record["instruction"], "¿Cuántos viven en Soria (2024)?");
    assert_eq!(record["output"], "39753");
}

#[test]
fn columns_that_are_named_are_taken_instead_of_a_guess() {
    let studio = Studio::new();
    let bonds = studio.path("bonds.csv");
    let table = "What is asked;What is said;Kurs\nPrice of A?;It is 98,765.;98,765\n";
    fs::write(&bonds, table).unwrap();
    let project = studio.path("b.veneer");
    let map = "instruction=What is asked,output=What is said";
    done(&["data", "import", &bonds, "--into", &project, "--map", map]);
    let out = studio.path("b.jsonl");
    done(&["data", "export", &project, "--to", "alpaca", "--out", &out]);
    let record = lines(&out).remove(0);
    assert_eq!(record["instruction"], "Price of A?");
    assert_eq!(record["input"], "");
    assert_eq!(record["output"], "It is 98,765.");
}

#[test]
fn documents_are_read_by_every_command() {
    let studio = Studio::new();
    let page = studio.path("nota.html");
    fs::write(
        &page,
        "<h1>Bonos</h1><script>alert(1)</script><p>Un bono es una deuda.</p>",
    )
    .unwrap();
    let stats = studio.json(&["data", "stats", &page]);
    assert_eq!(stats["format"], "text", "{stats:#}");
    let out = studio.path("nota.jsonl");
    done(&["data", "convert", &page, "--to", "text", "--out", &out]);
    let text = fs::read_to_string(&out).unwrap();
    assert!(
        text.contains("Un bono es una deuda") && !text.contains("alert"),
        "{text}"
    );
    refused(
        &["data", "check", &page, "--fix"],
        &["repairs text files", "veneer data import"],
    );
}

#[test]
fn other_databases_and_newer_projects_are_named() {
    let studio = Studio::with_project();
    let project = studio.path("p.veneer");
    let good = fs::read(&project).unwrap();
    // The header of SQLite: the application's own version at 60, whose file it is at 68.
    let mut newer = good.clone();
    newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&project, &newer).unwrap();
    refused(&["data", "check", &project], &["newer Veneer"]);
    let mut other = good.clone();
    other[68..72].copy_from_slice(&[0; 4]);
    fs::write(&project, &other).unwrap();
    refused(&["data", "history", &project], &["not a Veneer project"]);
    fs::write(&project, &good[..good.len() / 2]).unwrap();
    refused(&["data", "stats", &project], &["p.veneer"]);
    refused(
        &["data", "undo", &studio.path("preguntas.csv")],
        &["is not a project"],
    );
    refused(
        &["data", "undo", &studio.path("none.veneer")],
        &["there is no project"],
    );
    refused(
        &[
            "data",
            "import",
            &studio.path("none.csv"),
            "--into",
            &project,
        ],
        &["none.csv"],
    );
}

/// Enough that an import takes longer than the test waits.
pub(crate) fn large(path: &str) {
    let line = "{\"query\": \"¿Qué es un bono convertible?\", \"response\": \"Una deuda que puede \
                cambiarse por acciones.\"}\n";
    fs::write(path, line.repeat(150_000)).unwrap();
}

#[test]
fn a_killed_import_leaves_the_project_as_it_was() {
    let studio = Studio::with_project();
    let (file, project) = (studio.path("large.jsonl"), studio.path("p.veneer"));
    large(&file);
    let fresh = studio.path("fresh.veneer");
    for into in [&fresh, &project] {
        for name in studio.names().iter().filter(|name| name.starts_with('.')) {
            fs::remove_file(studio.path(name)).unwrap();
        }
        let mut child = veneer()
            .args(["data", "import", &file, "--into", into])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        studio.wait_for_records();
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(!Path::new(&fresh).exists());
    assert_eq!(studio.n_records(), 11);
    let history = done(&["data", "history", &project]);
    assert_eq!(
        history.stdout.matches("imported").count(),
        1,
        "{}",
        history.stdout
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_an_import_and_says_that_nothing_was_kept() {
    let studio = Studio::with_project();
    let (file, project) = (studio.path("large.jsonl"), studio.path("p.veneer"));
    large(&file);
    let child = veneer()
        .args(["data", "import", &file, "--into", &project])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    studio.wait_for_records();
    let killed = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("nothing of it was kept"), "{said}");
    assert_eq!(studio.n_records(), 11);
    assert_eq!(studio.names(), ["large.jsonl", "p.veneer", "preguntas.csv"]);
}
