//! Records for the clipboard: a table for spreadsheets, or JSON lines for everything else.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use veneer_core::protocol::studio::{Content, ContentBody, Row, Turn};

use super::columns::Column;

/// What a table has for a column without words of its own.
pub fn table(rows: &[Arc<Row>], columns: &[Column], heads: &[String]) -> String {
    let mut text = line(heads.iter().map(String::as_str));
    for row in rows {
        let cells: Vec<String> = columns.iter().map(|column| column.plain(row)).collect();
        text.push_str(&line(cells.iter().map(String::as_str)));
    }
    text
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.map(cell).collect();
    format!("{}\n", cells.join("\t"))
}

/// Spreadsheets run what begins like a formula, so it gets an apostrophe; breaks stand in quotes.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let is_number = text.parse::<f64>().is_ok();
    let text = match is_formula && !is_number {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    match text.contains(['\t', '\n', '\r', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

/// A record in one line, as `veneer data` reads it.
pub fn json_line(content: &Content) -> String {
    let mut record = Map::new();
    match &content.body {
        ContentBody::Chat { turns, tools } => {
            let messages: Vec<Value> = turns.iter().map(message).collect();
            record.insert("messages".to_owned(), messages.into());
            if !tools.is_empty() {
                record.insert("tools".to_owned(), tools.clone().into());
            }
        }
        ContentBody::Text { prompt, completion } if prompt.is_empty() => {
            record.insert("text".to_owned(), json!(completion));
        }
        ContentBody::Text { prompt, completion } => {
            record.insert("prompt".to_owned(), json!(prompt));
            record.insert("completion".to_owned(), json!(completion));
        }
        ContentBody::Tokens { input_ids, labels } => {
            record.insert("input_ids".to_owned(), json!(input_ids));
            record.insert("labels".to_owned(), json!(labels));
        }
    }
    for (name, value) in &content.extra {
        record.entry(name.clone()).or_insert_with(|| value.clone());
    }
    format!("{}\n", Value::Object(record))
}

fn message(turn: &Turn) -> Value {
    let mut message = Map::new();
    message.insert("role".to_owned(), json!(turn.role.name()));
    message.insert("content".to_owned(), json!(turn.text));
    let given = [
        ("name", turn.name.clone().map(Value::from)),
        ("weight", turn.weight.map(|weight| json!(weight))),
        ("tool_call_id", turn.tool_call_id.clone().map(Value::from)),
        (
            "tool_calls",
            (!turn.tool_calls.is_empty()).then(|| turn.tool_calls.clone().into()),
        ),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            message.insert(name.to_owned(), value);
        }
    }
    for (name, value) in &turn.extra {
        message.entry(name.clone()).or_insert_with(|| value.clone());
    }
    Value::Object(message)
}

#[cfg(test)]
mod tests {
    use veneer_core::protocol::studio::TurnRole;

    use super::*;

    #[test]
    fn a_table_has_heads_and_a_line_for_each_record() {
        let row = Row {
            prompt: "What is\tit?\nTell \"me\"".to_owned(),
            n_chars: 12,
            ..Row::default()
        };
        let heads = ["Question".to_owned(), "Characters".to_owned()];
        let text = table(
            &[Arc::new(row)],
            &[Column::Prompt, Column::Characters],
            &heads,
        );
        assert_eq!(
            text,
            "Question\tCharacters\n\"What is\tit?\nTell \"\"me\"\"\"\t12\n"
        );
    }

    #[test]
    fn formulas_stay_texts() {
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("@x"), "'@x");
        assert_eq!(cell("-5.2"), "-5.2");
        assert_eq!(cell("-x"), "'-x");
        assert_eq!(cell("plain"), "plain");
    }

    #[test]
    fn a_chat_becomes_messages_with_what_stands_beside_them() {
        let mut answer = Turn::new(TurnRole::Assistant, "<b>4</b>");
        answer.weight = Some(0.0);
        let content = Content {
            body: ContentBody::Chat {
                turns: vec![Turn::new(TurnRole::User, "2+2?"), answer],
                tools: Vec::new(),
            },
            extra: Map::from_iter([("topic".to_owned(), json!("sums"))]),
        };
        assert_eq!(
            json_line(&content),
            concat!(
                r#"{"messages":[{"role":"user","content":"2+2?"},"#,
                r#"{"role":"assistant","content":"<b>4</b>","weight":0.0}],"topic":"sums"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn texts_and_tokens_are_named_as_they_are_read() {
        let content = |body| Content {
            body,
            extra: Map::from_iter([("prompt".to_owned(), json!("not this"))]),
        };
        let text = content(ContentBody::Text {
            prompt: "a".to_owned(),
            completion: "b".to_owned(),
        });
        assert_eq!(
            json_line(&text),
            "{\"prompt\":\"a\",\"completion\":\"b\"}\n"
        );
        let tokens = content(ContentBody::Tokens {
            input_ids: vec![1, 2],
            labels: vec![-100, 2],
        });
        assert!(json_line(&tokens).starts_with(r#"{"input_ids":[1,2],"labels":[-100,2]"#));
    }
}
