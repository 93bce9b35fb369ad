//! Adapters on a decoder: fresh ones, those of a file, and back out again.

use std::collections::BTreeMap;

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::{Decoder, decoder::host_f32};
use crate::{
    arch::{Arch, Module, Part},
    nn::{Block, EmbeddingPair, LoraPair, Magnitude, Projection, Weight, row_squares},
    protocol::LoraBias,
    rng::Rng,
    weights::{
        adapter::{Adapter, AdapterError, AdapterExtras, AdapterPair, WholeTensor},
        adapter_config::{AdapterConfig, is_saved},
    },
};

/// Keeps the draws of initialisation apart from those of order and dropout.
const INIT_STREAMS: u64 = 0x6c6f_7261;

impl Decoder {
    /// Trainable pairs for `modules`, PEFT's initialisation: A uniform in ±1/√d_in (Kaiming with
    /// a = √5), B zero, so that the adapted model starts as its base; lengths of rows as they are.
    /// On an embedding A is zero and B normal.
    ///
    /// # Errors
    /// [`AdapterError::Untrainable`] where the settings ask for what there is not.
    pub fn attach_fresh(
        &mut self,
        config: &AdapterConfig,
        modules: &[String],
        seed: u64,
    ) -> Result<(), AdapterError> {
        let linear = self.arch.linear_modules();
        let mut adapter = Adapter {
            config: config.clone(),
            pairs: Vec::new(),
            extras: AdapterExtras::default(),
        };
        for (stream, module) in linear.iter().enumerate() {
            if modules.contains(&module.path) {
                let rng = Rng::new(seed ^ INIT_STREAMS, stream as u64);
                let shape = [module.d_out, module.d_in];
                let pair = fresh_pair(&module.path, shape, config, rng);
                adapter.pairs.push(pair);
            }
        }
        if modules.contains(&self.head.path) {
            let rng = Rng::new(seed ^ INIT_STREAMS, linear.len() as u64 + 1);
            let pair = fresh_pair(&self.head.path, self.head_weight().dims(), config, rng);
            adapter.pairs.push(pair);
        }
        if modules.contains(&self.embedding.path) {
            let rng = Rng::new(seed ^ INIT_STREAMS, linear.len() as u64);
            adapter
                .extras
                .embeddings
                .push(self.fresh_embedding_pair(config, rng));
        }
        adapter.pairs.sort_by(|x, y| x.module.cmp(&y.module));
        self.put(&adapter)
    }

    fn fresh_embedding_pair(&self, config: &AdapterConfig, mut rng: Rng) -> AdapterPair {
        let module = self.embedding.path.clone();
        let (r, d_in, d_out) = (
            config.rank_of(&module),
            self.arch.vocab_size,
            self.arch.d_model,
        );
        AdapterPair {
            a: vec![0.0; r * d_in],
            b: (0..d_out * r).map(|_| rng.normal() as f32).collect(),
            module,
            r,
            d_in,
            d_out,
        }
    }

    /// Puts an adapter on the model, ready to train on.
    ///
    /// # Errors
    /// [`AdapterError::OtherModel`] with every mismatch; the decoder is left as it was.
    pub fn attach(&mut self, adapter: &Adapter) -> Result<(), AdapterError> {
        check_fits(adapter, &self.arch)?;
        self.put(adapter)
    }

    /// Puts what an adapter has for embedding and head on a model without blocks, to answer.
    pub(super) fn put_around_blocks(&mut self, adapter: &Adapter) {
        self.split_head(adapter);
        self.replace(&adapter.extras.replaced);
        self.put_on_embedding(adapter);
        self.put_on_head(adapter);
    }

