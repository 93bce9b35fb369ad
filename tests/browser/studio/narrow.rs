//! Every step on a phone, in the language with the longest words.

use std::fs;

use super::{Studio, document, wait_for};
use crate::{
    app::fixture,
    look::{check_width, choose_language},
    page::Page,
};

/// What scrolls in a box of its own is no wider than that box.
#[track_caller]
fn check_main(page: &Page, when: &str) {
    let main = "document.querySelector('#studio-main')";
    let room = page.evaluate(&format!("[{main}.scrollWidth, {main}.clientWidth]"));
    assert!(room[0].as_u64() <= room[1].as_u64(), "{when}: {room}");
}

#[test]
fn no_step_is_wider_than_a_narrow_phone() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    page.resize(390, 844);
    choose_language(page, "es");
    check_width(page, "projects");
    studio.new_project("seguros");
    // A table with more columns than any window is wide.
    let table = studio.files.path().join("wide.csv");
    let row = |sign: &str| [sign; 30].join(",");
    let text = format!("{}\n{}\n", row("a long column"), row("a long value"));
    fs::write(&table, text).expect("the table is written");
    page.choose_files("import-files", &[&table]);
    wait_for(page, "import-record");
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)");
    page.wait_until("its rows", "!!document.querySelector('table.raw td')");
    for width in [320, 390, 1280] {
        page.resize(width, 844);
        check_width(page, &format!("table-{width}"));
        check_main(page, &format!("a table at {width}"));
    }
    page.click("import-forget");
    page.resize(390, 844);
    studio.import(&[&document("bonds.json")]);
    check_width(page, "import");
    for (step, shown) in [
        ("check", "checks-state"),
        ("edit", "grid-row"),
        ("split", "split-apply"),
        ("export", "export-file"),
    ] {
        studio.step(step);
        wait_for(page, shown);
        check_width(page, step);
        if step == "edit" {
            let pane = "document.querySelector('.grid-pane').getBoundingClientRect()";
            let height = page.evaluate(&format!("{pane}.height"));
            assert!(
                height.as_f64() > Some(400.0),
                "the list is {height} px high"
            );
        }
    }
    studio.step("edit");
    wait_for(page, "grid-row");
    page.click("grid-row");
    wait_for(page, "editor-text");
    check_width(page, "record");
    page.check();
}
