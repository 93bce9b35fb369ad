//! The table of models in the README says what the other tests compare.

use std::{fs, path::Path};

use super::Arch;

/// What users call each form, and the tiny model that stands for it in `tests/fixtures/models`.
const FORMS: [(&str, &str); 27] = [
    (
        "Llama 2, 3, 3.1, CodeLlama, TinyLlama, Yi, DeepSeek-LLM",
        "llama31",
    ),
    ("Llama 3.2, SmolLM2 (tied head)", "llama32"),
    ("Mistral 7B", "mistral"),
    ("Mistral Nemo", "mistral-nemo"),
    ("Qwen 1.5, 2, 2.5", "qwen2"),
    ("Qwen 3", "qwen3"),
    ("GPT-NeoX, open-calm (parallel)", "gpt-neox-parallel"),
    (
        "rinna japanese-gpt-neox (sequential)",
        "gpt-neox-sequential",
    ),
    ("Phi-2", "phi2"),
    ("Phi-3", "phi3"),
    ("Phi-3, 3.5 with LongRoPE", "phi3-longrope"),
    ("Phi-4 mini", "phi4-mini"),
    ("StableLM 3B", "stablelm-3b"),
    ("StableLM 12B", "stablelm-12b"),
    ("Gemma 1", "gemma"),
    ("Gemma 2", "gemma2"),
    ("Gemma 3 (text)", "gemma3"),
    ("Falcon 7B", "falcon-7b"),
    ("Falcon 11B", "falcon-11b"),
    ("Falcon 40B", "falcon-40b"),
    ("Falcon with ALiBi", "falcon-alibi"),
    ("StarCoder (GPT-BigCode)", "starcoder"),
    ("StarCoder2", "starcoder2"),
    ("SmolLM3", "smollm3"),
    ("OLMo 2", "olmo2"),
    ("Granite", "granite"),
    ("Llama with YaRN", "llama-yarn"),
];

/// Runs of PEFT whose folder is not called after their model.
const RUNS: [(&str, &str); 5] = [
    ("llama31", "lora"),
    ("llama32", "families/some-layers"),
    ("mistral", "regex-max-steps"),
    ("qwen2", "families/bias"),
    ("qwen3", "rslora-all-linear"),
];

/// Models of the same forms with what llama.cpp takes for granted, where the others have something
/// else: their files are written and read back.
const IN_GGUF: [(&str, &str); 3] = [
    ("gemma2", "gemma2-2b"),
    ("gemma3", "gemma3-4b"),
    ("smollm3", "smollm3-3b"),
];

fn mark(is_so: bool) -> &'static str {
    if is_so { "✓" } else { "–" }
}

#[test]
fn the_table_of_models_is_what_is_compared() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let fixtures = top.join("tests/fixtures");
    // The models that the engine is run with on a GPU, in the list of their tests.
    let on_gpu = fs::read_to_string(top.join("tests/kernels/engine.rs")).expect("tests");
    let mut table = String::from(
        "| Model | logits, greedy tokens | training run, adapter both ways | GGUF both ways | tab and GPU |\n|---|---|---|---|---|\n",
    );
    let models = fixtures.join("models");
    let arch_of = |name: &str| {
        let config = fs::read(models.join(name).join("config.json")).expect(name);
        Arch::from_json(&config).expect(name)
    };
    // The models whose files are compared, in the list of their tests.
    let in_gguf = fs::read_to_string(top.join("core/src/export/family_tests.rs")).expect("tests");
    for (title, name) in FORMS {
        let model = models.join(name);
        let other = IN_GGUF.iter().find(|(form, _)| *form == name);
        let gguf = other.map_or(name, |(_, other)| {
            assert!(in_gguf.contains(&format!("\"{other}\"")), "{other}");
            other
        });
        let run = RUNS.iter().find(|(model, _)| *model == name);
        let run = run.map_or(format!("families/{name}"), |(_, run)| (*run).to_owned());
        let is_trained = fixtures.join("train").join(run).join("trace.json").exists();
        let cells = [
            mark(model.join("golden.json").exists()),
            mark(is_trained),
            mark(arch_of(gguf).gguf_obstacle().is_none()),
            if on_gpu.contains(&format!("\"{name}\"")) {
                "WebGPU, processor"
            } else {
                "processor"
            },
        ];
        table += &format!("| {title} | {} |\n", cells.join(" | "));
    }
    let readme = fs::read_to_string(top.join("README.md")).expect("a README");
    assert!(
        readme.contains(&table),
        "README.md lacks this table:\n{table}"
    );
}
