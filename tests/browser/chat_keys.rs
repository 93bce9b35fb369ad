//! The chat by keyboard: where the focus goes when what had it is gone, and what is not sent.

use crate::{
    app::{App, QUESTION, count, fixture},
    chromium::WebGpu,
    keyboard::Key,
    page::{Page, element},
};

/// Press Enter on what a selector finds.
fn enter(page: &Page, selector: &str) {
    let focused = format!(
        "(e => e && (e.focus(), document.activeElement === e))(document.querySelector('{selector}'))"
    );
    page.wait_until(selector, &focused);
    page.press(Key::Enter);
}

#[track_caller]
fn wait_for_focus(page: &Page, test_id: &str) {
    page.wait_until(
        &format!("the focus on `{test_id}`"),
        &format!("document.activeElement?.dataset.testid === '{test_id}'"),
    );
}

#[test]
fn the_focus_goes_on_where_something_is_gone() {
    let Some(fixture) = fixture() else { return };
    let app = App::open(fixture, WebGpu::Software);
    let page = &app.page;
    enter(page, "[data-testid=demo]");
    page.wait_until("the adapter", &count("adapter"));
    app.wait_for("ready");
    wait_for_focus(page, "prompt");
    app.ask(QUESTION);

    enter(page, "[data-testid=edit]");
    wait_for_focus(page, "draft");
    page.type_text("more");
    let draft = page.evaluate(&format!("{}.value", element("draft")));
    assert!(draft.as_str().is_some_and(|draft| draft.contains("more")));
    page.press(Key::Escape);
    wait_for_focus(page, "edit");
    assert_eq!(page.evaluate(&count("draft")), 0);
    page.press(Key::Enter);
    wait_for_focus(page, "draft");
    enter(page, "[data-testid=discard]");
    wait_for_focus(page, "edit");

    enter(page, "[data-testid=regenerate]");
    app.wait_for("ready");
    wait_for_focus(page, "regenerate");

    let [config, _] = fixture.adapter_files();
    page.choose_files("adapter-file", &[&config]);
    enter(page, "[data-testid=dismiss]");
    wait_for_focus(page, "prompt");

    enter(page, ".column-choice button");
    wait_for_focus(page, "column-0");
    enter(page, "[data-testid=add-column]");
    wait_for_focus(page, "column-1");
    enter(page, "[data-testid=adapter] button");
    wait_for_focus(page, "adapter-file");
    enter(page, "[data-testid=close-model]");
    wait_for_focus(page, "demo");
}

#[test]
fn a_setting_that_cannot_be_is_shown_before_anything_is_sent() {
    let Some(fixture) = fixture() else { return };
    let app = App::with_demo(fixture);
    let page = &app.page;
    let open = |is_open: bool| {
        page.evaluate(&format!("void ({}.open = {is_open})", element("settings")));
    };
    open(true);
    page.fill("temperature", "1.5");
    page.fill("temperature", "20");
    open(false);
    page.fill("prompt", QUESTION);
    page.click("send");
    wait_for_focus(page, "temperature");
    assert_eq!(page.evaluate(&count("answer-base")), 0);
    let kept = page.evaluate(&format!("{}.value", element("prompt")));
    assert_eq!(kept, QUESTION);
    page.fill("temperature", "0");
    app.ask(QUESTION);
    assert_eq!(app.answer("base"), fixture.native_text(QUESTION, false));
}

#[test]
fn settings_are_kept_and_a_conversation_is_not_left_by_accident() {
    let Some(fixture) = fixture() else { return };
    let app = App::open(fixture, WebGpu::Software);
    let page = &app.page;
    page.evaluate(&format!("void ({}.open = true)", element("settings")));
    page.fill("top-k", "7");
    page.reload();
    app.wait_for("no-model");
    let kept = page.evaluate(&format!("{}.value", element("top-k")));
    assert_eq!(kept, "7");

    app.load_demo();
    let asks = "(e => (dispatchEvent(e), e.defaultPrevented))
                (new Event('beforeunload', { cancelable: true }))";
    assert_eq!(page.evaluate(asks), false);
    app.ask(QUESTION);
    assert_eq!(page.evaluate(asks), true);
    page.click("new-chat");
    page.wait_until("no turn", &format!("{} === 0", count("answer-base")));
    assert_eq!(page.evaluate(asks), false);
}
