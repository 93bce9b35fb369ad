//! Values of Parquet as JSON: lists and structs as such, dates as ISO 8601, decimals as text.
//!
//! The library gives values by the older of the two ways in which a file names its types; what only
//! the newer one says (nanoseconds, instants, UUIDs) is read from the schema beside them. JSON has no
//! numbers that are none: they are the texts `NaN`, `inf` and `-inf`.

use parquet::{
    basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical},
    data_type::Decimal,
    record::{Field, Row},
    schema::types::{Type, TypePtr},
};
use serde_json::{Map, Number, Value};

use super::parquet_moments::{clock, date, int96, timestamp};
use crate::{
    data::{Place, Problem, ProblemKind},
    protocol::studio::Phrase,
};

/// Deeper nesting is refused; JSON readers stop near there, too.
const MAX_DEPTH: usize = 64;

/// Bytes of a decimal, and its digits behind the point; 32 bytes and 76 digits are the most in use.
const MAX_DECIMAL_BYTES: usize = 128;
const MAX_SCALE: i32 = 300;

/// Why a column cannot be read, if so.
pub(super) fn unreadable_type(field: &Type) -> Option<&'static str> {
    unreadable(field, 0)
}

fn unreadable(field: &Type, depth: usize) -> Option<&'static str> {
    if depth > MAX_DEPTH {
        return Some("values nested too deep");
    }
    if !field.get_basic_info().has_repetition() {
        return Some("a field that is not said to be required, optional or repeated");
    }
    if field.is_primitive() {
        return unreadable_leaf(field);
    }
    let fields = field.get_fields();
    let repeated = |field: &Type| {
        field.get_basic_info().has_repetition()
            && field.get_basic_info().repetition() == Repetition::REPEATED
    };
    let converted = field.get_basic_info().converted_type();
    let has_shape = match converted {
        _ if fields.is_empty() => false,
        ConvertedType::LIST => {
            fields.len() == 1
                && repeated(&fields[0])
                && (fields[0].is_primitive() || !fields[0].get_fields().is_empty())
        }
        ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE => {
            fields.len() == 1
                && repeated(&fields[0])
                && fields[0].is_group()
                && matches!(fields[0].get_fields().len(), 1 | 2)
        }
        _ => true,
    };
    if !has_shape {
        return Some("a list or struct of an unknown shape");
    }
    fields.iter().find_map(|field| unreadable(field, depth + 1))
}

/// The library stops the program on types that it does not know.
fn unreadable_leaf(field: &Type) -> Option<&'static str> {
    use ConvertedType as C;
    let converted = field.get_basic_info().converted_type();
    let is_read = match field.get_physical_type() {
        Physical::BOOLEAN | Physical::FLOAT | Physical::DOUBLE | Physical::INT96 => true,
        Physical::INT32 => matches!(
            converted,
            C::NONE
                | C::INT_8
                | C::INT_16
                | C::INT_32
                | C::UINT_8
                | C::UINT_16
                | C::UINT_32
                | C::DATE
                | C::TIME_MILLIS
                | C::DECIMAL
        ),
        Physical::INT64 => matches!(
            converted,
            C::NONE
                | C::INT_64
                | C::UINT_64
                | C::TIME_MICROS
                | C::TIMESTAMP_MILLIS
                | C::TIMESTAMP_MICROS
                | C::DECIMAL
        ),
        Physical::BYTE_ARRAY => matches!(
            converted,
            C::NONE | C::UTF8 | C::ENUM | C::JSON | C::BSON | C::DECIMAL
        ),
        Physical::FIXED_LEN_BYTE_ARRAY => matches!(converted, C::NONE | C::DECIMAL),
    };
    let is_long = converted == C::DECIMAL && field.get_scale() > MAX_SCALE;
    (!is_read || is_long).then_some("a type that is not read")
}

/// Why a row has no value in JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoValue {
    /// Of a map, whose second value would take the place of the first.
    KeyTwice(String),
    /// With its bytes.
    LongDecimal(usize),
}

