//! The letters of a page: which of them count, and which way they are read.

use std::collections::HashMap;

/// A letter (or ligature) with its place; lengths in points, y downwards.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Letter {
    pub(super) text: String,
    pub(super) x: f64,
    /// Of the baseline.
    pub(super) y: f64,
    pub(super) width: f64,
    /// Otherwise it is that of the widest letters.
    pub(super) width_is_known: bool,
    /// Of the font.
    pub(super) size: f64,
    /// In which the line goes on, in degrees clockwise; 0 is to the right.
    pub(super) angle: f64,
}

/// A letter is repeated within this share of its size and half of its width, and points.
const SAME_PLACE: f64 = 0.1;
const SAME_PLACE_POINTS: f64 = 4.0;
/// Letters that are drawn again together, at least, and how alike their asides are, in sizes.
const DRAWN_AGAIN: usize = 3;
const SAME_ASIDE: f64 = 0.02;
/// Letters of one place that are compared.
const MAX_COMPARED: usize = 64;

/// Text that leans less than this is level, or upright: a scan of a page is never quite straight.
const LEANING_DEGREES: f64 = 20.0;
const TURN_DEGREES: f64 = 10.0;

/// How far a letter stands from the same one drawn before, in sizes of the font.
type Aside = (f64, f64);

/// Each letter once: bold and shadows are made by drawing letters again, a little aside. Equal letters
/// of other texts may lie as near, so that an aside counts where several letters in a row have it.
pub(super) fn without_doubles(letters: Vec<Letter>) -> Vec<Letter> {
    let doubles = doubles(&letters);
    let known = drawn_again(&letters, &doubles);
    let is_double = |aside: &Aside| known.iter().any(|other| is_same_aside(other, aside));
    let pairs = letters.into_iter().zip(doubles);
    let kept = pairs.filter(|(_, aside)| !aside.as_ref().is_some_and(is_double));
    kept.map(|(letter, _)| letter).collect()
}

/// For each letter, how far from it the same was drawn before, if it was.
fn doubles(letters: &[Letter]) -> Vec<Option<Aside>> {
    let mut in_cell: HashMap<(i64, i64), Vec<usize>> = HashMap::new();
    let mut doubles = Vec::with_capacity(letters.len());
    for (at, letter) in letters.iter().enumerate() {
        let (column, line) = letter.cell();
        let mut near = (column - 1..=column + 1)
            .flat_map(|column| (line - 1..=line + 1).map(move |line| (column, line)))
            .filter_map(|cell| in_cell.get(&cell))
            .flat_map(|places| places.iter().rev().take(MAX_COMPARED))
            .filter_map(|&at| letters.get(at));
        let aside = near.find_map(|other| letter.aside(other));
        if aside.is_none() {
            in_cell.entry((column, line)).or_default().push(at);
        }
        doubles.push(aside);
    }
    doubles
}

/// Where letters in a row, not all the same, stand equally far from those that were drawn before: all
/// behind all, or each behind its own.
fn drawn_again(letters: &[Letter], doubles: &[Option<Aside>]) -> Vec<Aside> {
    let mut known: Vec<Aside> = Vec::new();
    // The last letter of a row and its aside, how many it has, and whether they differ.
    let mut row: Option<(usize, Aside, usize, bool)> = None;
    let text = |at: usize| letters.get(at).map(|letter| letter.text.as_str());
    for (at, aside) in doubles.iter().enumerate() {
        let Some(aside) = *aside else { continue };
        let before = row.filter(|(last, other, ..)| at - last <= 2 && is_same_aside(other, &aside));
        let (n, differ) = before.map_or((1, false), |(last, _, n, differ)| {
            (n + 1, differ || text(last) != text(at))
        });
        row = Some((at, aside, n, differ));
        let is_new = !known.iter().any(|other| is_same_aside(other, &aside));
        if n >= DRAWN_AGAIN && differ && is_new {
            known.push(aside);
        }
    }
    known
}

fn is_same_aside(one: &Aside, other: &Aside) -> bool {
    (one.0 - other.0).abs() <= SAME_ASIDE && (one.1 - other.1).abs() <= SAME_ASIDE
}

/// Letters that are read the same way, each group as if it were level; the level ones first.
pub(super) fn by_direction(letters: Vec<Letter>) -> Vec<Vec<Letter>> {
    let mut groups: Vec<(f64, Vec<Letter>)> = vec![(0.0, Vec::new())];
    for letter in letters {
        let turn = letter.turn();
        let letter = letter.levelled(turn);
        match groups.iter_mut().find(|(other, _)| *other == turn) {
            Some((_, group)) => group.push(letter),
            None => groups.push((turn, vec![letter])),
        }
    }
    groups.into_iter().map(|(_, letters)| letters).collect()
}

