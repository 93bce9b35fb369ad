//! Whether somebody still waits for an answer.

use std::{cell::Cell, rc::Rc};

use veneer_core::protocol::tab::{Fault, FaultKind};
use web_sys::{AbortController, AbortSignal};

/// Runs out when the user gives a request up. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patience {
    is_over: Rc<Cell<bool>>,
    abort: Option<AbortController>,
}

impl Patience {
    pub(crate) fn new() -> Self {
        Self {
            is_over: Rc::default(),
            // Without it a connection ends at its next chunk instead of at once.
            abort: AbortController::new().ok(),
        }
    }

    pub(crate) fn give_up(&self) {
        self.is_over.set(true);
        if let Some(abort) = &self.abort {
            abort.abort();
        }
    }

    /// What a connection is cut off with.
    pub(crate) fn signal(&self) -> Option<AbortSignal> {
        self.abort.as_ref().map(AbortController::signal)
    }

    /// # Errors
    /// After [`Self::give_up`].
    pub(crate) fn go_on(&self) -> Result<(), Fault> {
        match self.is_over.get() {
            true => Err(Fault::new(FaultKind::Cancelled, "cancelled")),
            false => Ok(()),
        }
    }
}
