//! A text that is stored elsewhere, as it stands in a field: what is being typed is not overwritten.

/// A field's text beside what was last stored or handed over of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredText {
    now: String,
    settled: String,
}

impl StoredText {
    pub fn new(stored: String) -> Self {
        Self {
            now: stored.clone(),
            settled: stored,
        }
    }

    /// The field holds this by now.
    pub fn type_in(&mut self, text: String) {
        self.now = text;
    }

    /// The field holds this, which goes where it is stored.
    pub fn hand_over(&mut self, text: String) {
        self.settled.clone_from(&text);
        self.now = text;
    }

    /// This is stored by now. Whether the field is to show it: not while something else is being typed.
    pub fn store(&mut self, stored: String) -> bool {
        let is_shown = self.now == self.settled;
        if is_shown {
            self.now.clone_from(&stored);
        }
        self.settled = stored;
        is_shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_being_typed_is_not_overwritten() {
        let mut text = StoredText::new(String::new());
        text.type_in("h".into());
        assert!(!text.store("http://b.example".into()));
        text.type_in("https://a.example".into());
        assert!(!text.store(String::new()));
        text.hand_over("https://a.example".into());
        assert!(text.store("https://a.example".into()));
    }

    #[test]
    fn what_was_handed_over_gives_way_to_what_is_stored() {
        let mut text = StoredText::new("MIT".into());
        text.hand_over("  Apache-2.0 ".into());
        assert!(text.store("Apache-2.0".into()));
        // Back to what it was without being handed over.
        text.type_in("Apache-2.0+".into());
        text.type_in("Apache-2.0".into());
        assert!(text.store("MIT".into()));
        text.hand_over("refused".into());
        text.type_in("refused, and typed on".into());
        assert!(!text.store("MIT".into()));
    }
}
