use rusqlite::Connection;

use super::*;
use crate::{
    data::split,
    project::testing::{chat, in_memory, project_of, question},
    text::Record,
};

fn plan(validation: Share, test: Share) -> SplitPlan {
    SplitPlan {
        validation,
        test,
        ..SplitPlan::default()
    }
}

fn with_banks(n: usize) -> Vec<Record> {
    let with_bank = |i: usize| {
        let mut record = question(i);
        record.extra.insert("bank".into(), (i % 4).into());
        record
            .extra
            .insert("meta".into(), serde_json::json!({"k": i / 5}));
        record
    };
    (0..n).map(with_bank).collect()
}

fn sides(project: &Project) -> Vec<Option<i64>> {
    Members::read(project.store.raw()).unwrap().sides
}

#[test]
fn a_preview_changes_nothing_and_says_what_applying_does() {
    let mut project = project_of(with_banks(200));
    let plan = SplitPlan {
        stratify_by: Some("bank".into()),
        group_by: Some("meta.k".into()),
        ..plan(Share::Fraction(0.1), Share::Count(15))
    };
    let preview = project.preview_split(&plan).unwrap();
    assert_eq!(preview.n_train + preview.n_validation + preview.n_test, 200);
    assert_eq!((preview.n_groups, preview.largest_group), (40, 5));
    assert_eq!(project.split().unwrap().n_without, 200);
    let mut applied = project.apply_split(&plan, 5).unwrap();
    assert!(applied.project.take().unwrap().undo.is_some());
    assert_eq!(applied, preview);
    assert_eq!(preview.n_asked, Some([20, 15]));
    let now = SplitView {
        n_asked: None,
        ..preview
    };
    assert_eq!(project.split().unwrap(), now);
    let undone = project.undo().unwrap();
    assert_eq!(undone.action.unwrap().n_records, 200);
    let none = project.split().unwrap();
    assert_eq!((none.n_without, none.plan), (200, None));
}

#[test]
fn the_draw_is_that_of_the_command_line() {
    let records = with_banks(300);
    let mut project = project_of(records.clone());
    for (field, group) in [
        (Some("bank"), None),
        (None, Some("meta.k")),
        (Some("language"), None),
    ] {
        let plan = SplitPlan {
            stratify_by: field.map(str::to_owned),
            group_by: group.map(str::to_owned),
            seed: 9,
            ..plan(Share::Fraction(0.2), Share::Count(30))
        };
        project.apply_split(&plan, 5).unwrap();
        let options = SplitOptions {
            val: Portion::Share(0.2),
            test: Portion::Count(30),
            seed: 9,
            group: plan.group_by,
            stratify: plan.stratify_by,
            duplicates_apart: false,
        };
        let drawn = split(&records, &options).unwrap();
        assert_eq!(sides(&project), sides_of(&drawn, 300));
        assert_eq!(project.split().unwrap().strata, drawn.strata);
    }
}

#[test]
fn records_are_told_by_their_file() {
    let mut project = in_memory(40);
    project
        .store
        .raw()
        .execute_batch(
            "INSERT INTO source VALUES (1, 'a.csv', '', '', '', 0, 0), (2, 'b.csv', '', '', '', 0, 0);
             UPDATE record SET source = 1 + (id > 10);",
        )
        .unwrap();
    let plan = SplitPlan {
        stratify_by: Some("source".into()),
        ..plan(Share::Count(4), Share::Count(0))
    };
    let view = project.apply_split(&plan, 5).unwrap();
    let strata = [
        ("a.csv".to_owned(), [9, 1, 0]),
        ("b.csv".to_owned(), [27, 3, 0]),
    ];
    assert_eq!(view.strata, strata);

    // A column of that name on one record is another thing than the file.
    let mut content = crate::project::content::content_of(question(0));
    content.extra.insert("source".into(), "a book".into());
    project
        .save(crate::protocol::studio::RecordKey(1), content, 6)
        .unwrap();
    let by_file = SplitPlan {
        stratify_by: Some(SplitPlan::SOURCE_FILE.into()),
        ..plan.clone()
    };
    assert_eq!(project.preview_split(&by_file).unwrap().strata, strata);
    let by_column = project.preview_split(&plan).unwrap().strata;
    assert_eq!(by_column.len(), 2);
    assert_eq!(by_column[1].0, "a book");
    let by_language = SplitPlan {
        stratify_by: Some(SplitPlan::LANGUAGE.into()),
        ..plan
    };
    assert_eq!(project.preview_split(&by_language).unwrap().strata.len(), 3);
}

#[test]
fn groups_that_were_moved_apart_are_counted() {
    let mut project = project_of(with_banks(40));
    let plan = SplitPlan {
        group_by: Some("meta.k".into()),
        ..plan(Share::Count(10), Share::Count(0))
    };
    assert_eq!(project.apply_split(&plan, 5).unwrap().n_groups_apart, 0);
    let one = sides(&project)
        .iter()
        .position(|side| *side == Some(1))
        .unwrap();
    let target = crate::project::testing::keys([one as u64 + 1]);
    let to = |side| crate::protocol::studio::Change::SetSide(side);
    let move_to = |project: &mut Project, side| {
        let work = project.change(target.clone(), to(side), 6);
        crate::project::testing::run_all(project, work).unwrap();
        project.split().unwrap().n_groups_apart
    };
    assert_eq!(move_to(&mut project, Some(Side::Train)), 1);
    assert_eq!(move_to(&mut project, None), 0, "on no side is not apart");
}

