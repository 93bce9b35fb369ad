//! What keys and buttons do to the record at hand.

use leptos::prelude::*;
use veneer_core::protocol::studio::{StudioOutcome, StudioRequest, TurnRole};
use wasm_bindgen::JsCast;
use web_sys::HtmlTextAreaElement;

use super::{FocusAt, Shared, of_draft, session::hand_over};
use crate::{
    page::studio::{handle::Studio, keys::Keys},
    state::studio::{
        draft::{Draft, Entry, TurnId},
        shortcuts::Command,
    },
};

/// The commands of the editor. Copies are the same.
#[derive(Clone, Copy)]
pub(super) struct Commands {
    studio: Studio,
    shared: Shared,
    keys: Keys,
}

impl Commands {
    /// Listens for as long as the editor is there.
    pub(super) fn provide() -> Self {
        let commands = Self {
            studio: Studio::get(),
            shared: Shared::get(),
            keys: Keys::get(),
        };
        provide_context(commands);
        commands.keys.on(move |command| commands.obey(command));
        commands
    }

    pub(super) fn get() -> Self {
        expect_context()
    }

    fn obey(self, command: Command) {
        match command {
            Command::Save => self.save(),
            Command::SaveAndNext => self.save_and_next(),
            Command::Leave => self.studio.save_draft(),
            Command::NextTurn => self.step(1),
            Command::PreviousTurn => self.step(-1),
            Command::AddTurn => self.add(self.at(), true),
            Command::SplitTurn => self.with_turn(|this, id| this.split(id)),
            Command::MoveTurnUp => self.with_turn(|this, id| this.shift(id, -1)),
            Command::MoveTurnDown => self.with_turn(|this, id| this.shift(id, 1)),
            Command::DeleteTurn => self.with_turn(Self::remove),
            Command::DuplicateTurn => self.with_turn(Self::duplicate_turn),
            Command::ChangeRole => self.with_turn(|this, id| this.focus(FocusAt::Role(id))),
            _ => {}
        }
    }

    /// The turn that has the keyboard, else the one that had it last.
    fn at(self) -> Option<TurnId> {
        let at = self.shared.at.get_untracked()?;
        self.draft(|draft| draft.index_of(at)).flatten().map(|_| at)
    }

    fn with_turn(self, how: impl FnOnce(Self, TurnId)) {
        if let Some(id) = self.at() {
            how(self, id);
        }
    }

    pub(super) fn draft<T>(self, read: impl FnOnce(&Draft) -> T) -> Option<T> {
        self.studio
            .draft
            .with_untracked(|draft| draft.as_ref().map(read))
    }

    pub(super) fn focus(self, at: FocusAt) {
        self.shared.focus.set(Some(at));
    }

    fn focus_turn(self, id: TurnId) {
        self.focus(FocusAt::Text(Entry::Turn(id)));
    }

    /// Stores the record, with what stands in the field that has the keyboard.
    fn save(self) {
        hand_over();
        self.studio.save_again();
    }

    /// Stores the record; the next one is opened with the keyboard in its text.
    fn save_and_next(self) {
        self.save();
        self.studio.write_in_next();
        self.keys.fire(Command::Next);
    }

    fn step(self, by: isize) {
        let next = self.draft(|draft| {
            let at = self.shared.at.get_untracked();
            let at = at.and_then(|at| draft.index_of(at));
            let next = match at {
                Some(at) => at.saturating_add_signed(by),
                None => 0,
            };
            draft.ids.get(next).copied()
        });
        if let Some(next) = next.flatten() {
            self.focus_turn(next);
        }
    }

    /// Adds a turn beside another one, or at the end.
    pub(super) fn add(self, beside: Option<TurnId>, below: bool) {
        let new = self.studio.edit_at_once(|draft| match beside {
            Some(id) => draft.add_beside(id, below),
            None => Some(draft.append()),
        });
        if let Some(new) = new.flatten() {
            self.focus_turn(new);
        }
    }

