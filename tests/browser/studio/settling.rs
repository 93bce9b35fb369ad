//! What is settled beside the list, and what waits to be settled.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::{Studio, wait_for};
use crate::{
    app::fixture,
    keyboard::Key,
    page::{Page, element},
};

/// A file with a record a line.
fn lines(studio: &Studio, name: &str, records: &[Value]) -> PathBuf {
    let path = studio.files.path().join(name);
    let text: Vec<String> = records.iter().map(Value::to_string).collect();
    fs::write(&path, text.join("\n")).expect("the file is written");
    path
}

fn wait_for_value(page: &Page, test_id: &str, value: &str) {
    page.wait_until(
        &format!("`{value}` in `{test_id}`"),
        &format!("{}?.value === {}", element(test_id), json!(value)),
    );
}

#[test]
fn calls_that_cannot_be_read_wait_at_their_record() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    let record = |name: &str| {
        let call =
            json!({"type": "function", "function": {"name": name, "arguments": {"city": "Lima"}}});
        json!({
            "messages": [
                {"role": "user", "content": format!("¿{name}?")},
                {"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "content": "21 °C"},
                {"role": "assistant", "content": "21 °C."},
            ],
            "tools": [{"type": "function", "function": {"name": name, "parameters": {}}}],
        })
    };
    let records = ["clima", "mareas"].map(record);
    studio.new_project("calls");
    studio.import(&[&lines(&studio, "calls.jsonl", &records)]);
    studio.step("edit");
    wait_for(page, "editor-calls-json");
    page.fill("editor-calls-json", "[{\"type\"");
    wait_for(page, "editor-calls-json-fault");
    page.click("editor-tools");
    page.evaluate(&format!("{}.open = true", element("editor-tools")));
    wait_for(page, "editor-tools-json");
    page.fill("editor-tools-json", "[{");
    wait_for(page, "editor-tools-json-fault");

    page.click("editor-next");
    page.wait_until(
        "the other record's calls",
        &format!(
            "({}?.value ?? '').includes('mareas') && !{} && {}?.value !== '[{{'",
            element("editor-calls-json"),
            element("editor-calls-json-fault"),
            element("editor-tools-json")
        ),
    );
    page.click("editor-previous");
    wait_for_value(page, "editor-calls-json", "[{\"type\"");
    wait_for_value(page, "editor-tools-json", "[{");
    wait_for(page, "editor-calls-json-fault");
    page.fill("editor-calls-json", "[]");
    page.click("editor-next");
    page.click("editor-previous");
    wait_for_value(page, "editor-tools-json", "[{");
    page.wait_until(
        "the calls as they are stored",
        &format!("!{}", element("editor-calls-json-fault")),
    );
    page.check();
}

#[test]
fn whoever_goes_on_by_key_takes_along_what_stands_in_a_field() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    let rows = ["¿Lima?", "¿Quito?"].map(|question| {
        let turns = [("user", question), ("assistant", "Sí.")];
        let turns = turns.map(|(role, content)| json!({"role": role, "content": content}));
        json!({"messages": turns, "visited": true})
    });
    studio.new_project("fields");
    studio.import(&[&lines(&studio, "fields.jsonl", &rows)]);
    studio.step("edit");
    for (field, text) in [("editor-reviewer", "Ana"), ("editor-tag-input", "viaje")] {
        wait_for_value(page, "editor-text", "¿Lima?");
        page.fill(field, text);
        page.press(Key::ControlEnter);
        wait_for_value(page, "editor-text", "¿Quito?");
        page.click("editor-previous");
    }
    wait_for_value(page, "editor-reviewer", "Ana");
    wait_for(page, "editor-tag");

    // A box that was ticked just now is what is taken back, and not the tag.
    page.evaluate(&format!("{}.open = true", element("editor-columns")));
    page.click("editor-column-value");
    page.press(Key::Control('z'));
    page.wait_until(
        "the box as it was",
        &format!("{}?.checked", element("editor-column-value")),
    );
    wait_for(page, "editor-tag");
    page.check();
}

#[test]
fn the_keyboard_is_in_the_next_text() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    let rows = [
        ("Un bono es", " una deuda."),
        ("Una acción es", " una parte."),
    ];
    let rows = rows.map(|(prompt, completion)| json!({"prompt": prompt, "completion": completion}));
    studio.new_project("texts");
    studio.import(&[&lines(&studio, "texts.jsonl", &rows)]);
    studio.step("edit");
    page.fill("editor-completion", " un préstamo.");
    page.press(Key::ControlEnter);
    let written =
        "(at => at?.dataset.testid === 'editor-completion' && at.value === ' una parte.')";
    page.wait_until(
        "the keyboard in the next text",
        &format!("{written}(document.activeElement)"),
    );
    page.check();
}

#[test]
fn a_leak_is_settled_where_its_group_is_shown() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    let rows = [
        ("Una deuda.", "train"),
        ("Una promesa de pago.", "validation"),
    ];
    let rows = rows.map(|(answer, side)| {
        json!({"instruction": "¿Qué es un bono?", "output": answer, "veneer_side": side})
    });
    studio.new_project("leak");
    studio.import(&[&lines(&studio, "sides.jsonl", &rows)]);
    studio.step("check");
    page.click("checks-run");
    let leak = "document.querySelector('[data-testid=checks-kind][data-kind=leak]')";
    page.wait_until("the leak", &format!("{leak}?.dataset.records > 0"));
    page.evaluate(&format!(
        "{leak}.querySelector('[data-testid=checks-groups]').click()"
    ));
    wait_for(page, "checks-group-to-train");
    page.click("checks-group-to-train");
    page.wait_until("no leak", &format!("!({leak}?.dataset.records > 0)"));
    studio.step("edit");
    page.wait_until(
        "both in training",
        "document.querySelectorAll('.grid-side.train').length === 2",
    );
    page.check();
}

#[test]
fn the_filters_of_the_trash_count_what_is_in_it() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    let rows = [
        ("What is a bond?", "A debt."),
        ("¿Qué es una acción?", "Una parte."),
    ];
    let rows = rows.map(|(question, answer)| json!({"instruction": question, "output": answer}));
    studio.new_project("trash");
    studio.import(&[&lines(&studio, "two.jsonl", &rows)]);
    studio.step("edit");
    wait_for(page, "grid-row");
    page.click("grid-select-all");
    page.click("grid-bulk-trash");
    studio.wait_for_records(0);
    page.click("grid-trash");
    page.click("grid-filters");
    let count = |n: u64| {
        format!(
            "[...document.querySelectorAll('.grid-facet-n')].some(it => it.innerText === '{n}')"
        )
    };
    page.wait_until("two of a source", &count(2));
    page.evaluate("document.querySelector('[data-row=\"0\"] [data-box]').click()");
    page.click("grid-bulk-take-back");
    studio.wait_for_records(1);
    page.wait_until("one of a source", &format!("{} && !{}", count(1), count(2)));
    page.check();
}
