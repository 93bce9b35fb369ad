//! axolotl: one YAML file that names the data, how it is read, and the settings.

use serde_json::{Value, json};

use super::{
    Contents, Fit, Handover, WrittenFile, fit::mixed_columns, llama_factory::whole, slug, told,
    told_as_different, told_as_text, yaml::Yaml,
};
use crate::{
    data::Format,
    protocol::{
        LoadIn, TargetModules,
        studio::{Phrase, Said, Side, TextOptions, TrainWhat},
    },
};

/// A dataset for axolotl.
pub struct Axolotl<'a>(pub Handover<'a>);

impl Axolotl<'_> {
    /// The format that keeps most of what the records have; `None` where there is none.
    pub fn format(contents: &Contents) -> Option<Format> {
        let n = contents.n();
        if contents.n_tokens > 0 {
            return None;
        }
        Some(if n > 0 && contents.n_whole_text == n {
            Format::Text
        } else if n > 0 && contents.n_prompted_text == n {
            Format::PromptCompletion
        } else {
            Format::Openai
        })
    }

    /// What axolotl does not do with these records, with their number.
    pub fn losses(contents: &Contents, text: &TextOptions) -> Vec<(Said, u64)> {
        let n_of_last = match text.train_on {
            TrainWhat::Last => contents.n_multi_turn,
            TrainWhat::All | TrainWhat::Assistant => 0,
        };
        let losses = [
            (Phrase::PairsAsExamples, contents.n_pairs),
            (Phrase::MarkedBad, contents.n_bad),
            (Phrase::AxolotlLast, n_of_last),
            (Phrase::AxolotlWeights, contents.n_part_weighted),
        ];
        let template = text.template.as_deref();
        let unknown = template.filter(|name| counterpart(name, contents).is_none());
        told(&losses, unknown, contents)
    }

    /// What is another thing there, but not lost.
    pub fn notes(contents: &Contents, text: &TextOptions) -> Vec<(Said, u64)> {
        // One token before the text, and none behind it.
        let different = text.template.as_deref().filter(|name| *name == "phi3");
        let different = different.and_then(|name| told_as_different(name, contents.n_chat));
        different
            .into_iter()
            .chain(told_as_text(contents))
            .collect()
    }

    /// How rows in [`Self::format`] are made to fit.
    pub fn fit(contents: &Contents) -> Fit {
        Fit {
            leaves_out_bad: true,
            weighs_answers_only: true,
            as_text: mixed_columns(contents),
            ..Fit::default()
        }
    }

    /// Settings for `axolotl train`.
    pub fn yaml(&self) -> String {
        let mut yaml = Yaml::default();
        yaml.comment("Run in this folder: axolotl train axolotl.yaml")
            .blank();
        if self.0.model.is_empty() {
            yaml.comment("Name on the Hugging Face Hub, or a folder");
        }
        yaml.entry("base_model", self.0.model());
        if let Some(chosen) = &self.0.text.template {
            match counterpart(chosen, self.0.contents) {
                Some(name) => yaml.entry("chat_template", name),
                None => yaml.comment(&format!(
                    "axolotl has no template like `{chosen}`: that of the model's tokenizer is taken"
                )),
            };
        }
        yaml.blank();
        self.data(&mut yaml);
        self.adapter(&mut yaml);
        self.settings(&mut yaml);
        yaml.into_text()
    }

    fn data(&self, yaml: &mut Yaml) {
        match self.0.trained() {
            Some(file) => yaml.entry("datasets", json!([self.dataset(file)])),
            None => yaml.comment("No file of the train side was written"),
        };
        match self.0.on(Side::Validation) {
            Some(file) => {
                let mut dataset = self.dataset(file);
                // A local file is one split, whatever it is used for.
                dataset["split"] = json!("train");
                yaml.entry("test_datasets", json!([dataset]));
            }
            None => {
                yaml.comment("No file of the validation side: nothing is held back")
                    .entry("val_set_size", 0.0);
            }
        }
        let job = self.0.job;
        yaml.entry("dataset_prepared_path", "prepared")
            .entry("sequence_len", job.max_length)
            .entry("sample_packing", job.packing);
        let train_on = self.0.text.train_on;
        if train_on == TrainWhat::Last {
            yaml.comment("axolotl cannot train the last answer alone: it trains all of them");
        }
        yaml.entry("train_on_inputs", train_on == TrainWhat::All)
            .blank();
    }

    fn dataset(&self, file: &WrittenFile) -> Value {
        let mut dataset = json!({ "path": file.path, "ds_type": "json" });
        match self.0.format {
            Format::Alpaca => dataset["type"] = json!("alpaca"),
            Format::Text => {
                dataset["type"] = json!("completion");
                dataset["field"] = json!("text");
            }
            Format::PromptCompletion => dataset["type"] = question_answer("prompt", "completion"),
            Format::QueryResponse => dataset["type"] = question_answer("query", "response"),
            Format::Sharegpt => {
                dataset["type"] = json!("chat_template");
                dataset["field_messages"] = json!("conversations");
                dataset["message_property_mappings"] = json!({"role": "from", "content": "value"});
                dataset["roles_to_train"] = json!(["assistant"]);
            }
            Format::Openai | Format::Tokenized => {
                dataset["type"] = json!("chat_template");
                dataset["field_messages"] = json!("messages");
                dataset["message_property_mappings"] =
                    json!({"role": "role", "content": "content"});
                if self.0.contents.n_with_tools > 0 {
                    dataset["field_tools"] = json!("tools");
                }
                dataset["roles_to_train"] = json!(["assistant"]);
                if self.0.contents.n_weighted > 0 {
                    dataset["message_field_training"] = json!("weight");
                }
            }
        }
        dataset
    }

    fn adapter(&self, yaml: &mut Yaml) {
        let job = self.0.job;
        let packed = job.load_in;
        let adapter = match packed {
            Some(LoadIn::FourBits) => "qlora",
            Some(LoadIn::EightBits) | None => "lora",
        };
        yaml.entry("adapter", adapter)
            .entry("lora_r", job.lora_r)
            .entry("lora_alpha", whole(job.lora_alpha))
            .entry("lora_dropout", job.lora_dropout);
        match &job.target_modules {
            TargetModules::List(names) => yaml.entry("lora_target_modules", json!(names)),
            TargetModules::Pattern(pattern) if pattern == "all-linear" => {
                yaml.entry("lora_target_linear", true)
            }
            TargetModules::Pattern(pattern) => yaml.entry("lora_target_modules", pattern.as_str()),
        };
        if job.use_rslora {
            yaml.entry("peft_use_rslora", true);
        }
        if job.use_dora {
            yaml.entry("peft_use_dora", true);
        }
        if !job.modules_to_save.is_empty() {
            yaml.entry("lora_modules_to_save", json!(job.modules_to_save));
        }
        if let Some(layers) = &job.layers_to_transform {
            yaml.entry("peft_layers_to_transform", json!(layers));
        }
        match packed {
            Some(LoadIn::EightBits) => yaml.entry("load_in_8bit", true),
            Some(LoadIn::FourBits) => yaml.entry("load_in_4bit", true),
            None => yaml,
        };
        yaml.blank();
    }

    fn settings(&self, yaml: &mut Yaml) {
        let job = self.0.job;
        yaml.entry("output_dir", format!("outputs/{}", slug(self.0.name)))
            .entry("micro_batch_size", job.per_device_train_batch_size)
            .entry(
                "gradient_accumulation_steps",
                job.gradient_accumulation_steps,
            )
            .entry("num_epochs", job.num_train_epochs);
        if let Some(steps) = job.max_steps {
            yaml.entry("max_steps", steps);
        }
        yaml.entry("optimizer", "adamw_torch")
            .entry("learning_rate", job.learning_rate)
            .entry("lr_scheduler", json!(job.lr_scheduler_type));
        if job.warmup_steps > 0 {
            yaml.entry("warmup_steps", job.warmup_steps);
        } else {
            yaml.entry("warmup_ratio", job.warmup_ratio);
        }
        yaml.entry("weight_decay", job.weight_decay)
            .entry("max_grad_norm", job.max_grad_norm)
            .entry("gradient_checkpointing", job.gradient_checkpointing)
            .entry("save_strategy", json!(job.save_strategy));
        if self.0.on(Side::Validation).is_some() {
            yaml.entry("eval_strategy", json!(job.eval_strategy));
        }
        yaml.entry("logging_steps", 10)
            .entry("seed", job.seed)
            .entry("bf16", "auto");
    }
}

