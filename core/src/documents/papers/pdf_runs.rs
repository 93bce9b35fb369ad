//! Letters that follow each other on a baseline, as text.
//!
//! Where a word ends is written in some files and left white in others, also on one page: a line is
//! taken by what it has more of. Small letters beside a line, raised or lowered, belong to it.

use super::{
    pdf_bidi::{in_order_of_reading, is_leftward},
    pdf_letters::Letter,
    scripts::{lowered, raised},
};

/// Letters that follow each other on a baseline.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) text: String,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) y: f64,
    pub(super) size: f64,
}

/// Distances in sizes of the font.
pub(super) const SAME_LINE: f64 = 0.35;
const SPACE: f64 = 0.18;
/// The same where spaces are written: what is left is kerning, or a space between two strings if the
/// letters stand as close as those of most lines do.
const SPACE_BESIDE_SPACES: f64 = 0.4;
const SPACE_AMONG_CLOSE: f64 = 0.22;
const CLOSE: f64 = 0.05;
/// One in so many pairs of letters may stand further apart in a line with close letters.
const FURTHER_APART: usize = 8;
const NEW_RUN: f64 = 0.9;

/// White between words by which a line without a written space is known to leave them out.
const MIN_WORD_GAPS: usize = 3;
/// Letters by which wide setting is known.
const MIN_WIDE_LETTERS: usize = 4;

/// Raised and lowered letters: their size beside the line's, how far off its baseline, and how near.
const SCRIPT_SIZE: f64 = 0.85;
const RAISED: (f64, f64) = (0.1, 0.8);
const LOWERED: (f64, f64) = (0.06, 0.45);
const BESIDE: (f64, f64) = (-0.25, 0.45);
const MAX_SCRIPT_CHARS: usize = 6;
/// How far in the file a raised letter is from its line at most, in chains.
const MAX_SCRIPT_DISTANCE: usize = 32;

pub(super) fn runs(letters: Vec<Letter>) -> Vec<Run> {
    let mut chains = with_scripts(chains(letters));
    for chain in &mut chains {
        if chain.is_leftward() && chain.goes_left() {
            chain.letters.sort_by(|a, b| a.x.total_cmp(&b.x));
        }
    }
    let mut page = Gaps::default();
    for gaps in chains
        .iter()
        .map(Gaps::of)
        .filter(|gaps| gaps.wide.is_none())
    {
        page.n_written += gaps.n_written;
        page.n_white += gaps.n_white;
    }
    chains.into_iter().map(|chain| chain.run(&page)).collect()
}

/// Letters of a line; never without any.
struct Chain {
    letters: Vec<Letter>,
    left: f64,
    right: f64,
    y: f64,
    size: f64,
    has_script: bool,
}

fn chains(letters: Vec<Letter>) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    for letter in letters {
        match chains.last_mut() {
            Some(chain) if chain.takes(&letter) => chain.push(letter),
            _ => chains.push(Chain::new(letter)),
        }
    }
    chains
}

impl Chain {
    fn new(letter: Letter) -> Self {
        Self {
            left: letter.x,
            right: letter.right(),
            y: letter.y,
            size: letter.size,
            has_script: false,
            letters: vec![letter],
        }
    }

    fn push(&mut self, letter: Letter) {
        self.left = self.left.min(letter.x);
        self.right = self.right.max(letter.right());
        self.letters.push(letter);
    }

    fn takes(&self, letter: &Letter) -> bool {
        let Some(last) = self.letters.last() else {
            return false;
        };
        let overlap = if last.width_is_known { 0.6 } else { 1.1 };
        let size = self.size.max(letter.size);
        let off = (letter.y - self.y).abs();
        let is_smaller = self.size.min(letter.size) < SCRIPT_SIZE * size;
        let is_script = is_smaller && off > RAISED.0 * size && self.may_part(letter);
        let is_near = |gap: f64| gap > -overlap * size && gap < NEW_RUN * size;
        let goes_left = || {
            let beside_last = letter.x - last.right();
            self.is_leftward() && (is_near(self.left - letter.right()) || is_near(beside_last))
        };
        off < SAME_LINE * size && !is_script && (is_near(letter.x - self.right) || goes_left())
    }

