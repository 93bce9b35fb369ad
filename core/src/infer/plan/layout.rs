//! Which tensors become which matrices on the device.
//!
//! Projections that read the same input are joined by rows (q, k and v; gate and up), so that one
//! product does the work of three. Tensors in different formats stay separate matrices that write
//! into their columns of the same output.

use crate::{
    arch::{Arch, LINEAR_MODULES, LinearModule, TensorSpec},
    quant::Format,
    weights::LoadError,
};

/// Linear layers of a block that read the same activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Where each module writes: path of the module, first column, number of columns.
    pub segments: Vec<Segment>,
    /// Names of the biases in the order of the columns; empty where there are none.
    pub biases: Vec<String>,
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
    /// Checkpoint names in the order of the rows.
    pub tensors: Vec<String>,
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
    pub projections: Vec<PlannedProjection>,
    /// Norm weights, `(name, length)`; always f32.
    pub norms: Vec<(String, usize)>,
    /// `None` where the head is the embedding.
    pub head: Option<PlannedMatrix>,
}

impl InputGroup {
    pub const ALL: [Self; 4] = [Self::Qkv, Self::Output, Self::GateUp, Self::Down];

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
                tensors: vec![name.to_owned()],
                format,
                n_rows: arch.vocab_size,
                n_cols: arch.d_model,
                column: 0,
            })
        };
        let mut projections = Vec::with_capacity(4 * arch.n_layers);
        for layer_idx in 0..arch.n_layers {
            for group in InputGroup::ALL {
                projections.push(projection(arch, layer_idx, group, format_of)?);
            }
        }
        let head = (!arch.tie_embeddings).then(|| table("lm_head.weight"));
        Ok(Self {
            embedding: table("model.embed_tokens.weight")?,
            projections,
            norms: norms(arch),
            head: head.transpose()?,
        })
    }

    /// Every matrix, in the order of the forward pass.
    pub fn matrices(&self) -> impl Iterator<Item = &PlannedMatrix> {
        std::iter::once(&self.embedding)
            .chain(self.projections.iter().flat_map(|p| &p.matrices))
            .chain(&self.head)
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
        biases: Vec::new(),
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
        if module.has_bias(arch) {
            planned.biases.push(format!("{path}.bias"));
        }
        match planned.matrices.last_mut() {
            Some(last) if last.format == format => {
                last.tensors.push(name);
                last.n_rows += n_rows;
            }
            _ => planned.matrices.push(PlannedMatrix {
                label: format!("{layer}.{}", group.name()),
                tensors: vec![name],
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
