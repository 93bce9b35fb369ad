//! The packed integers of a Parquet page, read without trust.
//!
//! Two encodings hold all counts, levels, lengths and indices of the format: the hybrid of runs and
//! bit packing, and deltas in blocks. Both are described in `Encodings.md` of apache/parquet-format.
//! What the library would answer with a panic is an error here, so that it never gets to see it.

/// Bytes that an integer of variable length takes at most.
const MAX_VARINT: usize = 10;

/// Values in a block of deltas at most; writers use 128 to 4096.
const MAX_BLOCK: u64 = 1 << 20;

/// The bytes ended, or hold a number that no file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damaged;

/// Read the hybrid of runs and bit packing: `each(value, n)` for the first `n_values`.
///
/// Returns how many there were. The headers of all runs are read, as the library may read past
/// the values that it needs.
///
/// # Errors
/// If a header is longer than any number, or a run longer than any page.
pub(super) fn runs(
    bytes: &[u8],
    width: u32,
    n_values: usize,
    mut each: impl FnMut(u64, usize),
) -> Result<usize, Damaged> {
    let mut rest = bytes;
    let mut n_read = 0;
    while let Some(header) = varint(&mut rest)? {
        // Some writers fill pages up with zeros.
        if header == 0 {
            break;
        }
        let n_runs = header >> 1;
        let left = n_values - n_read;
        if header & 1 == 0 {
            let value = rest.split_off(..(width.div_ceil(8) as usize));
            let value = value.ok_or(Damaged)?;
            let n = i32::try_from(n_runs).map_err(|_| Damaged)? as usize;
            each(little_endian(value), n.min(left));
            n_read += n.min(left);
        } else {
            let n = n_runs.checked_mul(8).ok_or(Damaged)?;
            let n = i32::try_from(n).map_err(|_| Damaged)? as usize;
            let n_bytes = (n_runs * u64::from(width)).min(rest.len() as u64) as usize;
            let (packed, after) = rest.split_at(n_bytes);
            rest = after;
            // The last group may be cut off where its values end.
            let whole = (packed.len() * 8).checked_div(width as usize);
            let n = n.min(whole.unwrap_or(n)).min(left);
            for i in 0..n {
                each(bits(packed, i * width as usize, width), 1);
            }
            n_read += n;
        }
    }
    Ok(n_read)
}

/// Deltas in blocks, of which there must be `n_values`: the values, whose lowest bits are right,
/// and the byte after them.
///
/// # Errors
/// If there are not as many, or a size is impossible.
pub(super) fn deltas(
    bytes: &[u8],
    n_values: usize,
    max_width: u32,
) -> Result<(Vec<i64>, usize), Damaged> {
    let mut rest = bytes;
    let block = varint(&mut rest)?.ok_or(Damaged)?;
    let n_minis = varint(&mut rest)?.ok_or(Damaged)?;
    let total = varint(&mut rest)?.ok_or(Damaged)?;
    let first = zigzag(varint(&mut rest)?.ok_or(Damaged)?);
    let is_block = block % 128 == 0 && (128..=MAX_BLOCK).contains(&block);
    let divides = n_minis > 0 && block % n_minis == 0 && (block / n_minis) % 32 == 0;
    if !is_block || !divides || total != n_values as u64 {
        return Err(Damaged);
    }
    let (n_minis, in_mini) = (n_minis as usize, (block / n_minis) as usize);
    let mut values = Vec::new();
    if n_values > 0 {
        values.push(first);
    }
    let mut last = first;
    while values.len() < n_values {
        let least = zigzag(varint(&mut rest)?.ok_or(Damaged)?);
        let widths = rest.split_off(..n_minis).ok_or(Damaged)?;
        for width in widths.iter().map(|width| u32::from(*width)) {
            let n = in_mini.min(n_values - values.len());
            if n == 0 {
                break;
            }
            let n_bytes = in_mini / 8 * width as usize;
            let packed = match rest.split_off(..n_bytes) {
                Some(packed) if width <= max_width => packed,
                _ => return Err(Damaged),
            };
            for i in 0..n {
                let delta = bits(packed, i * width as usize, width).cast_signed();
                last = last.wrapping_add(least).wrapping_add(delta);
                values.push(last);
            }
        }
    }
    Ok((values, bytes.len() - rest.len()))
}

