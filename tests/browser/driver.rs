//! The driver itself, on a page of a few lines: what it claims to see and do, it sees and does.

use std::fs;

use crate::{
    app::is_browser_there,
    chromium::{Chromium, WebGpu},
    keyboard::Key,
    page::Page,
    server::{Request, Server},
};

const HTML: &str = r#"<!doctype html><meta charset="utf-8"><title>probe</title><link rel="icon" href="data:,">
<button data-testid="count" onclick="this.innerText = +this.innerText + 1">0</button>
<input data-testid="words" value="old"><input type="file" data-testid="file" multiple>
<script type="module">
window.adapter = navigator.gpu?.requestAdapter().then(a => a && a.info.architecture) ?? null;
window.readFile = async () => (await document.querySelector('[type=file]').files[0].text());
window.work = (code) => new Worker(URL.createObjectURL(new Blob([code])));
</script>"#;

fn probe() -> Option<(Chromium, Server, tempfile::TempDir)> {
    if !is_browser_there() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("index.html"), HTML).unwrap();
    let server = Server::start(folder.path());
    Some((Chromium::start(WebGpu::Software), server, folder))
}

#[test]
fn clicks_types_and_chooses_files() {
    let Some((browser, server, folder)) = probe() else {
        return;
    };
    let page = Page::open(&browser, &server.url("/"));
    page.click("count");
    page.click("count");
    assert_eq!(page.text("count"), "2");
    page.evaluate("document.querySelector('button').focus()");
    page.press(Key::Enter);
    assert_eq!(page.text("count"), "3");
    page.fill("words", "new ñ");
    assert_eq!(
        page.evaluate("document.querySelector('input').value"),
        "new ñ"
    );
    page.press(Key::ShiftTab);
    assert_eq!(
        page.evaluate("document.activeElement.dataset.testid"),
        "count"
    );

    let file = folder.path().join("a.txt");
    fs::write(&file, "in the file").unwrap();
    page.choose_files("file", &[&file]);
    assert_eq!(page.evaluate("window.readFile()"), "in the file");
    page.resize(390, 800);
    page.prefer_dark(true);
    assert_eq!(page.evaluate("innerWidth"), 390);
    let dark = "matchMedia('(prefers-color-scheme: dark)').matches";
    assert_eq!(page.evaluate(dark), true);
    let shot = fs::read(page.screenshot("driver")).unwrap();
    assert!(shot.starts_with(b"\x89PNG"), "{} bytes", shot.len());
    assert_eq!(page.requests(), [server.url("/")]);
}

#[test]
fn webgpu_is_there_or_not_as_asked() {
    let Some((browser, server, _folder)) = probe() else {
        return;
    };
    let page = Page::open(&browser, &server.url("/"));
    assert_eq!(page.evaluate("window.adapter"), "swiftshader");
    drop((page, browser));
    let browser = Chromium::start(WebGpu::None);
    let page = Page::open(&browser, &server.url("/"));
    page.expect_problem("No available adapters");
    assert!(page.evaluate("window.adapter").is_null());
}

#[test]
fn problems_of_the_page_and_of_its_workers_are_seen() {
    let Some((browser, server, _folder)) = probe() else {
        return;
    };
    for (what, code, expected) in [
        (
            "an exception",
            "setTimeout(() => { throw Error('one') })",
            "one",
        ),
        ("a rejection", "void Promise.reject(Error('two'))", "two"),
        ("console.error", "console.error('three', 3)", "three 3"),
        ("a panic", "console.log('thread panicked at')", "panicked"),
        ("a worker", "void work(`throw Error('four')`)", "four"),
        (
            "a worker's console",
            "void work(`console.error('five')`)",
            "five",
        ),
    ] {
        let page = Page::open(&browser, &server.url("/"));
        page.evaluate(code);
        let seen = page.wait_for_problem(expected);
        assert!(seen, "{what} was not seen");
        page.expect_problem(expected);
    }
}

#[test]
fn downloads_break_off_and_go_on() {
    let Some((browser, server, _folder)) = probe() else {
        return;
    };
    let bytes: Vec<u8> = (0..100_000_u32).map(|at| (at % 251) as u8).collect();
    server.add("/big.bin", bytes);
    server.cut("/big.bin", 30_000);
    let page = Page::open(&browser, &server.url("/"));
    page.expect_problem("ERR_CONTENT_LENGTH_MISMATCH");
    let fetched = |range: &str| {
        page.evaluate(&format!(
            "fetch('/big.bin', {{ headers: {range} }}).then(r => r.arrayBuffer())
             .then(b => b.byteLength).catch(() => 'cut')"
        ))
    };
    assert_eq!(fetched("{}"), "cut");
    assert_eq!(fetched("{ Range: 'bytes=30000-' }"), 70_000);
    let asked: Vec<Request> = server.requests().split_off(1);
    assert_eq!(
        asked.iter().map(|r| r.from).collect::<Vec<_>>(),
        [None, Some(30_000)]
    );
    assert!(page.evaluate("crossOriginIsolated") == true);
    server.set_down(true);
    page.expect_problem("net::ERR_");
    assert_eq!(fetched("{}"), "cut");
}

#[test]
fn a_crash_of_the_gpu_process_loses_the_device() {
    let Some((browser, server, _folder)) = probe() else {
        return;
    };
    let page = Page::open(&browser, &server.url("/"));
    page.evaluate(
        "navigator.gpu.requestAdapter().then(a => a.requestDevice())
         .then(d => { window.lost = 'no'; d.lost.then(l => window.lost = l.reason); })",
    );
    browser.crash_gpu_process();
    page.wait_until("the loss", "window.lost !== 'no'");
}
