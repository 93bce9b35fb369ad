//! The Jinja dialect in which chat templates are written: Jinja2 3.1 as transformers sets it up.
//!
//! minijinja parses and runs the template. What it does otherwise than Python is put right in two
//! places: [`source`] rewrites the template before it is parsed (the `generation` tag, slices,
//! string literals, operands of `~`, what loops run through), and [`environment`] supplies
//! filters, methods, tests and printing.

mod environment;
mod filters;
mod json;
mod methods;
mod python;
mod source;
mod strftime;

pub(crate) use environment::{CLOSE_MARK, OPEN_MARK, environment, rejection};
pub(crate) use python::is_space;
pub(crate) use source::{has_generation_tag, rewrite};
pub use strftime::DateTime;
