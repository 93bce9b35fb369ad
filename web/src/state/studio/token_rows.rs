//! Tokens as the token view writes them: what can be seen of each, and how many at once.

use veneer_core::protocol::studio::{TokenView, TokensView};

/// Tokens shown before someone asks for more.
pub const FIRST: usize = 2_000;
/// Tokens added each time.
pub const MORE: usize = 10_000;

/// A token's text with everything in it visible. Line breaks stay line breaks behind their sign, so
/// that the text keeps its lines.
pub fn visible(text: &str) -> String {
    let mut seen = String::with_capacity(text.len() + 2);
    for c in text.chars() {
        match c {
            '\n' => seen.push_str("↵\n"),
            '\r' => seen.push('␍'),
            '\t' => seen.push('⇥'),
            '\u{a0}' | '\u{3000}' => seen.push('␣'),
            '\u{200b}'..='\u{200f}' | '\u{feff}' => seen.push('·'),
            c if c.is_control() => seen.push('\u{fffd}'),
            c => seen.push(c),
        }
    }
    if text.is_empty() {
        seen.push('∅');
    } else if text.chars().all(|c| c == ' ') {
        seen = "␣".repeat(text.len());
    }
    seen
}

/// Classes of a token. What is trained is underlined too, what is cut is struck through: colour is
/// never the only sign.
pub fn classes(token: &TokenView) -> String {
    let flags = [
        (token.trained && !token.cut, " trained"),
        (token.cut, " cut"),
        (token.special, " special"),
        (token.ends_generation, " end"),
        (
            token.text.starts_with('⟨') && token.text.ends_with('⟩'),
            " bytes",
        ),
    ];
    let mut classes = "tok".to_owned();
    for (is_set, class) in flags {
        if is_set {
            classes.push_str(class);
        }
    }
    classes
}

/// Tokens to show: how many of them, and behind which one the limit lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub n: usize,
    /// Tokens before the line at which the record is cut, where it lies among those shown.
    pub cut_at: Option<usize>,
    pub n_hidden: usize,
}

pub fn shown(view: &TokensView, wanted: usize) -> Shown {
    let total = view.tokens.len();
    // A few tokens are not worth a button.
    let n = if total <= wanted + wanted / 10 {
        total
    } else {
        wanted
    };
    let kept = usize::try_from(view.n_kept).unwrap_or(usize::MAX);
    Shown {
        n,
        cut_at: (kept < total && kept < n).then_some(kept),
        n_hidden: total - n,
    }
}

/// Where an arrow key leads.
pub fn next_index(key: &str, now: Option<usize>, n: usize) -> Option<usize> {
    let last = n.checked_sub(1)?;
    let Some(now) = now else {
        return matches!(key, "ArrowRight" | "ArrowDown" | "Home").then_some(0);
    };
    match key {
        "ArrowRight" | "ArrowDown" => Some((now + 1).min(last)),
        "ArrowLeft" | "ArrowUp" => Some(now.saturating_sub(1)),
        "PageDown" => Some((now + 50).min(last)),
        "PageUp" => Some(now.saturating_sub(50)),
        "Home" => Some(0),
        "End" => Some(last),
        _ => None,
    }
}

/// Share of the limit that a record takes, for a bar: 1 where it is full.
pub fn share_of_limit(n: u64, limit: u64) -> f64 {
    match limit {
        0 => 0.0,
        _ => (n as f64 / limit as f64).min(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(n: usize, n_kept: u64) -> TokensView {
        TokensView {
            tokens: vec![TokenView::default(); n],
            n_kept,
            ..TokensView::default()
        }
    }

    #[test]
    fn nothing_is_invisible() {
        assert_eq!(visible("a b"), "a b");
        assert_eq!(visible("  "), "␣␣");
        assert_eq!(visible("\n\n"), "↵\n↵\n");
        assert_eq!(visible("\tx\r\n"), "⇥x␍↵\n");
        assert_eq!(visible("\u{200b}\u{7}\u{3000}"), "·\u{fffd}␣");
        assert_eq!(visible(""), "∅");
    }

    #[test]
    fn a_token_says_what_it_is() {
        let mut token = TokenView {
            trained: true,
            ends_generation: true,
            special: true,
            ..TokenView::default()
        };
        assert_eq!(classes(&token), "tok trained special end");
        token.cut = true;
        assert_eq!(
            classes(&token),
            "tok cut special end",
            "what is cut is not learned"
        );
        assert_eq!(classes(&TokenView::default()), "tok");
        token = TokenView {
            text: "⟨E5 B9⟩".into(),
            ..TokenView::default()
        };
        assert_eq!(classes(&token), "tok bytes");
    }

    #[test]
    fn long_records_begin_with_a_part() {
        let check = |n, n_kept, wanted| shown(&view(n, n_kept), wanted);
        let all = Shown {
            n: 10,
            cut_at: None,
            n_hidden: 0,
        };
        assert_eq!(check(10, 10, 100), all);
        assert_eq!(
            check(10, 4, 100),
            Shown {
                cut_at: Some(4),
                ..all
            }
        );
        let part = check(300, 250, 100);
        assert_eq!((part.n, part.cut_at, part.n_hidden), (100, None, 200));
        assert_eq!(check(109, 109, 100).n_hidden, 0);
        assert_eq!(check(0, 0, 100).n, 0);
        assert_eq!(check(10, 0, 100).cut_at, Some(0));
    }

    #[test]
    fn keys_walk_through_the_tokens() {
        assert_eq!(next_index("ArrowRight", None, 3), Some(0));
        assert_eq!(next_index("ArrowRight", Some(2), 3), Some(2));
        assert_eq!(next_index("ArrowLeft", Some(0), 3), Some(0));
        assert_eq!(next_index("End", Some(0), 3), Some(2));
        assert_eq!(next_index("PageDown", Some(1), 3), Some(2));
        assert_eq!(next_index("a", Some(1), 3), None);
        assert_eq!(next_index("Home", None, 0), None);
    }

    #[test]
    fn a_share_never_passes_the_limit() {
        assert_eq!(share_of_limit(5, 10), 0.5);
        assert_eq!(share_of_limit(50, 10), 1.0);
        assert_eq!(share_of_limit(5, 0), 0.0);
    }
}
