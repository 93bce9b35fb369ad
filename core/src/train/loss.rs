//! Cross-entropy of the head in chunks of rows, with its gradient written out, so that the logits
//! of a batch never exist at once:
//!
//! `loss = Σ logsumexp(z) − z[target]` with `z = cap((h Wᵀ + c) / divisor)`,
//! `∂loss/∂h = (softmax(z) ∘ z′) W − z′[target] W[target]`.
//!
//! Where the head has a low-rank pair, what lies before `z` is left to autodiff, chunk by chunk.

use std::collections::BTreeMap;

use burn::tensor::{DType, IndexingUpdateOp, Int, Tensor, TensorData};

use crate::nn::{Dropout, HeadMatrix, Projection};

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
    /// Of everything that is trained in a head with a pair, by name, with `d_hidden`.
    pub d_adapted: BTreeMap<String, Tensor<2>>,
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

/// `hidden: [n, d]` after the final norm, one target a row. No autodiff. `dropout` is for the
/// gradients of a head with a pair.
pub fn head_loss(
    hidden: Tensor<2>,
    targets: &[i32],
    head: &HeadMatrix,
    wanted: Wanted,
    dropout: Option<&Dropout>,
) -> HeadLoss {
    let [vocab_size, _] = head.weight.dims();
    // A graph holds about twice as many matrices of that size.
    let chunk_elements = match head.adapted {
        Some(_) => CHUNK_ELEMENTS / 2,
        None => CHUNK_ELEMENTS,
    };
    let chunk_rows = (chunk_elements / vocab_size.max(1)).max(1);
    let mut losses = Vec::new();
    let mut d_hidden = Vec::new();
    let mut d_head: Option<Tensor<2>> = None;
    let mut d_bias: Option<Tensor<2>> = None;
    let mut d_adapted = BTreeMap::new();
    for (chunk_idx, targets) in targets.chunks(chunk_rows).enumerate() {
        let rows = hidden
            .clone()
            .narrow(0, chunk_idx * chunk_rows, targets.len());
        let chunk = match &head.adapted {
            Some(adapted) if wanted != Wanted::Loss => {
                let view = tracked(adapted, chunk_idx);
                adapted_loss(rows, targets, (head, view), dropout)
            }
            _ => chunk_loss(rows, targets, head, wanted),
        };
        losses.push(chunk.losses);
        d_hidden.extend(chunk.d_hidden);
        d_head = sum(d_head, chunk.d_head);
        d_bias = sum(d_bias, chunk.d_bias);
        for (name, gradient) in chunk.d_adapted {
            let before = d_adapted.remove(&name);
            d_adapted.extend(sum(before, Some(gradient)).map(|sum| (name, sum)));
        }
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
        d_adapted,
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
    let ids = ids_of(targets, &hidden);
    let logits = head.logits(hidden.clone());
    let softmax = Softmax::new(logits.clone(), ids.clone().reshape([n, 1]));
    if wanted == Wanted::Loss {
        return HeadLoss {
            losses: softmax.losses,
            d_hidden: None,
            d_head: None,
            d_bias: None,
            d_adapted: BTreeMap::new(),
        };
    }

    let losses = softmax.losses.clone();
    let (pulled, taken) = softmax.pulled(head, logits);
    let pulled = pulled.cast(dtype);
    let taken = taken.map(|taken| taken.cast(dtype));
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
        d_adapted: BTreeMap::new(),
    }
}

/// A view of a head for one chunk: its trained matrices are leaves of a new graph, and its dropout
/// takes a stream of random numbers of its own.
fn tracked(adapted: &Projection, chunk_idx: usize) -> Projection {
    let mut view = adapted.clone();
    view.visit(&mut |_, weight| weight.track());
    if let Some(pair) = &mut view.lora {
        pair.stream += chunk_idx as u64;
    }
    view
}

fn adapted_loss(
    hidden: Tensor<2>,
    targets: &[i32],
    (head, mut view): (&HeadMatrix, Projection),
    dropout: Option<&Dropout>,
) -> HeadLoss {
    let n = targets.len();
    let column = ids_of(targets, &hidden).reshape([n, 1]);
    let hidden = hidden.autodiff().require_grad();
    let product = view.forward_rows(hidden.clone(), dropout);
    let logits = head.logits_of(product.clone().without_autodiff());
    let softmax = Softmax::new(logits.clone(), column.clone());
    let losses = softmax.losses.clone();
    let (pulled, taken) = softmax.pulled(head, logits);
    let taken = taken.unwrap_or_else(|| Tensor::ones([n, 1], &pulled.device()));
    let d_product = pulled.scatter(1, column, taken.neg(), IndexingUpdateOp::Add);

    let d_product = d_product.cast(product.dtype());
    let mut tape = (product * d_product).sum().backward();
    let mut d_adapted = BTreeMap::new();
    view.visit(&mut |name, weight| {
        if weight.is_trained()
            && let Some(gradient) = weight.value().grad_remove(&mut tape)
        {
            d_adapted.insert(name.to_string(), gradient);
        }
    });
    HeadLoss {
        losses,
        d_hidden: hidden.grad_remove(&mut tape),
        d_head: None,
        d_bias: None,
        d_adapted,
    }
}

/// `[n]`
fn ids_of(targets: &[i32], hidden: &Tensor<2>) -> Tensor<1, Int> {
    let data = TensorData::new(targets.to_vec(), [targets.len()]);
    Tensor::from_data(data, (&hidden.device(), DType::I32))
}

/// What rows of logits come to, in f32.
struct Softmax {
    /// `[n]`
    losses: Tensor<1>,
    /// `[n, v]`
    exponentials: Tensor<2>,
    /// `[n, 1]`
    sums: Tensor<2>,
    /// Ids of targets, `[n, 1]`.
    column: Tensor<2, Int>,
}

impl Softmax {
    fn new(logits: Tensor<2>, column: Tensor<2, Int>) -> Self {
        let [n, _] = logits.dims();
        let shifted = logits.clone() - logits.max_dim(1);
        let of_target = shifted.clone().gather(1, column.clone());
        let exponentials = shifted.exp();
        let sums = exponentials.clone().sum_dim(1);
        Self {
            losses: (sums.clone().log() - of_target).reshape([n]),
            exponentials,
            sums,
            column,
        }
    }

    /// Gradient of the product, `[n, v]`, and what a target's own takes off it again, `[n, 1]`;
    /// `None` is 1.
    fn pulled(self, head: &HeadMatrix, logits: Tensor<2>) -> (Tensor<2>, Option<Tensor<2>>) {
        let probabilities = self.exponentials / self.sums;
        match head.slope(logits) {
            None => (probabilities, None),
            Some(slope) => {
                let taken = slope.clone().gather(1, self.column);
                (probabilities * slope, Some(taken))
            }
        }
    }
}
