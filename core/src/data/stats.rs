//! A dataset in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Body, Loaded, ProblemKind, Record,
    fingerprint::{fingerprint, first_before},
    language::{UNKNOWN, language_of},
    measure::{n_chars, texts},
};
use crate::text::{Message, Role};

/// Counts, lengths and languages of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    pub n_records: u64,
    /// Records of the file that could not be read.
    pub n_unreadable: u64,
    pub n_empty: u64,
    pub n_duplicates: u64,
    /// Records that ask what another one asks and answer otherwise.
    pub n_conflicting: u64,
    /// Records longer than `max_length` tokens; without a tokenizer, characters.
    pub n_over_long: u64,
    pub max_length: usize,
    pub messages_by_role: BTreeMap<&'static str, u64>,
    /// ISO 639-3 codes; `unknown` where a text is too short or mixed to tell.
    pub languages: BTreeMap<String, u64>,
    pub n_with_system: u64,
    pub n_with_tools: u64,
    pub n_multi_turn: u64,
    pub characters: Distribution,
    /// Present when a tokenizer was given.
    pub tokens: Option<Distribution>,
}

/// How a length is distributed. Percentiles are nearest-rank: lengths that occur.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Distribution {
    pub total: u64,
    pub min: u64,
    pub mean: f64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub max: u64,
    pub histogram: Vec<Bin>,
}

/// Records with a length from `from` to below `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bin {
    pub from: u64,
    pub to: u64,
    pub n: u64,
}

/// What a statistic needs beside the records.
pub struct StatsOptions<'a> {
    pub max_length: usize,
    /// Counts the tokens of a record.
    pub n_tokens: Option<&'a dyn Fn(&Record) -> usize>,
}

pub fn stats(loaded: &Loaded, options: &StatsOptions<'_>) -> Stats {
    let records = &loaded.records;
    let prints: Vec<_> = records.iter().map(fingerprint).collect();
    let same_whole = first_before(&prints.iter().map(|print| print.whole).collect::<Vec<_>>());
    let same_prompt = first_before(&prints.iter().map(|print| print.prompt).collect::<Vec<_>>());
    let n_duplicates = same_whole.iter().flatten().count() as u64;
    let characters: Vec<u64> = records
        .iter()
        .map(|record| n_chars(record) as u64)
        .collect();
    let tokens: Option<Vec<u64>> = options
        .n_tokens
        .map(|count| records.iter().map(|record| count(record) as u64).collect());
    let lengths = tokens.as_ref().unwrap_or(&characters);
    let n_over_long = lengths
        .iter()
        .filter(|&&length| length > options.max_length as u64)
        .count();
    let counts = loaded.problems.counts();
    let n_of = |kind| counts.get(&kind).copied().unwrap_or(0);
    let mut stats = Stats {
        n_records: records.len() as u64,
        n_unreadable: loaded.n_in_file - loaded.n_left_out - records.len() as u64,
        n_empty: n_of(ProblemKind::EmptyRecord) + n_of(ProblemKind::EmptyAnswer),
        n_duplicates,
        n_conflicting: same_prompt.iter().flatten().count() as u64 - n_duplicates,
        n_over_long: n_over_long as u64,
        max_length: options.max_length,
        messages_by_role: BTreeMap::new(),
        languages: BTreeMap::new(),
        n_with_system: 0,
        n_with_tools: 0,
        n_multi_turn: 0,
        characters: distribution(characters.clone()),
        tokens: None,
    };
    stats.tokens = tokens.map(distribution);
    for record in records {
        stats.add(record);
    }
    stats
}

impl Stats {
    fn add(&mut self, record: &Record) {
        if let Some(language) = language(record) {
            *self.languages.entry(language.to_owned()).or_insert(0) += 1;
        }
        let Body::Chat(chat) = &record.body else {
            return;
        };
        let mut n_answers = 0;
        let mut has_system = false;
        for message in &chat.messages {
            let name = message.role.name();
            *self.messages_by_role.entry(name).or_insert(0) += 1;
            n_answers += u64::from(name == "user");
            has_system |= matches!(name, "system" | "developer");
        }
        self.n_with_system += u64::from(has_system);
        self.n_with_tools += u64::from(!chat.tools.is_empty());
        self.n_multi_turn += u64::from(n_answers > 1);
    }
}

/// The language of a record's texts taken together; `None` for token ids. Instructions count only where
/// nothing else tells it: those in English are common before dialogues in any language.
pub(crate) fn language(record: &Record) -> Option<&'static str> {
    let told = match &record.body {
        Body::Tokens(_) => return None,
        Body::Text { .. } => UNKNOWN,
        Body::Chat(chat) => {
            let spoken = chat.messages.iter();
            let spoken = spoken.filter(|message| !is_instruction(message.role));
            language_of(&beginnings(spoken.map(Message::text)))
        }
    };
    Some(match told {
        UNKNOWN => language_of(&beginnings(texts(record).into_iter())),
        told => told,
    })
}

fn is_instruction(role: Role) -> bool {
    matches!(role, Role::System | Role::Developer)
}

