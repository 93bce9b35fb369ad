//! Files as the caller gives them, and how far they have been read.

use std::{
    cell::Cell,
    io::{self, BufReader, Read, Seek, SeekFrom},
    rc::Rc,
};

use super::DocumentError;

/// A file that can be read more than once, wherever it lies.
pub trait InputFile {
    /// With the folders that it was given with.
    fn name(&self) -> &str;
    fn n_bytes(&self) -> u64;
    /// # Errors
    /// If it cannot be opened any more.
    fn open(&self) -> io::Result<Box<dyn ReadSeek>>;
}

pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// Share that was read, 0 to 1; written by whoever reads, shown by whoever waits.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress(Rc<Cell<f64>>);

impl Progress {
    pub(super) fn get(&self) -> f64 {
        self.0.get()
    }

    pub(super) fn set(&self, done: u64, all: u64) {
        let share = done as f64 / all.max(1) as f64;
        self.0.set(share.clamp(0.0, 1.0));
    }
}

/// A file read from its start, which says how far it is.
pub(super) struct Stream {
    source: Box<dyn ReadSeek>,
    progress: Progress,
    n_read: u64,
    n_bytes: u64,
}

impl Stream {
    pub(super) fn open(file: &dyn InputFile) -> Result<(Self, Progress), DocumentError> {
        let progress = Progress::default();
        let stream = Self {
            source: open(file)?,
            progress: progress.clone(),
            n_read: 0,
            n_bytes: file.n_bytes(),
        };
        Ok((stream, progress))
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.source.read(buffer)?;
        self.n_read += n as u64;
        self.progress.set(self.n_read, self.n_bytes);
        Ok(n)
    }
}

pub(super) fn open(file: &dyn InputFile) -> Result<Box<dyn ReadSeek>, DocumentError> {
    file.open()
        .map_err(|source| DocumentError::from_read(file.name(), source))
}

/// For formats that are read in many small pieces.
pub(super) fn open_buffered(
    file: &dyn InputFile,
) -> Result<BufReader<Box<dyn ReadSeek>>, DocumentError> {
    Ok(BufReader::with_capacity(1 << 16, open(file)?))
}

/// The first bytes, at most `n` of them.
pub(super) fn head(file: &dyn InputFile, n: u64) -> Result<Vec<u8>, DocumentError> {
    let mut bytes = Vec::new();
    let read = open(file)?.take(n).read_to_end(&mut bytes);
    read.map_err(|source| DocumentError::from_read(file.name(), source))?;
    Ok(bytes)
}

/// The last bytes, at most `n` of them.
pub(super) fn tail(file: &dyn InputFile, n: u64) -> Result<Vec<u8>, DocumentError> {
    let mut source = open(file)?;
    let mut bytes = Vec::new();
    let start = file.n_bytes().saturating_sub(n);
    let read = source
        .seek(SeekFrom::Start(start))
        .and_then(|_| source.take(n).read_to_end(&mut bytes));
    read.map_err(|source| DocumentError::from_read(file.name(), source))?;
    Ok(bytes)
}

/// A file in memory, for tests.
#[cfg(test)]
pub(super) struct Bytes {
    pub(super) name: String,
    pub(super) bytes: Rc<[u8]>,
}

#[cfg(test)]
impl Bytes {
    pub(super) fn of(name: &str, bytes: impl Into<Vec<u8>>) -> Rc<dyn InputFile> {
        Rc::new(Self {
            name: name.into(),
            bytes: bytes.into().into(),
        })
    }
}

#[cfg(test)]
impl InputFile for Bytes {
    fn name(&self) -> &str {
        &self.name
    }

    fn n_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(io::Cursor::new(Rc::clone(&self.bytes))))
    }
}
