//! Rows of examples as one rectangle of ids, with who-sees-whom and the targets.

use crate::{
    nn::KeyPlace,
    text::{Encoded, IGNORE_INDEX},
};

/// One forward and backward pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MicroBatch {
    /// `[b][..=t]`, unpadded.
    pub rows: Vec<Vec<u32>>,
    /// `[1, t]` where rows share positions, `[b, t]` where they are packed.
    pub places: Vec<KeyPlace>,
    /// Longest row.
    pub t: usize,
    /// `(flat index of the hidden state in [b · t], id it must predict)`.
    pub targets: Vec<(i32, i32)>,
}

impl MicroBatch {
    /// Each row holds one or more examples. Rows are padded on the right, where causal attention
    /// never looks, so rows of single examples need no mask of their own.
    pub fn new(examples: &[Encoded], rows: &[Vec<usize>]) -> Self {
        let length = |row: &Vec<usize>| row.iter().map(|&i| examples[i].len()).sum::<usize>();
        let t = rows.iter().map(length).max().unwrap_or_default();
        let packed = rows.iter().any(|row| row.len() > 1);
        let mut batch = Self {
            rows: Vec::new(),
            places: Vec::new(),
            t,
            targets: Vec::new(),
        };
        for (row_idx, row) in rows.iter().enumerate() {
            let ids = batch.push_targets(examples, row, row_idx * t);
            batch.rows.push(ids);
            if packed {
                batch.places.extend(places_of(examples, row, t));
            }
        }
        if !packed {
            batch.places.extend((0..t as u32).map(|position| KeyPlace {
                segment: 0,
                position,
            }));
        }
        batch
    }

    fn push_targets(&mut self, examples: &[Encoded], row: &[usize], offset: usize) -> Vec<u32> {
        let mut ids = Vec::new();
        for &example_idx in row {
            let example = &examples[example_idx];
            // Label i is predicted by position i - 1 of the same example; the first is nobody's.
            for (i, &label) in example.labels.iter().enumerate().skip(1) {
                if label != IGNORE_INDEX {
                    self.targets
                        .push(((offset + ids.len() + i - 1) as i32, label));
                }
            }
            ids.extend_from_slice(&example.input_ids);
        }
        ids
    }

    /// Tokens without padding.
    pub fn n_input_tokens(&self) -> usize {
        self.rows.iter().map(Vec::len).sum()
    }

    /// `b` of [`Self::places`].
    pub fn n_place_rows(&self) -> usize {
        self.places.len().checked_div(self.t).unwrap_or_default()
    }
}

fn places_of(examples: &[Encoded], row: &[usize], t: usize) -> Vec<KeyPlace> {
    let mut places = Vec::with_capacity(t);
    for (segment, &example_idx) in row.iter().enumerate() {
        let positions = 0..examples[example_idx].len() as u32;
        places.extend(positions.map(|position| KeyPlace {
            segment: segment as u32,
            position,
        }));
    }
    // Padding is a segment of its own.
    let padding = (0..(t - places.len()) as u32).map(|position| KeyPlace {
        segment: row.len() as u32,
        position,
    });
    places.extend(padding);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(ids: &[u32], labels: &[i32]) -> Encoded {
        Encoded {
            input_ids: ids.to_vec(),
            labels: labels.to_vec(),
        }
    }

    #[test]
    fn targets_point_at_the_state_before_them() {
        let examples = [
            example(&[1, 2, 3], &[-100, 2, 3]),
            example(&[4, 5], &[4, 5]),
        ];
        let padded = MicroBatch::new(&examples, &[vec![0], vec![1]]);
        assert_eq!(padded.targets, [(0, 2), (1, 3), (3, 5)]);
        assert_eq!((padded.t, padded.n_place_rows()), (3, 1));

        let packed = MicroBatch::new(&examples, &[vec![0, 1]]);
        assert_eq!(packed.targets, [(0, 2), (1, 3), (3, 5)]);
        assert_eq!(
            packed.places[3],
            KeyPlace {
                segment: 1,
                position: 0
            }
        );
    }
}
