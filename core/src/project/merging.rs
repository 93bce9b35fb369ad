//! An edit of a record that became another one meanwhile, by a change of many records: both are kept.

use serde_json::{Map, Value};

use crate::protocol::studio::{Content, ContentBody, Turn};

/// What `edited` made of `before` is done to `now`. Where both changed the same, the edit counts:
/// somebody typed it.
pub(super) fn merged(before: Content, now: Content, edited: Content) -> Content {
    Content {
        body: body(before.body, now.body, edited.body),
        extra: columns(&before.extra, &now.extra, edited.extra),
    }
}

fn body(before: ContentBody, now: ContentBody, edited: ContentBody) -> ContentBody {
    use ContentBody::{Chat, Text};
    match (before, now, edited) {
        (
            Chat {
                turns: turns_before,
                tools: tools_before,
            },
            Chat {
                turns: turns_now,
                tools: tools_now,
            },
            Chat { turns, tools },
        ) => Chat {
            turns: merge_turns(turns_before, turns_now, turns),
            tools: either(&tools_before, tools_now, tools),
        },
        (
            Text {
                prompt: prompt_before,
                completion: completion_before,
            },
            Text {
                prompt: prompt_now,
                completion: completion_now,
            },
            Text { prompt, completion },
        ) => Text {
            prompt: either(&prompt_before, prompt_now, prompt),
            completion: either(&completion_before, completion_now, completion),
        },
        (before, now, edited) => either(&before, now, edited),
    }
}

fn either<T: PartialEq>(before: &T, now: T, edited: T) -> T {
    if edited == *before { now } else { edited }
}

/// Turn by turn where there are as many; else the stretch that each side put in place of another.
fn merge_turns(before: Vec<Turn>, now: Vec<Turn>, edited: Vec<Turn>) -> Vec<Turn> {
    if before.len() == now.len() && before.len() == edited.len() {
        let turns = before.iter().zip(now.into_iter().zip(edited));
        return turns
            .map(|(before, (now, edited))| either(before, now, edited))
            .collect();
    }
    if edited == before {
        return now;
    }
    let (other, own) = (Stretch::of(&before, &now), Stretch::of(&before, &edited));
    // What was stored already is not added again.
    if (other.from, other.to) == (own.from, own.to) {
        return edited;
    }
    let (theirs, ours) = (
        other.taken_from(&before, &now),
        own.taken_from(&before, &edited),
    );
    let mut turns = before;
    // The later one first, so that places in front of it stay.
    if other.from >= own.to {
        turns.splice(other.from..other.to, theirs);
        turns.splice(own.from..own.to, ours);
    } else if own.from >= other.to {
        turns.splice(own.from..own.to, ours);
        turns.splice(other.from..other.to, theirs);
    } else {
        return edited;
    }
    turns
}

/// The turns that others stand for.
struct Stretch {
    from: usize,
    to: usize,
}

impl Stretch {
    fn of(before: &[Turn], after: &[Turn]) -> Self {
        let most = before.len().min(after.len());
        let same = |pairs: &mut dyn Iterator<Item = (&Turn, &Turn)>, most: usize| {
            pairs.take(most).take_while(|(a, b)| a == b).count()
        };
        let from = same(&mut before.iter().zip(after), most);
        let n_behind = same(
            &mut before.iter().rev().zip(after.iter().rev()),
            most - from,
        );
        Self {
            from,
            to: before.len() - n_behind,
        }
    }

    /// What stands for it.
    fn taken_from(&self, before: &[Turn], after: &[Turn]) -> Vec<Turn> {
        let n_behind = before.len() - self.to;
        after[self.from..after.len() - n_behind].to_vec()
    }
}

