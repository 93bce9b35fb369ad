//! How a request speaks to the page, and hears that it is not wanted any more.

use std::cell::Cell;

use js_sys::Array;
use veneer_core::protocol::{
    studio::{FromStudio, StudioOutcome, StudioProgress, StudioReply, StudioStage},
    tab::{Fault, RequestId},
};
use wasm_bindgen::JsValue;
use web_sys::Blob;

use crate::browser::{self, Patience};

/// Before the first report of progress, so that what is quick shows none, and between two.
const PROGRESS_EVERY_MS: f64 = 100.0;

/// What a request ends with, and the file beside it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) outcome: StudioOutcome,
    pub(super) file: Option<Blob>,
}

impl From<StudioOutcome> for Answer {
    fn from(outcome: StudioOutcome) -> Self {
        Self {
            outcome,
            file: None,
        }
    }
}

/// The way from one request to the page. Clones belong to the same request.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    id: RequestId,
    patience: Patience,
    last_progress_ms: Cell<f64>,
}

impl Voice {
    pub(super) fn new(id: RequestId) -> Self {
        Self {
            id,
            patience: Patience::new(),
            last_progress_ms: Cell::new(browser::now_ms()),
        }
    }

    /// The way for what nobody asked for.
    pub(super) fn unasked() -> Self {
        Self::new(RequestId::UNASKED)
    }

    pub(super) fn patience(&self) -> &Patience {
        &self.patience
    }

    /// # Errors
    /// After the user gave the request up.
    pub(super) fn go_on(&self) -> Result<(), Fault> {
        self.patience.go_on()
    }

    pub(super) fn end(&self, result: Result<Answer, Fault>) {
        match result {
            Ok(Answer { outcome, file }) => {
                self.say(StudioReply::Done(Box::new(outcome)), file.as_ref());
            }
            Err(fault) => self.say(StudioReply::Failed(fault), None),
        }
    }

    /// Tells how far the request is; not more often than a person can read.
    pub(super) fn progress(&self, progress: StudioProgress) {
        let now = browser::now_ms();
        if now - self.last_progress_ms.get() < PROGRESS_EVERY_MS {
            return;
        }
        self.last_progress_ms.set(now);
        self.say(StudioReply::Progress(progress), None);
    }

    pub(super) fn copied(&self, what: &str, done: u64, total: u64) {
        self.going(StudioStage::Copying, what, done, total);
    }

    pub(super) fn going(&self, stage: StudioStage, what: &str, done: u64, total: u64) {
        self.progress(StudioProgress {
            stage,
            what: what.to_owned(),
            done,
            total,
        });
    }

    /// Sends a message to the page: text alone, or a text and a file.
    pub(super) fn say(&self, reply: StudioReply, file: Option<&Blob>) {
        let message = FromStudio { id: self.id, reply };
        // Every reply is plain data, which JSON can hold.
        let Ok(text) = serde_json::to_string(&message) else {
            return;
        };
        let text = JsValue::from(text);
        let message = match file {
            Some(file) => Array::of2(&text, file).into(),
            None => text,
        };
        // Texts and files can always be posted.
        browser::scope().post_message(&message).ok();
    }
}
