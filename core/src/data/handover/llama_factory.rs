//! LLaMA-Factory: an entry of `dataset_info.json` for each file, and settings to train with.
//!
//! Both are read from the folder of the data: `dataset_dir` is `.`.

use serde_json::{Map, Value, json};

use super::{
    Contents, Fit, Handover, WrittenFile,
    fit::mixed_columns,
    llama_templates::{QWEN3, counterpart, n_different, of_model},
    slug, told, told_as_different, told_as_text,
    yaml::Yaml,
};
use crate::{
    data::Format,
    protocol::{
        LoadIn, TargetModules,
        studio::{Phrase, Said, Side, TextOptions, TrainWhat},
    },
};

/// A dataset for LLaMA-Factory.
pub struct LlamaFactory<'a>(pub Handover<'a>);

impl LlamaFactory<'_> {
    /// The format that keeps most of what the records have; `None` where there is none.
    pub fn format(contents: &Contents) -> Option<Format> {
        let n = contents.n();
        if contents.n_tokens > 0 {
            return None;
        }
        Some(if is_ranking(contents) {
            Format::Alpaca
        } else if n > 0 && contents.n_whole_text == n {
            Format::Text
        } else if n > 0 && contents.n_prompted_text == n {
            Format::PromptCompletion
        } else if contents.n_with_tools + contents.n_with_developer > 0 {
            Format::Sharegpt
        } else {
            Format::Openai
        })
    }

    /// What LLaMA-Factory does not do with these records, with their number.
    pub fn losses(contents: &Contents, text: &TextOptions, model: &str) -> Vec<(Said, u64)> {
        let n_unless = |is_kept: bool, n: u64| if is_kept { 0 } else { n };
        // Every other format tells of the keys that it does not have.
        let keeps_reasoning = spells_reasoning(contents, text, model)
            || Self::format(contents) != Some(Format::Openai);
        let n_unpaired = n_unless(is_ranking(contents), contents.n_pairs);
        let n_silent = n_unless(keeps_reasoning, contents.n_with_reasoning);
        let losses = [
            (Phrase::LlamaFactoryIrregular, contents.n_irregular),
            (Phrase::LlamaFactoryWeights, contents.n_weighted),
            (Phrase::PairsAsExamples, n_unpaired),
            (
                Phrase::MarkedBad,
                n_unless(is_kto(contents), contents.n_bad),
            ),
            (Phrase::LosesMessageKeys, n_silent),
        ];
        let template = text.template.as_deref();
        let unknown = template.filter(|name| counterpart(name, contents).is_none());
        told(&losses, unknown, contents)
    }

    /// What is another thing there, but not lost.
    pub fn notes(contents: &Contents, text: &TextOptions) -> Vec<(Said, u64)> {
        let n_plain = match Self::format(contents) {
            Some(Format::PromptCompletion) => contents.n_prompted_text,
            _ => 0,
        };
        let mut notes = told(&[(Phrase::LosesPlainText, n_plain)], None, contents);
        let template = text.template.as_deref();
        let known = template.filter(|name| counterpart(name, contents).is_some());
        notes.extend(known.and_then(|name| told_as_different(name, n_different(name, contents))));
        notes.extend(told_as_text(contents));
        notes
    }

    /// How rows in [`Self::format`] are made to fit.
    pub fn fit(contents: &Contents, text: &TextOptions, model: &str) -> Fit {
        let format = Self::format(contents).unwrap_or(Format::Openai);
        let needed = needed(contents, format);
        Fit {
            leaves_out_bad: !is_kto(contents),
            marks_are_truths: is_kto(contents),
            spells_reasoning: spells_reasoning(contents, text, model),
            as_text: mixed_columns(contents),
            needed: needed.collect(),
            ..Fit::default()
        }
    }

    /// `dataset_info.json`
    pub fn dataset_info(&self) -> String {
        let entries: Map<String, Value> = self
            .0
            .files
            .iter()
            .map(|file| (self.entry_name(file), self.entry(file)))
            .collect();
        format!("{:#}\n", Value::Object(entries))
    }

    fn entry_name(&self, file: &WrittenFile) -> String {
        let name = slug(self.0.name);
        match file.side {
            Some(side) => format!("{name}_{}", super::side_name(side)),
            None => name,
        }
    }

    fn entry(&self, file: &WrittenFile) -> Value {
        let contents = self.0.contents;
        let mut entry = json!({ "file_name": file.path });
        let mut columns = match self.0.format {
            Format::Openai => {
                entry["formatting"] = json!("sharegpt");
                json!({ "messages": "messages" })
            }
            Format::Sharegpt => {
                entry["formatting"] = json!("sharegpt");
                json!({ "messages": "conversations" })
            }
            Format::Alpaca if is_ranking(contents) => {
                entry["ranking"] = json!(true);
                json!({
                    "prompt": "instruction", "query": "input",
                    "chosen": "chosen", "rejected": "rejected",
                })
            }
            Format::Alpaca => {
                json!({ "prompt": "instruction", "query": "input", "response": "output" })
            }
            // `query` has a default that these files do not have.
            Format::QueryResponse => json!({ "prompt": "query", "response": "response" }),
            Format::PromptCompletion => json!({ "prompt": "prompt", "response": "completion" }),
            Format::Text | Format::Tokenized => json!({ "prompt": "text" }),
        };
        for (name, _) in needed(contents, self.0.format) {
            columns[name] = json!(name);
        }
        if is_kto(contents) {
            columns["kto_tag"] = json!("label");
        }
        entry["columns"] = columns;
        if self.0.format == Format::Openai {
            entry["tags"] = json!({
                "role_tag": "role", "content_tag": "content", "user_tag": "user",
                "assistant_tag": "assistant", "system_tag": "system",
            });
        }
        entry
    }

    /// Settings for `llamafactory-cli train`.
    pub fn train_yaml(&self) -> String {
        let mut yaml = Yaml::default();
        yaml.comment("Run in this folder: llamafactory-cli train llama_factory.yaml")
            .blank();
        self.model(&mut yaml);
        self.data(&mut yaml);
        self.settings(&mut yaml);
        yaml.into_text()
    }

    fn model(&self, yaml: &mut Yaml) {
        if self.0.model.is_empty() {
            yaml.comment("Name on the Hugging Face Hub, or a folder");
        }
        yaml.entry("model_name_or_path", self.0.model());
        let own = "Without `template`, LLaMA-Factory takes the one of the model's tokenizer";
        match (&self.0.text.template, of_model(self.0.model)) {
            (Some(chosen), _) => match counterpart(chosen, self.0.contents) {
                Some(name) => {
                    if n_different(chosen, self.0.contents) > 0 {
                        yaml.comment("It writes some turns a little otherwise than the one chosen");
                    }
                    yaml.entry("template", name)
                }
                None => {
                    let lacking = format!("LLaMA-Factory has no template like `{chosen}`");
                    yaml.comment(&lacking).comment(own)
                }
            },
            (None, Some(template)) => yaml.entry("template", template),
            (None, None) => yaml.comment(own),
        };
        let stage = self.stage();
        yaml.entry("stage", stage)
            .entry("do_train", true)
            .entry("finetuning_type", "lora");
        let job = self.0.job;
        yaml.entry("lora_rank", job.lora_r)
            .entry("lora_alpha", whole(job.lora_alpha))
            .entry("lora_dropout", job.lora_dropout)
            .entry("lora_target", targets(&job.target_modules));
        if job.use_rslora {
            yaml.entry("use_rslora", true);
        }
        if job.use_dora {
            yaml.entry("use_dora", true);
        }
        if !job.modules_to_save.is_empty() {
            yaml.entry("additional_target", job.modules_to_save.join(","));
        }
        let bits = match job.load_in {
            Some(LoadIn::EightBits) => Some(8),
            Some(LoadIn::FourBits) => Some(4),
            None => None,
        };
        if let Some(bits) = bits {
            yaml.entry("quantization_bit", bits);
        }
        yaml.blank();
    }

    fn stage(&self) -> &'static str {
        if self.0.format == Format::Text {
            "pt"
        } else if is_ranking(self.0.contents) {
            "dpo"
        } else if is_kto(self.0.contents) {
            "kto"
        } else {
            "sft"
        }
    }

    fn data(&self, yaml: &mut Yaml) {
        let job = self.0.job;
        let name = |file| self.entry_name(file);
        yaml.entry("dataset_dir", ".");
        match self.0.trained() {
            Some(file) => yaml.entry("dataset", name(file)),
            None => yaml.comment("No file of the train side was written"),
        };
        if let Some(file) = self.0.on(Side::Validation) {
            yaml.entry("eval_dataset", name(file))
                .entry("eval_strategy", json!(job.eval_strategy));
        }
        yaml.entry("cutoff_len", job.max_length);
        match self.0.text.train_on {
            TrainWhat::Last if self.stage() == "sft" => yaml.entry("mask_history", true),
            TrainWhat::All if self.stage() == "sft" => yaml.entry("train_on_prompt", true),
            _ => yaml,
        };
        if job.packing {
            yaml.entry("packing", true);
        }
        yaml.blank();
    }

    fn settings(&self, yaml: &mut Yaml) {
        let job = self.0.job;
        yaml.entry("output_dir", format!("saves/{}", slug(self.0.name)))
            .entry("logging_steps", 10)
            .entry("save_strategy", json!(job.save_strategy))
            .entry("report_to", "none")
            .blank()
            .entry(
                "per_device_train_batch_size",
                job.per_device_train_batch_size,
            )
            .entry(
                "gradient_accumulation_steps",
                job.gradient_accumulation_steps,
            )
            .entry("learning_rate", job.learning_rate)
            .entry("num_train_epochs", job.num_train_epochs);
        if let Some(steps) = job.max_steps {
            yaml.entry("max_steps", steps);
        }
        yaml.entry("lr_scheduler_type", json!(job.lr_scheduler_type));
        if job.warmup_steps > 0 {
            yaml.entry("warmup_steps", job.warmup_steps);
        } else {
            yaml.entry("warmup_ratio", job.warmup_ratio);
        }
        yaml.entry("weight_decay", job.weight_decay)
            .entry("max_grad_norm", job.max_grad_norm)
            .entry("seed", job.seed)
            .entry("bf16", true);
    }
}

