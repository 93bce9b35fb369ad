use serde_json::json;

use super::*;

fn report(records: Vec<Value>) -> OpenAiReport {
    let mut limits = OpenAiLimits::keeping(5);
    for record in &records {
        limits.add(record.as_object().expect("an object"), 100);
    }
    limits.finish(true)
}

fn good() -> Value {
    json!({"messages": [
        {"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "weight": 1}]})
}

/// Ten good records and one more, of which exactly this is wrong.
#[track_caller]
fn check(messages: Value, code: &'static str, field: &str) {
    let mut records = vec![good(); 10];
    records.push(json!({ "messages": messages }));
    let report = report(records);
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|finding| (finding.code, finding.record, finding.field.as_str()))
        .collect();
    assert_eq!(found, [(code, Some(11), field)]);
}

#[test]
fn good_examples_pass_and_nine_are_too_few() {
    assert_eq!(report(vec![good(); 10]), OpenAiReport::default());
    let few = report(vec![good(); 9]);
    assert_eq!(few.findings[0].code, "too_few_examples");
    assert_eq!(few.n_errors, 1);
    let named = few.findings[0].said_of("train.jsonl").to_string();
    assert!(
        named.starts_with("`train.jsonl`: found 9 examples,"),
        "{named}"
    );
    assert_eq!(
        OpenAiLimits::keeping(1).finish(false),
        OpenAiReport::default()
    );
}

#[test]
fn every_code_is_found_at_its_place() {
    let user = json!({"role": "user", "content": "q"});
    let answer = json!({"role": "assistant", "content": "a"});
    check(json!([]), "missing_messages_list", "messages");
    check(json!([user, "a", answer]), "data_type", "messages[1]");
    check(
        json!([user, {"role": "assistant"}]),
        "message_missing_key",
        "messages[1]",
    );
    check(
        json!([user, {"role": "assistant", "content": "a", "reasoning": "r"}]),
        "message_unrecognized_key",
        "messages[1]",
    );
    check(
        json!([{"role": "human", "content": "h"}, user, answer]),
        "unrecognized_role",
        "messages[0].role",
    );
    check(
        json!([user, {"role": "assistant", "content": " "}]),
        "missing_content",
        "messages[1].content",
    );
    check(
        json!([user]),
        "example_missing_assistant_message",
        "messages",
    );
    check(
        json!([user, answer, user]),
        "assistant_not_last",
        "messages",
    );
    check(json!([answer]), "missing_user", "messages");
    check(
        json!([user, {"role": "assistant", "content": "a", "weight": 0.5}]),
        "bad_weight",
        "messages[1].weight",
    );
    check(
        json!([user, {"role": "assistant", "content": "a", "weight": 0}]),
        "nothing_trained",
        "messages",
    );
    check(
        json!([{"role": "user", "content": "q", "name": "señor x"}, answer]),
        "bad_name",
        "messages[0].name",
    );
    check(
        json!([user, {"role": "tool", "content": "r", "tool_call_id": "c9"}, answer]),
        "tool_result_without_call",
        "messages[1].tool_call_id",
    );
    check(
        json!([{"role": "user", "content": "x".repeat(262_145)}, answer]),
        "example_too_long",
        "messages",
    );
}

#[test]
fn calls_with_their_results_pass() {
    let call = json!({"id": "c1", "type": "function",
        "function": {"name": "price", "arguments": "{\"isin\": \"X\"}"}});
    let mut record = json!({"messages": [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        {"role": "tool", "content": "101", "tool_call_id": "c1"},
        {"role": "assistant", "content": "101"}],
        "tools": [{"type": "function", "function": {"name": "price", "parameters": {}}}]});
    assert_eq!(report(vec![record.clone(); 10]), OpenAiReport::default());
    record["messages"][1]["tool_calls"][0]["function"]["arguments"] = json!("{broken");
    let broken = report(vec![record; 10]);
    assert_eq!(broken.counts, BTreeMap::from([("bad_tool_call", 10)]));
    assert_eq!(broken.findings.len(), 5);
}

#[test]
fn further_columns_and_keys_are_left_out_by_name() {
    let text = r#"[{"messages": [{"role": "user", "content": "q"},
        {"role": "assistant", "content": "a", "reasoning": "r"}], "source": "s"}]"#;
    let options = crate::data::ReadOptions::default();
    let loaded = crate::data::read(text.as_bytes(), &options).expect("readable");
    let row = openai_row(&loaded.records[0]).expect("a conversation");
    assert_eq!(row.left_out, ["source", "messages.reasoning"]);
    assert_eq!(row.fields.keys().collect::<Vec<_>>(), ["messages"]);
    let mut limits = OpenAiLimits::keeping(5);
    limits.add(&row.fields, 10);
    assert_eq!(
        limits.finish(true).counts,
        BTreeMap::from([("too_few_examples", 1)])
    );
}
