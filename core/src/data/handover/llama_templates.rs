//! LLaMA-Factory's names for templates (its `data/template.py`), and how far each is ours.

use super::Contents;

/// Its name for a built-in template, where it writes these records with it.
pub(super) fn counterpart(template: &str, contents: &Contents) -> Option<&'static str> {
    // Its `zephyr` has a system prompt of its own and no line breaks between turns; its `alpaca` has
    // nothing between system prompt and question.
    const NAMES: [(&str, &str); 9] = [
        ("chatml", "chatml"),
        ("llama2", "llama2"),
        ("llama3", "llama3"),
        ("mistral", "mistral"),
        ("qwen2.5", "qwen"),
        ("qwen3", QWEN3),
        ("gemma", "gemma"),
        ("phi3", "phi"),
        ("alpaca", "alpaca"),
    ];
    if template == "alpaca" && contents.n_with_system > 0 {
        return None;
    }
    let found = NAMES.iter().find(|(own, _)| *own == template);
    found.map(|(_, name)| *name)
}

/// The one name here that stands for a `ReasoningTemplate`.
pub(super) const QWEN3: &str = "qwen3";

/// Records that come out a little otherwise than with the template of ours: no space around an answer
/// (llama2), no token before (alpaca) or behind (phi3) the text, an empty thought in every turn
/// (qwen3), the system prompt in the first question instead of the last (mistral).
pub(super) fn n_different(template: &str, contents: &Contents) -> u64 {
    match template {
        "llama2" | "alpaca" | "phi3" => contents.n_chat,
        "qwen3" => contents.n_multi_turn,
        "mistral" => contents.n_with_system.min(contents.n_multi_turn),
        _ => 0,
    }
}

/// Its name for the template of a model, by the name that its maker gave it. Models made from that
/// one (Vision, Omni, distilled, fine-tuned) have other names, and often another template.
pub(super) fn of_model(model: &str) -> Option<&'static str> {
    // What stands before the size, and behind it.
    const MODELS: [(&str, &str, &str); 21] = [
        ("qwen2.5-", "-instruct", "qwen"),
        ("qwen2.5-coder-", "-instruct", "qwen"),
        ("qwen3-", "", QWEN3),
        ("qwen3-", "-instruct-2507", "qwen3_nothink"),
        ("qwen3-next-", "-instruct", "qwen3_nothink"),
        ("meta-llama-3-", "-instruct", "llama3"),
        ("meta-llama-3.1-", "-instruct", "llama3"),
        ("llama-3.1-", "-instruct", "llama3"),
        ("llama-3.2-", "-instruct", "llama3"),
        ("llama-3.3-", "-instruct", "llama3"),
        ("llama-2-", "-chat", "llama2"),
        ("llama-2-", "-chat-hf", "llama2"),
        ("gemma-", "-it", "gemma"),
        ("gemma-1.1-", "-it", "gemma"),
        ("gemma-2-", "-it", "gemma2"),
        ("mistral-", "-instruct-v0.1", "mistral"),
        ("mistral-", "-instruct-v0.2", "mistral"),
        ("mistral-", "-instruct-v0.3", "mistral"),
        ("phi-3-mini-", "-instruct", "phi"),
        ("phi-3-medium-", "-instruct", "phi"),
        ("phi-3-small-", "-instruct", "phi_small"),
    ];
    // Of a path, the folders around the model's say nothing about it.
    let name = model.rsplit(['/', '\\']).find(|part| !part.is_empty());
    let name = name.unwrap_or_default().to_ascii_lowercase();
    let matches = |before: &str, behind: &str| {
        let rest = name.strip_prefix(before);
        let size = rest.and_then(|rest| rest.strip_suffix(behind));
        size.is_some_and(is_size)
    };
    let found = MODELS
        .iter()
        .find(|(before, behind, _)| matches(before, behind));
    found.map(|(_, _, template)| *template)
}

/// `0.6b`, `128k`, `30b-a3b`
fn is_size(text: &str) -> bool {
    let (all, active) = match text.split_once("-a") {
        Some((all, active)) => (all, Some(active)),
        None => (text, None),
    };
    let is_number = |text: &str| {
        let digits = text.strip_suffix(['b', 'k']).unwrap_or_default();
        let plain = |c: char| c.is_ascii_digit() || c == '.';
        !digits.is_empty() && digits.chars().all(plain)
    };
    is_number(all) && active.is_none_or(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `DEFAULT_TEMPLATE` of LLaMA-Factory 0.9.5 has them.
    #[test]
    fn a_model_is_known_by_its_makers_name() {
        for (model, template) in [
            ("Qwen/Qwen2.5-0.5B-Instruct", "qwen"),
            ("/models/Qwen2.5-Coder-7B-Instruct/", "qwen"),
            ("Qwen/Qwen3-0.6B", "qwen3"),
            ("Qwen/Qwen3-30B-A3B", "qwen3"),
            ("Qwen/Qwen3-4B-Instruct-2507", "qwen3_nothink"),
            ("Qwen/Qwen3-235B-A22B-Instruct-2507", "qwen3_nothink"),
            ("Qwen/Qwen3-Next-80B-A3B-Instruct", "qwen3_nothink"),
            ("meta-llama/Meta-Llama-3-8B-Instruct", "llama3"),
            ("meta-llama/Llama-3.2-1B-Instruct", "llama3"),
            ("meta-llama/Llama-2-7b-chat-hf", "llama2"),
            ("google/gemma-2b-it", "gemma"),
            ("google/gemma-2-2b-it", "gemma2"),
            ("mistralai/Mistral-7B-Instruct-v0.3", "mistral"),
            ("microsoft/Phi-3-mini-4k-instruct", "phi"),
            ("microsoft/Phi-3-small-128k-instruct", "phi_small"),
        ] {
            assert_eq!(of_model(model), Some(template), "{model}");
        }
    }

    #[test]
    fn what_was_made_from_it_is_not_it() {
        for model in [
            "",
            "Qwen/Qwen3-",
            "deepseek-ai/DeepSeek-R1-0528-Qwen3-8B",
            "Qwen/Qwen3-VL-8B-Instruct",
            "Qwen/Qwen3-8B-Base",
            "Qwen/Qwen3.5-4B",
            "Qwen/Qwen2.5-Omni-7B",
            "Qwen/Qwen2.5-VL-3B-Instruct",
            "Qwen/Qwen2-Audio-7B-Instruct",
            "google/medgemma-27b-text-it",
            "google/gemma-3-4b-it",
            "meta-llama/Llama-3.2-11B-Vision-Instruct",
            "NousResearch/Hermes-3-Llama-3.1-8B",
        ] {
            assert_eq!(of_model(model), None, "{model}");
        }
    }
}
