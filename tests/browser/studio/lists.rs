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

/// Clicks the first box as soon as there is a row, before its record can have come.
const CLICK_EARLY: &str = "new MutationObserver((_, seen) => {
    const waiting = document.querySelector('.grid-row .grid-waiting');
    if (!waiting) return;
    seen.disconnect();
    waiting.parentElement.querySelector('[data-box]').click();
    window.clickedEarly = true;
}).observe(document.body, { childList: true, subtree: true })";

#[test]
fn a_click_on_a_row_that_waits_for_its_record_counts() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("early");
    studio.import(&[&document("bonds.json")]);
    page.evaluate(CLICK_EARLY);
    studio.step("edit");
    page.wait_until("the click", "window.clickedEarly");
    wait_for(page, "grid-bulk-side");
    page.wait_until(
        "the first record, selected",
        "document.querySelector('[data-row=\"0\"]')?.ariaSelected === 'true'",
    );
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

/// The first match is edited and left out of the list, so that the second comes to its place.
#[test]
fn the_next_record_is_the_one_behind_what_left_the_list() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("next");
    studio.import(&[&document("bonds.json")]);
    studio.step("edit");
    wait_for(page, "grid-row");
    page.fill("grid-search", "What");
    let count = |n: u64| {
        format!(
            "({}?.innerText ?? '').startsWith('{n} ')",
            element("grid-count")
        )
    };
    page.wait_until("three matches", &count(3));
    page.wait_until("the first record", IS_SHOWN);
    page.fill("editor-text", "保険");
    page.wait_until(
        "the edit, stored",
        &format!("{}?.dataset.state === 'saved'", element("editor-saved")),
    );
    // Makes the list again, now without what was edited.
    page.click("grid-select-all");
    page.wait_until("two matches", &count(2));
    page.click("editor-next");
    page.wait_until("the record at the cursor", IS_SHOWN);
    assert_eq!(
        page.evaluate("document.querySelector('.grid-row.cursor').dataset.row"),
        "0",
        "the first of the list is left out"
    );
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

/// What the search before found is neither shown nor changed under a pattern that is none.
#[test]
fn a_search_that_cannot_be_understood_lists_nothing() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("pattern");
    studio.import(&[&document("bonds.json")]);
    studio.step("edit");
    wait_for(page, "grid-row");
    page.fill("grid-search", "What");
    wait_for(page, "grid-chip");
    choose(page, "grid-search-mode", "regex");
    page.fill("grid-search", "(");
    page.wait_until(
        "what is wrong",
        &format!("{}?.innerText !== ''", element("grid-search-fault")),
    );
    wait_until_gone(page, "grid-row");
    wait_for(page, "grid-empty-clear");
    page.click("grid-select-all");
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
    assert_eq!(page.evaluate(&format!("!{}", element("grid-bulk"))), true);
    page.click("grid-clear-filters");
    wait_for(page, "grid-row");
    page.check();
}

/// Who edits a record does not lose sight of it; who selects all that match does not mean it.
#[test]
fn all_that_match_is_without_what_was_edited_since() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("all");
    studio.import(&[&document("bonds.json")]);
    studio.step("edit");
    wait_for(page, "grid-row");
    page.fill("grid-search", "What");
    wait_for(page, "grid-chip");
    wait_until_gone(page, "grid-busy");
    page.wait_until("the first record", IS_SHOWN);
    page.fill("editor-text", "保険");
    page.wait_until(
        "the edit to be stored",
        &format!(
            "{}?.dataset.state === 'saved' && {}?.value === '保険'",
            element("editor-saved"),
            element("editor-text")
        ),
    );
    page.click("grid-select-all");
    page.wait_until(
        "two of them",
        &format!(
            "({}?.innerText ?? '').startsWith('2 ')",
            element("grid-bulk-count")
        ),
    );
    page.check();
}
