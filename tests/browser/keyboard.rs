//! Keys as the debugging protocol wants them.

use serde_json::{Value, json};

/// A key that pages react to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Tab,
    ShiftTab,
    Enter,
    Escape,
    ArrowDown,
    /// A letter, digit or sign that a layout gives without another key.
    Sign(char),
    /// With the control key.
    Control(char),
    ControlEnter,
}

impl Key {
    /// Pressing and releasing it.
    pub(crate) fn events(self) -> [Value; 2] {
        let mut sign = String::new();
        let (key, code, number, text) = match self {
            Self::Tab | Self::ShiftTab => ("Tab", "Tab", 9, ""),
            Self::Enter => ("Enter", "Enter", 13, "\r"),
            Self::ControlEnter => ("Enter", "Enter", 13, ""),
            Self::Escape => ("Escape", "Escape", 27, ""),
            Self::ArrowDown => ("ArrowDown", "ArrowDown", 40, ""),
            Self::Sign(char) | Self::Control(char) => {
                sign.push(char);
                let text = if self == Self::Sign(char) { &*sign } else { "" };
                (&*sign, "", u32::from(char.to_ascii_uppercase()), text)
            }
        };
        // Bit 3 is the shift key, bit 1 the control key.
        let modifiers = match self {
            Self::ShiftTab => 8,
            Self::Control(_) | Self::ControlEnter => 2,
            _ => 0,
        };
        let event = |kind: &str, text: &str| {
            json!({
                "type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number,
                "modifiers": modifiers, "text": text,
            })
        };
        let down = if text.is_empty() {
            "rawKeyDown"
        } else {
            "keyDown"
        };
        [event(down, text), event("keyUp", "")]
    }
}
