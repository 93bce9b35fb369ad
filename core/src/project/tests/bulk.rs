//! Changes of many records.

use serde_json::json;

use crate::{
    project::{
        Project, ProjectError, Step,
        content::content_of,
        testing::{chat, in_memory, keys, project_of, run_all, seen},
    },
    protocol::studio::{
        Change, Changed, ContentBody, Filter, Query, RecordKey, Replace, Search, SearchMode, Side,
        Sort, SortBy, Target, TurnRole,
    },
};

fn change(project: &mut Project, records: &[u64], change: Change) -> Changed {
    let work = project.change(keys(records.iter().copied()), change, 9);
    run_all(project, work).unwrap()
}

/// Records outside the trash, in their order.
fn order(project: &Project) -> Vec<u64> {
    let mut statement = project
        .store
        .raw()
        .prepare("SELECT id FROM record WHERE state = 0 ORDER BY position, id")
        .unwrap();
    let ids = statement.query_map([], |row| row.get(0)).unwrap();
    ids.collect::<Result<_, _>>().unwrap()
}

#[test]
fn tags_are_sets() {
    let mut project = in_memory(3);
    let tags = |project: &Project, record| project.record(RecordKey(record)).unwrap().tags;
    assert_eq!(
        change(&mut project, &[1, 2], Change::AddTag("b".into())).n_records,
        2
    );
    assert_eq!(
        change(&mut project, &[2, 3, 99], Change::AddTag("a".into())).n_records,
        2
    );
    assert_eq!(tags(&project, 2), ["a", "b"]);
    assert!(
        change(&mut project, &[2], Change::AddTag("a".into()))
            .action
            .is_none()
    );
    assert_eq!(
        change(&mut project, &[1, 2, 3], Change::RemoveTag("b".into())).n_records,
        2
    );
    assert_eq!(
        (tags(&project, 1), tags(&project, 2)),
        (vec![], vec!["a".to_owned()])
    );
}

#[test]
fn a_list_is_all_of_it_but_some() {
    let mut project = in_memory(4);
    let work = project.change(keys([1, 3, 4]), Change::AddTag("x".into()), 1);
    run_all(&mut project, work).unwrap();
    let query = Query {
        sort: Sort {
            by: SortBy::Characters,
            descending: true,
        },
        filter: Filter {
            tags: vec!["x".into()],
            ..Filter::default()
        },
        ..Query::default()
    };
    let work = project.query(query);
    assert_eq!(run_all(&mut project, work).unwrap().n, 3);
    let except = vec![RecordKey(3)];
    let work = project.change(
        Target::List { except },
        Change::SetSide(Some(Side::Test)),
        1,
    );
    let done = run_all(&mut project, work).unwrap();
    assert_eq!(done.action.unwrap().detail, "test");
    let sides = [1, 2, 3, 4].map(|record| project.record(RecordKey(record)).unwrap().side);
    assert_eq!(sides, [Some(Side::Test), None, None, Some(Side::Test)]);
    let done = change(&mut project, &[1], Change::SetSide(None));
    assert_eq!(done.action.unwrap().detail, "none");
}

#[test]
fn records_move_together_and_keep_their_order() {
    let mut project = in_memory(6);
    let to = |before: Option<u64>| Change::Move {
        before: before.map(RecordKey),
    };
    change(&mut project, &[5, 2], to(Some(1)));
    assert_eq!(order(&project), [2, 5, 1, 3, 4, 6]);
    change(&mut project, &[2, 1], to(None));
    assert_eq!(order(&project), [5, 3, 4, 6, 2, 1]);
    change(&mut project, &[3, 4], to(Some(4)));
    assert_eq!(
        order(&project),
        [5, 3, 4, 6, 2, 1],
        "before one of themselves: nothing moves"
    );
    assert_eq!(project.record(RecordKey(6)).unwrap().position, 4);
}

#[test]
fn there_is_always_room_to_move() {
    let mut project = in_memory(3);
    let before = seen(&project);
    for _ in 0..60 {
        let third = order(&project)[2];
        let second = order(&project)[1];
        change(
            &mut project,
            &[third],
            Change::Move {
                before: Some(RecordKey(second)),
            },
        );
    }
    assert_eq!(order(&project), [1, 2, 3]);
    for _ in 0..60 {
        project.undo().unwrap();
    }
    assert_eq!(seen(&project), before);
}

