//! What a text field of the browser makes of a text, and the way back.

/// As much of a text as decides how high its field is, which is never higher than the window. The
/// browser lays this out at every key.
const TALLEST_CHARS: usize = 20_000;

/// The beginning of a text, which gives a field its height.
pub fn for_height(text: &str) -> String {
    let shown = as_shown(text).map(|(_, char)| char);
    shown.take(TALLEST_CHARS).collect()
}

/// The text that was meant where a field held `before` and now shows `shown`: a field makes `\n` of
/// every line break, and only what was typed is another than before.
pub fn typed(before: &str, shown: &str) -> String {
    if !before.contains('\r') {
        return shown.to_owned();
    }
    let kept: Vec<(usize, char)> = as_shown(before).collect();
    let now: Vec<char> = shown.chars().collect();
    let same = |(old, new): &((usize, char), char)| old.1 == *new;
    let n_begin = kept.iter().copied().zip(now.iter().copied());
    let n_begin = n_begin.take_while(same).count();
    let most = kept.len().min(now.len()) - n_begin;
    let ends = kept.iter().rev().copied().zip(now.iter().rev().copied());
    let n_end = ends.take(most).take_while(same).count();
    let place = |n: usize| kept.get(n).map_or(before.len(), |(at, _)| *at);
    let between: String = now[n_begin..now.len() - n_end].iter().collect();
    format!(
        "{}{between}{}",
        &before[..place(n_begin)],
        &before[place(kept.len() - n_end)..]
    )
}

/// Characters as a field shows them, each with the place where it begins.
fn as_shown(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut is_after_return = false;
    text.char_indices().filter_map(move |(at, char)| {
        let is_second = is_after_return && char == '\n';
        is_after_return = char == '\r';
        match char {
            _ if is_second => None,
            '\r' => Some((at, '\n')),
            char => Some((at, char)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_stay_as_they_were() {
        let before = "a\r\nb\r\n\tc\nd\re";
        for (shown, meant) in [
            ("a\nb\n\tc\nd\ne", before),
            ("a\nb\n\tc\nd\ne!", "a\r\nb\r\n\tc\nd\re!"),
            ("a!\nb\n\tc\nd\ne", "a!\r\nb\r\n\tc\nd\re"),
            ("a\nb\nnew\n\tc\nd\ne", "a\r\nb\r\nnew\n\tc\nd\re"),
            ("a\nb\n\tcd\ne", "a\r\nb\r\n\tcd\re"),
            ("a\n\tc\nd\ne", "a\r\n\tc\nd\re"),
            ("", ""),
            ("x", "x"),
        ] {
            let typed = typed(before, shown);
            assert_eq!(typed, meant);
            let again: String = as_shown(&typed).map(|(_, char)| char).collect();
            assert_eq!(again, shown);
        }
        assert_eq!(typed("保険\n", "保険\n料"), "保険\n料");
        assert_eq!(typed("保険\r\n", "保険\n料"), "保険\r\n料");
    }

    #[test]
    fn a_long_text_is_laid_out_in_part() {
        assert_eq!(for_height("保険\r\n料\rx"), "保険\n料\nx");
        let long = "険".repeat(TALLEST_CHARS + 5);
        assert_eq!(for_height(&long).chars().count(), TALLEST_CHARS);
    }
}