    /// Whether the smaller one of a line and a letter may be raised or lowered text.
    fn may_part(&self, letter: &Letter) -> bool {
        match letter.size < self.size {
            true => letter.text.chars().all(is_of_script),
            false => may_be_script(&self.text()),
        }
    }

    fn is_leftward(&self) -> bool {
        self.letters
            .iter()
            .any(|letter| letter.text.contains(is_leftward))
    }

    /// Whether its letters stand in the order of reading, not as they are seen.
    fn goes_left(&self) -> bool {
        let ends = self.letters.first().zip(self.letters.last());
        ends.is_some_and(|(first, last)| last.x < first.x)
    }

    fn text(&self) -> String {
        self.letters
            .iter()
            .map(|letter| letter.text.as_str())
            .collect()
    }

    fn run(self, page: &Gaps) -> Run {
        let space = Gaps::of(&self).space(page) * self.size;
        let is_leftward = self.is_leftward();
        let mut texts: Vec<String> = Vec::with_capacity(self.letters.len());
        let mut right: Option<f64> = None;
        for letter in self.letters {
            let before = texts.last().map_or("", String::as_str);
            let white = right.is_some_and(|right| letter.x - right > space);
            if white && parts(before, &letter.text) {
                texts.push(" ".to_owned());
            }
            right = Some(right.map_or(letter.right(), |right| right.max(letter.right())));
            texts.push(letter.text);
        }
        Run {
            text: match is_leftward {
                true => in_order_of_reading(&texts),
                false => texts.concat(),
            },
            left: self.left,
            right: self.right,
            y: self.y,
            size: self.size,
        }
    }
}

/// Whether white between two texts is a space: none is beside a written one, or among ideographs.
fn parts(before: &str, after: &str) -> bool {
    let has_space = before.ends_with(char::is_whitespace) || after.starts_with(char::is_whitespace);
    let needs_none = before.ends_with(is_ideographic) && after.starts_with(is_ideographic);
    !has_space && !needs_none
}

/// What a line, or a page, says of its spaces.
#[derive(Debug, Default)]
struct Gaps {
    /// Spaces that are letters, between others.
    n_written: usize,
    /// White as wide as a space, and no wider than kerning may be.
    n_white: usize,
    /// White between all letters of a line that is set wide.
    wide: Option<f64>,
    /// Hardly any white between other letters.
    is_close: bool,
    /// A little white between all letters of a line.
    loose: f64,
}

impl Gaps {
    fn of(chain: &Chain) -> Self {
        let mut gaps: Vec<f64> = chain
            .letters
            .windows(2)
            .filter_map(|pair| match pair {
                [a, b] if parts(&a.text, &b.text) => Some((b.x - a.right()) / chain.size),
                _ => None,
            })
            .collect();
        gaps.sort_by(f64::total_cmp);
        let is_space = |letter: &Letter| letter.text.trim().is_empty();
        let n_ends = chain.letters.iter().take_while(|l| is_space(l)).count()
            + chain
                .letters
                .iter()
                .rev()
                .take_while(|l| is_space(l))
                .count();
        let n_spaces = chain.letters.iter().filter(|l| is_space(l)).count();
        let is_white = |gap: &&f64| (SPACE..SPACE_BESIDE_SPACES).contains(*gap);
        let usual = gaps.get(gaps.len() / 2).copied();
        let is_word = |letter: &Letter| letter.text.chars().all(|c| c.is_alphabetic() || c == ' ');
        let are_words =
            chain.letters.len() >= MIN_WIDE_LETTERS && chain.letters.iter().all(is_word);
        Self {
            n_written: n_spaces.saturating_sub(n_ends),
            n_white: gaps.iter().filter(is_white).count(),
            is_close: gaps.len() >= FURTHER_APART
                && gaps
                    .get(gaps.len() - 1 - gaps.len() / FURTHER_APART)
                    .is_some_and(|gap| *gap < CLOSE),
            wide: usual.filter(|usual| are_words && *usual > SPACE),
            loose: usual
                .filter(|usual| gaps.len() >= FURTHER_APART && (0.0..SPACE).contains(usual))
                .unwrap_or(0.0),
        }
    }

