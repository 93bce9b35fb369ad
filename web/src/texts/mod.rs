//! Every text of the interface, in three languages.
//!
//! A language is one value of [`Texts`], so that a text missing in one of them does not compile.
//! `{name}` in a text is filled by [`fill`].

mod en;
mod es;
pub mod faults;
mod ja;
mod languages;
pub mod studio;

use veneer_core::protocol::tab::FaultKind;

/// Languages of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    #[default]
    English,
    Spanish,
    Japanese,
}

impl Language {
    pub const ALL: [Self; 3] = [Self::English, Self::Spanish, Self::Japanese];

    /// Tag for `lang` and for the setting that the browser keeps.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
            Self::Japanese => "ja",
        }
    }

    /// Its name in itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Spanish => "Español",
            Self::Japanese => "日本語",
        }
    }

    /// The first language of a browser's list that is known; English where none is.
    pub fn of_tags<'a>(tags: impl IntoIterator<Item = &'a str>) -> Self {
        let known = |tag: &str| {
            let primary = tag.split(['-', '_']).next().unwrap_or_default();
            Self::ALL
                .into_iter()
                .find(|language| primary.eq_ignore_ascii_case(language.tag()))
        };
        tags.into_iter().find_map(known).unwrap_or_default()
    }

    /// Between the parts of a list.
    pub fn comma(self) -> &'static str {
        match self {
            Self::English | Self::Spanish => ", ",
            Self::Japanese => "、",
        }
    }

    /// A text between the marks of a quote.
    pub fn quoted(self, text: &str) -> String {
        match self {
            Self::English => format!("“{text}”"),
            Self::Spanish => format!("«{text}»"),
            Self::Japanese => format!("「{text}」"),
        }
    }

    pub fn texts(self) -> &'static Texts {
        match self {
            Self::English => &en::TEXTS,
            Self::Spanish => &es::TEXTS,
            Self::Japanese => &ja::TEXTS,
        }
    }

    /// Title and hint of a fault.
    pub fn fault(self, kind: FaultKind) -> (&'static str, &'static str) {
        match self {
            Self::English => en::fault(kind),
            Self::Spanish => es::fault(kind),
            Self::Japanese => ja::fault(kind),
        }
    }
}

