//! Cells of spreadsheets as people read them: dates as dates, 0.3 as 0.3, errors as `#N/A`.
//!
//! Thousand separators are a matter of display and are left out; percentages are shown as such.

/// From here on whole numbers have gaps between them.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number with at most the 15 digits that spreadsheets show, whole ones with all of theirs.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    // Spreadsheets show 15 digits; numbers of accounts have more, and the file has them whole.
    if value.fract() == 0.0 && value.abs() < EXACT {
        return format!("{:.0}", value + 0.0);
    }
    // Rounding through the decimal form drops what binary fractions add (0.1 + 0.2).
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    let size = rounded.abs();
    if size != 0.0 && !(1e-9..1e15).contains(&size) {
        return format!("{rounded:E}");
    }
    format!("{}", rounded + 0.0)
}

/// A number under the code of its format, such as `0.0%`.
pub(super) fn formatted(value: f64, format: &str) -> String {
    let positive = format.split(';').next().unwrap_or_default();
    if !positive.contains('%') || positive.contains('"') {
        return number(value);
    }
    let decimals = positive.split_once('.').map_or(0, |(_, rest)| {
        rest.chars().take_while(|&c| c == '0').count()
    });
    let percent = value * 100.0;
    let shown = format!("{percent:.decimals$}");
    // A format of no decimals hides what the cell holds; data must not lose it.
    let exact = shown
        .parse::<f64>()
        .is_ok_and(|shown| (shown - percent).abs() < 1e-9);
    format!("{}%", if exact { shown } else { number(percent) })
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
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn percentages_keep_what_they_hold() {
        for (value, format, text) in [
            (0.123, "0.0%", "12.3%"),
            (0.5, "0%", "50%"),
            (0.1234, "0%", "12.34%"),
            (0.5, "0.00", "0.5"),
        ] {
            assert_eq!(formatted(value, format), text);
        }
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
    }
}
