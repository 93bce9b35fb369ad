//! Loops compiled for the widest vectors that the processor at hand has.
//!
//! The products of a block format are loops that compilers turn into vector instructions, but a
//! binary for every x86-64 may only use those of 2003. `pulp` compiles a closure for AVX2 and for
//! AVX-512 as well; which of them runs is chosen here. The sums keep their order and products are
//! rounded before they are added, so every choice gives the same bits.

/// Runs `work`, whose code must be inlined to take part.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn widest<R>(work: impl FnOnce() -> R) -> R {
    use pulp::x86::{V3, V4};

    if let Some(avx512) = V4::try_new() {
        avx512.vectorize(work)
    } else if let Some(avx2) = V3::try_new() {
        avx2.vectorize(work)
    } else {
        work()
    }
}

/// Elsewhere the vectors that every processor has are the ones there are: NEON, or wasm's.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(super) fn widest<R>(work: impl FnOnce() -> R) -> R {
    work()
}
