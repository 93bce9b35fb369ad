//! Two columns of running text beside each other on a page.
//!
//! Most files write one column and then the other. Some write line by line across both, and lines in
//! short columns look like rows of a table. Columns are told by a gutter, white from the first row to
//! the last with text on both sides of it, and by what stands there: lines that go on in the next one
//! of the same column. Where nothing of the kind is found, the page stays as its file has it.

use super::{
    pdf_layout::{MAX_MEAN_CELL_CHARS, NEW_PARAGRAPH, is_hyphenated},
    pdf_runs::{Run, is_ideographic},
    pdf_tables::rows,
};

/// Widths and heights in sizes of the font.
const MIN_GUTTER: f64 = 1.0;
const MAX_ROW_GAP: f64 = 4.0;

/// Rows with text in both columns; as few as in the second where words are cut at the ends of lines.
const MIN_ROWS: usize = 6;
const MIN_ROWS_WITH_HYPHENS: usize = 4;

/// Put columns one after the other; which runs are in columns is given back.
pub(super) fn order(runs: &mut [Run]) -> Vec<bool> {
    let mut in_columns = vec![false; runs.len()];
    let rows = rows(runs, &in_columns);
    let mut at = 0;
    while at < rows.len() {
        let Some(found) = Columns::starting(runs, &rows, at) else {
            at += 1;
            continue;
        };
        at = found.end;
        if !found.is_running_text(runs, &rows) {
            continue;
        }
        let (members, moved) = found.moved(runs, &rows);
        for (member, run) in members.into_iter().zip(moved) {
            if let (Some(place), Some(flag)) = (runs.get_mut(member), in_columns.get_mut(member)) {
                *place = run;
                *flag = true;
            }
        }
    }
    in_columns
}

/// Rows `start..end` with white between `left` and `right`.
#[derive(Debug, Clone, Copy)]
struct Columns {
    start: usize,
    end: usize,
    left: f64,
    right: f64,
}

impl Columns {
    /// From a row with a gutter down to where it ends, then up over rows that stand in one column.
    fn starting(runs: &[Run], rows: &[Vec<usize>], at: usize) -> Option<Self> {
        let (left, right) = widest_gap(runs, rows.get(at)?)?;
        let mut found = Self {
            start: at,
            end: at + 1,
            left,
            right,
        };
        let mut end_of_both = found.end;
        while let Some(row) = rows.get(found.end) {
            let above = rows.get(found.end - 1)?;
            let Some(more) = found.with(runs, above, row, MAX_ROW_GAP) else {
                break;
            };
            found = more;
            found.end += 1;
            if found.sides(runs, row).all(|side| side.is_some()) {
                end_of_both = found.end;
            }
        }
        found.end = end_of_both;
        // A column may go on below the other, or begin above it.
        while let (Some(above), Some(row)) = (rows.get(found.end - 1), rows.get(found.end)) {
            match found.with(runs, above, row, NEW_PARAGRAPH) {
                Some(more) if same_size(runs, above, row) => found = more,
                _ => break,
            }
            found.end += 1;
        }
        Some(found)
    }

    /// With one more row below, if the gutter stays.
    fn with(self, runs: &[Run], above: &[usize], row: &[usize], max_gap: f64) -> Option<Self> {
        let (above, first) = (runs.get(*above.first()?)?, runs.get(*row.first()?)?);
        let size = above.size.max(first.size);
        let mut more = self;
        for run in row.iter().filter_map(|&at| runs.get(at)) {
            if self.is_left(run) {
                more.left = more.left.max(run.right);
            } else {
                more.right = more.right.min(run.left);
            }
        }
        let fits = more.right - more.left >= MIN_GUTTER * size;
        (fits && first.y - above.y < max_gap * size).then_some(more)
    }

    fn is_left(self, run: &Run) -> bool {
        run.left + run.right < self.left + self.right
    }

    /// The text of a row on each side, with its right end and how many runs it has.
    fn sides(self, runs: &[Run], row: &[usize]) -> impl Iterator<Item = Option<Line>> {
        [true, false].into_iter().map(move |left| {
            let mut on_side: Vec<&Run> = row.iter().filter_map(|&at| runs.get(at)).collect();
            on_side.retain(|run| self.is_left(run) == left);
            on_side.sort_by(|a, b| a.left.total_cmp(&b.left));
            let last = on_side.last()?;
            let texts: Vec<&str> = on_side.iter().map(|run| run.text.trim()).collect();
            Some(Line {
                text: texts.join(" "),
                right: last.right,
                size: last.size,
                n_runs: on_side.len(),
            })
        })
    }