impl NoValue {
    pub(super) fn problem(&self, place: Place, column: &str) -> Problem {
        let problem = |field: &str| Problem::new(ProblemKind::WrongType, place, field);
        match self {
            Self::KeyTwice(key) => problem(&format!("{column}.{key}"))
                .found(Phrase::Twice.english())
                .expected(Phrase::ItOnce.english())
                .advice("write the map as a list of pairs, or leave one of the two out"),
            Self::LongDecimal(n_bytes) => problem(column)
                .found(Phrase::Bytes.with([n_bytes]))
                .expected(Phrase::AtMost.with([&MAX_DECIMAL_BYTES]))
                .advice("write the decimal as text"),
        }
    }
}

/// A value as JSON; `kind` is its type, or one that holds nothing else.
pub(super) fn value(field: Field, kind: &Type) -> Result<Value, NoValue> {
    Ok(match field {
        Field::Null => Value::Null,
        Field::Bool(value) => Value::Bool(value),
        Field::Byte(value) => value.into(),
        Field::Short(value) => value.into(),
        Field::Int(value) => value.into(),
        Field::Long(value) => long(value, kind),
        Field::UByte(value) => value.into(),
        Field::UShort(value) => value.into(),
        Field::UInt(value) => value.into(),
        Field::ULong(value) => value.into(),
        Field::Float16(value) => float(f64::from(value)),
        // Through text, so that 0.1 does not become 0.10000000149011612.
        Field::Float(value) => float(value.to_string().parse().unwrap_or(f64::NAN)),
        Field::Double(value) => float(value),
        Field::Decimal(value) => Value::String(decimal(&value)?),
        Field::Str(text) => Value::String(text),
        Field::Bytes(bytes) => bytes_value(bytes.data(), kind),
        Field::Date(days) => Value::String(date(i64::from(days))),
        Field::TimeMillis(value) => Value::String(clock(i128::from(value) * 1_000_000)),
        Field::TimeMicros(value) => Value::String(clock(i128::from(value) * 1000)),
        Field::TimestampMillis(value) => moment(i128::from(value) * 1_000_000, kind),
        Field::TimestampMicros(value) => moment(i128::from(value) * 1000, kind),
        Field::Group(row) => object(row, kind)?,
        Field::ListInternal(list) => {
            let elements = list.elements().iter().cloned();
            elements
                .map(|field| value(field, kind))
                .collect::<Result<_, _>>()?
        }
        Field::MapInternal(map) => {
            let (keys, values) = pair(kind);
            let mut entries = Map::new();
            for (key, entry) in map.entries().iter().cloned() {
                let key = key_text(key, keys)?;
                if entries.insert(key.clone(), value(entry, values)?).is_some() {
                    return Err(NoValue::KeyTwice(key));
                }
            }
            Value::Object(entries)
        }
    })
}

fn object(row: Row, kind: &Type) -> Result<Value, NoValue> {
    let kinds = fields_of(&row, kind);
    let fields = row.into_columns().into_iter().enumerate();
    let fields = fields.map(|(i, (name, field))| {
        let kind: &Type = match kinds.get(i) {
            Some(own) => own,
            None => kind,
        };
        Ok((name, value(field, kind)?))
    });
    Ok(Value::Object(fields.collect::<Result<_, _>>()?))
}

/// Lists and what repeats in them are groups around a group.
fn fields_of<'a>(row: &Row, mut kind: &'a Type) -> &'a [TypePtr] {
    while !kind.is_primitive() {
        let fields = kind.get_fields();
        let names = fields.iter().map(|field| field.name());
        if names.eq(row.get_column_iter().map(|(name, _)| name.as_str())) {
            return fields;
        }
        match fields {
            [only] => kind = only,
            _ => break,
        }
    }
    &[]
}

/// The types of a map's keys and values.
fn pair(kind: &Type) -> (&Type, &Type) {
    let mut inside = kind;
    while !inside.is_primitive() {
        match inside.get_fields() {
            [only] => inside = only,
            [keys, values] => return (keys, values),
            _ => break,
        }
    }
    (kind, kind)
}

/// What the only leaf below a type holds.
fn leaf(mut kind: &Type) -> Option<&Type> {
    while !kind.is_primitive() {
        match kind.get_fields() {
            [only] => kind = only,
            _ => return None,
        }
    }
    Some(kind)
}

