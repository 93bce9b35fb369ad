//! Which encoding a file is in, and a reader that turns it into UTF-8 as it goes.
//!
//! A byte order mark decides. Without one, in this order:
//! UTF-16 where zero bytes stand on one side of the pairs only; UTF-8 where every byte fits, or nearly
//! all, so that a broken line does not change what the others say; EUC-JP where every byte beyond ASCII
//! stands in a pair and some pairs are kana; Shift_JIS where every byte fits and double-byte characters
//! stand side by side or apart from letters (in a
//! Western text a high byte stands alone between ASCII letters); what the detector of Firefox, `chardetng`,
//! says by which letters follow each other, as long as there are some; Windows-1252 otherwise, which
//! is what "Latin-1" means on the web.

use std::{
    fmt,
    io::{self, Read},
};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    CoderResult, Decoder, EUC_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252,
};

use super::DatasetError;

/// Bytes looked at to tell the encoding and the format.
pub(crate) const SAMPLE_BYTES: usize = 1 << 20;

/// A text encoding, by any name that the web knows (`utf-8`, `shift_jis`, `latin1`, …).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    pub const UTF_8: Self = Self(UTF_8);

    /// # Errors
    /// If the name is neither one of the WHATWG labels nor another that is common for one of them.
    pub fn from_name(name: &str) -> Result<Self, DatasetError> {
        let known = |name: &str| encoding_rs::Encoding::for_label(name.trim().as_bytes());
        known(name)
            .or_else(|| known(label_of(name)?))
            .map(Self)
            .ok_or_else(|| DatasetError::UnknownEncoding { found: name.into() })
    }

    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

/// The WHATWG label for what Windows, Python and others call an encoding.
fn label_of(name: &str) -> Option<&'static str> {
    const NAMES: [(&str, &[&str]); 7] = [
        ("euc-kr", &["cp949", "ms949", "uhc", "euckr"]),
        ("shift_jis", &["cp932", "ms932", "cp943"]),
        ("gbk", &["cp936", "ms936"]),
        ("big5", &["cp950", "ms950"]),
        ("macintosh", &["macroman", "xmacroman"]),
        ("euc-jp", &["eucjp"]),
        ("windows-1252", &["latin1", "ansi"]),
    ];
    let lower = name
        .trim()
        .to_ascii_lowercase()
        .replace(['-', '_', ' '], "");
    let found = NAMES.iter().find(|(_, names)| names.contains(&&*lower));
    found.map(|(label, _)| *label)
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An encoding and what told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Detected {
    pub(crate) encoding: Encoding,
    pub(crate) bom: bool,
    pub(crate) reason: &'static str,
}

/// Tell the encoding from the start of a file. `complete`: the sample is the whole file.
pub(crate) fn detect(sample: &[u8], complete: bool) -> Detected {
    let detected = |encoding, bom, reason| Detected {
        encoding: Encoding(encoding),
        bom,
        reason,
    };
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(sample) {
        return detected(encoding, true, "byte order mark");
    }
    if let Some(encoding) = utf16_without_bom(sample) {
        return detected(encoding, false, "zero bytes on one side of each pair");
    }
    if fits_utf8(sample, complete) {
        return detected(UTF_8, false, "all bytes are valid UTF-8");
    }
    if nearly_fits_utf8(sample) {
        return detected(UTF_8, false, "nearly all characters are valid UTF-8");
    }
    if looks_like_euc_jp(sample, complete) {
        return detected(EUC_JP, false, "all bytes stand in pairs, some of them kana");
    }
    if looks_like_shift_jis(sample, complete) {
        return detected(
            SHIFT_JIS,
            false,
            "all bytes fit and Japanese characters stand together",
        );
    }
    match by_letters(sample, complete) {
        Some(encoding) => detected(
            encoding,
            false,
            "not UTF-8; the letters follow each other as in texts of this encoding",
        ),
        None => detected(WINDOWS_1252, false, why_western(sample)),
    }
}

