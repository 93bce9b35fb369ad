//! Texts of the studio, in three languages side by side, a file for each of its parts.

mod checks;
mod editor;
mod export;
mod frame;
mod grid;
mod history;
mod import;
mod said;
mod shortcuts;
mod split;
mod tokens;

pub use grid::GridTexts;

use super::{Language, fill};

pub use checks::ChecksTexts;
pub use editor::EditorTexts;
pub use export::ExportTexts;
pub use said::{found_and_expected, row_problem, said};

/// Makes a struct of texts and its value in each language: `name: English, Spanish, Japanese;`.
macro_rules! studio_texts {
    ($struct:ident { $($name:ident: $en:expr, $es:expr, $ja:expr;)* }) => {
        #[derive(Debug)]
        pub struct $struct {
            $(pub $name: &'static str,)*
        }

        impl $struct {
            pub(super) const EN: Self = Self { $($name: $en,)* };
            pub(super) const ES: Self = Self { $($name: $es,)* };
            pub(super) const JA: Self = Self { $($name: $ja,)* };

            /// Every text with the name of its field.
            #[cfg(test)]
            pub(super) fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}
use studio_texts;

/// The studio's texts in one language.
#[derive(Debug)]
pub struct StudioTexts {
    pub frame: frame::FrameTexts,
    pub import: import::ImportTexts,
    pub grid: grid::GridTexts,
    pub shortcuts: shortcuts::ShortcutTexts,
    pub editor: editor::EditorTexts,
    pub tokens: tokens::TokensTexts,
    pub checks: checks::ChecksTexts,
    pub split: split::SplitTexts,
    pub export: export::ExportTexts,
    pub history: history::HistoryTexts,
}

macro_rules! language {
    ($name:ident) => {
        StudioTexts {
            frame: frame::FrameTexts::$name,
            import: import::ImportTexts::$name,
            grid: grid::GridTexts::$name,
            shortcuts: shortcuts::ShortcutTexts::$name,
            editor: editor::EditorTexts::$name,
            tokens: tokens::TokensTexts::$name,
            checks: checks::ChecksTexts::$name,
            split: split::SplitTexts::$name,
            export: export::ExportTexts::$name,
            history: history::HistoryTexts::$name,
        }
    };
}

static EN: StudioTexts = language!(EN);
static ES: StudioTexts = language!(ES);
static JA: StudioTexts = language!(JA);

impl Language {
    /// The studio's texts.
    pub fn studio(self) -> &'static StudioTexts {
        match self {
            Self::English => &EN,
            Self::Spanish => &ES,
            Self::Japanese => &JA,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(texts: &StudioTexts) -> Vec<(&'static str, &'static str)> {
        [
            texts.frame.all(),
            texts.import.all(),
            texts.grid.all(),
            texts.shortcuts.all(),
            texts.editor.all(),
            texts.tokens.all(),
            texts.checks.all(),
            texts.split.all(),
            texts.export.all(),
            texts.history.all(),
        ]
        .concat()
    }

    #[test]
    fn texts_keep_their_values_in_every_language() {
        let english = all(Language::English.studio());
        for language in Language::ALL {
            for ((field, text), (_, reference)) in all(language.studio()).iter().zip(&english) {
                assert!(!text.trim().is_empty(), "{language:?}: {field}");
                assert!(!text.ends_with(':'), "{language:?}: {field}");
                let names = super::super::value_names;
                assert_eq!(names(text), names(reference), "{language:?}: {field}");
            }
        }
    }

    #[test]
    fn one_thing_has_one_name() {
        for language in Language::ALL {
            let texts = language.studio();
            assert_eq!(texts.frame.step_check, texts.checks.title);
            assert_eq!(texts.shortcuts.undo, texts.history.undo);
            assert_ne!(texts.shortcuts.reset, texts.history.undo);
            assert_eq!(texts.editor.reviewer, texts.grid.reviewer);
            assert_eq!(texts.editor.new_record, texts.grid.new_record);
            assert_eq!(texts.editor.no_side, texts.grid.no_side);
            assert_eq!(texts.editor.side_train, texts.grid.train);
            assert_eq!(texts.split.without, texts.grid.no_side);
            assert_eq!(texts.shortcuts.copy_json, texts.grid.copy_json);
        }
        for (field, text) in all(Language::Japanese.studio()) {
            assert!(!text.contains("ごみ箱"), "{field}");
        }
        for (field, text) in all(Language::Spanish.studio()) {
            assert!(!text.contains("papel "), "{field}");
            assert!(!text.ends_with("papel"), "{field}");
        }
    }

    #[test]
    fn one_trained_token_is_one_in_spanish() {
        let values = [("n", "5"), ("limit", "9"), ("trained", "1")];
        let texts = Language::Spanish.studio();
        assert!(fill(texts.tokens.figures, &values).ends_with("1 de ellos entrenado"));
        assert!(fill(texts.editor.of_limit, &values).ends_with("1 entrenado"));
    }
}
