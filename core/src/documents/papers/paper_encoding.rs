//! The text of a document's bytes.
//!
//! In this order: the encoding that the user chose, a byte order mark, what a page of HTML says of
//! itself (`<meta charset>`, WHATWG HTML 13.2.3.2), and what [`crate::data`] tells from the bytes. What
//! a page says does not count where its bytes say otherwise: they do not fit, or are UTF-8, in which
//! tools save pages again and leave the old words in.

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};
use scraper::{ElementRef, Html};

use crate::data::{Encoding, decode_text, text_encoding};

/// Bytes in which a page says its encoding.
const META_BYTES: usize = 4096;

/// Of the bytes above ASCII, one in so many may be damaged in an encoding that fits.
const FEW_DAMAGED: usize = 20;

pub(super) fn decoded(bytes: &[u8], chosen: Option<Encoding>) -> String {
    let chosen = chosen.map(|chosen| chosen.name().as_bytes());
    match chosen.and_then(encoding_rs::Encoding::for_label) {
        Some(chosen) => chosen.decode_with_bom_removal(bytes).0.into_owned(),
        None => decode_text(bytes),
    }
}

pub(super) fn decoded_html(bytes: &[u8], chosen: Option<Encoding>) -> String {
    decoded(bytes, chosen.or_else(|| declared_and_true(bytes)))
}

/// The encoding in which [`decoded`] reads, or [`decoded_html`] what is HTML.
pub(super) fn encoding(bytes: &[u8], chosen: Option<Encoding>, is_html: bool) -> Encoding {
    let declared = || declared_and_true(bytes).filter(|_| is_html);
    let told = chosen.or_else(declared);
    told.unwrap_or_else(|| text_encoding(bytes))
}

/// What a page says, unless its bytes say otherwise.
fn declared_and_true(bytes: &[u8]) -> Option<Encoding> {
    let has_bom = encoding_rs::Encoding::for_bom(bytes).is_some();
    let is_utf8 = !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok();
    if has_bom || is_utf8 {
        return None;
    }
    let declared = declared(bytes)?;
    let (text, _) = declared.decode_without_bom_handling(bytes);
    let n_high = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    let n_damaged = text.matches('\u{fffd}').count();
    let is_true = n_damaged * FEW_DAMAGED <= n_high;
    Encoding::from_name(declared.name())
        .ok()
        .filter(|_| is_true)
}

fn declared(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let start = &bytes[..bytes.len().min(META_BYTES)];
    let page = Html::parse_document(&String::from_utf8_lossy(start));
    let mut tags = page.root_element().descendent_elements();
    let encoding = tags.find_map(|tag| match tag.value().name() {
        "meta" => encoding_rs::Encoding::for_label(label(tag)?.as_bytes()),
        _ => None,
    })?;
    // Its bytes were read as ASCII, so it is not in UTF-16, whatever it says.
    let is_utf16 = encoding == UTF_16LE || encoding == UTF_16BE;
    Some(if is_utf16 { UTF_8 } else { encoding })
}

/// `charset="EUC-JP"`, or `content="text/html; charset=EUC-JP"`.
fn label(meta: ElementRef<'_>) -> Option<&str> {
    let meta = meta.value();
    if let Some(charset) = meta.attr("charset") {
        return Some(charset);
    }
    let kind = meta.attr("http-equiv")?;
    if !kind.trim().eq_ignore_ascii_case("content-type") {
        return None;
    }
    meta.attr("content")?.split(';').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches(['"', '\'']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const JA: &str = "生命保険です。";
    const RU: &str = "Страхование жизни";

    fn page(meta: &str, text: &[u8]) -> Vec<u8> {
        [b"<html><head>", meta.as_bytes(), b"</head><p>", text].concat()
    }

    #[track_caller]
    fn check(bytes: &[u8], chosen: Option<&str>, expected: &str) {
        let chosen = chosen.map(|name| Encoding::from_name(name).unwrap());
        let text = decoded_html(bytes, chosen);
        assert!(text.ends_with(expected), "{text}");
        let said = encoding(bytes, chosen, true);
        assert_eq!(decoded(bytes, Some(said)), text, "{said}");
    }

    #[test]
    fn a_page_says_its_encoding() {
        let cyrillic = encoding_rs::WINDOWS_1251.encode(RU).0;
        check(
            &page("<meta charset=\"windows-1251\">", &cyrillic),
            None,
            RU,
        );
        let meta = "<META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset=windows-1251'>";
        check(&page(meta, &cyrillic), None, RU);
        let euc = encoding_rs::EUC_JP.encode(JA).0;
        check(&page("<meta charset=EUC-JP>", &euc), None, JA);
        let jis = encoding_rs::ISO_2022_JP.encode(JA).0;
        check(&page("<meta charset=iso-2022-jp>", &jis), None, JA);
        // Damage here and there changes nothing.
        let damaged = [&euc[..], &[b' ', 0xff, b' '], &euc.repeat(4)].concat();
        check(
            &page("<meta charset=euc-jp>", &damaged),
            None,
            &JA.repeat(4),
        );
    }

    #[test]
    fn the_user_and_the_bytes_know_better() {
        let cyrillic = encoding_rs::WINDOWS_1251.encode(RU).0;
        let meta = "<meta charset=iso-8859-1>";
        check(&page(meta, &cyrillic), Some("windows-1251"), RU);
        check(&page("", &cyrillic), Some("windows-1251"), RU);
        check(&page(meta, JA.as_bytes()), None, JA);
        let with_mark = [b"\xef\xbb\xbf", &page(meta, JA.as_bytes())[..]].concat();
        check(&with_mark, None, JA);
        let shift_jis = encoding_rs::SHIFT_JIS.encode(JA).0;
        check(&page("<meta charset=utf-8>", &shift_jis), None, JA);
        check(&page("<meta charset=utf-16>", b"a"), None, "a");
        check(&page("<meta charset=nonsense>", b"a"), None, "a");
    }

    #[test]
    fn text_is_in_the_encoding_that_the_user_chose() {
        let cyrillic = encoding_rs::WINDOWS_1251.encode(RU).0;
        let chosen = Encoding::from_name("windows-1251").ok();
        assert_eq!(decoded(&cyrillic, chosen), RU);
        assert_ne!(decoded(&cyrillic, Encoding::from_name("latin1").ok()), RU);
    }
}
