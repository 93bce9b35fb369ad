//! Which bodies a search finds, as far as they were looked at.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Finder;
use crate::project::{
    ProjectError,
    columns::Columns,
    filter::Places,
    texts::{TextRun, Texts},
};

/// Stored text that is looked at in one step.
const SCANNED_BYTES: usize = 1 << 20;

/// What a row costs beside its text.
const ROW_BYTES: usize = 512;

/// From here on it is quicker to look the next text up than to pass over those between.
const FAR: u32 = 8;

/// Places that are read in one go.
const MOST_NEAR: usize = 4096;

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
        texts: &Texts,
        places: &[u32],
    ) -> Result<usize, ProjectError> {
        self.fit(columns);
        let mut n_bytes = 0;
        let mut done = 0;
        while let Some(first) = places[done..].iter().position(|it| !self.is_known(*it)) {
            done += first;
            if n_bytes >= SCANNED_BYTES {
                return Ok(done);
            }
            let near = &places[done..done + self.n_near(&places[done..])];
            done += match texts.run_of(near[0], columns) {
                Some(run) => self.look_at_kept(finder, run, near, &mut n_bytes),
                None => self.look_at_near(finder, db, columns, near, &mut n_bytes)?,
            };
        }
        Ok(places.len())
    }

    /// The same for texts in memory: as many of the places as the run has.
    fn look_at_kept(
        &mut self,
        finder: &Finder,
        run: &TextRun,
        places: &[u32],
        n_bytes: &mut usize,
    ) -> usize {
        let here = &places[..places.partition_point(|place| *place < run.end())];
        let (Some(first), Some(last)) = (here.first(), here.last()) else {
            return 0;
        };
        let stretch = *first..last + 1;
        *n_bytes += run.span(&stretch).len();
        finder.find_in(run, stretch, &mut |place| {
            if !self.is_known(place) {
                self.assume(place, true);
            }
        });
        for place in here {
            if !self.is_known(*place) {
                self.assume(*place, false);
            }
        }
        here.len()
    }

    /// How many places from the first on are read in one go.
    fn n_near(&self, places: &[u32]) -> usize {
        let unknown = places.iter().take(MOST_NEAR).enumerate();
        let mut unknown = unknown.filter(|(_, place)| !self.is_known(**place));
        let (mut n, mut last) = match unknown.next() {
            Some((i, place)) => (i + 1, *place),
            None => return 0,
        };
        for (i, place) in unknown {
            if place - last > FAR {
                break;
            }
            (n, last) = (i + 1, *place);
        }
        n
    }

    /// Reads the texts from the first place to the last, and returns how many of the places are done.
    fn look_at_near(
        &mut self,
        finder: &Finder,
        db: &Connection,
        columns: &Columns,
        places: &[u32],
        n_bytes: &mut usize,
    ) -> Result<usize, ProjectError> {
        let (Some(first), Some(last)) = (places.first(), places.last()) else {
            return Ok(0);
        };
        let sql = "SELECT body, json FROM content WHERE body BETWEEN ?1 AND ?2 ORDER BY body";
        let mut statement = db.prepare_cached(sql)?;
        let ends = [*first, *last].map(|place| columns.body_at(place).id);
        let mut rows = statement.query(ends)?;
        let mut done = 0;
        while let Some(row) = rows.next()? {
            let place = columns.body_place(row.get(0)?);
            let ahead = &places[done..];
            done += ahead.iter().take_while(|other| **other < place).count();
            if places.get(done) != Some(&place) || self.is_known(place) {
                continue;
            }
            if *n_bytes >= SCANNED_BYTES {
                break;
            }
            let json = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            *n_bytes += json.len() + ROW_BYTES;
            self.assume(place, finder.finds(json)?);
        }
        if *n_bytes < SCANNED_BYTES {
            done = places.len();
        }
        // What is not stored says nothing.
        for place in &places[..done] {
            if !self.is_known(*place) {
                self.assume(*place, false);
            }
        }
        Ok(done)
    }
}

/// The last body that the index has.
pub(in crate::project) fn indexed_up_to(db: &Connection) -> Result<i64, ProjectError> {
    let sql = "SELECT rowid FROM search ORDER BY rowid DESC LIMIT 1";
    let last = db.prepare_cached(sql)?.query_row([], |row| row.get(0));
    Ok(last.optional()?.unwrap_or_default())
}
