//! Numbers as tables write them: `1,234.5`, `1.234,5`, `１２３４`, `▲5`, `6,000千円`.
//!
//! A number stays a text of digits: nothing is rounded, and multiplying by a power of ten moves the
//! point.

/// Which sign stands before decimals, and which between thousands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Writing {
    /// `1,234.5`
    #[default]
    Western,
    /// `1.234,5`, as in Spain and most of Europe.
    Continental,
}

/// A number without separators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    negative: bool,
    whole: String,
    decimals: String,
}

impl Writing {
    /// What most of the numbers say that can only be read one way: `15,1`, `1.797.062`, `1.5`. Where
    /// there are none, `1,234` counts thousands, unless `by_semicolons` the cells of a text file are
    /// kept apart, as where the comma stands before decimals; `1.234` alone says nothing, and Western
    /// writing leaves it as it is.
    pub(super) fn of<'a>(cells: impl Iterator<Item = &'a str>, by_semicolons: bool) -> Self {
        let (mut western, mut continental, mut ambiguous) = (0, 0, 0);
        for cell in cells {
            let Some((_, digits, _)) = parts(cell) else {
                continue;
            };
            match writing_of(&digits) {
                Some(Self::Western) => western += 1,
                Some(Self::Continental) => continental += 1,
                None if digits.contains(',') => ambiguous += 1,
                None => {}
            }
        }
        let hinted = by_semicolons && ambiguous > 0 && western == 0;
        if continental > western || hinted {
            Self::Continental
        } else {
            Self::Western
        }
    }

    fn point(self) -> char {
        match self {
            Self::Western => '.',
            Self::Continental => ',',
        }
    }

    fn separator(self) -> char {
        match self {
            Self::Western => ',',
            Self::Continental => '.',
        }
    }
}

impl Number {
    /// A cell that is a number, with what stands behind it (a unit, or nothing).
    pub(super) fn parse(cell: &str, writing: Writing) -> Option<(Self, String)> {
        let (negative, digits, behind) = parts(cell)?;
        let (whole, decimals) = match digits.split_once(writing.point()) {
            Some((whole, decimals)) => (whole, decimals),
            None => (digits.as_str(), ""),
        };
        if !decimals.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let number = Self {
            negative,
            whole: without_separators(whole, writing.separator())?,
            decimals: decimals.to_owned(),
        };
        Some((number, behind))
    }

    /// Multiplied by ten to the power.
    pub(super) fn shifted(mut self, power: usize) -> Self {
        let moved = power.min(self.decimals.len());
        self.whole.push_str(&self.decimals[..moved]);
        self.decimals.drain(..moved);
        self.whole.extend(std::iter::repeat_n('0', power - moved));
        let leading = self.whole.len() - self.whole.trim_start_matches('0').len();
        if power > 0 {
            self.whole
                .drain(..leading.min(self.whole.len().saturating_sub(1)));
        }
        self
    }

    pub(super) fn plain(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let whole = if self.whole.is_empty() {
            "0"
        } else {
            &self.whole
        };
        if self.decimals.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{}", self.decimals)
        }
    }

    /// `01101` is the code of a place, not a number.
    pub(super) fn is_code(&self) -> bool {
        self.whole.len() > 1 && self.whole.starts_with('0')
    }

    /// `2020` may be a year.
    pub(super) fn is_year(&self) -> bool {
        let year = self
            .whole
            .parse()
            .is_ok_and(|year: u32| (1800..=2100).contains(&year));
        year && self.whole.len() == 4 && self.decimals.is_empty()
    }
}