/// Columns in the order of the edit; those that came meanwhile stand behind.
fn columns(
    before: &Map<String, Value>,
    now: &Map<String, Value>,
    edited: Map<String, Value>,
) -> Map<String, Value> {
    let mut merged = Map::new();
    for (name, value) in edited {
        let is_edited = before.get(&name) != Some(&value);
        let value = if is_edited {
            Some(value)
        } else {
            now.get(&name).cloned()
        };
        merged.extend(value.map(|value| (name, value)));
    }
    let came = now.iter().filter(|(name, _)| !before.contains_key(*name));
    for (name, value) in came {
        if !merged.contains_key(name) {
            merged.insert(name.clone(), value.clone());
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::studio::TurnRole;

    fn chat(turns: &[&str], extra: Value) -> Content {
        let turns = turns.iter().map(|text| Turn::new(TurnRole::User, *text));
        Content {
            body: ContentBody::Chat {
                turns: turns.collect(),
                tools: Vec::new(),
            },
            extra: serde_json::from_value(extra).unwrap(),
        }
    }

    #[track_caller]
    fn check(before: &[&str], now: &[&str], edited: &[&str], expected: &[&str]) {
        let content = |turns| chat(turns, json!({}));
        let merged = merged(content(before), content(now), content(edited));
        assert_eq!(merged, content(expected));
    }

    #[test]
    fn both_changes_of_the_turns_are_kept() {
        check(&["q", "a"], &["q", "b"], &["p", "a"], &["p", "b"]);
        check(
            &["q", "a"],
            &["s", "q", "a"],
            &["q", "edited"],
            &["s", "q", "edited"],
        );
        check(
            &["s", "q", "a"],
            &["q", "a"],
            &["s", "q", "a!"],
            &["q", "a!"],
        );
        check(
            &["q", "a"],
            &["s", "q", "a"],
            &["q", "a", "q2", "a2"],
            &["s", "q", "a", "q2", "a2"],
        );
        check(&["q", "a"], &["q", "a", "z"], &["q", "a"], &["q", "a", "z"]);
        check(&[], &["s"], &[], &["s"]);
    }

    #[test]
    fn the_edit_counts_where_both_changed_the_same() {
        check(&["q", "a"], &["q", "b"], &["q", "c"], &["q", "c"]);
        check(&["q", "a"], &["s", "q", "b"], &["q", "c"], &["q", "c"]);
        check(&["q"], &["s", "q"], &["own", "q"], &["own", "q"]);
    }

    #[test]
    fn an_edit_that_was_stored_already_is_stored_once() {
        check(
            &["q", "a"],
            &["q", "a", "t"],
            &["q", "a", "t"],
            &["q", "a", "t"],
        );
        check(&["q"], &["q", "t"], &["q", "t", "u"], &["q", "t", "u"]);
        check(&["q", "a"], &["q"], &["q"], &["q"]);
    }

    #[test]
    fn columns_are_merged_one_by_one() {
        let before = chat(&["q"], json!({"a": 1, "b": 1, "c": 1, "e": 1}));
        let now = chat(&["q"], json!({"a": 2, "b": 1, "d": 4, "e": 2}));
        let edited = chat(&["p"], json!({"b": 3, "a": 1, "c": 1, "e": 5}));
        let expected = chat(&["p"], json!({"b": 3, "a": 2, "e": 5, "d": 4}));
        assert_eq!(merged(before, now, edited), expected);
    }

    #[test]
    fn an_edit_of_nothing_changes_nothing() {
        let before = chat(&["q", "a"], json!({"a": 1}));
        let now = chat(&["s", "q", "b"], json!({"z": 1}));
        assert_eq!(merged(before.clone(), now.clone(), before), now);
    }

    #[test]
    fn texts_without_turns_are_merged_too() {
        let text = |prompt: &str, completion: &str| Content {
            body: ContentBody::Text {
                prompt: prompt.into(),
                completion: completion.into(),
            },
            extra: Map::new(),
        };
        let merged = merged(text("p", "c"), text("p", "d"), text("q", "c"));
        assert_eq!(merged, text("q", "d"));
    }
}
