//! `adapter_config.json`, as PEFT reads and writes it.
//!
//! Known keys become fields; keys that change nothing here are kept and written back; keys that
//! would change the numbers in a way Veneer does not compute are refused by name.
//! Scaling of a module is `alpha / r`, with rsLoRA `alpha / sqrt(r)` (PEFT 0.21.2, `LoraConfig`).

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::protocol::{LoraBias, TargetModules};

/// What `adapter_config.json` says about a LoRA adapter.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterConfig {
    /// Name or path of the model that the adapter was trained on.
    pub base_model_name_or_path: Option<String>,
    pub r: usize,
    pub lora_alpha: f64,
    pub lora_dropout: f64,
    pub use_rslora: bool,
    /// Rows of adapted layers have lengths of their own.
    pub use_dora: bool,
    pub bias: LoraBias,
    pub target_modules: TargetModules,
    /// Ends of paths of modules that are trained and saved whole.
    pub modules_to_save: Vec<String>,
    /// Ranks of single modules: regular expression for the end of a module path, rank.
    pub rank_pattern: Vec<(String, usize)>,
    /// Alphas of single modules, matched as `rank_pattern` is.
    pub alpha_pattern: Vec<(String, f64)>,
    /// Every other key of the file, as found.
    pub rest: Map<String, Value>,
}

/// Why `adapter_config.json` cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdapterConfigError {
    #[error("adapter_config.json is not valid JSON; save the adapter again or fetch it again")]
    Json(#[from] serde_json::Error),

    #[error("adapter_config.json holds {found}, expected an object of settings")]
    NotAnObject { found: &'static str },

    #[error("adapter_config.json: field `{field}` is {found}, expected {expected}")]
    Field {
        field: String,
        found: String,
        expected: &'static str,
    },

    #[error(
        "adapter_config.json uses {}, which Veneer does not compute; \
         the results would differ from PEFT's. Merge the adapter with PEFT first",
        .features.join(", ")
    )]
    Unsupported { features: Vec<String> },
}

impl AdapterConfig {
    /// Settings of an adapter that PEFT would call `LoraConfig(r, lora_alpha, target_modules)`.
    pub fn new(r: usize, lora_alpha: f64, target_modules: TargetModules) -> Self {
        Self {
            base_model_name_or_path: None,
            r,
            lora_alpha,
            lora_dropout: 0.0,
            use_rslora: false,
            use_dora: false,
            bias: LoraBias::None,
            target_modules,
            modules_to_save: Vec::new(),
            rank_pattern: Vec::new(),
            alpha_pattern: Vec::new(),
            rest: Map::new(),
        }
    }

    /// Reads the file's bytes; every unsupported feature is named at once.
    pub fn from_json(bytes: &[u8]) -> Result<Self, AdapterConfigError> {
        let mut settings = match serde_json::from_slice(bytes)? {
            Value::Object(settings) => settings,
            other => {
                return Err(AdapterConfigError::NotAnObject {
                    found: kind(&other),
                });
            }
        };
        refuse_unsupported(&settings)?;
        let config = Self {
            base_model_name_or_path: text(&mut settings, "base_model_name_or_path")?,
            r: take(&mut settings, "r").map_or(Ok(8), |value| rank(&value, "r".into()))?,
            lora_alpha: take(&mut settings, "lora_alpha")
                .map_or(Ok(8.0), |value| alpha(&value, "lora_alpha".into()))?,
            lora_dropout: take(&mut settings, "lora_dropout").map_or(Ok(0.0), |value| {
                number(&value)
                    .filter(|share| (0.0..1.0).contains(share))
                    .ok_or_else(|| wrong("lora_dropout", &value, "a number from 0 to below 1"))
            })?,
            use_rslora: flag(&mut settings, "use_rslora")?,
            use_dora: flag(&mut settings, "use_dora")?,
            bias: bias(&mut settings)?,
            target_modules: target_modules(&mut settings)?,
            modules_to_save: names(&mut settings, "modules_to_save")?,
            rank_pattern: pattern(&mut settings, "rank_pattern", rank)?,
            alpha_pattern: pattern(&mut settings, "alpha_pattern", alpha)?,
            rest: settings,
        };
        Ok(config)
    }

