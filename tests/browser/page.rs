//! A tab of the browser, driven as a person drives it: real clicks, real keys, real files.
//!
//! Invariant: a page that reported an error which its test did not expect fails the test, whatever
//! the page shows. A status text proves nothing.

use std::{
    cell::{Cell, RefCell},
    fs,
    path::{Path, PathBuf},
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    base64,
    chromium::Chromium,
    devtools::{DevTools, What},
    keyboard::Key,
};

/// How long something may take to appear, software adapter and busy machine included.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks at the page.
const PAUSE: Duration = Duration::from_millis(50);

/// One tab.
pub(crate) struct Page {
    devtools: Rc<RefCell<DevTools>>,
    target: String,
    session: String,
    /// Parts of the texts of problems that the test causes on purpose.
    expected: RefCell<Vec<String>>,
    closed: Cell<bool>,
}

impl Page {
    /// A new tab, desktop size, with `url` in it.
    pub(crate) fn open(browser: &Chromium, url: &str) -> Self {
        let page = Self::blank(browser);
        page.go(url);
        page
    }

    /// A new empty tab.
    pub(crate) fn blank(browser: &Chromium) -> Self {
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let target = target["targetId"].as_str().unwrap_or_default().to_owned();
        let attached = browser.call(
            "Target.attachToTarget",
            json!({ "targetId": target, "flatten": true }),
        );
        let page = Self {
            devtools: browser.devtools(),
            target,
            session: attached["sessionId"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            expected: RefCell::default(),
            closed: Cell::new(false),
        };
        for domain in ["Page", "Runtime", "Log", "Network", "DOM", "Inspector"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        page.call(
            "Target.setAutoAttach",
            json!({ "autoAttach": true, "waitForDebuggerOnStart": false, "flatten": true }),
        );
        page.resize(1280, 900);
        page
    }

    pub(crate) fn go(&self, url: &str) {
        let answer = self.call("Page.navigate", json!({ "url": url }));
        assert!(answer["errorText"].is_null(), "{url}: {answer}");
        self.wait_until("the document", "document.readyState === 'complete'");
    }

    pub(crate) fn reload(&self) {
        // A mark that the new document does not have.
        self.evaluate("void (window.beforeReload = true)");
        self.call("Page.reload", json!({}));
        self.wait_until(
            "the new document",
            "!window.beforeReload && document.readyState === 'complete'",
        );
    }

    /// Close the tab, as its cross does.
    pub(crate) fn close(self) {
        self.check();
        self.call("Target.closeTarget", json!({ "targetId": self.target }));
        self.closed.set(true);
    }

    /// Size of the window's inside in CSS pixels.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false }),
        );
    }

