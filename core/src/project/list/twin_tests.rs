//! Every filter and every order against a slow twin that goes over the records as they are stored.

use std::collections::BTreeSet;

use rusqlite::params;
use serde_json::Value;

use crate::{
    project::{
        Project,
        content::read_stored,
        names::{names_of, set_of},
        run,
        testing::{chat, project_of, question},
    },
    protocol::studio::{
        CheckName, Filter, FindingKind, LengthUnit, ListView, Query, Side, Sort, SortBy, TurnRole,
    },
    rng::Rng,
    text::{Body, Message, Record, Role},
};

pub(super) const N: usize = 400;

/// Records of every kind, with everything set that lists go by.
pub(super) fn project() -> Project {
    let mut rng = Rng::new(4, 0);
    let mut project = project_of((0..N).map(|i| record(i, &mut rng)));
    let db = project.store.raw();
    let sets: Vec<i64> = [&["good"][..], &["good", "short"], &["later"]]
        .map(|names| set_of(db, names.iter().map(|name| (*name).to_owned()).collect()).unwrap())
        .into();
    let accepted = set_of(db, vec![String::from("odd")]).unwrap();
    for id in 1..=N as i64 {
        let side = rng.below(4) as i64;
        let tags = rng.below(4).checked_sub(1).map_or(0, |set| sets[set]);
        db.execute(
            "UPDATE record SET state = ?2, side = ?3, tags = ?4, reviewer = ?5, source = ?6, line = ?7,
                accepted = ?8, position = ?9 WHERE id = ?1",
            params![
                id,
                usize::from(rng.below(8) == 0),
                (side < 3).then_some(side),
                tags,
                rng.pick(&["", "Ana", "花子"]),
                rng.pick(&[None, Some(1), Some(2)]),
                rng.below(50) as i64,
                rng.pick(&[0, accepted]),
                rng.below(1 << 30) as i64,
            ],
        )
        .unwrap();
        for (kind, is_error) in [("odd", false), ("bad", true)] {
            if rng.below(5) == 0 {
                db.execute(
                    "INSERT INTO finding VALUES (?1, 'x', ?2, ?3, '', '', '', '')",
                    params![id, kind, is_error],
                )
                .unwrap();
            }
        }
        if rng.below(3) > 0 {
            let n_tokens = rng.below(100) as i64;
            db.execute(
                "INSERT INTO token_count VALUES (?1, ?2, 1, 0)",
                [id, n_tokens],
            )
            .unwrap();
        }
        if rng.below(9) == 0 {
            db.execute("INSERT INTO member VALUES ('near', 7, ?1)", [id])
                .unwrap();
        }
        // Edited: the body of another.
        if rng.below(10) == 0 {
            let body = 1 + rng.below(N) as i64;
            db.execute("UPDATE record SET body = ?2 WHERE id = ?1", [id, body])
                .unwrap();
        }
    }
    // Lists must see these through what was changed above.
    ask(&mut project, Query::default());
    project
}

fn record(i: usize, rng: &mut Rng) -> Record {
    let mut record = match rng.below(6) {
        0 => Record {
            body: Body::Text {
                prompt: format!("Prompt {i}"),
                completion: rng
                    .pick(&["Ébano", "ebano", "año nuevo", "東京都"])
                    .to_string(),
            },
            extra: serde_json::Map::new(),
            line: 0,
        },
        1 => chat(
            rng.pick::<&str>(&["éste", "Este", "ESTE \"x\"", ""]),
            "a* (b) AND 🙂",
        ),
        _ => question(rng.below(N)),
    };
    if let Body::Chat(chat) = &mut record.body {
        for _ in 0..rng.below(3) {
            let role = *rng.pick(&[Role::System, Role::Developer, Role::Tool, Role::User]);
            let text: &str = rng.pick::<&str>(&[
                "Be brief.",
                "東京の天気\n晴れ",
                "Año 2024: 3,5 %",
                "el niño",
            ]);
            let place = rng.below(chat.messages.len() + 1);
            chat.messages.insert(place, Message::new(role, text));
        }
    }
    let values = [
        Value::Null,
        Value::from("x"),
        Value::from(3),
        Value::from(true),
    ];
    if rng.below(2) == 0 {
        let value = rng.pick(&values).clone();
        record.extra.insert("topic".into(), value);
    }
    record
}

