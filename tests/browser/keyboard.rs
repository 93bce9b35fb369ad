//! Keys as the debugging protocol wants them.

use serde_json::{Value, json};

/// A key that pages react to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Tab,
    ShiftTab,
    Enter,
}

impl Key {
    /// Pressing and releasing it.
    pub(crate) fn events(self) -> [Value; 2] {
        let (key, code, number, text) = match self {
            Self::Tab | Self::ShiftTab => ("Tab", "Tab", 9, ""),
            Self::Enter => ("Enter", "Enter", 13, "\r"),
        };
        // Bit 3 is the shift key.
        let modifiers = if self == Self::ShiftTab { 8 } else { 0 };
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
