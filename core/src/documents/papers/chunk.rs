//! A document in pieces of a length, each with its source and page.
//!
//! Pieces end where the text does: behind paragraphs where possible, else behind sentences, else behind
//! words. What stands under a heading begins with it, so that a piece says what it is about. Each piece
//! begins with the end of the one before, `overlap` tokens of it, cut at sentences too.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::{
    Block, Paper,
    sentences::{sentences, words},
};
use crate::{
    protocol::studio::ChunkReading,
    text::{Body, ModelText, Record},
};

/// A piece, or a row of a table, as a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) record: Record,
    pub(crate) page: Option<u32>,
}

pub(crate) type Pieces = std::vec::IntoIter<Piece>;

/// Cut a document. `text` counts tokens; without it lengths are in characters.
pub(crate) fn pieces(
    paper: &Paper,
    source: &str,
    reading: &ChunkReading,
    text: Option<Rc<ModelText>>,
) -> Pieces {
    let mut cutter = Cutter {
        source,
        size: reading.size.max(1) as usize,
        overlap: (reading.overlap as usize).min(reading.size.max(1) as usize / 2),
        text,
        heading: None,
        held: Vec::new(),
        n_held: 0,
        n_carried: 0,
        pieces: Vec::new(),
        n_tables: 0,
    };
    for page in &paper.pages {
        for block in &page.blocks {
            match block {
                Block::Table(rows) if reading.tables_as_rows && rows.len() > 1 => {
                    cutter.table(rows, page.number);
                }
                Block::Heading(heading) => {
                    cutter.end_piece(false);
                    cutter.heading = Some(heading.clone());
                    cutter.add(heading.clone() + "\n\n", page.number);
                }
                _ => cutter.add_block(&block.text(), page.number),
            }
        }
    }
    cutter.end_piece(false);
    cutter.pieces.into_iter()
}

struct Cutter<'a> {
    source: &'a str,
    size: usize,
    overlap: usize,
    text: Option<Rc<ModelText>>,
    heading: Option<String>,
    /// Parts of the piece at hand: text, length, page.
    held: Vec<(String, usize, Option<u32>)>,
    n_held: usize,
    /// Parts at its start that the piece before has too.
    n_carried: usize,
    pieces: Vec<Piece>,
    n_tables: usize,
}

