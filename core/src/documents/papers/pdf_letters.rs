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
/// Letters of one place that are compared.
const MAX_COMPARED: usize = 64;

/// Text that leans less than this is level, or upright: a scan of a page is never quite straight.
const LEANING_DEGREES: f64 = 20.0;
const TURN_DEGREES: f64 = 10.0;

/// Each letter once: bold and shadows are made by drawing letters again, a little aside.
pub(super) fn without_doubles(letters: Vec<Letter>) -> Vec<Letter> {
    let mut kept: Vec<Letter> = Vec::with_capacity(letters.len());
    let mut in_cell: HashMap<(i64, i64), Vec<usize>> = HashMap::new();
    for letter in letters {
        let (column, line) = letter.cell();
        let mut near = (column - 1..=column + 1)
            .flat_map(|column| (line - 1..=line + 1).map(move |line| (column, line)))
            .filter_map(|cell| in_cell.get(&cell))
            .flat_map(|places| places.iter().rev().take(MAX_COMPARED))
            .filter_map(|&at| kept.get(at));
        if near.any(|other| letter.repeats(other)) {
            continue;
        }
        in_cell.entry((column, line)).or_default().push(kept.len());
        kept.push(letter);
    }
    kept
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

    fn repeats(&self, other: &Self) -> bool {
        let near = (SAME_PLACE * self.size)
            .min(self.width / 2.0)
            .min(SAME_PLACE_POINTS);
        self.text == other.text
            && (self.x - other.x).abs() <= near
            && (self.y - other.y).abs() <= near
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

    #[test]
    fn a_letter_that_is_drawn_again_counts_once() {
        let twice = |dx: f64| {
            let letters = vec![
                letter("2", 50.0, 40.0, 0.0),
                letter("2", 50.0 + dx, 40.0, 0.0),
            ];
            without_doubles(letters).len()
        };
        assert_eq!(
            (twice(0.0), twice(0.3), twice(-0.3), twice(5.0)),
            (1, 1, 1, 2)
        );
        let other = vec![letter("2", 50.0, 40.0, 0.0), letter("3", 50.0, 40.0, 0.0)];
        assert_eq!(without_doubles(other).len(), 2);
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
