//! What happens when the page goes: it asks where something would be lost, and leaves with the browser
//! what was typed and is not stored.

use leptos::prelude::*;
use web_sys::{BeforeUnloadEvent, Storage};

use super::handle::Studio;
use crate::state::studio::{
    draft::{Draft, Unsaved},
    leaving::{is_only_here, keys_of},
};

impl Studio {
    /// Listens as long as the page lives, whatever part of it is looked at.
    pub(super) fn guard(self) {
        let hide = move || {
            self.save_draft();
            self.leave_with_browser();
        };
        let leave = move |event: BeforeUnloadEvent| {
            hide();
            if !self.all_unsaved().is_empty() || self.is_lost_with_the_page() {
                event.prevent_default();
            }
        };
        let _ = window_event_listener(leptos::ev::beforeunload, leave);
        let _ = window_event_listener_untyped("pagehide", move |_| hide());
    }

    fn is_lost_with_the_page(self) -> bool {
        self.project.with_untracked(|open| {
            self.projects
                .with_untracked(|all| is_only_here(all, open.as_ref()))
        })
    }

    /// Everything that is typed and not stored; the record that is shown comes last.
    fn all_unsaved(self) -> Vec<Unsaved> {
        let draft = self
            .draft
            .with_untracked(|draft| draft.as_ref().and_then(Draft::unsaved));
        let mut all = Vec::new();
        let unsaved = self.on_way.get_value().into_iter();
        for unsaved in unsaved.chain(self.unsaved.get_untracked()).chain(draft) {
            unsaved.join_into(&mut all);
        }
        all
    }

    /// Leaves what is not stored with the browser: the page may not live until it is. What this tab
    /// left before and has stored since goes.
    pub(super) fn leave_with_browser(self) {
        // What lies in memory is not there when the page is opened next.
        let in_memory = self
            .projects
            .with_untracked(|all| all.unavailable.is_some());
        let Some(storage) = storage().filter(|_| !in_memory) else {
            return;
        };
        let all = self.all_unsaved();
        let followed = self.left.try_update_value(|left| left.follow(&all));
        let (written, gone) = followed.unwrap_or_default();
        for (key, text) in written {
            // A browser that keeps nothing cannot be helped.
            storage.set_item(&key, &text).ok();
        }
        for (key, text) in gone {
            if storage.get_item(&key).ok().flatten() == Some(text) {
                storage.remove_item(&key).ok();
            }
        }
    }

    /// What was stored does not have to be left with the browser any more.
    pub(super) fn leave_no_more(self) {
        if !self.left.with_value(|left| left.is_empty()) {
            self.leave_with_browser();
        }
    }

    /// Takes back what was left of a project. It stays with the browser until it is stored.
    pub(super) fn take_from_browser(self, project: &str) {
        let Some(storage) = storage() else { return };
        for key in keys(&storage, project) {
            let Ok(Some(text)) = storage.get_item(&key) else {
                continue;
            };
            let known = self.all_unsaved();
            let took = self
                .left
                .try_update_value(|left| left.take(key, text, &known));
            if let Some(unsaved) = took.flatten() {
                self.unsaved.update(|list| list.push(unsaved));
            }
        }
    }

    /// Gives up what was typed in a project that is not there any more.
    pub(super) fn forget_unsaved(self, project: &str) {
        self.on_way
            .update_value(|all| all.retain(|unsaved| unsaved.project != project));
        self.unsaved
            .update(|list| list.retain(|unsaved| unsaved.project != project));
        let Some(storage) = storage() else { return };
        for key in keys(&storage, project) {
            storage.remove_item(&key).ok();
        }
    }
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

fn keys(storage: &Storage, project: &str) -> Vec<String> {
    let beginning = keys_of(project);
    let n = storage.length().unwrap_or_default();
    let all = (0..n).filter_map(|n| storage.key(n).ok().flatten());
    all.filter(|key| key.starts_with(&beginning)).collect()
}
