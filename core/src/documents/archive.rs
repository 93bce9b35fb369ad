//! Zip files: what they would unpack to, before anything is unpacked, and their members as files.
//!
//! Nothing is ever written, so that a name cannot lead anywhere; names that try are refused all the
//! same, for nobody makes them in good faith.

use std::{
    cell::RefCell,
    io::{self, BufReader, Cursor, Read, Seek},
    rc::Rc,
};

use encoding_rs::SHIFT_JIS;
use zip::{ZipArchive, read::ZipFile};

use super::{DocumentError, InputFile, ReadSeek, file::open_buffered};
use crate::protocol::studio::Phrase;

/// Bytes that an archive may unpack to.
pub(super) const MAX_UNPACKED: u64 = 512 << 20;

/// Members that an archive may have.
const MAX_MEMBERS: usize = 20_000;

/// What unpacks to more than this many times its size, and to more than [`SMALL`], is a bomb.
const MAX_RATIO: u64 = 250;
const SMALL: u64 = 16 << 20;

/// The most that deflate can make of a byte.
const DEFLATE_RATIO: u64 = 1032;

/// A folder in one file.
pub(super) struct Archive {
    name: String,
    zip: RefCell<Zip>,
    /// The member that was unpacked last: it is looked at several times in a row.
    last: RefCell<Option<(usize, Rc<[u8]>)>>,
}

type Zip = ZipArchive<BufReader<Box<dyn ReadSeek>>>;

/// A file in an archive.
struct Member {
    archive: Rc<Archive>,
    index: usize,
    name: String,
    n_bytes: u64,
}

/// A member, or why it is not read.
pub(super) struct Found {
    /// Behind the archive's own name.
    pub(super) name: String,
    pub(super) n_bytes: u64,
    pub(super) file: Result<Rc<dyn InputFile>, DocumentError>,
}

impl Archive {
    pub(super) fn open(file: &dyn InputFile) -> Result<Rc<Self>, DocumentError> {
        let zip = open_zip(open_buffered(file)?, file.name(), file.n_bytes())?;
        Ok(Rc::new(Self {
            name: file.name().into(),
            zip: RefCell::new(zip),
            last: RefCell::new(None),
        }))
    }

    /// All files but those that systems leave behind, in the order of the archive.
    pub(super) fn members(self: &Rc<Self>) -> Vec<Found> {
        let n_members = self.zip.borrow().len();
        (0..n_members).filter_map(|i| self.member(i)).collect()
    }

    fn member(self: &Rc<Self>, index: usize) -> Option<Found> {
        let mut zip = self.zip.borrow_mut();
        let entry = match zip.by_index_raw(index) {
            Ok(entry) => entry,
            Err(error) => {
                return Some(Found {
                    name: format!("{} › {}", self.name, index + 1),
                    n_bytes: 0,
                    file: Err(broken(&self.name, &error)),
                });
            }
        };
        let member = member_name(&entry);
        if entry.is_dir() || is_left_behind(&member) {
            return None;
        }
        let name = format!("{} › {member}", self.name);
        let n_bytes = entry.size();
        let refused = refusal(&entry, &member, &self.name);
        let file = refused.map_or_else(
            || {
                Ok(Rc::new(Member {
                    archive: Rc::clone(self),
                    index,
                    name: name.clone(),
                    n_bytes,
                }) as Rc<dyn InputFile>)
            },
            Err,
        );
        Some(Found {
            name,
            n_bytes,
            file,
        })
    }

    fn unpacked(&self, index: usize, name: &str) -> Result<Rc<[u8]>, DocumentError> {
        if let Some((last, bytes)) = &*self.last.borrow()
            && *last == index
        {
            return Ok(Rc::clone(bytes));
        }
        self.last.replace(None);
        let mut zip = self.zip.borrow_mut();
        let entry = zip.by_index(index).map_err(|error| broken(name, &error))?;
        let claimed = entry.size();
        let mut bytes = Vec::new();
        let read = entry.take(claimed + 1).read_to_end(&mut bytes);
        read.map_err(|source| damaged(name, &source))?;
        if bytes.len() as u64 != claimed {
            return Err(DocumentError::Broken {
                name: name.into(),
                kind: KIND,
                detail: format!("it holds {} bytes where {claimed} are said", bytes.len()),
            });
        }
        let bytes: Rc<[u8]> = bytes.into();
        self.last.replace(Some((index, Rc::clone(&bytes))));
        Ok(bytes)
    }
}

impl InputFile for Member {
    fn name(&self) -> &str {
        &self.name
    }

    fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        let bytes = self.archive.unpacked(self.index, &self.name);
        let bytes = bytes.map_err(io::Error::other)?;
        Ok(Box::new(Cursor::new(bytes)))
    }
}

fn refusal<R: Read>(entry: &ZipFile<'_, R>, member: &str, name: &str) -> Option<DocumentError> {
    let unsupported = |reason: Phrase| DocumentError::Unsupported {
        name: format!("{name} › {member}"),
        reason: reason.english().into(),
    };
    if leads_out(member) {
        Some(DocumentError::Traversal {
            name: name.into(),
            member: member.into(),
        })
    } else if entry.encrypted() {
        Some(unsupported(Phrase::MemberLocked))
    } else if entry.is_symlink() {
        Some(unsupported(Phrase::MemberIsLink))
    } else {
        None
    }
}

/// UTF-8; what is not is Shift_JIS, as Windows in Japanese writes it, before the DOS of old.
fn member_name<R: Read>(entry: &ZipFile<'_, R>) -> String {
    let raw = entry.name_raw();
    if let Ok(name) = std::str::from_utf8(raw) {
        return name.replace('\\', "/");
    }
    let (name, _, is_malformed) = SHIFT_JIS.decode(raw);
    if is_malformed {
        let name = entry.name().map(std::borrow::Cow::into_owned);
        name.unwrap_or_else(|_| String::from_utf8_lossy(raw).into_owned())
    } else {
        name.into_owned()
    }
}

fn leads_out(member: &str) -> bool {
    let has_drive = member.as_bytes().get(1) == Some(&b':');
    member.starts_with('/') || has_drive || member.split('/').any(|part| part == "..")
}

fn is_left_behind(member: &str) -> bool {
    let is_hidden = |part: &str| part.starts_with('.') && part != ".." && part != ".";
    member
        .split('/')
        .any(|part| is_hidden(part) || matches!(part, "__MACOSX" | "Thumbs.db" | "desktop.ini"))
}

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
            reason: Phrase::TooManyMembers.with([&zip.len(), &MAX_MEMBERS]),
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
            .map_err(|source| damaged(name, &source))?;
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
        kind: KIND,
        detail: error.to_string(),
    }
}

fn damaged(name: &str, error: &io::Error) -> DocumentError {
    DocumentError::Broken {
        name: name.into(),
        kind: KIND,
        detail: error.to_string(),
    }
}

const KIND: &str = Phrase::ZipArchive.english();
