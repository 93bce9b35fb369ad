//! Values of Parquet as JSON: lists and structs as such, dates as ISO 8601, decimals as text.

use parquet::{
    basic::{ConvertedType, Repetition, Type as Physical},
    data_type::Decimal,
    record::{Field, Row},
    schema::types::Type,
};
use serde_json::{Map, Number, Value};

/// Deeper nesting is refused; JSON readers stop near there, too.
const MAX_DEPTH: usize = 64;

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
    (!is_read).then_some("a type that is not read")
}

/// A value as JSON.
pub(super) fn value(field: Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(value) => Value::Bool(value),
        Field::Byte(value) => value.into(),
        Field::Short(value) => value.into(),
        Field::Int(value) => value.into(),
        Field::Long(value) => value.into(),
        Field::UByte(value) => value.into(),
        Field::UShort(value) => value.into(),
        Field::UInt(value) => value.into(),
        Field::ULong(value) => value.into(),
        Field::Float16(value) => float(f64::from(value)),
        // Through text, so that 0.1 does not become 0.10000000149011612.
        Field::Float(value) => float(value.to_string().parse().unwrap_or(f64::NAN)),
        Field::Double(value) => float(value),
        Field::Decimal(value) => Value::String(decimal(&value)),
        Field::Str(text) => Value::String(text),
        Field::Bytes(bytes) => bytes_value(bytes.data()),
        Field::Date(days) => Value::String(date(i64::from(days))),
        Field::TimeMillis(value) => Value::String(clock(i64::from(value) * 1000)),
        Field::TimeMicros(value) => Value::String(clock(value)),
        Field::TimestampMillis(value) => Value::String(timestamp(value.saturating_mul(1000))),
        Field::TimestampMicros(value) => Value::String(timestamp(value)),
        Field::Group(row) => object(row),
        Field::ListInternal(list) => list.elements().iter().cloned().map(value).collect(),
        Field::MapInternal(map) => {
            let entries = map.entries().iter().cloned();
            let entries = entries.map(|(key, entry)| (key_text(key), value(entry)));
            Value::Object(entries.collect())
        }
    }
}

fn object(row: Row) -> Value {
    let fields = row.into_columns().into_iter();
    let fields: Map<_, _> = fields.map(|(name, field)| (name, value(field))).collect();
    Value::Object(fields)
}

fn key_text(key: Field) -> String {
    match value(key) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn float(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// Bytes without a type are mostly text that was not said to be such.
fn bytes_value(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::String(text.to_owned()),
        Err(_) => bytes.iter().map(|byte| Value::from(*byte)).collect(),
    }
}

fn decimal(value: &Decimal) -> String {
    let bytes = value.data();
    if bytes.len() > 16 {
        return bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    }
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut number: i128 = if negative { -1 } else { 0 };
    for byte in bytes {
        number = (number << 8) | i128::from(*byte);
    }
    let digits = number.unsigned_abs().to_string();
    let scale = usize::try_from(value.scale()).unwrap_or(0).min(100);
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, decimals) = digits.split_at(digits.len() - scale);
    let sign = if number < 0 { "-" } else { "" };
    if decimals.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{decimals}")
    }
}

/// Days since 1970 in the Gregorian calendar, by counting in eras of 400 years from a 1st of March.
fn date(days: i64) -> String {
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

fn clock(micros: i64) -> String {
    let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let text = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    match fraction {
        0 => text,
        _ => format!("{text}.{fraction:06}")
            .trim_end_matches('0')
            .to_owned(),
    }
}

fn timestamp(micros: i64) -> String {
    const DAY: i64 = 86_400_000_000;
    let day = date(micros.div_euclid(DAY));
    format!("{day} {}", clock(micros.rem_euclid(DAY)))
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
        assert_eq!(timestamp(0), "1970-01-01 00:00:00");
        assert_eq!(timestamp(-500_000), "1969-12-31 23:59:59.5");
        assert!(!timestamp(i64::MIN).is_empty());
    }

    #[test]
    fn decimals_keep_their_digits() {
        let of = |value, scale| decimal(&Decimal::from_i64(value, 18, scale));
        assert_eq!(of(-1_234_505, 2), "-12345.05");
        assert_eq!(of(5, 3), "0.005");
        assert_eq!(of(7, 0), "7");
    }
}
