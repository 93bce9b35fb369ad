//! Windows: which layers see how far back.

use serde_json::Value;

use super::{ArchError, fields::Fields};
use crate::arch::Arch;

pub(super) const FULL: &str = "full_attention";
pub(super) const SLIDING: &str = "sliding_attention";
const KEY: &str = "layer_types";

/// Whether each layer has the window, as `layer_types` says, or `otherwise` without it.
pub(super) fn sliding_layers(
    fields: &Fields<'_>,
    n_layers: usize,
    otherwise: impl Fn(usize) -> bool,
) -> Result<Vec<bool>, ArchError> {
    let Some(types) = fields.list(KEY)? else {
        return Ok((0..n_layers).map(otherwise).collect());
    };
    if types.len() != n_layers {
        let expected = format!("one for each of {n_layers} layers");
        return Err(fields.field(KEY, format!("a list of {}", types.len()), &expected));
    }
    let sliding = |kind: &Value| match kind.as_str() {
        Some(SLIDING) => Ok(true),
        Some(FULL) => Ok(false),
        _ => Err(fields.wrong(KEY, kind, "full_attention or sliding_attention")),
    };
    types.iter().map(sliding).collect()
}

/// Gives the layers that slide the window.
pub(super) fn set_windows(arch: &mut Arch, window: Option<usize>, sliding: &[bool]) {
    for (layer, slides) in arch.layers.iter_mut().zip(sliding) {
        layer.window = window.filter(|_| *slides);
    }
}

/// One window for all layers of a family that knows no types of layers.
pub(super) fn set_one_window(
    arch: &mut Arch,
    fields: &Fields<'_>,
    window: Option<usize>,
) -> Result<(), ArchError> {
    let sliding = sliding_layers(fields, arch.n_layers, |_| window.is_some())?;
    if let Some(other) = sliding
        .iter()
        .position(|slides| *slides != window.is_some())
    {
        let expected = format!("one type for all layers: `sliding_window` is {window:?}");
        return Err(fields.field(KEY, format!("another type at layer {other}"), &expected));
    }
    set_windows(arch, window, &sliding);
    Ok(())
}