    /// White beyond which a word ends.
    fn space(&self, page: &Self) -> f64 {
        let says = |gaps: &Self| gaps.n_written > 0 && gaps.n_written >= gaps.n_white;
        let knows_itself = self.n_written > 0 || self.n_white >= MIN_WORD_GAPS;
        let space = if says(if knows_itself { self } else { page }) {
            if self.is_close {
                SPACE_AMONG_CLOSE
            } else {
                SPACE_BESIDE_SPACES
            }
        } else {
            SPACE
        };
        match self.wide {
            Some(wide) => space.max(wide + SPACE),
            None => space + self.loose,
        }
    }
}

/// What is raised or lowered: figures, signs of notes, a letter, the end of an ordinal. A small word beside
/// a line is a word.
fn may_be_script(text: &str) -> bool {
    let text = text.trim();
    let n_chars = text.chars().count();
    let is_ordinal = ["st", "nd", "rd", "th", "er", "os", "as", "TM"].contains(&text);
    let has_letter = text.contains(char::is_alphabetic);
    let is_short = (1..=MAX_SCRIPT_CHARS).contains(&n_chars);
    is_short && text.chars().all(is_of_script) && (is_ordinal || n_chars == 1 || !has_letter)
}

fn is_of_script(c: char) -> bool {
    c.is_numeric() || c.is_ascii_lowercase() || " TM+-−–*†‡§¶()[],.ªº°®™©".contains(c)
}

/// Small letters beside a line become letters of it.
fn with_scripts(mut chains: Vec<Chain>) -> Vec<Chain> {
    let hosts: Vec<Option<Host>> = (0..chains.len()).map(|at| host(&chains, at)).collect();
    // What stands beside a raised letter stays a line of its own.
    let is_line = |at: usize| hosts.get(at).is_some_and(Option::is_none);
    let hosts: Vec<Option<Host>> = hosts
        .iter()
        .map(|host| host.filter(|host| is_line(host.chain)))
        .collect();
    let scripts = hosts.iter().zip(&chains);
    let mut scripts: Vec<(Host, Letter)> = scripts
        .filter_map(|(host, chain)| host.map(|host| (host, chain.as_script(&host))))
        .collect();
    scripts.sort_by_key(|(host, _)| (host.chain, host.place));
    // From the end, so that places before them stay what they are.
    for (host, letter) in scripts.into_iter().rev() {
        if let Some(chain) = chains.get_mut(host.chain) {
            chain.left = chain.left.min(letter.x);
            chain.right = chain.right.max(letter.right());
            chain.has_script = true;
            chain
                .letters
                .insert(host.place.min(chain.letters.len()), letter);
        }
    }
    let mut kept: Vec<Chain> = Vec::with_capacity(chains.len());
    let lines = chains.into_iter().zip(hosts);
    for (chain, _) in lines.filter(|(_, host)| host.is_none()) {
        match (kept.last_mut(), chain.letters.first()) {
            (Some(open), Some(first)) if open.has_script && open.takes(first) => {
                open.right = open.right.max(chain.right);
                open.letters.extend(chain.letters);
            }
            _ => kept.push(chain),
        }
    }
    kept
}