    fn is_running_text(self, runs: &[Run], rows: &[Vec<usize>]) -> bool {
        let rows = rows.get(self.start..self.end).unwrap_or_default();
        let (mut sides, mut n_both) = ([Vec::new(), Vec::new()], 0);
        for row in rows {
            let lines: Vec<Option<Line>> = self.sides(runs, row).collect();
            n_both += usize::from(lines.iter().all(Option::is_some));
            for (side, line) in sides.iter_mut().zip(lines) {
                side.extend(line);
            }
        }
        let hyphens = sides.iter().all(|lines| has_hyphens(lines));
        let long = sides.iter().all(|lines| is_long(lines));
        let enough = n_both >= MIN_ROWS && long || n_both >= MIN_ROWS_WITH_HYPHENS && hyphens;
        enough && sides.iter().all(|lines| goes_on(lines))
    }

    /// The places of the runs in the file, and the runs as they are read.
    fn moved(self, runs: &[Run], rows: &[Vec<usize>]) -> (Vec<usize>, Vec<Run>) {
        let rows = rows.get(self.start..self.end).unwrap_or_default();
        let left_of = |at: &usize| runs.get(*at).is_some_and(|run| self.is_left(run));
        let mut members: Vec<usize> = rows.iter().flatten().copied().collect();
        members.sort_unstable();
        let changes = members
            .windows(2)
            .filter(|pair| pair.iter().map(left_of).reduce(|a, b| a != b) == Some(true));
        let (mut left, mut right) = (Vec::new(), Vec::new());
        if changes.count() > rows.len() / 2 {
            for row in rows {
                let mut row = row.clone();
                row.sort_by(|&a, &b| runs[a].left.total_cmp(&runs[b].left));
                for at in row {
                    let side = if left_of(&at) { &mut left } else { &mut right };
                    side.push(at);
                }
            }
            left.append(&mut right);
        } else {
            left.clone_from(&members);
        }
        let moved = left.iter().filter_map(|&at| runs.get(at)).cloned();
        (members, moved.collect())
    }
}

/// What stands in one column in a row.
struct Line {
    text: String,
    right: f64,
    size: f64,
    n_runs: usize,
}

fn widest_gap(runs: &[Run], row: &[usize]) -> Option<(f64, f64)> {
    let mut row: Vec<&Run> = row.iter().filter_map(|&at| runs.get(at)).collect();
    row.sort_by(|a, b| a.left.total_cmp(&b.left));
    let gaps = row.windows(2).filter_map(|pair| match pair {
        [a, b] if b.left - a.right >= MIN_GUTTER * a.size.max(b.size) => Some((a.right, b.left)),
        _ => None,
    });
    gaps.max_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0)))
}

fn same_size(runs: &[Run], above: &[usize], row: &[usize]) -> bool {
    let size = |row: &[usize]| row.first().and_then(|&at| runs.get(at)).map(|run| run.size);
    match (size(above), size(row)) {
        (Some(a), Some(b)) => (a - b).abs() < 0.15 * a.max(b),
        _ => false,
    }
}

fn has_hyphens(lines: &[Line]) -> bool {
    let mut pairs = lines.windows(2);
    pairs.any(|pair| matches!(pair, [above, below] if is_hyphenated(&above.text, &below.text)))
}

/// An ideograph says as much as two letters.
fn is_long(lines: &[Line]) -> bool {
    let length = |c| if is_ideographic(c) { 2 } else { 1 };
    let chars = lines.iter().flat_map(|line| line.text.chars());
    let n_chars: usize = chars.map(length).sum();
    n_chars > MAX_MEAN_CELL_CHARS * lines.len()
}

/// Most lines go on in the next: with a small letter, or, in scripts without them, from the end of a
/// full line without the end of a sentence. Few are made of several runs, as rows of a table are.
fn goes_on(lines: &[Line]) -> bool {
    let right = lines.iter().map(|line| line.right).fold(f64::MIN, f64::max);
    let continues = |above: &Line, below: &Line| {
        let is_full = right - above.right < 1.5 * above.size;
        let is_open = above.text.ends_with(is_ideographic) && !above.text.ends_with(['。', '．']);
        below.text.starts_with(char::is_lowercase)
            || (is_full && is_open && below.text.starts_with(is_ideographic))
    };
    let pairs = lines.windows(2);
    let n_pairs = pairs.len();
    let n_continued = pairs
        .filter(|pair| matches!(pair, [above, below] if continues(above, below)))
        .count();
    let n_runs: usize = lines.iter().map(|line| line.n_runs).sum();
    n_continued * 2 >= n_pairs && n_runs * 5 <= lines.len() * 6
}
