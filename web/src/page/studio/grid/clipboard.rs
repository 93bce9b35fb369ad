//! Records into the clipboard.

use std::sync::Arc;

use leptos::prelude::*;
use veneer_core::protocol::{
    studio::{RecordKey, Row, StudioOutcome, StudioRequest},
    tab::{Fault, FaultKind},
};
use wasm_bindgen_futures::JsFuture;

use super::handle::Grid;
use crate::{
    state::{
        numbers,
        studio::{columns::Layout, copying},
    },
    texts::fill,
};

/// More than this is a file for the export to write.
const MOST_ROWS: u64 = 10_000;
const MOST_RECORDS: u64 = 1_000;

/// Rows that one request brings.
const AT_ONCE: u64 = 2_000;

/// The columns that are shown, for a spreadsheet.
pub(super) fn copy_table(grid: Grid) {
    gather(grid, MOST_ROWS, move |rows| {
        let columns = grid.layout.with_untracked(Layout::shown);
        let texts = &grid.app.language.get_untracked().studio().grid;
        let heads: Vec<String> = columns
            .iter()
            .map(|column| texts.column(*column).to_owned())
            .collect();
        write(grid, copying::table(&rows, &columns, &heads), rows.len());
    });
}

/// Whole records, a line for each.
pub(super) fn copy_json(grid: Grid) {
    gather(grid, MOST_RECORDS, move |rows| {
        let mut records: Vec<RecordKey> = rows.iter().map(|row| row.record).collect();
        let n = records.len();
        records.reverse();
        next_line(grid, records, String::new(), n);
    });
}

/// Asks for one record after the other.
fn next_line(grid: Grid, mut left: Vec<RecordKey>, text: String, n: usize) {
    let Some(record) = left.pop() else {
        write(grid, text, n);
        return;
    };
    let mut state = Some((left, text));
    grid.studio
        .ask(StudioRequest::Record { record }, &[], move |outcome| {
            if let (StudioOutcome::Record(view), Some((left, mut text))) = (outcome, state.take()) {
                text.push_str(&copying::json_line(&view.content));
                next_line(grid, left, text, n);
            }
        });
}

/// The selected rows in the order of the list, else the one at the cursor.
fn gather(grid: Grid, most: u64, then: impl Fn(Vec<Arc<Row>>) + 'static) {
    let Some((_, n)) = grid.target() else { return };
    if n > most {
        let language = grid.app.language.get_untracked();
        let texts = &language.studio().grid;
        let most = numbers::whole(most, language);
        let detail = fill(texts.copy_too_many, &[("n", &most)]);
        grid.app.complain(Fault::new(FaultKind::CannotDo, detail));
        return;
    }
    let n_list = grid.studio.list.with_untracked(|list| list.n);
    let is_selection = grid
        .selection
        .with_untracked(|selection| !selection.is_empty(n_list));
    if !is_selection {
        then(grid.row_at_cursor().into_iter().collect());
        return;
    }
    more(grid, 0, Vec::new(), n, std::rc::Rc::new(then));
}

/// Goes through the list until every selected row was found.
fn more(
    grid: Grid,
    from: u64,
    mut found: Vec<Arc<Row>>,
    n: u64,
    then: std::rc::Rc<dyn Fn(Vec<Arc<Row>>)>,
) {
    let request = StudioRequest::Window { from, n: AT_ONCE };
    grid.studio.ask(request, &[], move |outcome| {
        let StudioOutcome::Window(window) = outcome else {
            return;
        };
        if grid.is_gone() {
            return;
        }
        grid.selection.with_untracked(|selection| {
            let selected = window
                .rows
                .iter()
                .filter(|row| selection.contains(row.record));
            found.extend(selected.cloned().map(Arc::new));
        });
        let behind = from + window.rows.len() as u64;
        let is_done = found.len() as u64 >= n || behind >= window.n || window.rows.is_empty();
        let found = std::mem::take(&mut found);
        match is_done {
            true => then(found),
            false => more(grid, behind, found, n, then.clone()),
        }
    });
}

fn write(grid: Grid, text: String, n: usize) {
    leptos::task::spawn_local(async move {
        let promise = window().navigator().clipboard().write_text(&text);
        let language = grid.app.language.get_untracked();
        let texts = &language.studio().grid;
        match JsFuture::from(promise).await {
            Ok(_) => {
                let n = numbers::whole(n as u64, language);
                grid.app.say(fill(texts.copied, &[("n", &n)]));
                grid.tell(fill(texts.copied, &[("n", &n)]));
            }
            Err(_) => {
                let fault = Fault::new(FaultKind::CannotDo, texts.copy_refused);
                grid.app.complain(fault);
            }
        }
    });
}
