//! Low-rank pairs on a decoder: fresh ones, those of an adapter, and back out again.

use burn::tensor::{DType, Tensor, TensorData};

use super::{Decoder, decoder::host_f32};
use crate::{
    nn::{LoraPair, Projection, Weight},
    rng::Rng,
    weights::{
        adapter::{Adapter, AdapterError, AdapterPair},
        adapter_config::AdapterConfig,
    },
};

/// Keeps the draws of initialisation apart from those of order and dropout.
const INIT_STREAMS: u64 = 0x6c6f_7261;

impl Decoder {
    /// Trainable pairs for `modules`, PEFT's initialisation: A uniform in ±1/√d_in (Kaiming with
    /// a = √5), B zero, so that the adapted model starts as its base.
    pub fn attach_fresh(&mut self, config: &AdapterConfig, modules: &[String], seed: u64) {
        for (stream, linear) in self.arch.linear_modules().into_iter().enumerate() {
            let (module, d_out, d_in) = (linear.path, linear.d_out, linear.d_in);
            if !modules.contains(&module) {
                continue;
            }
            let r = config.rank_of(&module);
            let bound = 1.0 / (d_in as f64).sqrt();
            let mut rng = Rng::new(seed ^ INIT_STREAMS, stream as u64);
            let a = (0..r * d_in)
                .map(|_| ((2.0 * rng.uniform() - 1.0) * bound) as f32)
                .collect();
            let b = vec![0.0; d_out * r];
            self.attach_pair(
                &AdapterPair {
                    module,
                    a,
                    b,
                    r,
                    d_in,
                    d_out,
                },
                config,
            );
        }
    }

    /// Puts an adapter's pairs on their projections, ready to train on.
    ///
    /// # Errors
    /// [`AdapterError::OtherModel`] with every mismatch; the decoder is left as it was.
    pub fn attach(&mut self, adapter: &Adapter) -> Result<(), AdapterError> {
        let modules = self.arch.linear_modules();
        adapter.check_fits(|module| {
            let found = modules.iter().find(|known| known.path == module);
            found.map(|known| vec![known.d_out, known.d_in])
        })?;
        for pair in &adapter.pairs {
            self.attach_pair(pair, &adapter.config);
        }
        Ok(())
    }

    fn attach_pair(&mut self, pair: &AdapterPair, config: &AdapterConfig) {
        let device = self.device.clone();
        let matrix = |numbers: &[f32], shape: [usize; 2]| {
            let data = TensorData::new(numbers.to_vec(), shape);
            Weight::trained(Tensor::from_data(data, (&device, DType::F32)))
        };
        let mut stream = 0;
        self.visit_projections(&mut |path, projection| {
            if path == pair.module {
                projection.lora = Some(LoraPair {
                    a: matrix(&pair.a, [pair.r, pair.d_in]),
                    b: matrix(&pair.b, [pair.d_out, pair.r]),
                    scaling: config.scaling_of(path),
                    dropout: config.lora_dropout,
                    stream,
                });
            }
            stream += 1;
        });
    }

    /// Takes every pair off again: the base.
    pub fn detach_adapter(&mut self) {
        self.visit_projections(&mut |_, projection| projection.lora = None);
    }

    /// The pairs as they are now, under `config`.
    pub fn adapter(&self, config: &AdapterConfig) -> Adapter {
        let mut pairs = Vec::new();
        self.clone().visit_projections(&mut |path, projection| {
            if let Some(pair) = &projection.lora {
                let [r, d_in] = pair.a.value().dims();
                let [d_out, _] = pair.b.value().dims();
                let (a, b) = (host_f32(pair.a.value()), host_f32(pair.b.value()));
                pairs.push(AdapterPair {
                    module: path.to_string(),
                    a,
                    b,
                    r,
                    d_in,
                    d_out,
                });
            }
        });
        pairs.sort_by(|x, y| x.module.cmp(&y.module));
        Adapter {
            config: config.clone(),
            pairs,
        }
    }

    /// Walks over the linear layers of all blocks by their module paths.
    pub fn visit_projections(&mut self, visit: &mut dyn FnMut(&str, &mut Projection)) {
        for (layer_idx, layer) in self.layers.iter_mut().enumerate() {
            layer.visit_projections(&self.arch.layer_path(layer_idx), visit);
        }
    }
}
