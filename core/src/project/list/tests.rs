use super::*;
use crate::{
    project::{
        Step,
        content::content_of,
        run,
        testing::{chat, in_memory, keys, project_of},
    },
    protocol::studio::{Change, Content, Replace, Search, SearchMode, Sort, SortBy, TurnRole},
    rng::Rng,
};

fn ask(project: &mut Project, query: Query) -> Vec<u64> {
    let work = project.query(query);
    run(project, work, &mut |_| true).unwrap();
    project.list_ids().unwrap()
}

fn change(project: &mut Project, records: &[u64], change: Change) -> ListView {
    let work = project.change(keys(records.iter().copied()), change, 5);
    run(project, work, &mut |_| true).unwrap().list
}

fn search(text: &str, mode: SearchMode) -> Query {
    Query {
        search: Some(Search {
            text: text.into(),
            mode,
            case_sensitive: false,
            role: None,
        }),
        ..Query::default()
    }
}

fn content(question: &str) -> Content {
    content_of(chat(question, "a"))
}

#[test]
fn windows_are_cut_from_the_list_and_end_with_it() {
    let mut project = in_memory(5);
    assert_eq!(project.window(0, 9).unwrap(), Window::default());
    let sort = Sort {
        by: SortBy::Position,
        descending: true,
    };
    ask(
        &mut project,
        Query {
            sort,
            ..Query::default()
        },
    );
    let window = project.window(1, 2).unwrap();
    let ids: Vec<u64> = window.rows.iter().map(|row| row.record.0).collect();
    assert_eq!((window.from, window.n, ids), (1, 5, vec![4, 3]));
    assert_eq!(project.window(4, 9).unwrap().rows.len(), 1);
    for from in [5, 6, u64::MAX] {
        let window = project.window(from, u64::MAX).unwrap();
        assert_eq!((window.rows.len(), window.n), (0, 5));
    }
}

#[test]
fn rows_show_what_a_record_is() {
    let mut project = in_memory(3);
    change(&mut project, &[2], Change::AddTag("x".into()));
    change(&mut project, &[2], Change::SetReviewer("Ana".into()));
    project
        .save(RecordKey(2), content("<|im_end|>"), 9)
        .unwrap();
    let rows = rows_of(&project.store, &project.lists.borrow().columns, [3, 2, 99]).unwrap();
    assert_eq!(rows.len(), 2, "a record that is not there has no row");
    let row = &rows[1];
    assert_eq!(
        (row.prompt.as_str(), row.answer.as_str()),
        ("<|im_end|>", "a")
    );
    assert_eq!(
        (row.tags.clone(), row.reviewer.as_str()),
        (vec!["x".to_owned()], "Ana")
    );
    assert!(row.changed && !rows[0].changed && !row.in_trash);
    assert_eq!((row.n_errors, row.n_warnings, row.n_turns), (0, 1, 2));
    assert_eq!((row.n_tokens, row.n_chars), (None, 11));
    project
        .store
        .raw()
        .execute_batch("INSERT INTO name_set VALUES (77, '[\"control_token\"]')")
        .unwrap();
    project
        .store
        .raw()
        .execute_batch("UPDATE record SET accepted = 77 WHERE id = 2")
        .unwrap();
    assert_eq!(
        rows_of(&project.store, &project.lists.borrow().columns, [2]).unwrap()[0].n_warnings,
        0
    );
}

#[test]
fn rows_begin_near_what_was_found() {
    let far = format!("{} needle {}", "hay ".repeat(50), "straw ".repeat(80));
    let mut project = project_of([chat(&far, "needle"), chat("needle", &far)]);
    for mode in [SearchMode::Words, SearchMode::Text, SearchMode::Regex] {
        assert_eq!(ask(&mut project, search("needle", mode)), [1, 2]);
        let rows = project.window(0, 9).unwrap().rows;
        assert!(
            rows[0].prompt.starts_with('…') && rows[0].prompt.contains("needle straw"),
            "{:?}",
            rows[0].prompt
        );
        assert_eq!(rows[0].answer, "needle");
        assert!(rows[1].prompt == "needle" && rows[1].answer.contains("needle"));
    }
    ask(&mut project, Query::default());
    assert!(
        project.window(0, 1).unwrap().rows[0]
            .prompt
            .starts_with("hay")
    );
}

