//! Small and large windows, light and dark, keyboard only, labels, languages.

use serde_json::Value;

use crate::{
    app::{App, QUESTION, fixture, wait_for_state},
    chromium::WebGpu,
    keyboard::Key,
    page::{Page, element},
};

/// More Tab presses than the page has controls.
const MANY: usize = 80;

#[test]
fn nothing_is_wider_than_a_narrow_phone() {
    let Some(fixture) = fixture() else { return };
    let app = App::open(fixture, WebGpu::Software);
    app.page.resize(390, 844);
    check_width(&app.page, "empty");
    app.load_demo();
    check_width(&app.page, "loaded");
    app.ask(QUESTION);
    check_width(&app.page, "answered");
    app.page.prefer_dark(true);
    app.page.screenshot("phone-dark");
    for width in [768, 1920] {
        app.page.resize(width, 1000);
        check_width(&app.page, &width.to_string());
    }
}

pub(crate) fn check_width(page: &Page, when: &str) {
    page.screenshot(&format!("width-{when}"));
    let room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]");
    assert!(room[0].as_u64() <= room[1].as_u64(), "{when}: {room}");
}

#[test]
fn colours_follow_what_the_user_prefers() {
    let Some(fixture) = fixture() else { return };
    let app = App::open(fixture, WebGpu::Software);
    let lightness = |dark| {
        app.page.prefer_dark(dark);
        app.page.screenshot(if dark { "dark" } else { "light" });
        let colour =
            "getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number)";
        let channels: Vec<f64> = serde_json::from_value(app.page.evaluate(colour)).unwrap();
        channels[..3].iter().sum::<f64>() / (3.0 * 255.0)
    };
    assert!(lightness(false) > 0.8);
    assert!(lightness(true) < 0.3);
}

#[test]
fn a_keyboard_is_enough() {
    let Some(fixture) = fixture() else { return };
    let app = App::open(fixture, WebGpu::Software);
    focus_by_tab(&app.page, "demo");
    app.page.press(Key::Enter);
    app.wait_for("ready");
    let in_prompt = format!("document.activeElement === {}", element("prompt"));
    app.page.wait_until("the focus in the prompt", &in_prompt);
    app.page.type_text(QUESTION);
    app.page.press(Key::Enter);
    app.page
        .wait_until("an answer", &format!("!!{}", element("answer-base")));
    app.wait_for("ready");
    app.page.screenshot("keyboard");
    assert_eq!(app.answer("base"), fixture.native_text(QUESTION, false));
}

/// Press Tab until a control has the focus, which must be seen on the way.
fn focus_by_tab(page: &Page, test_id: &str) {
    let is_there = format!("document.activeElement === {}", element(test_id));
    for _ in 0..MANY {
        page.press(Key::Tab);
        let seen = page.evaluate(
            "(e => e === document.body || e.matches(':focus-visible')
              && (s => s.outlineStyle !== 'none' || s.boxShadow !== 'none')(getComputedStyle(e))
              || e.dataset.testid || e.outerHTML.slice(0, 80))(document.activeElement)",
        );
        assert_eq!(seen, true, "the focus is not seen on {seen}");
        if page.evaluate(&is_there) == true {
            return;
        }
    }
    panic!("`{test_id}` is not reached by Tab");
}

#[test]
fn every_control_has_a_name_for_screen_readers() {
    let Some(fixture) = fixture() else { return };
    let app = App::with_demo(fixture);
    app.ask(QUESTION);
    let nodes = app.page.accessibility_tree();
    let controls = [
        "button",
        "checkbox",
        "combobox",
        "link",
        "slider",
        "spinbutton",
        "textbox",
    ];
    let role = |node: &Value| {
        node["role"]["value"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let found: Vec<&Value> = nodes
        .iter()
        .filter(|node| node["ignored"] == false && controls.contains(&role(node).as_str()))
        .collect();
    assert!(found.len() > 5, "only {} controls", found.len());
    for node in found {
        let name = node["name"]["value"].as_str().unwrap_or_default();
        assert!(
            !name.trim().is_empty(),
            "a {} has no name: {node}",
            role(node)
        );
    }
}

pub(crate) fn choose_language(page: &Page, language: &str) {
    page.evaluate(&format!(
        "(e => {{ e.value = '{language}';
            e.dispatchEvent(new Event('change', {{ bubbles: true }})); }})({})",
        element("language")
    ));
    let expected = format!("document.documentElement.lang === '{language}'");
    page.wait_until(language, &expected);
}

#[test]
fn why_the_processor_answers_is_said_in_the_language() {
    let Some(fixture) = fixture() else { return };
    let app = App::open(fixture, WebGpu::None);
    assert!(app.page.text("slow").contains("browser"));
    for language in ["es", "ja"] {
        choose_language(&app.page, language);
        let said = app.page.text("slow");
        assert!(!said.is_empty() && !said.contains("browser"), "{said}");
    }
}

#[test]
fn texts_come_in_three_languages() {
    let Some(fixture) = fixture() else { return };
    let app = App::open(fixture, WebGpu::Software);
    let mut said = Vec::new();
    for language in ["en", "es", "ja"] {
        choose_language(&app.page, language);
        wait_for_state(&app.page, "no-model");
        app.page.screenshot(&format!("language-{language}"));
        said.push(app.page.text("status"));
    }
    said.sort();
    said.dedup();
    assert_eq!(said.len(), 3, "{said:?}");
}
