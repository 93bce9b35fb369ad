//! Chinese characters that only Japanese or only Chinese writes today.
//!
//! Told by the character sets of their standards: JIS X 0208 level 1 holds what Japanese commonly
//! writes, GB 2312 simplified Chinese (level 1 the common ones), Big5 traditional Chinese.

use std::{ops::RangeInclusive, sync::LazyLock};

use encoding_rs::{BIG5, Encoding, GBK, SHIFT_JIS};
use rustc_hash::FxHashSet;

/// How many characters of a text only Japanese writes, and how many only Chinese.
pub(super) fn own_forms(text: &str) -> (usize, usize) {
    let forms = &*FORMS;
    let n_of = |own: &FxHashSet<char>| text.chars().filter(|char| own.contains(char)).count();
    (n_of(&forms.japanese), n_of(&forms.chinese))
}

struct Forms {
    japanese: FxHashSet<char>,
    chinese: FxHashSet<char>,
}

static FORMS: LazyLock<Forms> = LazyLock::new(|| {
    let japanese = held(SHIFT_JIS, 0x889f..=0x9872);
    let simplified = held(GBK, 0xb0a1..=0xf7fe);
    let traditional = held(BIG5, 0xa440..=0xf9fe);
    let chinese = held(GBK, 0xb0a1..=0xd7f9)
        .union(&held(BIG5, 0xa440..=0xc67e))
        .filter(|char| !japanese.contains(char))
        .copied()
        .collect();
    let is_chinese = |char: &char| simplified.contains(char) || traditional.contains(char);
    Forms {
        chinese,
        japanese: japanese
            .into_iter()
            .filter(|char| !is_chinese(char))
            .collect(),
    }
});

/// The Chinese characters that an encoding has at these two-byte codes.
fn held(encoding: &'static Encoding, codes: RangeInclusive<u16>) -> FxHashSet<char> {
    let is_gb2312 = |code: &u16| encoding != GBK || code & 0xff >= 0xa1;
    let bytes: Vec<u8> = codes.filter(is_gb2312).flat_map(u16::to_be_bytes).collect();
    let (text, _) = encoding.decode_without_bom_handling(&bytes);
    let is_han = |char: &char| ('\u{4e00}'..='\u{9fff}').contains(char);
    text.chars().filter(is_han).collect()
}

#[cfg(test)]
mod tests {
    use super::own_forms;

    #[test]
    fn forms_are_those_of_one_language() {
        assert_eq!(own_forms("円険価県働込経済"), (8, 0));
        assert_eq!(own_forms("们险价县这经济國會發"), (0, 10));
        assert_eq!(own_forms("東京人口年度国学的是不辞献湿"), (0, 0));
    }
}
