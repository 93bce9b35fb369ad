//! Whole files through the reader.

use super::*;
use crate::{
    data::{Body, Loaded, Severity, encoding::SAMPLE_BYTES, read},
    text::Role,
};

fn load(bytes: impl AsRef<[u8]>) -> Loaded {
    read(bytes.as_ref(), &ReadOptions::default()).expect("a readable dataset")
}

fn error(bytes: impl AsRef<[u8]>) -> String {
    let error = read(bytes.as_ref(), &ReadOptions::default()).expect_err("refused");
    error.to_string()
}

fn answers(loaded: &Loaded) -> Vec<String> {
    let answer = |record: &Record| match &record.body {
        Body::Chat(chat) => chat
            .messages
            .last()
            .map_or(String::new(), |m| m.text().to_owned()),
        Body::Text { completion, .. } => completion.clone(),
        Body::Tokens(encoded) => format!("{:?}", encoded.input_ids),
    };
    loaded.records.iter().map(answer).collect()
}

fn problem_texts(loaded: &Loaded) -> Vec<String> {
    loaded
        .problems
        .first(50)
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn one_line_of_text_is_no_empty_file() {
    let said = error("hello there\n");
    assert!(
        said.contains("(`hello there`) counts as the header"),
        "{said}"
    );
    assert!(error(" \n").contains("is empty"));
    assert!(error("x".repeat(5000)).chars().count() < 200);
}

const ALPACA: &str = "[\n  {\"instruction\": \"a\", \"input\": \"\", \"output\": \"b\"},\n  {\"instruction\": \"c\", \"output\": \"d\"}\n]\n";

#[test]
fn format_shape_encoding_and_reason_are_said() {
    let loaded = load(ALPACA);
    assert_eq!(loaded.source.format, Format::Alpaca);
    assert_eq!(
        loaded.source.reason.to_string(),
        "all 2 records have `instruction`, `output`"
    );
    assert_eq!(loaded.source.shape.describe().to_string(), "JSON array");
    assert_eq!(loaded.source.encoding.name(), "UTF-8");
    assert_eq!(loaded.records[1].line, 3);
    assert_eq!(loaded.problems.total(), 0);
}

#[test]
fn every_layout_gives_the_same_records() {
    for text in [
        ALPACA.to_owned(),
        "{\"instruction\":\"a\",\"output\":\"b\"}\r\n{\"instruction\":\"c\",\"output\":\"d\"}\r\n".into(),
        "{\n\"instruction\":\"a\",\n\"output\":\"b\"}\n{\n\"instruction\":\"c\",\"output\":\"d\"\n}".into(),
        "{\"instruction\":\"a\",\"output\":\"b\"}{\"instruction\":\"c\",\"output\":\"d\"}".into(),
        format!("{{\"data\": {ALPACA}}}"),
        format!("\u{feff}{{\"train\": {ALPACA}}}"),
        "instruction,output\na,b\nc,d\n".into(),
        "\u{feff}Instruction;Output;Notes\r\na;b;\r\nc;d;x\r\n;;\r\n".into(),
    ] {
        assert_eq!(answers(&load(&text)), ["b", "d"], "{text}");
    }
}

#[test]
fn a_broken_line_is_named_and_the_rest_is_read() {
    let good = "{\"query\": \"q\", \"response\": \"r\"}\n";
    let text = format!(
        "{}{{\"query\": \"ñ\", \"response\": r\"}}\n{good}",
        good.repeat(70_000)
    );
    let loaded = load(&text);
    assert_eq!((loaded.records.len(), loaded.n_in_file), (70_001, 70_002));
    assert_eq!(
        problem_texts(&loaded),
        [
            "line 70001, column 28, record 70001: broken JSON, found expected value near \"\"response\": r\"}\""
        ],
    );
}

#[test]
fn a_field_that_is_there_twice_is_not_lost_without_a_word() {
    let twice = "{\"prompt\":\"p\",\"response\":\"a\"}\n\
        {\"prompt\":\"p\",\"response\":\"a\",\"prompt\":\"q\"}\n";
    let loaded = load(twice);
    assert_eq!(loaded.records.len(), 1);
    assert_eq!(
        problem_texts(&loaded),
        [
            "line 2, record 2, field `prompt`: broken JSON, found the field twice, and one of them \
          would be lost, expected each field once"
        ]
    );
}

#[test]
fn a_number_that_would_be_rounded_is_not_changed_without_a_word() {
    let record = |id: &str| format!("{{\"prompt\":\"p\",\"response\":\"a\",\"id\":{id}}}\n");
    let kept = [
        "18446744073709551615",
        "-9223372036854775808",
        "1e20",
        "0.5",
    ]
    .map(record);
    assert_eq!(load(kept.concat()).records.len(), 4);
    let loaded = load(&(record("1") + &record("[12345678901234567890123]")));
    assert_eq!(loaded.records.len(), 1);
    assert_eq!(
        problem_texts(&loaded),
        [
            "line 2, record 2, field `id`: broken JSON, found the number \
          \"12345678901234567890123\", which would be rounded, expected a whole number of at most \
          64 bits, or text"
        ]
    );
}

#[test]
fn a_last_record_that_is_cut_off_is_placed_on_its_own_line() {
    let loaded = load("{\"query\":\"a\",\"response\":\"b\"}\n{\"query\":\n");
    assert_eq!(
        problem_texts(&loaded),
        [
            "line 2, column 9, record 2: broken JSON, found the end of the record, expected the rest of it"
        ]
    );
}

#[test]
fn japanese_csv_in_shift_jis_and_spanish_csv_in_latin_1() {
    let (bytes, ..) = encoding_rs::SHIFT_JIS.encode("質問,回答\r\n東京の保険は？,終身保険です\r\n");
    let loaded = load(bytes);
    assert_eq!(
        (answers(&loaded)[0].as_str(), loaded.source.encoding.name()),
        ("終身保険です", "Shift_JIS")
    );
    let (bytes, ..) =
        encoding_rs::WINDOWS_1252.encode("Pregunta;Respuesta\n¿Cuánto ganó?;11.076 M€ en el año\n");
    let loaded = load(bytes);
    assert_eq!(
        (answers(&loaded)[0].as_str(), loaded.source.encoding.name()),
        ("11.076 M€ en el año", "windows-1252")
    );
    assert_eq!(
        loaded.source.reason.to_string(),
        "the header has `Pregunta` (query), `Respuesta` (response)"
    );
}

#[test]
fn mixed_formats_are_read_as_what_they_are_and_named() {
    let text = "{\"instruction\":\"a\",\"output\":\"b\"}\n{\"instruction\":\"c\",\"output\":\"d\"}\n{\"messages\":[{\"role\":\"user\",\"content\":\"e\"},{\"role\":\"assistant\",\"content\":\"f\"}]}\n{\"instruction\":\"g\"}\n";
    let loaded = load(text);
    assert_eq!(answers(&loaded), ["b", "d", "f"]);
    assert_eq!(
        problem_texts(&loaded),
        [
            "line 4, record 4, field `output`: missing field, found nothing, expected text",
            "line 3, record 3: another format than the file's, found openai (`messages` (`role`, `content`)), expected alpaca, as most of the file",
        ]
    );
}

#[test]
fn files_that_are_no_dataset_are_refused_with_a_reason() {
    assert_eq!(
        error(""),
        "the dataset is empty; expected at least one record"
    );
    assert_eq!(error(" \n\n"), error(""));
    assert_eq!(error("[]"), error(""));
    assert!(
        error("{\"a\": 1").contains("the first problem: line 1, column 7, record 1: broken JSON")
    );
    assert!(
        error("{\"instrction\": \"a\", \"banco\": \"b\"}")
            .contains("did you mean `instruction` where it says `instrction`?")
    );
    assert!(error("banco,año,roe\nA,2023,0.1\n").contains("columns `banco`, `año`, `roe`"));
    assert!(
        error("{\"demo\": {\"file_name\": \"demo.json\"}}")
            .contains("give one of the files that it names (`demo.json`)")
    );
    assert!(error("PAR1....").contains("a Parquet file"));
}

#[test]
fn a_map_renames_and_its_faults_are_said() {
    let options = |map: &str| ReadOptions {
        mapping: Mapping::parse(map).unwrap(),
        ..ReadOptions::default()
    };
    let text = "Frage,Antwort,Quelle\na,b,c\n";
    let loaded = read(
        text.as_bytes(),
        &options("instruction=Frage,output=Antwort"),
    )
    .unwrap();
    assert_eq!(
        (answers(&loaded)[0].as_str(), loaded.source.format),
        ("b", Format::Alpaca)
    );
    assert_eq!(loaded.records[0].extra["Quelle"], "c");
    let error = read(text.as_bytes(), &options("output=Reply"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("no column `Reply`"), "{error}");
}

#[test]
fn columns_that_only_have_the_name_of_a_field_are_kept_as_they_are() {
    for (column, value) in [
        ("history", "Rome"),
        ("History", "Rome"),
        ("tools", "wrench; tape"),
        ("functions", "drill"),
        ("image", "http://x.org/a.jpg"),
        ("videos", "v.mp4"),
        ("conversation", "c-17"),
        ("messages", "12"),
    ] {
        let blank = "q,a,\n".repeat(LOOKAHEAD);
        for before in ["", &blank] {
            let text = format!("question,answer,{column}\n{before}q,a,{value}\n");
            let loaded = load(text);
            assert_eq!(
                loaded.problems.n_errors(),
                0,
                "{:?}",
                problem_texts(&loaded)
            );
            let last = loaded.records.last().unwrap();
            assert_eq!(last.extra[column], value);
        }
    }
    let options = ReadOptions {
        mapping: Mapping::parse("tools=tools").unwrap(),
        ..ReadOptions::default()
    };
    let text = "instruction,output,tools\nq,a,wrench\n";
    let loaded = read(text.as_bytes(), &options).unwrap();
    assert_eq!(loaded.problems.n_errors(), 1);
    assert_eq!(loaded.problems.first(1)[0].field, "tools");
}

#[test]
fn preference_data_is_counted_and_bad_answers_can_be_left_out() {
    let text = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}],\"label\":true}\n{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"c\"}],\"label\":false}\n";
    let loaded = load(text);
    assert_eq!((loaded.records.len(), loaded.n_marked), (2, 2));
    let options = ReadOptions {
        take_chosen: true,
        ..ReadOptions::default()
    };
    let loaded = read(text.as_bytes(), &options).unwrap();
    assert_eq!(
        (answers(&loaded), loaded.n_left_out),
        (vec!["b".to_owned()], 1)
    );
}

