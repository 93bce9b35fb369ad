//! What the studios of several tabs tell each other: that one of them wants a project.

use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{BroadcastChannel, MessageEvent};

const CHANNEL: &str = "veneer-studio";

/// The way to the other tabs. A browser without one has its locks alone.
#[derive(Debug)]
pub(super) struct Tidings(Option<BroadcastChannel>);

impl Tidings {
    /// `wanted` hears the projects that other tabs ask for.
    pub(super) fn listen(mut wanted: impl FnMut(&str) + 'static) -> Self {
        let Ok(channel) = BroadcastChannel::new(CHANNEL) else {
            return Self(None);
        };
        let hear = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(id) = event.data().as_string() {
                wanted(&id);
            }
        });
        channel.set_onmessage(Some(hear.as_ref().unchecked_ref()));
        // As long as the worker.
        hear.forget();
        Self(Some(channel))
    }

    /// Asks whoever has a project open to give it up.
    pub(super) fn want(&self, id: &str) {
        if let Some(channel) = &self.0 {
            // Texts can always be posted.
            channel.post_message(&JsValue::from(id)).ok();
        }
    }
}