/// Whether a cell says that there is no value: `-`, `***`, `X`, `…`.
pub(super) fn is_missing(cell: &str) -> bool {
    let cell: String = cell.trim().chars().map(narrow).collect();
    let lower = cell.to_lowercase();
    matches!(
        lower.as_str(),
        "-" | "--"
            | "---"
            | "–"
            | "—"
            | "―"
            | "x"
            | "χ"
            | "…"
            | "‥"
            | "..."
            | ".."
            | "n/a"
            | "na"
            | "n.d."
            | "nd"
            | "s/d"
            | "n.a."
            | ":"
            | "･･･"
            | "・・・"
    ) || (!cell.is_empty() && cell.chars().all(|c| c == '*'))
}

/// Full-width signs as ASCII, other dashes as a minus.
pub(super) fn narrow(c: char) -> char {
    match c {
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => {
            char::from_u32(c as u32 - 0xfee0).unwrap_or(c)
        }
        '，' => ',',
        '．' => '.',
        '％' => '%',
        '（' => '(',
        '）' => ')',
        '＋' => '+',
        '：' => ':',
        '＊' => '*',
        '－' | '−' | '‐' | '‑' | '﹣' => '-',
        '　' | '\u{a0}' | '\u{202f}' | '\u{2009}' => ' ',
        _ => c,
    }
}

/// Sign, digits with their separators, and what stands behind them.
fn parts(cell: &str) -> Option<(bool, String, String)> {
    let text: String = cell.trim().chars().map(narrow).collect();
    let mut rest = text.trim();
    let bracketed = rest
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'));
    let mut negative = bracketed.is_some();
    rest = bracketed.unwrap_or(rest);
    if let Some(behind) = rest.strip_prefix(['-', '▲', '△']) {
        negative = true;
        rest = behind.trim_start();
    } else if let Some(behind) = rest.strip_prefix('+') {
        rest = behind.trim_start();
    }
    if let Some(behind) = rest.strip_prefix(['¥', '￥', '$', '€', '£']) {
        rest = behind.trim_start();
    }
    let is_inside = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ' ' | '\'');
    let end = rest.find(|c| !is_inside(c)).unwrap_or(rest.len());
    let digits = rest[..end].trim_end_matches([' ', ',', '.']);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || !digits.ends_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    let behind = rest[digits.len()..].trim();
    // Digits that go on behind a word are a date or a code, not a number with its unit.
    let goes_on = behind.chars().any(|c| c.is_ascii_digit()) && !is_area(behind);
    (!goes_on && behind.chars().count() <= 24)
        .then(|| (negative, digits.to_owned(), behind.to_owned()))
}

/// Square metres and the like have a digit of their own.
fn is_area(behind: &str) -> bool {
    behind.ends_with("m2") || behind.ends_with("m3")
}

/// What a number says that has only one reading.
fn writing_of(digits: &str) -> Option<Writing> {
    let last = digits.rfind(['.', ','])?;
    let (before, behind) = digits.split_at(last);
    let sign = behind.chars().next()?;
    let n_same = digits.matches(sign).count();
    let has_other = before.contains(['.', ',']) && n_same == 1;
    // No thousands behind a leading zero.
    let is_point = n_same == 1 && (has_other || behind.len() != 4 || before.starts_with('0'));
    match (sign, is_point, n_same > 1) {
        ('.', true, _) | (',', false, true) => Some(Writing::Western),
        (',', true, _) | ('.', false, true) => Some(Writing::Continental),
        _ => None,
    }
}

