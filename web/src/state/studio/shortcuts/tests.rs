use super::*;

const IN_LIST: Place = Place {
    scope: Scope::List,
    field: Field::None,
};

#[track_caller]
fn chord(text: &str) -> Chord {
    Chord::parse(text).unwrap()
}

#[track_caller]
fn means(shortcuts: &Shortcuts, text: &str, place: Place) -> Meaning {
    shortcuts.meaning(None, &Stroke::parse(text).unwrap(), place)
}

#[test]
fn the_table_is_whole_and_free_of_clashes() {
    for (n, entry) in TABLE.iter().enumerate() {
        let text = serde_json::to_string(&entry.command).unwrap();
        assert!(
            TABLE[..n]
                .iter()
                .all(|other| other.command != entry.command),
            "{text} stands twice"
        );
        for key in entry.keys {
            let chord = Chord::parse(key);
            assert!(chord.is_some(), "{text}: `{key}` is no key");
            let taken = Shortcuts::default().taken(entry.command, &chord.unwrap());
            assert_eq!(taken, None, "{text}: `{key}`");
        }
    }
    // Adding a command without a line breaks this match and then the count below.
    assert_eq!(Command::ChangeRole as usize + 1, TABLE.len());
}

#[test]
fn the_same_key_means_what_its_place_makes_of_it() {
    let shortcuts = Shortcuts::default();
    let in_editor = Place {
        scope: Scope::Editor,
        field: Field::Text,
    };
    assert_eq!(
        means(&shortcuts, "Escape", IN_LIST),
        Meaning::Command(Command::ClearSelection)
    );
    assert_eq!(
        means(&shortcuts, "Escape", in_editor),
        Meaning::Command(Command::Leave)
    );
}

#[test]
fn letters_are_text_in_text_fields() {
    let shortcuts = Shortcuts::default();
    let field = |scope| Place {
        scope,
        field: Field::Text,
    };
    for key in [
        "j", "?", "/", "t", "#", "Enter", "Space", "Ctrl+z", "Ctrl+a",
    ] {
        for scope in Scope::ALL {
            assert_eq!(
                means(&shortcuts, key, field(scope)),
                Meaning::Nothing,
                "{key} {scope:?}"
            );
        }
    }
    assert_eq!(
        means(&shortcuts, "Ctrl+Enter", field(Scope::Editor)),
        Meaning::Command(Command::SaveAndNext)
    );
}

#[test]
fn buttons_keep_the_keys_that_press_them() {
    let shortcuts = Shortcuts::default();
    let button = Place {
        scope: Scope::List,
        field: Field::Control,
    };
    for key in ["Enter", "Space", "ArrowDown", "Home"] {
        assert_eq!(means(&shortcuts, key, button), Meaning::Nothing, "{key}");
    }
    assert_eq!(
        means(&shortcuts, "j", button),
        Meaning::Command(Command::Next)
    );
}

#[test]
fn keys_of_the_list_are_silent_in_the_other_steps() {
    let shortcuts = Shortcuts::default();
    let elsewhere = Place {
        scope: Scope::Everywhere,
        field: Field::None,
    };
    assert_eq!(means(&shortcuts, "j", elsewhere), Meaning::Nothing);
    assert_eq!(
        means(&shortcuts, "Ctrl+z", elsewhere),
        Meaning::Command(Command::Undo)
    );
}

#[test]
fn two_strokes_make_a_command() {
    let shortcuts = Shortcuts::default();
    let g = Stroke::parse("g").unwrap();
    assert_eq!(means(&shortcuts, "g", IN_LIST), Meaning::Begun(g.clone()));
    let second = |key| shortcuts.meaning(Some(&g), &Stroke::parse(key).unwrap(), IN_LIST);
    assert_eq!(second("s"), Meaning::Command(Command::GoSplit));
    // A second stroke that completes nothing does nothing, also where it means something alone.
    assert_eq!(second("j"), Meaning::Nothing);
}

#[test]
fn a_key_that_is_taken_is_refused_with_who_has_it() {
    let mut shortcuts = Shortcuts::default();
    let refused = shortcuts.assign(Command::Tag, chord("j"));
    assert_eq!(refused, Err(Refusal::Taken(Command::Next)));
    let refused = shortcuts.assign(Command::Tag, chord("g"));
    assert_eq!(refused, Err(Refusal::Taken(Command::GoImport)));
    let refused = shortcuts.assign(Command::Tag, chord("Ctrl+w"));
    assert_eq!(refused, Err(Refusal::Reserved));
    assert_eq!(shortcuts, Shortcuts::default());
    // List and editor never hear a key at once.
    assert_eq!(shortcuts.assign(Command::Save, chord("j")), Ok(()));
}

#[test]
fn a_changed_key_takes_the_place_of_the_old_ones() {
    let mut shortcuts = Shortcuts::default();
    shortcuts.assign(Command::Next, chord("n")).unwrap_err();
    shortcuts.assign(Command::Next, chord("m")).unwrap();
    assert_eq!(
        means(&shortcuts, "m", IN_LIST),
        Meaning::Command(Command::Next)
    );
    assert_eq!(means(&shortcuts, "j", IN_LIST), Meaning::Nothing);
    assert!(shortcuts.is_changed(Command::Next));

    shortcuts.assign(Command::Tag, chord("j")).unwrap();
    let refused = shortcuts.reset(Command::Next);
    assert_eq!(refused, Err((chord("j"), Command::Tag)));
    shortcuts.reset(Command::Tag).unwrap();
    shortcuts.reset(Command::Next).unwrap();
    assert!(!shortcuts.any_changed());
}

#[test]
fn what_was_chosen_is_kept_and_nonsense_is_not() {
    let mut shortcuts = Shortcuts::default();
    shortcuts.assign(Command::Tag, chord("Shift+t")).unwrap();
    shortcuts.assign(Command::GoEdit, chord("y y")).unwrap();
    assert_eq!(Shortcuts::of_text(&shortcuts.to_text()), shortcuts);

    for text in [
        "",
        "[]",
        r#"{"tag":[]}"#,
        r#"{"tag":["Nothing+x"]}"#,
        r#"{"gone":["x"]}"#,
        r#"{"tag":["j"]}"#,
    ] {
        assert_eq!(Shortcuts::of_text(text), Shortcuts::default(), "{text}");
    }
}
