//! How far an exported file is from the model it was made from, by their logits.
//!
//! A layout mistake (rotary pairs not permuted, a tensor under another's name) leaves a file that
//! opens and writes nonsense; quantization leaves one that is a little off. `relative_error`
//! tells them apart whatever the scale of the logits, also for an untrained model whose
//! distributions are all nearly flat: it is the root of `sum (e - s)²` over `sum (s - mean s)²`.

use super::Format;

/// What was measured over all positions compared.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Drift {
    pub n_positions: usize,
    /// Share of positions at which both rank the same token first.
    pub top1_agreement: f64,
    /// Mean of KL(source ‖ exported), in nats.
    pub mean_kl: f64,
    /// Largest difference of two logits.
    pub max_abs_diff: f64,
    /// Root of the squared differences over the squared spread of the source's logits.
    pub relative_error: f64,
}

/// What a faithful file of a format stays within.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct DriftLimits {
    pub mean_kl: f64,
    pub relative_error: f64,
}

/// Why logits cannot be compared, or what the comparison showed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DriftError {
    #[error("the source has {source_len} logits at a position, the exported model {exported_len}")]
    Length {
        source_len: usize,
        exported_len: usize,
    },

    #[error("the {side} model's logit of token {token} is {value}, expected a finite number")]
    NotFinite {
        side: &'static str,
        token: usize,
        value: f32,
    },

    #[error("no position was compared; give validation records with at least one token")]
    Nothing,

    #[error(
        "the exported {format} file does not compute what its source computes: \
         {measure} is {found:.3} over {n_positions} positions, at most {limit} is expected; \
         a format with more bits loses less"
    )]
    TooFar {
        format: &'static str,
        measure: &'static str,
        found: f64,
        limit: f64,
        n_positions: usize,
    },
}

/// The numbers in the reasons are relative errors of the tiny untrained models of the tests, whose
/// logits move more than a trained model's. Rows of q in the wrong order gave 0.9 to 1.1 there,
/// two tensors under each other's name 0.8 to 0.9, unrelated logits give 1.4.
impl DriftLimits {
    /// Rounding to 11 significant bits gave 0.002 at most.
    pub const F16: Self = Self {
        mean_kl: 1e-3,
        relative_error: 1e-2,
    };
    /// 8 significant bits: eight times the rounding of F16.
    pub const BF16: Self = Self {
        mean_kl: 1e-2,
        relative_error: 8e-2,
    };
    /// A step is 1/127 of a block's largest value. It gave 0.04 at most, and 0.11 under an
    /// adapter larger than its base.
    pub const Q8_0: Self = Self {
        mean_kl: 0.1,
        relative_error: 0.25,
    };
    /// A step is 1/8 of a block's largest value. It gave 0.27 to 0.44.
    pub const Q4_0: Self = Self {
        mean_kl: 1.0,
        relative_error: 0.8,
    };

    /// The limits of a format; f32 must match to what summing in f32 leaves.
    pub fn of(format: Format) -> Self {
        match format {
            Format::F32 => Self {
                mean_kl: 1e-6,
                relative_error: 1e-4,
            },
            Format::F16 => Self::F16,
            Format::Bf16 => Self::BF16,
            Format::Q8_0 => Self::Q8_0,
            // Both lose less than Q4_0 does.
            Format::Q4_0 | Format::Q4K | Format::Q6K => Self::Q4_0,
        }
    }
}

impl Drift {
    /// Fails where the file is beyond the limits of its format.
    ///
    /// # Errors
    /// [`DriftError::TooFar`] names the measure, what was found and what is allowed.
    pub fn check(&self, format: Format) -> Result<(), DriftError> {
        let limits = DriftLimits::of(format);
        for (measure, found, limit) in [
            ("mean KL divergence", self.mean_kl, limits.mean_kl),
            (
                "relative error of the logits",
                self.relative_error,
                limits.relative_error,
            ),
        ] {
            if found.is_nan() || found > limit {
                return Err(DriftError::TooFar {
                    format: format.name(),
                    measure,
                    found,
                    limit,
                    n_positions: self.n_positions,
                });
            }
        }
        Ok(())
    }
}

/// Adds up differences position by position.
#[derive(Debug, Clone, Default)]
pub struct DriftMeter {
    n_positions: usize,
    n_same_top: usize,
    kl: f64,
    max_abs_diff: f64,
    squared_diff: f64,
    squared_spread: f64,
}

