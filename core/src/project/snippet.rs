//! What a row shows of a text that a search found: the part around the first match.

use rusqlite::Connection;

use super::{ProjectError, search::Finder, spoken::Spoken};
use crate::protocol::studio::{Row, TurnRole};

/// Characters before a match that are shown with it.
const BEFORE_CHARS: usize = 30;

/// Characters that are shown at all.
const SHOWN_CHARS: usize = 160;

/// Lets prompt and answer of a row begin near the first match, where that is far from their start.
pub(super) fn show_match(
    db: &Connection,
    finder: &Finder,
    row: &mut Row,
) -> Result<(), ProjectError> {
    let sql =
        "SELECT json FROM content JOIN record ON record.body = content.body WHERE record.id = ?1";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([row.record.0 as i64])?;
    let Some(stored) = rows.next()? else {
        return Ok(());
    };
    let json = stored.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
    let spoken = Spoken::read(json)?;
    for (role, shown) in [
        (TurnRole::User, &mut row.prompt),
        (TurnRole::Assistant, &mut row.answer),
    ] {
        if finder.role().is_some_and(|searched| searched != role) {
            continue;
        }
        // The last message is the one that is shown already.
        let last_first = spoken
            .messages()
            .rev()
            .filter(|message| message.role == role);
        let found = last_first.filter_map(|message| {
            let place = finder.place_in(&message.text)?;
            Some((message.text.as_ref(), place))
        });
        let texts = found.collect::<Vec<_>>();
        if let Some((text, place)) = texts.first()
            && let Some(part) = around(text, *place)
        {
            *shown = part;
        }
    }
    Ok(())
}

/// The text from a little before a place; `None` where its start shows the place anyway.
fn around(text: &str, place: usize) -> Option<String> {
    let before = text.get(..place)?;
    let (start, _) = before.char_indices().rev().nth(BEFORE_CHARS)?;
    let part = text[start..].chars().take(SHOWN_CHARS);
    let part = part.map(|char| if char.is_control() { ' ' } else { char });
    Some(std::iter::once('…').chain(part).collect())
}

#[cfg(test)]
mod tests {
    use super::around;

    #[test]
    fn what_is_far_from_the_start_is_shown_from_a_little_before() {
        let text = format!("{}\n東京{}", "あ".repeat(100), "い".repeat(300));
        let shown = around(&text, 301).unwrap();
        assert!(shown.starts_with("…あ") && shown.contains(" 東京い"));
        assert_eq!(shown.chars().count(), 161);
        assert_eq!(around("東京", 3), None);
        assert_eq!(around(&text, 90), None);
    }
}
