//! Random access to the bytes of a file, wherever it lies.

use std::borrow::Cow;

use super::LoadError;

/// A file's bytes: a memory map, a file of the browser, a test literal.
///
/// Offsets are 64 bits wide, because files are larger than the memory of wasm32.
pub trait ByteSource {
    /// Bytes in the file.
    fn len(&self) -> u64;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `n_bytes` bytes from `at` on, borrowed where they lie in memory anyway.
    ///
    /// # Errors
    /// [`LoadError::Read`] where the file ends before, or cannot be read.
    fn read(&self, at: u64, n_bytes: usize) -> Result<Cow<'_, [u8]>, LoadError>;
}

impl ByteSource for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read(&self, at: u64, n_bytes: usize) -> Result<Cow<'_, [u8]>, LoadError> {
        part(self, at, n_bytes)
    }
}

impl ByteSource for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn read(&self, at: u64, n_bytes: usize) -> Result<Cow<'_, [u8]>, LoadError> {
        part(self, at, n_bytes)
    }
}

fn part(bytes: &[u8], at: u64, n_bytes: usize) -> Result<Cow<'_, [u8]>, LoadError> {
    let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..));
    rest.and_then(|rest| rest.get(..n_bytes))
        .map(Cow::Borrowed)
        .ok_or_else(|| LoadError::Read {
            at,
            n_bytes,
            reason: format!("it has {} bytes", bytes.len()),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_beyond_the_end() {
        let bytes: &[u8] = b"abcd";
        assert_eq!(&*bytes.read(1, 3).unwrap(), b"bcd");
        assert_eq!(&*bytes.read(4, 0).unwrap(), b"");
        for (at, n_bytes) in [(2, 3), (5, 0), (u64::MAX, 1), (1, usize::MAX)] {
            let error = bytes.read(at, n_bytes).unwrap_err();
            assert!(matches!(error, LoadError::Read { .. }), "{at} {n_bytes}");
        }
    }
}
