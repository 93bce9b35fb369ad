//! Several turns, several sessions: the same bits as each alone and from the start.

use std::{
    cell::RefCell,
    future::Future,
    ops::ControlFlow,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, Waker},
};

use pollster::block_on;

use super::fixtures::{self, answer};
use crate::{
    infer::{Engine, EngineOptions, GenerateRequest, InferError, Place, Session},
    sampling::Sampling,
    weights::AsStored,
};

fn request(prompt_ids: &[u32], max_new_tokens: usize) -> GenerateRequest {
    let mut request = GenerateRequest::new(prompt_ids.to_vec(), max_new_tokens);
    request.sampling = Sampling {
        temperature: 1.0,
        seed: 11,
        ..Sampling::default()
    };
    request.n_alternatives = 3;
    request
}

fn fresh(engine: &Engine, request: &GenerateRequest) -> (Vec<u32>, Vec<f32>) {
    let mut session = engine.new_session().unwrap();
    let (generated, _) = answer(engine, &mut session, request).unwrap();
    (generated.ids, generated.logprobs)
}

#[test]
fn turns_reuse_what_they_share_and_answer_as_from_the_start() {
    for model in [fixtures::MISTRAL, fixtures::QWEN3] {
        let engine = model.engine(5);
        let mut session = engine.new_session().unwrap();
        let mut conversation = model.longest().ids[..9].to_vec();
        let mut n_held = 0;
        for turn in 0..4 {
            let request = request(&conversation, 6);
            let (generated, _) = answer(&engine, &mut session, &request).unwrap();
            assert_eq!(generated.n_reused, n_held, "turn {turn}");
            let alone = fresh(&engine, &request);
            assert_eq!((generated.ids.clone(), generated.logprobs), alone);
            conversation.extend(&generated.ids);
            // The last token was chosen and never run.
            n_held = conversation.len() - 1;
            conversation.extend([3, 5 + turn]);
        }
    }
}

#[test]
fn another_ending_of_the_conversation_forgets_the_old_one() {
    let engine = fixtures::QWEN2_WINDOW.engine(4);
    let mut session = engine.new_session().unwrap();
    let ids = fixtures::QWEN2_WINDOW.longest().ids;
    answer(&engine, &mut session, &request(&ids[..20], 5)).unwrap();
    let mut other = ids[..12].to_vec();
    other.extend([1, 2, 3]);
    let edited = request(&other, 5);
    let (generated, _) = answer(&engine, &mut session, &edited).unwrap();
    assert_eq!(generated.n_reused, 12);
    assert_eq!((generated.ids, generated.logprobs), fresh(&engine, &edited));
}

#[test]
fn the_same_prompt_again_runs_nothing_but_its_last_token() {
    let engine = fixtures::LLAMA31.engine(16);
    let mut session = engine.new_session().unwrap();
    let again = request(&fixtures::LLAMA31.longest().ids[..10], 4);
    let first = answer(&engine, &mut session, &again).unwrap();
    let second = answer(&engine, &mut session, &again).unwrap();
    assert_eq!((first.0.n_reused, second.0.n_reused), (0, 9));
    assert_eq!(first.1, second.1);

    // Prefilled before: not even that one.
    let mut session = engine.new_session().unwrap();
    let mut n_there = Vec::new();
    let mut on_chunk = |n| {
        n_there.push(n);
        ControlFlow::Continue(())
    };
    let prefill = engine.prefill(&mut session, &again.prompt_ids, None, &mut on_chunk);
    assert!(block_on(prefill).unwrap().is_continue());
    assert_eq!(n_there, [10]);
    let third = answer(&engine, &mut session, &again).unwrap();
    assert_eq!(third.0.n_reused, 10);
    assert_eq!(third.1, first.1);
}

