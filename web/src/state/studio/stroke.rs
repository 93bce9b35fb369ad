//! A key press and the one or two of them that make a shortcut, as values and as text.
//!
//! Text is what is kept and compared: `Ctrl+Shift+z`, `g i`, `Space`. `Ctrl` stands for the command
//! key of a Mac too.

use std::fmt;

/// One key with what is held down beside it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stroke {
    /// The browser's name of the key; letters in lower case, the space bar as `Space`.
    key: String,
    /// Control, or the command key.
    main: bool,
    alt: bool,
    shift: bool,
}

/// What is held down while a key is pressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    pub main: bool,
    pub alt: bool,
    pub shift: bool,
}

impl Stroke {
    /// A key as the browser names it; `None` for keys that are only held down, and for dead keys.
    pub fn new(key: &str, held: Held) -> Option<Self> {
        let silent = [
            "",
            "Alt",
            "AltGraph",
            "CapsLock",
            "Compose",
            "Control",
            "Dead",
            "Meta",
            "Process",
            "Shift",
            "Unidentified",
        ];
        if silent.contains(&key) {
            return None;
        }
        let lower = key.to_lowercase();
        let mut chars = key.chars();
        let single = chars.next().filter(|_| chars.next().is_none());
        let (key, shift) = match single {
            Some(' ') => ("Space".to_owned(), held.shift),
            // Letters tell with Shift, signs are another key: `?` needs no Shift on every keyboard.
            Some(c) if c.is_alphabetic() => (lower, held.shift),
            Some(_) => (key.to_owned(), false),
            None => (key.to_owned(), held.shift),
        };
        Some(Self {
            key,
            main: held.main,
            alt: held.alt,
            shift,
        })
    }

    /// Such as `Ctrl+Shift+z`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut held = Held::default();
        let mut rest = text;
        while let Some((name, key)) = rest.split_once('+').filter(|(_, key)| !key.is_empty()) {
            match name {
                "Ctrl" => held.main = true,
                "Alt" => held.alt = true,
                "Shift" => held.shift = true,
                _ => return None,
            }
            rest = key;
        }
        let key = if rest == "Space" { " " } else { rest };
        Self::new(key, held)
    }

    /// Whether it would write something into a text field, or move within it.
    pub fn writes(&self) -> bool {
        let moves = [
            "Backspace",
            "Delete",
            "Enter",
            "Space",
            "Tab",
            "Home",
            "End",
            "PageUp",
            "PageDown",
        ];
        let plain = !self.main && !self.alt;
        let moves = moves.contains(&self.key.as_str()) || self.key.starts_with("Arrow");
        plain && (moves || self.key.chars().count() == 1)
    }

    /// Whether buttons, lists of choices and the page itself answer to it.
    pub fn is_native_to_controls(&self) -> bool {
        let keys = ["Enter", "Space", "Tab", "Home", "End", "PageUp", "PageDown"];
        let named = keys.contains(&self.key.as_str()) || self.key.starts_with("Arrow");
        !self.main && !self.alt && named
    }

    /// Whether the browser or the screen reader needs it for itself.
    pub fn is_reserved(&self) -> bool {
        let keys = ["n", "t", "w", "r", "l", "q"];
        self.key == "Tab" || (self.main && keys.contains(&self.key.as_str()))
    }

    /// As keycaps show it.
    fn shown(&self) -> String {
        let key = match self.key.as_str() {
            "ArrowUp" => "↑",
            "ArrowDown" => "↓",
            "ArrowLeft" => "←",
            "ArrowRight" => "→",
            "Escape" => "Esc",
            "Delete" => "Del",
            "PageUp" => "PgUp",
            "PageDown" => "PgDn",
            key => key,
        };
        // Letters beside other keys are printed large, as on the keyboard.
        match self.main || self.alt || self.shift {
            true => format!("{}{}", self.held(), capital(key)),
            false => key.to_owned(),
        }
    }

    fn held(&self) -> String {
        let names = [
            (self.main, "Ctrl+"),
            (self.alt, "Alt+"),
            (self.shift, "Shift+"),
        ];
        let names = names.iter().filter(|(held, _)| *held);
        names.map(|(_, name)| *name).collect()
    }
}

/// Single letters in upper case, names of keys as they are.
fn capital(key: &str) -> String {
    match key.chars().count() {
        1 => key.to_uppercase(),
        _ => key.to_owned(),
    }
}

impl fmt::Display for Stroke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.held(), self.key)
    }
}

