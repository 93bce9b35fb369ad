//! Files as the importers of core take them, and what kind of file a path is.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    rc::Rc,
};

use anyhow::{Context as _, Result, bail};
use veneer_core::{
    documents::{InputFile, Part, ReadSeek, inspect, mark_companions},
    project::FILE_MAGIC,
};

use crate::{
    dataset::shell_word,
    spooled::{Spooled, kept},
};

/// What a dataset's path leads to.
pub(crate) enum Input {
    /// Text that holds records, or standard input.
    Text,
    /// A spreadsheet, Parquet, an archive, a document: looked into.
    Parts(Vec<Part>),
    Project,
}

/// Endings of documents that are text: of prose, and of code.
const DOCUMENTS: [&str; 43] = [
    "html", "htm", "xhtml", "md", "markdown", "txt", "text", "rst", "tex", "py", "pyi", "rs", "js",
    "mjs", "cjs", "jsx", "ts", "tsx", "c", "h", "cc", "cpp", "hpp", "cs", "java", "kt", "scala",
    "go", "rb", "php", "pl", "lua", "r", "jl", "swift", "hs", "sql", "sh", "bash", "ps1", "css",
    "scss", "vue",
];

/// Tell a file by its first bytes, and documents that are text by their name.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn kind(path: &Path) -> Result<Input> {
    if path == Path::new("-") {
        return Ok(Input::Text);
    }
    let head = head(path)?;
    if begins_project(&head) {
        return Ok(Input::Project);
    }
    const MAGIC: [&[u8]; 5] = [
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"PAR1",
        b"%PDF",
        // Old Office files, which are refused with what to do instead.
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    ];
    let extension = path.extension().and_then(|extension| extension.to_str());
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    let binary = MAGIC.iter().any(|magic| head.starts_with(magic));
    if !binary && !DOCUMENTS.contains(&extension.as_str()) {
        return Ok(Input::Text);
    }
    let parts = parts(path)?;
    let is_table = parts.iter().all(|part| {
        let kind = &part.view.kind;
        matches!(kind, veneer_core::protocol::studio::PartKind::Table { .. })
    });
    Ok(if is_table && !binary {
        Input::Text
    } else {
        Input::Parts(parts)
    })
}

pub(crate) fn is_project(path: &Path) -> bool {
    head(path).is_ok_and(|head| begins_project(&head))
}

/// Also of a project that is cut off inside its first bytes: enough of them that they are no text.
fn begins_project(head: &[u8]) -> bool {
    const ENOUGH: usize = b"SQLite".len();
    let is_cut_off = head.len() >= ENOUGH && FILE_MAGIC.starts_with(head);
    is_cut_off || head.starts_with(FILE_MAGIC)
}

fn head(path: &Path) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    let (file, _) = opened(path)?;
    let read = file.take(16).read_to_end(&mut head);
    read.with_context(|| format!("reading dataset `{}`", path.display()))?;
    Ok(head)
}

/// A dataset's bytes from its beginning, and how many there are; of a pipe too, however often.
///
/// # Errors
/// If it is a folder, or cannot be read.
pub(crate) fn opened(path: &Path) -> Result<(Box<dyn ReadSeek>, u64)> {
    let reading = || format!("reading dataset `{}`", path.display());
    let there = fs::metadata(path).with_context(reading)?;
    if there.is_dir() {
        bail!(
            "`{}` is a folder, expected a file; `veneer data import {} --into project.veneer` reads \
             all that is in a folder",
            path.display(),
            shell_word(path)
        );
    }
    Ok(match kept(path, &there)? {
        Some(pipe) => (Box::new(pipe.open()), pipe.n_bytes()),
        None => {
            let file = File::open(path).with_context(reading)?;
            (Box::new(file), there.len())
        }
    })
}

/// Look into a file.
///
/// # Errors
/// If there is no such file.
pub(crate) fn parts(path: &Path) -> Result<Vec<Part>> {
    Ok(inspect(open(path, &path.display().to_string())?))
}

/// Why a part that lies beside data is left out.
pub(crate) const BESIDE: &str = "tells of the data beside it and is none itself";

/// What is in files and folders; what only tells of data in the same folder is marked.
///
/// # Errors
/// If one is not there.
pub(crate) fn parts_of(paths: &[PathBuf]) -> Result<Vec<Part>> {
    let mut found = Vec::new();
    for (path, name) in files(paths)? {
        found.extend(inspect(open(&path, &name)?));
    }
    mark_companions(&mut found);
    Ok(found)
}

