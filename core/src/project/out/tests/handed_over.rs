//! What whoever gets the files makes of them.

use super::*;
use crate::{
    project::{journal::Field, testing::with_text_model},
    protocol::studio::{ActionKind, Phrase, Said, TrainWhat},
};

const CSV: ExportKind = ExportKind::Spreadsheet {
    container: DataFile::Csv,
};

fn with_extra(mut record: Record, extra: Value) -> Record {
    let Value::Object(extra) = extra else {
        panic!("an object")
    };
    record.extra.extend(extra);
    record
}

fn set_side(project: &mut Project, record: u64, side: Side) {
    let side = Some(side as i64);
    let act = project.act(ActionKind::Assign, "", 5, |changes| {
        changes.set(Field::Side, record, side)
    });
    act.unwrap();
}

fn said(obstacles: &[Said]) -> String {
    let texts: Vec<String> = obstacles.iter().map(ToString::to_string).collect();
    texts.join("\n")
}

/// A prompt with a better and a worse answer.
fn pair(chosen: Value, rejected: Value) -> Record {
    let record = Record {
        body: Body::Text {
            prompt: "q".into(),
            completion: "good".into(),
        },
        extra: Default::default(),
        line: 1,
    };
    with_extra(record, json!({"chosen": chosen, "rejected": rejected}))
}

#[test]
fn columns_with_the_names_of_fields_stay_columns() {
    for name in [
        "instruction",
        "System",
        "question",
        "history",
        "conversations",
        "output",
    ] {
        for container in [DataFile::Csv, DataFile::Xlsx] {
            let sheet = export(ExportKind::Spreadsheet { container });
            let records = vec![with_extra(question(0), json!({name: "x"})), question(1)];
            comes_back(records, &sheet);
        }
        // Beside a text, this one would make a conversation of it.
        if name == "conversations" {
            continue;
        }
        let texts = texts().into_iter();
        let beside = texts.map(|text| with_extra(text, json!({name: "x"})));
        comes_back(beside.collect(), &export(CSV));
    }
    // Where no format keeps them apart, they are not written.
    let both = json!({"prompt": "x", "completion": "y"});
    let mut project = project_of(
        texts()
            .into_iter()
            .map(|text| with_extra(text, both.clone())),
    );
    let plan = planned(&mut project, &export(CSV));
    assert_eq!(
        plan.losses,
        [(Said::new(Phrase::LosesColumn, []), 2)],
        "{:?}",
        plan.losses
    );
}

#[test]
fn the_columns_of_a_sheet_are_those_that_the_records_came_in() {
    let text = "{\"instruction\":\"Translate\",\"input\":\"Hola\",\"output\":\"Hello\"}\n\
                {\"instruction\":\"Count\",\"input\":\"\",\"output\":\"1\"}\n";
    let mut project = imported("a.jsonl", text.into());
    let sheet = exported(&mut project, &export(CSV)).unwrap();
    let mut back = imported(&sheet.name, sheet.bytes);
    let file = exported(&mut back, &data("alpaca", DataFile::JsonLines)).unwrap();
    assert_eq!(String::from_utf8(file.bytes).unwrap(), text);

    let sheet = exported(&mut project_of(texts()), &export(CSV)).unwrap();
    let sheet = String::from_utf8(sheet.bytes).unwrap();
    assert!(sheet.starts_with("\u{feff}text\n"), "{sheet}");
}

#[test]
fn working_notes_are_said_to_stay() {
    let mut project = in_memory(3);
    assert_eq!(planned(&mut project, &export(CSV)).notes, []);
    let act = project.act(ActionKind::Assign, "", 5, |changes| {
        changes.set(Field::Reviewer, 2, "Ana".to_owned())
    });
    act.unwrap();
    let sheet = Export {
        card: true,
        ..export(CSV)
    };
    let plan = planned(&mut project, &sheet);
    assert_eq!(plan.notes, [(Said::new(Phrase::TagsStay, []), 1)]);
    assert_eq!((plan.losses, plan.obstacles), (vec![], vec![]));
    let files = unzipped(&exported(&mut project, &sheet).unwrap());
    let card = &files["README.md"];
    assert!(card.contains("tags and reviewers"), "{card}");
}

