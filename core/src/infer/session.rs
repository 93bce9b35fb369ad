//! One conversation: what the context holds, so that the next prompt runs only what is new.

use std::rc::Rc;

use super::{AdapterId, runner::Context};

/// A context on the device and the ids that are in it. Sessions of one engine may be used in turn.
#[derive(Debug)]
pub struct Session {
    pub(super) context: Context,
    /// Tokens whose keys and values are in the context.
    pub(super) ids: Vec<u32>,
    /// The adapter under which they were computed.
    pub(super) adapter: Option<AdapterId>,
    /// The context holds the logits after the last of `ids`.
    pub(super) has_logits: bool,
    /// The length of text for which its keys are rotated.
    pub(super) n_rotated_for: usize,
    /// The engine that made it.
    pub(super) home: Rc<()>,
}

impl Session {
    pub(super) fn new(context: Context, home: Rc<()>) -> Self {
        Self {
            context,
            ids: Vec::new(),
            adapter: None,
            has_logits: false,
            n_rotated_for: 0,
            home,
        }
    }

    /// Tokens in the context.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// How many tokens of a prompt need not be computed again. The last one's logits are wanted,
    /// so a prompt that is wholly there counts one less, unless it ends where the context does.
    pub fn n_reusable(&self, prompt_ids: &[u32], adapter: Option<AdapterId>) -> usize {
        if adapter != self.adapter {
            return 0;
        }
        let same = self.ids.iter().zip(prompt_ids);
        let n_common = same.take_while(|(held, wanted)| held == wanted).count();
        if n_common < prompt_ids.len() || (n_common == self.ids.len() && self.has_logits) {
            n_common
        } else {
            n_common.saturating_sub(1)
        }
    }
}
