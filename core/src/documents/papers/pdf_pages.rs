//! Tables that go on over pages: what stands at the top of a page in the columns of the table at the
//! end of the page before gets its header, so that each page keeps its rows and their number.

use super::{Block, pdf_layout::Placed};

/// Points by which a column may begin, or end, elsewhere.
const SAME_COLUMN: f64 = 12.0;
/// Blocks at the ends of a page that may be its head or foot.
const MAX_RUNNING: usize = 3;

pub(super) fn repeat_headers(pages: &mut [Vec<Placed>]) {
    for at in 1..pages.len() {
        let (before, after) = pages.split_at_mut(at);
        let (Some(before), Some(after)) = (before.last(), after.first_mut()) else {
            return;
        };
        if let Some((place, header)) = header_for(before, after)
            && let Some(Block::Table(rows)) = after.get_mut(place).map(|placed| &mut placed.block)
        {
            rows.insert(0, header);
        }
    }
}

/// The header of the last table of a page, and which block of the next page lacks it.
fn header_for(before: &[Placed], after: &[Placed]) -> Option<(usize, Vec<String>)> {
    let ends = |page: &[Placed]| -> Vec<String> {
        let n = page.len();
        let is_end = |at: &usize| *at < MAX_RUNNING || *at + MAX_RUNNING >= n;
        let ends = page.iter().enumerate().filter(|(at, _)| is_end(at));
        ends.filter_map(|(_, placed)| bare(placed)).collect()
    };
    let (ends_before, ends_after) = (ends(before), ends(after));
    let runs_through = |placed: &Placed, other: &[String]| {
        bare(placed).is_some_and(|text| text.is_empty() || other.contains(&text))
    };
    let last = before
        .iter()
        .rev()
        .find(|placed| !runs_through(placed, &ends_after))?;
    let place = after
        .iter()
        .position(|placed| !runs_through(placed, &ends_before))?;
    let next = after.get(place)?;
    let (Block::Table(above), Block::Table(below)) = (&last.block, &next.block) else {
        return None;
    };
    let (header, first) = (above.first()?, below.first()?);
    let goes_on = same_columns(last, next) && !is_header(first, header, below);
    goes_on.then(|| (place, header.clone()))
}

/// The letters of a text; what has none is the number of the page.
fn bare(placed: &Placed) -> Option<String> {
    match &placed.block {
        Block::Table(_) => None,
        block => Some(block.text().chars().filter(|c| c.is_alphabetic()).collect()),
    }
}

fn same_columns(a: &Placed, b: &Placed) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() < SAME_COLUMN;
    let mut pairs = a.columns.iter().zip(&b.columns);
    a.columns.len() == b.columns.len()
        && pairs.all(|(a, b)| (near(a.0, b.0) || near(a.1, b.1)) && a.0 < b.1 && b.0 < a.1)
}

/// Whether a first row is a header of its own: its first cell is that of the header before, or it has
/// words where a row below has a number.
fn is_header(first: &[String], header: &[String], rows: &[Vec<String>]) -> bool {
    let is_number = |text: &String| text.contains(char::is_numeric);
    let has_number = |row: &Vec<String>| row.iter().skip(1).any(is_number);
    let says = |row: &[String]| row.first().filter(|text| !text.is_empty()).cloned();
    (says(first).is_some() && says(first) == says(header))
        || (!first.iter().skip(1).any(is_number) && rows.iter().any(has_number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 2]], left: f64) -> Placed {
        let rows = rows.iter().map(|row| row.map(String::from).to_vec());
        Placed {
            block: Block::Table(rows.collect()),
            columns: vec![(left, left + 50.0), (left + 100.0, left + 130.0)],
        }
    }

    fn text(text: &str) -> Placed {
        Placed {
            block: Block::Paragraph(text.into()),
            columns: Vec::new(),
        }
    }

    fn first_row(before: Vec<Placed>, after: Vec<Placed>) -> Option<String> {
        let mut pages = [before, after];
        repeat_headers(&mut pages);
        pages[1].iter().find_map(|placed| match &placed.block {
            Block::Table(rows) => Some(rows[0].join(" ")),
            _ => None,
        })
    }

    #[test]
    fn a_table_on_the_next_page_has_the_header_of_the_one_before() {
        let before = || {
            let rows = table(&[["Bank", "2023"], ["BBVA", "8019"]], 70.0);
            vec![text("Annual report 3"), rows, text("3")]
        };
        let rows = [["Sabadell", "1332"], ["CaixaBank", "4816"]];
        let on = |left: f64| vec![text("Annual report 4"), table(&rows, left), text("4")];
        assert_eq!(first_row(before(), on(70.0)).unwrap(), "Bank 2023");
        assert_eq!(first_row(before(), on(200.0)).unwrap(), "Sabadell 1332");
        let titled = vec![text("Other banks"), table(&rows, 70.0)];
        assert_eq!(first_row(before(), titled).unwrap(), "Sabadell 1332");
        let own = vec![table(&[["Name", "sum"], ["Sabadell", "1332"]], 70.0)];
        assert_eq!(first_row(before(), own).unwrap(), "Name sum");
    }
}
