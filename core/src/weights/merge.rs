//! A checkpoint with an adapter folded into it, tensor by tensor: `W + scaling * B A`, with DoRA's
//! lengths `m` every row of that times `m / ‖row‖`; the table of an embedding plus the transposed
//! product, with DoRA every column times `m / ‖column‖`; whole tensors in place of the base's. Where the head is the embedding and the adapter
//! changes one of the two, the merged model has a head of its own.
//!
//! The update is computed and added in f32 and the sum rounded once to the type asked for
//! (PEFT's `LoraLayer.merge` rounds to the type of the base). Nothing is computed before a
//! tensor is asked for, so a model of any size passes through with one tensor in memory. Lengths of
//! columns need the whole table: they are computed once, some rows at a time.

use std::{ops::Range, sync::OnceLock};

use super::{
    Dtype, LoadError, RawInfo, RawTensor, WeightSource,
    adapter::{Adapter, AdapterError, AdapterPair, WholeTensor},
};
use crate::arch::{Arch, Module, Part};

/// A base and an adapter that fits it, seen as one checkpoint.
pub struct MergedSource<'a> {
    base: &'a dyn WeightSource,
    adapter: &'a Adapter,
    rounding: Rounding,
    untied: Option<Untied>,
    /// By what the columns of the embedding's table are multiplied.
    column_factors: OnceLock<Vec<f64>>,
}

/// A head that takes the embedding's matrix for its base.
struct Untied {
    head: String,
    table: String,
}

/// The type of merged tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// The base tensor's own, for a checkpoint like the base.
    ToBase,
    /// f32, where another rounding follows (quantization).
    Keep,
}

impl<'a> MergedSource<'a> {
    /// Compares every pair with the base before anything is computed. The tensors are those of
    /// [`merged_arch`].
    ///
    /// # Errors
    /// [`AdapterError::OtherModel`] lists every pair that has no place in the base.
    pub fn new(
        arch: &Arch,
        base: &'a dyn WeightSource,
        adapter: &'a Adapter,
        rounding: Rounding,
    ) -> Result<Self, AdapterError> {
        let name = |module| arch.tensor_name(module, Part::Weight);
        let untied = adapter.unties(arch).then(|| Untied {
            head: name(Module::Head),
            table: name(Module::Embedding),
        });
        Self::with_head(untied, base, adapter, rounding)
    }

    fn with_head(
        untied: Option<Untied>,
        base: &'a dyn WeightSource,
        adapter: &'a Adapter,
        rounding: Rounding,
    ) -> Result<Self, AdapterError> {
        let merged = Self {
            base,
            adapter,
            rounding,
            untied,
            column_factors: OnceLock::new(),
        };
        let shape = |name: &str| base.info(merged.base_name(name)).ok();
        adapter.check_fits(|name| shape(name).map(|info| info.shape))?;
        Ok(merged)
    }
}

/// What a model is with an adapter folded in.
pub fn merged_arch(arch: &Arch, adapter: &Adapter) -> Arch {
    Arch {
        tie_embeddings: arch.tie_embeddings && !adapter.unties(arch),
        ..arch.clone()
    }
}

impl WeightSource for MergedSource<'_> {
    fn names(&self) -> Vec<String> {
        let mut names = self.base.names();
        let head = self.untied.iter().map(|untied| &untied.head);
        let added: Vec<String> = head.filter(|head| !names.contains(head)).cloned().collect();
        names.extend(added);
        names
    }

    fn tensor(&self, name: &str) -> Result<RawTensor<'_>, LoadError> {
        self.merged(name, self.base.tensor(self.base_name(name))?, 0)
    }

    fn tensor_rows(&self, name: &str, rows: Range<usize>) -> Result<RawTensor<'_>, LoadError> {
        let first_row = rows.start;
        let rows = self.base.tensor_rows(self.base_name(name), rows)?;
        self.merged(name, rows, first_row)
    }

    fn info(&self, name: &str) -> Result<RawInfo, LoadError> {
        let info = self.base.info(self.base_name(name))?;
        let dtype = match self.touches(name) {
            true => self.dtype(info.dtype),
            false => info.dtype,
        };
        Ok(RawInfo { dtype, ..info })
    }
}

