//! HTTP answers for the files of a site: types, parts of files, caching, isolation.
//!
//! Only addresses of the table are answered, so no path can lead out of it.

use std::{borrow::Cow, fs, path::Path, time::UNIX_EPOCH};

use anyhow::{Context as _, Result};
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header},
};
use sha2::{Digest as _, Sha256};

use super::Content;
use crate::model_run::map;

/// Something that can be asked for.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    content: Content,
    content_type: &'static str,
    is_immutable: bool,
    /// Of content that does not change; files are asked each time.
    etag: Option<String>,
}

impl Resource {
    pub(crate) fn new(address: &str, content: Content) -> Self {
        Self {
            content_type: content_type(address),
            is_immutable: is_named_by_hash(address),
            etag: match &content {
                Content::Bytes(bytes) => Some(hash(bytes)),
                Content::File(_) => None,
            },
            content,
        }
    }

    fn open(&self) -> Result<Opened> {
        match &self.content {
            Content::Bytes(bytes) => Ok(Opened {
                etag: self.etag.clone().unwrap_or_default(),
                bytes: match bytes {
                    Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                    Cow::Owned(bytes) => Bytes::copy_from_slice(bytes),
                },
            }),
            Content::File(path) => open_file(path),
        }
    }
}

struct Opened {
    bytes: Bytes,
    etag: String,
}

/// Files above this are mapped: models are sent without being read into memory first.
const MAPPED_FROM: u64 = 1 << 20;

fn open_file(path: &Path) -> Result<Opened> {
    let name = || format!("reading `{}`", path.display());
    let metadata = fs::metadata(path).with_context(name)?;
    let changed = metadata.modified().ok();
    let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let changed = changed.unwrap_or_default().as_nanos();
    let etag = format!("\"{:x}-{changed:x}\"", metadata.len());
    let bytes = if metadata.len() < MAPPED_FROM {
        Bytes::from(fs::read(path).with_context(name)?)
    } else {
        Bytes::from_owner(map(path)?)
    };
    Ok(Opened { bytes, etag })
}

