//! The decoder with its adapter.
