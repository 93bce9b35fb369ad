//! The database, and what is in force without being in its records yet.
//!
//! A change of a hundred thousand records would take as many steps through the table and its index
//! before anybody sees it. Such a change is one row of `late`, written in the transaction of its
//! action; lists and counts go by the columns in memory, which have it at once, and the records get
//! it bit by bit when nobody waits. Whoever reads records from the table asks for [`Store::settled`],
//! which puts everything in place first; so does opening a project.

use std::{
    cell::RefCell,
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rusqlite::{Connection, params};

use super::{ProjectError, journal::Field, runs::Runs};

/// Values of one column that are in force.
pub(super) struct Late {
    id: i64,
    pub(super) field: Field,
    pub(super) runs: Runs,
    /// Records up to this one have theirs.
    up_to: u64,
}

pub(super) struct Store {
    db: Connection,
    /// In the order in which they came.
    late: RefCell<VecDeque<Late>>,
    /// Set while rows are written whose values the columns have already.
    is_known: Arc<AtomicBool>,
}

impl Store {
    pub(super) fn new(db: Connection) -> Result<Self, ProjectError> {
        let mut store = Self {
            db,
            late: RefCell::default(),
            is_known: Arc::default(),
        };
        store.late = RefCell::new(store.read_late()?);
        Ok(store)
    }

    /// Records may lack what is late.
    pub(super) fn raw(&self) -> &Connection {
        &self.db
    }

    /// Records may lack what is late.
    pub(super) fn raw_mut(&mut self) -> &mut Connection {
        &mut self.db
    }

    /// Records are as they are seen.
    pub(super) fn settled(&self) -> Result<&Connection, ProjectError> {
        while self.settle_some(u64::MAX)? {}
        Ok(&self.db)
    }

    /// Records are as they are seen.
    pub(super) fn settled_mut(&mut self) -> Result<&mut Connection, ProjectError> {
        self.settled()?;
        Ok(&mut self.db)
    }

    pub(super) fn into_db(self) -> Connection {
        self.db
    }

    pub(super) fn is_settled(&self) -> bool {
        self.late.borrow().is_empty()
    }

    /// For who notes which rows change.
    pub(super) fn is_known(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_known)
    }

    /// From the oldest to the newest.
    pub(super) fn each_late(
        &self,
        see: &mut dyn FnMut(&Late) -> Result<(), ProjectError>,
    ) -> Result<(), ProjectError> {
        self.late.borrow().iter().try_for_each(see)
    }

    /// Notes in the database, inside a transaction, that these values are in force.
    pub(super) fn write_late(
        db: &Connection,
        field: Field,
        runs: Runs,
    ) -> Result<Late, ProjectError> {
        db.prepare_cached("INSERT INTO late (field, runs, up_to) VALUES (?1, ?2, 0)")?
            .execute(params![field.column(), runs.encode()?])?;
        Ok(Late {
            id: db.last_insert_rowid(),
            field,
            runs,
            up_to: 0,
        })
    }

    /// After that transaction: from now on they are in force.
    pub(super) fn add_late(&self, late: Vec<Late>) {
        self.late.borrow_mut().extend(late);
    }

    /// Writes some late values, of about so many records; whether others are left.
    pub(super) fn settle_some(&self, n_records: u64) -> Result<bool, ProjectError> {
        let mut all = self.late.borrow_mut();
        let Some(late) = all.front_mut() else {
            return Ok(false);
        };
        let tx = self.db.unchecked_transaction()?;
        self.is_known.store(true, Ordering::Relaxed);
        let written = late.write(&tx, n_records);
        self.is_known.store(false, Ordering::Relaxed);
        let up_to = written?;
        match up_to {
            Some(up_to) => tx
                .prepare_cached("UPDATE late SET up_to = ?2 WHERE id = ?1")?
                .execute(params![late.id, up_to])?,
            None => tx
                .prepare_cached("DELETE FROM late WHERE id = ?1")?
                .execute([late.id])?,
        };
        tx.commit()?;
        match up_to {
            Some(up_to) => late.up_to = up_to,
            None => drop(all.pop_front()),
        }
        Ok(!all.is_empty())
    }

    fn read_late(&self) -> Result<VecDeque<Late>, ProjectError> {
        let sql = "SELECT id, field, runs, up_to FROM late ORDER BY id";
        let mut statement = self.db.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut all = VecDeque::new();
        while let Some(row) = rows.next()? {
            let name = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            let bytes = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
            let field = Field::named(name).ok_or_else(|| ProjectError::Broken {
                detail: format!("it changes a column `{name}` that records do not have"),
            })?;
            all.push_back(Late {
                id: row.get(0)?,
                field,
                runs: field.read(bytes)?,
                up_to: row.get(3)?,
            });
        }
        Ok(all)
    }
}

impl Late {
    /// The record up to which all have their values now; `None` where that is the last.
    fn write(&self, db: &Connection, n_records: u64) -> Result<Option<u64>, ProjectError> {
        let column = self.field.column();
        let sql = format!("UPDATE record SET {column} = ?3 WHERE id BETWEEN ?1 AND ?2");
        let mut update = db.prepare_cached(&sql)?;
        let runs = self.runs.all();
        let from = runs.partition_point(|run| run.last() <= self.up_to);
        let mut left = n_records;
        for run in &runs[from..] {
            if left == 0 {
                return Ok(Some(run.first.saturating_sub(1)));
            }
            let first = run.first.max(self.up_to + 1);
            let last = run.last().min(first.saturating_add(left - 1));
            update.execute(params![first, last, run.value])?;
            left -= last - first + 1;
            if last < run.last() {
                return Ok(Some(last));
            }
        }
        Ok(None)
    }
}
