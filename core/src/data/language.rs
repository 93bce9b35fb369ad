//! The language of a text.
//!
//! Kana, hangul and Chinese characters tell theirs by themselves. Words such as `the` or `está` tell
//! most languages of the Latin alphabet at once, far quicker than the statistics of letters that
//! [`whatlang`] keeps. A word of several languages says less of each. Where several languages are left,
//! or words say nothing, statistics decide among those that are left; where they are not sure, as with
//! a question and an answer of a few words, the language of which words say most.

mod han;

use std::{cmp::Ordering, sync::LazyLock};

use rustc_hash::FxHashMap;
use whatlang::{Detector, Lang};

/// Confidence from which a guess counts.
const SURE: f64 = 0.2;

/// Characters by which statistics tell a language; more only costs time.
const LOOKED_AT: usize = 600;

/// Languages told apart: few enough that a sentence or two suffices, the more common ones first. With
/// those of the Latin alphabet stand words and letters that are common there.
const LANGUAGES: [(Lang, &str); 30] = [
    (
        Lang::Eng,
        "the of and that with was are this which have not what how does from were been their would should there these when where it's an is it you he she we they for in on to or if can do yes no by at as be has had will list explain give write tell me my your between because about hello good",
    ),
    (
        Lang::Spa,
        "el los las una por con más qué cuál cómo fue está son según también pero sus sobre año años entre desde muy hay cuánto dónde ¿ ¡ ñ de en un del que la al es lo le se si no sí me mi tu te ha han había era eran fueron tenía tuvo unos unas esta este eso ese ser hacer dime dame cada mayor frente durante necesito quiero buenos tiene tienen puede cuando ya todo otro menor hace hola buenas",
    ),
    (Lang::Jpn, ""),
    (Lang::Cmn, ""),
    (Lang::Kor, ""),
    (
        Lang::Fra,
        "les des est dans pour une qui sur avec aux ce cette sont pas plus quel quelle été nous vous cela être même de en un du que la le et il elle au je tu se si ne ces son sa leur leurs comme mais où donc bonjour",
    ),
    (
        Lang::Deu,
        "der die und den von das mit sich auf für ist nicht ein eine als auch wie aus werden wird bei oder einer welche ß zu im in es er sie wir ich du dem des an am um so aber noch nur was wer wo warum sind war hat haben kann guten",
    ),
    (
        Lang::Ita,
        "il che di una sono con non della nel alla più gli dei anche questo quale è perché degli delle un la le lo si se ha in al per come cosa sul nei fra tra tutti ma",
    ),
    (
        Lang::Por,
        "não os uma com em do dos das ao foi são mais pelo também qual seu você ã õ de que um na no se por como era tem foram nas pela entre mas já até",
    ),
    (
        Lang::Cat,
        "els amb dels és per una les més són aquest va als què quina seva aquesta el també perquè de en un que la al si no es ha hi molt seu aquests sobre entre",
    ),
    (
        Lang::Nld,
        "het een dat zijn met voor niet aan van door naar bij wordt werd deze ook als maar hoe welke de en is in op te die er ik je was om",
    ),
    (Lang::Rus, ""),
    (Lang::Ukr, ""),
    (
        Lang::Pol,
        "się nie że jest od po jak przez są dla oraz ten czy które był ł ż ą ę to co na do",
    ),
    (
        Lang::Ces,
        "se že jsou který jako pro není při bylo také podle ř ě ů",
    ),
    (
        Lang::Tur,
        "ve bir bu için ile olarak çok daha gibi var kadar sonra mi ğ ı ş nedir ne mı",
    ),
    (Lang::Ara, ""),
    (Lang::Pes, ""),
    (Lang::Heb, ""),
    (Lang::Hin, ""),
    (Lang::Ben, ""),
    (
        Lang::Vie,
        "là của và có các một không được người trong với những này ơ ư",
    ),
    (Lang::Tha, ""),
    (
        Lang::Ind,
        "yang dan dari untuk dengan pada ini itu adalah dalam tidak akan oleh juga sebagai",
    ),
    (
        Lang::Swe,
        "och att det är som för av med den till inte ett har från vad eller kan en på hur",
    ),
    (
        Lang::Dan,
        "og det er til af for med den der ikke som har fra hvad et kan eller en på hvordan",
    ),
    (
        Lang::Nob,
        "og det er til av for med som har ikke den fra hva et kan eller på en hvordan",
    ),
    (
        Lang::Fin,
        "ja on ei se että oli myös kun joka tai sen mitä niin mikä ovat mutta kuin",
    ),
    (
        Lang::Ron,
        "și este pentru din care sunt mai cu nu pe sau prin ș ț ă de un la al ce",
    ),
    (Lang::Ell, ""),
];