/// axolotl's name for a built-in template, where it writes these records with it.
fn counterpart(template: &str, contents: &Contents) -> Option<&'static str> {
    // Its `alpaca` has no words before the question.
    const NAMES: [(&str, &str); 7] = [
        ("chatml", "chatml"),
        ("llama3", "llama3"),
        ("mistral", "mistral_v2v3"),
        ("qwen2.5", "qwen_25"),
        ("qwen3", "qwen3"),
        ("gemma", "gemma"),
        ("phi3", "phi_3"),
    ];
    // Its templates for Mistral take no system prompt.
    if template == "mistral" && contents.n_with_system > 0 {
        return None;
    }
    let found = NAMES.iter().find(|(own, _)| *own == template);
    found.map(|(_, name)| *name)
}

/// axolotl's own type for columns of any name: nothing is put around the question. Columns `system`
/// and `input`, which it would read too, are none of these records' text.
fn question_answer(question: &str, answer: &str) -> Value {
    json!({
        "field_system": "", "field_input": "",
        "field_instruction": question, "field_output": answer,
        "format": "{instruction}", "no_input_format": "{instruction}",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{data::handover::tests::file, protocol::TrainJob};

    fn yaml(format: Format, contents: &Contents, job: &TrainJob) -> String {
        yaml_with(format, contents, job, &TextOptions::default())
    }

    fn yaml_with(
        format: Format,
        contents: &Contents,
        job: &TrainJob,
        text: &TextOptions,
    ) -> String {
        let files = [
            file("train.jsonl", Some(Side::Train), 8),
            file("validation.jsonl", Some(Side::Validation), 1),
        ];
        Axolotl(Handover {
            name: "Banca",
            files: &files,
            format,
            contents,
            model: "",
            text,
            job,
        })
        .yaml()
    }

    #[test]
    fn messages_go_through_the_models_template() {
        let contents = Contents {
            n_chat: 3,
            n_weighted: 1,
            n_with_tools: 1,
            ..Contents::default()
        };
        let yaml = yaml(Format::Openai, &contents, &TrainJob::default());
        let dataset = "datasets:\n  - path: \"train.jsonl\"\n    ds_type: \"json\"\n    \
                       type: \"chat_template\"\n    field_messages: \"messages\"\n";
        assert!(yaml.contains(dataset), "{yaml}");
        assert!(
            yaml.contains("    message_field_training: \"weight\"\n"),
            "{yaml}"
        );
        assert!(yaml.contains("    field_tools: \"tools\"\n"), "{yaml}");
        assert!(
            yaml.contains("test_datasets:\n  - path: \"validation.jsonl\""),
            "{yaml}"
        );
        assert!(yaml.contains("    split: \"train\"\n"), "{yaml}");
        assert!(yaml.contains("PUT-THE-BASE-MODEL-HERE"), "{yaml}");
    }

    #[test]
    fn all_linear_layers_have_a_setting_of_their_own() {
        let job = TrainJob {
            target_modules: TargetModules::Pattern("all-linear".into()),
            ..TrainJob::default()
        };
        let yaml = yaml(Format::Alpaca, &Contents::default(), &job);
        assert!(yaml.contains("lora_target_linear: true"), "{yaml}");
        assert!(yaml.contains("    type: \"alpaca\"\n"), "{yaml}");
    }

    #[test]
    fn a_packed_base_is_named() {
        for (load_in, lines) in [
            (
                LoadIn::EightBits,
                ["adapter: \"lora\"", "load_in_8bit: true"],
            ),
            (
                LoadIn::FourBits,
                ["adapter: \"qlora\"", "load_in_4bit: true"],
            ),
        ] {
            let job = TrainJob {
                load_in: Some(load_in),
                ..TrainJob::default()
            };
            let yaml = yaml(Format::Openai, &Contents::default(), &job);
            for line in lines {
                assert!(yaml.lines().any(|found| found == line), "{line}\n{yaml}");
            }
        }
    }

    #[test]
    fn template_and_trained_turns_are_those_of_the_project_or_named() {
        let contents = Contents {
            n_chat: 5,
            n_multi_turn: 2,
            ..Contents::default()
        };
        let with = |template: &str, train_on| {
            let text = TextOptions {
                template: Some(template.into()),
                train_on,
                ..TextOptions::default()
            };
            let yaml = yaml_with(Format::Openai, &contents, &TrainJob::default(), &text);
            let losses = Axolotl::losses(&contents, &text);
            (yaml, losses.iter().map(|(_, n)| *n).collect::<Vec<_>>())
        };
        let (all, losses) = with("qwen2.5", TrainWhat::All);
        assert!(all.contains("chat_template: \"qwen_25\"\n"), "{all}");
        assert!(all.contains("train_on_inputs: true\n"), "{all}");
        assert!(losses.is_empty(), "{losses:?}");
        let (last, losses) = with("zephyr", TrainWhat::Last);
        assert!(last.contains("# axolotl cannot train the last"), "{last}");
        assert!(!last.contains("\nchat_template:"), "{last}");
        assert_eq!(losses, [2, 5]);
    }

    #[test]
    fn a_template_without_system_prompts_is_not_named_for_them() {
        let text = TextOptions {
            template: Some("mistral".into()),
            ..TextOptions::default()
        };
        for (n_with_system, named) in [(0, true), (1, false)] {
            let contents = Contents {
                n_chat: 5,
                n_with_system,
                ..Contents::default()
            };
            let yaml = yaml_with(Format::Openai, &contents, &TrainJob::default(), &text);
            assert_eq!(yaml.contains("chat_template: \"mistral_v2v3\"\n"), named);
            assert_eq!(Axolotl::losses(&contents, &text).is_empty(), named);
        }
    }

    #[test]
    fn weights_that_axolotl_rounds_are_said() {
        let contents = Contents {
            n_chat: 5,
            n_weighted: 3,
            n_part_weighted: 2,
            ..Contents::default()
        };
        let losses = Axolotl::losses(&contents, &TextOptions::default());
        assert_eq!(losses, [(Said::new(Phrase::AxolotlWeights, []), 2)]);
        assert!(Axolotl::fit(&contents).weighs_answers_only);
    }

    #[test]
    fn of_plain_texts_no_other_column_is_read() {
        let yaml = yaml(
            Format::PromptCompletion,
            &Contents::default(),
            &TrainJob::default(),
        );
        for line in ["      field_system: \"\"\n", "      field_input: \"\"\n"] {
            assert!(yaml.contains(line), "{yaml}");
        }
    }

    #[test]
    fn token_ids_have_no_counterpart() {
        let contents = Contents {
            n_tokens: 1,
            ..Contents::default()
        };
        assert_eq!(Axolotl::format(&contents), None);
    }
}
