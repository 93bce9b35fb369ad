//! Errors that both workers meet, as faults that the page has texts for.

use veneer_core::{
    arch::ArchError,
    checkpoint::CheckpointError,
    protocol::tab::{Fault, FaultKind},
    text::TextError,
    weights::{LoadError, gguf::GgufError},
};

pub(crate) fn with_hint(kind: FaultKind, detail: impl ToString, hint: &str) -> Fault {
    Fault {
        kind,
        detail: detail.to_string(),
        hint: hint.to_owned(),
    }
}

pub(crate) fn of_checkpoint(error: &CheckpointError) -> Fault {
    match error {
        CheckpointError::Gguf(error) => of_gguf(error),
        CheckpointError::Arch(error) => of_arch(error),
        CheckpointError::Load(error) => of_load(error),
        CheckpointError::Text(error) => of_text(error),
        other => Fault::new(FaultKind::BrokenFile, other.to_string()),
    }
}

pub(crate) fn of_load(error: &LoadError) -> Fault {
    let kind = match error {
        LoadError::StoredAs { .. } | LoadError::Dtype { .. } => FaultKind::Unsupported,
        _ => FaultKind::BrokenFile,
    };
    with_hint(kind, error, error.hint())
}

pub(crate) fn of_gguf(error: &GgufError) -> Fault {
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

pub(crate) fn of_text(error: &TextError) -> Fault {
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