#[test]
fn a_byte_that_is_no_text_is_placed() {
    let mut bytes = vec![b' '; SAMPLE_BYTES];
    bytes.extend(b"\n{\"text\":\"a\"}\n{\"text\":\"\xe9\"}\n");
    bytes.splice(0..0, *b"{\"text\":\"z\"}\n");
    let loaded = load(bytes);
    assert_eq!(loaded.records.len(), 2);
    assert!(
        problem_texts(&loaded)[0]
            .starts_with("line 4, record 3: bytes that are not text, found the byte 0xe9")
    );
}

#[test]
fn a_limit_stops_early() {
    let options = ReadOptions {
        limit: Some(1),
        ..ReadOptions::default()
    };
    assert_eq!(read(ALPACA.as_bytes(), &options).unwrap().records.len(), 1);
}

#[test]
fn no_bytes_make_it_panic() {
    let mut rng = crate::rng::Rng::new(11, 0);
    let pieces = [
        "{\"instruction\":",
        "\"a\"",
        ",",
        "\"output\":",
        "[",
        "]",
        "{",
        "}",
        "\"messages\":",
        "{\"role\":\"user\"",
        "\n",
        "\"",
        "\\",
        "\0",
        "é",
        "1",
        "null",
        "question,answer\n",
        "\"\"",
        ";",
        "\u{feff}",
    ];
    for _ in 0..3000 {
        let text: String = (0..rng.below(30)).map(|_| *rng.pick(&pieces)).collect();
        let mut bytes = text.into_bytes();
        if rng.below(4) == 0 {
            bytes.push(rng.next_u32() as u8);
        }
        if let Ok(loaded) = read(&*bytes, &ReadOptions::default()) {
            for problem in loaded.problems.first(100) {
                assert!(problem.severity == Severity::Error || !problem.advice.is_empty());
            }
            assert!(loaded.records.len() as u64 <= loaded.n_in_file);
        }
    }
}

