//! A fault as the page shows it.

use veneer_core::protocol::{studio::Said, tab::Fault};

use crate::texts::{
    Language,
    faults::{self, Sentence},
    studio,
};

/// What went wrong, where, and what to do: three texts, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserMessage {
    pub title: String,
    pub detail: String,
    pub hint: String,
}

impl UserMessage {
    /// In the language of the interface; a detail that no language has words for stays as core wrote
    /// it. The hint of the fault itself knows more than the one of its kind and stands first.
    pub fn of(fault: &Fault, language: Language) -> Self {
        let remedy = Sentence::read(&fault.detail).and_then(|(read, _)| read.remedy(language));
        let (title, hint) = remedy.unwrap_or_else(|| language.fault(fault.kind));
        let own = fault.hint.trim();
        Self {
            title: title.to_owned(),
            detail: detail_of(fault, language),
            hint: match own {
                "" => hint.to_owned(),
                own => format!("{} {hint}", sentence(own)),
            },
        }
    }
}

/// What a fault says, as a sentence.
pub fn detail_of(fault: &Fault, language: Language) -> String {
    let is_said = Sentence::read(&fault.detail).is_some();
    sentence(&match is_said {
        true => faults::said(&fault.detail, language),
        false => studio::said(&Said::read(&fault.detail), language),
    })
}

/// Why something is not to be had, as a sentence.
pub fn reason(why: &str, language: Language) -> String {
    sentence(&faults::said(why, language))
}

/// Errors of core begin in lower case and end without a period. A file's name stays as it is written.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut chars = text.chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    let mut sentence: String = match begins_with_name(text) {
        true => text.to_owned(),
        false => first.to_uppercase().chain(chars).collect(),
    };
    if !sentence.ends_with(['.', '!', '?', '。', '！', '？', '…']) {
        sentence.push(if is_wide(&sentence) { '。' } else { '.' });
    }
    sentence
}

/// Whether a text is Japanese itself, whatever it quotes.
fn is_wide(text: &str) -> bool {
    let mut own = text.split('`').step_by(2).flat_map(str::chars);
    text.ends_with(|last| ('\u{3000}'..='\u{ffef}').contains(&last))
        || own.any(|char| ('\u{3040}'..='\u{309f}').contains(&char))
}

/// Whether the first word is a file, a field or an address: `config.json`, `use_dora`.
fn begins_with_name(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default();
    let word = word.trim_end_matches(['.', ',', ':', ';', '…']);
    word.is_ascii() && word.contains(['.', '_', '/'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use veneer_core::protocol::{studio::Phrase, tab::FaultKind};

    #[test]
    fn a_sentence_ends_as_its_script_does() {
        assert_eq!(sentence("write it"), "Write it.");
        assert_eq!(sentence("回答を書いてください"), "回答を書いてください。");
        assert_eq!(sentence("本当ですか？"), "本当ですか？");
        assert_eq!(
            sentence("見つかったもの：a.gguf"),
            "見つかったもの：a.gguf。"
        );
        assert_eq!(
            sentence("found `はい`, expected text"),
            "Found `はい`, expected text."
        );
    }

    #[test]
    fn a_name_is_not_capitalised() {
        assert_eq!(
            sentence("adapter_model.safetensors is damaged"),
            "adapter_model.safetensors is damaged."
        );
        assert_eq!(sentence("config.json: no `r`"), "config.json: no `r`.");
        assert_eq!(sentence("stopped."), "Stopped.");
        assert_eq!(sentence("ends inside a.gguf"), "Ends inside a.gguf.");
    }

    #[test]
    fn files_of_an_adapter_are_asked_for_by_name() {
        let names = ["adapter_config.json".to_owned()];
        let fault = crate::state::files::Chosen::adapter_of(&names).unwrap_err();
        for language in Language::ALL {
            let message = UserMessage::of(&fault, language);
            for name in ["adapter_config.json", "adapter_model.safetensors"] {
                assert!(message.hint.contains(name), "{}", message.hint);
            }
            assert!(!message.hint.contains("gguf"), "{}", message.hint);
            assert_ne!(message.title, language.fault(fault.kind).0);
        }
        let message = UserMessage::of(&fault, Language::Spanish);
        assert!(message.detail.starts_with("Falta"), "{}", message.detail);
    }

    #[test]
    fn refusals_of_a_project_are_said_in_the_language() {
        let said = |detail: String, language| {
            UserMessage::of(&Fault::new(FaultKind::CannotDo, detail), language).detail
        };
        let frozen = Phrase::SplitIsFrozen.with([]);
        assert!(said(frozen.clone(), Language::Spanish).starts_with("La división está congelada"));
        assert!(said(frozen.clone(), Language::Japanese).ends_with("解除してください。"));
        assert!(said(frozen, Language::English).starts_with("The split is frozen"));
        let there = Phrase::SnapshotThere.with([&"antes de limpiar"]);
        let there = said(there, Language::Japanese);
        assert!(there.contains("`antes de limpiar` はすでに"), "{there}");
        let wrong = Phrase::RegexWrongAt.with([&3, &"(a: b", &"unclosed group"]);
        let wrong = said(wrong, Language::Spanish);
        assert!(
            wrong.contains("carácter 3, cerca de `(a: b`: unclosed"),
            "{wrong}"
        );
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
