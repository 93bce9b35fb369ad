//! Errors of core and exceptions of the browser as faults that the page has texts for.

use veneer_core::{
    arch::ArchError,
    checkpoint::CheckpointError,
    gpu::GpuError,
    infer::{InferError, plan::PlanError},
    protocol::tab::{Fault, FaultKind},
    text::TextError,
    weights::{LoadError, adapter::AdapterError, gguf::GgufError},
};
use wasm_bindgen::JsValue;

use super::browser;

fn with_hint(kind: FaultKind, detail: impl ToString, hint: &str) -> Fault {
    Fault {
        kind,
        detail: detail.to_string(),
        hint: hint.to_owned(),
    }
}

pub(super) fn of_checkpoint(error: &CheckpointError) -> Fault {
    match error {
        CheckpointError::Gguf(error) => of_gguf(error),
        CheckpointError::Arch(error) => of_arch(error),
        CheckpointError::Load(error) => of_load(error),
        CheckpointError::Text(error) => of_text(error),
        other => Fault::new(FaultKind::BrokenFile, other.to_string()),
    }
}

pub(super) fn of_load(error: &LoadError) -> Fault {
    let kind = match error {
        LoadError::StoredAs { .. } | LoadError::Dtype { .. } => FaultKind::Unsupported,
        _ => FaultKind::BrokenFile,
    };
    with_hint(kind, error, error.hint())
}

pub(super) fn of_gguf(error: &GgufError) -> Fault {
    let kind = match error {
        GgufError::Magic { .. } => FaultKind::NotAModel,
        GgufError::Version { .. } | GgufError::Architecture { .. } => FaultKind::Unsupported,
        GgufError::Load(error) => return of_load(error),
        _ => FaultKind::BrokenFile,
    };
    Fault::new(kind, error.to_string())
}

fn of_arch(error: &ArchError) -> Fault {
    let kind = match error {
        ArchError::Family { .. } => FaultKind::Unsupported,
        _ => FaultKind::BrokenFile,
    };
    Fault::new(kind, error.to_string())
}

pub(super) fn of_text(error: &TextError) -> Fault {
    let kind = match error {
        TextError::File { .. } | TextError::Vocabulary { .. } => FaultKind::BrokenFile,
        TextError::TemplateSyntax { .. }
        | TextError::Rejected { .. }
        | TextError::TemplateFailed { .. } => FaultKind::Template,
        TextError::NoTokenizer => FaultKind::Unsupported,
        _ => FaultKind::Internal,
    };
    Fault::new(kind, error.to_string())
}

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
        InferError::Plan(_) => FaultKind::TooLarge,
        InferError::ContextFull { .. } => FaultKind::PromptTooLong,
        InferError::NotFinite { .. } => FaultKind::BrokenFile,
        _ => FaultKind::Internal,
    };
    Fault::new(kind, error.to_string())
}

/// What the private file system says about `what`.
pub(super) fn of_store(what: &str, error: &JsValue) -> Fault {
    let kind = match browser::name_of(error).as_str() {
        "QuotaExceededError" => FaultKind::StorageFull,
        "NoModificationAllowedError" | "InvalidStateError" => FaultKind::StoreBusy,
        "SecurityError" | "NotAllowedError" => FaultKind::StoreUnavailable,
        _ => FaultKind::StoreDamaged,
    };
    Fault::new(kind, format!("`{what}`: {}", browser::text_of(error)))
}
