//! Files that are, and are not, what they should be.

use std::path::PathBuf;

use rusqlite::{Connection, params};

use crate::{
    project::{
        Project, ProjectError, check_file,
        content::content_of,
        run,
        runs::Runs,
        testing::{chat, in_memory, incoming, keys, project_of, question, run_all, seen, turns},
    },
    protocol::studio::{Change, RecordKey, Share, SplitPlan},
    text::{Body, Role},
};

/// A file of its own for a test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("veneer-{}-{name}.sqlite", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::remove_file(&path).ok();
        Self(path)
    }

    fn open(&self) -> Connection {
        Connection::open(&self.0).unwrap()
    }

    /// A project with some records in it.
    fn filled(&self) -> Project {
        let mut project = Project::create(self.open(), "proyecto 計画", 7).unwrap();
        let records = (0..300).map(question).collect();
        let work = project.adding([incoming("a.jsonl", records, &[])].into(), 8);
        run_all(&mut project, work).unwrap();
        project
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

#[test]
fn undo_reaches_back_over_sessions() {
    let file = Scratch::new("sessions");
    let mut project = file.filled();
    let first = seen(&project);
    let work = project.change(keys([1, 2]), Change::AddTag("x".into()), 9);
    run_all(&mut project, work).unwrap();
    project
        .save(RecordKey(3), content_of(question(999)), 10)
        .unwrap();
    let last = seen(&project);
    drop(project);
    let mut project = Project::open(file.open()).unwrap();
    assert_eq!(seen(&project), last);
    project.undo().unwrap();
    drop(project);
    let mut project = Project::open(file.open()).unwrap();
    project.undo().unwrap();
    assert_eq!(seen(&project), first);
    project.undo().unwrap();
    assert_eq!(project.view().unwrap().n_records, 0);
    for _ in 0..3 {
        project.redo().unwrap();
    }
    assert_eq!(seen(&project), last);
}

#[test]
fn of_a_stopped_import_nothing_stays_in_the_file() {
    let file = Scratch::new("stopped");
    let mut project = file.filled();
    let n_bytes = || std::fs::read(&file.0).unwrap().len();
    let holds = |text: &str| {
        let bytes = std::fs::read(&file.0).unwrap();
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    let before = (seen(&project), n_bytes());
    let secret = |i: usize| chat(&format!("confidential {i}"), "geheim");
    let import = |project: &Project| {
        let records = (0..9000).map(secret).collect();
        project.adding([incoming("b.jsonl", records, &[])].into(), 9)
    };

    // By whoever runs it to its end, and by whoever lets it go and comes back when there is time.
    let work = import(&project);
    let mut n_steps = 0;
    let mut go_on = |_: &_| {
        n_steps += 1;
        n_steps < 4
    };
    let stopped = run(&mut project, work, &mut go_on).err().unwrap();
    assert!(matches!(stopped, ProjectError::Cancelled));
    assert!(!holds("confidential"));
    let mut work = import(&project);
    for _ in 0..4 {
        work.step(&mut project).unwrap();
    }
    assert!(holds("confidential"));
    drop(work);
    let index = project.index();
    run_all(&mut project, index).unwrap();
    assert!(!holds("confidential"));
    assert_eq!(seen(&project), before.0);
    assert!(
        n_bytes() < before.1 * 2,
        "{} bytes of {}",
        n_bytes(),
        before.1
    );

    let work = import(&project);
    run_all(&mut project, work).unwrap();
    assert_eq!(project.view().unwrap().n_records, 9300);
    project.verify().unwrap();
}

/// The search index keeps words of removed texts until its parts are merged.
#[test]
fn of_removed_texts_no_word_stays_in_the_file() {
    let file = Scratch::new("words");
    let holds = || {
        let bytes = std::fs::read(&file.0).unwrap();
        // How a word begins may be told by the one before it.
        bytes.windows(13).any(|part| part == b"ylophongeheim")
    };
    let mut project = file.filled();
    for is_reopened in [true, false] {
        let index = project.index();
        run_all(&mut project, index).unwrap();
        let secret = vec![chat("xylophongeheim", "a")];
        let work = project.adding([incoming("b", secret, &[])].into(), 9);
        run_all(&mut project, work).unwrap();
        let index = project.index();
        run_all(&mut project, index).unwrap();
        project.undo().unwrap();
        let work = project.change(keys([1]), Change::AddTag(format!("{is_reopened}")), 10);
        run_all(&mut project, work).unwrap();
        assert!(holds());
        if is_reopened {
            drop(project);
            project = Project::open(file.open()).unwrap();
        } else {
            let work = project.adding([incoming("c", vec![question(1)], &[])].into(), 11);
            run_all(&mut project, work).unwrap();
        }
        assert!(!holds(), "opened again: {is_reopened}");
    }
}

#[test]
fn names_and_what_is_remembered_stay() {
    let file = Scratch::new("names");
    let mut project = file.filled();
    project.rename("otro").unwrap();
    project.remember("columns", "[1]").unwrap();
    project.remember("columns", "[1,2]").unwrap();
    drop(project);
    let project = Project::open(file.open()).unwrap();
    let view = project.view().unwrap();
    assert_eq!(view.name, "otro");
    assert_eq!(
        view.remembered,
        [("columns".to_owned(), "[1,2]".to_owned())]
    );
    assert_eq!(
        project.remembered("columns").unwrap().as_deref(),
        Some("[1,2]")
    );
    assert_eq!(project.remembered("other").unwrap(), None);
}

#[test]
fn the_history_of_an_earlier_form_is_kept() {
    let file = Scratch::new("earlier");
    let mut project = file.filled();
    let mut states = vec![seen(&project)];
    for (tag, records) in [("x", vec![1, 2]), ("y", vec![2]), ("x", vec![3, 4])] {
        let work = project.change(keys(records), Change::AddTag(tag.into()), 9);
        run_all(&mut project, work).unwrap();
        states.push(seen(&project));
    }
    let work = project.change(keys([1, 3]), Change::SetReviewer("花子".into()), 9);
    run_all(&mut project, work).unwrap();
    states.push(seen(&project));
    project.undo().unwrap();
    let db = project.into_connection();
    as_in_form_1(&db);
    drop(db);

    let mut project = Project::open(file.open()).unwrap();
    project.redo().unwrap();
    for state in states.iter().rev() {
        assert_eq!(&seen(&project), state);
        project.undo().unwrap();
    }
    assert_eq!(project.view().unwrap().n_records, 0);
    drop(project);
    assert_eq!(
        Project::open(file.open())
            .unwrap()
            .view()
            .unwrap()
            .n_records,
        0
    );
}

#[test]
fn a_history_of_an_earlier_form_with_a_record_behind_all_ids_is_refused() {
    let db = in_memory(2).into_connection();
    as_in_form_1(&db);
    db.execute("INSERT INTO change VALUES (1, 'side', ?1, 0)", [i64::MAX])
        .unwrap();
    let error = Project::open(db).err().unwrap();
    assert!(matches!(error, ProjectError::Broken { .. }), "{error}");
}

/// A row for every value, as the first form had it.
fn as_in_form_1(db: &Connection) {
    db.execute_batch(
        "DROP TABLE late;
         DROP INDEX record_by_place;
         CREATE INDEX record_by_position ON record (state, position);
         ALTER TABLE change RENAME TO runs_of;
         CREATE TABLE change (action INTEGER NOT NULL, field TEXT NOT NULL, record INTEGER NOT NULL,
            value, PRIMARY KEY (action, field, record)) WITHOUT ROWID;
         PRAGMA user_version = 1;",
    )
    .unwrap();
    let mut statement = db
        .prepare("SELECT action, field, runs FROM runs_of")
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let (action, field): (i64, String) = (row.get(0).unwrap(), row.get(1).unwrap());
        let runs = Runs::decode(row.get_ref(2).unwrap().as_blob().unwrap()).unwrap();
        for run in runs.all() {
            for record in run.first..=run.last() {
                db.execute(
                    "INSERT INTO change VALUES (?1, ?2, ?3, ?4)",
                    params![action, field, record, run.value],
                )
                .unwrap();
            }
        }
    }
    drop(rows);
    drop(statement);
    db.execute_batch("DROP TABLE runs_of").unwrap();
}

#[test]
fn prints_of_an_earlier_form_are_made_again() {
    let silent = |answer: &str| turns(&[(Role::Assistant, answer)]);
    let mut project = project_of([silent("a"), silent("b"), question(1)]);
    let plan = SplitPlan {
        validation: Share::Count(1),
        test: Share::Count(0),
        ..SplitPlan::default()
    };
    project.apply_split(&plan, 5).unwrap();
    let prints = |db: &Connection| -> Vec<(Vec<u8>, Vec<u8>)> {
        let sql = "SELECT prompt_print, whole_print FROM body ORDER BY id";
        let mut statement = db.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    };
    let indexes = |db: &Connection| -> Vec<String> {
        let sql = "SELECT sql FROM sqlite_schema WHERE tbl_name = 'body' AND type = 'index'";
        let mut statement = db.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0));
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    };
    let now = (prints(project.connection()), indexes(project.connection()));
    project
        .connection()
        .execute_batch(
            "UPDATE body SET prompt_print = zeroblob(16) WHERE id < 3;
             UPDATE body SET whole_print = zeroblob(16) WHERE id = 1;
             DROP INDEX body_narrow;
             CREATE INDEX body_narrow ON body (id, n_chars, n_turns, roles, language, fields);
             CREATE INDEX body_by_prompt ON body (prompt_print);
             CREATE INDEX body_by_whole ON body (whole_print);
             PRAGMA user_version = 2;",
        )
        .unwrap();
    let frozen = project.freeze_split(true, 6).unwrap().frozen;
    let project = Project::open(project.into_connection()).unwrap();
    let db = project.connection();
    assert_eq!((prints(db), indexes(db)), now);
    let view = project.split().unwrap();
    assert!(view.frozen_holds && view.frozen != frozen);
    let form: i64 = project
        .connection()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(form, 5);
}

