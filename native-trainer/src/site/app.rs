//! The built web app: embedded when the binary was built, or a folder.

use std::{borrow::Cow, path::Path};

use anyhow::{Result, bail};

use super::{Content, Files, folder_files};

include!(concat!(env!("OUT_DIR"), "/web_app.rs"));

/// The page that every built app has.
const INDEX: &str = "index.html";

/// The app's files: those of `folder` where one is given, else the embedded ones.
///
/// # Errors
/// A binary that was built before the app was, and folders that hold no built app.
pub(crate) fn app_files(folder: Option<&Path>) -> Result<Files> {
    match folder {
        Some(folder) => from_folder(folder),
        None => embedded(FILES),
    }
}

fn embedded(files: &[(&str, &'static [u8])]) -> Result<Files> {
    if files.is_empty() {
        bail!(
            "this binary was built without the web app; run `cargo xtask web` and build it again, \
             or give a folder with the built app: --app DIR"
        );
    }
    let files = files.iter();
    Ok(files
        .map(|(name, bytes)| ((*name).to_owned(), Content::Bytes(Cow::Borrowed(*bytes))))
        .collect())
}

fn from_folder(folder: &Path) -> Result<Files> {
    let files = folder_files(folder)?;
    if !files.contains_key(INDEX) {
        bail!(
            "--app `{}` has no {INDEX}; expected the folder that `cargo xtask web` builds",
            folder.display()
        );
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_app_it_says_how_to_get_it() {
        let error = embedded(&[]).unwrap_err().to_string();
        assert!(error.contains("cargo xtask web"), "{error}");
        assert!(error.contains("--app DIR"), "{error}");
        let files = embedded(&[(INDEX, b"page")]).unwrap();
        assert!(matches!(&files[INDEX], Content::Bytes(bytes) if **bytes == *b"page"));
    }

    #[test]
    fn a_folder_gives_its_files_by_address() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("assets")).unwrap();
        std::fs::create_dir_all(folder.path().join(".stage")).unwrap();
        std::fs::write(folder.path().join(".stage/old.js"), "").unwrap();
        std::fs::write(folder.path().join("assets/a.js"), "").unwrap();
        let error = app_files(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("has no index.html"), "{error}");

        std::fs::write(folder.path().join(INDEX), "").unwrap();
        let files = app_files(Some(folder.path())).unwrap();
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(names, ["assets/a.js", "index.html"]);
    }
}
