//! The project's file: made, opened, refused, and seen at a glance.

use std::{cell::RefCell, collections::BTreeMap};

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{
    Pace, Project, ProjectError,
    columns::{IN_TRASH, THERE},
    earlier_form,
    journal::{Field, MANY},
    leftovers::Working,
    list::Lists,
    store::Store,
    trust::{check_definitions, check_ids, check_records, distrust},
};
use crate::protocol::studio::{ActionView, ProjectView, SourceView};

/// What SQLite files say whose they are: `VNRP`.
const APPLICATION_ID: i64 = 0x564e_5250;

/// The form of the file; raised with every change that an older version could not read.
pub(super) const FORM: i64 = 5;

const REMEMBERED: &str = "remembered ";

/// Records at a glance, counted once and again after records came or went.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    n_records: u64,
    n_trash: u64,
    /// Records outside the trash of each source; sources without any record are not there.
    of_sources: Vec<(i64, u64)>,
}

/// Looks at the first bytes of a file and at its length, before it is opened: SQLite would take a last
/// page that was cut off for one that ends in zeros.
///
/// # Errors
/// If the file is no project, or shorter than it says.
pub fn check_file(head: &[u8], n_bytes: u64) -> Result<(), ProjectError> {
    // https://www.sqlite.org/fileformat.html, "The Database Header".
    let number = |at: usize| -> Option<u64> {
        let bytes = head.get(at..at + 4)?;
        Some(
            bytes
                .iter()
                .fold(0, |number, byte| number << 8 | u64::from(*byte)),
        )
    };
    let is_ours = number(68) == Some(APPLICATION_ID as u64);
    let is_start = !head.is_empty() && super::FILE_MAGIC.starts_with(head);
    if !(is_start || head.starts_with(super::FILE_MAGIC))
        || !is_ours && head.len() as u64 >= HEADER_BYTES
    {
        return Err(ProjectError::NotAProject);
    }
    let cut_off = |expected: u64| {
        Err(ProjectError::Broken {
            detail: format!("it has {n_bytes} bytes of {expected}; copy or download it again"),
        })
    };
    let (Some(page_size), Some(n_pages)) = (number(14).map(|n| n & 0xffff), number(28)) else {
        return cut_off(HEADER_BYTES);
    };
    let page_size = if page_size == 1 {
        1 << 16
    } else {
        page_size.max(512)
    };
    // Written by something so old that it does not keep the number of pages.
    let counted = number(24) == number(92);
    let expected = match counted {
        true => n_pages * page_size,
        false => n_bytes.next_multiple_of(page_size),
    };
    if n_bytes < expected {
        return cut_off(expected);
    }
    Ok(())
}

/// First bytes of a file that [`check_file`] needs.
pub const HEADER_BYTES: u64 = 100;

impl Project {
    /// Makes a project in an empty database.
    ///
    /// # Errors
    /// If the database is not empty.
    pub fn create(db: Connection, name: &str, now_ms: i64) -> Result<Self, ProjectError> {
        let n_tables: u64 =
            db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if n_tables > 0 {
            return Err(ProjectError::CannotDo {
                reason: "the file is not empty; choose a new one for the project".into(),
            });
        }
        let tx = db.unchecked_transaction()?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", FORM)?;
        tx.execute_batch(include_str!("schema.sql"))?;
        tx.execute("INSERT INTO meta VALUES ('name', ?1)", [name])?;
        tx.execute("INSERT INTO meta VALUES ('made_ms', ?1)", [now_ms])?;
        tx.commit()?;
        Self::prepare(db)
    }

    /// Opens an existing project; leftovers of an import that was cut off are removed.
    ///
    /// # Errors
    /// If the file is none, is damaged, or was made by a newer version.
    pub fn open(mut db: Connection) -> Result<Self, ProjectError> {
        let number = |name: &str| -> Result<i64, ProjectError> {
            Ok(db.pragma_query_value(None, name, |row| row.get(0))?)
        };
        if number("application_id")? != APPLICATION_ID {
            return Err(ProjectError::NotAProject);
        }
        let found = number("user_version")?;
        if found > FORM {
            return Err(ProjectError::Newer { found, known: FORM });
        }
        distrust(&db)?;
        check_definitions(&db, found)?;
        if found < earlier_form::WITH_RUNS {
            earlier_form::bring_runs(&mut db)?;
        }
        check_ids(&db)?;
        let mut project = Self::prepare(db)?;
        match project.tidy() {
            // It can be read, and tidied another time.
            Err(ProjectError::Full | ProjectError::ReadOnly) => {}
            tidied => tidied?,
        }
        if found < FORM {
            match earlier_form::bring_up(&mut project, found) {
                // It is read as it is, only more slowly.
                Err(ProjectError::Full | ProjectError::ReadOnly)
                    if found >= earlier_form::WITH_PRINTS => {}
                brought => brought?,
            }
        }
        Ok(project)
    }

