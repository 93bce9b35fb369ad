//! Texts with the same fingerprint. Texts never change, so what is known of them stays true, and only
//! new ones are looked up.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::project::ProjectError;

/// New texts that are looked up one by one; of more, all are looked through again.
const FEW: i64 = 256;

/// Texts by a fingerprint that they share; some may have been removed since.
pub(in crate::project) type Sharing = BTreeMap<Vec<u8>, Vec<i64>>;

#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::project) struct SameTexts {
    /// The newest text that was looked at; numbers of removed ones are not used again.
    up_to: i64,
    pub(in crate::project) by_whole: Sharing,
    pub(in crate::project) by_prompt: Sharing,
}

impl SameTexts {
    /// Whether there is no text that was not looked at.
    pub(in crate::project) fn is_up_to_date(&self, db: &Connection) -> Result<bool, ProjectError> {
        Ok(newest(db)? <= self.up_to)
    }

    pub(in crate::project) fn catch_up(&mut self, db: &Connection) -> Result<(), ProjectError> {
        let newest = newest(db)?;
        for (column, sharing) in [
            ("whole_print", &mut self.by_whole),
            ("prompt_print", &mut self.by_prompt),
        ] {
            if newest - self.up_to > FEW {
                *sharing = all(db, column)?;
            } else {
                sharing.extend(of_new(db, column, self.up_to)?);
            }
        }
        self.up_to = self.up_to.max(newest);
        Ok(())
    }
}

fn newest(db: &Connection) -> Result<i64, ProjectError> {
    let mut statement = db.prepare_cached("SELECT coalesce(max(id), 0) FROM body")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

fn all(db: &Connection, column: &str) -> Result<Sharing, ProjectError> {
    // The index alone answers this, and hands out no more than what repeats.
    let sql = format!(
        "SELECT {column}, id FROM body WHERE {column} IN
            (SELECT {column} FROM body GROUP BY {column} HAVING count(*) > 1)
         ORDER BY id"
    );
    read(db.prepare_cached(&sql)?.query([])?)
}

/// Of texts after this one, all that share a fingerprint with one of them.
fn of_new(db: &Connection, column: &str, after: i64) -> Result<Sharing, ProjectError> {
    let sql = format!(
        "SELECT DISTINCT other.{column}, other.id FROM body AS new
         CROSS JOIN body AS other ON other.{column} = new.{column}
         WHERE new.id > ?1 ORDER BY other.id"
    );
    let mut sharing = read(db.prepare_cached(&sql)?.query([after])?)?;
    sharing.retain(|_, bodies| bodies.len() > 1);
    Ok(sharing)
}

fn read(mut rows: rusqlite::Rows<'_>) -> Result<Sharing, ProjectError> {
    let mut sharing = Sharing::new();
    while let Some(row) = rows.next()? {
        let print = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        match sharing.get_mut(print) {
            Some(bodies) => bodies.push(row.get(1)?),
            None => {
                sharing.insert(print.to_vec(), vec![row.get(1)?]);
            }
        }
    }
    Ok(sharing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{
        content::content_of,
        testing::{chat, in_memory, incoming, question, run_all},
    };

    #[test]
    fn looking_up_the_new_ones_finds_what_looking_through_all_finds() {
        let mut project = in_memory(3);
        let mut known = SameTexts::default();
        for round in 0..6_usize {
            // Every other round repeats texts and questions, once within many, once within few.
            for i in 0..4 {
                let record = match (i + round) % 3 {
                    0 => question(i),
                    1 => chat("the same question", &format!("answer {}", i + round)),
                    _ => question(1000 * round + i),
                };
                project.add(None, content_of(record), 1).unwrap();
            }
            if round == 3 {
                let records = (0..500).map(|i| question(i / 2)).collect();
                let work = project.adding([incoming("a", records, &[])].into(), 2);
                run_all(&mut project, work).unwrap();
            }
            known.catch_up(project.store.raw()).unwrap();
            assert!(known.is_up_to_date(project.store.raw()).unwrap());
            let by_whole = all(project.store.raw(), "whole_print").unwrap();
            let by_prompt = all(project.store.raw(), "prompt_print").unwrap();
            assert_eq!((&known.by_whole, &known.by_prompt), (&by_whole, &by_prompt));
        }
        assert!(known.by_whole.len() > 250);
        assert_ne!(known.by_whole, known.by_prompt);
    }
}