#[test]
fn a_list_is_made_again_where_a_change_touches_it() {
    let mut project = in_memory(6);
    let tag = || Change::AddTag("x".into());
    change(&mut project, &[1, 2, 3], tag());
    let filter = Filter {
        tags: vec!["x".into()],
        ..Filter::default()
    };
    ask(
        &mut project,
        Query {
            filter,
            ..Query::default()
        },
    );
    assert_eq!(change(&mut project, &[5], tag()).n, 4);
    assert_eq!(change(&mut project, &[5], Change::Trash).n, 3);
    assert_eq!(project.undo().unwrap().list.n, 4);
    assert_eq!(project.undo().unwrap().list.n, 3);
    let moved = change(&mut project, &[1], Change::Move { before: None });
    assert_eq!((moved.n, project.list_ids().unwrap()), (3, vec![2, 3, 1]));
    assert_eq!(
        change(&mut project, &[2], Change::SetReviewer("Ana".into())).n,
        3
    );
}

#[test]
fn an_edit_takes_a_record_out_of_a_search_and_undo_brings_it_back() {
    for (text, mode) in [
        ("bond number", SearchMode::Words),
        ("bond number", SearchMode::Text),
        (r"bond\s+number", SearchMode::Regex),
    ] {
        for is_indexed in [false, true] {
            let mut project = in_memory(9);
            if is_indexed {
                let work = project.index();
                run(&mut project, work, &mut |_| true).unwrap();
            }
            assert_eq!(ask(&mut project, search(text, mode)), [3, 6, 9]);
            project
                .save(RecordKey(6), content("other"), 100_000)
                .unwrap();
            project
                .save(RecordKey(1), content("a Bond number"), 200_000)
                .unwrap();
            let list = change(&mut project, &[2], Change::Trash);
            assert_eq!((list.n, project.list_ids().unwrap()), (3, vec![1, 3, 9]));
            project.undo().unwrap();
            project.undo().unwrap();
            assert_eq!(project.undo().unwrap().list.n, 3);
            assert_eq!(project.list_ids().unwrap(), [3, 6, 9]);
        }
    }
}

#[test]
fn a_list_does_not_wait_once_it_is_prepared() {
    let steps = |project: &mut Project| {
        let (mut work, mut n) = (project.query(Query::default()), 1);
        while let Step::More(_) = work.step(project).unwrap() {
            n += 1;
        }
        n
    };
    let n = ROWS_AT_ONCE + 1;
    assert!(steps(&mut in_memory(n)) > 1);
    for prepare in [Project::prepare_lists, Project::index] {
        let mut project = in_memory(n);
        let work = prepare(&project);
        run(&mut project, work, &mut |_| true).unwrap();
        assert_eq!(steps(&mut project), 1);
    }
}

/// More text than is looked at again in one go.
#[test]
fn after_a_change_of_very_much_text_records_stay_in_their_list() {
    let long = |i: usize| {
        let word = if i.is_multiple_of(2) { "keep" } else { "leave" };
        chat(&"lorem ipsum ".repeat(100_000), word)
    };
    let mut project = project_of((0..10).map(long));
    let listed = ask(&mut project, search("keep", SearchMode::Text));
    assert_eq!(listed, [1, 3, 5, 7, 9]);
    let search = search("lorem", SearchMode::Text).search.unwrap();
    let with = "dolor".into();
    let all: Vec<u64> = (1..=10).collect();
    let replaced = change(
        &mut project,
        &all,
        Change::Replace(Replace { search, with }),
    );
    assert_eq!((replaced.n, project.list_ids().unwrap()), (5, listed));
}

