//! The bytes of a file one after the other, with a look ahead, and where they stand.

use std::io::{self, Read};

use memchr::memchr3;

/// A byte source that knows its line and column.
pub(super) struct Bytes<R> {
    source: R,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    pub(super) line: u64,
    pub(super) column: u64,
    /// Only white space has been seen on this line.
    pub(super) starts_line: bool,
}

impl<R> Bytes<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; 1 << 16],
            at: 0,
            end: 0,
            line: 1,
            column: 1,
            starts_line: true,
        }
    }

    /// Consume the byte that `peek` showed.
    pub(super) fn bump(&mut self) {
        let byte = self.buffer[self.at];
        self.at += 1;
        if byte == b'\n' {
            self.line += 1;
            self.column = 1;
            self.starts_line = true;
        } else {
            // Columns count characters: the continuation bytes of UTF-8 add none.
            self.column += u64::from(byte & 0xc0 != 0x80);
            self.starts_line &= byte.is_ascii_whitespace();
        }
    }

    /// Consume what is at hand before the next byte that means something in a string: what [`Self::bump`]
    /// does with each. Empty where the next byte is one.
    pub(super) fn bump_plain(&mut self) -> &[u8] {
        let ahead = &self.buffer[self.at..self.end];
        let n_plain = memchr3(b'"', b'\\', b'\n', ahead).unwrap_or(ahead.len());
        let plain = &ahead[..n_plain];
        self.at += n_plain;
        let n_chars = plain.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        self.column += n_chars as u64;
        self.starts_line &= plain.iter().all(u8::is_ascii_whitespace);
        plain
    }

    /// Put bytes back in front, as the start of a line.
    pub(super) fn unread(&mut self, mut bytes: Vec<u8>, line: u64) {
        bytes.extend_from_slice(&self.buffer[self.at..self.end]);
        (self.at, self.end) = (0, bytes.len());
        bytes.resize(bytes.len().max(1 << 16), 0);
        self.buffer = bytes;
        (self.line, self.column, self.starts_line) = (line, 1, true);
    }
}

impl<R: Read> Bytes<R> {
    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.at == self.end {
            (self.at, self.end) = (0, read_retrying(&mut self.source, &mut self.buffer)?);
        }
        Ok((self.at < self.end).then(|| self.buffer[self.at]))
    }

    /// The first byte after the one at hand that is not white space, consuming nothing.
    pub(super) fn second_after_space(&mut self) -> io::Result<Option<u8>> {
        let mut ahead = self.at + 1;
        loop {
            if ahead >= self.end {
                if self.at > 0 {
                    self.buffer.copy_within(self.at..self.end, 0);
                    (self.end, ahead) = (self.end - self.at, ahead - self.at);
                    self.at = 0;
                }
                if self.end == self.buffer.len() {
                    return Ok(None);
                }
                let n = read_retrying(&mut self.source, &mut self.buffer[self.end..])?;
                if n == 0 {
                    return Ok(None);
                }
                self.end += n;
                continue;
            }
            if !self.buffer[ahead].is_ascii_whitespace() {
                return Ok(Some(self.buffer[ahead]));
            }
            ahead += 1;
        }
    }
}

fn read_retrying(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
