//! Errors of models, adapters and devices as faults that the page has texts for.

use veneer_core::{
    gpu::GpuError,
    infer::{InferError, plan::PlanError},
    protocol::tab::{Fault, FaultKind},
};

use crate::texts::faults::Sentence;
pub(super) use crate::{
    faults::{of_checkpoint, of_gguf, of_load, of_text},
    state::adapter::fault_of as of_adapter,
};

pub(super) fn of_gpu(error: &GpuError) -> Fault {
    let kind = match error {
        GpuError::Lost { .. } => FaultKind::DeviceLost,
        GpuError::TooLarge { .. } | GpuError::OutOfMemory { .. } => FaultKind::TooLarge,
        _ => FaultKind::Gpu,
    };
    // The page's hints for these kinds say what the error's own does.
    Fault::new(kind, error.to_string())
}

pub(super) fn of_infer(error: &InferError) -> Fault {
    if let InferError::ContextFull {
        n_prompt, capacity, ..
    } = error
    {
        let (n, capacity) = (n_prompt.to_string(), capacity.to_string());
        let detail = Sentence::PromptTooLong.with(&[("n", &n), ("capacity", &capacity)]);
        return Fault::new(FaultKind::PromptTooLong, detail);
    }
    let kind = match error {
        InferError::Gpu(error) | InferError::Plan(PlanError::Matrix(error)) => {
            return of_gpu(error);
        }
        InferError::Adapter(error) => return of_adapter(error),
        InferError::Load(_) | InferError::Plan(PlanError::Load(_)) => FaultKind::BrokenFile,
        InferError::Plan(PlanError::NoKernels { .. }) => FaultKind::Unsupported,
        InferError::Plan(_) => FaultKind::TooLarge,
        InferError::NotFinite { .. } => FaultKind::BrokenFile,
        _ => FaultKind::Internal,
    };
    Fault::new(kind, error.to_string())
}
