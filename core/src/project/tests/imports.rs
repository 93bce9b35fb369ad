//! Imports: all of it or nothing, and the way back.

use std::{io, rc::Rc};

use serde_json::{Value, json};

use crate::{
    data::to_fields,
    documents::{InputFile, ReadSeek, inspect},
    project::{
        Project, ProjectError, Step,
        content::{content_of, read_body},
        testing::{in_memory, incoming, question, run_all, seen},
    },
    protocol::studio::{ActionKind, ContentBody, Phrase, RecordKey, Said, Sample},
};

struct Memory(Vec<u8>);

impl InputFile for Memory {
    fn name(&self) -> &str {
        "memory"
    }

    fn n_bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(io::Cursor::new(self.0.clone())))
    }
}

fn n_rows(project: &Project, table: &str) -> u64 {
    let sql = format!("SELECT count(*) FROM {table}");
    project
        .store
        .raw()
        .query_row(&sql, [], |row| row.get(0))
        .unwrap()
}

#[test]
fn a_file_that_is_there_already_or_meets_a_frozen_split_is_noted() {
    let rows = "{\"instruction\": \"a\", \"output\": \"1\", \"veneer_side\": \"test\"}\n";
    let import = |project: &mut Project, rows: &str| {
        let part = inspect(Rc::new(Memory(rows.into()))).remove(0);
        let reading = part.view.reading.clone();
        let work = project.import(vec![(part, reading)], 5);
        let notes = run_all(project, work).unwrap().notes;
        notes.into_iter().map(|note| note.said).collect::<Vec<_>>()
    };
    let twice = Said::new(Phrase::SameFileBefore, []);
    let mut project = in_memory(1);
    assert_eq!(import(&mut project, rows), []);
    assert_eq!(import(&mut project, rows), [twice]);
    assert_eq!(import(&mut project, &rows.replace('1', "2")), []);
    // What was taken back is not there any more.
    for _ in 0..3 {
        project.undo().unwrap();
    }
    assert_eq!(import(&mut project, rows), []);
    project.freeze_split(true, 6).unwrap();
    let frozen = Said::new(Phrase::SidesWhileFrozen, ["1".into()]);
    assert_eq!(import(&mut project, &rows.replace('1', "3")), [frozen]);
}

#[test]
fn an_import_is_one_action_with_its_sources_and_rejections() {
    let mut project = in_memory(2);
    let before = seen(&project);
    let parts = [
        incoming("a.jsonl", (0..700).map(question).collect(), &[3, 650]),
        incoming("b.xlsx › Hoja 1", (0..10).map(question).collect(), &[]),
        incoming("none.csv", (0..2).map(question).collect(), &[1, 2]),
    ];
    let work = project.adding(parts.into(), 5);
    let done = run_all(&mut project, work).unwrap();
    assert_eq!((done.n_records, done.n_rejected), (708, 4));
    assert_eq!(done.rejected[1].line, 650);
    assert_eq!(done.rejected[1].to_string(), "missing field in `output`");
    let view = done.project;
    assert_eq!((view.n_records, view.sources.len()), (710, 2));
    let source = &view.sources[0];
    assert_eq!((source.n_records, source.n_rejected), (698, 2));
    assert_eq!(view.sources[1].name, "b.xlsx › Hoja 1");
    let action = view.undo.unwrap();
    assert_eq!((action.what, action.n_records), (ActionKind::Import, 708));
    let after = seen(&project);
    let undone = project.undo().unwrap();
    assert_eq!((undone.n_records, undone.project.sources.len()), (708, 0));
    assert_eq!(seen(&project), before);
    project.redo().unwrap();
    assert_eq!(seen(&project), after);
    let record = project.record(RecordKey(3)).unwrap();
    assert_eq!((record.line, record.position), (1, 3));
    assert_eq!(record.source.unwrap().name, "a.jsonl");
}

#[test]
fn an_import_that_is_cut_off_is_never_seen() {
    let mut project = in_memory(2);
    let before = seen(&project);
    let records = (0..6000).map(question).collect();
    let mut work = project.adding([incoming("a", records, &[])].into(), 5);
    for _ in 0..5 {
        assert!(matches!(work.step(&mut project).unwrap(), Step::More(_)));
        assert_eq!(seen(&project), before);
    }
    assert!(
        n_rows(&project, "record") > 1000,
        "a part of it is in the file"
    );
    // The tab is killed: the work ends where it is, and the file is opened again.
    std::mem::forget(work);
    let mut project = Project::open(project.into_connection()).unwrap();
    assert_eq!(seen(&project), before);
    for (table, n) in [("record", 2), ("body", 2), ("content", 2), ("source", 0)] {
        assert_eq!(n_rows(&project, table), n, "{table}");
    }
    let records = (0..10).map(question).collect();
    let work = project.adding([incoming("b", records, &[])].into(), 5);
    assert_eq!(run_all(&mut project, work).unwrap().project.n_records, 12);
}

