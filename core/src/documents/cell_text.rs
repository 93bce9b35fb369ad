//! Cells of spreadsheets as people read them: dates as dates, 0.3 as 0.3, errors as `#N/A`.
//!
//! Thousand separators are a matter of display and are left out; percentages are shown as such.
//!
//! Spreadsheets show 15 digits, files have more. Those of a whole number are all kept, for it may be the
//! number of an account. A fraction keeps them too, unless rounding to 15 digits leaves it much shorter:
//! 0.30000000000000004 is what binary fractions make of 0.3, 0.1234567890123456 was written by somebody.

/// From here on whole numbers have gaps between them.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Digits that spreadsheets show.
const SHOWN_DIGITS: usize = 15;

/// Digits that always tell one binary fraction from another.
const BINARY_DIGITS: usize = 17;

/// A number that rounds to so few digits was meant to have no more.
const MEANT_DIGITS: usize = 13;

/// A number as far as it is held.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    if value.fract() == 0.0 && value.abs() < EXACT {
        return format!("{:.0}", value + 0.0);
    }
    let value = meant(value).unwrap_or(value);
    let size = value.abs();
    if size != 0.0 && !(1e-9..1e15).contains(&size) {
        return format!("{value:E}");
    }
    format!("{}", value + 0.0)
}

/// Whether a file may say more of a number than [`number`] does.
pub(super) fn has_more_digits(value: f64) -> bool {
    let is_exact = value.fract() == 0.0 && value.abs() < EXACT;
    value.is_finite() && !is_exact && n_digits(value) > SHOWN_DIGITS && meant(value).is_none()
        || value.is_finite() && value.abs() >= EXACT
}

/// A number from the digits of its file.
pub(super) fn literal(text: &str) -> String {
    let text = text.trim();
    match (text.parse::<f64>(), Digits::of(text)) {
        (Ok(_), Some(digits)) if digits.decimals.is_empty() => digits.plain(),
        (Ok(value), Some(digits)) => {
            let n = digits.n_significant();
            let is_meant = n > BINARY_DIGITS
                || n > SHOWN_DIGITS
                    && meant(value).is_none()
                    // So many are how Excel writes any number; fewer may say the same.
                    && (n < BINARY_DIGITS || n_digits(value) == BINARY_DIGITS);
            if is_meant {
                digits.plain()
            } else {
                number(value)
            }
        }
        (Ok(value), None) if value.is_finite() => number(value),
        _ => text.to_owned(),
    }
}

/// A number that is written without a power of ten.
struct Digits<'a> {
    is_negative: bool,
    /// Without idle zeros.
    whole: &'a str,
    decimals: &'a str,
}

impl<'a> Digits<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = are_digits(whole) && are_digits(decimals);
        is_plain.then(|| Self {
            is_negative,
            whole: whole.trim_start_matches('0'),
            decimals: decimals.trim_end_matches('0'),
        })
    }

    fn n_significant(&self) -> usize {
        match self.whole.len() {
            0 => self.decimals.trim_start_matches('0').len(),
            n => n + self.decimals.len(),
        }
    }

    fn plain(&self) -> String {
        let whole = if self.whole.is_empty() {
            "0"
        } else {
            self.whole
        };
        let is_zero = self.whole.is_empty() && self.decimals.is_empty();
        let sign = if self.is_negative && !is_zero {
            "-"
        } else {
            ""
        };
        match self.decimals {
            "" => format!("{sign}{whole}"),
            decimals => format!("{sign}{whole}.{decimals}"),
        }
    }
}

/// The short number that binary fractions have made a long one of (0.1 + 0.2).
fn meant(value: f64) -> Option<f64> {
    let rounded: f64 = format!("{value:.14e}").parse().ok()?;
    (n_digits(rounded) <= MEANT_DIGITS).then_some(rounded)
}

/// Digits that it takes to tell a number from its neighbours.
fn n_digits(value: f64) -> usize {
    let text = format!("{value:e}");
    let mantissa = text.split('e').next().unwrap_or_default();
    mantissa.bytes().filter(u8::is_ascii_digit).count()
}

/// A number under the code of its format, such as `0.0%` or `00000`.
pub(super) fn formatted(value: f64, format: &str) -> String {
    let positive = format.split(';').next().unwrap_or_default();
    if has_fixed_digits(positive) && value.fract() == 0.0 && (0.0..EXACT).contains(&value) {
        let n_digits = positive.len();
        return format!("{value:0n_digits$.0}");
    }
    let code = bare(format);
    let code = code.split(';').next().unwrap_or_default();
    if !code.contains('%') {
        return number(value);
    }
    let decimals = code.split_once('.').map_or(0, |(_, rest)| {
        rest.chars().take_while(|&c| c == '0').count()
    });
    percent(value, decimals)
}

