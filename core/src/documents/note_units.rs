//! The note above a table that names its units (`（単位：千人、％）`, `in thousands of euros`), and the
//! columns for which it is meant.
//!
//! A figure that is taken for thousands without being such is as wrong as one that is not: a note holds
//! for a column only where nothing speaks against it, and stays in sight where that is not clear.

use super::{
    numbers::narrow,
    table_language::TableLanguage,
    units::{Unit, bracketed, without_label},
};

/// Notes with units that are not known are short, others are sentences.
const MAX_CHARS: usize = 24;

/// A note with a power of ten.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// Without brackets.
    pub(super) text: String,
    /// Empty where the note is one, and its units are not known.
    pub(super) units: Vec<Unit>,
}

/// What a note says of a column.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meant {
    For(Unit),
    /// The column counts something else.
    ForOthers,
    Unclear,
}

impl Note {
    /// `人口（千人）` is the title of a table where it stands `alone` in its row, else the name of a
    /// column.
    pub(super) fn parse(cell: &str, alone: bool, language: TableLanguage) -> Option<Self> {
        let cell = cell.trim();
        let brackets = bracketed(cell);
        let text = brackets.as_ref().map_or(cell, |(inner, _)| inner.trim());
        let in_brackets = brackets.is_some_and(|(_, at)| alone || at.start == 0);
        let narrowed: String = text.chars().map(narrow).collect();
        let inner = without_label(&narrowed);
        let has_label = inner != narrowed.trim();
        if !has_label && !in_brackets {
            return None;
        }
        let units = units(text, inner, language).or_else(|| {
            let is_one = has_label && is_label(&narrowed) && has_power(inner);
            (is_one && inner.chars().count() <= MAX_CHARS).then(Vec::new)
        })?;
        let says_more = units.is_empty() || units.iter().any(|unit| unit.power > 0);
        says_more.then(|| Self {
            text: text.to_owned(),
            units,
        })
    }

    /// Whether it is meant for a column of this name, in a table with or without columns of shares.
    pub(super) fn meaning(&self, name: &str, has_shares: bool) -> Meant {
        if is_share(name) || is_label_of_rows(name) {
            return Meant::ForOthers;
        }
        let (shares, counted): (Vec<&Unit>, Vec<&Unit>) =
            self.units.iter().partition(|unit| is_unit_of_shares(unit));
        if !shares.is_empty() && !has_shares {
            return Meant::Unclear;
        }
        match counted.as_slice() {
            [unit] => one(unit, name),
            units => one_of(units, name),
        }
    }
}

/// The only unit of a table.
fn one(unit: &Unit, name: &str) -> Meant {
    let is_average = contains(name, &["当たり", "当り", "あたり", "平均"])
        || has_word(name, &["per", "average", "media", "promedio"]);
    match (is_money(unit), names_money(name)) {
        (true, false) if names_things(name) => Meant::ForOthers,
        (false, true) if !unit.rest.is_empty() => Meant::Unclear,
        (false, _) if is_average => Meant::Unclear,
        _ => Meant::For(unit.clone()),
    }
}

/// One of several: that which the name says itself, or the only one of money for what is money.
fn one_of(units: &[&Unit], name: &str) -> Meant {
    let only = |fits: &dyn Fn(&Unit) -> bool| {
        let mut fitting = units.iter().filter(|unit| fits(unit));
        let first = fitting.next()?;
        fitting
            .next()
            .is_none()
            .then(|| Meant::For((*first).clone()))
    };
    let is_average = contains(name, &["当たり", "当り", "あたり", "平均"]);
    if names_money(name) {
        return only(&is_money).unwrap_or(Meant::Unclear);
    }
    let is_said = |unit: &Unit| !unit.rest.is_empty() && name.contains(&unit.rest);
    let said = only(&is_said).filter(|_| !is_average);
    said.unwrap_or(Meant::Unclear)
}

/// All units of a note, if it has nothing else.
fn units(whole: &str, text: &str, language: TableLanguage) -> Option<Vec<Unit>> {
    // The word in front may tell what it is.
    if let Some(unit) = Unit::parse_in(whole, language) {
        return Some(vec![unit]);
    }
    let text = text.replace("及び", "、").replace("並びに", "、");
    let parts = text.split(['、', ',', '・', ';', '；']);
    parts.map(|part| Unit::parse_in(part, language)).collect()
}

/// Words that begin nothing else.
fn is_label(text: &str) -> bool {
    let text = text.trim_start().to_lowercase();
    ["単位", "unit", "unidad"]
        .iter()
        .any(|label| text.starts_with(label))
}

fn has_power(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words = ["thousand", "million", "billion", "miles", "millones"];
    contains(&lower, &["千", "万", "億", "兆", "百"]) || contains(&lower, &words)
}

