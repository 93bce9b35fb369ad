//! Searches against the slow twin that looks through the texts as they are stored.

use regex::RegexBuilder;

use super::twin_tests::{N, ask, check, project};
use crate::{
    project::{Project, run},
    protocol::studio::{Query, Search, SearchMode, TurnRole},
};

fn search(text: &str, mode: SearchMode, case_sensitive: bool, role: Option<TurnRole>) -> Query {
    let search = Search {
        text: text.into(),
        mode,
        case_sensitive,
        role,
    };
    Query {
        search: Some(search),
        ..Query::default()
    }
}

#[test]
fn texts_and_regular_expressions_are_found_where_they_stand() {
    let mut project = project();
    find_texts(&mut project);
    // Now from memory.
    let work = project.index();
    run(&mut project, work, &mut |_| true).unwrap();
    find_texts(&mut project);
}

#[track_caller]
fn find_texts(project: &mut Project) {
    let roles = [None, Some(TurnRole::User), Some(TurnRole::System)];
    for role in roles {
        for text in [
            "este",
            "ESTE \"x\"",
            "東京の天気\n晴れ",
            "Ébano",
            "%",
            "(b) AND",
            "ks",
            "del banco fue",
        ] {
            let query = search(text, SearchMode::Text, true, role);
            check(project, query, |record| {
                record.texts(role).iter().any(|said| said.contains(text))
            });
            let query = search(text, SearchMode::Text, false, role);
            let lower = text.to_lowercase();
            check(project, query, |record| {
                record
                    .texts(role)
                    .iter()
                    .any(|said| said.to_lowercase().contains(&lower))
            });
        }
        for pattern in [
            r"\d{3}",
            "^Be",
            "(?s)天気.晴",
            r#""x"$"#,
            "a*",
            r"e \S+ del",
            r"\d+ %",
            "(?i)ÉBANO|este",
            "[^a]este",
            "(beneficio|ebano) neto",
            "^$",
            "neto(?s:.*)a",
        ] {
            for case_sensitive in [true, false] {
                let regex = RegexBuilder::new(pattern)
                    .case_insensitive(!case_sensitive)
                    .build()
                    .unwrap();
                let query = search(pattern, SearchMode::Regex, case_sensitive, role);
                check(project, query, |record| {
                    record.texts(role).iter().any(|said| regex.is_match(said))
                });
            }
        }
    }
}

/// What is found must not depend on how far the index is.
#[test]
fn words_are_found_the_same_with_and_without_the_index() {
    let mut project = project();
    let typed = [
        "beneficio neto",
        "BENEFICIO millones",
        "\"neto del banco\"",
        "\"banco neto\"",
        "利回り",
        "京",
        "東京",
        "の",
        "ano 2024",
        "nino",
        "este",
        "Este",
        "ban*",
        "🙂",
        "\"",
        "*",
        "AND",
        "a* (b) AND",
        "NEAR(a b)",
        "col:x",
        "\"unclosed quote",
        "ebano OR",
        "-",
        "3,5 %",
        "brief 東京",
    ];
    let mut lists = Vec::new();
    for is_indexed in [false, true] {
        if is_indexed {
            let work = project.index();
            run(&mut project, work, &mut |_| true).unwrap();
            assert!(super::super::search::indexed_up_to(project.store.raw()).unwrap() == N as i64);
        }
        for text in typed {
            for role in [None, Some(TurnRole::Assistant), Some(TurnRole::Tool)] {
                for case_sensitive in [false, true] {
                    let query = search(text, SearchMode::Words, case_sensitive, role);
                    ask(&mut project, query.clone());
                    lists.push((query, project.list_ids().unwrap()));
                }
            }
        }
    }
    let (before, after) = lists.split_at(lists.len() / 2);
    for ((query, before), (_, after)) in before.iter().zip(after) {
        assert_eq!(before, after, "{query:?}");
    }
    let n = |text: &str| {
        let found = before
            .iter()
            .find(|(query, _)| query.search.as_ref().unwrap().text == text);
        found.unwrap().1.len()
    };
    assert!(n("利回り") > 10 && n("ano 2024") > 10 && n("ban*") > n("este"));
    assert!(n("\"neto del banco\"") > 10 && n("\"banco neto\"") == 0);
    assert!(n("🙂") > 10 && n("東京") > 10 && n("*") > 10);
}