/// One bit a language, by word.
static WORDS: LazyLock<FxHashMap<&str, u32>> = LazyLock::new(|| {
    let mut words = FxHashMap::default();
    for (place, (_, own)) in LANGUAGES.iter().enumerate() {
        for word in own.split(' ').filter(|word| !word.is_empty()) {
            *words.entry(word).or_default() |= 1 << place;
        }
    }
    words
});

/// What a word says, shared among its languages.
const WORD: u32 = 60;

/// What words must say of a language where nothing else tells it: a word of four languages, or two of
/// eight.
const ENOUGH: u32 = WORD / 4;

/// Languages that need no word of their own beside those that they share: most texts are in these.
const COMMON: [Lang; 6] = [
    Lang::Eng,
    Lang::Spa,
    Lang::Fra,
    Lang::Deu,
    Lang::Ita,
    Lang::Por,
];

/// From here on Chinese characters alone are taken for Chinese, which writes nothing else.
const MANY_HAN: u32 = 20;

/// What is too short or too mixed to tell.
pub(super) const UNKNOWN: &str = "unknown";

/// Its code (ISO 639-3), or [`UNKNOWN`].
pub(super) fn language_of(text: &str) -> &'static str {
    let seen = Seen::of(text);
    if seen.is_han_alone() {
        return seen.told_by_forms(text).map_or(UNKNOWN, |lang| lang.code());
    }
    if let Some(told) = seen.told_by_script() {
        return told.code();
    }
    let left = seen.left_by_words();
    if let [(only, score)] = left.as_slice()
        && *score >= WORD / 2
    {
        return only.code();
    }
    let list = match left.is_empty() {
        true => LANGUAGES.iter().map(|(lang, _)| *lang).collect(),
        false => left.iter().map(|(lang, _)| *lang).collect(),
    };
    let told = Detector::with_allowlist(list).detect(&letters_of(text));
    let told = told.filter(|info| info.is_reliable() || info.confidence() >= SURE);
    if let Some(told) = told {
        return told.lang().code();
    }
    // The more common one first.
    let best = left.iter().rev().max_by_key(|(_, score)| *score);
    let best = best.filter(|(_, score)| *score >= ENOUGH);
    best.map_or(UNKNOWN, |(lang, _)| lang.code())
}

/// The beginning of a text without figures and signs, which say nothing.
fn letters_of(text: &str) -> String {
    let mut letters = String::with_capacity(LOOKED_AT);
    let mut n_kept = 0;
    for c in text.chars().chain([' ']) {
        if n_kept == LOOKED_AT {
            break;
        }
        let is_sign = c.is_ascii() && !c.is_ascii_alphabetic();
        if !(is_sign && letters.ends_with(' ')) {
            letters.push(if is_sign { ' ' } else { c });
            n_kept += 1;
        }
    }
    letters
}

/// What letters and words a text has.
struct Seen {
    n_latin: u32,
    n_han: u32,
    n_kana: u32,
    n_hangul: u32,
    /// Letters of further alphabets.
    n_other: u32,
    /// What words and letters say of each language.
    scores: [u32; LANGUAGES.len()],
    /// Whether one of them is hardly in another language.
    has_own: [bool; LANGUAGES.len()],
}

impl Seen {
    fn of(text: &str) -> Self {
        let mut seen = Self {
            n_latin: 0,
            n_han: 0,
            n_kana: 0,
            n_hangul: 0,
            n_other: 0,
            scores: [0; LANGUAGES.len()],
            has_own: [false; LANGUAGES.len()],
        };
        let mut word = String::new();
        for c in text.chars().chain([' ']) {
            let is_sign = c.is_ascii() && !c.is_ascii_alphabetic();
            if c.is_ascii_alphabetic() {
                word.push(c.to_ascii_lowercase());
                seen.n_latin += 1;
            } else if is_sign || !seen.takes_letter(c, &mut word) {
                if (2..16).contains(&word.len()) {
                    seen.count(&word);
                }
                word.clear();
            }
        }
        seen
    }