#[test]
fn sessions_in_turn_do_not_disturb_each_other() {
    let engine = pausing_engine();
    let ids = fixtures::QWEN3.longest().ids;
    let requests = [request(&ids[..17], 9), request(&ids[20..31], 12)];
    let alone = requests.each_ref().map(|request| fresh(&engine, request));

    let told = RefCell::new(Vec::new());
    let run = async |which: usize| {
        let mut session = engine.new_session().unwrap();
        let mut on_token = |_: &_| {
            told.borrow_mut().push(which);
            ControlFlow::Continue(())
        };
        let generated = engine
            .generate(&mut session, &requests[which], &mut on_token)
            .await
            .unwrap();
        (generated.ids, generated.logprobs)
    };
    let (one, two) = in_turn(run(0), run(1));
    assert_eq!([one, two], alone);
    let told = told.into_inner();
    let n_changes = told.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(n_changes > 8, "they ran one after the other: {told:?}");
}

#[test]
fn a_dropped_answer_leaves_a_session_that_answers_rightly() {
    let engine = pausing_engine();
    let ids = fixtures::QWEN3.longest().ids;
    let long = request(&ids[..17], 9);
    let next = request(&ids[..19], 5);
    for n_polls in 0..9 {
        let mut session = engine.new_session().unwrap();
        poll_and_drop(&engine, &mut session, &long, n_polls);
        let (generated, _) = answer(&engine, &mut session, &next).unwrap();
        assert_eq!((generated.ids, generated.logprobs), fresh(&engine, &next));
    }
}

#[test]
fn a_session_of_another_engine_is_refused() {
    let (one, two) = (fixtures::QWEN3.engine(4), fixtures::LLAMA2.engine(4));
    let mut session = one.new_session().unwrap();
    let error = answer(&two, &mut session, &request(&[1], 1)).unwrap_err();
    assert!(matches!(error, InferError::OtherEngine));
}

/// An engine whose pauses let others run.
fn pausing_engine() -> Engine {
    let model = fixtures::QWEN3;
    let options = EngineOptions {
        capacity: 64,
        prefill_chunk: 4,
        pause: Rc::new(|| Box::pin(Once(false))),
        ..EngineOptions::default()
    };
    let source = AsStored(model.source());
    block_on(Engine::load(
        Place::Cpu,
        model.arch(),
        &source,
        &options,
        &mut |_| (),
    ))
    .unwrap()
}

/// Not ready the first time.
struct Once(bool);

impl Future for Once {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Polls two futures one after the other until both are done.
fn in_turn<T>(one: impl Future<Output = T>, two: impl Future<Output = T>) -> (T, T) {
    let (mut one, mut two) = (pin!(one), pin!(two));
    let mut context = Context::from_waker(Waker::noop());
    let (mut first, mut second) = (None, None);
    loop {
        if first.is_none()
            && let Poll::Ready(done) = one.as_mut().poll(&mut context)
        {
            first = Some(done);
        }
        if second.is_none()
            && let Poll::Ready(done) = two.as_mut().poll(&mut context)
        {
            second = Some(done);
        }
        match (first.take(), second.take()) {
            (Some(first), Some(second)) => return (first, second),
            rest => (first, second) = rest,
        }
    }
}

fn poll_and_drop(engine: &Engine, session: &mut Session, request: &GenerateRequest, n: usize) {
    let mut on_token = |_: &_| ControlFlow::Continue(());
    let mut generate = pin!(engine.generate(session, request, &mut on_token));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..n {
        assert!(generate.as_mut().poll(&mut context).is_pending());
    }
}

#[test]
fn texts_on_both_sides_of_a_switch_of_rotation_do_not_mix() {
    // Its frequencies change for texts of more than 20 tokens.
    let engine = fixtures::PHI3_LONGROPE.engine(16);
    let prompt = fixtures::PHI3_LONGROPE.longest().ids;
    let mut session = engine.new_session().unwrap();
    for (n_prompt, n_new) in [(12, 4), (15, 10), (14, 3), (25, 2), (12, 4)] {
        let request = GenerateRequest::new(prompt[..n_prompt].to_vec(), n_new);
        let (kept, _) = answer(&engine, &mut session, &request).unwrap();
        let mut fresh = engine.new_session().unwrap();
        let (alone, _) = answer(&engine, &mut fresh, &request).unwrap();
        assert_eq!(kept.ids, alone.ids, "{n_prompt} tokens");
        assert_eq!(kept.logprobs, alone.logprobs, "{n_prompt} tokens");
    }
}
