//! Axes with round numbers: ticks at 1, 2 or 5 times a power of ten, or at the powers themselves.

/// From here on a linear axis would hide the small values.
const LOG_FROM_RATIO: f64 = 200.0;
const MAX_TICKS: f64 = 5.0;

/// A range of values with its ticks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    ticks: Vec<f64>,
    step: f64,
}

impl Axis {
    /// Holds all of these finite values; logarithmic when they are spread over decades.
    pub(super) fn of_values(values: impl Iterator<Item = f64> + Clone) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        if !(low.is_finite() && high.is_finite()) {
            return Self::linear(0.0, 1.0);
        }
        if low > 0.0 && high / low > LOG_FROM_RATIO {
            return Self::logarithmic(low, high);
        }
        // Zero belongs to the picture unless it would flatten the curve.
        let low = if low > 0.0 && low < 0.5 * high {
            0.0
        } else {
            low
        };
        Self::linear(low, high)
    }

    /// From `low` to `high` exactly, with ticks at whole numbers.
    pub(super) fn of_counts(low: f64, high: f64) -> Self {
        let step = round_step(((high - low) / MAX_TICKS).max(1.0));
        let (first, last) = ((low / step).ceil(), (high / step).floor());
        let n_ticks = (last - first).max(0.0) as usize;
        let ticks = (0..=n_ticks).map(|i| (first + i as f64) * step).collect();
        Self {
            low,
            high: high.max(low + 1.0),
            logarithmic: false,
            ticks,
            step,
        }
    }

    fn linear(low: f64, high: f64) -> Self {
        let (low, high) = if high > low {
            (low, high)
        } else {
            widened(low)
        };
        let step = round_step((high - low) / MAX_TICKS);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let n_ticks = (last - first) as usize;
        let ticks = (0..=n_ticks).map(|i| (first + i as f64) * step).collect();
        Self {
            low: first * step,
            high: last * step,
            logarithmic: false,
            ticks,
            step,
        }
    }

    fn logarithmic(low: f64, high: f64) -> Self {
        let (first, last) = (low.log10().floor(), high.log10().ceil());
        let stride = ((last - first) / MAX_TICKS).ceil().max(1.0);
        let n_ticks = ((last - first) / stride) as usize;
        let ticks = (0..=n_ticks)
            .map(|i| 10f64.powf(first + i as f64 * stride))
            .collect();
        Self {
            low: 10f64.powf(first),
            high: 10f64.powf(last),
            logarithmic: true,
            ticks,
            step: 0.0,
        }
    }

    /// Where a value lies, from 0 at the low end to 1 at the high end.
    pub(super) fn position(&self, value: f64) -> f64 {
        let place = |value: f64| {
            if self.logarithmic {
                value.log10()
            } else {
                value
            }
        };
        let (low, high) = (place(self.low), place(self.high));
        ((place(value) - low) / (high - low)).clamp(0.0, 1.0)
    }

    /// Ticks as position and label.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (f64, String)> + '_ {
        self.ticks
            .iter()
            .map(|tick| (self.position(*tick), self.label(*tick)))
    }

    pub(super) fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }

    fn label(&self, tick: f64) -> String {
        let tiny = if self.logarithmic {
            tick < 1e-3
        } else {
            self.step < 9e-4
        };
        if tick == 0.0 {
            "0".to_owned()
        } else if tiny || tick.abs() >= 1e6 {
            format!("{tick:.1e}").replace(".0e", "e")
        } else if self.logarithmic {
            tick.to_string()
        } else {
            let decimals = (-self.step.log10()).ceil().max(0.0) as usize;
            format!("{tick:.decimals$}")
        }
    }
}

/// Room around a single value.
fn widened(value: f64) -> (f64, f64) {
    if value == 0.0 {
        (0.0, 1.0)
    } else {
        (value.min(0.0), value.max(0.0) * 1.2)
    }
}

/// The smallest 1, 2 or 5 times a power of ten that is at least `step`.
fn round_step(step: f64) -> f64 {
    let magnitude = 10f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|factor| factor * magnitude >= step * 0.999);
    factor.unwrap_or(10.0) * magnitude
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_and_hold_the_values() {
        let axis = Axis::of_values([0.31, 2.74].into_iter());
        assert_eq!(labels(&axis), ["0", "1", "2", "3"]);
        let axis = Axis::of_values([0.0, 2e-4].into_iter());
        assert_eq!(labels(&axis), ["0", "5e-5", "1e-4", "1.5e-4", "2e-4"]);
        let axis = Axis::of_values([1.92, 2.11].into_iter());
        assert_eq!(
            labels(&axis),
            ["1.90", "1.95", "2.00", "2.05", "2.10", "2.15"]
        );
    }

    #[test]
    fn values_over_decades_get_powers_of_ten() {
        let axis = Axis::of_values([0.02, 3.0, 900.0].into_iter());
        assert_eq!(labels(&axis), ["0.01", "0.1", "1", "10", "100", "1000"]);
        assert!((axis.position(1.0) - 0.4).abs() < 1e-12);
    }

    #[test]
    fn no_value_and_one_value_make_an_axis() {
        assert_eq!(labels(&Axis::of_values([].into_iter()))[0], "0");
        for value in [0.0, 3.0, -2.0, 1e-9] {
            let axis = Axis::of_values([value].into_iter());
            assert!((0.0..=1.0).contains(&axis.position(value)), "{axis:?}");
            assert!(labels(&axis).len() > 1, "{axis:?}");
        }
    }

    #[test]
    fn counts_have_whole_ticks_and_exact_ends() {
        let axis = Axis::of_counts(1.0, 3.0);
        assert_eq!(labels(&axis), ["1", "2", "3"]);
        assert_eq!(axis.position(3.0), 1.0);
        assert_eq!(labels(&Axis::of_counts(1.0, 1.0)), ["1"]);
    }
}
