//! A project on this machine's disk: opened for itself alone, worked on with progress and Ctrl-C.
//!
//! The file stays one file: no log is left beside it. While it is open nobody else can write to it.

use std::{
    fs::File,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use veneer_core::{
    project::{self, HEADER_BYTES, Pace, Project, ProjectError, Task},
    protocol::studio::{StudioProgress, StudioStage, TextOptions},
};

use crate::{
    dataset::shell_word,
    files::{beginning, refuse_missing_folder, without_place},
    interrupt::{self, STOPPED},
    leftovers,
    progress::{Growing, Total},
    text_files,
};

/// How long another command may hold the file before it is said.
const PATIENCE: Duration = Duration::from_secs(2);

/// Open an existing project.
///
/// # Errors
/// If it is none, is damaged or newer, or is open in another process.
pub(crate) fn open(path: &Path) -> Result<Project> {
    if !path.exists() {
        bail!(
            "there is no project `{0}`; make one with `veneer data import FILE --into {1}`",
            path.display(),
            shell_word(path)
        );
    }
    if !crate::input::is_project(path) {
        bail!(
            "`{}` is not a project; expected a file that the studio or `veneer data import` made",
            path.display()
        );
    }
    let opening = || format!("opening project `{}`", path.display());
    check(path).with_context(opening)?;
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mut project = Project::open(db).with_context(opening)?;
    project.set_pace(Pace::Alone);
    Ok(project)
}

/// Open an existing project and look through every page of its file, which may come from anybody.
///
/// # Errors
/// Those of [`open`], and damage anywhere in the file.
pub(crate) fn open_and_verify(path: &Path) -> Result<Project> {
    let project = open(path)?;
    let verified = project.verify();
    verified.with_context(|| format!("opening project `{}`", path.display()))?;
    Ok(project)
}

/// A file that is no project or was cut off is refused before SQLite sees it.
fn check(path: &Path) -> Result<()> {
    // What a command that was killed left beside makes the file whole again, whatever its length is now.
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    if std::fs::metadata(journal).is_ok_and(|journal| journal.len() > 0) {
        return Ok(());
    }
    let file = File::open(path)?;
    let n_bytes = file.metadata()?.len();
    let mut head = Vec::new();
    file.take(HEADER_BYTES).read_to_end(&mut head)?;
    Ok(project::check_file(&head, n_bytes)?)
}

/// Make a project in a file that is not there yet.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn create(path: &Path, name: &str) -> Result<Project> {
    let db = connect(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )?;
    let made = Project::create(db, name, now_ms());
    let mut project = made.with_context(|| format!("making project `{}`", path.display()))?;
    project.set_pace(Pace::Alone);
    Ok(project)
}

/// A project that lies nowhere, for files that go through the same checks and exports.
///
/// # Errors
/// If there is no memory.
pub(crate) fn in_memory(name: &str) -> Result<Project> {
    let db = Connection::open_in_memory().context("making a project in memory")?;
    let mut project = Project::create(db, name, now_ms())?;
    project.set_pace(Pace::Alone);
    Ok(project)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let opening = || format!("opening project `{}`", path.display());
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).with_context(opening)?;
    let prepared = prepare(&db);
    match prepared {
        Ok(()) => Ok(db),
        Err(error) if is_busy(&error) => bail!(
            "`{}` is open in another program; end that one first, then run this again",
            path.display()
        ),
        Err(error) => Err(ProjectError::from(error)).with_context(opening),
    }
}