pub(super) fn ask(project: &mut Project, query: Query) -> ListView {
    let work = project.query(query);
    run(project, work, &mut |_| true).unwrap()
}

/// A record as the twin sees it.
pub(super) struct Plain {
    id: u64,
    in_trash: bool,
    position: i64,
    body: i64,
    first_body: i64,
    side: Option<Side>,
    tags: Vec<String>,
    reviewer: String,
    source: u32,
    line: i64,
    record: Record,
    language: String,
    prompt: String,
    answer: String,
    n_chars: u64,
    n_turns: u64,
    n_tokens: Option<u64>,
    findings: Vec<(String, bool)>,
    near: bool,
}

pub(super) fn plain(project: &Project) -> Vec<Plain> {
    let db = project.store.raw();
    let mut statement = db
        .prepare(
            "SELECT record.id, state, position, record.body, first_body, side, tags, reviewer, source, line,
                accepted, json, language, prompt, answer, n_chars, n_turns,
                (SELECT n_tokens FROM token_count WHERE body = record.body),
                EXISTS (SELECT 1 FROM member WHERE body = record.body)
             FROM record JOIN body ON body.id = record.body JOIN content ON content.body = record.body",
        )
        .unwrap();
    let rows = statement.query_map([], |row| {
        let accepted = names_of(db, row.get(10)?).unwrap();
        let mut findings = db.prepare("SELECT kind, is_error FROM finding WHERE body = ?1")?;
        let findings = findings.query_map([row.get::<_, i64>(3)?], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        let findings = findings.map(Result::unwrap);
        Ok(Plain {
            id: row.get(0)?,
            in_trash: row.get(1)?,
            position: row.get(2)?,
            body: row.get(3)?,
            first_body: row.get(4)?,
            side: row.get::<_, Option<usize>>(5)?.map(|side| Side::ALL[side]),
            tags: names_of(db, row.get(6)?).unwrap(),
            reviewer: row.get(7)?,
            source: row.get::<_, Option<u32>>(8)?.unwrap_or_default(),
            line: row.get(9)?,
            record: read_stored(&row.get::<_, String>(11)?).unwrap().0,
            language: row.get(12)?,
            prompt: row.get(13)?,
            answer: row.get(14)?,
            n_chars: row.get(15)?,
            n_turns: row.get(16)?,
            n_tokens: row.get(17)?,
            findings: findings
                .filter(|(kind, _)| !accepted.contains(kind))
                .collect(),
            near: row.get(18)?,
        })
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

impl Plain {
    pub(super) fn texts(&self, role: Option<TurnRole>) -> Vec<String> {
        let texts: Vec<(Role, String)> = match &self.record.body {
            Body::Chat(chat) => {
                let messages = chat.messages.iter();
                messages
                    .map(|message| (message.role, message.text().to_owned()))
                    .collect()
            }
            Body::Text { prompt, completion } => {
                vec![
                    (Role::User, prompt.clone()),
                    (Role::Assistant, completion.clone()),
                ]
            }
            Body::Tokens(_) => Vec::new(),
        };
        let said = |by: &Role| role.is_none_or(|role| format!("{role:?}") == format!("{by:?}"));
        texts
            .into_iter()
            .filter(|(by, _)| said(by))
            .map(|(_, text)| text)
            .collect()
    }

    fn roles(&self) -> BTreeSet<TurnRole> {
        let said = TurnRole::ALL
            .into_iter()
            .filter(|role| !self.texts(Some(*role)).is_empty());
        said.collect()
    }

    fn passes(&self, filter: &Filter, all: &[Plain]) -> bool {
        let length = match filter.length_in {
            LengthUnit::Characters => Some(self.n_chars),
            LengthUnit::Tokens => self.n_tokens,
        };
        let is_before = |other: &Plain| (other.position, other.id) < (self.position, self.id);
        let says_the_same_before = |other: &Plain| {
            !other.in_trash && is_before(other) && fingerprint(other) == fingerprint(self)
        };
        let has = |kind: &FindingKind| match kind.0.as_str() {
            // The first one is well.
            "duplicate" => !self.in_trash && all.iter().any(says_the_same_before),
            kind => self.findings.iter().any(|(found, _)| found == kind),
        };
        let field = |(name, value): &(String, String)| {
            let found = self.record.extra.get(name);
            found.is_some_and(|found| {
                found.as_str().map_or(found.to_string(), str::to_owned) == *value
            })
        };
        let limited = filter.min_length.is_some() || filter.max_length.is_some();
        self.in_trash == filter.trash
            && (filter.tags.is_empty() || filter.tags.iter().any(|tag| self.tags.contains(tag)))
            && !filter
                .without_tags
                .iter()
                .any(|tag| self.tags.contains(tag))
            && (filter.sides.is_empty() || filter.sides.contains(&self.side))
            && (filter.languages.is_empty() || filter.languages.contains(&self.language))
            && (filter.sources.is_empty() || filter.sources.contains(&self.source))
            && (filter.reviewers.is_empty()
                || filter
                    .reviewers
                    .iter()
                    .any(|name| name.as_deref().unwrap_or_default() == self.reviewer))
            && filter.roles.iter().all(|role| self.roles().contains(role))
            && (filter.findings.is_empty() || filter.findings.iter().any(has))
            && filter.field.as_ref().is_none_or(field)
            && (!limited || length.is_some())
            && filter
                .min_length
                .is_none_or(|min| length.unwrap_or_default() >= min)
            && filter
                .max_length
                .is_none_or(|max| length.unwrap_or_default() <= max)
            && (filter.group.is_none() || self.near)
    }

    fn key(&self, by: SortBy) -> (i64, i64, String) {
        let beginning = |text: &str| text.to_lowercase().chars().take(48).collect::<String>();
        let count =
            |wanted: bool| self.findings.iter().filter(|(_, is)| *is == wanted).count() as i64;
        match by {
            SortBy::Position => (self.position, self.id as i64, String::new()),
            SortBy::Prompt => (0, 0, beginning(&self.prompt)),
            SortBy::Answer => (0, 0, beginning(&self.answer)),
            SortBy::Characters => (self.n_chars as i64, 0, String::new()),
            SortBy::Tokens => (self.n_tokens.map_or(-1, |n| n as i64), 0, String::new()),
            SortBy::Turns => (self.n_turns as i64, 0, String::new()),
            SortBy::Language => (0, 0, self.language.clone()),
            SortBy::Side => {
                let place = Side::ALL.iter().position(|side| Some(*side) == self.side);
                (place.map_or(3, |place| place as i64), 0, String::new())
            }
            SortBy::Source => (i64::from(self.source), self.line, String::new()),
            SortBy::Findings => (count(true), count(false), String::new()),
            SortBy::Changed if self.body == self.first_body => (0, 0, String::new()),
            SortBy::Changed => (self.body, 0, String::new()),
        }
    }
}

fn fingerprint(plain: &Plain) -> u128 {
    crate::data::fingerprint(&plain.record).whole
}

/// Asks the project and the twin, and returns how many there are.
#[track_caller]
pub(super) fn check(
    project: &mut Project,
    query: Query,
    searched: impl Fn(&Plain) -> bool,
) -> usize {
    let all = plain(project);
    let mut expected: Vec<&Plain> = all
        .iter()
        .filter(|record| record.passes(&query.filter, &all) && searched(record))
        .collect();
    let Sort { by, descending } = query.sort;
    expected.sort_by_key(|record| (record.position, record.id));
    expected.sort_by(|a, b| {
        let order = a.key(by).cmp(&b.key(by));
        if descending { order.reverse() } else { order }
    });
    let expected: Vec<u64> = expected.iter().map(|record| record.id).collect();
    let view = ask(project, query.clone());
    assert_eq!(project.list_ids().unwrap(), expected, "{query:?}");
    assert_eq!(view.n, expected.len() as u64);
    let n_of = all
        .iter()
        .filter(|record| record.in_trash == query.filter.trash)
        .count();
    assert_eq!(view.n_of, n_of as u64);
    expected.len()
}

#[track_caller]
fn check_filter(project: &mut Project, filter: Filter) {
    let query = Query {
        filter,
        ..Query::default()
    };
    let said = format!("{query:?}");
    let n = check(project, query, |_| true);
    assert!(
        n > 0 && n < N * 3 / 4,
        "{n} records say little about {said}"
    );
}

pub(super) fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn every_filter_passes_what_its_twin_passes() {
    let mut project = project();
    let all = Filter::default;
    let finding = |kind: &str| FindingKind(kind.into());
    let field = |value: &str| Some(("topic".to_owned(), value.to_owned()));
    for filter in [
        Filter {
            trash: true,
            ..all()
        },
        Filter {
            tags: texts(&["good"]),
            ..all()
        },
        Filter {
            tags: texts(&["short", "later", "no such"]),
            ..all()
        },
        Filter {
            without_tags: texts(&["good"]),
            ..all()
        },
        Filter {
            sides: vec![Some(Side::Test)],
            ..all()
        },
        Filter {
            sides: vec![None, Some(Side::Train)],
            ..all()
        },
        Filter {
            languages: texts(&["spa", "jpn"]),
            ..all()
        },
        Filter {
            sources: vec![2],
            ..all()
        },
        Filter {
            sources: vec![0],
            ..all()
        },
        Filter {
            reviewers: vec![None],
            ..all()
        },
        Filter {
            reviewers: vec![Some("花子".into())],
            ..all()
        },
        Filter {
            roles: vec![TurnRole::System, TurnRole::Tool],
            ..all()
        },
        Filter {
            findings: vec![finding("odd")],
            ..all()
        },
        Filter {
            findings: vec![finding("odd"), finding("bad")],
            ..all()
        },
        Filter {
            findings: vec![finding("duplicate")],
            ..all()
        },
        Filter {
            field: field("x"),
            ..all()
        },
        Filter {
            field: field("3"),
            ..all()
        },
        Filter {
            field: field("null"),
            ..all()
        },
        Filter {
            min_length: Some(60),
            ..all()
        },
        Filter {
            max_length: Some(60),
            ..all()
        },
        Filter {
            min_length: Some(20),
            max_length: Some(70),
            length_in: LengthUnit::Tokens,
            ..all()
        },
        Filter {
            group: Some((CheckName("near".into()), 7)),
            ..all()
        },
        Filter {
            sides: vec![None],
            languages: texts(&["eng"]),
            reviewers: vec![None],
            ..all()
        },
    ] {
        check_filter(&mut project, filter);
    }
    let nothing = Filter {
        languages: texts(&["no such"]),
        ..all()
    };
    assert_eq!(
        ask(
            &mut project,
            Query {
                filter: nothing,
                ..Query::default()
            }
        )
        .n,
        0
    );
    let nothing = Filter {
        field: field("no such"),
        ..all()
    };
    assert_eq!(
        ask(
            &mut project,
            Query {
                filter: nothing,
                ..Query::default()
            }
        )
        .n,
        0
    );
}

#[test]
fn every_order_is_that_of_its_twin() {
    let mut project = project();
    for by in [
        SortBy::Position,
        SortBy::Prompt,
        SortBy::Answer,
        SortBy::Characters,
        SortBy::Tokens,
        SortBy::Turns,
        SortBy::Language,
        SortBy::Side,
        SortBy::Source,
        SortBy::Findings,
        SortBy::Changed,
    ] {
        for descending in [false, true] {
            let sort = Sort { by, descending };
            check(
                &mut project,
                Query {
                    sort,
                    ..Query::default()
                },
                |_| true,
            );
        }
    }
}
