//! Without a GPU, and when it goes away.

use crate::{
    app::{ADAPTER, App, IDS, QUESTION, count, fixture},
    chromium::WebGpu,
};

#[test]
fn without_webgpu_the_processor_answers_and_says_so() {
    let Some(fixture) = fixture() else { return };
    let app = App::open(fixture, WebGpu::None);
    app.page.screenshot("no-webgpu-empty");
    app.load_demo();
    assert!(!app.device().contains("WebGPU"), "{}", app.device());
    let said = app.page.text("slow");
    assert!(said.contains("slower"), "`{said}`");
    app.ask(QUESTION);
    app.page.screenshot("no-webgpu");
    assert_eq!(app.answer("base"), fixture.native_text(QUESTION, false));
    assert_eq!(app.generate(None, 24), fixture.native_ids(&IDS, false, 24));
    assert_eq!(
        app.generate(Some(ADAPTER), 24),
        fixture.native_ids(&IDS, true, 24)
    );
}

#[test]
fn a_lost_device_keeps_the_chat_and_one_click_reloads() {
    let Some(fixture) = fixture() else { return };
    let app = App::with_demo(fixture);
    assert!(app.device().contains("WebGPU"), "{}", app.device());
    app.ask(QUESTION);
    let said = app.answer("base");
    app.page
        .expect_problems(&["lost", "Lost", "GPU process", "crash"]);
    app.browser.crash_gpu_process();
    app.wait_for("failed");
    app.page.screenshot("lost");
    assert_eq!(app.answer("base"), said);
    app.page.click("reload");
    app.page.wait_until("the adapter", &count("adapter"));
    app.wait_for("ready");
    assert_eq!(app.answer("base"), said);
    assert!(app.device().contains("WebGPU"), "{}", app.device());
    assert_eq!(
        app.generate(Some(ADAPTER), 16),
        fixture.native_ids(&IDS, true, 16)
    );
}