impl Cutter<'_> {
    fn length(&self, text: &str) -> usize {
        let tokenizer = self.text.as_ref().and_then(|text| text.tokenizer.as_ref());
        let tokens = tokenizer.and_then(|tokenizer| tokenizer.encode(text, false).ok());
        let n_tokens = tokens.map(|tokens| tokens.len());
        n_tokens.unwrap_or_else(|| text.chars().count())
    }

    /// A paragraph as a whole where it fits, otherwise in sentences, otherwise in words.
    fn add_block(&mut self, text: &str, page: Option<u32>) {
        let whole = format!("{text}\n\n");
        let n = self.length(&whole);
        if self.n_held + n <= self.size {
            self.push(whole, n, page);
            return;
        }
        for sentence in sentences(&whole) {
            if self.length(sentence) <= self.size {
                self.add(sentence.to_owned(), page);
                continue;
            }
            for word in words(sentence) {
                self.add_word(word, page);
            }
        }
    }

    /// A word longer than a piece is cut between characters.
    fn add_word(&mut self, word: &str, page: Option<u32>) {
        if self.length(word) <= self.size {
            self.add(word.to_owned(), page);
            return;
        }
        let chars: Vec<char> = word.chars().collect();
        // A character has at most four tokens in byte-level tokenizers.
        for part in chars.chunks((self.size / 4).max(1)) {
            self.add(part.iter().collect(), page);
        }
    }

    fn add(&mut self, text: String, page: Option<u32>) {
        let n = self.length(&text);
        if self.n_held + n > self.size && self.held.len() > self.n_carried {
            self.end_piece(true);
        }
        while self.n_held + n > self.size && self.n_carried > 0 {
            let (_, n_first, _) = self.held.remove(0);
            self.n_held -= n_first;
            self.n_carried -= 1;
        }
        self.push(text, n, page);
    }

    fn push(&mut self, text: String, n: usize, page: Option<u32>) {
        self.held.push((text, n, page));
        self.n_held += n;
    }

    /// Make a record of what is held, and keep its end for the next one.
    fn end_piece(&mut self, carry: bool) {
        let only_heading = self.heading.as_ref().is_some_and(|heading| {
            self.held.len() == 1 && self.held[0].0.trim_end() == heading.as_str()
        });
        if self.held.len() > self.n_carried && !(only_heading && carry) {
            let text: String = self.held.iter().map(|(text, ..)| text.as_str()).collect();
            let text = text.trim().to_owned();
            let own = &self.held[self.n_carried..];
            let page = own.first().and_then(|(.., page)| *page);
            if !text.is_empty() {
                self.pieces.push(self.piece(text, page));
            }
        }
        let mut kept = Vec::new();
        let mut n_kept = 0;
        if carry {
            while let Some((text, n, page)) = self.held.pop() {
                if n_kept + n > self.overlap {
                    break;
                }
                n_kept += n;
                kept.insert(0, (text, n, page));
            }
        }
        self.n_carried = kept.len();
        self.n_held = n_kept;
        self.held = kept;
    }

    /// Each row as lines of `column: value`.
    fn table(&mut self, rows: &[Vec<String>], page: Option<u32>) {
        self.end_piece(false);
        let [header, rows @ ..] = rows else { return };
        self.n_tables += 1;
        for (at, row) in rows.iter().enumerate() {
            let lines: Vec<String> = header
                .iter()
                .zip(row)
                .filter(|(_, value)| !value.trim().is_empty())
                .map(|(name, value)| match name.trim() {
                    "" => value.trim().to_owned(),
                    name => format!("{name}: {}", value.trim()),
                })
                .collect();
            if lines.is_empty() {
                continue;
            }
            let mut piece = self.piece(lines.join("\n"), page);
            let extra = &mut piece.record.extra;
            extra.insert("table".into(), self.n_tables.into());
            extra.insert("row".into(), (at + 1).into());
            self.pieces.push(piece);
        }
    }

    fn piece(&self, text: String, page: Option<u32>) -> Piece {
        let mut extra = Map::new();
        extra.insert("source".into(), self.source.into());
        if let Some(page) = page {
            extra.insert("page".into(), page.into());
        }
        if let Some(heading) = &self.heading {
            extra.insert("heading".into(), Value::from(heading.as_str()));
        }
        let n = self.pieces.len() as u64 + 1;
        extra.insert("piece".into(), n.into());
        Piece {
            record: Record {
                body: Body::Text {
                    prompt: String::new(),
                    completion: text,
                },
                extra,
                line: n,
            },
            page,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Page;
    use super::*;

    fn reading(size: u32, overlap: u32) -> ChunkReading {
        ChunkReading {
            size,
            overlap,
            tables_as_rows: true,
        }
    }

    fn paper(pages: Vec<Vec<Block>>) -> Paper {
        let numbered = |(at, blocks)| Page {
            number: Some(at as u32 + 1),
            blocks,
        };
        Paper {
            pages: pages.into_iter().enumerate().map(numbered).collect(),
        }
    }

    fn texts(paper: &Paper, reading: &ChunkReading) -> Vec<(Option<u32>, String)> {
        pieces(paper, "a.pdf", reading, None)
            .map(|piece| match piece.record.body {
                Body::Text { completion, .. } => (piece.page, completion),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    fn p(text: &str) -> Block {
        Block::Paragraph(text.into())
    }

    #[test]
    fn short_documents_are_one_piece() {
        let paper = paper(vec![vec![p("uno"), p("dos")]]);
        assert_eq!(
            texts(&paper, &reading(100, 20)),
            [(Some(1), "uno\n\ndos".into())]
        );
    }

    #[test]
    fn pieces_keep_their_length_and_overlap_by_sentences() {
        let sentences: Vec<String> = (10..40).map(|i| format!("Frase {i}. ")).collect();
        let paper = paper(vec![vec![p(sentences.concat().trim())]]);
        let found = texts(&paper, &reading(50, 12));
        assert!(found.len() > 6, "{found:?}");
        for (_, text) in &found {
            assert!(text.chars().count() <= 50, "{text}");
        }
        for pair in found.windows(2) {
            let last = pair[0].1.rsplit(". ").next().unwrap().trim_end_matches('.');
            assert!(pair[1].1.starts_with(last), "{pair:?}");
        }
        // Nothing is lost and nothing comes twice without overlap.
        let bare = texts(&paper, &reading(50, 0));
        let joined: Vec<&str> = bare.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(joined.join(" "), sentences.concat().trim());
    }

    #[test]
    fn a_piece_has_the_page_on_which_it_begins_and_its_heading() {
        let paper = paper(vec![
            vec![Block::Heading("Riesgo".into()), p("uno")],
            vec![p("dos")],
            vec![Block::Heading("Capital".into()), p("tres")],
        ]);
        let found: Vec<Piece> = pieces(&paper, "a.pdf", &reading(200, 0), None).collect();
        let about: Vec<_> = found
            .iter()
            .map(|piece| (piece.page, piece.record.extra["heading"].as_str()))
            .collect();
        assert_eq!(
            about,
            [(Some(1), Some("Riesgo")), (Some(3), Some("Capital"))]
        );
    }

    #[test]
    fn tables_become_rows_or_text() {
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        let table = Block::Table(vec![row("banco", "ROE"), row("Caixa", "8,3"), row("", "")]);
        let paper = paper(vec![vec![table]]);
        assert_eq!(
            texts(&paper, &reading(100, 0)),
            [(Some(1), "banco: Caixa\nROE: 8,3".into())]
        );
        let whole = ChunkReading {
            tables_as_rows: false,
            ..reading(100, 0)
        };
        assert_eq!(texts(&paper, &whole).len(), 1);
    }

    #[test]
    fn text_without_any_place_to_cut_is_cut_anyway() {
        let paper = paper(vec![vec![p(&"x".repeat(1000)), p(&"日".repeat(300))]]);
        for (_, text) in texts(&paper, &reading(64, 16)) {
            assert!(text.chars().count() <= 64);
        }
    }
}
