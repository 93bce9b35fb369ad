//! Token ids and which of them are trained on.

use serde::{Deserialize, Serialize};

/// The label of a token that is not trained, as PyTorch's cross-entropy has it.
pub const IGNORE_INDEX: i32 = -100;

/// One record as the model sees it. `labels` has the length of `input_ids` and is **not** shifted:
/// `labels[i]` is `input_ids[i]` where token `i` is a target, [`IGNORE_INDEX`] elsewhere.
/// Position 0 is never a target: nothing predicts it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoded {
    pub input_ids: Vec<u32>,
    pub labels: Vec<i32>,
}

impl Encoded {
    pub fn len(&self) -> usize {
        self.input_ids.len()
    }

    pub fn is_empty(&self) -> bool {
        self.input_ids.is_empty()
    }

    /// Targets that count in the loss: labels from position 1 on that are not ignored.
    pub fn n_targets(&self) -> usize {
        self.labels
            .iter()
            .skip(1)
            .filter(|&&label| label != IGNORE_INDEX)
            .count()
    }
}
