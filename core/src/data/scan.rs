//! Finds where JSON records begin and end, without holding more than one of them.
//!
//! Takes JSON Lines, an array of records, objects written one after the other (also over many
//! lines), and an object that wraps the array (`{"data": [...]}`), all by the same walk: brackets
//! are counted outside strings until a record closes. The walk knows where JSON's grammar allows an
//! object, so that one broken record ends where the next one visibly starts instead of swallowing
//! it; what is inside a record is for `serde_json` to judge.

mod bytes;

use std::io::{self, Read};

use bytes::Bytes;

/// Keys under which an object may hold the array of records.
const WRAPPERS: [&str; 9] = [
    "data",
    "train",
    "examples",
    "records",
    "rows",
    "items",
    "samples",
    "dataset",
    "instances",
];

/// Deeper nesting is refused; `serde_json` stops at 128.
const MAX_DEPTH: usize = 512;

/// Bytes that may be read again in search of records, so that no file takes quadratic time.
const MAX_REREAD: usize = 1 << 30;

/// Keys beside the records that are told.
const MAX_UNREAD: usize = 20;

/// Bytes of a key that are kept; those that matter are shorter.
const MAX_KEY: usize = 64;

/// The bytes of one record and where it starts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) bytes: Vec<u8>,
    pub(crate) line: u64,
    pub(crate) column: u64,
    pub(crate) fault: Option<Fault>,
}

/// What stands beside the array of records in the object that wraps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unread {
    pub(crate) key: String,
    pub(crate) line: u64,
    /// Objects in it, where it is a list.
    pub(crate) n_objects: u64,
}

/// What the walk itself saw to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The next record, or the end of the file, came before this one closed.
    NotClosed,
    /// A line break inside a string.
    LineBreakInString,
    /// More bytes than the cap; they were not kept.
    TooLarge,
    TooDeep,
    /// The array that holds the records never closes.
    ArrayNotClosed,
}

/// How the file holds its records, as far as it has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// One object a line.
    #[default]
    Lines,
    /// One array.
    Array,
    /// Objects one after the other, not one a line.
    Concatenated,
    /// An array under this key of one object.
    Wrapped(&'static str),
}

pub(crate) struct Scanner<R> {
    bytes: Bytes<R>,
    cap: usize,
    layout: Layout,
    in_array: bool,
    /// The last object closed on the line on which it began.
    one_line: bool,
    fresh: bool,
    n_reread: usize,
    pub(crate) unread: Vec<Unread>,
}

impl<R: Read> Scanner<R> {
    pub(crate) fn new(source: R, cap: usize) -> Self {
        Self {
            bytes: Bytes::new(source),
            cap,
            layout: Layout::Lines,
            in_array: false,
            one_line: false,
            fresh: true,
            n_reread: 0,
            unread: Vec::new(),
        }
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// The next record, whole or broken.
    pub(crate) fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        loop {
            let Some(byte) = self.skip_between()? else {
                return Ok(std::mem::take(&mut self.in_array).then(|| Chunk {
                    bytes: Vec::new(),
                    line: self.bytes.line,
                    column: self.bytes.column,
                    fault: Some(Fault::ArrayNotClosed),
                }));
            };
            match byte {
                b']' if self.in_array => {
                    self.bytes.bump();
                    self.in_array = false;
                    if matches!(self.layout, Layout::Wrapped(_)) {
                        self.note_rest_of_wrapper()?;
                    }
                }
                b'[' if !self.in_array && (self.fresh || self.layout == Layout::Array) => {
                    self.bytes.bump();
                    self.in_array = true;
                    self.layout = Layout::Array;
                }
                b'{' => {
                    if let Some(chunk) = self.object()? {
                        self.fresh = false;
                        return Ok(Some(chunk));
                    }
                }
                _ => {
                    self.fresh = false;
                    return self.other_value().map(Some);
                }
            }
        }
    }

    /// White space, and the commas between records.
    fn skip_between(&mut self) -> io::Result<Option<u8>> {
        while let Some(byte) = self.bytes.peek()? {
            if !(byte.is_ascii_whitespace() || byte == b',') {
                return Ok(Some(byte));
            }
            self.bytes.bump();
        }
        Ok(None)
    }

