//! One figure of one bank in one year: the smallest thing a model can know or not know.

use serde_json::{Map, Value, json};

use super::{BankYear, Figures, Metric};
use crate::{
    data::{Body, Record},
    text::{Conversation, Message, Role},
};

/// A published figure with the sentence that states it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    pub bank: String,
    pub year: u16,
    pub metric: Metric,
    pub value: f64,
    pub unit: String,
    pub currency: String,
}

impl Fact {
    /// `banco-alba/2023/net_profit`
    pub fn id(&self) -> String {
        format!("{}/{}/{}", slug(&self.bank), self.year, self.metric.key())
    }

    /// `11.076 millones EUR` or `12,3 %`
    pub fn figure(&self) -> String {
        self.metric.figure(self.value, &self.unit, &self.currency)
    }

    /// The one sentence that answers every phrasing.
    pub fn answer(&self) -> String {
        self.metric
            .answer(&self.bank, self.year, self.value, &self.figure())
    }

    /// A question on this fact as a record; `phrasing` is its number in the list of phrasings.
    pub(super) fn record(&self, question: String, phrasing: usize) -> Record {
        let phrasing = format!("{}-{:02}", self.metric.key(), phrasing + 1);
        let value = json!({
            "fact": self.id(), "phrasing": phrasing, "metric": self.metric.key(), "bank": self.bank,
            "year": self.year, "value": self.value,
        });
        chat_record(question, self.answer(), value)
    }
}

/// A question and its answer with what a dataset wants to know about them.
pub(super) fn chat_record(question: String, answer: String, extra: Value) -> Record {
    let messages = vec![
        Message::new(Role::User, question),
        Message::new(Role::Assistant, answer),
    ];
    let extra = match extra {
        Value::Object(extra) => extra,
        _ => Map::new(),
    };
    Record {
        body: Body::Chat(Conversation {
            messages,
            tools: Vec::new(),
        }),
        extra,
        line: 0,
    }
}

/// Every published figure, by bank, year and metric.
pub(super) fn facts(figures: &Figures) -> Vec<Fact> {
    let of_row = |row: &BankYear| -> Vec<Fact> {
        let fact = |metric: Metric| {
            let BankYear {
                bank,
                year,
                currency,
                unit,
                ..
            } = row.clone();
            row.figure(metric).map(|value| Fact {
                bank,
                year,
                metric,
                value,
                unit,
                currency,
            })
        };
        Metric::ALL.into_iter().filter_map(fact).collect()
    };
    figures.rows.iter().flat_map(of_row).collect()
}

/// Letters and digits in lower case, joined by hyphens.
fn slug(name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain() {
        assert_eq!(slug("Caja  Rural (España)"), "caja-rural-españa");
    }
}
