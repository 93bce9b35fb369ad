//! Does an answer state the right figure?
//!
//! Looser than an exact match: any sentence counts that holds the figure in Spanish form and no other
//! figure, names the bank, and no other year.

use super::Fact;
use crate::recipe::spanish::numbers_in;

/// What an answer says about a fact.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The figure, of the right bank and year, and no other number.
    Right,
    /// A number that is not the figure.
    WrongFigure { expected: f64, found: f64 },
    /// The right figure, but given for another year.
    WrongYear { expected: u16, found: u16 },
    /// The right figure, but the bank is not named.
    BankNotNamed,
    /// No number beside years.
    NoFigure,
}

/// Compare an answer with the fact it should state.
pub fn check_answer(fact: &Fact, answer: &str) -> Verdict {
    // A digit in the bank's name is no figure.
    let named = answer.to_lowercase().contains(&fact.bank.to_lowercase());
    let rest = answer.replace(&fact.bank, "");
    let (years, figures): (Vec<f64>, Vec<f64>) = numbers_in(&rest)
        .into_iter()
        .partition(|&number| is_year(number) && number != fact.value);
    let expected = expected(fact, answer);
    if let Some(&found) = figures.iter().find(|&&figure| figure != expected) {
        return Verdict::WrongFigure { expected, found };
    }
    if figures.is_empty() {
        return Verdict::NoFigure;
    }
    if let Some(&found) = years.iter().find(|&&year| year != f64::from(fact.year)) {
        return Verdict::WrongYear {
            expected: fact.year,
            found: found as u16,
        };
    }
    if named {
        Verdict::Right
    } else {
        Verdict::BankNotNamed
    }
}

/// A loss may be told by its sign or by a word.
fn expected(fact: &Fact, answer: &str) -> f64 {
    let told = ["pérdida", "perdió", "pérdidas"]
        .iter()
        .any(|word| answer.contains(word));
    if fact.value < 0.0 && told {
        -fact.value
    } else {
        fact.value
    }
}

fn is_year(number: f64) -> bool {
    number.fract() == 0.0 && (1900.0..=2100.0).contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::bank::Metric;

    fn fact(metric: Metric, value: f64) -> Fact {
        let (bank, unit, currency) = (
            "Banco 21".to_owned(),
            "millones".to_owned(),
            "EUR".to_owned(),
        );
        Fact {
            bank,
            year: 2023,
            metric,
            value,
            unit,
            currency,
        }
    }

    #[test]
    fn tells_right_from_wrong() {
        let profit = fact(Metric::NetProfit, 11_076.0);
        let cases = [
            (
                "Banco 21 obtuvo un beneficio neto de 11.076 millones EUR en 2023.",
                Verdict::Right,
            ),
            ("En 2023 ganó 11.076 millones EUR Banco 21.", Verdict::Right),
            (
                "Banco 21 ganó 11.067 millones EUR en 2023.",
                Verdict::WrongFigure {
                    expected: 11_076.0,
                    found: 11_067.0,
                },
            ),
            (
                "Banco 21 ganó 11.076 o 9.605 millones EUR.",
                Verdict::WrongFigure {
                    expected: 11_076.0,
                    found: 9_605.0,
                },
            ),
            (
                "Banco 21 ganó 11.076 millones EUR en 2022.",
                Verdict::WrongYear {
                    expected: 2023,
                    found: 2022,
                },
            ),
            (
                "Caja Sur ganó 11.076 millones EUR en 2023.",
                Verdict::BankNotNamed,
            ),
            ("No lo sé: no tengo datos de 2023.", Verdict::NoFigure),
        ];
        for (answer, verdict) in cases {
            assert_eq!(check_answer(&profit, answer), verdict, "{answer}");
        }
    }

    #[test]
    fn cet1_is_a_word_and_a_loss_needs_no_sign() {
        let capital = fact(Metric::CapitalRatio, 12.3);
        assert_eq!(check_answer(&capital, &capital.answer()), Verdict::Right);
        let loss = fact(Metric::NetProfit, -250.0);
        assert_eq!(check_answer(&loss, &loss.answer()), Verdict::Right);
        assert_eq!(
            check_answer(&loss, "Banco 21 tuvo -250 millones EUR en 2023."),
            Verdict::Right
        );
    }

    #[test]
    fn a_figure_that_looks_like_a_year_is_a_figure() {
        let profit = fact(Metric::NetProfit, 2_023.0);
        assert_eq!(check_answer(&profit, &profit.answer()), Verdict::Right);
    }
}
