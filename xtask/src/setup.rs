//! What the checks need and cargo does not bring: toolchain parts and a Vulkan adapter.
//!
//! Every step looks first and does nothing when the thing is there.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::shell;

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Debian's names of the Vulkan loader and of lavapipe, Mesa's adapter on the CPU.
const VULKAN_PACKAGES: [&str; 2] = ["libvulkan1", "mesa-vulkan-drivers"];

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
    install_vulkan()?;
    let icds = file_names(Path::new(ICD_FOLDER));
    Ok(choose(&icds, has_gpu()))
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

fn install_vulkan() -> Result<()> {
    if !Path::new("/etc/debian_version").exists() || !shell::succeeds("apt-get", &["--version"]) {
        println!("This is not Debian: install a Vulkan driver by hand (Mesa's lavapipe will do),");
        println!("otherwise the GPU tests skip themselves.");
        return Ok(());
    }
    let missing: Vec<&str> = VULKAN_PACKAGES
        .into_iter()
        .filter(|package| !is_installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut install = vec!["apt-get", "install", "-y", "--no-install-recommends"];
    install.extend(&missing);
    let prefix = match as_root() {
        Some(prefix) => prefix,
        None => bail!(
            "the GPU tests need {}, and only root can install packages; run\n  sudo {}\n\
             once, or leave those tests out with `cargo xtask test --without-gpu`",
            missing.join(" and "),
            install.join(" ")
        ),
    };
    println!(
        "Installing {} (Vulkan on the CPU, for the GPU tests)",
        missing.join(", ")
    );
    apt(prefix, &["apt-get", "update", "-qq"])?;
    apt(prefix, &install)
}

/// The words that make a command run as root, if there is a way without a password.
fn as_root() -> Option<&'static [&'static str]> {
    let user = shell::output(Command::new("id").arg("-u")).unwrap_or_default();
    if user.trim() == "0" {
        return Some(&[]);
    }
    shell::succeeds("sudo", &["-n", "true"]).then_some(&["sudo", "-n"])
}

fn apt(prefix: &[&str], words: &[&str]) -> Result<()> {
    let line = [prefix, words].concat();
    let (program, arguments) = line.split_first().context("an empty command line")?;
    // What apt says is only of interest when it fails, and `output` quotes it then.
    shell::output(
        Command::new(program)
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )?;
    Ok(())
}

fn is_installed(package: &str) -> bool {
    let query = ["-W", "-f=${Status}", package];
    shell::output(Command::new("dpkg-query").args(query))
        .is_ok_and(|status| status == "install ok installed")
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
