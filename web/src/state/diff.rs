//! Which words of an answer another answer does not have.
//!
//! Longest common subsequence over words; scripts without spaces count by character.

/// A stretch of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    pub text: String,
    /// Whether the other answer lacks it.
    pub differs: bool,
}

/// Products of lengths beyond which what lies between the common ends counts as different: the
/// table of such a pair would take longer than a frame.
const TABLE_LIMIT: usize = 4_000_000;

/// What of a word tells it from others.
type Sense = fn(&str) -> &str;

/// `text` in stretches, compared with `reference`. Joined, they give `text`. The white space between
/// words does not tell.
pub fn compare(reference: &str, text: &str) -> Vec<Stretch> {
    let (reference, words) = (split(reference, false), split(text, false));
    let (_, differs) = mark(&reference, &words, str::trim_end);
    stretches(words, differs)
}

/// Two texts in stretches, each compared with the other; white space tells too.
pub fn compare_exactly(before: &str, after: &str) -> [Vec<Stretch>; 2] {
    let (before, after) = (split(before, true), split(after, true));
    let (gone, new) = mark(&before, &after, |word| word);
    [stretches(before, gone), stretches(after, new)]
}

/// White space as signs that are seen; a single space between two words stays one.
pub fn with_visible_space(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut is_behind_word = false;
    while let Some(c) = chars.next() {
        let is_before_word = chars.peek().is_some_and(|next| !next.is_whitespace());
        match c {
            ' ' if is_behind_word && is_before_word => shown.push(' '),
            ' ' => shown.push('·'),
            '\n' => shown.push_str("↵\n"),
            '\t' => shown.push_str("→\t"),
            c if c.is_whitespace() => shown.push('□'),
            c => shown.push(c),
        }
        is_behind_word = !c.is_whitespace();
    }
    shown
}

fn stretches(words: Vec<&str>, differs: Vec<bool>) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for (word, differs) in words.into_iter().zip(differs) {
        match stretches.last_mut() {
            Some(last) if last.differs == differs => last.text.push_str(word),
            _ => stretches.push(Stretch {
                text: word.to_owned(),
                differs,
            }),
        }
    }
    stretches
}

/// Words with the white space behind them, or that apart; punctuation and ideographs alone.
fn split(text: &str, spaces_apart: bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut last = Kind::Space;
    for (at, c) in text.char_indices() {
        let kind = Kind::of(c);
        let joins = match kind {
            Kind::Space => !spaces_apart || last == Kind::Space,
            Kind::Word => last == Kind::Word,
            Kind::Alone => false,
        };
        if at > start && !joins {
            parts.push(&text[start..at]);
            start = at;
        }
        last = kind;
    }
    if start < text.len() {
        parts.push(&text[start..]);
    }
    parts
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Space,
    Word,
    Alone,
}

impl Kind {
    fn of(c: char) -> Self {
        let is_ideographic = matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
            | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}');
        match c {
            c if c.is_whitespace() => Self::Space,
            _ if is_ideographic => Self::Alone,
            c if c.is_alphanumeric() || matches!(c, '\'' | '_' | '.' | ',') => Self::Word,
            _ => Self::Alone,
        }
    }
}

/// For each word of both whether it lies outside the longest common subsequence.
fn mark(reference: &[&str], words: &[&str], sense: Sense) -> (Vec<bool>, Vec<bool>) {
    let same = |(a, b): &(&&str, &&str)| sense(a) == sense(b);
    let n_start = reference.iter().zip(words).take_while(same).count();
    let (rest, middle) = (&reference[n_start..], &words[n_start..]);
    let n_end = rest
        .iter()
        .rev()
        .zip(middle.iter().rev())
        .take_while(same)
        .count();
    let rest = &rest[..rest.len() - n_end];
    let middle = &middle[..middle.len() - n_end];

    let (gone, new) = mark_middle(rest, middle, sense);
    let whole = |middle: Vec<bool>, len| {
        let mut differs = vec![false; n_start];
        differs.extend(middle);
        differs.resize(len, false);
        differs
    };
    (whole(gone, reference.len()), whole(new, words.len()))
}