    /// The file's bytes: PEFT's keys, sorted, indented by 2.
    pub fn to_json(&self) -> Vec<u8> {
        let mut settings = peft_defaults();
        settings.extend(self.rest.clone());
        settings.extend([
            (
                "base_model_name_or_path".to_owned(),
                json!(self.base_model_name_or_path),
            ),
            ("r".to_owned(), json!(self.r)),
            ("lora_alpha".to_owned(), whole_or_float(self.lora_alpha)),
            ("lora_dropout".to_owned(), json!(self.lora_dropout)),
            ("use_rslora".to_owned(), json!(self.use_rslora)),
            ("use_dora".to_owned(), json!(self.use_dora)),
            ("bias".to_owned(), json!(self.bias)),
            ("target_modules".to_owned(), json!(self.target_modules)),
            (
                "modules_to_save".to_owned(),
                match &self.modules_to_save[..] {
                    [] => Value::Null,
                    modules => json!(modules),
                },
            ),
            (
                "rank_pattern".to_owned(),
                object(&self.rank_pattern, |r| json!(r)),
            ),
            (
                "alpha_pattern".to_owned(),
                object(&self.alpha_pattern, |alpha| whole_or_float(*alpha)),
            ),
        ]);
        let mut settings = Value::Object(settings);
        settings.sort_all_objects();
        format!("{settings:#}").into_bytes()
    }

    /// Rank of one module: its entry in `rank_pattern`, else `r`.
    pub fn rank_of(&self, module: &str) -> usize {
        lookup(&self.rank_pattern, module).map_or(self.r, |r| *r)
    }

    /// What the product of a module's pair is multiplied by.
    pub fn scaling_of(&self, module: &str) -> f64 {
        let alpha = lookup(&self.alpha_pattern, module).map_or(self.lora_alpha, |alpha| *alpha);
        let r = self.rank_of(module) as f64;
        alpha / if self.use_rslora { r.sqrt() } else { r }
    }
}

/// An entry of `rank_pattern` or `alpha_pattern` that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusedPattern {
    /// `rank_pattern` or `alpha_pattern`.
    pub setting: &'static str,
    pub pattern: String,
    pub is_regex: bool,
}

impl AdapterConfig {
    /// The first module that would get a pair and be trained whole.
    pub fn trained_twice<'a>(&self, modules: &'a [String]) -> Option<&'a str> {
        let is_saved = |path: &&String| is_saved(path, &self.modules_to_save);
        modules.iter().find(is_saved).map(String::as_str)
    }

    /// The first pattern that is no regular expression, or matches none of the modules that have a
    /// pair.
    pub fn unused_pattern(&self, modules: &[String]) -> Option<UnusedPattern> {
        let ranks = self.rank_pattern.iter().map(|(p, _)| ("rank_pattern", p));
        let alphas = self.alpha_pattern.iter().map(|(p, _)| ("alpha_pattern", p));
        ranks.chain(alphas).find_map(|(setting, pattern)| {
            let regex = path_end(pattern);
            let matches = |regex: &Regex| modules.iter().any(|path| regex.is_match(path));
            let is_used = regex.as_ref().is_ok_and(matches);
            (!is_used).then(|| UnusedPattern {
                setting,
                pattern: pattern.clone(),
                is_regex: regex.is_ok(),
            })
        })
    }
}

/// Whether PEFT would train a module, or one that it is a part of, whole: it compares the end of
/// the path with each entry.
pub fn is_saved(module: &str, entries: &[String]) -> bool {
    let ends = module.match_indices('.').map(|(at, _)| at);
    let mut around = ends.chain([module.len()]).map(|end| &module[..end]);
    around.any(|path| entries.iter().any(|entry| path.ends_with(entry.as_str())))
}

