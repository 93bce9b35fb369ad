//! A parameter: a matrix that is either frozen, packed or not, or trained.
//!
//! Vectors (norms, biases) are kept as one row, so that everything that walks over parameters —
//! optimizer, checkpoint, norm of the gradient — knows one shape.

use burn::tensor::{DType, Tensor};

use super::PackedMatrix;

/// `[rows, columns]`, outside autodiff except in the view that [`Weight::track`] makes.
#[derive(Debug, Clone)]
pub struct Weight {
    value: Value,
    trained: bool,
}

#[derive(Debug, Clone)]
#[cfg_attr(
    target_pointer_width = "64",
    expect(
        clippy::large_enum_variant,
        reason = "most weights are plain and are cloned often: a box would cost each clone an allocation"
    )
)]
enum Value {
    Plain(Tensor<2>),
    /// Never trained.
    Packed(Box<PackedMatrix>),
}

impl Weight {
    pub fn frozen(value: Tensor<2>) -> Self {
        Self {
            value: Value::Plain(value),
            trained: false,
        }
    }

    pub fn packed(matrix: PackedMatrix) -> Self {
        Self {
            value: Value::Packed(Box::new(matrix)),
            trained: false,
        }
    }

    pub fn trained(value: Tensor<2>) -> Self {
        Self {
            value: Value::Plain(value),
            trained: true,
        }
    }

    /// The value; of a packed weight a copy in f32.
    pub fn value(&self) -> Tensor<2> {
        match &self.value {
            Value::Plain(value) => value.clone(),
            Value::Packed(matrix) => matrix.unpack(),
        }
    }

    /// The value in the type that activations have.
    pub fn value_as(&self, dtype: DType) -> Tensor<2> {
        self.value().cast(dtype)
    }

    pub fn dims(&self) -> [usize; 2] {
        match &self.value {
            Value::Plain(value) => value.dims(),
            Value::Packed(matrix) => matrix.dims(),
        }
    }

    pub fn is_trained(&self) -> bool {
        self.trained
    }

    pub fn is_packed(&self) -> bool {
        matches!(self.value, Value::Packed(_))
    }

    pub fn set(&mut self, value: Tensor<2>) {
        self.value = Value::Plain(value);
    }

    /// Trains a weight of the base, in f32 whatever its type was; a packed one is unpacked.
    pub fn train_in_f32(&mut self) {
        self.set(self.value_as(DType::F32));
        self.trained = true;
    }

    /// Trains a weight in the type that it has; a packed one is unpacked.
    pub fn train(&mut self) {
        self.set(self.value());
        self.trained = true;
    }

    /// The same buffer as a leaf of a new autodiff graph, if it is trained.
    pub fn track(&mut self) {
        if self.trained {
            self.set(self.value().autodiff().require_grad());
        }
    }

    pub fn n_elements(&self) -> usize {
        self.dims().iter().product()
    }

    /// Bytes that the weight takes while nothing computes with it.
    pub fn n_bytes(&self) -> u64 {
        match &self.value {
            Value::Plain(value) => (self.n_elements() * value.dtype().size()) as u64,
            Value::Packed(matrix) => matrix.n_bytes(),
        }
    }
}
