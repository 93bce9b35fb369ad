//! Checks: what they are called, what they find, and bringing them up to date.
//!
//! A check is a name. It leaves rows in `finding` (of one text each) or in `member` (texts that belong
//! together), and has lines in [`table`] that say what its kinds of findings mean and what can be done
//! about them. Counting, listing, accepting and fixing know nothing else of it.
//!
//! - `record`: faults of a text by itself; found when the text is stored (`body.rs`).
//! - `duplicates` and `conflicts`: the fingerprints of texts are the groups ([`repeats`]); always up
//!   to date.
//! - `template`: what training would refuse, and what it would cut, under the chosen model
//!   ([`template`]); brought up to date in steps. Without a model only what is over-long in
//!   characters ([`length`]); always up to date.

pub(super) mod length;
pub(super) mod live;
pub(super) mod repeats;
pub(super) mod same_texts;
pub(super) mod table;
pub(super) mod template;
#[cfg(test)]
mod tests;

use super::{Project, ProjectError, Step, Task, Work};
use crate::protocol::studio::FindingsView;
use template::TemplateCheck;

impl Project {
    /// Brings every check up to date, and says what they found.
    pub fn check(&self) -> Task<FindingsView> {
        Box::new(Checking { template: None })
    }
}

struct Checking {
    template: Option<TemplateCheck>,
}

impl Work for Checking {
    type Output = FindingsView;

    fn step(&mut self, project: &mut Project) -> Result<Step<FindingsView>, ProjectError> {
        let check = match &mut self.template {
            Some(check) => check,
            None => match TemplateCheck::new(project)? {
                Some(check) => self.template.insert(check),
                None => return project.findings().map(Step::Done),
            },
        };
        if check.step(project)? {
            return project.findings().map(Step::Done);
        }
        Ok(Step::More(check.told()))
    }
}
