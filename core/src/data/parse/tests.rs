//! Every format in, and its faults.

use serde_json::json;

use super::*;

fn read(format: Format, value: Value) -> Result<(Record, Supervision), String> {
    let Value::Object(fields) = value else {
        panic!("an object")
    };
    let mut problems = Vec::new();
    let parsed = parse(format, fields, Place { line: 3, record: 2 }, &mut problems);
    let texts: Vec<String> = problems
        .iter()
        .map(|p| format!("{p}; {}", p.advice))
        .collect();
    parsed.ok_or_else(|| texts.join("\n"))
}

fn said(record: &Record) -> Vec<(&str, &str)> {
    let Body::Chat(chat) = &record.body else {
        panic!("a chat")
    };
    chat.messages
        .iter()
        .map(|message| (message.role.name(), message.text()))
        .collect()
}

#[test]
fn alpaca_joins_instruction_and_input_with_a_line_break() {
    let (record, _) = read(
        Format::Alpaca,
        json!({"instruction": "add", "input": "2, 2", "output": "4", "system": "be brief",
               "history": [["hi", "hello"]], "source": "school"}),
    )
    .unwrap();
    let expected = [
        ("system", "be brief"),
        ("user", "hi"),
        ("assistant", "hello"),
        ("user", "add\n2, 2"),
        ("assistant", "4"),
    ];
    assert_eq!(said(&record), expected);
    assert_eq!(
        (&record.extra["source"], record.line),
        (&json!("school"), 3)
    );
}

#[test]
fn an_empty_input_adds_nothing() {
    for input in [json!(""), json!(null)] {
        let (record, _) = read(
            Format::Alpaca,
            json!({"instruction": "hi", "input": input, "output": "ho"}),
        )
        .unwrap();
        assert_eq!(said(&record), [("user", "hi"), ("assistant", "ho")]);
    }
}

#[test]
fn prompt_and_completion_as_text_and_as_messages() {
    let (record, _) = read(
        Format::PromptCompletion,
        json!({"prompt": "2+2=", "completion": "4"}),
    )
    .unwrap();
    assert_eq!(
        record.body,
        Body::Text {
            prompt: "2+2=".into(),
            completion: "4".into()
        }
    );
    let (record, _) = read(
        Format::PromptCompletion,
        json!({"prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}],
               "completion": [{"role": "assistant", "content": "d"}]}),
    )
    .unwrap();
    let Body::Chat(chat) = &record.body else {
        panic!()
    };
    let weights: Vec<_> = chat.messages.iter().map(|message| message.weight).collect();
    assert_eq!(
        weights,
        [None, Some(0.0), None, None],
        "only the completion is trained"
    );
}

#[test]
fn tokens_with_and_without_labels() {
    let tokens = |value| match read(Format::Tokenized, value).unwrap().0.body {
        Body::Tokens(encoded) => (encoded.input_ids, encoded.labels),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        tokens(json!({"input_ids": [5, 6, 7]})),
        (vec![5, 6, 7], vec![-100, 6, 7])
    );
    assert_eq!(
        tokens(json!({"input_ids": [5, 6], "labels": [-100, 6]})),
        (vec![5, 6], vec![-100, 6])
    );
    assert_eq!(
        tokens(
            json!({"input_ids": [5, 6, 7, 0], "completion_mask": [0, 0, 1, 0], "attention_mask": [1, 1, 1, 0]})
        ),
        (vec![5, 6, 7], vec![-100, -100, 7])
    );
    assert_eq!(
        tokens(json!({"input_ids": "5 6", "labels": "[-100, 6]"})),
        (vec![5, 6], vec![-100, 6])
    );
}

#[test]
fn faulty_tokens_are_named() {
    let fault = |value, text: &str| {
        let error = read(Format::Tokenized, value).unwrap_err();
        assert!(error.contains(text), "{error}");
    };
    fault(
        json!({"input_ids": [1, 2], "labels": [1]}),
        "`labels`: labels of another length, found 1 labels, expected 2",
    );
    fault(json!({"input_ids": [1, -2]}), "`input_ids[1]`");
    fault(
        json!({"input_ids": [1, 2.5]}),
        "`input_ids[1]`: wrong type, found the number 2.5",
    );
    fault(
        json!({"input_ids": [1], "labels": [-1]}),
        "expected a token id or -100",
    );
}

#[test]
fn a_misspelt_field_is_suggested() {
    let error = read(Format::Alpaca, json!({"instrction": "a", "output": "b"})).unwrap_err();
    assert!(
        error.contains("did you mean `instruction` where it says `instrction`?"),
        "{error}"
    );
}

#[test]
fn a_chosen_answer_that_stands_in_the_conversation_is_not_said_twice() {
    let asked = json!({"role": "user", "content": "hi"});
    let good = json!({"role": "assistant", "content": "good"});
    let bad = json!({"role": "assistant", "content": "bad"});
    let system = json!({"role": "system", "content": "be brief"});
    let whole = (json!([asked, good]), json!([asked, bad]));
    for (format, fields) in [
        (
            Format::Openai,
            json!({"prompt": "hi", "messages": whole.0, "chosen": whole.0, "rejected": whole.1}),
        ),
        (
            Format::Openai,
            json!({"messages": whole.0, "chosen": "good", "rejected": "bad"}),
        ),
        (
            Format::Openai,
            json!({"messages": [asked], "chosen": whole.0, "rejected": whole.1}),
        ),
        (
            Format::PromptCompletion,
            json!({"prompt": "hi", "chosen": whole.0, "rejected": whole.1}),
        ),
        (
            Format::PromptCompletion,
            json!({"prompt": [asked], "chosen": [good], "rejected": [bad]}),
        ),
    ] {
        let (record, _) = read(format, fields).unwrap();
        assert_eq!(said(&record), [("user", "hi"), ("assistant", "good")]);
    }
    let fields = json!({"messages": [asked], "chosen": [system, asked, good], "rejected": whole.1});
    let (record, _) = read(Format::Openai, fields).unwrap();
    assert_eq!(said(&record)[0], ("system", "be brief"));
    assert_eq!(said(&record).len(), 3);
    // Another answer stays, for the check of roles to find.
    let fields = json!({"messages": whole.1, "chosen": whole.0, "rejected": whole.1});
    let (record, _) = read(Format::Openai, fields).unwrap();
    assert_eq!(said(&record).len(), 3);
}

#[test]
fn pairs_hold_the_chosen_answer_and_keep_both() {
    let (record, supervision) = read(
        Format::Sharegpt,
        json!({"conversations": [{"from": "human", "value": "hi"}], "chosen": {"from": "gpt", "value": "good"}, "rejected": {"from": "gpt", "value": "bad"}}),
    )
    .unwrap();
    assert_eq!(
        (said(&record)[1], supervision),
        (("assistant", "good"), Supervision::Pair)
    );
    assert!(record.extra.contains_key("rejected"));
    let (_, supervision) = read(
        Format::Openai,
        json!({"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "x"}], "label": false}),
    )
    .unwrap();
    assert_eq!(supervision, Supervision::Marked(false));
}

#[test]
fn tools_as_text_and_as_a_list() {
    for tools in [json!([{"name": "f"}]), json!("[{\"name\": \"f\"}]")] {
        let (record, _) = read(
            Format::Sharegpt,
            json!({"conversations": [], "tools": tools}),
        )
        .unwrap();
        let Body::Chat(chat) = record.body else {
            panic!()
        };
        assert_eq!(chat.tools, [json!({"name": "f"})]);
    }
}
