//! A headless Chromium with a profile of its own, which ends with the test.

use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::devtools::DevTools;

const START_LIMIT: Duration = Duration::from_secs(60);
const END_LIMIT: Duration = Duration::from_secs(5);

/// Where Debian and others put it.
const PROGRAMS: [&str; 4] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome-stable",
    "/snap/bin/chromium",
];

/// Nothing of its own goes over the network, and no sandbox so that root may run it.
const ALWAYS: [&str; 14] = [
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--remote-debugging-port=0",
];

/// Which adapters pages are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WebGpu {
    /// SwiftShader, Chromium's Vulkan on the processor, also where there is a GPU.
    Software,
    /// `requestAdapter` finds nothing, as on a machine without a usable GPU.
    None,
}

/// A running browser.
pub(crate) struct Chromium {
    process: Child,
    devtools: Rc<RefCell<DevTools>>,
    /// Removed at the end, with everything that pages stored.
    _profile: TempDir,
}

impl Chromium {
    pub(crate) fn start(webgpu: WebGpu) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(program());
        command.args(ALWAYS).arg(format!(
            "--user-data-dir={}",
            profile.path().to_string_lossy()
        ));
        if webgpu == WebGpu::Software {
            command.args(["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]);
        }
        let log = fs::File::create(profile.path().join("stderr.txt")).expect("a writable folder");
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("Chromium starts");
        let (port, path) = match listening(&mut process, profile.path()) {
            Ok(found) => found,
            Err(text) => {
                end(&mut process);
                panic!("{text}");
            }
        };
        let devtools = Rc::new(RefCell::new(DevTools::connect(port, &path)));
        Self {
            process,
            devtools,
            _profile: profile,
        }
    }

    pub(crate) fn devtools(&self) -> Rc<RefCell<DevTools>> {
        Rc::clone(&self.devtools)
    }

    /// Give the browser itself a command.
    pub(crate) fn call(&self, method: &str, parameters: Value) -> Value {
        let answer = self.devtools.borrow_mut().call(None, method, parameters);
        answer.unwrap_or_else(|text| panic!("{text}"))
    }

    /// What a driver reset does to pages: every GPU device is lost.
    pub(crate) fn crash_gpu_process(&self) {
        // The answer would come from the process that ends.
        let mut devtools = self.devtools.borrow_mut();
        devtools
            .tell("Browser.crashGpuProcess")
            .expect("Chromium listens");
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // A browser that was asked to leave removes its locks; one that cannot hear is ended.
        if let Ok(mut devtools) = self.devtools.try_borrow_mut()
            && devtools.call(None, "Browser.close", json!({})).is_ok()
        {
            let started = Instant::now();
            while started.elapsed() < END_LIMIT {
                if matches!(self.process.try_wait(), Ok(Some(_))) {
                    return;
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
        end(&mut self.process);
    }
}

/// The browser's program, if it is installed: `VENEER_CHROMIUM` or one of the usual places.
pub(crate) fn installed() -> Option<PathBuf> {
    let named = std::env::var_os("VENEER_CHROMIUM").map(PathBuf::from);
    named.or_else(|| {
        let mut usual = PROGRAMS.iter().map(PathBuf::from);
        usual.find(|path| path.exists())
    })
}

fn program() -> PathBuf {
    installed().expect("`cargo xtask test` installs Chromium, or VENEER_CHROMIUM names it")
}

/// Port and path of the debugging socket, which Chromium writes into its profile.
fn listening(process: &mut Child, profile: &Path) -> Result<(u16, String), String> {
    let started = Instant::now();
    while started.elapsed() < START_LIMIT {
        let said = fs::read_to_string(profile.join("DevToolsActivePort")).unwrap_or_default();
        if let Some((port, path)) = said.split_once('\n')
            && let Ok(port) = port.parse()
            && !path.is_empty()
        {
            return Ok((port, path.trim().to_owned()));
        }
        if let Ok(Some(status)) = process.try_wait() {
            let log = fs::read_to_string(profile.join("stderr.txt")).unwrap_or_default();
            return Err(format!("Chromium ended with {status}:\n{log}"));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Err(format!(
        "Chromium did not listen within {} s",
        START_LIMIT.as_secs()
    ))
}

fn end(process: &mut Child) {
    // Both fail only when it has ended already.
    process.kill().ok();
    process.wait().ok();
}
