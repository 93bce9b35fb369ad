//! Fresh weights for training from scratch and for benchmarks, as a [`WeightSource`].

use super::{Dtype, LoadError, RawTensor, WeightSource};
use crate::{
    arch::{Arch, BlockModule, Module, Part},
    rng::Rng,
};

/// GPT-2's initialisation (Radford et al. 2019): matrices normal with spread 0.02, those that write
/// to the residual stream divided by √(2 · layers); norms one; biases zero.
#[derive(Debug, Clone)]
pub struct RandomSource {
    arch: Arch,
    seed: u64,
}

const SPREAD: f64 = 0.02;

impl RandomSource {
    pub fn new(arch: Arch, seed: u64) -> Self {
        Self { arch, seed }
    }
}

impl WeightSource for RandomSource {
    fn names(&self) -> Vec<String> {
        self.arch
            .tensors()
            .into_iter()
            .map(|spec| spec.name)
            .collect()
    }

    fn tensor(&self, name: &str) -> Result<RawTensor<'_>, LoadError> {
        let specs = self.arch.tensors();
        let place = specs.iter().position(|spec| spec.name == name);
        let index = place.ok_or_else(|| LoadError::MissingTensor {
            name: name.to_string(),
        })?;
        let shape = specs[index].shape.clone();
        let n_elements: usize = shape.iter().product();
        let spec = &specs[index];
        let values: Vec<f32> = if spec.is_norm_weight() {
            let one = if self.arch.norm.plus_one { 0.0 } else { 1.0 };
            vec![one; n_elements]
        } else if spec.part == Part::Bias {
            vec![0.0; n_elements]
        } else {
            let depth = if writes_residual(spec.module) {
                2.0 * self.arch.n_layers as f64
            } else {
                1.0
            };
            let mut rng = Rng::new(self.seed, index as u64);
            (0..n_elements)
                .map(|_| (rng.normal() * SPREAD / depth.sqrt()) as f32)
                .collect()
        };
        Ok(RawTensor::from_f32(&values, shape, Dtype::F32))
    }
}

fn writes_residual(module: Module) -> bool {
    match module {
        Module::Block(_, BlockModule::Linear(role)) => role.writes_residual(),
        _ => false,
    }
}
