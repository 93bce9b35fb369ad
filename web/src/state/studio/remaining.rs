//! How long something will still take, from how fast it went.

use crate::texts::Language;

/// Below this share of the work, or this time, a guess would jump about.
const MIN_SHARE: f64 = 0.02;
const MIN_ELAPSED_MS: f64 = 700.0;

/// Seconds that are left; `None` while nobody can say.
pub fn seconds(done: u64, total: u64, elapsed_ms: f64) -> Option<u64> {
    if total == 0 || elapsed_ms < MIN_ELAPSED_MS {
        return None;
    }
    let share = done as f64 / total as f64;
    if !(MIN_SHARE..=1.0).contains(&share) {
        return None;
    }
    let left_ms = elapsed_ms * (1.0 - share) / share;
    Some((left_ms / 1000.0).ceil() as u64)
}

/// `8 s`, `3 min`, `2 h`; `8 秒`, `3 分`, `2 時間`.
pub fn readable(seconds: u64, language: Language) -> String {
    let [second, minute, hour] = match language {
        Language::English | Language::Spanish => ["s", "min", "h"],
        Language::Japanese => ["秒", "分", "時間"],
    };
    match seconds {
        0..=89 => format!("{seconds} {second}"),
        90..=5399 => format!("{} {minute}", (seconds + 30) / 60),
        _ => format!("{} {hour}", (seconds + 1800) / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_follows_the_rate() {
        assert_eq!(seconds(50, 100, 10_000.0), Some(10));
        assert_eq!(seconds(1, 4, 1_000.0), Some(3));
        assert_eq!(seconds(100, 100, 5_000.0), Some(0));
    }

    #[test]
    fn nothing_is_promised_too_early() {
        assert_eq!(seconds(50, 100, 100.0), None);
        assert_eq!(seconds(1, 100_000, 5_000.0), None);
        assert_eq!(seconds(5, 0, 5_000.0), None);
        assert_eq!(seconds(200, 100, 5_000.0), None);
    }

    #[test]
    fn spans_are_short() {
        assert_eq!(readable(8, Language::English), "8 s");
        assert_eq!(readable(170, Language::Spanish), "3 min");
        assert_eq!(readable(7_300, Language::English), "2 h");
        assert_eq!(readable(7_300, Language::Japanese), "2 時間");
    }
}
