//! Import → Check → Edit → Split → Export, with the formats of the use cases.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::{Studio, digits, document, wait_for};
use crate::{
    app::{Fixture, fixture, text, veneer},
    page::element,
};

/// So many times what a fixture has, for its few records cannot be split.
const N_COPIES: usize = 20;

/// The records of a fixture again and again, each time with other words, in the fixture's format.
fn many(studio: &Studio, file: &str) -> PathBuf {
    let text = fs::read_to_string(document(file)).unwrap();
    let of_lines = |text: &str| text.lines().map(serde_json::from_str).collect();
    let records: Vec<Value> = serde_json::from_str(&text)
        .or_else(|_| of_lines(&text))
        .expect("records in JSON");
    let copies = (0..N_COPIES).flat_map(|copy| {
        let numbered = |record: &Value| {
            let mut record = record.clone();
            number(&mut record, copy);
            record
        };
        records.iter().map(numbered).collect::<Vec<_>>()
    });
    let copies: Vec<Value> = copies.collect();
    let text = match file.ends_with('l') {
        true => copies.iter().map(|record| format!("{record}\n")).collect(),
        false => json!(copies).to_string(),
    };
    let path = studio.files.path().join(file);
    fs::write(&path, text).unwrap();
    path
}

/// Puts a number behind every text but the names of roles.
fn number(value: &mut Value, copy: usize) {
    match value {
        Value::String(text) if !text.is_empty() => text.push_str(&format!(" ({copy})")),
        Value::Array(values) => values.iter_mut().for_each(|value| number(value, copy)),
        Value::Object(fields) => fields
            .iter_mut()
            .filter(|(name, _)| *name != "role")
            .for_each(|(_, value)| number(value, copy)),
        _ => {}
    }
}

/// From the file of a use case to a zip for training; the binary finds nothing wrong with it.
fn walk(fixture: &Fixture, file: &str) {
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project(file);
    let n = digits(&studio.import(&[&many(&studio, file)]));
    assert!(n >= 2 * N_COPIES as u64);
    studio.wait_for_records(n);

    studio.step("check");
    wait_for(page, "checks-state");
    page.screenshot(&format!("studio-check-{file}"));

    studio.step("edit");
    wait_for(page, "grid-row");
    page.click("grid-row");
    wait_for(page, "editor-text");
    page.screenshot(&format!("studio-edit-{file}"));

    studio.step("split");
    wait_for(page, "split-apply");
    page.click("split-apply");
    wait_for(page, "split-freeze");
    page.screenshot(&format!("studio-split-{file}"));

    studio.step("export");
    wait_for(page, "export-file");
    page.screenshot(&format!("studio-export-{file}"));
    page.click("export-download");
    let saved = studio.saved_file();
    assert!(
        fs::metadata(&saved).unwrap().len() > 100,
        "{}",
        saved.display()
    );
    let report = veneer(&["data", "check", text(&saved), "--json"]);
    let report: Value = serde_json::from_str(&report).expect("a report in JSON");
    // The card beside the data is a document with a few records of its own.
    assert!(report["n_records"].as_u64() >= Some(n), "{report}");
    assert_eq!(report["n_errors"], 0, "{report}");
    page.check();
}

#[test]
fn insurance_in_japan() {
    let Some(fixture) = fixture() else { return };
    walk(fixture, "insurance.jsonl");
}

#[test]
fn credit_risk_in_spain() {
    let Some(fixture) = fixture() else { return };
    walk(fixture, "banking.jsonl");
}

#[test]
fn bonds() {
    let Some(fixture) = fixture() else { return };
    walk(fixture, "bonds.json");
}

#[test]
fn medical_notes() {
    let Some(fixture) = fixture() else { return };
    walk(fixture, "medical.json");
}

/// Tables without questions, sheets, documents and archives side by side; what cannot be read says why.
#[test]
fn files_of_every_kind_are_looked_into() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("kinds");
    let names = [
        "census.csv",
        "questions.xlsx",
        "snappy.parquet",
        "browser.pdf",
        "word.docx",
        "bundle.zip",
        "traversal.zip",
        "scan.pdf",
    ];
    let files = names.map(document);
    page.choose_files("import-files", &files.each_ref().map(|path| path.as_path()));
    wait_for(page, "import-record");
    page.wait_until(
        "a part of every file",
        &format!(
            "{}.every(name => document.body.innerText.includes(name))",
            json!(names)
        ),
    );
    let text = page.evaluate("document.body.innerText");
    let text = text.as_str().unwrap_or_default();
    assert!(text.contains("OCR"), "the scan says what helps");
    page.screenshot("studio-import-kinds");
    page.resize(390, 844);
    page.screenshot("studio-import-kinds-narrow");
    page.resize(1280, 900);
    page.click("import-go");
    wait_for(page, "import-done");
    assert!(digits(&page.text("import-done")) > 10);
    page.check();
}