#[test]
fn a_sheet_brings_records_back_on_their_sides() {
    let mut project = split_project();
    for container in [DataFile::Csv, DataFile::Tsv, DataFile::Xlsx] {
        for by_side in [false, true] {
            let sheet = Export {
                by_side,
                ..export(ExportKind::Spreadsheet { container })
            };
            assert_eq!(planned(&mut project, &sheet).notes, []);
            let file = exported(&mut project, &sheet).unwrap();
            let back = imported(&file.name, file.bytes);
            let view = back.split().unwrap();
            let sizes = (view.n_train, view.n_validation, view.n_test);
            assert_eq!((sizes, view.n_without), ((30, 6, 4), 0), "{sheet:?}");
            let is_beside = |content: &Content| !content.extra.is_empty();
            assert!(!contents(&back).iter().any(is_beside));
            if !by_side {
                assert_eq!(contents(&back), contents(&project));
                assert_eq!(sides(&back), sides(&project));
            }
        }
    }
    let one = Export {
        by_side: false,
        ..data("alpaca", DataFile::Csv)
    };
    let notes = planned(&mut project, &one).notes;
    assert_eq!(notes, [(Said::new(Phrase::SidesStay, []), 40)]);
    let sides = vec![Side::Test];
    let test = Export { sides, ..one };
    assert_eq!(planned(&mut project, &test).notes, []);
}

fn sides(project: &Project) -> Vec<Option<Side>> {
    let n = project.view().unwrap().n_records;
    let side = |i: u64| project.record(RecordKey(i + 1)).unwrap().side;
    (0..n).map(side).collect()
}

#[test]
fn what_names_no_side_or_meets_a_frozen_split_is_a_column() {
    let sheet = "query,response,veneer_side\na,b,Test\nc,d,holdout\ne,f,\n";
    let mut back = imported("a.csv", sheet.into());
    let beside =
        |project: &Project, i: usize| contents(project)[i].extra.get("veneer_side").cloned();
    assert_eq!(sides(&back), [Some(Side::Test), None, None]);
    let columns = [0, 1, 2].map(|i| beside(&back, i));
    assert_eq!(columns, [None, Some(json!("holdout")), None]);
    back.freeze_split(true, 5).unwrap();
    import_into(&mut back, "b.csv", sheet.replace("a,b", "g,h").into());
    assert_eq!(sides(&back)[3..], [None, None, None]);
    assert_eq!(beside(&back, 3), Some(json!("Test")));
    assert!(back.split().unwrap().frozen_holds);
    // What a sheet says is the side; what the data says of it has another name.
    back.freeze_split(false, 6).unwrap();
    for record in [1, 2, 4] {
        set_side(&mut back, record, Side::Train);
    }
    let sheet = export(ExportKind::Spreadsheet {
        container: DataFile::Xlsx,
    });
    let sheet = Export {
        by_side: false,
        ..sheet
    };
    let file = exported(&mut back, &sheet).unwrap();
    let again = imported(&file.name, file.bytes);
    assert_eq!(sides(&again), sides(&back));
    let renamed = |i: usize| contents(&again)[i].extra.get("veneer_side_2").cloned();
    let said = ["holdout", "Test", "holdout"].map(|said| Some(json!(said)));
    assert_eq!([renamed(1), renamed(3), beside(&again, 4)], said);
}

#[test]
fn the_choice_in_the_token_view_is_the_jobs() {
    let mut project = project_of(conversations());
    let options = TextOptions {
        train_on: TrainWhat::Last,
        template: Some("chatml".into()),
        ..TextOptions::default()
    };
    project.set_text_options(options).unwrap();
    let command = planned(&mut project, &export(ExportKind::TrainJob)).command;
    assert!(
        command.contains(" --template chatml --train-on last "),
        "{command}"
    );
    let plan = planned(&mut project, &export(ExportKind::Axolotl));
    assert_eq!(plan.losses, [(Said::new(Phrase::AxolotlLast, []), 1)]);
}

