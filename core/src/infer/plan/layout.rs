//! Which tensors become which matrices on the device.
//!
//! Projections that read the same input are joined by rows (q, k and v; gate and up), so that one
//! product does the work of three. Tensors in different formats stay separate matrices that write
//! into their columns of the same output.

use std::ops::Range;

use crate::{
    arch::{Arch, BlockModule, LinearModule, LinearRole, Module, Part, TensorSpec},
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
    /// A row for each learned position.
    pub positions: Option<PlannedMatrix>,
    pub layers: Vec<PlannedLayer>,
    /// Norms, a bias of logits, `(name, length)`; always f32.
    pub vectors: Vec<(String, usize)>,
    /// `None` where the head is the embedding.
    pub head: Option<PlannedMatrix>,
}

impl InputGroup {
    fn of(role: LinearRole) -> Self {
        match role {
            LinearRole::Query | LinearRole::Key | LinearRole::Value | LinearRole::QueryKeyValue => {
                Self::Qkv
            }
            LinearRole::AttentionOutput => Self::Output,
            LinearRole::Gate | LinearRole::Up | LinearRole::GateUp => Self::GateUp,
            LinearRole::Down => Self::Down,
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
        let table = |module: Module, n_rows: usize| -> Result<PlannedMatrix, LoadError> {
            let spec = weight(arch, module, [n_rows, arch.d_model]);
            Ok(PlannedMatrix {
                format: format_of(&spec)?,
                label: spec.name.clone(),
                tensors: vec![(spec.name, n_rows)],
                biases: Vec::new(),
                n_rows,
                n_cols: arch.d_model,
                column: 0,
            })
        };
        let modules = arch.linear_modules();
        let layer = |layer_idx: usize| {
            let of = |group| {
                let modules = modules.iter().filter(|module| {
                    module.layer_idx == layer_idx && InputGroup::of(module.role) == group
                });
                projection(arch, (layer_idx, group), modules, format_of)
            };
            Ok(PlannedLayer {
                qkv: of(InputGroup::Qkv)?,
                output: of(InputGroup::Output)?,
                gate_up: of(InputGroup::GateUp)?,
                down: of(InputGroup::Down)?,
            })
        };
        let layers: Result<_, LoadError> = (0..arch.n_layers).map(layer).collect();
        let head = (!arch.tie_embeddings).then(|| table(Module::Head, arch.vocab_size));
        let positions = arch.embedding.n_positions;
        let positions = positions.map(|n_rows| table(Module::Positions, n_rows));
        Ok(Self {
            embedding: table(Module::Embedding, arch.vocab_size)?,
            positions: positions.transpose()?,
            layers: layers?,
            vectors: vectors(arch),
            head: head.transpose()?,
        })
    }

    /// Every matrix, in the order of the forward pass.
    pub fn matrices(&self) -> impl Iterator<Item = &PlannedMatrix> {
        std::iter::once(&self.embedding)
            .chain(&self.positions)
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

fn weight(arch: &Arch, module: Module, shape: [usize; 2]) -> TensorSpec {
    TensorSpec {
        name: arch.tensor_name(module, Part::Weight),
        shape: shape.to_vec(),
        module,
        part: Part::Weight,
    }
}

fn projection<'m>(
    arch: &Arch,
    (layer_idx, group): (usize, InputGroup),
    modules: impl Iterator<Item = &'m LinearModule>,
    format_of: &dyn Fn(&TensorSpec) -> Result<Format, LoadError>,
) -> Result<PlannedProjection, LoadError> {
    let mut planned = PlannedProjection {
        layer_idx,
        group,
        n_in: 0,
        n_out: 0,
        matrices: Vec::new(),
        segments: Vec::new(),
    };
    for module in modules {
        let (n_rows, n_cols) = (module.d_out, module.d_in);
        let place = Module::Block(layer_idx, BlockModule::Linear(module.role));
        let spec = weight(arch, place, [n_rows, n_cols]);
        let format = format_of(&spec)?;
        planned.segments.push(Segment {
            module: module.path.clone(),
            column: planned.n_out,
            n_columns: n_rows,
        });
        let bias = module.has_bias.then(|| arch.tensor_name(place, Part::Bias));
        match planned.matrices.last_mut() {
            Some(last) if last.format == format => {
                last.tensors.push((spec.name, n_rows));
                last.biases.extend(bias);
                last.n_rows += n_rows;
            }
            _ => planned.matrices.push(PlannedMatrix {
                label: format!("{}.{}", arch.layer_path(layer_idx), group.name()),
                tensors: vec![(spec.name, n_rows)],
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

/// What is neither a table nor part of a linear layer.
fn vectors(arch: &Arch) -> Vec<(String, usize)> {
    let of_no_matrix = |spec: &TensorSpec| match spec.module {
        Module::Embedding | Module::Positions | Module::Block(_, BlockModule::Linear(_)) => false,
        Module::Head => spec.part == Part::Bias,
        Module::FinalNorm | Module::Block(..) => true,
    };
    arch.tensors()
        .into_iter()
        .filter(of_no_matrix)
        .map(|spec| (spec.name, spec.shape.iter().product()))
        .collect()
}
