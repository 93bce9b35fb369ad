//! Lines that begin with a slash.

use std::path::PathBuf;

/// At most 80 columns wide.
pub(crate) const HELP: &str = "\
/system TEXT     set the system message and begin anew (no TEXT removes it)
/adapter NAME    answer with this adapter from now on; `base` goes without one
/adapter         list the adapters
/retry           answer the last message again, with the next seed
/undo            forget the last message and its answer
/save FILE       add the conversation to a JSONL file of OpenAI messages
/help            this
/quit            leave (so do Ctrl-D, and Ctrl-C twice)

Ctrl-C stops an answer. A line that ends in \\ goes on in the next one.";

/// What a line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Say(String),
    System(Option<String>),
    /// `None` lists them.
    Adapter(Option<String>),
    Retry,
    Undo,
    Save(PathBuf),
    Help,
    Quit,
}

impl Command {
    /// What the line asks for; `None` is an empty line. Two slashes at the start say one.
    ///
    /// # Errors
    /// What is wrong with a command, for the user.
    pub(crate) fn parse(line: &str) -> Result<Option<Self>, String> {
        let line = line.trim();
        if line.is_empty() {
            return Ok(None);
        }
        let Some(command) = line.strip_prefix('/') else {
            return Ok(Some(Self::Say(line.to_owned())));
        };
        if command.starts_with('/') {
            return Ok(Some(Self::Say(command.to_owned())));
        }
        let (word, rest) = command
            .split_once(char::is_whitespace)
            .unwrap_or((command, ""));
        let rest = Some(rest.trim()).filter(|rest| !rest.is_empty());
        let text = rest.map(str::to_owned);
        let command = match word {
            "system" => Self::System(text),
            "adapter" => Self::Adapter(text),
            "save" => match rest {
                Some(file) => Self::Save(PathBuf::from(file)),
                None => return Err("/save needs a file, such as /save chat.jsonl".into()),
            },
            "retry" | "undo" | "help" | "quit" | "exit" if rest.is_some() => {
                return Err(format!("/{word} takes nothing after it"));
            }
            "retry" => Self::Retry,
            "undo" => Self::Undo,
            "help" => Self::Help,
            "quit" | "exit" => Self::Quit,
            _ => {
                return Err(format!(
                    "there is no command /{word}; /help lists them, and // begins a message with /"
                ));
            }
        };
        Ok(Some(command))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Command {
        Command::parse(line).unwrap().unwrap()
    }

    #[test]
    fn lines_are_messages_or_commands() {
        assert_eq!(Command::parse("  \n"), Ok(None));
        assert_eq!(parsed(" hello /x\n"), Command::Say("hello /x".into()));
        assert_eq!(parsed("//etc/hosts?"), Command::Say("/etc/hosts?".into()));
        assert_eq!(
            parsed("/system  Be brief. "),
            Command::System(Some("Be brief.".into()))
        );
        assert_eq!(parsed("/system"), Command::System(None));
        assert_eq!(
            parsed("/adapter base"),
            Command::Adapter(Some("base".into()))
        );
        assert_eq!(parsed("/save a b.jsonl"), Command::Save("a b.jsonl".into()));
        assert_eq!(parsed("/quit"), Command::Quit);
    }

    #[test]
    fn what_is_no_command_is_said() {
        for (line, expected) in [
            ("/sytem x", "/help"),
            ("/save", "needs a file"),
            ("/undo 2", "takes nothing"),
        ] {
            let error = Command::parse(line).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_help_fits_a_terminal_and_names_every_command() {
        assert!(HELP.lines().all(|line| line.chars().count() <= 80));
        for word in HELP.lines().filter_map(|line| line.strip_prefix('/')) {
            let word = word.split(' ').next().unwrap();
            assert!(
                Command::parse(&format!("/{word} x")).is_ok_and(|c| c.is_some())
                    || Command::parse(&format!("/{word}")).is_ok_and(|c| c.is_some())
            );
        }
    }
}
