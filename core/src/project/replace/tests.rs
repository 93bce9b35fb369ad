use super::*;
use crate::{
    project::{
        run,
        testing::{chat, project_of},
    },
    protocol::studio::{Change, Changed, Query, Search},
};

const TEXTS: [(&str, &str); 5] = [
    ("How much is US$ 100?", "It is 100 dollars.\nUS$ 100."),
    ("東京の人口は？", "東京の人口は1400万人です。東京は大きい。"),
    ("nothing here", "at all"),
    ("\"quoted\" us$ 5", "A 5"),
    ("trash", "US$ 7"),
];

fn project() -> Project {
    project_of(TEXTS.map(|(question, answer)| chat(question, answer)))
}

fn all() -> Target {
    Target::List { except: Vec::new() }
}

fn replace(text: &str, mode: SearchMode, with: &str) -> Replace {
    let search = Search {
        text: text.into(),
        mode,
        case_sensitive: false,
        role: None,
    };
    let with = with.into();
    Replace { search, with }
}

fn preview(project: &mut Project, replace: &Replace) -> Result<Replacements, ProjectError> {
    let work = project.preview_replace(all(), replace.clone());
    run(project, work, &mut |_| true)
}

fn change(project: &mut Project, replace: &Replace) -> Result<Changed, ProjectError> {
    let work = project.change(all(), Change::Replace(replace.clone()), 5);
    run(project, work, &mut |_| true)
}

