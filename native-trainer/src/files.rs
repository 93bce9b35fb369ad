//! Files that are whole or not there: written beside, synced, renamed.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use tempfile::NamedTempFile;

use crate::interrupt::{Unfinished, undisturbed};

/// Write a file so that its name only ever shows all of it: to a temporary file in the same
/// directory, synced, then renamed over the old one.
pub(crate) fn write_atomic(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    prepare(path, write)?.publish()
}

/// A file that is complete on disk but does not have its name yet; Ctrl-C takes it away.
pub(crate) struct Prepared {
    file: NamedTempFile,
    path: PathBuf,
    place: Place,
    /// Until it has its name.
    unfinished: Unfinished,
}

/// What has the name that a file is to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A file, or nothing yet.
    File,
    /// A device or a pipe, which is written to and stays what it is.
    Stream,
}

/// Where a file really goes: behind links, so that these stay.
fn target(path: &Path) -> (PathBuf, Place) {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let place = match real.metadata() {
        Ok(there) if !there.is_file() && !there.is_dir() => Place::Stream,
        _ => Place::File,
    };
    (real, place)
}

/// Whether two names are of one file that is there.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// A result does not take the place of what it is made from, whatever else may be replaced.
///
/// # Errors
/// If one of the files that are to be written is one of those that are read.
pub(crate) fn refuse_own_source<'a>(
    targets: impl IntoIterator<Item = &'a Path>,
    sources: &[&Path],
) -> Result<()> {
    let is_source = |target: &&Path| {
        let of = |source: &&Path| is_same(source, target);
        target.is_file() && sources.iter().any(of)
    };
    match targets.into_iter().find(is_source) {
        Some(target) => bail!(
            "`{}` would take the place of the dataset that it is made from; choose another --out",
            target.display()
        ),
        None => Ok(()),
    }
}

/// Files that are there already are somebody's: they are replaced only where that was asked for.
///
/// # Errors
/// If one is there, and `force` is not set.
pub(crate) fn refuse_existing<'a>(
    paths: impl IntoIterator<Item = &'a Path>,
    force: bool,
) -> Result<()> {
    let existing = paths.into_iter().filter(|path| !force && path.is_file());
    let names: Vec<String> = existing
        .map(|path| format!("`{}`", path.display()))
        .collect();
    let exist = match names.len() {
        0 => return Ok(()),
        1 => "exists",
        _ => "exist",
    };
    bail!(
        "{} {exist} already; name another place, or say --force to replace what is there",
        names.join(", ")
    )
}

/// Write everything but the name.
pub(crate) fn prepare(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Prepared> {
    let name = || format!("writing `{}`", path.display());
    let (path, place) = target(path);
    if place == Place::File {
        refuse_missing_folder(&path)?;
    }
    let made = Unfinished::file(|| match place {
        Place::File => beginning(".veneer-", &path),
        Place::Stream => NamedTempFile::new(),
    });
    let (file, unfinished) = made.map_err(without_place).with_context(name)?;
    // Written to as it is: errors of the temporary file would tell its name.
    let mut writer = BufWriter::with_capacity(1 << 16, file.as_file());
    write(&mut writer)
        .and_then(|()| writer.flush())
        .with_context(name)?;
    drop(writer);
    if place == Place::File {
        take_permissions(file.as_file(), &path).with_context(name)?;
    }
    file.as_file().sync_all().with_context(name)?;
    Ok(Prepared {
        file,
        path,
        place,
        unfinished,
    })
}

/// # Errors
/// If the folder that a file is to lie in is not there.
pub(crate) fn refuse_missing_folder(path: &Path) -> Result<()> {
    let folder = directory(path);
    if !folder.exists() {
        bail!(
            "there is no folder `{}` for `{}`; make it first, or name another place",
            folder.display(),
            path.display()
        );
    }
    Ok(())
}

/// What went wrong with a temporary file without its name, which nobody knows.
pub(crate) fn without_place(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::Other => error,
        kind => kind.into(),
    }
}

impl Prepared {
    /// Where the file lies until then.
    pub(crate) fn beside(&self) -> &Path {
        self.file.path()
    }

    fn pour(&self) -> io::Result<()> {
        let mut stream = OpenOptions::new().write(true).open(&self.path)?;
        io::copy(&mut File::open(self.file.path())?, &mut stream)?;
        Ok(())
    }

    pub(crate) fn publish(self) -> Result<()> {
        let name = || format!("writing `{}`", self.path.display());
        match self.place {
            Place::File => {
                let renamed = undisturbed(|| self.file.persist(&self.path));
                renamed.map_err(|error| error.error).with_context(name)?;
                sync_directory(&self.path);
            }
            Place::Stream => self.pour().with_context(name)?,
        }
        drop(self.unfinished);
        Ok(())
    }
}

