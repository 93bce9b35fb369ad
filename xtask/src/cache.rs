//! Where things are kept between clones: the user's cache folder.

use std::{ffi::OsString, path::PathBuf};

/// `$XDG_CACHE_HOME/veneer` or `~/.cache/veneer`.
pub(crate) fn folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let cache = set("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(set("HOME")?).join(".cache")))?;
    Some(cache.join("veneer"))
}
