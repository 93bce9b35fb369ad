//! Snapshots: what differs, and the way back.

use serde_json::json;

use crate::{
    project::{
        ProjectError,
        content::content_of,
        journal::Field,
        testing::{chat, in_memory, keys, project_of, run_all, seen},
    },
    protocol::studio::{
        ActionKind, Beside, Change, ContentBody, DifferenceKind, FindingKind, FixName, FixTarget,
        RecordKey, Side, SnapshotKey,
    },
};

#[test]
fn differences_are_told_apart() {
    let mut project = project_of((0..5).map(|i| chat(&format!("q{i}"), "a")));
    project.take_snapshot("before", 1).unwrap();
    let before = project.snapshots().unwrap()[0].snapshot;
    assert_eq!(project.snapshots().unwrap()[0].n_records, 5);
    let work = project.change(keys([1]), Change::Trash, 2);
    run_all(&mut project, work).unwrap();
    let mut content = project.record(RecordKey(2)).unwrap().content;
    content.extra.insert("k".into(), json!(1));
    content.body = content_of(chat("q1", "otra")).body;
    project.save(RecordKey(2), content, 3).unwrap();
    let work = project.change(keys([3]), Change::AddTag("t".into()), 4);
    run_all(&mut project, work).unwrap();
    project
        .add(None, content_of(chat("nueva", "sí")), 5)
        .unwrap();
    let found = project.compare(Some(before), None).unwrap();
    assert_eq!(
        (
            found.n_added,
            found.n_removed,
            found.n_edited,
            found.n_moved
        ),
        (1, 1, 1, 1)
    );
    let kinds: Vec<_> = found.records.iter().map(|r| (r.kind, r.record.0)).collect();
    use DifferenceKind::{Added, Edited, Moved, Removed};
    assert_eq!(kinds, [(Edited, 2), (Added, 6), (Removed, 1), (Moved, 3)]);
    assert_eq!(found.records[0].before, "user: q1\nassistant: a");
    assert_eq!(found.records[0].after, "user: q1\nassistant: otra\nk: 1");
    assert_eq!(found.records[2].after, "");
    let places: Vec<_> = found.records.iter().map(|record| record.place).collect();
    assert_eq!(places, [Some(1), Some(5), None, Some(2)], "as they are now");
    let tags = Beside::Tags(Vec::new(), vec!["t".into()]);
    assert_eq!(found.records[3].beside, [tags]);
    assert!(found.records[0].beside.is_empty());
    project.take_snapshot("after", 6).unwrap();
    let after = project.snapshots().unwrap()[0].snapshot;
    let back = project.compare(Some(after), Some(before)).unwrap();
    assert_eq!(
        (back.n_added, back.n_removed, back.n_edited, back.n_moved),
        (1, 1, 1, 1)
    );
    assert_eq!(project.compare(None, None).unwrap(), Default::default());
}

#[test]
fn a_restored_project_is_what_it_was_and_the_restoring_can_be_undone() {
    let mut project = in_memory(4);
    let act = project.act(ActionKind::Settings, "", 1, |changes| {
        changes.fact("a", Some("1"))?;
        changes.set(Field::Reviewer, 1, "Ana")
    });
    act.unwrap();
    let then = seen(&project);
    project.take_snapshot("s", 2).unwrap();
    let act = project.act(ActionKind::Settings, "", 3, |changes| {
        changes.fact("a", None)?;
        changes.fact("b", Some("2"))
    });
    act.unwrap();
    project
        .add(Some(RecordKey(1)), content_of(chat("x", "y")), 4)
        .unwrap();
    let work = project.change(keys([1, 2]), Change::Trash, 5);
    run_all(&mut project, work).unwrap();
    let now = seen(&project);
    let snapshot = project.snapshots().unwrap()[0].snapshot;
    let done = project.restore(snapshot, 6).unwrap();
    assert_eq!(
        (done.action.unwrap().detail.as_str(), done.n_records),
        ("s", 3)
    );
    assert_eq!(seen(&project), then);
    project.undo().unwrap();
    assert_eq!(seen(&project), now);
    project.redo().unwrap();
    assert_eq!(seen(&project), then);
}