    /// One object. `None`: it turned out to wrap the array of records.
    fn object(&mut self) -> io::Result<Option<Chunk>> {
        let mut walk = Walk::new(&self.bytes, self.cap);
        let lines_so_far = self.one_line && !self.in_array;
        while let Some(byte) = self.bytes.peek()? {
            if walk.in_string {
                let plain = match walk.escaped {
                    true => &[],
                    false => self.bytes.bump_plain(),
                };
                if !plain.is_empty() {
                    walk.string_bytes(plain);
                    continue;
                }
                self.bytes.bump();
                if byte == b'\n' {
                    return self.recover(walk, Fault::LineBreakInString).map(Some);
                }
                walk.string_byte(byte);
                continue;
            }
            if byte == b'{' && self.bytes.starts_line && walk.next_record_starts(lines_so_far) {
                return Ok(Some(walk.finish(Some(Fault::NotClosed))));
            }
            if byte == b']' && self.in_array && !walk.stack.contains(&b'[') {
                return Ok(Some(walk.finish(Some(Fault::NotClosed))));
            }
            if byte == b'['
                && self.fresh
                && !self.in_array
                && let Some(key) = walk.wrapper_key()
                && self.array_of_objects_follows()?
            {
                self.layout = Layout::Wrapped(key);
                self.in_array = true;
                self.unread = walk.lists;
                return Ok(None);
            }
            if byte == b'{' && self.fresh && !self.in_array && walk.is_in_list() {
                walk.count_listed(self.bytes.line);
            }
            self.bytes.bump();
            if walk.structure_byte(byte) {
                self.note_layout(&walk);
                return Ok(Some(walk.finish(None)));
            }
            if walk.stack.len() > MAX_DEPTH {
                return self.recover(walk, Fault::TooDeep).map(Some);
            }
        }
        Ok(Some(self.end_unclosed(walk)))
    }

    /// The file ended inside a record. If a later line starts as this record did, the record more
    /// likely ended there: what follows is read again.
    fn end_unclosed(&mut self, mut walk: Walk) -> Chunk {
        let next = (self.n_reread < MAX_REREAD)
            .then(|| walk.line_like_the_first())
            .flatten();
        if let Some(at) = next {
            let rest = walk.kept.split_off(at);
            self.n_reread += rest.len();
            let line = walk.line + count_newlines(&walk.kept);
            self.bytes.unread(rest, line);
        }
        walk.finish(Some(Fault::NotClosed))
    }

    fn note_layout(&mut self, walk: &Walk) {
        self.one_line = walk.line == self.bytes.line;
        if self.layout == Layout::Lines && !self.one_line {
            self.layout = Layout::Concatenated;
        }
    }

    /// Consumes `[` and says whether objects (or nothing) come next.
    fn array_of_objects_follows(&mut self) -> io::Result<bool> {
        // A wrapper's array is told by its first element; the bracket is consumed only if it is one.
        let follows = self.bytes.second_after_space()?;
        if matches!(follows, Some(b'{' | b']')) {
            self.bytes.bump();
            return Ok(true);
        }
        Ok(false)
    }

    /// Skip to the next line that starts like a record: `{` no deeper than this one, or the end of
    /// the array. In JSON Lines that is simply the next line.
    fn recover(&mut self, mut walk: Walk, fault: Fault) -> io::Result<Chunk> {
        if fault != Fault::LineBreakInString {
            self.skip_line()?;
        }
        let line_based = self.one_line && !self.in_array;
        while !line_based && let Some(byte) = self.bytes.peek()? {
            let starts = self.bytes.starts_line && self.bytes.column <= walk.indent_column;
            let ends_array = byte == b']' && self.in_array;
            if starts && (byte == b'{' || ends_array) {
                break;
            }
            self.bytes.bump();
            if !byte.is_ascii_whitespace() && self.bytes.column > walk.indent_column {
                self.skip_line()?;
            }
        }
        walk.in_string = false;
        Ok(walk.finish(Some(fault)))
    }

    fn skip_line(&mut self) -> io::Result<()> {
        while let Some(byte) = self.bytes.peek()? {
            self.bytes.bump();
            if byte == b'\n' {
                break;
            }
        }
        Ok(())
    }

    /// A value that is no object: up to the end of the line, or in an array to the next comma.
    fn other_value(&mut self) -> io::Result<Chunk> {
        let mut walk = Walk::new(&self.bytes, self.cap);
        while let Some(byte) = self.bytes.peek()? {
            let open = walk.in_string || !walk.stack.is_empty();
            let ends = byte == b'\n' || (self.in_array && !open && matches!(byte, b',' | b']'));
            if ends {
                break;
            }
            self.bytes.bump();
            if walk.in_string {
                walk.string_byte(byte);
            } else {
                walk.structure_byte(byte);
            }
            walk.stack.truncate(MAX_DEPTH);
        }
        Ok(walk.finish(None))
    }

    /// After a wrapped array: walk to the end of the file and remember what else there was.
    fn note_rest_of_wrapper(&mut self) -> io::Result<()> {
        let mut walk = Walk::new(&self.bytes, 0);
        walk.stack.push(b'{');
        walk.previous = b']';
        while let Some(byte) = self.bytes.peek()? {
            self.bytes.bump();
            if walk.in_string {
                walk.string_byte(byte);
            } else {
                let at_key = walk.stack.len() == 1 && byte == b':';
                let is_listed = byte == b'{' && walk.is_in_list();
                walk.structure_byte(byte);
                if at_key && self.unread.len() < MAX_UNREAD {
                    self.unread.push(walk.unread(self.bytes.line, 0));
                }
                if is_listed
                    && let Some(last) = self.unread.last_mut()
                    && last.key.as_bytes() == walk.key
                {
                    last.n_objects += 1;
                }
            }
            walk.stack.truncate(MAX_DEPTH);
        }
        Ok(())
    }
}

