//! A text field over something that is stored elsewhere, by the worker or beside other choices.
//!
//! An answer can come while somebody is typing; the field shows what is stored once that is handed over.

use leptos::prelude::*;
use web_sys::Event;

use crate::state::studio::stored_text::StoredText;

/// What such a field knows. Copies are the same.
#[derive(Clone, Copy)]
pub(super) struct StoredField {
    stored: Memo<String>,
    /// What the field is told to show. What is typed there is not written here: the field has it.
    shown: RwSignal<String>,
    text: StoredValue<StoredText>,
}

impl StoredField {
    /// For as long as the caller's component is there.
    pub(super) fn new(stored: impl Fn() -> String + Send + Sync + 'static) -> Self {
        let stored = Memo::new(move |_| stored());
        let now = stored.get_untracked();
        let field = Self {
            stored,
            shown: RwSignal::new(now.clone()),
            text: StoredValue::new(StoredText::new(now)),
        };
        Effect::new(move || {
            stored.track();
            field.show_stored();
        });
        field
    }

    /// For the field's property.
    pub(super) fn shown(self) -> String {
        self.shown.get()
    }

    pub(super) fn type_in(self, event: &Event) {
        let typed = event_target_value(event);
        self.text.update_value(|text| text.type_in(typed));
    }

    /// What is typed, which is to be stored.
    pub(super) fn hand_over(self, event: &Event) -> String {
        let typed = event_target_value(event);
        self.text.update_value(|text| text.hand_over(typed.clone()));
        typed
    }

    /// What was handed over may have been refused, or taken in other words.
    pub(super) fn show_stored(self) {
        // The field may be gone by now.
        let Some(stored) = self.stored.try_get_untracked() else {
            return;
        };
        let is_shown = self
            .text
            .try_update_value(|text| text.store(stored.clone()));
        if is_shown == Some(true) {
            self.shown.try_set(stored);
        }
    }
}