    /// What the page is told that its user prefers.
    pub(crate) fn prefer_dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let feature = json!({ "name": "prefers-color-scheme", "value": value });
        self.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": [feature] }),
        );
    }

    /// What a site may store, as on a disk that is nearly full.
    pub(crate) fn set_quota(&self, origin: &str, n_bytes: u64) {
        self.call(
            "Storage.overrideQuotaForOrigin",
            json!({ "origin": origin, "quotaSize": n_bytes }),
        );
    }

    /// What the settings of a browser do where someone clears its data.
    pub(crate) fn clear_storage(&self, origin: &str) {
        self.call(
            "Storage.clearDataForOrigin",
            json!({ "origin": origin, "storageTypes": "all" }),
        );
    }

    /// Every node as a screen reader gets it.
    pub(crate) fn accessibility_tree(&self) -> Vec<Value> {
        let mut answer = self.call("Accessibility.getFullAXTree", json!({}));
        match answer["nodes"].take() {
            Value::Array(nodes) => nodes,
            other => panic!("the tree is {other}"),
        }
    }

    /// Value of a JavaScript expression; a promise is waited for.
    #[track_caller]
    pub(crate) fn evaluate(&self, expression: &str) -> Value {
        match self.try_evaluate(expression) {
            Ok(value) => value,
            Err(text) => panic!("{text}\nin {expression}"),
        }
    }

    /// Like [`Page::evaluate`], with what was thrown as the error.
    pub(crate) fn try_evaluate(&self, expression: &str) -> Result<Value, String> {
        let mut answer = self.devtools.borrow_mut().call(
            Some(&self.session),
            "Runtime.evaluate",
            json!({
                "expression": expression,
                "awaitPromise": true,
                "returnByValue": true,
                "userGesture": true,
            }),
        )?;
        let thrown = &answer["exceptionDetails"];
        if thrown.is_null() {
            return Ok(answer["result"]["value"].take());
        }
        let text = thrown["exception"]["description"].as_str();
        let value = &thrown["exception"]["value"];
        Err(text.map_or_else(|| format!("{} {value}", thrown["text"]), String::from))
    }

    /// Wait until an expression is truthy, and take its value.
    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, expression: &str) -> Value {
        let started = Instant::now();
        let mut last = Err("it was not looked at".to_owned());
        while started.elapsed() < PATIENCE {
            last = self.try_evaluate(expression);
            if let Ok(value) = &last
                && is_truthy(value)
            {
                return last.unwrap_or_default();
            }
            self.check();
            thread::sleep(PAUSE);
        }
        let shot = self.screenshot("waited-in-vain");
        panic!(
            "waited {} s for {what}: {expression} is {last:?}\nscreenshot: {}\nthe page says:\n{}",
            PATIENCE.as_secs(),
            shot.display(),
            self.try_evaluate("document.body.innerText")
                .unwrap_or_default()
                .as_str()
                .unwrap_or_default(),
        );
    }

    /// Click the middle of the element with this `data-testid`.
    #[track_caller]
    pub(crate) fn click(&self, test_id: &str) {
        self.wait_until(
            &format!("`{test_id}` to be enabled"),
            &format!(
                "(e => e && !e.disabled && e.ariaDisabled !== 'true')({})",
                element(test_id)
            ),
        );
        let middle = self.evaluate(&format!(
            "(e => {{ e.scrollIntoView({{ block: 'center', behavior: 'instant' }});
                const r = e.getBoundingClientRect();
                return [r.x + r.width / 2, r.y + r.height / 2]; }})({})",
            element(test_id)
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            self.call(
                "Input.dispatchMouseEvent",
                json!({
                    "type": kind, "x": middle[0], "y": middle[1], "button": "left", "clickCount": 1,
                }),
            );
        }
    }

    /// Text of the element with this `data-testid`; empty when it is not there.
    pub(crate) fn text(&self, test_id: &str) -> String {
        let text = self.evaluate(&format!("{}?.innerText ?? ''", element(test_id)));
        text.as_str().unwrap_or_default().trim().to_owned()
    }

    /// Write into a field as a keyboard would, in place of what is there.
    #[track_caller]
    pub(crate) fn fill(&self, test_id: &str, text: &str) {
        self.wait_until(
            test_id,
            &format!(
                "(e => e && (e.focus(), e.select?.(), true))({})",
                element(test_id)
            ),
        );
        self.type_text(text);
    }

    /// Write into what has the focus.
    pub(crate) fn type_text(&self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    pub(crate) fn press(&self, key: Key) {
        for event in key.events() {
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Choose files in a file input, as its dialog would.
    #[track_caller]
    pub(crate) fn choose_files(&self, test_id: &str, files: &[&Path]) {
        self.wait_until(test_id, &format!("!!{}", element(test_id)));
        let found = self.call(
            "Runtime.evaluate",
            json!({ "expression": element(test_id) }),
        );
        // Chromium does not read through `..`.
        let whole = |file: &&Path| file.canonicalize().expect("the file is there");
        let files: Vec<PathBuf> = files.iter().map(whole).collect();
        self.call(
            "DOM.setFileInputFiles",
            json!({ "objectId": found["result"]["objectId"], "files": files }),
        );
    }

    /// Write what the page looks like to the folder of test outputs, for a person to look at.
    pub(crate) fn screenshot(&self, name: &str) -> PathBuf {
        let answer = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        let path = folder.join(format!("{name}.png"));
        let image = base64::decode(answer["data"].as_str().unwrap_or_default());
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&path, image))
            .expect("the folder of test outputs can be written");
        path
    }

    /// Problems with this in their text belong to what the test does.
    pub(crate) fn expect_problem(&self, part: &str) {
        self.expect_problems(&[part]);
    }

    pub(crate) fn expect_problems(&self, parts: &[&str]) {
        let parts = parts.iter().map(|part| (*part).to_owned());
        self.expected.borrow_mut().extend(parts);
    }

    /// Wait for a problem with this in its text; false when none comes.
    pub(crate) fn wait_for_problem(&self, part: &str) -> bool {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if self.problems().iter().any(|text| text.contains(part)) {
                return true;
            }
            self.evaluate("0");
            thread::sleep(PAUSE);
        }
        false
    }

    /// Fail when the page or a worker of it reported a problem that nobody expects.
    #[track_caller]
    pub(crate) fn check(&self) {
        let problems = self.problems();
        assert!(
            problems.is_empty(),
            "the page reported\n  {}",
            problems.join("\n  ")
        );
    }

    /// Every address that the page and its workers asked for.
    pub(crate) fn requests(&self) -> Vec<String> {
        let devtools = self.devtools.borrow();
        let requests = devtools
            .reports(&self.session)
            .filter_map(|what| match what {
                What::Request(url) => Some(url.clone()),
                What::Problem(_) => None,
            });
        requests.collect()
    }

    fn problems(&self) -> Vec<String> {
        let devtools = self.devtools.borrow();
        let expected = self.expected.borrow();
        let problems = devtools
            .reports(&self.session)
            .filter_map(|what| match what {
                What::Problem(text) if !expected.iter().any(|part| text.contains(part)) => {
                    Some(text.clone())
                }
                _ => None,
            });
        problems.collect()
    }

    #[track_caller]
    fn call(&self, method: &str, parameters: Value) -> Value {
        let mut devtools = self.devtools.borrow_mut();
        match devtools.call(Some(&self.session), method, parameters) {
            Ok(answer) => answer,
            Err(text) => panic!("{text}"),
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if !self.closed.get() && !thread::panicking() {
            // Brings what the page reported last. A page that cannot answer has reported that.
            self.try_evaluate("0").ok();
            self.check();
        }
    }
}

/// JavaScript for the element with this `data-testid`.
pub(crate) fn element(test_id: &str) -> String {
    format!("document.querySelector('[data-testid=\"{test_id}\"]')")
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}
