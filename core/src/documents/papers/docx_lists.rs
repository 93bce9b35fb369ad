//! The numbers before paragraphs of a DOCX: `2.`, `2.b)` (ECMA-376, part 1, 17.9).
//!
//! A paragraph, or its style, names a list (`numId`) and a level; the list names its kind
//! (`abstractNumId`), whose levels say how they count. Lists of one kind count on together, unless one
//! says where it starts.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    docx::{Seen, attribute},
    numerals::Numerals,
};

const MAX_LEVELS: usize = 9;

/// Styles above each other.
const MAX_STYLES: usize = 16;

/// Characters of a level's pattern, `%1.%2)`.
const MAX_PATTERN: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Lists {
    /// By `numId`.
    lists: BTreeMap<String, List>,
    /// By `abstractNumId` and level.
    levels: BTreeMap<(String, usize), Level>,
    /// By the style's id.
    styles: BTreeMap<String, Style>,
    /// The last number at each level, by `abstractNumId`.
    counts: BTreeMap<String, [Option<i64>; MAX_LEVELS]>,
    /// Lists that have begun where they say that they start.
    started: BTreeSet<(String, usize)>,
}

#[derive(Debug, Clone, Default)]
struct List {
    kind: String,
    /// By level.
    starts: BTreeMap<usize, i64>,
}

#[derive(Debug, Clone, Default)]
struct Level {
    start: Option<i64>,
    numerals: Numerals,
    is_bullet: bool,
    pattern: String,
}

/// What a paragraph, or its style, says of its list.
#[derive(Debug, Clone, Default)]
pub(super) struct Item {
    pub(super) style: Option<String>,
    list: Option<String>,
    level: Option<usize>,
}

#[derive(Debug, Clone, Default)]
struct Style {
    based_on: Option<String>,
    item: Item,
}

/// What stands before an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    Bullet,
    Number(String),
}

impl Lists {
    /// Takes `numbering.xml`.
    pub(super) fn numbering(&mut self) -> impl FnMut(Seen<'_>) {
        let (mut kind, mut level) = (None::<String>, None::<usize>);
        let (mut list, mut started) = (None::<String>, None::<usize>);
        move |seen| match seen {
            Seen::Open("abstractNum", tag) => kind = attribute(tag, "abstractNumId"),
            Seen::Close("abstractNum") => kind = None,
            Seen::Open("num", tag) => list = attribute(tag, "numId"),
            Seen::Close("num") => list = None,
            Seen::Open("lvl", tag) => level = level_of(attribute(tag, "ilvl")),
            Seen::Close("lvl") => level = None,
            Seen::Open("lvlOverride", tag) => started = level_of(attribute(tag, "ilvl")),
            Seen::Open(name, tag) => {
                let Some(value) = attribute(tag, "val") else {
                    return;
                };
                if let (Some(kind), Some(level)) = (&kind, level) {
                    let level = self.levels.entry((kind.clone(), level)).or_default();
                    level.take(name, &value);
                } else if let Some(list) = &list {
                    let list = self.lists.entry(list.clone()).or_default();
                    list.take(name, started, value);
                }
            }
            Seen::Close(_) | Seen::Text(_) => {}
        }
    }

    /// Takes `styles.xml`.
    pub(super) fn styles(&mut self) -> impl FnMut(Seen<'_>) {
        let mut open = None::<String>;
        move |seen| match seen {
            Seen::Open("style", tag) => open = attribute(tag, "styleId"),
            Seen::Close("style") => open = None,
            Seen::Open(name @ ("basedOn" | "numId" | "ilvl"), tag) => {
                let Some(open) = &open else { return };
                let style = self.styles.entry(open.clone()).or_default();
                match name {
                    "basedOn" => style.based_on = attribute(tag, "val"),
                    _ => style.item.take(name, attribute(tag, "val")),
                }
            }
            _ => {}
        }
    }

