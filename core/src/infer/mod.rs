//! A quantized model with its adapters, answering token by token.

pub mod plan;
