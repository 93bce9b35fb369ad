//! Numbers of the reference libraries: transformers' models, PEFT's training runs.

mod models;
mod training;
mod training_families;
mod vulkan;