#[test]
fn texts_get_fields_and_system_messages() {
    let mut project = in_memory(600);
    let system = |project: &Project| match project.record(RecordKey(600)).unwrap().content.body {
        ContentBody::Chat { turns, .. } => turns
            .first()
            .filter(|turn| turn.role == TurnRole::System)
            .and_then(|turn| turn.text.clone()),
        _ => None,
    };
    let all: Vec<u64> = (1..=600).collect();
    let done = change(
        &mut project,
        &all,
        Change::SetSystem(Some("簡潔に。".into())),
    );
    assert_eq!(
        (done.n_records, system(&project)),
        (600, Some("簡潔に。".into()))
    );
    change(&mut project, &all, Change::SetSystem(None));
    assert_eq!(system(&project), None);
    change(
        &mut project,
        &[7],
        Change::SetField("año".into(), Some(json!(2024))),
    );
    let record = project.record(RecordKey(7)).unwrap();
    assert_eq!(record.content.extra["año"], 2024);
    assert!(record.original.unwrap().extra.is_empty());
    change(&mut project, &[7], Change::SetField("año".into(), None));
    assert!(
        project
            .record(RecordKey(7))
            .unwrap()
            .content
            .extra
            .is_empty()
    );
}

#[test]
fn texts_are_replaced_where_they_are_looked_for() {
    let mut project = project_of([chat("año 2023", "En 2023, 5 %."), chat("otro", "2023")]);
    let replace = |text: &str, role, with: &str| {
        Change::Replace(Replace {
            search: Search {
                text: text.into(),
                mode: SearchMode::Regex,
                case_sensitive: true,
                role,
            },
            with: with.into(),
        })
    };
    let assistant = Some(TurnRole::Assistant);
    let done = change(
        &mut project,
        &[1, 2],
        replace(r"(\d{3})\d", assistant, "${1}4"),
    );
    assert_eq!(done.n_records, 2);
    let content = project.record(RecordKey(1)).unwrap().content;
    assert_eq!(content, content_of(chat("año 2023", "En 2024, 5 %.")));
    let none = change(&mut project, &[1, 2], replace("nada", None, "x"));
    assert!(none.action.is_none());
    let broken = replace("(", None, "x");
    let work = project.change(keys([1]), broken, 9);
    let error = run_all(&mut project, work).unwrap_err();
    assert!(error.to_string().contains("regular expression"), "{error}");
}

#[test]
fn an_edit_made_while_texts_are_changed_is_kept() {
    let mut project = project_of([chat("a", "b"), chat("c", "d")]);
    let mut work = project.change(keys([1, 2]), Change::SetSystem(Some("s".into())), 5);
    for _ in 0..2 {
        assert!(matches!(work.step(&mut project).unwrap(), Step::More(_)));
    }
    let mut content = project.record(RecordKey(2)).unwrap().content;
    content.extra.insert("new".into(), json!(1));
    project.save(RecordKey(2), content, 6).unwrap();
    run_all(&mut project, work).unwrap();
    let record = project.record(RecordKey(2)).unwrap().content;
    let ContentBody::Chat { turns, .. } = record.body else {
        panic!("a chat")
    };
    assert_eq!(
        (turns[0].text.as_deref(), &record.extra["new"]),
        (Some("s"), &json!(1))
    );
}

#[test]
fn a_change_that_is_dropped_changes_nothing() {
    let mut project = in_memory(600);
    let before = seen(&project);
    let all = keys(1..=600);
    let mut work = project.change(all, Change::SetSystem(Some("s".into())), 5);
    for _ in 0..3 {
        assert!(matches!(work.step(&mut project).unwrap(), Step::More(_)));
    }
    drop(work);
    assert_eq!(seen(&project), before);
    let project = Project::open(project.into_connection()).unwrap();
    assert_eq!(seen(&project), before);
    let n_bodies: u64 = project
        .store
        .raw()
        .query_row("SELECT count(*) FROM body", [], |row| row.get(0))
        .unwrap();
    assert_eq!(n_bodies, 600, "texts that nobody needs are removed");
}

#[test]
fn moving_before_nothing_is_refused() {
    let mut project = in_memory(2);
    let to = Change::Move {
        before: Some(RecordKey(99)),
    };
    let work = project.change(keys([1]), to, 1);
    let error = run_all(&mut project, work).unwrap_err();
    assert!(matches!(error, ProjectError::NoRecord { record: 99 }));
}
