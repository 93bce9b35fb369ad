//! What is said of where records came from.

use rusqlite::OptionalExtension as _;

use super::{Project, ProjectError};
use crate::protocol::studio::{ActionKind, Changed};

impl Project {
    /// Says under which licence a source may be used, and where it can be had; what is empty is not
    /// stated. Undone and done again as every change.
    ///
    /// # Errors
    /// If there is no such source.
    pub fn describe_source(
        &mut self,
        source: u32,
        licence: &str,
        url: &str,
        now_ms: i64,
    ) -> Result<Changed, ProjectError> {
        let name: Option<String> = self
            .store
            .raw()
            .prepare_cached("SELECT name FROM source WHERE id = ?1")?
            .query_row([source], |row| row.get(0))
            .optional()?;
        let Some(name) = name else {
            return Err(ProjectError::CannotDo {
                reason: format!("there is no source {source}"),
            });
        };
        self.act_at_once(ActionKind::Settings, &name, now_ms, |changes| {
            for (what, value) in [("licence", licence), ("url", url)] {
                let value = Some(value.trim()).filter(|value| !value.is_empty());
                changes.fact(&format!("source {source} {what}"), value)?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::project::testing::{chat, in_memory, incoming, run_all};

    #[test]
    fn a_licence_is_kept_and_taken_back() {
        let mut project = in_memory(0);
        let work = project.adding([incoming("a.csv", vec![chat("q", "a")], &[])].into(), 1);
        run_all(&mut project, work).unwrap();
        project
            .describe_source(1, " cc-by-4.0 ", "https://example.org", 2)
            .unwrap();
        let said = |project: &crate::project::Project| {
            let source = project.source(1).unwrap().unwrap();
            (source.licence, source.url)
        };
        let stated = ("cc-by-4.0".to_owned(), "https://example.org".to_owned());
        assert_eq!(said(&project), stated);
        project
            .describe_source(1, "", "https://example.org", 3)
            .unwrap();
        assert_eq!(said(&project).0, "");
        project.undo().unwrap();
        assert_eq!(said(&project), stated);
        project.undo().unwrap();
        assert_eq!(said(&project), Default::default());
        assert!(project.describe_source(7, "", "", 4).is_err());
    }
}
