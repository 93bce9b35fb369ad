use super::*;
use crate::{
    data::{ReadOptions, check, read},
    project::{
        content::content_of,
        run,
        testing::{chat, in_memory, keys, project_of, question, turns, with_text_model},
    },
    protocol::studio::{CheckName, FindingSummary, RecordKey, TextOptions},
    text::{Record, Role, encode_record},
};

fn checked(project: &mut Project) -> FindingsView {
    let task = project.check();
    run(project, task, &mut |_| true).unwrap()
}

#[track_caller]
fn summary<'a>(view: &'a FindingsView, kind: &str) -> &'a FindingSummary {
    let found = view.kinds.iter().find(|summary| summary.kind.0 == kind);
    found.unwrap_or_else(|| panic!("no `{kind}` in {:?}", view.kinds))
}

#[test]
fn numbers_are_those_of_the_command_line() {
    let text = "query,response\na,b\nc,d\na, b \na,e\na,e\nf,\ng<|im_end|>,h\nc,d\n";
    let text = format!("{text}l,{}\n", "m".repeat(20_000));
    let loaded = read(text.as_bytes(), &ReadOptions::default()).unwrap();
    let problems = check(&loaded, &Default::default());
    let view = project_of(loaded.records.clone()).findings().unwrap();
    let counted: Vec<(String, u64)> = problems
        .counts()
        .iter()
        .map(|(kind, n)| (kind.name().to_owned(), *n))
        .collect();
    assert_eq!(counted.len(), 5, "{counted:?}");
    for (kind, n) in counted {
        assert_eq!(summary(&view, &kind).n_records, n, "{kind}");
    }
    assert_eq!(view.kinds[0].kind.0, "empty_answer", "errors come first");
    assert_eq!(view.n_records_with_errors, 1);
    assert!(view.outdated.is_empty(), "no model is chosen");
}

#[test]
fn without_a_model_length_is_counted_in_characters() {
    let mut project = project_of([chat("q", "a short one"), chat("q", &"long ".repeat(20))]);
    assert_eq!(project.findings().unwrap().kinds.len(), 1);
    project.set_max_characters(50).unwrap();
    let view = project.findings().unwrap();
    let found = summary(&view, "too_long");
    assert_eq!((found.n_records, found.is_error), (1, false));
    let row = project.row(RecordKey(2)).unwrap();
    let said = project.findings_at(2, &row).unwrap();
    assert_eq!(
        (said[0].found.to_string(), said[0].expected.to_string()),
        ("101 characters".into(), "at most 50".into())
    );
    let listed = crate::protocol::studio::Query {
        filter: crate::protocol::studio::Filter {
            findings: vec![found.kind.clone()],
            ..Default::default()
        },
        ..Default::default()
    };
    let listed = project.query(listed);
    assert_eq!(run(&mut project, listed, &mut |_| true).unwrap().n, 1);
    let accept = project.fix(
        found.kind.clone(),
        crate::protocol::studio::FixTarget::All,
        crate::protocol::studio::FixName("accept".into()),
        5,
    );
    run(&mut project, accept, &mut |_| true).unwrap();
    let view = project.findings().unwrap();
    let found = summary(&view, "too_long");
    assert_eq!((found.n_records, found.n_accepted), (0, 1));
    let view = project_of([chat("q", "a")]);
    let view = with_text_model(view, 2048);
    assert_eq!(length::limit(view.store.raw()).unwrap(), None);
}

#[test]
fn groups_come_in_the_order_of_the_dataset() {
    let project = project_of([
        chat("x", "1"),
        chat("a", "1"),
        chat("b", "1"),
        chat(" b", "1 "),
        chat("a", "1"),
        chat("a", "2"),
    ]);
    let groups = |check: &str| {
        let groups = project.groups(&CheckName(check.into()), 0, 9).unwrap();
        let ids = |group: &crate::protocol::studio::GroupView| {
            group.records.iter().map(|row| row.record.0).collect()
        };
        groups.groups.iter().map(ids).collect::<Vec<Vec<u64>>>()
    };
    assert_eq!(groups(table::DUPLICATES), [vec![2, 5], vec![3, 4]]);
    assert_eq!(groups(table::CONFLICTS), [vec![2, 5, 6]]);
    let page = project.groups(&CheckName(table::DUPLICATES.into()), 1, 9);
    let page = page.unwrap();
    assert_eq!((page.n, page.from, page.groups.len()), (2, 1, 1));
}

