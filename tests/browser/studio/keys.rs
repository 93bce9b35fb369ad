//! The whole way without a pointer.

use super::{Studio, digits, document, wait_for};
use crate::{app::fixture, keyboard::Key, page::element};

/// More controls than any screen of the studio has before the one that is wanted.
const MAX_TABS: usize = 80;

impl Studio {
    /// Goes on with the tabulator until the control has the focus.
    #[track_caller]
    fn tab_to(&self, test_id: &str) {
        wait_for(&self.page, test_id);
        let has_focus = format!("document.activeElement === {}", element(test_id));
        for _ in 0..MAX_TABS {
            if self.page.evaluate(&has_focus) == true {
                return;
            }
            self.page.press(Key::Tab);
        }
        panic!("`{test_id}` is not reached by {MAX_TABS} tabulators");
    }

    fn press_all(&self, keys: &[Key]) {
        keys.iter().for_each(|key| self.page.press(*key));
    }
}

#[test]
fn a_dataset_is_made_by_keys_alone() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    let go = |to| studio.press_all(&[Key::Sign('g'), Key::Sign(to)]);

    studio.tab_to("studio-new-name");
    page.type_text("teclas");
    page.press(Key::Enter);
    wait_for(page, "import-files");
    // The dialog for files is the browser's own.
    page.choose_files("import-files", &[&document("bonds.json")]);
    studio.tab_to("import-go");
    page.press(Key::Enter);
    wait_for(page, "import-done");
    let n = digits(&page.text("import-done"));
    studio.wait_for_records(n);

    go('e');
    wait_for(page, "grid-row");
    studio.tab_to("grid-row");
    studio.press_all(&[Key::ArrowDown, Key::Enter]);
    wait_for(page, "editor-text");
    page.wait_until(
        "a text with the focus",
        "document.activeElement?.dataset.testid === 'editor-text'",
    );
    page.type_text("保険 ");
    page.press(Key::Escape);
    page.wait_until(
        "the edit in the list",
        "[...document.querySelectorAll('[data-testid=grid-row]')].some(row => row.innerText.includes('保険'))",
    );

    // A tag for one record, then a new record, then both taken back.
    page.press(Key::Sign('t'));
    page.wait_until(
        "a field for the tag",
        "document.activeElement?.tagName === 'INPUT'",
    );
    page.type_text("revisar");
    page.press(Key::Enter);
    page.wait_until(
        "the tag in the list",
        "[...document.querySelectorAll('[data-testid=grid-row]')].some(row => row.innerText.includes('revisar'))",
    );

    go('s');
    studio.tab_to("split-apply");
    page.press(Key::Enter);
    wait_for(page, "split-freeze");
    go('x');
    wait_for(page, "export-file");
    studio.tab_to("export-download");
    page.press(Key::Enter);
    studio.saved_file();

    // Every command is in the palette, and the sheet names its keys.
    page.press(Key::Control('k'));
    page.wait_until("the palette", "document.activeElement?.tagName === 'INPUT'");
    studio.press_all(&[Key::ArrowDown; 30]);
    let seen = "(line => {
        const [at, list] = [line, line.closest('ul')].map(one => one.getBoundingClientRect());
        return at.top >= list.top - 1 && at.bottom <= list.bottom + 1;
    })(document.querySelector('[aria-selected=true][data-testid=palette-command]'))";
    page.wait_until("the chosen command in sight", seen);
    page.type_text("check");
    page.press(Key::Enter);
    wait_for(page, "checks-run");

    // What opens far behind its button has the keyboard, and gives it back.
    studio.tab_to("studio-history");
    page.press(Key::Enter);
    let has_focus = |test_id| format!("document.activeElement === {}", element(test_id));
    page.wait_until("the focus in the history", &has_focus("history-close"));
    page.press(Key::Escape);
    page.wait_until("the focus back", &has_focus("studio-history"));
    page.check();
}
