//! Markdown: headings, paragraphs, fenced code and pipe tables; the rest of the markup stays, with the
//! fences and what they say of the language, for it is text that people write and models learn.

use super::{Block, Names, Page, Paper, paper_encoding::decoded};
use crate::data::Encoding;

/// Cells of a document that stand for those that short rows lack; further rows stay short.
const MAX_FILLED: usize = 1_000_000;

pub(super) fn read(bytes: &[u8], encoding: Option<Encoding>) -> Paper {
    let text = decoded(bytes, encoding);
    let mut reader = Reader::default();
    for line in without_front_matter(&text).lines() {
        reader.line(line);
    }
    reader.end_block();
    Paper {
        pages: vec![Page {
            number: None,
            blocks: reader.blocks,
        }],
        ..Paper::default()
    }
}

/// A block of settings between `---` at the very start is no text.
fn without_front_matter(text: &str) -> &str {
    let Some(rest) = text.strip_prefix("---\n") else {
        return text;
    };
    match rest.find("\n---\n") {
        Some(end) => &rest[end + 5..],
        None => text,
    }
}

#[derive(Default)]
struct Reader<'a> {
    blocks: Vec<Block>,
    lines: Vec<&'a str>,
    /// What the code at hand began with.
    fence: Option<Fence>,
    /// Cells that were filled in.
    n_filled: usize,
}

/// A line that begins or ends code (CommonMark 4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fence {
    sign: char,
    length: usize,
}

impl Fence {
    fn beginning(line: &str) -> Option<Self> {
        let sign = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let language = line.trim_start_matches(sign);
        let length = line.len() - language.len();
        // Code within a line begins with three signs too.
        let is_fence = length >= 3 && (sign == '~' || !language.contains('`'));
        is_fence.then_some(Self { sign, length })
    }

    /// With as many signs or more, and nothing behind them: fewer are part of the code.
    fn is_ended_by(self, line: &str) -> bool {
        line.len() >= self.length && line.chars().all(|c| c == self.sign)
    }
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &'a str) {
        let trimmed = line.trim();
        if let Some(fence) = self.fence {
            self.lines.push(line);
            if fence.is_ended_by(trimmed) {
                self.end_block();
            }
        } else if let Some(fence) = Fence::beginning(trimmed) {
            self.end_block();
            self.fence = Some(fence);
            self.lines.push(line);
        } else if trimmed.is_empty() {
            self.end_block();
        } else if let Some(heading) = heading(line) {
            self.end_block();
            self.blocks.push(Block::Heading(heading.to_owned()));
        } else {
            self.lines.push(line.trim_end());
        }
    }

    /// Code whose fence never closes is code to the end.
    fn end_block(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        if lines.is_empty() {
            return;
        }
        self.blocks.push(if self.fence.take().is_some() {
            Block::Code(lines.join("\n"))
        } else if let Some(table) = table(&lines, &mut self.n_filled) {
            table
        } else {
            Block::Paragraph(lines.join("\n"))
        });
    }
}

/// Four spaces before it make it code.
fn heading(line: &str) -> Option<&str> {
    let signs = line.trim_start_matches(' ');
    let indent = line.len() - signs.len();
    let text = signs.trim_start_matches('#');
    let level = signs.len() - text.len();
    let is_heading = indent < 4 && (1..=6).contains(&level) && text.starts_with(' ');
    is_heading.then(|| text.trim().trim_end_matches('#').trim_end())
}

/// A pipe table: a header, a line of dashes, rows. It cannot be without a header, but that may be empty.
fn table(lines: &[&str], n_filled: &mut usize) -> Option<Block> {
    let [head, dashes, rows @ ..] = lines else {
        return None;
    };
    let is_rule = dashes.contains('-')
        && dashes.contains('|')
        && dashes.chars().all(|c| matches!(c, '-' | '|' | ':' | ' '));
    if !is_rule || !head.contains('|') {
        return None;
    }
    let header = cells(head);
    let n_columns = header.len();
    let is_named = header.iter().any(|name| !name.is_empty());
    let mut table = Vec::new();
    if is_named {
        table.push(header);
    }
    for row in rows {
        let mut row = cells(row);
        *n_filled = n_filled.saturating_add(n_columns.saturating_sub(row.len()));
        if row.len() > n_columns || *n_filled <= MAX_FILLED {
            row.resize(n_columns, String::new());
        }
        table.push(row);
    }
    Some(match is_named {
        true => Block::NamedTable(Names::Columns, table),
        false => Block::Table(table),
    })
}

fn cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let line = line.strip_suffix('|').unwrap_or(line);
    // `\|` is a pipe inside a cell.
    let mut cells = vec![String::new()];
    let mut escaped = false;
    for c in line.chars() {
        match (c, escaped) {
            ('|', false) => cells.push(String::new()),
            ('\\', false) => {
                escaped = true;
                continue;
            }
            (c, _) => {
                if let Some(cell) = cells.last_mut() {
                    if escaped && c != '|' {
                        cell.push('\\');
                    }
                    cell.push(c);
                }
            }
        }
        escaped = false;
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str) -> Vec<Block> {
        read(text.as_bytes(), None).pages.remove(0).blocks
    }

    #[test]
    fn headings_code_and_tables_are_told_apart() {
        let text = "---\ntitle: x\n---\n# Título #\nuno\ndos\n\n```sql\nSELECT 1;\n\n-- fin\n```\n\n\
                    | a | b |\n|---|:-:|\n| 1 \\| 2 | 三 |\n| x |\n";
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        assert_eq!(
            blocks(text),
            [
                Block::Heading("Título".into()),
                Block::Paragraph("uno\ndos".into()),
                Block::Code("```sql\nSELECT 1;\n\n-- fin\n```".into()),
                Block::NamedTable(
                    Names::Columns,
                    vec![row(&["a", "b"]), row(&["1 | 2", "三"]), row(&["x", ""])]
                ),
            ]
        );
        assert_eq!(
            blocks("| | |\n|-|-|\n| a | 1 |"),
            [Block::Table(vec![row(&["a", "1"])])]
        );
    }

    #[test]
    fn short_rows_of_wide_tables_stay_short_in_the_end() {
        let text = format!("{}\n|-|-|\n{}", "|a".repeat(2000), "|b\n".repeat(1000));
        let blocks = blocks(&text);
        let [Block::NamedTable(_, rows)] = &blocks[..] else {
            panic!("a table");
        };
        let widths = [&rows[1], &rows[1000]].map(Vec::len);
        assert_eq!((rows.len(), widths), (1001, [2000, 1]));
    }

    #[test]
    fn code_ends_where_its_fence_does() {
        let nested = "````md\n```python\n# no heading\n```\n````";
        let text =
            format!("{nested}\n\n~~~ sh\n# nor this\n```\n~~~~\n```x``` y\n\n    # nor this");
        assert_eq!(
            blocks(&text),
            [
                Block::Code(nested.into()),
                Block::Code("~~~ sh\n# nor this\n```\n~~~~".into()),
                Block::Paragraph("```x``` y".into()),
                Block::Paragraph("    # nor this".into()),
            ]
        );
    }

    #[test]
    fn what_is_not_quite_markup_stays_text() {
        assert_eq!(
            blocks("#hashtag\na | b\nc"),
            [Block::Paragraph("#hashtag\na | b\nc".into())]
        );
        assert_eq!(
            blocks("```\nnever closed"),
            [Block::Code("```\nnever closed".into())]
        );
    }
}