#[test]
fn a_list_lasts_through_changes_between_its_steps() {
    let mut project = in_memory(50);
    let mut work = project.query(search("duration", SearchMode::Regex));
    // The first steps read the columns.
    assert!(matches!(
        work.step(&mut project).unwrap(),
        crate::project::Step::More(_)
    ));
    project.save(RecordKey(1), content("duration"), 5).unwrap();
    change(&mut project, &[3], Change::Trash);
    run(&mut project, work, &mut |_| true).unwrap();
    let ids = project.list_ids().unwrap();
    assert!(ids.contains(&1) && !ids.contains(&3) && ids.contains(&6));
}

#[test]
fn a_broken_regular_expression_says_where() {
    let mut project = in_memory(1);
    for (pattern, expected) in [
        ("東(京", "character 2, near `(京`: unclosed group"),
        ("a**{", "character 4, near `{`"),
        ("[z-a]", "invalid character class range"),
        ("x\n(", "unclosed group"),
        (r"(a)\1", "backreferences are not supported"),
    ] {
        let work = project.query(search(pattern, SearchMode::Regex));
        let error = run(&mut project, work, &mut |_| true).unwrap_err();
        let ProjectError::CannotDo { reason } = error else {
            panic!("{error}");
        };
        assert!(reason.contains(expected), "{reason}");
    }
}

#[test]
fn a_search_that_cannot_be_understood_lists_nothing() {
    let mut project = in_memory(4);
    ask(&mut project, Query::default());
    let work = project.query(search("(", SearchMode::Regex));
    run(&mut project, work, &mut |_| true).unwrap_err();
    let all = Target::List { except: Vec::new() };
    assert!(project.target_ids(&all).unwrap().is_empty());
    change(&mut project, &[2], Change::Trash);
    let window = project.window(0, 10).unwrap();
    assert_eq!((window.n, window.rows.len()), (0, 0), "made again too");
    assert_eq!(ask(&mut project, Query::default()).len(), 3);
}

#[test]
fn nothing_to_search_for_is_no_search() {
    let mut project = in_memory(4);
    for text in ["", "   "] {
        assert_eq!(ask(&mut project, search(text, SearchMode::Words)).len(), 4);
    }
    assert_eq!(ask(&mut project, search("", SearchMode::Regex)).len(), 4);
}

#[test]
fn targets_name_each_record_once_and_only_those_there() {
    let mut project = in_memory(4);
    change(&mut project, &[2], Change::Trash);
    project
        .store
        .raw()
        .execute_batch("UPDATE record SET state = 2 WHERE id = 4")
        .unwrap();
    let named = project
        .target_ids(&keys([3, 2, 3, 4, 99, u64::MAX]))
        .unwrap();
    assert_eq!(named, [3, 2]);
    let except = vec![RecordKey(1)];
    assert_eq!(project.target_ids(&Target::List { except }).unwrap(), [3]);
}

/// Whatever is done, the columns that lists go by are those of the database.
#[test]
fn columns_follow_the_database() {
    let mut rng = Rng::new(3, 0);
    let mut project = in_memory(40);
    ask(&mut project, Query::default());
    for step in 0..300_i64 {
        let record = 1 + rng.below(45) as u64;
        let now_ms = step * 100_000;
        match rng.below(12) {
            0 => drop(project.save(RecordKey(record), content(&format!("{step}")), now_ms)),
            1 => drop(project.add(None, content(&format!("new {step}")), now_ms).unwrap()),
            2 => drop(change(&mut project, &[record], Change::Trash)),
            3 => drop(change(&mut project, &[record, 1], Change::AddTag(format!("{}", step % 5)))),
            4 => drop(change(&mut project, &[record], Change::SetReviewer(format!("{}", step % 3)))),
            5..8 => drop(project.undo().unwrap()),
            8 => drop(project.redo().unwrap()),
            9 => {
                let work = project.empty_trash();
                run(&mut project, work, &mut |_| true).unwrap();
            }
            10 => project
                .store
                .raw()
                .execute_batch("INSERT OR REPLACE INTO token_count SELECT id, id % 7, 1, 1 FROM body WHERE id % 3 = 0")
                .unwrap(),
            // Without a condition SQLite empties a table in one go.
            _ => project.store.raw().execute_batch("DELETE FROM token_count").unwrap(),
        }
        if rng.below(3) > 0 {
            continue;
        }
        // Marks are set on a database of its own, so that those of the project stay.
        let mut other = Store::new(in_memory(0).into_connection()).unwrap();
        let mut anew = Columns::new(&mut other).unwrap();
        while !anew.catch_up(&project.store, 7).unwrap() {}
        let now = describe(project.lists.get_mut().caught_up(&project.store).unwrap());
        assert_eq!(now, describe(&anew), "step {step}");
    }
}