/// The pair of one tensor.
enum Update<'a> {
    Layer {
        pair: &'a AdapterPair,
        /// DoRA's lengths of rows.
        lengths: Option<&'a [f32]>,
    },
    Table {
        pair: &'a AdapterPair,
        /// DoRA's lengths of columns.
        lengths: Option<&'a [f32]>,
    },
}

/// Rows of a table of which the columns' lengths are summed at once.
const ROWS_AT_ONCE: usize = 4096;

impl MergedSource<'_> {
    /// Whose values a tensor has before the adapter changes them.
    fn base_name<'n>(&'n self, name: &'n str) -> &'n str {
        match &self.untied {
            Some(untied) if name == untied.head => &untied.table,
            _ => name,
        }
    }

    fn update(&self, name: &str) -> Option<Update<'_>> {
        let extras = &self.adapter.extras;
        let module = name.strip_suffix(".weight");
        let lengths = |pair: &AdapterPair| extras.magnitudes.get(&pair.module).map(Vec::as_slice);
        if let Some(pair) = module.and_then(|module| self.adapter.pair(module)) {
            let lengths = lengths(pair);
            return Some(Update::Layer { pair, lengths });
        }
        let mut embeddings = extras.embeddings.iter();
        let pair = embeddings.find(|pair| module == Some(pair.module.as_str()))?;
        let lengths = lengths(pair);
        Some(Update::Table { pair, lengths })
    }

    fn replaced(&self, name: &str) -> Option<&WholeTensor> {
        self.adapter.extras.replaced.get(name)
    }

    fn touches(&self, name: &str) -> bool {
        self.replaced(name).is_some() || self.update(name).is_some()
    }

    /// The type that a merged tensor has.
    fn dtype(&self, base: Dtype) -> Dtype {
        match self.rounding {
            Rounding::ToBase => base,
            Rounding::Keep => Dtype::F32,
        }
    }

    /// Rows of a base tensor, from `first_row` on, with their update.
    fn merged<'b>(
        &self,
        name: &str,
        tensor: RawTensor<'b>,
        first_row: usize,
    ) -> Result<RawTensor<'b>, LoadError> {
        if !self.touches(name) {
            return Ok(tensor);
        }
        let mut weight = self.started(name, &tensor, first_row);
        match self.update(name) {
            None => {}
            Some(Update::Layer { pair, lengths }) => {
                let scaling = self.adapter.scaling(pair) as f32;
                add_update(&mut weight, pair, first_row, scaling);
                if let Some(lengths) = lengths.and_then(|lengths| lengths.get(first_row..)) {
                    set_lengths(&mut weight, pair.d_in, lengths);
                }
            }
            Some(Update::Table { pair, lengths }) => {
                let scaling = self.adapter.scaling(pair) as f32;
                add_transposed(&mut weight, pair, first_row, scaling);
                if let Some(lengths) = lengths {
                    let factors = self.column_factors(name, pair, lengths)?;
                    for row in weight.chunks_exact_mut(pair.d_out) {
                        for (w, factor) in row.iter_mut().zip(factors) {
                            *w = (f64::from(*w) * factor) as f32;
                        }
                    }
                }
            }
        }
        let merged = RawTensor::from_f32(&weight, tensor.shape, self.dtype(tensor.dtype));
        refuse_overflow(name, &merged)?;
        Ok(merged)
    }

    /// Rows of a tensor from `first_row` on, before a pair is added.
    fn started(&self, name: &str, tensor: &RawTensor<'_>, first_row: usize) -> Vec<f32> {
        let mut weight = tensor.to_f32();
        if let Some(whole) = self.replaced(name) {
            let row = whole.shape.iter().skip(1).product::<usize>();
            let values = whole.values.iter().skip(first_row * row);
            for (weight, value) in weight.iter_mut().zip(values) {
                *weight = *value;
            }
        }
        weight
    }

    /// `m / ‖column‖` of the table of an embedding with its pair, `[d]`.
    fn column_factors(
        &self,
        name: &str,
        pair: &AdapterPair,
        lengths: &[f32],
    ) -> Result<&[f64], LoadError> {
        if let Some(factors) = self.column_factors.get() {
            return Ok(factors);
        }
        let scaling = self.adapter.scaling(pair) as f32;
        let mut squares = vec![0.0f64; pair.d_out];
        for first_row in (0..pair.d_in).step_by(ROWS_AT_ONCE) {
            let end = pair.d_in.min(first_row + ROWS_AT_ONCE);
            let tensor = self.base.tensor_rows(name, first_row..end)?;
            let mut rows = self.started(name, &tensor, first_row);
            add_transposed(&mut rows, pair, first_row, scaling);
            for row in rows.chunks_exact(pair.d_out) {
                for (sum, w) in squares.iter_mut().zip(row) {
                    *sum += f64::from(*w) * f64::from(*w);
                }
            }
        }
        let factors = lengths.iter().zip(squares).map(|(length, squares)| {
            f64::from(*length) / squares.max(f64::from(f32::MIN_POSITIVE)).sqrt()
        });
        let factors: Vec<f64> = factors.collect();
        Ok(self.column_factors.get_or_init(|| factors))
    }
}

