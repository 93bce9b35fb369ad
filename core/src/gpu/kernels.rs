//! Every kernel, once. What is not listed here is never validated by the tests.

use super::kernel::Kernel;

/// One `const` a kernel in its operation's file, one line each here, grouped by operation.
pub const ALL: &[&Kernel] = &[];