    /// Counts a character beyond ASCII; whether it is part of a word.
    fn takes_letter(&mut self, c: char, word: &mut String) -> bool {
        let mut bytes = [0; 4];
        match c {
            '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}' => {
                self.n_kana += 1
            }
            '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' => {
                self.n_han += 1
            }
            '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7af}' => self.n_hangul += 1,
            _ if !c.is_alphabetic() => self.count(c.encode_utf8(&mut bytes)),
            '\u{80}'..'\u{250}' | '\u{1e00}'..'\u{1f00}' => {
                word.extend(c.to_lowercase());
                self.n_latin += 1;
                if let Some(lower) = c.to_lowercase().next() {
                    self.count(lower.encode_utf8(&mut bytes));
                }
                return true;
            }
            _ => self.n_other += 1,
        }
        false
    }

    fn count(&mut self, word: &str) {
        let mut bits = WORDS.get(word).copied().unwrap_or_default();
        let n_languages = bits.count_ones();
        while bits != 0 {
            let place = bits.trailing_zeros() as usize;
            self.scores[place] += WORD / n_languages;
            self.has_own[place] |= n_languages <= 2;
            bits &= bits - 1;
        }
    }

    /// Where most of it is in a script that one language has. A character of these says what two or
    /// three letters say.
    fn told_by_script(&self) -> Option<Lang> {
        let east = self.n_han + self.n_kana + self.n_hangul;
        if 2 * east <= self.n_latin + self.n_other {
            return None;
        }
        Some(match () {
            () if 2 * self.n_hangul > east => Lang::Kor,
            // Japanese is hardly ever written without any kana, Chinese quotes a name now and then.
            () if 20 * self.n_kana > east => Lang::Jpn,
            () => Lang::Cmn,
        })
    }

    /// Whether it is Chinese characters without kana, as a heading or a table may have it in Japanese.
    fn is_han_alone(&self) -> bool {
        self.n_kana == 0 && self.told_by_script() == Some(Lang::Cmn)
    }

    /// Chinese or Japanese, by forms of characters that the other does not write.
    fn told_by_forms(&self, text: &str) -> Option<Lang> {
        let (japanese, chinese) = han::own_forms(text);
        match japanese.cmp(&chinese) {
            Ordering::Greater => Some(Lang::Jpn),
            Ordering::Less => Some(Lang::Cmn),
            Ordering::Equal => (self.n_han >= MANY_HAN).then_some(Lang::Cmn),
        }
    }

    /// The languages that it may be in, going by words, with what words say of each; none where they
    /// say nothing.
    fn left_by_words(&self) -> Vec<(Lang, u32)> {
        if 2 * self.n_other > self.n_latin {
            return Vec::new();
        }
        let all = LANGUAGES.iter().map(|(lang, _)| *lang);
        let scores = all.zip(self.scores).zip(self.has_own);
        let scores = scores.filter(|((lang, n), own)| *n > 0 && (*own || COMMON.contains(lang)));
        let scores: Vec<(Lang, u32)> = scores.map(|(score, _)| score).collect();
        let most = scores.iter().map(|(_, n)| *n).max().unwrap_or_default();
        let near = scores.into_iter().filter(|(_, n)| 5 * n > 3 * most);
        near.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: &str, texts: &[&str]) {
        for text in texts {
            assert_eq!(language_of(text), expected, "{text}");
        }
    }

    #[test]
    fn english() {
        check(
            "eng",
            &[
                "Which bonds have the longest duration, and how does that change when interest rates rise?",
                "The modified duration is 4.31 %; 12.06 %; 9.40 %",
                "It says `el banco` and `los bonos`, which are the Spanish words that were used in this report.",
            ],
        );
    }

    #[test]
    fn spanish() {
        check(
            "spa",
            &[
                "¿Cuál fue el beneficio neto del banco durante el año pasado y por qué creció tanto?",
                "El margen de intereses aumentó un 4,5 % con respecto al mismo periodo del ejercicio anterior.",
                "El informe de la entidad dice que «the net interest margin» fue mayor que en el año anterior, según sus cuentas.",
            ],
        );
    }

