//! Letters on a page to what a person reads: words, lines, paragraphs, headings, tables.
//!
//! A PDF says where each letter stands and nothing else. Letters that follow each other on a baseline
//! are a run; runs that stand side by side in several rows, in the same columns and with little text,
//! are a table; the others are read in the order in which the file has them, which is the order of
//! reading also where text runs in columns, but for files that write across them ([`super::pdf_columns`]).

use super::{Block, pdf_columns};

/// A letter (or ligature) with its place; lengths in points, y downwards.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Letter {
    pub(super) text: String,
    pub(super) x: f64,
    /// Of the baseline.
    pub(super) y: f64,
    pub(super) width: f64,
    /// Otherwise it is that of the widest letters.
    pub(super) width_is_known: bool,
    /// Of the font.
    pub(super) size: f64,
}

/// Distances in sizes of the font.
const SAME_LINE: f64 = 0.35;
const SPACE: f64 = 0.18;
/// The same on a page that writes its spaces: what is left is kerning.
const SPACE_BESIDE_SPACES: f64 = 0.4;
const NEW_RUN: f64 = 0.9;
pub(super) const NEW_PARAGRAPH: f64 = 1.75;
const COLUMN_GAP: f64 = 0.5;

/// Larger letters than those of most of the page are a heading.
const HEADING: f64 = 1.15;
const MAX_HEADING_CHARS: usize = 160;

/// Columns of running text have more in every line than cells of a table, at least in one column.
pub(super) const MAX_MEAN_CELL_CHARS: usize = 25;

pub(super) fn blocks(letters: Vec<Letter>) -> Vec<Block> {
    let body_size = body_size(&letters);
    let mut runs = runs(letters);
    runs.retain(|run| !run.text.trim().is_empty());
    let in_columns = pdf_columns::order(&mut runs);
    let tables = tables(&runs, &in_columns);
    let mut in_table = vec![false; runs.len()];
    let mut found: Vec<(usize, Block)> = Vec::new();
    for table in tables {
        let first = table.members.iter().copied().min().unwrap_or(0);
        for &member in &table.members {
            in_table[member] = true;
        }
        found.push((first, Block::Table(table.rows)));
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

/// Letters that follow each other on a baseline.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) text: String,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) y: f64,
    pub(super) size: f64,
}

fn runs(letters: Vec<Letter>) -> Vec<Run> {
    let writes_spaces = letters.iter().any(|letter| letter.text == " ");
    let space = if writes_spaces {
        SPACE_BESIDE_SPACES
    } else {
        SPACE
    };
    let mut runs: Vec<Run> = Vec::new();
    let mut width_was_known = true;
    for letter in letters {
        let overlap = if width_was_known { 0.6 } else { 1.1 };
        width_was_known = letter.width_is_known;
        let end = letter.x + letter.width;
        if let Some(run) = runs.last_mut() {
            let gap = letter.x - run.right;
            let size = run.size.max(letter.size);
            let same_line = (letter.y - run.y).abs() < SAME_LINE * size;
            if same_line && gap > -overlap * size && gap < NEW_RUN * size {
                let has_space = run.text.ends_with(char::is_whitespace)
                    || letter.text.starts_with(char::is_whitespace);
                let needs_none =
                    run.text.ends_with(is_ideographic) && letter.text.starts_with(is_ideographic);
                if gap > space * size && !has_space && !needs_none {
                    run.text.push(' ');
                }
                run.text.push_str(&letter.text);
                run.right = run.right.max(end);
                continue;
            }
        }
        runs.push(Run {
            left: letter.x,
            right: end,
            y: letter.y,
            size: letter.size,
            text: letter.text,
        });
    }
    runs
}

struct Table {
    rows: Vec<Vec<String>>,
    /// Indices of the runs in it.
    members: Vec<usize>,
}

/// Runs that stand on one line, top to bottom, without those that are left out.
pub(super) fn rows(runs: &[Run], left_out: &[bool]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..runs.len()).filter(|&at| !left_out[at]).collect();
    order.sort_by(|&a, &b| runs[a].y.total_cmp(&runs[b].y));
    let mut rows: Vec<Vec<usize>> = Vec::new();
    for at in order {
        let joins = rows.last().and_then(|row| row.first()).is_some_and(|&top| {
            let size = runs[top].size.max(runs[at].size);
            (runs[at].y - runs[top].y).abs() < SAME_LINE * size
        });
        match rows.last_mut() {
            Some(row) if joins => row.push(at),
            _ => rows.push(vec![at]),
        }
    }
    rows
}

