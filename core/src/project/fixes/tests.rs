use super::*;
use crate::{
    project::{
        run,
        testing::{chat, in_memory, project_of, state, turns, with_text_model},
    },
    protocol::studio::RecordKey,
    text::{Record, Role},
};
use Role::{Assistant, System, User};

#[track_caller]
fn fix(project: &mut Project, kind: &str, fix: &str, target: FixTarget) -> Changed {
    let task = project.fix(FindingKind(kind.into()), target, FixName(fix.into()), 7);
    run(project, task, &mut |_| true).unwrap()
}

fn counted(project: &Project, kind: &str) -> (u64, u64) {
    let view = project.findings().unwrap();
    let found = view.kinds.iter().find(|summary| summary.kind.0 == kind);
    found.map_or((0, 0), |found| (found.n_records, found.n_accepted))
}

/// The fix settles the finding at the records that have it, and undoing brings all of it back.
#[track_caller]
fn settles(mut project: Project, kind: &str, name: &str) {
    let before = state(&project);
    let n = counted(&project, kind).0;
    assert!(n > 0, "no `{kind}` in the project");
    let listed = table::kind(kind).unwrap().fixes;
    assert!(listed.contains(&name), "the table offers {listed:?}");
    let changed = fix(&mut project, kind, name, FixTarget::All);
    assert_eq!(changed.n_records, n);
    assert_eq!(changed.action.unwrap().detail, format!("{kind} {name}"));
    assert_eq!(counted(&project, kind).0, 0, "{kind} after {name}");
    let after = state(&project);
    assert_ne!(after, before);
    project.undo().unwrap();
    assert_eq!(state(&project), before);
    assert_eq!(counted(&project, kind).0, n);
    project.redo().unwrap();
    assert_eq!(state(&project), after);
}

fn with(odd: Record) -> Project {
    project_of([chat("a", "1"), odd.clone(), chat("b", "2"), odd])
}

#[test]
fn texts_are_repaired() {
    let answer = |answer: &str| with(turns(&[(User, "q"), (Assistant, answer)]));
    settles(answer("a\0b"), "nul_character", "strip_controls");
    settles(
        answer("a<|im_end|>"),
        "control_token",
        "remove_control_tokens",
    );
    settles(answer("aÃ±o"), "mojibake", "redecode");
    let last = with(turns(&[(User, "q"), (Assistant, "a"), (User, "r")]));
    settles(last, "last_not_assistant", "drop_last_turns");
    let empty = with(turns(&[(System, ""), (User, "q"), (Assistant, "a")]));
    settles(empty, "empty_content", "drop_empty_messages");
    let twice = with(turns(&[(User, "q"), (User, "r"), (Assistant, "a")]));
    settles(twice, "repeated_role", "join_same_roles");
    let late = with(turns(&[(User, "q"), (System, "s"), (Assistant, "a")]));
    settles(late, "system_not_first", "move_system_first");
}

#[test]
fn weights_are_set() {
    let weighted = |weight: f32| {
        let mut record = chat("q", "a");
        let crate::text::Body::Chat(chat) = &mut record.body else {
            unreachable!()
        };
        chat.messages[1].weight = Some(weight);
        with(record)
    };
    settles(weighted(0.0), "nothing_trained", "set_weight");
    settles(weighted(0.5), "odd_weight", "set_weight");
}

#[test]
fn records_go_to_the_trash_or_are_accepted() {
    settles(with(turns(&[(User, "q")])), "no_assistant", "trash");
    let first = || with(turns(&[(Assistant, "q"), (User, "r"), (Assistant, "a")]));
    settles(first(), "first_not_user", "accept");
    let mut project = first();
    fix(&mut project, "first_not_user", "accept", FixTarget::All);
    assert_eq!(counted(&project, "first_not_user"), (0, 2));
    let findings = project
        .findings_at(2, &project.row(RecordKey(2)).unwrap())
        .unwrap();
    assert!(findings[0].accepted && findings[0].kind.0 == "first_not_user");
}

#[test]
fn of_groups_one_stays() {
    let groups = || {
        project_of([
            chat("a", "1"),
            chat("b", "1"),
            chat("a", "1"),
            chat("a", "a longer answer"),
            chat("a", "1"),
        ])
    };
    settles(groups(), "duplicate", "keep_first");
    settles(groups(), "conflicting_answers", "accept");
    let there = |project: &Project| -> Vec<usize> {
        let state = state(project).into_iter().enumerate();
        state
            .filter(|(_, (state, ..))| *state == 0)
            .map(|(i, _)| i + 1)
            .collect()
    };
    let mut project = groups();
    fix(&mut project, "duplicate", "keep_first", FixTarget::All);
    assert_eq!(there(&project), [1, 2, 4]);
    fix(
        &mut project,
        "conflicting_answers",
        "keep_longest",
        FixTarget::All,
    );
    assert_eq!(there(&project), [2, 4]);
    let mut project = groups();
    fix(
        &mut project,
        "conflicting_answers",
        "keep_first",
        FixTarget::All,
    );
    assert_eq!(there(&project), [1, 2]);
    let mut project = groups();
    let one = FixTarget::Records(vec![RecordKey(1), RecordKey(5)]);
    fix(&mut project, "duplicate", "keep_first", one);
    assert_eq!(there(&project), [1, 2, 3, 4], "the others were not meant");
}

