//! Projects for tests.

use rusqlite::{Connection, params};
use serde_json::Map;

use super::{Project, body::insert_body, content::Origin};
use crate::text::{Body, Conversation, Message, Record, Role};

/// Room between neighbours of the order of records.
const STEP: u64 = 1 << 24;

/// A project in memory with `n` questions and answers that all differ, in three languages.
pub(super) fn in_memory(n: usize) -> Project {
    project_of((0..n).map(question))
}

/// A project in memory with these records, as if they had been there from the start.
pub(super) fn project_of(records: impl IntoIterator<Item = Record>) -> Project {
    let db = Connection::open_in_memory().unwrap();
    let project = Project::create(db, "test", 1).unwrap();
    let tx = project.db.unchecked_transaction().unwrap();
    for (i, record) in records.into_iter().enumerate() {
        let origin = Origin::of(&record.body);
        let body = insert_body(&tx, record, origin, None).unwrap();
        let position = (i as u64 + 1) * STEP;
        tx.execute(
            "INSERT INTO record (state, position, body, first_body, line) VALUES (0, ?1, ?2, ?2, ?3)",
            params![position, body, i as u64 + 1],
        )
        .unwrap();
    }
    tx.commit().unwrap();
    project
}

pub(super) fn question(i: usize) -> Record {
    let (question, answer) = match i % 3 {
        0 => (
            format!("¿Cuál fue el beneficio neto del banco número {i} durante el año pasado?"),
            format!("El beneficio neto del banco fue de {i} millones de euros."),
        ),
        1 => (
            format!("第{i}号の債券の利回りと、それが金利によってどう変わるかを教えてください。"),
            format!("利回りは{i}パーセントです。"),
        ),
        _ => (
            format!(
                "What is the duration of bond number {i}, and how does it change with the yield?"
            ),
            format!("The duration of the bond is {i} years."),
        ),
    };
    chat(&question, &answer)
}

pub(super) fn chat(question: &str, answer: &str) -> Record {
    Record {
        body: Body::Chat(Conversation {
            messages: vec![
                Message::new(Role::User, question),
                Message::new(Role::Assistant, answer),
            ],
            tools: Vec::new(),
        }),
        extra: Map::new(),
        line: 0,
    }
}