fn logical(kind: &Type) -> Option<&LogicalType> {
    leaf(kind)?.get_basic_info().logical_type_ref()
}

fn key_text(key: Field, kind: &Type) -> Result<String, NoValue> {
    Ok(match value(key, kind)? {
        Value::String(text) => text,
        other => other.to_string(),
    })
}

/// The older names of types have none for nanoseconds.
fn long(value: i64, kind: &Type) -> Value {
    match logical(kind) {
        Some(LogicalType::Timestamp(of)) if of.unit == TimeUnit::NANOS => {
            moment(i128::from(value), kind)
        }
        Some(LogicalType::Time(of)) if of.unit == TimeUnit::NANOS => {
            Value::String(clock(i128::from(value)))
        }
        _ => value.into(),
    }
}

fn moment(nanos: i128, kind: &Type) -> Value {
    let is_instant =
        matches!(logical(kind), Some(LogicalType::Timestamp(of)) if of.is_adjusted_to_u_t_c);
    Value::String(timestamp(nanos, is_instant))
}

fn float(value: f64) -> Value {
    match Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None => Value::String(value.to_string()),
    }
}

/// Bytes without a type are mostly text that was not said to be such.
fn bytes_value(bytes: &[u8], kind: &Type) -> Value {
    let is_int96 = leaf(kind).is_some_and(|leaf| leaf.get_physical_type() == Physical::INT96);
    if is_int96 && let Some(text) = int96(bytes) {
        return Value::String(text);
    }
    if logical(kind) == Some(&LogicalType::Uuid) {
        return Value::String(uuid(bytes));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::String(text.to_owned()),
        Err(_) => bytes.iter().map(|byte| Value::from(*byte)).collect(),
    }
}

fn uuid(bytes: &[u8]) -> String {
    let byte = |(i, byte): (usize, &u8)| match i {
        4 | 6 | 8 | 10 => format!("-{byte:02x}"),
        _ => format!("{byte:02x}"),
    };
    bytes.iter().enumerate().map(byte).collect()
}

fn decimal(value: &Decimal) -> Result<String, NoValue> {
    let bytes = value.data();
    let is_negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let filler = if is_negative { 0xff } else { 0 };
    let idle = bytes.iter().take_while(|byte| **byte == filler).count();
    // One of those in front may tell the sign.
    let bytes = bytes.get(idle.saturating_sub(1)..).unwrap_or_default();
    if bytes.len() > MAX_DECIMAL_BYTES {
        return Err(NoValue::LongDecimal(bytes.len()));
    }
    let digits = digits(magnitude(bytes, is_negative));
    let sign = if is_negative { "-" } else { "" };
    let scale = usize::try_from(value.scale().clamp(0, MAX_SCALE)).unwrap_or(0);
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, decimals) = digits.split_at(digits.len() - scale);
    Ok(match decimals {
        "" => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{decimals}"),
    })
}

/// Of a number in two's complement, the first byte first.
fn magnitude(bytes: &[u8], is_negative: bool) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if is_negative {
        let mut carries = true;
        for byte in bytes.iter_mut().rev() {
            let (sum, overflows) = (!*byte).overflowing_add(u8::from(carries));
            (*byte, carries) = (sum, overflows);
        }
    }
    bytes
}

