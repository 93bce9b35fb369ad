//! Workbooks.

use super::{arrivals, columns, extra, fixture, inspect, problems, turns};
use crate::{data::Format, documents::Part, protocol::studio::PartKind};

fn names(parts: &[Part]) -> Vec<&str> {
    parts.iter().map(|part| part.view.name.as_str()).collect()
}

#[test]
fn every_sheet_with_rows_is_a_part() {
    let parts = inspect(fixture!("questions.xlsx"));
    assert_eq!(
        names(&parts),
        ["questions.xlsx › 日本語", "questions.xlsx › Español"]
    );
    assert_eq!(
        columns(&parts[0]),
        ["質問", "回答", "分野", "確認日", "確信度", "公開", "参照"]
    );
    assert_eq!(
        parts[0].view.reason.to_string(),
        "query-response: the header has `質問` (query), `回答` (response)"
    );
}

#[test]
fn cells_are_what_people_see() {
    let parts = inspect(fixture!("questions.xlsx"));
    let arrivals = arrivals(&parts[0]);
    assert_eq!(arrivals.len(), 4);
    assert!(turns(&arrivals[2]).1.contains("失効します。\n3年以内"));
    let row = |i: usize| ["確認日", "確信度", "公開", "参照"].map(|name| extra(&arrivals[i], name));
    assert_eq!(row(0), ["2024-03-30", "10.0%", "TRUE", ""]);
    assert_eq!(row(1), ["2024-03-31", "0.3", "FALSE", "#N/A"]);
    assert_eq!(arrivals[1].line, 3);
    assert_eq!(arrivals[2].progress, 1.0);
    let said = problems(&arrivals[3..]);
    assert!(said[0].contains("1 formula without a result"), "{said:?}");
    assert!(
        arrivals
            .iter()
            .all(|arrival| arrival.format == Format::QueryResponse)
    );
}

#[test]
fn open_document_sheets_are_read_alike() {
    let parts = inspect(fixture!("questions.ods"));
    assert_eq!(names(&parts), ["questions.ods › Preguntas"]);
    let arrivals = arrivals(&parts[0]);
    assert_eq!(arrivals.len(), 8);
    let row = ["Peso", "Fecha", "Activa"].map(|name| extra(&arrivals[0], name));
    assert_eq!(row, ["0.3", "2024-03-31", "TRUE"]);
    assert!(turns(&arrivals[5]).1.contains("失効します。\n3年以内"));
    let (question, answer) = turns(&arrivals[7]);
    assert_eq!(
        (question.as_str(), answer.as_str()),
        ("dos   espacios & <más>", "sí")
    );
    assert_eq!(extra(&arrivals[7], "Peso"), "sí");
}

#[test]
fn cells_that_stand_for_billions_are_refused() {
    let parts = inspect(fixture!("repeated.ods"));
    assert_eq!(parts.len(), 1);
    let part = &parts[0];
    let readable = part.view.kind != PartKind::Unreadable;
    let all = part.records(&part.view.reading, None);
    assert!(!readable || all.is_err());
    let said = all.err().expect("refused").to_string();
    assert!(said.contains("bomb") || said.contains("at most"), "{said}");
}

#[test]
fn a_title_above_the_header_is_stepped_over() {
    let parts = inspect(fixture!("questions.xlsx"));
    assert_eq!(columns(&parts[1]), ["Pregunta", "Respuesta", "Fuente"]);
    let arrivals = arrivals(&parts[1]);
    assert_eq!((arrivals.len(), arrivals[0].line), (3, 4));
}
