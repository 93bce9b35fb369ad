//! Clicks and keys that choose records.

use leptos::prelude::*;
use veneer_core::protocol::studio::{RecordKey, StudioOutcome, StudioRequest};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, FocusEvent, MouseEvent};

use super::{handle::Grid, table};
use crate::state::studio::rows::Rows;

/// Records that one request brings when a range reaches beyond what is in sight.
const AT_ONCE: u64 = 2_000;

/// Which row an event happened on, and whether on its box.
fn place_of(event: &Event) -> Option<(u64, bool)> {
    let target: Element = event.target()?.dyn_into().ok()?;
    let row = target.closest("[data-row]").ok().flatten()?;
    let at = row.get_attribute("data-row")?.parse().ok()?;
    let on_box = target.closest("[data-box]").ok().flatten().is_some();
    Some((at, on_box))
}

/// A click goes there, with Ctrl or on the box it selects, with Shift it selects a range. On a row that
/// still waits for its record it does the same.
pub(super) fn click(grid: Grid, event: &MouseEvent) {
    let Some((at, on_box)) = place_of(event) else {
        return;
    };
    if event.shift_key() {
        clear_text_selection();
        extend_to(grid, at);
        grid.go_to(at);
    } else if on_box || event.ctrl_key() || event.meta_key() {
        toggle(grid, at);
        grid.go_to(at);
    } else if !has_text_selection() {
        grid.selection.update(|selection| selection.begin(at));
        grid.go_to(at);
        if grid.narrow.get_untracked() {
            grid.opened.set(true);
        }
    }
    table::focus_row(at);
}

pub(super) fn double_click(grid: Grid, event: &MouseEvent) {
    if let Some((_, false)) = place_of(event) {
        clear_text_selection();
        super::commands::open(grid);
    }
}

/// A row that gets the focus while there is no cursor, by Tab or from the search, becomes the cursor:
/// its keys would do nothing otherwise. A list that is being made has its cursor with its rows. At the
/// cursor, its record is shown where the editor had stayed with one that left the list.
pub(super) fn enter(grid: Grid, event: &FocusEvent) {
    if grid.pending.with_untracked(Option::is_some) {
        return;
    }
    let Some((at, _)) = place_of(event) else {
        return;
    };
    if grid.cursor.with_untracked(Option::is_none) || grid.is_behind(at) {
        grid.go_to(at);
    }
}

/// Someone who marks text to copy it does not choose a record.
fn has_text_selection() -> bool {
    let selection = window().get_selection().ok().flatten();
    selection.is_some_and(|selection| !selection.is_collapsed())
}

fn clear_text_selection() {
    if let Some(selection) = window().get_selection().ok().flatten() {
        // An empty selection can always be made.
        selection.remove_all_ranges().ok();
    }
}

/// Turns the record at the cursor over.
pub(super) fn toggle_at_cursor(grid: Grid) {
    if let Some(at) = grid.cursor.get_untracked() {
        toggle(grid, at);
    }
}

/// Turns the record at a place over, as soon as it is known which one that is.
fn toggle(grid: Grid, at: u64) {
    let turn_over = move |record| {
        grid.selection
            .update(|selection| selection.toggle(at, record));
    };
    let here = grid
        .rows
        .with_untracked(|rows| rows.get(at).map(|row| row.record));
    if let Some(record) = here {
        return turn_over(record);
    }
    let version = grid.rows.with_untracked(Rows::version);
    let request = StudioRequest::Window { from: at, n: 1 };
    grid.studio.ask(request, &[], move |outcome| {
        // In another list another record may be at that place.
        if !grid.is_gone()
            && let StudioOutcome::Window(window) = outcome
            && let Some(row) = window.rows.first()
            && grid.rows.with_untracked(Rows::version) == version
        {
            turn_over(row.record);
        }
    });
}

/// Moves the cursor and selects what lies between it and where the range began.
pub(super) fn extend_by(grid: Grid, down: bool) {
    let at = grid.cursor.get_untracked().unwrap_or(0);
    if grid
        .selection
        .with_untracked(|selection| selection.anchor().is_none())
    {
        grid.selection.update(|selection| selection.begin(at));
    }
    let n = grid.studio.list.with_untracked(|list| list.n);
    let to = match down {
        true => (at + 1).min(n.saturating_sub(1)),
        false => at.saturating_sub(1),
    };
    extend_to(grid, to);
    grid.go_to(to);
}

/// Selects from the anchor to a place. Records that are not here yet are asked for.
pub(super) fn extend_to(grid: Grid, to: u64) {
    if grid
        .selection
        .with_untracked(|selection| selection.anchor().is_none())
    {
        let from = grid.cursor.get_untracked().unwrap_or(to);
        grid.selection.update(|selection| selection.begin(from));
    }
    let range = grid
        .selection
        .with_untracked(|selection| selection.range_to(to));
    let known: Option<Vec<RecordKey>> = grid.rows.with_untracked(|rows| known(rows, range.clone()));
    match known {
        Some(records) => grid.selection.update(|selection| selection.extend(records)),
        None => {
            let anchor = grid
                .selection
                .with_untracked(|selection| selection.anchor());
            fetch(grid, range, Vec::new(), anchor);
        }
    }
}

fn known(rows: &Rows, range: std::ops::Range<u64>) -> Option<Vec<RecordKey>> {
    range.map(|at| rows.get(at).map(|row| row.record)).collect()
}

/// Brings the records of a range piece by piece, and selects them unless the user went on.
fn fetch(
    grid: Grid,
    range: std::ops::Range<u64>,
    mut records: Vec<RecordKey>,
    anchor: Option<u64>,
) {
    let from = range.start + records.len() as u64;
    let n = (range.end - from).min(AT_ONCE);
    let version = grid.rows.with_untracked(Rows::version);
    let request = StudioRequest::Window { from, n };
    grid.studio.ask(request, &[], move |outcome| {
        let StudioOutcome::Window(window) = outcome else {
            return;
        };
        if grid.is_gone() {
            return;
        }
        let now = grid
            .selection
            .with_untracked(|selection| selection.anchor());
        if now != anchor || grid.rows.with_untracked(Rows::version) != version {
            return;
        }
        records.extend(window.rows.iter().map(|row| row.record));
        let done = range.start + records.len() as u64;
        match done >= range.end || window.rows.is_empty() {
            true => {
                let records = std::mem::take(&mut records);
                grid.selection.update(|selection| selection.extend(records));
            }
            false => fetch(grid, range.clone(), std::mem::take(&mut records), anchor),
        }
    });
}
