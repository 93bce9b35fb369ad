//! Locks that all tabs of this page see, so that two of them do not write the same file.
//!
//! The browser gives a lock back when its worker ends, however it ends.

use std::{cell::Cell, rc::Rc};

use js_sys::{Array, Function, Object, Promise, Reflect};
use veneer_core::protocol::tab::{Fault, FaultKind};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use super::{scope, settled};

/// Held until it is dropped.
pub(crate) struct Lock {
    release: Option<Function>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = &self.release {
            // Settling a promise cannot fail.
            release.call0(&JsValue::UNDEFINED).ok();
        }
    }
}

impl Lock {
    /// Locks nothing.
    pub(crate) fn none() -> Self {
        Self { release: None }
    }

    /// Takes a lock, or says that another tab has it. A browser without locks gives a lock that
    /// holds nothing: it has no second worker on the same files either.
    ///
    /// # Errors
    /// [`FaultKind::StoreBusy`] with the name of what is locked.
    pub(crate) async fn take(key: &str, what: &str) -> Result<Self, Fault> {
        let lock = request(key, &[("ifAvailable", JsValue::TRUE)]).await;
        lock.ok_or_else(|| {
            Fault::new(
                FaultKind::StoreBusy,
                format!("`{what}` is in use by another tab"),
            )
        })
    }

    /// Waits for another tab to give a lock up, for at most so long.
    pub(crate) async fn wait(key: &str, ms: u32) -> Option<Self> {
        let signal = AbortSignal::timeout_with_u32(ms).into();
        request(key, &[("signal", signal)]).await
    }
}

/// Keys that begin so and that some tab holds now.
pub(crate) async fn held(beginning: &str) -> Vec<String> {
    let Some((manager, query)) = function("query") else {
        return Vec::new();
    };
    let Ok(promise) = query.call0(&manager) else {
        return Vec::new();
    };
    let snapshot = settled::<JsValue>(promise.unchecked_into()).await;
    let field = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).ok();
    let held = snapshot.ok().and_then(|snapshot| field(&snapshot, "held"));
    let held = held.and_then(|held| held.dyn_into::<Array>().ok());
    let beginning = named(beginning);
    let names = held.into_iter().flat_map(|held| held.to_vec());
    let names = names.filter_map(|lock| field(&lock, "name")?.as_string());
    names
        .filter_map(|name| Some(name.strip_prefix(&beginning)?.to_owned()))
        .collect()
}

/// The name of a lock among those of everything else that this address may serve.
fn named(key: &str) -> String {
    format!("veneer-{key}")
}

/// A function of the browser's locks, with what it is a function of.
fn function(name: &str) -> Option<(JsValue, Function)> {
    let locks = Reflect::get(&scope().navigator(), &"locks".into()).ok()?;
    let function = Reflect::get(&locks, &name.into()).ok()?.dyn_into().ok()?;
    Some((locks, function))
}

async fn request(key: &str, options: &[(&str, JsValue)]) -> Option<Lock> {
    let Some((locks, request)) = function("request") else {
        return Some(Lock::none());
    };
    let given = Object::new();
    for (name, value) in options {
        Reflect::set(&given, &JsValue::from(*name), value).ok();
    }
    let mut release = None;
    let held = Promise::new(&mut |resolve, _| release = Some(resolve));
    let got = Rc::new(Cell::new(false));
    let answered = Promise::new(&mut |resolve: Function, reject: Function| {
        let grant = granting(&held, &got, resolve.clone());
        match request.call3(&locks, &JsValue::from(named(key)), &given, &grant) {
            Ok(promise) => {
                // A refused request (time is over, the page is going away) ends the wait as well.
                let refused = Closure::once_into_js(move |error: JsValue| {
                    reject.call1(&JsValue::UNDEFINED, &error).ok();
                });
                let then = Reflect::get(&promise, &"catch".into());
                if let Ok(then) = then.and_then(JsCast::dyn_into::<Function>) {
                    then.call1(&promise, &refused).ok();
                }
            }
            Err(_) => {
                resolve.call0(&JsValue::UNDEFINED).ok();
            }
        }
    });
    JsFuture::from(answered).await.ok();
    got.get().then_some(Lock { release })
}

/// What the browser calls with the lock, or with null where it is not available. It keeps the lock
/// until the promise that this returns is settled.
fn granting(held: &Promise, got: &Rc<Cell<bool>>, resolve: Function) -> JsValue {
    let (held, got) = (held.clone(), got.clone());
    Closure::once_into_js(move |lock: JsValue| -> JsValue {
        got.set(!lock.is_null());
        resolve.call0(&JsValue::UNDEFINED).ok();
        if lock.is_null() {
            JsValue::UNDEFINED
        } else {
            held.into()
        }
    })
}