/// A file on disk under the name that it has in reports.
pub(crate) fn open(path: &Path, name: &str) -> Result<Rc<dyn InputFile>> {
    let opening = || format!("reading `{}`", path.display());
    let metadata = fs::metadata(path).with_context(opening)?;
    if metadata.is_dir() {
        bail!("`{}` is a folder, expected a file", path.display());
    }
    if let Some(pipe) = kept(path, &metadata)? {
        return Ok(Rc::new(Kept::new(name, pipe).with_context(opening)?));
    }
    File::open(path).with_context(opening)?;
    Ok(Rc::new(OnDisk {
        path: path.to_owned(),
        name: name.to_owned(),
        n_bytes: metadata.len(),
    }))
}

/// Files, and everything inside of folders, with the names that they have in reports.
///
/// # Errors
/// If one is not there.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            bail!("this reads files more than once; put standard input into a file first");
        }
        let name = path.file_name().unwrap_or(path.as_os_str());
        collect(path, &name.to_string_lossy(), &mut found)?;
    }
    Ok(found)
}

fn collect(path: &Path, name: &str, found: &mut Vec<(PathBuf, String)>) -> Result<()> {
    let reading = || format!("reading `{}`", path.display());
    if !fs::metadata(path).with_context(reading)?.is_dir() {
        found.push((path.to_owned(), name.to_owned()));
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path)
        .with_context(reading)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()
        .with_context(reading)?;
    entries.sort();
    for entry in entries {
        let own = entry.file_name().unwrap_or_default().to_string_lossy();
        // A folder's own settings and locks are no data, and links may lead in circles.
        let is_link = entry.symlink_metadata().with_context(reading)?.is_symlink();
        if !own.starts_with('.') && !is_link {
            collect(&entry, &format!("{name}/{own}"), found)?;
        }
    }
    Ok(())
}

/// What is in standard input, all of which is kept: importers read more than once.
///
/// # Errors
/// If it cannot be read, or there is no room for it.
pub(crate) fn standard_input() -> Result<Vec<Part>> {
    let reading = || "reading standard input";
    let kept = Spooled::of(&mut io::stdin().lock()).with_context(reading)?;
    let ending = ending(&kept.head().with_context(reading)?);
    let name = format!("standard input.{ending}");
    Ok(inspect(Rc::new(Kept { name, kept })))
}

/// The ending that a file of rows would have; what is no text is told by its content.
fn ending(head: &[u8]) -> &'static str {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => "json",
        Some(b'{') => "jsonl",
        _ => "csv",
    }
}

struct OnDisk {
    path: PathBuf,
    name: String,
    n_bytes: u64,
}

impl InputFile for OnDisk {
    fn name(&self) -> &str {
        &self.name
    }

    fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(File::open(&self.path)?))
    }
}

/// What came out of a pipe.
struct Kept {
    name: String,
    kept: Spooled,
}

impl Kept {
    /// A pipe's own name ends in nothing: JSON is told by its first byte, all else by its content.
    fn new(name: &str, kept: Spooled) -> io::Result<Self> {
        let ending = match ending(&kept.head()?) {
            "csv" => None,
            json => Some(json).filter(|_| Path::new(name).extension().is_none()),
        };
        let name = ending.map_or_else(|| name.to_owned(), |ending| format!("{name}.{ending}"));
        Ok(Self { name, kept })
    }
}

impl InputFile for Kept {
    fn name(&self) -> &str {
        &self.name
    }

    fn n_bytes(&self) -> u64 {
        self.kept.n_bytes()
    }

    fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(self.kept.open()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_in_order_without_hidden_files() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("sub")).expect("made");
        for name in ["b.csv", ".hidden", "sub/a.csv"] {
            fs::write(folder.path().join(name), "x").expect("written");
        }
        let found = files(&[folder.path().to_owned()]).expect("walked");
        let base = folder.path().file_name().expect("a name").to_string_lossy();
        let names: Vec<_> = found.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(
            names,
            [format!("{base}/b.csv"), format!("{base}/sub/a.csv")]
        );
    }

    #[test]
    fn rows_without_a_name_are_told_by_how_they_begin() {
        assert_eq!(ending(b"\xef\xbb\xbf {\"a\": 1}"), "jsonl");
        assert_eq!(ending(b"\n[{}]"), "json");
        assert_eq!(ending(b"query,response\n"), "csv");
        assert_eq!(ending(b""), "csv");
    }

    #[test]
    fn a_project_is_told_by_its_first_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("odd.csv");
        fs::write(&path, b"SQLite format 3\0rest").expect("written");
        assert!(is_project(&path) && matches!(kind(&path), Ok(Input::Project)));
        fs::write(&path, b"SQLite format").expect("written");
        assert!(is_project(&path), "cut off");
        fs::write(&path, b"SQL").expect("written");
        assert!(!is_project(&path));
        fs::write(&path, "query,response\n").expect("written");
        assert!(!is_project(&path) && matches!(kind(&path), Ok(Input::Text)));
    }
}
