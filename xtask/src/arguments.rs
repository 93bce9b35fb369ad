//! The few flags that the tasks take.

use anyhow::{Context as _, Result, bail};

/// Words of the command line that were not used yet.
pub(crate) struct Arguments(Vec<String>);

impl Arguments {
    pub(crate) fn new(words: impl Iterator<Item = String>) -> Self {
        Self(words.collect())
    }

    /// The first word, if it is there.
    pub(crate) fn next_word(&mut self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    /// True when `flag` was given.
    pub(crate) fn flag(&mut self, flag: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|word| word != flag);
        self.0.len() < before
    }

    /// The word after `option`.
    pub(crate) fn value(&mut self, option: &str) -> Result<Option<String>> {
        let Some(at) = self.0.iter().position(|word| word == option) else {
            return Ok(None);
        };
        self.0.remove(at);
        if at == self.0.len() {
            bail!("`{option}` needs a value");
        }
        Ok(Some(self.0.remove(at)))
    }

    /// An error when a word is left that nothing asked for.
    pub(crate) fn finish(self) -> Result<()> {
        match self.0.first() {
            None => Ok(()),
            Some(word) => {
                Err(anyhow::anyhow!("unknown argument `{word}`")).context("see `cargo xtask help`")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Arguments {
        Arguments::new(line.split_whitespace().map(String::from))
    }

    #[test]
    fn takes_flags_and_values_in_any_order() {
        let mut given = arguments("test --list --only fmt");
        assert_eq!(given.next_word().as_deref(), Some("test"));
        assert_eq!(given.value("--only").unwrap().as_deref(), Some("fmt"));
        assert!(given.flag("--list"));
        assert!(given.finish().is_ok());
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(arguments("--frobnicate").finish().is_err());
        assert!(arguments("--only").value("--only").is_err());
    }
}
