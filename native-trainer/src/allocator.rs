//! Where memory comes from: small pieces from mimalloc, large ones from the system.
//!
//! Texts are made on one core and put away on another, over which glibc's allocator lets the cores
//! wait for each other. Tensors are better with the system: mimalloc gives what they leave back to it
//! and asks for it again, at a third of the speed of a training.

#![expect(unsafe_code, reason = "the language has no other way to an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};

use mimalloc::MiMalloc;

/// Bytes from which a piece is large.
const LARGE: usize = 64 << 10;

pub(crate) struct BySize;

fn is_large(n_bytes: usize) -> bool {
    n_bytes >= LARGE
}

// SAFETY: whose a piece is follows from its size alone, which everyone who gives one back has to say;
// so every piece goes back to the allocator that it came from. Both keep the rules of the trait.
unsafe impl GlobalAlloc for BySize {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that are asked for.
        unsafe {
            match is_large(layout.size()) {
                true => System.alloc(layout),
                false => MiMalloc.alloc(layout),
            }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            match is_large(layout.size()) {
                true => System.alloc_zeroed(layout),
                false => MiMalloc.alloc_zeroed(layout),
            }
        }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        // SAFETY: the piece is of the allocator that gives pieces of this size.
        unsafe {
            match is_large(layout.size()) {
                true => System.dealloc(piece, layout),
                false => MiMalloc.dealloc(piece, layout),
            }
        }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, n_bytes: usize) -> *mut u8 {
        // SAFETY: the piece is of the allocator of its size and stays there, or it is copied, as far as
        // both reach, into a new one, whose alignment is the old one's and whose size the caller vouches
        // for, and only then given back.
        unsafe {
            match (is_large(layout.size()), is_large(n_bytes)) {
                (true, true) => System.realloc(piece, layout, n_bytes),
                (false, false) => MiMalloc.realloc(piece, layout, n_bytes),
                _ => {
                    let wanted = Layout::from_size_align_unchecked(n_bytes, layout.align());
                    let other = self.alloc(wanted);
                    if !other.is_null() {
                        piece.copy_to_nonoverlapping(other, layout.size().min(n_bytes));
                        self.dealloc(piece, layout);
                    }
                    other
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_and_shrinks_over_the_border_keeps_its_bytes() {
        let mut bytes: Vec<u8> = Vec::new();
        for n in 0..3 * LARGE {
            bytes.push(n as u8);
        }
        let is_whole = |bytes: &[u8]| (0..).zip(bytes).all(|(n, byte)| n as u8 == *byte);
        assert!(is_whole(&bytes));
        for kept in [2 * LARGE, LARGE, LARGE - 1, 10, 0] {
            bytes.truncate(kept);
            bytes.shrink_to_fit();
            assert!(bytes.len() == kept && is_whole(&bytes));
        }
        let zeros = vec![0_u8; LARGE];
        assert!(zeros.iter().all(|byte| *byte == 0));
    }
}
