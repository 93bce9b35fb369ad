//! Models stay in the browser: reloads, cut downloads, two tabs, full disks.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    app::{App, IDS, count, fixture, generate, wait_for_state},
    chromium::WebGpu,
    page::{Page, element},
    server::Server,
};

const MODEL: &str = "/models/small.gguf";

/// How Chromium calls what the test server does to a download.
const CUT: &str = "net::ERR_";

#[test]
fn a_stored_model_loads_without_the_network() {
    let Some(fixture) = fixture() else { return };
    let app = App::with_demo(fixture);
    let before = app.generate(None, 24);
    app.page.reload();
    app.wait_for("no-model");
    app.server.set_down(true);
    let asked = app.request_counts();
    open_stored(&app.page);
    app.wait_for("ready");
    assert_eq!(app.generate(None, 24), before);
    assert_eq!(app.request_counts(), asked);
    app.page.screenshot("stored");
}

#[test]
fn a_cut_download_goes_on_where_it_stopped() {
    let Some(fixture) = fixture() else { return };
    let app = App::open(fixture, WebGpu::Software);
    let bytes = fixture.gguf_bytes();
    let half = bytes.len() / 2;
    app.server.add(MODEL, bytes);
    app.server.cut(MODEL, half);
    app.page.expect_problem(CUT);
    fetch(&app.page, &app.server, "");
    // The page may go on by itself, or say what happened and go on when it is asked again.
    let state = settled(&app.page);
    app.page.screenshot("cut");
    if state != "ready" {
        assert_ne!(app.page.text("error"), "");
        fetch(&app.page, &app.server, "");
        app.wait_for("ready");
    }
    let asked: Vec<_> = of_model(&app.server);
    assert!(asked.iter().any(|from| *from > Some(0)), "{asked:?}");
    assert_eq!(app.generate(None, 24), fixture.native_ids(&IDS, false, 24));
}

#[test]
fn a_tab_closed_while_it_downloads_leaves_what_it_has() {
    let Some(fixture) = fixture() else { return };
    let app = App::open(fixture, WebGpu::Software);
    app.server.add(MODEL, fixture.gguf_bytes());
    app.server.set_slow(MODEL, true);
    let first = Page::open(&app.browser, &app.server.url("/"));
    first.expect_problem(CUT);
    wait_for_state(&first, "no-model");
    fetch(&first, &app.server, "");
    wait_for_part(&first);
    first.close();
    app.server.set_slow(MODEL, false);
    fetch(&app.page, &app.server, "");
    app.wait_for("ready");
    let asked = of_model(&app.server);
    assert!(asked.last() > Some(&Some(0)), "{asked:?}");
    assert_eq!(app.generate(None, 24), fixture.native_ids(&IDS, false, 24));
}

#[test]
fn bytes_that_are_not_what_was_promised_are_refused() {
    let Some(fixture) = fixture() else { return };
    let app = App::open(fixture, WebGpu::Software);
    app.server.add(MODEL, fixture.gguf_bytes());
    fetch(
        &app.page,
        &app.server,
        &format!("#sha256={}", "0".repeat(64)),
    );
    assert_eq!(settled(&app.page), "no-model");
    assert_ne!(app.page.text("error"), "");
    app.page.screenshot("wrong-hash");
    fetch(&app.page, &app.server, "");
    app.wait_for("ready");
}

#[test]
fn two_tabs_share_the_store() {
    let Some(fixture) = fixture() else { return };
    let app = App::open(fixture, WebGpu::Software);
    let second = Page::open(&app.browser, &app.server.url("/"));
    wait_for_state(&second, "no-model");
    app.page.click("demo");
    second.click("demo");
    for page in [&app.page, &second] {
        // One of them may be told that the other writes; it then loads what the other stored.
        if settled(page) != "ready" {
            assert_ne!(page.text("error"), "");
            page.click("demo");
            wait_for_state(page, "ready");
        }
    }
    let expected = fixture.native_ids(&IDS, false, 16);
    assert_eq!(generate(&second, None, 16), expected);
    assert_eq!(app.generate(None, 16), expected);
}

#[test]
fn what_is_deleted_is_gone_and_the_loaded_model_still_answers() {
    let Some(fixture) = fixture() else { return };
    let app = App::with_demo(fixture);
    show_storage(&app.page);
    let stored = count("stored");
    // The model and its adapter.
    app.page
        .wait_until("both entries", &format!("{stored} === 2"));
    let mut left = Some(2);
    while left > Some(0) {
        app.page.click("stored-delete");
        let fewer = format!("{stored} < {}", json!(left));
        app.page.wait_until("a shorter list", &fewer);
        left = app.page.evaluate(&stored).as_u64();
    }
    assert_eq!(app.generate(None, 8), fixture.native_ids(&IDS, false, 8));
}

#[test]
fn a_full_disk_is_said_and_the_model_works_from_memory() {
    let Some(fixture) = fixture() else { return };
    let app = App::open(fixture, WebGpu::Software);
    let origin = app.server.url("");
    app.page.set_quota(&origin, 100_000);
    app.load_demo();
    assert_eq!(app.generate(None, 8), fixture.native_ids(&IDS, false, 8));
    app.page.screenshot("full-disk");
    assert_ne!(app.page.text("error"), "");
}

/// Open the list of what is stored.
fn show_storage(page: &Page) {
    page.evaluate(&format!("void ({}.open = true)", element("storage")));
}

/// Load the first model of the list.
fn open_stored(page: &Page) {
    show_storage(page);
    let model = "[...document.querySelectorAll('[data-testid=stored]')]
        .find(entry => entry.innerText.includes('demo'))";
    page.wait_until("a stored model", &format!("!!{model}"));
    page.evaluate(&format!(
        "{model}.querySelector('[data-testid=stored-open]').click()"
    ));
}

fn fetch(page: &Page, server: &Server, hash: &str) {
    page.fill("address", &format!("{}{hash}", server.url(MODEL)));
    page.click("open-address");
}

/// Wait for the end of loading, and say how it ended.
fn settled(page: &Page) -> String {
    let state = page.wait_until(
        "the end of loading",
        &format!(
            "(s => s === 'ready' || {}?.innerText.trim() ? s : '')({}.dataset.state)",
            element("error"),
            element("status")
        ),
    );
    state.as_str().unwrap_or_default().to_owned()
}

/// First bytes that were asked for, in order.
fn of_model(server: &Server) -> Vec<Option<usize>> {
    let requests = server.requests().into_iter();
    let asked = requests.filter(|request| request.path == MODEL);
    asked.map(|request| request.from).collect()
}

/// Wait until some of a download is stored.
fn wait_for_part(page: &Page) {
    wait_for_state(page, "loading");
    let started = Instant::now();
    let usage = "navigator.storage.estimate().then(e => e.usage)";
    while page.evaluate(usage).as_u64() < Some(200_000) {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "nothing is stored"
        );
    }
}
