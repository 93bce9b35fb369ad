//! Where tensors come from: safetensors, GGUF, tests.
