//! What is typed while the worker has something else to do.

use serde_json::json;

use super::{Studio, large::dataset, wait_for};
use crate::{
    app::fixture,
    page::{Page, element},
};

fn wait_for_text(page: &Page, text: &str) {
    page.wait_until(
        &format!("`{text}` in the editor"),
        &format!("{}?.value === {}", element("editor-text"), json!(text)),
    );
}

/// Gives every record a column, which takes a while.
fn begin_to_change_all(page: &Page) {
    page.click("grid-select-all");
    page.click("grid-bulk-field");
    page.fill("grid-answer-text", "batch");
    page.fill("grid-answer-value", "7");
    page.click("grid-answer");
    wait_for(page, "studio-work");
}

#[test]
fn a_record_that_is_edited_while_all_are_changed_keeps_both() {
    const N: u64 = 20_000;
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("waiting");
    studio.import(&[&dataset(&studio, N)]);
    studio.step("edit");
    wait_for(page, "grid-row");
    page.click("grid-row");
    wait_for_text(page, "¿Cuál es la prima del contrato 0?");
    begin_to_change_all(page);

    page.fill("editor-text", "typed meanwhile");
    page.click("editor-next");
    wait_for_text(page, "契約1の保険料はいくらですか。");
    page.click("editor-previous");
    wait_for_text(page, "typed meanwhile");
    let is_changing = page.evaluate(&format!("!!{}", element("studio-work")));
    println!("came back while all were being changed: {is_changing}");

    page.wait_until(
        "the end of the change",
        &format!("!{}", element("studio-work")),
    );
    page.wait_until(
        "the column that every record got",
        "[...document.querySelectorAll('[data-testid=edit-record] input')].some(it => it.value === 'batch')",
    );
    page.click("editor-next");
    wait_for_text(page, "契約1の保険料はいくらですか。");
    page.click("editor-previous");
    wait_for_text(page, "typed meanwhile");
    page.check();
}
