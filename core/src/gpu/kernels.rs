//! Every kernel, once. What is not listed here is never validated by the tests.

use super::{kernel::Kernel, linear, ops};

/// One `const` a kernel in its operation's file, one line each here, grouped by operation.
pub const ALL: &[&Kernel] = &[
    // Linear maps, for each format
    linear::F32.matvec,
    linear::F32.matvec_subgroups,
    linear::F32.matmul,
    linear::F16.matvec,
    linear::F16.matvec_subgroups,
    linear::F16.matmul,
    linear::BF16.matvec,
    linear::BF16.matvec_subgroups,
    linear::BF16.matmul,
    linear::Q8_0.matvec,
    linear::Q8_0.matvec_subgroups,
    linear::Q8_0.matmul,
    linear::Q4_0.matvec,
    linear::Q4_0.matvec_subgroups,
    linear::Q4_0.matmul,
    linear::Q4_K.matvec,
    linear::Q4_K.matvec_subgroups,
    linear::Q4_K.matmul,
    linear::Q6_K.matvec,
    linear::Q6_K.matvec_subgroups,
    linear::Q6_K.matmul,
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