    /// Reads the whole file and finds damage that opening it does not show. Takes seconds for a large
    /// project; for files that come from elsewhere.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn verify(&self) -> Result<(), ProjectError> {
        let found: String = self
            .store
            .raw()
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            return Err(ProjectError::Broken { detail: found });
        }
        check_records(self.store.raw())
    }

    /// The database, for edges that copy it. Changes go through the journal.
    pub fn connection(&self) -> &Connection {
        self.store.raw()
    }

    pub fn into_connection(self) -> Connection {
        self.store.into_db()
    }

    /// `id` is left empty: the caller knows where the project lies.
    pub fn view(&self) -> Result<ProjectView, ProjectError> {
        self.view_with(&self.counts()?)
    }

    fn view_with(&self, counts: &Counts) -> Result<ProjectView, ProjectError> {
        let action = |which: &str| -> Result<Option<ActionView>, ProjectError> {
            let id: Option<i64> = self
                .store
                .raw()
                .prepare_cached(which)?
                .query_row([], |row| row.get(0))?;
            id.map_or(Ok(None), |id| self.action(id))
        };
        Ok(ProjectView {
            id: String::new(),
            name: self.meta("name")?.unwrap_or_default(),
            n_records: counts.n_records,
            n_trash: counts.n_trash,
            sources: self.sources(counts)?,
            undo: action("SELECT max(id) FROM action WHERE undone = 0")?,
            redo: action("SELECT min(id) FROM action WHERE undone = 1")?,
            checked: self.outdated()?.is_empty(),
            split_frozen: super::journal::fact(self.store.raw(), SPLIT_FROZEN)?.is_some(),
            remembered: self.all_remembered()?,
        })
    }

    /// Reads what a view says beside the counts. Damage there is told before a change, and not after
    /// it, when the change would be in the file.
    pub(super) fn check_view(&self) -> Result<(), ProjectError> {
        self.view_with(&Counts::default())?;
        let db = self.store.raw();
        let mut statement = db.prepare_cached("SELECT key, value FROM fact")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let _: (String, Option<String>) = (row.get(0)?, row.get(1)?);
        }
        let mut statement = db.prepare_cached(&format!("{SOURCE} FROM source"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            source_view(row)?;
        }
        Ok(())
    }

    pub fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    pub fn rename(&mut self, name: &str) -> Result<(), ProjectError> {
        self.set_meta("name", name)
    }

    pub fn remember(&mut self, key: &str, value: &str) -> Result<(), ProjectError> {
        self.set_meta(&format!("{REMEMBERED}{key}"), value)
    }

    pub fn remembered(&self, key: &str) -> Result<Option<String>, ProjectError> {
        self.meta(&format!("{REMEMBERED}{key}"))
    }

    pub(super) fn meta(&self, key: &str) -> Result<Option<String>, ProjectError> {
        let mut statement = self
            .store
            .raw()
            .prepare_cached("SELECT CAST(value AS TEXT) FROM meta WHERE key = ?1")?;
        Ok(statement.query_row([key], |row| row.get(0)).optional()?)
    }

    pub(super) fn set_meta(&mut self, key: &str, value: &str) -> Result<(), ProjectError> {
        put_meta(self.store.raw(), key, value)
    }

    /// One source, as views name it.
    pub(super) fn source(&self, id: i64) -> Result<Option<SourceView>, ProjectError> {
        let counts = self.counts()?;
        let n = counts.of_sources.iter().find(|(source, _)| *source == id);
        let fact = |what: &str| -> Result<String, ProjectError> {
            let fact = super::journal::fact(self.store.raw(), &format!("source {id} {what}"))?;
            Ok(fact.unwrap_or_default())
        };
        let (licence, url) = (fact("licence")?, fact("url")?);
        let mut statement = self
            .store
            .raw()
            .prepare_cached(&format!("{SOURCE} FROM source WHERE id = ?1"))?;
        let view = statement.query_row([id], source_view).optional()?;
        Ok(view.map(|view| SourceView {
            n_records: n.map_or(0, |(_, n)| *n),
            licence,
            url,
            ..view
        }))
    }

    /// Counts are wrong after records came, went, or changed their state.
    pub(super) fn forget_counts(&self, touched: &[Field]) {
        if touched.contains(&Field::State) {
            *self.counts.borrow_mut() = None;
        }
    }

    pub(super) fn counts(&self) -> Result<Counts, ProjectError> {
        if let Some(counts) = &*self.counts.borrow() {
            return Ok(counts.clone());
        }
        let mut counts = Counts::default();
        let mut statement = self.store.settled()?.prepare_cached(
            "SELECT source, sum(state = 0), sum(state = 1), sum(state = 2), count(*) FROM record
             GROUP BY source",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (n, n_trash, n_gone): (u64, u64, u64) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let n_of_source: u64 = row.get(4)?;
            if n + n_trash + n_gone != n_of_source {
                return Err(ProjectError::Broken {
                    detail: "records have a state that there is not".into(),
                });
            }
            counts.n_records += n;
            counts.n_trash += n_trash;
            if let Some(source) = row.get(0)?
                && n + n_trash > 0
            {
                counts.of_sources.push((source, n));
            }
        }
        *self.counts.borrow_mut() = Some(counts.clone());
        Ok(counts)
    }

    /// The same from the columns, which know what is in force.
    pub(super) fn count_by_columns(&mut self) {
        let columns = &self.lists.get_mut().columns;
        let mut counts = Counts::default();
        let mut of_sources = BTreeMap::new();
        for record in &columns.records {
            let is_outside = record.state == THERE;
            counts.n_records += u64::from(is_outside);
            counts.n_trash += u64::from(record.state == IN_TRASH);
            if record.source != 0 && record.is_there() {
                *of_sources.entry(record.source).or_default() += u64::from(is_outside);
            }
        }
        counts.of_sources = of_sources.into_iter().collect();
        *self.counts.borrow_mut() = Some(counts);
    }

    fn prepare(db: Connection) -> Result<Self, ProjectError> {
        distrust(&db)?;
        db.set_prepared_statement_cache_capacity(128);
        db.pragma_update(None, "temp_store", "memory")?;
        // In KiB where negative.
        db.pragma_update(None, "cache_size", -96 * 1024)?;
        let mut store = Store::new(db)?;
        let lists = RefCell::new(Lists::new(&mut store)?);
        Ok(Self {
            store,
            many: MANY,
            lists,
            text: RefCell::new(None),
            counts: RefCell::new(None),
            pace: Pace::default(),
            working: Working::default(),
        })
    }

    fn sources(&self, counts: &Counts) -> Result<Vec<SourceView>, ProjectError> {
        let of = |(id, _): &(i64, u64)| self.source(*id).transpose();
        counts.of_sources.iter().filter_map(of).collect()
    }

    fn all_remembered(&self) -> Result<Vec<(String, String)>, ProjectError> {
        let mut statement = self.store.raw().prepare_cached(
            "SELECT substr(key, length(?1) + 1), CAST(value AS TEXT) FROM meta
             WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key",
        )?;
        let rows = statement.query_map([REMEMBERED], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

pub(super) fn put_meta(db: &Connection, key: &str, value: &str) -> Result<(), ProjectError> {
    db.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?
        .execute([key, value])?;
    Ok(())
}

const SOURCE: &str = "SELECT id, name, sha256, format, n_rejected";

/// What is in the row of a source; the rest is left to find.
fn source_view(row: &Row<'_>) -> rusqlite::Result<SourceView> {
    let id: i64 = row.get(0)?;
    Ok(SourceView {
        source: u32::try_from(id).unwrap_or(u32::MAX),
        name: row.get(1)?,
        sha256: row.get(2)?,
        format: row.get(3)?,
        n_records: 0,
        n_rejected: row.get(4)?,
        licence: String::new(),
        url: String::new(),
    })
}

/// Key of the fact that holds the hash of a frozen split.
pub(super) const SPLIT_FROZEN: &str = "split frozen";
