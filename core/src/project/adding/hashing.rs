//! The hash of a file, a piece at a time while its rows are read, each file once.

use std::{io::Read as _, rc::Rc};

use sha2::{Digest as _, Sha256};

use crate::{
    documents::{DocumentError, InputFile, ReadSeek},
    project::hash::hex,
};

const BYTES_A_STEP: usize = 1 << 20;

#[derive(Default)]
pub(super) struct Hashing {
    known: Vec<(Rc<dyn InputFile>, String)>,
    going_on: Option<(Sha256, Box<dyn ReadSeek>)>,
}

/// Bytes that were read and are not in the hash yet.
pub(super) struct Piece<'a> {
    hash: &'a mut Sha256,
    bytes: Vec<u8>,
}

impl Piece<'_> {
    pub(super) fn add(self) {
        self.hash.update(&self.bytes);
    }
}

impl Hashing {
    /// The hash, once it is known.
    pub(super) fn known(&self, of: &Rc<dyn InputFile>) -> Option<&str> {
        let same = |(known, _): &&(Rc<dyn InputFile>, String)| {
            std::ptr::addr_eq(Rc::as_ptr(known), Rc::as_ptr(of))
        };
        let found = self.known.iter().find(same);
        found.map(|(_, hash)| hash.as_str())
    }

    /// The next bytes of the one file that is being read; `None` once its hash is known.
    pub(super) fn piece(
        &mut self,
        of: &Rc<dyn InputFile>,
    ) -> Result<Option<Piece<'_>>, DocumentError> {
        if self.known(of).is_some() {
            return Ok(None);
        }
        let failed = |source| DocumentError::Read {
            name: of.name().into(),
            source,
        };
        let (hash, mut source) = match self.going_on.take() {
            Some(going_on) => going_on,
            None => (Sha256::new(), of.open().map_err(failed)?),
        };
        let mut bytes = Vec::new();
        let mut piece = source.by_ref().take(BYTES_A_STEP as u64);
        piece.read_to_end(&mut bytes).map_err(failed)?;
        if bytes.is_empty() {
            self.known.push((Rc::clone(of), hex(&hash.finalize())));
            return Ok(None);
        }
        let (hash, _) = self.going_on.insert((hash, source));
        Ok(Some(Piece { hash, bytes }))
    }
}
