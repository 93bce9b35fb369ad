//! Letters on a page to what a person reads: words, lines, paragraphs, headings, tables.
//!
//! A PDF says where each letter stands and nothing else. Letters that follow each other on a baseline
//! are a run ([`super::pdf_runs`]); runs that stand side by side in several rows are a table
//! ([`super::pdf_tables`]); the others are read in the order in which the file has them, which is the
//! order of reading also where text runs in columns, but for files that write across them
//! ([`super::pdf_columns`]). What is turned is read behind the rest.

use super::{
    Block, pdf_columns,
    pdf_letters::{Letter, by_direction, without_doubles},
    pdf_runs::{Run, SAME_LINE, is_ideographic, runs},
    pdf_tables::{Columns, tables},
};

/// Distance of lines in sizes of the font.
pub(super) const NEW_PARAGRAPH: f64 = 1.75;

/// Larger letters than those of most of the page are a heading.
const HEADING: f64 = 1.15;
const MAX_HEADING_CHARS: usize = 160;

/// Columns of running text have more in every line than cells of a table, at least in one column.
pub(super) const MAX_MEAN_CELL_CHARS: usize = 25;

/// A block with the columns of the page that it stands in, if it is a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) block: Block,
    pub(super) columns: Columns,
}

impl Placed {
    fn text(block: Block) -> Self {
        let columns = Columns::new();
        Self { block, columns }
    }
}

pub(super) fn blocks(letters: Vec<Letter>) -> Vec<Placed> {
    let letters = without_doubles(letters);
    let body_size = body_size(&letters);
    let groups = by_direction(letters).into_iter();
    groups
        .flat_map(|letters| level_blocks(letters, body_size))
        .collect()
}

/// Of letters that are read the same way.
fn level_blocks(letters: Vec<Letter>, body_size: f64) -> Vec<Placed> {
    let mut runs = runs(letters);
    runs.retain(|run| !run.text.trim().is_empty());
    let in_columns = pdf_columns::order(&mut runs);
    let tables = tables(&runs, &in_columns);
    let mut in_table = vec![false; runs.len()];
    let mut found: Vec<(usize, Placed)> = Vec::new();
    for table in tables {
        let first = table.members.iter().copied().min().unwrap_or(0);
        for &member in &table.members {
            in_table[member] = true;
        }
        let placed = Placed {
            block: Block::Table(table.rows),
            columns: table.columns,
        };
        found.push((first, placed));
    }
    found.extend(flow(&runs, &in_table, body_size));
    found.sort_by_key(|(first, _)| *first);
    found.into_iter().map(|(_, block)| block).collect()
}

/// The size that most letters have.
fn body_size(letters: &[Letter]) -> f64 {
    let mut sizes: Vec<f64> = letters.iter().map(|letter| letter.size).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.get(sizes.len() / 2).copied().unwrap_or(0.0)
}

/// What is no table: lines in the order of the file, joined to paragraphs.
fn flow(runs: &[Run], in_table: &[bool], body_size: f64) -> Vec<(usize, Placed)> {
    let placed = |(first, run)| (first, Placed::text(block(run, body_size)));
    let mut blocks = Vec::new();
    let mut paragraph: Option<(usize, Run)> = None;
    for (at, run) in runs.iter().enumerate().filter(|(at, _)| !in_table[*at]) {
        if let Some((_, open)) = &mut paragraph
            && continues(open, run)
        {
            join(open, run);
            continue;
        }
        blocks.extend(paragraph.take().map(placed));
        paragraph = Some((at, run.clone()));
    }
    blocks.extend(paragraph.map(placed));
    blocks
}

/// Whether a run goes on with the paragraph before it: on its line, or on the next one below.
fn continues(open: &Run, run: &Run) -> bool {
    let size = open.size.max(run.size);
    let same_size = (open.size - run.size).abs() < 0.15 * size;
    let down = run.y - open.y;
    same_size && down > -SAME_LINE * size && down < NEW_PARAGRAPH * size
}

fn join(open: &mut Run, run: &Run) {
    let is_new_line = run.y - open.y >= SAME_LINE * open.size;
    append(&mut open.text, &run.text, is_new_line);
    open.y = run.y;
    open.right = run.right;
}

