//! Hebrew and Arabic, which stand on a page from the right to the left, in the order of reading.
//!
//! Of a line only what is seen is known. Its words and numbers of other scripts are read from the left,
//! everything else from the right; the script with more letters says where the line begins.

/// Letters of scripts that are written to the left.
pub(super) fn is_leftward(c: char) -> bool {
    let is_digit = matches!(c, '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}');
    !is_digit
        && matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

/// What stands from the left to the right, as it is read.
pub(super) fn in_order_of_reading(seen: &[String]) -> String {
    let sides: Vec<Side> = seen.iter().map(|text| Side::of(text)).collect();
    let n_of = |side: Side| sides.iter().filter(|other| **other == side).count();
    let line = if n_of(Side::Left) >= n_of(Side::Right) {
        Side::Left
    } else {
        Side::Right
    };
    let mut stretches: Vec<(Side, Vec<&str>)> = Vec::new();
    for (at, text) in seen.iter().enumerate() {
        let side = resolved(&sides, at, line);
        match stretches.last_mut() {
            Some((last, texts)) if *last == side => texts.push(text),
            _ => stretches.push((side, vec![text])),
        }
    }
    for (side, texts) in &mut stretches {
        if *side == Side::Left {
            texts.reverse();
        }
    }
    if line == Side::Left {
        stretches.reverse();
    }
    let text: String = stretches.into_iter().flat_map(|(_, texts)| texts).collect();
    if line == Side::Left {
        with_brackets_turned(text)
    } else {
        text
    }
}

/// To which a text goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
    Number,
    Neither,
}

impl Side {
    fn of(text: &str) -> Self {
        if text.contains(is_leftward) {
            Self::Left
        } else if text.contains(char::is_alphabetic) {
            Self::Right
        } else if text.contains(char::is_numeric) {
            Self::Number
        } else {
            Self::Neither
        }
    }
}

/// A number is read from the left; what stands between two texts of a side is of that side.
fn resolved(sides: &[Side], at: usize, line: Side) -> Side {
    let plain = |side: Side| match side {
        Side::Number => Some(Side::Right),
        Side::Neither => None,
        side => Some(side),
    };
    let (before, after) = sides.split_at(at.min(sides.len()));
    let Some((&own, after)) = after.split_first() else {
        return line;
    };
    plain(own).unwrap_or_else(|| {
        let left = before.iter().rev().find_map(|side| plain(*side));
        let right = after.iter().find_map(|side| plain(*side));
        match (left, right) {
            (Some(left), Some(right)) if left == right => left,
            _ => line,
        }
    })
}

/// Some files name brackets by their shape, which is that of the other one in a line to the left.
fn with_brackets_turned(text: String) -> String {
    let first = text.find(['(', ')']);
    let closes_first = first.is_some_and(|at| text[at..].starts_with(')'));
    if !closes_first || text.matches('(').count() != text.matches(')').count() {
        return text;
    }
    let turned = |c| match c {
        '(' => ')',
        ')' => '(',
        c => c,
    };
    text.chars().map(turned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(seen: &str) -> String {
        let seen: Vec<String> = seen.chars().map(String::from).collect();
        in_order_of_reading(&seen)
    }

    #[test]
    fn a_line_to_the_left_is_read_from_the_right() {
        assert_eq!(
            read("\u{5dd}\u{5d5}\u{5dc}\u{5e9}"),
            "\u{5e9}\u{5dc}\u{5d5}\u{5dd}"
        );
        assert_eq!(read(".\u{5d1} 12,5 \u{5d0}"), "\u{5d0} 12,5 \u{5d1}.");
        assert_eq!(
            read("\u{5d1} AB 3 \u{5d0}\u{5d2}\u{5d3}"),
            "\u{5d3}\u{5d2}\u{5d0} AB 3 \u{5d1}"
        );
        assert_eq!(read("(\u{5d1}) \u{5d0}"), "\u{5d0} (\u{5d1})");
        assert_eq!(read("word \u{5d1}\u{5d0} here"), "word \u{5d0}\u{5d1} here");
    }
}
