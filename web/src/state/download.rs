//! How a download begins, goes on and ends.
//!
//! What arrived lies in a `.part` file; a note beside it says what it is a part of. Whether it can go
//! on is decided when the server has answered, from its status and headers.

use serde::{Deserialize, Serialize};
use veneer_core::protocol::tab::{Fault, FaultKind};

/// What is kept beside a `.part` file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartNote {
    pub url: String,
    /// The server's name of this version of the file.
    pub etag: Option<String>,
    pub total: Option<u64>,
}

/// What a server answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    pub etag: Option<String>,
    pub content_length: Option<u64>,
    pub content_range: Option<String>,
    /// Whether the body was compressed on the way, so that its length says nothing.
    pub is_encoded: bool,
}

/// What to do with the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// Write from here on; `from` is 0 or the length of the part.
    Write { from: u64, note: PartNote },
    /// Nothing is missing.
    Whole,
    /// The part belongs to another version: throw it away and ask for everything.
    AskAgain,
}

/// The `Range` to ask for, where something is there already.
pub fn range(n_have: u64) -> Option<String> {
    (n_have > 0).then(|| format!("bytes={n_have}-"))
}

/// Decides what the answer means.
///
/// # Errors
/// When the server refused, or the size is another than the expected one.
pub fn begin(
    url: &str,
    have: Option<(&PartNote, u64)>,
    expected_bytes: Option<u64>,
    answered: &Answered,
) -> Result<Begin, Fault> {
    let n_have = have.map_or(0, |(_, n)| n);
    let total = match answered.status {
        206 => {
            let Some((from, total)) = answered.content_range.as_deref().and_then(parse_range)
            else {
                // A page of another origin sees the header only where the server allows it.
                return resume_blindly(url, have, expected_bytes, answered);
            };
            if from != n_have {
                return Ok(Begin::AskAgain);
            }
            total
        }
        200 => answered.content_length.filter(|_| !answered.is_encoded),
        416 => return Ok(after_end(n_have, expected_bytes, answered)),
        status => return Err(refused(url, status)),
    };
    if let (Some(expected), Some(total)) = (expected_bytes, total)
        && expected != total
    {
        return Err(Fault::new(
            FaultKind::Checksum,
            format!("`{url}` has {total} bytes, expected {expected}"),
        ));
    }
    let note = PartNote {
        url: url.to_owned(),
        etag: answered.etag.clone(),
        total: total.or(expected_bytes),
    };
    if answered.status == 200 {
        return Ok(Begin::Write { from: 0, note });
    }
    let same = have.is_some_and(|(old, _)| is_same_version(old, &note));
    Ok(match same {
        true => Begin::Write { from: n_have, note },
        false => Begin::AskAgain,
    })
}

/// The end of a body: whether all of it arrived.
///
/// # Errors
/// Says how much is missing; what arrived can go on.
pub fn end(note: &PartNote, n_have: u64) -> Result<(), Fault> {
    match note.total {
        Some(total) if n_have < total => Err(Fault::new(
            FaultKind::Network,
            format!(
                "the connection ended after {n_have} of {total} bytes of `{}`",
                note.url
            ),
        )),
        Some(total) if n_have > total => Err(Fault::new(
            FaultKind::Checksum,
            format!("{n_have} bytes of `{}` arrived, expected {total}", note.url),
        )),
        _ => Ok(()),
    }
}

/// Compares hashes in hexadecimal digits.
///
/// # Errors
/// Names both.
pub fn check_hash(name: &str, expected: Option<&str>, found: &str) -> Result<(), Fault> {
    match expected {
        Some(expected) if !expected.eq_ignore_ascii_case(found) => Err(Fault::new(
            FaultKind::Checksum,
            format!("`{name}` has the SHA-256 {found}, expected {expected}"),
        )),
        _ => Ok(()),
    }
}

/// An address with the hash that the user put behind it.
pub fn split_hash(address: &str) -> (&str, Option<String>) {
    let Some((url, fragment)) = address.split_once('#') else {
        return (address, None);
    };
    let hash = fragment
        .strip_prefix("sha256=")
        .map(str::to_ascii_lowercase);
    (
        url,
        hash.filter(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit())),
    )
}

/// Where the files of a typed address lie: a file, or a folder with a slash at its end. A page of a
/// model on the Hugging Face Hub means the files of its main branch.
///
/// # Errors
/// When it is no address of the web.
pub fn place(address: &str) -> Result<Place, Fault> {
    let (address, sha256) = split_hash(address.trim());
    let scheme = |scheme: &str| address.len() > scheme.len() && address[..].starts_with(scheme);
    if !scheme("https://") && !scheme("http://") {
        let detail = format!("`{address}` is no address, expected one that begins with https://");
        return Err(Fault::new(FaultKind::Network, detail));
    }
    let (path, query) = match address.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (address, String::new()),
    };
    if path.to_ascii_lowercase().ends_with(".gguf") {
        let url = format!("{}{query}", path.replacen("/blob/", "/resolve/", 1));
        return Ok(Place::File { url, sha256 });
    }
    let mut url = path.trim_end_matches('/').to_owned();
    if let Some(rest) = url.strip_prefix("https://huggingface.co/") {
        match rest.split('/').collect::<Vec<_>>()[..] {
            [_, _] => url.push_str("/resolve/main"),
            [_, _, "tree", ..] => url = url.replacen("/tree/", "/resolve/", 1),
            _ => {}
        }
    }
    url.push('/');
    Ok(Place::Folder { url })
}

/// What an address means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    File { url: String, sha256: Option<String> },
    Folder { url: String },
}

/// Without the header the length of the rest has to fit what is known.
fn resume_blindly(
    url: &str,
    have: Option<(&PartNote, u64)>,
    expected_bytes: Option<u64>,
    answered: &Answered,
) -> Result<Begin, Fault> {
    let Some((note, n_have)) = have else {
        return Err(refused(url, answered.status));
    };
    let fits = match (expected_bytes.or(note.total), answered.content_length) {
        (Some(total), Some(rest)) => n_have.checked_add(rest) == Some(total),
        _ => false,
    };
    Ok(match fits {
        true => Begin::Write {
            from: n_have,
            note: note.clone(),
        },
        false => Begin::AskAgain,
    })
}

/// 416: nothing lies behind what is there.
fn after_end(n_have: u64, expected_bytes: Option<u64>, answered: &Answered) -> Begin {
    let told = answered.content_range.as_deref();
    let told = told.and_then(|range| range.strip_prefix("bytes */")?.parse().ok());
    match expected_bytes.or(told) {
        Some(total) if total == n_have && n_have > 0 => Begin::Whole,
        _ => Begin::AskAgain,
    }
}

/// `bytes 100-199/200` → (100, 200)
fn parse_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (from, _) = range.split_once('-')?;
    let total = match total {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    Some((from.parse().ok()?, total))
}

fn is_same_version(old: &PartNote, new: &PartNote) -> bool {
    let same_etag = match (&old.etag, &new.etag) {
        (Some(old), Some(new)) => old == new,
        _ => true,
    };
    same_etag && (old.total.is_none() || new.total.is_none() || old.total == new.total)
}

fn refused(url: &str, status: u16) -> Fault {
    let why = match status {
        401 | 403 => " (it is not public, or its terms have to be accepted first)",
        404 => " (there is no such file)",
        429 => " (too many requests)",
        _ => "",
    };
    Fault::new(
        FaultKind::Network,
        format!("the server answered {status}{why} for `{url}`"),
    )
}

#[cfg(test)]
mod tests;