/// What the detector of web pages takes bytes for that are none of the above, unless that is Western.
fn by_letters(sample: &[u8], complete: bool) -> Option<&'static encoding_rs::Encoding> {
    /// A sign or two, such as `5 £`, say nothing.
    const ENOUGH: usize = 4;
    if sample
        .iter()
        .filter(|byte| !byte.is_ascii())
        .take(ENOUGH)
        .count()
        < ENOUGH
    {
        return None;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, complete);
    let found = detector.guess(None, Utf8Detection::Deny);
    // Japanese was looked for more closely.
    (![WINDOWS_1252, EUC_JP, SHIFT_JIS].contains(&found)).then_some(found)
}

/// Where most letters are high bytes, the text is hardly Western.
fn why_western(sample: &[u8]) -> &'static str {
    let n_high = sample.iter().filter(|byte| !byte.is_ascii()).count();
    let n_ascii = sample
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .count();
    match n_high > n_ascii {
        true => "a guess; it may be another encoding: name it with --encoding",
        false => "not UTF-8; single accented bytes between ASCII letters",
    }
}

/// The text of a file, whatever its encoding; bytes that are no text become replacement characters.
pub fn decode_text(bytes: &[u8]) -> String {
    text_encoding(bytes).0.decode(bytes).0.into_owned()
}

/// The encoding in which [`decode_text`] reads.
pub(crate) fn text_encoding(bytes: &[u8]) -> Encoding {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    detect(sample, sample.len() == bytes.len()).encoding
}

fn fits_utf8(sample: &[u8], complete: bool) -> bool {
    match std::str::from_utf8(sample) {
        Ok(_) => true,
        // The sample may end inside a character.
        Err(error) => !complete && error.error_len().is_none(),
    }
}

/// Bytes of another encoding hardly ever make a character of several bytes.
fn nearly_fits_utf8(sample: &[u8]) -> bool {
    let (mut n_fit, mut n_broken) = (0, 0);
    for chunk in sample.utf8_chunks() {
        n_fit += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        n_broken += usize::from(!chunk.invalid().is_empty());
    }
    n_fit > 0 && n_broken * 4 <= n_fit
}

/// Two bytes from 0xa1 on make a character, 0x8e and one of them half-width katakana; kana (0xa4, 0xa5)
/// tell it from Chinese and Korean, which are written in such pairs as well.
fn looks_like_euc_jp(sample: &[u8], complete: bool) -> bool {
    let high = |byte: Option<&u8>| byte.is_some_and(|byte| (0xa1..=0xfe).contains(byte));
    let mut rest = sample;
    let mut n_kana = 0;
    while let Some(start) = rest.iter().position(|byte| !byte.is_ascii()) {
        rest = &rest[start..];
        let n_bytes = match rest {
            [0x8f, ..] => 3,
            _ => 2,
        };
        let is_cut = rest.len() < n_bytes && !complete;
        let lead = matches!(rest[0], 0x8e | 0x8f | 0xa1..=0xfe);
        if is_cut || !lead || !(1..n_bytes).all(|at| high(rest.get(at))) {
            return is_cut && n_kana > 0;
        }
        n_kana += usize::from(matches!(rest[0], 0xa4 | 0xa5));
        rest = &rest[n_bytes..];
    }
    n_kana > 0 && !(complete && EUC_JP.decode(sample).2)
}

