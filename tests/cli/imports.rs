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

/// `保険は契約です。` in EUC-JP.
const EUC_JP: &[u8] = b"\xca\xdd\xb8\xb1\xa4\xcf\xb7\xc0\xcc\xf3\xa4\xc7\xa4\xb9\xa1\xa3";

#[test]
fn a_document_is_read_in_the_encoding_that_is_said() {
    let studio = Studio::new();
    let page = studio.path("page.html");
    // What the page says of itself is wrong, and fits its bytes.
    let text = [b"<meta charset=windows-1251><p>", EUC_JP].concat();
    fs::write(&page, text).unwrap();
    let [project, from_project, from_page] =
        ["page.veneer", "a.jsonl", "b.jsonl"].map(|name| studio.path(name));
    let said = ["--encoding", "euc-jp"];
    let import = ["data", "import", &page, "--into", &project];
    let told = done(&[&import[..], &said[..]].concat()).stdout;
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("encoding EUC-JP"), "{told}");
    done(&[
        "data",
        "export",
        &project,
        "--to",
        "text",
        "--out",
        &from_project,
    ]);
    let convert = [
        "data", "convert", &page, "--to", "text", "--out", &from_page,
    ];
    done(&[&convert[..], &said[..]].concat());
    for path in [from_project, from_page] {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains("保険は契約です。"), "{text}");
    }
}

#[test]
fn code_comes_in_as_it_stands() {
    const CODE: &str = "a = \"\"\"x  \n\n\n\ny\"\"\"\n\n\ndef f():\n\treturn a\n";
    let studio = Studio::new();
    let (file, out) = (studio.path("a.py"), studio.path("a.jsonl"));
    fs::write(&file, CODE).unwrap();
    done(&["data", "convert", &file, "--to", "text", "--out", &out]);
    let record: Value = serde_json::from_str(&fs::read_to_string(out).unwrap()).unwrap();
    assert_eq!(record["text"], CODE);
}

#[test]
fn what_a_file_holds_beside_its_records_is_said() {
    let studio = Studio::new();
    let (file, project) = (studio.path("both.json"), studio.path("both.veneer"));
    let row = "{\"query\": \"a\", \"response\": \"b\"}";
    fs::write(
        &file,
        format!("{{\"train\": [{row}], \"test\": [{row}, {row}]}}"),
    )
    .unwrap();
    let told = done(&["data", "import", &file, "--into", &project]).stdout;
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("`test`, found a list of 2"), "{told}");
    assert!(!told.contains("could not become"), "{told}");
}

#[test]
fn columns_of_the_same_name_come_in_and_numbers_say_how_they_are_read() {
    let studio = Studio::new();
    let (twice, project) = (studio.path("twice.csv"), studio.path("twice.veneer"));
    fs::write(&twice, "instruction,output,note,note\na,b,c,d\n").unwrap();
    let report = studio.json(&["data", "import", &twice, "--into", &project]);
    assert_eq!(
        (&report["n_records"], &report["n_rejected"]),
        (&1.into(), &0.into())
    );
    let out = studio.path("twice.jsonl");
    done(&["data", "export", &project, "--to", "alpaca", "--out", &out]);
    let record: Value = serde_json::from_str(&fs::read_to_string(out).unwrap()).unwrap();
    assert_eq!(
        (&record["note"], &record["note (2)"]),
        (&"c".into(), &"d".into())
    );

    let (table, project) = (studio.path("table.csv"), studio.path("table.veneer"));
    fs::write(
        &table,
        "地域,所得（千円）\n札幌,\"2,477\"\n函館,\"2,105\"\n小樽,x\n",
    )
    .unwrap();
    let told = |arguments: &[&str], into: &str| {
        let import = ["data", "import", &table, "--into", into];
        let told = done(&[&import[..], arguments].concat()).stdout;
        told.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let by_itself = told(&[], &project);
    assert!(by_itself.contains("--numbers as-they-stand"), "{by_itself}");
    let kept = told(&["--numbers", "as-they-stand"], &studio.path("kept.veneer"));
    assert!(!kept.contains("--numbers"), "{kept}");
}

#[test]
fn nothing_in_a_file_acts_on_the_terminal() {
    let studio = Studio::new();
    let file = studio.path("a.csv");
    for text in [
        "question,answer,na\x1b[31mme\na,b,c\n",
        "x\x1b[31m\n1\n",
        "hello \x1b[31mthere\n",
    ] {
        fs::write(&file, text).unwrap();
        for command in ["check", "stats"] {
            let said = outcome(veneer().args(["data", command, &file]));
            let said = said.stdout + &said.stderr;
            assert!(!said.contains('\x1b'), "{said}");
        }
    }
    let said = outcome(veneer().args(["data", "check", &file])).stderr;
    assert!(said.contains("counts as the header"), "{said}");
    let folder = studio.path("empty");
    fs::create_dir(&folder).unwrap();
    let out = studio.path("out.jsonl");
    let export = ["data", "export", &folder, "--to", "openai", "--out", &out];
    let said = outcome(veneer().args(export)).stderr;
    assert!(said.contains("is a folder"), "{said}");
}
