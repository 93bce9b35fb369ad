//! Household profiles to insurance proposals, in English, as Alpaca records ask for them.
//!
//! The rule behind a proposal is simple on purpose (age and household choose the product, income the
//! premium): what is taught is to read a profile and answer in a fixed shape.

use super::{Chat, fill, invent};
use crate::rng::Rng;

pub(super) struct Profile {
    pub(super) place: String,
    pub(super) age: usize,
    pub(super) income: u64,
    pub(super) household: usize,
}

impl Profile {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        Self {
            place: invent::word(rng),
            age: 20 + rng.below(60),
            income: (2 + rng.below(15)) as u64 * 1_000_000,
            household: 1 + rng.below(6),
        }
    }

    /// Products by what a household needs first: care in old age, cover for children, health alone.
    pub(super) fn product(&self) -> usize {
        match (self.age, self.household) {
            (65.., _) => 0,
            (_, 3..) => 1,
            (_, 2) => 2,
            _ => 3,
        }
    }

    /// One yen in 400 of the yearly income, a month.
    pub(super) fn premium(&self) -> String {
        invent::comma_grouped(self.income / 400)
    }
}

const PRODUCTS: [(&str, &str); 4] = [
    ("Senior Care Insurance", "care at home and in hospital"),
    ("Family Life Insurance", "income for the children"),
    ("Couple Health Insurance", "hospital stays of both partners"),
    ("Single Health Insurance", "hospital stays and lost income"),
];

const INSTRUCTIONS: [&str; 6] = [
    "Design an insurance product for this profile.",
    "Propose an insurance product for the household below.",
    "Which insurance fits this customer?",
    "Recommend a product based on the profile.",
    "Read the profile and suggest an insurance.",
    "Based on the following data, design an insurance product.",
];

/// An instruction with a profile, or a question on one of its fields.
pub(super) fn designed(rng: &mut Rng) -> Chat {
    let profile = Profile::draw(rng);
    let (age, income) = (
        profile.age.to_string(),
        invent::comma_grouped(profile.income),
    );
    let household = profile.household.to_string();
    let values = [
        ("p", profile.place.as_str()),
        ("a", age.as_str()),
        ("i", income.as_str()),
        ("h", household.as_str()),
    ];
    let shapes = [
        "Location: {p}\nAge: {a}\nIncome: ¥{i}\nHousehold size: {h}",
        "Household of {h} in {p}, age {a}, income ¥{i}.",
        "{p}, {a} years old, {h} people at home, ¥{i} a year",
    ];
    let input = fill(invent::pick(rng, &shapes), &values);
    let fields = [
        ("What is the age?", "The age is {a}."),
        ("What is the income?", "The income is ¥{i}."),
        (
            "Where does the customer live?",
            "The customer lives in {p}.",
        ),
        (
            "How many people are in the household?",
            "The household has {h} people.",
        ),
    ];
    if rng.below(3) == 0 {
        let (question, answer) = *rng.pick(&fields);
        return Chat::new(format!("{input}\n{question}"), fill(answer, &values));
    }
    let (product, cover) = PRODUCTS[profile.product()];
    let answer = format!(
        "Product: {product}\nCoverage: {cover}\nPremium: ¥{}/month\nReason: age {age}, household of {household} in {}.",
        profile.premium(),
        profile.place
    );
    Chat::new(format!("{}\n\n{input}", rng.pick(&INSTRUCTIONS)), answer)
}