fn prepare(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(PATIENCE)?;
    db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    // No file beside the project: it can be copied and mailed as it stands.
    db.pragma_update_and_check(None, "journal_mode", "DELETE", |row| {
        row.get::<_, String>(0)
    })?;
    db.pragma_update(None, "cache_size", -65_536)?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    // The file may come from anybody.
    db.pragma_update(None, "cell_size_check", true)?;
    // Takes the lock, and keeps it.
    db.execute_batch("BEGIN EXCLUSIVE; COMMIT")
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// Run a work to its end, with a bar on a terminal. Ctrl-C ends it, and nothing of it is kept.
///
/// # Errors
/// Those of the work.
pub(crate) fn run<T>(project: &mut Project, task: Task<T>) -> Result<T> {
    interrupt::listen();
    let mut bar = Growing::new();
    let mut show = |at: &StudioProgress| {
        bar.show(stage_text(at.stage), at.done, total(at));
        !interrupt::asked()
    };
    let result = project::run(project, task, &mut show);
    bar.clear();
    match result {
        Err(ProjectError::Cancelled) => bail!(STOPPED),
        result => Ok(result?),
    }
}

/// How many records a file holds is estimated by what was read of it.
fn total(at: &StudioProgress) -> Total {
    match at.stage {
        _ if at.total == 0 => Total::Unknown,
        stage if stage.is_estimated() => Total::About(at.total),
        _ => Total::Exactly(at.total),
    }
}

fn stage_text(stage: StudioStage) -> &'static str {
    match stage {
        StudioStage::Reading => "reading",
        StudioStage::ReadingPages => "reading pages",
        StudioStage::Adding => "adding",
        StudioStage::Indexing => "indexing",
        StudioStage::Checking => "checking",
        StudioStage::Tokenizing => "tokenizing",
        StudioStage::Searching => "searching",
        StudioStage::Changing => "changing",
        StudioStage::Writing => "writing",
        StudioStage::Copying => "copying",
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// Take a model's tokenizer and template into the project: those of a folder, or of a GGUF file.
///
/// # Errors
/// If the model has none.
pub(crate) fn use_model(project: &mut Project, name: &str) -> Result<()> {
    project
        .use_text_model(name, text_files::for_project(name)?)
        .with_context(|| format!("reading tokenizer and template of model `{name}`"))?;
    Ok(())
}

pub(crate) const TEMPLATE_WITHOUT_MODEL: &str =
    "`--chat-template` needs a model whose tokens it is filled with; add --model MODEL";

/// Stands for the template that a model brings.
pub(crate) const OWN_TEMPLATE: &str = "own";

/// From now on the project's model is used with this template, a built-in one or [`OWN_TEMPLATE`].
///
/// # Errors
/// If there is none of that name, or no model.
pub(crate) fn use_template(project: &mut Project, name: &str) -> Result<()> {
    if project.text_model()?.is_none() {
        bail!("{TEMPLATE_WITHOUT_MODEL}");
    }
    let template = (name != OWN_TEMPLATE).then(|| name.to_owned());
    let options = TextOptions {
        template,
        ..project.text_options()?
    };
    Ok(project.set_text_options(options)?)
}

/// The folder that a project lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A new project on its way: a hidden file beside its place, renamed when it is whole.
pub(crate) struct Unborn {
    place: tempfile::TempPath,
    path: PathBuf,
}

impl Unborn {
    /// # Errors
    /// If the folder cannot be written to, or a link of that name leads nowhere.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let making = || format!("making project `{}`", path.display());
        if let Ok(target) = std::fs::read_link(path) {
            bail!(
                "`{}` is a link to `{}`, which is not there; name a file of its own, or remove the link",
                path.display(),
                target.display()
            );
        }
        refuse_missing_folder(path)?;
        let file = beginning(leftovers::UNBORN, path);
        let file = file.map_err(without_place).with_context(making)?;
        Ok(Self {
            place: file.into_temp_path(),
            path: path.to_owned(),
        })
    }

    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// Give it its name. The project must be closed.
    ///
    /// # Errors
    /// If there is a file of that name by now.
    pub(crate) fn publish(self) -> Result<()> {
        let path = self.path.clone();
        let named = self.place.persist_noclobber(&self.path);
        match named.map_err(|error| error.error) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
                "`{}` was made by another program meanwhile, and nothing of this was kept; run it again \
                 to add to what is there, or name another file",
                path.display()
            ),
            named => named.with_context(|| format!("making project `{}`", path.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_one_file_and_belongs_to_one_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("p.veneer");
        let mut project = create(&path, "p").expect("made");
        project.remember("key", "value").expect("remembered");
        let busy = open(&path).err().expect("refused").to_string();
        assert!(busy.contains("open in another program"), "{busy}");
        drop(project);
        let project = open(&path).expect("opened");
        assert_eq!(
            project.remembered("key").expect("read").as_deref(),
            Some("value")
        );
        drop(project);
        let names: Vec<_> = std::fs::read_dir(folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(names, ["p.veneer"]);
    }

    #[test]
    fn what_stands_in_the_way_of_a_new_project_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("p.veneer");
        let late = Unborn::new(&path).expect("begun");
        Unborn::new(&path)
            .expect("begun")
            .publish()
            .expect("named first");
        let said = late.publish().expect_err("there is one").to_string();
        assert!(said.contains("run it again"), "{said}");
        #[cfg(unix)]
        {
            let link = folder.path().join("link.veneer");
            std::os::unix::fs::symlink("nowhere", &link).expect("linked");
            let said = Unborn::new(&link).err().expect("refused").to_string();
            assert!(said.contains("a link to `nowhere`"), "{said}");
        }
        let lost = folder.path().join("none/p.veneer");
        let said = Unborn::new(&lost).err().expect("refused").to_string();
        assert!(
            said.contains("no folder") && !said.contains(leftovers::UNBORN),
            "{said}"
        );
        let names = std::fs::read_dir(folder.path()).expect("a folder");
        assert!(names.count() <= 2, "no litter");
    }

    #[test]
    fn the_total_of_an_import_is_an_estimate() {
        let at = |stage, total| StudioProgress {
            stage,
            what: String::new(),
            done: 0,
            total,
        };
        assert_eq!(total(&at(StudioStage::Adding, 0)), Total::Unknown);
        assert_eq!(total(&at(StudioStage::Adding, 7)), Total::About(7));
        assert_eq!(total(&at(StudioStage::Checking, 7)), Total::Exactly(7));
    }

    #[test]
    fn a_file_that_is_cut_off_is_refused_before_it_is_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("p.veneer");
        drop(create(&path, "p").expect("made"));
        let whole = std::fs::read(&path).expect("readable");
        std::fs::write(&path, &whole[..whole.len() - 1]).expect("written");
        let refused = open(&path).err().expect("refused");
        assert!(format!("{refused:#}").contains("damaged"), "{refused:#}");
        std::fs::write(&path, &whole[..12]).expect("written");
        let refused = open(&path).err().expect("refused");
        assert!(
            format!("{refused:#}").contains("12 bytes of"),
            "{refused:#}"
        );
        std::fs::write(&path, &whole).expect("written");
        open_and_verify(&path).expect("whole again");
    }

    #[test]
    fn other_files_are_not_taken_for_projects() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("p.veneer");
        let missing = open(&path).err().expect("refused").to_string();
        assert!(missing.contains("there is no project"), "{missing}");
        std::fs::write(&path, "query,response\na,b\n").expect("written");
        let other = open(&path).err().expect("refused").to_string();
        assert!(other.contains("is not a project"), "{other}");
    }
}