    fn put(&mut self, adapter: &Adapter) -> Result<(), AdapterError> {
        let config = &adapter.config;
        let extras = &adapter.extras;
        self.refuse_packed(adapter)?;
        self.split_head(adapter);
        self.replace(&extras.replaced);
        self.save_modules(&config.modules_to_save)?;
        self.train_biases(adapter);
        let (device, mut stream) = (self.device.clone(), 0);
        self.visit_projections(&mut |projection| {
            if let Some(pair) = adapter.pair(&projection.path) {
                projection.lora = Some(pair_on(projection, pair, adapter, (&device, stream)));
            }
            stream += 1;
        });
        self.put_on_embedding(adapter);
        self.put_on_head(adapter);
        Ok(())
    }

    /// A pair on a head that is tied to the embedding is beside the table that both look at.
    fn put_on_head(&mut self, adapter: &Adapter) {
        let place = (&self.device, self.arch.linear_modules().len() as u64);
        let pair = adapter.pair(&self.head.path);
        let head = self.head_projection();
        self.head.lora = pair.map(|pair| pair_on(&head, pair, adapter, place));
    }

    fn put_on_embedding(&mut self, adapter: &Adapter) {
        let pair = adapter.extras.embeddings.first();
        self.embedding.lora = pair.map(|pair| EmbeddingPair {
            a: trained_matrix(&pair.a, [pair.r, pair.d_in], &self.device),
            b: trained_matrix(&pair.b, [pair.d_out, pair.r], &self.device),
            magnitude: {
                let table = || self.embedding.table.value().transpose();
                magnitude(table, pair, adapter, &self.device)
            },
            scaling: adapter.config.scaling_of(&pair.module),
        });
    }

    /// Packed weights are never trained, nor replaced by what an adapter trained whole.
    fn refuse_packed(&self, adapter: &Adapter) -> Result<(), AdapterError> {
        let AdapterExtras { replaced, .. } = &adapter.extras;
        let saved = &adapter.config.modules_to_save;
        let mut refused = None;
        self.clone().visit(&mut |name, weight| {
            let module = name.rsplit_once('.').map_or(name, |(module, _)| module);
            let hits = replaced.contains_key(name) || is_saved(module, saved);
            if weight.is_packed() && hits && refused.is_none() {
                refused = Some(name.to_owned());
            }
        });
        match refused {
            None => Ok(()),
            Some(name) => Err(AdapterError::Untrainable {
                what: format!("`{name}`, which `load_in` packs, in `modules_to_save`"),
                reason: "packed weights stay as they are; leave its module out, or `load_in` off",
            }),
        }
    }

    /// A head that is tied to the embedding becomes its own where one of the two is saved whole.
    fn split_head(&mut self, adapter: &Adapter) {
        let name = format!("{}.weight", self.head.path);
        let saved = &adapter.config.modules_to_save;
        let paths = [&self.head.path, &self.embedding.path];
        let is_saved = paths.iter().any(|path| is_saved(path, saved));
        if self.head.weight.is_none() && (is_saved || adapter.extras.replaced.contains_key(&name)) {
            self.head.weight = Some(Weight::frozen(self.embedding.table.value()));
        }
    }

    fn replace(&mut self, replaced: &BTreeMap<String, WholeTensor>) {
        let device = self.device.clone();
        self.change_base(&mut |name, weight| {
            let whole = replaced.get(name);
            whole
                .inspect(|whole| set_whole(weight, whole, &device))
                .is_some()
        });
    }

    /// Walks over the base and sets aside what `change` says that it changed.
    fn change_base(&mut self, change: &mut dyn FnMut(&str, &mut Weight) -> bool) {
        let mut set_aside = std::mem::take(&mut self.set_aside);
        self.visit(&mut |name, weight| {
            let before = weight.clone();
            if change(name, weight) {
                set_aside.entry(name.to_owned()).or_insert(before);
            }
        });
        self.set_aside = set_aside;
    }

