//! ISIN check digit (ISO 6166): letters become 10 to 35, then Luhn's rule over all digits.

/// Two letters, nine letters or digits, and a check digit that fits.
pub(super) fn is_valid(isin: &str) -> bool {
    let shaped = isin.len() == 12
        && isin
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && isin.bytes().take(2).all(|b| b.is_ascii_uppercase())
        && isin.ends_with(|c: char| c.is_ascii_digit());
    if !shaped {
        return false;
    }
    let digits: Vec<u32> = isin
        .chars()
        .filter_map(|c| c.to_digit(36))
        .flat_map(|value| {
            if value < 10 {
                vec![value]
            } else {
                vec![value / 10, value % 10]
            }
        })
        .collect();
    let luhn: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| {
            let doubled = if place % 2 == 1 { 2 * digit } else { digit };
            doubled / 10 + doubled % 10
        })
        .sum();
    luhn.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn knows_a_check_digit() {
        // Apple's and the worked example of ISO 6166.
        assert!(is_valid("US0378331005") && is_valid("AU0000XVGZA3"));
        for wrong in [
            "US0378331004",
            "us0378331005",
            "US037833100",
            "US03783310055",
            "120378331005",
        ] {
            assert!(!is_valid(wrong), "{wrong}");
        }
    }
}
