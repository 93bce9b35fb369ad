//! What an edit made of a record: message by message, column by column.

use veneer_core::protocol::studio::{Content, ContentBody, Turn, TurnRole};

use super::json_text;

/// A part of a record that is not as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartChange {
    pub part: ChangedPart,
    /// `None` where there was, or is, nothing.
    pub before: Option<String>,
    pub after: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangedPart {
    /// With its number from 1, as it is now or was.
    Turn(usize, TurnRole),
    Prompt,
    Completion,
    Tokens,
    Tools,
    Column(String),
}

/// Everything that differs, in the order of the record.
pub fn between(before: &Content, after: &Content) -> Vec<PartChange> {
    let mut changes = Vec::new();
    let mut add = |part, before: Option<String>, after: Option<String>| {
        if before != after {
            changes.push(PartChange {
                part,
                before,
                after,
            });
        }
    };
    let (old, new) = (texts(&before.body), texts(&after.body));
    let n_start = common(old.iter().zip(&new));
    let n_most = old.len().min(new.len()) - n_start;
    let n_end = common(old.iter().rev().zip(new.iter().rev())).min(n_most);
    let old_middle = &old[n_start..old.len() - n_end];
    let new_middle = &new[n_start..new.len() - n_end];
    for at in 0..old_middle.len().max(new_middle.len()) {
        let (old, new) = (old_middle.get(at), new_middle.get(at));
        let Some((part, _)) = new.or(old) else {
            continue;
        };
        let text = |pair: Option<&(ChangedPart, String)>| pair.map(|(_, text)| text.clone());
        add(part.clone(), text(old), text(new));
    }
    add(ChangedPart::Tools, tools(&before.body), tools(&after.body));
    for name in before.extra.keys() {
        let shown = |content: &Content| content.extra.get(name).map(json_text::shown);
        add(
            ChangedPart::Column(name.clone()),
            shown(before),
            shown(after),
        );
    }
    for (name, value) in &after.extra {
        if !before.extra.contains_key(name) {
            let shown = Some(json_text::shown(value));
            add(ChangedPart::Column(name.clone()), None, shown);
        }
    }
    changes
}

/// Parts with their texts, in order.
fn texts(body: &ContentBody) -> Vec<(ChangedPart, String)> {
    match body {
        ContentBody::Chat { turns, .. } => {
            let turns = turns.iter().enumerate();
            let parts = turns.map(|(at, turn)| (ChangedPart::Turn(at + 1, turn.role), whole(turn)));
            parts.collect()
        }
        ContentBody::Text { prompt, completion } => vec![
            (ChangedPart::Prompt, prompt.clone()),
            (ChangedPart::Completion, completion.clone()),
        ],
        ContentBody::Tokens { input_ids, .. } => {
            let ids: Vec<String> = input_ids.iter().map(u32::to_string).collect();
            vec![(ChangedPart::Tokens, ids.join(" "))]
        }
    }
}

/// Everything that a turn says, so that two that differ in anything differ here.
fn whole(turn: &Turn) -> String {
    let mut text = turn.text.clone().unwrap_or_default();
    let mut line = |what: &str, value: &str| {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("{what} {value}"));
    };
    if !turn.tool_calls.is_empty() {
        let calls = serde_json::Value::Array(turn.tool_calls.clone());
        line("tool_calls", &json_text::pretty(&calls));
    }
    for (what, value) in [("name", &turn.name), ("tool_call_id", &turn.tool_call_id)] {
        if let Some(value) = value {
            line(what, value);
        }
    }
    if let Some(weight) = turn.weight {
        line("weight", &weight.to_string());
    }
    for (key, value) in &turn.extra {
        line(key, &json_text::shown(value));
    }
    text
}

fn tools(body: &ContentBody) -> Option<String> {
    match body {
        ContentBody::Chat { tools, .. } if !tools.is_empty() => {
            Some(json_text::pretty(&serde_json::Value::Array(tools.clone())))
        }
        _ => None,
    }
}

/// Pairs from the beginning that are the same, the number of a turn aside.
fn common<'a>(
    pairs: impl Iterator<Item = (&'a (ChangedPart, String), &'a (ChangedPart, String))>,
) -> usize {
    let same = |(old, new): &(&(ChangedPart, String), &(ChangedPart, String))| {
        let kind = match (&old.0, &new.0) {
            (ChangedPart::Turn(_, old), ChangedPart::Turn(_, new)) => old == new,
            (old, new) => old == new,
        };
        kind && old.1 == new.1
    };
    pairs.take_while(same).count()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use TurnRole::{Assistant, System, User};

    fn chat(turns: &[(TurnRole, &str)]) -> Content {
        let turns = turns.iter().map(|(role, text)| Turn::new(*role, *text));
        Content {
            body: ContentBody::Chat {
                turns: turns.collect(),
                tools: Vec::new(),
            },
            extra: Map::new(),
        }
    }

    fn change(part: ChangedPart, before: Option<&str>, after: Option<&str>) -> PartChange {
        PartChange {
            part,
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        }
    }

    #[test]
    fn the_same_has_no_changes() {
        let content = chat(&[(User, "a"), (Assistant, "b")]);
        assert_eq!(between(&content, &content), []);
    }

    #[test]
    fn one_message_changed() {
        let found = between(
            &chat(&[(User, "a"), (Assistant, "b")]),
            &chat(&[(User, "a"), (Assistant, "c")]),
        );
        let want = change(ChangedPart::Turn(2, Assistant), Some("b"), Some("c"));
        assert_eq!(found, [want]);
    }

    #[test]
    fn a_message_in_front_shifts_none_of_the_others() {
        let found = between(
            &chat(&[(User, "a"), (Assistant, "b")]),
            &chat(&[(System, "s"), (User, "a"), (Assistant, "b")]),
        );
        assert_eq!(
            found,
            [change(ChangedPart::Turn(1, System), None, Some("s"))]
        );
        let found = between(
            &chat(&[(User, "a"), (Assistant, "b"), (User, "a"), (Assistant, "b")]),
            &chat(&[(User, "a"), (Assistant, "b")]),
        );
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|change| change.after.is_none()));
    }

    #[test]
    fn what_is_not_text_counts_too() {
        let before = chat(&[(Assistant, "b")]);
        let mut after = before.clone();
        if let ContentBody::Chat { turns, tools } = &mut after.body {
            turns[0].weight = Some(0.0);
            tools.push(json!({"name": "f"}));
        }
        after.extra.insert("page".into(), json!(3));
        let parts: Vec<ChangedPart> = between(&before, &after)
            .into_iter()
            .map(|change| change.part)
            .collect();
        let want = [
            ChangedPart::Turn(1, Assistant),
            ChangedPart::Tools,
            ChangedPart::Column("page".into()),
        ];
        assert_eq!(parts, want);
    }

    #[test]
    fn text_records_have_two_parts() {
        let text = |prompt: &str, completion: &str| Content {
            body: ContentBody::Text {
                prompt: prompt.into(),
                completion: completion.into(),
            },
            extra: Map::new(),
        };
        let found = between(&text("a", "b"), &text("a", "c"));
        assert_eq!(
            found,
            [change(ChangedPart::Completion, Some("b"), Some("c"))]
        );
    }
}