    #[test]
    fn languages_of_the_east_also_with_foreign_names_in_them() {
        check(
            "jpn",
            &[
                "東京に住む三十代の家族には、どのような保険商品が向いていますか。理由も教えてください。",
                "ROE（自己資本利益率）は12.5%です。",
                "Answer in Japanese.\n金利が上昇すると債券の価格はどうなりますか。価格は下落します。",
                "ｶﾌﾞｼｷｶﾞｲｼｬ",
            ],
        );
        check(
            "cmn",
            &[
                "银行的净利润去年增长了多少？请说明原因。",
                "书名是「花の名」，它在中国的销售增长很快，去年的利润也比前一年增加了百分之二十以上。",
            ],
        );
        check("kor", &["은행의 순이익은 작년에 얼마나 증가했습니까?"]);
    }

    #[test]
    fn neighbours_and_other_alphabets_are_told_by_statistics() {
        check(
            "por",
            &["Qual foi o lucro líquido do banco no ano passado e por que não cresceu mais?"],
        );
        check(
            "cat",
            &[
                "Quin va ser el benefici net del banc durant l'any passat i per què va créixer més que els altres?",
            ],
        );
        check(
            "fra",
            &[
                "Quel était le bénéfice net de la banque pour l'année dernière, et pourquoi a-t-il été si élevé ?",
            ],
        );
        check(
            "deu",
            &["Wie hoch war der Gewinn der Bank im vergangenen Jahr, und warum ist er gestiegen?"],
        );
        check(
            "rus",
            &["Какова была чистая прибыль банка в прошлом году и почему она выросла?"],
        );
        check("ell", &["Ποιο ήταν το καθαρό κέρδος της τράπεζας πέρυσι;"]);
    }

    #[test]
    fn a_few_words_are_enough() {
        check(
            "eng",
            &[
                "What is a bond?",
                "Explain duration",
                "Yes.",
                "Hello, world",
            ],
        );
        check(
            "spa",
            &[
                "¿Qué es un bono?",
                "Dime el ROE de BBVA en 2022.",
                "BBVA tuvo mayor ROE que Kutxabank en 2022: 14,6 % frente a 5,3 %.",
                "Traduce al inglés: buenos días",
            ],
        );
        check("jpn", &["債券とは", "ROE、ROA、PERの違いを教えて"]);
        check(
            "jpn",
            &[
                "保険料: 2,000円",
                "都道府県: 東京都 / 人口: 14,047",
                "契約年齢: 20歳 / 男性 月額保険料: 1,480円",
                "経済成長率 2023年",
            ],
        );
        check(
            "cmn",
            &[
                "什么是债券？",
                "保险费: 2000元",
                "經濟成長率",
                "你好",
                "人口年龄",
            ],
        );
        check(
            "fra",
            &["Qu'est-ce qu'une obligation ?", "Le taux d'intérêt"],
        );
        check("deu", &["Was ist eine Anleihe?"]);
        check("ita", &["Il tasso di interesse"]);
        check("por", &["O que é uma obrigação?"]);
        check("cat", &["Què és un bo?"]);
        check("tur", &["Tahvil nedir?"]);
    }

    /// Questions and answers of a dozen words, half of which are names of banks.
    #[test]
    fn every_record_of_a_spanish_table_is_spanish() {
        let table = include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../native-trainer/demo/data/banking_qa.csv"
        ));
        let mut rows = csv::Reader::from_reader(table.as_slice());
        let mut n = 0;
        for row in rows.records() {
            let row = row.unwrap();
            check("spa", &[&format!("{}\n{}\n", &row[0], &row[1])]);
            n += 1;
        }
        assert!(n > 300, "{n}");
    }

    #[test]
    fn what_says_nothing_is_unknown() {
        check(
            "unknown",
            &[
                "",
                "1\n2\n",
                "12.5 % / 3.000",
                "XS0000000009",
                "{\"a\": 1}",
                "BBVA 2023",
                // Written the same in Japanese and Chinese.
                "東京 2023",
                "人口",
                "USD/EUR",
                "http://example.org/x?y=1",
                // One word that half of Europe has.
                "De rente",
            ],
        );
    }
}
