//! Work on all cores of the machine; one thing after the other where there is only one, as in a tab.

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

/// What `work` makes of each item, in their order.
#[cfg(feature = "studio")]
pub(crate) fn map<T, R>(items: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R>
where
    T: Send,
    R: Send,
{
    if is_alone() {
        return items.into_iter().map(work).collect();
    }
    items.into_par_iter().map(work).collect()
}

/// What `part` makes of each number below `n`, in their order; for parts so small that a core takes
/// `at_least` of them at once.
#[cfg(feature = "train")]
pub(crate) fn parts<T: Send>(
    n: usize,
    at_least: usize,
    part: impl Fn(usize) -> T + Send + Sync,
) -> Vec<T> {
    if is_alone() {
        return (0..n).map(part).collect();
    }
    let numbers =
        rayon::iter::IndexedParallelIterator::with_min_len((0..n).into_par_iter(), at_least);
    numbers.map(part).collect()
}

/// Does `other` on another core while this one does `own`, which may hold what cannot leave it.
#[cfg(feature = "studio")]
pub(crate) fn beside<T>(other: impl FnOnce() + Send, own: impl FnOnce() -> T) -> T {
    if is_alone() {
        other();
        return own();
    }
    rayon::in_place_scope(|scope| {
        scope.spawn(|_| other());
        own()
    })
}

/// Asking also makes the only thread of a browser know that it is the one that works.
fn is_alone() -> bool {
    rayon::current_num_threads() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "train")]
    #[test]
    fn parts_keep_the_order_of_their_numbers() {
        for n in [0, 1, 1000] {
            let squares = parts(n, 16, |i| i * i);
            assert!(squares.iter().zip(0..).all(|(square, i)| *square == i * i));
            assert_eq!(squares.len(), n);
        }
    }

    #[cfg(feature = "studio")]
    #[test]
    fn results_keep_the_order_of_what_they_are_made_of() {
        let squares = map((0..1000_u64).collect(), |n| n * n);
        assert!(squares.iter().zip(0..).all(|(square, n)| *square == n * n));
        assert_eq!(squares.len(), 1000);
    }

    #[cfg(feature = "studio")]
    #[test]
    fn both_are_done_when_it_returns() {
        let mut other = 0;
        let own = beside(|| other = 1, || 2);
        assert_eq!((other, own), (1, 2));
    }
}
