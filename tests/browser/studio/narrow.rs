//! Every step on a phone, in the language with the longest words.

use super::{Studio, document, wait_for};
use crate::{
    app::fixture,
    look::{check_width, choose_language},
};

#[test]
fn no_step_is_wider_than_a_narrow_phone() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    page.resize(390, 844);
    choose_language(page, "es");
    check_width(page, "projects");
    studio.new_project("seguros");
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
