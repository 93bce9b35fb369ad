//! Block quantization formats: layout, quantize, dequantize, scalar product.
//!
//! The layouts are GGUF's, so that the file that runs here is the file that runs in llama.cpp
//! and Ollama; NF4 and the words of [`PackedBlocks`] are for training on a frozen base alone.
//! Everything is scalar and plain: it is the oracle of the kernels.

mod dot;
mod drift;
mod format;
mod nf4;
mod packed;
mod q4_0;
mod q4_k;
mod q6_k;
mod q8_0;
mod read_only;
mod stored;

pub use dot::{dot, dot_quantized, matvec};
pub use drift::{Drift, DriftError, DriftLimits, DriftMeter};
pub use format::{BLOCK_LEN, Format, QuantError, SUPER_BLOCK_LEN};
pub use packed::{BLOCK_WORDS, PackedBlocks, PackedFormat};
pub use read_only::ReadOnlyFormat;
pub use stored::{StoredFormat, ggml_type_name};
