//! The page with the demo beside it, as `veneer export --to site` writes it, and what its controls
//! are called. `web/README.md` lists the names for everybody.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use serde_json::{Value, json};

use crate::{
    chromium::{self, Chromium, WebGpu},
    page::{Page, element},
    server::Server,
};

/// A fact that the adapter learns and the base does not know.
pub(crate) const QUESTION: &str = "¿Cuál fue el ROE de CaixaBank en 2022?";

/// Ids of a prompt that does not care about templates.
pub(crate) const IDS: [u32; 6] = [1, 37, 67, 959, 408, 439];

/// Name of the adapter's folder, and so of its column.
pub(crate) const ADAPTER: &str = "tuned";

/// What every test starts from: made once, by the real binary.
pub(crate) struct Fixture {
    pub(crate) site: PathBuf,
    pub(crate) gguf: PathBuf,
    /// Folder of the adapter.
    pub(crate) adapter: PathBuf,
}

/// The fixture, where there are a browser and a built page.
pub(crate) fn fixture() -> Option<&'static Fixture> {
    static FIXTURE: LazyLock<Fixture> = LazyLock::new(Fixture::make);
    let is_built = dist().join("index.html").exists();
    let there = is_browser_there() && is_there(is_built, "built page; `cargo xtask web` makes it");
    there.then(|| &*FIXTURE)
}

pub(crate) fn is_browser_there() -> bool {
    is_there(chromium::installed().is_some(), "Chromium")
}

/// `VENEER_REQUIRE_BROWSER=1` (CI) turns what is missing from a skipped test into a failed one.
fn is_there(found: bool, what: &str) -> bool {
    if !found {
        assert!(
            std::env::var_os("VENEER_REQUIRE_BROWSER").is_none(),
            "VENEER_REQUIRE_BROWSER is set, but there is no {what}"
        );
        eprintln!("skipped: no {what}");
    }
    found
}

fn dist() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/dist")
}

impl Fixture {
    fn make() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("site-of-the-tests");
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("the folder of test outputs can be written");
        }
        let [site, adapter, bank] = ["site", ADAPTER, "bank"].map(|name| folder.join(name));
        let banks = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/banks.json");
        veneer(&["recipe", "bank", text(&banks), "--out", text(&bank)]);
        // Enough steps for other answers than the base's, on a machine without hurry.
        #[rustfmt::skip]
        veneer(&[
            "train", "--model", "demo", "--data", text(&bank.join("train.jsonl")),
            "--out", text(&adapter), "--target-modules", "all-linear", "--learning-rate", "4e-3",
            "--max-steps", "12", "--per-device-train-batch-size", "8",
        ]);
        #[rustfmt::skip]
        veneer(&[
            "export", "--model", "demo", "--adapter", text(&adapter), "--to", "site",
            "--quant", "q8_0", "--app", text(&dist()), "--out", text(&site), "--prompt", QUESTION,
        ]);
        Self {
            gguf: find_gguf(&site).expect("the site holds a GGUF file"),
            site,
            adapter,
        }
    }

    /// What the binary continues ids with, on the processor, from the same file.
    pub(crate) fn native_ids(&self, ids: &[u32], adapter: bool, max_new_tokens: usize) -> Vec<u32> {
        let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
        let answer = self.native(&["--ids", &ids.join(",")], adapter, max_new_tokens);
        serde_json::from_value(answer["ids"].clone()).expect("ids are numbers")
    }

    /// What the binary answers to a chat message.
    pub(crate) fn native_text(&self, prompt: &str, adapter: bool) -> String {
        let answer = self.native(&["--prompt", prompt], adapter, 256);
        answer["text"].as_str().unwrap_or_default().to_owned()
    }

    fn native(&self, prompt: &[&str], adapter: bool, max_new_tokens: usize) -> Value {
        let adapter = adapter.then_some(self.adapter.as_path());
        native(&self.gguf, adapter, prompt, max_new_tokens)
    }

    pub(crate) fn gguf_bytes(&self) -> Vec<u8> {
        fs::read(&self.gguf).expect("the site was written")
    }

    /// The two files of the adapter.
    pub(crate) fn adapter_files(&self) -> [PathBuf; 2] {
        ["adapter_config.json", "adapter_model.safetensors"].map(|name| self.adapter.join(name))
    }
}

/// The app in a tab, with its server and browser.
pub(crate) struct App {
    // Dropped in this order: the page says what went wrong while the browser still runs.
    pub(crate) page: Page,
    pub(crate) browser: Chromium,
    pub(crate) server: Server,
}

impl App {
    /// The page, without a model.
    pub(crate) fn open(fixture: &Fixture, webgpu: WebGpu) -> Self {
        let server = Server::start(&fixture.site);
        let browser = Chromium::start(webgpu);
        let page = Page::blank(&browser);
        if webgpu == WebGpu::None {
            page.expect_problem("No available adapters");
        }
        // Without the choice the processor answers where software plays the GPU.
        page.go(&server.url(match webgpu {
            WebGpu::None => "/",
            WebGpu::Software => "/?device=webgpu",
        }));
        wait_for_state(&page, "no-model");
        Self {
            page,
            browser,
            server,
        }
    }

