//! Parquet files of every encoding and page version, cut off at every byte and with bits turned in
//! every byte. Nothing may panic; what is still read has as many rows as the file says.

use std::sync::Arc;

use parquet::{
    basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel},
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray,
        FixedLenByteArrayType, Int32Type, Int64Type,
    },
    file::{
        properties::{WriterProperties, WriterVersion},
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};
use serde_json::json;

use crate::{
    data::Row,
    documents::{file::Bytes, file::Progress, parquet_file},
};

const SCHEMA: &str = "message m { optional binary name (UTF8); required int64 id; required boolean ok; \
    required fixed_len_byte_array(3) code; optional double score; optional group turns (LIST) { \
    repeated group list { optional group element { optional binary role (UTF8); required binary text \
    (UTF8); optional group tags (LIST) { repeated group list { required int32 element; } } } } } }";

const N_ROWS: usize = 12;

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Plain,
    Dictionary,
    /// Deltas, shared beginnings and split bytes: each where it is allowed.
    Packed,
}

fn encoding(column: &str) -> Encoding {
    match column {
        "name" | "code" => Encoding::DELTA_BYTE_ARRAY,
        "ok" => Encoding::RLE,
        "score" => Encoding::BYTE_STREAM_SPLIT,
        "turns.list.element.role" | "turns.list.element.text" => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        _ => Encoding::DELTA_BINARY_PACKED,
    }
}

fn text(i: usize) -> ByteArray {
    ByteArray::from(format!("row {}{}", i % 3, " and on".repeat(i % 2)).as_str())
}

/// Every fourth name and score is missing. Row `i` has no turns, an empty list, or one to three; the
/// second of three has no role, and turn `j` has `j` tags.
fn file(written: Written, version: WriterVersion, compression: Compression) -> Vec<u8> {
    let mut properties = WriterProperties::builder()
        .set_compression(compression)
        .set_writer_version(version)
        .set_dictionary_enabled(written == Written::Dictionary)
        .set_data_page_row_count_limit(7)
        .set_write_batch_size(3);
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let columns = parquet::schema::types::SchemaDescriptor::new(Arc::clone(&schema));
    for column in columns.columns() {
        if written == Written::Packed {
            let encoding = encoding(&column.path().string());
            properties = properties.set_column_encoding(column.path().clone(), encoding);
        }
    }
    let mut bytes = Vec::new();
    let mut file =
        SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties.build())).unwrap();
    let mut group = file.next_row_group().unwrap();
    let is_there: Vec<i16> = (0..N_ROWS).map(|i| i16::from(i % 4 != 1)).collect();
    let there = || (0..N_ROWS).filter(|i| i % 4 != 1);
    column::<ByteArrayType>(&mut group, there().map(text), Some(&is_there), None);
    let ids = (0..N_ROWS as i64).map(|i| (i * i) << (4 * (i % 9)));
    column::<Int64Type>(&mut group, ids, None, None);
    column::<BoolType>(&mut group, (0..N_ROWS).map(|i| i % 3 == 0), None, None);
    let codes = (0..N_ROWS as u8)
        .map(|i| FixedLenByteArray::from(ByteArray::from(vec![b'a', b'b' + i % 2, b'c'])));
    column::<FixedLenByteArrayType>(&mut group, codes, None, None);
    let scores = there().map(|i| i as f64 / 8.0);
    column::<DoubleType>(&mut group, scores, Some(&is_there), None);
    turns(&mut group);
    group.close().unwrap();
    file.close().unwrap();
    bytes
}

