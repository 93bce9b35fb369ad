//! Files of the browser as bytes that core can read.
//!
//! A file that the user chose, one of the store and one that only lies in memory are all a `Blob`;
//! a worker reads parts of it without waiting.

use std::borrow::Cow;

use js_sys::Uint8Array;
use veneer_core::weights::{ByteSource, LoadError};
use web_sys::{Blob, FileReaderSync};

use super::browser;

/// A file of the browser.
#[derive(Debug, Clone)]
pub(super) struct BlobSource {
    blob: Blob,
    reader: FileReaderSync,
}

impl BlobSource {
    pub(super) fn new(blob: Blob) -> Result<Self, LoadError> {
        let reader = FileReaderSync::new().map_err(|error| failed(0, 0, &error))?;
        Ok(Self { blob, reader })
    }

    /// All of it, for small files.
    pub(super) fn whole(&self) -> Result<Vec<u8>, LoadError> {
        let n_bytes = usize::try_from(self.len()).unwrap_or(usize::MAX);
        self.read(0, n_bytes).map(Cow::into_owned)
    }
}

impl ByteSource for BlobSource {
    fn len(&self) -> u64 {
        // Sizes are whole numbers below 2^53.
        self.blob.size() as u64
    }

    fn read(&self, at: u64, n_bytes: usize) -> Result<Cow<'_, [u8]>, LoadError> {
        let end = at.checked_add(n_bytes as u64);
        let Some(end) = end.filter(|end| *end <= self.len()) else {
            return Err(LoadError::Read {
                at,
                n_bytes,
                reason: format!("it has {} bytes", self.len()),
            });
        };
        let part = self.blob.slice_with_f64_and_f64(at as f64, end as f64);
        let buffer = part.and_then(|part| self.reader.read_as_array_buffer(&part));
        let buffer = buffer.map_err(|error| failed(at, n_bytes, &error))?;
        let array = Uint8Array::new(&buffer);
        let mut bytes = Vec::new();
        // A tensor larger than what wasm can still hold is an error, not the end of the worker.
        bytes
            .try_reserve_exact(n_bytes)
            .map_err(|error| LoadError::Read {
                at,
                n_bytes,
                reason: error.to_string(),
            })?;
        bytes.resize(n_bytes, 0);
        if array.length() as usize != n_bytes {
            return Err(LoadError::Read {
                at,
                n_bytes,
                reason: format!("{} bytes came", array.length()),
            });
        }
        array.copy_to(&mut bytes);
        Ok(Cow::Owned(bytes))
    }
}

fn failed(at: u64, n_bytes: usize, error: &wasm_bindgen::JsValue) -> LoadError {
    LoadError::Read {
        at,
        n_bytes,
        reason: browser::text_of(error),
    }
}