#[test]
fn a_hundred_thousand_records_take_seconds() {
    // Correctness at size; the time itself is for `veneer bench`, not for a test.
    let mut text = String::new();
    for i in 0..100_000 {
        text += &format!(
            "{{\"messages\":[{{\"role\":\"user\",\"content\":\"question {i}\"}},{{\"role\":\"assistant\",\"content\":\"answer {i}\"}}]}}\n"
        );
    }
    let loaded = load(&text);
    assert_eq!(
        (loaded.records.len(), loaded.problems.total()),
        (100_000, 0)
    );
    let Body::Chat(chat) = &loaded.records[99_999].body else {
        panic!("a chat")
    };
    assert_eq!(
        (loaded.records[99_999].line, chat.messages[1].role),
        (100_000, Role::Assistant)
    );
}

/// Looking every name up among those of all the rows before would take minutes.
#[test]
fn thousands_of_columns_are_read() {
    let names: Vec<String> = (0..8000).map(|i| format!("c{i}")).collect();
    let header = format!("question,answer,{}\n", names.join(","));
    let text = header + &"q,a\n".repeat(15);
    assert_eq!(load(&text).records.len(), 15);
    let options = ReadOptions {
        mapping: Mapping::parse("query=question,response=answer,system=c7999").unwrap(),
        ..ReadOptions::default()
    };
    assert!(read(text.as_bytes(), &options).is_ok());
}