#[test]
fn what_repeats_is_said_at_the_later_records() {
    let project = project_of([chat("a", "1"), chat("a", "1"), chat("a", "2")]);
    let found = |record: u64| {
        let findings = project
            .findings_at(record, &project.row(RecordKey(record)).unwrap())
            .unwrap();
        let text =
            |view: &crate::protocol::studio::FindingView| format!("{}: {}", view.kind, view.found);
        findings.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(found(1), [""; 0]);
    assert_eq!(found(2), ["duplicate: the text of 1 record before it"]);
    assert_eq!(
        found(3),
        ["conflicting_answers: the question of 2 records before it"]
    );
}

fn odd_records() -> Vec<Record> {
    vec![
        question(0),
        // Behind the limit of 100 tokens lies all that is trained.
        chat(&"long ".repeat(80), "a"),
        // Cut, and still trained on.
        chat("q", &"a long answer ".repeat(40)),
        chat("q", "a<|im_start|>b"),
        turns(&[(Role::User, "nobody answers")]),
    ]
}

#[test]
fn lengths_and_refusals_are_those_of_training() {
    let mut project = with_text_model(project_of(odd_records()), 100);
    let before = project.findings().unwrap();
    assert_eq!(before.outdated, [CheckName(table::TEMPLATE.into())]);
    assert!(!project.view().unwrap().checked);
    let view = checked(&mut project);
    assert!(view.outdated.is_empty() && project.view().unwrap().checked);
    for kind in ["cut_away", "control_tokens", "no_trained_tokens"] {
        let found = summary(&view, kind);
        assert_eq!((found.n_records, found.is_error), (1, true), "{kind}");
    }
    assert_eq!(summary(&view, "too_long").n_records, 2);

    let (model, options) = (
        project.model_text().unwrap().unwrap(),
        project.encode_options(),
    );
    let options = options.unwrap();
    for (body, record) in odd_records().iter().enumerate() {
        let prepared = encode_record(record, &model, &options).unwrap();
        let counted: (u64, u64) = project
            .store
            .raw()
            .query_row(
                "SELECT n_tokens, n_trained FROM token_count WHERE body = ?1",
                [body as i64 + 1],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        let n_trained = prepared.encoded.n_targets() as u64;
        assert_eq!(counted, (prepared.spans.len() as u64, n_trained));
    }
}

#[test]
fn other_options_begin_again_and_new_texts_are_looked_at_alone() {
    let mut project = with_text_model(in_memory(30), 2048);
    checked(&mut project);
    let mut n_looked_at = 0;
    let recheck = |project: &mut Project, n: &mut u64| {
        let task = project.check();
        *n = 0;
        run(project, task, &mut |at| {
            *n = at.total;
            true
        })
        .unwrap()
    };
    recheck(&mut project, &mut n_looked_at);
    assert_eq!(n_looked_at, 0, "nothing is left to look at");
    let options = project.text_options().unwrap();
    let shorter = TextOptions {
        max_length: 40,
        ..options.clone()
    };
    project.set_text_options(shorter).unwrap();
    assert_eq!(project.text_model().unwrap().unwrap().n_counted, 0);
    let view = checked(&mut project);
    assert!(summary(&view, "too_long").n_records > 10);
    assert_eq!(project.text_model().unwrap().unwrap().n_counted, 30);
    project.set_text_options(options).unwrap();
    let view = checked(&mut project);
    assert!(view.kinds.iter().all(|kind| kind.kind.0 != "too_long"));
}

#[test]
fn a_check_that_is_stopped_goes_on_where_it_was() {
    let mut project = with_text_model(in_memory(2500), 2048);
    let task = project.check();
    let stopped = run(&mut project, task, &mut |at| at.done < 2400);
    assert!(matches!(stopped, Err(ProjectError::Cancelled)));
    assert_eq!(project.findings().unwrap().outdated.len(), 1);
    let task = project.check();
    let mut n_total = 0;
    run(&mut project, task, &mut |at| {
        n_total = at.total;
        true
    })
    .unwrap();
    assert!((1..1000).contains(&n_total), "{n_total} were left");
    let n_counted = project.text_model().unwrap().unwrap().n_counted;
    assert_eq!(n_counted, 2500);
}

#[test]
fn records_can_be_edited_while_they_are_checked() {
    let long = content_of(chat(&"¿Cuánto es? ".repeat(40), "Mucho."));
    let mut project = with_text_model(in_memory(2500), 80);
    let mut task = project.check();
    for step in 0..20_i64 {
        assert!(matches!(task.step(&mut project).unwrap(), Step::More(_)));
        let early_or_late = RecordKey(if step % 2 == 0 { 1 } else { 2490 } + step as u64 / 2);
        project
            .save(early_or_late, long.clone(), 10_000 * step)
            .unwrap();
        if step % 5 == 0 {
            project.undo().unwrap();
        }
    }
    let view = run(&mut project, task, &mut |_| true).unwrap();
    assert!(view.outdated.is_empty());
    let records = project
        .loaded(&[], &ReadOptions::default())
        .unwrap()
        .records;
    let mut afresh = with_text_model(project_of(records), 80);
    let kinds = |view: FindingsView| -> Vec<_> {
        let kinds = view.kinds.into_iter();
        kinds.map(|kind| (kind.kind, kind.n_records)).collect()
    };
    assert!(summary(&view, "too_long").n_records >= 16);
    assert_eq!(kinds(view), kinds(checked(&mut afresh)));
}

#[test]
fn an_end_that_no_record_teaches_is_a_fault_of_all() {
    // Llama 3 closes turns with a token that this vocabulary does not have.
    let mut project = with_text_model(in_memory(3), 2048);
    let options = TextOptions {
        template: Some("llama3".into()),
        ..project.text_options().unwrap()
    };
    project.set_text_options(options).unwrap();
    let view = checked(&mut project);
    let found = summary(&view, table::END_NEVER_TRAINED);
    assert_eq!((found.n_records, found.is_error), (3, true));
    assert_eq!(view.n_records_with_errors, 3);
    assert!(found.fixes.is_empty());
    let key = RecordKey(2);
    let said: Vec<String> = project
        .record(key)
        .unwrap()
        .findings
        .into_iter()
        .map(|f| f.kind.0)
        .collect();
    assert_eq!(said, [table::END_NEVER_TRAINED]);
    let refusals = project.tokens(key, None).unwrap().refusals;
    let said: Vec<&str> = refusals
        .iter()
        .map(|refusal| refusal.kind.0.as_str())
        .collect();
    assert_eq!(said, [table::END_NEVER_TRAINED]);
    assert!(
        refusals[0].message.contains("would not stop"),
        "{}",
        refusals[0].message
    );
}

/// A check of a later day: rows, and a line in the table.
#[test]
fn a_new_check_needs_rows_and_nothing_else() {
    let mut project = project_of([
        chat("a", "1"),
        chat("b", "22"),
        chat("c", "3"),
        chat("d", "4"),
    ]);
    project
        .store
        .raw()
        .execute_batch(
            "INSERT INTO finding VALUES
                (1, 'poetry', 'reads_like_poetry', 0, '', 'a rhyme', 'prose', ''),
                (2, 'poetry', 'reads_like_poetry', 0, '', 'a rhyme', 'prose', ''),
                (3, 'weather', 'too_much_rain', 1, '', 'rain', 'sun', 'take an umbrella');
             INSERT INTO member VALUES ('poetry', 7, 1), ('poetry', 7, 2);",
        )
        .unwrap();
    let view = project.findings().unwrap();
    let poetry = summary(&view, "reads_like_poetry");
    assert_eq!((poetry.n_records, poetry.has_groups), (2, true));
    assert_eq!(poetry.title, "reads like poetry");
    let weather = summary(&view, "too_much_rain");
    assert!(weather.is_error && !weather.has_groups);
    assert_eq!(weather.fixes.len(), 2, "what can always be done");
    let groups = project.groups(&CheckName("poetry".into()), 0, 9).unwrap();
    assert_eq!((groups.n, groups.groups[0].group), (1, 7));

    let mut fix = |kind: &str, fix: &str| {
        let target = crate::protocol::studio::FixTarget::All;
        let (kind, fix) = (
            crate::protocol::studio::FindingKind(kind.into()),
            crate::protocol::studio::FixName(fix.into()),
        );
        let task = project.fix(kind, target, fix, 5);
        run(&mut project, task, &mut |_| true).unwrap().n_records
    };
    assert_eq!(fix("reads_like_poetry", "keep_longest"), 1);
    assert_eq!(fix("too_much_rain", "accept"), 1);
    let view = project.findings().unwrap();
    assert_eq!(summary(&view, "reads_like_poetry").n_records, 1);
    let weather = summary(&view, "too_much_rain");
    assert_eq!((weather.n_records, weather.n_accepted), (0, 1));
    assert_eq!(view.n_records_with_errors, 0);
}

/// Held-out records that ask what is trained on, as a finding: counted, listed, at the record, mended
/// and taken back.
#[test]
fn questions_that_leak_are_found_and_go_to_the_side_of_training() {
    use crate::protocol::studio::{Change, Filter, FindingKind, FixName, FixTarget, Query, Side};
    let mut project = project_of([
        chat("a", "1"),
        chat("a", "2"),
        chat("b", "1"),
        chat("b", "1"),
        chat("c", "1"),
        chat(" a ", "3"),
        chat("a", "4"),
    ]);
    let sides = [
        Some(Side::Train),
        Some(Side::Test),
        Some(Side::Validation),
        Some(Side::Test),
        Some(Side::Test),
        Some(Side::Validation),
        None,
    ];
    for (record, side) in (1..).zip(sides) {
        let to = project.change(keys([record]), Change::SetSide(side), 4);
        run(&mut project, to, &mut |_| true).unwrap();
    }
    let leak = FindingKind(table::LEAK.into());
    let n = |project: &Project| {
        let view = project.findings().unwrap();
        let found = view.kinds.iter().find(|found| found.kind == leak);
        found.map_or(0, |found| found.n_records)
    };
    let expected = project.split().unwrap().n_leaking;
    assert_eq!(expected, 2);
    assert_eq!(n(&project), expected);
    let findings = vec![leak.clone()];
    let filter = Filter {
        findings,
        ..Filter::default()
    };
    let listed = project.query(Query {
        filter,
        ..Query::default()
    });
    assert_eq!(
        run(&mut project, listed, &mut |_| true).unwrap().n,
        expected
    );
    let at = |project: &Project, record| {
        let view = project.record(RecordKey(record)).unwrap();
        view.findings.iter().any(|found| found.kind == leak)
    };
    let having: Vec<u64> = (1..=7).filter(|record| at(&project, *record)).collect();
    assert_eq!((having.len() as u64, having[0]), (expected, 2));
    let findings = project.record(RecordKey(2)).unwrap().findings;
    let errors: Vec<bool> = findings.iter().map(|found| found.is_error).collect();
    assert_eq!(errors, [true, false], "errors first");
    let fix = project.fix(
        leak.clone(),
        FixTarget::All,
        FixName(table::TO_TRAIN.into()),
        5,
    );
    run(&mut project, fix, &mut |_| true).unwrap();
    assert_eq!((n(&project), project.split().unwrap().n_leaking), (0, 0));
    assert!(project.list_ids().unwrap().is_empty());
    project.undo().unwrap();
    assert_eq!(n(&project), expected);
    // What leaks is not settled by a word, nor by losing what is trained on.
    for other in [table::ACCEPT, table::KEEP_FIRST] {
        let fix = project.fix(leak.clone(), FixTarget::All, FixName(other.into()), 6);
        let refused = run(&mut project, fix, &mut |_| true).unwrap_err();
        assert!(refused.to_string().contains(other), "{refused}");
    }
}
