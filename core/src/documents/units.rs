//! Units of columns and cells: 千人, 百万円, 歳, %, thousand, miles de euros.

use super::{numbers::narrow, table_language::TableLanguage};

/// A power of ten, and what is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) power: usize,
    pub(super) rest: String,
}

/// Powers of ten in Japanese, the longer first.
const JAPANESE: [(&str, usize); 13] = [
    ("千億", 11),
    ("百億", 10),
    ("十億", 9),
    ("千万", 7),
    ("百万", 6),
    ("十万", 5),
    ("兆", 12),
    ("億", 8),
    ("万", 4),
    ("千", 3),
    ("百", 2),
    ("十", 1),
    ("", 0),
];

/// What is counted in Japanese tables. Only these: 千葉 is a place, not a thousand leaves.
const COUNTED: [&str; 66] = [
    "人",
    "名",
    "円",
    "世帯",
    "戸",
    "件",
    "台",
    "棟",
    "歳",
    "才",
    "年",
    "月",
    "日",
    "時間",
    "分",
    "秒",
    "トン",
    "t",
    "kg",
    "g",
    "ha",
    "a",
    "㎡",
    "m2",
    "m²",
    "m",
    "km",
    "km2",
    "km²",
    "k㎡",
    "㎢",
    "㎥",
    "m3",
    "平方メートル",
    "平方キロメートル",
    "所",
    "箇所",
    "か所",
    "ヶ所",
    "店",
    "社",
    "校",
    "枚",
    "冊",
    "本",
    "個",
    "回",
    "倍",
    "%",
    "‰",
    "ポイント",
    "ドル",
    "米ドル",
    "ユーロ",
    "事業所",
    "企業",
    "床",
    "頭",
    "羽",
    "株",
    "口",
    "室",
    "kWh",
    "kl",
    "隻",
    "組",
];

/// Units of other languages that stand without a power of ten.
const WORDS: [&str; 24] = [
    "years",
    "year",
    "años",
    "persons",
    "people",
    "personas",
    "habitantes",
    "hogares",
    "households",
    "euros",
    "euro",
    "eur",
    "usd",
    "jpy",
    "yen",
    "€",
    "$",
    "¥",
    "£",
    "percent",
    "ratio",
    "hectáreas",
    "dólares",
    "days",
];

impl Unit {
    /// A text that is nothing but a unit, in a table of no certain language.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::parse_in(text, TableLanguage::Other)
    }

    /// A text that is nothing but a unit. Where a word may be a power of ten or not, it is none:
    /// figures stay rather than being multiplied in doubt.
    pub(super) fn parse_in(text: &str, language: TableLanguage) -> Option<Self> {
        let text: String = text.trim().chars().map(narrow).collect();
        let inner = without_label(&text);
        if inner.is_empty() {
            return None;
        }
        japanese(inner).or_else(|| western(inner, said_by_label(&text).unwrap_or(language)))
    }

    /// A text that stays as it is, beside figures that do.
    fn as_it_stands(text: &str) -> Self {
        Self {
            power: 0,
            rest: text.to_owned(),
        }
    }

    /// The unit in brackets at the end of a name, and where the brackets are.
    pub(super) fn of_name(name: &str) -> Option<(Self, std::ops::Range<usize>)> {
        Self::of_name_in(name, TableLanguage::Other)
    }

    /// As [`Self::of_name`], in a table of this language. A rate is no count, whatever its brackets say.
    pub(super) fn of_name_in(
        name: &str,
        language: TableLanguage,
    ) -> Option<(Self, std::ops::Range<usize>)> {
        let (inner, at) = bracketed(name)?;
        let unit = Self::parse_in(inner, language)?;
        let is_unclear = unit.power > 0 && unit.counts_people() && is_rate(&name[..at.start]);
        let unit = match is_unclear {
            true => Self::as_it_stands(inner.trim()),
            false => unit,
        };
        Some((unit, at))
    }

    /// People, or whatever is counted without a name.
    fn counts_people(&self) -> bool {
        const PEOPLE: [&str; 8] = [
            "",
            "人",
            "persons",
            "people",
            "population",
            "inhabitants",
            "personas",
            "habitantes",
        ];
        PEOPLE.contains(&self.rest.to_lowercase().as_str())
    }

    /// Whether there is a unit in brackets further ahead, as in `人口（千人） 男`.
    pub(super) fn is_in_name(name: &str) -> bool {
        let ends = name.char_indices().filter(|(_, c)| is_closing(*c));
        ends.map(|(at, c)| at + c.len_utf8())
            .any(|end| Self::of_name(&name[..end]).is_some())
    }
}

const BRACKETS: [(char, char); 6] = [
    ('(', ')'),
    ('（', '）'),
    ('[', ']'),
    ('【', '】'),
    ('［', '］'),
    ('〔', '〕'),
];

