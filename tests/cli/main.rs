//! The real binary, as a user meets it: exit codes, texts and files.
//!
//! Belongs to the package of the binary, so that cargo builds it first.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed"
)]

mod answering;
mod bad_data;
mod bad_model;
mod binary;
mod exported;
mod handed_over;
mod imports;
mod interrupted;
mod load_in;
mod measured;
mod pipes;
mod said;
mod settings;
mod site;
mod snapshots;
mod splits;
mod stopped;
mod studio;
mod text;
