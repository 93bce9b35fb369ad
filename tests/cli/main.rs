//! The real binary, as a user meets it: exit codes, texts and files.
//!
//! Belongs to the package of the binary, so that cargo builds it first.

mod bad_data;
mod bad_model;
mod binary;
mod exported;
mod interrupted;
