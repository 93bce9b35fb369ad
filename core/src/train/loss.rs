//! Cross-entropy of the head in chunks of rows, with its gradient written out, so that the logits
//! of a batch never exist at once:
//!
//! `loss = Σ logsumexp(h Wᵀ) − (h Wᵀ)[target]`, `∂loss/∂h = softmax(h Wᵀ) W − W[target]`.

use burn::tensor::{DType, Int, Tensor, TensorData};

/// The losses of rows, and gradients of their sum.
#[derive(Debug)]
pub struct HeadLoss {
    /// `[n]`, f32.
    pub losses: Tensor<1>,
    /// `[n, d]`, where asked for.
    pub d_hidden: Option<Tensor<2>>,
    /// `[v, d]`, where asked for.
    pub d_head: Option<Tensor<2>>,
}

/// Which gradients to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Loss,
    Hidden,
    HiddenAndHead,
}

/// Logits that exist at once: 64 MiB of f32.
pub(super) const CHUNK_ELEMENTS: usize = 1 << 24;

/// `hidden: [n, d]` after the final norm, `head: [v, d]`, one target a row. No autodiff.
pub fn head_loss(hidden: Tensor<2>, targets: &[i32], head: Tensor<2>, wanted: Wanted) -> HeadLoss {
    let [vocab_size, _] = head.dims();
    let chunk_rows = (CHUNK_ELEMENTS / vocab_size.max(1)).max(1);
    let mut losses = Vec::new();
    let mut d_hidden = Vec::new();
    let mut d_head: Option<Tensor<2>> = None;
    for (chunk_idx, targets) in targets.chunks(chunk_rows).enumerate() {
        let rows = hidden
            .clone()
            .narrow(0, chunk_idx * chunk_rows, targets.len());
        let chunk = chunk_loss(rows, targets, head.clone(), wanted);
        losses.push(chunk.losses);
        d_hidden.extend(chunk.d_hidden);
        d_head = match (d_head, chunk.d_head) {
            (Some(sum), Some(more)) => Some(sum + more),
            (sum, more) => sum.or(more),
        };
    }
    let losses = if losses.is_empty() {
        Tensor::zeros([0], &hidden.device())
    } else {
        Tensor::cat(losses, 0)
    };
    let d_hidden = (!d_hidden.is_empty()).then(|| Tensor::cat(d_hidden, 0));
    HeadLoss {
        losses,
        d_hidden,
        d_head,
    }
}

fn chunk_loss(hidden: Tensor<2>, targets: &[i32], head: Tensor<2>, wanted: Wanted) -> HeadLoss {
    let n = targets.len();
    let dtype = hidden.dtype();
    let device = hidden.device();
    let ids = Tensor::<1, Int>::from_data(
        TensorData::new(targets.to_vec(), [n]),
        (&device, DType::I32),
    );

    let logits = hidden
        .clone()
        .matmul(head.clone().transpose())
        .cast(DType::F32);
    let shifted = logits.clone() - logits.max_dim(1);
    let of_target = shifted.clone().gather(1, ids.clone().reshape([n, 1]));
    let exponentials = shifted.exp();
    let sums = exponentials.clone().sum_dim(1);
    let losses = (sums.clone().log() - of_target).reshape([n]);
    if wanted == Wanted::Loss {
        return HeadLoss {
            losses,
            d_hidden: None,
            d_head: None,
        };
    }

    let probabilities = (exponentials / sums).cast(dtype);
    let of_targets = head.clone().select(0, ids.clone());
    let d_head = (wanted == Wanted::HiddenAndHead).then(|| {
        let pulled = probabilities.clone().transpose().matmul(hidden.clone());
        pulled.select_assign(0, ids, hidden.neg(), burn::tensor::IndexingUpdateOp::Add)
    });
    let d_hidden = probabilities.matmul(head) - of_targets;
    HeadLoss {
        losses,
        d_hidden: Some(d_hidden),
        d_head,
    }
}
