//! The loss mask for people: trained text in brackets, and one row a token.

use super::{Prepared, Tokenizer};

/// Opens trained text.
const OPEN: char = '⟦';
/// Closes trained text.
const CLOSE: char = '⟧';
/// Stands where the length limit cuts the text.
const CUT: &str = "✂";

/// One token of a record, as `veneer inspect` shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TokenRow {
    pub index: usize,
    pub id: u32,
    /// The text it stands for; the vocabulary's own text where a character spans several tokens.
    pub text: String,
    pub trained: bool,
    /// Whether it lies behind the length limit.
    pub cut: bool,
    /// Whether generation stops after it.
    pub ends_generation: bool,
}

/// The text with trained stretches in ⟦…⟧, and ✂ where the length limit cuts it.
/// A character of several tokens is trained when its last one is.
pub fn marked_text(prepared: &Prepared) -> String {
    let mut out = String::with_capacity(prepared.text.len() + 16);
    let mut at = 0;
    let mut open = false;
    for (index, span) in prepared.spans.iter().enumerate() {
        let is_cut = prepared.truncated && index == prepared.encoded.len();
        if span.trained != open && !span.bytes.is_empty() && span.bytes.end > at || is_cut {
            let start = span.bytes.start.max(at);
            out.push_str(prepared.text.get(at..start).unwrap_or_default());
            at = start;
        }
        if is_cut {
            if open && !span.trained {
                out.push(CLOSE);
                open = false;
            }
            out.push_str(CUT);
        }
        if span.trained != open && span.bytes.end > at {
            out.push(if span.trained { OPEN } else { CLOSE });
            open = span.trained;
        }
        if span.bytes.end > at {
            out.push_str(prepared.text.get(at..span.bytes.end).unwrap_or_default());
            at = span.bytes.end;
        }
    }
    if open {
        out.push(CLOSE);
    }
    out.push_str(prepared.text.get(at..).unwrap_or_default());
    out
}

/// One row for every token, those behind the length limit too.
pub fn token_table(
    prepared: &Prepared,
    tokenizer: Option<&Tokenizer>,
    end_token_ids: &[u32],
) -> Vec<TokenRow> {
    let mut rows = Vec::with_capacity(prepared.spans.len());
    let mut covered = 0;
    for (index, span) in prepared.spans.iter().enumerate() {
        let own = span.bytes.start.max(covered)..span.bytes.end;
        let own_text = prepared.text.get(own).filter(|text| !text.is_empty());
        let text = match own_text {
            Some(text) => text.to_owned(),
            None => {
                let spelled = tokenizer.and_then(|tokenizer| tokenizer.id_to_token(span.id));
                let spelled = spelled.unwrap_or_default();
                match part_of_a_character(&spelled) {
                    Some(bytes) if !span.bytes.is_empty() => bytes,
                    _ => spelled,
                }
            }
        };
        covered = covered.max(span.bytes.end);
        rows.push(TokenRow {
            index,
            id: span.id,
            text,
            trained: span.trained,
            cut: index >= prepared.encoded.len(),
            ends_generation: end_token_ids.contains(&span.id),
        });
    }
    rows
}

/// The bytes of a token that goes on with a character, as a vocabulary spells them: a stand-in for
/// each (GPT-2's `bytes_to_unicode`), or `<0xE5>`. `None` where it is spelled as text.
fn part_of_a_character(token: &str) -> Option<String> {
    if let Some(byte) = token
        .strip_prefix("<0x")
        .and_then(|rest| rest.strip_suffix('>'))
    {
        return Some(format!("⟨{byte}⟩"));
    }
    let bytes: Option<Vec<u8>> = token.chars().map(byte_of).collect();
    // What goes on with a character begins with a byte that is no text by itself.
    let bytes = bytes.filter(|bytes| bytes.first().is_some_and(|byte| !byte.is_ascii()))?;
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    Some(format!("⟨{}⟩", bytes.join(" ")))
}

