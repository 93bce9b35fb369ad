//! Files that the page gives to the user.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Blob, HtmlAnchorElement, Url};

/// Has the browser save a file under a name.
pub(super) fn save(file: &Blob, name: &str) {
    let Ok(address) = Url::create_object_url_with_blob(file) else {
        return;
    };
    if let Ok(link) = document().create_element("a") {
        let link: HtmlAnchorElement = link.unchecked_into();
        link.set_href(&address);
        link.set_download(name);
        link.click();
    }
    // The browser has taken the bytes by then; an address that stays would keep them in memory.
    let forget = wasm_bindgen::closure::Closure::once_into_js(move || {
        Url::revoke_object_url(&address).ok();
    });
    leptos::prelude::window()
        .set_timeout_with_callback_and_timeout_and_arguments_0(forget.unchecked_ref(), 60_000)
        .ok();
}
