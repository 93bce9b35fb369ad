//! One look for progress: on a terminal a bar with the time left, elsewhere nothing.

use std::{fmt::Write, io::IsTerminal as _, time::Duration};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use veneer_core::protocol::studio::about;

/// A bar on standard error.
pub(crate) fn bar(n: u64, what: &str) -> ProgressBar {
    let bar = plain(Some(n));
    set_style(&bar, EXACT);
    bar.set_message(what.to_string());
    bar
}

const EXACT: &str = "{msg} {bar:20} {pos}/{len} {left}";
const ABOUT: &str = "{msg} {bar:20} {pos}/~{len} {left}";
const UNKNOWN: &str = "{msg} {spinner}";

fn plain(n: Option<u64>) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    ProgressBar::with_draw_target(n, target)
}

fn set_style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("left", write_left));
    }
}

fn write_left(state: &ProgressState, out: &mut dyn Write) {
    if let Some(left) = left(state.fraction(), state.elapsed()) {
        // What cannot be shown is not worth an error.
        write!(out, "ETA {:#}", HumanDuration(left)).ok();
    }
}

/// Time left, going by how far the work is; `None` where a guess would jump about.
fn left(share: f32, elapsed: Duration) -> Option<Duration> {
    const MIN_SHARE: f32 = 0.02;
    const MIN_ELAPSED: Duration = Duration::from_millis(700);
    let is_told = (MIN_SHARE..=1.0).contains(&share) && elapsed >= MIN_ELAPSED;
    is_told.then(|| elapsed.mul_f32((1.0 - share) / share))
}

/// How much there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    Unknown,
    /// An estimate, which changes on the way.
    About(u64),
    Exactly(u64),
}

/// A bar that learns on the way how much there is to do; until then it shows only that work goes on.
pub(crate) struct Growing {
    bar: ProgressBar,
    template: &'static str,
}

impl Growing {
    pub(crate) fn new() -> Self {
        let bar = plain(None);
        set_style(&bar, UNKNOWN);
        Self {
            bar,
            template: UNKNOWN,
        }
    }

    pub(crate) fn show(&mut self, what: &'static str, n_done: u64, total: Total) {
        // Nobody knows the time left of what has only begun.
        let total = if n_done == 0 { Total::Unknown } else { total };
        let (template, length) = look(total);
        if template != self.template {
            set_style(&self.bar, template);
            self.template = template;
        }
        self.bar.set_length(length);
        self.bar.set_position(n_done);
        self.bar.set_message(what);
    }

    pub(crate) fn clear(self) {
        self.bar.finish_and_clear();
    }
}

/// Figures are shown as far as they are known.
fn look(total: Total) -> (&'static str, u64) {
    match total {
        // An empty bar would look full.
        Total::Unknown | Total::About(0) | Total::Exactly(0) => (UNKNOWN, u64::MAX),
        Total::About(n) => (ABOUT, about(n)),
        Total::Exactly(n) => (EXACT, n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_told_once_it_can_be() {
        let second = Duration::from_secs(1);
        assert_eq!(left(0.25, second), Some(3 * second));
        assert_eq!(left(1.0, second), Some(Duration::ZERO));
        assert_eq!(left(0.01, 60 * second), None);
        assert_eq!(left(0.5, second / 2), None);
    }

    #[test]
    fn an_estimate_looks_like_one_and_what_is_unknown_has_no_figures() {
        assert_eq!(look(Total::About(1_009_786)), (ABOUT, 1_010_000));
        assert_eq!(look(Total::Exactly(1_009_786)), (EXACT, 1_009_786));
        for unknown in [Total::Unknown, Total::About(0), Total::Exactly(0)] {
            assert_eq!(look(unknown).0, UNKNOWN);
        }
        assert!(!UNKNOWN.contains("{len}") && !UNKNOWN.contains("{bar"));
        for (n, shown) in [(7, 7), (999, 999), (1001, 1010), (9_999_001, 10_000_000)] {
            assert_eq!(about(n), shown);
        }
        assert!(about(u64::MAX) >= 1 << 63);
        for template in [EXACT, ABOUT, UNKNOWN] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
