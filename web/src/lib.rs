//! The web app: a chat that compares a model with its adapters, in a browser tab.
//!
//! Page and worker are one wasm module. [`state`] and [`texts`] are plain values with native tests;
//! `page` renders them, `worker` owns device, tokenizer and files.

pub mod state;
pub mod texts;

#[cfg(target_arch = "wasm32")]
#[cfg_attr(
    not(all(feature = "page", feature = "studio")),
    expect(dead_code, reason = "each of the two workers needs a part of it")
)]
mod browser;
#[cfg(target_arch = "wasm32")]
mod faults;
#[cfg(all(target_arch = "wasm32", feature = "page"))]
#[expect(
    unreachable_pub,
    reason = "the macro of Leptos makes what it generates public"
)]
mod page;
#[cfg(all(target_arch = "wasm32", feature = "studio"))]
mod studio;
#[cfg(all(target_arch = "wasm32", feature = "page"))]
mod worker;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static MEMORY: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// Starts whichever of the two this module was loaded as.
#[cfg(all(target_arch = "wasm32", feature = "page"))]
pub fn start() {
    console_error_panic_hook::set_once();
    if web_sys::window().is_some() {
        page::start();
    } else {
        worker::start();
    }
}

/// Starts the studio's worker.
#[cfg(all(target_arch = "wasm32", feature = "studio"))]
pub fn start_studio() {
    console_error_panic_hook::set_once();
    studio::start();
}
