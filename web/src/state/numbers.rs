//! Numbers as people read them, in the language of the interface.

use crate::texts::Language;

/// Bytes in decimal units: `1.4 GB`.
pub fn bytes(n: u64, language: Language) -> String {
    scaled(n, 1000.0, &["B", "kB", "MB", "GB", "TB"], language)
}

/// A count with its thousands set apart: `12,345`, `12.345`.
pub fn whole(n: u64, language: Language) -> String {
    let separator = match language {
        Language::Spanish => '.',
        Language::English | Language::Japanese => ',',
    };
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// A count as people of any language type it: `2048`, `2,048`, `2.048`, `2 048`, `２０４８`. Signs may
/// only set thousands apart, so `1.5` is none.
pub fn typed_whole(text: &str) -> Option<u64> {
    let text: String = text.trim().chars().map(narrow_digit).collect();
    let is_sign =
        |c: char| c.is_whitespace() || matches!(c, '.' | ',' | '\'' | '’' | '．' | '，' | '、');
    let groups: Vec<&str> = text.split(is_sign).collect();
    let (first, others) = groups.split_first()?;
    let is_grouped = others.is_empty() || (1..=3).contains(&first.len());
    let is_whole = is_grouped && others.iter().all(|group| group.len() == 3);
    let digits = groups.concat();
    // A sign in front would be taken as part of a number.
    let has_digits_only = digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_whole && has_digits_only).then(|| digits.parse().ok())?
}

/// Japanese keyboards write digits as wide as ideographs.
fn narrow_digit(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    }
}

/// Counts of parameters: `2.2 M`.
pub fn count(n: u64, language: Language) -> String {
    scaled(n, 1000.0, &["", "k", "M", "B", "T"], language)
}

/// A time span: `340 ms`, `2.1 s`.
pub fn milliseconds(ms: f64, language: Language) -> String {
    if !ms.is_finite() || ms < 0.0 {
        return "–".to_owned();
    }
    if ms < 999.5 {
        format!("{ms:.0} ms")
    } else {
        format!("{} s", with_digits(ms / 1000.0, 1, language))
    }
}

/// A rate with three digits: `7.25`, `35.2`, `120`.
pub fn rate(x: f64, language: Language) -> String {
    if !x.is_finite() || x <= 0.0 {
        return "–".to_owned();
    }
    with_digits(x, digits_for(x), language)
}

/// A share in percent: `98.4 %`; never `0 %` for something that can happen.
pub fn percent(share: f64, language: Language) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.1 {
        return format!("<{} %", with_digits(0.1, 1, language));
    }
    format!("{} %", with_digits(percent, 1, language))
}

fn scaled(n: u64, base: f64, units: &[&str], language: Language) -> String {
    let mut value = n as f64;
    let mut unit = 0;
    // 999.95 would be written as 1000.
    while value >= base * 0.9995 && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    let number = match unit {
        0 => format!("{n}"),
        _ => with_digits(value, digits_for(value).min(1), language),
    };
    format!("{number} {}", units[unit]).trim_end().to_owned()
}

fn digits_for(x: f64) -> usize {
    match x {
        x if x >= 99.95 => 0,
        x if x >= 9.995 => 1,
        _ => 2,
    }
}

fn with_digits(x: f64, n_digits: usize, language: Language) -> String {
    let text = format!("{x:.n_digits$}");
    match language {
        Language::Spanish => text.replace('.', ","),
        Language::English | Language::Japanese => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(whole(999, Language::English), "999");
        assert_eq!(whole(1_234_567, Language::English), "1,234,567");
        assert_eq!(whole(100_000, Language::Spanish), "100.000");
    }

    #[test]
    fn counts_are_read_as_people_type_them() {
        let typed = [
            "12345",
            "12,345",
            "12.345",
            "12 345",
            "12'345",
            "１２３４５",
            "１２，３４５",
            " 12345 ",
        ];
        for text in typed {
            assert_eq!(typed_whole(text), Some(12_345), "{text}");
        }
        assert_eq!(typed_whole("0"), Some(0));
        for text in [
            "", "1.5", "1234,567", ",123", "12,34", "+5", "-5", "x", "1,2345",
        ] {
            assert_eq!(typed_whole(text), None, "{text}");
        }
        for language in Language::ALL {
            let shown = whole(1_234_567, language);
            assert_eq!(typed_whole(&shown), Some(1_234_567), "{shown}");
        }
    }

    use Language::{English, Spanish};

    #[test]
    fn bytes_take_the_unit_that_fits() {
        assert_eq!(bytes(0, English), "0 B");
        assert_eq!(bytes(999, English), "999 B");
        assert_eq!(bytes(1_000, English), "1.0 kB");
        assert_eq!(bytes(999_999, English), "1.0 MB");
        assert_eq!(bytes(1_440_000_000, English), "1.4 GB");
        assert_eq!(bytes(1_440_000_000, Spanish), "1,4 GB");
        assert_eq!(bytes(u64::MAX, English), "18446744 TB");
    }

    #[test]
    fn counts_have_no_unit_below_a_thousand() {
        assert_eq!(count(12, English), "12");
        assert_eq!(count(2_200_000, English), "2.2 M");
    }

    #[test]
    fn times_and_rates() {
        assert_eq!(milliseconds(340.2, English), "340 ms");
        assert_eq!(milliseconds(999.7, English), "1.0 s");
        assert_eq!(milliseconds(f64::NAN, English), "–");
        assert_eq!(rate(7.254, English), "7.25");
        assert_eq!(rate(35.24, Spanish), "35,2");
        assert_eq!(rate(120.4, English), "120");
        assert_eq!(rate(0.0, English), "–");
    }

    #[test]
    fn small_shares_are_not_zero() {
        assert_eq!(percent(0.984, English), "98.4 %");
        assert_eq!(percent(0.0001, English), "<0.1 %");
        assert_eq!(percent(0.0, English), "0.0 %");
    }
}
