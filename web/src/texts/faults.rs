//! Sentences about files, adapters and the device, in three languages.
//!
//! Workers say them in English, as every fault is; the page reads them back and says them in the
//! language of its reader. What is none of them stays as it came.

use super::{Language, fill};

macro_rules! sentences {
    ($($(#[$about:meta])* $name:ident: $en:literal, $es:literal, $ja:literal;)*) => {
        /// What a fault says, with `{values}`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Sentence {
            $($(#[$about])* $name,)*
        }

        impl Sentence {
            const ALL: &[Self] = &[$(Self::$name,)*];

            fn words(self, language: Language) -> &'static str {
                let (english, spanish, japanese) = match self {
                    $(Self::$name => ($en, $es, $ja),)*
                };
                match language {
                    Language::English => english,
                    Language::Spanish => spanish,
                    Language::Japanese => japanese,
                }
            }
        }
    };
}

sentences! {
    // Which files were chosen.
    AdapterFileMissing: "the adapter's `{file}` is missing; found {found}", "falta `{file}` del adaptador; archivos encontrados: {found}", "アダプターの `{file}` がありません。見つかったもの: {found}";
    NoAdapterFiles: "neither of an adapter's two files is there; found {found}", "no está ninguno de los dos archivos de un adaptador; archivos encontrados: {found}", "アダプターの 2 つのファイルがどちらもありません。見つかったもの: {found}";
    ModelForAdapter: "found a model and no adapter: {found}", "se encontró un modelo y ningún adaptador: {found}", "アダプターではなくモデルのファイルです: {found}";
    AdapterAlone: "these are the files of an adapter, and no model is loaded", "son los archivos de un adaptador y no hay ningún modelo cargado", "アダプターのファイルですが、モデルが読み込まれていません";
    FileMissing: "`{file}` is missing; found {found}", "falta `{file}`; archivos encontrados: {found}", "`{file}` がありません。見つかったもの: {found}";
    FilesFound: "found {found}", "archivos encontrados: {found}", "見つかったもの: {found}";
    SeveralModels: "found {n} GGUF files, expected one: {found}", "se encontraron {n} archivos GGUF y se esperaba uno: {found}", "GGUF ファイルが {n} 個あります。1 つだけ選んでください: {found}";
    PartOfModel: "`{file}` is one part of a split GGUF file; join the parts with llama-gguf-split --merge", "`{file}` es una parte de un archivo GGUF dividido; una las partes con llama-gguf-split --merge", "`{file}` は分割された GGUF ファイルの一部です。llama-gguf-split --merge で結合してください";
    NothingThere: "there is neither `{model}` nor `{adapter}` at `{url}`", "no hay ni `{model}` ni `{adapter}` en `{url}`", "`{url}` に `{model}` も `{adapter}` もありません";
    NoFiles: "no files", "ninguno", "ファイルなし";
    AndMore: "{list} and {n} more", "{list} y {n} más", "{list}、ほか {n} 件";
    // What an adapter's files hold.
    FilesApart: "adapter_config.json and adapter_model.safetensors contradict each other: {problems}", "adapter_config.json y adapter_model.safetensors se contradicen: {problems}", "adapter_config.json と adapter_model.safetensors の内容が合いません: {problems}";
    TensorsUnusable: "adapter_model.safetensors cannot be used: {problems}", "adapter_model.safetensors no se puede usar: {problems}", "adapter_model.safetensors を使えません: {problems}";
    AdapterDamaged: "adapter_model.safetensors is damaged or incomplete: {reason}", "adapter_model.safetensors está dañado o incompleto: {reason}", "adapter_model.safetensors が壊れているか、途中までしかありません: {reason}";
    AdapterEmpty: "adapter_model.safetensors holds no tensors", "adapter_model.safetensors no contiene ningún tensor", "adapter_model.safetensors にテンソルがありません";
    OtherBase: "its base is {base}: {problems}", "su base es {base}: {problems}", "このアダプターのベースは {base} です: {problems}";
    NotGiven: "not given", "desconocida", "不明";
    /// As `weights::adapter` of core says it.
    RankDiffers: "`{module}` has lora_A [{a}, {b}] and lora_B [{c}, {d}], expected rank {r} as adapter_config.json says", "`{module}` tiene lora_A [{a}, {b}] y lora_B [{c}, {d}], y adapter_config.json dice rango {r}", "`{module}` は lora_A が [{a}, {b}]、lora_B が [{c}, {d}] ですが、adapter_config.json ではランク {r} です";
    /// As `weights::adapter` of core says it.
    TensorMissing: "tensor `{name}` is missing", "falta el tensor `{name}`", "テンソル `{name}` がありません";
    /// As `weights::adapter` of core says it.
    NoLayer: "the model has no layer `{module}`", "el modelo no tiene la capa `{module}`", "モデルに層 `{module}` がありません";
    /// As `weights::adapter` of core says it.
    ShapeDiffers: "`{module}` is {shape} in the model, {wanted} in the adapter", "`{module}` es {shape} en el modelo y {wanted} en el adaptador", "`{module}` はモデルで {shape}、アダプターで {wanted} です";
    /// Of a list of problems.
    MoreProblems: "and {n} more", "y {n} más", "ほか {n} 件";
    // What the browser keeps.
    PageNotSecure: "the page is not served over https or from this machine", "la página no se sirve por https ni desde este equipo", "ページの配信元が https でもこの端末でもありません";
    NoFilesOfPages: "the browser lets pages keep no files of their own", "el navegador no deja que las páginas guarden archivos propios", "このブラウザーではページがファイルを保存できません";
    FilesRefused: "the browser refuses it, as in private windows: {why}", "el navegador lo impide, como en las ventanas privadas: {why}", "プライベートウィンドウなどのため、ブラウザーが許可していません: {why}";
    // What does not fit, and what computes.
    PromptTooLong: "the prompt has {n} tokens with what was said before, the context holds {capacity}", "la pregunta y lo dicho antes suman {n} tokens, y en el contexto caben {capacity}", "これまでの会話を含めて {n} トークンあり、コンテキストに入るのは {capacity} トークンまでです";
    /// As `gpu` of core says it, with one of the next two.
    NoGpu: "no GPU was found: {why}", "no se encontró ninguna GPU: {why}", "GPU が見つかりません: {why}";
    NoneOffered: "the browser offers none on this machine", "el navegador no ofrece ninguna en este equipo", "ブラウザーがこの端末の GPU を提供していません";
    NoWebGpu: "this browser has no WebGPU, or the page is not secure", "este navegador no tiene WebGPU o la página no es segura", "ブラウザーに WebGPU がないか、ページの接続が安全ではありません";
}

impl Sentence {
    /// In English, as it goes from worker to page.
    pub fn with(self, values: &[(&str, &str)]) -> String {
        fill(self.words(Language::English), values)
    }

    /// Which sentence a text is, with the values in it: the one that says the most itself.
    pub fn read(text: &str) -> Option<(Self, Values<'_>)> {
        let read = Self::ALL.iter().filter_map(|sentence| {
            let values = values_in(text, sentence.words(Language::English))?;
            Some((*sentence, values))
        });
        read.min_by_key(|(_, values)| values.iter().map(|(_, value)| value.len()).sum::<usize>())
    }

    /// Title and hint of a fault that says this, where its kind alone would advise the wrong thing.
    pub fn remedy(self, language: Language) -> Option<(&'static str, &'static str)> {
        let [english, spanish, japanese] = match self {
            Self::AdapterFileMissing | Self::NoAdapterFiles | Self::ModelForAdapter => [
                (
                    "These are not the two files of an adapter",
                    "Choose adapter_config.json and adapter_model.safetensors together, or the folder that holds both.",
                ),
                (
                    "Estos no son los dos archivos de un adaptador",
                    "Elija juntos adapter_config.json y adapter_model.safetensors, o la carpeta que contiene ambos.",
                ),
                (
                    "アダプターの 2 つのファイルがそろっていません",
                    "adapter_config.json と adapter_model.safetensors を一緒に選ぶか、両方が入ったフォルダーを選んでください。",
                ),
            ],
            Self::AdapterAlone => [
                (
                    "An adapter needs its base",
                    "Open the base that it was trained on, then add it again.",
                ),
                (
                    "Un adaptador necesita su base",
                    "Abra la base con la que se entrenó y añádalo de nuevo.",
                ),
                (
                    "アダプターにはベースのモデルが必要です",
                    "学習に使ったベースを開いてから追加してください。",
                ),
            ],
            Self::FilesApart => [
                (
                    "The adapter's two files do not belong together",
                    "Take both from the same folder, as one training wrote them.",
                ),
                (
                    "Los dos archivos del adaptador no son del mismo entrenamiento",
                    "Tome ambos de la misma carpeta, tal como los escribió un entrenamiento.",
                ),
                (
                    "アダプターの 2 つのファイルの組み合わせが違います",
                    "同じ学習で書き出された、同じフォルダーの 2 つを選んでください。",
                ),
            ],
            _ => return None,
        };
        Some(match language {
            Language::English => english,
            Language::Spanish => spanish,
            Language::Japanese => japanese,
        })
    }
}

/// What a worker says, in a language. Values may be sentences themselves.
pub fn said(text: &str, language: Language) -> String {
    let Some((sentence, values)) = Sentence::read(text) else {
        return text.to_owned();
    };
    let in_language = |(name, value): (&'static str, &str)| {
        let parts: Vec<String> = value
            .split(BETWEEN)
            .map(|part| said(part, language))
            .collect();
        (name, parts.join(BETWEEN))
    };
    let values: Vec<(&str, String)> = values.into_iter().map(in_language).collect();
    let values: Vec<(&str, &str)> = values
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    fill(sentence.words(language), &values)
}

/// Between problems of a list.
const BETWEEN: &str = "; ";

/// The first problems, and how many more there are.
pub fn problems(all: &[String]) -> String {
    const SHOWN: usize = 2;
    let mut shown: Vec<String> = all.iter().take(SHOWN).cloned().collect();
    let n_more = all.len().saturating_sub(SHOWN);
    if n_more > 0 {
        shown.push(Sentence::MoreProblems.with(&[("n", &n_more.to_string())]));
    }
    shown.join(BETWEEN)
}

/// Names of places and what stands there.
pub type Values<'a> = Vec<(&'static str, &'a str)>;

/// Of a text that was made with `template`, the values in their order.
fn values_in<'a>(text: &'a str, template: &'static str) -> Option<Values<'a>> {
    let (own, mut template) = template.split_once('{').unwrap_or((template, ""));
    let mut rest = text.strip_prefix(own)?;
    let mut values = Vec::new();
    while let Some((name, after)) = template.split_once('}') {
        let (own, next) = after.split_once('{').unwrap_or((after, ""));
        let (value, behind) = match own {
            "" => (rest, ""),
            own => rest.split_once(own)?,
        };
        if value.is_empty() {
            return None;
        }
        values.push((name, value));
        (rest, template) = (behind, next);
    }
    rest.is_empty().then_some(values)
}

#[cfg(test)]
mod tests {
    use super::{super::value_names, *};

    #[test]
    fn every_sentence_has_its_values_in_three_languages() {
        for sentence in Sentence::ALL {
            let english = sentence.words(Language::English);
            for language in [Language::Spanish, Language::Japanese] {
                let text = sentence.words(language);
                assert_eq!(value_names(text), value_names(english), "{sentence:?}");
                assert_ne!(text, english, "{sentence:?}");
            }
        }
    }

    #[test]
    fn every_sentence_is_read_back() {
        for sentence in Sentence::ALL {
            let english = sentence.words(Language::English);
            let names = value_names(english);
            let values: Vec<(&str, &str)> = names.iter().map(|name| (*name, "7")).collect();
            let text = sentence.with(&values);
            let (read, found) = Sentence::read(&text).unwrap();
            assert_eq!(read, *sentence);
            assert_eq!(found.len(), values.len(), "{sentence:?}");
        }
    }

    #[test]
    fn values_are_said_in_the_language_too() {
        let text = "`a.gguf` is missing; found `b`, `c` and 3 more";
        assert_eq!(
            said(text, Language::Spanish),
            "falta `a.gguf`; archivos encontrados: `b`, `c` y 3 más"
        );
        let text = "no GPU was found: the browser offers none on this machine";
        assert_eq!(said(text, Language::English), text);
        assert!(!said(text, Language::Japanese).contains("browser"));
        assert_eq!(said("foreign", Language::Spanish), "foreign");
    }

    #[test]
    fn of_many_problems_two_are_named() {
        let all: Vec<String> = (0..16)
            .map(|n| format!("the model has no layer `l{n}`"))
            .collect();
        let text =
            Sentence::OtherBase.with(&[("base", "not given"), ("problems", &problems(&all))]);
        assert_eq!(
            said(&text, Language::Spanish),
            "su base es desconocida: el modelo no tiene la capa `l0`; el modelo no tiene la capa \
             `l1`; y 14 más"
        );
        assert_eq!(problems(&all[..1]), "the model has no layer `l0`");
    }
}
