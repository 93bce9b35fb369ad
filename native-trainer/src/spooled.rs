//! Pipes that are named as files: what comes out of one can be read only once, so it is kept.
//!
//! The copy lies in a file without a name, which is gone when the process is, however that ends.

use std::{
    fs::{File, Metadata},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, bail};

/// What came out of each pipe, by its name.
static KEPT: Mutex<Vec<(PathBuf, Spooled)>> = Mutex::new(Vec::new());

/// All of a stream, to be read as often as it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Spooled {
    file: Arc<Mutex<File>>,
    n_bytes: u64,
}

impl Spooled {
    /// # Errors
    /// If the stream cannot be read, or there is no room for it.
    pub(crate) fn of(stream: &mut dyn Read) -> io::Result<Self> {
        let mut file = tempfile::tempfile()?;
        let n_bytes = io::copy(stream, &mut file)?;
        Ok(Self {
            file: Arc::new(Mutex::new(file)),
            n_bytes,
        })
    }

    pub(crate) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// The first bytes, by which it is told.
    pub(crate) fn head(&self) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.open().take(1 << 10).read_to_end(&mut head)?;
        Ok(head)
    }

    /// From its beginning.
    pub(crate) fn open(&self) -> Reader {
        Reader {
            file: Arc::clone(&self.file),
            n_bytes: self.n_bytes,
            at: 0,
        }
    }
}

/// Reads of one copy at a place of its own.
#[derive(Debug)]
pub(crate) struct Reader {
    file: Arc<Mutex<File>>,
    n_bytes: u64,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.at))?;
        let n_read = file.read(into)?;
        self.at += n_read as u64;
        Ok(n_read)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.n_bytes.checked_add_signed(by),
        };
        let before = || io::Error::new(io::ErrorKind::InvalidInput, "seek before the beginning");
        self.at = at.ok_or_else(before)?;
        Ok(self.at)
    }
}

/// Whether a path leads to something that can be read only once.
pub(crate) fn is_stream(path: &Path) -> bool {
    path.metadata().is_ok_and(|there| is_of_stream(&there))
}

fn is_of_stream(there: &Metadata) -> bool {
    !there.is_file() && !there.is_dir()
}

/// What comes out of a pipe, which is read once in the life of the process; `None` of a file.
///
/// # Errors
/// If it is a device, which may have no end, or cannot be read.
pub(crate) fn kept(path: &Path, there: &Metadata) -> Result<Option<Spooled>> {
    if !is_of_stream(there) {
        return Ok(None);
    }
    if is_device(there) {
        bail!(
            "`{}` is a device, expected a file or a pipe",
            path.display()
        );
    }
    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, found)) = all.iter().find(|(name, _)| name == path) {
        return Ok(Some(found.clone()));
    }
    let read = File::open(path).and_then(|mut pipe| Spooled::of(&mut pipe));
    let read = read.with_context(|| format!("reading `{}`", path.display()))?;
    all.push((path.to_owned(), read.clone()));
    Ok(Some(read))
}

#[cfg(unix)]
fn is_device(there: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = there.file_type();
    kind.is_char_device() || kind.is_block_device()
}

#[cfg(not(unix))]
fn is_device(_there: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reader_begins_at_the_beginning() {
        let spooled = Spooled::of(&mut &b"0123456789"[..]).unwrap();
        let (mut one, mut other) = (spooled.open(), spooled.open());
        let mut two = [0; 2];
        one.read_exact(&mut two).unwrap();
        let mut all = String::new();
        other.read_to_string(&mut all).unwrap();
        assert_eq!((spooled.n_bytes(), all.as_str()), (10, "0123456789"));
        one.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"23");
        assert_eq!(one.seek(SeekFrom::End(-1)).unwrap(), 9);
        one.read_exact(&mut two[..1]).unwrap();
        assert_eq!(two[0], b'9');
        assert!(one.seek(SeekFrom::Current(-11)).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_refused_and_files_are_none_of_this() {
        let device = Path::new("/dev/zero");
        let refused = kept(device, &device.metadata().unwrap()).unwrap_err();
        assert!(refused.to_string().contains("is a device"), "{refused}");
        let file = tempfile::NamedTempFile::new().unwrap();
        let there = file.path().metadata().unwrap();
        assert!(kept(file.path(), &there).unwrap().is_none());
    }
}
