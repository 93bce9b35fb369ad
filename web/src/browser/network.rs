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
