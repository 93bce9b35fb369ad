//! Loss and gradients of one micro-batch.
//!
//! The head's gradient is written out ([`super::head_loss`]); the blocks' comes from autodiff as a
//! vector-Jacobian product, `∂ Σ(y · dy)`. With recompute only one block's activations exist at a
//! time: the forward pass keeps block inputs, the backward pass runs each block again.

use std::collections::BTreeMap;

use burn::tensor::{DType, Int, Tensor, TensorData};

use super::{MicroBatch, Wanted, head_loss};
use crate::{
    model::Decoder,
    nn::{Dropout, Pass, Weight},
};

/// Gradients of trained parameters by name.
pub type Gradients = BTreeMap<String, Tensor<2>>;

/// Cross-entropy of each of the batch's targets, `[n]`; no gradients, no dropout.
pub fn evaluate_batch(model: &Decoder, batch: &MicroBatch) -> Tensor<1> {
    let pass = pass_of(model, batch);
    let hidden = model.hidden(ids_of(model, batch), &pass);
    let normed = model.norm.forward(target_rows(hidden, batch));
    head_loss(
        normed,
        &target_ids(batch),
        &model.head_matrix(),
        Wanted::Loss,
        None,
    )
    .losses
}

/// Adds the gradients of `scale · Σ cross-entropy` to `gradients`; returns `Σ cross-entropy`, `[1]`.
pub fn micro_backward(
    model: &Decoder,
    batch: &MicroBatch,
    scale: f64,
    recompute: bool,
    dropout: Option<Dropout>,
    gradients: &mut Gradients,
) -> Tensor<1> {
    let pass = Pass {
        dropout,
        ..pass_of(model, batch)
    };
    let mut micro = Micro {
        model,
        batch,
        scale,
        pass,
        gradients,
    };
    if recompute {
        micro.recomputed()
    } else {
        micro.stored()
    }
}

struct Micro<'a> {
    model: &'a Decoder,
    batch: &'a MicroBatch,
    scale: f64,
    pass: Pass,
    gradients: &'a mut Gradients,
}

impl Micro<'_> {
    /// One graph over the whole model.
    fn stored(&mut self) -> Tensor<1> {
        let mut view = self.model.clone();
        view.visit(&mut |_, weight| weight.track());
        let hidden = view.hidden(ids_of(self.model, self.batch), &self.pass);
        let normed = view.norm.forward(target_rows(hidden, self.batch));
        let (loss_sum, d_normed) = self.head(normed.clone());
        let mut tape = (normed * d_normed).sum().backward();
        view.visit(&mut |name, weight| self.collect(name, weight, &mut tape));
        loss_sum
    }

    /// One graph a block.
    fn recomputed(&mut self) -> Tensor<1> {
        let model = self.model;
        let ids = ids_of(model, self.batch);
        let mut inputs = vec![model.embedding.forward(ids.clone(), &self.pass)];
        for layer in &model.layers {
            let x = inputs[inputs.len() - 1].clone();
            inputs.push(layer.forward(x, &self.pass, None));
        }

        let hidden = inputs
            .pop()
            .expect("the embedding was pushed first")
            .autodiff()
            .require_grad();
        let mut norm = model.norm.clone();
        norm.visit(&mut |_, weight| weight.track());
        let normed = norm.forward(target_rows(hidden.clone(), self.batch));
        let (loss_sum, d_normed) = self.head(normed.clone());
        let mut tape = (normed * d_normed).sum().backward();
        norm.visit(&mut |name, weight| self.collect(name, weight, &mut tape));
        let mut d_output = hidden
            .grad_remove(&mut tape)
            .expect("the leaf is in the graph");

        for layer in model.layers.iter().rev() {
            let x = inputs
                .pop()
                .expect("every block pushed its input")
                .autodiff()
                .require_grad();
            let mut view = layer.tracked();
            let y = view.forward(x.clone(), &self.pass, None);
            let mut tape = (y * d_output).sum().backward();
            view.visit(&mut |name, weight| self.collect(name, weight, &mut tape));
            d_output = x.grad_remove(&mut tape).expect("the leaf is in the graph");
        }

        if let Some(mut view) = model.embedding.tracked() {
            let x = view.forward(ids, &self.pass);
            let mut tape = (x * d_output).sum().backward();
            view.visit(&mut |name, weight| self.collect(name, weight, &mut tape));
        }
        loss_sum
    }

    /// Loss of the head, and the scaled gradient of its input.
    fn head(&mut self, normed: Tensor<2>) -> (Tensor<1>, Tensor<2>) {
        let model = self.model;
        let is_trained = |weight: Option<&Weight>| weight.is_some_and(Weight::is_trained);
        let weight = model.head_weight();
        let bias = model.head.bias.as_ref();
        let wanted = if is_trained(Some(weight)) || is_trained(bias) {
            Wanted::HiddenAndHead
        } else {
            Wanted::Hidden
        };
        let plain = normed.without_autodiff();
        let shape = plain.dims();
        let device = plain.device();
        let targets = target_ids(self.batch);
        let dropout = self.pass.dropout.as_ref();
        let result = head_loss(plain, &targets, &model.head_matrix(), wanted, dropout);
        for (name, gradient) in result.d_adapted {
            add(self.gradients, &name, gradient.mul_scalar(self.scale));
        }
        let owner = match model.head.weight {
            Some(_) => &model.head.path,
            None => &model.embedding.path,
        };
        for (name, gradient, weight) in [
            (format!("{owner}.weight"), result.d_head, Some(weight)),
            (format!("{}.bias", model.head.path), result.d_bias, bias),
        ] {
            if let Some(gradient) = gradient.filter(|_| is_trained(weight)) {
                add(self.gradients, &name, gradient.mul_scalar(self.scale));
            }
        }
        let d_normed = result
            .d_hidden
            .unwrap_or_else(|| Tensor::zeros(shape, &device));
        (result.losses.sum(), d_normed.mul_scalar(self.scale))
    }

    fn collect(&mut self, name: &str, weight: &mut Weight, tape: &mut burn::tensor::Gradients) {
        if weight.is_trained()
            && let Some(gradient) = weight.value().grad_remove(tape)
        {
            add(self.gradients, name, gradient);
        }
    }
}

fn add(gradients: &mut Gradients, name: &str, gradient: Tensor<2>) {
    let sum = match gradients.remove(name) {
        Some(sum) => sum + gradient,
        None => gradient,
    };
    gradients.insert(name.to_string(), sum);
}

fn pass_of(model: &Decoder, batch: &MicroBatch) -> Pass {
    model.pass(&batch.places, [batch.n_place_rows(), batch.t, batch.t])
}

fn ids_of(model: &Decoder, batch: &MicroBatch) -> Tensor<2, Int> {
    let rows: Vec<&[u32]> = batch.rows.iter().map(Vec::as_slice).collect();
    model.ids(&rows, batch.t)
}

fn target_ids(batch: &MicroBatch) -> Vec<i32> {
    batch.targets.iter().map(|&(_, id)| id).collect()
}

/// Hidden states that predict a target: `[b, t, d] -> [n, d]`. The others never meet the head.
fn target_rows(hidden: Tensor<3>, batch: &MicroBatch) -> Tensor<2> {
    let [b, t, d] = hidden.dims();
    let places: Vec<i32> = batch.targets.iter().map(|&(place, _)| place).collect();
    let data = TensorData::new(places, [batch.targets.len()]);
    let device = hidden.device().without_autodiff();
    hidden
        .reshape([b * t, d])
        .select(0, Tensor::<1, Int>::from_data(data, (&device, DType::I32)))
}
