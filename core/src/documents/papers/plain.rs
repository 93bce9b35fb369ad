//! Plain text: paragraphs are what blank lines set apart.

use super::{Block, Page, Paper, decoded};

pub(super) fn read(bytes: &[u8]) -> Paper {
    let text = decoded(bytes);
    let mut pages = Vec::new();
    // A form feed ends a page, as in the text files of old and in what PDF tools write.
    let has_pages = text.contains('\u{c}');
    for (at, page) in text.split('\u{c}').enumerate() {
        let blocks = paragraphs(page);
        if !blocks.is_empty() {
            pages.push(Page {
                number: has_pages.then_some(at as u32 + 1),
                blocks,
            });
        }
    }
    Paper { pages }
}

pub(super) fn paragraphs(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        if !line.trim().is_empty() {
            lines.push(line.trim_end());
        } else if !lines.is_empty() {
            blocks.push(Block::Paragraph(lines.join("\n")));
            lines.clear();
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_part_paragraphs_and_form_feeds_pages() {
        let paper = read("uno\ndos\n\n\ntres\u{c}四\n".as_bytes());
        let texts: Vec<(Option<u32>, Vec<String>)> = paper
            .pages
            .iter()
            .map(|page| (page.number, page.blocks.iter().map(Block::text).collect()))
            .collect();
        assert_eq!(
            texts,
            [
                (Some(1), vec!["uno\ndos".to_owned(), "tres".to_owned()]),
                (Some(2), vec!["四".to_owned()])
            ]
        );
        assert_eq!(read(b"a").pages[0].number, None);
    }
}