fn is_closing(c: char) -> bool {
    BRACKETS.iter().any(|(_, close)| *close == c)
}

/// What stands in brackets at the end of a text, and where the brackets are.
pub(super) fn bracketed(text: &str) -> Option<(&str, std::ops::Range<usize>)> {
    let trimmed = text.trim_end();
    let last = trimmed.chars().next_back()?;
    let (open, close) = BRACKETS.into_iter().find(|(_, close)| *close == last)?;
    let start = trimmed.rfind(open)?;
    let inner = &trimmed[start + open.len_utf8()..trimmed.len() - close.len_utf8()];
    Some((inner, start..trimmed.len()))
}

/// Words before a unit, with the language that `miles` has behind them.
const LABELS: [(&str, Option<TableLanguage>); 8] = [
    ("単位", None),
    ("unit:", Some(TableLanguage::Other)),
    ("units:", Some(TableLanguage::Other)),
    ("unidad:", Some(TableLanguage::Spanish)),
    ("unidades:", Some(TableLanguage::Spanish)),
    ("in ", Some(TableLanguage::Other)),
    ("en ", Some(TableLanguage::Spanish)),
    ("cifras en ", Some(TableLanguage::Spanish)),
];

fn label(text: &str) -> Option<(&'static str, Option<TableLanguage>)> {
    LABELS.into_iter().find(|(label, _)| {
        let start = text.get(..label.len());
        start.is_some_and(|start| start.to_lowercase() == *label)
    })
}

/// `単位：千人` and `in thousands` without their first word.
pub(super) fn without_label(text: &str) -> &str {
    let text = text.trim();
    let rest = label(text).map_or(text, |(label, _)| &text[label.len()..]);
    rest.trim_start_matches([':', ' ', '・', ','])
}

fn said_by_label(text: &str) -> Option<TableLanguage> {
    label(text.trim())?.1
}

fn japanese(text: &str) -> Option<Unit> {
    if is_japanese_rate(text) {
        return Some(Unit::as_it_stands(text));
    }
    JAPANESE.iter().find_map(|(word, power)| {
        let rest = text.strip_prefix(word)?;
        let is_counted = COUNTED.contains(&rest) || (*power > 1 && rest.is_empty());
        is_counted.then(|| Unit {
            power: *power,
            rest: rest.to_owned(),
        })
    })
}

/// `人口千対`, `10万人当たり`: of each thousand, and not thousands.
fn is_japanese_rate(text: &str) -> bool {
    const ENDS: [&str; 5] = ["対", "当たり", "当り", "あたり", "につき"];
    let of = ENDS.iter().find_map(|end| text.strip_suffix(end));
    of.is_some_and(|of| of.contains(['百', '千', '万', '億']))
}

/// `Deaths per`, `Birth rate`, `死亡率`: thousands in brackets behind it may be what it is a rate of.
fn is_rate(stem: &str) -> bool {
    const WORDS: [&str; 9] = [
        "rate",
        "rates",
        "ratio",
        "ratios",
        "percentage",
        "percent",
        "porcentaje",
        "tasa",
        "tasas",
    ];
    let stem = stem.trim().to_lowercase();
    let mut words = stem.split(|c: char| !c.is_alphanumeric());
    words.clone().next_back().is_some_and(is_per)
        || words.any(|word| WORDS.contains(&word))
        || stem.contains('率')
        || stem.contains("割合")
}

fn western(text: &str, language: TableLanguage) -> Option<Unit> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let is_word = |word: &String| WORDS.contains(&word.as_str());
    if lower.len() == 1 && lower.first().is_some_and(is_word) {
        return Some(Unit::as_it_stands(text));
    }
    let (mut power, mut rest) = (0, Vec::new());
    for (i, (word, lower_word)) in words.iter().zip(&lower).enumerate() {
        match power_of(&lower, i) {
            Some(more) => power += more,
            None if matches!(lower_word.as_str(), "of" | "de" | "in" | "en") => {}
            None => rest.push(*word),
        }
    }
    if power == 0 || rest.len() > 3 {
        return None;
    }
    Some(match multiplies(&lower, language) {
        true => Unit {
            power,
            rest: rest.join(" "),
        },
        false => Unit::as_it_stands(text),
    })
}

/// The power of ten that a word may be, among others.
fn power_of(words: &[String], at: usize) -> Option<usize> {
    let next = words.get(at + 1).map(String::as_str);
    Some(match words.get(at)?.as_str() {
        "thousand" | "thousands" | "mil" => 3,
        // Elsewhere miles are a distance.
        "miles" if next == Some("de") || words.len() == 1 => 3,
        "million" | "millions" | "millón" | "millon" | "millones" | "mn" | "mln" => 6,
        "billion" | "billions" | "bn" => 9,
        "trillion" | "trillions" | "billón" | "billones" => 12,
        _ => return None,
    })
}

