//! What requests may ask, what they report, and how they end.

use std::ops::ControlFlow;

use pollster::block_on;

use super::fixtures::{self, answer};
use crate::{
    infer::{GenerateRequest, InferError, StopReason},
    quant::Format,
    sampling::{Sampling, log_sum_exp},
    weights::{LoadError, PackedInfo, PackedSource, PackedTensor, Quantizing},
};

#[test]
fn an_answer_ends_with_its_end_token() {
    let case = fixtures::LLAMA31.longest();
    let engine = fixtures::LLAMA31.engine(16);
    let mut request = GenerateRequest::new(case.ids, 24);
    let end = case.greedy[5];
    let first = case.greedy.iter().position(|id| *id == end).unwrap();
    request.end_token_ids = vec![end];
    let mut session = engine.new_session().unwrap();
    let (generated, _) = answer(&engine, &mut session, &request).unwrap();
    assert_eq!(generated.stop, StopReason::EndToken);
    assert_eq!(generated.ids, case.greedy[..=first]);
}

#[test]
fn a_full_context_is_refused_before_and_ends_an_answer_within() {
    let engine = fixtures::QWEN2.engine(16);
    let capacity = engine.capacity();
    let mut session = engine.new_session().unwrap();
    let too_long = GenerateRequest::new(vec![3; capacity + 1], 1);
    let error = answer(&engine, &mut session, &too_long).unwrap_err();
    let found = matches!(
        error,
        InferError::ContextFull {
            n_prompt: 97,
            capacity: 96,
            ..
        }
    );
    assert!(found, "{error}");
    assert!(session.ids().is_empty());

    // The last token needs no place: nothing comes after it.
    for (n_prompt, n_new) in [(capacity, 1), (capacity - 3, 4)] {
        let request = GenerateRequest::new(vec![3; n_prompt], 50);
        let (generated, _) = answer(&engine, &mut session, &request).unwrap();
        assert_eq!(generated.stop, StopReason::ContextFull);
        assert_eq!(generated.ids.len(), n_new);
        assert_eq!(session.ids().len(), capacity);
    }
}

#[test]
fn breaking_off_ends_at_that_token() {
    let case = fixtures::QWEN3.longest();
    let engine = fixtures::QWEN3.engine(16);
    let mut session = engine.new_session().unwrap();
    let request = GenerateRequest::new(case.ids.clone(), 24);
    let mut n = 0;
    let mut on_token = |_: &_| {
        n += 1;
        match n {
            3 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    };
    let generate = engine.generate(&mut session, &request, &mut on_token);
    let generated = block_on(generate).unwrap();
    assert_eq!(generated.stop, StopReason::Cancelled);
    assert_eq!(generated.ids, case.greedy[..3]);

    // Cancelled before it began: the prompt's first chunk is all that runs.
    let mut session = engine.new_session().unwrap();
    request.cancel.cancel();
    let (generated, _) = answer(&engine, &mut session, &request).unwrap();
    assert_eq!(generated.stop, StopReason::Cancelled);
    assert_eq!((generated.ids.len(), session.ids().len()), (0, 16));
}

#[test]
fn alternatives_are_the_likeliest_of_the_models_own_distribution() {
    let case = fixtures::QWEN2.longest();
    let engine = fixtures::QWEN2.engine(16);
    let mut session = engine.new_session().unwrap();
    let rows = block_on(engine.logits_of(&mut session, &case.ids, None)).unwrap();
    let logits = rows.last().unwrap();
    let mut ranked: Vec<u32> = (0..logits.len() as u32).collect();
    ranked.sort_by(|a, b| logits[*b as usize].total_cmp(&logits[*a as usize]));
    let sum = log_sum_exp(logits) as f32;

    // Whatever is read of the logits: the best, the likeliest, or all of them.
    let samplings = [
        Sampling::default(),
        Sampling {
            temperature: 0.8,
            top_k: 5,
            ..Sampling::default()
        },
        Sampling {
            temperature: 0.8,
            top_p: 0.9,
            ..Sampling::default()
        },
        Sampling {
            repetition_penalty: 1.3,
            ..Sampling::default()
        },
    ];
    for sampling in samplings {
        let mut request = GenerateRequest::new(case.ids.clone(), 1);
        request.sampling = sampling;
        request.n_alternatives = 4;
        let (_, tokens) = answer(&engine, &mut session, &request).unwrap();
        let [token] = tokens.as_slice() else {
            panic!("one token was asked for");
        };
        assert_eq!(token.logprob, logits[token.id as usize] - sum);
        let ids: Vec<u32> = token.alternatives.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, ranked[..4]);
        assert_eq!(token.alternatives[0].1, logits[ranked[0] as usize] - sum);
    }
}