fn mark_middle(reference: &[&str], words: &[&str], sense: Sense) -> (Vec<bool>, Vec<bool>) {
    // A word that stays says more than a space that stays.
    const WORD: u32 = 16;
    let width = words.len() + 1;
    let (mut gone, mut new) = (vec![true; reference.len()], vec![true; words.len()]);
    if reference.is_empty() || words.is_empty() || reference.len() * words.len() > TABLE_LIMIT {
        return (gone, new);
    }
    let weight = |word: &str| if word.trim().is_empty() { 1 } else { WORD };
    // weights[i, j]: heaviest common subsequence of what begins at i and at j
    let mut weights = vec![0_u32; (reference.len() + 1) * width];
    for i in (0..reference.len()).rev() {
        for j in (0..words.len()).rev() {
            weights[i * width + j] = if sense(reference[i]) == sense(words[j]) {
                weights[(i + 1) * width + j + 1] + weight(words[j])
            } else {
                weights[(i + 1) * width + j].max(weights[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < reference.len() && j < words.len() {
        if sense(reference[i]) == sense(words[j]) {
            (gone[i], new[j]) = (false, false);
            (i, j) = (i + 1, j + 1);
        } else if weights[(i + 1) * width + j] >= weights[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    (gone, new)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `text` with the differing stretches in brackets.
    #[track_caller]
    fn check(reference: &str, text: &str, want: &str) {
        let stretches = compare(reference, text);
        let joined: String = stretches.iter().map(|s| s.text.as_str()).collect();
        assert_eq!(joined, text);
        let marked: String = stretches
            .iter()
            .map(|s| {
                if s.differs {
                    format!("[{}]", s.text)
                } else {
                    s.text.clone()
                }
            })
            .collect();
        assert_eq!(marked, want);
    }

    #[test]
    fn equal_answers_have_no_marks() {
        check(
            "The yield is 3.5 %.",
            "The yield is 3.5 %.",
            "The yield is 3.5 %.",
        );
    }

    #[test]
    fn one_word_is_marked() {
        check(
            "The yield is low now",
            "The yield is high now",
            "The yield is [high ]now",
        );
    }

    #[test]
    fn words_in_the_middle_are_found() {
        check("a b c d", "a x b y d z", "a [x ]b [y ]d [z]");
    }

    #[test]
    fn ideographs_count_alone() {
        check("東京の保険", "大阪の保険", "[大阪]の保険");
    }

    #[test]
    fn nothing_in_common_and_nothing_at_all() {
        check("", "new words", "[new words]");
        check("old words", "", "");
    }

    #[test]
    fn a_word_at_the_end_equals_one_before_a_space() {
        check("one two", "one two three", "one two [three]");
    }

    #[test]
    fn white_space_is_compared_where_it_tells() {
        check("a  b\nc", "a b c", "a b c");
        let shown = |stretches: Vec<Stretch>| {
            let differing = stretches.into_iter().filter(|stretch| stretch.differs);
            let shown = differing.map(|stretch| with_visible_space(&stretch.text));
            shown.collect::<Vec<_>>()
        };
        let marked = |before, after| {
            let [_, after] = compare_exactly(before, after);
            shown(after)
        };
        assert_eq!(marked("a b c", "a  b\nc"), ["··", "↵\n"]);
        assert_eq!(marked("a  b\nc", "a b c"), ["·", "·"]);
        assert_eq!(marked("x", "new word x"), ["new word·"]);
        assert_eq!(marked("ab", "a\t\u{a0}b"), ["a→\t□b"]);
        // Of what stays, both sides say the same.
        let [gone, new] = compare_exactly("and then?", "and  then ?").map(shown);
        assert_eq!(gone, ["·"]);
        assert_eq!(new, ["··", "·"]);
    }

    #[test]
    fn long_texts_end_in_time() {
        let a: String = (0..5000).map(|i| format!("a{i} ")).collect();
        let b: String = (0..5000).map(|i| format!("b{i} ")).collect();
        let stretches = compare(&a, &b);
        assert_eq!(stretches.len(), 1);
        assert!(stretches[0].differs);
    }
}
