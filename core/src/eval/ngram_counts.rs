//! How often each n-gram occurs in a sequence, as a sorted list.
//!
//! Sorting instead of hashing keeps every walk over the counts in one order on every platform.

use std::cmp::Ordering;

/// N-grams in ascending order, each with its count.
#[derive(Debug, Clone)]
pub(super) struct NgramCounts<'a, T>(Vec<(&'a [T], usize)>);

impl<'a, T: Ord> NgramCounts<'a, T> {
    /// Counts the `n`-grams of `items`; `n` is at least 1.
    pub(super) fn new(items: &'a [T], n: usize) -> Self {
        let mut ngrams: Vec<&[T]> = items.windows(n).collect();
        ngrams.sort_unstable();
        let mut counts: Vec<(&[T], usize)> = Vec::new();
        for ngram in ngrams {
            match counts.last_mut() {
                Some((last, count)) if *last == ngram => *count += 1,
                _ => counts.push((ngram, 1)),
            }
        }
        Self(counts)
    }

    /// Number of n-grams, repetitions included.
    pub(super) fn total(&self) -> usize {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// Size of the multiset intersection.
    pub(super) fn overlap(&self, other: &Self) -> usize {
        self.walk(other).map(|(here, there)| here.min(there)).sum()
    }

    /// The larger count of each n-gram of either side.
    pub(super) fn union_max(self, other: Self) -> Self {
        let mut merged = self.0;
        merged.extend(other.0);
        merged.sort_unstable();
        merged.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = kept.1.max(later.1);
            }
            same
        });
        Self(merged)
    }

    /// Pairs of counts of the n-grams that both sides have.
    fn walk<'b>(&'b self, other: &'b Self) -> impl Iterator<Item = (usize, usize)> + 'b {
        let (mut here, mut there) = (self.0.as_slice(), other.0.as_slice());
        std::iter::from_fn(move || {
            while let ([(a, n_a), rest_a @ ..], [(b, n_b), rest_b @ ..]) = (here, there) {
                match a.cmp(b) {
                    Ordering::Less => here = rest_a,
                    Ordering::Greater => there = rest_b,
                    Ordering::Equal => {
                        (here, there) = (rest_a, rest_b);
                        return Some((*n_a, *n_b));
                    }
                }
            }
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_clips_repetitions_and_union_keeps_the_larger_count() {
        let (left, right) = (b"abab", b"aabb");
        let (a, b) = (NgramCounts::new(left, 1), NgramCounts::new(right, 1));
        assert_eq!((a.total(), a.overlap(&b)), (4, 4));

        let (a, b) = (NgramCounts::new(left, 2), NgramCounts::new(right, 2));
        // ab×2, ba against aa, ab, bb
        assert_eq!(a.overlap(&b), 1);
        assert_eq!(a.union_max(b).total(), 5);
    }

    #[test]
    fn a_sequence_shorter_than_n_has_no_ngrams() {
        assert_eq!(NgramCounts::new(b"ab", 3).total(), 0);
    }
}
