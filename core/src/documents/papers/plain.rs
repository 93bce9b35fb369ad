//! Plain text: paragraphs are what blank lines set apart.
//!
//! What stands inside a paragraph, and the blank lines behind it, stay as the file has them: they may
//! mean something, as they do in code.

use super::{Block, Page, Paper, paper_encoding::decoded};
use crate::data::Encoding;

/// Prose. A form feed ends a page, as in the text files of old and in what PDF tools write.
pub(super) fn read(bytes: &[u8], encoding: Option<Encoding>) -> Paper {
    let text = decoded(bytes, encoding).replace("\r\n", "\n");
    let mut pages = Vec::new();
    let has_pages = text.contains('\u{c}');
    for (at, page) in text.split('\u{c}').enumerate() {
        let mut lines: Vec<String> = paragraphs(page).into_iter().map(String::from).collect();
        if let Some(last) = lines.last_mut().filter(|_| has_pages) {
            // A page ends a paragraph, too.
            last.truncate(last.trim_end().len());
            last.push_str("\n\n");
        }
        if !lines.is_empty() {
            pages.push(Page {
                number: has_pages.then_some(at as u32 + 1),
                blocks: lines.into_iter().map(Block::Lines).collect(),
            });
        }
    }
    Paper {
        pages,
        ..Paper::default()
    }
}

/// Code and the like, of which every character counts: the blocks joined are the text.
pub(super) fn read_verbatim(bytes: &[u8], encoding: Option<Encoding>) -> Paper {
    let text = decoded(bytes, encoding);
    let blocks: Vec<Block> = paragraphs(&text)
        .into_iter()
        .map(|lines| Block::Verbatim(lines.to_owned()))
        .collect();
    let page = Page {
        number: None,
        blocks,
    };
    let is_empty = page.blocks.is_empty();
    Paper {
        pages: if is_empty { Vec::new() } else { vec![page] },
        ..Paper::default()
    }
}

/// Paragraphs with the blank lines behind them, the first also with those before it; none where there
/// are blank lines only.
fn paragraphs(text: &str) -> Vec<&str> {
    let mut paragraphs = Vec::new();
    let (mut start, mut at) = (0, 0);
    let (mut has_text, mut is_behind_blank) = (false, false);
    for line in text.split_inclusive('\n') {
        let is_blank = line.trim().is_empty();
        if !is_blank && has_text && is_behind_blank {
            paragraphs.push(&text[start..at]);
            start = at;
        }
        has_text |= !is_blank;
        is_behind_blank = is_blank;
        at += line.len();
    }
    if has_text {
        paragraphs.push(&text[start..]);
    }
    paragraphs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(paper: &Paper) -> Vec<(Option<u32>, Vec<String>)> {
        let pages = paper.pages.iter();
        let texts = pages.map(|page| (page.number, page.blocks.iter().map(Block::text).collect()));
        texts.collect()
    }

    #[test]
    fn blank_lines_part_paragraphs_and_form_feeds_pages() {
        let paper = read("uno\r\ndos\n\n\ntres\u{c}四\n".as_bytes(), None);
        assert_eq!(
            texts(&paper),
            [
                (
                    Some(1),
                    vec!["uno\ndos\n\n\n".to_owned(), "tres\n\n".to_owned()]
                ),
                (Some(2), vec!["四\n\n".to_owned()])
            ]
        );
        assert_eq!(read(b"a", None).pages[0].number, None);
        assert!(read(b" \n\n", None).pages.is_empty());
    }

    #[test]
    fn of_code_nothing_is_lost() {
        let code = "\n\na = \"\"\"x  \n\n\n\ny\"\"\"\r\n\u{c}\n\tb\n\n";
        let paper = read_verbatim(code.as_bytes(), None);
        let found = texts(&paper);
        assert_eq!((found.len(), found[0].0), (1, None));
        assert_eq!(found[0].1.concat(), code);
        assert_eq!(found[0].1.len(), 3, "{found:?}");
        assert!(read_verbatim(b"\n \n", None).pages.is_empty());
    }
}
