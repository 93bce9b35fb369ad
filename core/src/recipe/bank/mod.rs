//! Figures of banks by year to Spanish questions and answers.
//!
//! [`read_figures`] checks the figures, [`BankDataset::new`] asks each in many phrasings and splits the
//! records so that three things can be told apart: facts in trained phrasings, the same facts in
//! phrasings that were held out, and facts that were never trained. [`check_answer`] compares a model's
//! answer with the figure; [`financials_csv`] and [`qa_csv`] are the spreadsheets.

mod check;
mod comparison;
mod dataset;
mod fact;
mod figures;
mod jsonl;
mod metric;
mod phrasing;
mod spreadsheet;

pub use check::{Verdict, check_answer};
pub use dataset::{BankDataset, BankSettings, BankSettingsError};
pub use fact::Fact;
pub use figures::{BankYear, Figures, FiguresError, Problem, read_figures};
pub use jsonl::messages_jsonl;
pub use metric::Metric;
pub use phrasing::{N_PHRASINGS, phrasings, question};
pub use spreadsheet::{financials_csv, qa_csv};