    /// What stands before the next paragraph.
    pub(super) fn mark(&mut self, item: &Item) -> Option<Mark> {
        let (id, level_idx) = self.place(item)?;
        let list = self.lists.get(&id)?;
        let level = self.levels.get(&(list.kind.clone(), level_idx))?;
        if level.is_bullet {
            return Some(Mark::Bullet);
        }
        let start = list.starts.get(&level_idx).copied();
        let is_new = start.is_some() && self.started.insert((id, level_idx));
        let counts = self.counts.entry(list.kind.clone()).or_default();
        let count = counts.get_mut(level_idx)?;
        *count = Some(match *count {
            Some(n) if !is_new => n.saturating_add(1),
            _ => start.or(level.start).unwrap_or(1),
        });
        for deeper in counts.iter_mut().skip(level_idx + 1) {
            *deeper = None;
        }
        let counts = *counts;
        let text = self.written(&list.kind, &level.pattern, &counts);
        (!text.trim().is_empty()).then_some(Mark::Number(text))
    }

    /// The list and level of a paragraph or of its style.
    fn place(&self, item: &Item) -> Option<(String, usize)> {
        let (mut list, mut level) = (item.list.as_ref(), item.level);
        let mut style = item.style.as_ref().and_then(|style| self.styles.get(style));
        for _ in 0..MAX_STYLES {
            let Some(found) = style.filter(|_| list.is_none()) else {
                break;
            };
            list = found.item.list.as_ref();
            level = level.or(found.item.level);
            let above = found.based_on.as_ref();
            style = above.and_then(|above| self.styles.get(above));
        }
        // List 0 is none.
        let list = list.filter(|list| *list != "0")?;
        Some((list.clone(), level.unwrap_or(0)))
    }

    /// `%1.%2)` with the numbers of the levels.
    fn written(&self, kind: &str, pattern: &str, counts: &[Option<i64>]) -> String {
        let mut text = String::new();
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            let digit = chars.peek().and_then(|c| c.to_digit(10));
            let level_idx = digit.and_then(|digit| (digit as usize).checked_sub(1));
            let Some(level_idx) = level_idx.filter(|_| c == '%') else {
                text.push(c);
                continue;
            };
            chars.next();
            let level = self.levels.get(&(kind.to_owned(), level_idx));
            let start = level.and_then(|level| level.start).unwrap_or(1);
            let count = counts.get(level_idx).copied().flatten().unwrap_or(start);
            let numerals = level.map(|level| level.numerals).unwrap_or_default();
            text.push_str(&numerals.write(count));
        }
        text
    }
}

impl List {
    fn take(&mut self, name: &str, level: Option<usize>, value: String) {
        match (name, level, value.parse()) {
            ("abstractNumId", ..) => self.kind = value,
            ("startOverride", Some(level), Ok(start)) => {
                self.starts.insert(level, start);
            }
            _ => {}
        }
    }
}

impl Level {
    fn take(&mut self, name: &str, value: &str) {
        match name {
            "start" => self.start = value.parse().ok(),
            "lvlText" => self.pattern = value.chars().take(MAX_PATTERN).collect(),
            "numFmt" => {
                self.is_bullet = value == "bullet";
                self.numerals = match value {
                    "lowerLetter" => Numerals::LowerLetter,
                    "upperLetter" => Numerals::UpperLetter,
                    "lowerRoman" => Numerals::LowerRoman,
                    "upperRoman" => Numerals::UpperRoman,
                    _ => Numerals::Decimal,
                };
            }
            _ => {}
        }
    }
}

impl Item {
    /// `numId`, `ilvl`.
    pub(super) fn take(&mut self, name: &str, value: Option<String>) {
        match name {
            "numId" => self.list = value,
            _ => self.level = level_of(value),
        }
    }
}

/// Levels beyond the last are in no list.
fn level_of(value: Option<String>) -> Option<usize> {
    value?.parse().ok()
}