/// The first entry whose expression matches the end of the path, from a dot or from its start.
fn lookup<'a, T>(patterns: &'a [(String, T)], module: &str) -> Option<&'a T> {
    patterns
        .iter()
        .find(|(pattern, _)| path_end(pattern).is_ok_and(|regex| regex.is_match(module)))
        .map(|(_, value)| value)
}

fn path_end(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!(r"^(.*\.)?({pattern})$"))
}

fn peft_defaults() -> Map<String, Value> {
    let defaults = json!({
        "auto_mapping": null,
        "exclude_modules": null,
        "fan_in_fan_out": false,
        "inference_mode": true,
        "init_lora_weights": true,
        "layer_replication": null,
        "layers_pattern": null,
        "layers_to_transform": null,
        "loftq_config": {},
        "lora_bias": false,
        "megatron_config": null,
        "megatron_core": "megatron.core",
        "peft_type": "LORA",
        "revision": null,
        "task_type": "CAUSAL_LM",
    });
    match defaults {
        Value::Object(defaults) => defaults,
        _ => unreachable!("the literal above is an object"),
    }
}

/// Keys that switch on computations other than a plain low-rank pair on linear layers.
fn refuse_unsupported(settings: &Map<String, Value>) -> Result<(), AdapterConfigError> {
    let features: Vec<String> = settings
        .iter()
        .filter(|(key, value)| changes_results(key, value))
        .map(|(key, value)| format!("`{key}`: {value}"))
        .collect();
    if features.is_empty() {
        Ok(())
    } else {
        Err(AdapterConfigError::Unsupported { features })
    }
}

fn changes_results(key: &str, value: &Value) -> bool {
    match key {
        "peft_type" => value.as_str() != Some("LORA"),
        // These initialisations rewrite the base weights, so the file alone is not the adapter.
        "init_lora_weights" => value.as_str().is_some_and(|init| {
            init.starts_with("pissa") || ["olora", "corda", "loftq", "lora_ga"].contains(&init)
        }),
        "use_rslora" | "use_dora" => false,
        // Read only together with an initialisation or a parallel layout that is refused above
        // or that shapes nothing once the adapter is saved.
        "loftq_config" | "eva_config" | "corda_config" | "lora_ga_config" | "runtime_config"
        | "megatron_config" => false,
        "layer_replication"
        | "target_parameters"
        | "trainable_token_indices"
        | "alora_invocation_tokens"
        | "lora_bias"
        | "ensure_weight_tying" => is_set(value),
        // Whatever PEFT adds next is switched on by a key of one of these two shapes.
        _ => (key.starts_with("use_") || key.ends_with("_config")) && is_set(value),
    }
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(on) => *on,
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Number(_) | Value::String(_) => true,
    }
}

/// Removes a key; null counts as absent, as PEFT's defaults are null.
fn take(settings: &mut Map<String, Value>, key: &str) -> Option<Value> {
    settings.shift_remove(key).filter(|value| !value.is_null())
}

fn text(
    settings: &mut Map<String, Value>,
    key: &str,
) -> Result<Option<String>, AdapterConfigError> {
    match take(settings, key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(key, &other, "a string or null")),
    }
}

fn flag(settings: &mut Map<String, Value>, key: &str) -> Result<bool, AdapterConfigError> {
    match take(settings, key) {
        None => Ok(false),
        Some(Value::Bool(on)) => Ok(on),
        Some(other) => Err(wrong(key, &other, "true or false")),
    }
}

fn target_modules(settings: &mut Map<String, Value>) -> Result<TargetModules, AdapterConfigError> {
    let value = take(settings, "target_modules").unwrap_or_else(|| json!([]));
    serde_json::from_value(value.clone()).map_err(|_not_a_list_or_text| {
        wrong(
            "target_modules",
            &value,
            "a list of module names, or one regular expression",
        )
    })
}

