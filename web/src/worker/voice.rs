//! How a running request speaks to the page, and hears that it is not wanted any more.

use std::cell::Cell;

use veneer_core::{
    infer::Cancel,
    protocol::tab::{Fault, FaultKind, FromWorker, Piece, Progress, Reply, RequestId, Stage},
};
use wasm_bindgen::JsValue;
use web_sys::{AbortController, AbortSignal};

use super::browser;

/// Between two reports of progress.
const PROGRESS_EVERY_MS: f64 = 100.0;

/// The way from one request to the page. Clones belong to the same request.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    id: RequestId,
    cancel: Cancel,
    abort: Option<AbortController>,
    last_progress: Cell<(Option<Stage>, f64)>,
}

impl Voice {
    pub(super) fn new(id: RequestId) -> Self {
        Self {
            id,
            cancel: Cancel::default(),
            abort: AbortController::new().ok(),
            last_progress: Cell::new((None, 0.0)),
        }
    }

    pub(super) fn reply(&self, reply: Reply) {
        say(&FromWorker { id: self.id, reply });
    }

    pub(super) fn piece(&self, piece: Piece) {
        self.reply(Reply::Piece(piece));
    }

    /// Tells how far the request is; not more often than a person can read.
    pub(super) fn progress(&self, stage: Stage, what: &str, done: u64, total: u64) {
        let now = browser::now_ms();
        let (last_stage, last) = self.last_progress.get();
        if last_stage == Some(stage) && done < total && now - last < PROGRESS_EVERY_MS {
            return;
        }
        self.last_progress.set((Some(stage), now));
        self.reply(Reply::Progress(Progress {
            stage,
            what: what.to_owned(),
            done,
            total,
        }));
    }

    /// The user does not want it any more.
    pub(super) fn give_up(&self) {
        self.cancel.cancel();
        if let Some(abort) = &self.abort {
            abort.abort();
        }
    }

    /// What the engine looks at between its steps.
    pub(super) fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// What a download is cut off with.
    pub(super) fn signal(&self) -> Option<AbortSignal> {
        self.abort.as_ref().map(AbortController::signal)
    }

    /// # Errors
    /// After [`Self::give_up`].
    pub(super) fn go_on(&self) -> Result<(), Fault> {
        match self.cancel.is_cancelled() {
            true => Err(Fault::new(FaultKind::Cancelled, "cancelled")),
            false => Ok(()),
        }
    }
}

/// Sends a message to the page.
pub(super) fn say(message: &FromWorker) {
    let Ok(text) = serde_json::to_string(message) else {
        return;
    };
    // Texts can always be posted.
    browser::scope()
        .post_message(&JsValue::from_str(&text))
        .ok();
}
