//! Which bodies a search finds, as far as they were looked at.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Finder;
use crate::project::{ProjectError, columns::Columns, filter::Places};

/// Stored text that is looked at in one step.
const SCANNED_BYTES: usize = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Nothing,
    Found,
    NotFound,
}

/// By places of bodies in the columns.
pub(in crate::project) struct Hits {
    epoch: u64,
    known: Vec<Known>,
    /// Whether the index was asked.
    asked: bool,
}

impl Hits {
    pub(in crate::project) fn new(columns: &Columns) -> Self {
        Self {
            epoch: columns.epoch,
            known: Vec::new(),
            asked: false,
        }
    }

    pub(in crate::project) fn has(&self, place: u32) -> bool {
        self.known.get(place as usize) == Some(&Known::Found)
    }

    pub(in crate::project) fn is_known(&self, place: u32) -> bool {
        self.known
            .get(place as usize)
            .is_some_and(|known| *known != Known::Nothing)
    }

    /// Takes what is not known for what `is_in` says.
    pub(in crate::project) fn assume(&mut self, place: u32, is_in: bool) {
        if let Some(known) = self.known.get_mut(place as usize) {
            *known = if is_in { Known::Found } else { Known::NotFound };
        }
    }

    /// Room for bodies that came; everything anew where bodies are not what they were.
    pub(in crate::project) fn fit(&mut self, columns: &Columns) {
        if self.epoch != columns.epoch {
            *self = Self::new(columns);
        }
        self.known.resize(columns.bodies.len(), Known::Nothing);
    }

    /// Asks the index, once.
    pub(in crate::project) fn ask_index(
        &mut self,
        finder: &Finder,
        db: &Connection,
        columns: &Columns,
    ) -> Result<(), ProjectError> {
        self.fit(columns);
        if std::mem::replace(&mut self.asked, true) {
            return Ok(());
        }
        let Some(query) = finder.index_query() else {
            return Ok(());
        };
        let up_to = indexed_up_to(db)?;
        let sql = "SELECT rowid FROM search WHERE search MATCH ?1";
        let mut statement = db.prepare_cached(sql)?;
        let found = Places::of(statement.query(params![query])?, columns)?;
        let indexed = columns.bodies.iter().take_while(|body| body.id <= up_to);
        for (place, known) in self.known.iter_mut().enumerate().take(indexed.count()) {
            *known = match found.has(place as u32) {
                true if finder.doubts_index() => Known::Nothing,
                true => Known::Found,
                false => Known::NotFound,
            };
        }
        Ok(())
    }

    /// Looks at bodies that nothing is known about yet, about [`SCANNED_BYTES`] of them, and returns
    /// how many of `places` are done. These are in order.
    pub(in crate::project) fn look(
        &mut self,
        finder: &Finder,
        db: &Connection,
        columns: &Columns,
        places: &[u32],
    ) -> Result<usize, ProjectError> {
        self.fit(columns);
        let mut statement = db.prepare_cached("SELECT json FROM content WHERE body = ?1")?;
        let mut n_bytes = 0;
        for (done, place) in places.iter().enumerate() {
            if self.is_known(*place) {
                continue;
            }
            if n_bytes >= SCANNED_BYTES {
                return Ok(done);
            }
            let body = &columns.bodies[*place as usize];
            let mut rows = statement.query([body.id])?;
            let found = match rows.next()? {
                Some(row) => {
                    let json = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
                    // What a row costs beside its text.
                    const ROW_BYTES: usize = 512;
                    n_bytes += json.len() + ROW_BYTES;
                    finder.finds(json)?
                }
                None => false,
            };
            self.assume(*place, found);
        }
        Ok(places.len())
    }
}

/// The last body that the index has.
pub(in crate::project) fn indexed_up_to(db: &Connection) -> Result<i64, ProjectError> {
    let sql = "SELECT rowid FROM search ORDER BY rowid DESC LIMIT 1";
    let last = db.prepare_cached(sql)?.query_row([], |row| row.get(0));
    Ok(last.optional()?.unwrap_or_default())
}
