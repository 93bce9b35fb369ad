//! Which tensors become which matrices on the device.
//!
//! Projections that read the same input are joined by rows (q, k and v; gate and up), so that one
//! product does the work of three. Tensors in different formats stay separate matrices that write
//! into their columns of the same output.

use std::ops::Range;

use crate::{
    arch::{Arch, LINEAR_MODULES, LinearModule, TensorSpec},
    quant::Format,
    weights::LoadError,
};

/// Linear layers of a block that read the same activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InputGroup {
    /// q, k and v, after the first norm.
    Qkv,
    /// The output of attention.
    Output,
    /// gate and up, after the second norm.
    GateUp,
    /// Back to the model's width.
    Down,
}

/// One group of one block: `n_in` columns in, `n_out` columns out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedProjection {
    pub layer_idx: usize,
    pub group: InputGroup,
    pub n_in: usize,
    pub n_out: usize,
    /// Cover the `n_out` columns in order.
    pub matrices: Vec<PlannedMatrix>,
    /// Where each module writes.
    pub segments: Vec<Segment>,
}

/// The linear layers of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedLayer {
    pub qkv: PlannedProjection,
    pub output: PlannedProjection,
    pub gate_up: PlannedProjection,
    pub down: PlannedProjection,
}

/// Where the rows of a module stand in its projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// `model.layers.0.self_attn.q_proj`
    pub module: String,
    pub column: usize,
    pub n_columns: usize,
}

/// A matrix on the device: tensors of one format, joined by rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedMatrix {
    pub label: String,
    /// In the order of the rows: checkpoint names, and how many rows each has.
    pub tensors: Vec<(String, usize)>,
    /// Names of the biases in the order of the rows; empty where there are none.
    pub biases: Vec<String>,
    pub format: Format,
    pub n_rows: usize,
    pub n_cols: usize,
    /// First column of its output in the projection.
    pub column: usize,
}

/// Everything that is loaded, in the order of the forward pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub embedding: PlannedMatrix,
    pub layers: Vec<PlannedLayer>,
    /// Norm weights, `(name, length)`; always f32.
    pub norms: Vec<(String, usize)>,
    /// `None` where the head is the embedding.
    pub head: Option<PlannedMatrix>,
}

impl InputGroup {
    fn of(module: LinearModule) -> Self {
        match module.path {
            "self_attn.q_proj" | "self_attn.k_proj" | "self_attn.v_proj" => Self::Qkv,
            "self_attn.o_proj" => Self::Output,
            "mlp.down_proj" => Self::Down,
            _ => Self::GateUp,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Qkv => "qkv",
            Self::Output => "output",
            Self::GateUp => "gate_up",
            Self::Down => "down",
        }
    }
}

impl PlannedMatrix {
    /// Where some of its rows come from: the name of a tensor, and its rows.
    pub fn parts(&self, rows: Range<usize>) -> impl Iterator<Item = (&str, Range<usize>)> {
        let mut first_row = 0;
        self.tensors.iter().filter_map(move |(name, n_rows)| {
            let start = rows.start.saturating_sub(first_row);
            let end = rows.end.saturating_sub(first_row).min(*n_rows);
            first_row += n_rows;
            (start < end).then_some((name.as_str(), start..end))
        })
    }
}

impl PlannedLayer {
    pub fn projections(&self) -> [&PlannedProjection; 4] {
        [&self.qkv, &self.output, &self.gate_up, &self.down]
    }

    pub(super) fn projections_mut(&mut self) -> [&mut PlannedProjection; 4] {
        [
            &mut self.qkv,
            &mut self.output,
            &mut self.gate_up,
            &mut self.down,
        ]
    }
}

