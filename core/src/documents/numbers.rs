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

/// Signs of money that stand in front, the longer first.
const CURRENCIES: [&str; 6] = ["US$", "$", "€", "£", "¥", "₹"];

/// A number without separators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    negative: bool,
    bracketed: bool,
    /// The sign of money in front of it, or nothing.
    currency: &'static str,
    whole: String,
    decimals: String,
}

impl Writing {
    /// What most of the numbers say that can only be read one way: `15,1`, `1.797.062`, `1.5`. Where
    /// there are none, `1,234` counts thousands, unless `by_semicolons` the cells of a text file are
    /// kept apart, as where the comma stands before decimals; `1.234` alone says nothing, and Western
    /// writing leaves it as it is.
    pub(super) fn of<'a>(cells: impl Iterator<Item = &'a str>, by_semicolons: bool) -> Self {
        let said = Separators::of(cells);
        let hinted = by_semicolons && said.unclear_commas > 0 && said.western == 0;
        if said.continental > said.western || hinted {
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

/// What the separators of some cells say.
#[derive(Debug, Default)]
pub(super) struct Separators {
    western: usize,
    continental: usize,
    /// `1,5`: before decimals, and not before three of them.
    decimal_commas: usize,
    /// `1,234`
    unclear_commas: usize,
}

impl Separators {
    pub(super) fn of<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        let mut said = Self::default();
        for cell in cells {
            let Some(Parts { digits, .. }) = parts(cell) else {
                continue;
            };
            let writing = writing_of(&digits);
            // `1.2.3` has only one reading, which is that of no number.
            if writing.is_some_and(|writing| Number::parse(cell, writing).is_none()) {
                continue;
            }
            match writing {
                Some(Writing::Western) => said.western += 1,
                Some(Writing::Continental) => {
                    said.continental += 1;
                    let decimals = digits.split_once(',').map_or("", |(_, decimals)| decimals);
                    let is_plain = !decimals.is_empty() && !digits.contains('.');
                    said.decimal_commas += usize::from(is_plain && decimals.len() != 3);
                }
                None if digits.contains(',') => said.unclear_commas += 1,
                None => {}
            }
        }
        said
    }

    /// Whether a column of these cells has no reading under which all of them are what they seem: `1,5`
    /// beside `1.5`, or beside `1,000`, unless `by_semicolons` it is clear what a comma is.
    pub(super) fn contradict_each_other(&self, by_semicolons: bool) -> bool {
        self.western > 0 && self.continental > 0
            || self.decimal_commas > 0 && self.unclear_commas > 0 && !by_semicolons
    }

    pub(super) fn contradict(&self, writing: Writing) -> bool {
        match writing {
            Writing::Western => self.continental > 0,
            Writing::Continental => self.western > 0,
        }
    }
}

impl Number {
    /// A cell that is a number, with what stands behind it (a unit, or nothing).
    pub(super) fn parse(cell: &str, writing: Writing) -> Option<(Self, String)> {
        let Parts {
            negative,
            bracketed,
            currency,
            digits,
            behind,
        } = parts(cell)?;
        let (whole, decimals) = match digits.split_once(writing.point()) {
            Some((whole, decimals)) => (whole, decimals),
            None => (digits.as_str(), ""),
        };
        if !decimals.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let number = Self {
            negative,
            bracketed,
            currency,
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

    /// Sign, currency and digits.
    pub(super) fn plain(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let currency = self.currency;
        let whole = if self.whole.is_empty() {
            "0"
        } else {
            &self.whole
        };
        if self.decimals.is_empty() {
            format!("{sign}{currency}{whole}")
        } else {
            format!("{sign}{currency}{whole}.{}", self.decimals)
        }
    }

    /// The sign of money in front of it, or nothing.
    pub(super) fn currency(&self) -> &'static str {
        self.currency
    }

    pub(super) fn without_currency(self) -> Self {
        Self {
            currency: "",
            ..self
        }
    }

    /// `(5)` is negative in books, and elsewhere the number of a note.
    pub(super) fn is_bracketed(&self) -> bool {
        self.bracketed
    }

    pub(super) fn n_digits(&self) -> usize {
        self.whole.len() + self.decimals.len()
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
        year && self.whole.len() == 4 && self.decimals.is_empty() && self.currency.is_empty()
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

/// `x` says that a value is kept secret, or that something is so.
pub(super) fn is_cross(cell: &str) -> bool {
    is_missing(cell) && cell.trim().chars().count() == 1 && is_letters(cell)
}

/// `X` and `ND` name columns as well, `…` does not.
pub(super) fn is_letters(cell: &str) -> bool {
    cell.trim().chars().all(char::is_alphabetic)
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
        '＄' => '$',
        '￥' => '¥',
        '－' | '−' | '‐' | '‑' | '﹣' => '-',
        '　' | '\u{a0}' | '\u{202f}' | '\u{2009}' => ' ',
        _ => c,
    }
}

struct Parts {
    negative: bool,
    bracketed: bool,
    currency: &'static str,
    /// With their separators.
    digits: String,
    behind: String,
}

fn parts(cell: &str) -> Option<Parts> {
    let text: String = cell.trim().chars().map(narrow).collect();
    let mut rest = text.trim();
    let inner = rest
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'));
    let bracketed = inner.is_some();
    let mut negative = bracketed;
    rest = inner.unwrap_or(rest);
    if let Some(behind) = rest.strip_prefix(['-', '▲', '△']) {
        negative = true;
        rest = behind.trim_start();
    } else if let Some(behind) = rest.strip_prefix('+') {
        rest = behind.trim_start();
    }
    let in_front = |sign: &&str| rest.starts_with(*sign);
    let currency = CURRENCIES.into_iter().find(in_front).unwrap_or_default();
    rest = rest[currency.len()..].trim_start();
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
    (!goes_on && behind.chars().count() <= 24).then(|| Parts {
        negative,
        bracketed,
        currency,
        digits: digits.to_owned(),
        behind: behind.to_owned(),
    })
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
            ("¥6,000", "¥6000"),
            ("-￥6,000", "-¥6000"),
            ("($ 1,200.50)", "-$1200.50"),
            ("US$2,000", "US$2000"),
            ("₹3,00,000", "₹300000"),
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
    fn commas_of_a_column_may_contradict_each_other() {
        let unclear =
            |cells: &[&str]| Separators::of(cells.iter().copied()).contradict_each_other(false);
        assert!(unclear(&["1,000", "1,5"]));
        assert!(unclear(&["1,000,000", "1,5"]));
        assert!(unclear(&["1.5", "2,5"]));
        assert!(!unclear(&["1,375", "0,455"]));
        assert!(!unclear(&["98,765", "1.234,50"]));
        assert!(!unclear(&["1,000", "1.5", "1.2.3"]));
        let semicolons = Separators::of(["1,375", "1,5"].into_iter());
        assert!(!semicolons.contradict_each_other(true));
        assert!(semicolons.contradict(Writing::Western));
        assert!(!semicolons.contradict(Writing::Continental));
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