/// The digits, if separators stand where they may: before each last three, or as in `1,23,456`.
fn without_separators(whole: &str, separator: char) -> Option<String> {
    let is_separator = |c: char| c == separator || c == ' ' || c == '\'';
    let groups: Vec<&str> = whole.split(is_separator).collect();
    let all_digits = groups
        .iter()
        .all(|group| group.chars().all(|c| c.is_ascii_digit()));
    let (first, rest) = groups.split_first()?;
    let fits = match rest.split_last() {
        None => true,
        Some((last, between)) => {
            (1..=3).contains(&first.len())
                && !first.starts_with('0')
                && last.len() == 3
                && between.iter().all(|group| (2..=3).contains(&group.len()))
        }
    };
    (all_digits && fits).then(|| groups.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cell: &str, writing: Writing, expected: Option<(&str, &str)>) {
        let found = Number::parse(cell, writing);
        let found = found.map(|(number, behind)| (number.plain(), behind));
        let expected = expected.map(|(number, behind)| (number.to_owned(), behind.to_owned()));
        assert_eq!(found, expected, "{cell}");
    }

    #[test]
    fn separators_go() {
        for (cell, plain) in [
            ("1,234", "1234"),
            ("１４，０４７，５９４", "14047594"),
            ("1 234 567.50", "1234567.50"),
            ("12,34,567", "1234567"),
            ("▲1,200", "-1200"),
            ("(1,200)", "-1200"),
            ("－5", "-5"),
            ("¥6,000", "6000"),
            ("0.5", "0.5"),
            (".5", "0.5"),
            ("01101", "01101"),
        ] {
            check(cell, Writing::Western, Some((plain, "")));
        }
        check("1.797.062,5", Writing::Continental, Some(("1797062.5", "")));
        check("15,1", Writing::Continental, Some(("15.1", "")));
    }

    #[test]
    fn what_stands_behind_is_given() {
        check("6,000千円", Writing::Western, Some(("6000", "千円")));
        check("12.5 %", Writing::Western, Some(("12.5", "%")));
        check(
            "1.234 millones",
            Writing::Continental,
            Some(("1234", "millones")),
        );
        check("30 km2", Writing::Western, Some(("30", "km2")));
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for cell in [
            "",
            "-",
            "東京都",
            "2020年10月1日",
            "1,23",
            "0,125",
            "20～29歳",
            "1.2.3",
            "12:30",
            "a1",
        ] {
            check(cell, Writing::Western, None);
        }
    }

    #[test]
    fn the_writing_is_told_by_what_is_not_ambiguous() {
        let of = |cells: &[&str]| Writing::of(cells.iter().copied(), false);
        assert_eq!(of(&["1.234", "15,1"]), Writing::Continental);
        assert_eq!(of(&["1.797.062,5"]), Writing::Continental);
        assert_eq!(of(&["1,234", "1.5"]), Writing::Western);
        assert_eq!(of(&["1.234", "5.678"]), Writing::Western, "may be decimals");
        assert_eq!(of(&["98,765", "101,250", "2,35"]), Writing::Continental);
        assert_eq!(of(&["98,765", "1.000.000"]), Writing::Continental);
        assert_eq!(of(&["1,375", "12,250", "0,455"]), Writing::Continental);
        assert_eq!(of(&["1,375", "12,250", "0.455"]), Writing::Western);
        assert_eq!(of(&["98,765", "101,250"]), Writing::Western);
        let semicolons = |cells: &[&str]| Writing::of(cells.iter().copied(), true);
        assert_eq!(semicolons(&["98,765", "101,250"]), Writing::Continental);
        assert_eq!(semicolons(&["1,234", "1.5"]), Writing::Western);
        assert_eq!(semicolons(&["5", "7"]), Writing::Western);
    }

    #[test]
    fn multiplying_moves_the_point() {
        for (cell, power, plain) in [
            ("6,000", 3, "6000000"),
            ("1.25", 1, "12.5"),
            ("0.05", 6, "50000"),
            ("-1.5", 3, "-1500"),
            ("0", 3, "0"),
        ] {
            let (number, _) = Number::parse(cell, Writing::Western).unwrap();
            assert_eq!(number.shifted(power).plain(), plain, "{cell}");
        }
    }

    #[test]
    fn signs_of_missing_values() {
        for cell in ["-", "－", "***", "X", "Ｘ", "…", "n.d.", "*", "―"] {
            assert!(is_missing(cell), "{cell}");
        }
        for cell in ["", "0", "-1", "XL", "男"] {
            assert!(!is_missing(cell), "{cell}");
        }
    }
}