/// The answer to one request; `None` is an address that is not in the table.
pub(crate) fn respond(
    resource: Option<&Resource>,
    method: &Method,
    asked: &HeaderMap,
) -> Response<Body> {
    let mut response = match resource {
        _ if method != Method::GET && method != Method::HEAD => {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            set(&mut response, header::ALLOW, "GET, HEAD");
            response
        }
        None => text(StatusCode::NOT_FOUND, "there is nothing at this address\n"),
        Some(resource) => match resource.open() {
            Ok(opened) => send(resource, opened, asked),
            Err(error) => text(StatusCode::NOT_FOUND, &format!("{error:#}\n")),
        },
    };
    // Shared memory and exact clocks in the page need isolation from other sites.
    set(
        &mut response,
        header::HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    set(
        &mut response,
        header::HeaderName::from_static("cross-origin-embedder-policy"),
        "require-corp",
    );
    set(
        &mut response,
        header::HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

/// A short answer in words.
pub(super) fn text(status: StatusCode, words: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(words.to_owned()));
    *response.status_mut() = status;
    set(
        &mut response,
        header::CONTENT_TYPE,
        "text/plain; charset=utf-8",
    );
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

fn send(resource: &Resource, opened: Opened, asked: &HeaderMap) -> Response<Body> {
    let Opened { bytes, etag } = opened;
    let len = bytes.len() as u64;
    if lists(asked.get(header::IF_NONE_MATCH), &etag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        describe(&mut response, resource, &etag);
        return response;
    }
    // A part of what was there before is of no use once the file has changed.
    let same = asked
        .get(header::IF_RANGE)
        .is_none_or(|tag| tag.as_bytes() == etag.as_bytes());
    let range = asked.get(header::RANGE).filter(|_| same);
    let span = range
        .and_then(|range| range.to_str().ok())
        .map_or(Span::Whole, |range| asked_span(range, len));
    let (status, body, said) = match span {
        Span::Whole => (StatusCode::OK, bytes, None),
        Span::Part { first, last } => (
            StatusCode::PARTIAL_CONTENT,
            // Both are below `len`, which is a length in memory.
            bytes.slice(first as usize..=last as usize),
            Some(format!("bytes {first}-{last}/{len}")),
        ),
        Span::Outside => (
            StatusCode::RANGE_NOT_SATISFIABLE,
            Bytes::new(),
            Some(format!("bytes */{len}")),
        ),
    };
    let n_bytes = body.len();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    describe(&mut response, resource, &etag);
    set(&mut response, header::CONTENT_TYPE, resource.content_type);
    set(&mut response, header::CONTENT_LENGTH, &n_bytes.to_string());
    if let Some(said) = said {
        set(&mut response, header::CONTENT_RANGE, &said);
    }
    response
}

fn describe(response: &mut Response<Body>, resource: &Resource, etag: &str) {
    set(response, header::ETAG, etag);
    set(response, header::ACCEPT_RANGES, "bytes");
    let caching = if resource.is_immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    set(response, header::CACHE_CONTROL, caching);
}

fn set(response: &mut Response<Body>, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Whether a header that lists entity tags names this one, or any.
fn lists(header: Option<&HeaderValue>, etag: &str) -> bool {
    let Some(tags) = header.and_then(|tags| tags.to_str().ok()) else {
        return false;
    };
    let mut tags = tags.split(',').map(str::trim);
    tags.any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

#[derive(Debug, PartialEq, Eq)]
enum Span {
    Whole,
    Part { first: u64, last: u64 },
    Outside,
}

/// What `Range` asks for. Several ranges, other units and nonsense are answered with the whole.
fn asked_span(range: &str, len: u64) -> Span {
    let Some((first, last)) = range
        .strip_prefix("bytes=")
        .and_then(|range| range.trim().split_once('-'))
    else {
        return Span::Whole;
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    match (first, last, number(first), number(last)) {
        ("", _, None, Some(0)) => Span::Outside,
        ("", _, None, Some(_)) if len == 0 => Span::Outside,
        ("", _, None, Some(n_last)) => Span::Part {
            first: len.saturating_sub(n_last),
            last: len - 1,
        },
        (_, _, Some(first), Some(last)) if last < first => Span::Whole,
        (_, "", Some(first), None) | (_, _, Some(first), Some(_)) if first >= len => Span::Outside,
        (_, "", Some(first), None) => Span::Part {
            first,
            last: len - 1,
        },
        (_, _, Some(first), Some(last)) => Span::Part {
            first,
            last: last.min(len - 1),
        },
        _ => Span::Whole,
    }
}

/// The type that browsers insist on, by the end of the name.
fn content_type(address: &str) -> &'static str {
    let end = address.rsplit_once('.').map_or("", |(_, end)| end);
    match end {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Trunk puts a hash into names (`app-0123456789abcdef.js`, `app-0123456789abcdef_bg.wasm`): what
/// they hold never changes.
fn is_named_by_hash(address: &str) -> bool {
    let name = address.rsplit('/').next().unwrap_or(address);
    let stem = name.split('.').next().unwrap_or(name);
    let mut words = stem.split(['-', '_']).skip(1);
    words.any(|word| word.len() >= 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let hex: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
    format!("\"{hex}\"")
}

/// The address that a request's path names, without the first slash and with `%xx` resolved.
pub(super) fn address_of(path: &str) -> Option<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push((high * 16 + low) as u8);
    }
    let mut address = String::from_utf8(bytes).ok()?;
    if address.is_empty() || address.ends_with('/') {
        address.push_str("index.html");
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_file() {
        let part = |first, last| Span::Part { first, last };
        for (range, expected) in [
            ("bytes=0-0", part(0, 0)),
            ("bytes=2-5", part(2, 5)),
            ("bytes=7-", part(7, 9)),
            ("bytes=7-99999999999999999999999", part(7, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-30", part(0, 9)),
            ("bytes=10-", Span::Outside),
            ("bytes=10-12", Span::Outside),
            ("bytes=-0", Span::Outside),
            ("bytes=5-2", Span::Whole),
            ("bytes=0-1,4-5", Span::Whole),
            ("bytes=-", Span::Whole),
            ("bytes=a-b", Span::Whole),
            ("bytes=+1-2", Span::Whole),
            ("lines=1-2", Span::Whole),
            ("", Span::Whole),
        ] {
            assert_eq!(asked_span(range, 10), expected, "{range}");
        }
        for range in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            assert_eq!(asked_span(range, 0), Span::Outside, "{range} of nothing");
        }
    }

    #[test]
    fn addresses_come_from_paths() {
        let is = |path: &str, address: &str| assert_eq!(address_of(path).unwrap(), address);
        is("/", "index.html");
        is("/demo/", "demo/index.html");
        is("/a%20b/%C3%B1.js", "a b/ñ.js");
        is("/../etc/passwd", "../etc/passwd"); // an address that no table has
        assert_eq!(address_of("/%"), None);
        assert_eq!(address_of("/%zz"), None);
        assert_eq!(address_of("/%ff"), None, "no UTF-8");
    }

    #[test]
    fn only_hashed_names_are_kept_for_ever() {
        for name in [
            "veneer-web-0123456789abcdef.js",
            "a/veneer-web-0123456789abcdef_bg.wasm",
            "style-0123456789abcdef.css",
        ] {
            assert!(is_named_by_hash(name), "{name}");
        }
        for name in [
            "index.html",
            "demo/models/demo-q8_0.gguf",
            "deadbeefdeadbeef.js",
        ] {
            assert!(!is_named_by_hash(name), "{name}");
        }
    }

    fn ask(headers: &[(header::HeaderName, &str)]) -> Response<Body> {
        let resource = Resource::new("a.wasm", Content::Bytes(Cow::Borrowed(b"0123456789")));
        let mut asked = HeaderMap::new();
        for (name, value) in headers {
            asked.insert(name, HeaderValue::from_str(value).unwrap());
        }
        respond(Some(&resource), &Method::GET, &asked)
    }

    fn said<'a>(response: &'a Response<Body>, name: &header::HeaderName) -> &'a str {
        response.headers().get(name).unwrap().to_str().unwrap()
    }

    #[test]
    fn what_was_seen_is_not_sent_again_and_changed_files_are_sent_whole() {
        let whole = ask(&[]);
        assert_eq!(whole.status(), StatusCode::OK);
        assert_eq!(said(&whole, &header::CONTENT_TYPE), "application/wasm");
        assert_eq!(said(&whole, &header::CONTENT_LENGTH), "10");
        let etag = said(&whole, &header::ETAG).to_owned();
        let again = ask(&[(header::IF_NONE_MATCH, &format!("\"x\", W/{etag}"))]);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let part = ask(&[(header::RANGE, "bytes=4-"), (header::IF_RANGE, &etag)]);
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(said(&part, &header::CONTENT_RANGE), "bytes 4-9/10");
        let changed = ask(&[(header::RANGE, "bytes=4-"), (header::IF_RANGE, "\"old\"")]);
        assert_eq!(changed.status(), StatusCode::OK);
        let outside = ask(&[(header::RANGE, "bytes=10-")]);
        assert_eq!(outside.status(), StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(said(&outside, &header::CONTENT_RANGE), "bytes */10");
    }

    #[test]
    fn other_methods_and_addresses_are_refused_in_isolation_too() {
        let none = respond(None, &Method::GET, &HeaderMap::new());
        assert_eq!(none.status(), StatusCode::NOT_FOUND);
        let post = respond(None, &Method::POST, &HeaderMap::new());
        assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
        let policy = header::HeaderName::from_static("cross-origin-embedder-policy");
        assert_eq!(said(&none, &policy), "require-corp");
    }
}
