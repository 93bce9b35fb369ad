//! Which part of the app is looked at: the dataset or the chat.

/// A part of the app, named in the address behind `#`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Data,
    Chat,
}

impl Place {
    pub const ALL: [Self; 2] = [Self::Data, Self::Chat];

    /// As the address has it.
    pub fn hash(self) -> &'static str {
        match self {
            Self::Data => "#data",
            Self::Chat => "#chat",
        }
    }

    pub fn of_hash(hash: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.hash() == hash)
    }

    /// Where a visit begins: where the address says, else where the last one ended, else with the chat
    /// where the site has a model of its own to show, and with data where it has none.
    pub fn first(hash: &str, kept: Option<&str>, site_has_model: bool) -> Self {
        Self::of_hash(hash)
            .or_else(|| Self::of_hash(kept?))
            .unwrap_or(if site_has_model {
                Self::Chat
            } else {
                Self::Data
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_wins_then_the_last_visit_then_the_site() {
        assert_eq!(Place::first("#chat", Some("#data"), false), Place::Chat);
        assert_eq!(Place::first("", Some("#data"), true), Place::Data);
        assert_eq!(Place::first("#nowhere", None, true), Place::Chat);
        assert_eq!(Place::first("", Some("nonsense"), false), Place::Data);
    }
}