#[test]
fn prints_that_form_4_made_without_reasoning_are_made_again() {
    let mut thought = chat("q", "a");
    let Body::Chat(messages) = &mut thought.body else {
        panic!("a chat")
    };
    let reasoning = ("reasoning_content".to_owned(), "because".into());
    messages.messages[1].extra.extend([reasoning]);
    let mut in_part = chat("q", "a");
    let Body::Chat(messages) = &mut in_part.body else {
        panic!("a chat")
    };
    messages.messages[1].weight = Some(0.5);
    let mut marked = chat("q", "a");
    marked.extra.insert("kto_tag".into(), false.into());
    let project = project_of([thought, in_part, marked, chat("q", "a")]);
    let prints = |db: &Connection| -> Vec<Vec<u8>> {
        let mut statement = db
            .prepare("SELECT whole_print FROM body ORDER BY id")
            .unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let mut expected = prints(project.connection());
    project
        .connection()
        .execute_batch("UPDATE body SET whole_print = zeroblob(16); PRAGMA user_version = 4;")
        .unwrap();
    let project = Project::open(project.into_connection()).unwrap();
    // A record that has nothing of what was left out is not even read.
    expected[3] = vec![0; 16];
    assert_eq!(prints(project.connection()), expected);
}

#[test]
fn a_file_of_a_newer_version_is_refused() {
    let db = in_memory(1).into_connection();
    db.pragma_update(None, "user_version", 99).unwrap();
    let error = Project::open(db).err().unwrap();
    assert!(matches!(
        error,
        ProjectError::Newer {
            found: 99,
            known: 5
        }
    ));
    assert!(error.to_string().contains("form 99"), "{error}");
}

#[test]
fn other_files_are_refused() {
    let empty = Connection::open_in_memory().unwrap();
    assert!(matches!(
        Project::open(empty).err().unwrap(),
        ProjectError::NotAProject
    ));
    let foreign = Connection::open_in_memory().unwrap();
    foreign.execute_batch("CREATE TABLE record (id)").unwrap();
    assert!(matches!(
        Project::create(foreign, "x", 0).err().unwrap(),
        ProjectError::CannotDo { .. }
    ));
    let file = Scratch::new("text");
    std::fs::write(&file.0, "instruction,output\n".repeat(100)).unwrap();
    assert!(matches!(
        Project::open(file.open()).err().unwrap(),
        ProjectError::NotAProject
    ));
}

#[test]
fn a_file_without_all_its_tables_is_refused() {
    let db = in_memory(1).into_connection();
    db.execute_batch("DROP TABLE change").unwrap();
    let error = Project::open(db).err().unwrap();
    assert!(error.to_string().contains("no table `change`"), "{error}");
}

#[test]
fn a_truncated_file_is_refused() {
    let file = Scratch::new("truncated");
    drop(file.filled());
    let bytes = std::fs::read(&file.0).unwrap();
    let check = |length: usize| check_file(&bytes[..length.min(100)], length as u64);
    check(bytes.len()).unwrap();
    for length in [
        bytes.len() - 1,
        bytes.len() / 2,
        5000,
        4096,
        600,
        99,
        20,
        15,
        6,
    ] {
        let error = check(length).unwrap_err();
        assert!(
            matches!(error, ProjectError::Broken { .. }),
            "{length} bytes: {error}"
        );
        assert!(
            error.to_string().contains(&format!("{length} bytes of")),
            "{error}"
        );
    }
    for length in [bytes.len() - 4096, bytes.len() / 2, 40_000, 4096] {
        std::fs::write(&file.0, &bytes[..length]).unwrap();
        let error = Project::open(file.open()).err().unwrap();
        assert!(
            matches!(error, ProjectError::Broken { .. }),
            "{length} bytes: {error}"
        );
    }
    let foreign = Connection::open_in_memory().unwrap();
    foreign.execute_batch("CREATE TABLE record (id)").unwrap();
    std::fs::remove_file(&file.0).unwrap();
    foreign
        .execute("VACUUM INTO ?1", [file.0.to_str()])
        .unwrap();
    let bytes = std::fs::read(&file.0).unwrap();
    for (head, n) in [
        (&bytes[..], bytes.len() as u64),
        (b"{\"a\": 1}", 8),
        (b"", 0),
    ] {
        assert!(matches!(
            check_file(head, n).unwrap_err(),
            ProjectError::NotAProject
        ));
    }
}

#[test]
fn damage_inside_is_found_when_asked_for() {
    let file = Scratch::new("damaged");
    drop(file.filled());
    let mut bytes = std::fs::read(&file.0).unwrap();
    Project::open(file.open()).unwrap().verify().unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xa5);
    std::fs::write(&file.0, bytes).unwrap();
    let error = Project::open(file.open())
        .and_then(|project| project.verify())
        .unwrap_err();
    assert!(matches!(error, ProjectError::Broken { .. }), "{error}");
}

