//! What is said of where records came from.

use rusqlite::{Connection, OptionalExtension as _};

use super::{
    Project, ProjectError,
    journal::{Changes, forget_records},
};
use crate::protocol::studio::{ActionKind, Changed, Terms};

impl Project {
    /// Says under which licence a source may be used, or where it can be had: `None` leaves it, and
    /// what is empty is not stated. Undone and done again as every change.
    ///
    /// # Errors
    /// If there is no such source.
    pub fn describe_source(
        &mut self,
        source: u32,
        terms: &Terms,
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
            terms.state(changes, source.into())
        })
    }
}

impl Terms {
    /// Writes what is stated of a source.
    pub(super) fn state(&self, changes: &mut Changes<'_>, source: i64) -> Result<(), ProjectError> {
        for (what, value) in [("licence", &self.licence), ("url", &self.url)] {
            let Some(value) = value else { continue };
            let value = Some(value.trim()).filter(|value| !value.is_empty());
            changes.fact(&format!("source {source} {what}"), value)?;
        }
        Ok(())
    }
}

/// Removes the sources that no record comes from, with all that was stated of them.
pub(super) fn forget_unused_sources(db: &Connection) -> Result<(), ProjectError> {
    db.execute(
        "DELETE FROM source WHERE id NOT IN (SELECT source FROM record WHERE source IS NOT NULL)",
        [],
    )?;
    forget_terms_of_nobody(db)
}

/// Removes what was stated of sources that are gone, also from history and snapshots: the next source
/// may get the number of one of them.
pub(super) fn forget_terms_of_nobody(db: &Connection) -> Result<(), ProjectError> {
    let forget = |table: &str| -> Result<usize, ProjectError> {
        // What follows the number says what is stated.
        let sql = format!(
            "DELETE FROM {table} WHERE substr(key, 1, 7) = 'source '
                AND CAST(substr(key, 8) AS INTEGER) NOT IN (SELECT id FROM source)"
        );
        Ok(db.prepare_cached(&sql)?.execute([])?)
    };
    forget("fact")?;
    forget("snapshot_fact")?;
    if forget("fact_change")? > 0 {
        // Actions that stated nothing else go.
        forget_records(db, &[])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::{chat, in_memory, incoming, run_all};

    fn terms(licence: Option<&str>, url: Option<&str>) -> Terms {
        let [licence, url] = [licence, url].map(|it| it.map(str::to_owned));
        Terms { licence, url }
    }

    #[test]
    fn a_licence_is_kept_and_taken_back() {
        let mut project = in_memory(0);
        let work = project.adding([incoming("a.csv", vec![chat("q", "a")], &[])].into(), 1);
        run_all(&mut project, work).unwrap();
        project
            .describe_source(
                1,
                &terms(Some(" cc-by-4.0 "), Some("https://example.org")),
                2,
            )
            .unwrap();
        let said = |project: &Project| {
            let source = project.source(1).unwrap().unwrap();
            (source.licence, source.url)
        };
        let stated = ("cc-by-4.0".to_owned(), "https://example.org".to_owned());
        assert_eq!(said(&project), stated);
        project
            .describe_source(1, &terms(Some(""), None), 3)
            .unwrap();
        assert_eq!(said(&project), ("".into(), stated.1.clone()));
        project.undo().unwrap();
        assert_eq!(said(&project), stated);
        project.undo().unwrap();
        assert_eq!(said(&project), Default::default());
        assert!(project.describe_source(7, &Terms::default(), 4).is_err());
    }

    /// What is stated with an import goes with it.
    #[test]
    fn terms_of_an_import_are_a_part_of_it() {
        let mut project = in_memory(0);
        let file = |name| incoming(name, vec![chat("q", name)], &[]);
        let work = project.adding_under([file("a"), file("b")].into(), terms(Some("mit"), None), 1);
        run_all(&mut project, work).unwrap();
        let licences = |project: &Project| -> Vec<String> {
            let sources = [1, 2].map(|source| project.source(source).unwrap().unwrap());
            sources.map(|source| source.licence).to_vec()
        };
        assert_eq!(licences(&project), ["mit", "mit"]);
        assert_eq!(project.history(9).unwrap().len(), 1);
        project.undo().unwrap();
        assert_eq!(
            (
                project.view().unwrap().n_records,
                licences(&project)[0].as_str()
            ),
            (0, "")
        );
        project.redo().unwrap();
        assert_eq!(licences(&project), ["mit", "mit"]);
    }
}
