//! Markdown: headings, paragraphs, fenced code and pipe tables; the rest of the markup stays, for it
//! is text that people write and models learn.

use super::{Block, Page, Paper, decoded};

pub(super) fn read(bytes: &[u8]) -> Paper {
    let text = decoded(bytes);
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
    /// The mark that ends the code at hand.
    fence: Option<&'static str>,
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &'a str) {
        let trimmed = line.trim();
        if let Some(fence) = self.fence {
            if trimmed.starts_with(fence) {
                let code = self.lines.join("\n");
                self.blocks.push(Block::Code(code));
                self.lines.clear();
                self.fence = None;
            } else {
                self.lines.push(line);
            }
            return;
        }
        let fence = ["```", "~~~"]
            .into_iter()
            .find(|fence| trimmed.starts_with(fence));
        if fence.is_some() {
            self.end_block();
            self.fence = fence;
        } else if trimmed.is_empty() {
            self.end_block();
        } else if let Some(heading) = heading(trimmed) {
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
        } else if let Some(table) = table(&lines) {
            Block::Table(table)
        } else {
            Block::Paragraph(lines.join("\n"))
        });
    }
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    let is_heading = (1..=6).contains(&level) && text.starts_with(' ');
    is_heading.then(|| text.trim().trim_end_matches('#').trim_end())
}

/// Rows of a pipe table: a header, a line of dashes, rows.
fn table(lines: &[&str]) -> Option<Vec<Vec<String>>> {
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
    let mut table = vec![header];
    for row in rows {
        let mut row = cells(row);
        row.resize(n_columns, String::new());
        table.push(row);
    }
    Some(table)
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
        read(text.as_bytes()).pages.remove(0).blocks
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
                Block::Code("SELECT 1;\n\n-- fin".into()),
                Block::Table(vec![
                    row(&["a", "b"]),
                    row(&["1 | 2", "三"]),
                    row(&["x", ""])
                ]),
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
            [Block::Code("never closed".into())]
        );
    }
}