/// Go on with a text, on the same line or a new one.
pub(super) fn append(open: &mut String, text: &str, is_new_line: bool) {
    let text = text.trim_start();
    let kept = open.trim_end().len();
    open.truncate(kept);
    let hyphen = is_new_line && is_hyphenated(open, text);
    let ideographic = open.ends_with(is_ideographic) && text.starts_with(is_ideographic);
    if hyphen {
        open.pop();
    } else if !ideographic && !open.is_empty() {
        open.push(' ');
    }
    open.push_str(text);
}

/// Whether a word is cut at the end of a line.
pub(super) fn is_hyphenated(above: &str, below: &str) -> bool {
    const HYPHENS: [char; 2] = ['-', '\u{ad}'];
    let word = above.trim_end_matches(HYPHENS);
    word.len() < above.len()
        && word.ends_with(char::is_alphabetic)
        && below.starts_with(char::is_lowercase)
}

fn block(run: Run, body_size: f64) -> Block {
    let text = run.text.trim().to_owned();
    let is_heading = run.size > HEADING * body_size && text.chars().count() <= MAX_HEADING_CHARS;
    if is_heading {
        Block::Heading(text)
    } else {
        Block::Paragraph(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text as a PDF writes it: letters half as wide as they are high.
    fn line(text: &str, x: f64, y: f64, size: f64) -> Vec<Letter> {
        let mut at = x;
        let mut letters = Vec::new();
        for c in text.chars() {
            let width = size * if is_ideographic(c) { 1.0 } else { 0.5 };
            // Spaces are gaps in many files.
            if c != ' ' {
                letters.push(Letter {
                    text: c.to_string(),
                    x: at,
                    y,
                    width,
                    width_is_known: true,
                    size,
                    angle: 0.0,
                });
            }
            at += width;
        }
        letters
    }

    fn page(lines: &[(&str, f64, f64, f64)]) -> Vec<Block> {
        let letters = lines
            .iter()
            .flat_map(|(text, x, y, size)| line(text, *x, *y, *size));
        blocks(letters.collect())
            .into_iter()
            .map(|placed| placed.block)
            .collect()
    }

    #[test]
    fn lines_join_to_paragraphs_and_headings_stand_out() {
        let found = page(&[
            ("Informe anual", 50.0, 40.0, 20.0),
            ("El resultado del ejer-", 50.0, 80.0, 10.0),
            ("cicio fue bueno.", 50.0, 92.0, 10.0),
            ("日本の保険は", 50.0, 130.0, 10.0),
            ("広い。", 50.0, 142.0, 10.0),
        ]);
        assert_eq!(
            found,
            [
                Block::Heading("Informe anual".into()),
                Block::Paragraph("El resultado del ejercicio fue bueno.".into()),
                Block::Paragraph("日本の保険は広い。".into()),
            ]
        );
    }

    #[test]
    fn rows_side_by_side_are_a_table() {
        let found = page(&[
            ("Indicadores", 50.0, 40.0, 10.0),
            ("banco", 50.0, 80.0, 10.0),
            ("ROE", 200.0, 80.0, 10.0),
            ("CaixaBank", 50.0, 95.0, 10.0),
            ("8,3", 200.0, 95.0, 10.0),
            ("BBVA", 50.0, 110.0, 10.0),
            ("15,1", 198.0, 110.0, 10.0),
            ("Fuente", 50.0, 150.0, 10.0),
        ]);
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        assert_eq!(
            found,
            [
                Block::Paragraph("Indicadores".into()),
                Block::Table(vec![
                    row("banco", "ROE"),
                    row("CaixaBank", "8,3"),
                    row("BBVA", "15,1")
                ]),
                Block::Paragraph("Fuente".into()),
            ]
        );
    }

    #[test]
    fn two_columns_of_text_are_read_one_after_the_other() {
        let left = "This is the first column of a page of text with two columns";
        let right = "and this is the second column, which is read behind the first";
        let found = page(&[
            (left, 50.0, 80.0, 10.0),
            (left, 50.0, 92.0, 10.0),
            (right, 400.0, 80.0, 10.0),
            (right, 400.0, 92.0, 10.0),
        ]);
        assert_eq!(
            found,
            [
                Block::Paragraph(format!("{left} {left}")),
                Block::Paragraph(format!("{right} {right}")),
            ]
        );
    }

    /// Lines of two columns as a file has them that writes across both.
    fn across(left: &[&str], right: &[&str]) -> Vec<Block> {
        let mut lines = vec![("Informe", 50.0, 40.0, 14.0)];
        for at in 0..left.len().max(right.len()) {
            let y = 80.0 + 13.0 * at as f64;
            lines.extend(left.get(at).map(|text| (*text, 50.0, y, 10.0)));
            lines.extend(right.get(at).map(|text| (*text, 320.0, y, 10.0)));
        }
        page(&lines)
    }

    const LEFT: [&str; 8] = [
        "Life insurance products in Japan have",
        "been shaped by an ageing population",
        "and low interest rates. Many house-",
        "holds hold more than one contract and",
        "review them only when a child is born",
        "or a home is bought. The premium is low",
        "and depends on the age and the sum of",
        "all payments.",
    ];
    const RIGHT: [&str; 7] = [
        "Mortgage lending in Spain follows an-",
        "other logic. Banks compare the value",
        "of the home with the income of the",
        "borrower and keep the ratio below a",
        "limit that the supervisor sets. Fixed",
        "rates have become more common since",
        "the year 2016.",
    ];

    #[test]
    fn columns_that_are_written_across_are_read_one_after_the_other() {
        let (left, right) = (LEFT.join(" "), RIGHT.join(" "));
        assert_eq!(
            across(&LEFT, &RIGHT)[1..],
            [
                Block::Paragraph(left.replace("house- holds", "households")),
                Block::Paragraph(right.replace("an- other", "another")),
            ]
        );
    }

    #[test]
    fn full_lines_of_ideographs_go_on() {
        let line = "保険料は年齢と保険金額により毎年計算し";
        let lines = [line, line, line, line, line, line, "ます。"];
        let column = Block::Paragraph(lines.concat());
        assert_eq!(across(&lines, &lines)[1..], [column.clone(), column]);
    }

    #[test]
    fn short_columns_with_cut_words_are_no_table() {
        let left = [
            "Left column has infor-",
            "mation that goes on",
            "to the end of col-",
            "umn one.",
        ];
        let right = [
            "Right column begins",
            "about insurance, mort-",
            "gage lending. It ends",
            "with a",
        ];
        let texts: Vec<String> = across(&left, &right)[1..].iter().map(Block::text).collect();
        assert_eq!(
            texts,
            [
                "Left column has information that goes on to the end of column one.",
                "Right column begins about insurance, mortgage lending. It ends with a"
            ]
        );
    }

    #[test]
    fn tables_with_long_cells_are_read_by_rows() {
        let questions = ["What is the premium of a life insurance?"; 8];
        let answers = ["The sum that is paid every month for it."; 8];
        let found = across(&questions, &answers)[1].text();
        assert!(
            found.starts_with(&format!("{} {}", questions[0], answers[0])),
            "{found}"
        );
        let words = across(&["manzana"; 8], &["apple"; 8]);
        assert!(matches!(&words[1], Block::Table(rows) if rows.len() == 8));
    }

    #[test]
    fn what_is_turned_is_read_behind_the_rest() {
        let mut letters = line("Banco", 100.0, 700.0, 10.0);
        for letter in &mut letters {
            (letter.x, letter.y, letter.angle) = (100.0, 800.0 - letter.x, -90.0);
        }
        letters.extend(line("Informe", 50.0, 40.0, 10.0));
        let found: Vec<Block> = blocks(letters)
            .into_iter()
            .map(|placed| placed.block)
            .collect();
        let texts = ["Informe", "Banco"].map(|text| Block::Paragraph(text.into()));
        assert_eq!(found, texts);
    }

    #[test]
    fn a_page_without_letters_has_no_blocks() {
        assert_eq!(blocks(Vec::new()), []);
    }
}
