//! The list and what is said of it: nothing outlives what it was made for.

use super::{Studio, document, wait_for};
use crate::{
    app::fixture,
    keyboard::Key,
    page::{Page, element},
};

fn wait_until_gone(page: &Page, test_id: &str) {
    page.wait_until(
        &format!("no `{test_id}`"),
        &format!("!{}", element(test_id)),
    );
}

#[test]
fn what_was_made_for_a_filter_goes_with_it() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("filters");
    studio.import(&[&document("bonds.json")]);
    studio.step("edit");
    wait_for(page, "grid-row");
    page.fill("grid-search", "a");
    wait_for(page, "grid-chip");
    page.click("grid-replace");
    page.fill("grid-replace-with", "b");
    page.click("grid-replace-preview");
    wait_for(page, "grid-replace-apply");
    page.fill("grid-search", "e");
    wait_until_gone(page, "grid-replace-apply");

    page.click("grid-chip");
    wait_until_gone(page, "grid-chip");
    wait_until_gone(page, "grid-busy");
    page.fill("grid-search", "a");
    wait_for(page, "grid-clear-filters");
    page.click("grid-clear-filters");
    wait_until_gone(page, "grid-chip");
    wait_until_gone(page, "grid-busy");
    page.check();
}

#[test]
fn a_toast_takes_back_what_it_names() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("toasts");
    studio.import(&[&document("bonds.json")]);
    studio.step("edit");
    wait_for(page, "grid-row");
    page.click("grid-row");
    wait_for(page, "editor-text");
    page.press(Key::Sign('t'));
    page.wait_until(
        "a field for the tag",
        "document.activeElement?.tagName === 'INPUT'",
    );
    page.type_text("x");
    page.press(Key::Enter);
    wait_for(page, "studio-toast-undo");
    // Undo would take this back from now on.
    page.fill("editor-text", "保険");
    page.wait_until(
        "the edit in the list",
        &format!("{}?.innerText.includes('保険')", element("grid-row")),
    );
    assert_eq!(
        page.evaluate(&format!("!{}", element("studio-toast-undo"))),
        true,
        "a toast of an earlier action is still there"
    );
    page.check();
}
