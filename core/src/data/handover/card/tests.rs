use super::*;
use crate::{
    data::handover::tests::file,
    protocol::studio::{Side, SplitPlan},
};

fn action(what: ActionKind, detail: &str, n_records: u64) -> ActionView {
    ActionView {
        what,
        detail: detail.into(),
        n_records,
        at_ms: 1_700_000_000_000,
        ..ActionView::default()
    }
}

fn full() -> String {
    card_of(&[
        file("train.jsonl", Some(Side::Train), 900),
        file("test.jsonl", Some(Side::Test), 100),
    ])
}

fn card_of(files: &[WrittenFile]) -> String {
    let contents = Contents {
        n_chat: 1000,
        n_with_system: 7,
        ..Contents::default()
    };
    let sources = [SourceView {
        name: "a|b <script>.csv".into(),
        sha256: "cd".repeat(32),
        format: "alpaca".into(),
        n_records: 1000,
        n_rejected: 3,
        ..SourceView::default()
    }];
    let actions = [
        action(ActionKind::Import, "a.csv", 1003),
        action(ActionKind::Edit, "", 1),
        action(ActionKind::Edit, "", 1),
        ActionView {
            undone: true,
            ..action(ActionKind::Trash, "", 500)
        },
    ];
    let split = SplitView {
        plan: Some(SplitPlan::default()),
        n_train: 900,
        n_test: 100,
        frozen: Some("ef".repeat(32)),
        frozen_holds: true,
        ..SplitView::default()
    };
    card(&Card {
        title: "Banca: \"preguntas\"",
        licence: "CC-BY-4.0",
        today: "2026-11-21",
        format: Format::Openai,
        files,
        contents: &contents,
        languages: &[("spa".into(), 990), ("unknown".into(), 10)],
        sources: &sources,
        actions: &actions,
        split: Some(&split),
        columns: &[("source".into(), 4)],
        losses: &[("weights of messages".into(), 2)],
        commands: &["veneer train --data train.jsonl".into()],
    })
}

#[test]
fn the_front_matter_is_what_the_hub_reads() {
    let text = full();
    let front = text
        .strip_prefix("---\n")
        .and_then(|rest| rest.split_once("---\n"))
        .map(|(front, _)| front)
        .expect("front matter");
    assert_eq!(
        front,
        "license: \"cc-by-4.0\"\nlanguage:\n  - \"es\"\npretty_name: \"Banca: \\\"preguntas\\\"\"\n\
         size_categories:\n  - \"1K<n<10K\"\ntask_categories:\n  - \"text-generation\"\n\
         tags:\n  - \"veneer\"\nconfigs:\n  - config_name: \"default\"\n    data_files:\n      \
         - split: \"train\"\n        path: \"train.jsonl\"\n      - split: \"test\"\n        \
         path: \"test.jsonl\"\n"
    );
}

#[test]
fn a_spreadsheet_is_not_promised_to_be_loadable() {
    let sheet = card_of(&[file("data.xlsx", None, 9)]);
    assert!(!sheet.contains("configs:"), "{sheet}");
}

#[test]
fn what_was_done_is_listed_and_what_was_undone_is_not() {
    let text = full();
    assert!(
        text.contains("1. Imported (a.csv): 1003 records, 2023-11-14\n"),
        "{text}"
    );
    assert!(
        text.contains("2. Edited by hand: 2 records, in 2 steps, 2023-11-14\n"),
        "{text}"
    );
    assert!(!text.contains("Removed"), "{text}");
    assert!(text.contains("validation 10 %, test 10 %"), "{text}");
    assert!(text.contains(&"ef".repeat(32)), "{text}");
    assert!(text.contains("weights of messages (2 records)"), "{text}");
}

#[test]
fn groups_that_were_moved_apart_are_not_said_to_be_together() {
    let said = |n_groups_apart: u64, n_leaking: u64| {
        let mut text = String::new();
        let view = SplitView {
            plan: Some(SplitPlan {
                group_by: Some("bank".into()),
                stratify_by: Some(SplitPlan::SOURCE_FILE.into()),
                ..SplitPlan::default()
            }),
            n_train: 9,
            n_groups_apart,
            n_leaking,
            ..SplitView::default()
        };
        split(&mut text, Some(&view));
        text
    };
    let together = said(0, 0);
    assert!(
        together.contains("- Equal values of bank on one side\n"),
        "{together}"
    );
    assert!(
        together.contains("- Equal shares by source file\n"),
        "{together}"
    );
    assert!(
        together.contains("ask the same are on one side"),
        "{together}"
    );
    let apart = said(2, 3);
    assert!(
        apart.contains("on one side when drawn; by now records of 2 of them"),
        "{apart}"
    );
    assert!(!apart.contains("ask the same are on one side"), "{apart}");
}

#[test]
fn names_of_sources_cannot_become_markup() {
    let text = full();
    assert!(
        text.contains(r"| a\|b &lt;script&gt;.csv | alpaca |"),
        "{text}"
    );
    assert!(text.contains("| not stated |"), "{text}");
}

#[test]
fn licences_that_the_hub_does_not_know_are_named() {
    let front = |name: &str| {
        let mut yaml = Yaml::default();
        licence(&mut yaml, name);
        yaml.into_text()
    };
    assert_eq!(front(""), "license: \"unknown\"\n");
    assert_eq!(front("MIT"), "license: \"mit\"\n");
    assert_eq!(front(" CC BY  4.0 "), "license: \"cc-by-4.0\"\n");
    assert_eq!(
        front("Banco interno"),
        "license: \"other\"\nlicense_name: \"Banco interno\"\n"
    );
}

#[test]
fn days_are_those_of_the_calendar() {
    assert_eq!(day(0), "1970-01-01");
    assert_eq!(day(-1), "1969-12-31");
    assert_eq!(day(951_782_400_000), "2000-02-29");
    assert_eq!(day(1_795_219_200_000), "2026-11-21");
}