/// `weight += scaling * B A` for rows from `first_row` on, the sum over the rank first, as a matrix
/// product does.
fn add_update(weight: &mut [f32], pair: &AdapterPair, first_row: usize, scaling: f32) {
    let mut update = vec![0.0f32; pair.d_in];
    let b_rows = pair.b.chunks_exact(pair.r).skip(first_row);
    for (row, b_row) in weight.chunks_exact_mut(pair.d_in).zip(b_rows) {
        update.fill(0.0);
        for (b, a_row) in b_row.iter().zip(pair.a.chunks_exact(pair.d_in)) {
            for (sum, a) in update.iter_mut().zip(a_row) {
                *sum += b * a;
            }
        }
        for (w, delta) in row.iter_mut().zip(&update) {
            *w += scaling * delta;
        }
    }
}

/// `weight += scaling * (B A)ᵀ` for the rows of tokens from `first_row` on.
fn add_transposed(weight: &mut [f32], pair: &AdapterPair, first_row: usize, scaling: f32) {
    for (row_idx, row) in weight.chunks_exact_mut(pair.d_out).enumerate() {
        let token = first_row + row_idx;
        for (w, b_row) in row.iter_mut().zip(pair.b.chunks_exact(pair.r)) {
            let a_column = pair.a.iter().skip(token).step_by(pair.d_in);
            let delta: f32 = b_row.iter().zip(a_column).map(|(b, a)| b * a).sum();
            *w += scaling * delta;
        }
    }
}

/// Gives every row the length that DoRA trained for it.
fn set_lengths(weight: &mut [f32], d_in: usize, lengths: &[f32]) {
    for (row, length) in weight.chunks_exact_mut(d_in).zip(lengths) {
        let squares: f64 = row.iter().map(|w| f64::from(*w) * f64::from(*w)).sum();
        let factor = f64::from(*length) / squares.max(f64::from(f32::MIN_POSITIVE)).sqrt();
        for w in row {
            *w = (f64::from(*w) * factor) as f32;
        }
    }
}

