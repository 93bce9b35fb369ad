//! The web app: a chat that compares a model with its adapters, in a browser tab.
//!
//! Page and worker are one wasm module. [`state`] and [`texts`] are plain values with native tests;
//! `page` renders them, `worker` owns device, tokenizer and files.

pub mod state;
pub mod texts;

#[cfg(target_arch = "wasm32")]
#[expect(
    unreachable_pub,
    reason = "the macro of Leptos makes what it generates public"
)]
mod page;
#[cfg(target_arch = "wasm32")]
mod worker;

/// Starts whichever of the two this module was loaded as.
#[cfg(target_arch = "wasm32")]
pub fn start() {
    console_error_panic_hook::set_once();
    if web_sys::window().is_some() {
        page::start();
    } else {
        worker::start();
    }
}
