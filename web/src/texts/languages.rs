//! Names of the languages that records are written in.

use super::Language;

/// By code (ISO 639-3): the languages that `veneer_core` tells apart.
#[rustfmt::skip]
const NAMES: [(&str, &str, &str, &str); 30] = [
    ("eng", "English", "inglés", "英語"),
    ("spa", "Spanish", "español", "スペイン語"),
    ("jpn", "Japanese", "japonés", "日本語"),
    ("cmn", "Chinese", "chino", "中国語"),
    ("kor", "Korean", "coreano", "韓国語"),
    ("fra", "French", "francés", "フランス語"),
    ("deu", "German", "alemán", "ドイツ語"),
    ("ita", "Italian", "italiano", "イタリア語"),
    ("por", "Portuguese", "portugués", "ポルトガル語"),
    ("cat", "Catalan", "catalán", "カタルーニャ語"),
    ("nld", "Dutch", "neerlandés", "オランダ語"),
    ("rus", "Russian", "ruso", "ロシア語"),
    ("ukr", "Ukrainian", "ucraniano", "ウクライナ語"),
    ("pol", "Polish", "polaco", "ポーランド語"),
    ("ces", "Czech", "checo", "チェコ語"),
    ("tur", "Turkish", "turco", "トルコ語"),
    ("ara", "Arabic", "árabe", "アラビア語"),
    ("pes", "Persian", "persa", "ペルシャ語"),
    ("heb", "Hebrew", "hebreo", "ヘブライ語"),
    ("hin", "Hindi", "hindi", "ヒンディー語"),
    ("ben", "Bengali", "bengalí", "ベンガル語"),
    ("vie", "Vietnamese", "vietnamita", "ベトナム語"),
    ("tha", "Thai", "tailandés", "タイ語"),
    ("ind", "Indonesian", "indonesio", "インドネシア語"),
    ("swe", "Swedish", "sueco", "スウェーデン語"),
    ("dan", "Danish", "danés", "デンマーク語"),
    ("nob", "Norwegian", "noruego", "ノルウェー語"),
    ("fin", "Finnish", "finés", "フィンランド語"),
    ("ron", "Romanian", "rumano", "ルーマニア語"),
    ("ell", "Greek", "griego", "ギリシャ語"),
];

impl Language {
    /// A language in the words of this one. A code that nobody knows stays as it is; nothing, or
    /// `unknown`, is what could not be told.
    pub fn name_of(self, code: &str) -> &str {
        if matches!(code, "" | "unknown") {
            return self.studio().grid.unknown;
        }
        let known = NAMES.iter().find(|(known, ..)| *known == code);
        known.map_or(code, |(_, english, spanish, japanese)| match self {
            Self::English => english,
            Self::Spanish => spanish,
            Self::Japanese => japanese,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the languages are told apart, which the table follows.
    const TOLD_APART: &str = include_str!("../../../core/src/data/language.rs");

    #[test]
    fn a_language_is_called_as_the_reader_calls_it() {
        assert_eq!(Language::English.name_of("spa"), "Spanish");
        assert_eq!(Language::Spanish.name_of("deu"), "alemán");
        assert_eq!(Language::Japanese.name_of("jpn"), "日本語");
        assert_eq!(Language::English.name_of("xyz"), "xyz");
        for language in Language::ALL {
            assert_eq!(language.name_of(""), language.studio().grid.unknown);
            assert_eq!(language.name_of("unknown"), language.studio().grid.unknown);
        }
    }

    #[test]
    fn every_language_that_is_told_apart_has_a_name() {
        let list = TOLD_APART.split_once("const LANGUAGES").unwrap().1;
        let list = list.split_once("\n];").unwrap().0;
        let codes = list
            .split("Lang::")
            .skip(1)
            .map(|rest| rest[..3].to_lowercase());
        assert_eq!(codes.clone().count(), NAMES.len());
        for code in codes {
            assert_ne!(Language::English.name_of(&code), code);
        }
    }
}
