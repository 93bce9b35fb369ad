//! Raised and lowered text in a line: `10⁶`, `H₂O`, `x^(max)`.
//!
//! Where Unicode has every character raised (Superscripts and Subscripts, U+2070 to U+209F), those are
//! written; anything else stands in brackets behind `^` or `_`, so that `10⁶` never reads `106`.

/// Text raised behind `before`.
pub(super) fn raised(before: &str, text: &str) -> String {
    let after_digit = before.ends_with(|c: char| c.is_ascii_digit());
    match text {
        "st" | "nd" | "rd" | "th" if after_digit => text.to_owned(),
        "o" if after_digit || before.ends_with('.') => "º".to_owned(),
        "a" if after_digit || before.ends_with('.') => "ª".to_owned(),
        "TM" => "™".to_owned(),
        _ => exponent(text),
    }
}

/// Text raised in a formula, where it is never an ordinal.
pub(super) fn exponent(text: &str) -> String {
    moved(text, '^', superscript)
}

/// Text lowered.
pub(super) fn lowered(text: &str) -> String {
    moved(text, '_', subscript)
}

fn moved(text: &str, sign: char, form: fn(char) -> Option<char>) -> String {
    let is_note = text.starts_with('[') && text.ends_with(']');
    if let Some(moved) = text.chars().map(form).collect() {
        moved
    } else if is_note || !text.contains(char::is_alphanumeric) {
        text.to_owned()
    } else {
        format!("{sign}({text})")
    }
}

fn superscript(c: char) -> Option<char> {
    const FORMS: &str = "0⁰1¹2²3³4⁴5⁵6⁶7⁷8⁸9⁹+⁺-⁻−⁻=⁼(⁽)⁾nⁿiⁱ";
    form(FORMS, c)
}

fn subscript(c: char) -> Option<char> {
    const FORMS: &str = "0₀1₁2₂3₃4₄5₅6₆7₇8₈9₉+₊-₋−₋=₌(₍)₎aₐeₑhₕiᵢjⱼkₖlₗmₘnₙoₒpₚrᵣsₛtₜuᵤvᵥxₓ";
    form(FORMS, c)
}

/// The character behind `c` in pairs.
fn form(pairs: &str, c: char) -> Option<char> {
    let mut pairs = pairs.chars();
    while let (Some(plain), Some(moved)) = (pairs.next(), pairs.next()) {
        if plain == c {
            return Some(moved);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_form_has_it_and_the_rest_has_brackets() {
        assert_eq!(raised("10", "6"), "⁶");
        assert_eq!(raised("10", "−6"), "⁻⁶");
        assert_eq!(raised("x", "max"), "^(max)");
        assert_eq!(lowered("2"), "₂");
        assert_eq!(lowered("max"), "ₘₐₓ");
        assert_eq!(lowered("LGD"), "_(LGD)");
    }

    #[test]
    fn ordinals_notes_and_signs_are_no_powers() {
        assert_eq!(raised("1", "st"), "st");
        assert_eq!(raised("n.", "o"), "º");
        assert_eq!(raised("text", "[1]"), "[1]");
        assert_eq!(raised("Veneer", "®"), "®");
        assert_eq!(raised("x", ""), "");
    }
}
