//! Tables of HTML: caption, header and rows as they are seen (WHATWG HTML 4.9.12).

use scraper::ElementRef;

use super::{
    Block, Names,
    html::{is_hidden, text_of},
    spans::{self, Cell},
};

/// Tables that only lay a page out hold other tables, or have one column.
pub(super) fn is_data(table: ElementRef<'_>) -> bool {
    let tables = table
        .descendent_elements()
        .filter(|element| element.value().name() == "table");
    let widest = rows(table).map(|row| cells(row).count()).max();
    tables.count() == 1 && widest.unwrap_or(0) > 1
}

/// The caption is a paragraph before the table.
pub(super) fn blocks(table: ElementRef<'_>, depth: usize) -> Vec<Block> {
    let caption = table
        .child_elements()
        .find(|child| child.value().name() == "caption" && !is_hidden(child));
    let caption = caption.map(|caption| text_of(caption, depth));
    let mut blocks = Vec::new();
    blocks.extend(
        caption
            .filter(|caption| !caption.is_empty())
            .map(Block::Paragraph),
    );
    let rows: Vec<ElementRef<'_>> = rows(table).collect();
    let n_header = header_rows(&rows);
    let mut spanned: Vec<Vec<Cell>> = Vec::new();
    let mut n_below = 0;
    for (at, row) in rows.iter().enumerate().rev() {
        // Cells end with the `thead` or `tbody` that they are in.
        let below = rows.get(at + 1).and_then(|below| below.parent());
        let same_group = row.parent().map(|group| group.id()) == below.map(|group| group.id());
        n_below = if same_group { n_below + 1 } else { 0 };
        let cell = |cell| spanned_cell(cell, n_below + 1, depth);
        spanned.push(cells(*row).map(cell).collect());
    }
    spanned.reverse();
    let said = has_named_rows(&rows).then_some(Names::Rows);
    blocks.extend(spans::blocks(spanned, n_header, said));
    blocks
}

fn spanned_cell(cell: ElementRef<'_>, n_most: usize, depth: usize) -> Cell {
    let span = |name| {
        let span = cell.value().attr(name);
        span.and_then(|span| span.trim().parse::<usize>().ok())
    };
    Cell {
        text: text_of(cell, depth),
        n_columns: span("colspan").unwrap_or(1),
        // 0 is all the rows that are left.
        n_rows: match span("rowspan") {
            Some(0) => n_most,
            n_rows => n_rows.unwrap_or(1).min(n_most),
        },
        continues: false,
    }
}

fn rows(table: ElementRef<'_>) -> impl Iterator<Item = ElementRef<'_>> {
    table.descendent_elements().filter(|element| {
        let group = element.parent().and_then(ElementRef::wrap);
        element.value().name() == "tr"
            && !is_hidden(element)
            && !group.is_some_and(|group| is_hidden(&group))
    })
}

fn cells(row: ElementRef<'_>) -> impl Iterator<Item = ElementRef<'_>> {
    row.child_elements()
        .filter(|cell| matches!(cell.value().name(), "td" | "th") && !is_hidden(cell))
}

/// Rows in `thead`, else those at the top that have nothing but `th`.
fn header_rows(rows: &[ElementRef<'_>]) -> usize {
    let in_head = rows.iter().take_while(|row| {
        let group = row.parent().and_then(ElementRef::wrap);
        group.is_some_and(|group| group.value().name() == "thead")
    });
    match in_head.count() {
        0 => rows_of_names(rows),
        n => n,
    }
}

fn is_th(cell: ElementRef<'_>) -> bool {
    cell.value().name() == "th"
}

/// Whether each row begins with `th`, and goes on with other cells.
fn has_named_rows(rows: &[ElementRef<'_>]) -> bool {
    rows.iter().all(|row| {
        let mut cells = cells(*row);
        cells.next().is_some_and(is_th) && !cells.any(is_th)
    })
}

fn rows_of_names(rows: &[ElementRef<'_>]) -> usize {
    let (mut n, mut named) = (0, false);
    for row in rows {
        let is_title = cells(*row).count() <= 1;
        let is_corner = |at: usize, cell: ElementRef<'_>| at == 0 && text_of(cell, 0).is_empty();
        let mut all = cells(*row).enumerate();
        let is_names =
            all.all(|(at, cell)| is_th(cell) || is_corner(at, cell)) && cells(*row).any(is_th);
        // A title below the names is that of a group of rows.
        if !is_names || (named && is_title) {
            break;
        }
        named |= !is_title;
        n += 1;
    }
    if named { n } else { 0 }
}