#[test]
fn new_records_join_a_split_that_stays() {
    let old = (0..50).map(|i| chat(&format!("q{i}"), "a"));
    let mut project = project_of(old.clone());
    let mut plan = plan(Share::Fraction(0.2), Share::Fraction(0.1));
    project.apply_split(&plan, 5).unwrap();
    let before = sides(&project);
    // Ten that ask what is asked already, and fifty others.
    let again = (0..10).map(|i| chat(&format!("q{i}"), "b"));
    let more = (50..100).map(|i| chat(&format!("q{i}"), "a"));
    for record in again.chain(more) {
        let content = crate::project::content::content_of(record);
        project.add(None, content, 6).unwrap();
    }
    plan.only_new = true;
    let preview = project.preview_split(&plan).unwrap();
    let view = project.apply_split(&plan, 7).unwrap();
    assert_eq!(view.n_leaking, 0);
    assert_eq!((view.n_without, view.n_asked), (0, Some([22, 11])));
    assert_eq!((view.n_validation, view.n_test), (22, 11));
    assert_eq!(preview.n_validation, view.n_validation);
    let after = sides(&project);
    assert_eq!(after[..50], before[..]);
    assert_eq!(
        after[50..60],
        before[..10],
        "they go where their question is"
    );
    let action = view.project.unwrap().undo.unwrap();
    assert_eq!(action.n_records, 60);
    let refused = project.apply_split(&plan, 8).unwrap_err().to_string();
    assert!(refused.contains("on a side already"), "{refused}");
}

#[test]
fn what_leaks_is_counted() {
    let mut project = project_of((0..20).map(|i| chat(&format!("q{}", i / 2), &format!("a{i}"))));
    let mut plan = plan(Share::Count(6), Share::Count(0));
    assert_eq!(project.apply_split(&plan, 5).unwrap().n_leaking, 0);
    plan.keep_duplicates_together = false;
    let preview = project.preview_split(&plan).unwrap();
    assert!(preview.n_leaking > 0);
    assert_eq!(preview.n_groups, 20);
}

#[test]
fn a_frozen_split_holds_until_a_record_changes() {
    let mut project = in_memory(60);
    let refused = project.freeze_split(true, 5).unwrap_err().to_string();
    assert!(refused.contains("no record is on a side yet"), "{refused}");
    let plan = plan(Share::Fraction(0.2), Share::Fraction(0.1));
    project.apply_split(&plan, 5).unwrap();
    let frozen = project.freeze_split(true, 6).unwrap();
    let hash = frozen.frozen.clone().unwrap();
    assert!(frozen.frozen_holds && frozen.project.unwrap().split_frozen);
    assert_eq!(hash.len(), 64);
    let refused = project.apply_split(&plan, 7).unwrap_err().to_string();
    assert!(refused.contains("thaw it"), "{refused}");

    let file = project.into_connection();
    let mut project = Project::open(file).unwrap();
    let again = project.split().unwrap();
    assert_eq!(
        (again.frozen.as_ref(), again.frozen_holds),
        (Some(&hash), true)
    );

    // The order of records is not part of what is frozen; their texts are.
    let edit = |project: &mut Project, field, value: i64| {
        let act = project.act(ActionKind::Edit, "", 8, |changes| {
            changes.set(field, 3, value)
        });
        act.unwrap();
        project.split().unwrap().frozen_holds
    };
    assert!(edit(&mut project, Field::Position, 1 << 40));
    assert!(!edit(&mut project, Field::Body, 4));
    let refused = project.freeze_split(true, 8).unwrap_err().to_string();
    assert!(refused.contains("thaw it before"), "{refused}");
    project.undo().unwrap();
    assert!(project.split().unwrap().frozen_holds);
    assert!(!edit(&mut project, Field::State, 1));
    project.undo().unwrap();

    let thawed = project.freeze_split(false, 9).unwrap();
    assert_eq!((thawed.frozen, thawed.frozen_holds), (None, false));
    project.undo().unwrap();
    assert!(
        project.split().unwrap().frozen_holds,
        "thawing is undone too"
    );
}

#[test]
fn plans_that_cannot_be_are_refused() {
    let project = project_of(with_banks(10));
    let reason = |plan: &SplitPlan| project.preview_split(plan).unwrap_err().to_string();
    let nothing = plan(Share::Fraction(0.0), Share::Count(0));
    assert!(reason(&nothing).contains("nothing to set aside"));
    let all = plan(Share::Count(u64::MAX), Share::Fraction(0.1));
    assert!(reason(&all).contains("leave none of 10 records"));
    let unknown = SplitPlan {
        group_by: Some("banco".into()),
        ..SplitPlan::default()
    };
    assert!(
        reason(&unknown).contains("no record has `banco` to group by; columns are `bank`, `meta`")
    );
    let empty = Project::create(Connection::open_in_memory().unwrap(), "", 1).unwrap();
    assert!(empty.preview_split(&SplitPlan::default()).is_err());
}
