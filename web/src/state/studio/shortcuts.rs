//! What the keyboard does in the studio: the one table of commands, what the user made of their keys,
//! and what a key means where it is pressed.
//!
//! A part of the studio that wants a key adds a line to [`TABLE`] and a name to
//! `texts/studio/shortcuts.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::stroke::{Chord, Stroke};

/// Something that a key can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    // Everywhere in the studio.
    Search,
    Undo,
    Redo,
    Palette,
    Help,
    GoImport,
    GoCheck,
    GoEdit,
    GoSplit,
    GoExport,
    // In the list of records.
    Next,
    Previous,
    NextPage,
    PreviousPage,
    First,
    Last,
    Open,
    ToggleSelected,
    ExtendDown,
    ExtendUp,
    SelectAll,
    ClearSelection,
    Tag,
    SideTrain,
    SideValidation,
    SideTest,
    SideNone,
    MoveUp,
    MoveDown,
    Trash,
    TakeBack,
    Copy,
    CopyJson,
    Filters,
    Replace,
    Columns,
    NewRecord,
    // In the editor of a record.
    Save,
    SaveAndNext,
    Leave,
    NextTurn,
    PreviousTurn,
    AddTurn,
    SplitTurn,
    MoveTurnUp,
    MoveTurnDown,
    DeleteTurn,
    DuplicateTurn,
    ChangeRole,
}

/// Where a command is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Everywhere,
    List,
    Editor,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Everywhere, Self::List, Self::Editor];

    /// Whether a key cannot mean something in both.
    fn meets(self, other: Self) -> bool {
        self == other || self == Self::Everywhere || other == Self::Everywhere
    }
}

/// A command with its keys as long as the user does not change them.
#[derive(Debug)]
pub struct Entry {
    pub command: Command,
    pub scope: Scope,
    pub keys: &'static [&'static str],
    /// Whether it works while a text is being written, as far as its keys do not write themselves.
    pub in_text: bool,
}

const fn everywhere(command: Command, keys: &'static [&'static str], in_text: bool) -> Entry {
    Entry {
        command,
        scope: Scope::Everywhere,
        keys,
        in_text,
    }
}

const fn list(command: Command, keys: &'static [&'static str]) -> Entry {
    Entry {
        command,
        scope: Scope::List,
        keys,
        in_text: false,
    }
}

const fn editor(command: Command, keys: &'static [&'static str]) -> Entry {
    Entry {
        command,
        scope: Scope::Editor,
        keys,
        in_text: true,
    }
}

/// Every command, in the order of the help sheet.
pub const TABLE: [Entry; 49] = [
    everywhere(Command::Search, &["/"], false),
    // Text fields have an undo of their own; see `page/studio/field_undo.rs`.
    everywhere(Command::Undo, &["Ctrl+z"], false),
    everywhere(Command::Redo, &["Ctrl+Shift+z", "Ctrl+y"], false),
    everywhere(Command::Palette, &["Ctrl+k"], true),
    everywhere(Command::Help, &["?", "F1"], true),
    everywhere(Command::GoImport, &["g i"], false),
    everywhere(Command::GoCheck, &["g c"], false),
    everywhere(Command::GoEdit, &["g e"], false),
    everywhere(Command::GoSplit, &["g s"], false),
    everywhere(Command::GoExport, &["g x"], false),
    list(Command::Next, &["j", "ArrowDown"]),
    list(Command::Previous, &["k", "ArrowUp"]),
    list(Command::NextPage, &["PageDown"]),
    list(Command::PreviousPage, &["PageUp"]),
    list(Command::First, &["Home"]),
    list(Command::Last, &["End"]),
    list(Command::Open, &["Enter", "e"]),
    list(Command::ToggleSelected, &["Space"]),
    list(Command::ExtendDown, &["Shift+ArrowDown", "Shift+j"]),
    list(Command::ExtendUp, &["Shift+ArrowUp", "Shift+k"]),
    list(Command::SelectAll, &["Ctrl+a"]),
    list(Command::ClearSelection, &["Escape"]),
    list(Command::Tag, &["t"]),
    list(Command::SideTrain, &["1"]),
    list(Command::SideValidation, &["2"]),
    list(Command::SideTest, &["3"]),
    list(Command::SideNone, &["0"]),
    list(Command::MoveUp, &["Alt+ArrowUp"]),
    list(Command::MoveDown, &["Alt+ArrowDown"]),
    list(Command::Trash, &["#", "Delete"]),
    list(Command::TakeBack, &["u"]),
    list(Command::Copy, &["Ctrl+c"]),
    list(Command::CopyJson, &["Ctrl+Shift+c"]),
    list(Command::Filters, &["f"]),
    list(Command::Replace, &["Ctrl+h"]),
    list(Command::Columns, &["c"]),
    list(Command::NewRecord, &["n"]),
    editor(Command::Save, &["Ctrl+s"]),
    editor(Command::SaveAndNext, &["Ctrl+Enter"]),
    editor(Command::Leave, &["Escape"]),
    editor(Command::NextTurn, &["Ctrl+ArrowDown"]),
    editor(Command::PreviousTurn, &["Ctrl+ArrowUp"]),
    editor(Command::AddTurn, &["Ctrl+Shift+Enter"]),
    editor(Command::SplitTurn, &["Alt+Enter"]),
    editor(Command::MoveTurnUp, &["Alt+ArrowUp"]),
    editor(Command::MoveTurnDown, &["Alt+ArrowDown"]),
    editor(Command::DeleteTurn, &["Alt+Delete"]),
    editor(Command::DuplicateTurn, &["Ctrl+d"]),
    editor(Command::ChangeRole, &["Alt+r"]),
];