/// 32 rather than 32.0 where a tool reads an integer.
pub(super) fn whole(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e9 {
        json!(number as i64)
    } else {
        json!(number)
    }
}

/// Names with commas; a pattern has no counterpart, and stands for all linear layers.
fn targets(modules: &TargetModules) -> String {
    match modules {
        TargetModules::List(names) => names.join(","),
        TargetModules::Pattern(_) => "all".into(),
    }
}

/// Whether every record can be learned as a better and a worse answer, which are texts there.
fn is_ranking(contents: &Contents) -> bool {
    contents.n_text_pairs > 0 && contents.n_text_pairs == contents.n()
}

/// Whether every record can be learned as a good or a bad answer (Kahneman-Tversky optimization),
/// of which there have to be some each.
fn is_kto(contents: &Contents) -> bool {
    let has_both = 0 < contents.n_bad && contents.n_bad < contents.n_marked;
    has_both && contents.n_marked == contents.n()
}

/// Columns of an entry beside those of the format, which a row without them would not be read for.
fn needed(
    contents: &Contents,
    format: Format,
) -> impl Iterator<Item = (&'static str, Value)> + use<> {
    let is_alpaca = format == Format::Alpaca;
    let has_tools = format == Format::Sharegpt && contents.n_with_tools > 0;
    let columns = [
        ("tools", json!(""), has_tools),
        ("system", json!(""), is_alpaca && contents.n_with_system > 0),
        ("history", json!([]), is_alpaca && contents.n_multi_turn > 0),
    ];
    let needed = columns.into_iter().filter(|(_, _, is_needed)| *is_needed);
    needed.map(|(name, empty, _)| (name, empty))
}

