//! Brings the table of records and the search index up to what is in force, in steps.

use rusqlite::{Connection, params};

use super::{
    Project, ProjectError, Step, Task, Work,
    search::indexed_up_to,
    spoken::Spoken,
    words::{Case, cut},
};
use crate::protocol::studio::{StudioProgress, StudioStage, TurnRole};

/// Stored text that is indexed in one step. Each is a transaction, which costs by itself.
const BYTES_AT_ONCE: usize = 128 << 10;

/// Records that get late values in one step.
const RECORDS_AT_ONCE: u64 = 2_000;

/// A word that nobody can look for, between messages, so that phrases end with them.
const BORDER: &str = "\u{e000}";

impl Project {
    /// What can wait: brings late values into the table of records, reads what lists are made from and
    /// what searches look through, and brings the search index up to the newest record. Queries go by
    /// what is in force and search what is not in the index yet anyway.
    pub fn index(&self) -> Task<()> {
        Box::new(IndexWork::default())
    }

    /// Brings late values into the table of records, so that whoever reads it writes nothing.
    pub fn settle(&self) -> Task<()> {
        Box::new(SettleWork::default())
    }
}

#[derive(Default)]
struct SettleWork {
    n_done: u64,
}

impl Work for SettleWork {
    type Output = ();

    fn step(&mut self, project: &mut Project) -> Result<Step<()>, ProjectError> {
        let is_left = project.store.settle_some(RECORDS_AT_ONCE)?;
        self.n_done += RECORDS_AT_ONCE;
        Ok(match is_left {
            true => Step::More(StudioProgress {
                stage: StudioStage::Changing,
                what: String::new(),
                done: self.n_done,
                total: 0,
            }),
            false => Step::Done(()),
        })
    }
}

#[derive(Default)]
struct IndexWork {
    n_done: u64,
    is_counted: bool,
}

impl Work for IndexWork {
    type Output = ();

    fn step(&mut self, project: &mut Project) -> Result<Step<()>, ProjectError> {
        if project.tidy_after_stop()? || project.store.settle_some(RECORDS_AT_ONCE)? {
            return Ok(Step::More(self.progress(0)));
        }
        if !project.lists.get_mut().read_some(&project.store)? {
            return Ok(Step::More(self.progress(0)));
        }
        if !std::mem::replace(&mut self.is_counted, true) {
            // Findings are counted by these, and somebody will wait for that.
            project.live()?;
            return Ok(Step::More(self.progress(0)));
        }
        if !project.lists.get_mut().read_texts(project.store.raw())? {
            return Ok(Step::More(self.progress(0)));
        }
        let is_merging = merge_some(project.store.raw())?;
        let n_indexed = if is_merging {
            0
        } else {
            index_some(project.store.raw_mut())?
        };
        if n_indexed == 0 && !is_merging {
            let is_ordered = project.lists.get_mut().rank_some(project.store.raw())?;
            return Ok(match is_ordered {
                true => Step::Done(()),
                false => Step::More(self.progress(0)),
            });
        }
        self.n_done += n_indexed;
        let n_left: u64 = project
            .store
            .raw()
            .prepare_cached("SELECT coalesce(max(id), 0) - ?1 FROM body")?
            .query_row([indexed_up_to(project.store.raw())?], |row| row.get(0))?;
        Ok(Step::More(self.progress(n_left)))
    }
}

impl IndexWork {
    fn progress(&self, n_left: u64) -> StudioProgress {
        StudioProgress {
            stage: StudioStage::Indexing,
            what: String::new(),
            done: self.n_done,
            total: self.n_done + n_left,
        }
    }
}

/// Every step adds a part to the index, and a few parts are merged into one, of which this does a few
/// milliseconds; false where nothing is to be merged. Left to itself SQLite would merge as part of
/// adding, which makes single steps long.
fn merge_some(db: &Connection) -> Result<bool, ProjectError> {
    const PAGES: i64 = 16;
    let n_changes = || -> Result<i64, ProjectError> {
        let mut statement = db.prepare_cached("SELECT total_changes()")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    };
    let before = n_changes()?;
    db.prepare_cached("INSERT INTO search (search, rank) VALUES ('merge', ?1)")?
        .execute([PAGES])?;
    // The command counts as one change itself; see the documentation of FTS5.
    Ok(n_changes()? - before >= 2)
}

/// Indexes the next texts, and says how many.
fn index_some(db: &mut Connection) -> Result<u64, ProjectError> {
    let tx = db.transaction()?;
    let up_to = indexed_up_to(&tx)?;
    let mut n_indexed = 0;
    {
        let sql = "SELECT body, json FROM content WHERE body > ?1 ORDER BY body";
        let mut statement = tx.prepare_cached(sql)?;
        let mut put = tx.prepare_cached(
            "INSERT INTO search (rowid, system, developer, user, assistant, tool)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        let mut rows = statement.query([up_to])?;
        let mut n_bytes = 0;
        let mut columns = TurnRole::ALL.map(|_| String::new());
        while n_bytes < BYTES_AT_ONCE
            && let Some(row) = rows.next()?
        {
            let json = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            n_bytes += json.len();
            fill(&Spoken::read(json)?, &mut columns);
            let [system, developer, user, assistant, tool] = &columns;
            let body: i64 = row.get(0)?;
            put.execute(params![body, system, developer, user, assistant, tool])?;
            n_indexed += 1;
        }
    }
    tx.commit()?;
    Ok(n_indexed)
}

/// The words of each role, in the order of [`TurnRole::ALL`].
fn fill(spoken: &Spoken<'_>, columns: &mut [String; 5]) {
    for (role, words) in TurnRole::ALL.into_iter().zip(columns) {
        words.clear();
        for text in spoken.by(Some(role)) {
            if !words.is_empty() {
                words.push_str(BORDER);
                words.push(' ');
            }
            cut(text, Case::Folded, &mut |word| {
                words.push_str(word);
                words.push(' ');
            });
        }
    }
}
