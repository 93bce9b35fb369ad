use super::*;
use veneer_core::protocol::tab::{AdapterKey, ModelKey, Progress, Stage};

fn speaker(slug: &str, adapter: Option<u32>) -> Speaker {
    Speaker {
        by: Variant {
            model: ModelKey(1),
            adapter: adapter.map(AdapterKey),
        },
        slug: slug.into(),
        title: None,
    }
}

fn both() -> Vec<Speaker> {
    vec![speaker("base", None), speaker("tuned", Some(1))]
}

fn piece(text: &str) -> Reply {
    Reply::Piece(Piece {
        text: text.into(),
        tokens: Vec::new(),
    })
}

fn done() -> Reply {
    Reply::Done(Outcome::Answered(AnswerSummary {
        ids: vec![1],
        finish: Finish::Stop,
        n_prompt_tokens: 3,
        n_reused_tokens: 0,
        time_to_first_token_ms: 1.0,
        decode_tokens_per_second: 1.0,
        memory_bytes: 1,
    }))
}

/// Sends the asks and lets each be answered with its column's number.
fn answer_all(chat: &mut Chat, asks: &[Ask], first_id: u64) {
    for (n, ask) in asks.iter().enumerate() {
        chat.sent(ask, RequestId(first_id + n as u64));
    }
    for n in 0..asks.len() {
        let id = RequestId(first_id + n as u64);
        assert!(chat.hear(id, &piece("said ")));
        assert!(chat.hear(id, &piece(&n.to_string())));
        assert!(chat.hear(id, &done()));
    }
}

fn texts(messages: &[ChatMessage]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| message.text.as_str())
        .collect()
}

#[test]
fn every_speaker_remembers_its_own_words() {
    let mut chat = Chat {
        system: "Be brief".into(),
        ..Chat::default()
    };
    let asks = chat.ask("one", &both());
    assert_eq!(texts(&asks[0].messages), ["Be brief", "one"]);
    answer_all(&mut chat, &asks, 1);
    assert!(!chat.is_busy());
    let asks = chat.ask("two", &both());
    assert_eq!(
        texts(&asks[0].messages),
        ["Be brief", "one", "said 0", "two"]
    );
    assert_eq!(
        texts(&asks[1].messages),
        ["Be brief", "one", "said 1", "two"]
    );
}

#[test]
fn a_new_column_hears_what_the_first_one_said() {
    let mut chat = Chat::default();
    let asks = chat.ask("one", &both()[..1]);
    answer_all(&mut chat, &asks, 1);
    let asks = chat.ask("two", &both());
    assert_eq!(texts(&asks[1].messages), ["one", "said 0", "two"]);
}

#[test]
fn editing_drops_what_came_after() {
    let mut chat = Chat::default();
    for (n, prompt) in ["one", "two", "three"].iter().enumerate() {
        let asks = chat.ask(prompt, &both());
        answer_all(&mut chat, &asks, 1 + 2 * n as u64);
    }
    let second = chat.turns[1].id;
    let asks = chat.edit(second, "zwei", &both());
    assert_eq!(texts(&asks[0].messages), ["one", "said 0", "zwei"]);
    assert_eq!(chat.turns.len(), 2);
    assert_ne!(chat.turns[1].id, second);
}

#[test]
fn answering_again_takes_the_next_seed() {
    let mut chat = Chat::default();
    let asks = chat.ask("one", &both());
    answer_all(&mut chat, &asks, 1);
    let asks = chat.regenerate(chat.turns[0].id, &both());
    assert_eq!(
        asks.iter().map(|ask| ask.attempt).collect::<Vec<_>>(),
        [1, 1]
    );
    assert_eq!(chat.turns[0].answers[0].text, "");
}

#[test]
fn late_replies_to_a_dropped_answer_are_nobodys() {
    let mut chat = Chat::default();
    let asks = chat.ask("one", &both()[..1]);
    chat.sent(&asks[0], RequestId(1));
    let again = chat.regenerate(chat.turns[0].id, &both()[..1]);
    chat.sent(&again[0], RequestId(2));
    assert!(!chat.hear(RequestId(1), &piece("late")));
    assert!(chat.hear(RequestId(2), &piece("new")));
    assert_eq!(chat.turns[0].answers[0].text, "new");
}

#[test]
fn a_stopped_answer_keeps_its_words() {
    let mut chat = Chat::default();
    let asks = chat.ask("one", &both()[..1]);
    chat.sent(&asks[0], RequestId(1));
    let reading = Progress {
        stage: Stage::Reading,
        what: String::new(),
        done: 1,
        total: 2,
    };
    chat.hear(RequestId(1), &Reply::Progress(reading));
    assert_eq!(chat.turns[0].answers[0].state, AnswerState::Writing);
    chat.hear(RequestId(1), &piece("half"));
    chat.hear(
        RequestId(1),
        &Reply::Failed(Fault::new(FaultKind::Cancelled, "")),
    );
    let answer = &chat.turns[0].answers[0];
    assert_eq!(answer.text, "half");
    assert!(matches!(&answer.state, AnswerState::Done(s) if s.finish == Finish::Cancelled));
    assert!(!chat.is_busy());
}

#[test]
fn a_lost_device_keeps_the_chat() {
    let mut chat = Chat::default();
    let asks = chat.ask("one", &both());
    answer_all(&mut chat, &asks[..1], 1);
    chat.sent(&asks[1], RequestId(9));
    chat.hear(RequestId(9), &piece("half"));
    chat.interrupt(&Fault::new(FaultKind::DeviceLost, "reset"));
    let [kept, failed] = &chat.turns[0].answers[..] else {
        panic!("expected two answers");
    };
    assert!(matches!(kept.state, AnswerState::Done(_)));
    assert!(matches!(failed.state, AnswerState::Failed(_)));
    assert_eq!(failed.text, "half");
    assert!(!chat.is_busy());
    // The failed answer is not put into the next prompt.
    let asks = chat.ask("two", &both());
    assert_eq!(texts(&asks[1].messages), ["one", "said 0", "two"]);
}

#[test]
fn a_turn_that_nobody_answered_is_left_out() {
    let mut chat = Chat::default();
    let asks = chat.ask("one", &both()[..1]);
    chat.sent(&asks[0], RequestId(1));
    chat.hear(
        RequestId(1),
        &Reply::Failed(Fault::new(FaultKind::Gpu, "no")),
    );
    let asks = chat.ask("two", &both()[..1]);
    assert_eq!(texts(&asks[0].messages), ["two"]);
}