/// Stretches of rows, top to bottom, in which several runs stand side by side.
fn tables(runs: &[Run], left_out: &[bool]) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut stretch: Vec<Vec<usize>> = Vec::new();
    for row in rows(runs, left_out).into_iter().chain([Vec::new()]) {
        if row.len() >= 2 && follows(runs, stretch.last(), &row) {
            stretch.push(row);
            continue;
        }
        tables.extend(table(runs, &stretch));
        stretch.clear();
        if row.len() >= 2 {
            stretch.push(row);
        }
    }
    tables
}

/// Rows of one table stand close to each other.
fn follows(runs: &[Run], before: Option<&Vec<usize>>, row: &[usize]) -> bool {
    let (Some(&above), Some(&here)) = (before.and_then(|row| row.first()), row.first()) else {
        return true;
    };
    runs[here].y - runs[above].y < 4.0 * runs[here].size.max(runs[above].size)
}

fn table(runs: &[Run], rows: &[Vec<usize>]) -> Option<Table> {
    if rows.len() < 2 {
        return None;
    }
    let members: Vec<usize> = rows.iter().flatten().copied().collect();
    let columns = columns(runs, &members);
    if columns.len() < 2 {
        return None;
    }
    let mut cells: Vec<Vec<String>> = Vec::new();
    for row in rows {
        let mut texts = vec![String::new(); columns.len()];
        let mut sorted = row.clone();
        sorted.sort_by(|&a, &b| runs[a].left.total_cmp(&runs[b].left));
        for at in sorted {
            let middle = (runs[at].left + runs[at].right) / 2.0;
            let column = columns.iter().position(|&(_, right)| middle <= right);
            let cell = &mut texts[column.unwrap_or(columns.len() - 1)];
            if !cell.is_empty() {
                cell.push(' ');
            }
            cell.push_str(runs[at].text.trim());
        }
        cells.push(texts);
    }
    let is_short = |column: usize| {
        let n_chars: usize = cells.iter().map(|row| row[column].chars().count()).sum();
        n_chars / cells.len() <= MAX_MEAN_CELL_CHARS
    };
    (0..columns.len()).any(is_short).then_some(Table {
        rows: cells,
        members,
    })
}

/// Where the runs of a table leave gaps from top to bottom, columns part.
fn columns(runs: &[Run], members: &[usize]) -> Vec<(f64, f64)> {
    let mut spans: Vec<(f64, f64, f64)> = members
        .iter()
        .map(|&at| (runs[at].left, runs[at].right, runs[at].size))
        .collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut columns: Vec<(f64, f64)> = Vec::new();
    for (left, right, size) in spans {
        match columns.last_mut() {
            Some(last) if left - last.1 < COLUMN_GAP * size => last.1 = last.1.max(right),
            _ => columns.push((left, right)),
        }
    }
    columns
}

/// What is no table: lines in the order of the file, joined to paragraphs.
fn flow(runs: &[Run], in_table: &[bool], body_size: f64) -> Vec<(usize, Block)> {
    let mut blocks = Vec::new();
    let mut paragraph: Option<(usize, Run)> = None;
    for (at, run) in runs.iter().enumerate().filter(|(at, _)| !in_table[*at]) {
        if let Some((_, open)) = &mut paragraph
            && continues(open, run)
        {
            join(open, run);
            continue;
        }
        blocks.extend(
            paragraph
                .take()
                .map(|(first, run)| (first, block(run, body_size))),
        );
        paragraph = Some((at, run.clone()));
    }
    blocks.extend(paragraph.map(|(first, run)| (first, block(run, body_size))));
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
    let text = run.text.trim_start();
    let kept = open.text.trim_end().len();
    open.text.truncate(kept);
    let hyphen = is_new_line && is_hyphenated(&open.text, text);
    let ideographic = open.text.ends_with(is_ideographic) && text.starts_with(is_ideographic);
    if hyphen {
        open.text.pop();
    } else if !ideographic && !open.text.is_empty() {
        open.text.push(' ');
    }
    open.text.push_str(text);
    open.y = run.y;
    open.right = run.right;
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

pub(super) fn is_ideographic(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
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
                });
            }
            at += width;
        }
        letters
    }

    fn page(lines: &[(&str, f64, f64, f64)]) -> Vec<Block> {
        blocks(
            lines
                .iter()
                .flat_map(|(text, x, y, size)| line(text, *x, *y, *size))
                .collect(),
        )
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
    fn a_page_without_letters_has_no_blocks() {
        assert_eq!(blocks(Vec::new()), []);
    }
}
