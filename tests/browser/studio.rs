//! The studio, walked as a person walks it: from a file to a file, with nothing lost on the way.

mod keys;
mod large;
mod lists;
mod narrow;
mod settling;
mod waiting;
mod walk;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    app::{Fixture, fixture},
    chromium::{Chromium, WebGpu},
    look::choose_language,
    page::{PATIENCE, Page, element},
    server::Server,
};

/// The studio in a tab, with a folder for what it saves.
struct Studio {
    // Dropped in this order: the page says what went wrong while the browser still runs.
    page: Page,
    browser: Chromium,
    server: Server,
    saved: TempDir,
    /// For files to import.
    files: TempDir,
}

impl Studio {
    /// The list of projects of a browser that has none.
    fn open(fixture: &Fixture) -> Self {
        let server = Server::start(&fixture.site);
        let browser = Chromium::start(WebGpu::Software);
        let saved = TempDir::new().expect("a folder for downloads");
        browser.call(
            "Browser.setDownloadBehavior",
            json!({ "behavior": "allow", "downloadPath": saved.path() }),
        );
        let page = Page::blank(&browser);
        page.go(&server.url("/#data"));
        wait_for(&page, "studio-create");
        Self {
            page,
            browser,
            server,
            saved,
            files: TempDir::new().expect("a folder for files"),
        }
    }

    /// Another tab of the same browser.
    fn another_tab(&self) -> Page {
        let page = Page::blank(&self.browser);
        page.go(&self.server.url("/#data"));
        wait_for(&page, "studio-create");
        page
    }

    fn new_project(&self, name: &str) {
        self.page.fill("studio-new-name", name);
        self.page.click("studio-create");
        wait_for(&self.page, "import-files");
    }

    /// Import files as they are recognised; what the page says came in.
    fn import(&self, files: &[&Path]) -> String {
        self.page.choose_files("import-files", files);
        wait_for(&self.page, "import-record");
        self.page.click("import-go");
        wait_for(&self.page, "import-done");
        self.page.text("import-done")
    }

    fn step(&self, name: &str) {
        self.page.click(&format!("studio-step-{name}"));
    }

    /// The number in front of everything: records outside the trash.
    fn n_records(&self) -> u64 {
        digits(&self.page.text("studio-n-records"))
    }

    #[track_caller]
    fn wait_for_records(&self, n: u64) {
        self.page.wait_until(
            &format!("{n} records"),
            &format!(
                "({}?.innerText ?? '').replace(/[^0-9]/g, '') === '{n}'",
                element("studio-n-records")
            ),
        );
    }

    /// Opens the first project of the list.
    fn open_first(&self) {
        wait_for(&self.page, "studio-open");
        self.page.click("studio-open");
        wait_for(&self.page, "studio-n-records");
    }

    /// The file that the page saves next, when all of it is there.
    fn saved_file(&self) -> PathBuf {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let files = fs::read_dir(self.saved.path()).expect("the folder is there");
            let files: Vec<PathBuf> = files.flatten().map(|entry| entry.path()).collect();
            // Chromium keeps the name with an empty file and writes into others beside it.
            let is_begun = |path: &PathBuf| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with('.') || name.ends_with(".crdownload") || name.ends_with(".tmp")
            };
            let is_empty = |path: &PathBuf| fs::metadata(path).map_or(true, |file| file.len() == 0);
            if let [file] = &files[..]
                && !is_begun(file)
                && !is_empty(file)
            {
                return file.clone();
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("no file was saved in {PATIENCE:?}")
    }
}

#[track_caller]
fn wait_for(page: &Page, test_id: &str) -> Value {
    page.wait_until(&format!("`{test_id}`"), &format!("!!{}", element(test_id)))
}

fn digits(text: &str) -> u64 {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

/// A file of the fixtures.
fn document(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    ["documents", "papers"]
        .map(|sub| folder.join(sub).join(name))
        .into_iter()
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("no fixture `{name}`"))
}

#[test]
fn the_steps_fit_a_phone_in_every_language() {
    let Some(fixture) = fixture() else { return };
    let studio = Studio::open(fixture);
    let page = &studio.page;
    studio.new_project("seguros");
    for language in ["en", "es", "ja"] {
        choose_language(page, language);
        for width in [320, 360, 390, 620, 621] {
            page.resize(width, 844);
            let steps = "document.querySelector('.steps')";
            let room = page.evaluate(&format!("[{steps}.scrollWidth, {steps}.clientWidth]"));
            let fits = room[0].as_u64() <= room[1].as_u64();
            assert!(fits, "{language}, {width}: {room}");
        }
    }
}