fn stored(project: &Project) -> Vec<String> {
    let sql =
        "SELECT json FROM content JOIN record ON record.body = content.body ORDER BY record.id";
    let mut statement = project.store.raw().prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[track_caller]
fn said(project: &Project, record: usize) -> Vec<String> {
    let json = &stored(project)[record];
    Spoken::read(json)
        .unwrap()
        .by(None)
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_preview_says_what_replacing_does_and_undo_takes_it_back() {
    for (replace, n_records, n_matches) in [
        (replace("US$", SearchMode::Text, "EUR$1"), 3, 4),
        (replace("us$", SearchMode::Words, "€"), 3, 4),
        (replace("東京", SearchMode::Text, "大阪"), 1, 3),
        (
            replace(r"US\$ (\d+)", SearchMode::Regex, "$1 dollars, $$$1a, ${1}"),
            3,
            4,
        ),
        (replace(r"(?<n>\d)(\d*)", SearchMode::Regex, "$n$2"), 0, 0),
        (replace("^", SearchMode::Regex, "> "), 5, 10),
        (replace("\"", SearchMode::Text, "“"), 1, 2),
    ] {
        let mut project = project();
        let before = stored(&project);
        let foretold = preview(&mut project, &replace).unwrap();
        assert_eq!(
            (foretold.n_records, foretold.n_matches),
            (n_records, n_matches)
        );
        assert_eq!(stored(&project), before);
        let changed = change(&mut project, &replace).unwrap();
        assert_eq!(changed.n_records, n_records, "{replace:?}");
        for example in &foretold.examples {
            let text = &said(&project, example.record.0 as usize - 1)[example.message as usize];
            // Texts this short are shown whole; only the other matches in them differ.
            let n = text.matches(&replace.with).count();
            assert!(n > 1 || replace.search.mode == SearchMode::Regex || *text == example.after);
        }
        if n_records > 0 {
            project.undo().unwrap();
            assert_eq!(stored(&project), before);
            project.redo().unwrap();
            assert_ne!(stored(&project), before);
        }
    }
}

#[test]
fn groups_are_filled_in() {
    let mut project = project();
    let with = "$1 dollars, $$$1a, ${1} $ ";
    change(
        &mut project,
        &replace(r"US\$ (\d+)", SearchMode::Regex, with),
    )
    .unwrap();
    assert_eq!(said(&project, 4)[1], "7 dollars, $7a, 7 $ ");
    assert_eq!(said(&project, 3)[0], "\"quoted\" 5 dollars, $5a, 5 $ ");
}

#[test]
fn names_and_signs_are_read_in_replacements() {
    let mut project = project();
    let search = r"(?<y1>US)\$ (\d+)";
    let with = r"$y1\n${y1}1\t\\n\d$2\";
    change(&mut project, &replace(search, SearchMode::Regex, with)).unwrap();
    assert_eq!(said(&project, 4)[1], "US\nUS1\t\\n\\d7\\");
    let as_it_stands = replace("at all", SearchMode::Text, r"\n");
    change(&mut project, &as_it_stands).unwrap();
    assert_eq!(said(&project, 2)[1], r"\n");
}

#[test]
fn only_the_searched_role_and_case_change() {
    let mut project = project();
    let mut replace = replace("US$", SearchMode::Text, "X");
    replace.search.role = Some(TurnRole::User);
    replace.search.case_sensitive = true;
    assert_eq!(preview(&mut project, &replace).unwrap().n_matches, 1);
    change(&mut project, &replace).unwrap();
    assert_eq!(said(&project, 0), ["How much is X 100?", TEXTS[0].1]);
}

#[test]
fn only_records_of_the_list_change() {
    let mut project = project();
    let search = replace("quoted", SearchMode::Words, "").search;
    let query = Query {
        search: Some(search),
        ..Query::default()
    };
    let work = project.query(query);
    run(&mut project, work, &mut |_| true).unwrap();
    let replace = replace("US$", SearchMode::Text, "X");
    assert_eq!(preview(&mut project, &replace).unwrap().n_records, 1);
    assert_eq!(change(&mut project, &replace).unwrap().n_records, 1);
}

#[test]
fn what_cannot_be_replaced_says_why() {
    let mut project = project();
    for (text, mode, with, expected) in [
        ("", SearchMode::Text, "x", "there is nothing to look for"),
        ("", SearchMode::Regex, "x", "there is nothing to look for"),
        (
            "a(b",
            SearchMode::Regex,
            "x",
            "wrong at character 2, near `(b`",
        ),
        ("(a)", SearchMode::Regex, "$2", "no group `2`"),
        ("(a)", SearchMode::Regex, "${no}", "no group `no`"),
        ("(?<y>a)", SearchMode::Regex, "$y1", "(`${y1}`)"),
        ("(a{1000}){1000}", SearchMode::Regex, "", "too large"),
    ] {
        let replace = replace(text, mode, with);
        for error in [
            preview(&mut project, &replace).unwrap_err(),
            change(&mut project, &replace).unwrap_err(),
        ] {
            let ProjectError::CannotDo { reason } = error else {
                panic!("{error}");
            };
            assert!(reason.contains(expected), "{reason}");
        }
    }
    assert!(project.history(9).unwrap().is_empty());
}

#[test]
fn examples_show_a_little_around() {
    let text = format!("{}X{}", "あ".repeat(100), "い".repeat(100));
    let (before, after) = around(&text, 300..301);
    assert_eq!((before.chars().count(), after.chars().count()), (40, 40));
    assert_eq!(around("X", 0..1), ("", ""));
}

#[test]
fn a_whole_text_has_no_prompt_to_replace_in() {
    let whole = |prompt: &str, completion: &str| Record {
        body: Body::Text {
            prompt: prompt.into(),
            completion: completion.into(),
        },
        ..chat("", "")
    };
    let mut project = project_of([whole("", "A whole text."), whole("p", "c")]);
    let beginning = replace("^", SearchMode::Regex, "> ");
    let found = preview(&mut project, &beginning).unwrap();
    assert_eq!((found.n_records, found.n_matches), (2, 3));
    change(&mut project, &beginning).unwrap();
    assert_eq!(said(&project, 0), ["> A whole text."]);
    assert_eq!(said(&project, 1), ["> p", "> c"]);
}
