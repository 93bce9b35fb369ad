use std::{
    collections::BTreeMap,
    io::{self, Read as _},
    rc::Rc,
};

use serde_json::{Value, json};

use super::*;
use crate::{
    documents::{InputFile, ReadSeek, inspect},
    project::{
        content::content_of,
        run,
        testing::{chat, in_memory, project_of, question, turns},
    },
    protocol::studio::{
        Content, DataFile, ExportKind, Query, RecordKey, Search, SearchMode, Share, Side,
        SplitPlan, TextOptions,
    },
    text::{Body, Encoded, Record, Role},
};

mod handed_over;

struct Memory(String, Rc<[u8]>);

impl InputFile for Memory {
    fn name(&self) -> &str {
        &self.0
    }

    fn n_bytes(&self) -> u64 {
        self.1.len() as u64
    }

    fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(io::Cursor::new(Rc::clone(&self.1))))
    }
}

fn export(kind: ExportKind) -> Export {
    Export {
        kind,
        card: false,
        ..Export::default()
    }
}

fn data(format: &str, container: DataFile) -> Export {
    export(ExportKind::Data {
        format: format.into(),
        container,
    })
}

#[track_caller]
fn planned(project: &mut Project, export: &Export) -> ExportPlan {
    let task = project.plan_export(export.clone());
    run(project, task, &mut |_| true).unwrap()
}

fn exported(project: &mut Project, export: &Export) -> Result<ExportFile, ProjectError> {
    let task = project.export(export.clone(), "2026-01-02");
    run(project, task, &mut |_| true)
}

/// Members of a zip, as texts.
fn unzipped(file: &ExportFile) -> BTreeMap<String, String> {
    assert!(file.name.ends_with(".zip"), "{}", file.name);
    let mut zip = zip::ZipArchive::new(Cursor::new(&file.bytes)).unwrap();
    let names = zip.file_names().map(|name| name.unwrap().into_owned());
    let names: Vec<String> = names.collect();
    names
        .into_iter()
        .map(|name| {
            let mut text = String::new();
            zip.by_name(&name)
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            (name, text)
        })
        .collect()
}

fn contents(project: &Project) -> Vec<Content> {
    let n = project.view().unwrap().n_records;
    let record = |i: u64| project.record(RecordKey(i + 1)).unwrap().content;
    (0..n).map(record).collect()
}

/// Out of one project and into another: nothing is lost.
#[track_caller]
fn comes_back(records: Vec<Record>, export: &Export) {
    let expected: Vec<Content> = records.iter().cloned().map(content_of).collect();
    let mut project = project_of(records);
    let plan = planned(&mut project, export);
    assert_eq!(
        (plan.losses, plan.obstacles),
        (vec![], vec![]),
        "{export:?}"
    );
    let file = exported(&mut project, export).unwrap();
    assert_eq!(plan.files, [(file.name.clone(), expected.len() as u64)]);
    let back = imported(&file.name, file.bytes);
    assert_eq!(contents(&back), expected, "{export:?}");
}

#[track_caller]
fn imported(name: &str, bytes: Vec<u8>) -> Project {
    let mut back = in_memory(0);
    import_into(&mut back, name, bytes);
    back
}

#[track_caller]
fn import_into(back: &mut Project, name: &str, bytes: Vec<u8>) {
    let parts = inspect(Rc::new(Memory(name.to_owned(), bytes.into())));
    let parts = parts
        .into_iter()
        .map(|part| (part.clone(), part.view.reading));
    let task = back.import(parts.collect(), 5);
    let summary = run(back, task, &mut |_| true).unwrap();
    assert_eq!(summary.n_rejected, 0, "{:?}", summary.rejected);
}

/// Columns of text, one of which could be taken for numbers.
fn with_columns(mut record: Record) -> Record {
    record.extra.insert("quelle".into(), json!("=1+1 é 東京"));
    record.extra.insert("page_no".into(), json!("7"));
    record
}

