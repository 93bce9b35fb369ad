//! What the page answers is what the binary answers.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::{
    app::{ADAPTER, App, IDS, QUESTION, count, fixture, generate_after},
    chromium::WebGpu,
    page::element,
    patched,
};

/// A token on a software adapter, and what the machine does beside it.
const STOP_LIMIT: Duration = Duration::from_secs(5);

#[test]
fn the_demo_answers_with_base_and_adapter_side_by_side() {
    let Some(fixture) = fixture() else { return };
    let app = App::with_demo(fixture);
    app.ask(QUESTION);
    app.page.screenshot("answers");
    assert_eq!(app.answer("base"), fixture.native_text(QUESTION, false));
    assert_eq!(app.answer(ADAPTER), fixture.native_text(QUESTION, true));
    assert_ne!(app.answer("base"), app.answer(ADAPTER));
    let speed = app.page.text("tokens-per-second");
    assert!(speed.contains(|c: char| c.is_ascii_digit()), "`{speed}`");
    assert_eq!(app.page.text("error"), "");

    let own = app.server.url("/");
    for url in app.page.requests() {
        let inside = ["data:", "blob:", own.as_str()];
        assert!(
            inside.iter().any(|start| url.starts_with(start)),
            "{url} is not the page's own"
        );
    }
}

#[test]
fn ids_are_those_of_the_binary() {
    let Some(fixture) = fixture() else { return };
    let app = App::with_demo(fixture);
    for (adapter, n) in [(None, 40), (Some(ADAPTER), 40), (None, 1)] {
        let expected = fixture.native_ids(&IDS, adapter.is_some(), n);
        assert_eq!(
            app.generate(adapter, n),
            expected,
            "{adapter:?}, {n} tokens"
        );
    }
}

/// Prompts that fill several tiles of the kernels that read them.
#[test]
fn long_prompts_are_read_as_the_binary_reads_them() {
    let Some(fixture) = fixture() else { return };
    let app = App::with_demo(fixture);
    let text = fixture.native_ids(&IDS, false, 100);
    for n_prompt in [33, 40, 47, 100] {
        let prompt = &text[..n_prompt];
        let expected = fixture.native_ids(prompt, false, 16);
        // Another beginning, so that nothing of the prompt before is reused.
        generate_after(&app.page, &[5, 6, 7], None, 1);
        let answer = generate_after(&app.page, prompt, None, 16);
        assert_eq!(answer, expected, "after {n_prompt} tokens");
    }
}

#[test]
fn adapters_are_switched_without_loading_the_base_again() {
    let Some(fixture) = fixture() else { return };
    let app = App::with_demo(fixture);
    let base = app.generate(None, 24);
    let asked = app.request_counts();
    let tuned = app.generate(Some(ADAPTER), 24);
    assert_ne!(base, tuned);
    assert_eq!(app.generate(None, 24), base);
    assert_eq!(app.generate(Some(ADAPTER), 24), tuned);
    assert_eq!(app.request_counts(), asked);
}

#[test]
fn own_files_answer_as_the_demo_does() {
    let Some(fixture) = fixture() else { return };
    let app = App::open(fixture, WebGpu::Software);
    app.page.choose_files("model-file", &[&fixture.gguf]);
    app.wait_for("ready");
    let [config, weights] = fixture.adapter_files();
    app.page.choose_files("adapter-file", &[&config, &weights]);
    app.page.wait_until("the adapter", &count("adapter"));
    app.wait_for("ready");
    // Two files without their folder are named by the page.
    let speakers = app.speakers();
    assert_eq!(speakers.len(), 2, "{speakers:?}");
    assert_eq!(
        app.generate(Some(&speakers[1]), 24),
        fixture.native_ids(&IDS, true, 24)
    );
    assert_eq!(app.generate(None, 24), fixture.native_ids(&IDS, false, 24));
}

#[test]
fn stop_ends_an_answer_and_keeps_what_was_said() {
    let Some(fixture) = fixture() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("endless.gguf");
    fs::write(&path, patched::endless(fixture.gguf_bytes())).unwrap();
    let app = App::open(fixture, WebGpu::Software);
    app.page.choose_files("model-file", &[&path]);
    app.wait_for("ready");
    app.page.fill("prompt", QUESTION);
    app.page.click("send");
    let said = format!("{}?.innerText.trim().length", element("answer-base"));
    app.page
        .wait_until("the first words", &format!("{said} > 4"));
    app.wait_for("answering");
    let asked_at = Instant::now();
    app.page.click("stop");
    app.wait_for("ready");
    let waited = asked_at.elapsed();
    assert!(waited < STOP_LIMIT, "it took {waited:?}");
    let kept = app.page.evaluate(&said);
    app.page.screenshot("stopped");
    let one_moment_later = "new Promise(go => setTimeout(go, 300))";
    app.page.evaluate(one_moment_later);
    assert_eq!(app.page.evaluate(&said), kept);
}
