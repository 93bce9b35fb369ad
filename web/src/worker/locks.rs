//! Locks that all tabs of this page see, so that two of them do not write the same file.

use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use veneer_core::protocol::tab::{Fault, FaultKind};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;

use super::browser;

/// Held until it is dropped.
pub(super) struct Lock {
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
    pub(super) fn none() -> Self {
        Self { release: None }
    }

    /// Takes a lock, or says that another tab has it. A browser without locks gives a lock that
    /// holds nothing: it has no second worker on the same files either.
    ///
    /// # Errors
    /// [`FaultKind::StoreBusy`] with the name of what is locked.
    pub(super) async fn take(key: &str, what: &str) -> Result<Self, Fault> {
        let navigator = browser::scope().navigator();
        let locks = Reflect::get(&navigator, &"locks".into()).unwrap_or(JsValue::UNDEFINED);
        let request = Reflect::get(&locks, &"request".into());
        let Ok(request) = request.and_then(JsCast::dyn_into::<Function>) else {
            return Ok(Self::none());
        };
        let mut release = None;
        let held = Promise::new(&mut |resolve, _| release = Some(resolve));
        let got = Rc::new(std::cell::Cell::new(false));
        let answered = Promise::new(&mut |resolve: Function, reject: Function| {
            let (held, got) = (held.clone(), got.clone());
            let granted = resolve.clone();
            let grant = Closure::once_into_js(move |lock: JsValue| -> JsValue {
                got.set(!lock.is_null());
                granted.call0(&JsValue::UNDEFINED).ok();
                if lock.is_null() {
                    JsValue::UNDEFINED
                } else {
                    held.into()
                }
            });
            let options = Object::new();
            Reflect::set(&options, &"ifAvailable".into(), &JsValue::TRUE).ok();
            let name = JsValue::from(format!("veneer-{key}"));
            match request.call3(&locks, &name, &options, &grant) {
                Ok(promise) => {
                    // A refused request (a page that is going away) ends the wait as well.
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
        match got.get() {
            true => Ok(Self { release }),
            false => Err(Fault::new(
                FaultKind::StoreBusy,
                format!("`{what}` is in use by another tab"),
            )),
        }
    }
}
