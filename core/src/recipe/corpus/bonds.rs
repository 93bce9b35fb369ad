//! English questions on an invented bond whose terms stand in the text.

use super::{Chat, fill, invent};
use crate::rng::Rng;

const QUESTIONS: [(&str, &str); 15] = [
    ("What is the coupon of {i}?", "The coupon of {i} is {c}%."),
    ("Which coupon does {i} pay?", "The coupon of {i} is {c}%."),
    (
        "Tell me the coupon rate of {i}.",
        "The coupon of {i} is {c}%.",
    ),
    ("When does {i} mature?", "{i} matures in {m}."),
    ("What is the maturity of {i}?", "{i} matures in {m}."),
    (
        "What is the YTM for {i}?",
        "The Yield to Maturity (YTM) for {i} is {t}%.",
    ),
    (
        "What is the yield to maturity of {i}?",
        "The Yield to Maturity (YTM) for {i} is {t}%.",
    ),
    (
        "How much does {i} yield?",
        "The Yield to Maturity (YTM) for {i} is {t}%.",
    ),
    (
        "What is the price of {i}?",
        "The clean price of {i} is {p}.",
    ),
    (
        "At which price does {i} trade?",
        "The clean price of {i} is {p}.",
    ),
    (
        "What is the duration of {i}?",
        "The Macaulay duration of {i} is {d} years.",
    ),
    (
        "How long is the Macaulay duration of {i}?",
        "The Macaulay duration of {i} is {d} years.",
    ),
    ("Who issued {i}?", "{i} was issued by {n}."),
    (
        "What is the rating of {i}?",
        "I do not know: the text does not say.",
    ),
    ("Is {i} above par?", "{above}"),
];

/// A bond's terms and a question on one of them.
pub(super) fn asked(rng: &mut Rng) -> Chat {
    let isin = isin(rng);
    let coupon = format!("{:.2}", invent::ratio(rng, 0.5, 9.0));
    let ytm = format!("{:.2}", invent::ratio(rng, 0.5, 12.0));
    let hundredths = 7_000 + rng.below(6_000);
    let price = format!("{:.2}", hundredths as f64 / 100.0);
    let duration = format!("{:.2}", invent::ratio(rng, 0.5, 15.0));
    let maturity = (2026 + rng.below(30)).to_string();
    let issuer = format!(
        "{} {}",
        invent::word(rng),
        rng.pick(&["Corp", "Ltd", "Finance", "Energy", "Group"])
    );
    let above = match hundredths.cmp(&10_000) {
        std::cmp::Ordering::Greater => format!("Yes: its price of {price} is above 100."),
        std::cmp::Ordering::Less => format!("No: its price of {price} is below 100."),
        std::cmp::Ordering::Equal => "It trades at par.".to_owned(),
    };
    let values = [
        ("i", isin.as_str()),
        ("c", coupon.as_str()),
        ("t", ytm.as_str()),
        ("p", price.as_str()),
        ("d", duration.as_str()),
        ("m", maturity.as_str()),
        ("n", issuer.as_str()),
        ("above", above.as_str()),
    ];
    let shapes = [
        "{i} | {n} | coupon {c}% | maturity {m} | price {p} | YTM {t}% | duration {d}",
        "ISIN: {i}\nIssuer: {n}\nCoupon: {c}%\nMaturity: {m}\nPrice: {p}\nYTM: {t}%\nDuration: {d}",
        "The bond {i} of {n} pays {c}% until {m}. At a price of {p} it yields {t}%; its duration is {d}.",
    ];
    let context = fill(invent::pick(rng, &shapes), &values);
    let (question, answer) = *rng.pick(&QUESTIONS);
    Chat::new(
        format!("{context}\n{}", fill(question, &values)),
        fill(answer, &values),
    )
}

/// Two letters, then ten letters or digits.
fn isin(rng: &mut Rng) -> String {
    const COUNTRIES: [&str; 8] = ["XS", "US", "DE", "FR", "IN", "ES", "JP", "GB"];
    let mut code = String::from(*rng.pick(&COUNTRIES));
    for position in 0..10 {
        let letter = position < 3 && rng.below(3) == 0;
        let symbol = if letter {
            b'A' + rng.below(26) as u8
        } else {
            b'0' + rng.below(10) as u8
        };
        code.push(char::from(symbol));
    }
    code
}