#[test]
fn what_differs_beside_the_text_is_told() {
    let mut project = project_of([chat("q", "a")]);
    project.take_snapshot("s", 1).unwrap();
    let snapshot = project.snapshots().unwrap()[0].snapshot;
    let mut content = project.record(RecordKey(1)).unwrap().content;
    content.extra.insert("author".into(), json!("Ana"));
    let ContentBody::Chat { turns, tools } = &mut content.body else {
        panic!("no chat");
    };
    turns[1].weight = Some(0.0);
    tools.push(json!({"name": "f"}));
    project.save(RecordKey(1), content, 2).unwrap();
    let work = project.change(keys([1]), Change::SetReviewer("Eva".into()), 3);
    run_all(&mut project, work).unwrap();
    let work = project.change(keys([1]), Change::SetSide(Some(Side::Test)), 4);
    run_all(&mut project, work).unwrap();
    let found = project.compare(Some(snapshot), None).unwrap();
    let record = &found.records[0];
    assert_eq!(record.before, "user: q\nassistant: a");
    assert_eq!(
        record.after,
        "user: q\nassistant: a\n#2 weight: 0\ntools: {\"name\":\"f\"}\nauthor: Ana"
    );
    let reviewer = Beside::Reviewer(String::new(), "Eva".into());
    assert_eq!(
        record.beside,
        [Beside::Side(None, Some(Side::Test)), reviewer]
    );
}

#[test]
fn accepted_findings_are_compared() {
    let mut project = project_of(["a", "b", "c"].map(|answer| chat("q", answer)));
    project.take_snapshot("s", 1).unwrap();
    let snapshot = project.snapshots().unwrap()[0].snapshot;
    let kind = FindingKind("conflicting_answers".into());
    let (target, accept) = (
        FixTarget::Records(vec![RecordKey(2)]),
        FixName("accept".into()),
    );
    let work = project.fix(kind.clone(), target, accept, 2);
    run_all(&mut project, work).unwrap();
    let found = project.compare(Some(snapshot), None).unwrap();
    assert_eq!((found.n_moved, found.n_accepted), (1, 1));
    assert_eq!(found.records[0].record, RecordKey(2));
    let accepted = Beside::Accepted(Vec::new(), vec![kind]);
    assert_eq!(found.records[0].beside, [accepted]);
    let changed = project.restore(snapshot, 3).unwrap();
    assert_eq!(changed.n_records, found.n_moved);
    assert_eq!(
        project.compare(Some(snapshot), None).unwrap(),
        Default::default()
    );
}

#[test]
fn a_text_that_was_typed_back_is_the_same() {
    let mut project = project_of([chat("q", "a"), chat("r", "b")]);
    project.take_snapshot("s", 1).unwrap();
    let snapshot = project.snapshots().unwrap()[0].snapshot;
    let mut body = |record: u64, text: &str, now_ms| {
        let question = if record == 1 { "q" } else { "r" };
        let content = content_of(chat(question, text));
        let saved = project.save(RecordKey(record), content, now_ms);
        saved.unwrap();
        project.row(RecordKey(record)).unwrap().body
    };
    let bodies = [body(1, "c", 10_000), body(1, "a", 20_000)];
    assert!(bodies.iter().all(|body| *body > 2), "{bodies:?}");
    body(2, "d", 30_000);
    let found = project.compare(Some(snapshot), None).unwrap();
    let edited: Vec<u64> = found.records.iter().map(|it| it.record.0).collect();
    assert_eq!((found.n_edited, found.n_moved), (1, 0));
    assert_eq!(edited, [2]);
    assert_eq!(project.restore(snapshot, 40_000).unwrap().n_records, 1);
    assert_eq!(
        project.record(RecordKey(2)).unwrap().content,
        content_of(chat("r", "b"))
    );
}

#[test]
fn a_name_is_that_of_one_snapshot() {
    let mut project = in_memory(1);
    project.take_snapshot(" s ", 1).unwrap();
    assert_eq!(project.snapshots().unwrap()[0].name, "s");
    for name in ["s", "s ", "", "  "] {
        let error = project.take_snapshot(name, 2).unwrap_err();
        assert!(matches!(error, ProjectError::CannotDo { .. }), "{error}");
    }
    assert_eq!(project.snapshots().unwrap().len(), 1);
}

#[test]
fn a_snapshot_that_is_gone_is_refused() {
    let mut project = in_memory(1);
    project.take_snapshot("s", 2).unwrap();
    let snapshot = project.snapshots().unwrap()[0].snapshot;
    project.delete_snapshot(snapshot).unwrap();
    assert!(project.snapshots().unwrap().is_empty());
    let errors = [
        project.delete_snapshot(snapshot).unwrap_err(),
        project.restore(snapshot, 3).unwrap_err(),
        project.compare(Some(SnapshotKey(9)), None).unwrap_err(),
    ];
    assert!(
        errors
            .iter()
            .all(|error| matches!(error, ProjectError::CannotDo { .. }))
    );
}
