//! A parameter: a matrix that is either frozen or trained.
//!
//! Vectors (norms, biases) are kept as one row, so that everything that walks over parameters —
//! optimizer, checkpoint, norm of the gradient — knows one shape.

use burn::tensor::{DType, Tensor};

/// `[rows, columns]`, outside autodiff except in the view that [`Weight::tracked`] returns.
#[derive(Debug, Clone)]
pub struct Weight {
    value: Tensor<2>,
    trained: bool,
}

impl Weight {
    pub fn frozen(value: Tensor<2>) -> Self {
        Self {
            value,
            trained: false,
        }
    }

    pub fn trained(value: Tensor<2>) -> Self {
        Self {
            value,
            trained: true,
        }
    }

    pub fn value(&self) -> Tensor<2> {
        self.value.clone()
    }

    /// The value in the type that activations have.
    pub fn value_as(&self, dtype: DType) -> Tensor<2> {
        self.value.clone().cast(dtype)
    }

    pub fn is_trained(&self) -> bool {
        self.trained
    }

    pub fn set(&mut self, value: Tensor<2>) {
        self.value = value;
    }

    /// Trains a weight of the base, in f32 whatever its type was.
    pub fn train_in_f32(&mut self) {
        self.value = self.value.clone().cast(DType::F32);
        self.trained = true;
    }

    pub fn set_trained(&mut self, trained: bool) {
        self.trained = trained;
    }

    /// The same buffer as a leaf of a new autodiff graph, if it is trained.
    pub fn track(&mut self) {
        if self.trained {
            self.value = self.value.clone().autodiff().require_grad();
        }
    }

    pub fn n_elements(&self) -> usize {
        self.value.dims().iter().product()
    }
}
