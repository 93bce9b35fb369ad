//! A fault as the page shows it.

use veneer_core::protocol::tab::Fault;

use crate::texts::Language;

/// What went wrong, where, and what to do: three texts, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserMessage {
    pub title: String,
    pub detail: String,
    pub hint: String,
}

impl UserMessage {
    /// Title and hint in the language of the interface, the detail as core wrote it. The hint of the
    /// fault itself knows more than the one of its kind and stands first.
    pub fn of(fault: &Fault, language: Language) -> Self {
        let (title, hint) = language.fault(fault.kind);
        let own = fault.hint.trim();
        Self {
            title: title.to_owned(),
            detail: sentence(&fault.detail),
            hint: match own {
                "" => hint.to_owned(),
                own => format!("{} {hint}", sentence(own)),
            },
        }
    }
}

/// Errors of core begin in lower case and end without a period.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut chars = text.chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    let mut sentence: String = first.to_uppercase().chain(chars).collect();
    if !sentence.ends_with(['.', '!', '?', '。', '！', '？', '…']) {
        let is_wide = sentence.ends_with(|last| ('\u{3000}'..='\u{ffef}').contains(&last));
        sentence.push(if is_wide { '。' } else { '.' });
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;
    use veneer_core::protocol::tab::FaultKind;

    #[test]
    fn a_sentence_ends_as_its_script_does() {
        assert_eq!(sentence("write it"), "Write it.");
        assert_eq!(sentence("回答を書いてください"), "回答を書いてください。");
        assert_eq!(sentence("本当ですか？"), "本当ですか？");
    }

    #[test]
    fn a_fault_becomes_three_sentences() {
        let mut fault = Fault::new(FaultKind::TooLarge, "tensor `a` has 3 GB, at most 2 GB fit");
        let message = UserMessage::of(&fault, Language::English);
        assert_eq!(message.title, "This does not fit");
        assert_eq!(message.detail, "Tensor `a` has 3 GB, at most 2 GB fit.");
        assert!(message.hint.starts_with("Take a smaller model"));
        fault.hint = "Q4_0 would need 1 GB".into();
        let message = UserMessage::of(&fault, Language::English);
        assert!(message.hint.starts_with("Q4_0 would need 1 GB. Take"));
    }
}
