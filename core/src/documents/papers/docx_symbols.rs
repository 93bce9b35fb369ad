//! Signs of a DOCX that only their font tells (`w:sym`, ECMA-376, part 1, 17.3.3.30).
//!
//! Symbol and Wingdings draw pictures where other fonts have letters, and Word writes the places of
//! their pictures in the private use area, U+F020 to U+F0FF. The signs of Symbol are those of Adobe's
//! table (`symbol.txt`, Unicode), those of Wingdings the usual ones.

/// Signs of Symbol from 0x20.
const SYMBOL_LOW: &str = " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾\
                          αβχδεφγηιϕκλµνοπθρστυϖωξψζ{|}∼";

/// Signs of Symbol from 0xA0.
const SYMBOL_HIGH: &str = "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑";

const WINGDINGS: &[(u32, char)] = &[
    (0x21, '✏'),
    (0x22, '✂'),
    (0x28, '☎'),
    (0x2a, '✉'),
    (0x36, '⌛'),
    (0x45, '☜'),
    (0x46, '☞'),
    (0x47, '☝'),
    (0x4a, '☺'),
    (0x4c, '☹'),
    (0x6c, '●'),
    (0x6e, '■'),
    (0x6f, '☐'),
    (0x71, '❑'),
    (0x72, '❒'),
    (0x75, '◆'),
    (0x76, '❖'),
    (0x78, '☒'),
    (0x9f, '•'),
    (0xa1, '○'),
    (0xa7, '▪'),
    (0xa8, '☐'),
    (0xab, '★'),
    (0xd8, '➢'),
    (0xdf, '←'),
    (0xe0, '→'),
    (0xe1, '↑'),
    (0xe2, '↓'),
    (0xe8, '➔'),
    (0xef, '⇦'),
    (0xf0, '⇨'),
    (0xfb, '✗'),
    (0xfc, '✓'),
    (0xfd, '☒'),
    (0xfe, '☑'),
];

const WINGDINGS_2: &[(u32, char)] = &[
    (0x4f, '✗'),
    (0x50, '✓'),
    (0x51, '☒'),
    (0x52, '☑'),
    (0x53, '☒'),
    (0xa3, '☐'),
];

/// The sign of a font at a code in hexadecimal; `None` where only the font knows it.
pub(super) fn sign(font: &str, code: &str) -> Option<char> {
    let code = u32::from_str_radix(code.trim(), 16).ok()?;
    let low = match code {
        0xf020..=0xf0ff => code - 0xf000,
        _ => code,
    };
    match font.trim().to_lowercase().as_str() {
        "symbol" => symbol(low),
        "wingdings" => wingdings(low),
        "wingdings 2" => of(WINGDINGS_2, low),
        _ => None,
    }
    .or_else(|| char::from_u32(code).filter(|c| !is_private(*c) && !c.is_control()))
}

fn symbol(code: u32) -> Option<char> {
    let (signs, first) = match code {
        0x20..=0x7e => (SYMBOL_LOW, 0x20),
        0xa0..=0xff => (SYMBOL_HIGH, 0xa0),
        _ => return None,
    };
    let behind = usize::try_from(code - first).ok()?;
    match code {
        0xf2 => Some('∫'),
        0xf1 => Some('〉'),
        _ => signs.chars().nth(behind),
    }
}

fn wingdings(code: u32) -> Option<char> {
    match code {
        0x81..=0x8a => char::from_u32('①' as u32 + code - 0x81),
        0x8c..=0x95 => char::from_u32('❶' as u32 + code - 0x8c),
        _ => of(WINGDINGS, code),
    }
}

fn of(signs: &[(u32, char)], code: u32) -> Option<char> {
    let found = signs.iter().find(|(known, _)| *known == code);
    found.map(|(_, sign)| *sign)
}

fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_the_usual_fonts_are_known() {
        for (font, code, expected) in [
            ("Symbol", "F0B3", Some('≥')),
            ("Symbol", "F06D", Some('µ')),
            ("Symbol", "F07E", Some('∼')),
            ("Symbol", "F0E5", Some('∑')),
            ("Symbol", "00A3", Some('≤')),
            ("Wingdings", "F0FE", Some('☑')),
            ("Wingdings", "F0A8", Some('☐')),
            ("Wingdings", "F083", Some('③')),
            ("Wingdings 2", "F052", Some('☑')),
            ("MS Gothic", "2611", Some('☑')),
            ("Nobody's", "F041", None),
            ("Symbol", "x", None),
        ] {
            assert_eq!(sign(font, code), expected, "{font} {code}");
        }
    }
}