/// Percentages and the like, which are the same in thousands.
pub(super) fn is_share(name: &str) -> bool {
    const PARTS: [&str; 13] = [
        "率",
        "割合",
        "構成比",
        "前年比",
        "前期比",
        "増減比",
        "%",
        "％",
        "‰",
        "指数",
        "密度",
        "順位",
        "偏差",
    ];
    const WORDS: [&str; 20] = [
        "rate",
        "rates",
        "ratio",
        "ratios",
        "share",
        "shares",
        "percentage",
        "percent",
        "pct",
        "index",
        "density",
        "rank",
        "tasa",
        "porcentaje",
        "proporción",
        "cuota",
        "índice",
        "densidad",
        "margin",
        "margen",
    ];
    let is_ratio = |word: &str| word.ends_with('比');
    contains(name, &PARTS) || has_word(name, &WORDS) || name.split_whitespace().any(is_ratio)
}

/// Whether the unit of a row may be meant for a column of this name.
pub(super) fn may_count(name: &str) -> bool {
    let is_time = names_years(name) && !names_money(name);
    !is_time && !is_share(name) && !is_label_of_rows(name)
}

/// Whether a column holds the figures of a table of one figure a row.
pub(super) fn names_values(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "値",
        "数値",
        "統計値",
        "value",
        "values",
        "valor",
        "valores",
        "wert",
        "werte",
        "valeur",
        "valeurs",
        "obs_value",
    ];
    NAMES.contains(&narrowed(name).to_lowercase().as_str())
}

/// `2015年` names one year, `年` many.
pub(super) fn names_years(name: &str) -> bool {
    const WORDS: [&str; 6] = ["年", "時点", "西暦", "year", "año", "ejercicio"];
    contains(&name.to_lowercase(), &WORDS) && !narrowed(name).contains(is_digit)
}

/// `2015`, `2015 Total`, `令和2年`: one of several columns that count the same.
pub(super) fn names_a_year(name: &str) -> bool {
    let name = narrowed(name);
    let is_year = |digits: &str| {
        digits.len() == 4
            && digits
                .parse()
                .is_ok_and(|year: u32| (1800..=2100).contains(&year))
    };
    name.contains('年') && name.contains(is_digit)
        || name.split(|c: char| !c.is_ascii_digit()).any(is_year)
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn narrowed(name: &str) -> String {
    name.trim().chars().map(narrow).collect()
}

fn is_unit_of_shares(unit: &Unit) -> bool {
    let of_shares = ["%", "‰", "ポイント", "倍", "percent", "ratio"];
    unit.power == 0 && of_shares.contains(&unit.rest.to_lowercase().as_str())
}

/// Codes and ages tell rows apart.
fn is_label_of_rows(name: &str) -> bool {
    let is_age = |word: &str| word.ends_with("年齢");
    contains(name, &["コード", "番号"])
        || has_word(
            name,
            &[
                "code", "codes", "código", "codigo", "id", "ids", "zip", "age", "ages", "edad",
            ],
        )
        || name.split_whitespace().any(is_age)
}

fn is_money(unit: &Unit) -> bool {
    const MONEY: [&str; 18] = [
        "円",
        "ドル",
        "ユーロ",
        "euro",
        "eur",
        "usd",
        "jpy",
        "yen",
        "dólar",
        "dollar",
        "peso",
        "gbp",
        "pound",
        "libra",
        "$",
        "€",
        "¥",
        "£",
    ];
    contains(&unit.rest.to_lowercase(), &MONEY)
}

fn names_money(name: &str) -> bool {
    const PARTS: [&str; 19] = [
        "額", "収入", "所得", "支出", "費用", "経費", "売上", "残高", "価格", "賃金", "給与",
        "利益", "資産", "負債", "預金", "貸出", "年収", "月収", "年金",
    ];
    const WORDS: [&str; 16] = [
        "income",
        "revenue",
        "revenues",
        "sales",
        "assets",
        "profit",
        "wages",
        "cost",
        "costs",
        "expenditure",
        "ingresos",
        "ventas",
        "activo",
        "activos",
        "beneficio",
        "gastos",
    ];
    contains(name, &PARTS) || has_word(name, &WORDS)
}

/// People, firms and the like.
fn names_things(name: &str) -> bool {
    const PARTS: [&str; 6] = ["数", "人口", "人員", "従業員", "職員", "世帯"];
    const WORDS: [&str; 18] = [
        "number",
        "count",
        "employees",
        "staff",
        "customers",
        "branches",
        "households",
        "people",
        "population",
        "headcount",
        "empleados",
        "clientes",
        "oficinas",
        "hogares",
        "personas",
        "habitantes",
        "número",
        "plantilla",
    ];
    !names_money(name) && (contains(name, &PARTS) || has_word(name, &WORDS))
}

fn contains(text: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| text.contains(part))
}

