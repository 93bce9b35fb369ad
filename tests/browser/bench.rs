//! How fast the page answers, and how fast wllama does with the same file in the same browser.
//!
//! A plain test run does one short round of the page alone, so that this works when it is wanted;
//! `cargo xtask bench-web` does five rounds and brings the peer. Ids are compared with the binary's
//! before a number is printed. Software adapters compare the work that is done, not what a user
//! with a GPU gets.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    app::{App, IDS, fixture, native},
    chromium::{Chromium, WebGpu},
    page::Page,
    server::Server,
};

const MODEL: &str = "/model.gguf";
const N_PROMPT_TOKENS: usize = 48;

/// Ids that the peer must give as the binary does.
const N_SAME: usize = 16;

/// What is timed: a prompt in ids and as text, and its continuation by the binary.
struct Task {
    gguf: PathBuf,
    ids: Vec<u32>,
    text: String,
    expected: Vec<u32>,
    n_rounds: usize,
}

impl Task {
    /// The model's own continuation of a few ids is a prompt that every model has.
    fn new(gguf: PathBuf, n_new_tokens: usize, n_rounds: usize) -> Self {
        let ids_option = |ids: &[u32]| {
            let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
            ids.join(",")
        };
        let answer = |ids: &[u32], n: usize| {
            let options = ["--ignore-eos", "--ids", &ids_option(ids)];
            native(&gguf, None, &options, n)
        };
        let prompt = answer(&IDS, N_PROMPT_TOKENS);
        let ids = ids_of(&prompt);
        let expected = ids_of(&answer(&ids, n_new_tokens));
        Self {
            text: prompt["text"].as_str().unwrap_or_default().to_owned(),
            ids,
            expected,
            n_rounds,
            gguf,
        }
    }

    /// The peer rounds activations to 8 bits, which may tip a near tie late in an answer; other work
    /// would differ from the start.
    fn check_peer(&self, ids: &[u32]) {
        let pairs = ids.iter().zip(&self.expected);
        let n_same = pairs.take_while(|(ours, theirs)| ours == theirs).count();
        assert_eq!(ids.len(), self.expected.len());
        assert!(n_same >= N_SAME, "only {n_same} ids are the same: {ids:?}");
    }

    fn print(&self, program: &str, device: &str, rounds: &[Value]) {
        let median = |measure: &str| {
            let mut values: Vec<f64> = rounds
                .iter()
                .map(|round| round[measure].as_f64().expect("rounds are timed"))
                .collect();
            values.sort_by(f64::total_cmp);
            (values[values.len() / 2] * 10.0).round() / 10.0
        };
        println!(
            "{}",
            json!({
                "program": program,
                "device": device,
                "time_to_first_token_ms": median("timeToFirstTokenMs"),
                "decode_tokens_per_second": median("decodeTokensPerSecond"),
                "rounds": rounds.len(),
                "prompt_tokens": self.ids.len(),
                "new_tokens": self.expected.len(),
                "file": self.gguf.file_name().map(|name| name.to_string_lossy()),
            })
        );
    }
}

#[test]
fn the_page_is_timed() {
    let Some(fixture) = fixture() else { return };
    let model = env::var_os("VENEER_BENCH_MODEL").map_or(fixture.gguf.clone(), PathBuf::from);
    let peer = env::var_os("VENEER_BENCH_WLLAMA").map(PathBuf::from);
    let (n_rounds, n_new_tokens) = if peer.is_some() { (5, 64) } else { (1, 8) };
    let task = Task::new(model, n_new_tokens, n_rounds);
    for webgpu in [WebGpu::Software, WebGpu::None] {
        let app = App::open(fixture, webgpu);
        let rounds = time_page(&app, &task);
        task.print("veneer", &app.device(), &rounds);
    }
    if let Some(package) = &peer {
        for webgpu in [WebGpu::Software, WebGpu::None] {
            time_wllama(package, &task, webgpu);
        }
    }
}

fn time_page(app: &App, task: &Task) -> Vec<Value> {
    app.page.choose_files("model-file", &[&task.gguf]);
    app.wait_for("ready");
    let generate = |ids: &[u32], n: usize| {
        let request = json!({ "ids": ids, "maxNewTokens": n, "temperature": 0 });
        app.page
            .evaluate(&format!("window.veneer.generate({request})"))
    };
    // Kernels are compiled once.
    generate(&task.ids, task.expected.len());
    let mut rounds = Vec::new();
    for _ in 0..task.n_rounds {
        // Nothing of the round before begins like this.
        generate(&IDS, 1);
        let round = generate(&task.ids, task.expected.len());
        assert_eq!(ids_of(&round), task.expected, "the page");
        rounds.push(round);
    }
    rounds
}

fn time_wllama(package: &Path, task: &Task, webgpu: WebGpu) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/wllama");
    let server = Server::start(&here);
    server.mount("/wllama/", package);
    server.add(MODEL, fs::read(&task.gguf).expect("the model can be read"));
    let browser = Chromium::start(webgpu);
    let page = Page::open(&browser, &server.url("/"));
    if webgpu == WebGpu::None {
        page.expect_problem("No available adapters");
    }
    let on_gpu = webgpu == WebGpu::Software;
    let loaded = page.evaluate(&format!("window.peer.load('{MODEL}', {on_gpu})"));
    let prompt = json!(task.text);
    let generate = format!("window.peer.generate({prompt}, {})", task.expected.len());
    page.evaluate(&generate);
    let rounds: Vec<Value> = (0..task.n_rounds)
        .map(|_| {
            let round = page.evaluate(&generate);
            assert_eq!(round["nPromptTokens"], task.ids.len(), "{round}");
            assert_eq!(round["nReusedTokens"], 0, "{round}");
            task.check_peer(&ids_of(&round));
            round
        })
        .collect();
    let word = |name: &str| loaded[name].as_str().unwrap_or_default().to_owned();
    let asked = if on_gpu { "GPU asked for" } else { "no GPU" };
    let device = format!(
        "{} ({asked}), {} thread(s)",
        word("device"),
        loaded["nThreads"]
    );
    task.print(
        &format!("wllama, llama.cpp {}", word("version")),
        &device,
        &rounds,
    );
}

fn ids_of(answer: &Value) -> Vec<u32> {
    serde_json::from_value(answer["ids"].clone()).expect("ids are numbers")
}
