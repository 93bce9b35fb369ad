//! Layers of the decoder.
