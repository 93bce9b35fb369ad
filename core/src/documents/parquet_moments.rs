//! Dates and times of Parquet as ISO 8601.
//!
//! A timestamp that is adjusted to UTC is an instant and ends in `Z`. One without a zone does not, nor
//! does one whose file says nothing about it: INT96, and files from before there were logical types.

use std::sync::Arc;

use parquet::{
    basic::Type as Physical,
    errors::ParquetError,
    file::metadata::{ColumnChunkMetaData, RowGroupMetaData},
    schema::types::{ColumnDescPtr, SchemaDescriptor, Type},
};

const DAY_NANOS: i128 = 86_400_000_000_000;

const SECOND_NANOS: i128 = 1_000_000_000;

/// Bytes of INT96: nanoseconds of a day, and the day.
const INT96_BYTES: i32 = 12;

/// Days since 1970 in the Gregorian calendar, by counting in eras of 400 years from a 1st of March.
pub(super) fn date(days: i64) -> String {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

pub(super) fn clock(nanos: i128) -> String {
    let (seconds, fraction) = (
        nanos.div_euclid(SECOND_NANOS),
        nanos.rem_euclid(SECOND_NANOS),
    );
    let text = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    match fraction {
        0 => text,
        _ => format!("{text}.{fraction:09}")
            .trim_end_matches('0')
            .to_owned(),
    }
}

/// Nanoseconds since 1970.
pub(super) fn timestamp(nanos: i128, is_instant: bool) -> String {
    let day = i64::try_from(nanos.div_euclid(DAY_NANOS)).unwrap_or(i64::MAX);
    let zone = if is_instant { "Z" } else { "" };
    format!("{} {}{zone}", date(day), clock(nanos.rem_euclid(DAY_NANOS)))
}

/// A timestamp as INT96; `None` for other bytes.
pub(super) fn int96(bytes: &[u8]) -> Option<String> {
    const JULIAN_DAY_OF_1970: i128 = 2_440_588;
    let (nanos, day) = bytes.split_first_chunk::<8>()?;
    let day = u32::from_le_bytes(day.try_into().ok()?);
    let days = i128::from(day) - JULIAN_DAY_OF_1970;
    let nanos = i128::from(i64::from_le_bytes(*nanos));
    Some(timestamp(days * DAY_NANOS + nanos, false))
}

/// A row group whose INT96 columns are read as the bytes that they are: as timestamps, the library
/// cuts them to milliseconds. `None` where there are no such columns.
///
/// # Errors
/// If the library refuses them.
pub(super) fn with_int96_as_bytes(
    group: &RowGroupMetaData,
) -> Result<Option<RowGroupMetaData>, ParquetError> {
    let is_int96 = |column: &ColumnChunkMetaData| column.column_type() == Physical::INT96;
    if !group.columns().iter().any(is_int96) {
        return Ok(None);
    }
    let root = as_bytes(group.schema_descr().root_schema())?;
    let schema = Arc::new(SchemaDescriptor::new(Arc::new(root)));
    let columns = group.columns().iter().zip(schema.columns());
    let columns = columns.map(|(column, descriptor)| moved(column, descriptor));
    let group = RowGroupMetaData::builder(Arc::clone(&schema))
        .set_num_rows(group.num_rows())
        .set_total_byte_size(group.total_byte_size())
        .set_column_metadata(columns.collect::<Result<_, _>>()?);
    group.build().map(Some)
}

/// A type in which every INT96 is as many bytes. The library went as deep when it read the schema.
fn as_bytes(kind: &Type) -> Result<Type, ParquetError> {
    let info = kind.get_basic_info();
    if kind.is_group() {
        let fields = kind.get_fields().iter();
        let fields = fields.map(|field| as_bytes(field).map(Arc::new));
        let mut group = Type::group_type_builder(kind.name())
            .with_converted_type(info.converted_type())
            .with_logical_type(info.logical_type_ref().cloned())
            .with_fields(fields.collect::<Result<_, _>>()?);
        if info.has_repetition() {
            group = group.with_repetition(info.repetition());
        }
        return group.build();
    }
    if kind.get_physical_type() != Physical::INT96 {
        return Ok(kind.clone());
    }
    Type::primitive_type_builder(kind.name(), Physical::FIXED_LEN_BYTE_ARRAY)
        .with_repetition(info.repetition())
        .with_length(INT96_BYTES)
        .build()
}

/// What is needed to read a column.
fn moved(
    column: &ColumnChunkMetaData,
    descriptor: &ColumnDescPtr,
) -> Result<ColumnChunkMetaData, ParquetError> {
    ColumnChunkMetaData::builder(Arc::clone(descriptor))
        .set_compression_codec(column.compression_codec())
        .set_num_values(column.num_values())
        .set_total_compressed_size(column.compressed_size())
        .set_total_uncompressed_size(column.uncompressed_size())
        .set_data_page_offset(column.data_page_offset())
        .set_dictionary_page_offset(column.dictionary_page_offset())
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        for (days, text) in [
            (0, "1970-01-01"),
            (19_813, "2024-03-31"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (-719_162, "0001-01-01"),
        ] {
            assert_eq!(date(days), text);
        }
        // Whatever a file says.
        assert!(!date(i64::MAX).is_empty() && !date(i64::MIN).is_empty());
    }

    #[test]
    fn moments_have_no_idle_zeros() {
        assert_eq!(timestamp(0, false), "1970-01-01 00:00:00");
        assert_eq!(timestamp(-500_000_000, false), "1969-12-31 23:59:59.5");
        assert_eq!(timestamp(1, true), "1970-01-01 00:00:00.000000001Z");
        assert!(!timestamp(i128::from(i64::MIN) * 1_000_000, true).is_empty());
    }

    #[test]
    fn moments_of_twelve_bytes() {
        let bytes = |nanos: i64, day: u32| [&nanos.to_le_bytes()[..], &day.to_le_bytes()].concat();
        let of = |nanos, day| int96(&bytes(nanos, day)).unwrap();
        assert_eq!(of(0, 2_440_588), "1970-01-01 00:00:00");
        assert_eq!(of(1_002_003, 2_460_370), "2024-02-29 00:00:00.001002003");
        assert!(!of(i64::MAX, u32::MAX).is_empty());
        assert_eq!(int96(b"eleven byte"), None);
    }
}