/// Where raised or lowered letters belong.
#[derive(Debug, Clone, Copy)]
struct Host {
    chain: usize,
    /// Before which letter of it.
    place: usize,
    is_raised: bool,
    y: f64,
    size: f64,
    /// Where that letter's neighbour ends.
    right: Option<f64>,
    /// A figure or a point in front changes what is meant.
    before: Option<char>,
}

/// The line that the letters of a chain stand beside: behind one of its letters, or before it.
fn host(chains: &[Chain], at: usize) -> Option<Host> {
    let script = chains.get(at)?;
    if !may_be_script(&script.text()) {
        return None;
    }
    let from = at.saturating_sub(MAX_SCRIPT_DISTANCE);
    let near = chains
        .iter()
        .enumerate()
        .skip(from)
        .take(2 * MAX_SCRIPT_DISTANCE + 1);
    let near = near.filter(|(other, _)| *other != at);
    let lines = near.filter_map(|(chain, line)| Some((chain, line, script.offset(line)?)));
    let (mut behind, mut before) = (None, None);
    for (chain, line, is_raised) in lines {
        let host = |place: usize, letter: Option<&Letter>| Host {
            right: letter.map(Letter::right),
            before: letter.and_then(|letter| letter.text.chars().next_back()),
            chain,
            place,
            is_raised,
            y: line.y,
            size: line.size,
        };
        let is_beside = |gap: f64| gap > BESIDE.0 * line.size && gap < BESIDE.1 * line.size;
        let mut letters = line.letters.iter().enumerate().rev();
        let last =
            letters.find(|(_, letter)| letter.x < script.left && !letter.text.trim().is_empty());
        match last {
            Some((place, letter)) if is_beside(script.left - letter.right()) => {
                let found = host(place + 1, Some(letter));
                behind = behind.or(Some(found));
            }
            None if is_beside(line.left - script.right) => {
                before = before.or(Some(host(0, None)));
            }
            _ => {}
        }
    }
    behind.or(before)
}

impl Chain {
    /// Whether it stands raised beside a line (`true`), lowered (`false`), or neither.
    fn offset(&self, line: &Self) -> Option<bool> {
        let is_within = |(low, high): (f64, f64), off: f64| off > low && off < high;
        let up = (line.y - self.y) / line.size;
        let may_be = self.size < SCRIPT_SIZE * line.size;
        match up > 0.0 {
            true => (may_be && is_within(RAISED, up)).then_some(true),
            false => (may_be && is_within(LOWERED, -up)).then_some(false),
        }
    }

    fn as_script(&self, host: &Host) -> Letter {
        let own = self.text();
        let before: String = host.before.into_iter().collect();
        // No white stands before it.
        let left = host.right.map_or(self.left, |right| right.min(self.right));
        let mut text = match host.is_raised {
            true => raised(&before, own.trim()),
            false => lowered(own.trim()),
        };
        if own.ends_with(char::is_whitespace) {
            text.push(' ');
        }
        Letter {
            text,
            x: left,
            y: host.y,
            width: self.right - left,
            width_is_known: self.letters.iter().all(|letter| letter.width_is_known),
            size: host.size,
            angle: 0.0,
        }
    }
}

