//! Invented names, places and figures, made of syllables so that there are more than a model can learn.

use crate::rng::Rng;

const ONSETS: [&str; 40] = [
    "B", "Br", "C", "Cal", "Car", "Ch", "Cr", "D", "Dr", "El", "F", "Fl", "G", "Gr", "H", "Il",
    "J", "K", "L", "M", "Mon", "N", "Ol", "P", "Pl", "Pr", "Qu", "R", "Ros", "S", "Sal", "T", "Tr",
    "Ur", "V", "Val", "W", "X", "Y", "Z",
];
const NUCLEI: [&str; 14] = [
    "a", "e", "i", "o", "u", "a", "e", "o", "ai", "au", "ei", "ia", "io", "ue",
];
const CODAS: [&str; 36] = [
    "b", "bod", "bel", "br", "c", "ch", "d", "del", "dor", "f", "g", "gr", "k", "ka", "l", "ll",
    "m", "mar", "n", "nd", "nt", "p", "r", "rr", "s", "st", "t", "tx", "v", "vad", "x", "xa", "z",
    "ñ", "bank", "sc",
];
const ENDINGS: [&str; 16] = [
    "a", "o", "e", "os", "al", "er", "ia", "ell", "an", "ar", "ona", "ix", "in", "eda", "elo",
    "ura",
];

/// Letters of an acronym are all different.
const LETTERS: [char; 22] = [
    'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'K', 'L', 'M', 'N', 'O', 'P', 'R', 'S', 'T', 'U',
    'V', 'X', 'Z',
];

const FIRST_NAMES: [&str; 48] = [
    "Ana", "Luis", "Marta", "Jorge", "Lucía", "Pablo", "Elena", "Diego", "Carmen", "Iván", "Sofía",
    "Raúl", "Nuria", "Hugo", "Irene", "Óscar", "Alba", "Javier", "Clara", "Tomás", "Emma", "Noah",
    "Olivia", "Liam", "Grace", "Henry", "Alice", "Oscar", "Ruby", "Jack", "Rose", "Leo", "Yuki",
    "Haruto", "Sakura", "Ren", "Aoi", "Sota", "Hina", "Kaito", "Mei", "Riku", "Akira", "Naomi",
    "Kenji", "Emi", "Taro", "Hana",
];

/// One of a fixed list of texts.
pub(super) fn pick(rng: &mut Rng, texts: &[&'static str]) -> &'static str {
    texts[rng.below(texts.len())]
}

/// `Calbador`, `Quixer`, …
pub(super) fn word(rng: &mut Rng) -> String {
    let mut name = String::from(*rng.pick(&ONSETS));
    name.push_str(pick(rng, &NUCLEI));
    if rng.below(10) < 6 {
        name.push_str(pick(rng, &CODAS));
        name.push_str(pick(rng, &NUCLEI));
    }
    name.push_str(pick(rng, &CODAS));
    if !name.ends_with("bank") {
        name.push_str(pick(rng, &ENDINGS));
    }
    name
}

/// Three to five different capitals.
pub(super) fn acronym(rng: &mut Rng) -> String {
    let mut letters = LETTERS;
    rng.shuffle(&mut letters);
    letters[..3 + rng.below(3)].iter().collect()
}

/// The name of a bank that does not exist.
pub(super) fn bank(rng: &mut Rng) -> String {
    match rng.below(12) {
        0..=3 => format!("Banco {}", word(rng)),
        4 => format!("Banco de {}", word(rng)),
        5 => format!("Caja {}", word(rng)),
        6 => format!("Caja Rural de {}", word(rng)),
        7 => format!("{}bank", word(rng)),
        8 => format!("{}Bank", word(rng)),
        9 => acronym(rng),
        10 => format!("{} {}", word(rng), word(rng)),
        _ => word(rng),
    }
}

pub(super) fn person(rng: &mut Rng) -> String {
    (*rng.pick(&FIRST_NAMES)).to_owned()
}

pub(super) fn year(rng: &mut Rng) -> u16 {
    // Recent years are what people ask about.
    if rng.below(3) == 0 {
        1990 + rng.below(36) as u16
    } else {
        2018 + rng.below(7) as u16
    }
}

/// `n` different draws.
pub(super) fn distinct<T: PartialEq>(
    rng: &mut Rng,
    n: usize,
    mut draw: impl FnMut(&mut Rng) -> T,
) -> Vec<T> {
    let mut items = Vec::with_capacity(n);
    while items.len() < n {
        let item = draw(rng);
        if !items.contains(&item) {
            items.push(item);
        }
    }
    items
}

/// A whole number, spread evenly over its lengths.
pub(super) fn amount(rng: &mut Rng, low: f64, high: f64) -> f64 {
    (low.ln() + rng.uniform() * (high / low).ln()).exp().round()
}

/// A number with one or, more rarely, two decimals.
pub(super) fn ratio(rng: &mut Rng, low: f64, high: f64) -> f64 {
    let value = low + rng.uniform() * (high - low);
    let scale = if rng.below(5) == 0 { 100.0 } else { 10.0 };
    (value * scale).round() / scale
}

/// `1,234`, as English and Japanese write it.
pub(super) fn comma_grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_many_more_names_than_records_can_teach() {
        let mut rng = Rng::new(0, 0);
        let names: std::collections::BTreeSet<String> =
            (0..5_000).map(|_| word(&mut rng)).collect();
        assert!(names.len() > 4_500, "{}", names.len());
    }

    #[test]
    fn amounts_stay_in_range_and_vary_in_length() {
        let mut rng = Rng::new(1, 0);
        let draws: Vec<f64> = (0..1_000)
            .map(|_| amount(&mut rng, 50.0, 20_000.0))
            .collect();
        assert!(draws.iter().all(|&x| (50.0..=20_000.0).contains(&x)));
        assert!(draws.iter().any(|&x| x < 100.0) && draws.iter().any(|&x| x > 10_000.0));
    }

    #[test]
    fn groups_thousands_with_commas() {
        assert_eq!(comma_grouped(1_234_567), "1,234,567");
        assert_eq!(comma_grouped(12), "12");
    }
}
