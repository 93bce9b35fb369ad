//! The hash of a file, a piece at a time, each file once.

use std::{io::Read as _, rc::Rc};

use sha2::{Digest as _, Sha256};

use super::Incoming;
use crate::documents::{DocumentError, InputFile, ReadSeek};

const BYTES_A_STEP: usize = 1 << 20;

#[derive(Default)]
pub(super) struct Hashing {
    known: Vec<(Rc<dyn InputFile>, String)>,
    going_on: Option<(Sha256, Box<dyn ReadSeek>)>,
}

impl Hashing {
    /// The hash, once it is known.
    pub(super) fn advance(&mut self, of: &Incoming) -> Result<Option<String>, DocumentError> {
        let Some(file) = &of.file else {
            return Ok(Some(String::new()));
        };
        let same = |(known, _): &&(Rc<dyn InputFile>, String)| {
            std::ptr::addr_eq(Rc::as_ptr(known), Rc::as_ptr(file))
        };
        if let Some((_, hash)) = self.known.iter().find(same) {
            return Ok(Some(hash.clone()));
        }
        let failed = |source| DocumentError::Read {
            name: file.name().into(),
            source,
        };
        let (mut hash, mut source) = match self.going_on.take() {
            Some(going_on) => going_on,
            None => (Sha256::new(), file.open().map_err(failed)?),
        };
        let mut piece = Vec::new();
        let n_read = source
            .by_ref()
            .take(BYTES_A_STEP as u64)
            .read_to_end(&mut piece)
            .map_err(failed)?;
        hash.update(&piece);
        if n_read == BYTES_A_STEP {
            self.going_on = Some((hash, source));
            return Ok(None);
        }
        let hash: String = hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.known.push((Rc::clone(file), hash.clone()));
        Ok(Some(hash))
    }
}
