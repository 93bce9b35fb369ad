//! One record at a time.

use serde_json::{Map, json};

use crate::{
    data::{Format, Place, validate},
    project::{
        Project, ProjectError,
        body::insert_body,
        content::{Origin, content_of, read_body},
        testing::{chat, in_memory, project_of, question, seen, turns},
    },
    protocol::studio::{ActionKind, Content, ContentBody, RecordKey},
    text::{Body, Encoded, Record, Role},
};

fn text(question: &str, answer: &str) -> Content {
    content_of(chat(question, answer))
}

#[test]
fn a_save_is_seen_and_the_original_kept() {
    let mut project = project_of([chat("¿Qué?", "Nada."), chat("何？", "何も。")]);
    let before = seen(&project);
    let view = project
        .save(RecordKey(2), text("何ですか？", "何もありません。"), 10)
        .unwrap();
    assert_eq!(view.content, text("何ですか？", "何もありません。"));
    assert_eq!(view.original, Some(text("何？", "何も。")));
    assert_eq!(view.project.unwrap().undo.unwrap().what, ActionKind::Edit);
    assert_eq!((view.n_chars, view.position), (13, 2));
    project.undo().unwrap();
    assert_eq!(seen(&project), before);
    assert_eq!(project.record(RecordKey(2)).unwrap().original, None);
}

#[test]
fn saves_in_quick_succession_are_one_action() {
    let mut project = project_of([chat("a", "x"), chat("a", "y")]);
    let before = seen(&project);
    let mut save = |record, answer: &str, now| {
        let view = project
            .save(RecordKey(record), text("a", answer), now)
            .unwrap();
        assert_eq!(view.content, text("a", answer));
        project.history(9).unwrap().len()
    };
    assert_eq!(save(1, "b", 1_000), 1);
    assert_eq!(save(1, "bc", 3_000), 1);
    assert_eq!(save(1, "bcd", 5_999), 1);
    assert_eq!(save(1, "bcd", 6_000), 1, "nothing new is no action");
    assert_eq!(save(2, "b", 6_100), 2, "another record");
    assert_eq!(
        save(1, "bcde", 6_200),
        3,
        "something else was done in between"
    );
    assert_eq!(save(1, "bcdef", 9_300), 4, "too late");
    for _ in 0..4 {
        project.undo().unwrap();
    }
    assert_eq!(seen(&project), before);
}

#[test]
fn turns_that_come_and_go_are_a_step_of_their_own() {
    let said = |texts: &[&str]| {
        let roles = [Role::User, Role::Assistant].into_iter().cycle();
        let messages: Vec<_> = roles.zip(texts.iter().copied()).collect();
        content_of(turns(&messages))
    };
    let mut project = project_of([turns(&[(Role::User, "a"), (Role::Assistant, "b")])]);
    let mut save = |texts: &[&str], now| {
        project.save(RecordKey(1), said(texts), now).unwrap();
        project.history(9).unwrap().len()
    };
    assert_eq!(save(&["a", "bc"], 1_000), 1);
    assert_eq!(save(&["a", "bcd"], 2_000), 1);
    assert_eq!(save(&["a", "bcd", "", ""], 2_500), 2, "turns were added");
    assert_eq!(save(&["a", "bcd", "e", ""], 3_000), 3, "typed behind that");
    assert_eq!(save(&["a", "bcd", "ef", ""], 3_500), 3);
    assert_eq!(save(&["a", "bcd", "ef", "g"], 4_000), 4, "another text");
    assert_eq!(save(&["ef", "bcd", "a", "g"], 4_500), 5, "turns were moved");
    assert_eq!(save(&["ef", "bcd", "a"], 4_600), 6, "one was taken away");
    project.undo().unwrap();
    project.undo().unwrap();
    let now = project.record(RecordKey(1)).unwrap().content;
    assert_eq!(now, said(&["a", "bcd", "ef", "g"]));
}

#[test]
fn what_takes_everything_back_is_a_step_of_its_own() {
    let mut project = project_of([chat("a", "b")]);
    let mut save = |question, answer, now| {
        let content = text(question, answer);
        project.save(RecordKey(1), content, now).unwrap();
        project.history(9).unwrap().len()
    };
    assert_eq!(save("b", "a", 1_000), 1, "moved");
    assert_eq!(save("a", "b", 2_000), 2, "and moved back");
    assert_eq!(save("a", "bc", 3_000), 3);
    assert_eq!(save("a", "b", 3_500), 4, "typed and taken away");
    project.undo().unwrap();
    let now = project.record(RecordKey(1)).unwrap().content;
    assert_eq!(now, text("a", "bc"));
}