pub(super) fn is_ideographic(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters half as wide as they are high; `_` is white of `space` sizes, a space is written.
    fn line(text: &str, x: f64, y: f64, size: f64, space: f64) -> Vec<Letter> {
        let mut at = x;
        let mut letters = Vec::new();
        for c in text.chars() {
            if c == '_' {
                at += space * size;
                continue;
            }
            letters.push(Letter {
                text: c.to_string(),
                x: at,
                y,
                width: size / 2.0,
                width_is_known: true,
                size,
                angle: 0.0,
            });
            at += size / 2.0;
        }
        letters
    }

    fn texts(letters: Vec<Letter>) -> Vec<String> {
        runs(letters).into_iter().map(|run| run.text).collect()
    }

    #[test]
    fn one_written_space_does_not_glue_the_page() {
        let mut letters = line("Working Paper", 50.0, 40.0, 8.0, 0.0);
        letters.extend(line(
            "The_premium_of_a_life_insurance",
            50.0,
            80.0,
            10.0,
            0.3,
        ));
        letters.extend(line("is_paid", 50.0, 95.0, 10.0, 0.3));
        assert_eq!(
            texts(letters),
            [
                "Working Paper",
                "The premium of a life insurance",
                "is paid"
            ]
        );
    }

    #[test]
    fn letters_that_stand_a_little_apart_are_one_word() {
        let mut letters = line("DEMOLITION WORKS", 50.0, 40.0, 10.0, 0.0);
        for (at, letter) in letters.iter_mut().enumerate() {
            // Evenly, and once a little more, as kerning has it.
            letter.x += 0.8 * at as f64 + if at > 4 { 1.4 } else { 0.0 };
        }
        letters.retain(|letter| letter.text != " ");
        assert_eq!(texts(letters), ["DEMOLITION WORKS"]);
    }

    #[test]
    fn a_small_word_beside_a_line_is_a_word() {
        let beside = |text: &str| {
            let mut letters = line("Italia", 50.0, 40.0, 10.0, 0.0);
            letters.extend(line(text, 82.0, 36.5, 7.0, 0.0));
            texts(letters).concat()
        };
        assert_eq!(beside("2"), "Italia²");
        assert!(!beside("PIR").contains('^'), "{}", beside("PIR"));
        assert!(!beside("粉条粥").contains('^'), "{}", beside("粉条粥"));
    }

    #[test]
    fn a_space_that_is_not_written_is_seen_among_close_letters() {
        let letters = line(
            "hopping about in the_sun and singing",
            50.0,
            40.0,
            10.0,
            0.278,
        );
        assert_eq!(texts(letters), ["hopping about in the sun and singing"]);
    }

    #[test]
    fn kerning_and_wide_setting_are_no_spaces() {
        let mut letters = line("S_EG_UROS d_e vida y casa", 50.0, 40.0, 10.0, 0.3);
        letters.extend(line("T_A", 50.0, 60.0, 10.0, 0.3));
        letters.extend(line("I_N_F_O_R_M_E", 50.0, 80.0, 14.0, 0.36));
        assert_eq!(texts(letters), ["SEGUROS de vida y casa", "TA", "INFORME"]);
    }

    #[test]
    fn raised_and_lowered_letters_stay_in_their_line() {
        let mut letters = line("widened", 50.0, 100.0, 10.0, 0.0);
        letters.extend(line("1", 85.5, 96.0, 6.0, 0.0));
        letters.extend(line("after_10", 92.0, 100.0, 10.0, 0.3));
        letters.extend(line("6", 130.5, 94.0, 6.0, 0.0));
        letters.extend(line(" H", 133.5, 100.0, 10.0, 0.0));
        letters.extend(line("2", 143.8, 102.0, 6.0, 0.0));
        letters.extend(line("O", 147.0, 100.0, 10.0, 0.0));
        letters.extend(line("small print", 50.0, 130.0, 6.0, 0.0));
        assert_eq!(texts(letters), ["widened¹ after 10⁶ H₂O", "small print"]);
        let mut note = line("2", 50.0, 196.0, 6.0, 0.0);
        note.extend(line("Source", 53.5, 200.0, 10.0, 0.0));
        assert_eq!(texts(note), ["²Source"]);
    }

    #[test]
    fn words_to_the_left_are_read_from_their_end() {
        let seen: String = "\u{5e9}\u{5dc}\u{5d5}\u{5dd}".chars().rev().collect();
        let as_seen = line(&seen, 50.0, 40.0, 10.0, 0.0);
        let mut as_read = as_seen.clone();
        as_read.reverse();
        for letters in [as_seen, as_read] {
            assert_eq!(texts(letters), ["\u{5e9}\u{5dc}\u{5d5}\u{5dd}"]);
        }
    }
}