/// One stroke, or two one after the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chord {
    pub first: Stroke,
    pub second: Option<Stroke>,
}

impl Chord {
    pub fn single(first: Stroke) -> Self {
        Self {
            first,
            second: None,
        }
    }

    /// Such as `Ctrl+k` or `g i`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut strokes = text.split(' ').map(Stroke::parse);
        let first = strokes.next()??;
        let second = match strokes.next() {
            Some(second) => Some(second?),
            None => None,
        };
        strokes.next().is_none().then_some(Self { first, second })
    }

    /// Whether one of the two would keep the other from ever being heard.
    pub fn clashes_with(&self, other: &Self) -> bool {
        self.first == other.first
            && (self.second == other.second || self.second.is_none() || other.second.is_none())
    }

    /// As a help sheet shows it: `Ctrl+Z`, `g i`.
    pub fn shown(&self) -> String {
        match &self.second {
            None => self.first.shown(),
            Some(second) => format!("{} {}", self.first.shown(), second.shown()),
        }
    }

    /// As `aria-keyshortcuts` wants it; that has no way to say two strokes.
    pub fn aria(&self) -> Option<String> {
        let name = self.first.to_string().replace("Ctrl+", "Control+");
        self.second.is_none().then_some(name)
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.second {
            None => write!(f, "{}", self.first),
            Some(second) => write!(f, "{} {second}", self.first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn stroke(text: &str) -> Stroke {
        Stroke::parse(text).unwrap()
    }

    #[test]
    fn texts_come_back_as_they_were() {
        for text in [
            "j",
            "Ctrl+z",
            "Ctrl+Shift+z",
            "Alt+ArrowUp",
            "Space",
            "#",
            "?",
            "Ctrl++",
            "+",
        ] {
            assert_eq!(stroke(text).to_string(), text);
        }
        for text in ["g i", "Ctrl+k", "Ctrl+k s"] {
            assert_eq!(Chord::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_no_stroke() {
        for text in ["", "Shift", "Hyper+x", "Dead"] {
            assert_eq!(Stroke::parse(text), None, "{text}");
        }
        for text in ["g ", "a b c", " g"] {
            assert_eq!(Chord::parse(text), None, "{text}");
        }
    }

    #[test]
    fn signs_need_no_shift_and_letters_do() {
        let shift = Held {
            shift: true,
            ..Held::default()
        };
        assert_eq!(Stroke::new("?", shift), Some(stroke("?")));
        assert_eq!(Stroke::new("Z", shift), Some(stroke("Shift+z")));
        assert_eq!(Stroke::new("Z", Held::default()), Some(stroke("z")));
        assert_eq!(
            Stroke::new("ArrowDown", shift),
            Some(stroke("Shift+ArrowDown"))
        );
    }

    #[test]
    fn what_writes_is_not_a_command_in_a_text_field() {
        for text in [
            "j",
            "?",
            "Space",
            "Enter",
            "Shift+ArrowDown",
            "Delete",
            "PageUp",
        ] {
            assert!(stroke(text).writes(), "{text}");
        }
        for text in ["Ctrl+Enter", "Escape", "Alt+ArrowUp", "F1", "Ctrl+s"] {
            assert!(!stroke(text).writes(), "{text}");
        }
    }

    #[test]
    fn keycaps_are_short() {
        let shown = |text| Chord::parse(text).unwrap().shown();
        assert_eq!(shown("Ctrl+Shift+z"), "Ctrl+Shift+Z");
        assert_eq!(shown("j"), "j");
        assert_eq!(shown("g i"), "g i");
        assert_eq!(shown("Shift+ArrowDown"), "Shift+↓");
        assert_eq!(shown("Alt+Enter"), "Alt+Enter");
    }

    #[test]
    fn a_beginning_clashes_with_what_begins_with_it() {
        let chord = |text| Chord::parse(text).unwrap();
        assert!(chord("g").clashes_with(&chord("g i")));
        assert!(chord("g i").clashes_with(&chord("g i")));
        assert!(!chord("g i").clashes_with(&chord("g c")));
        assert!(!chord("g").clashes_with(&chord("Ctrl+g")));
    }

    #[test]
    fn assistive_technology_hears_single_strokes() {
        let aria = |text| Chord::parse(text).unwrap().aria();
        assert_eq!(aria("Ctrl+Shift+z").as_deref(), Some("Control+Shift+z"));
        assert_eq!(aria("g i"), None);
    }
}
