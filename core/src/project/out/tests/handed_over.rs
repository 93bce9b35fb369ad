//! What whoever gets the files makes of them.

use super::*;
use crate::{
    project::journal::Field,
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
    let both = json!({"question": "x", "answer": "y"});
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
