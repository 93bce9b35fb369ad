//! Files that are whole or not there: written beside, synced, renamed.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use tempfile::NamedTempFile;

/// Write a file so that its name only ever shows all of it: to a temporary file in the same
/// directory, synced, then renamed over the old one.
pub(crate) fn write_atomic(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    prepare(path, write)?.publish()
}

/// A file that is complete on disk but does not have its name yet.
pub(crate) struct Prepared {
    file: NamedTempFile,
    path: PathBuf,
}

/// Write everything but the name.
pub(crate) fn prepare(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Prepared> {
    let name = || format!("writing `{}`", path.display());
    let file = NamedTempFile::with_prefix_in(".veneer-", directory(path)).with_context(name)?;
    let mut writer = BufWriter::with_capacity(1 << 16, &file);
    write(&mut writer)
        .and_then(|()| writer.flush())
        .with_context(name)?;
    drop(writer);
    set_usual_permissions(file.as_file()).with_context(name)?;
    file.as_file().sync_all().with_context(name)?;
    Ok(Prepared {
        file,
        path: path.to_owned(),
    })
}

impl Prepared {
    /// Where the file lies until then.
    pub(crate) fn beside(&self) -> &Path {
        self.file.path()
    }

    pub(crate) fn publish(self) -> Result<()> {
        let Self { file, path } = self;
        let renamed = file.persist(&path).map_err(|error| error.error);
        renamed.with_context(|| format!("writing `{}`", path.display()))?;
        sync_directory(&path);
        Ok(())
    }
}

/// Give all files their names, or none: what was renamed before a failure is undone, and a file
/// that stood there before is put back.
pub(crate) fn publish_all(files: Vec<Prepared>) -> Result<()> {
    let mut done: Vec<(PathBuf, Option<PathBuf>)> = Vec::new();
    for Prepared { file, path } in files {
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
    for (path, old) in &done {
        if let Some(old) = old {
            // The new file is in place; a leftover of the old one does no harm.
            std::fs::remove_file(old).ok();
        }
        sync_directory(path);
    }
    Ok(())
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

/// The same for a file that was written elsewhere.
pub(crate) fn usual_permissions(path: &Path) -> io::Result<()> {
    set_usual_permissions(&File::open(path)?)
}

/// Temporary files are private; results have the permissions that any new file gets.
#[cfg(unix)]
fn set_usual_permissions(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_usual_permissions(_file: &File) -> io::Result<()> {
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
