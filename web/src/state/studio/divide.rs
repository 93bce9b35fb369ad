//! How list and editor share the width.

/// Neither gets less, in pixels.
const LEAST_PX: f64 = 340.0;

/// What one press of an arrow key moves, of the whole.
pub const STEP: f64 = 0.02;

const STANDARD: f64 = 0.58;

/// The list's share of the width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Divide(f64);

impl Default for Divide {
    fn default() -> Self {
        Self(STANDARD)
    }
}

impl Divide {
    /// For a divide dragged to `x_px` of `width_px`.
    pub fn at(x_px: f64, width_px: f64) -> Self {
        if !(x_px.is_finite() && width_px > 2.0 * LEAST_PX) {
            return Self::default();
        }
        Self(x_px.clamp(LEAST_PX, width_px - LEAST_PX) / width_px)
    }

    pub fn moved(self, by: f64) -> Self {
        Self((self.0 + by).clamp(0.2, 0.8))
    }

    pub fn percent(self) -> f64 {
        (self.0 * 1000.0).round() / 10.0
    }

    pub fn to_text(self) -> String {
        self.0.to_string()
    }

    pub fn of_text(text: &str) -> Self {
        let share: Option<f64> = text.parse().ok();
        share
            .filter(|share| (0.2..=0.8).contains(share))
            .map_or_else(Self::default, Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_keep_room() {
        assert_eq!(Divide::at(10.0, 1000.0).percent(), 34.0);
        assert_eq!(Divide::at(990.0, 1000.0).percent(), 66.0);
        assert_eq!(Divide::at(500.0, 1000.0).percent(), 50.0);
        assert_eq!(Divide::at(100.0, 390.0), Divide::default());
    }

    #[test]
    fn arrow_keys_go_no_further_than_the_ends() {
        let mut divide = Divide::default();
        for _ in 0..100 {
            divide = divide.moved(STEP);
        }
        assert_eq!(divide.percent(), 80.0);
    }

    #[test]
    fn it_is_kept_as_text() {
        let divide = Divide::at(612.0, 1280.0);
        assert_eq!(Divide::of_text(&divide.to_text()), divide);
        for text in ["", "NaN", "7", "-1"] {
            assert_eq!(Divide::of_text(text), Divide::default(), "{text}");
        }
    }
}