fn has_word(text: &str, words: &[&str]) -> bool {
    let text = text.to_lowercase();
    let mut of_text = text.split(|c: char| !c.is_alphanumeric());
    of_text.any(|word| words.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: TableLanguage = TableLanguage::Other;

    fn unit(power: usize, rest: &str) -> Unit {
        let rest = rest.to_owned();
        Unit { power, rest }
    }

    #[test]
    fn notes_name_units_for_the_table() {
        let thousand_euros = [unit(3, "euros")];
        for (note, units) in [
            ("（単位：千円）", &[unit(3, "円")][..]),
            ("単位 百万円", &[unit(6, "円")]),
            (
                "Fuente: elaboración propia (en miles de euros)",
                &thousand_euros,
            ),
            ("(in thousands)", &[unit(3, "")]),
            ("（千人）", &[unit(3, "人")]),
            ("（単位：千人、％）", &[unit(3, "人"), unit(0, "%")]),
            ("単位：千人，百万円", &[unit(3, "人"), unit(6, "円")]),
            (
                "(in thousands, percent)",
                &[unit(3, ""), unit(0, "percent")],
            ),
            ("（単位：千トン、隻数）", &[]),
        ] {
            let found = Note::parse(note, false, OTHER).map(|note| note.units);
            assert_eq!(found.as_deref(), Some(units), "{note}");
        }
        for other in [
            "（単位：人）",
            "千円",
            "（単位：人、％）",
            "（単位：隻）",
            "（千葉県を除く）",
            "En miles de casos se observa una mejora",
        ] {
            assert_eq!(Note::parse(other, true, OTHER), None, "{other}");
        }
        let miles = |language| Note::parse("(miles)", true, language).map(|note| note.units);
        assert_eq!(miles(TableLanguage::Spanish), Some(vec![unit(3, "")]));
        assert_eq!(miles(OTHER), None);
        let en_miles = Note::parse("(en miles)", true, OTHER).map(|note| note.units);
        assert_eq!(en_miles, Some(vec![unit(3, "")]));
        assert!(Note::parse("人口（千人）", true, OTHER).is_some());
        assert_eq!(Note::parse("人口（千人）", false, OTHER), None);
    }

    #[track_caller]
    fn check(note: &str, name: &str, expected: Meant) {
        let note = Note::parse(note, true, OTHER).unwrap();
        assert_eq!(note.meaning(name, true), expected, "{name}");
    }

    #[test]
    fn counts_are_meant_and_shares_are_not() {
        let people = || Meant::For(unit(3, "人"));
        for name in ["人口 総数", "男", "2015年", "令和2年", "年少人口", "世帯数"] {
            check("（単位：千人）", name, people());
        }
        for name in [
            "失業率",
            "割合",
            "性比",
            "構成比 男",
            "地域コード",
            "年齢",
            "share of men",
        ] {
            check("（単位：千人）", name, Meant::ForOthers);
        }
        for name in ["1世帯当たり人員", "所得"] {
            check("（単位：千人）", name, Meant::Unclear);
        }
    }

    #[test]
    fn money_is_not_what_people_and_firms_are_counted_in() {
        let euros = || Meant::For(unit(3, "euros"));
        check("(miles de euros)", "Beneficio", euros());
        check("(miles de euros)", "Empleados", Meant::ForOthers);
        let yen = || Meant::For(unit(6, "円"));
        check("（単位：百万円）", "売上高", yen());
        check("（単位：百万円）", "世帯収入", yen());
        check("（単位：百万円）", "従業者数", Meant::ForOthers);
        check("（単位：千人、百万円）", "平均所得", yen());
        check("（単位：千人、百万円）", "人口", Meant::For(unit(3, "人")));
        check("（単位：千人、百万円）", "第1表", Meant::Unclear);
    }

    #[test]
    fn names_of_years_codes_and_ages_count_nothing() {
        for name in [
            "年度",
            "西暦",
            "Year",
            "Series ID",
            "time_code",
            "Age",
            "年齢",
            "割合",
        ] {
            assert!(!may_count(name), "{name}");
        }
        for name in ["年収", "人口", "Amount", "2015年", "value"] {
            assert!(may_count(name), "{name}");
        }
        assert!(names_values("Value ") && names_values("値") && !names_values("Face value"));
        assert!(names_a_year("2015") && names_a_year("令和２年") && names_a_year("2020 Total"));
        assert!(!names_a_year("年") && !names_a_year("10000") && !names_a_year("Min"));
    }

    #[test]
    fn where_shares_have_no_column_any_may_be_theirs() {
        let note = Note::parse("（単位：千人、％）", true, OTHER).unwrap();
        assert_eq!(note.meaning("人口", false), Meant::Unclear);
        assert_eq!(note.meaning("人口", true), Meant::For(unit(3, "人")));
    }
}
