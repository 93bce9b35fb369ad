//! Every kernel, once. What is not listed here is never validated by the tests.

use super::{kernel::Kernel, linear};

/// One `const` a kernel in its operation's file, one line each here, grouped by operation.
pub const ALL: &[&Kernel] = &[
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
];
