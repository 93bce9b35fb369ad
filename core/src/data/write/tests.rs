//! Any format to any other and back.

use serde_json::json;

use super::*;
use crate::{
    data::{Body, ReadOptions, read},
    rng::Rng,
    text::{Conversation, Message, Role},
};

fn load(text: &str) -> Loaded {
    let options = ReadOptions {
        keep_raw: true,
        ..ReadOptions::default()
    };
    read(text.as_bytes(), &options).expect("a readable dataset")
}

fn converted(text: &str, format: Format, style: Style) -> (String, Vec<(Loss, u64)>) {
    let mut out = Vec::new();
    let losses = convert(&load(text), Target { format, style }, &mut out).unwrap();
    (
        String::from_utf8(out).unwrap(),
        losses.counts.into_iter().collect(),
    )
}

const CSV: Style = Style::Table {
    separator: b',',
    guard: true,
    bom: false,
};

#[test]
fn losses_are_named_per_target() {
    let text = json!({"messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "q1", "name": "Ana"},
        {"role": "assistant", "content": "a1", "weight": 0},
        {"role": "user", "content": "q2"},
        {"role": "assistant", "content": "a2", "reasoning_content": "hm"}],
        "tools": [{"name": "f"}], "metadata": {"source": "EBA"}})
    .to_string();
    let lost = |format, style| converted(&text, format, style).1;
    assert_eq!(lost(Format::Openai, Style::JsonLines), []);
    let shared = [(Loss::Weights, 1), (Loss::Names, 1), (Loss::MessageKeys, 1)];
    assert_eq!(lost(Format::Sharegpt, Style::JsonLines), shared);
    assert_eq!(
        lost(Format::Alpaca, Style::JsonLines),
        [&[(Loss::Tools, 1)], &shared[..]].concat()
    );
    let flat = [(Loss::System, 1), (Loss::EarlierTurns, 1), (Loss::Tools, 1)];
    assert_eq!(
        lost(Format::QueryResponse, Style::JsonLines),
        [&flat, &shared[..]].concat()
    );
    assert_eq!(lost(Format::PromptCompletion, Style::JsonLines), []);
    assert_eq!(
        lost(Format::Tokenized, Style::JsonLines),
        [(Loss::Record, 1)]
    );
}

#[test]
fn what_a_message_says_is_not_overwritten_by_what_is_said_of_it() {
    let mut answer = Message::new(Role::Assistant, "right");
    answer.extra.insert("content".into(), "[deleted]".into());
    let messages = vec![Message::new(Role::User, "q"), answer];
    let tools = Vec::new();
    let record = Record {
        body: Body::Chat(Conversation { messages, tools }),
        extra: Map::new(),
        line: 1,
    };
    for format in [Format::Openai, Format::PromptCompletion] {
        let (fields, losses) = to_fields(&record, None, format, false);
        let said = Value::Object(fields.unwrap()).to_string();
        assert!(
            said.contains("right") && !said.contains("deleted"),
            "{said}"
        );
        assert_eq!(losses, [Loss::MessageKeys]);
    }
}

