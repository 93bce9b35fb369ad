//! The character map of a `.model` file: the longest prefix that it knows is replaced by a text.
//!
//! The map is a double-array trie (a unit of 32 bits holds a label, an offset and whether a value
//! follows) and the replacements, each ended by a zero byte.

/// A map that was checked, so that lookups stay inside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CharsMap {
    units: Vec<u32>,
    replacements: Vec<u8>,
}

impl CharsMap {
    /// # Errors
    /// When sizes contradict each other.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let size = bytes
            .first_chunk::<4>()
            .map(|size| u32::from_le_bytes(*size));
        let size = size.and_then(|size| usize::try_from(size).ok());
        let rest = bytes.get(4..).unwrap_or_default();
        let Some(size) = size.filter(|&size| size <= rest.len() && size % 4 == 0 && size > 0)
        else {
            return Err(format!(
                "its character map claims a trie of {} bytes and holds {}",
                size.unwrap_or(0),
                rest.len()
            ));
        };
        let (trie, replacements) = rest.split_at(size);
        let units = trie.as_chunks::<4>().0.iter();
        Ok(Self {
            units: units.map(|unit| u32::from_le_bytes(*unit)).collect(),
            replacements: replacements.to_vec(),
        })
    }

    /// The length of the longest known prefix of a text, and what replaces it.
    pub(super) fn longest<'m>(&'m self, text: &[u8]) -> Option<(usize, &'m [u8])> {
        let mut found = None;
        let mut at = offset(*self.units.first()?);
        for (index, &byte) in text.iter().enumerate() {
            at ^= usize::from(byte);
            let Some(&unit) = self.units.get(at) else {
                break;
            };
            if unit & (1 << 31 | 0xff) != u32::from(byte) {
                break;
            }
            at ^= offset(unit);
            if unit >> 8 & 1 == 1
                && let Some(&leaf) = self.units.get(at)
            {
                found = Some((index + 1, (leaf & !(1 << 31)) as usize));
            }
        }
        let (length, start) = found?;
        let replacement = self.replacements.get(start..)?;
        let end = replacement.iter().position(|&byte| byte == 0);
        Some((length, &replacement[..end.unwrap_or(replacement.len())]))
    }
}

fn offset(unit: u32) -> usize {
    ((unit >> 10) << ((unit & 1 << 9) >> 6)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked() {
        assert_eq!(CharsMap::read(&[]), Ok(CharsMap::default()));
        assert!(CharsMap::read(&[1, 0]).is_err());
        assert!(CharsMap::read(&[8, 0, 0, 0, 1, 2, 3, 4]).is_err());
        assert!(CharsMap::read(&[3, 0, 0, 0, 1, 2, 3, 4]).is_err());
        let map = CharsMap::read(&[4, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f]).unwrap();
        assert_eq!(map.longest(b"abc"), None);
    }
}
