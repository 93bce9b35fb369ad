//! Units of columns and cells: 千人, 百万円, 歳, %, thousand, miles de euros.

use super::numbers::narrow;

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
    /// A text that is nothing but a unit.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text: String = text.trim().chars().map(narrow).collect();
        let text = without_label(&text);
        if text.is_empty() {
            return None;
        }
        japanese(text).or_else(|| western(text))
    }

    /// The unit in brackets at the end of a name, and where the brackets are.
    pub(super) fn of_name(name: &str) -> Option<(Self, std::ops::Range<usize>)> {
        let (inner, at) = bracketed(name)?;
        Some((Self::parse(inner)?, at))
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

/// `単位：千人` and `in thousands` without their first word.
pub(super) fn without_label(text: &str) -> &str {
    const LABELS: [&str; 8] = [
        "単位",
        "unit:",
        "units:",
        "unidad:",
        "unidades:",
        "in ",
        "en ",
        "cifras en ",
    ];
    let text = text.trim();
    let label = LABELS.iter().find(|label| {
        let start = text.get(..label.len());
        start.is_some_and(|start| start.to_lowercase() == **label)
    });
    let rest = label.map_or(text, |label| &text[label.len()..]);
    rest.trim_start_matches([':', ' ', '・', ','])
}

fn japanese(text: &str) -> Option<Unit> {
    JAPANESE.iter().find_map(|(word, power)| {
        let rest = text.strip_prefix(word)?;
        let is_counted = COUNTED.contains(&rest) || (*power > 1 && rest.is_empty());
        is_counted.then(|| Unit {
            power: *power,
            rest: rest.to_owned(),
        })
    })
}

fn western(text: &str) -> Option<Unit> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    if words.len() == 1 && WORDS.contains(&lower[0].as_str()) {
        return Some(Unit {
            power: 0,
            rest: text.to_owned(),
        });
    }
    let (mut power, mut rest) = (0, Vec::new());
    for (i, word) in lower.iter().enumerate() {
        let next = lower.get(i + 1).map(String::as_str);
        match word.as_str() {
            "thousand" | "thousands" | "mil" => power += 3,
            // English miles are a distance.
            "miles" if next == Some("de") || words.len() == 1 => power += 3,
            "million" | "millions" | "millón" | "millon" | "millones" | "mn" | "mln" => power += 6,
            "billion" | "billions" | "bn" => power += 9,
            "trillion" | "trillions" | "billón" | "billones" => power += 12,
            "of" | "de" | "in" | "en" => {}
            _ => rest.push(words[i]),
        }
    }
    (power > 0 && rest.len() <= 3).then(|| Unit {
        power,
        rest: rest.join(" "),
    })
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
