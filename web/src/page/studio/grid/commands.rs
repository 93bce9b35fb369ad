//! What the commands of the list do.

use leptos::prelude::*;
use veneer_core::protocol::studio::{Change, Side, SortBy, StudioOutcome, StudioRequest, Target};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, KeyboardEvent};

use super::{
    clipboard,
    handle::{Grid, Panel, Question},
    picking, table,
};
use crate::{
    page::{self, studio::keys::key_of},
    state::studio::{
        draft::{self, Draft},
        shortcuts::Command,
        viewport::Viewport,
    },
};

/// Does what a command of the list means; others are somebody else's.
pub(super) fn act(grid: Grid, command: Command) {
    match command {
        Command::Next => step(grid, 1),
        Command::Previous => step(grid, -1),
        Command::NextPage => step(grid, page(grid)),
        Command::PreviousPage => step(grid, -page(grid)),
        Command::First => jump(grid, 0),
        Command::Last => jump(grid, u64::MAX),
        Command::ExtendDown => extend(grid, true),
        Command::ExtendUp => extend(grid, false),
        Command::ToggleSelected => picking::toggle_at_cursor(grid),
        Command::SelectAll => grid.select_all(),
        Command::ClearSelection => clear(grid),
        Command::Open => open(grid),
        Command::Leave => leave(grid),
        Command::Search => focus("grid-search"),
        Command::Filters => unfold_and_enter(grid, Panel::Filters),
        Command::Columns => unfold_and_enter(grid, Panel::Columns),
        Command::Replace => unfold_and_enter(grid, Panel::Replace),
        Command::Tag => ask(grid, Question::Tag),
        Command::SideTrain => change(grid, Change::SetSide(Some(Side::Train))),
        Command::SideValidation => change(grid, Change::SetSide(Some(Side::Validation))),
        Command::SideTest => change(grid, Change::SetSide(Some(Side::Test))),
        Command::SideNone => change(grid, Change::SetSide(None)),
        Command::MoveUp => move_by_one(grid, true),
        Command::MoveDown => move_by_one(grid, false),
        Command::Trash if !in_trash(grid) => change(grid, Change::Trash),
        Command::TakeBack if in_trash(grid) => change(grid, Change::TakeBack),
        Command::Copy => clipboard::copy_table(grid),
        Command::CopyJson => clipboard::copy_json(grid),
        Command::NewRecord => new_record(grid),
        _ => {}
    }
}

