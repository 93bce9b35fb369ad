//! Bytes that a stream of a PDF unpacks to, counted without keeping them.
//!
//! Where a stream is damaged it is not known how far it is read on; it then counts as the most that
//! its bytes may become.

use std::io::Read as _;

use flate2::bufread::DeflateDecoder;
use hayro_interpret::hayro_syntax::{
    Filter,
    object::{FromBytes as _, Stream},
};

/// Beyond so many bytes it is not counted on.
pub(super) const MAX_COUNTED: u64 = 64 << 20;

/// The most bytes that one becomes (of a sequence of 258 equal ones, two bits).
const MAX_INFLATION: u64 = 1032;

/// Of the codes of LZW: clear the table, end of the data, and how many there are.
const CLEAR: usize = 256;
const END: usize = 257;
const MAX_CODES: usize = 4096;

/// Where that is more than is counted, at least as many as are.
pub(super) fn unpacked_length(stream: &Stream<'_>) -> u64 {
    let filters = stream.filters();
    let filters = match filters.as_slice() {
        // Decrypted already.
        [Filter::Crypt, rest @ ..] => rest,
        all => all,
    };
    match filters.iter().any(|filter| is_for_images(*filter)) {
        true => 0,
        false => length(&stream.raw_data(), filters),
    }
}

fn length(data: &[u8], filters: &[Filter]) -> u64 {
    let [first, rest @ ..] = filters else {
        return data.len() as u64;
    };
    let n_bytes = match first {
        Filter::FlateDecode => inflated_length(data),
        Filter::LzwDecode => lzw_length(data, 0).max(lzw_length(data, 1)),
        _ => (data.len() as u64).saturating_mul(ratio(*first)),
    };
    match first {
        // A predictor may lie between these and the next.
        Filter::FlateDecode | Filter::LzwDecode => {
            let ratios = rest.iter().map(|filter| ratio(*filter));
            ratios.fold(n_bytes, u64::saturating_mul)
        }
        _ if n_bytes > MAX_COUNTED => n_bytes,
        first => decoded(*first, data).map_or(0, |data| length(&data, rest)),
    }
}

/// What these fail for as data is not read at all.
fn is_for_images(filter: Filter) -> bool {
    matches!(
        filter,
        Filter::DctDecode | Filter::JpxDecode | Filter::Jbig2Decode | Filter::CcittFaxDecode
    )
}

/// The most bytes that one becomes.
fn ratio(filter: Filter) -> u64 {
    match filter {
        Filter::FlateDecode => MAX_INFLATION,
        Filter::LzwDecode => MAX_CODES as u64,
        Filter::RunLengthDecode => 64,
        // One sign may stand for four zeros.
        Filter::Ascii85Decode => 4,
        _ => 1,
    }
}

fn decoded(filter: Filter, data: &[u8]) -> Option<Vec<u8>> {
    let name = match filter {
        Filter::AsciiHexDecode => "ASCIIHexDecode",
        Filter::Ascii85Decode => "ASCII85Decode",
        Filter::RunLengthDecode => "RunLengthDecode",
        _ => return None,
    };
    let start = format!("<</Filter/{name}/Length {}>>stream\n", data.len());
    let stream = [start.as_bytes(), data, b"\nendstream"].concat();
    let data = Stream::from_bytes(&stream)?.decoded_data().ok()?;
    Some(data.into_owned())
}

fn inflated_length(data: &[u8]) -> u64 {
    let deflated = match data {
        [method, flags, rest @ ..]
            if method & 0x0f == 8
                && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
                && flags & 0x20 == 0 =>
        {
            rest
        }
        _ => data,
    };
    let mut inflater = DeflateDecoder::new(deflated);
    let (mut buffer, mut n_bytes) = (vec![0; 1 << 16], 0);
    while n_bytes <= MAX_COUNTED {
        match inflater.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n_bytes += n as u64,
            Err(_) => {
                let n_left = (deflated.len() as u64).saturating_sub(inflater.total_in());
                return n_bytes.saturating_add(n_left.saturating_mul(MAX_INFLATION));
            }
        }
    }
    n_bytes
}

