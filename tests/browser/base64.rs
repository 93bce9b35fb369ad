//! Base64, in which the debugging protocol sends images.

/// Bytes of a base64 text; what is no base64 is passed over.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut n_bits) = (0_u32, 0);
    for value in text.bytes().filter_map(value_of) {
        bits = bits << 6 | u32::from(value);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((bits >> n_bits) as u8);
        }
    }
    bytes
}

fn value_of(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[test]
fn decodes_every_length_of_the_last_group() {
    for (text, bytes) in [
        ("", &b""[..]),
        ("TQ==", b"M"),
        ("TWE=", b"Ma"),
        ("TWFu", b"Man"),
        ("+/9/", &[0xfb, 0xff, 0x7f]),
    ] {
        assert_eq!(decode(text), bytes, "{text}");
    }
}