/// The state of the walk through one record.
struct Walk {
    kept: Vec<u8>,
    cap: usize,
    too_large: bool,
    line: u64,
    column: u64,
    /// Where a sibling of this record would start.
    indent_column: u64,
    starts_line: bool,
    stack: Vec<u8>,
    in_string: bool,
    escaped: bool,
    /// The last byte outside strings that is not white space; `"` for a string.
    previous: u8,
    /// The last string directly inside the record: the key, where a value follows.
    key: Vec<u8>,
    /// Lists of objects directly inside what may wrap the records.
    lists: Vec<Unread>,
}

impl Walk {
    fn new<R>(bytes: &Bytes<R>, cap: usize) -> Self {
        Self {
            kept: Vec::new(),
            cap,
            too_large: false,
            line: bytes.line,
            column: bytes.column,
            indent_column: if bytes.starts_line { bytes.column } else { 1 },
            starts_line: bytes.starts_line,
            stack: Vec::new(),
            in_string: false,
            escaped: false,
            previous: 0,
            key: Vec::new(),
            lists: Vec::new(),
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.too_large {
            return;
        }
        if self.kept.len() >= self.cap {
            self.too_large = true;
            self.kept = Vec::new();
            return;
        }
        self.kept.push(byte);
    }

    /// What [`Self::keep`] does with each.
    fn keep_all(&mut self, bytes: &[u8]) {
        if self.too_large {
            return;
        }
        if self.kept.len() + bytes.len() > self.cap {
            self.too_large = true;
            self.kept = Vec::new();
            return;
        }
        self.kept.extend_from_slice(bytes);
    }

    /// What [`Self::string_byte`] does with each, where none of them is escaped or means something.
    fn string_bytes(&mut self, plain: &[u8]) {
        self.keep_all(plain);
        if self.stack.len() == 1 {
            let left = MAX_KEY.saturating_sub(self.key.len());
            self.key.extend(plain.iter().take(left));
        }
    }

    fn string_byte(&mut self, byte: u8) {
        self.keep(byte);
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.in_string = false,
            _ if self.stack.len() == 1 && self.key.len() < MAX_KEY => self.key.push(byte),
            _ => {}
        }
    }

    /// A byte outside strings. True when it closes the record.
    fn structure_byte(&mut self, byte: u8) -> bool {
        self.keep(byte);
        match byte {
            b'"' => {
                self.in_string = true;
                if self.stack.len() == 1 {
                    self.key.clear();
                }
            }
            b'{' | b'[' => self.stack.push(byte),
            b'}' | b']' => {
                // A bracket that was forgotten closes with the one around it.
                let opener = if byte == b'}' { b'{' } else { b'[' };
                if let Some(at) = self.stack.iter().rposition(|&open| open == opener) {
                    self.stack.truncate(at);
                }
                self.previous = byte;
                return self.stack.is_empty();
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            self.previous = byte;
        }
        false
    }

    /// Whether an object that starts a line here must be the next record: always where records
    /// stand one a line, otherwise where JSON does not allow an object inside this one.
    fn next_record_starts(&self, lines_so_far: bool) -> bool {
        let allowed = match self.stack.last() {
            None => return false,
            Some(b'{') => self.previous == b':',
            Some(_) => matches!(self.previous, b'[' | b','),
        };
        lines_so_far || !allowed
    }

    /// Where a later line starts with `{` at the indentation of this record.
    fn line_like_the_first(&self) -> Option<usize> {
        if !self.starts_line || self.too_large {
            return None;
        }
        let indent = self.indent_column as usize - 1;
        let ends = self
            .kept
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n');
        let mut starts = ends.map(|(end, _)| end + 1);
        starts.find(|&start| {
            let line = &self.kept[start..];
            line.get(indent) == Some(&b'{') && line[..indent].iter().all(u8::is_ascii_whitespace)
        })
    }

    fn is_in_list(&self) -> bool {
        self.stack == [b'{', b'[']
    }

    /// An object begins in a list directly inside the record.
    fn count_listed(&mut self, line: u64) {
        if let Some(list) = self.lists.last_mut()
            && list.key.as_bytes() == self.key
        {
            list.n_objects += 1;
        } else if self.lists.len() < MAX_UNREAD {
            let list = self.unread(line, 1);
            self.lists.push(list);
        }
    }

    fn unread(&self, line: u64, n_objects: u64) -> Unread {
        Unread {
            key: String::from_utf8_lossy(&self.key).into_owned(),
            line,
            n_objects,
        }
    }

    fn wrapper_key(&self) -> Option<&'static str> {
        let at_value = self.stack.len() == 1 && self.previous == b':';
        let known = WRAPPERS
            .into_iter()
            .find(|wrapper| wrapper.as_bytes() == self.key);
        known.filter(|_| at_value)
    }

    fn finish(self, fault: Option<Fault>) -> Chunk {
        Chunk {
            bytes: self.kept,
            line: self.line,
            column: self.column,
            fault: if self.too_large {
                Some(Fault::TooLarge)
            } else {
                fault
            },
        }
    }
}

fn count_newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests;