/// An integer of variable length; `None` where the bytes end.
fn varint(bytes: &mut &[u8]) -> Result<Option<u64>, Damaged> {
    let mut value = 0;
    for (i, byte) in bytes.iter().enumerate() {
        if i == MAX_VARINT {
            return Err(Damaged);
        }
        value |= u64::from(byte & 0x7f) << (7 * i);
        if *byte < 0x80 {
            *bytes = &bytes[i + 1..];
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn little_endian(bytes: &[u8]) -> u64 {
    let bytes = bytes.iter().rev();
    bytes.fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// `width` bits from the bit `at`, lowest first, as far as there are bytes.
fn bits(bytes: &[u8], at: usize, width: u32) -> u64 {
    let (start, end) = (at / 8, (at + width as usize).div_ceil(8));
    let held = bytes.get(start..end.min(bytes.len())).unwrap_or_default();
    let held = held.iter().rev();
    let wide = held.fold(0_u128, |value, byte| value << 8 | u128::from(*byte));
    let mask = (1_u128 << width.min(64)) - 1;
    ((wide >> (at % 8)) & mask) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_values(bytes: &[u8], width: u32, n: usize) -> Result<Vec<u64>, Damaged> {
        let mut values = Vec::new();
        let n_read = runs(bytes, width, n, |value, n| {
            values.extend(std::iter::repeat_n(value, n));
        })?;
        assert_eq!(n_read, values.len());
        Ok(values)
    }

    /// The examples of `Encodings.md`: 0 to 7 in three bits, and a run of one value.
    #[test]
    fn runs_and_packed_groups_are_read() {
        let packed = [0x03, 0x88, 0xc6, 0xfa];
        assert_eq!(run_values(&packed, 3, 8), Ok((0..8).collect()));
        assert_eq!(run_values(&packed, 3, 5), Ok((0..5).collect()));
        assert_eq!(run_values(&[10, 7, 0, 99], 3, 9), Ok(vec![7; 5]));
        // Two whole values of twelve bits, and no third.
        assert_eq!(run_values(&[3, 0x01, 0x20, 0x00, 9], 12, 8), Ok(vec![1, 2]));
        assert_eq!(run_values(&[3], 0, 8), Ok(vec![0; 8]));
    }

    #[test]
    fn impossible_runs_are_damage() {
        assert_eq!(run_values(&[0xff; 11], 1, 1), Err(Damaged));
        assert_eq!(run_values(&[4], 8, 2), Err(Damaged));
        let long = [0xfe, 0xff, 0xff, 0xff, 0xff, 0x0f, 1];
        assert_eq!(run_values(&long, 8, 2), Err(Damaged));
    }

    /// The example of `Encodings.md`: 7, 5, 3, 1, 2, 3, 4, 5, with a smallest delta of -2.
    const DELTAS: [u8; 17] = [0x80, 1, 4, 8, 14, 3, 2, 0, 0, 0, 0xc0, 0x3f, 0, 0, 0, 0, 0];

    #[test]
    fn deltas_are_read() {
        let read = deltas(&DELTAS, 8, 32).map(|(values, _)| values);
        assert_eq!(read, Err(Damaged), "the block is cut off");
        let mut whole = DELTAS.to_vec();
        whole.truncate(10);
        whole.extend([0xc0, 0x3f, 0, 0, 0, 0, 0, 0, 77]);
        let (values, end) = deltas(&whole, 8, 32).unwrap();
        assert_eq!(values, [7, 5, 3, 1, 2, 3, 4, 5]);
        assert_eq!(whole[end], 77);
    }

    #[test]
    fn impossible_deltas_are_damage() {
        assert!(deltas(&[0x80, 1, 4, 0, 0], 0, 32).is_ok());
        for (bytes, n) in [
            // More values than the page has, none where there is one, blocks of no or of odd sizes.
            (&[0x80, 1, 4, 2, 0][..], 1),
            (&[0x80, 1, 4, 0, 0], 1),
            (&[0, 4, 1, 0], 1),
            (&[0x80, 1, 0, 1, 0], 1),
            (&[0x80, 1, 3, 1, 0], 1),
            (&[0x80, 0x80, 0x80, 0x80, 0x10, 4, 1, 0], 1),
            (&[0x80, 1, 4, 2], 2),
            // A delta of 65 bits.
            (&[0x80, 1, 4, 2, 0, 0, 65, 0, 0, 0], 2),
        ] {
            assert_eq!(deltas(bytes, n, 64), Err(Damaged), "{bytes:?}");
        }
    }
}
