//! Parquet files.

use serde_json::json;

use super::{arrivals, columns, fixture, only, turns};
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
