//! Formulas on one line: `80/100`, `10⁶`, `√(x + 1)`, `∑ᵢ₌₁ⁿ xᵢ`.
//!
//! What stands above, below or over something else in a formula says how it counts, and gets signs
//! that say the same: without them `80/100` would read `80100`.

use super::scripts::{exponent, lowered};

/// Signs that stand raised and have no form of their own.
const MARKS: &str = "*∗'′″°†‡";

/// `a/b`, with brackets around what is more than one number or name.
pub(super) fn fraction(above: &str, below: &str) -> String {
    format!("{}/{}", bracketed(above), bracketed(below))
}

/// `10⁶`, `x^(n+1)`.
pub(super) fn power(base: &str, raised: &str) -> String {
    let is_plain = |c: char| c.is_alphabetic() || c.is_ascii_digit() || matches!(c, '.' | ',');
    let is_one = base.chars().count() <= 1 || base.chars().all(is_plain) || is_in_brackets(base);
    match is_one && !is_product(base) {
        true => format!("{base}{}", above(raised)),
        false => format!("({base}){}", above(raised)),
    }
}

/// `x₁`, `PD_(LGD)`.
pub(super) fn index(base: &str, lowered: &str) -> String {
    format!("{base}{}", below(lowered))
}

/// `√(x)`, `³√(x)`.
pub(super) fn root(of: &str, degree: &str) -> String {
    format!("{}√({of})", above(degree))
}

/// `∑ᵢ₌₁ⁿ` before what is summed.
pub(super) fn with_limits(sign: &str, from: &str, to: &str) -> String {
    format!("{sign}{}{}", below(from), above(to))
}

/// Text raised behind something.
pub(super) fn above(text: &str) -> String {
    let text = text.trim();
    let written = exponent(text);
    match written == text && !text.chars().all(|c| MARKS.contains(c)) {
        true => format!("^({text})"),
        false => written,
    }
}

/// Text lowered behind something.
pub(super) fn below(text: &str) -> String {
    let text = text.trim();
    let written = lowered(text);
    match written == text && !text.is_empty() {
        true => format!("_({text})"),
        false => written,
    }
}

fn bracketed(text: &str) -> String {
    let text = text.trim();
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | ',' | '%');
    let is_one = text.chars().all(is_part) && !is_product(text);
    match is_one || is_in_brackets(text) {
        true => text.to_owned(),
        false => format!("({text})"),
    }
}

/// `2x`
fn is_product(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(char::is_alphabetic)
}

/// From the first sign to the last, also as a root.
fn is_in_brackets(text: &str) -> bool {
    let Some(inner) = text.trim_start_matches('√').strip_prefix('(') else {
        return false;
    };
    let mut n_open = 1_usize;
    for (at, c) in inner.char_indices() {
        match c {
            '(' => n_open += 1,
            ')' => n_open -= 1,
            _ => {}
        }
        if n_open == 0 {
            return at + 1 == inner.len();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_have_brackets_where_they_need_them() {
        assert_eq!(fraction("80", "100"), "80/100");
        assert_eq!(fraction("a+b", "2x"), "(a+b)/(2x)");
        assert_eq!(fraction("(a)(b)", "(a+b)"), "((a)(b))/(a+b)");
        assert_eq!(fraction("1", "√(x)"), "1/√(x)");
    }

    #[test]
    fn powers_indices_and_roots_are_told_from_digits() {
        assert_eq!(power("10", "6"), "10⁶");
        assert_eq!(power("a+b", "2"), "(a+b)²");
        assert_eq!(power("x", "∞"), "x^(∞)");
        assert_eq!(power("x", "*"), "x*");
        assert_eq!(power("x²", "3"), "(x²)³");
        assert_eq!(index("PD", "LGD"), "PD_(LGD)");
        assert_eq!(root("x", "3"), "³√(x)");
        assert_eq!(root("x", ""), "√(x)");
        assert_eq!(with_limits("∑", "i=1", "n"), "∑ᵢ₌₁ⁿ");
    }
}