#[test]
fn the_likeliest_tokens_decide_as_all_logits_do() {
    let case = fixtures::LLAMA32.longest();
    let engine = fixtures::LLAMA32.engine(16);
    let request = |sampling: Sampling| {
        let mut request = GenerateRequest::new(case.ids.clone(), 30);
        request.sampling = sampling;
        request
    };
    let draw = |sampling| {
        let mut session = engine.new_session().unwrap();
        answer(&engine, &mut session, &request(sampling))
            .unwrap()
            .0
            .ids
    };
    let top_k = Sampling {
        temperature: 1.5,
        top_k: 6,
        top_p: 0.95,
        seed: 4,
        ..Sampling::default()
    };
    // A penalty that changes nothing, so that all logits are read.
    let all = Sampling {
        presence_penalty: 1e-30,
        ..top_k.clone()
    };
    assert_eq!(draw(top_k.clone()), draw(all));
    let other_seed = Sampling {
        seed: 5,
        ..top_k.clone()
    };
    assert_ne!(draw(top_k), draw(other_seed));
}

#[test]
fn penalties_keep_an_answer_from_repeating_itself() {
    let case = &fixtures::QWEN3.cases()[0];
    let n_same = case
        .greedy
        .iter()
        .filter(|id| **id == case.greedy[0])
        .count();
    assert!(n_same > 12, "the case repeats itself");
    let engine = fixtures::QWEN3.engine(16);
    let mut request = GenerateRequest::new(case.ids.clone(), 24);
    request.sampling.frequency_penalty = 2.0;
    let mut session = engine.new_session().unwrap();
    let (generated, _) = answer(&engine, &mut session, &request).unwrap();
    let n_same = generated
        .ids
        .iter()
        .filter(|id| **id == case.greedy[0])
        .count();
    assert!(n_same < 12, "{:?}", generated.ids);
}

#[test]
fn unusable_requests_are_refused() {
    let engine = fixtures::QWEN3.engine(16);
    let mut session = engine.new_session().unwrap();
    let empty = GenerateRequest::new(vec![], 1);
    let error = answer(&engine, &mut session, &empty).unwrap_err();
    assert!(matches!(error, InferError::EmptyPrompt));
    let outside = GenerateRequest::new(vec![1, 64], 1);
    let error = answer(&engine, &mut session, &outside).unwrap_err();
    assert_eq!(
        error.to_string(),
        "token id 64 at position 1 is outside of the vocabulary of 64"
    );
    let mut hot = GenerateRequest::new(vec![1], 1);
    hot.sampling.temperature = f64::NAN;
    let error = answer(&engine, &mut session, &hot).unwrap_err();
    assert!(matches!(error, InferError::Sampling(_)));
}

#[test]
fn every_missing_or_misshaped_tensor_is_listed() {
    struct Holes(Quantizing<crate::weights::SafetensorsSource<'static>>);
    impl PackedSource for Holes {
        fn info(&self, name: &str) -> Result<PackedInfo, LoadError> {
            self.0.info(name)
        }
        fn packed(&self, name: &str) -> Result<PackedTensor<'_>, LoadError> {
            let mut tensor = self.0.packed(name)?;
            if name.ends_with("1.mlp.up_proj.weight") {
                return Err(LoadError::MissingTensor {
                    name: name.to_owned(),
                });
            }
            if name == "model.norm.weight" {
                tensor.shape = vec![31];
            }
            Ok(tensor)
        }
    }
    let source = Holes(Quantizing {
        source: fixtures::QWEN3.source(),
        format: Format::Q8_0,
    });
    let InferError::Load(errors) = fixtures::QWEN3.engine_of(&source, 4).unwrap_err() else {
        panic!("the tensors are at fault");
    };
    assert_eq!(errors.0.len(), 2, "{errors}");
}

#[test]
fn logits_that_are_no_numbers_are_an_error() {
    struct Broken(Quantizing<crate::weights::SafetensorsSource<'static>>);
    impl PackedSource for Broken {
        fn info(&self, name: &str) -> Result<PackedInfo, LoadError> {
            self.0.info(name)
        }
        fn packed(&self, name: &str) -> Result<PackedTensor<'_>, LoadError> {
            let mut tensor = self.0.packed(name)?;
            if name == "model.norm.weight" {
                tensor.bytes = f32::NAN.to_le_bytes().repeat(tensor.shape[0]).into();
            }
            Ok(tensor)
        }
    }
    let source = Broken(Quantizing {
        source: fixtures::QWEN3.source(),
        format: Format::F32,
    });
    let engine = fixtures::QWEN3.engine_of(&source, 4).unwrap();
    let mut session = engine.new_session().unwrap();
    let error = answer(&engine, &mut session, &GenerateRequest::new(vec![1, 2], 1)).unwrap_err();
    assert!(
        matches!(error, InferError::NotFinite { position: 1 }),
        "{error}"
    );
}
