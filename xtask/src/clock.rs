//! Durations as people read them.

use std::time::Duration;

/// `0.8 s`, `42 s`, `3 min 05 s`.
pub(crate) fn readable(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match whole / 60 {
        0 => format!("{whole} s"),
        minutes => format!("{minutes} min {:02} s", whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_a_person_would_say_it() {
        let check = |millis, text| assert_eq!(readable(Duration::from_millis(millis)), text);
        check(840, "0.8 s");
        check(9_960, "10 s");
        check(59_400, "59 s");
        check(59_600, "1 min 00 s");
        check(185_000, "3 min 05 s");
    }
}