fn describe(columns: &Columns) -> Vec<String> {
    let there = columns.records.iter().filter(|record| record.is_there());
    let describe = |record: &crate::project::columns::RecordColumns| {
        let body = columns.body_of(record);
        let names = (
            columns.languages.name(body.language),
            columns.reviewers.name(record.reviewer),
        );
        let record = crate::project::columns::RecordColumns {
            body: 0,
            reviewer: 0,
            ..*record
        };
        let body = crate::project::columns::BodyColumns {
            language: 0,
            ..*body
        };
        format!(
            "{record:?} {body:?} {names:?} {:?}",
            columns.set(record.tags)
        )
    };
    there.map(describe).collect()
}

#[test]
fn facets_count_what_lists_would_have() {
    let mut project = project_of((0..12).map(|i| {
        let mut record = crate::project::testing::question(i);
        record.extra.insert(format!("field {}", i % 2), i.into());
        record
    }));
    change(&mut project, &[1, 2, 3, 4], Change::AddTag("a".into()));
    change(&mut project, &[4, 5], Change::AddTag("b".into()));
    change(&mut project, &[1, 5], Change::SetReviewer("Ana".into()));
    change(
        &mut project,
        &[2, 3],
        Change::SetSide(Some(crate::protocol::studio::Side::Test)),
    );
    change(&mut project, &[12], Change::Trash);
    let facets = project.facets().unwrap();
    assert_eq!(facets.fields, ["field 0", "field 1"]);
    assert_eq!(
        facets.roles,
        [(TurnRole::User, 11), (TurnRole::Assistant, 11)]
    );
    assert_eq!(facets.lengths.iter().map(|(_, n)| n).sum::<u64>(), 11);
    let mut filters = Vec::new();
    let filter = Filter::default;
    filters.extend(facets.tags.iter().map(|(tag, n)| {
        (
            Filter {
                tags: vec![tag.clone()],
                ..filter()
            },
            *n,
        )
    }));
    filters.extend(facets.sides.iter().map(|(side, n)| {
        (
            Filter {
                sides: vec![*side],
                ..filter()
            },
            *n,
        )
    }));
    filters.extend(facets.languages.iter().map(|(language, n)| {
        (
            Filter {
                languages: vec![language.clone()],
                ..filter()
            },
            *n,
        )
    }));
    filters.extend(facets.sources.iter().map(|(source, n)| {
        (
            Filter {
                sources: vec![*source],
                ..filter()
            },
            *n,
        )
    }));
    filters.extend(facets.reviewers.iter().map(|(name, n)| {
        (
            Filter {
                reviewers: vec![name.clone()],
                ..filter()
            },
            *n,
        )
    }));
    let mut from = None;
    for (edge, n) in &facets.lengths {
        let max_length = Some(*edge);
        filters.push((
            Filter {
                min_length: from,
                max_length,
                ..filter()
            },
            *n,
        ));
        from = Some(edge + 1);
    }
    assert!(filters.len() >= 11, "{filters:?}");
    for (filter, n) in filters {
        let list = ask(
            &mut project,
            Query {
                filter: filter.clone(),
                ..Query::default()
            },
        );
        assert_eq!(list.len() as u64, n, "{filter:?}");
    }
}
