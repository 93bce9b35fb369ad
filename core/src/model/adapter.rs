//! Low-rank pairs on a decoder: fresh ones, those of an adapter, and back out again.

use burn::tensor::{DType, Tensor, TensorData};

use super::{Decoder, decoder::host_f32};
use crate::{
    arch::Arch,
    nn::{LoraPair, Projection, Weight},
    rng::Rng,
};

/// What decides a pair beside its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoraSettings {
    pub r: usize,
    pub alpha: f64,
    pub use_rslora: bool,
    pub dropout: f64,
}

impl LoraSettings {
    /// `alpha / r`, or `alpha / sqrt(r)` with rsLoRA (Kalajdzievski 2023).
    pub fn scaling(&self) -> f64 {
        let r = self.r as f64;
        self.alpha / if self.use_rslora { r.sqrt() } else { r }
    }
}

/// The numbers of one pair on the host, row major.
#[derive(Debug, Clone, PartialEq)]
pub struct PairValues {
    /// `model.layers.0.self_attn.q_proj`
    pub module: String,
    /// `[r, d_in]`
    pub a: Vec<f32>,
    /// `[d_out, r]`
    pub b: Vec<f32>,
    pub r: usize,
}

impl PairValues {
    /// PEFT's initialisation: A uniform in ±1/√d_in (Kaiming with a = √5), B zero, so that the
    /// adapted model starts as its base.
    pub fn fresh(module: &str, [d_out, d_in]: [usize; 2], r: usize, rng: &mut Rng) -> Self {
        let bound = 1.0 / (d_in as f64).sqrt();
        let a = (0..r * d_in)
            .map(|_| ((2.0 * rng.uniform() - 1.0) * bound) as f32)
            .collect();
        Self {
            module: module.to_string(),
            a,
            b: vec![0.0; d_out * r],
            r,
        }
    }
}

impl Decoder {
    /// Gives `modules` fresh trainable pairs, drawn from `seed`.
    pub fn attach_fresh(&mut self, modules: &[String], settings: LoraSettings, seed: u64) {
        let shapes = self.arch.linear_modules();
        for (stream, (path, d_out, d_in)) in shapes.iter().enumerate() {
            if modules.contains(path) {
                let mut rng = Rng::new(seed ^ 0x6c6f_7261, stream as u64);
                let values = PairValues::fresh(path, [*d_out, *d_in], settings.r, &mut rng);
                self.attach(&values, settings);
            }
        }
    }

    /// Puts one pair on its projection. The caller has checked module and shapes
    /// (see [`crate::weights`]); a module that the model lacks is left out.
    pub fn attach(&mut self, values: &PairValues, settings: LoraSettings) {
        let device = self.device.clone();
        let stream = self
            .arch
            .linear_modules()
            .iter()
            .position(|(path, _, _)| *path == values.module);
        let matrix = |numbers: &[f32], shape: [usize; 2]| {
            let data = TensorData::new(numbers.to_vec(), shape);
            Weight::trained(Tensor::from_data(data, (&device, DType::F32)))
        };
        let settings = LoraSettings {
            r: values.r,
            ..settings
        };
        self.visit_projections(&mut |path, projection| {
            if path == values.module {
                let [d_out, d_in] = projection.weight.value().dims();
                projection.lora = Some(LoraPair {
                    a: matrix(&values.a, [values.r, d_in]),
                    b: matrix(&values.b, [d_out, values.r]),
                    scaling: settings.scaling(),
                    dropout: settings.dropout,
                    stream: stream.unwrap_or_default() as u64,
                });
            }
        });
    }

    /// Takes every pair off again: the base.
    pub fn detach_adapter(&mut self) {
        self.visit_projections(&mut |_, projection| projection.lora = None);
    }

    /// The pairs as they are now, in the order of the forward pass.
    pub fn adapter(&self) -> Vec<PairValues> {
        let mut pairs = Vec::new();
        self.clone().visit_projections(&mut |path, projection| {
            if let Some(pair) = &projection.lora {
                let r = pair.a.value().dims()[0];
                let (a, b) = (host_f32(pair.a.value()), host_f32(pair.b.value()));
                pairs.push(PairValues {
                    module: path.to_string(),
                    a,
                    b,
                    r,
                });
            }
        });
        pairs
    }

    /// Walks over the linear layers of all blocks by their module paths.
    pub fn visit_projections(&mut self, visit: &mut dyn FnMut(&str, &mut Projection)) {
        for (layer_idx, layer) in self.layers.iter_mut().enumerate() {
            layer.visit_projections(&Arch::layer_path(layer_idx), visit);
        }
    }
}
