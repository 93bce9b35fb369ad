//! The archive that a DOCX is: its parts by name, and where the main one lies.

use std::io::{Cursor, Read as _};

use super::{
    MAX_BYTES,
    docx::{Seen, broken, see},
    docx_relations::Relations,
};
use crate::documents::DocumentError;

/// Largest size of all parts that are unpacked.
const MAX_UNPACKED: u64 = 256 << 20;

/// The document itself, where nothing says otherwise.
pub(super) const BODY: &str = "word/document.xml";

/// The archive, and how much more of it may be unpacked.
pub(super) struct Parts<'a> {
    name: &'a str,
    archive: zip::ZipArchive<Cursor<&'a [u8]>>,
    n_left: u64,
}

impl<'a> Parts<'a> {
    pub(super) fn open(name: &'a str, bytes: &'a [u8]) -> Result<Self, DocumentError> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(DocumentError::TooLarge {
                name: name.to_owned(),
                found: bytes.len() as u64,
                limit: MAX_BYTES,
            });
        }
        let archive = zip::ZipArchive::new(Cursor::new(bytes));
        Ok(Self {
            name,
            archive: archive.map_err(|error| broken(name, error.to_string()))?,
            n_left: MAX_UNPACKED,
        })
    }

    /// The path of the document itself.
    pub(super) fn main(&mut self) -> Result<String, DocumentError> {
        let mut known = Relations::of("");
        self.see("_rels/.rels", |seen| known.see(seen))?;
        // Sheets and slides have a main part too.
        let main = known.part("officeDocument");
        let main = main.filter(|path| !path.starts_with("xl/") && !path.starts_with("ppt/"));
        let is_there = |path: &&str| self.archive.index_for_name(path).is_some();
        Ok(main.filter(is_there).unwrap_or(BODY).to_owned())
    }

    /// What belongs to a part.
    pub(super) fn relations(&mut self, part: &str) -> Result<Relations, DocumentError> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let folder = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let mut known = Relations::of(&folder);
        self.see(&format!("{folder}_rels/{file}.rels"), |seen| {
            known.see(seen)
        })?;
        Ok(known)
    }

    pub(super) fn see(
        &mut self,
        part: &str,
        tell: impl FnMut(Seen<'_>),
    ) -> Result<(), DocumentError> {
        match self.unpacked(part)? {
            Some(xml) => see(self.name, &xml, tell),
            None => Ok(()),
        }
    }

    /// `None` where there is no such part.
    pub(super) fn unpacked(&mut self, part: &str) -> Result<Option<Vec<u8>>, DocumentError> {
        let (name, n_left) = (self.name, self.n_left);
        let too_large = |n_more: u64| DocumentError::TooLarge {
            name: name.to_owned(),
            found: (MAX_UNPACKED - n_left).saturating_add(n_more),
            limit: MAX_UNPACKED,
        };
        let part = match self.archive.by_name(part) {
            Ok(part) => part,
            Err(zip::result::ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(broken(name, error.to_string())),
        };
        if part.size() > n_left {
            return Err(too_large(part.size()));
        }
        let mut xml = Vec::new();
        // The size in the directory may lie.
        part.take(n_left + 1)
            .read_to_end(&mut xml)
            .map_err(|error| broken(name, error.to_string()))?;
        if xml.len() as u64 > n_left {
            return Err(too_large(xml.len() as u64));
        }
        self.n_left -= xml.len() as u64;
        Ok(Some(xml))
    }
}