/// Writes into a folder, which is made where it is not there; what had to be made for it goes again
/// where that fails.
///
/// # Errors
/// If the folder cannot be made, and those of `write`.
pub(crate) fn fill_folder<T>(folder: &Path, write: impl FnOnce() -> Result<T>) -> Result<T> {
    let made = MadeFolders::new(folder)
        .with_context(|| format!("making the folder `{}`", folder.display()))?;
    let written = write()?;
    made.keep();
    Ok(written)
}

/// Folders that had to be made for what is to come into them; they go again where nothing comes.
pub(crate) struct MadeFolders {
    /// The inner ones first.
    made: Vec<PathBuf>,
    _unfinished: Vec<Unfinished>,
}

impl MadeFolders {
    /// `folder` and those around it, as far as they are not there.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        let missing = |part: &&Path| !part.as_os_str().is_empty() && !part.exists();
        let made = folder.ancestors().take_while(missing);
        let made: Vec<PathBuf> = made.map(Path::to_owned).collect();
        let outer_first = made.iter().rev();
        let folders = Self {
            _unfinished: outer_first
                .map(|folder| Unfinished::around(folder))
                .collect(),
            made,
        };
        std::fs::create_dir_all(folder)?;
        Ok(folders)
    }

    pub(crate) fn keep(mut self) {
        self.made.clear();
    }
}

impl Drop for MadeFolders {
    fn drop(&mut self) {
        for folder in &self.made {
            // One that holds something stays; what failed before is what is reported.
            std::fs::remove_dir(folder).ok();
        }
    }
}

/// Give all files their names, or none: what was renamed before a failure is undone, and a file
/// that stood there before is put back.
pub(crate) fn publish_all(files: Vec<Prepared>) -> Result<()> {
    // What goes into a stream cannot be taken back, so that it goes last.
    let (streams, files): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|file| file.place == Place::Stream);
    let (files, unfinished): (Vec<_>, Vec<_>) = files
        .into_iter()
        .map(|file| ((file.file, file.path), file.unfinished))
        .unzip();
    let done = undisturbed(|| name_all(files))?;
    drop(unfinished);
    for (path, old) in &done {
        if let Some(old) = old {
            // The new file is in place; a leftover of the old one does no harm.
            std::fs::remove_file(old).ok();
        }
        sync_directory(path);
    }
    streams.into_iter().try_for_each(Prepared::publish)
}

/// Files with their names, and where what stood there before lies now.
type Named = Vec<(PathBuf, Option<PathBuf>)>;

fn name_all(files: Vec<(NamedTempFile, PathBuf)>) -> Result<Named> {
    let mut done = Named::new();
    for (file, path) in files {
        let result = set_aside(&path).and_then(|old| {
            done.push((path.clone(), old));
            file.persist(&path).map_err(|error| error.error)
        });
        if let Err(error) = result {
            undo(&done);
            return Err(error)
                .with_context(|| format!("writing `{}` (nothing was changed)", path.display()));
        }
    }
    Ok(done)
}

/// Move an existing file to a name beside it.
fn set_aside(path: &Path) -> io::Result<Option<PathBuf>> {
    if !path.try_exists()? {
        return Ok(None);
    }
    let beside = NamedTempFile::with_prefix_in(".veneer-old-", directory(path))?;
    let (_, beside) = beside.keep().map_err(|error| error.error)?;
    std::fs::rename(path, &beside)?;
    Ok(Some(beside))
}

fn undo(done: &[(PathBuf, Option<PathBuf>)]) {
    for (path, old) in done.iter().rev() {
        // The first failure is the one reported; these are best efforts to restore what was.
        match old {
            Some(old) => std::fs::rename(old, path).ok(),
            None => std::fs::remove_file(path).ok(),
        };
    }
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A file under a passing name in the folder of the one that it becomes, with the permissions that any
/// new file gets. What takes the place of another file is private until it has that one's.
///
/// # Errors
/// If the folder cannot be written to.
#[cfg(unix)]
pub(crate) fn beginning(prefix: &str, path: &Path) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if path.exists() { 0o600 } else { 0o666 };
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    // The process's umask takes its part away.
    builder.permissions(std::fs::Permissions::from_mode(mode));
    builder.tempfile_in(directory(path))
}

#[cfg(not(unix))]
pub(crate) fn beginning(prefix: &str, path: &Path) -> io::Result<NamedTempFile> {
    NamedTempFile::with_prefix_in(prefix, directory(path))
}

