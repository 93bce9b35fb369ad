//! A file that is read in pieces, each into memory of its own. While one is worked on, the system is
//! asked to have what follows it at hand.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use anyhow::{Context as _, Result};
use veneer_core::weights::{ByteSource, LoadError};

/// Bytes behind a piece that are likely to be asked for next: tensors of the same block.
#[cfg(target_os = "linux")]
const AHEAD: u64 = 256 << 20;

/// An open file whose length was asked for once.
#[derive(Debug)]
pub(crate) struct FileBytes {
    file: File,
    n_bytes: u64,
}

impl FileBytes {
    /// # Errors
    /// Names the file that cannot be opened.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let opening = || format!("opening `{}`", path.display());
        let file = File::open(path).with_context(opening)?;
        let n_bytes = file.metadata().with_context(opening)?.len();
        Ok(Self { file, n_bytes })
    }

    fn try_read(&self, at: u64, n_bytes: usize) -> io::Result<Vec<u8>> {
        if at
            .checked_add(n_bytes as u64)
            .is_none_or(|end| end > self.n_bytes)
        {
            return Err(io::Error::other(format!("it has {} bytes", self.n_bytes)));
        }
        let mut file = &self.file;
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = vec![0; n_bytes];
        file.read_exact(&mut bytes)?;
        #[cfg(target_os = "linux")]
        self.read_ahead(at + n_bytes as u64);
        Ok(bytes)
    }

    /// A hint: where the system does not take it, reading only waits longer.
    #[cfg(target_os = "linux")]
    fn read_ahead(&self, from: u64) {
        use rustix::fs::{Advice, fadvise};
        let n_bytes = std::num::NonZeroU64::new(AHEAD.min(self.n_bytes - from));
        if n_bytes.is_some() {
            fadvise(&self.file, from, n_bytes, Advice::WillNeed).ok();
        }
    }
}

impl ByteSource for FileBytes {
    fn len(&self) -> u64 {
        self.n_bytes
    }

    fn read(&self, at: u64, n_bytes: usize) -> Result<Cow<'_, [u8]>, LoadError> {
        let bytes = self.try_read(at, n_bytes);
        bytes.map(Cow::Owned).map_err(|error| LoadError::Read {
            at,
            n_bytes,
            reason: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_those_of_the_file_and_nothing_is_read_beyond_its_end() {
        let named = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(named.path(), b"abcdef").unwrap();
        let file = FileBytes::open(named.path()).unwrap();
        assert_eq!(file.len(), 6);
        assert_eq!(&*file.read(4, 2).unwrap(), b"ef");
        assert_eq!(&*file.read(1, 3).unwrap(), b"bcd");
        assert_eq!(&*file.read(6, 0).unwrap(), b"");
        for (at, n_bytes) in [(4, 3), (7, 0), (u64::MAX, 1), (1, usize::MAX)] {
            let error = file.read(at, n_bytes).unwrap_err();
            assert!(matches!(error, LoadError::Read { .. }), "{at} {n_bytes}");
        }
    }

    #[test]
    fn a_file_that_became_shorter_is_an_error() {
        let named = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(named.path(), b"abcdef").unwrap();
        let file = FileBytes::open(named.path()).unwrap();
        std::fs::write(named.path(), b"abc").unwrap();
        assert!(file.read(2, 3).is_err());
    }
}
