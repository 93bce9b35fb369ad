//! Numbers as Spanish bank reports print them: `11.076`, `1,8`.
//!
//! A point groups thousands, a comma starts the decimals, as CaixaBank's or Santander's annual reports
//! have it.

/// Spanish form of a finite number, with the decimals that its shortest decimal form has.
pub fn format_number(value: f64) -> String {
    let plain = value.abs().to_string();
    let (whole, decimals) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    if !decimals.is_empty() {
        text.push(',');
        text.push_str(decimals);
    }
    text
}

/// The number that a Spanish text means, or `None` when it is not one. Strict about groups of three.
pub fn parse_number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '−']);
    let (whole, decimals) = match unsigned.unwrap_or(text).split_once(',') {
        Some((_, "")) => return None,
        Some((whole, decimals)) => (whole, decimals),
        None => (unsigned.unwrap_or(text), ""),
    };
    let mut groups = whole.split('.');
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let grouped = !rest.is_empty();
    let well_grouped = rest.iter().all(|group| group.len() == 3) && (!grouped || first.len() <= 3);
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if first.is_empty() || !well_grouped || !digits(decimals) {
        return None;
    }
    let joined = std::iter::once(first).chain(rest).collect::<String>();
    if !digits(&joined) {
        return None;
    }
    let magnitude: f64 = format!("{joined}.{decimals}0").parse().ok()?;
    Some(if unsigned.is_some() {
        -magnitude
    } else {
        magnitude
    })
}

/// Every number in a sentence, in order. A full stop or comma that ends a clause belongs to no number,
/// and digits that follow a letter (`CET1`) are part of a word.
pub fn numbers_in(text: &str) -> Vec<f64> {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '−');
    let mut numbers = Vec::new();
    let mut before = ' ';
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        before = rest[..start].chars().next_back().unwrap_or(before);
        let tail = &rest[start..];
        let end = tail.find(|c| !is_part(c)).unwrap_or(tail.len());
        let piece = tail[..end]
            .trim_end_matches(['.', ',', '-', '−'])
            .trim_start_matches(['.', ',']);
        if !before.is_alphabetic() {
            numbers.extend(parse_number(piece));
        }
        rest = &tail[end..];
        before = ' ';
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_thousands_and_keeps_decimals() {
        for (value, text) in [
            (11_076.0, "11.076"),
            (1_797_062.0, "1.797.062"),
            (999.0, "999"),
            (12.3, "12,3"),
            (-1_234.5, "-1.234,5"),
            (0.05, "0,05"),
        ] {
            assert_eq!(format_number(value), text);
            assert_eq!(parse_number(text), Some(value));
        }
    }

    #[test]
    fn a_text_that_is_no_spanish_number_is_none() {
        for text in [
            "", "-", ",5", "1,", "1.23", "1234.567", "1.2345", "a", "1,2,3", ".123",
        ] {
            assert_eq!(parse_number(text), None, "{text}");
        }
    }

    #[test]
    fn finds_the_numbers_of_a_sentence() {
        let sentence = "Ganó 11.076 millones EUR en 2023, con CET1 y un ROE del 11,9 %.";
        assert_eq!(numbers_in(sentence), [11_076.0, 2023.0, 11.9]);
    }
}