    /// Trains whole modules.
    fn save_modules(&mut self, entries: &[String]) -> Result<(), AdapterError> {
        let mut found = vec![false; entries.len()];
        self.change_base(&mut |name, weight| {
            let module = name.rsplit_once('.').map_or(name, |(module, _)| module);
            let mut is_trained = false;
            for (entry, found) in entries.iter().zip(&mut found) {
                let hits = is_saved(module, std::slice::from_ref(entry));
                *found |= hits;
                is_trained |= hits;
            }
            if is_trained {
                weight.train_in_f32();
            }
            is_trained
        });
        match entries.iter().zip(found).find(|(_, found)| !found) {
            None => Ok(()),
            Some((entry, _)) => Err(AdapterError::Untrainable {
                what: format!("modules_to_save entry `{entry}`"),
                reason: "no module of the model ends with it",
            }),
        }
    }

    fn train_biases(&mut self, adapter: &Adapter) {
        let is_trained = |module: &str| match adapter.config.bias {
            LoraBias::None => false,
            LoraBias::LoraOnly => adapter.pair(module).is_some(),
            LoraBias::All => true,
        };
        self.change_base(&mut |name, weight| {
            let hits = name.strip_suffix(".bias").is_some_and(is_trained);
            if hits {
                weight.train_in_f32();
            }
            hits
        });
    }

    /// Takes the adapter off again: the base.
    pub fn detach_adapter(&mut self) {
        self.embedding.lora = None;
        self.head.lora = None;
        self.visit_projections(&mut |projection| projection.lora = None);
        let mut set_aside = std::mem::take(&mut self.set_aside);
        self.visit(&mut |name, weight| {
            if let Some(before) = set_aside.remove(name) {
                *weight = before;
            }
        });
        if self.arch.tie_embeddings {
            self.head.weight = None;
        }
    }

    /// The adapter as it is now, under `config`.
    pub fn adapter(&self, config: &AdapterConfig) -> Adapter {
        let mut pairs = Vec::new();
        let mut extras = AdapterExtras::default();
        let mut decoder = self.clone();
        let mut take = |path: &str, pair: Option<&LoraPair>| {
            let Some(pair) = pair else { return };
            pairs.push(pair_of(path, &pair.a, &pair.b));
            if let Some(magnitude) = &pair.magnitude {
                let lengths = host_f32(magnitude.lengths.value());
                extras.magnitudes.insert(path.to_owned(), lengths);
            }
        };
        decoder.visit_projections(&mut |projection| {
            take(&projection.path, projection.lora.as_ref());
        });
        take(&self.head.path, self.head.lora.as_ref());
        if let Some(pair) = &self.embedding.lora {
            extras
                .embeddings
                .push(pair_of(&self.embedding.path, &pair.a, &pair.b));
            if let Some(magnitude) = &pair.magnitude {
                let lengths = host_f32(magnitude.lengths.value());
                let path = self.embedding.path.clone();
                extras.magnitudes.insert(path, lengths);
            }
        }
        let specs = self.arch.tensors().into_iter();
        let shapes: BTreeMap<String, Vec<usize>> =
            specs.map(|spec| (spec.name, spec.shape)).collect();
        decoder.visit(&mut |name, weight| {
            let is_base = weight.is_trained() && !name.contains(".lora_");
            if is_base {
                let values = host_f32(weight.value());
                let shape = shapes.get(name).cloned();
                let shape = shape.unwrap_or_else(|| weight.dims().to_vec());
                extras
                    .replaced
                    .insert(name.to_owned(), WholeTensor { shape, values });
            }
        });
        pairs.sort_by(|x, y| x.module.cmp(&y.module));
        Adapter {
            config: config.clone(),
            pairs,
            extras,
        }
    }

    /// Walks over the linear layers of all blocks in the order of the forward pass.
    pub fn visit_projections(&mut self, visit: &mut dyn FnMut(&mut Projection)) {
        for layer in &mut self.layers {
            layer.visit_projections(visit);
        }
    }
}