fn turns(group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>) {
    let (mut rep, mut role, mut text_def, mut tag_rep, mut tag) =
        (vec![], vec![], vec![], vec![], vec![]);
    let (mut roles, mut texts, mut tags) = (vec![], vec![], vec![]);
    for i in 0..N_ROWS {
        let n_turns = (i % 5).saturating_sub(1);
        if n_turns == 0 {
            let def = i16::from(i % 5 == 1);
            rep.push(0);
            role.push(def);
            text_def.push(def);
            tag_rep.push(0);
            tag.push(def);
        }
        for j in 0..n_turns {
            let at = i16::from(j > 0);
            rep.push(at);
            text_def.push(3);
            texts.push(text(i + j));
            role.push(if j == 1 { 3 } else { 4 });
            if j != 1 {
                roles.push(ByteArray::from("user"));
            }
            if j == 0 {
                tag_rep.push(at);
                tag.push(4);
            }
            for k in 0..j {
                tag_rep.push(if k == 0 { at } else { 2 });
                tag.push(5);
                tags.push(k as i32);
            }
        }
    }
    column::<ByteArrayType>(group, roles.into_iter(), Some(&role), Some(&rep));
    column::<ByteArrayType>(group, texts.into_iter(), Some(&text_def), Some(&rep));
    column::<Int32Type>(group, tags.into_iter(), Some(&tag), Some(&tag_rep));
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    values: impl Iterator<Item = T::T>,
    def: Option<&[i16]>,
    rep: Option<&[i16]>,
) {
    let mut column = group.next_column().unwrap().unwrap();
    let values: Vec<T::T> = values.collect();
    column.typed::<T>().write_batch(&values, def, rep).unwrap();
    column.close().unwrap();
}

/// All rows, or that there is a reason why not.
fn rows(bytes: Vec<u8>) -> Result<Vec<serde_json::Value>, String> {
    let table = parquet_file::table(&Bytes::of("a.parquet", bytes), &Progress::default());
    let table = table.map_err(|error| error.full())?;
    let rows = table.rows.map(|row| match row {
        Ok(Row::Object { object, .. }) => Ok(object.into()),
        Ok(_) => Ok(serde_json::Value::Null),
        Err(error) => Err(error.to_string()),
    });
    rows.take(10_000).collect()
}

#[track_caller]
fn check(written: Written, version: WriterVersion, compression: Compression) {
    let whole = file(written, version, compression);
    let read = rows(whole.clone()).unwrap();
    assert_eq!(read.len(), N_ROWS);
    assert_eq!(
        read[9],
        json!({"name": null, "id": 81, "ok": true, "code": "acc", "score": null, "turns": [
            {"role": "user", "text": "row 0 and on", "tags": []},
            {"role": null, "text": "row 1", "tags": [0]},
            {"role": "user", "text": "row 2 and on", "tags": [0, 1]},
        ]})
    );
    let mut n_refused = 0;
    let mut try_one = |bytes: Vec<u8>| match rows(bytes) {
        Ok(_) => {}
        Err(reason) => {
            assert!(!reason.is_empty());
            n_refused += 1;
        }
    };
    for at in 0..whole.len() {
        try_one(whole[..at].to_vec());
        for byte in [whole[at] ^ (1 << (at % 8)), 0xff] {
            let mut turned = whole.clone();
            turned[at] = byte;
            try_one(turned);
        }
    }
    assert!(n_refused > whole.len(), "{n_refused}");
}

const V1: WriterVersion = WriterVersion::PARQUET_1_0;
const V2: WriterVersion = WriterVersion::PARQUET_2_0;

#[test]
fn plain_values() {
    check(Written::Plain, V1, Compression::UNCOMPRESSED);
    check(Written::Plain, V2, Compression::UNCOMPRESSED);
}

#[test]
fn dictionaries() {
    check(Written::Dictionary, V1, Compression::UNCOMPRESSED);
    check(Written::Dictionary, V2, Compression::UNCOMPRESSED);
}

#[test]
fn packed_values() {
    check(Written::Packed, V1, Compression::UNCOMPRESSED);
    check(Written::Packed, V2, Compression::UNCOMPRESSED);
}

#[test]
fn packed_values_compressed() {
    check(Written::Packed, V1, Compression::SNAPPY);
    check(Written::Packed, V2, Compression::LZ4_RAW);
}

#[test]
fn plain_values_compressed() {
    check(Written::Plain, V1, Compression::LZ4);
    check(Written::Plain, V2, Compression::ZSTD(ZstdLevel::default()));
    check(Written::Plain, V1, Compression::GZIP(GzipLevel::default()));
    check(
        Written::Plain,
        V2,
        Compression::BROTLI(BrotliLevel::default()),
    );
}