#[test]
fn messages_behind_the_last_answer_are_told() {
    let text = json!({"messages": [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": "and?"}]})
    .to_string();
    let (out, losses) = converted(&text, Format::PromptCompletion, Style::JsonLines);
    assert!(!out.contains("and?"));
    assert_eq!(losses, [(Loss::LaterMessages, 1)]);
}

#[test]
fn a_developer_that_becomes_a_system_is_told() {
    let text = json!({"messages": [
        {"role": "developer", "content": "s"},
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "a"}]})
    .to_string();
    for format in [Format::Alpaca, Format::Sharegpt] {
        assert_eq!(
            converted(&text, format, Style::JsonLines).1,
            [(Loss::Names, 1)]
        );
    }
}

#[test]
fn metadata_travels_to_every_format() {
    let text =
        json!({"query": "q", "response": "r", "source": "EBA", "tags": ["a", "b"]}).to_string();
    let (out, losses) = converted(&text, Format::Sharegpt, Style::JsonLines);
    assert_eq!(
        out,
        "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"gpt\",\"value\":\"r\"}],\"source\":\"EBA\",\"tags\":[\"a\",\"b\"]}\n"
    );
    assert_eq!(losses, []);
    let (out, _) = converted(&text, Format::QueryResponse, CSV);
    assert_eq!(
        out,
        "query,response,source,tags,veneer_guarded\nq,r,EBA,\"[\"\"a\"\",\"\"b\"\"]\",tags\n"
    );
}

#[test]
fn tool_calls_go_from_sharegpt_to_openai_and_back() {
    let turns = json!([
        {"from": "human", "value": "2+2?"},
        {"from": "function_call", "value": "{\"name\":\"add\",\"arguments\":{\"a\":2}}"},
        {"from": "observation", "value": "4"},
        {"from": "gpt", "value": "4"}]);
    let text = json!({"conversations": turns, "tools": "[{\"name\":\"add\"}]"}).to_string();
    let (openai, losses) = converted(&text, Format::Openai, Style::JsonLines);
    assert_eq!(losses, []);
    assert!(
        openai.contains("\"content\":null,\"tool_calls\":[{\"type\":\"function\""),
        "{openai}"
    );
    let (back, losses) = converted(&openai, Format::Sharegpt, Style::JsonLines);
    assert_eq!(
        (back.trim_end(), losses.as_slice()),
        (text.as_str(), [].as_slice())
    );
}

#[test]
fn alpaca_keeps_its_input_apart_in_json_and_in_tables() {
    let text = "{\"instruction\":\"add\",\"input\":\"2, 2\",\"output\":\"4\"}\n";
    assert_eq!(converted(text, Format::Alpaca, Style::JsonLines).0, text);
    assert_eq!(
        converted(text, Format::Alpaca, CSV).0,
        "instruction,input,output\nadd,\"2, 2\",4\n"
    );
    let (openai, _) = converted(text, Format::Openai, Style::JsonLines);
    assert!(openai.contains("add\\n2, 2"));
}

#[test]
fn names_that_a_spreadsheet_would_run_are_guarded_and_come_back() {
    let text = "{\"text\":\"a\",\"=HYPERLINK(1)\":\"v\",\"a  b\":1,\"id \":\"x\"}\n";
    let (table, _) = converted(text, Format::Text, CSV);
    assert_eq!(
        table,
        "text,'=HYPERLINK(1),a  b,id ,veneer_guarded\na,v,1,x,\"[\"\"a  b\"\"]\"\n"
    );
    assert_eq!(converted(&table, Format::Text, Style::JsonLines).0, text);
    let plain = "{\"text\":\"a\",\"=x\":\"v\"}\n";
    let (table, _) = converted(plain, Format::Text, CSV);
    assert_eq!(table, "text,'=x,veneer_guarded\na,v,\n");
    assert_eq!(converted(&table, Format::Text, Style::JsonLines).0, plain);
    let unguarded = Style::Table {
        separator: b',',
        guard: false,
        bom: false,
    };
    assert_eq!(
        converted(plain, Format::Text, unguarded).0,
        "text,=x\na,v\n"
    );
}

#[test]
fn cells_that_a_spreadsheet_would_run_are_guarded_and_come_back() {
    let text =
        "{\"query\":\"=1+1\",\"response\":\"- a\\n- b\"}\n{\"query\":\"'x\",\"response\":\"y\"}\n";
    let (table, _) = converted(text, Format::QueryResponse, CSV);
    assert_eq!(
        table,
        "query,response,veneer_guarded\n'=1+1,\"'- a\n- b\",query response\n'x,y,\n"
    );
    assert_eq!(
        converted(&table, Format::QueryResponse, Style::JsonLines).0,
        text
    );
    let open = Style::Table {
        separator: b',',
        guard: false,
        bom: false,
    };
    assert!(
        converted(text, Format::QueryResponse, open)
            .0
            .contains("\n=1+1,")
    );
}

#[test]
fn a_prompt_and_its_answers_are_of_one_form() {
    let pair = "{\"instruction\":\"q\",\"chosen\":\"b\",\"rejected\":\"m\"}";
    let written = |style| converted(pair, Format::PromptCompletion, style).0;
    let row: Value = serde_json::from_str(&written(Style::JsonLines)).unwrap();
    let said = |role: &str, text: &str| json!([{"role": role, "content": text}]);
    assert_eq!(row["prompt"], said("user", "q"));
    assert_eq!(row["chosen"], said("assistant", "b"));
    assert_eq!(row["rejected"], said("assistant", "m"));
    assert!(written(CSV).ends_with("q,b,b,m\n"), "{}", written(CSV));
}

#[test]
fn plain_text_becomes_a_chat_only_with_a_word() {
    let (out, losses) = converted(
        "{\"prompt\":\"a\",\"completion\":\"b\"}",
        Format::Openai,
        Style::JsonLines,
    );
    assert!(out.contains("assistant"));
    assert_eq!(losses, [(Loss::PlainText, 1)]);
    assert!(!Loss::PlainText.is_lossy());
    assert_eq!(
        converted("{\"text\":\"a\"}", Format::Openai, Style::JsonLines).1,
        [(Loss::Record, 1)]
    );
}

#[test]
fn an_array_is_indented_as_people_write_it() {
    let (out, _) = converted(
        "{\"text\":\"a\"}\n{\"text\":\"b\"}",
        Format::Text,
        Style::JsonArray,
    );
    assert_eq!(
        out,
        "[\n  {\n    \"text\": \"a\"\n  },\n  {\n    \"text\": \"b\"\n  }\n]\n"
    );
}

/// Conversations in turn, with or without system prompt: what Alpaca can hold.
fn random_chat(rng: &mut Rng) -> Record {
    let words = [
        "¿Qué?", "=1", "'", "\"", "a,b", "\n", "保険", " ", "\t", "\\", ";", "-x", "\r\n",
    ];
    let mut text = || -> String {
        let n = 1 + rng.below(5);
        (0..n).map(|_| *rng.pick(&words)).chain(["."]).collect()
    };
    let mut messages = vec![
        Message::new(Role::User, text()),
        Message::new(Role::Assistant, text()),
    ];
    if text().len() % 2 == 0 {
        messages.splice(
            0..0,
            [
                Message::new(Role::User, text()),
                Message::new(Role::Assistant, text()),
            ],
        );
    }
    if text().len() % 3 == 0 {
        messages.insert(0, Message::new(Role::System, text()));
    }
    Record {
        body: Body::Chat(Conversation {
            messages,
            tools: Vec::new(),
        }),
        extra: [("source".to_owned(), json!(text()))].into_iter().collect(),
        line: 1,
    }
}

#[test]
fn every_format_that_can_hold_a_chat_gives_it_back() {
    let mut rng = Rng::new(3, 0);
    let records: Vec<Record> = (0..200).map(|_| random_chat(&mut rng)).collect();
    for format in [Format::Alpaca, Format::Openai, Format::Sharegpt] {
        for style in [Style::JsonArray, Style::JsonLines] {
            let mut out = Vec::new();
            let losses = write(&records, Target { format, style }, &mut out).unwrap();
            assert_eq!(losses.counts.len(), 0);
            let back = read(&*out, &ReadOptions::default()).unwrap().records;
            let bodies = |records: &[Record]| -> Vec<_> {
                records
                    .iter()
                    .map(|record| (record.body.clone(), record.extra.clone()))
                    .collect()
            };
            assert_eq!(bodies(&back), bodies(&records), "{format}");
        }
    }
}

#[test]
fn tables_give_single_turns_back_with_any_separator() {
    let mut rng = Rng::new(4, 0);
    let mut records: Vec<Record> = (0..200).map(|_| random_chat(&mut rng)).collect();
    records.retain(|record| matches!(&record.body, Body::Chat(chat) if chat.messages.len() == 2));
    assert!(records.len() > 20);
    for separator in [b',', b'\t', b';'] {
        for (guard, bom) in [(true, true), (false, false)] {
            let style = Style::Table {
                separator,
                guard,
                bom,
            };
            let mut out = Vec::new();
            write(
                &records,
                Target {
                    format: Format::QueryResponse,
                    style,
                },
                &mut out,
            )
            .unwrap();
            let back = read(&*out, &ReadOptions::default()).unwrap().records;
            let bodies =
                |records: &[Record]| -> Vec<_> { records.iter().map(|r| r.body.clone()).collect() };
            assert_eq!(bodies(&back), bodies(&records));
        }
    }
}

#[test]
fn weights_and_numbers_are_written_as_they_stood() {
    let call = json!({"type": "function", "function":
        {"name": "pay", "arguments": "{\"account\":123456789012345678901}"}});
    let text = json!({"messages": [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        {"role": "tool", "content": "1"},
        {"role": "assistant", "content": "a", "weight": 0.1}]})
    .to_string();
    let (same, _) = converted(&text, Format::Openai, Style::JsonLines);
    assert!(same.contains("\"weight\":0.1}"), "{same}");
    let (other, _) = converted(&text, Format::Sharegpt, Style::JsonLines);
    assert!(other.contains("123456789012345678901"), "{other}");
}

#[test]
fn a_pair_is_one_in_every_format() {
    let text = json!({"prompt": "q", "chosen": "good", "rejected": "bad"}).to_string();
    for format in [
        Format::Alpaca,
        Format::QueryResponse,
        Format::PromptCompletion,
        Format::Openai,
        Format::Sharegpt,
    ] {
        let (written, _) = converted(&text, format, Style::JsonLines);
        assert_eq!(load(&written).n_pairs, 1, "{written}");
        let (table, _) = converted(&text, format, CSV);
        assert_eq!(load(&table).n_pairs, 1, "{table}");
    }
}
