//! Downloads that go on where they were cut off, and are compared with what was promised.

use js_sys::{Array, Reflect, Uint8Array};
use sha2::{Digest, Sha256};
use veneer_core::protocol::tab::{Fault, FaultKind, RemoteFile, Stage};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, Headers, ReadableStreamDefaultReader, RequestInit, Response};

use super::{
    browser,
    store::{Part, Store},
    voice::Voice,
};
use crate::state::{
    download::{Answered, Begin, PartNote, begin, check_hash, end, range},
    manifest::{StoredFile, hex, part_name},
};

/// How often a connection that breaks in the middle is taken up again.
const TRIES: usize = 3;

/// A file that arrived whole.
pub(super) struct Fetched {
    pub(super) blob: Blob,
    pub(super) stored: StoredFile,
    /// Why it is only in memory.
    pub(super) not_kept: Option<Fault>,
}

/// Gets a file, from the store where it lies there already.
pub(super) async fn fetch(
    store: &Store,
    remote: &RemoteFile,
    voice: &Voice,
) -> Result<Fetched, Fault> {
    if let Some(found) = in_store(store, remote).await {
        return Ok(found);
    }
    let full = match (store.room().await, remote.bytes) {
        (Some(room), Some(bytes)) if room < bytes => Some(Fault::new(
            FaultKind::StorageFull,
            format!(
                "`{}` has {bytes} bytes, the browser has room for {room}",
                remote.name
            ),
        )),
        _ => None,
    };
    let reason = match (store.is_available(), full) {
        (false, _) => None,
        (true, Some(full)) => Some(full),
        (true, None) => match into_store(store, remote, voice).await {
            Err(fault) if fault.kind == FaultKind::StorageFull => Some(fault),
            done => return done,
        },
    };
    into_memory(remote, voice, reason).await
}

/// Gets a small file as bytes; `None` where the server has none.
pub(super) async fn fetch_if_there(url: &str, voice: &Voice) -> Result<Option<Vec<u8>>, Fault> {
    let response = ask(url, None, voice).await?;
    if response.status() == 404 {
        return Ok(None);
    }
    begin(url, None, None, &answered(&response))?;
    let buffer = response
        .array_buffer()
        .map_err(|error| broken(url, &error, voice))?;
    let buffer: JsValue = browser::settled(buffer)
        .await
        .map_err(|error| broken(url, &error, voice))?;
    Ok(Some(Uint8Array::new(&buffer).to_vec()))
}

async fn in_store(store: &Store, remote: &RemoteFile) -> Option<Fetched> {
    let stored = StoredFile {
        name: remote.name.clone(),
        sha256: remote.sha256.clone()?,
        bytes: remote.bytes?,
        url: Some(remote.url.clone()),
    };
    let blob = store.file(&stored).await.ok()?;
    Some(Fetched {
        blob,
        stored,
        not_kept: None,
    })
}

async fn into_store(store: &Store, remote: &RemoteFile, voice: &Voice) -> Result<Fetched, Fault> {
    let mut part = store.part(&part_name(&remote.url)).await?;
    let mut tries = 0;
    let hash = loop {
        let before = part.n_bytes();
        match go_on(&mut part, remote, voice).await {
            Ok(hash) => break hash,
            Err(fault) if fault.kind == FaultKind::Network && part.n_bytes() > before => {
                tries += 1;
                voice.go_on()?;
                if tries == TRIES {
                    return Err(fault);
                }
            }
            Err(fault) if fault.kind == FaultKind::Checksum => {
                part.remove().await;
                return Err(fault);
            }
            Err(fault) => return Err(fault),
        }
    };
    let sha256 = hex(&hash.finalize());
    if let Err(fault) = check_hash(&remote.name, remote.sha256.as_deref(), &sha256) {
        part.remove().await;
        return Err(fault);
    }
    let stored = stored(remote, &sha256, part.n_bytes());
    Ok(Fetched {
        blob: store.adopt(part, &sha256).await?,
        stored,
        not_kept: None,
    })
}

/// One connection: asks for what is missing and writes it.
async fn go_on(part: &mut Part, remote: &RemoteFile, voice: &Voice) -> Result<Sha256, Fault> {
    let mut note = part.note().await.filter(|note| note.url == remote.url);
    if note.is_none() {
        part.clear()?;
    }
    loop {
        let n_have = part.n_bytes();
        let response = ask(&remote.url, range(n_have), voice).await?;
        let have = note
            .as_ref()
            .map(|note| (note, n_have))
            .filter(|_| n_have > 0);
        match begin(&remote.url, have, remote.bytes, &answered(&response))? {
            Begin::Whole => return part.hash(&remote.name, voice).await,
            Begin::AskAgain if n_have == 0 => {
                let detail = format!("`{}` answers with parts that nobody asked for", remote.url);
                return Err(Fault::new(FaultKind::Network, detail));
            }
            Begin::AskAgain => {
                part.clear()?;
                note = None;
            }
            Begin::Write { from, note } => {
                if from == 0 {
                    part.clear()?;
                }
                part.set_note(&note).await?;
                let hash = part.hash(&remote.name, voice).await?;
                return read_body(&response, &note, part, (hash, remote, voice)).await;
            }
        }
    }
}