/// # Errors
/// [`AdapterError::OtherModel`] with everything of the adapter that has no place in the model.
pub(super) fn check_fits(adapter: &Adapter, arch: &Arch) -> Result<(), AdapterError> {
    let specs = arch.tensors().into_iter();
    let mut shapes: BTreeMap<String, Vec<usize>> =
        specs.map(|spec| (spec.name, spec.shape)).collect();
    // A head that is tied to the embedding may be one of its own in an adapter, or carry a pair.
    let head = arch.tensor_name(Module::Head, Part::Weight);
    let table = vec![arch.vocab_size, arch.d_model];
    shapes.entry(head).or_insert(table);
    adapter.check_fits(|name| shapes.get(name).cloned())
}

/// Puts what an adapter has for a block on it, to answer.
pub(super) fn put_on_block(block: &mut Block, adapter: &Adapter, device: &Device) {
    block.visit(&mut |name, weight| {
        if let Some(whole) = adapter.extras.replaced.get(name) {
            set_whole(weight, whole, device);
        }
    });
    block.visit_projections(&mut |projection| {
        if let Some(pair) = adapter.pair(&projection.path) {
            projection.lora = Some(pair_on(projection, pair, adapter, (device, 0)));
        }
    });
}

fn set_whole(weight: &mut Weight, whole: &WholeTensor, device: &Device) {
    let data = TensorData::new(whole.values.clone(), weight.dims());
    let dtype = weight.value().dtype();
    weight.set(Tensor::from_data(data, (device, dtype)));
}

fn pair_on(
    projection: &Projection,
    pair: &AdapterPair,
    adapter: &Adapter,
    (device, stream): (&Device, u64),
) -> LoraPair {
    let config = &adapter.config;
    LoraPair {
        a: trained_matrix(&pair.a, [pair.r, pair.d_in], device),
        b: trained_matrix(&pair.b, [pair.d_out, pair.r], device),
        magnitude: magnitude(|| projection.weight.value(), pair, adapter, device),
        scaling: config.scaling_of(&pair.module),
        dropout: config.lora_dropout,
        stream,
    }
}

/// DoRA's lengths of the rows of `weight`, `[d_out, d_in]`: the adapter's, or at first the rows' own.
fn magnitude(
    weight: impl Fn() -> Tensor<2>,
    pair: &AdapterPair,
    adapter: &Adapter,
    device: &Device,
) -> Option<Magnitude> {
    adapter.config.use_dora.then(|| {
        let base_squares = row_squares(weight());
        let lengths = adapter.extras.magnitudes.get(&pair.module);
        let lengths = match lengths {
            Some(values) => trained_matrix(values, [1, pair.d_out], device),
            None => Weight::trained(base_squares.clone().sqrt()),
        };
        Magnitude {
            lengths,
            base_squares,
        }
    })
}

fn trained_matrix(values: &[f32], shape: [usize; 2], device: &Device) -> Weight {
    let data = TensorData::new(values.to_vec(), shape);
    Weight::trained(Tensor::from_data(data, (device, DType::F32)))
}

fn fresh_pair(
    module: &str,
    [d_out, d_in]: [usize; 2],
    config: &AdapterConfig,
    mut rng: Rng,
) -> AdapterPair {
    let r = config.rank_of(module);
    let bound = 1.0 / (d_in as f64).sqrt();
    let draw = |_| ((2.0 * rng.uniform() - 1.0) * bound) as f32;
    AdapterPair {
        module: module.to_owned(),
        a: (0..r * d_in).map(draw).collect(),
        b: vec![0.0; d_out * r],
        r,
        d_in,
        d_out,
    }
}

fn pair_of(module: &str, a: &Weight, b: &Weight) -> AdapterPair {
    let [r, d_in] = a.dims();
    let [d_out, _] = b.dims();
    AdapterPair {
        module: module.to_owned(),
        a: host_f32(a.value()),
        b: host_f32(b.value()),
        r,
        d_in,
        d_out,
    }
}
