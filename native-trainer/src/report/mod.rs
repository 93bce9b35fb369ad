//! The report of a run: one HTML file that needs no network and no scripts.
//!
//! [`write`] puts it together: summary, curves (`curves`, drawn by `line_chart`), scores of one model
//! or of each against the first (`scores`), answers side by side (`answers`), settings. Everything
//! that comes from outside goes through `html::escape`.

mod answers;
mod axis;
mod curves;
mod html;
mod line_chart;
mod page;
mod scores;

pub(crate) use page::{
    AnswerRow, Compared, Control, ModelScores, Report, ScoreRow, holds_comparison, write,
};
