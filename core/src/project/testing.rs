//! Projects for tests.

use rusqlite::{Connection, params, types::Value};
use serde_json::Map;

use super::{
    Project, ProjectError, Task, adding::Incoming, body::insert_body, content::Origin, run,
};
use crate::{
    data::{Format, Place, Problem, ProblemKind},
    documents::Arrival,
    protocol::studio::{RecordKey, Target, TextOptions},
    text::{Body, Conversation, Message, Record, Role},
};

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
    let tx = project.store.raw().unchecked_transaction().unwrap();
    for (i, record) in records.into_iter().enumerate() {
        let origin = Origin::of(&record.body);
        let body = insert_body(&tx, record, origin).unwrap();
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

/// Everything that anyone can see of the project's records, texts and settings.
pub(super) fn seen(project: &Project) -> Vec<String> {
    let rows = |sql: &str| {
        let mut statement = project.store.settled().unwrap().prepare(sql).unwrap();
        let n_columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let values = (0..n_columns).map(|i| row.get::<_, Value>(i));
            Ok(format!("{:?}", values.collect::<Result<Vec<_>, _>>()?))
        });
        rows.unwrap().collect::<Result<Vec<String>, _>>().unwrap()
    };
    let mut seen = rows(
        "SELECT record.id, state, position, body, json, side, names, accepted, reviewer, first_body,
            source, line, page
         FROM record JOIN content USING (body) JOIN name_set ON name_set.id = tags
         WHERE state < 2 ORDER BY record.id",
    );
    seen.extend(rows("SELECT key, value FROM fact ORDER BY key"));
    seen
}

/// Runs a work to its end.
pub(super) fn run_all<T>(project: &mut Project, work: Task<T>) -> Result<T, ProjectError> {
    run(project, work, &mut |_| true)
}

/// A file with these records, of which every one named in `broken` is none.
pub(super) fn incoming(name: &str, records: Vec<Record>, broken: &[u64]) -> Incoming {
    let broken = broken.to_vec();
    let n = records.len() as f64;
    let arrivals = (1..)
        .zip(records)
        .map(move |(line, record): (u64, Record)| {
            let is_broken = broken.contains(&line);
            let problem = Problem::new(
                ProblemKind::MissingField,
                Place { line, record: line },
                "output",
            );
            Ok(Arrival {
                record: (!is_broken).then_some(record),
                format: Format::Openai,
                raw: None,
                line,
                page: None,
                problems: is_broken.then_some(problem).into_iter().collect(),
                progress: line as f64 / n,
            })
        });
    Incoming {
        name: name.into(),
        n_bytes: 1000,
        reading: "null".into(),
        file: None,
        open: Box::new(move |_| Ok(Box::new(arrivals))),
    }
}

pub(super) fn keys(records: impl IntoIterator<Item = u64>) -> Target {
    Target::Records(records.into_iter().map(RecordKey).collect())
}

/// Files of a small tokenizer without a template of its own.
pub(super) fn text_files() -> Vec<(String, Vec<u8>)> {
    macro_rules! file {
        ($name:literal) => {
            (
                $name.to_owned(),
                include_bytes!(concat!(
                    "../../../tests/fixtures/tokenizers/byte_level/",
                    $name
                ))
                .to_vec(),
            )
        };
    }
    vec![
        file!("tokenizer.json"),
        file!("tokenizer_config.json"),
        file!("special_tokens_map.json"),
    ]
}

/// The project with that tokenizer under ChatML, cutting at `max_length`.
pub(super) fn with_text_model(mut project: Project, max_length: u32) -> Project {
    let options = TextOptions {
        max_length,
        template: Some("chatml".into()),
        ..TextOptions::default()
    };
    project.set_text_options(options).unwrap();
    project.use_text_model("tiny", text_files()).unwrap();
    project
}

/// A conversation of these turns.
pub(super) fn turns(turns: &[(Role, &str)]) -> Record {
    let mut record = chat("", "");
    let messages = turns.iter().map(|(role, text)| Message::new(*role, *text));
    record.body = Body::Chat(Conversation {
        messages: messages.collect(),
        tools: Vec::new(),
    });
    record
}

/// What is stored of every record, in the order of ids: its state, its text, what was accepted.
pub(super) fn state(project: &Project) -> Vec<(i64, String, i64)> {
    let mut statement = project
        .store
        .settled()
        .unwrap()
        .prepare(
            "SELECT state, json, accepted FROM record JOIN content ON content.body = record.body
             ORDER BY record.id",
        )
        .unwrap();
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}