/// In base ten, by dividing until nothing is left; nothing for zero.
fn digits(mut magnitude: Vec<u8>) -> String {
    const NINE_DIGITS: u64 = 1_000_000_000;
    let mut groups = Vec::new();
    while magnitude.iter().any(|byte| *byte != 0) {
        let mut rest = 0;
        for byte in &mut magnitude {
            rest = (rest << 8) | u64::from(*byte);
            // Below 256, since the rest before was below the divisor.
            *byte = (rest / NINE_DIGITS) as u8;
            rest %= NINE_DIGITS;
        }
        groups.push(rest);
    }
    let groups = groups.iter().rev().map(|group| format!("{group:09}"));
    let digits: String = groups.collect();
    digits.trim_start_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use parquet::{data_type::ByteArray, record::Row, schema::parser::parse_message_type};

    use super::*;

    #[test]
    fn decimals_keep_their_digits() {
        let of = |value, scale| decimal(&Decimal::from_i64(value, 18, scale)).unwrap();
        assert_eq!(of(-1_234_505, 2), "-12345.05");
        assert_eq!(of(5, 3), "0.005");
        assert_eq!(of(7, 0), "7");
        assert_eq!(of(0, 2), "0.00");
        assert_eq!(of(-128, 0), "-128");
        assert_eq!(of(i64::MIN, 0), "-9223372036854775808");
    }

    fn long(bytes: Vec<u8>, scale: i32) -> Result<String, NoValue> {
        decimal(&Decimal::from_bytes(ByteArray::from(bytes), 76, scale))
    }

    #[test]
    fn decimals_of_more_than_sixteen_bytes() {
        let mut bytes = vec![0; 32];
        bytes[31] = 11;
        assert_eq!(long(bytes.clone(), 1), Ok("1.1".into()));
        bytes[0] = 1;
        let two_to_248 =
            "452312848583266388373324160190187140051835877600158453279131187530910662656";
        bytes[31] = 0;
        assert_eq!(long(bytes, 0), Ok(two_to_248.into()));
        let mut negative = vec![0xff; 32];
        negative[31] = 0xec;
        assert_eq!(long(negative, 1), Ok("-2.0".into()));
        assert_eq!(long(vec![0xff; 4000], 0), Ok("-1".into()));
        assert_eq!(long(vec![1; 4000], 0), Err(NoValue::LongDecimal(4000)));
        assert_eq!(long(Vec::new(), 0), Ok("0".into()));
    }

    #[test]
    fn what_is_no_number_is_a_text() {
        assert_eq!(float(f64::NAN), "NaN");
        assert_eq!(float(f64::NEG_INFINITY), "-inf");
        assert_eq!(float(0.5), 0.5);
    }

    /// The type of the only column of a message.
    fn kind(column: &str) -> TypePtr {
        let end = if column.ends_with('}') { "" } else { ";" };
        let message = parse_message_type(&format!("message m {{ {column}{end} }}")).unwrap();
        message.get_fields()[0].clone()
    }

    #[test]
    fn nanoseconds_and_zones_are_told_by_the_schema() {
        let said = |column, field| value(field, &kind(column)).unwrap();
        let at = 1_709_214_330_123_456_789;
        for (column, text) in [
            (
                "required int64 a (TIMESTAMP(NANOS,false))",
                "2024-02-29 13:45:30.123456789",
            ),
            (
                "required int64 a (TIMESTAMP(NANOS,true))",
                "2024-02-29 13:45:30.123456789Z",
            ),
            ("required int64 a (TIME(NANOS,true))", "00:00:00.000000001"),
        ] {
            let value = if column.contains("TIMESTAMP") { at } else { 1 };
            assert_eq!(said(column, Field::Long(value)), text);
        }
        let micros = Field::TimestampMicros(at / 1000);
        let utc = "required int64 a (TIMESTAMP(MICROS,true))";
        assert_eq!(said(utc, micros.clone()), "2024-02-29 13:45:30.123456Z");
        let old = "required int64 a (TIMESTAMP_MICROS)";
        assert_eq!(said(old, micros), "2024-02-29 13:45:30.123456");
        assert_eq!(said("required int64 a", Field::Long(at)), at);
    }

    #[test]
    fn types_are_found_inside_of_structs() {
        let kind = kind(
            "optional group a { required group at { required int64 at (TIMESTAMP(NANOS,true)); } \
             required fixed_len_byte_array(16) id (UUID); }",
        );
        let at = Row::new(vec![("at".into(), Field::Long(0))]);
        let id = ByteArray::from((0..16).collect::<Vec<u8>>());
        let row = Row::new(vec![
            ("at".into(), Field::Group(at)),
            ("id".into(), Field::Bytes(id)),
        ]);
        let expected = serde_json::json!({
            "at": {"at": "1970-01-01 00:00:00Z"},
            "id": "00010203-0405-0607-0809-0a0b0c0d0e0f",
        });
        assert_eq!(value(Field::Group(row), &kind), Ok(expected));
    }
}