/// Whether numbers are not told without this format: those of shares, and codes such as `01067`.
pub(super) fn is_telling(format: &str) -> bool {
    format.contains('%') && bare(format).contains('%') || has_fixed_digits(format)
}

/// A format without what it only shows: texts in quotes, the character behind `\`, the one behind `_`
/// that a blank is as wide as, the one behind `*` that fills the cell, and what stands in square brackets.
fn bare(format: &str) -> String {
    let mut code = String::with_capacity(format.len());
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' | '_' | '*' => {
                chars.next();
            }
            '"' => {
                chars.find(|c| *c == '"');
            }
            '[' => {
                chars.find(|c| *c == ']');
            }
            c => code.push(c),
        }
    }
    code
}

/// `00000`, which is how codes are formatted: their leading zeros are part of them.
pub(super) fn has_fixed_digits(format: &str) -> bool {
    let positive = format.split(';').next().unwrap_or_default();
    (2..=SHOWN_DIGITS).contains(&positive.len()) && positive.bytes().all(|byte| byte == b'0')
}

/// A share with so many decimals, or with all that it has: a format of few decimals hides what the
/// cell holds, and data must not lose it.
pub(super) fn percent(value: f64, n_decimals: usize) -> String {
    let percent = hundredfold(value);
    let n_decimals = n_decimals.min(SHOWN_DIGITS);
    let shown = format!("{percent:.n_decimals$}");
    let exact = shown
        .parse::<f64>()
        .is_ok_and(|shown| (shown - percent).abs() < 1e-9);
    format!("{}%", if exact { shown } else { number(percent) })
}

/// By moving the point: a product of binary fractions has digits that nobody wrote.
fn hundredfold(value: f64) -> f64 {
    let text = format!("{value:e}");
    let moved = text.split_once('e').and_then(|(mantissa, power)| {
        let power: i32 = power.parse().ok()?;
        format!("{mantissa}e{}", power + 2).parse().ok()
    });
    moved.unwrap_or(value * 100.0)
}

/// Year, month, day, hour, minute, second as `2024-03-31`, `2024-03-31 12:30:00` or `12:30:00`.
pub(super) fn date_time(date: (u16, u8, u8), time: (u8, u8, u8), has_date: bool) -> String {
    let (year, month, day) = date;
    let (hour, minute, second) = time;
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    if !has_date {
        return clock;
    }
    let calendar = format!("{year:04}-{month:02}-{day:02}");
    if time == (0, 0, 0) {
        calendar
    } else {
        format!("{calendar} {clock}")
    }
}

/// Days as hours, minutes and seconds: `27:30:00`.
pub(super) fn duration(days: f64) -> String {
    if !days.is_finite() || days.abs() > 1e9 {
        return number(days);
    }
    let seconds = (days.abs() * 86_400.0).round() as u64;
    let sign = if days < 0.0 { "-" } else { "" };
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{sign}{hours}:{minutes:02}:{:02}", seconds % 60)
}

/// A duration of ISO 8601 as hours, minutes and seconds: `PT30H05M01.5S` as `30:05:01.5`.
pub(super) fn iso_duration(text: &str) -> Option<String> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => ("-", text),
        None => ("", text),
    };
    let (days, time) = text.strip_prefix('P')?.split_once('T')?;
    let mut seconds: u64 = match days.strip_suffix('D') {
        Some(days) => days.parse::<u64>().ok()?.checked_mul(86_400)?,
        None if days.is_empty() => 0,
        None => return None,
    };
    let (mut rest, mut fraction) = (time, "");
    for (letter, size) in [('H', 3600), ('M', 60), ('S', 1)] {
        let Some((count, after)) = rest.split_once(letter) else {
            continue;
        };
        let whole = count.split_once(['.', ',']);
        let (whole, behind) = whole.filter(|_| letter == 'S').unwrap_or((count, ""));
        let count = whole.parse::<u64>().ok()?.checked_mul(size)?;
        seconds = seconds.checked_add(count)?;
        (rest, fraction) = (after, behind.trim_end_matches('0'));
    }
    let are_digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !rest.is_empty() || !are_digits {
        return None;
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(format!(
        "{sign}{hours:02}:{minutes:02}:{seconds:02}{point}{fraction}"
    ))
}

