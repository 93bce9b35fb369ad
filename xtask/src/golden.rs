//! `cargo xtask golden`: make the reference numbers of `tests/fixtures` again.
//!
//! The only task that needs Python. The tests read what is stored; a change shows as a diff.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, Result, bail};

use crate::{arguments::Arguments, clock::readable, shell};

const SCRIPTS: &str = "tests/fixtures/gen";
const REQUIREMENTS: &str = "tests/fixtures/gen/requirements.txt";
const ENVIRONMENT: &str = ".venv";

/// Others read what this one writes.
const FIRST: &str = "models";

pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    let only = arguments.value("--only")?;
    arguments.finish()?;

    let scripts = chosen(names(Path::new(SCRIPTS))?, only.as_deref())?;
    let python = environment()?;
    for name in &scripts {
        let started = Instant::now();
        let script = format!("{SCRIPTS}/{name}.py");
        println!("\n── {script}");
        shell::run(Command::new(&python).arg(&script))?;
        println!("── done in {}", readable(started.elapsed()));
    }
    println!("\n{} scripts ran. What changed:", scripts.len());
    shell::run(Command::new("git").args(["status", "--short", "tests/fixtures"]))
}

/// Scripts of the folder, in the order in which they run.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        names.extend(file.strip_suffix(".py").map(String::from));
    }
    let first = names.take(FIRST);
    Ok(first.into_iter().chain(names).collect())
}

fn chosen(names: Vec<String>, only: Option<&str>) -> Result<Vec<String>> {
    let Some(only) = only else { return Ok(names) };
    if !names.iter().any(|name| name == only) {
        bail!(
            "no script is called `{only}` (there are: {})",
            names.join(", ")
        );
    }
    Ok(vec![only.to_owned()])
}

/// The Python of the virtual environment, made when it is not there; its libraries as pinned.
fn environment() -> Result<PathBuf> {
    let python = Path::new(ENVIRONMENT).join("bin/python");
    if !python.exists() {
        println!("Making {ENVIRONMENT}");
        shell::run(Command::new("python3").args(["-m", "venv", ENVIRONMENT])).context(
            "goldens need python3 with its venv module (on Debian: apt-get install python3-venv)",
        )?;
    }
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--requirement",
        REQUIREMENTS,
    ];
    shell::run(Command::new(&python).args(pip)).context("installing the reference libraries")?;
    Ok(python)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_come_first_and_only_scripts_count() {
        let folder = std::env::temp_dir().join(format!("veneer-golden-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for file in [
            "train.py",
            "adapter_names.py",
            "models.py",
            "README.md",
            "requirements.txt",
        ] {
            fs::write(folder.join(file), "").unwrap();
        }
        let found = names(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, ["models", "adapter_names", "train"]);
        assert_eq!(chosen(found.clone(), Some("train")).unwrap(), ["train"]);
        assert!(chosen(found, Some("tarin")).is_err());
    }
}
