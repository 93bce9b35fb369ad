//! Cells of workbooks that programs wrote in their own ways.

use std::io::{Cursor, Write as _};

use super::{arrivals, extra, only, problems, turns};
use crate::documents::{Part, file::Bytes, inspect};

const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#;

fn zipped(members: &[(&str, String)]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = zip::write::SimpleFileOptions::default();
        out.start_file(*name, options).unwrap();
        out.write_all(content.as_bytes()).unwrap();
    }
    out.finish().unwrap().into_inner()
}

/// A workbook of two equal sheets, the second hidden, with a column `v` of these cells.
fn xlsx(cells: &[&str]) -> Vec<Part> {
    let text = |place: String, text: String| {
        format!(r#"<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>"#)
    };
    let mut rows = String::new();
    let header = ["question", "answer", "v"].iter().zip(["A1", "B1", "C1"]);
    let header: String = header
        .map(|(name, place)| text(place.into(), (*name).into()))
        .collect();
    rows += &format!(r#"<row r="1">{header}</row>"#);
    for (i, cell) in cells.iter().enumerate() {
        let row = i + 2;
        let question = text(format!("A{row}"), format!("q{i}?"));
        let answer = text(format!("B{row}"), format!("a{i}"));
        let cell = cell.replacen("<c", &format!(r#"<c r="C{row}""#), 1);
        rows += &format!(r#"<row r="{row}">{question}{answer}{cell}</row>"#);
    }
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    let sheet = format!(r#"<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>"#);
    let bytes = zipped(&[
        (
            "[Content_Types].xml",
            format!(r#"<Types xmlns="{package}/content-types"/>"#),
        ),
        (
            "_rels/.rels",
            format!(
                r#"<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                r#"<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="S &amp; T" sheetId="1" r:id="rId1"/><sheet name="H" sheetId="2" state="hidden" r:id="rId2"/></sheets></workbook>"#
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                r#"<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{office}/worksheet" Target="/xl/worksheets/sheet2.xml"/><Relationship Id="rId3" Type="{office}/styles" Target="styles.xml"/></Relationships>"#
            ),
        ),
        ("xl/styles.xml", STYLES.into()),
        ("xl/worksheets/sheet1.xml", sheet.clone()),
        ("xl/worksheets/sheet2.xml", sheet),
    ]);
    let parts = inspect(Bytes::of("a.xlsx", bytes));
    assert_eq!(parts.len(), 2);
    parts
}

#[test]
fn long_numbers_are_what_the_file_says() {
    let cells = [
        "<c><v>1234567890123456789</v></c>",
        "<c><v>9007199254740993</v></c>",
        "<c><v>0.1234567890123456</v></c>",
        "<c><v>0.30000000000000004</v></c>",
        "<c><v>1.2345678901234568E+18</v></c>",
        r#"<c t="str"><v>1234567890123456789</v></c>"#,
    ];
    let expected = [
        "1234567890123456789",
        "9007199254740993",
        "0.1234567890123456",
        "0.3",
        "1.2345678901234568E18",
        "1234567890123456789",
    ];
    for part in xlsx(&cells) {
        let arrivals = arrivals(&part);
        let found: Vec<&str> = arrivals.iter().map(|row| extra(row, "v")).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn formulas_that_hold_no_result_are_said() {
    let cells = [
        "<c><v>5</v></c>",
        "<c><f>1+2</f><v></v></c>",
        "<c><f>1+2</f></c>",
        r#"<c t="str"><f>""</f><v></v></c>"#,
        "<c><f>1+2</f><v>3</v></c>",
        r#"<c s="1"/>"#,
    ];
    let arrivals = arrivals(&xlsx(&cells)[0]);
    assert_eq!(arrivals.len(), cells.len() + 1);
    assert_eq!(turns(&arrivals[5]), ("q5?".into(), "a5".into()));
    assert!(arrivals[6].record.is_none());
    assert_eq!(
        problems(&arrivals),
        [
            "line 3: part of the file not read, found 2 formulas without a result, \
             expected results; open the file in Excel or LibreOffice once and save it"
        ]
    );
    let whole = super::arrivals(&xlsx(&["<c><f>1+2</f><v>3</v></c>"])[0]);
    assert_eq!(problems(&whole), [""; 0]);
}

#[test]
fn numbers_that_are_no_dates_stay_numbers() {
    let cells = [
        r#"<c s="1"><v>45382</v></c>"#,
        r#"<c s="1"><v>-1</v></c>"#,
        r#"<c s="1"><v>20240331</v></c>"#,
    ];
    let arrivals = arrivals(&xlsx(&cells)[0]);
    let found: Vec<&str> = arrivals.iter().map(|row| extra(row, "v")).collect();
    assert_eq!(found, ["2024-03-31", "-1", "20240331"]);
}

#[test]
fn hidden_sheets_are_said_to_be_hidden() {
    let reasons: Vec<String> = xlsx(&["<c><v>5</v></c>"])
        .iter()
        .map(|part| part.view.reason.to_string())
        .collect();
    assert!(!reasons[0].contains("hidden"), "{reasons:?}");
    assert_eq!(reasons[1], format!("a hidden sheet; {}", reasons[0]));
}

#[test]
fn open_document_cells_are_read_by_their_values() {
    let cells = [
        (
            r#"office:value-type="percentage" office:value="0.01234""#,
            "1%",
        ),
        (
            r#"office:value-type="percentage" office:value="0.125""#,
            "12,5%",
        ),
        (
            r#"office:value-type="float" office:value="12345678901234567890""#,
            "1,2E+19",
        ),
        (
            r#"office:value-type="time" office:time-value="PT30H05M00S""#,
            "6:05",
        ),
        (
            r#"office:value-type="currency" office:value="9.99""#,
            "10 €",
        ),
        (r#"table:formula="of:=1+2""#, ""),
    ];
    let row = |i: usize, attributes: &str, shown: &str| {
        let text = |text: &str| {
            format!(
                "<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"
            )
        };
        let (question, answer) = match i {
            0 => (text("question"), text("answer")),
            _ => (text(&format!("q{i}?")), text("a")),
        };
        format!(
            "<table:table-row>{question}{answer}<table:table-cell {attributes}><text:p>{shown}</text:p></table:table-cell></table:table-row>"
        )
    };
    let mut rows = row(0, r#"office:value-type="string""#, "v");
    for (i, (attributes, shown)) in cells.iter().enumerate() {
        rows += &row(i + 1, attributes, shown);
    }
    let content = format!(
        r#"<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:spreadsheet><table:table table:name="S">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"#
    );
    let mimetype = "application/vnd.oasis.opendocument.spreadsheet";
    let file = zipped(&[("mimetype", mimetype.into()), ("content.xml", content)]);
    let arrivals = arrivals(&only(Bytes::of("a.ods", file)));
    let found: Vec<&str> = arrivals[..5].iter().map(|row| extra(row, "v")).collect();
    let expected = [
        "1.234%",
        "12.5%",
        "12345678901234567890",
        "30:05:00",
        "9.99",
    ];
    assert_eq!(found, expected);
    let said = problems(&arrivals);
    assert_eq!(said.len(), 1);
    assert!(
        said[0].contains("found 1 formula without a result"),
        "{said:?}"
    );
}

#[test]
fn shared_texts_for_which_there_is_no_room_are_refused() {
    for count in ["200000000", "9223372036854775807"] {
        let texts = format!(r#"<?xml version="1.0"?><sst count="1" uniqueCount="{count}"/>"#);
        let members = [
            ("xl/workbook.xml", String::new()),
            ("xl/SharedStrings.xml", texts),
        ];
        let part = only(Bytes::of("a.xlsx", zipped(&members)));
        let reason = part.view.reason.to_string();
        assert!(reason.contains(&format!("holds {count} texts")), "{reason}");
    }
}
