//! Errors of models, adapters and devices as faults that the page has texts for.

use veneer_core::{
    gpu::GpuError,
    infer::{InferError, plan::PlanError},
    protocol::tab::{Fault, FaultKind},
    weights::adapter::AdapterError,
};

use crate::faults::with_hint;
pub(super) use crate::faults::{of_checkpoint, of_gguf, of_load, of_text};

pub(super) fn of_adapter(error: &AdapterError) -> Fault {
    let kind = match error {
        AdapterError::OtherModel { .. } => FaultKind::OtherModel,
        AdapterError::Config(_) | AdapterError::Tensors { .. } => FaultKind::Unsupported,
        _ => FaultKind::BrokenFile,
    };
    Fault::new(kind, error.to_string())
}

pub(super) fn of_gpu(error: &GpuError) -> Fault {
    let kind = match error {
        GpuError::Lost { .. } => FaultKind::DeviceLost,
        GpuError::TooLarge { .. } | GpuError::OutOfMemory { .. } => FaultKind::TooLarge,
        _ => FaultKind::Gpu,
    };
    // The page's own hint for a lost device says the same.
    let hint = error.hint().filter(|_| kind != FaultKind::DeviceLost);
    with_hint(kind, error, hint.unwrap_or_default())
}

pub(super) fn of_infer(error: &InferError) -> Fault {
    let kind = match error {
        InferError::Gpu(error) | InferError::Plan(PlanError::Matrix(error)) => {
            return of_gpu(error);
        }
        InferError::Adapter(error) => return of_adapter(error),
        InferError::Load(_) | InferError::Plan(PlanError::Load(_)) => FaultKind::BrokenFile,
        InferError::Plan(PlanError::NoKernels { .. }) => FaultKind::Unsupported,
        InferError::Plan(_) => FaultKind::TooLarge,
        InferError::ContextFull { .. } => FaultKind::PromptTooLong,
        InferError::NotFinite { .. } => FaultKind::BrokenFile,
        _ => FaultKind::Internal,
    };
    Fault::new(kind, error.to_string())
}