#[test]
fn the_number_that_is_said_is_the_number_that_goes() {
    let mut project = project_of([
        chat("a", "1"),
        chat("a", "1"),
        chat("a", "a longer answer"),
        chat("b", "1"),
        chat("b", "2"),
        chat("c", "1"),
    ]);
    let first = FixTarget::Records(vec![RecordKey(4)]);
    fix(&mut project, "conflicting_answers", "accept", first);
    for name in ["keep_first", "keep_longest"] {
        let view = project.findings().unwrap();
        let kinds = view.kinds.iter();
        let mut found = kinds.filter(|kind| kind.kind.0 == "conflicting_answers");
        let found = found.next_back().unwrap();
        let place = found.fixes.iter().position(|fix| fix.0 == name).unwrap();
        let changed = fix(&mut project, "conflicting_answers", name, FixTarget::All);
        assert_eq!(changed.n_records, found.n_by_fix[place], "{name}");
        assert_eq!((found.n_records, changed.n_records), (2, 3), "{name}");
        project.undo().unwrap();
    }
}

/// The first of a group has no finding of its own, and stays with the others where all are accepted.
#[test]
fn of_groups_that_were_accepted_all_stay() {
    for name in ["keep_first", "keep_longest"] {
        let mut project = project_of([
            chat("q1", "a"),
            chat("q1", "bb"),
            chat("q2", "x"),
            chat("q2", "y"),
        ]);
        let kind = "conflicting_answers";
        fix(
            &mut project,
            kind,
            "accept",
            FixTarget::Records(vec![RecordKey(2)]),
        );
        let view = project.findings().unwrap();
        let found = view.kinds.iter().find(|found| found.kind.0 == kind);
        let found = found.unwrap();
        let place = found.fixes.iter().position(|fix| fix.0 == name).unwrap();
        assert_eq!(found.n_by_fix[place], 1, "{name}");
        assert_eq!(fix(&mut project, kind, name, FixTarget::All).n_records, 1);
        let there: Vec<i64> = state(&project).iter().map(|(state, ..)| *state).collect();
        assert_eq!(there, [0, 0, 0, 1], "{name}");
        // Nothing is open any more.
        assert_eq!(fix(&mut project, kind, name, FixTarget::All).n_records, 0);
    }
}

#[test]
fn records_without_the_finding_are_not_touched() {
    let odd = turns(&[(User, "q"), (User, "r"), (Assistant, "a")]);
    let mut project = with(odd);
    let before = state(&project);
    let mut refused = |kind: &str, name: &str, record: u64| {
        let target = FixTarget::Records(vec![RecordKey(2), RecordKey(record)]);
        let task = project.fix(FindingKind(kind.into()), target, FixName(name.into()), 7);
        run(&mut project, task, &mut |_| true)
            .unwrap_err()
            .to_string()
    };
    for name in ["join_same_roles", "trash", "accept"] {
        let said = refused("repeated_role", name, 1);
        assert_eq!(said, "record 1 has no `repeated_role` to settle");
    }
    assert_eq!(
        refused("duplicate", "keep_first", 3),
        "record 3 has no `duplicate` to settle"
    );
    assert_eq!(
        refused("duplicate", "trash", 99),
        "record 99 is not in the project"
    );
    assert_eq!(state(&project), before);
}

#[test]
fn what_was_accepted_is_left_alone_by_a_fix_of_all() {
    let mut project = with(turns(&[(User, "q"), (User, "r"), (Assistant, "a")]));
    let second = FixTarget::Records(vec![RecordKey(2)]);
    fix(&mut project, "repeated_role", "accept", second);
    let changed = fix(
        &mut project,
        "repeated_role",
        "join_same_roles",
        FixTarget::All,
    );
    assert_eq!(changed.n_records, 1);
    assert_eq!(counted(&project, "repeated_role"), (0, 1));
}

#[test]
fn refusals_of_training_are_settled_too() {
    let odd = turns(&[(User, "q"), (Assistant, "a<|im_start|>b")]);
    let mut project = with_text_model(with(odd), 2048);
    let check = project.check();
    run(&mut project, check, &mut |_| true).unwrap();
    assert_eq!(counted(&project, "control_tokens").0, 2);
    fix(
        &mut project,
        "control_tokens",
        "remove_control_tokens",
        FixTarget::All,
    );
    let check = project.check();
    run(&mut project, check, &mut |_| true).unwrap();
    assert_eq!(counted(&project, "control_tokens").0, 0);
    project.undo().unwrap();
    assert_eq!(
        counted(&project, "control_tokens").0,
        2,
        "known of the old texts"
    );
}

#[test]
fn a_fix_that_is_stopped_changes_nothing() {
    let odd = turns(&[(User, "q"), (User, "r"), (Assistant, "a")]);
    let mut project = project_of(std::iter::repeat_n(odd, 200));
    let before = state(&project);
    let (kind, name) = (
        FindingKind("repeated_role".into()),
        FixName("join_same_roles".into()),
    );
    let task = project.fix(kind, FixTarget::All, name, 7);
    let stopped = run(&mut project, task, &mut |at| at.done < 100);
    assert!(matches!(stopped, Err(ProjectError::Cancelled)));
    assert_eq!(state(&project), before);
    assert_eq!(project.history(9).unwrap(), []);
}

#[test]
fn an_unknown_fix_is_refused() {
    let mut project = in_memory(1);
    let (kind, name) = (FindingKind("duplicate".into()), FixName("juggle".into()));
    let task = project.fix(kind, FixTarget::All, name, 7);
    let refused = run(&mut project, task, &mut |_| true).unwrap_err();
    assert_eq!(refused.to_string(), "there is no fix `juggle`");
}
