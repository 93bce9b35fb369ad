//! A document in pieces of a length, each with its source and page.
//!
//! Pieces end where the text does: behind paragraphs where possible, else behind sentences, else behind
//! words. What stands under a heading begins with it, so that a piece says what it is about. Each piece
//! begins with the end of the one before, `overlap` tokens of it, cut at sentences too.
//!
//! Rows of tables are pieces of their own ([`super::table_rows`]), where that is asked for.
//!
//! Plain text stands in pieces as it stands in its file; of code, the pieces joined are the file.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::{
    Block, Names, Page, Paper,
    sentences::{sentences, words},
    table_rows::row_texts,
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
        keeps_ends: paper.pages.iter().any(is_verbatim),
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
                    cutter.table(rows, None, page.number);
                }
                Block::NamedTable(names, rows) if reading.tables_as_rows && rows.len() > 1 => {
                    cutter.table(rows, Some(*names), page.number);
                }
                Block::Heading(heading) => {
                    cutter.end_piece(false);
                    cutter.heading = Some(heading.clone());
                    cutter.add(heading.clone() + "\n\n", page.number);
                }
                Block::Lines(lines) => cutter.add_block(lines, page.number),
                Block::Verbatim(lines) => cutter.add_lines(lines, page.number),
                _ => cutter.add_block(&(block.text() + "\n\n"), page.number),
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
    /// White space at the ends of a piece belongs to it.
    keeps_ends: bool,
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

    /// A paragraph with what parts it from the next: as a whole where it fits, otherwise in sentences.
    fn add_block(&mut self, whole: &str, page: Option<u32>) {
        let n = self.length(whole);
        if self.n_held + n <= self.size {
            self.push(whole.to_owned(), n, page);
            return;
        }
        self.add_sentences(whole, page);
    }

    /// Lines that stay in one piece where they fit into one, otherwise line by line.
    fn add_lines(&mut self, lines: &str, page: Option<u32>) {
        let n = self.length(lines);
        if n <= self.size {
            self.make_room(n);
        }
        for line in lines.split_inclusive('\n') {
            match self.length(line) <= self.size {
                true => self.add(line.to_owned(), page),
                false => self.add_sentences(line, page),
            }
        }
    }

    /// Sentences, or words of those that are too long.
    fn add_sentences(&mut self, text: &str, page: Option<u32>) {
        for sentence in sentences(text) {
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
        self.make_room(n);
        self.push(text, n, page);
    }

    /// End the piece where so much more is too much for it, and repeat less in the next where need be.
    fn make_room(&mut self, n: usize) {
        if self.n_held + n > self.size && self.held.len() > self.n_carried {
            self.end_piece(true);
        }
        while self.n_held + n > self.size && self.n_carried > 0 {
            let (_, n_first, _) = self.held.remove(0);
            self.n_held -= n_first;
            self.n_carried -= 1;
        }
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
            let text = match self.keeps_ends {
                true => text,
                false => without_blank_ends(&text).to_owned(),
            };
            let own = &self.held[self.n_carried..];
            let page = own.first().and_then(|(.., page)| *page);
            // White space alone teaches nothing.
            if !text.trim().is_empty() {
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

    /// A piece for each row.
    fn table(&mut self, rows: &[Vec<String>], said: Option<Names>, page: Option<u32>) {
        self.end_piece(false);
        self.n_tables += 1;
        for row in row_texts(rows, said) {
            let mut piece = self.piece(row.text, page);
            let extra = &mut piece.record.extra;
            extra.insert("table".into(), self.n_tables.into());
            extra.insert("row".into(), row.row.into());
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

fn is_verbatim(page: &Page) -> bool {
    let mut blocks = page.blocks.iter();
    blocks.any(|block| matches!(block, Block::Verbatim(_)))
}

/// Blank lines before the text and white space behind it are gone; what indents its first line stays.
fn without_blank_ends(text: &str) -> &str {
    let text = text.trim_end();
    let n_blank = text.len() - text.trim_start().len();
    let start = text[..n_blank].rfind('\n').map_or(0, |at| at + 1);
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::super::PaperKind;
    use super::*;

    fn reading(size: u32, overlap: u32) -> ChunkReading {
        ChunkReading {
            size,
            overlap,
            tables_as_rows: true,
            encoding: None,
        }
    }

    fn paper(pages: Vec<Vec<Block>>) -> Paper {
        let numbered = |(at, blocks)| Page {
            number: Some(at as u32 + 1),
            blocks,
        };
        Paper {
            pages: pages.into_iter().enumerate().map(numbered).collect(),
            ..Paper::default()
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
    fn code_keeps_its_indentation_in_every_piece() {
        let lines: Vec<String> = (0..9).map(|i| format!("    line_{i} = {i}  # c")).collect();
        let paper = paper(vec![vec![Block::Code(lines.join("\n"))]]);
        for (_, text) in texts(&paper, &reading(60, 0)) {
            for line in text.lines() {
                assert!(line.starts_with("    line_"), "{text}");
            }
        }
        assert_eq!(without_blank_ends(" \n\n  a\n "), "  a");
        assert_eq!(without_blank_ends(" \n "), "");
    }

    fn of_file(name: &str, text: &str, reading: &ChunkReading) -> Vec<String> {
        let kind = PaperKind::of_text(name);
        let paper = Paper::read(kind, name, text.as_bytes().to_vec(), None).unwrap();
        let texts = texts(&paper, reading).into_iter();
        texts.map(|(_, text)| text).collect()
    }

    #[test]
    fn a_file_of_code_is_its_pieces_joined() {
        const CODE: &str = "\nimport re\r\n\n\n\ndef f():  \n    return \"\"\"x\n\n\n\ny\"\"\"\n\n\n\
                            # One. Two.\nlong = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]\n\n";
        for size in [1000, 60, 30] {
            let pieces = of_file("a.py", CODE, &reading(size, 0));
            assert_eq!(pieces.concat(), CODE, "{size}");
            assert_eq!(pieces.len() == 1, size == 1000);
            for repeating in of_file("a.py", CODE, &reading(size, size / 2)) {
                assert!(CODE.contains(&repeating), "{repeating:?}");
            }
        }
        let whole_blocks = of_file("a.py", "a = 1\n\n\nb = 2\nc = 3\n", &reading(16, 0));
        assert_eq!(whole_blocks, ["a = 1\n\n\n", "b = 2\nc = 3\n"]);
    }

    #[test]
    fn what_stands_inside_a_piece_of_prose_is_the_file_s() {
        let text = "  Uno  \r\n  dos\n\n\n\nTres. Cuatro.\n\n";
        let pieces = of_file("a.txt", text, &reading(100, 0));
        assert_eq!(pieces, ["  Uno  \n  dos\n\n\n\nTres. Cuatro."]);
    }

    #[test]
    fn text_without_any_place_to_cut_is_cut_anyway() {
        let paper = paper(vec![vec![p(&"x".repeat(1000)), p(&"日".repeat(300))]]);
        for (_, text) in texts(&paper, &reading(64, 16)) {
            assert!(text.chars().count() <= 64);
        }
    }
}
