//! How long it takes with 100 000 records; run with `--ignored --nocapture` on an idle machine.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use crate::{
    project::{
        Project,
        testing::{incoming, keys, question, run_all},
    },
    protocol::studio::{Change, RecordKey, Side},
};

const N: u64 = 100_000;

fn timed<T>(what: &str, limit: Duration, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let value = work();
    let took = start.elapsed();
    println!(
        "{what}: {:.0} ms, {:.0} records/s",
        took.as_secs_f64() * 1e3,
        N as f64 / took.as_secs_f64()
    );
    assert!(took < limit, "{what} took {took:?}");
    value
}

#[test]
#[ignore = "measures"]
fn a_hundred_thousand_records() {
    let path = std::env::temp_dir().join(format!("veneer-{}-speed.sqlite", std::process::id()));
    std::fs::remove_file(&path).ok();
    let open = || rusqlite::Connection::open(&path).unwrap();
    let mut project = Project::create(open(), "speed", 0).unwrap();
    let records = (0..N as usize).map(question).collect();
    let second = Duration::from_secs(1);
    let work = project.adding([incoming("a", records, &[])].into(), 5);
    timed("import", 4 * second, || {
        run_all(&mut project, work).unwrap()
    });
    let mut change = |what: &str, change: Change, limit: Duration| {
        let work = project.change(keys(1..=N), change, 9);
        timed(what, limit, || {
            black_box(run_all(&mut project, work).unwrap())
        });
    };
    change("tag", Change::AddTag("x".into()), second);
    change("side", Change::SetSide(Some(Side::Train)), second);
    change("trash", Change::Trash, second);
    change("take back", Change::TakeBack, second);
    change("move", Change::Move { before: None }, 2 * second);
    change("system", Change::SetSystem(Some("s".into())), 8 * second);
    timed("undo system", second, || project.undo().unwrap());
    timed("redo system", second, || project.redo().unwrap());
    timed("snapshot", second, || {
        project.take_snapshot("s", 9).unwrap()
    });
    timed("undo all", 4 * second, || {
        while project.undo().unwrap().action.is_some() {}
    });
    timed("restore", 3 * second, || {
        let snapshot = project.snapshots().unwrap()[0].snapshot;
        project.restore(snapshot, 9).unwrap();
    });
    let snapshot = project.snapshots().unwrap()[0].snapshot;
    timed("compare", second, || {
        project.compare(Some(snapshot), None).unwrap()
    });
    timed("save", second / 20, || {
        let content = project.record(RecordKey(7)).unwrap().content;
        project.save(RecordKey(5), content, 99).unwrap()
    });
    timed("add", second / 10, || {
        let content = project.record(RecordKey(7)).unwrap().content;
        project.add(Some(RecordKey(50)), content, 99).unwrap()
    });
    timed("verify", 5 * second, || project.verify().unwrap());
    drop(project);
    let mut project = timed("open", 3 * second, || Project::open(open()).unwrap());
    drop(timed("open again", second, || {
        Project::open(open()).unwrap()
    }));
    let work = project.change(keys(1..=N / 2), Change::Trash, 9);
    run_all(&mut project, work).unwrap();
    timed("empty trash", 20 * second, || {
        let work = project.empty_trash();
        run_all(&mut project, work).unwrap()
    });
    std::fs::remove_file(&path).ok();
}