#[test]
fn what_a_stopped_import_left_goes_with_the_next_one() {
    let mut project = in_memory(0);
    let records = || (0..1000).map(question).collect();
    let mut work = project.adding([incoming("a", records(), &[])].into(), 5);
    for _ in 0..3 {
        work.step(&mut project).unwrap();
    }
    let other = project.adding([incoming("b", records(), &[])].into(), 5);
    run_all(&mut project, other).unwrap();
    assert!(
        n_rows(&project, "record") > 1000,
        "the first is still going on"
    );
    run_all(&mut project, work).unwrap();
    assert_eq!(project.view().unwrap().n_records, 2000);
    let mut work = project.adding([incoming("c", records(), &[])].into(), 5);
    for _ in 0..3 {
        work.step(&mut project).unwrap();
    }
    drop(work);
    let last = project.adding([incoming("d", records(), &[])].into(), 5);
    run_all(&mut project, last).unwrap();
    assert_eq!(n_rows(&project, "record"), 3000);
}

#[test]
fn records_can_be_edited_while_others_are_added() {
    let text = |i: usize| content_of(question(i));
    let mut project = in_memory(3);
    project.save(RecordKey(1), text(100), 1).unwrap();
    let records = (0..6000).map(question).collect();
    let mut work = project.adding([incoming("a", records, &[])].into(), 5);
    for _ in 0..3 {
        work.step(&mut project).unwrap();
    }
    project.undo().unwrap();
    project.save(RecordKey(2), text(200), 20_000).unwrap();
    let added = project.add(None, text(300), 30_000).unwrap();
    assert_eq!(project.view().unwrap().n_records, 4);
    let done = run_all(&mut project, work).unwrap();
    assert_eq!((done.n_records, done.project.n_records), (6000, 6004));
    let positions = "SELECT count(DISTINCT position) FROM record";
    let n: u64 = project
        .store
        .raw()
        .query_row(positions, [], |row| row.get(0))
        .unwrap();
    assert_eq!(n, 6004, "nothing lies on the place of something else");
    assert_eq!(project.record(added.record).unwrap().content, text(300));
    // The import was done last, and goes first.
    assert_eq!(project.undo().unwrap().n_records, 6000);
    assert_eq!(project.record(RecordKey(2)).unwrap().content, text(200));
    project.undo().unwrap();
    project.undo().unwrap();
    assert_eq!(seen(&project).len(), seen(&in_memory(3)).len());
    assert_eq!(project.record(RecordKey(2)).unwrap().content, text(1));
}

#[test]
fn a_file_that_breaks_off_brings_nothing() {
    let mut project = in_memory(1);
    let before = seen(&project);
    let mut broken = incoming("a", Vec::new(), &[]);
    let good = (1..=600).map(|line| {
        Ok(crate::documents::Arrival {
            record: Some(question(line)),
            format: crate::data::Format::Openai,
            raw: None,
            line: line as u64,
            page: None,
            problems: Vec::new(),
            progress: 0.5,
        })
    });
    let end = Err(crate::documents::DocumentError::Reading {
        reason: "cut off".into(),
    });
    let arrivals = good.chain([end]);
    broken.open = Box::new(move |_| Ok(Box::new(arrivals)));
    let work = project.adding([broken].into(), 5);
    let error = run_all(&mut project, work).unwrap_err();
    assert!(matches!(error, ProjectError::Document(_)), "{error}");
    assert_eq!(seen(&project), before);
    assert_eq!(n_rows(&project, "record"), 1);
    assert!(project.view().unwrap().undo.is_none());
}

#[test]
fn nothing_to_import_is_no_action() {
    let mut project = in_memory(1);
    let work = project.adding([incoming("a", Vec::new(), &[])].into(), 5);
    let done = run_all(&mut project, work).unwrap();
    assert_eq!(done.n_records, 0);
    assert!(done.project.undo.is_none());
}

