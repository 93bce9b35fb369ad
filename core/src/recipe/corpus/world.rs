//! A small invented world that is the same in every corpus, to be known by heart.
//!
//! A base that has only ever copied cannot recall. These figures are asked without a text beside them,
//! in every phrasing, so that the way from (bank, year, figure) to digits stored in weights exists
//! before a dataset brings facts of its own. The banks are invented; nothing here is true elsewhere.

use super::{
    Chat,
    banking::{Fact, question},
    fill,
};
use crate::{recipe::bank::Metric, rng::Rng};

const BANKS: [&str; 12] = [
    "Banco Alborán",
    "Banco Miravent",
    "Caja Duero Alto",
    "Norbank",
    "Banco del Estuario",
    "FQT",
    "Ulzama Bank",
    "Banco Pirámide",
    "Caja Tramontana",
    "Veltrix",
    "Banco Ceres",
    "ITKA",
];
const YEARS: [u16; 4] = [2020, 2021, 2022, 2023];

/// Seeds the figures; a stream a fact.
const WORLD_SEED: u64 = 0x0057_4f52_4c44;

/// Country, capital, currency and people in millions; all invented.
const COUNTRIES: [(&str, &str, &str, &str); 10] = [
    ("Alvenia", "Brisel", "corona", "12"),
    ("Torania", "Calmet", "lira", "48"),
    ("Nerisia", "Oldavo", "marco", "7"),
    ("Quelonia", "Partos", "peso", "31"),
    ("Hestria", "Vornes", "franco", "9"),
    ("Maldovar", "Sintel", "dracma", "66"),
    ("Orzania", "Lubeto", "rublo", "23"),
    ("Fandoria", "Gretal", "dinar", "5"),
    ("Zembria", "Onvela", "talero", "17"),
    ("Ulmaria", "Rostel", "florín", "84"),
];

/// A question on the invented world.
pub(super) fn recalled(rng: &mut Rng) -> Chat {
    if rng.below(6) == 0 {
        return country(rng);
    }
    let (bank_idx, year_idx) = (rng.below(BANKS.len()), rng.below(YEARS.len()));
    let metric_idx = rng.below(Metric::ALL.len());
    let fact = fact(bank_idx, year_idx, metric_idx);
    Chat::new(
        question(rng, &fact.bank, fact.year, fact.metric),
        fact.answer(),
    )
}

fn fact(bank_idx: usize, year_idx: usize, metric_idx: usize) -> Fact {
    let number = (bank_idx * YEARS.len() + year_idx) * Metric::ALL.len() + metric_idx;
    let mut rng = Rng::new(WORLD_SEED, number as u64);
    Fact::draw(
        &mut rng,
        BANKS[bank_idx],
        YEARS[year_idx],
        Metric::ALL[metric_idx],
    )
}

fn country(rng: &mut Rng) -> Chat {
    let (name, capital, currency, people) = *rng.pick(&COUNTRIES);
    let patterns: [(&str, &str); 9] = [
        ("¿Cuál es la capital de {c}?", "La capital de {c} es {k}."),
        ("Dime la capital de {c}.", "La capital de {c} es {k}."),
        ("¿De qué país es capital {k}?", "{k} es la capital de {c}."),
        ("¿Qué moneda se usa en {c}?", "La moneda de {c} es: {m}."),
        (
            "¿Cuántos habitantes tiene {c}?",
            "{c} tiene {p} millones de habitantes.",
        ),
        ("What is the capital of {c}?", "The capital of {c} is {k}."),
        (
            "Which country has {k} as its capital?",
            "{k} is the capital of {c}.",
        ),
        (
            "How many people live in {c}?",
            "{c} has {p} million people.",
        ),
        ("{c}の首都は？", "{c}の首都は{k}です。"),
    ];
    let (question, answer) = *rng.pick(&patterns);
    let values = [("c", name), ("k", capital), ("m", currency), ("p", people)];
    Chat::new(fill(question, &values), fill(answer, &values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_is_the_same_in_every_corpus() {
        assert_eq!(fact(3, 2, 1), fact(3, 2, 1));
        assert_ne!(fact(3, 2, 1).value, fact(4, 2, 1).value);
    }
}
