//! The pages of a column chunk, looked at before the library reads them.
//!
//! A page header is a struct in Thrift's compact encoding. Only the numbers that decide how much is
//! allocated are taken from it; everything else is stepped over.

use parquet::file::metadata::ColumnChunkMetaData;

use super::parquet_unpacked::check_unpacked;

/// Fields of a page header by their numbers in the format.
const UNPACKED_SIZE: i16 = 2;
const PACKED_SIZE: i16 = 3;
const DATA_PAGE: i16 = 5;
const DICTIONARY_PAGE: i16 = 7;
const DATA_PAGE_V2: i16 = 8;

/// Structs in structs deeper than any header has.
const MAX_DEPTH: usize = 8;

/// Fields of the header of a data page of the second version.
const DEFINITION_BYTES: i16 = 5;
const REPETITION_BYTES: i16 = 6;
const IS_PACKED: i16 = 7;

/// What a page header says.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    packed: i64,
    unpacked: i64,
    n_values: i64,
    is_dictionary: bool,
    /// Bytes in front of the values that are never packed.
    levels: i64,
    is_packed: bool,
}

/// Walk over the pages and compare what they claim with the chunk and with each other.
pub(super) fn check_pages(bytes: &[u8], column: &ColumnChunkMetaData) -> Result<(), String> {
    let mut cursor = Cursor { bytes, at: 0 };
    let mut n_values = 0;
    while cursor.at < bytes.len() {
        let page = cursor.page().ok_or("a page header is broken")?;
        let rest = (bytes.len() - cursor.at) as i64;
        if !(0..=rest).contains(&page.packed) {
            return Err(format!(
                "a page is said to take {} bytes, {rest} are left",
                page.packed
            ));
        }
        if !(0..=column.uncompressed_size()).contains(&page.unpacked) {
            return Err(format!(
                "a page is said to unpack to {} bytes, the column to {}",
                page.unpacked,
                column.uncompressed_size()
            ));
        }
        let most = if page.is_dictionary {
            page.unpacked
        } else {
            n_values += page.n_values;
            column.num_values()
        };
        if !(0..=most).contains(&page.n_values) {
            return Err(format!(
                "a page is said to hold {} values, at most {most} can be",
                page.n_values
            ));
        }
        let body = &bytes[cursor.at..][..page.packed as usize];
        let most = page.unpacked - page.levels;
        let packed = usize::try_from(page.levels).ok();
        let packed = packed.and_then(|levels| body.get(levels..));
        let (Some(packed), Ok(most)) = (packed, u64::try_from(most)) else {
            return Err(format!(
                "the levels of a page are said to take {} bytes",
                page.levels
            ));
        };
        if page.is_packed {
            check_unpacked(column.compression(), packed, most)?;
        }
        cursor.at += page.packed as usize;
    }
    if n_values != column.num_values() {
        return Err(format!(
            "its pages hold {n_values} values where {} are said",
            column.num_values()
        ));
    }
    Ok(())
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn page(&mut self) -> Option<Page> {
        let mut page = Page {
            packed: 0,
            unpacked: 0,
            n_values: 0,
            is_dictionary: false,
            levels: 0,
            is_packed: true,
        };
        let mut field = 0;
        while let Some(kind) = self.field(&mut field)? {
            match field {
                UNPACKED_SIZE => page.unpacked = self.integer(kind)?,
                PACKED_SIZE => page.packed = self.integer(kind)?,
                DATA_PAGE | DICTIONARY_PAGE | DATA_PAGE_V2 => {
                    page.is_dictionary = field == DICTIONARY_PAGE;
                    self.of_kind(field, kind, &mut page)?;
                }
                _ => self.skip(kind, 0)?,
            }
        }
        Some(page)
    }

    /// The struct of one kind of page.
    fn of_kind(&mut self, page_kind: i16, kind: u8, page: &mut Page) -> Option<()> {
        const STRUCT: u8 = 12;
        const FALSE: u8 = 2;
        const N_VALUES: i16 = 1;
        if kind != STRUCT {
            return None;
        }
        let is_second = page_kind == DATA_PAGE_V2;
        let mut field = 0;
        while let Some(kind) = self.field(&mut field)? {
            match field {
                N_VALUES => page.n_values = self.integer(kind)?,
                DEFINITION_BYTES | REPETITION_BYTES if is_second => {
                    page.levels = page.levels.checked_add(self.integer(kind)?)?;
                }
                IS_PACKED if is_second => {
                    self.skip(kind, 1)?;
                    page.is_packed = kind != FALSE;
                }
                _ => self.skip(kind, 1)?,
            }
        }
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// The type of the next field, with its number; `Some(None)` at the end of the struct.
    #[expect(
        clippy::option_option,
        reason = "the end of a struct is not the end of the bytes"
    )]
    fn field(&mut self, number: &mut i16) -> Option<Option<u8>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        let delta = i16::from(byte >> 4);
        *number = match delta {
            0 => i16::try_from(self.zigzag()?).ok()?,
            _ => number.checked_add(delta)?,
        };
        Some(Some(byte & 0x0f))
    }

    fn integer(&mut self, kind: u8) -> Option<i64> {
        matches!(kind, 4..=6).then(|| self.zigzag())?
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match kind {
            // Booleans are in their type.
            1 | 2 => {}
            3 => self.at = self.at.checked_add(1)?,
            4..=6 => {
                self.varint()?;
            }
            7 => self.at = self.at.checked_add(8)?,
            8 => {
                let length = usize::try_from(self.varint()?).ok()?;
                self.at = self.at.checked_add(length)?;
            }
            9 | 10 => self.skip_list(depth)?,
            12 => {
                let mut field = 0;
                while let Some(kind) = self.field(&mut field)? {
                    self.skip(kind, depth + 1)?;
                }
            }
            _ => return None,
        }
        (self.at <= self.bytes.len()).then_some(())
    }

    fn skip_list(&mut self, depth: usize) -> Option<()> {
        let byte = self.byte()?;
        let n = match byte >> 4 {
            15 => self.varint()?,
            n => u64::from(n),
        };
        for _ in 0..n {
            // In a list a boolean takes a byte.
            let kind = byte & 0x0f;
            self.skip(if kind <= 2 { 3 } else { kind }, depth + 1)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Type 0, 20 bytes unpacked, 10 packed, statistics to step over, 3 values.
    const HEADER: [u8; 21] = [
        0x15, 0, 0x15, 40, 0x15, 20, 0x2c, 0x15, 6, 0x15, 0, 0x15, 0, 0x15, 0, 0x1c, 0x18, 1, 7, 0,
        0,
    ];

    #[test]
    fn a_header_is_read() {
        let mut bytes = HEADER.to_vec();
        bytes.push(0);
        let mut cursor = Cursor {
            bytes: &bytes,
            at: 0,
        };
        let expected = Page {
            packed: 10,
            unpacked: 20,
            n_values: 3,
            is_dictionary: false,
            levels: 0,
            is_packed: true,
        };
        assert_eq!(cursor.page(), Some(expected));
        assert_eq!(cursor.at, bytes.len());
    }

    #[test]
    fn a_header_that_is_cut_off_is_none() {
        for n in 0..HEADER.len() {
            let bytes = &HEADER[..n];
            assert_eq!(Cursor { bytes, at: 0 }.page(), None, "{n}");
        }
    }
}
