//! An [`Adapter`] to the two files that PEFT saves.

use std::collections::HashMap;

use safetensors::{Dtype, SafeTensorError, tensor::TensorView};

use super::{
    Adapter, AdapterError, AdapterFiles, AdapterPair, BASE_LAYER, PREFIX, SUFFIX_A, SUFFIX_B,
    SUFFIX_EMBEDDING_A, SUFFIX_EMBEDDING_B, SUFFIX_MAGNITUDE, damaged,
};

/// The two files of an adapter, named, ordered and laid out as PEFT saves them, in f32.
pub fn write_adapter(adapter: &Adapter) -> Result<AdapterFiles, AdapterError> {
    let mut tensors = Tensors::default();
    for pair in &adapter.pairs {
        tensors.push_pair(pair, [SUFFIX_A, SUFFIX_B]);
    }
    for pair in &adapter.extras.embeddings {
        tensors.push_pair(pair, [SUFFIX_EMBEDDING_A, SUFFIX_EMBEDDING_B]);
    }
    for (module, lengths) in &adapter.extras.magnitudes {
        let name = format!("{PREFIX}{module}{SUFFIX_MAGNITUDE}");
        tensors.push(name, vec![lengths.len()], lengths);
    }
    for (name, whole) in &adapter.extras.replaced {
        let name = format!("{PREFIX}{}", whole_name(adapter, name));
        tensors.push(name, whole.shape.clone(), &whole.values);
    }
    let views = tensors.0.iter();
    let views = views
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()
        .map_err(damaged)?;
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    Ok(AdapterFiles {
        config_json: adapter.config.to_json(),
        safetensors: safetensors::serialize(views, Some(metadata)).map_err(damaged)?,
    })
}

/// PEFT keeps the tensors of a module with a pair one level deeper.
fn whole_name(adapter: &Adapter, name: &str) -> String {
    let Some((module, part)) = name.rsplit_once('.') else {
        return name.to_owned();
    };
    let embeddings = &adapter.extras.embeddings;
    if adapter.pair(module).is_some() || embeddings.iter().any(|pair| pair.module == module) {
        format!("{module}{BASE_LAYER}.{part}")
    } else {
        name.to_owned()
    }
}

#[derive(Default)]
struct Tensors(Vec<(String, Vec<usize>, Vec<u8>)>);

impl Tensors {
    fn push_pair(&mut self, pair: &AdapterPair, [suffix_a, suffix_b]: [&str; 2]) {
        for (suffix, values, shape) in [
            (suffix_a, &pair.a, vec![pair.r, pair.d_in]),
            (suffix_b, &pair.b, vec![pair.d_out, pair.r]),
        ] {
            self.push(format!("{PREFIX}{}{suffix}", pair.module), shape, values);
        }
    }

    fn push(&mut self, name: String, shape: Vec<usize>, values: &[f32]) {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.0.push((name, shape, bytes));
    }
}