#[test]
fn pairs_are_ranked_or_said_to_become_examples() {
    let kinds = [
        ExportKind::TrainJob,
        ExportKind::Axolotl,
        ExportKind::LlamaFactory,
    ];
    let turns = |text: &str| json!([{"role": "assistant", "content": text}]);
    let as_examples = [(Said::new(Phrase::PairsAsExamples, []), 1)];
    for kind in &kinds {
        let of_messages = with_extra(
            chat("q", "good"),
            json!({"chosen": turns("good"), "rejected": turns("bad")}),
        );
        let plan = planned(&mut project_of([of_messages]), &export(kind.clone()));
        assert_eq!(plan.losses, as_examples, "{kind:?}");
        let is_told = plan.command.contains(" --take-chosen ");
        assert_eq!(is_told, *kind == ExportKind::TrainJob, "{}", plan.command);
    }
    let mut ranked = project_of([pair(json!("good"), json!("bad"))]);
    let plan = planned(&mut ranked, &export(ExportKind::LlamaFactory));
    assert_eq!((plan.losses, plan.obstacles), (vec![], vec![]));
    assert_eq!(plan.notes, [(Said::new(Phrase::LosesPlainText, []), 1)]);
}

/// Rows of a file in a zip.
fn rows(files: &BTreeMap<String, String>, name: &str) -> Vec<Value> {
    let lines = files[name].lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[track_caller]
fn handed_over(records: Vec<Record>, kind: ExportKind) -> (ExportPlan, BTreeMap<String, String>) {
    let mut project = project_of(records);
    let lossy = Export {
        lossy: true,
        ..export(kind)
    };
    let plan = planned(&mut project, &lossy);
    let files = unzipped(&exported(&mut project, &lossy).unwrap());
    (plan, files)
}

fn marked(question: &str, label: bool) -> Record {
    with_extra(chat(question, "a"), json!({ "label": label }))
}

#[test]
fn an_answer_marked_as_bad_is_not_handed_over_as_a_good_one() {
    let records = || vec![marked("p", true), marked("q", false), chat("r", "b")];
    let said = (Said::new(Phrase::MarkedBad, []), 1);
    for kind in [ExportKind::LlamaFactory, ExportKind::Axolotl] {
        let (plan, files) = handed_over(records(), kind);
        assert_eq!(plan.losses, std::slice::from_ref(&said));
        assert_eq!(rows(&files, "test.jsonl").len(), 2);
        assert_eq!(plan.files[0], ("test.jsonl".into(), 2));
    }
    let openai = export(ExportKind::OpenAiFineTuning);
    assert!(
        planned(&mut project_of(records()), &openai)
            .losses
            .contains(&said)
    );
    // `veneer train` leaves it out itself.
    let (plan, files) = handed_over(records(), ExportKind::TrainJob);
    assert_eq!(plan.losses, [said]);
    assert_eq!(rows(&files, "test.jsonl").len(), 3);
}

#[test]
fn answers_that_are_all_marked_are_learned_as_good_and_bad() {
    let records = vec![marked("p", true), marked("q", false)];
    let (plan, files) = handed_over(records, ExportKind::LlamaFactory);
    assert_eq!((plan.losses, plan.obstacles), (vec![], vec![]));
    let labels = rows(&files, "test.jsonl");
    assert_eq!(
        (&labels[0]["label"], &labels[1]["label"]),
        (&json!(true), &json!(false))
    );
    assert!(files["llama_factory.yaml"].contains("stage: \"kto\"\n"));
    let info: Value = serde_json::from_str(&files["dataset_info.json"]).unwrap();
    assert_eq!(info["test"]["columns"]["kto_tag"], "label");

    let of_table = |label: &str| with_extra(chat(label, "a"), json!({ "label": label }));
    let records = ["True", "False"].map(of_table).into();
    let (_, files) = handed_over(records, ExportKind::LlamaFactory);
    let labels = rows(&files, "test.jsonl");
    assert_eq!(
        (&labels[0]["label"], &labels[1]["label"]),
        (&json!(true), &json!(false)),
        "a text is no mark there"
    );
}

#[test]
fn every_row_has_the_columns_that_its_entry_names() {
    let pair = json!({"chosen": "good", "rejected": "bad"});
    let asked = turns(&[
        (Role::System, "s"),
        (Role::User, "p"),
        (Role::Assistant, "a"),
        (Role::User, "q"),
        (Role::Assistant, "good"),
    ]);
    let pairs = [asked, chat("q", "good")].map(|record| with_extra(record, pair.clone()));
    let (plan, files) = handed_over(pairs.into(), ExportKind::LlamaFactory);
    assert_eq!(plan.losses, []);
    let info: Value = serde_json::from_str(&files["dataset_info.json"]).unwrap();
    let columns = &info["test"]["columns"];
    assert_eq!(
        (&columns["system"], &columns["history"]),
        (&json!("system"), &json!("history"))
    );
    let ranked = rows(&files, "test.jsonl");
    assert_eq!(ranked[0]["system"], "s");
    assert_eq!(ranked[0]["history"], json!([["p", "a"]]));
    assert_eq!(ranked[1]["system"], "");
    assert_eq!(ranked[1]["history"], json!([]));

    let mut called = chat("q", "a");
    let Body::Chat(chat_with_tools) = &mut called.body else {
        unreachable!()
    };
    chat_with_tools.tools = vec![json!({"type": "function", "function": {"name": "f"}})];
    let (_, files) = handed_over(vec![called, chat("r", "b")], ExportKind::LlamaFactory);
    let rows = rows(&files, "test.jsonl");
    assert!(
        rows[0]["tools"]
            .as_str()
            .is_some_and(|tools| tools.len() > 9)
    );
    assert_eq!(rows[1]["tools"], "");
}

#[test]
fn a_column_of_several_types_is_text_where_the_tool_takes_one_type() {
    let records = || {
        let ids = [json!(1), json!("x"), json!(null)].into_iter();
        ids.map(|id| with_extra(chat("q", "a"), json!({ "id": id })))
    };
    for kind in [ExportKind::LlamaFactory, ExportKind::Axolotl] {
        let (plan, files) = handed_over(records().collect(), kind);
        let ids: Vec<Value> = rows(&files, "test.jsonl")
            .into_iter()
            .map(|row| row["id"].clone())
            .collect();
        assert_eq!(ids, [json!("1"), json!("x"), json!(null)]);
        assert_eq!(
            plan.notes,
            [(Said::new(Phrase::ColumnAsText, ["id".into()]), 2)]
        );
        assert_eq!((plan.losses, plan.obstacles), (vec![], vec![]));
    }
}

#[test]
fn tools_in_a_parquet_file_are_noted() {
    let call = json!({"messages": [{"role": "user", "content": "q"}, {"role": "assistant",
        "content": null, "tool_calls": [{"id": "1", "type": "function",
            "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "1", "content": "r"},
        {"role": "assistant", "content": "a"}]});
    let mut project = imported("a.jsonl", format!("{call}\n").into_bytes());
    let plan = planned(&mut project, &data("openai", DataFile::Parquet));
    assert_eq!(plan.notes, [(Said::new(Phrase::ParquetTools, []), 1)]);
    assert_eq!(
        planned(&mut project, &data("openai", DataFile::JsonLines)).notes,
        []
    );
}

#[test]
fn limits_of_a_service_hold_for_each_file() {
    let mut project = in_memory(12);
    let plan = SplitPlan {
        validation: Share::Count(4),
        test: Share::Count(3),
        ..SplitPlan::default()
    };
    project.apply_split(&plan, 5).unwrap();
    let plan = planned(&mut project, &export(ExportKind::OpenAiFineTuning));
    let obstacles = said(&plan.obstacles);
    assert_eq!(plan.obstacles.len(), 1, "{obstacles}");
    assert!(
        obstacles.starts_with("`train.jsonl`: found 5 examples,"),
        "{obstacles}"
    );
}

/// Two records to train on, one of each other side, one on none.
fn on_all_sides(records: Vec<Record>) -> Project {
    let mut project = project_of(records);
    let sides = [Side::Train, Side::Train, Side::Validation, Side::Test];
    for (record, side) in (1..).zip(sides) {
        set_side(&mut project, record, side);
    }
    project
}

#[test]
fn one_file_for_all_sides_is_not_trained_on_in_silence() {
    let mut project = on_all_sides((0..5).map(question).collect());
    let held_out = |n: u64| Said::new(Phrase::HeldOutTrained, [n.to_string()]);
    let mut told = |kind: &ExportKind, by_side: bool, sides: &[Side]| {
        let one = Export {
            by_side,
            sides: sides.to_vec(),
            ..export(kind.clone())
        };
        let plan = planned(&mut project, &one);
        assert!(!plan.impossible, "{one:?}");
        let told = plan.obstacles.into_iter();
        let told: Vec<Said> = told
            .filter(|said| matches!(said, Said::Phrase(Phrase::HeldOutTrained, _)))
            .collect();
        told
    };
    for kind in [
        ExportKind::TrainJob,
        ExportKind::LlamaFactory,
        ExportKind::Axolotl,
        ExportKind::OpenAiFineTuning,
    ] {
        assert_eq!(told(&kind, false, &[]), [held_out(2)], "{kind:?}");
        let some = [Side::Train, Side::Test];
        assert_eq!(told(&kind, false, &some), [held_out(1)], "{kind:?}");
        assert_eq!(told(&kind, false, &[Side::Train]), [], "{kind:?}");
        assert_eq!(told(&kind, true, &[]), [], "{kind:?}");
    }
    // Its settings train on the only file; a service is told which file is for what.
    let validation = [Side::Validation];
    assert_eq!(
        told(&ExportKind::TrainJob, false, &validation),
        [held_out(1)]
    );
    assert_eq!(told(&ExportKind::OpenAiFineTuning, false, &validation), []);
    assert_eq!(told(&CSV, false, &[]), []);
    let mut project = project_of([question(0), question(1)]);
    set_side(&mut project, 1, Side::Train);
    let one = Export {
        by_side: false,
        ..export(ExportKind::TrainJob)
    };
    assert_eq!(planned(&mut project, &one).obstacles, []);
}

#[test]
fn a_training_side_of_which_nothing_is_written_is_an_obstacle() {
    let bad = |question: &str| marked(question, false);
    let records = [bad("a"), bad("b"), chat("c", "d"), chat("e", "f")];
    let mut project = on_all_sides(records.into());
    let openai = export(ExportKind::OpenAiFineTuning);
    let plan = planned(&mut project, &openai);
    let said = Said::new(Phrase::NoTrainRecordFits, []);
    assert!(plan.obstacles.contains(&said), "{:?}", plan.obstacles);
    assert!(!plan.impossible);
    let names = ["validation.jsonl", "test.jsonl"];
    assert_eq!(plan.files, names.map(|name| (name.to_owned(), 1)));
    let files = unzipped(&exported(&mut project, &openai).unwrap());
    assert!(files.keys().eq(["test.jsonl", "validation.jsonl"]));
    for kind in [ExportKind::Axolotl, ExportKind::LlamaFactory] {
        let plan = planned(&mut project, &export(kind.clone()));
        assert_eq!(plan.obstacles, std::slice::from_ref(&said), "{kind:?}");
        assert!(plan.impossible, "{kind:?}");
        assert!(
            exported(&mut project, &export(kind)).is_err(),
            "settings would name no file"
        );
    }
}

#[test]
fn a_held_out_side_of_which_nothing_is_written_has_no_file() {
    let bad = marked("c", false);
    let mut project = on_all_sides(vec![chat("a", "b"), chat("b", "c"), bad, chat("e", "f")]);
    for kind in [ExportKind::Axolotl, ExportKind::LlamaFactory] {
        let plan = planned(&mut project, &export(kind.clone()));
        assert_eq!(plan.obstacles, [], "{kind:?}");
        let mut names: Vec<String> = plan.files.into_iter().map(|(name, _)| name).collect();
        names.sort();
        let files = unzipped(&exported(&mut project, &export(kind)).unwrap());
        assert!(files.keys().eq(&names), "{names:?}");
        assert!(!names.contains(&"validation.jsonl".to_owned()));
        assert!(!files.values().any(|text| text.contains("validation.jsonl")));
    }
}

#[test]
fn errors_stop_only_an_export_that_they_are_in() {
    let mut project = project_of([chat("a", "1"), chat("b", "2"), chat("c", "")]);
    for (record, side) in [(1, Side::Train), (2, Side::Train), (3, Side::Validation)] {
        set_side(&mut project, record, side);
    }
    let axolotl = export(ExportKind::Axolotl);
    let all = said(&planned(&mut project, &axolotl).obstacles);
    assert!(all.contains("on as they are: 1;"), "{all}");
    let of_train = Export {
        sides: vec![Side::Train],
        ..axolotl.clone()
    };
    assert_eq!(said(&planned(&mut project, &of_train).obstacles), "");

    let without = Export {
        sides: vec![Side::Validation],
        ..axolotl
    };
    let plan = planned(&mut project, &without);
    assert!(said(&plan.obstacles).contains("choose it too") && plan.impossible);
    assert!(exported(&mut project, &without).is_err());
}

#[test]
fn the_card_tells_of_what_is_in_the_files() {
    let mut project = project_of([
        with_extra(question(0), json!({"id": 7})),
        turns(&[(Role::User, "q"), (Role::User, "r")]),
    ]);
    let card = |project: &mut Project, kind| {
        let with_card = Export {
            card: true,
            lossy: true,
            ..export(kind)
        };
        unzipped(&exported(project, &with_card).unwrap())["README.md"].clone()
    };
    let openai = card(&mut project, ExportKind::OpenAiFineTuning);
    assert!(
        openai.contains("`id\\`") && !openai.contains("- id:"),
        "{openai}"
    );
    let alpaca = ExportKind::Data {
        format: "alpaca".into(),
        container: DataFile::JsonLines,
    };
    let alpaca = card(&mut project, alpaca);
    assert!(
        alpaca.contains("- id: carried along, in 1 record\n"),
        "{alpaca}"
    );
    assert!(alpaca.contains("- Conversations: 1\n"), "{alpaca}");
}

#[test]
fn a_format_that_fits_nothing_is_no_choice() {
    let mut project = in_memory(2);
    let tokens = Export {
        lossy: true,
        ..data("tokenized", DataFile::JsonLines)
    };
    let plan = planned(&mut project, &tokens);
    let obstacles = said(&plan.obstacles);
    assert!(obstacles.contains("none of the records"), "{obstacles}");
    assert!(plan.impossible);
    assert!(exported(&mut project, &tokens).is_err());
}

/// A project that nobody checked: what its model refuses is known before anything is trained.
#[test]
fn what_the_model_refuses_is_no_job() {
    let spelled = turns(&[
        (Role::User, "What is <|im_start|>?"),
        (Role::Assistant, "A token."),
    ]);
    let mut project = with_text_model(project_of([chat("a", "b"), spelled]), 64);
    let plan = planned(&mut project, &export(ExportKind::TrainJob));
    let refused = Said::new(Phrase::WithErrors, ["1".into()]);
    assert_eq!(plan.obstacles, [refused]);
    // A table may be put right elsewhere.
    let plan = planned(&mut project, &export(CSV));
    assert_eq!(plan.obstacles, []);
}

#[test]
fn an_end_that_is_never_trained_is_an_obstacle() {
    // The limit cuts the end of every record away.
    let long = || chat("q", &"An answer. ".repeat(30));
    let mut project = with_text_model(project_of([long(), long(), long()]), 64);
    let job = export(ExportKind::TrainJob);
    let refused = Said::new(Phrase::WithErrors, ["3".into()]);
    assert_eq!(planned(&mut project, &job).obstacles, [refused]);
    assert_eq!(project.findings().unwrap().n_records_with_errors, 3);
}
