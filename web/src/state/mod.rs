//! What page and worker decide, without a browser: plain values with tests.

pub mod adapter;
pub mod chat;
pub mod columns;
pub mod diff;
pub mod download;
pub mod files;
pub mod lanes;
pub mod manifest;
pub mod message;
pub mod numbers;
pub mod place;
pub mod settings;
pub mod studio;