fn page(grid: Grid) -> i64 {
    let rows = grid.view.with_untracked(Viewport::page);
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Moves the cursor; a range that comes next begins where it arrives. Where an edit took the record
/// that is shown out of the list, the next one is at the cursor already.
fn step(grid: Grid, by: i64) {
    match grid.cursor.get_untracked() {
        Some(at) if by > 0 && grid.is_behind(at) => jump(grid, at.saturating_add_signed(by - 1)),
        Some(at) => jump(grid, at.saturating_add_signed(by)),
        None => jump(grid, grid.view.with_untracked(|view| view.visible().start)),
    }
}

fn jump(grid: Grid, to: u64) {
    grid.go_to(to);
    if let Some(at) = grid.cursor.get_untracked() {
        grid.selection.update(|selection| selection.begin(at));
    }
    table::focus_cursor(grid);
}

fn extend(grid: Grid, down: bool) {
    picking::extend_by(grid, down);
    table::focus_cursor(grid);
}

/// First what is unfolded, then the selection.
fn clear(grid: Grid) {
    match grid.panel.get_untracked() {
        Some(_) => grid.panel.set(None),
        None => grid.selection.update(|selection| selection.clear()),
    }
}

/// The record at the cursor, in the editor.
pub(super) fn open(grid: Grid) {
    if let Some(at) = grid.cursor.get_untracked().filter(|at| grid.is_behind(*at)) {
        grid.go_to(at);
    }
    let Some(row) = grid.row_at_cursor() else {
        // Rows that are on their way bring the record with them.
        if grid.cursor.with_untracked(Option::is_some) {
            grid.studio.write_in_next();
        }
        return;
    };
    grid.opened.set(true);
    let shown = grid
        .studio
        .draft
        .with_untracked(|draft| draft.as_ref().map(Draft::record));
    if shown != Some(row.record) {
        grid.studio.write_in_next();
        return;
    }
    request_animation_frame(|| {
        let place = ".edit-record textarea, .edit-record [contenteditable=\"true\"]";
        page::focus::on(&[place]);
    });
}

/// Back to the list.
pub(super) fn leave(grid: Grid) {
    grid.opened.set(false);
    request_animation_frame(move || {
        if !grid.is_gone() {
            table::focus_row(grid.cursor.get_untracked().unwrap_or(0));
        }
    });
}

pub(super) fn unfold(grid: Grid, panel: Panel) {
    let now = grid.panel.get_untracked();
    grid.panel.set((now != Some(panel)).then_some(panel));
}

/// The same with the keyboard in its first control: whoever used a key goes on with keys.
fn unfold_and_enter(grid: Grid, panel: Panel) {
    unfold(grid, panel);
    if grid.panel.get_untracked() != Some(panel) {
        return;
    }
    let query = grid.studio.query;
    let is_searched = query.with_untracked(|query| query.search.is_some());
    let place = match panel {
        Panel::Replace if is_searched => "#grid-replace-with",
        Panel::Replace => "#grid-search",
        Panel::Filters | Panel::Columns => {
            ".grid-panel button, .grid-panel input, .grid-panel select"
        }
    };
    request_animation_frame(move || page::focus::on(&[place]));
}

/// Escape closes a panel from its text fields too, where the list's own keys rest.
pub(super) fn press_in_panel(grid: Grid, event: &KeyboardEvent) {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let panel = target.and_then(|target| target.closest(".grid-panel").ok().flatten());
    if panel.is_some() && key_of(event) == "Escape" {
        event.prevent_default();
        grid.panel.set(None);
    }
}

pub(super) fn ask(grid: Grid, question: Question) {
    let target = grid.target();
    if let Some((Target::List { .. }, _)) = target {
        grid.list_again();
    }
    if question == Question::EmptyTrash || target.is_some() {
        grid.ask_facets();
        grid.question.set(Some(question));
    }
}

pub(super) fn in_trash(grid: Grid) -> bool {
    grid.studio.query.with_untracked(|query| query.filter.trash)
}

/// Does something to what is selected, else to the record at the cursor.
pub(super) fn change(grid: Grid, change: Change) {
    if let Some((target, _)) = grid.target() {
        change_these(grid, target, change);
    }
}

pub(super) fn change_these(grid: Grid, target: Target, change: Change) {
    let removes = matches!(change, Change::Trash | Change::TakeBack);
    if removes {
        grid.follow();
    }
    if matches!(target, Target::List { .. }) {
        grid.list_again();
    }
    let n = grid.studio.list.with_untracked(|list| list.n);
    let request = StudioRequest::Change { target, change };
    grid.studio.ask(request, &[], move |outcome| {
        let StudioOutcome::Changed(changed) = outcome else {
            return;
        };
        // Records that went out of the list with this would be changed unseen by what comes next, and
        // "all of the list" would mean other ones.
        let is_other_list = changed.list.n != n;
        if (removes || is_other_list) && !grid.is_gone() {
            grid.selection.update(|selection| selection.clear());
        }
    });
}

/// Whether the list is in the order of the dataset, which moving changes.
pub(super) fn can_move(grid: Grid) -> bool {
    let query = grid.studio.query.get_untracked();
    query.sort.by == SortBy::Position && !query.sort.descending && !query.filter.trash
}

fn move_by_one(grid: Grid, up: bool) {
    let row = grid.row_at_cursor().filter(|row| grid.is_meant(row));
    let (Some(at), Some(row)) = (grid.cursor.get_untracked(), row) else {
        return;
    };
    let n = grid.studio.list.with_untracked(|list| list.n);
    let neighbour = match up {
        true => at.checked_sub(1),
        false => Some(at + 2).filter(|_| at + 1 < n),
    };
    let Some(neighbour) = neighbour.filter(|_| can_move(grid)) else {
        return;
    };
    let before = grid
        .rows
        .with_untracked(|rows| rows.get(neighbour).map(|row| row.record));
    // Not here yet, so its record is not known; at the end there is none.
    if before.is_none() && neighbour < n {
        return;
    }
    let target = Target::Records(vec![row.record]);
    change_these(grid, target, Change::Move { before });
}

/// An empty question with an empty answer behind the record at the cursor, under its system message.
pub(super) fn new_record(grid: Grid) {
    let content = grid
        .studio
        .draft
        .with_untracked(|draft| draft::new_content(draft.as_ref().map(|draft| &draft.content)));
    let after = grid.row_at_cursor().map(|row| row.record);
    let place = grid.cursor.get_untracked();
    let request = StudioRequest::AddRecord { after, content };
    grid.studio.ask(request, &[], move |outcome| {
        if let StudioOutcome::Record(view) = outcome {
            grid.studio.write_in_next();
            grid.studio.current.set(Some(view.record));
            grid.studio.refresh();
            if grid.is_gone() {
                return;
            }
            grid.cursor.set(place.map(|at| at + 1));
            grid.opened.set(true);
        }
    });
}

/// Puts the focus on something by its id.
pub(super) fn focus(id: &str) {
    page::focus::on(&[&format!("#{id}")]);
}
