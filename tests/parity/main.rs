//! Numbers of the reference libraries: transformers' models, PEFT's training runs.

mod fresh;
mod load_in;
mod models;
mod training;
mod training_families;
mod vulkan;
