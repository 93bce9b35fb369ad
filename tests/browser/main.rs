//! The real page in a real browser.
//!
//! Chromium runs headless with WebGPU on a software adapter: right answers, no speed. The page is
//! `web/dist`, as `cargo xtask web` builds it; what it answers is compared with the real binary.
//! Belongs to the package of the binary, so that cargo builds it first.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed"
)]

mod answers;
mod app;
mod bad_input;
mod base64;
mod bench;
mod chat_keys;
mod chromium;
mod device;
mod devtools;
mod driver;
mod keyboard;
mod look;
mod page;
mod patched;
mod server;
mod storage;
mod studio;