fn single_turns() -> Vec<Record> {
    vec![
        with_columns(question(0)),
        with_columns(question(1)),
        with_columns(chat("line\nbreak; \"quoted\", \t tab", "=SUM(A1:A9)")),
        with_columns(chat("-5 + 3?", "@home 007")),
    ]
}

fn conversations() -> Vec<Record> {
    let mut long = turns(&[
        (Role::System, "Be brief."),
        (Role::User, "q"),
        (Role::Assistant, "a"),
        (Role::User, "r"),
        (Role::Assistant, "b\n```rust\nfn x() {}\n```"),
    ]);
    let Body::Chat(chat) = &mut long.body else {
        unreachable!()
    };
    chat.messages[2].weight = Some(0.0);
    vec![long, question(2)]
}

fn texts() -> Vec<Record> {
    let text = |completion: &str| Record {
        body: Body::Text {
            prompt: String::new(),
            completion: completion.into(),
        },
        extra: Default::default(),
        line: 1,
    };
    vec![text("one text"), text("二つ目\n\n= not a formula")]
}

fn prompts() -> Vec<Record> {
    let mut texts = texts();
    for (i, record) in texts.iter_mut().enumerate() {
        let Body::Text { prompt, .. } = &mut record.body else {
            unreachable!()
        };
        *prompt = format!("prompt {i} ");
    }
    texts
}

fn token_ids() -> Vec<Record> {
    let body = |ids: &[u32]| Record {
        body: Body::Tokens(Encoded {
            input_ids: ids.to_vec(),
            labels: ids.iter().map(|id| *id as i32).collect(),
        }),
        extra: Default::default(),
        line: 1,
    };
    vec![body(&[1, 2, 3]), body(&[4, 5])]
}

const FILES: [DataFile; 6] = [
    DataFile::JsonLines,
    DataFile::Json,
    DataFile::Csv,
    DataFile::Tsv,
    DataFile::Xlsx,
    DataFile::Parquet,
];

#[test]
fn every_format_in_every_kind_of_file_comes_back() {
    for container in FILES {
        for format in ["openai", "query-response", "alpaca"] {
            comes_back(single_turns(), &data(format, container));
        }
        comes_back(texts(), &data("text", container));
        comes_back(prompts(), &data("prompt-completion", container));
        comes_back(token_ids(), &data("tokenized", container));
        comes_back(conversations(), &data("openai", container));
    }
    for container in [DataFile::JsonLines, DataFile::Json] {
        comes_back(single_turns(), &data("sharegpt", container));
    }
}

#[test]
fn numbers_beside_the_text_come_back_from_tables_of_text() {
    let with_numbers = |i: usize| {
        let mut record = question(i);
        let columns = [
            ("page_no", json!(i)),
            ("score", json!(-2.5)),
            ("good", json!(i == 1)),
            ("code", json!("007")),
        ];
        let columns = columns.map(|(name, value)| (name.to_owned(), value));
        record.extra.extend(columns);
        record
    };
    for container in [DataFile::Csv, DataFile::Tsv] {
        for format in ["openai", "query-response", "alpaca"] {
            comes_back((0..3).map(with_numbers).collect(), &data(format, container));
        }
    }
}

#[test]
fn a_sheet_takes_the_most_readable_format_that_loses_nothing() {
    for container in [DataFile::Csv, DataFile::Xlsx] {
        let sheet = export(ExportKind::Spreadsheet { container });
        for records in [
            single_turns(),
            conversations(),
            texts(),
            prompts(),
            token_ids(),
        ] {
            comes_back(records, &sheet);
        }
    }
    let sheet = export(ExportKind::Spreadsheet {
        container: DataFile::Csv,
    });
    let file = exported(&mut project_of(single_turns()), &sheet).unwrap();
    let text = String::from_utf8(file.bytes).unwrap();
    assert!(text.starts_with("\u{feff}query,response,"), "{text}");
    assert!(text.contains("'=SUM(A1:A9)"), "formulas do not run: {text}");
}

