//! A decoder's own weights back as a checkpoint.

use super::{Decoder, decoder::host_f32};
use crate::weights::{Dtype, RawTensor};

impl Decoder {
    /// Every base tensor by its Hugging Face name and shape, rounded to `dtype`; adapters are left out.
    pub fn checkpoint(&self, dtype: Dtype) -> Vec<(String, RawTensor<'static>)> {
        let specs = self.arch.tensors();
        let mut tensors = Vec::new();
        self.clone().visit(&mut |name, weight| {
            if let Some(spec) = specs.iter().find(|spec| spec.name == name) {
                let values = host_f32(weight.value());
                tensors.push((
                    name.to_string(),
                    RawTensor::from_f32(&values, spec.shape.clone(), dtype),
                ));
            }
        });
        tensors
    }

    /// Trains every parameter instead of an adapter.
    pub fn train_all(&mut self) {
        self.visit(&mut |_, weight| weight.train());
    }
}