/// Enough of texts to tell a language; more only costs time.
fn beginnings<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    const LOOKED_AT: usize = 2000;
    let mut beginnings = String::with_capacity(LOOKED_AT);
    for text in texts {
        let left = LOOKED_AT.saturating_sub(beginnings.len());
        let end = match text.len() > left {
            true => text.char_indices().nth(left).map(|(end, _)| end),
            false => None,
        };
        beginnings.push_str(&text[..end.unwrap_or(text.len())]);
        beginnings.push('\n');
    }
    beginnings
}

fn distribution(mut lengths: Vec<u64>) -> Distribution {
    lengths.sort_unstable();
    let (Some(&min), Some(&max)) = (lengths.first(), lengths.last()) else {
        return Distribution::default();
    };
    let n = lengths.len();
    let rank = |share: f64| lengths[((share * n as f64).ceil() as usize).clamp(1, n) - 1];
    let total: u64 = lengths.iter().sum();
    let (p50, p90, p99) = (rank(0.5), rank(0.9), rank(0.99));
    Distribution {
        total,
        min,
        mean: total as f64 / n as f64,
        p50,
        p90,
        p99,
        max,
        histogram: histogram(&lengths, p99),
    }
}

/// Up to twelve bins of a round width up to the 99th percentile, and one for the rest.
fn histogram(sorted: &[u64], p99: u64) -> Vec<Bin> {
    const BINS: u64 = 12;
    let width = round_width(p99 / BINS + 1);
    let n_below = |limit: u64| sorted.partition_point(|&length| length < limit) as u64;
    let first = sorted[0] / width;
    let last = p99 / width;
    let bin = |from: u64, to: u64| Bin {
        from,
        to,
        n: n_below(to) - n_below(from),
    };
    let mut bins: Vec<Bin> = (first..=last)
        .map(|i| bin(i * width, (i + 1) * width))
        .collect();
    let max = sorted[sorted.len() - 1];
    if max >= (last + 1) * width {
        bins.push(bin((last + 1) * width, max + 1));
    }
    bins
}

/// The next 1, 2 or 5 times a power of ten.
fn round_width(least: u64) -> u64 {
    let mut power = 1;
    loop {
        for factor in [1, 2, 5] {
            if factor * power >= least {
                return factor * power;
            }
        }
        power *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ReadOptions, read};

    #[test]
    fn percentiles_are_lengths_that_occur() {
        let d = distribution((1..=200).collect());
        assert_eq!(
            (d.p50, d.p90, d.p99, d.max, d.total),
            (100, 180, 198, 200, 20_100)
        );
        assert_eq!(d.histogram.iter().map(|bin| bin.n).sum::<u64>(), 200);
        assert_eq!(
            d.histogram[0],
            Bin {
                from: 0,
                to: 20,
                n: 19
            }
        );
        assert_eq!(distribution(vec![]), Distribution::default());
        assert_eq!(distribution(vec![7]).p99, 7);
    }

    #[test]
    fn counts_roles_languages_and_doubles() {
        let spanish =
            "¿Cuál fue el beneficio neto del banco durante el año pasado y por qué creció tanto?";
        let japanese = "東京に住む三十代の家族には、どのような保険商品が向いていますか。理由も教えてください。";
        let english = "Which bonds have the longest duration, and how does that change when interest rates rise?";
        let text = format!(
            "query,response\n\"{spanish}\",sí\n\"{japanese}\",終身保険\n\"{english}\",yes\n\"{english}\",no\n\"{english}\",yes\n1,2\n"
        );
        let loaded = read(text.as_bytes(), &ReadOptions::default()).unwrap();
        let count = |record: &Record| super::super::n_tokens(record, &|text| text.len());
        let stats = stats(
            &loaded,
            &StatsOptions {
                max_length: 50,
                n_tokens: Some(&count),
            },
        );
        assert_eq!(
            (
                stats.n_records,
                stats.n_duplicates,
                stats.n_conflicting,
                stats.n_over_long
            ),
            (6, 1, 1, 5)
        );
        let languages: Vec<_> = stats
            .languages
            .iter()
            .map(|(code, n)| (code.as_str(), *n))
            .collect();
        assert_eq!(
            languages,
            [("eng", 3), ("jpn", 1), ("spa", 1), ("unknown", 1)]
        );
        assert_eq!(stats.messages_by_role["assistant"], 6);
        assert_eq!(stats.tokens.unwrap().min, 2);
    }

    #[test]
    fn instructions_tell_the_language_only_where_nothing_else_does() {
        let chat = |question: &str| {
            let system =
                "You are a helpful assistant. Answer with the figure and where it is from.";
            let line = format!(
                r#"{{"messages": [{{"role": "system", "content": "{system}"}}, {{"role": "user", "content": "{question}"}}, {{"role": "assistant", "content": "4,5 %"}}]}}"#
            );
            let loaded = read(line.as_bytes(), &ReadOptions::default()).unwrap();
            language(&loaded.records[0])
        };
        assert_eq!(chat("¿Cuál fue el margen?"), Some("spa"));
        assert_eq!(chat("利回りは"), Some("jpn"));
        assert_eq!(chat("12 + 3"), Some("eng"));
    }
}
