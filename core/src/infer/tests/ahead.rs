//! Tokens submitted before the last was read: the same answers, and a session that knows what it
//! holds. The processor does not run ahead by itself; here it is told to.

use std::ops::ControlFlow;

use pollster::block_on;

use super::fixtures::{self, Model, answer};
use crate::infer::{Engine, GenerateRequest, StopReason};

fn ahead(model: &Model) -> Engine {
    let mut engine = model.engine(16);
    engine.ahead = true;
    engine
}

#[test]
fn tokens_are_those_of_one_step_after_another() {
    for model in [fixtures::LLAMA32, fixtures::QWEN2_WINDOW] {
        let (ahead, in_steps) = (ahead(&model), model.engine(16));
        for case in model.cases() {
            let mut request = GenerateRequest::new(case.ids.clone(), case.greedy.len());
            request.n_alternatives = 3;
            let mut sessions = [
                ahead.new_session().unwrap(),
                in_steps.new_session().unwrap(),
            ];
            let got = answer(&ahead, &mut sessions[0], &request).unwrap();
            let want = answer(&in_steps, &mut sessions[1], &request).unwrap();
            assert_eq!(got, want);
            assert_eq!(got.0.ids, case.greedy);
        }
    }
}

#[test]
fn what_ran_ahead_of_the_end_is_reused_by_the_next_turn() {
    let model = fixtures::LLAMA31;
    let engine = ahead(&model);
    let case = model.longest();
    let mut request = GenerateRequest::new(case.ids.clone(), 24);
    request.end_token_ids = vec![case.greedy[4]];
    let mut session = engine.new_session().unwrap();
    let (first, _) = answer(&engine, &mut session, &request).unwrap();
    assert_eq!(first.stop, StopReason::EndToken);
    // The end token itself was run: the next turn begins after it.
    let held = [case.ids.clone(), first.ids.clone()].concat();
    assert_eq!(session.ids(), held);

    let next = GenerateRequest::new([held.clone(), vec![5, 6]].concat(), 8);
    let (second, _) = answer(&engine, &mut session, &next).unwrap();
    assert_eq!(second.n_reused, held.len());
    let (fresh, _) = answer(&engine, &mut engine.new_session().unwrap(), &next).unwrap();
    assert_eq!((second.ids, second.logprobs), (fresh.ids, fresh.logprobs));
}

#[test]
fn breaking_off_and_a_full_context_leave_whole_sessions() {
    let model = fixtures::QWEN3;
    let engine = ahead(&model);
    let case = model.longest();
    let request = GenerateRequest::new(case.ids.clone(), 200);
    let mut session = engine.new_session().unwrap();
    let (full, _) = answer(&engine, &mut session, &request).unwrap();
    assert_eq!(full.stop, StopReason::ContextFull);
    assert_eq!(session.ids().len(), engine.capacity());
    assert_eq!(full.ids.len(), engine.capacity() - case.ids.len() + 1);

    let mut n = 0;
    let mut on_token = |_: &_| {
        n += 1;
        match n {
            3 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    };
    let cut = block_on(engine.generate(&mut session, &request, &mut on_token)).unwrap();
    assert_eq!((cut.stop, cut.ids.len()), (StopReason::Cancelled, 3));
    assert_eq!(cut.ids, full.ids[..3]);
    let (again, _) = answer(&engine, &mut session, &request).unwrap();
    assert_eq!((again.ids, again.logprobs), (full.ids, full.logprobs));
}