async fn read_body(
    response: &Response,
    note: &PartNote,
    part: &mut Part,
    (mut hash, remote, voice): (Sha256, &RemoteFile, &Voice),
) -> Result<Sha256, Fault> {
    let mut body = Body::of(response, &remote.url)?;
    while let Some(chunk) = body.next(voice).await? {
        hash.update(chunk.to_vec());
        part.append(&chunk)?;
        let total = note.total.unwrap_or(0);
        voice.progress(Stage::Downloading, &remote.name, part.n_bytes(), total);
        voice.go_on()?;
    }
    end(note, part.n_bytes())?;
    Ok(hash)
}

/// For browsers without a store: the bytes stay with the browser, not in the memory of wasm.
async fn into_memory(
    remote: &RemoteFile,
    voice: &Voice,
    not_kept: Option<Fault>,
) -> Result<Fetched, Fault> {
    let response = ask(&remote.url, None, voice).await?;
    let begun = begin(&remote.url, None, remote.bytes, &answered(&response))?;
    let Begin::Write { note, .. } = begun else {
        let detail = format!("`{}` did not send the whole file", remote.url);
        return Err(Fault::new(FaultKind::Network, detail));
    };
    let (chunks, mut n_bytes, mut hash) = (Array::new(), 0, Sha256::new());
    let mut body = Body::of(&response, &remote.url)?;
    while let Some(chunk) = body.next(voice).await? {
        hash.update(chunk.to_vec());
        n_bytes += u64::from(chunk.length());
        chunks.push(&chunk);
        let total = note.total.unwrap_or(0);
        voice.progress(Stage::Downloading, &remote.name, n_bytes, total);
        voice.go_on()?;
    }
    end(&note, n_bytes)?;
    let sha256 = hex(&hash.finalize());
    check_hash(&remote.name, remote.sha256.as_deref(), &sha256)?;
    let blob = Blob::new_with_u8_array_sequence(&chunks);
    Ok(Fetched {
        blob: blob.map_err(|error| broken(&remote.url, &error, voice))?,
        stored: stored(remote, &sha256, n_bytes),
        not_kept,
    })
}

fn stored(remote: &RemoteFile, sha256: &str, bytes: u64) -> StoredFile {
    StoredFile {
        name: remote.name.clone(),
        sha256: sha256.to_owned(),
        bytes,
        url: Some(remote.url.clone()),
    }
}

async fn ask(url: &str, range: Option<String>, voice: &Voice) -> Result<Response, Fault> {
    let init = RequestInit::new();
    init.set_signal(voice.signal().as_ref());
    let headers = Headers::new().map_err(|error| broken(url, &error, voice))?;
    if let Some(range) = range {
        let set = headers.set("Range", &range);
        set.map_err(|error| broken(url, &error, voice))?;
    }
    init.set_headers(&headers);
    let promise = browser::scope().fetch_with_str_and_init(url, &init);
    browser::settled(promise)
        .await
        .map_err(|error| broken(url, &error, voice))
}

fn answered(response: &Response) -> Answered {
    let headers = response.headers();
    // A header that the server does not show to this origin reads as absent.
    let header = |name: &str| headers.get(name).ok().flatten();
    Answered {
        status: response.status(),
        etag: header("etag"),
        content_length: header("content-length").and_then(|length| length.parse().ok()),
        content_range: header("content-range"),
        is_encoded: header("content-encoding").is_some(),
    }
}

/// The chunks of a response.
struct Body {
    reader: ReadableStreamDefaultReader,
    url: String,
}

impl Body {
    fn of(response: &Response, url: &str) -> Result<Self, Fault> {
        let empty = || Fault::new(FaultKind::Network, format!("`{url}` answered with nothing"));
        let stream = response.body().ok_or_else(empty)?;
        Ok(Self {
            reader: stream.get_reader().unchecked_into(),
            url: url.to_owned(),
        })
    }

    async fn next(&mut self, voice: &Voice) -> Result<Option<Uint8Array>, Fault> {
        let step: JsValue = browser::settled(self.reader.read())
            .await
            .map_err(|error| broken(&self.url, &error, voice))?;
        let field = |name: &str| Reflect::get(&step, &name.into()).unwrap_or(JsValue::UNDEFINED);
        if field("done").is_truthy() {
            return Ok(None);
        }
        Ok(field("value").dyn_into().ok())
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        // Ends the connection where the body was not read to its end; how that goes is all the same.
        let ended = self.reader.cancel();
        spawn_local(async move {
            JsFuture::from(ended).await.ok();
        });
    }
}

/// A connection that failed, or was cut off by the user.
fn broken(url: &str, error: &JsValue, voice: &Voice) -> Fault {
    match voice.go_on() {
        Err(cancelled) => cancelled,
        Ok(()) => Fault::new(
            FaultKind::Network,
            format!("`{url}`: {}", browser::text_of(error)),
        ),
    }
}