/// A base in f16 may have no room for the sum.
fn refuse_overflow(name: &str, merged: &RawTensor<'_>) -> Result<(), LoadError> {
    let values = merged.to_f32();
    match values.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(index) => Err(LoadError::NotFinite {
            name: name.to_owned(),
            index,
            value: values[index],
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        protocol::TargetModules,
        weights::{
            SafetensorsSource,
            adapter::{AdapterExtras, read_adapter},
            adapter_config::AdapterConfig,
        },
    };

    struct Literal(BTreeMap<String, RawTensor<'static>>);

    impl WeightSource for Literal {
        fn names(&self) -> Vec<String> {
            self.0.keys().cloned().collect()
        }

        fn tensor(&self, name: &str) -> Result<RawTensor<'_>, LoadError> {
            let missing = || LoadError::MissingTensor {
                name: name.to_owned(),
            };
            self.0.get(name).cloned().ok_or_else(missing)
        }
    }

    fn base(dtype: Dtype) -> Literal {
        let weight = RawTensor::from_f32(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], vec![2, 3], dtype);
        let norm = RawTensor::from_f32(&[1.0], vec![1], dtype);
        Literal(BTreeMap::from([
            ("m.weight".to_owned(), weight),
            ("norm.weight".to_owned(), norm),
        ]))
    }

    fn adapter(alpha: f64) -> Adapter {
        Adapter {
            config: AdapterConfig::new(2, alpha, TargetModules::List(vec!["m".into()])),
            pairs: vec![AdapterPair {
                module: "m".to_owned(),
                a: vec![1.0, 0.0, 2.0, 0.0, 1.0, -1.0],
                b: vec![1.0, 2.0, 0.5, 0.0],
                r: 2,
                d_in: 3,
                d_out: 2,
            }],
            extras: AdapterExtras::default(),
        }
    }

    #[test]
    fn the_update_is_scaled_and_added() {
        let (base, adapter) = (base(Dtype::F32), adapter(4.0));
        let merged = MergedSource::with_head(None, &base, &adapter, Rounding::ToBase).unwrap();
        // B A = [[1, 2, 0], [0.5, 0, 1]], scaling 2.
        let weight = merged.tensor("m.weight").unwrap();
        assert_eq!(weight.to_f32(), [3.0, 6.0, 3.0, 5.0, 5.0, 8.0]);
        assert_eq!(merged.tensor("norm.weight").unwrap().to_f32(), [1.0]);
        assert_eq!(merged.names(), base.names());
    }

    #[test]
    fn rows_are_a_part_of_the_whole() {
        let (base, adapter) = (base(Dtype::F32), adapter(4.0));
        let merged = MergedSource::with_head(None, &base, &adapter, Rounding::ToBase).unwrap();
        let row = merged.tensor_rows("m.weight", 1..2).unwrap();
        assert_eq!((row.to_f32(), row.shape), (vec![5.0, 5.0, 8.0], vec![1, 3]));
        let info = merged.info("m.weight").unwrap();
        assert_eq!((info.dtype, info.shape), (Dtype::F32, vec![2, 3]));
    }

    #[test]
    fn columns_of_a_table_get_their_lengths_whichever_rows_are_asked_for() {
        let (base, mut adapter) = (base(Dtype::F32), adapter(4.0));
        adapter.config.use_dora = true;
        let lengths = vec![3.0, 4.0, 5.0];
        adapter.extras.magnitudes.insert("m".to_owned(), lengths);
        let pair = adapter.pairs.remove(0);
        adapter.extras.embeddings.push(AdapterPair {
            a: pair.b,
            b: pair.a,
            d_in: 2,
            d_out: 3,
            ..pair
        });
        let merged = MergedSource::with_head(None, &base, &adapter, Rounding::ToBase).unwrap();
        let last = merged.tensor_rows("m.weight", 1..2).unwrap().to_f32();
        let whole = merged.tensor("m.weight").unwrap().to_f32();
        assert_eq!(last, whole[3..]);
        for (column, length) in [3.0, 4.0, 5.0].into_iter().enumerate() {
            let found = whole[column].hypot(whole[3 + column]);
            assert!((found - length).abs() < SUM_TOLERANCE * 10.0, "{whole:?}");
        }
    }

    #[test]
    fn the_base_keeps_its_type_unless_asked_otherwise() {
        let (base, adapter) = (base(Dtype::Bf16), adapter(0.01));
        let rounded = MergedSource::with_head(None, &base, &adapter, Rounding::ToBase).unwrap();
        let rounded = rounded.tensor("m.weight").unwrap();
        assert_eq!(rounded.dtype, Dtype::Bf16);
        let kept = MergedSource::with_head(None, &base, &adapter, Rounding::Keep).unwrap();
        let kept = kept.tensor("m.weight").unwrap();
        assert_eq!(kept.dtype, Dtype::F32);
        let again = RawTensor::from_f32(&kept.to_f32(), vec![2, 3], Dtype::Bf16);
        assert_eq!(again.bytes, rounded.bytes);
        assert_ne!(kept.to_f32(), rounded.to_f32());
    }

    #[test]
    fn a_sum_beyond_f16_is_an_error() {
        let (base, adapter) = (base(Dtype::F16), adapter(1e6));
        let merged = MergedSource::with_head(None, &base, &adapter, Rounding::ToBase).unwrap();
        let error = merged.tensor("m.weight").unwrap_err();
        assert!(matches!(error, LoadError::NotFinite { index: 0, .. }));
    }

    #[test]
    fn an_adapter_for_another_model_is_refused_before_any_work() {
        let (base, mut adapter) = (base(Dtype::F32), adapter(1.0));
        adapter.pairs[0].module = "other".to_owned();
        let error = MergedSource::with_head(None, &base, &adapter, Rounding::ToBase).err();
        assert!(matches!(error, Some(AdapterError::OtherModel { .. })));
    }

    /// f32 sums of a few products, of magnitude around 1, in another order.
    const SUM_TOLERANCE: f32 = 1e-6;
    /// Neighbouring bf16 values differ by this share; a sum next to the middle of two may fall
    /// either way.
    const BF16_STEP: f32 = 1.0 / 128.0;

    #[track_caller]
    fn check_golden(base: &[u8], config: &[u8], adapter: &[u8], merged: &[u8], tolerance: f32) {
        let base = SafetensorsSource::new(&[("base", base)]).unwrap();
        let golden = SafetensorsSource::new(&[("merged", merged)]).unwrap();
        let adapter = read_adapter(config, adapter).unwrap();
        let merged = MergedSource::with_head(None, &base, &adapter, Rounding::ToBase).unwrap();
        let (mut n_exact, mut n_values) = (0, 0);
        for name in golden.names() {
            let (got, want) = (merged.tensor(&name).unwrap(), golden.tensor(&name).unwrap());
            assert_eq!((got.dtype, &got.shape), (want.dtype, &want.shape));
            for (got, want) in got.to_f32().iter().zip(want.to_f32()) {
                let near = (got - want).abs() <= tolerance * want.abs().max(1.0);
                assert!(near, "{name}: {got}, expected {want}");
                n_exact += usize::from(*got == want);
                n_values += 1;
            }
        }
        assert!(
            n_values > 1000 && n_exact * 10 > n_values * 7,
            "{n_exact} of {n_values}"
        );
    }

    macro_rules! golden {
        ($model:literal, $tolerance:expr) => {
            check_golden(
                include_bytes!(concat!(
                    "../../../tests/fixtures/models/",
                    $model,
                    "/model.safetensors"
                )),
                include_bytes!(concat!(
                    "../../../tests/fixtures/merge/",
                    $model,
                    "/adapter_config.json"
                )),
                include_bytes!(concat!(
                    "../../../tests/fixtures/merge/",
                    $model,
                    "/adapter_model.safetensors"
                )),
                include_bytes!(concat!(
                    "../../../tests/fixtures/merge/",
                    $model,
                    "/merged.safetensors"
                )),
                $tolerance,
            )
        };
    }

    #[test]
    fn an_f32_model_equals_pefts_merge() {
        golden!("llama32", SUM_TOLERANCE);
    }

    #[test]
    fn a_bf16_model_equals_pefts_merge() {
        golden!("qwen3-bf16", BF16_STEP);
    }
}
