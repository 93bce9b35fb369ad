//! Tables of statistics offices.

use super::{
    Bytes, arrivals, columns, extra, fixture, inspect, only, problems, read, reading, turns,
};
use crate::{
    data::ProblemKind,
    protocol::studio::{Header, Numbers, RecordReading},
};

#[test]
fn a_census_table_in_shift_jis() {
    let part = only(fixture!("census.csv"));
    let guessed = reading(&part);
    let header = Header {
        skipped_rows: 6,
        header_rows: 3,
    };
    assert_eq!(
        (guessed.header, guessed.numbers),
        (Some(header), Numbers::WithUnits)
    );
    assert_eq!(
        columns(&part),
        [
            "地域 コード",
            "地域",
            "人口 総数 (人)",
            "人口 男 (人)",
            "人口 女 (人)",
            "世帯 世帯数 (世帯)",
            "世帯 世帯収入 (円)"
        ]
    );
    let arrivals = arrivals(&part);
    let (question, answer) = turns(&arrivals[2]);
    assert_eq!(
        question,
        "「男女別人口，世帯数及び世帯収入－全国，都道府県」の次のデータを使ってください。\n\
         地域 コード: 13000\n地域: 東京都\n人口 総数 (人): 14047594\n人口 男 (人): 6898388\n\
         人口 女 (人): 7149206\n世帯 世帯数 (世帯): 7227000\n世帯 世帯収入 (円): 6298000"
    );
    assert_eq!(answer, "");
    assert_eq!(arrivals[2].problems[0].kind, ProblemKind::EmptyAnswer);
    assert_eq!(
        extra(&arrivals[4], "世帯 世帯数 (世帯)"),
        "",
        "a sign of a missing value"
    );
    assert!(
        !turns(&arrivals[4]).0.contains("世帯 世帯数"),
        "is left out"
    );
    assert_eq!(extra(&arrivals[1], "地域 コード"), "01000");
    let last = arrivals.last().unwrap();
    assert!(last.record.is_none() && last.problems[0].to_string().contains("a note"));
    assert_eq!((arrivals.len(), arrivals[0].line), (7, 11));
}

#[test]
fn numbers_stay_or_become_plain_if_asked() {
    let part = only(fixture!("census.csv"));
    for (numbers, expected, name) in [
        (
            Numbers::AsTheyStand,
            "１４，０４７，５９４",
            "世帯 世帯収入 (千円)",
        ),
        (Numbers::Plain, "14047594", "世帯 世帯収入 (千円)"),
        (Numbers::WithUnits, "14047594", "世帯 世帯収入 (円)"),
    ] {
        let given = RecordReading {
            header: reading(&part).header,
            numbers,
            templates: vec![("text".into(), format!("{{人口 総数 (人)}}{{{name}}}"))],
            ..RecordReading::default()
        };
        let arrivals = read(&part, given);
        assert_eq!(extra(&arrivals[2], "人口 総数 (人)"), expected);
    }
}

#[test]
fn spanish_figures_with_units_in_the_names() {
    let part = only(fixture!("banks.csv"));
    assert_eq!(
        columns(&part),
        [
            "Entidad",
            "Activo total (euros)",
            "Beneficio neto (euros)",
            "ROE (%)",
            "Empleados"
        ]
    );
    let arrivals = arrivals(&part);
    assert_eq!(
        turns(&arrivals[0]).0,
        "Usa los siguientes datos de «Entidades de crédito».\nEntidad: Banco A\n\
         Activo total (euros): 1797062500000\nBeneficio neto (euros): 11076000000\nROE (%): 15.1\n\
         Empleados: 212764"
    );
    assert!(!turns(&arrivals[2]).0.contains("ROE"));
    assert_eq!(problems(&arrivals).len(), 5, "an empty answer each");
}

#[test]
fn a_census_workbook_with_merged_cells() {
    let part = only(fixture!("census.xlsx"));
    assert_eq!(
        columns(&part),
        [
            "都道府県",
            "年齢階級",
            "人口（千人） 男",
            "人口（千人） 女",
            "平均所得 (円)",
            "割合（%）"
        ]
    );
    let arrivals = arrivals(&part);
    let row = |i: usize| {
        let names = ["都道府県", "平均所得 (円)", "割合（%）"];
        names.map(|name| extra(&arrivals[i], name))
    };
    assert_eq!(row(1), ["東京都", "5420000", "14.2"]);
    assert_eq!(row(2), ["東京都", "6000000", ""]);
    assert_eq!(row(4), ["神奈川県", "", "11.9"]);
    assert!(
        turns(&arrivals[0])
            .0
            .starts_with("「第1表　年齢別人口及び所得－都道府県」")
    );
    assert!(arrivals[6].record.is_none());
}

#[test]
fn a_header_can_be_given() {
    let part = &inspect(fixture!("questions.xlsx"))[1];
    let given = RecordReading {
        header: Some(Header {
            skipped_rows: 2,
            header_rows: 1,
        }),
        templates: vec![("text".into(), "{EBA}".into())],
        ..RecordReading::default()
    };
    assert_eq!(read(part, given).len(), 2);
}

#[test]
fn rows_above_the_first_figure_are_records() {
    let row = |i: usize| {
        let amount = if i < 25 { "" } else { "12.50" };
        format!("Refund please {i},We are sorry {i},{amount}\n")
    };
    let rows: String = (0..30).map(row).collect();
    let part = only(Bytes::of("a.csv", format!("Ticket,Reply,Amount\n{rows}")));
    assert_eq!(columns(&part), ["Ticket", "Reply", "Amount"]);
    assert_eq!(reading(&part).header, None);
    let arrivals = arrivals(&part);
    let n_records = arrivals.iter().filter(|row| row.record.is_some()).count();
    assert_eq!(n_records, 30);
}
