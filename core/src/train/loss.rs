//! Cross-entropy of the head in chunks of rows, with its gradient written out, so that the logits
//! of a batch never exist at once:
//!
//! `loss = Σ logsumexp(z) − z[target]` with `z = cap((h Wᵀ + c) / divisor)`,
//! `∂loss/∂h = (softmax(z) ∘ z′) W − z′[target] W[target]`.

use burn::tensor::{DType, IndexingUpdateOp, Int, Tensor, TensorData};

use crate::nn::HeadMatrix;

/// The losses of rows, and gradients of their sum.
#[derive(Debug)]
pub struct HeadLoss {
    /// `[n]`, f32.
    pub losses: Tensor<1>,
    /// `[n, d]`, where asked for.
    pub d_hidden: Option<Tensor<2>>,
    /// `[v, d]`, where asked for.
    pub d_head: Option<Tensor<2>>,
    /// `[1, v]`, with it where the head has a bias.
    pub d_bias: Option<Tensor<2>>,
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

/// `hidden: [n, d]` after the final norm, one target a row. No autodiff.
pub fn head_loss(
    hidden: Tensor<2>,
    targets: &[i32],
    head: &HeadMatrix,
    wanted: Wanted,
) -> HeadLoss {
    let [vocab_size, _] = head.weight.dims();
    let chunk_rows = (CHUNK_ELEMENTS / vocab_size.max(1)).max(1);
    let mut losses = Vec::new();
    let mut d_hidden = Vec::new();
    let mut d_head: Option<Tensor<2>> = None;
    let mut d_bias: Option<Tensor<2>> = None;
    for (chunk_idx, targets) in targets.chunks(chunk_rows).enumerate() {
        let rows = hidden
            .clone()
            .narrow(0, chunk_idx * chunk_rows, targets.len());
        let chunk = chunk_loss(rows, targets, head, wanted);
        losses.push(chunk.losses);
        d_hidden.extend(chunk.d_hidden);
        d_head = sum(d_head, chunk.d_head);
        d_bias = sum(d_bias, chunk.d_bias);
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
        d_bias,
    }
}

fn sum(left: Option<Tensor<2>>, right: Option<Tensor<2>>) -> Option<Tensor<2>> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left + right),
        (left, right) => left.or(right),
    }
}

fn chunk_loss(hidden: Tensor<2>, targets: &[i32], head: &HeadMatrix, wanted: Wanted) -> HeadLoss {
    let n = targets.len();
    let dtype = hidden.dtype();
    let device = hidden.device();
    let ids = Tensor::<1, Int>::from_data(
        TensorData::new(targets.to_vec(), [n]),
        (&device, DType::I32),
    );
    let column = ids.clone().reshape([n, 1]);

    let logits = head.logits(hidden.clone());
    let shifted = logits.clone() - logits.clone().max_dim(1);
    let of_target = shifted.clone().gather(1, column.clone());
    let exponentials = shifted.exp();
    let sums = exponentials.clone().sum_dim(1);
    let losses = (sums.clone().log() - of_target).reshape([n]);
    if wanted == Wanted::Loss {
        return HeadLoss {
            losses,
            d_hidden: None,
            d_head: None,
            d_bias: None,
        };
    }

    // What a target's own logit takes off again, `[n, 1]`.
    let (pulled, taken) = match head.slope(logits) {
        None => (exponentials / sums, None),
        Some(slope) => {
            let taken = slope.clone().gather(1, column).cast(dtype);
            (exponentials / sums * slope, Some(taken))
        }
    };
    let pulled = pulled.cast(dtype);
    let weighted = |rows: Tensor<2>| match &taken {
        Some(taken) => rows * taken.clone(),
        None => rows,
    };
    let with_head = wanted == Wanted::HiddenAndHead;
    let d_head = with_head.then(|| {
        let all = pulled.clone().transpose().matmul(hidden.clone());
        let own = weighted(hidden.clone()).neg();
        all.select_assign(0, ids.clone(), own, IndexingUpdateOp::Add)
    });
    let d_bias = (with_head && head.bias.is_some()).then(|| {
        let own = weighted(Tensor::ones([n, 1], (&device, dtype))).neg();
        let all = pulled.clone().sum_dim(0).transpose();
        let sums = all.select_assign(0, ids.clone(), own, IndexingUpdateOp::Add);
        sums.transpose()
    });
    let of_targets = weighted(head.weight.clone().select(0, ids));
    HeadLoss {
        losses,
        d_hidden: Some(pulled.matmul(head.weight.clone()) - of_targets),
        d_head,
        d_bias,
    }
}
