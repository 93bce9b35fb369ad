//! The formats of the four use cases, and tables as text.

use super::{
    Bytes, Format, arrivals, columns, fixture, inspect, only, problems, read, reading, turns,
};
use crate::{
    data::ProblemKind,
    documents::{Part, columns_key},
    protocol::studio::{ContentBody, PartKind, RecordReading},
};

#[track_caller]
fn check(part: &Part, format: Format, n_records: usize, reason: &str) {
    assert_eq!(part.view.reason.to_string(), reason);
    let arrivals = arrivals(part);
    assert_eq!(arrivals.len(), n_records);
    assert!(arrivals.iter().all(|arrival| arrival.format == format));
    assert_eq!(problems(&arrivals), Vec::<String>::new());
    let preview = part.preview(&part.view.reading, None);
    assert_eq!(preview.failed, None);
    assert_eq!(
        (preview.format.as_str(), preview.records.len()),
        (format.name(), n_records)
    );
}

#[test]
fn insurance_products_as_alpaca_lines() {
    let part = only(fixture!("insurance.jsonl"));
    check(
        &part,
        Format::Alpaca,
        2,
        "alpaca, JSON Lines: all 2 records have `instruction`, `output`",
    );
    assert_eq!(columns(&part), ["instruction", "input", "output"]);
    let first = &arrivals(&part)[0];
    assert!(
        turns(first)
            .0
            .contains("insurance product.\nLocation: Tokyo\n")
    );
    let raw = first.raw.as_ref().expect("input stands apart");
    assert!(
        raw["input"]
            .as_str()
            .unwrap()
            .starts_with("Location: Tokyo")
    );
}

#[test]
fn banking_questions_as_messages_with_metadata() {
    let part = only(fixture!("banking.jsonl"));
    check(
        &part,
        Format::Openai,
        3,
        "openai, JSON Lines: all 3 records have `messages` (`role`, `content`)",
    );
    let arrivals = arrivals(&part);
    assert_eq!(
        turns(&arrivals[0]).0,
        "¿Cuánto ganó Banco Santander en 2023?"
    );
    let record = arrivals[0].record.as_ref().unwrap();
    assert_eq!(record.extra["metadata"]["source"], "EBA");
    assert_eq!(arrivals.last().unwrap().progress, 1.0);
}

#[test]
fn bond_questions_as_query_and_response() {
    let part = only(fixture!("bonds.json"));
    let reason = "query-response, JSON array: all 3 records have `query`, `response`";
    check(&part, Format::QueryResponse, 3, reason);
    assert!(turns(&arrivals(&part)[1]).1.contains("is 4.1%"));
}

#[test]
fn medical_notes_as_an_array_of_alpaca() {
    let part = only(fixture!("medical.json"));
    let reason = "alpaca, JSON array: all 2 records have `instruction`, `output`";
    check(&part, Format::Alpaca, 2, reason);
    let preview = part.preview(&part.view.reading, None);
    assert_eq!(
        preview.rows[1],
        ["What is SOB?", "", "SOB = Shortness of breath."]
    );
    let ContentBody::Chat { turns, .. } = &preview.records[1].body else {
        panic!("a chat")
    };
    assert_eq!(turns[0].text.as_deref(), Some("What is SOB?"));
}

#[test]
fn a_guess_says_which_columns_play_which_part() {
    let part = only(Bytes::of("a.csv", "Pregunta;Respuesta;Fuente\n¿a?;b;c\n"));
    let expected = [("query", "Pregunta"), ("response", "Respuesta")];
    let expected = expected.map(|(field, column)| (field.into(), column.into()));
    assert_eq!(reading(&part).columns, expected);
}

#[test]
fn a_given_reading_decides() {
    let part = only(Bytes::of("a.csv", "x|y|answer\n1|2|3\n"));
    let given = RecordReading {
        separator: Some("|".into()),
        columns: vec![
            ("query".into(), "y".into()),
            ("response".into(), "x".into()),
        ],
        ..RecordReading::default()
    };
    assert_eq!(turns(&read(&part, given)[0]), ("2".into(), "1".into()));
}

#[test]
fn another_format_takes_the_columns_along() {
    let part = only(Bytes::of("a.csv", "Pregunta,Respuesta\n¿a?,b\n"));
    for columns in [Vec::new(), reading(&part).columns.clone()] {
        let given = RecordReading {
            format: Some("alpaca".into()),
            columns,
            ..RecordReading::default()
        };
        let arrivals = read(&part, given);
        assert_eq!(arrivals[0].format, Format::Alpaca);
        assert_eq!(turns(&arrivals[0]), ("¿a?".into(), "b".into()));
    }
}

#[test]
fn text_that_would_be_a_formula_is_text() {
    let text = "sep=;\r\nquestion;answer\r\n=1+1;@SUM(A1)\r\n\"=cmd|' /C calc'!A0\";-2\r\n";
    let arrivals = arrivals(&only(Bytes::of("a.csv", text)));
    assert_eq!(turns(&arrivals[0]), ("=1+1".into(), "@SUM(A1)".into()));
    assert_eq!(
        turns(&arrivals[1]),
        ("=cmd|' /C calc'!A0".into(), "-2".into())
    );
}

