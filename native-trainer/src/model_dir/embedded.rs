//! The base that ships inside the binary, unpacked to the cache so that it can be mapped like any other.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::files::write_atomic;

/// Files of `native-trainer/demo/base`.
const FILES: &[(&str, &[u8])] = &[
    ("config.json", include_bytes!("../../demo/base/config.json")),
    (
        "model.safetensors",
        include_bytes!("../../demo/base/model.safetensors"),
    ),
    (
        "tokenizer.json",
        include_bytes!("../../demo/base/tokenizer.json"),
    ),
    (
        "tokenizer_config.json",
        include_bytes!("../../demo/base/tokenizer_config.json"),
    ),
];

pub(super) fn is_there() -> bool {
    !FILES.is_empty()
}

/// The folder with the embedded base, complete.
pub(super) fn unpack() -> Result<PathBuf> {
    if !is_there() {
        bail!("this build has no embedded base");
    }
    let cache = dirs::cache_dir().context(
        "the embedded base is unpacked to the user's cache folder, but there is none: set HOME",
    )?;
    unpack_files(FILES, &cache.join("veneer"))
}

/// The folder is named by what it holds, so that two versions never share one.
fn unpack_files(files: &[(&str, &[u8])], cache: &Path) -> Result<PathBuf> {
    let folder = cache.join(format!("demo-{}", fingerprint(files)));
    fs::create_dir_all(&folder).with_context(|| {
        format!(
            "unpacking the embedded base to `{}` (XDG_CACHE_HOME moves it)",
            folder.display()
        )
    })?;
    for (name, bytes) in files {
        let path = folder.join(name);
        // A file that was cut short or changed is written again.
        if fs::read(&path).is_ok_and(|there| there == *bytes) {
            continue;
        }
        write_atomic(&path, |writer| writer.write_all(bytes))?;
    }
    Ok(folder)
}

fn fingerprint(files: &[(&str, &[u8])]) -> String {
    let mut hash = Sha256::new();
    for (name, bytes) in files {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    hash.finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_files_are_written_again() {
        let cache = tempfile::tempdir().unwrap();
        let files: [(&str, &[u8]); 2] = [("config.json", b"{}"), ("model.safetensors", b"weights")];
        let folder = unpack_files(&files, cache.path()).unwrap();
        assert_eq!(
            fs::read(folder.join("model.safetensors")).unwrap(),
            b"weights"
        );

        fs::write(folder.join("model.safetensors"), b"wei").unwrap();
        assert_eq!(unpack_files(&files, cache.path()).unwrap(), folder);
        assert_eq!(
            fs::read(folder.join("model.safetensors")).unwrap(),
            b"weights"
        );
        assert_eq!(
            fs::read_dir(&folder).unwrap().count(),
            2,
            "a temporary file was left"
        );
    }

    #[test]
    fn another_base_gets_another_folder() {
        let cache = tempfile::tempdir().unwrap();
        let one = unpack_files(&[("config.json", b"1")], cache.path()).unwrap();
        let two = unpack_files(&[("config.json", b"2")], cache.path()).unwrap();
        assert_ne!(one, two);
    }
}
