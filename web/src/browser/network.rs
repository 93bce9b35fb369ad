//! Addresses, fetched with patience.

use js_sys::{Reflect, Uint8Array};
use veneer_core::protocol::tab::{Fault, FaultKind};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Headers, ReadableStreamDefaultReader, RequestInit, Response};

use super::{Patience, scope, settled, text_of};
use crate::state::download::{Answered, begin};

/// Gets a small file as bytes; `None` where the server has none.
pub(crate) async fn fetch_if_there(
    url: &str,
    patience: &Patience,
) -> Result<Option<Vec<u8>>, Fault> {
    let response = ask(url, None, patience).await?;
    if response.status() == 404 {
        return Ok(None);
    }
    begin(url, None, None, &answered(&response))?;
    let buffer = response
        .array_buffer()
        .map_err(|error| broken(url, &error, patience))?;
    let buffer: JsValue = settled(buffer)
        .await
        .map_err(|error| broken(url, &error, patience))?;
    Ok(Some(Uint8Array::new(&buffer).to_vec()))
}

/// The first bytes of a file, and how many it has.
pub(crate) struct FileHead {
    pub(crate) bytes: Vec<u8>,
    pub(crate) n_bytes: u64,
}

/// Gets at most so many bytes from the beginning of a file. A server that sends the whole file anyway
/// is cut off there.
pub(crate) async fn fetch_head(
    url: &str,
    n_bytes: u64,
    patience: &Patience,
) -> Result<FileHead, Fault> {
    let range = format!("bytes=0-{}", n_bytes.saturating_sub(1));
    let response = ask(url, Some(range), patience).await?;
    let said = answered(&response);
    if !response.ok() {
        let detail = format!("`{url}` answered with {}", said.status);
        return Err(Fault::new(FaultKind::Network, detail));
    }
    let mut body = Body::of(&response, url)?;
    let mut bytes = Vec::new();
    let mut is_whole = false;
    while (bytes.len() as u64) < n_bytes {
        let Some(chunk) = body.next(patience).await? else {
            is_whole = true;
            break;
        };
        bytes.extend(chunk.to_vec());
        patience.go_on()?;
    }
    let range_total = said.content_range.as_deref();
    let range_total = range_total.and_then(|range| range.rsplit_once('/')?.1.parse().ok());
    let is_part = said.status == 206;
    let n_have = bytes.len() as u64;
    let n_bytes = match range_total {
        Some(total) if is_part => total,
        // A part that ended is all there is, as far as this server tells.
        _ if is_whole => n_have,
        _ => said.content_length.unwrap_or(n_have).max(n_have),
    };
    Ok(FileHead { bytes, n_bytes })
}

/// Asks for a file, or for a range of its bytes.
pub(crate) async fn ask(
    url: &str,
    range: Option<String>,
    patience: &Patience,
) -> Result<Response, Fault> {
    let init = RequestInit::new();
    init.set_signal(patience.signal().as_ref());
    let headers = Headers::new().map_err(|error| broken(url, &error, patience))?;
    if let Some(range) = range {
        let set = headers.set("Range", &range);
        set.map_err(|error| broken(url, &error, patience))?;
    }
    init.set_headers(&headers);
    let promise = scope().fetch_with_str_and_init(url, &init);
    settled(promise)
        .await
        .map_err(|error| broken(url, &error, patience))
}

/// What the server said about it.
pub(crate) fn answered(response: &Response) -> Answered {
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
pub(crate) struct Body {
    reader: ReadableStreamDefaultReader,
    url: String,
}

impl Body {
    pub(crate) fn of(response: &Response, url: &str) -> Result<Self, Fault> {
        let empty = || Fault::new(FaultKind::Network, format!("`{url}` answered with nothing"));
        let stream = response.body().ok_or_else(empty)?;
        Ok(Self {
            reader: stream.get_reader().unchecked_into(),
            url: url.to_owned(),
        })
    }

    pub(crate) async fn next(&mut self, patience: &Patience) -> Result<Option<Uint8Array>, Fault> {
        let step: JsValue = settled(self.reader.read())
            .await
            .map_err(|error| broken(&self.url, &error, patience))?;
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
pub(crate) fn broken(url: &str, error: &JsValue, patience: &Patience) -> Fault {
    match patience.go_on() {
        Err(cancelled) => cancelled,
        Ok(()) => Fault::new(FaultKind::Network, format!("`{url}`: {}", text_of(error))),
    }
}