/// What is done survives the tab, and can be taken back behind it.
#[test]
fn undo_reaches_back_over_a_reload() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("reload");
    let n = digits(&studio.import(&[&document("bonds.json")]));
    studio.step("edit");
    wait_for(page, "grid-row");
    page.click("grid-row");
    wait_for(page, "editor-text");
    page.fill("editor-text", "¿Qué es la 保険?");
    wait_for(page, "editor-saved");
    page.wait_until(
        "the edit in the list",
        &format!("{}?.innerText.includes('保険')", element("grid-row")),
    );
    page.reload();
    studio.open_first();
    assert_eq!(studio.n_records(), n);
    studio.step("edit");
    page.wait_until(
        "the edit after the reload",
        &format!("{}?.innerText.includes('保険')", element("grid-row")),
    );
    page.click("studio-undo");
    page.wait_until(
        "the text as it was",
        &format!(
            "(t => t && !t.includes('保険') && !t.startsWith('…'))({}?.innerText)",
            element("grid-row")
        ),
    );
    // The import itself goes back too, and comes again.
    page.click("studio-undo");
    studio.wait_for_records(0);
    page.click("studio-redo");
    studio.wait_for_records(n);
    page.check();
}

/// A project leaves as one file and comes back as it was.
#[test]
fn a_project_is_one_file() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("one file");
    let n = digits(&studio.import(&[&document("bonds.json")]));
    page.click("studio-download");
    let saved = studio.saved_file();
    assert_eq!(&fs::read(&saved).unwrap()[..16], b"SQLite format 3\0");
    page.click("studio-projects");
    wait_for(page, "studio-open-file");
    page.choose_files("studio-open-file", &[&saved]);
    studio.wait_for_records(n);
    page.click("studio-projects");
    page.wait_until(
        "both projects",
        "document.querySelectorAll('[data-testid=studio-project]').length === 2",
    );
    page.check();
}

/// Whoever clears the browser's data while a project is open can still take it away, and go on.
#[test]
fn a_project_whose_files_are_cleared_is_not_closed_unasked() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("cleared");
    let n = digits(&studio.import(&[&document("bonds.json")]));
    page.clear_storage(studio.server.url("").trim_end_matches('/'));
    page.click("studio-projects");
    wait_for(page, "studio-give-up");
    wait_for(page, "studio-not-kept");
    page.screenshot("studio_cleared");
    page.click("studio-give-up-leave");
    page.click("studio-download");
    let saved = studio.saved_file();

    page.click("studio-projects");
    wait_for(page, "studio-give-up-do");
    page.click("studio-give-up-do");
    wait_for(page, "studio-open-file");
    assert_eq!(
        page.evaluate("document.querySelectorAll('[data-testid=studio-project]').length"),
        0
    );
    page.choose_files("studio-open-file", &[&saved]);
    studio.wait_for_records(n);
    page.reload();
    studio.open_first();
    studio.wait_for_records(n);
    page.check();
}

/// One project, two tabs: the second is told, and may take it over.
#[test]
fn two_tabs_do_not_write_the_same_project() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    studio.new_project("shared");
    let n = digits(&studio.import(&[&document("bonds.json")]));
    let second = studio.another_tab();
    wait_for(&second, "studio-open");
    second.click("studio-open");
    wait_for(&second, "studio-busy");
    second.click("studio-open");
    second.wait_until(
        "the records in the second tab",
        &format!(
            "({}?.innerText ?? '').replace(/[^0-9]/g, '') === '{n}'",
            element("studio-n-records")
        ),
    );
    wait_for(&studio.page, "studio-taken-over");

    // What was changed there is seen here when the project comes back.
    second.click("studio-step-edit");
    wait_for(&second, "grid-row");
    second.click("grid-row");
    wait_for(&second, "editor-text");
    second.fill("editor-text", "保険");
    let changed = format!("{}?.innerText.includes('保険')", element("grid-row"));
    second.wait_until("the edit in the second tab", &changed);
    studio.step("edit");
    studio.page.click("studio-go-on");
    studio
        .page
        .wait_until("the edit in the first tab", &changed);
    second.check();
    studio.page.check();
}

/// Text is text: nothing in a record becomes part of the page.
#[test]
fn markup_in_records_is_shown_not_run() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    let file = studio.files.path().join("markup.jsonl");
    let attack = "<img src=x onerror=\"window.attacked=1\"><script>window.attacked=1</script>";
    let record = json!({"messages": [
        {"role": "user", "content": attack}, {"role": "assistant", "content": attack},
    ]});
    fs::write(&file, format!("{record}\n")).unwrap();
    studio.new_project(attack);
    assert_eq!(digits(&studio.import(&[&file])), 1);
    studio.step("edit");
    wait_for(page, "grid-row");
    page.click("grid-row");
    wait_for(page, "editor-text");
    page.click("editor-rendered-toggle");
    wait_for(page, "editor-rendered");
    assert_eq!(page.evaluate("window.attacked ?? null"), Value::Null);
    assert_eq!(
        page.evaluate("document.querySelectorAll('#app img, #app script').length"),
        0
    );
    page.check();
}
