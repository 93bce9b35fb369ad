//! The trash, and what is left of what was in it.

use crate::{
    project::{
        Project, ProjectError,
        content::content_of,
        testing::{chat, in_memory, incoming, keys, project_of, run_all, seen},
    },
    protocol::studio::{Change, RecordKey, Terms},
};

const SECRET: &str = "GEHEIM-4711";

fn empty(project: &mut Project) -> u64 {
    let work = project.empty_trash();
    run_all(project, work).unwrap().n_records
}

#[test]
fn emptying_leaves_no_trace_in_the_file() {
    let mut records: Vec<_> = (0..50).map(|i| chat(&format!("q{i}"), "a")).collect();
    records[7] = chat(&format!("my number is {SECRET}"), "noted");
    let mut project = project_of(records);
    project.take_snapshot("s", 1).unwrap();
    let with_more = content_of(chat(&format!("my number is {SECRET}, really"), "noted"));
    project.save(RecordKey(8), with_more, 2).unwrap();
    let still_more = content_of(chat(&format!("my number is {SECRET}, really!"), "noted"));
    project.save(RecordKey(8), still_more, 3).unwrap();
    let work = project.change(keys([8, 9]), Change::Trash, 2);
    run_all(&mut project, work).unwrap();
    assert_eq!(empty(&mut project), 2);
    assert_eq!(project.view().unwrap().n_trash, 0);
    assert!(matches!(
        project.record(RecordKey(8)).unwrap_err(),
        ProjectError::NoRecord { record: 8 }
    ));
    assert!(
        project.view().unwrap().undo.is_none(),
        "nothing is left to undo"
    );
    let snapshot = project.snapshots().unwrap()[0].clone();
    assert_eq!(snapshot.n_records, 48);
    let n_bodies: u64 = project
        .store
        .raw()
        .query_row("SELECT count(*) FROM body", [], |row| row.get(0))
        .unwrap();
    assert_eq!(n_bodies, 48);
    let file = std::env::temp_dir().join(format!("veneer-{}-trash.sqlite", std::process::id()));
    std::fs::remove_file(&file).ok();
    project
        .store
        .raw()
        .execute("VACUUM INTO ?1", [file.to_str()])
        .unwrap();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).ok();
    let has = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(has("q12") && !has(SECRET));
}

#[test]
fn what_was_stated_of_a_source_goes_with_its_last_record() {
    let terms = |licence: &str| Terms {
        licence: Some(licence.into()),
        url: Some("https://example.org".into()),
    };
    let stated = |project: &Project| {
        let source = project.view().unwrap().sources.remove(0);
        (source.name, source.licence, source.url)
    };
    let file = |name: &str| [incoming(name, vec![chat("q", "a")], &[])].into();
    let nothing = |name: &str| (name.to_owned(), String::new(), String::new());
    let mut project = in_memory(0);
    let work = project.adding_under(file("a"), terms("mit"), 1);
    run_all(&mut project, work).unwrap();
    project.describe_source(1, &terms("cc0"), 2).unwrap();
    project.take_snapshot("s", 3).unwrap();
    let work = project.change(keys([1]), Change::Trash, 4);
    run_all(&mut project, work).unwrap();
    assert_eq!(empty(&mut project), 1);
    assert!(project.history(9).unwrap().is_empty());

    let work = project.adding(file("b"), 5);
    run_all(&mut project, work).unwrap();
    assert_eq!(stated(&project), nothing("b"));
    let snapshot = project.snapshots().unwrap()[0].snapshot;
    project.restore(snapshot, 6).unwrap();
    project.undo().unwrap();
    assert_eq!(stated(&project), nothing("b"));

    // As earlier versions left it.
    let mut project = in_memory(0);
    let db = project.connection();
    let fact = "INSERT INTO fact VALUES ('source 1 licence', 'mit')";
    db.execute(fact, []).unwrap();
    let work = project.adding(file("c"), 7);
    run_all(&mut project, work).unwrap();
    assert_eq!(stated(&project), nothing("c"));
}

#[test]
fn what_does_not_concern_the_trash_can_still_be_undone() {
    let mut project = in_memory(4);
    let start: Vec<String> = seen(&project)[2..].to_vec();
    let work = project.change(keys([1, 3]), Change::AddTag("x".into()), 1);
    run_all(&mut project, work).unwrap();
    let work = project.change(keys([1, 2]), Change::Trash, 2);
    run_all(&mut project, work).unwrap();
    assert_eq!(empty(&mut project), 2);
    let history = project.history(9).unwrap();
    assert_eq!((history.len(), history[0].n_records), (1, 1));
    project.undo().unwrap();
    assert_eq!(seen(&project), start);
    assert_eq!(empty(&mut project), 0);
}

#[test]
fn it_is_not_emptied_under_a_change_that_is_going_on() {
    let mut project = in_memory(2);
    let mut change = project.change(keys([1]), Change::SetSystem(Some("s".into())), 1);
    change.step(&mut project).unwrap();
    let work = project.empty_trash();
    let error = run_all(&mut project, work).unwrap_err();
    assert!(matches!(error, ProjectError::CannotDo { .. }));
    run_all(&mut project, change).unwrap();
    assert_eq!(empty(&mut project), 0);
}
