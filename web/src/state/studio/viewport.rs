//! Which rows of a long list are in sight: rows have one height, so everything is arithmetic.
//!
//! Only the rows in sight, and some before and behind, are in the document. Browsers cut elements
//! that are too tall, so beyond [`TALLEST_PX`] the spacer stops growing and a pixel of scrolling
//! stands for more than a pixel of the list.

use std::ops::Range;

/// Below what every browser can lay out.
const TALLEST_PX: f64 = 8_000_000.0;

/// Rows in the document beyond each edge, so that a turn of the wheel finds them there.
const OVERSCAN: u64 = 8;

/// The first row in the document is a multiple of this: rows come and go a few at a time.
const STEP: u64 = 4;

/// A list, the window on it, and how far it was scrolled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Viewport {
    pub n: u64,
    pub row_px: f64,
    pub height_px: f64,
    pub scroll_px: f64,
}

impl Viewport {
    /// Height of the spacer that makes the scrollbar.
    pub fn total_px(&self) -> f64 {
        self.true_px().min(TALLEST_PX)
    }

    fn true_px(&self) -> f64 {
        self.n as f64 * self.row_px
    }

    /// Pixels of the list above the window, for a place of the scrollbar.
    fn offset_px(&self) -> f64 {
        let (all, total) = (self.true_px(), self.total_px());
        let scroll = self.scroll_px.clamp(0.0, (total - self.height_px).max(0.0));
        if all <= total || total <= self.height_px {
            return scroll;
        }
        scroll * ((all - self.height_px) / (total - self.height_px))
    }

    /// Rows of which something is in sight.
    pub fn visible(&self) -> Range<u64> {
        let offset = self.offset_px();
        let first = (offset / self.row_px).floor() as u64;
        let end = ((offset + self.height_px) / self.row_px).ceil() as u64;
        first.min(self.n)..end.min(self.n)
    }

    /// Rows that are in the document.
    pub fn rendered(&self) -> Range<u64> {
        let visible = self.visible();
        let first = visible.start.saturating_sub(OVERSCAN) / STEP * STEP;
        let end = (visible.end + OVERSCAN).next_multiple_of(STEP);
        first..end.min(self.n)
    }

    /// What is added to a row's place in the list to get its place in the spacer.
    pub fn shift_px(&self) -> f64 {
        let total = self.total_px();
        let scroll = self.scroll_px.clamp(0.0, (total - self.height_px).max(0.0));
        scroll - self.offset_px()
    }

    /// Where to scroll so that a row is in sight as a whole; `None` where it is already.
    pub fn scroll_to(&self, row: u64) -> Option<f64> {
        let top = row.min(self.n.saturating_sub(1)) as f64 * self.row_px;
        let offset = self.offset_px();
        let wanted = if top < offset {
            top
        } else if top + self.row_px > offset + self.height_px {
            top + self.row_px - self.height_px
        } else {
            return None;
        };
        let (all, total) = (self.true_px(), self.total_px());
        if all <= total || total <= self.height_px {
            return Some(wanted);
        }
        Some(wanted * ((total - self.height_px) / (all - self.height_px)))
    }

    /// Rows that a page up or down goes: one stays in sight.
    pub fn page(&self) -> u64 {
        let whole = (self.height_px / self.row_px).floor() as u64;
        whole.saturating_sub(1).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(n: u64, scroll_px: f64) -> Viewport {
        Viewport {
            n,
            row_px: 40.0,
            height_px: 400.0,
            scroll_px,
        }
    }

    #[test]
    fn rows_in_sight_follow_the_scrollbar() {
        assert_eq!(view(100_000, 0.0).visible(), 0..10);
        assert_eq!(view(100_000, 20.0).visible(), 0..11);
        assert_eq!(view(100_000, 4_000.0).visible(), 100..110);
        assert_eq!(view(100_000, 3_999_600.0).visible(), 99_990..100_000);
    }

    #[test]
    fn short_lists_and_none_at_all() {
        assert_eq!(view(3, 0.0).visible(), 0..3);
        assert_eq!(view(0, 0.0).visible(), 0..0);
        assert_eq!(view(0, 0.0).rendered(), 0..0);
        assert_eq!(view(0, 0.0).scroll_to(0), None);
        // The list got shorter than where the scrollbar still stands.
        assert_eq!(view(3, 10_000.0).visible(), 0..3);
    }

    #[test]
    fn the_document_holds_some_more_rows_in_steps() {
        assert_eq!(view(100_000, 4_000.0).rendered(), 92..120);
        assert_eq!(view(100_000, 4_039.0).rendered(), 92..120);
        assert_eq!(view(100_000, 0.0).rendered(), 0..20);
        assert_eq!(view(13, 0.0).rendered(), 0..13);
    }

    #[test]
    fn rows_are_brought_into_sight_by_as_little_as_needed() {
        let view = view(100_000, 4_000.0);
        assert_eq!(view.scroll_to(100), None);
        assert_eq!(view.scroll_to(109), None);
        assert_eq!(view.scroll_to(110), Some(4_040.0));
        assert_eq!(view.scroll_to(99), Some(3_960.0));
        assert_eq!(view.scroll_to(u64::MAX), Some(3_999_600.0));
        assert_eq!(view.page(), 9);
    }

    #[test]
    fn a_tall_list_fits_a_spacer_that_browsers_can_lay_out() {
        let n = 10_000_000;
        let mut view = view(n, 0.0);
        assert_eq!(view.total_px(), 8_000_000.0);
        for row in [0, 1, 199_999, 5_000_000, n - 1] {
            view.scroll_px = 0.0;
            view.scroll_px = view.scroll_to(row).unwrap_or(0.0);
            let visible = view.visible();
            assert!(visible.contains(&row), "{row} is not in {visible:?}");
            let place = row as f64 * view.row_px + view.shift_px();
            let inside = view.scroll_px - 1e-3..=view.scroll_px + view.height_px;
            assert!(inside.contains(&place), "{row} at {place}");
        }
        view.scroll_px = view.total_px();
        assert_eq!(view.visible().end, n);
    }

    #[test]
    fn a_list_that_fits_is_not_shifted() {
        assert_eq!(view(100_000, 123_456.0).shift_px(), 0.0);
    }
}
