//! The largest pieces: what is given back is kept for a while, for the next of its size.
//!
//! Sizes are rounded up to eighths of powers of two, so that a piece serves its neighbours, and what
//! a piece really has follows from the size that was asked for.

use std::{
    alloc::{GlobalAlloc as _, Layout, System},
    ptr,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Bytes of the smallest of them; for smaller ones glibc does the same by itself.
pub(super) const SMALLEST: usize = 4 << 20;

/// Bytes that are kept at most: the block of a 7B that is unpacked at a time.
const MOST_BYTES: usize = 1 << 30;

/// Pieces that are kept at most.
const MOST_PIECES: usize = 64;

static KEPT: Mutex<Kept> = Mutex::new(Kept {
    pieces: [Piece::NONE; MOST_PIECES],
    n_pieces: 0,
    n_bytes: 0,
});

/// In the order in which they were given back.
struct Kept {
    pieces: [Piece; MOST_PIECES],
    n_pieces: usize,
    n_bytes: usize,
}

#[derive(Clone, Copy)]
struct Piece {
    at: *mut u8,
    /// Its whole size, and the alignment that it was asked for with.
    layout: Layout,
}

// SAFETY: nobody else knows of a piece that is kept.
unsafe impl Send for Piece {}

impl Piece {
    const NONE: Self = Self {
        at: ptr::null_mut(),
        layout: Layout::new::<()>(),
    };
}

impl Kept {
    /// The piece of this layout that was given back last.
    fn take(&mut self, layout: Layout) -> Option<*mut u8> {
        let pieces = &self.pieces[..self.n_pieces];
        let place = pieces.iter().rposition(|piece| piece.layout == layout)?;
        Some(self.remove(place).at)
    }

    fn remove(&mut self, place: usize) -> Piece {
        let piece = self.pieces[place];
        self.pieces.copy_within(place + 1..self.n_pieces, place);
        self.n_pieces -= 1;
        self.n_bytes -= piece.layout.size();
        piece
    }

    /// Keeps a piece, if need be instead of the oldest, which is returned.
    fn keep(&mut self, piece: Piece) -> Option<Piece> {
        let n_bytes = self.n_bytes + piece.layout.size();
        if self.n_pieces > 0 && (self.n_pieces == MOST_PIECES || n_bytes > MOST_BYTES) {
            return Some(self.remove(0));
        }
        self.pieces[self.n_pieces] = piece;
        self.n_pieces += 1;
        self.n_bytes = n_bytes;
        None
    }
}

fn kept() -> MutexGuard<'static, Kept> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a piece really has; `None` where no size is large enough.
fn whole(layout: Layout) -> Option<Layout> {
    let eighth = 1 << (layout.size().ilog2() - 3);
    let size = layout.size().checked_next_multiple_of(eighth)?;
    Layout::from_size_align(size, layout.align()).ok()
}

/// # Safety
/// As of [`std::alloc::GlobalAlloc::alloc`], for at least [`SMALLEST`] bytes.
pub(super) unsafe fn alloc(layout: Layout) -> *mut u8 {
    let Some(whole) = whole(layout) else {
        return ptr::null_mut();
    };
    let again = kept().take(whole);
    // SAFETY: its size is not 0.
    again.unwrap_or_else(|| unsafe { System.alloc(whole) })
}

/// # Safety
/// As [`alloc`].
pub(super) unsafe fn alloc_zeroed(layout: Layout) -> *mut u8 {
    let Some(whole) = whole(layout) else {
        return ptr::null_mut();
    };
    let again = kept().take(whole);
    // SAFETY: its size is not 0; the piece has at least the bytes that are asked for.
    unsafe {
        match again {
            Some(piece) => {
                piece.write_bytes(0, layout.size());
                piece
            }
            None => System.alloc_zeroed(whole),
        }
    }
}

/// # Safety
/// The piece is of [`alloc`] or [`alloc_zeroed`], with this layout.
pub(super) unsafe fn dealloc(piece: *mut u8, layout: Layout) {
    // It was asked for, so that it has a whole size.
    let Some(whole) = whole(layout) else { return };
    if whole.size() > MOST_BYTES {
        // SAFETY: this is what the system gave.
        return unsafe { System.dealloc(piece, whole) };
    }
    let piece = Piece {
        at: piece,
        layout: whole,
    };
    loop {
        let oldest = kept().keep(piece);
        let Some(oldest) = oldest else { return };
        // SAFETY: as above, and nobody knows of it any more.
        unsafe { System.dealloc(oldest.at, oldest.layout) };
    }
}

/// Gives the system all that is kept: what comes next is of other sizes.
pub(crate) fn give_back() {
    loop {
        let oldest = {
            let mut kept = kept();
            (kept.n_pieces > 0).then(|| kept.remove(0))
        };
        let Some(oldest) = oldest else { return };
        // SAFETY: this is what the system gave, and nobody knows of it any more.
        unsafe { System.dealloc(oldest.at, oldest.layout) };
    }
}

/// # Safety
/// As [`dealloc`], and as [`alloc`] for the new size with the old alignment.
pub(super) unsafe fn realloc(piece: *mut u8, layout: Layout, n_bytes: usize) -> *mut u8 {
    // SAFETY: the alignment is that of a layout, and the caller vouches for the size.
    let wanted = unsafe { Layout::from_size_align_unchecked(n_bytes, layout.align()) };
    match (whole(layout), whole(wanted)) {
        (Some(from), Some(to)) if from == to => piece,
        // SAFETY: this is what the system gave; the new size is a layout's.
        (Some(from), Some(to)) => unsafe { System.realloc(piece, from, to.size()) },
        _ => ptr::null_mut(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(n: usize, n_bytes: usize) -> Piece {
        Piece {
            at: ptr::without_provenance_mut(n),
            layout: Layout::from_size_align(n_bytes, 16).unwrap(),
        }
    }

    fn none() -> Kept {
        Kept {
            pieces: [Piece::NONE; MOST_PIECES],
            n_pieces: 0,
            n_bytes: 0,
        }
    }

    #[test]
    fn sizes_are_rounded_up_by_at_most_an_eighth() {
        for n_bytes in [SMALLEST, SMALLEST + 1, 5_000_000, 45_088_768, 180_355_072] {
            let layout = Layout::from_size_align(n_bytes, 64).unwrap();
            let whole = whole(layout).unwrap();
            assert!(whole.size() >= n_bytes && whole.size() - n_bytes <= n_bytes / 8);
            assert_eq!(whole.align(), 64);
            assert_eq!(super::whole(whole), Some(whole), "it stays what it is");
        }
        let layout = Layout::from_size_align(isize::MAX as usize, 1).unwrap();
        assert_eq!(whole(layout), None);
    }

    #[test]
    fn the_latest_of_a_size_comes_back_and_the_oldest_goes() {
        let mut kept = none();
        for n in 1..=3 {
            assert!(kept.keep(piece(n, SMALLEST)).is_none());
        }
        assert!(kept.take(piece(0, 2 * SMALLEST).layout).is_none());
        assert_eq!(kept.take(piece(0, SMALLEST).layout).unwrap().addr(), 3);
        let large = piece(4, MOST_BYTES - SMALLEST);
        assert_eq!(kept.keep(large).unwrap().at.addr(), 1);
        assert!(kept.keep(large).is_none());
        assert_eq!((kept.n_pieces, kept.n_bytes), (2, MOST_BYTES));
    }

    #[test]
    fn no_more_than_so_many_are_kept() {
        let mut kept = none();
        for n in 1..=MOST_PIECES {
            assert!(kept.keep(piece(n, SMALLEST)).is_none());
        }
        assert_eq!(kept.keep(piece(0, SMALLEST)).unwrap().at.addr(), 1);
    }
}
