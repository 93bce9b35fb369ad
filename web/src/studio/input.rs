//! Files that the user picked, as files that core reads wherever they lie.

use std::io::{self, Read, Seek, SeekFrom};

use js_sys::Uint8Array;
use veneer_core::documents::{InputFile, ReadSeek};
use web_sys::{Blob, FileReaderSync};

use crate::browser;

/// Read at once: each read of a file crosses to the browser's own process.
const BLOCK: u64 = 256 << 10;

/// Read at once where a file is read on and on. Chromium reads 45 MB in blocks of [`BLOCK`] in 160 to
/// 220 ms, in blocks of this size in 65 to 85.
const MOST: u64 = 4 << 20;

/// A file of the user under the name it was given with.
pub(super) struct UserFile {
    name: String,
    blob: Blob,
}

impl UserFile {
    pub(super) fn new(name: String, blob: Blob) -> Self {
        Self { name, blob }
    }
}

impl InputFile for UserFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn n_bytes(&self) -> u64 {
        // Sizes are whole numbers below 2^53.
        self.blob.size() as u64
    }

    fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(BlobReader::new(self.blob.clone())?))
    }
}

/// Reads a file of the browser block by block.
pub(super) struct BlobReader {
    blob: Blob,
    reader: FileReaderSync,
    n_bytes: u64,
    at: u64,
    /// The block at hand, and where it begins.
    block: Vec<u8>,
    block_at: u64,
}

impl BlobReader {
    pub(super) fn new(blob: Blob) -> io::Result<Self> {
        let reader = FileReaderSync::new();
        Ok(Self {
            reader: reader.map_err(|error| io::Error::other(browser::text_of(&error)))?,
            n_bytes: blob.size() as u64,
            blob,
            at: 0,
            block: Vec::new(),
            block_at: 0,
        })
    }

    /// What the block at hand has from here on; reads the next one where that is nothing.
    fn at_hand(&mut self) -> io::Result<&[u8]> {
        let end = self.block_at + self.block.len() as u64;
        if self.at < self.block_at || self.at >= end {
            self.fetch()?;
        }
        let from = usize::try_from(self.at - self.block_at).unwrap_or(usize::MAX);
        Ok(self.block.get(from..).unwrap_or_default())
    }

    fn fetch(&mut self) -> io::Result<()> {
        let n_before = self.block.len() as u64;
        let goes_on = n_before > 0 && self.at == self.block_at + n_before;
        // After a jump they begin at multiples of their size, so that reading backwards hits them too.
        let (from, n) = match goes_on {
            true => (self.at, (2 * n_before).clamp(BLOCK, MOST)),
            false => (self.at / BLOCK * BLOCK, BLOCK),
        };
        let to = (from + n).min(self.n_bytes);
        let part = self.blob.slice_with_f64_and_f64(from as f64, to as f64);
        let buffer = part.and_then(|part| self.reader.read_as_array_buffer(&part));
        let buffer = buffer.map_err(|error| {
            let why = browser::text_of(&error);
            let what = "the file was changed, moved or deleted since it was chosen";
            io::Error::other(format!("{what} ({why}); choose it again"))
        })?;
        let bytes = Uint8Array::new(&buffer);
        if u64::from(bytes.length()) != to - from {
            let what = format!("{} of {} bytes came", bytes.length(), to - from);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
        }
        self.block.resize(bytes.length() as usize, 0);
        bytes.copy_to(&mut self.block);
        self.block_at = from;
        Ok(())
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.n_bytes {
            return Ok(0);
        }
        let there = self.at_hand()?;
        let n = there.len().min(buffer.len());
        buffer[..n].copy_from_slice(&there[..n]);
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.n_bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| {
            let what = "a place before the beginning of the file";
            io::Error::new(io::ErrorKind::InvalidInput, what)
        })?;
        Ok(self.at)
    }
}
