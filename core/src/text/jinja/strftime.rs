//! `strftime_now`: the date that some templates print, given by the caller.
//!
//! The core has no clock; the C locale's names are used, as Python does by default.

/// A moment of the local calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

impl DateTime {
    /// The moment `secs` seconds after 1970-01-01 00:00 (days from civil, Howard Hinnant's algorithm).
    pub fn from_unix(secs: i64) -> Self {
        let (days, of_day) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let of_era = z.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year: year as i32,
            month: month as u32,
            day: day as u32,
            hour: (of_day / 3600) as u32,
            minute: (of_day / 60 % 60) as u32,
            second: (of_day % 60) as u32,
        }
    }

    /// Formats by C's directives; one that is not known is written as it stands.
    pub fn format(&self, format: &str) -> String {
        let mut out = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some('-') => match chars.next() {
                    Some(c) => out.push_str(&unpadded(&self.directive(c))),
                    None => out.push_str("%-"),
                },
                Some(c) => out.push_str(&self.directive(c)),
                None => out.push('%'),
            }
        }
        out
    }

    fn directive(&self, c: char) -> String {
        let month = MONTHS[(self.month.clamp(1, 12) - 1) as usize];
        let weekday = DAYS[self.weekday()];
        let hour12 = (self.hour + 11) % 12 + 1;
        match c {
            'Y' => self.year.to_string(),
            'y' => format!("{:02}", self.year.rem_euclid(100)),
            'm' => format!("{:02}", self.month),
            'd' => format!("{:02}", self.day),
            'e' => format!("{:2}", self.day),
            'B' => month.to_owned(),
            'b' | 'h' => month[..3].to_owned(),
            'A' => weekday.to_owned(),
            'a' => weekday[..3].to_owned(),
            'w' => self.weekday().to_string(),
            'u' => ((self.weekday() + 6) % 7 + 1).to_string(),
            'j' => format!("{:03}", self.day_of_year()),
            'U' => format!("{:02}", self.week_from(0)),
            'W' => format!("{:02}", self.week_from(1)),
            'C' => format!("{:02}", self.year.div_euclid(100)),
            'H' => format!("{:02}", self.hour),
            'k' => format!("{:2}", self.hour),
            'l' => format!("{hour12:2}"),
            'I' => format!("{hour12:02}"),
            'M' => format!("{:02}", self.minute),
            'S' => format!("{:02}", self.second),
            'f' => "000000".to_owned(),
            'p' => if self.hour < 12 { "AM" } else { "PM" }.to_owned(),
            'F' => self.format("%Y-%m-%d"),
            'P' => if self.hour < 12 { "am" } else { "pm" }.to_owned(),
            'r' => self.format("%I:%M:%S %p"),
            'T' | 'X' => self.format("%H:%M:%S"),
            'R' => self.format("%H:%M"),
            'D' | 'x' => self.format("%m/%d/%y"),
            'c' => self.format("%a %b %e %H:%M:%S %Y"),
            'n' => "\n".to_owned(),
            't' => "\t".to_owned(),
            'z' | 'Z' => String::new(),
            '%' => "%".to_owned(),
            other => format!("%{other}"),
        }
    }

    fn day_of_year(&self) -> u32 {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let february = if leap { 29 } else { 28 };
        let days = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let before = self.month.clamp(1, 12) as usize - 1;
        days[..before].iter().sum::<u32>() + self.day
    }

    /// The week of the year; the first one begins with the first such weekday.
    fn week_from(&self, weekday: usize) -> u32 {
        let since = (self.weekday() + 7 - weekday) % 7;
        (self.day_of_year() + 6 - since as u32) / 7
    }

    /// 0 is Sunday (Zeller's congruence in Sakamoto's form).
    fn weekday(&self) -> usize {
        const SHIFT: [i32; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
        let year = self.year - i32::from(self.month < 3);
        let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let shift = SHIFT[(self.month.clamp(1, 12) - 1) as usize];
        (year + leaps + shift + self.day as i32).rem_euclid(7) as usize
    }
}

/// glibc's `%-d`: without the leading zeros or spaces, but never empty.
fn unpadded(padded: &str) -> String {
    let digits = padded.trim_start_matches(['0', ' ']);
    if digits.starts_with(|c: char| c.is_ascii_digit()) {
        digits.to_owned()
    } else {
        format!("0{digits}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_as_python_does() {
        // datetime(2024, 7, 4, 15, 5, 9).strftime(…)
        let moment = DateTime {
            year: 2024,
            month: 7,
            day: 4,
            hour: 15,
            minute: 5,
            second: 9,
        };
        assert_eq!(moment.format("%d %b %Y"), "04 Jul 2024");
        assert_eq!(
            moment.format("%-d %B %y, %A %a %j"),
            "4 July 24, Thursday Thu 186"
        );
        assert_eq!(moment.format("%I:%M:%S %p|%H|%%|%e"), "03:05:09 PM|15|%| 4");
        assert_eq!(
            moment.format("%U %W %C|%k %l %P|%r"),
            "26 27 20|15  3 pm|03:05:09 PM"
        );
    }

    #[test]
    fn an_unpadded_zero_stays() {
        assert_eq!(DateTime::from_unix(0).format("%-H:%-M"), "0:0");
    }

    #[test]
    fn unix_seconds_become_dates() {
        let moment = DateTime::from_unix(1_709_210_096);
        assert_eq!(moment.format("%F %T"), "2024-02-29 12:34:56");
        assert_eq!(
            DateTime::from_unix(-1).format("%F %T"),
            "1969-12-31 23:59:59"
        );
    }
}
