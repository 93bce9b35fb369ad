//! Zip files: what they would unpack to, before anything is unpacked.

use std::io::{self, Read, Seek};

use zip::ZipArchive;

use super::DocumentError;

/// Bytes that an archive may unpack to.
pub(super) const MAX_UNPACKED: u64 = 512 << 20;

/// Members that an archive may have.
const MAX_MEMBERS: usize = 20_000;

/// What unpacks to more than this many times its size, and to more than [`SMALL`], is a bomb.
const MAX_RATIO: u64 = 250;
const SMALL: u64 = 16 << 20;

/// The most that deflate can make of a byte.
const DEFLATE_RATIO: u64 = 1032;

/// Open an archive and compare what it says it holds with what is safe to unpack.
pub(super) fn open_zip<R: Read + Seek>(
    source: R,
    name: &str,
    n_bytes: u64,
) -> Result<ZipArchive<R>, DocumentError> {
    let mut zip = ZipArchive::new(source).map_err(|error| broken(name, &error))?;
    if zip.len() > MAX_MEMBERS {
        return Err(DocumentError::Unsupported {
            name: name.into(),
            reason: format!(
                "has {} members, at most {MAX_MEMBERS} are read; split the archive",
                zip.len()
            ),
        });
    }
    let too_large = |found, limit| DocumentError::TooLarge {
        name: name.into(),
        found,
        limit,
    };
    let (mut unpacked, mut packed) = (0_u64, 0_u64);
    for i in 0..zip.len() {
        let entry = zip.by_index_raw(i).map_err(|error| broken(name, &error))?;
        unpacked = unpacked.saturating_add(entry.size());
        packed = packed.saturating_add(entry.compressed_size());
    }
    if unpacked > MAX_UNPACKED {
        return Err(too_large(unpacked, MAX_UNPACKED));
    }
    // Members that overlap share their packed bytes: together they are larger than the file.
    let packed = packed.min(n_bytes).max(1);
    if unpacked > SMALL && unpacked / packed > MAX_RATIO {
        return Err(too_large(
            unpacked,
            packed.saturating_mul(MAX_RATIO).max(SMALL),
        ));
    }
    if packed.saturating_mul(DEFLATE_RATIO) > MAX_UNPACKED {
        check_claims(&mut zip, name)?;
    }
    Ok(zip)
}

/// Unpack everything once without keeping it: a member may hold more than it says.
fn check_claims<R: Read + Seek>(zip: &mut ZipArchive<R>, name: &str) -> Result<(), DocumentError> {
    for i in 0..zip.len() {
        // Encrypted members are refused where they are opened.
        let Ok(entry) = zip.by_index(i) else { continue };
        let claimed = entry.size();
        let found = io::copy(&mut entry.take(claimed + 1), &mut io::sink())
            .map_err(|source| DocumentError::from_read(name, source))?;
        if found > claimed {
            return Err(DocumentError::TooLarge {
                name: name.into(),
                found,
                limit: claimed,
            });
        }
    }
    Ok(())
}

pub(super) fn broken(name: &str, error: &zip::result::ZipError) -> DocumentError {
    DocumentError::Broken {
        name: name.into(),
        kind: "ZIP archive",
        detail: error.to_string(),
    }
}