impl DriftMeter {
    /// Compares the logits of one position.
    ///
    /// # Errors
    /// Where lengths differ or a logit is not finite.
    pub fn add(&mut self, source: &[f32], exported: &[f32]) -> Result<(), DriftError> {
        if source.len() != exported.len() || source.is_empty() {
            return Err(DriftError::Length {
                source_len: source.len(),
                exported_len: exported.len(),
            });
        }
        for (side, logits) in [("source", source), ("exported", exported)] {
            if let Some(token) = logits.iter().position(|x| !x.is_finite()) {
                let value = logits[token];
                return Err(DriftError::NotFinite { side, token, value });
            }
        }
        self.n_positions += 1;
        self.n_same_top += usize::from(top(source) == top(exported));
        self.kl += kl(source, exported);
        let mean = source.iter().map(|x| f64::from(*x)).sum::<f64>() / source.len() as f64;
        for (s, e) in source.iter().zip(exported) {
            let diff = f64::from(*e) - f64::from(*s);
            self.max_abs_diff = self.max_abs_diff.max(diff.abs());
            self.squared_diff += diff * diff;
            self.squared_spread += (f64::from(*s) - mean).powi(2);
        }
        Ok(())
    }

    /// Means over the positions added.
    ///
    /// # Errors
    /// [`DriftError::Nothing`] where none was.
    pub fn finish(&self) -> Result<Drift, DriftError> {
        if self.n_positions == 0 {
            return Err(DriftError::Nothing);
        }
        let n = self.n_positions as f64;
        let relative_error = if self.squared_diff == 0.0 {
            0.0
        } else {
            (self.squared_diff / self.squared_spread).sqrt()
        };
        Ok(Drift {
            n_positions: self.n_positions,
            top1_agreement: self.n_same_top as f64 / n,
            mean_kl: self.kl / n,
            max_abs_diff: self.max_abs_diff,
            relative_error,
        })
    }
}

fn top(logits: &[f32]) -> usize {
    let mut best = 0;
    for (token, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = token;
        }
    }
    best
}

/// `sum p (log p - log q)` with both from logits, in f64.
fn kl(source: &[f32], exported: &[f32]) -> f64 {
    let (log_z_source, log_z_exported) = (log_sum_exp(source), log_sum_exp(exported));
    source
        .iter()
        .zip(exported)
        .map(|(s, e)| {
            let log_p = f64::from(*s) - log_z_source;
            let log_q = f64::from(*e) - log_z_exported;
            log_p.exp() * (log_p - log_q)
        })
        .sum()
}

fn log_sum_exp(logits: &[f32]) -> f64 {
    let max = f64::from(logits[top(logits)]);
    let sum: f64 = logits.iter().map(|x| (f64::from(*x) - max).exp()).sum();
    max + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(source: &[f32], exported: &[f32]) -> Drift {
        let mut meter = DriftMeter::default();
        meter.add(source, exported).unwrap();
        meter.finish().unwrap()
    }

    #[test]
    fn equal_logits_have_no_drift() {
        let drift = measure(&[1.0, 2.0, -3.0], &[1.0, 2.0, -3.0]);
        assert_eq!(drift.top1_agreement, 1.0);
        assert_eq!((drift.max_abs_diff, drift.relative_error), (0.0, 0.0));
        assert!(drift.mean_kl.abs() < 1e-15);
        assert!(drift.check(Format::F32).is_ok());
    }

    #[test]
    fn kl_is_the_textbooks() {
        // p = (3/4, 1/4), q = (1/2, 1/2): 3/4 ln 3/2 + 1/4 ln 1/2.
        let drift = measure(&[3f32.ln(), 0.0], &[5.0, 5.0]);
        let want = 0.75 * 1.5f64.ln() + 0.25 * 0.5f64.ln();
        assert!((drift.mean_kl - want).abs() < 1e-7);
        assert_eq!(drift.max_abs_diff, 5.0);
    }

    #[test]
    fn unrelated_logits_fail_every_format_even_when_nearly_flat() {
        let wave = |step: f32| (0..500).map(move |i| 1e-3 * (i as f32 * step).sin());
        let source: Vec<f32> = wave(0.7).collect();
        let other: Vec<f32> = wave(1.9).collect();
        let drift = measure(&source, &other);
        assert!((drift.relative_error - 2f64.sqrt()).abs() < 0.05);
        for format in Format::ALL {
            assert!(matches!(
                drift.check(format),
                Err(DriftError::TooFar { .. })
            ));
        }
    }

    #[test]
    fn a_shift_of_all_logits_is_seen_but_moves_no_probability() {
        let drift = measure(&[0.0, 1.0], &[0.5, 1.5]);
        assert!(drift.mean_kl.abs() < 1e-12);
        assert!(drift.check(Format::F16).is_err());
    }

    #[test]
    fn broken_logits_are_refused() {
        let mut meter = DriftMeter::default();
        assert!(matches!(meter.finish(), Err(DriftError::Nothing)));
        assert!(meter.add(&[1.0], &[1.0, 2.0]).is_err());
        assert!(meter.add(&[1.0, 2.0], &[f32::NAN, 2.0]).is_err());
        assert!(matches!(meter.finish(), Err(DriftError::Nothing)));
    }
}