#[test]
fn saves_are_not_joined_over_a_snapshot_or_an_undo() {
    let mut project = in_memory(1);
    project.save(RecordKey(1), text("a", "b"), 1_000).unwrap();
    project.take_snapshot("s", 1_500).unwrap();
    project.save(RecordKey(1), text("a", "c"), 2_000).unwrap();
    assert_eq!(project.history(9).unwrap().len(), 2);
    project.undo().unwrap();
    project.save(RecordKey(1), text("a", "d"), 2_500).unwrap();
    assert_eq!(project.history(9).unwrap().len(), 2);
    let snapshot = project.snapshots().unwrap()[0].snapshot;
    project.restore(snapshot, 3_000).unwrap();
    assert_eq!(
        project.record(RecordKey(1)).unwrap().content,
        text("a", "b")
    );
}

#[test]
fn records_are_added_behind_others() {
    let mut project = in_memory(3);
    let added = project.add(Some(RecordKey(1)), text("a", "b"), 5).unwrap();
    assert_eq!((added.record, added.position), (RecordKey(4), 2));
    let last = project.add(None, text("c", "d"), 5).unwrap();
    assert_eq!((last.position, last.project.unwrap().n_records), (5, 5));
    project.undo().unwrap();
    project.undo().unwrap();
    assert!(matches!(
        project.record(RecordKey(4)).unwrap_err(),
        ProjectError::NoRecord { record: 4 }
    ));
    project.redo().unwrap();
    assert_eq!(project.record(RecordKey(4)).unwrap().position, 2);
    let missing = project.add(Some(RecordKey(u64::MAX)), text("a", "b"), 5);
    assert!(matches!(
        missing.unwrap_err(),
        ProjectError::NoRecord { .. }
    ));
}

#[test]
fn an_id_is_never_given_twice() {
    let mut project = in_memory(1);
    project.add(None, text("a", "b"), 5).unwrap();
    project.undo().unwrap();
    let again = project.add(None, text("c", "d"), 5).unwrap();
    assert_eq!(again.record, RecordKey(3));
}

#[test]
fn a_pair_keeps_its_better_answer_in_step() {
    let mut record = chat("q", "good");
    record.extra.insert("chosen".into(), json!("good"));
    record.extra.insert("rejected".into(), json!("bad"));
    let mut project = project_of([record]);
    let mut content = project.record(RecordKey(1)).unwrap().content;
    content.body = text("q", "better").body;
    let saved = project.save(RecordKey(1), content, 1).unwrap().content;
    assert_eq!(
        (&saved.extra["chosen"], &saved.extra["rejected"]),
        (&json!("better"), &json!("bad"))
    );
    let mut content = saved;
    content.extra.insert(
        "chosen".into(),
        json!([{"role": "assistant", "content": "better"}]),
    );
    let saved = project.save(RecordKey(1), content, 9_000).unwrap().content;
    let mut content = saved;
    content.body = text("q", "best").body;
    let saved = project.save(RecordKey(1), content, 19_000).unwrap().content;
    assert_eq!(saved.extra["chosen"][0]["content"], "best");
}

#[test]
fn whole_conversations_of_a_pair_are_kept_in_step() {
    let mut record = chat("2+2?", "4");
    let said = |answer: &str| json!([{"from": "human", "value": "2+2?"}, {"from": "gpt", "value": answer}]);
    record.extra.insert("chosen".into(), said("4"));
    record.extra.insert("rejected".into(), said("5"));
    let mut with_one = chat("2+2?", "4");
    let one = |answer: &str| json!({"from": "gpt", "value": answer});
    with_one.extra.insert("chosen".into(), one("4"));
    with_one.extra.insert("rejected".into(), one("5"));
    let mut project = project_of([record, with_one]);
    let mut save = |record| {
        let mut content = project.record(RecordKey(record)).unwrap().content;
        content.body = text("What is 2+2?", "four").body;
        project
            .save(RecordKey(record), content, 1)
            .unwrap()
            .content
            .extra
    };
    let saved = save(1);
    for (key, answer) in [("chosen", "four"), ("rejected", "5")] {
        let values = [0, 1].map(|at| saved[key][at]["value"].as_str().unwrap());
        assert_eq!(values, ["What is 2+2?", answer], "{key}");
    }
    let saved = save(2);
    assert_eq!(saved["chosen"]["value"], "four");
    assert_eq!(saved["rejected"]["value"], "5");
}