fn split_project() -> Project {
    let mut project = in_memory(40);
    let plan = SplitPlan {
        validation: Share::Count(6),
        test: Share::Count(4),
        ..SplitPlan::default()
    };
    project.apply_split(&plan, 5).unwrap();
    project
}

#[test]
fn sides_become_files_with_a_card() {
    let mut project = split_project();
    let export = Export {
        title: "Bonos: preguntas".into(),
        licence: "cc-by-4.0".into(),
        ..Export::default()
    };
    let plan = planned(&mut project, &export);
    let names = ["train.jsonl", "validation.jsonl", "test.jsonl", "README.md"];
    let expected: Vec<(String, u64)> = names
        .iter()
        .zip([30, 6, 4, 0])
        .map(|(name, n)| ((*name).to_owned(), n))
        .collect();
    assert_eq!(plan.files, expected);
    assert!(plan.obstacles.is_empty(), "{:?}", plan.obstacles);
    let file = exported(&mut project, &export).unwrap();
    assert_eq!(file.name, "bonos_preguntas.zip");
    let files = unzipped(&file);
    assert_eq!(files["train.jsonl"].lines().count(), 30);
    assert_eq!(files["validation.jsonl"].lines().count(), 6);
    let card = &files["README.md"];
    let hash = hex(&Sha256::digest(files["test.jsonl"].as_bytes()));
    for fact in [
        "# Bonos: preguntas",
        "cc-by-4.0",
        "2026-01-02",
        hash.as_str(),
    ] {
        assert!(card.contains(fact), "no `{fact}` in {card}");
    }
    let again = exported(&mut project, &export).unwrap();
    assert_eq!(
        again.bytes, file.bytes,
        "the same records make the same file"
    );
    let one = Export {
        sides: vec![Side::Test, Side::Train],
        by_side: false,
        card: false,
        ..export
    };
    let file = exported(&mut project, &one).unwrap();
    assert_eq!(file.name, "bonos_preguntas.jsonl");
    assert_eq!(file.bytes.split(|byte| *byte == b'\n').count(), 34 + 1);
}

#[test]
fn other_tools_find_what_they_need() {
    let mut project = split_project();
    let model = |kind| Export {
        model: "org/base".into(),
        ..export(kind)
    };
    let factory = model(ExportKind::LlamaFactory);
    let plan = planned(&mut project, &factory);
    assert_eq!(plan.command, "llamafactory-cli train llama_factory.yaml");
    let files = unzipped(&exported(&mut project, &factory).unwrap());
    let info: Value = serde_json::from_str(&files["dataset_info.json"]).unwrap();
    let named: Vec<&str> = info
        .as_object()
        .unwrap()
        .values()
        .filter_map(|entry| entry["file_name"].as_str())
        .collect();
    assert_eq!(named, ["train.jsonl", "validation.jsonl", "test.jsonl"]);
    assert!(files["llama_factory.yaml"].contains("org/base"));

    let axolotl = model(ExportKind::Axolotl);
    let files = unzipped(&exported(&mut project, &axolotl).unwrap());
    assert!(files["axolotl.yaml"].contains("train.jsonl"));

    let options = TextOptions {
        max_length: 777,
        ..TextOptions::default()
    };
    project.set_text_options(options).unwrap();
    let job = model(ExportKind::TrainJob);
    let command = planned(&mut project, &job).command;
    assert!(command.starts_with("veneer train --model org/base --data train.jsonl"));
    let files = unzipped(&exported(&mut project, &job).unwrap());
    let job: crate::protocol::TrainJob = serde_json::from_str(&files["job.json"]).unwrap();
    assert_eq!(job.max_length, 777);
}

#[test]
fn the_limits_of_a_service_are_obstacles() {
    let openai = export(ExportKind::OpenAiFineTuning);
    let plan = planned(&mut in_memory(9), &openai);
    assert_eq!(plan.obstacles.len(), 1, "{:?}", plan.obstacles);
    assert!(
        plan.obstacles[0]
            .to_string()
            .contains("found 9 examples, expected at least 10")
    );
    assert!(planned(&mut in_memory(10), &openai).obstacles.is_empty());
    let mut project = project_of((0..10).map(|i| with_columns(question(i))));
    let plan = planned(&mut project, &openai);
    assert_eq!(
        plan.losses.len(),
        2,
        "columns are not taken: {:?}",
        plan.losses
    );
    let file = exported(&mut project, &openai).unwrap();
    assert!(!String::from_utf8(file.bytes).unwrap().contains("quelle"));
}

