//! Parquet files.

use std::sync::Arc;

use parquet::{
    data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type, Int96, Int96Type},
    file::writer::SerializedFileWriter,
    schema::parser::parse_message_type,
};
use serde_json::json;

use super::{arrivals, columns, fixture, only, problems, turns};
use crate::{
    data::Format,
    documents::{Part, file::Bytes},
    protocol::studio::PartKind,
};

#[track_caller]
fn check(part: &Part) {
    assert_eq!(
        part.view.reason.to_string(),
        "openai: the header has `messages` (`role`, `content`)"
    );
    assert_eq!(columns(part)[..3], ["messages", "metadata", "score"]);
    let arrivals = arrivals(part);
    assert_eq!(arrivals.len(), 12);
    assert!(
        arrivals
            .iter()
            .all(|arrival| arrival.format == Format::Openai)
    );
    assert_eq!(turns(&arrivals[10]).0, "¿Qué mide la LGD?");
    let first = &arrivals[0].record.as_ref().unwrap().extra;
    let last = &arrivals[11].record.as_ref().unwrap().extra;
    let expected = json!({
        "metadata": {"source": "EBA", "year": 2028},
        "score": 1.1,
        "at": "2024-03-31 12:30:11",
        "day": "1969-12-31",
        "price": "9872.40",
        "tags": ["a", "b"],
        "checked": false,
        "counts": {"x": 11},
        "raw": [0, 255, 11],
    });
    assert_eq!(serde_json::Value::Object(last.clone()), expected);
    assert_eq!(
        (&first["score"], &first["tags"]),
        (&json!(null), &json!([]))
    );
    assert_eq!(first["price"], "-3702.15");
    assert_eq!(arrivals[11].progress, 1.0);
    assert_eq!(arrivals[11].line, 12);
}

#[test]
fn every_codec_gives_the_same_records() {
    check(&only(fixture!("none.parquet")));
    check(&only(fixture!("snappy.parquet")));
    check(&only(fixture!("zstd.parquet")));
    check(&only(fixture!("gzip.parquet")));
    check(&only(fixture!("brotli.parquet")));
    check(&only(fixture!("lz4.parquet")));
}

#[test]
fn a_preview_shows_the_first_rows() {
    let part = only(fixture!("snappy.parquet"));
    let preview = part.preview(&part.view.reading, None);
    assert_eq!(preview.failed, None);
    assert_eq!((preview.records.len(), preview.columns.len()), (10, 10));
    assert_eq!(preview.rows[1][3], "2024-03-31 12:30:01");
}

#[test]
fn a_damaged_file_is_named() {
    let bytes = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/documents/snappy.parquet"
    ));
    let n = bytes.len();
    let mut long = bytes.to_vec();
    long[n - 8..n - 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut empty = bytes.to_vec();
    empty[n - 600..n - 8].fill(0xff);
    for (bytes, said) in [
        (bytes[..n / 2].to_vec(), "the file may be cut off"),
        (long, "its footer is said to take 4294967295 bytes"),
        (empty, "is not a readable Parquet file"),
    ] {
        let part = only(Bytes::of("a.parquet", bytes));
        assert_eq!(part.view.kind, PartKind::Unreadable);
        assert!(
            part.view.reason.to_string().contains(said),
            "{}",
            part.view.reason
        );
    }
}

/// Two questions with values that few files have; the second has a map with one key twice.
fn rare_values() -> Vec<u8> {
    const SCHEMA: &str = "message schema { \
        required binary question (STRING); required binary answer (STRING); \
        required int96 old; required int64 at (TIMESTAMP(NANOS,true)); required double f; \
        required group m (MAP) { repeated group key_value { \
            required binary key (STRING); required int64 value; } } }";
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let texts = |texts: &[&str]| -> Vec<ByteArray> { texts.iter().map(|t| (*t).into()).collect() };
    // A map of each row with one pair, and of the second row with a second one.
    let (def, rep) = (Some(&[1_i16; 3][..]), Some(&[0_i16, 0, 1][..]));
    let old = Int96::from(vec![1_002_003, 0, 2_460_370]);
    macro_rules! column {
        ($kind:ty, $values:expr, $def:expr, $rep:expr) => {
            let mut column = group.next_column().unwrap().unwrap();
            let typed = column.typed::<$kind>();
            typed.write_batch($values, $def, $rep).unwrap();
            column.close().unwrap();
        };
    }
    column!(ByteArrayType, &texts(&["q?", "r?"]), None, None);
    column!(ByteArrayType, &texts(&["a", "b"]), None, None);
    column!(Int96Type, &[old, old], None, None);
    column!(Int64Type, &[1_709_214_330_123_456_789, -1], None, None);
    column!(DoubleType, &[f64::NAN, f64::INFINITY], None, None);
    column!(ByteArrayType, &texts(&["k", "k", "k"]), def, rep);
    column!(Int64Type, &[1, 1, 2], def, rep);
    group.close().unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn moments_keep_their_nanoseconds_and_zones() {
    let arrivals = arrivals(&only(Bytes::of("a.parquet", rare_values())));
    let extra = &arrivals[0].record.as_ref().unwrap().extra;
    let expected = json!({
        "old": "2024-02-29 00:00:00.001002003",
        "at": "2024-02-29 13:45:30.123456789Z",
        "f": "NaN",
        "m": {"k": 1},
    });
    assert_eq!(serde_json::Value::Object(extra.clone()), expected);
}

#[test]
fn a_map_with_one_key_twice_is_refused() {
    let arrivals = arrivals(&only(Bytes::of("a.parquet", rare_values())));
    assert!(arrivals[1].record.is_none());
    assert_eq!(
        problems(&arrivals[1..]),
        ["line 2, record 2, field `m.k`: wrong type, found twice, expected it once"]
    );
}