/// Whether the figures of a unit with a power of ten are to be multiplied by it. Deaths per thousand,
/// cities of over a million and tens of thousands (`10 thousand`) are not, nor miles of a road, nor a
/// `mil` that is a thousandth of an inch or, in `USD mil`, a million.
fn multiplies(words: &[String], language: TableLanguage) -> bool {
    const COMPARED: [&str; 10] = [
        "a", "an", "one", "un", "over", "under", "than", "más", "menos", "above",
    ];
    let first = (0..words.len()).find(|&at| power_of(words, at).is_some());
    let before = first.and_then(|first| words.get(..first));
    let before = before.unwrap_or_default();
    let is_number = |word: &String| word.starts_with(|c: char| c.is_ascii_digit());
    let is_in_doubt = before.iter().any(|word| is_per(word))
        || before.iter().any(|word| COMPARED.contains(&word.as_str()))
        || before.last().is_some_and(is_number);
    let is_spanish = language == TableLanguage::Spanish;
    let only = first.and_then(|first| words.get(first)).map(String::as_str);
    let is_clear = match only {
        Some("miles") => words.len() > 1,
        Some("mil") => before.is_empty() && words.len() > 1,
        _ => true,
    };
    !is_in_doubt && (is_clear || is_spanish)
}

fn is_per(word: &str) -> bool {
    matches!(word, "per" | "por" | "cada" | "each" | "every") || word.ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(usize, &str)>) {
        let found = Unit::parse(text).map(|unit| (unit.power, unit.rest));
        assert_eq!(
            found,
            expected.map(|(power, rest)| (power, rest.to_owned())),
            "{text}"
        );
    }

    #[test]
    fn units_of_three_languages() {
        check("千人", Some((3, "人")));
        check("百万円", Some((6, "円")));
        check("単位：千円", Some((3, "円")));
        check("億", Some((8, "")));
        check("歳", Some((0, "歳")));
        check("％", Some((0, "%")));
        check("thousand", Some((3, "")));
        check("in thousands", Some((3, "")));
        check("JPY million", Some((6, "JPY")));
        check("miles de euros", Some((3, "euros")));
        check("miles de millones de euros", Some((9, "euros")));
        check("millones", Some((6, "")));
    }

    #[test]
    fn rates_and_distances_are_no_powers_of_ten() {
        for text in [
            "miles",
            "mil",
            "USD mil",
            "per thousand",
            "deaths per million",
            "por mil",
            "por mil habitantes",
            "euros por cada mil",
            "cases / million",
            "over a million",
            "more than 1 million",
            "10 thousand persons",
            "人口千対",
            "千人当たり",
            "人口10万対",
            "10万人当たり",
        ] {
            check(text, Some((0, text)));
        }
        check("in miles", Some((0, "miles")));
        check("en miles", Some((3, "")));
        check("Unidad: miles", Some((3, "")));
        check("mil euros", Some((3, "euros")));
        check("miles de personas", Some((3, "personas")));
        check("thousand tonnes per year", Some((3, "tonnes per year")));
        check("millones de euros por año", Some((6, "euros por año")));
        let spanish = Unit::parse_in("miles", TableLanguage::Spanish).unwrap();
        assert_eq!((spanish.power, spanish.rest.as_str()), (3, ""));
        for rate in [
            "Death rate (thousand)",
            "Tasa (miles)",
            "死亡率（千人）",
            "Deaths per (thousand)",
        ] {
            let (unit, _) = Unit::of_name_in(rate, TableLanguage::Spanish).unwrap();
            assert_eq!(unit.power, 0, "{rate}");
        }
        let (unit, _) = Unit::of_name("Shares outstanding (millions)").unwrap();
        assert_eq!(unit.power, 6);
    }

    #[test]
    fn other_words_are_no_units() {
        for text in [
            "",
            "千葉県",
            "総数",
            "男",
            "Total",
            "road miles",
            "2020年",
            "Activo total",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn names_carry_units_in_brackets() {
        let (unit, at) = Unit::of_name("人口（千人）").unwrap();
        assert_eq!((unit.power, unit.rest.as_str()), (3, "人"));
        assert_eq!(&"人口（千人）"[at], "（千人）");
        assert!(Unit::of_name("総数（男女計）").is_none());
        assert!(Unit::of_name("2020年【人】").is_some());
        assert!(Unit::of_name("a)").is_none());
        assert!(Unit::is_in_name("人口（千人） 男") && Unit::is_in_name("人口（千人）"));
        assert!(!Unit::is_in_name("総数（男女計） 男"));
    }
}