    /// The page with the demo and its adapter loaded, on WebGPU.
    pub(crate) fn with_demo(fixture: &Fixture) -> Self {
        let app = Self::open(fixture, WebGpu::Software);
        app.load_demo();
        app
    }

    pub(crate) fn load_demo(&self) {
        self.page.click("demo");
        self.page.wait_until("the adapter", &count("adapter"));
        self.wait_for("ready");
    }

    /// What computes, as the page says it.
    pub(crate) fn device(&self) -> String {
        self.page.text("device")
    }

    /// Names of everyone who can answer: `base` and the adapters.
    pub(crate) fn speakers(&self) -> Vec<String> {
        let options = format!("[...{}.options].map(o => o.value)", element("column-0"));
        serde_json::from_value(self.page.evaluate(&options)).expect("names are texts")
    }

    /// Wait for a message with this in it, above the chat or in place of an answer, take its text,
    /// and put it away where that can be done.
    #[track_caller]
    pub(crate) fn take_error(&self, part: &str) -> String {
        let said = self.page.wait_until(
            &format!("a message with `{part}`"),
            &format!(
                "[...document.querySelectorAll('.message')].map(e => e.innerText)
                 .find(text => text.includes({}))",
                json!(part)
            ),
        );
        self.page.screenshot("message");
        if self.page.evaluate(&count("dismiss")) != 0 {
            self.page.click("dismiss");
        }
        said.as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, state: &str) {
        wait_for_state(&self.page, state);
    }

    /// Send a message and wait for every column's answer.
    pub(crate) fn ask(&self, prompt: &str) {
        self.page.fill("prompt", prompt);
        self.page.click("send");
        self.page
            .wait_until("an answer", &format!("!!{}", element("answer-base")));
        self.wait_for("ready");
    }

    /// Text of the last answer in a column, `base` or an adapter's name.
    pub(crate) fn answer(&self, column: &str) -> String {
        self.page.text(&format!("answer-{column}"))
    }

    pub(crate) fn generate(&self, adapter: Option<&str>, n: usize) -> Vec<u32> {
        generate(&self.page, adapter, n)
    }

    /// How often each path of the server was asked for.
    pub(crate) fn request_counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for request in self.server.requests() {
            *counts.entry(request.path).or_default() += 1;
        }
        counts
    }
}

/// JavaScript for how many elements have this `data-testid`.
pub(crate) fn count(test_id: &str) -> String {
    format!("document.querySelectorAll('[data-testid=\"{test_id}\"]').length")
}

/// Wait for what `status` says to programs: `starting`, `no-model`, `loading`, `ready`, `answering`
/// or `failed`.
#[track_caller]
pub(crate) fn wait_for_state(page: &Page, state: &str) {
    page.wait_until(
        &format!("the state `{state}`"),
        &format!("{}?.dataset.state === {}", element("status"), json!(state)),
    );
}

/// Continue [`IDS`] greedily in the page.
pub(crate) fn generate(page: &Page, adapter: Option<&str>, max_new_tokens: usize) -> Vec<u32> {
    generate_after(page, &IDS, adapter, max_new_tokens)
}

/// Continue a prompt greedily in the page.
pub(crate) fn generate_after(
    page: &Page,
    ids: &[u32],
    adapter: Option<&str>,
    max_new_tokens: usize,
) -> Vec<u32> {
    let request = json!({
        "ids": ids, "maxNewTokens": max_new_tokens, "temperature": 0, "adapter": adapter,
    });
    let answer = page.evaluate(&format!("window.veneer.generate({request})"));
    let ids: Vec<u32> = serde_json::from_value(answer["ids"].clone()).expect("ids are numbers");
    assert!(
        answer["timeToFirstTokenMs"].as_f64() > Some(0.0),
        "{answer}"
    );
    // One token alone has no rate.
    let has_rate = answer["decodeTokensPerSecond"].as_f64() > Some(0.0);
    assert_eq!(has_rate, ids.len() > 1, "{answer}");
    ids
}

/// What the binary prints about an answer.
pub(crate) fn native(
    model: &Path,
    adapter: Option<&Path>,
    prompt: &[&str],
    max_new_tokens: usize,
) -> Value {
    let n = max_new_tokens.to_string();
    let mut words = vec!["generate", "--model", text(model), "--json"];
    words.extend(["--max-new-tokens", &n]);
    if let Some(adapter) = adapter {
        words.extend(["--adapter", text(adapter)]);
    }
    words.extend(prompt);
    serde_json::from_str(&veneer(&words)).expect("--json prints JSON")
}

/// Run the binary, which must end well, and take what it prints.
pub(crate) fn veneer(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_veneer"))
        .args(words)
        .stdin(Stdio::null())
        .env_remove("HF_TOKEN")
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "veneer {words:?}:\n{said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn find_gguf(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).expect("the site is a folder");
    entries.flatten().find_map(|entry| {
        let path = entry.path();
        match path.is_dir() {
            true => find_gguf(&path),
            false => path.extension()?.eq("gguf").then_some(path),
        }
    })
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("the folders of tests are UTF-8")
}