/// `early`: whether codes become longer one code earlier than they must.
fn lzw_length(data: &[u8], early: usize) -> u64 {
    let (mut lengths, mut before) = (vec![1; END + 1], None);
    let (mut bits, mut n_bits, mut n_bytes) = (0_u32, 0, 0_u64);
    for byte in data {
        bits = bits << 8 | u32::from(*byte);
        n_bits += 8;
        let width = match lengths.len() + early {
            2048.. => 12,
            1024.. => 11,
            512.. => 10,
            _ => 9,
        };
        if n_bits < width {
            continue;
        }
        n_bits -= width;
        let code = (bits >> n_bits & ((1 << width) - 1)) as usize;
        match code {
            CLEAR => {
                lengths.truncate(END + 1);
                before = None;
                continue;
            }
            END => break,
            _ => {}
        }
        let new = before.map(|length: u64| length + 1);
        let known = lengths.get(code).copied();
        if let Some(new) = new.filter(|_| lengths.len() < MAX_CODES) {
            lengths.push(new);
        }
        let Some(length) = known.or(new) else {
            break;
        };
        n_bytes += length;
        before = Some(length);
        if n_bytes > MAX_COUNTED {
            break;
        }
    }
    n_bytes
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[track_caller]
    fn check(filters: &str, data: &[u8], expected: std::ops::RangeInclusive<u64>) {
        let start = format!("<</Filter{filters}/Length {}>>stream\n", data.len());
        let bytes = [start.as_bytes(), data, b"\nendstream"].concat();
        let stream = Stream::from_bytes(&bytes).unwrap();
        let found = unpacked_length(&stream);
        assert!(expected.contains(&found), "{found}");
        let unpacked = stream.decoded_data().map_or(0, |data| data.len() as u64);
        assert!(unpacked <= found, "{unpacked}, {found}");
    }

    fn deflated(data: &[u8]) -> Vec<u8> {
        let mut packed =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(data).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn streams_are_counted_as_they_are_unpacked() {
        let packed = deflated(&[b' '; 100_000]);
        check("/FlateDecode", &packed, 100_000..=100_000);
        let hex: String = packed.iter().map(|byte| format!("{byte:02x}")).collect();
        let both = "[/ASCIIHexDecode/FlateDecode]";
        check(both, format!("{hex}>").as_bytes(), 100_000..=100_000);
        check("[/FlateDecode/DCTDecode]", &packed, 0..=0);
        check("[/FlateDecode/FlateDecode]", &packed, 100_000..=u64::MAX);
        // Clear, `a`, what follows it three times (ISO 32000-1, 7.4.4.2), end: 9 bits each.
        let codes = [256, 97, 258, 259, 260, 257];
        let bits: String = codes.iter().map(|code| format!("{code:09b}")).collect();
        let bytes = bits.as_bytes().chunks(8).map(|bits| {
            let bits = format!("{:0<8}", std::str::from_utf8(bits).unwrap());
            u8::from_str_radix(&bits, 2).unwrap()
        });
        check("/LZWDecode", &bytes.collect::<Vec<u8>>(), 10..=10);
    }

    /// The reader goes on where a length of bytes comes before any.
    #[test]
    fn damage_hides_nothing() {
        let packed = deflated(&vec![b' '; 1 << 20]);
        // A block that repeats what was before the first byte, and an empty one.
        let damage = [0x78, 0x9c, 2, 2, 0, 0, 0, 0, 0xff, 0xff];
        let damaged = [&damage[..], &packed[2..]].concat();
        check("/FlateDecode", &damaged, 1 << 20..=u64::MAX);
        check("/FlateDecode", &packed[..500], 1..=1 << 20);
    }
}
