//! Tokens in the order of their likelihood, sorted only as far as they are looked at.
//!
//! A vocabulary has 150 000 tokens and a draw mostly ends within the first hundred.

/// How many are sorted at first; every further look sorts eight times as many.
const SORTED_AT_FIRST: usize = 128;

/// Scores with their tokens; likeliest first, ties by id.
#[derive(Debug, Clone)]
pub(super) struct Ranking {
    scores: Vec<(u32, f64)>,
    n_sorted: usize,
}

impl Ranking {
    pub(super) fn new(scores: Vec<(u32, f64)>) -> Self {
        Self {
            scores,
            n_sorted: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.scores.len()
    }

    /// Every score, in no order.
    pub(super) fn scores(&self) -> impl Iterator<Item = f64> {
        self.scores.iter().map(|(_, score)| *score)
    }

    /// The token of a rank and its score.
    pub(super) fn get(&mut self, rank: usize) -> Option<(u32, f64)> {
        while rank >= self.n_sorted && self.n_sorted < self.scores.len() {
            self.sort_more();
        }
        self.scores.get(rank).copied()
    }

    fn sort_more(&mut self) {
        let rest = &mut self.scores[self.n_sorted..];
        let n_more = (self.n_sorted * 7).max(SORTED_AT_FIRST).min(rest.len());
        let order = |x: &(u32, f64), y: &(u32, f64)| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0));
        if n_more < rest.len() {
            rest.select_nth_unstable_by(n_more, order);
        }
        rest[..n_more].sort_unstable_by(order);
        self.n_sorted += n_more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn every_rank_is_that_of_a_full_sort() {
        let mut rng = Rng::new(3, 0);
        // Few distinct scores, so that there are ties.
        let scores: Vec<(u32, f64)> = (0..5000).map(|id| (id, rng.below(700) as f64)).collect();
        let mut sorted = scores.clone();
        sorted.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
        let mut ranking = Ranking::new(scores);
        for (rank, want) in sorted.into_iter().enumerate() {
            assert_eq!(ranking.get(rank), Some(want));
        }
        assert_eq!(ranking.get(5000), None);
    }
}