#[test]
fn what_cannot_be_held_is_written_only_when_that_is_wanted() {
    let mut project = project_of(conversations());
    let mut export = data("query-response", DataFile::JsonLines);
    let plan = planned(&mut project, &export);
    assert!(
        plan.losses
            .iter()
            .any(|(what, n)| what.to_string() == "system prompts" && *n == 1)
    );
    assert!(
        plan.obstacles
            .iter()
            .any(|o| o.to_string().contains("cannot hold everything"))
    );
    let refused = exported(&mut project, &export)
        .map(|file| file.name)
        .unwrap_err();
    assert!(refused.to_string().contains("allow what is lost"));
    export.lossy = true;
    assert!(planned(&mut project, &export).obstacles.is_empty());
    let file = exported(&mut project, &export).unwrap();
    assert_eq!(file.bytes.split(|byte| *byte == b'\n').count(), 2 + 1);
}

#[test]
fn obstacles_are_named() {
    let mut project = project_of([chat("a", "1"), turns(&[(Role::User, "q")]), chat("a", "2")]);
    let with = |project: &mut Project, what: &str| {
        let plan = planned(project, &data("openai", DataFile::JsonLines));
        let found = plan
            .obstacles
            .iter()
            .any(|obstacle| obstacle.to_string().contains(what));
        assert!(found, "no `{what}` in {:?}", plan.obstacles);
    };
    let trained = planned(&mut project, &export_of_axolotl()).obstacles;
    let named = trained
        .iter()
        .any(|o| o.to_string().contains("on as they are: 1;"));
    assert!(named, "{trained:?}");
    let set = |project: &mut Project, record: u64, side: Option<i64>| {
        let act = project.act(
            crate::protocol::studio::ActionKind::Assign,
            "",
            5,
            |changes| changes.set(super::super::journal::Field::Side, record, side),
        );
        act.unwrap();
    };
    set(&mut project, 1, Some(1));
    with(&mut project, "no record is on the training side");
    set(&mut project, 3, Some(0));
    with(&mut project, "on no side, which are left out: 1;");
    with(&mut project, "ask what a training record asks: 1;");
    project.freeze_split(true, 6).unwrap();
    set(&mut project, 3, Some(2));
    with(&mut project, "after the split was frozen");
    let mut empty = in_memory(0);
    with(&mut empty, "there is no record to write");
    let export = data("openai", DataFile::JsonLines);
    assert!(exported(&mut empty, &export).is_err());
    let tokens = planned(&mut project_of(token_ids()), &export_of_axolotl());
    assert!(
        tokens.obstacles[0]
            .to_string()
            .contains("2 of 2 records are token ids")
    );
}

fn export_of_axolotl() -> Export {
    export(ExportKind::Axolotl)
}

#[test]
fn the_current_list_goes_out_in_its_order() {
    let mut project = in_memory(30);
    let query = Query {
        search: Some(Search {
            text: "bond number".into(),
            mode: SearchMode::Text,
            case_sensitive: false,
            role: None,
        }),
        sort: crate::protocol::studio::Sort {
            descending: true,
            ..Default::default()
        },
        ..Query::default()
    };
    let task = project.query(query);
    let n = run(&mut project, task, &mut |_| true).unwrap().n;
    let export = Export {
        list_only: true,
        ..data("query-response", DataFile::JsonLines)
    };
    let file = exported(&mut project, &export).unwrap();
    let text = String::from_utf8(file.bytes).unwrap();
    assert_eq!(text.lines().count() as u64, n);
    assert!(text.lines().next().unwrap().contains("bond number 29"));
    assert!(text.lines().last().unwrap().contains("bond number 2,"));
}
