//! What a user may set, and what the values must be.

use serde::{Deserialize, Serialize};

/// How tokens are drawn. The default takes the most likely token and changes no logit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// 0 takes the most likely token.
    pub temperature: f64,
    /// 0 keeps all. Tokens as likely as the last one kept are kept too, as in transformers.
    pub top_k: usize,
    /// Smallest set of likely tokens whose probability reaches this; 1 keeps all.
    pub top_p: f64,
    /// Tokens less likely than this share of the likeliest are dropped; 0 keeps all.
    pub min_p: f64,
    /// Divides positive logits of tokens in prompt and answer, multiplies negative ones; 1 is off.
    pub repetition_penalty: f64,
    /// Taken off a token's logit once for each time that the answer has it.
    pub frequency_penalty: f64,
    /// Taken off a token's logit where the answer has it.
    pub presence_penalty: f64,
    pub seed: u64,
}

/// Why settings cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SamplingError {
    #[error("`{setting}` is {value}, expected {expected}")]
    Value {
        setting: &'static str,
        value: f64,
        expected: &'static str,
    },
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            seed: 0,
        }
    }
}

impl Sampling {
    /// Compares every value with its range.
    ///
    /// # Errors
    /// Names the first setting that is outside of it.
    pub fn check(&self) -> Result<(), SamplingError> {
        let above_zero = self.repetition_penalty > 0.0 && self.repetition_penalty.is_finite();
        let penalty = |value: f64| (-2.0..=2.0).contains(&value);
        let rules = [
            (
                "temperature",
                self.temperature,
                self.temperature >= 0.0 && self.temperature.is_finite(),
                "0 or more",
            ),
            (
                "top_p",
                self.top_p,
                self.top_p > 0.0 && self.top_p <= 1.0,
                "above 0 and at most 1",
            ),
            (
                "min_p",
                self.min_p,
                (0.0..=1.0).contains(&self.min_p),
                "0 to 1",
            ),
            (
                "repetition_penalty",
                self.repetition_penalty,
                above_zero,
                "above 0",
            ),
            (
                "frequency_penalty",
                self.frequency_penalty,
                penalty(self.frequency_penalty),
                "-2 to 2",
            ),
            (
                "presence_penalty",
                self.presence_penalty,
                penalty(self.presence_penalty),
                "-2 to 2",
            ),
        ];
        match rules.into_iter().find(|(_, _, holds, _)| !holds) {
            None => Ok(()),
            Some((setting, value, _, expected)) => Err(SamplingError::Value {
                setting,
                value,
                expected,
            }),
        }
    }

    /// Whether the most likely token is always taken (of the penalized logits, if any are).
    pub fn is_greedy(&self) -> bool {
        self.temperature <= 0.0
    }

    /// Whether logits depend on what was written so far.
    pub fn has_penalties(&self) -> bool {
        self.repetition_penalty != 1.0
            || self.frequency_penalty != 0.0
            || self.presence_penalty != 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_outside_their_range_are_named() {
        assert_eq!(Sampling::default().check(), Ok(()));
        let bad = Sampling {
            top_p: 0.0,
            ..Sampling::default()
        };
        assert_eq!(
            bad.check().unwrap_err().to_string(),
            "`top_p` is 0, expected above 0 and at most 1"
        );
        for temperature in [-1.0, f64::NAN, f64::INFINITY] {
            let bad = Sampling {
                temperature,
                ..Sampling::default()
            };
            assert!(bad.check().is_err());
        }
    }

    #[test]
    fn absent_settings_are_the_defaults_and_unknown_ones_are_refused() {
        let read: Sampling = serde_json::from_str(r#"{"temperature": 0.7}"#).unwrap();
        assert_eq!((read.temperature, read.top_p), (0.7, 1.0));
        assert!(serde_json::from_str::<Sampling>(r#"{"temprature": 0.7}"#).is_err());
    }
}