impl Command {
    /// Its line of the table. Every command has one, which a test holds.
    pub fn entry(self) -> Option<&'static Entry> {
        TABLE.iter().find(|entry| entry.command == self)
    }
}

/// What has the focus when a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The part of the studio; [`Scope::Everywhere`] where it is none of the others.
    pub scope: Scope,
    pub field: Field,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// A row of the list, or nothing in particular.
    None,
    /// A button, a choice, a link: Enter, Space and the arrows are theirs.
    Control,
    Text,
}

/// What a key press means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    Nothing,
    /// The first stroke of a chord.
    Begun(Stroke),
    Command(Command),
}

/// Why a key cannot be given to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    Taken(Command),
    /// The browser or the keyboard's own ways need it.
    Reserved,
}

/// The keys of every command: the table's, where the user did not choose others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shortcuts {
    chosen: BTreeMap<Command, Vec<Chord>>,
}

impl Shortcuts {
    pub fn keys(&self, command: Command) -> Vec<Chord> {
        match self.chosen.get(&command) {
            Some(chords) => chords.clone(),
            None => standard(command),
        }
    }

    pub fn is_changed(&self, command: Command) -> bool {
        self.chosen.contains_key(&command)
    }

    pub fn any_changed(&self) -> bool {
        !self.chosen.is_empty()
    }

    /// The first key of a command as it is shown; empty where it has none.
    pub fn shown(&self, command: Command) -> String {
        self.keys(command)
            .first()
            .map(Chord::shown)
            .unwrap_or_default()
    }

    /// What a stroke means after `begun`.
    pub fn meaning(&self, begun: Option<&Stroke>, stroke: &Stroke, place: Place) -> Meaning {
        let order: &[Scope] = match place.scope {
            Scope::Everywhere => &[Scope::Everywhere],
            Scope::List => &[Scope::List, Scope::Everywhere],
            Scope::Editor => &[Scope::Editor, Scope::Everywhere, Scope::List],
        };
        let silent = match place.field {
            Field::Text => stroke.writes(),
            Field::Control => stroke.is_native_to_controls(),
            // The list's own keys scroll the editor there.
            Field::None => place.scope == Scope::Editor && stroke.is_native_to_controls(),
        };
        if silent {
            return Meaning::Nothing;
        }
        let entries = order
            .iter()
            .flat_map(|scope| TABLE.iter().filter(move |entry| entry.scope == *scope))
            .filter(|entry| place.field != Field::Text || entry.in_text);
        let mut begins = false;
        for entry in entries {
            for chord in self.keys(entry.command) {
                match (&chord.second, begun) {
                    (None, None) if chord.first == *stroke => {
                        return Meaning::Command(entry.command);
                    }
                    (Some(second), Some(begun)) if chord.first == *begun && second == stroke => {
                        return Meaning::Command(entry.command);
                    }
                    (Some(_), None) if chord.first == *stroke => begins = true,
                    _ => {}
                }
            }
        }
        match begins {
            true => Meaning::Begun(stroke.clone()),
            false => Meaning::Nothing,
        }
    }

    /// Gives a command one key in place of those that it has.
    pub fn assign(&mut self, command: Command, chord: Chord) -> Result<(), Refusal> {
        if chord.first.is_reserved() {
            return Err(Refusal::Reserved);
        }
        if let Some(taken) = self.taken(command, &chord) {
            return Err(Refusal::Taken(taken));
        }
        let keys = vec![chord];
        match keys == standard(command) {
            true => self.chosen.remove(&command),
            false => self.chosen.insert(command, keys),
        };
        Ok(())
    }

    /// The keys of the table again.
    ///
    /// # Errors
    /// Where another command has got one of them since: that key, and the command.
    pub fn reset(&mut self, command: Command) -> Result<(), (Chord, Command)> {
        for chord in standard(command) {
            if let Some(taken) = self.taken(command, &chord) {
                return Err((chord, taken));
            }
        }
        self.chosen.remove(&command);
        Ok(())
    }

    pub fn reset_all(&mut self) {
        self.chosen.clear();
    }

    /// The other command that hears the chord in the same place.
    fn taken(&self, command: Command, chord: &Chord) -> Option<Command> {
        let scope = command.entry()?.scope;
        TABLE
            .iter()
            .filter(|entry| entry.command != command && entry.scope.meets(scope))
            .find(|entry| {
                let keys = self.keys(entry.command);
                keys.iter().any(|key| key.clashes_with(chord))
            })
            .map(|entry| entry.command)
    }

    /// What the user chose, to be kept.
    pub fn to_text(&self) -> String {
        let chosen: BTreeMap<Command, Vec<String>> = self
            .chosen
            .iter()
            .map(|(command, keys)| (*command, keys.iter().map(Chord::to_string).collect()))
            .collect();
        serde_json::to_string(&chosen).unwrap_or_default()
    }

    /// What was kept; commands and keys that are not known any more, or clash, are left out.
    pub fn of_text(text: &str) -> Self {
        let kept: BTreeMap<String, Vec<String>> = serde_json::from_str(text).unwrap_or_default();
        let mut shortcuts = Self::default();
        for (name, keys) in kept {
            let command = serde_json::from_value(serde_json::Value::String(name));
            let chord = keys.first().and_then(|key| Chord::parse(key));
            if let (Ok(command), Some(chord)) = (command, chord) {
                // A key that clashes keeps what it meant before.
                shortcuts.assign(command, chord).ok();
            }
        }
        shortcuts
    }
}

fn standard(command: Command) -> Vec<Chord> {
    let keys = command.entry().map_or(&[][..], |entry| entry.keys);
    keys.iter().filter_map(|key| Chord::parse(key)).collect()
}

#[cfg(test)]
#[path = "shortcuts/tests.rs"]
mod tests;
