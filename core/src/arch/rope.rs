//! Rotary position embedding (Su et al. 2021): frequencies, and how they are stretched for texts
//! longer than those of the training.
//!
//! Everything is computed in f32 where transformers does (`modeling_rope_utils.py`), so that
//! angles of far positions agree.

/// A rotation of the first values of every head, halves against each other (GPT-NeoX pairing).
#[derive(Debug, Clone, PartialEq)]
pub struct RopeSpec {
    pub theta: f64,
    /// Values of a head that are rotated; the others pass.
    pub n_rotated: usize,
    pub scaling: RopeScaling,
    /// Cosines and sines are multiplied by this.
    pub attention_factor: f64,
}

/// How frequencies are stretched for longer contexts.
#[derive(Debug, Clone, PartialEq)]
pub enum RopeScaling {
    None,
    /// All frequencies divided by the factor.
    Linear {
        factor: f64,
    },
    /// A larger base, the larger the longer the text is.
    Dynamic {
        factor: f64,
        original_max_positions: usize,
    },
    /// High frequencies kept, low ones divided, a ramp between (Peng et al. 2023).
    Yarn {
        factor: f64,
        beta_fast: f64,
        beta_slow: f64,
        original_max_positions: f64,
        /// The ramp begins and ends at whole pairs.
        truncate: bool,
    },
    /// Llama 3.1's: low frequencies divided, high ones kept, a smooth band between.
    Llama3 {
        factor: f64,
        low_freq_factor: f64,
        high_freq_factor: f64,
        original_max_positions: f64,
    },
    /// Each frequency divided by a factor of its own, by other ones once the text is longer than
    /// those of the training (Ding et al. 2024). `[n_rotated / 2]` each.
    LongRope {
        short_factors: Vec<f32>,
        long_factors: Vec<f32>,
        original_max_positions: usize,
    },
    /// Each frequency divided by a factor of its own, `[n_rotated / 2]`: what a GGUF file keeps of
    /// a formula.
    Factors(Vec<f32>),
}

impl RopeSpec {
    /// A rotation as it was trained.
    pub fn plain(theta: f64, n_rotated: usize) -> Self {
        Self {
            theta,
            n_rotated,
            scaling: RopeScaling::None,
            attention_factor: 1.0,
        }
    }

    /// Angular frequency of each rotated pair, `[n_rotated / 2]`, in a text of `n_positions`.
    pub fn frequencies(&self, n_positions: usize) -> Vec<f32> {
        let theta = self.theta_of(n_positions) as f32;
        let power = |pair: usize| theta.powf((2 * pair) as f32 / self.n_rotated as f32);
        let powers = (0..self.n_rotated / 2).map(|pair| (pair, power(pair)));
        match &self.scaling {
            RopeScaling::None | RopeScaling::Dynamic { .. } => {
                powers.map(|(_, power)| 1.0 / power).collect()
            }
            RopeScaling::Linear { factor } => {
                let factor = *factor as f32;
                powers.map(|(_, power)| 1.0 / power / factor).collect()
            }
            RopeScaling::Factors(factors) => {
                let divided = powers.map(|(pair, power)| 1.0 / power / factor_of(factors, pair));
                divided.collect()
            }
            RopeScaling::LongRope {
                short_factors,
                long_factors,
                ..
            } => {
                let factors = match self.stretch_of(n_positions) {
                    0 => short_factors,
                    _ => long_factors,
                };
                let divided = powers.map(|(pair, power)| 1.0 / (factor_of(factors, pair) * power));
                divided.collect()
            }
            RopeScaling::Llama3 { .. } => powers
                .map(|(_, power)| self.scaling.llama3(1.0 / power))
                .collect(),
            RopeScaling::Yarn { factor, .. } => {
                let factor = *factor as f32;
                let [low, high] = self.ramp();
                let ramped = powers.map(|(pair, power)| {
                    let kept = 1.0 - ((pair as f32 - low) / (high - low)).clamp(0.0, 1.0);
                    1.0 / (factor * power) * (1.0 - kept) + 1.0 / power * kept
                });
                ramped.collect()
            }
        }
    }

    /// The longest text that it serves, of a model made for `max_positions`.
    pub fn reach(&self, max_positions: usize) -> usize {
        match self.scaling {
            // The base grows with the text, so that longer ones than in the training are meant.
            RopeScaling::Dynamic { factor, .. } => (max_positions as f64 * factor) as usize,
            _ => max_positions,
        }
    }

    /// Texts with the same number have the same frequencies.
    pub fn stretch_of(&self, n_positions: usize) -> usize {
        match self.scaling {
            RopeScaling::Dynamic {
                original_max_positions,
                ..
            } => n_positions.saturating_sub(original_max_positions),
            RopeScaling::LongRope {
                original_max_positions,
                ..
            } => usize::from(n_positions > original_max_positions),
            _ => 0,
        }
    }

    fn theta_of(&self, n_positions: usize) -> f64 {
        match self.scaling {
            RopeScaling::Dynamic {
                factor,
                original_max_positions,
            } => {
                let original = original_max_positions as f64;
                let longer = (n_positions as f64).max(original) / original;
                let d = self.n_rotated as f64;
                self.theta * (factor * longer - (factor - 1.0)).powf(d / (d - 2.0))
            }
            _ => self.theta,
        }
    }

    /// First and last pair of YaRN's ramp.
    fn ramp(&self) -> [f32; 2] {
        let RopeScaling::Yarn {
            beta_fast,
            beta_slow,
            original_max_positions,
            truncate,
            ..
        } = self.scaling
        else {
            return [0.0, 1.0];
        };
        let d = self.n_rotated as f64;
        let pair_of = |n_turns: f64| {
            let turns = original_max_positions / (n_turns * std::f64::consts::TAU);
            d * turns.ln() / (2.0 * self.theta.ln())
        };
        let (mut low, mut high) = (pair_of(beta_fast), pair_of(beta_slow));
        if truncate {
            (low, high) = (low.floor(), high.ceil());
        }
        let (low, high) = (low.max(0.0) as f32, high.min(d - 1.0) as f32);
        // A ramp of no length is a step.
        [low, if low == high { high + 0.001 } else { high }]
    }
}

fn factor_of(factors: &[f32], pair: usize) -> f32 {
    factors.get(pair).copied().unwrap_or(1.0)
}

impl RopeScaling {
    fn llama3(&self, frequency: f32) -> f32 {
        let Self::Llama3 {
            factor,
            low_freq_factor,
            high_freq_factor,
            original_max_positions,
        } = *self
        else {
            return frequency;
        };
        let frequency = f64::from(frequency);
        let wavelength = std::f64::consts::TAU / frequency;
        let low_wavelength = original_max_positions / low_freq_factor;
        let high_wavelength = original_max_positions / high_freq_factor;
        let stretched = if wavelength > low_wavelength {
            frequency / factor
        } else if wavelength < high_wavelength {
            frequency
        } else {
            let smooth = (original_max_positions / wavelength - low_freq_factor)
                / (high_freq_factor - low_freq_factor);
            (1.0 - smooth) * frequency / factor + smooth * frequency
        };
        stretched as f32
    }
}
