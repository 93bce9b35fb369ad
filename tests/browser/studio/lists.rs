//! The list and what is said of it: nothing outlives what it was made for.

use super::{Studio, digits, document, wait_for};
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

/// Chooses as a person does: a browser tells of it only where something else was chosen before.
fn choose(page: &Page, test_id: &str, value: &str) {
    wait_for(page, test_id);
    page.evaluate(&format!(
        "(e => {{
            if (e.value === '{value}') return;
            e.value = '{value}';
            e.dispatchEvent(new Event('change', {{ bubbles: true }}));
        }})({})",
        element(test_id)
    ));
}

#[test]
fn records_go_to_the_same_side_one_after_the_other() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("sides");
    studio.import(&[&document("bonds.json")]);
    studio.step("edit");
    wait_for(page, "grid-row");
    for n in 1..=2 {
        page.evaluate(&format!(
            "document.querySelector('[data-row=\"{}\"] [data-box]').click()",
            n - 1
        ));
        choose(page, "grid-bulk-side", "validation");
        page.wait_until(
            &format!("{n} records in validation"),
            &format!("document.querySelectorAll('.grid-side.validation').length === {n}"),
        );
    }
    page.check();
}

/// The record at the cursor, and no other one, is in the editor.
const IS_SHOWN: &str = "((row, text) => row && text && row.innerText.includes(text.slice(0, 40)))(
    document.querySelector('.grid-row.cursor'),
    document.querySelector('[data-testid=editor-text]')?.value)";

#[test]
fn the_editor_shows_no_record_that_is_gone() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("gone");
    let n = digits(&studio.import(&[&document("bonds.json")]));
    studio.step("edit");
    wait_for(page, "grid-row");
    page.wait_until("the first record", IS_SHOWN);

    page.click("editor-new");
    studio.wait_for_records(n + 1);
    page.wait_until(
        "an empty record",
        &format!("{}?.value === ''", element("editor-text")),
    );
    page.click("studio-undo");
    studio.wait_for_records(n);
    page.wait_until("the record in the place of the new one", IS_SHOWN);

    page.click("studio-undo");
    studio.wait_for_records(0);
    wait_for(page, "editor-empty");
    page.click("studio-redo");
    studio.wait_for_records(n);
    page.wait_until("the first record again", IS_SHOWN);
    page.check();
}

#[test]
fn escape_ends_a_drag_and_nothing_else() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("drag");
    studio.import(&[&document("bonds.json")]);
    studio.step("edit");
    wait_for(page, "editor-handle");
    page.evaluate(&format!(
        "{}.dispatchEvent(new PointerEvent('pointerdown', {{ bubbles: true, button: 0 }}))",
        element("editor-handle")
    ));
    page.wait_until("a drag", "!!document.querySelector('.turn-card.dragged')");
    page.press(Key::Escape);
    page.wait_until(
        "the end of the drag",
        "!document.querySelector('.turn-card.dragged')",
    );
    // Where the keyboard would go, it goes with the next frame.
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
    assert_eq!(
        page.evaluate("document.activeElement?.dataset.testid"),
        "editor-handle"
    );
    page.check();
}

#[test]
fn pasted_text_stays_until_it_is_used() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("paste");
    page.click("import-paste");
    page.wait_until(
        "the keyboard in the box",
        "document.activeElement?.dataset.testid === 'import-pasted'",
    );
    page.type_text("a,b\n1,2");
    studio.step("check");
    wait_until_gone(page, "import-pasted");
    studio.step("import");
    wait_for(page, "import-pasted");
    assert_eq!(
        page.evaluate(&format!("{}.value", element("import-pasted"))),
        "a,b\n1,2"
    );
    page.check();
}