fn bias(settings: &mut Map<String, Value>) -> Result<LoraBias, AdapterConfigError> {
    match take(settings, "bias") {
        None => Ok(LoraBias::None),
        Some(value) => serde_json::from_value(value.clone())
            .map_err(|_unknown| wrong("bias", &value, "`none`, `lora_only` or `all`")),
    }
}

fn names(settings: &mut Map<String, Value>, key: &str) -> Result<Vec<String>, AdapterConfigError> {
    let value = take(settings, key).unwrap_or_else(|| json!([]));
    serde_json::from_value(value.clone())
        .map_err(|_not_a_list| wrong(key, &value, "a list of module names"))
}

type Parse<T> = fn(&Value, String) -> Result<T, AdapterConfigError>;

fn pattern<T>(
    settings: &mut Map<String, Value>,
    key: &str,
    parse: Parse<T>,
) -> Result<Vec<(String, T)>, AdapterConfigError> {
    let entries = match take(settings, key) {
        None => return Ok(Vec::new()),
        Some(Value::Object(entries)) => entries,
        Some(other) => return Err(wrong(key, &other, "an object of module patterns")),
    };
    entries
        .into_iter()
        .map(|(module, value)| {
            if let Err(error) = path_end(&module) {
                return Err(AdapterConfigError::Field {
                    field: key.to_owned(),
                    found: format!("`{module}` ({error})"),
                    expected: "module names or regular expressions without look-around",
                });
            }
            let value = parse(&value, format!("{key}[\"{module}\"]"))?;
            Ok((module, value))
        })
        .collect()
}

fn rank(value: &Value, field: String) -> Result<usize, AdapterConfigError> {
    value
        .as_u64()
        .and_then(|r| usize::try_from(r).ok())
        .filter(|r| *r > 0)
        .ok_or_else(|| wrong(&field, value, "a whole number of at least 1"))
}

fn alpha(value: &Value, field: String) -> Result<f64, AdapterConfigError> {
    number(value).ok_or_else(|| wrong(&field, value, "a number"))
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.is_finite())
}

fn wrong(field: &str, found: &Value, expected: &'static str) -> AdapterConfigError {
    AdapterConfigError::Field {
        field: field.to_owned(),
        found: found.to_string(),
        expected,
    }
}

fn object<T>(entries: &[(String, T)], value: impl Fn(&T) -> Value) -> Value {
    Value::Object(
        entries
            .iter()
            .map(|(key, entry)| (key.clone(), value(entry)))
            .collect(),
    )
}

