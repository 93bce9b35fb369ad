//! What the checks need and cargo does not bring: toolchain parts, a Vulkan adapter, a browser.
//!
//! Every step looks first and does nothing when the thing is there.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::{
    packages::{self, Need},
    shell,
};

pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Debian's names of the Vulkan loader and of lavapipe, Mesa's adapter on the CPU.
const VULKAN: Need = Need {
    packages: &["libvulkan1", "mesa-vulkan-drivers"],
    purpose: "Vulkan on the processor, for the GPU tests",
    otherwise: "with `--without-gpu` those tests skip themselves",
};

/// Chromium brings its own WebGPU adapter on the processor.
const BROWSER: Need = Need {
    packages: &["chromium"],
    purpose: "a browser, for the tests of the page",
    otherwise: "with `--without-browser` those tests skip themselves",
};

/// Names of Chromium and of its relatives.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome-stable"];

/// Where Debian's loader looks for drivers.
const ICD_FOLDER: &str = "/usr/share/vulkan/icd.d";

/// The wasm32 target, clippy and rustfmt of the toolchain that `rust-toolchain.toml` pins.
pub(crate) fn toolchain() -> Result<()> {
    if !shell::succeeds("rustup", &["--version"]) {
        println!("rustup is not here: taking the toolchain that runs this as it is");
        return Ok(());
    }
    let targets = shell::output(Command::new("rustup").args(["target", "list", "--installed"]))?;
    if !targets.lines().any(|line| line.trim() == WASM_TARGET) {
        println!("Adding the {WASM_TARGET} target");
        shell::run(Command::new("rustup").args(["target", "add", WASM_TARGET]))?;
    }
    for (component, arguments) in [
        ("clippy", ["clippy", "-V"]),
        ("rustfmt", ["fmt", "--version"]),
    ] {
        if shell::output(&mut shell::cargo(&arguments)).is_err() {
            println!("Adding {component}");
            shell::run(Command::new("rustup").args(["component", "add", component]))?;
        }
    }
    Ok(())
}

/// How the tests reach Vulkan.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Gpu {
    /// A driver is there: a test that finds no adapter fails instead of skipping itself.
    required: bool,
    /// The driver to take, where no GPU is built in.
    software_icd: Option<PathBuf>,
}

impl Gpu {
    /// Variables for the programs that use the GPU.
    pub(crate) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let mut variables = Vec::new();
        if self.required {
            variables.push(("VENEER_REQUIRE_GPU", PathBuf::from("1")));
        }
        if let Some(icd) = &self.software_icd {
            variables.push(("VK_ICD_FILENAMES", icd.clone()));
        }
        variables
    }
}

/// A Vulkan driver: the machine's own where there is a GPU, lavapipe otherwise.
pub(crate) fn vulkan() -> Result<Gpu> {
    if std::env::var_os("VK_ICD_FILENAMES").is_some() {
        return Ok(Gpu {
            required: true,
            software_icd: None,
        });
    }
    packages::install(&VULKAN)?;
    let icds = file_names(Path::new(ICD_FOLDER));
    Ok(choose(&icds, has_gpu()))
}

/// Variables for the browser tests: a browser that is missing fails them from here on.
pub(crate) fn browser() -> Result<Vec<(&'static str, PathBuf)>> {
    let is_there = || {
        std::env::var_os("VENEER_CHROMIUM").is_some()
            || BROWSERS
                .iter()
                .any(|program| shell::succeeds(program, &["--version"]))
    };
    if !is_there() {
        packages::install(&BROWSER)?;
    }
    let required = is_there().then(|| ("VENEER_REQUIRE_BROWSER", PathBuf::from("1")));
    Ok(required.into_iter().collect())
}

fn choose(icds: &[String], has_gpu: bool) -> Gpu {
    let software = icds.iter().find(|name| name.starts_with("lvp_icd"));
    match software {
        Some(name) if !has_gpu => Gpu {
            required: true,
            software_icd: Some(Path::new(ICD_FOLDER).join(name)),
        },
        _ => Gpu {
            required: has_gpu && !icds.is_empty(),
            software_icd: None,
        },
    }
}

/// A device file of a GPU driver (Mesa, NVIDIA, WSL).
fn has_gpu() -> bool {
    Path::new("/dev/nvidia0").exists()
        || Path::new("/dev/dxg").exists()
        || file_names(Path::new("/dev/dri"))
            .iter()
            .any(|name| name.starts_with("renderD"))
}

/// Sorted names in a folder; none when it cannot be read.
fn file_names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_driver_only_where_there_is_no_gpu() {
        let icds = ["intel_icd.x86_64.json", "lvp_icd.x86_64.json"].map(String::from);
        let alone = choose(&icds, false);
        assert!(alone.required);
        assert!(alone.software_icd.unwrap().ends_with("lvp_icd.x86_64.json"));
        assert_eq!(
            choose(&icds, true),
            Gpu {
                required: true,
                software_icd: None
            }
        );
    }

    #[test]
    fn nothing_is_required_where_there_is_no_driver() {
        assert_eq!(choose(&[], false), Gpu::default());
        assert_eq!(choose(&[], true), Gpu::default());
        assert!(Gpu::default().environment().is_empty());
    }
}