/// Whether the template there looks for reasoning in front of the answer.
fn spells_reasoning(contents: &Contents, text: &TextOptions, model: &str) -> bool {
    let template = match &text.template {
        Some(chosen) => counterpart(chosen, contents),
        None => of_model(model),
    };
    template == Some(QWEN3) && !is_ranking(contents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{data::handover::tests::file, protocol::TrainJob};

    static AS_USUAL: TextOptions = TextOptions {
        max_length: 2048,
        train_on: TrainWhat::Assistant,
        template: None,
    };

    fn handover<'a>(
        files: &'a [WrittenFile],
        format: Format,
        contents: &'a Contents,
        job: &'a TrainJob,
    ) -> LlamaFactory<'a> {
        LlamaFactory(Handover {
            name: "Banca",
            files,
            format,
            contents,
            model: "Qwen/Qwen2.5-0.5B-Instruct",
            text: &AS_USUAL,
            job,
        })
    }

    fn info(format: Format, contents: &Contents) -> Value {
        let job = TrainJob::default();
        let files = [file("data.jsonl", None, 5)];
        let text = handover(&files, format, contents, &job).dataset_info();
        serde_json::from_str::<Value>(&text).expect("JSON")["banca"].clone()
    }

    #[test]
    fn messages_need_tags_for_role_and_content() {
        let entry = info(Format::Openai, &Contents::default());
        assert_eq!(entry["formatting"], "sharegpt");
        assert_eq!(entry["columns"]["messages"], "messages");
        assert_eq!(entry["tags"]["role_tag"], "role");
        assert_eq!(entry["tags"]["content_tag"], "content");
        assert_eq!(entry["tags"]["assistant_tag"], "assistant");
    }

    #[test]
    fn columns_are_named_only_where_the_records_have_them() {
        let mut contents = Contents::default();
        let plain = info(Format::Alpaca, &contents);
        assert_eq!(
            plain["columns"],
            json!({"prompt": "instruction", "query": "input", "response": "output"})
        );
        contents.n_with_system = 1;
        contents.n_multi_turn = 1;
        let full = info(Format::Alpaca, &contents);
        assert_eq!(full["columns"]["system"], "system");
        assert_eq!(full["columns"]["history"], "history");
    }

    #[test]
    fn tools_pairs_and_plain_text_choose_the_format() {
        let format = |contents: &Contents| LlamaFactory::format(contents);
        let chat = Contents {
            n_chat: 2,
            ..Contents::default()
        };
        assert_eq!(format(&chat), Some(Format::Openai));
        let tools = Contents {
            n_with_tools: 1,
            ..chat.clone()
        };
        assert_eq!(format(&tools), Some(Format::Sharegpt));
        assert_eq!(info(Format::Sharegpt, &tools)["columns"]["tools"], "tools");
        let pairs = Contents {
            n_pairs: 2,
            n_text_pairs: 2,
            ..chat.clone()
        };
        assert_eq!(format(&pairs), Some(Format::Alpaca));
        let entry = info(Format::Alpaca, &pairs);
        assert_eq!(
            (&entry["ranking"], &entry["columns"]["rejected"]),
            (&json!(true), &json!("rejected"))
        );
        let tokens = Contents {
            n_tokens: 1,
            ..chat
        };
        assert_eq!(format(&tokens), None);
    }

    #[test]
    fn the_settings_name_the_files_of_their_sides() {
        let job = TrainJob {
            load_in: Some(LoadIn::FourBits),
            ..TrainJob::default()
        };
        let contents = Contents::default();
        let files = [
            file("train.jsonl", Some(Side::Train), 8),
            file("validation.jsonl", Some(Side::Validation), 1),
            file("test.jsonl", Some(Side::Test), 1),
        ];
        let made = handover(&files, Format::Openai, &contents, &job);
        let yaml = made.train_yaml();
        for line in [
            "dataset: \"banca_train\"",
            "eval_dataset: \"banca_validation\"",
            "template: \"qwen\"",
            "lora_rank: 16",
            "quantization_bit: 4",
            "lora_target: \"q_proj,k_proj,v_proj,o_proj\"",
            "learning_rate: 0.0002",
            "lr_scheduler_type: \"cosine\"",
        ] {
            assert!(yaml.lines().any(|found| found == line), "{line}\n{yaml}");
        }
        let info: Value = serde_json::from_str(&made.dataset_info()).expect("JSON");
        assert_eq!(info.as_object().map(Map::len), Some(3));
        assert_eq!(info["banca_train"]["file_name"], "train.jsonl");
    }

    #[test]
    fn what_it_would_leave_out_or_train_is_said() {
        let contents = Contents {
            n_chat: 9,
            n_irregular: 2,
            n_weighted: 1,
            ..Contents::default()
        };
        let losses = LlamaFactory::losses(&contents, &AS_USUAL, "");
        assert_eq!(losses.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [2, 1]);
        // Pairs of message lists are not ranked, and neither are pairs among other records.
        let pairs = Contents {
            n_chat: 3,
            n_pairs: 3,
            ..Contents::default()
        };
        assert_eq!(LlamaFactory::format(&pairs), Some(Format::Openai));
        let losses = LlamaFactory::losses(&pairs, &AS_USUAL, "");
        assert_eq!(losses, [(Said::new(Phrase::PairsAsExamples, []), 3)]);
    }

    #[test]
    fn reasoning_is_in_the_answer_or_said_to_be_lost() {
        let contents = Contents {
            n_chat: 2,
            n_with_reasoning: 1,
            ..Contents::default()
        };
        let of = |model: &str| {
            let fit = LlamaFactory::fit(&contents, &AS_USUAL, model);
            let losses = LlamaFactory::losses(&contents, &AS_USUAL, model);
            (fit.spells_reasoning, losses)
        };
        let lost = (Said::new(Phrase::LosesMessageKeys, []), 1);
        assert_eq!(of("Qwen/Qwen3-0.6B"), (true, vec![]));
        assert_eq!(of("Qwen/Qwen2.5-7B-Instruct"), (false, vec![lost]));
    }

    #[test]
    fn plain_text_that_gets_a_template_is_noted() {
        let contents = Contents {
            n_prompted_text: 3,
            ..Contents::default()
        };
        let notes = LlamaFactory::notes(&contents, &AS_USUAL);
        assert_eq!(notes, [(Said::new(Phrase::LosesPlainText, []), 3)]);
    }

    #[test]
    fn a_template_with_another_text_is_noted_or_not_named() {
        let contents = Contents {
            n_chat: 3,
            n_with_system: 2,
            n_multi_turn: 1,
            ..Contents::default()
        };
        let of = |template: &str| {
            let text = TextOptions {
                template: Some(template.into()),
                ..AS_USUAL
            };
            let numbers = |said: Vec<(Said, u64)>| said.iter().map(|(_, n)| *n).collect();
            let losses: Vec<u64> = numbers(LlamaFactory::losses(&contents, &text, ""));
            let notes: Vec<u64> = numbers(LlamaFactory::notes(&contents, &text));
            (losses, notes)
        };
        assert_eq!(of("chatml"), (vec![], vec![]));
        for unlike in ["zephyr", "alpaca"] {
            assert_eq!(of(unlike), (vec![3], vec![]), "{unlike}");
        }
        assert_eq!(of("llama2"), (vec![], vec![3]));
        assert_eq!(of("qwen3"), (vec![], vec![1]));
    }

    #[test]
    fn template_and_trained_turns_are_those_of_the_project() {
        let (contents, job) = (Contents::default(), TrainJob::default());
        let files = [file("data.jsonl", None, 5)];
        let with = |template: &str, train_on| {
            let text = TextOptions {
                template: Some(template.into()),
                train_on,
                ..AS_USUAL
            };
            let LlamaFactory(handover) = handover(&files, Format::Openai, &contents, &job);
            let handover = Handover {
                text: &text,
                ..handover
            };
            LlamaFactory(handover).train_yaml()
        };
        let last = with("phi3", TrainWhat::Last);
        assert!(last.contains("template: \"phi\"\n"), "{last}");
        assert!(last.contains("mask_history: true\n"), "{last}");
        let all = with("plain", TrainWhat::All);
        assert!(all.contains("no template like `plain`"), "{all}");
        assert!(!all.contains("\ntemplate:"), "{all}");
        assert!(all.contains("train_on_prompt: true\n"), "{all}");
    }
}