#[test]
fn rows_go_back_the_way_they_came() {
    let rows = [
        json!({"instruction": "Traduce.", "input": "hola", "output": "hello", "fuente": "a"}),
        json!({"instruction": "要約して", "input": "", "output": "はい", "fuente": "b"}),
        json!({"instruction": "q", "input": "x\ny", "output": "good", "chosen": "good", "rejected": "bad"}),
    ];
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let file: Rc<dyn InputFile> = Rc::new(Memory(text.into_bytes()));
    let part = inspect(file).remove(0);
    let reading = part.view.reading.clone();
    let mut project = in_memory(0);
    let work = project.import(vec![(part, reading)], 5);
    let done = run_all(&mut project, work).unwrap();
    assert_eq!(
        (done.n_records, done.project.sources[0].format.as_str()),
        (3, "alpaca")
    );
    for (body, row) in (1..).zip(&rows) {
        let (record, origin) = read_body(project.store.raw(), body).unwrap();
        let (fields, losses) = to_fields(&record, Some(&origin.raw), origin.format, false);
        assert_eq!((&Value::from(fields.unwrap()), losses), (row, Vec::new()));
    }
    let mut content = project.record(RecordKey(1)).unwrap().content;
    let ContentBody::Chat { turns, .. } = &mut content.body else {
        panic!("a chat")
    };
    turns[1].text = Some("hi".into());
    project.save(RecordKey(1), content, 6).unwrap();
    let (record, origin) = read_body(project.store.raw(), 4).unwrap();
    let (fields, _) = to_fields(&record, Some(&origin.raw), origin.format, false);
    let fields = fields.unwrap();
    assert_eq!(
        (&fields["input"], &fields["output"]),
        (&json!("hola"), &json!("hi"))
    );
}

#[test]
fn a_file_is_hashed_once() {
    let file: Rc<dyn InputFile> = Rc::new(Memory(vec![b'a'; (1 << 20) + 3]));
    let mut parts = [
        incoming("a", vec![question(1)], &[]),
        incoming("b", vec![question(2)], &[]),
    ];
    for part in &mut parts {
        part.file = Some(Rc::clone(&file));
    }
    let mut project = in_memory(0);
    let work = project.adding(parts.into(), 5);
    let sources = run_all(&mut project, work).unwrap().project.sources;
    // head -c 1048579 /dev/zero | tr '\0' a | sha256sum
    let expected = "f5e25b6b994188fdb721357d459785dc479934edfd40f95658a45ab2ce2d8027";
    assert_eq!(sources[0].sha256, expected);
    assert_eq!(sources[1].sha256, expected);
}

#[test]
fn records_of_an_import_undone_go_when_something_else_is_done() {
    let mut project = in_memory(0);
    let records = || (0..10).map(question).collect();
    let work = project.adding([incoming("a", records(), &[])].into(), 5);
    run_all(&mut project, work).unwrap();
    project.take_snapshot("with them", 6).unwrap();
    project.undo().unwrap();
    let work = project.adding([incoming("b", records(), &[])].into(), 7);
    run_all(&mut project, work).unwrap();
    assert_eq!(n_rows(&project, "record"), 20, "the snapshot has them");
    let snapshot = project.snapshots().unwrap()[0].snapshot;
    assert_eq!(
        project.restore(snapshot, 8).unwrap().project.sources[0].name,
        "a"
    );
    project.undo().unwrap();
    project.delete_snapshot(snapshot).unwrap();
    let work = project.adding([incoming("c", records(), &[])].into(), 9);
    run_all(&mut project, work).unwrap();
    let project = Project::open(project.into_connection()).unwrap();
    let names: Vec<String> = project
        .view()
        .unwrap()
        .sources
        .into_iter()
        .map(|s| s.name)
        .collect();
    assert_eq!(names, ["b", "c"]);
    assert_eq!(
        (n_rows(&project, "record"), n_rows(&project, "body")),
        (20, 20)
    );
}

#[test]
fn samples_are_records_without_faults() {
    for (sample, least) in [(Sample::Bank, 600), (Sample::Bond, 100)] {
        let mut project = in_memory(0);
        let work = project.import_sample(sample, 5);
        let done = run_all(&mut project, work).unwrap();
        assert!(
            done.n_records > least && done.n_rejected == 0,
            "{sample:?}: {}",
            done.n_records
        );
        assert_eq!(done.project.sources[0].sha256.len(), 64);
        let n_errors: u64 = project
            .store
            .raw()
            .query_row("SELECT sum(n_errors) FROM body", [], |row| row.get(0))
            .unwrap();
        assert_eq!(n_errors, 0);
        let record = project.record(RecordKey(1)).unwrap();
        assert!(!record.content.extra.is_empty());
    }
}

#[test]
fn how_many_come_is_told_from_the_first_rows_on() {
    let mut project = in_memory(0);
    let parts = [incoming("a.jsonl", (0..6000).map(question).collect(), &[])];
    let mut work = project.adding(parts.into(), 5);
    let mut told = Vec::new();
    while let Step::More(at) = work.step(&mut project).unwrap() {
        told.extend((at.total > 0).then_some((at.done, at.total)));
    }
    assert_eq!(told.first().map(|(done, _)| *done), Some(0), "{told:?}");
    assert!(told.iter().all(|(_, total)| *total == 6000), "{told:?}");
}
