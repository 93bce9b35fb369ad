//! Low-rank pairs beside the base: `y += s B (A x)` on the activations (Hu et al. 2021).

use super::matrix::dot;
use crate::weights::adapter::Adapter;

/// An adapter's pairs by their place in [`Arch::linear_modules`](crate::arch::Arch).
#[derive(Debug, Clone)]
pub(super) struct CpuAdapter(Vec<Option<Pair>>);

#[derive(Debug, Clone)]
struct Pair {
    /// `[r, d_in]`
    a: Vec<f32>,
    /// `[d_out, r]`
    b: Vec<f32>,
    r: usize,
    scaling: f32,
}

impl CpuAdapter {
    pub(super) fn new(adapter: &Adapter, modules: &[String]) -> Self {
        let pair = |module: &String| {
            let pair = adapter.pair(module)?;
            Some(Pair {
                a: pair.a.clone(),
                b: pair.b.clone(),
                r: pair.r,
                scaling: adapter.scaling(pair) as f32,
            })
        };
        Self(modules.iter().map(pair).collect())
    }

    pub(super) fn n_bytes(&self) -> u64 {
        let values = self.0.iter().flatten().map(|p| p.a.len() + p.b.len());
        4 * values.sum::<usize>() as u64
    }

    /// Adds the update of a module. `x: [t, d_in]`, `y: [t, d_out]`
    pub(super) fn add(&self, module_idx: usize, x: &[f32], y: &mut [f32]) {
        let Some(Some(pair)) = self.0.get(module_idx) else {
            return;
        };
        let (d_in, d_out) = (pair.a.len() / pair.r, pair.b.len() / pair.r);
        for (x, y) in x.chunks(d_in).zip(y.chunks_mut(d_out)) {
            let low: Vec<f32> = pair.a.chunks(d_in).map(|a| dot(a, x)).collect();
            for (y, b) in y.iter_mut().zip(pair.b.chunks(pair.r)) {
                *y += pair.scaling * dot(b, &low);
            }
        }
    }
}