/// ASCII in UTF-16 has a zero on the same side of every pair, and structure (braces, commas, line
/// breaks) is ASCII in any language.
fn utf16_without_bom(sample: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let zeros_on = |side: usize| {
        sample
            .iter()
            .skip(side)
            .step_by(2)
            .filter(|&&b| b == 0)
            .count()
    };
    let (even, odd) = (zeros_on(0), zeros_on(1));
    // A stray zero in a text of single bytes; in UTF-16 those of ASCII have one each.
    if (even + odd) * 4 < sample.len() && std::str::from_utf8(sample).is_ok() {
        return None;
    }
    let enough = sample.len() / 50 + 1;
    let one_sided = |many: usize, few: usize| many >= enough && few * 10 <= many;
    let encoding = match (one_sided(odd, even), one_sided(even, odd)) {
        (true, _) => UTF_16LE,
        (_, true) => UTF_16BE,
        _ => return None,
    };
    let whole_pairs = &sample[..sample.len() & !1];
    let (_, _, malformed) = encoding.decode(whole_pairs);
    (!malformed).then_some(encoding)
}

/// Characters stand side by side, or behind something else than a letter, which is where the quotes and
/// accented letters of Western texts stand; those begin with bytes beyond 0x9f or end words.
fn looks_like_shift_jis(sample: &[u8], complete: bool) -> bool {
    let (mut pairs, mut japanese, mut previous_end) = (0usize, 0usize, usize::MAX);
    // Kana and common kanji; what is rare beside them is an accented letter in Western texts.
    let mut has_usual = false;
    let mut at = 0;
    while at < sample.len() {
        let byte = sample[at];
        let lead = matches!(byte, 0x81..=0x9f | 0xe0..=0xfc);
        if !lead {
            // 0xa1..=0xdf are half-width katakana, one byte each.
            if matches!(byte, 0x80 | 0xa0 | 0xfd..=0xff) {
                return false;
            }
            at += 1;
            continue;
        }
        let Some(&trail) = sample.get(at + 1) else {
            break;
        };
        if !matches!(trail, 0x40..=0x7e | 0x80..=0xfc) {
            return false;
        }
        let behind_letter = at > 0 && sample[at - 1].is_ascii_alphabetic();
        pairs += 1;
        has_usual |= byte <= 0x9f;
        japanese += usize::from(previous_end == at || byte <= 0x9f && !behind_letter);
        at += 2;
        previous_end = at;
    }
    let fits = !complete || !SHIFT_JIS.decode(sample).2;
    fits && pairs > 1 && has_usual && japanese * 2 >= pairs
}

/// Reads any encoding as UTF-8; the byte order mark is dropped, malformed bytes become U+FFFD.
/// UTF-8 itself passes unchanged, so that the record with the bad byte can be named.
pub(crate) struct Utf8Reader<R> {
    source: R,
    /// `None`: already UTF-8.
    decoder: Option<Decoder>,
    input: Vec<u8>,
    /// Decoded bytes not yet handed out, from `at` on.
    output: Vec<u8>,
    at: usize,
    finished: bool,
    first: bool,
}

