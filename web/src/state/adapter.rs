//! What is wrong with the files of an adapter, as faults that the page has words for.

use veneer_core::{
    protocol::tab::{Fault, FaultKind},
    weights::{adapter::AdapterError, adapter_config::AdapterConfigError},
};

use crate::texts::faults::{Sentence, problems};

pub fn fault_of(error: &AdapterError) -> Fault {
    let (kind, detail) = match error {
        AdapterError::Damaged { reason } => (
            FaultKind::BrokenFile,
            Sentence::AdapterDamaged.with(&[("reason", reason)]),
        ),
        AdapterError::Empty => (FaultKind::BrokenFile, Sentence::AdapterEmpty.with(&[])),
        AdapterError::Tensors { problems: all } => {
            let are_apart = all.iter().any(|problem| is_of_rank(problem));
            let (kind, sentence) = match are_apart {
                true => (FaultKind::BrokenFile, Sentence::FilesApart),
                false => (FaultKind::Unsupported, Sentence::TensorsUnusable),
            };
            (kind, sentence.with(&[("problems", &problems(all))]))
        }
        AdapterError::OtherModel { base, mismatches } => {
            let values = [("base", base.as_str()), ("problems", &problems(mismatches))];
            (FaultKind::OtherModel, Sentence::OtherBase.with(&values))
        }
        AdapterError::Config(AdapterConfigError::Unsupported { .. }) => {
            (FaultKind::Unsupported, error.to_string())
        }
        _ => (FaultKind::BrokenFile, error.to_string()),
    };
    Fault::new(kind, detail)
}

/// Whether the weights have another rank than the settings: each of the two files is well by itself.
fn is_of_rank(problem: &str) -> bool {
    Sentence::read(problem).is_some_and(|(read, _)| read == Sentence::RankDiffers)
}

#[cfg(test)]
mod tests {
    use veneer_core::weights::adapter::read_adapter;

    use super::*;
    use crate::{state::message::UserMessage, texts::Language};

    const CONFIG: &[u8] =
        include_bytes!("../../../tests/fixtures/merge/llama32/adapter_config.json");
    const WEIGHTS: &[u8] =
        include_bytes!("../../../tests/fixtures/merge/llama32/adapter_model.safetensors");

    #[track_caller]
    fn refused(config: &[u8], weights: &[u8]) -> Fault {
        fault_of(&read_adapter(config, weights).unwrap_err())
    }

    #[test]
    fn files_of_two_adapters_are_told_from_what_cannot_be_run() {
        let fault = refused(br#"{"r": 99}"#, WEIGHTS);
        assert_eq!(fault.kind, FaultKind::BrokenFile);
        assert_eq!(
            fault.detail.matches("has lora_A").count(),
            2,
            "{}",
            fault.detail
        );
        let message = UserMessage::of(&fault, Language::English);
        assert_eq!(
            message.title,
            "The adapter's two files do not belong together"
        );
        assert!(message.detail.ends_with(" more."), "{}", message.detail);
        assert!(!message.hint.contains("README"), "{}", message.hint);
        let message = UserMessage::of(&fault, Language::Japanese);
        assert!(message.detail.contains("ランク 99"), "{}", message.detail);
    }

    #[test]
    fn a_file_that_ends_early_is_named_as_it_is() {
        let fault = refused(br#"{"r": 8}"#, &WEIGHTS[..WEIGHTS.len() / 2]);
        assert_eq!(fault.kind, FaultKind::BrokenFile);
        let message = UserMessage::of(&fault, Language::English);
        assert!(
            message.detail.starts_with("adapter_model.safetensors is"),
            "{}",
            message.detail
        );
    }

    #[test]
    fn what_core_says_of_another_model_has_words() {
        let adapter = read_adapter(CONFIG, WEIGHTS).unwrap();
        for shape in [None, Some(vec![1, 2])] {
            let error = adapter.check_fits(|_| shape.clone()).unwrap_err();
            let fault = fault_of(&error);
            assert_eq!(fault.kind, FaultKind::OtherModel);
            let said = UserMessage::of(&fault, Language::Spanish).detail;
            assert!(
                said.contains(" modelo") && !said.contains("model "),
                "{said}"
            );
        }
    }
}
