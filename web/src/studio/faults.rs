//! Errors of projects, their databases and the browser's storage as faults.

use sqlite_wasm_vfs::sahpool::OpfsSAHError;
use veneer_core::{
    data::DatasetError,
    documents::DocumentError,
    project::ProjectError,
    protocol::tab::{Fault, FaultKind},
};

use crate::{browser, faults};

pub(super) fn of_project(error: &ProjectError) -> Fault {
    let kind = match error {
        ProjectError::NotAProject => FaultKind::NotData,
        ProjectError::Newer { .. } => FaultKind::ProjectNewer,
        ProjectError::Broken { .. } => FaultKind::ProjectBroken,
        ProjectError::Full => FaultKind::StorageFull,
        ProjectError::NoRecord { .. }
        | ProjectError::CannotDo { .. }
        | ProjectError::SplitIsFrozen
        | ProjectError::Data(DatasetError::Split { .. }) => FaultKind::CannotDo,
        ProjectError::Cancelled => FaultKind::Cancelled,
        ProjectError::Data(_) => FaultKind::NotData,
        ProjectError::Document(error) => of_document(error),
        ProjectError::Text(error) => return faults::of_text(error),
        ProjectError::Database(error) => of_database(error),
        _ => FaultKind::Internal,
    };
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    Fault::new(kind, text)
}

fn of_document(error: &DocumentError) -> FaultKind {
    match error {
        DocumentError::TooLarge { .. } => FaultKind::TooLarge,
        DocumentError::Reading { .. } => FaultKind::CannotDo,
        _ => FaultKind::NotData,
    }
}

fn of_database(error: &rusqlite::Error) -> FaultKind {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => FaultKind::StorageFull,
        Some(ErrorCode::OutOfMemory | ErrorCode::TooBig) => FaultKind::TooLarge,
        // The browser took the files away, or another tab has them.
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => FaultKind::ProjectMissing,
        Some(ErrorCode::DatabaseCorrupt) => FaultKind::ProjectBroken,
        Some(ErrorCode::NotADatabase) => FaultKind::NotData,
        _ => FaultKind::Internal,
    }
}

/// The files of a project as the browser keeps them.
pub(super) fn of_pool(error: &OpfsSAHError) -> Fault {
    let kind = match error {
        OpfsSAHError::Opfs { value, .. } => match browser::name_of(value).as_str() {
            "QuotaExceededError" => FaultKind::StorageFull,
            "NoModificationAllowedError" | "InvalidStateError" => FaultKind::ProjectBusy,
            "SecurityError" | "NotAllowedError" => FaultKind::StoreUnavailable,
            _ => FaultKind::ProjectMissing,
        },
        OpfsSAHError::NotSupported => FaultKind::StoreUnavailable,
        OpfsSAHError::InvalidHeader { .. } | OpfsSAHError::DuplicateFilename(_) => {
            FaultKind::ProjectBroken
        }
        OpfsSAHError::OutOfMemory => FaultKind::TooLarge,
        OpfsSAHError::Transfer(_) => FaultKind::NotData,
        _ => FaultKind::ProjectMissing,
    };
    let detail = match error {
        OpfsSAHError::Opfs { value, .. } => browser::text_of(value),
        error => error.to_string(),
    };
    Fault::new(kind, detail)
}

/// What the browser says about the folder of a project, which is no model.
pub(super) fn of_folder(fault: Fault) -> Fault {
    let kind = match fault.kind {
        FaultKind::StoreDamaged => FaultKind::ProjectMissing,
        FaultKind::StoreBusy => FaultKind::ProjectBusy,
        kind => kind,
    };
    Fault { kind, ..fault }
}

pub(super) fn missing() -> Fault {
    let detail = "the project is not in this browser any more";
    Fault::new(FaultKind::ProjectMissing, detail)
}

/// Whether a worker that was ended may hold the files for a moment longer.
pub(super) fn may_pass(error: &OpfsSAHError) -> bool {
    of_pool(error).kind == FaultKind::ProjectBusy
}

pub(super) fn no_project() -> Fault {
    Fault::new(FaultKind::CannotDo, "no project is open")
}