/// Python writes an alpha of 16 as `16`: the field is an integer in nearly every file.
fn whole_or_float(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        json!(number as i64)
    } else {
        json!(number)
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<AdapterConfig, AdapterConfigError> {
        AdapterConfig::from_json(json.as_bytes())
    }

    #[test]
    fn missing_keys_take_pefts_defaults() {
        let config = read("{}").unwrap();
        assert_eq!((config.r, config.lora_alpha), (8, 8.0));
        assert_eq!(config.scaling_of("model.layers.0.self_attn.q_proj"), 1.0);
    }

    #[test]
    fn scaling_follows_the_patterns_and_rslora() {
        let config = read(
            r#"{"r": 4, "lora_alpha": 8, "use_rslora": true,
                "rank_pattern": {"q_proj": 16, "layers\\.1\\.self_attn\\.v_proj": 1},
                "alpha_pattern": {"self_attn.q_proj": 2}}"#,
        )
        .unwrap();
        assert_eq!(config.scaling_of("model.layers.0.mlp.up_proj"), 4.0);
        assert_eq!(config.scaling_of("model.layers.0.self_attn.q_proj"), 0.5);
        assert_eq!(config.rank_of("model.layers.1.self_attn.v_proj"), 1);
        assert_eq!(config.rank_of("model.layers.11.self_attn.v_proj"), 4);
        assert_eq!(config.rank_of("model.layers.0.self_attn.eq_proj"), 4);
    }

    #[test]
    fn what_would_change_nothing_is_found() {
        let modules = ["model.layers.0.self_attn.q_proj".to_owned()];
        let unused = |json: &str| {
            let unused = read(json).unwrap().unused_pattern(&modules);
            unused.map(|unused| (unused.setting, unused.pattern, unused.is_regex))
        };
        assert_eq!(unused(r#"{"rank_pattern": {"q_proj": 4}}"#), None);
        let expected = Some(("rank_pattern", "k_proj".to_owned(), true));
        assert_eq!(unused(r#"{"rank_pattern": {"k_proj": 4}}"#), expected);
        let twice = |saved: &str| {
            let config = read(&format!(r#"{{"modules_to_save": ["{saved}"]}}"#)).unwrap();
            config.trained_twice(&modules).is_some()
        };
        assert!(twice("q_proj") && twice("self_attn"));
        assert!(!twice("k_proj") && !twice("lm_head"));
    }

    #[test]
    fn all_unsupported_features_are_named_at_once() {
        let error = read(
            r#"{"use_qalora": true, "layer_replication": [[0, 2]],
                "init_lora_weights": "pissa_niter_4", "use_something_new": true}"#,
        )
        .unwrap_err()
        .to_string();
        for feature in [
            "use_qalora",
            "layer_replication",
            "init_lora_weights",
            "use_something_new",
        ] {
            assert!(error.contains(feature), "{feature} missing in: {error}");
        }
    }

    #[test]
    fn harmless_keys_survive_the_round_trip() {
        let text = r#"{"r": 16, "lora_alpha": 32, "lora_dropout": 0.05, "peft_type": "LORA",
            "target_modules": ["v_proj", "q_proj"], "peft_version": "0.21.2", "revision": "main",
            "init_lora_weights": "gaussian", "task_type": "CAUSAL_LM"}"#;
        let config = read(text).unwrap();
        let again = AdapterConfig::from_json(&config.to_json()).unwrap();
        assert_eq!(again.r, 16);
        assert_eq!(again.rest["peft_version"], "0.21.2");
        assert_eq!(again.rest["revision"], "main");
        assert_eq!(again.rest["init_lora_weights"], "gaussian");
        assert_eq!(again.to_json(), config.to_json());
    }

    #[test]
    fn files_are_written_sorted_with_two_spaces() {
        let targets = TargetModules::List(vec!["q_proj".into()]);
        let text = AdapterConfig::new(8, 16.0, targets).to_json();
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("{\n  \"alpha_pattern\": {},\n  \"auto_mapping\": null,\n"));
        assert!(text.contains("\n  \"lora_alpha\": 16,\n  \"lora_bias\": false,\n"));
        assert!(text.contains("\n  \"lora_dropout\": 0.0,\n"));
        assert!(text.ends_with("\n  \"use_dora\": false,\n  \"use_rslora\": false\n}"));
    }

    #[test]
    fn wrong_values_name_their_field() {
        for (json, field) in [
            (r#"{"r": 0}"#, "`r`"),
            (r#"{"r": -3}"#, "`r`"),
            (r#"{"lora_alpha": "16"}"#, "`lora_alpha`"),
            (r#"{"lora_dropout": 1.5}"#, "`lora_dropout`"),
            (r#"{"bias": "some"}"#, "`bias`"),
            (r#"{"modules_to_save": "lm_head"}"#, "`modules_to_save`"),
            (r#"{"target_modules": 3}"#, "`target_modules`"),
            (r#"{"rank_pattern": {"(": 3}}"#, "`rank_pattern`"),
            (r#"{"rank_pattern": {"q": 0}}"#, "rank_pattern[\"q\"]"),
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains(field), "{json}: {error}");
        }
        assert!(matches!(
            read("[]"),
            Err(AdapterConfigError::NotAnObject { .. })
        ));
        assert!(matches!(read("{"), Err(AdapterConfigError::Json(_))));
    }
}