/// Printable bytes stand for themselves, the others follow in their order from U+0100 on.
fn byte_of(c: char) -> Option<u8> {
    let is_own = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..);
    match u8::try_from(c) {
        Ok(byte) => Some(byte).filter(is_own),
        Err(_) => {
            let place = usize::try_from(u32::from(c).checked_sub(0x100)?).ok()?;
            (0..=u8::MAX).filter(|byte| !is_own(byte)).nth(place)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Encoded, TokenSpan};
    use super::*;

    /// Tokens of one byte each over "abcdef", trained where `mask` says, cut behind `n_kept`.
    fn prepared(mask: [bool; 6], n_kept: usize) -> Prepared {
        let spans = (0..6).map(|index| TokenSpan {
            id: index as u32,
            bytes: index..index + 1,
            trained: mask[index],
        });
        Prepared {
            encoded: Encoded {
                input_ids: (0..n_kept as u32).collect(),
                labels: vec![0; n_kept],
            },
            text: "abcdef".to_owned(),
            spans: spans.collect(),
            truncated: n_kept < 6,
        }
    }

    #[test]
    fn brackets_open_and_close_with_the_mask() {
        let mask = [false, true, true, false, true, true];
        assert_eq!(marked_text(&prepared(mask, 6)), "a⟦bc⟧d⟦ef⟧");
    }

    #[test]
    fn the_cut_stands_between_the_tokens_it_parts() {
        let mask = [false, true, true, false, true, true];
        assert_eq!(marked_text(&prepared(mask, 3)), "a⟦bc⟧✂d⟦ef⟧");
        assert_eq!(marked_text(&prepared(mask, 2)), "a⟦b✂c⟧d⟦ef⟧");
        assert_eq!(marked_text(&prepared(mask, 4)), "a⟦bc⟧d✂⟦ef⟧");
    }

    /// Texts of the tokens of a text whose tokens are these stretches of it.
    fn texts(text: &str, spans: &[(&str, std::ops::Range<usize>)]) -> Vec<String> {
        let tokenizer = Tokenizer::from_json(&super::super::test_tokenizer::byte_level_json());
        let tokenizer = tokenizer.unwrap();
        let spans = spans.iter().map(|(spelled, bytes)| TokenSpan {
            id: tokenizer.token_to_id(spelled).unwrap(),
            bytes: bytes.clone(),
            trained: false,
        });
        let prepared = Prepared {
            text: text.to_owned(),
            spans: spans.collect(),
            ..prepared([false; 6], 6)
        };
        let rows = token_table(&prepared, Some(&tokenizer), &[]);
        rows.into_iter().map(|row| row.text).collect()
    }

    #[test]
    fn a_character_of_several_tokens_is_read_once() {
        let spans = [("å", 0..3), ("¹", 0..3), ("³", 0..3), ("a", 3..4)];
        assert_eq!(texts("平a", &spans), ["平", "⟨B9⟩", "⟨B3⟩", "a"]);
        // The second token ends one character and begins the next.
        let spans = [("å", 0..3), ("³", 0..6), ("Ŀ", 3..6)];
        assert_eq!(texts("平均", &spans), ["平", "均", "⟨9D⟩"]);
        assert_eq!(texts("a", &[("<s>", 0..0), ("a", 0..1)]), ["<s>", "a"]);
    }

    #[test]
    fn bytes_are_known_by_their_stand_ins() {
        for (token, expected) in [
            ("ĿĩÅ", Some("⟨9D 87 C5⟩")),
            ("<0xE5>", Some("⟨E5⟩")),
            ("Ġa", None),
            ("株式", None),
            ("", None),
        ] {
            assert_eq!(part_of_a_character(token).as_deref(), expected, "{token}");
        }
    }

    #[test]
    fn rows_know_what_is_cut_and_what_ends_generation() {
        let rows = token_table(&prepared([true; 6], 5), None, &[4]);
        let ends: Vec<usize> = rows
            .iter()
            .filter(|row| row.ends_generation)
            .map(|row| row.index)
            .collect();
        let cut: Vec<usize> = rows
            .iter()
            .filter(|row| row.cut)
            .map(|row| row.index)
            .collect();
        assert_eq!((ends, cut), (vec![4], vec![5]));
    }
}
