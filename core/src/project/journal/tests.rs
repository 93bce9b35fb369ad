use super::*;
use crate::project::testing::in_memory;

fn on_side(project: &mut Project, records: &[u64], side: i64) -> Result<Changed, ProjectError> {
    project.act(ActionKind::Split, "", 5, |changes| {
        changes.set_all(Field::Side, records, side)
    })
}

fn sides(project: &Project) -> Vec<Option<i64>> {
    let mut statement = project
        .store
        .raw()
        .prepare("SELECT side FROM record ORDER BY id")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn what_was_done_is_undone_and_done_again() {
    let mut project = in_memory(3);
    let act = |project: &mut Project, records: &[u64], side: i64| {
        let change = |changes: &mut Changes<'_>| changes.set_all(Field::Side, records, side);
        project.act(ActionKind::Split, "", 5, change).unwrap()
    };
    assert_eq!(act(&mut project, &[1, 2], 0).n_records, 2);
    assert_eq!(act(&mut project, &[2, 3], 1).n_records, 2);
    assert_eq!(sides(&project), [Some(0), Some(1), Some(1)]);
    assert!(
        act(&mut project, &[2, 3], 1).action.is_none(),
        "nothing changes"
    );
    let undone = project.undo().unwrap();
    assert!(undone.action.unwrap().undone && undone.project.redo.is_some());
    assert_eq!(sides(&project), [Some(0), Some(0), None]);
    project.undo().unwrap();
    assert_eq!(sides(&project), [None, None, None]);
    assert!(project.undo().unwrap().action.is_none());
    project.redo().unwrap();
    project.redo().unwrap();
    assert_eq!(sides(&project), [Some(0), Some(1), Some(1)]);
    project.undo().unwrap();
    act(&mut project, &[1], 2);
    let history = project.history(9).unwrap();
    assert_eq!(history.len(), 2, "what was undone is gone: {history:?}");
}

#[test]
fn facts_and_several_changes_of_one_value_are_one_action() {
    let mut project = in_memory(2);
    let done = project.act(ActionKind::Fix, "x", 5, |changes| {
        changes.set(Field::Reviewer, 1, "Ana")?;
        changes.set(Field::Reviewer, 1, "花子")?;
        changes.set_selected(Field::State, "SELECT id, 1 FROM record WHERE id = ?1", [2])?;
        changes.fact("k", Some("v"))?;
        changes.fact("k", Some("w"))
    });
    let done = done.unwrap();
    assert_eq!((done.n_records, done.project.n_trash), (2, 1));
    assert_eq!(fact(project.store.raw(), "k").unwrap().unwrap(), "w");
    let undone = project.undo().unwrap();
    assert_eq!(undone.project.n_trash, 0);
    assert_eq!(fact(project.store.raw(), "k").unwrap(), None);
    let reviewer: String = project
        .store
        .raw()
        .query_row("SELECT reviewer FROM record WHERE id = 1", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(reviewer, "");
}

#[test]
fn values_that_no_record_can_have_are_not_put_in_place() {
    for (field, value) in [
        (Field::State, Value::Text("x".into())),
        (Field::State, Value::Integer(3)),
        (Field::Side, Value::Integer(-1)),
        (Field::Position, Value::Real(0.5)),
        (Field::Body, Value::Null),
        (Field::Reviewer, Value::Integer(1)),
    ] {
        let (column, runs) = (field.column(), Runs::of([(1, value)]).encode().unwrap());
        let mut project = in_memory(2);
        on_side(&mut project, &[1], 0).unwrap();
        project
            .store
            .raw()
            .execute(
                "UPDATE change SET field = ?1, runs = ?2",
                params![column, runs],
            )
            .unwrap();
        let undone = project.undo().err();
        assert!(
            matches!(undone, Some(ProjectError::Broken { .. })),
            "{column}: {undone:?}"
        );
        assert_eq!(sides(&project), [Some(0), None]);

        let db = in_memory(2).into_connection();
        db.execute(
            "INSERT INTO late (field, runs, up_to) VALUES (?1, ?2, 0)",
            params![column, runs],
        )
        .unwrap();
        let opened = Project::open(db).err();
        assert!(
            matches!(opened, Some(ProjectError::Broken { .. })),
            "{column}: {opened:?}"
        );
    }
}

#[test]
fn what_is_damaged_is_told_before_a_change_and_not_after_it() {
    for damage in [
        "UPDATE meta SET value = x'ff' WHERE key = 'name'",
        "INSERT INTO source VALUES (1, x'ff', '', '', '', 0, 0)",
        "INSERT INTO fact VALUES ('source 1 licence', x'ff')",
    ] {
        let mut project = in_memory(2);
        on_side(&mut project, &[1], 0).unwrap();
        project.store.raw().execute(damage, []).unwrap();
        let failed = on_side(&mut project, &[2], 1).err();
        assert!(
            matches!(failed, Some(ProjectError::Broken { .. })),
            "{damage}: {failed:?}"
        );
        assert!(project.undo().is_err(), "{damage}");
        assert_eq!(sides(&project), [Some(0), None], "{damage}");
        let history = project.history(9).unwrap();
        assert!(
            history.len() == 1 && !history[0].undone,
            "{damage}: {history:?}"
        );
    }
}
