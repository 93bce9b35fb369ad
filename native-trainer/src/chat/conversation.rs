//! What was said so far.

use std::{fs::OpenOptions, io::Write as _, path::Path};

use anyhow::{Context as _, Result};
use serde_json::json;
use veneer_core::text::{Message, Role};

/// Messages in order: the system's, if any, then the user's and the answers in turn.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    messages: Vec<Message>,
}

impl Conversation {
    pub(crate) fn new(system: Option<&str>) -> Self {
        Self {
            messages: system
                .map(|system| Message::new(Role::System, system))
                .into_iter()
                .collect(),
        }
    }

    pub(crate) fn messages(&self) -> &[Message] {
        &self.messages
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.messages.push(Message::new(Role::User, text));
    }

    pub(crate) fn answer(&mut self, text: &str) {
        self.messages.push(Message::new(Role::Assistant, text));
    }

    /// Takes the last user message and its answer back; false where there is none.
    pub(crate) fn undo(&mut self) -> bool {
        let last = self.last_said();
        self.messages.truncate(last.unwrap_or(self.messages.len()));
        last.is_some()
    }

    /// Takes the last answer back, so that its question is open again.
    pub(crate) fn retry(&mut self) -> bool {
        let last = self.last_said();
        self.messages
            .truncate(last.map_or(self.messages.len(), |last| last + 1));
        last.is_some()
    }

    fn last_said(&self) -> Option<usize> {
        let is_user = |message: &Message| message.role == Role::User;
        self.messages.iter().rposition(is_user)
    }

    /// Adds the conversation to a file as one line; how many lines it has then.
    pub(crate) fn save(&self, path: &Path) -> Result<usize> {
        let line = json!({ "messages": self.messages }).to_string();
        let name = || format!("writing `{}`", path.display());
        let before = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(name),
        };
        // A file that was cut off inside a line would swallow this one.
        let start = if before.is_empty() || before.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(name)?;
        file.write_all(format!("{start}{line}\n").as_bytes())
            .with_context(name)?;
        Ok(before.lines().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk() -> Conversation {
        let mut talk = Conversation::new(Some("Be brief."));
        talk.say("one?");
        talk.answer("1");
        talk.say("two?");
        talk.answer("2");
        talk
    }

    fn texts(talk: &Conversation) -> Vec<&str> {
        let messages = talk.messages().iter();
        messages
            .filter_map(|message| message.content.as_deref())
            .collect()
    }

    #[test]
    fn turns_are_taken_back_one_by_one() {
        let mut talk = talk();
        assert!(talk.retry());
        assert_eq!(texts(&talk), ["Be brief.", "one?", "1", "two?"]);
        assert!(talk.retry(), "an open question stays open");
        assert!(talk.undo());
        assert_eq!(texts(&talk), ["Be brief.", "one?", "1"]);
        assert!(talk.undo());
        assert_eq!(texts(&talk), ["Be brief."]);
        assert!(!talk.undo() && !talk.retry());
    }

    #[test]
    fn saving_adds_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.jsonl");
        assert_eq!(talk().save(&path).unwrap(), 1);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.trim_end()).unwrap();
        assert_eq!(talk().save(&path).unwrap(), 2);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(
            lines[1]["messages"][1],
            json!({"role": "user", "content": "one?"})
        );
    }
}