/// A date in ISO 8601 without a time of midnight.
pub(super) fn iso_date(text: &str) -> String {
    let text = text.strip_suffix("T00:00:00").unwrap_or(text);
    text.replacen('T', " ", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_noise() {
        for (value, text) in [
            (0.1 + 0.2, "0.3"),
            (11_076.0, "11076"),
            (-0.0, "0"),
            (1e20, "1E20"),
            (1_234_567_890_123_456.0, "1234567890123456"),
            (-9_007_199_254_740_991.0, "-9007199254740991"),
            (f64::NAN, ""),
            (14_047_594.25, "14047594.25"),
            (0.123_456_789_012_345_6, "0.1234567890123456"),
            (12_345_678_901.230_001, "12345678901.23"),
            (1.234_567_890_123_456_8e18, "1.2345678901234568E18"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn literals_keep_the_digits_that_were_meant() {
        for (text, expected) in [
            ("1234567890123456789", "1234567890123456789"),
            ("-9007199254740993", "-9007199254740993"),
            ("9007199254740993.0", "9007199254740993"),
            ("100000000000000000000", "100000000000000000000"),
            ("1.2345678901234568E+18", "1.2345678901234568E18"),
            ("0.1234567890123456", "0.1234567890123456"),
            ("0.30000000000000004", "0.3"),
            ("0.33333333333333331", "0.3333333333333333"),
            ("0.12345678901234559", "0.1234567890123456"),
            ("12345678901.123456789", "12345678901.123456789"),
            ("0.1", "0.1"),
            ("-0", "0"),
            ("1E+20", "1E20"),
            ("1e999", "1e999"),
            ("12 Monate", "12 Monate"),
        ] {
            assert_eq!(literal(text), expected, "{text}");
        }
    }

    #[test]
    fn only_long_numbers_are_looked_up() {
        for value in [0.1 + 0.2, 0.5, 1e14 + 0.5, 12.0, EXACT - 1.0, f64::NAN] {
            assert!(!has_more_digits(value), "{value}");
        }
        for value in [0.123_456_789_012_345_6, EXACT, -1.2e18, 1.0 / 3.0] {
            assert!(has_more_digits(value), "{value}");
        }
    }

    #[test]
    fn percentages_keep_what_they_hold() {
        for (value, format, text) in [
            (0.123, "0.0%", "12.3%"),
            (0.5, "0%", "50%"),
            (0.1234, "0%", "12.34%"),
            (0.5, "0.00", "0.5"),
            (12.5, "0.0\\%", "12.5"),
            (12.5, "0.0\"%\"", "12.5"),
            (12.5, "0.0_%", "12.5"),
            (0.125, "0.0% \"of GDP\"", "12.5%"),
            (0.125, "[Red]0.0%;[Blue]-0.0\\%", "12.5%"),
            (0.07, "0%", "7%"),
            (0.012_34, "0%", "1.234%"),
            (1_067.0, "00000", "01067"),
            (7.0, "000;-000", "007"),
            (123_456.0, "00000", "123456"),
            (1.5, "00000", "1.5"),
            (-7.0, "000", "-7"),
            (0.0, "00", "00"),
            (7.0, "0", "7"),
            (7.0, "0000-00", "7"),
        ] {
            assert_eq!(formatted(value, format), text);
        }
    }

    #[test]
    fn a_percent_sign_that_is_only_shown_tells_nothing() {
        for format in ["0.0\\%", "0.0\"%\"", "General", "0_%", "0\\"] {
            assert!(!is_telling(format), "{format}");
        }
        assert!(is_telling("0.0%") && is_telling("00000") && is_telling("0%\"x\""));
    }

    #[test]
    fn dates_and_times() {
        assert_eq!(date_time((2024, 3, 31), (0, 0, 0), true), "2024-03-31");
        assert_eq!(
            date_time((2024, 3, 31), (9, 5, 0), true),
            "2024-03-31 09:05:00"
        );
        assert_eq!(date_time((1899, 12, 31), (9, 5, 7), false), "09:05:07");
        assert_eq!(duration(1.145_833_333_3), "27:30:00");
        assert_eq!(iso_date("2024-03-31T00:00:00"), "2024-03-31");
        for (iso, text) in [
            ("PT30H05M00S", "30:05:00"),
            ("-PT00H00M01.500S", "-00:00:01.5"),
            ("P1DT90M", "25:30:00"),
        ] {
            assert_eq!(iso_duration(iso).as_deref(), Some(text));
        }
        for iso in ["", "30:05", "P1Y", "PT1X", "PT18446744073709551615H"] {
            assert_eq!(iso_duration(iso), None, "{iso}");
        }
    }
}