macro_rules! texts {
    ($($name:ident)*) => {
        /// The texts of one language.
        #[derive(Debug)]
        pub struct Texts {
            $(pub $name: &'static str,)*
        }

        impl Texts {
            /// Every text with the name of its field.
            pub fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

texts! {
    skip_to_chat language theme theme_light theme_dark panel

    status_starting status_no_model status_ready status_answering status_failed

    stage_waiting stage_downloading stage_copying stage_verifying stage_loading stage_preparing
    stage_reading cancel

    device_gpu device_processor slow_title slow_why software_gpu_title software_gpu_why use_webgpu
    compute_on compute_auto compute_webgpu compute_processor

    model model_none open_another demo_open demo_about demo_looking demo_missing open_file open_folder drop_here
    address address_hint open weights_format as_stored keep_models close_model reload_model
    fact_memory fact_parameters fact_context fact_format fact_source fact_files in_store not_in_store
    no_template

    adapters adapters_need_model adapters_none adapters_about add_adapter add_adapter_folder
    remove rank rank_about

    storage storage_used storage_used_of storage_none storage_empty storage_persistent
    storage_not_persistent storage_partial verify repair delete verified damaged use_adapter
    is_adapter

    chat chat_empty chat_samples new_chat you prompt prompt_hint send stop edit resend discard copy
    copied regenerate base column add_column remove_column differences differences_about same_answers
    waiting empty_answer

    settings system_prompt temperature top_k top_p top_p_about min_p repetition_penalty
    frequency_penalty max_new_tokens seed off_at setting_wrong

    first_token rate memory n_tokens n_reused cut_off cancelled

    tokens tokens_hide tokens_about token_id token_probability token_alternatives

    dismiss details
}

/// Puts values where a text names them.
///
/// `{n} record[|s]` has the first word of the brackets where the value before it, or after it
/// where none is before, is 1.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let value_of = |name: &str| {
        let found = values.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value)
    };
    let first_value = name_in(text).and_then(|(name, _)| value_of(name));
    let mut filled = String::with_capacity(text.len());
    let (mut rest, mut last_value) = (text, first_value);
    while let Some(at) = rest.find(['{', '[']) {
        let (before, marked) = rest.split_at(at);
        filled.push_str(before);
        let number = marked.strip_prefix('[').and_then(words_of_number);
        let value = name_in(marked).filter(|_| marked.starts_with('{'));
        let value = value.and_then(|(name, after)| Some((value_of(name)?, after)));
        if let Some((value, after)) = value {
            filled.push_str(value);
            (rest, last_value) = (after, Some(value));
        } else if let Some((one, many, after)) = number {
            filled.push_str(if last_value == Some("1") { one } else { many });
            rest = after;
        } else {
            let (mark, after) = marked.split_at(1);
            filled.push_str(mark);
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

/// The first `{name}` of a text, and what follows it.
fn name_in(text: &str) -> Option<(&str, &str)> {
    text.split_once('{')?.1.split_once('}')
}

/// `one|many]rest` in its parts.
fn words_of_number(text: &str) -> Option<(&str, &str, &str)> {
    let (words, rest) = text.split_once(']')?;
    let (one, many) = words.split_once('|')?;
    Some((one, many, rest))
}

/// The `{names}` of a text, sorted.
#[cfg(test)]
fn value_names(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = text
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
        .collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_empty_or_forgets_a_value() {
        let english = Language::English.texts().all();
        assert!(english.len() > 50);
        for language in Language::ALL {
            for ((field, text), (_, reference)) in language.texts().all().iter().zip(&english) {
                assert!(!text.trim().is_empty(), "{language:?}: {field}");
                assert_eq!(
                    value_names(text),
                    value_names(reference),
                    "{language:?}: {field}"
                );
                assert!(!text.ends_with(':'), "{language:?}: {field}");
            }
        }
    }

    #[test]
    fn texts_are_translated() {
        // Names that no language translates.
        let names = ["top_k", "top_p", "min_p", "compute_webgpu"];
        // Words that are the same in both languages.
        let same_in_spanish = ["base", "n_tokens"];
        let english = Language::English.texts().all();
        for language in [Language::Spanish, Language::Japanese] {
            for ((field, text), (_, reference)) in language.texts().all().iter().zip(&english) {
                if language == Language::Spanish && same_in_spanish.contains(field)
                    || names.contains(field)
                {
                    continue;
                }
                assert_ne!(text, reference, "{language:?}: {field}");
            }
        }
    }

    #[test]
    fn every_fault_has_a_title_and_a_hint() {
        for language in Language::ALL {
            for kind in FaultKind::ALL {
                let (title, hint) = language.fault(kind);
                assert!(
                    !title.is_empty() && !hint.is_empty(),
                    "{language:?} {kind:?}"
                );
            }
        }
    }

    #[test]
    fn the_browser_chooses_the_language() {
        assert_eq!(Language::of_tags(["fr", "es-MX", "en"]), Language::Spanish);
        assert_eq!(Language::of_tags(["ja"]), Language::Japanese);
        assert_eq!(Language::of_tags(["estonian"]), Language::English);
        assert_eq!(Language::of_tags([]), Language::English);
    }

    #[test]
    fn values_are_filled() {
        assert_eq!(
            fill("{used} of {quota}", &[("used", "1"), ("quota", "2")]),
            "1 of 2"
        );
        assert_eq!(fill("{n} of {m}", &[("n", "{m}")]), "{m} of {m}");
    }

    #[test]
    fn words_follow_their_number() {
        let filled = |n: &str| fill("Entr[ó|aron] {n} registro[|s] [x]", &[("n", n)]);
        assert_eq!(filled("1"), "Entró 1 registro [x]");
        assert_eq!(filled("0"), "Entraron 0 registros [x]");
        assert_eq!(filled("21"), "Entraron 21 registros [x]");
    }
}
