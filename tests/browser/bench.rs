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
    app::{App, Fixture, IDS, fixture, native},
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
}

impl Task {
    /// The model's own continuation of a few ids is a prompt that every model has.
    fn new(gguf: PathBuf, n_new_tokens: usize) -> Self {
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

    /// What one program took, in the middle of its rounds.
    fn print(&self, program: &dyn Program, rounds: &[Value]) {
        let median = |measure: &str| {
            let mut values: Vec<f64> = rounds
                .iter()
                .map(|round| round[measure].as_f64().expect("rounds are timed"))
                .collect();
            values.sort_by(f64::total_cmp);
            (values[values.len() / 2] * 10.0).round() / 10.0
        };
        let (name, device) = program.name();
        println!(
            "{}",
            json!({
                "program": name,
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
    let task = Task::new(model, n_new_tokens);
    let mut programs: Vec<Box<dyn Program>> = Vec::new();
    for webgpu in [WebGpu::Software, WebGpu::None] {
        programs.push(Box::new(Ours::open(fixture, webgpu, &task)));
        if let Some(package) = &peer {
            programs.push(Box::new(Wllama::open(package, webgpu, &task)));
        }
    }
    // The first time kernels are compiled.
    for program in &programs {
        program.answer(&task);
    }
    // In turns, so that what else the machine does hits all of them.
    let mut rounds = vec![Vec::new(); programs.len()];
    for _ in 0..n_rounds {
        for (program, rounds) in programs.iter().zip(&mut rounds) {
            rounds.push(program.answer(&task));
        }
    }
    for (program, rounds) in programs.iter().zip(&rounds) {
        task.print(program.as_ref(), rounds);
    }
}

/// Something that answers in a tab.
trait Program {
    /// Its name, and what computes.
    fn name(&self) -> (String, String);

    /// One answer with its measures, nothing of the one before reused, its ids checked.
    fn answer(&self, task: &Task) -> Value;
}

/// Our page.
struct Ours(App);

impl Ours {
    fn open(fixture: &Fixture, webgpu: WebGpu, task: &Task) -> Self {
        let app = App::open(fixture, webgpu);
        app.page.choose_files("model-file", &[&task.gguf]);
        app.wait_for("ready");
        Self(app)
    }

    fn generate(&self, ids: &[u32], max_new_tokens: usize) -> Value {
        let request = json!({ "ids": ids, "maxNewTokens": max_new_tokens, "temperature": 0 });
        self.0
            .page
            .evaluate(&format!("window.veneer.generate({request})"))
    }
}

impl Program for Ours {
    fn name(&self) -> (String, String) {
        ("veneer".to_owned(), self.0.device())
    }

    fn answer(&self, task: &Task) -> Value {
        // No prompt begins like this.
        self.generate(&IDS, 1);
        let answer = self.generate(&task.ids, task.expected.len());
        assert_eq!(ids_of(&answer), task.expected, "the page");
        answer
    }
}

/// wllama in a page of its own.
struct Wllama {
    // Dropped in this order, as in `App`.
    page: Page,
    _browser: Chromium,
    _server: Server,
    version: String,
    device: String,
}

impl Wllama {
    fn open(package: &Path, webgpu: WebGpu, task: &Task) -> Self {
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
        let word = |name: &str| loaded[name].as_str().unwrap_or_default();
        let asked = if on_gpu { "GPU asked for" } else { "no GPU" };
        Self {
            version: word("version").to_owned(),
            device: format!(
                "{} ({asked}), {} thread(s)",
                word("device"),
                loaded["nThreads"]
            ),
            page,
            _browser: browser,
            _server: server,
        }
    }
}

impl Program for Wllama {
    fn name(&self) -> (String, String) {
        let name = format!("wllama, llama.cpp {}", self.version);
        (name, self.device.clone())
    }

    fn answer(&self, task: &Task) -> Value {
        let answer = self.page.evaluate(&format!(
            "window.peer.generate({}, {})",
            json!(task.text),
            task.expected.len()
        ));
        assert_eq!(answer["nPromptTokens"], task.ids.len(), "{answer}");
        assert_eq!(answer["nReusedTokens"], 0, "{answer}");
        task.check_peer(&ids_of(&answer));
        answer
    }
}

fn ids_of(answer: &Value) -> Vec<u32> {
    serde_json::from_value(answer["ids"].clone()).expect("ids are numbers")
}