#[test]
fn a_full_disk_leaves_the_project_whole() {
    let file = Scratch::new("full");
    let mut project = file.filled();
    let before = seen(&project);
    let n_pages: i64 = project
        .store
        .raw()
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    project
        .store
        .raw()
        .pragma_update(None, "max_page_count", n_pages + 40)
        .unwrap();
    let records = (0..5000).map(question).collect();
    let work = project.adding([incoming("b.jsonl", records, &[])].into(), 9);
    let error = run_all(&mut project, work).unwrap_err();
    assert!(matches!(error, ProjectError::Full), "{error}");
    assert_eq!(seen(&project), before);
    let work = project.change(keys([1]), Change::AddTag("x".into()), 9);
    run_all(&mut project, work).unwrap();
    project.undo().unwrap();
    assert_eq!(seen(&project), before);
    drop(project);
    let project = Project::open(file.open()).unwrap();
    project.verify().unwrap();
    assert_eq!(seen(&project), before);
    assert_eq!(project.history(9).unwrap().len(), 2);
}

#[test]
fn a_file_brings_nothing_that_runs() {
    let db = in_memory(1).into_connection();
    db.execute_batch("CREATE TRIGGER evil AFTER UPDATE ON record BEGIN DELETE FROM content; END;")
        .unwrap();
    let mut project = Project::open(db).unwrap();
    let work = project.change(keys([1]), Change::AddTag("x".into()), 9);
    run_all(&mut project, work).unwrap();
    assert!(project.record(RecordKey(1)).is_ok());
}

#[test]
fn a_killed_connection_leaves_a_whole_state() {
    let file = Scratch::new("killed");
    let project = file.filled();
    let before = seen(&project);
    // A second connection that dies between writing and committing.
    drop(project);
    let db = file.open();
    db.execute_batch("BEGIN IMMEDIATE; UPDATE record SET state = 1;")
        .unwrap();
    drop(db);
    let project = Project::open(file.open()).unwrap();
    assert_eq!(seen(&project), before);
}