#[test]
fn rows_of_nothing_but_separators_are_refused() {
    let told = |row: String| {
        let text = format!("question,answer\n{row}\n");
        match read(text.as_bytes(), &ReadOptions::default()) {
            Err(DatasetError::Read(error)) => error.to_string(),
            Err(error) => panic!("{error}"),
            Ok(_) => String::new(),
        }
    };
    for row in [
        ",".repeat(70_000),
        ",".repeat(200_000),
        "\"\",".repeat(70_000),
    ] {
        let said = told(row);
        assert!(said.contains("line 2 has more than 65536 cells"), "{said}");
    }
    assert_eq!(told(format!("q,\"{}\"", ",".repeat(200_000))), "");
}

/// The last turns of a file of such records, each after its first.
fn said(records: &[serde_json::Value]) -> Vec<Vec<String>> {
    let text: String = records.iter().map(|record| format!("{record}\n")).collect();
    let loaded = load(text);
    let chats = loaded.records.iter().map(|record| match &record.body {
        Body::Chat(chat) => chat.messages.iter().map(|m| m.text().to_owned()).collect(),
        _ => panic!("a chat"),
    });
    chats.collect()
}

#[test]
fn what_a_name_means_does_not_depend_on_the_order_of_records() {
    use serde_json::json;
    let records = [
        json!({"instruction": "Say hi", "response": "hi"}),
        json!({"instruction": "Summarise", "context": "long", "response": "short"}),
        json!({"instruction": "Answer", "system_prompt": "Be rude.", "response": "no"}),
        json!({"instruction": "Add", "input": "1 1", "response": "2"}),
    ];
    let forth = said(&records);
    assert_eq!(forth[1], ["Summarise\nlong", "short"]);
    assert_eq!(forth[2], ["Be rude.", "Answer", "no"]);
    let mut turned = records.to_vec();
    turned.reverse();
    let mut back = said(&turned);
    back.reverse();
    assert_eq!(forth, back);
    let mut late = vec![records[0].clone(); LOOKAHEAD];
    late.extend_from_slice(&records[1..]);
    assert_eq!(said(&late)[LOOKAHEAD..], forth[1..]);
}

#[test]
fn media_and_marks_under_other_names_are_seen_in_later_records() {
    let lamp = "{\"instruction\":\"a\",\"output\":\"b\",\"image\":\"x\"}\n";
    let asked = "{\"instruction\":\"<image> c\",\"output\":\"d\",\"image\":\"a.jpg\"}\n";
    let marked = "{\"instruction\":\"e\",\"output\":\"f\",\"kto_tag\":true}\n";
    let loaded = load([&lamp.repeat(LOOKAHEAD), asked, lamp, marked].concat());
    assert_eq!(answers(&loaded)[LOOKAHEAD..], ["b", "f"]);
    assert_eq!((loaded.n_marked, loaded.problems.n_errors()), (1, 1));
    for record in &loaded.records[..=LOOKAHEAD] {
        assert_eq!(record.extra["image"], "x");
    }
    assert_eq!(loaded.source.mapping.column("label"), Some("kto_tag"));
}

#[test]
fn a_given_map_is_not_widened_for_its_own_fields() {
    let text = "{\"instruction\":\"a\",\"notes\":\"n\",\"output\":\"b\"}\n\
                {\"instruction\":\"a\",\"context\":\"c\",\"output\":\"b\"}\n";
    let options = ReadOptions {
        mapping: Mapping::parse("input=notes").unwrap(),
        ..ReadOptions::default()
    };
    let loaded = read(text.as_bytes(), &options).unwrap();
    assert_eq!(loaded.records[1].extra["context"], "c");
}
