//! Reading what the user types, line by line.

use std::io::{self, BufRead};

/// What came from the keyboard or a pipe.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Line(String),
    End,
}

/// Reads a line; one that ends in a backslash goes on in the next.
pub(crate) fn read_turn(input: &mut dyn BufRead) -> io::Result<Turn> {
    let mut text = String::new();
    loop {
        let mut bytes = Vec::new();
        if input.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(if text.is_empty() {
                Turn::End
            } else {
                Turn::Line(text)
            });
        }
        let line = String::from_utf8_lossy(&bytes);
        let line = line.trim_end_matches(['\n', '\r']);
        match line.strip_suffix('\\') {
            Some(line) => {
                text.push_str(line);
                text.push('\n');
            }
            None => {
                text.push_str(line);
                return Ok(Turn::Line(text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_on_after_a_backslash() {
        let mut input = &b"one\r\ntwo \\\nthree\n\xff\nlast\\"[..];
        let mut next = || read_turn(&mut input).unwrap();
        assert_eq!(next(), Turn::Line("one".into()));
        assert_eq!(next(), Turn::Line("two \nthree".into()));
        assert_eq!(next(), Turn::Line("\u{fffd}".into()));
        assert_eq!(next(), Turn::Line("last\n".into()));
        assert_eq!(next(), Turn::End);
    }
}
