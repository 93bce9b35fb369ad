use super::*;
use crate::{
    data::ReadOptions,
    project::{
        Project,
        testing::{in_memory, run_all},
    },
    protocol::studio::Export,
};

/// A project in whose file a definition says something else.
fn altered(table: &str, from: &str, to: &str) -> Connection {
    let db = in_memory(2).into_connection();
    let sql = |of: &str| -> Vec<String> {
        let sql = format!("SELECT sql FROM sqlite_schema WHERE tbl_name = ?1 AND {of}");
        let mut statement = db.prepare(&sql).unwrap();
        let rows = statement.query_map([table], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let was = sql("type = 'table'").remove(0);
    let indexes = sql("type = 'index' AND sql IS NOT NULL");
    let is = was.replace(from, to);
    assert_ne!(was, is, "{was}");
    let batch = format!("DROP TABLE {table}; {is}; {}", indexes.join(";"));
    db.execute_batch(&batch).unwrap();
    db
}

#[track_caller]
fn check_refused(db: Connection, expected: &str) {
    match Project::open(db) {
        Err(ProjectError::Broken { detail }) => assert!(detail.contains(expected), "{detail}"),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("opened: {expected}"),
    }
}

#[test]
fn tables_that_act_are_refused() {
    let replaces = "page INTEGER,\n    UNIQUE (side, tags) ON CONFLICT REPLACE\n)";
    for (table, from, to) in [
        ("record", "page INTEGER\n)", replaces),
        ("record", "side INTEGER,", "side INTEGER AS (tags),"),
        (
            "action",
            "undone INTEGER NOT NULL DEFAULT 0",
            "undone INTEGER NOT NULL DEFAULT 1",
        ),
        (
            "change",
            "action INTEGER NOT NULL,",
            "action INTEGER NOT NULL REFERENCES record ON DELETE CASCADE,",
        ),
        (
            "content",
            "json TEXT NOT NULL",
            "json TEXT NOT NULL CHECK (json <> '')",
        ),
        ("content", "body INTEGER PRIMARY KEY", "body INTEGER"),
        ("meta", " WITHOUT ROWID", ""),
    ] {
        check_refused(altered(table, from, to), &format!("`{table}`"));
    }
}

#[test]
fn what_is_there_beside_or_lacks_is_refused() {
    for (batch, expected) in [
        (
            "CREATE UNIQUE INDEX one_line ON record (line)",
            "\"one_line\"",
        ),
        ("CREATE TABLE other (id)", "\"other\""),
        ("CREATE VIEW seen AS SELECT 1", "\"seen\""),
        ("DROP INDEX record_by_body", "no index `record_by_body`"),
        // Of a form that had another table of this name.
        ("PRAGMA user_version = 1", "`change`"),
    ] {
        let db = in_memory(2).into_connection();
        db.execute_batch(batch).unwrap();
        check_refused(db, expected);
    }
}

#[test]
fn white_space_and_what_earlier_versions_left_are_no_damage() {
    let db = altered("meta", "key TEXT", "\n -- it's\n key\tTEXT");
    for known in earlier_form::KNOWN {
        // Of this name there is one of today.
        if !known.contains("body_narrow") {
            db.execute_batch(known).unwrap();
        }
    }
    db.execute_batch("ANALYZE").unwrap();
    let project = Project::open(db).unwrap();
    let keys: bool = project
        .connection()
        .pragma_query_value(None, "foreign_keys", |row| row.get(0))
        .unwrap();
    assert!(!keys);
}

#[test]
fn what_is_quoted_stays_as_it_is() {
    assert_eq!(squeezed("a ( b,  c ) -- d\n e"), "a(b,c)e");
    assert_eq!(squeezed("a '  -- ' b"), "a '  -- ' b");
    assert_eq!(squeezed("a \"(  \"\n"), "a \"(  \"");
    assert_ne!(squeezed("a -- b"), squeezed("a /* b */"));
}

#[test]
fn ids_that_are_used_up_are_no_full_disk() {
    for batch in [
        "UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'record'",
        "UPDATE record SET id = 9223372036854775807 WHERE id = 2",
        "UPDATE sqlite_sequence SET seq = 'x' WHERE name = 'body'",
    ] {
        let db = in_memory(2).into_connection();
        db.execute_batch(batch).unwrap();
        check_refused(db, "");
    }
}

#[test]
fn records_that_are_not_whole_are_not_passed_over() {
    for batch in [
        "DELETE FROM body WHERE id = 2",
        "UPDATE record SET body = -3 WHERE id = 2",
        "UPDATE record SET state = 7 WHERE id = 2",
        "UPDATE record SET state = -1 WHERE id = 2",
        "UPDATE record SET state = 'x' WHERE id = 2",
    ] {
        let mut project = in_memory(3);
        project.connection().execute_batch(batch).unwrap();
        let told = |error: ProjectError| {
            let ProjectError::Broken { detail } = &error else {
                panic!("{batch}: {error}");
            };
            assert!(detail.starts_with("record 2 has no text"), "{detail}");
        };
        told(project.verify().unwrap_err());
        told(project.split().map(drop).unwrap_err());
        let work = project.export(Export::default(), "2026-11-23");
        let exported = run_all(&mut project, work).err();
        assert!(
            matches!(exported, Some(ProjectError::Broken { .. })),
            "{batch}: {exported:?}"
        );
        if batch.contains("state") {
            assert!(project.view().is_err(), "{batch}");
            told(
                project
                    .loaded(&[], &ReadOptions::default())
                    .map(drop)
                    .unwrap_err(),
            );
        }
    }
}
