//! Every kernel, once. What is not listed here is never validated by the tests.

use super::{kernel::Kernel, ops};

/// One `const` a kernel in its operation's file, one line each here, grouped by operation.
pub const ALL: &[&Kernel] = &[
    // Between the matrix products
    &ops::add::ADD,
    &ops::attention::COMBINE,
    &ops::attention::SPLIT,
    &ops::attention::TILED,
    &ops::lora_up::LORA_UP,
    &ops::rms_norm::ADD_RMS_NORM,
    &ops::rms_norm::ADD_RMS_NORM_SUBGROUPS,
    &ops::rms_norm::RMS_NORM,
    &ops::rms_norm::RMS_NORM_SUBGROUPS,
    &ops::rope_append::ROPE_APPEND,
    &ops::rope_append::ROPE_APPEND_SUBGROUPS,
    &ops::silu_mul::SILU_MUL,
    &ops::top_tokens::MERGE,
    &ops::top_tokens::MERGE_SUBGROUPS,
    &ops::top_tokens::SLICE,
    &ops::top_tokens::SLICE_SUBGROUPS,
];
