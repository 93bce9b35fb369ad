//! Where memory comes from: small pieces from mimalloc, large ones from the system, the largest from
//! those that were given back before.
//!
//! Texts are made on one core and put away on another, over which glibc's allocator lets the cores
//! wait for each other. Tensors are better with the system: mimalloc gives what they leave back to it
//! and asks for it again, at a third of the speed of a training. Of the largest glibc does so too: each
//! is mapped by itself, and the kernel clears every page that it hands out. A training on a large
//! model, where every block is unpacked anew, would spend half of its time there; see [`kept`].

#![expect(unsafe_code, reason = "the language has no other way to an allocator")]

mod kept;

pub(crate) use kept::give_back;

use std::alloc::{GlobalAlloc, Layout, System};

use mimalloc::MiMalloc;

/// Bytes from which a piece is large.
const LARGE: usize = 64 << 10;

pub(crate) struct BySize;

/// Who has pieces of a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    MiMalloc,
    System,
    /// The system, which gets them back later.
    Kept,
}

fn owner(n_bytes: usize) -> Owner {
    match n_bytes {
        ..LARGE => Owner::MiMalloc,
        LARGE..kept::SMALLEST => Owner::System,
        kept::SMALLEST.. => Owner::Kept,
    }
}

// SAFETY: whose a piece is follows from its size alone, which everyone who gives one back has to say;
// so every piece goes back to the allocator that it came from. All keep the rules of the trait.
unsafe impl GlobalAlloc for BySize {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that are asked for.
        unsafe {
            match owner(layout.size()) {
                Owner::MiMalloc => MiMalloc.alloc(layout),
                Owner::System => System.alloc(layout),
                Owner::Kept => kept::alloc(layout),
            }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            match owner(layout.size()) {
                Owner::MiMalloc => MiMalloc.alloc_zeroed(layout),
                Owner::System => System.alloc_zeroed(layout),
                Owner::Kept => kept::alloc_zeroed(layout),
            }
        }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        // SAFETY: the piece is of the allocator that gives pieces of this size.
        unsafe {
            match owner(layout.size()) {
                Owner::MiMalloc => MiMalloc.dealloc(piece, layout),
                Owner::System => System.dealloc(piece, layout),
                Owner::Kept => kept::dealloc(piece, layout),
            }
        }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, n_bytes: usize) -> *mut u8 {
        // SAFETY: the piece is of the allocator of its size and stays there, or it is copied, as far as
        // both reach, into a new one, whose alignment is the old one's and whose size the caller vouches
        // for, and only then given back.
        unsafe {
            match (owner(layout.size()), owner(n_bytes)) {
                (Owner::System, Owner::System) => System.realloc(piece, layout, n_bytes),
                (Owner::MiMalloc, Owner::MiMalloc) => MiMalloc.realloc(piece, layout, n_bytes),
                (Owner::Kept, Owner::Kept) => kept::realloc(piece, layout, n_bytes),
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
    fn what_grows_and_shrinks_over_the_borders_keeps_its_bytes() {
        let mut bytes: Vec<u8> = Vec::new();
        for n in 0..3 * kept::SMALLEST {
            bytes.push(n as u8);
        }
        let is_whole = |bytes: &[u8]| (0..).zip(bytes).all(|(n, byte)| n as u8 == *byte);
        assert!(is_whole(&bytes));
        let sizes = [
            2 * kept::SMALLEST,
            kept::SMALLEST,
            kept::SMALLEST - 1,
            LARGE,
            LARGE - 1,
            10,
            0,
        ];
        for kept in sizes {
            bytes.truncate(kept);
            bytes.shrink_to_fit();
            assert!(bytes.len() == kept && is_whole(&bytes));
        }
        for n_bytes in [LARGE, kept::SMALLEST] {
            // A piece that was used before.
            drop(vec![1_u8; n_bytes]);
            let zeros = vec![0_u8; n_bytes];
            assert!(zeros.iter().all(|byte| *byte == 0));
        }
    }
}
