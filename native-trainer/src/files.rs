//! Files are written beside and renamed: a reader sees the old one or the whole new one.

use std::{
    io::{self, BufWriter, Write},
    path::Path,
};

use anyhow::{Context as _, Result};

/// Write a file through a temporary one in the same folder.
pub(crate) fn write_atomic(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let attempt = || -> io::Result<()> {
        let mut beside = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        let mut writer = BufWriter::new(beside.as_file_mut());
        write(&mut writer)?;
        writer.flush()?;
        drop(writer);
        beside.as_file().sync_all()?;
        beside.persist(path)?;
        Ok(())
    };
    attempt().with_context(|| format!("writing `{}`", path.display()))
}
