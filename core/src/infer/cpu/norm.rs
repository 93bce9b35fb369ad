//! RMSNorm and LayerNorm with their weights.

use super::matrix::dot;
use crate::arch::{NormKind, NormSpec};

#[derive(Debug, Clone)]
pub(super) struct Norm {
    kind: NormKind,
    eps: f32,
    /// What is multiplied with, the one of weights around one included.
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
}

impl Norm {
    pub(super) fn new(spec: NormSpec, mut weight: Vec<f32>, bias: Option<Vec<f32>>) -> Self {
        if spec.plus_one {
            weight.iter_mut().for_each(|weight| *weight += 1.0);
        }
        Self {
            kind: spec.kind,
            eps: spec.eps as f32,
            weight,
            bias,
        }
    }

    /// Values that are normalized together.
    pub(super) fn len(&self) -> usize {
        self.weight.len()
    }

    /// Every stretch of [`Self::len`] values, normalized.
    pub(super) fn apply(&self, x: &[f32]) -> Vec<f32> {
        let mut normed = Vec::with_capacity(x.len());
        for x in x.chunks(self.len()) {
            self.push(x, &mut normed);
        }
        normed
    }

    /// Appends one stretch, normalized.
    pub(super) fn push(&self, x: &[f32], normed: &mut Vec<f32>) {
        let n = x.len() as f32;
        let start = normed.len();
        match self.kind {
            NormKind::Rms => {
                let scale = 1.0 / (dot(x, x) / n + self.eps).sqrt();
                normed.extend(x.iter().zip(&self.weight).map(|(x, w)| x * scale * w));
            }
            NormKind::Layer => {
                let mean = x.iter().sum::<f32>() / n;
                let centred: Vec<f32> = x.iter().map(|x| x - mean).collect();
                let scale = 1.0 / (dot(&centred, &centred) / n + self.eps).sqrt();
                normed.extend(centred.iter().zip(&self.weight).map(|(x, w)| x * scale * w));
            }
        }
        if let Some(bias) = &self.bias {
            let values = normed[start..].iter_mut().zip(bias);
            values.for_each(|(value, bias)| *value += bias);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norm(kind: NormKind, plus_one: bool, bias: Option<Vec<f32>>) -> Norm {
        let spec = NormSpec {
            kind,
            eps: 0.0,
            plus_one,
            has_bias: bias.is_some(),
        };
        Norm::new(spec, vec![1.0, 2.0], bias)
    }

    #[test]
    fn rms_keeps_the_mean_and_layer_does_not() {
        let rms = norm(NormKind::Rms, false, None);
        assert_eq!(rms.apply(&[7.0, 1.0]), [1.4, 0.4]);
        assert_eq!(
            norm(NormKind::Rms, true, None).apply(&[7.0, 1.0]),
            [2.8, 0.6]
        );
        let layer = norm(NormKind::Layer, false, Some(vec![0.5, 0.0]));
        assert_eq!(layer.apply(&[7.0, 1.0, 0.0, 4.0]), [1.5, -2.0, -0.5, 2.0]);
    }
}