/// Those of the file whose place is taken, if there is one.
#[cfg(unix)]
fn take_permissions(file: &File, old: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    // Not the bits that lend out the owner's rights: the new file may have another owner.
    const OF_ACCESS: u32 = 0o777;
    match old.metadata() {
        Ok(old) if old.is_file() => {
            let mode = old.permissions().mode() & OF_ACCESS;
            file.set_permissions(std::fs::Permissions::from_mode(mode))
        }
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn take_permissions(_file: &File, _old: &Path) -> io::Result<()> {
    Ok(())
}

/// The rename itself must survive a power cut; not every file system can sync a directory.
fn sync_directory(path: &Path) {
    if let Ok(directory) = File::open(directory(path)) {
        directory.sync_all().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, text: &str) -> Prepared {
        prepare(path, |writer| writer.write_all(text.as_bytes())).unwrap()
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        std::fs::write(&path, "old").unwrap();
        let failed = write_atomic(&path, |_| Err(io::ErrorKind::StorageFull.into()));
        assert!(failed.is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no litter"
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let [real, link] = ["real", "link"].map(|name| folder.path().join(name));
        std::fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        put(&link, "new").publish().unwrap();
        assert!(link.is_symlink() && is_same(&real, &link));
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "new");

        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || std::fs::read_to_string(pipe).unwrap())
        };
        publish_all(vec![put(&pipe, "poured"), put(&real, "newer")]).unwrap();
        assert_eq!(reader.join().unwrap(), "poured");
        assert!(!pipe.is_file());
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "newer");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn what_is_there_is_replaced_only_on_a_word() {
        let folder = tempfile::tempdir().unwrap();
        let [there, new] = ["a", "b"].map(|name| folder.path().join(name));
        std::fs::write(&there, "old").unwrap();
        let paths = || [there.as_path(), new.as_path(), folder.path()];
        let refused = refuse_existing(paths(), false).unwrap_err().to_string();
        assert!(refused.contains("exists already") && refused.contains("--force"));
        assert!(!refused.contains(&new.display().to_string()), "{refused}");
        assert!(refuse_existing(paths(), true).is_ok());
    }

    #[test]
    fn a_result_never_replaces_its_source() {
        let folder = tempfile::tempdir().unwrap();
        let [source, other] = ["a", "b"].map(|name| folder.path().join(name));
        std::fs::write(&source, "old").unwrap();
        std::fs::create_dir(folder.path().join("c")).unwrap();
        let spelled = folder.path().join("c/../a");
        let refuse = |targets: &[&Path]| refuse_own_source(targets.iter().copied(), &[&source]);
        let refused = refuse(&[&other, &spelled]).unwrap_err().to_string();
        assert!(refused.contains("choose another --out"), "{refused}");
        assert!(refuse(&[&other]).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_the_old_file_or_of_any_new_one() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let [old, new, plain] = ["a", "b", "c"].map(|name| folder.path().join(name));
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        std::fs::write(&old, "old").unwrap();
        std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::fs::write(&plain, "as any program writes").unwrap();
        put(&old, "1").publish().unwrap();
        publish_all(vec![put(&new, "2")]).unwrap();
        assert_eq!((mode(&old), mode(&new)), (0o640, mode(&plain)));
        publish_all(vec![put(&old, "3")]).unwrap();
        assert_eq!(mode(&old), 0o640);
    }

    #[test]
    fn a_folder_that_nothing_comes_into_is_not_left() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        let failed = fill_folder(&inner, || -> Result<()> { bail!("no space left") });
        assert_eq!(failed.unwrap_err().to_string(), "no space left");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        fill_folder(&inner, || put(&inner.join("c"), "1").publish()).unwrap();
        assert!(fill_folder(&inner, || -> Result<()> { bail!("again") }).is_err());
        assert!(inner.join("c").exists());
    }

    #[test]
    fn all_files_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["a", "b"].map(|name| folder.path().join(name));
        std::fs::write(&first, "old").unwrap();
        // A directory that is not empty cannot be replaced by a file.
        std::fs::create_dir_all(second.join("inner")).unwrap();
        std::fs::create_dir_all(folder.path().join("gone")).unwrap();
        let third = put(&folder.path().join("gone/c"), "new");
        std::fs::remove_dir_all(folder.path().join("gone")).unwrap();
        assert!(publish_all(vec![put(&first, "new"), third]).is_err());
        assert_eq!(std::fs::read_to_string(&first).unwrap(), "old");

        publish_all(vec![put(&first, "1"), put(&folder.path().join("c"), "2")]).unwrap();
        assert_eq!(std::fs::read_to_string(&first).unwrap(), "1");
        assert_eq!(
            std::fs::read_to_string(folder.path().join("c")).unwrap(),
            "2"
        );
    }
}
