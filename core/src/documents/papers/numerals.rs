//! Numbers of lists as they are written: `3`, `c`, `III`.

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Numerals {
    #[default]
    Decimal,
    LowerLetter,
    UpperLetter,
    LowerRoman,
    UpperRoman,
}

impl Numerals {
    /// Numbers without letters (0, below it, far above it) are decimal.
    pub(super) fn write(self, n: i64) -> String {
        let written = match self {
            Self::Decimal => None,
            Self::LowerLetter => letters(n),
            Self::UpperLetter => letters(n).map(|letters| letters.to_uppercase()),
            Self::LowerRoman => roman(n),
            Self::UpperRoman => roman(n).map(|roman| roman.to_uppercase()),
        };
        written.unwrap_or_else(|| n.to_string())
    }
}

/// a to z, then aa, ab, …
fn letters(n: i64) -> Option<String> {
    let mut letters = Vec::new();
    let mut rest = u64::try_from(n).ok()?;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'a' + (rest % 26) as u8));
        rest /= 26;
    }
    (!letters.is_empty()).then(|| letters.iter().rev().collect())
}

fn roman(n: i64) -> Option<String> {
    const SIGNS: [(i64, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    if !(1..4000).contains(&n) {
        return None;
    }
    let mut rest = n;
    let mut text = String::new();
    for (value, sign) in SIGNS {
        while rest >= value {
            text.push_str(sign);
            rest -= value;
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_lists_have_them() {
        let all = [
            Numerals::Decimal,
            Numerals::LowerLetter,
            Numerals::UpperLetter,
            Numerals::LowerRoman,
            Numerals::UpperRoman,
        ];
        let written = |n| all.map(|numerals| numerals.write(n)).join(" ");
        assert_eq!(written(1), "1 a A i I");
        assert_eq!(written(28), "28 ab AB xxviii XXVIII");
        assert_eq!(written(0), "0 0 0 0 0");
        assert_eq!(Numerals::UpperRoman.write(1994), "MCMXCIV");
        assert_eq!(Numerals::UpperRoman.write(i64::MAX), i64::MAX.to_string());
        assert!(!Numerals::LowerLetter.write(i64::MAX).is_empty());
        assert_eq!(Numerals::LowerLetter.write(i64::MIN), i64::MIN.to_string());
    }
}