impl Layout {
    /// Joins what can be joined; `format_of` knows how each tensor is stored.
    ///
    /// # Errors
    /// What `format_of` returns.
    pub fn new(
        arch: &Arch,
        format_of: &dyn Fn(&TensorSpec) -> Result<Format, LoadError>,
    ) -> Result<Self, LoadError> {
        let table = |name: &str| -> Result<PlannedMatrix, LoadError> {
            let format = format_of(&TensorSpec {
                name: name.to_owned(),
                shape: vec![arch.vocab_size, arch.d_model],
            })?;
            Ok(PlannedMatrix {
                label: name.to_owned(),
                tensors: vec![(name.to_owned(), arch.vocab_size)],
                biases: Vec::new(),
                format,
                n_rows: arch.vocab_size,
                n_cols: arch.d_model,
                column: 0,
            })
        };
        let layer = |layer_idx: usize| {
            let of = |group| projection(arch, layer_idx, group, format_of);
            Ok(PlannedLayer {
                qkv: of(InputGroup::Qkv)?,
                output: of(InputGroup::Output)?,
                gate_up: of(InputGroup::GateUp)?,
                down: of(InputGroup::Down)?,
            })
        };
        let layers: Result<_, LoadError> = (0..arch.n_layers).map(layer).collect();
        let head = (!arch.tie_embeddings).then(|| table("lm_head.weight"));
        Ok(Self {
            embedding: table("model.embed_tokens.weight")?,
            layers: layers?,
            norms: norms(arch),
            head: head.transpose()?,
        })
    }

    /// Every matrix, in the order of the forward pass.
    pub fn matrices(&self) -> impl Iterator<Item = &PlannedMatrix> {
        std::iter::once(&self.embedding)
            .chain(self.projections().flat_map(|p| &p.matrices))
            .chain(&self.head)
    }

    /// Every projection, in the order of the forward pass.
    pub fn projections(&self) -> impl Iterator<Item = &PlannedProjection> {
        self.layers.iter().flat_map(PlannedLayer::projections)
    }

    /// The matrix that turns a hidden state into logits.
    pub fn head(&self) -> &PlannedMatrix {
        self.head.as_ref().unwrap_or(&self.embedding)
    }
}

fn projection(
    arch: &Arch,
    layer_idx: usize,
    group: InputGroup,
    format_of: &dyn Fn(&TensorSpec) -> Result<Format, LoadError>,
) -> Result<PlannedProjection, LoadError> {
    let layer = Arch::layer_path(layer_idx);
    let modules = LINEAR_MODULES
        .into_iter()
        .filter(|module| InputGroup::of(*module) == group);
    let mut planned = PlannedProjection {
        layer_idx,
        group,
        n_in: 0,
        n_out: 0,
        matrices: Vec::new(),
        segments: Vec::new(),
    };
    for module in modules {
        let (n_rows, n_cols) = module.shape(arch);
        let path = format!("{layer}.{}", module.path);
        let name = format!("{path}.weight");
        let format = format_of(&TensorSpec {
            name: name.clone(),
            shape: vec![n_rows, n_cols],
        })?;
        planned.segments.push(Segment {
            module: path.clone(),
            column: planned.n_out,
            n_columns: n_rows,
        });
        let bias = module.has_bias(arch).then(|| format!("{path}.bias"));
        match planned.matrices.last_mut() {
            Some(last) if last.format == format => {
                last.tensors.push((name, n_rows));
                last.biases.extend(bias);
                last.n_rows += n_rows;
            }
            _ => planned.matrices.push(PlannedMatrix {
                label: format!("{layer}.{}", group.name()),
                tensors: vec![(name, n_rows)],
                biases: bias.into_iter().collect(),
                format,
                n_rows,
                n_cols,
                column: planned.n_out,
            }),
        }
        planned.n_in = n_cols;
        planned.n_out += n_rows;
    }
    Ok(planned)
}

fn norms(arch: &Arch) -> Vec<(String, usize)> {
    arch.tensors()
        .into_iter()
        .filter(|spec| spec.name.ends_with("norm.weight"))
        .map(|spec| (spec.name, spec.shape.iter().product()))
        .collect()
}
