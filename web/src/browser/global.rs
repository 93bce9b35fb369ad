//! The global objects of a worker, and its clock.

use js_sys::{Array, Function, Promise, Reflect};
use serde::de::DeserializeOwned;
use veneer_core::protocol::tab::{Fault, FaultKind};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, File, MessageChannel};

pub(crate) fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Milliseconds since the worker began.
pub(crate) fn now_ms() -> f64 {
    scope().performance().map_or(0.0, |clock| clock.now())
}

/// The text of an exception.
pub(crate) fn text_of(error: &JsValue) -> String {
    let message = Reflect::get(error, &"message".into()).ok();
    let message = message.and_then(|message| message.as_string());
    message
        .or_else(|| error.as_string())
        .unwrap_or_else(|| format!("{error:?}"))
}

/// The name of an exception, such as `QuotaExceededError`.
pub(crate) fn name_of(error: &JsValue) -> String {
    let name = Reflect::get(error, &"name".into()).ok();
    name.and_then(|name| name.as_string()).unwrap_or_default()
}

/// What a worker says before anything else, so that the page knows that it is heard.
pub(crate) const AWAKE: &str = "awake";

/// What the page said: a text, or a text followed by files.
///
/// # Errors
/// If the text is no message.
pub(crate) fn heard<T: DeserializeOwned>(data: &JsValue) -> Result<(T, Vec<File>), Fault> {
    let (text, files) = match data.dyn_ref::<Array>() {
        Some(list) => {
            let files = list.iter().skip(1).filter_map(|file| file.dyn_into().ok());
            (list.get(0).as_string(), files.collect())
        }
        None => (data.as_string(), Vec::new()),
    };
    let message = serde_json::from_str(&text.unwrap_or_default())
        .map_err(|error| Fault::new(FaultKind::Internal, format!("unreadable request: {error}")))?;
    Ok((message, files))
}

/// Waits for a promise and takes its value as a `T`.
pub(crate) async fn settled<T: JsCast>(promise: Promise) -> Result<T, JsValue> {
    Ok(JsFuture::from(promise).await?.unchecked_into())
}

/// Lets waiting messages in. A message to oneself comes back at once; timers would wait 4 ms.
pub(crate) async fn breathe() {
    let Ok(channel) = MessageChannel::new() else {
        return;
    };
    let arrived = Promise::new(&mut |resolve: Function, _| {
        let heard = Closure::once_into_js(move || {
            // A promise cannot refuse to be settled.
            resolve.call0(&JsValue::UNDEFINED).ok();
        });
        channel.port1().set_onmessage(Some(heard.unchecked_ref()));
    });
    if channel.port2().post_message(&JsValue::NULL).is_ok() {
        // Neither can it be rejected.
        JsFuture::from(arrived).await.ok();
    }
    channel.port1().close();
}

/// Waits. Timers of a worker run on while its tab is hidden, but more slowly.
pub(crate) async fn sleep(ms: i32) {
    let waited = Promise::new(&mut |resolve: Function, _| {
        let set = scope().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms);
        if set.is_err() {
            // Without timers nobody waits.
            resolve.call0(&JsValue::UNDEFINED).ok();
        }
    });
    // The promise is never rejected.
    JsFuture::from(waited).await.ok();
}