impl<R: Read> Utf8Reader<R> {
    pub(crate) fn new(source: R, encoding: Encoding) -> Self {
        let decoder = (encoding.0 != UTF_8).then(|| encoding.0.new_decoder_with_bom_removal());
        Self {
            source,
            decoder,
            input: vec![0; 1 << 16],
            output: Vec::new(),
            at: 0,
            finished: false,
            first: true,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let n = read_some(&mut self.source, &mut self.input)?;
        self.finished = n == 0;
        self.output.clear();
        self.at = 0;
        let mut rest = &self.input[..n];
        match &mut self.decoder {
            None => {
                if std::mem::take(&mut self.first) {
                    rest = rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(rest);
                }
                self.output.extend_from_slice(rest);
            }
            Some(decoder) => {
                let room = decoder.max_utf8_buffer_length(n).unwrap_or(4 * n + 16);
                let mut text = String::with_capacity(room);
                let (result, _, _) = decoder.decode_to_string(rest, &mut text, self.finished);
                debug_assert_eq!(
                    result,
                    CoderResult::InputEmpty,
                    "the buffer has room for all"
                );
                self.output.extend_from_slice(text.as_bytes());
            }
        }
        Ok(())
    }
}

/// Fills as much of the buffer as the first three bytes need, so that a byte order mark is whole.
fn read_some(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < 4 {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.output.len() && !self.finished {
            self.refill()?;
        }
        let n = buffer.len().min(self.output.len() - self.at);
        buffer[..n].copy_from_slice(&self.output[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], encoding: &str, text: &str) {
        let detected = detect(bytes, true);
        assert_eq!(detected.encoding.name(), encoding, "{}", detected.reason);
        let mut read = String::new();
        Utf8Reader::new(bytes, detected.encoding)
            .read_to_string(&mut read)
            .unwrap();
        assert_eq!(read, text);
    }

    fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
        let bytes = |unit: u16| {
            if big_endian {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        };
        text.encode_utf16().flat_map(bytes).collect()
    }

    const JAPANESE: &str = "質問,回答\n東京の保険,終身保険です。\n";
    const SPANISH: &str = "pregunta,respuesta\n¿Cuánto ganó?,Más de 11.076 millones en el año\n";

    #[test]
    fn utf8_with_and_without_bom() {
        check(JAPANESE.as_bytes(), "UTF-8", JAPANESE);
        check(
            &[b"\xef\xbb\xbf", SPANISH.as_bytes()].concat(),
            "UTF-8",
            SPANISH,
        );
    }

    #[test]
    fn utf16_with_bom() {
        for big_endian in [false, true] {
            let name = if big_endian { "UTF-16BE" } else { "UTF-16LE" };
            check(
                &utf16(&format!("\u{feff}{JAPANESE}"), big_endian),
                name,
                JAPANESE,
            );
        }
    }

    #[test]
    fn utf16_without_bom() {
        for big_endian in [false, true] {
            let name = if big_endian { "UTF-16BE" } else { "UTF-16LE" };
            for text in [JAPANESE, SPANISH] {
                check(&utf16(text, big_endian), name, text);
            }
        }
    }

    #[test]
    fn shift_jis() {
        check(&SHIFT_JIS.encode(JAPANESE).0, "Shift_JIS", JAPANESE);
        let no_kana = "都道府県,保険\n東京都,生命保険\n";
        check(&SHIFT_JIS.encode(no_kana).0, "Shift_JIS", no_kana);
        for apart in [
            "性別,年齢\n男,31\n女,42\n男,25\n",
            "年,金額\n2001年,1円\n2002年,3円\n",
            "品目,値,単位\na1,1,円\na2,2,円\n",
            "県0,5,0\n県1,6,1\n",
        ] {
            check(&SHIFT_JIS.encode(apart).0, "Shift_JIS", apart);
        }
    }

    #[test]
    fn euc_jp() {
        check(&EUC_JP.encode(JAPANESE).0, "EUC-JP", JAPANESE);
        check(&EUC_JP.encode("ｶﾅ,カナ\n").0, "EUC-JP", "ｶﾅ,カナ\n");
        let cut = EUC_JP.encode(JAPANESE).0;
        let cut = &cut[..cut.len() - 4];
        assert_eq!(detect(cut, false).encoding.name(), "EUC-JP");
        let half_width = "ｶﾅ,ﾎｹﾝ\n東京,保険\n";
        check(&SHIFT_JIS.encode(half_width).0, "Shift_JIS", half_width);
        let chinese = encoding_rs::GBK.encode("保险,银行\n").0;
        assert_ne!(detect(&chinese, true).encoding.name(), "EUC-JP");
    }

    #[test]
    fn other_alphabets_are_told_by_their_letters() {
        for (encoding, text) in [
            (
                encoding_rs::WINDOWS_1251,
                "вопрос,ответ\nПочему небо синее?,Потому что так\n",
            ),
            (
                encoding_rs::WINDOWS_1250,
                "question,answer\nCo je to?,Žluťoučký kůň příšerně\n",
            ),
            (
                encoding_rs::WINDOWS_1253,
                "ερώτηση,απάντηση\nΤι είναι;,Λάμπα\n",
            ),
            (encoding_rs::WINDOWS_1255, "שאלה,תשובה\nמה זה?,מנורה\n"),
            (encoding_rs::WINDOWS_1256, "سؤال,جواب\nما هذا؟,مصباح\n"),
            (encoding_rs::GBK, "问题,答案\n你是谁,我是小明\n"),
            (encoding_rs::BIG5, "問題,答案\n你是誰,我是小明\n"),
            (encoding_rs::EUC_KR, "질문,답\n너는 누구,나는 철수\n"),
        ] {
            check(&encoding.encode(text).0, encoding.name(), text);
        }
        let few = "question,answer\nКто это,Иван\nЧто это,стол и стул\n";
        let few = encoding_rs::WINDOWS_1251.encode(few).0;
        assert!(detect(&few, true).reason.contains("--encoding"));
        for text in ["5 £\n", "± 5,½\n", "q,a\nx,®\n"] {
            check(&WINDOWS_1252.encode(text).0, "windows-1252", text);
        }
    }

    #[test]
    fn encodings_have_other_names() {
        for (name, expected) in [
            ("cp949", "EUC-KR"),
            ("UHC", "EUC-KR"),
            ("ms949", "EUC-KR"),
            ("cp932", "Shift_JIS"),
            ("MS932", "Shift_JIS"),
            ("cp936", "GBK"),
            ("cp950", "Big5"),
            ("mac-roman", "macintosh"),
            ("mac_roman", "macintosh"),
            ("cp1251", "windows-1251"),
            ("cp1252", "windows-1252"),
            ("latin-1", "windows-1252"),
        ] {
            assert_eq!(
                Encoding::from_name(name).unwrap().name(),
                expected,
                "{name}"
            );
        }
        assert!(Encoding::from_name("cp0").is_err());
    }

    #[test]
    fn a_broken_line_does_not_change_the_others() {
        for text in [SPANISH, JAPANESE] {
            let mut bytes = text.repeat(2).into_bytes();
            bytes.extend_from_slice(b"Gr\xf6\xdfe\n");
            assert_eq!(detect(&bytes, true).encoding, Encoding::UTF_8);
            let cut = text.as_bytes().strip_suffix(b"\n").unwrap();
            let cut = [cut, b"\xe6\x9d"].concat();
            assert_eq!(detect(&cut, true).encoding, Encoding::UTF_8);
        }
    }

    #[test]
    fn western_bytes_are_not_taken_for_japanese() {
        for text in [
            SPANISH,
            "it’s “fine” – señor\n",
            "esés años él\n",
            "Größe, Übung\n",
            "d’été, l’hôtel à côté\n",
            "the bank’s rate, it’s 3…4\n",
            "id,name\n1,pålägg\n",
        ] {
            check(&WINDOWS_1252.encode(text).0, "windows-1252", text);
        }
    }

    #[test]
    fn a_character_cut_by_the_end_of_the_sample_is_no_fault() {
        assert_eq!(
            detect("ab質".as_bytes().split_at(4).0, false).encoding,
            Encoding::UTF_8
        );
    }

    #[test]
    fn a_stray_nul_does_not_make_utf16() {
        let text = format!("{{\"text\": \"a\0b {}\"}}", "word ".repeat(40));
        check(text.as_bytes(), "UTF-8", &text);
        check(b"a,b\n1,x\0\n2,y\n", "UTF-8", "a,b\n1,x\0\n2,y\n");
    }

    #[test]
    fn characters_survive_any_chunk_border() {
        let text = JAPANESE.repeat(5000);
        let bytes = utf16(&text, false);
        let mut read = String::new();
        Utf8Reader::new(&*bytes, Encoding(UTF_16LE))
            .read_to_string(&mut read)
            .unwrap();
        assert_eq!(read, text);
    }
}