#[test]
fn every_kind_of_text_is_stored_whole() {
    let project = in_memory(0);
    let mut with_keys = question(1);
    let Body::Chat(chat) = &mut with_keys.body else {
        panic!("a chat")
    };
    chat.tools
        .push(json!({"type": "function", "function": {"name": "valorar"}}));
    let answer = &mut chat.messages[1];
    answer.content = None;
    answer.weight = Some(0.1);
    answer.name = Some("Ana".into());
    answer
        .tool_calls
        .push(json!({"id": "1", "function": {"name": "valorar", "arguments": "{}"}}));
    answer.extra.insert("reasoning".into(), json!("…"));
    with_keys
        .extra
        .insert("日付".into(), json!({"a": [1, null, 1.5]}));
    let plain = |prompt: &str| Body::Text {
        prompt: prompt.into(),
        completion: "c\r\n\0".into(),
    };
    let tokens = Body::Tokens(Encoded {
        input_ids: vec![1, u32::MAX],
        labels: vec![-100, 7],
    });
    let bodies = [plain(""), plain("p"), tokens];
    let others = bodies.map(|body| Record {
        body,
        extra: Map::new(),
        line: 0,
    });
    for record in [with_keys].into_iter().chain(others) {
        let raw = json!({"instruction": "i", "input": "j", "output": "k"});
        let origin = Origin::new(Format::Alpaca, raw.as_object());
        let body = insert_body(project.store.raw(), record.clone(), origin.clone()).unwrap();
        assert_eq!(
            read_body(project.store.raw(), body).unwrap(),
            (record, origin)
        );
    }
}

#[test]
fn findings_of_a_text_are_those_of_the_check() {
    let record = chat("q", "damaged aÃ±o <|im_end|>");
    let expected = validate(&record, Format::Openai, Place { line: 0, record: 0 });
    let project = project_of([record]);
    let found = |project: &Project| -> Vec<(String, String)> {
        let mut statement = project
            .store
            .raw()
            .prepare("SELECT kind, found FROM finding")
            .unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    };
    let expected: Vec<(String, String)> = expected
        .into_iter()
        .map(|problem| (problem.kind.name().to_owned(), problem.found))
        .collect();
    assert_eq!(expected.len(), 2);
    assert_eq!(found(&project), expected);
}

#[test]
fn an_edit_and_a_change_of_many_that_overtook_it_are_both_kept() {
    let mut project = in_memory(3);
    let before = project.record(RecordKey(1)).unwrap().content;
    let mut edited = before.clone();
    if let ContentBody::Chat { turns, .. } = &mut edited.body {
        turns[0].text = Some("typed".into());
    }
    let with_column = {
        let mut other = before.clone();
        other.extra.insert("batch".into(), 7.into());
        other
    };
    project.save(RecordKey(1), with_column, 1).unwrap();
    let saved = project.save_from(RecordKey(1), before.clone(), edited, 90_000);
    let saved = saved.unwrap().content;
    assert_eq!(saved.extra["batch"], 7);
    let ContentBody::Chat { turns, .. } = &saved.body else {
        panic!("turns");
    };
    assert_eq!(turns[0].text.as_deref(), Some("typed"));
    project.undo().unwrap();
    let undone = project.record(RecordKey(1)).unwrap().content;
    assert_eq!(
        (undone.body == before.body, &undone.extra["batch"]),
        (true, &7.into())
    );
}

#[test]
fn only_the_latest_action_is_taken_back_by_its_number() {
    let mut project = in_memory(3);
    let content = project.record(RecordKey(2)).unwrap().content;
    let mut actions = Vec::new();
    for (text, now_ms) in [("a", 1), ("b", 50_000)] {
        let mut content = content.clone();
        content.extra.insert("x".into(), text.into());
        project.save(RecordKey(1), content, now_ms).unwrap();
        actions.push(project.history(1).unwrap()[0].action);
    }
    let refused = project.undo_action(actions[0]).unwrap_err();
    assert!(refused.to_string().contains("since"), "{refused}");
    project.undo_action(actions[1]).unwrap();
    assert!(
        project.undo_action(actions[1]).is_err(),
        "it is undone already"
    );
    project.undo_action(actions[0]).unwrap();
    assert!(project.undo_action(actions[0]).is_err());
}