    /// Cuts a turn where the cursor stands in its text.
    pub(super) fn split(self, id: TurnId) {
        let Some(field) = text_area(id) else { return };
        let at = field.selection_start().ok().flatten().unwrap_or_default();
        let text = field.value();
        let new = self
            .studio
            .edit_at_once(|draft| draft.split(id, &text, at as usize));
        if let Some(new) = new.flatten() {
            self.focus_turn(new);
        }
    }

    pub(super) fn join(self, id: TurnId) {
        self.studio.edit_at_once(|draft| draft.join_next(id));
        self.focus_turn(id);
    }

    pub(super) fn remove(self, id: TurnId) {
        let next = self.studio.edit_at_once(|draft| {
            let at = draft.index_of(id)?;
            draft.remove(id);
            let last = draft.ids.len().checked_sub(1)?;
            draft.ids.get(at.min(last)).copied()
        });
        if let Some(next) = next.flatten() {
            self.focus_turn(next);
        }
        self.studio.app.say(self.texts().deleted);
    }

    fn duplicate_turn(self, id: TurnId) {
        let new = self.studio.edit_at_once(|draft| draft.duplicate(id));
        if let Some(new) = new.flatten() {
            self.focus_turn(new);
        }
    }

    /// Moves a turn up or down by the keyboard, which stays on it.
    pub(super) fn shift(self, id: TurnId, by: isize) {
        let at = self.draft(|draft| draft.index_of(id)).flatten();
        if let Some(to) = at.and_then(|at| at.checked_add_signed(by)) {
            self.move_to(id, to);
        }
    }

    pub(super) fn move_to(self, id: TurnId, to: usize) {
        let on_handle = active_is_handle();
        let moved = self.studio.edit_at_once(|draft| draft.move_to(id, to));
        if moved == Some(true) {
            let number = (to + 1).to_string();
            let said = crate::texts::fill(self.texts().moved_to, &[("n", &number)]);
            self.studio.app.say(said);
        }
        // The element moved in the page, which takes the focus from it.
        self.focus(match on_handle {
            true => FocusAt::Handle(id),
            false => FocusAt::Text(Entry::Turn(id)),
        });
    }

    pub(super) fn set_role(self, id: TurnId, role: TurnRole) {
        self.studio.edit_at_once(|draft| draft.set_role(id, role));
    }

    /// Does what a key would do.
    pub(super) fn fire(self, command: Command) {
        self.studio.save_draft();
        self.keys.fire(command);
    }

    /// The keys of a command, for the hint of its button.
    pub(super) fn keys_of(self, command: Command) -> String {
        self.keys.shown(command)
    }

    /// The record once more, behind itself.
    pub(super) fn duplicate_record(self) {
        let Some((after, content)) = self.draft(|draft| (draft.record(), draft.content.clone()))
        else {
            return;
        };
        self.studio.save_draft();
        let after = Some(after);
        let request = StudioRequest::AddRecord { after, content };
        self.studio.ask(request, &[], move |outcome| {
            if let StudioOutcome::Record(view) = outcome {
                self.studio.write_in_next();
                self.studio.current.set(Some(view.record));
                // It has a place in the list only when that is made again.
                self.studio.refresh();
            }
        });
    }

    fn texts(self) -> &'static crate::texts::studio::EditorTexts {
        &self.studio.app.language.get_untracked().studio().editor
    }

    /// Puts the keyboard into a record that was opened to be written in.
    pub(super) fn enter_when_there(self) {
        let opened = Memo::new(move |_| of_draft(self.studio, |draft| Some(draft.record())));
        Effect::new(move || {
            if opened.get().is_none() || !self.studio.is_written_next.get_untracked() {
                return;
            }
            self.studio.is_written_next.set(false);
            if let Some(entry) = self.draft(Draft::entry).flatten() {
                self.focus(FocusAt::Text(entry));
            }
        });
    }
}

/// The field of a turn's text, where it is shown as such.
fn text_area(id: TurnId) -> Option<HtmlTextAreaElement> {
    let found = document().get_element_by_id(&super::card::text_id(id))?;
    found.dyn_into().ok()
}

fn active_is_handle() -> bool {
    let active = document().active_element();
    active.is_some_and(|active| active.class_list().contains("handle"))
}