impl Letter {
    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    fn cell(&self) -> (i64, i64) {
        let cell = |x: f64| (x / SAME_PLACE_POINTS).floor() as i64;
        // Far from the ends of the numbers, so that neighbours have numbers too.
        let within = |at: i64| at.clamp(-(1 << 40), 1 << 40);
        (within(cell(self.x)), within(cell(self.y)))
    }

    /// How far it stands from another that is the same letter, if that is near.
    fn aside(&self, other: &Self) -> Option<Aside> {
        let near = (SAME_PLACE * self.size)
            .min(self.width / 2.0)
            .min(SAME_PLACE_POINTS);
        let (x, y) = (self.x - other.x, self.y - other.y);
        let is_near = self.text == other.text && x.abs() <= near && y.abs() <= near;
        (is_near && self.size > 0.0).then(|| (x / self.size, y / self.size))
    }

    /// The direction of its group: a side of the page, or whatever it is nearly turned to.
    fn turn(&self) -> f64 {
        let angle = self.angle.rem_euclid(360.0);
        let side = (angle / 90.0).round() * 90.0;
        let turn = if (angle - side).abs() < LEANING_DEGREES {
            side
        } else {
            (angle / TURN_DEGREES).round() * TURN_DEGREES
        };
        turn.rem_euclid(360.0)
    }

    /// The same where the line that goes on at `turn` degrees is level.
    fn levelled(self, turn: f64) -> Self {
        if turn == 0.0 {
            return self;
        }
        let (sin, cos) = turn.to_radians().sin_cos();
        Self {
            x: self.x * cos + self.y * sin,
            y: self.y * cos - self.x * sin,
            angle: self.angle - turn,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(text: &str, x: f64, y: f64, angle: f64) -> Letter {
        Letter {
            text: text.to_owned(),
            x,
            y,
            width: 5.0,
            width_is_known: true,
            size: 10.0,
            angle,
        }
    }

    /// Letters side by side, 5 points each.
    fn word(text: &str, x: f64, y: f64) -> Vec<Letter> {
        let letters = text.chars().enumerate();
        letters
            .map(|(at, c)| letter(&c.to_string(), x + 5.0 * at as f64, y, 0.0))
            .collect()
    }

    fn text(letters: Vec<Letter>) -> String {
        let kept = without_doubles(letters).into_iter();
        kept.map(|letter| letter.text).collect()
    }

    #[test]
    fn what_is_drawn_again_counts_once() {
        for aside in [0.0, 0.3, -0.3] {
            let twice = [word("2,007", 50.0, 40.0), word("2,007", 50.0 + aside, 40.0)];
            assert_eq!(text(twice.concat()), "2,007", "{aside}");
            let [first, again] = twice;
            let each = first.into_iter().zip(again).flat_map(|(a, b)| [a, b]);
            assert_eq!(text(each.collect()), "2,007", "{aside}, letter by letter");
        }
        let beside = [word("2,007", 50.0, 40.0), word("2,007", 75.0, 40.0)];
        assert_eq!(text(beside.concat()), "2,0072,007");
    }

    #[test]
    fn a_letter_that_is_drawn_again_and_again_takes_no_time() {
        let letters = vec![letter("a", 50.0, 40.0, 0.0); 200_000];
        assert_eq!(without_doubles(letters).len(), 200_000);
    }

    #[test]
    fn letters_of_other_texts_are_no_doubles() {
        // Two of the second text lie on equal ones of the first, each a little otherwise.
        let mut over = word("26406576", 50.0, 40.0);
        over[2].x += 0.57;
        over[4].x += 0.14;
        let under = [letter("4", 60.0, 40.0, 0.0), letter("5", 70.0, 40.0, 0.0)];
        assert_eq!(text([under.to_vec(), over].concat()), "4526406576");
        let mut narrow = word("will", 50.0, 40.0);
        narrow[3].x = narrow[2].x + 0.4;
        assert_eq!(text(narrow), "will");
    }

    #[test]
    fn turned_letters_are_level_in_their_group() {
        // Upwards on the page: the next letter stands above.
        let letters = vec![
            letter("a", 100.0, 700.0, -90.0),
            letter("x", 10.0, 20.0, 1.0),
            letter("b", 100.0, 695.0, -90.0),
        ];
        let groups = by_direction(letters);
        let texts =
            |group: &[Letter]| -> String { group.iter().map(|l| l.text.as_str()).collect() };
        assert_eq!(
            groups.iter().map(|group| texts(group)).collect::<Vec<_>>(),
            ["x", "ab"]
        );
        let [a, b] = groups[1].as_slice() else {
            panic!("{groups:?}");
        };
        assert!(
            (b.x - a.x - 5.0).abs() < 1e-9 && (b.y - a.y).abs() < 1e-9,
            "{groups:?}"
        );
    }
}