#[test]
fn files_without_a_telling_name_are_told_by_what_they_hold() {
    let kind = |name: &str, text: &str| only(Bytes::of(name, text)).view.kind;
    let is_table = |kind| matches!(kind, PartKind::Table { .. });
    let is_document = |kind| matches!(kind, PartKind::Document { .. });
    assert!(is_table(kind(
        "data",
        "{\"query\": \"a\", \"response\": \"b\"}\n"
    )));
    assert!(is_table(kind("notes.txt", "question\tanswer\na\tb\n")));
    assert!(is_document(kind(
        "notes.txt",
        "First, a thought.\nThen, another.\n"
    )));
    assert!(is_document(kind(
        "README",
        "# Title\n\nSome text, with commas.\n"
    )));
    assert!(is_document(kind(
        "a.csv.html",
        "<!doctype html><p>query,response</p>"
    )));
}

#[test]
fn a_reading_that_cannot_be_is_said() {
    let part = only(fixture!("bonds.json"));
    for (given, said) in [
        (
            RecordReading {
                columns: vec![("query".into(), "q".into())],
                ..RecordReading::default()
            },
            "no column `q`",
        ),
        (
            RecordReading {
                format: Some("csv".into()),
                ..RecordReading::default()
            },
            "format `csv` is not known",
        ),
        (
            RecordReading {
                separator: Some("、".into()),
                ..RecordReading::default()
            },
            "not one ASCII character",
        ),
        (
            RecordReading {
                templates: vec![("instruction".into(), "{".into())],
                ..RecordReading::default()
            },
            "the template of `instruction`",
        ),
    ] {
        let given = crate::protocol::studio::Reading::Records(given);
        let failed = part.preview(&given, None).failed.expect("refused");
        let failed = failed.to_string();
        assert!(failed.contains(said), "{failed}");
    }
}

#[test]
fn every_row_that_is_no_record_comes_with_its_reason() {
    let text = "\u{feff}question,answer\na,b\nc\nd,e,f\n,\ng,\n";
    let part = only(Bytes::of("a.csv", text));
    let arrivals = arrivals(&part);
    let lines: Vec<(u64, bool)> = arrivals
        .iter()
        .map(|a| (a.line, a.record.is_some()))
        .collect();
    assert_eq!(
        lines,
        [(2, true), (3, true), (4, false), (6, true), (3, false)]
    );
    let said = |at: usize| arrivals[at].problems[0].to_string();
    assert!(
        said(2).contains("found 3 columns, expected 2"),
        "{}",
        said(2)
    );
    assert!(
        said(4).contains("found 1 row without its last cells"),
        "{}",
        said(4)
    );
    assert_eq!(arrivals[3].problems[0].kind, ProblemKind::EmptyAnswer);
}

#[test]
fn what_is_not_read_at_all_is_said_last() {
    let row = "{\"query\":\"a\",\"response\":\"b\"}";
    let text = format!("{{\"train\":[{row}],\n\"test\":[{row},{row}]}}");
    let arrivals = arrivals(&only(Bytes::of("a.json", text)));
    assert_eq!(arrivals.len(), 2);
    let problem = &arrivals[1].problems[0];
    assert_eq!((problem.kind, problem.line), (ProblemKind::UnreadKey, 2));
    assert!(problem.found.starts_with("a list of 2"), "{problem}");
}

#[test]
fn a_name_that_stands_twice_is_two_columns() {
    let part = only(Bytes::of("a.csv", "query,response,query\na,b,c\n"));
    let arrivals = arrivals(&part);
    let record = arrivals[0].record.as_ref().expect("a record");
    assert_eq!(
        (arrivals.len(), &record.extra["query (2)"]),
        (1, &"c".into())
    );
}

#[test]
fn a_file_that_holds_nothing_is_one_unreadable_part() {
    for (name, bytes, said) in [
        ("a.csv", &b""[..], "empty"),
        ("a.jsonl", b"{\"a\": ", "cut off"),
        ("a.gz", b"\x1f\x8b\x08", "unpack it first"),
        (
            "a.json",
            br#"{"d": {"file_name": "x.json"}}"#,
            "LLaMA-Factory's list",
        ),
    ] {
        let part = only(Bytes::of(name, bytes));
        assert_eq!(part.view.kind, PartKind::Unreadable);
        let reason = part.view.reason.to_string();
        assert!(reason.contains(said) || said == "cut off", "{reason}");
        assert!(part.records(&part.view.reading, None).is_err());
    }
}

#[test]
fn bad_answers_are_left_out_if_chosen_ones_are_wanted() {
    let text = "{\"query\":\"a\",\"response\":\"b\",\"label\":true}\n{\"query\":\"a\",\"response\":\"c\",\"label\":false}\n";
    let part = only(Bytes::of("a.jsonl", text));
    assert_eq!(arrivals(&part).len(), 2);
    let chosen = RecordReading {
        take_chosen: true,
        ..reading(&part).clone()
    };
    assert_eq!(read(&part, chosen).len(), 1);
}

#[test]
fn columns_have_one_key_in_every_file() {
    let key = |name: &str, text: &str| columns_key(&only(Bytes::of(name, text)).view);
    let first = key("a.csv", "query,response\na,b\n");
    assert_eq!(first, key("b.csv", "query;response\nc;d\n"));
    assert_ne!(first, key("a.csv", "response,query\na,b\n"));
    assert_eq!(key("a.gz", "\u{1f}\u{8b}"), "");
    assert!(inspect(Bytes::of("a.csv", "")).len() == 1);
}
